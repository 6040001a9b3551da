"""What becomes of each container after a fault: its fate, what the engine says, dark ports, and why."""

from __future__ import annotations

import re

import pytest

from sim.designs import DESIGNS
from sim.experiment.metrics import measure
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.fates import FATES, Dark, Fate, fates

SERVICES = """
services:
  web: {image: nginx, ports: ["80:80"], restart: unless-stopped}
  db: {image: redis, restart: always}
  job: {image: busybox}
"""


def told(design: str, step: str, more: str = "", until: str = "kill+60s") -> dict[str, Fate]:
    """Return the fates by container of a run in which one step harms something."""
    return {fate.container: fate for fate in fates(ran(design, step, more, until).trace)}


def ran(design: str, step: str, more: str = "", until: str = "kill+60s") -> Run:
    """Return that run."""
    text = f"engine: {{design: {design}{more}}}\n{SERVICES}steps: [{{id: kill, at: 1s, {step}}}]\nuntil: {until}\n"
    return run_scenario(load("x.yaml", text))


def test_a_killed_dockerd_of_26_loses_what_its_start_stops() -> None:
    """dockerd's start stops what it finds, and that counts as somebody's stop: unless-stopped stays down."""
    found = told("docker-26", "kill: dockerd")
    assert {name: it.fate for name, it in found.items()} == {"web": "lost", "db": "new process", "job": "lost"}
    web = found["web"]
    assert (web.policy, web.status, web.exit_code, web.restarts) == ("unless-stopped", "exited", 0, 0)
    assert web.dark == tuple(Dark(80, "tcp", client, None) for client in ("remote", "loopback"))
    assert "on TERM from dockerd" in web.why
    assert "restore" in web.why
    assert "a killed dockerd" in web.why
    assert "somebody's stop" in web.why
    assert "unless-stopped" in web.why
    assert found["db"].restarts == 1
    assert "policy always" in found["db"].why
    assert "policy no" in found["job"].why


def test_live_restore_keeps_them_and_loopback_ports_are_dark_for_a_while() -> None:
    """With live-restore every process is kept; the proxies die with dockerd, so that loopback is dark
    for longer than the moment in which the new dockerd flushes its rules."""
    found = told("docker-26", "kill: dockerd", ", daemon: {live-restore: true}")
    assert {it.fate for it in found.values()} == {"kept"}
    remote, loopback = found["web"].dark
    assert 0 < (remote.seconds or 0) < 1 < (loopback.seconds or 0)
    assert found["web"].exit_code is None


@pytest.mark.parametrize("design", ["docker-1.13", "docker-28", "podman", "podman-quadlet", "containerd-cri", "cri-o"])
def test_a_killed_program_is_started_again_and_only_that_one(design: str) -> None:
    """One container's program is killed: it alone has another process, and the engine says 137."""
    found = told(design, "kill: payload/web")
    assert {name: it.fate for name, it in found.items()} == {"web": "new process", "db": "kept", "job": "kept"}
    assert found["web"].exit_code == 137
    assert found["web"].dark[0].seconds
    assert "on KILL" in found["web"].why
    assert "unless-stopped" in found["web"].why
    assert found["web"].policy == "unless-stopped"
    assert found["db"].dark == ()


@pytest.mark.parametrize("design", ["docker-1.13", "docker-26", "podman"])
def test_what_people_stop_is_stopped_and_what_they_remove_is_removed(design: str) -> None:
    """A container that somebody stops is not lost, and one that is removed is gone."""
    assert told(design, "docker: stop web")["web"].fate == "stopped"
    assert told(design, "docker: rm -f web")["web"].fate == "removed"


@pytest.mark.parametrize("design", [it for it in DESIGNS if DESIGNS[it].traits.engine])
def test_every_design_tells_every_container(design: str) -> None:
    """On every design a killed daemon of the engine gives each container one of the fates, and says why."""
    found = told(design, f"kill: {DESIGNS[design].traits.engine}")
    assert list(found) == ["web", "db", "job"]
    for fate in found.values():
        assert fate.fate in FATES
        assert fate.why


def test_without_explaining_nothing_else_changes() -> None:
    """Whoever asks thousands of runs may leave out the reasons."""
    trace = ran("docker-26", "kill: dockerd").trace
    bare = fates(trace, explain=False)
    assert [it.fate for it in bare] == [it.fate for it in fates(trace)]
    assert not any(it.why for it in bare)


def test_what_did_not_run_is_as_before() -> None:
    """A container without a process when the fault comes has lost nothing, and no port of it counts as dark."""
    steps = "[{at: 1s, docker: stop web}, {id: kill, at: 30s, kill: dockerd}]"
    run = run_scenario(load("x.yaml", f"engine: {{design: docker-26}}\n{SERVICES}steps: {steps}\nuntil: kill+60s"))
    found = {it.container: it for it in fates(run.trace)}
    assert (found["web"].fate, found["web"].dark, found["web"].exit_code) == ("not running", (), None)


def test_a_process_that_nobody_saw_end_is_stuck_up() -> None:
    """conmon is dead when the program ends: podman goes on to say that it is up."""
    steps = "[{id: kill, at: 1s, kill: conmon/web}, {at: 2s, kill: payload/web}]"
    run = run_scenario(load("x.yaml", f"engine: {{design: podman}}\n{SERVICES}steps: {steps}\nuntil: 30s\n"))
    web = run.fates()[0]
    assert (web.fate, web.status) == ("stuck up", "running")
    assert web.dark[0].seconds is None


def test_a_crash_loop_is_restarting_between_two_attempts() -> None:
    """At a moment within the pause there is no process and it is not lost."""
    service = "{image: busybox, restart: always, x-payload: {exits: {after: 1s, code: 3}}}"
    text = f"engine: {{design: docker-26}}\nhost: {{begin: off}}\nservices: {{web: {service}}}\n"
    steps = "steps: [{id: up, at: 1s, systemctl: start docker}, {id: go, at: 30s, compose: up}]\n"
    run = run_scenario(load("x.yaml", f"{text}{steps}until: 60s\n"))
    lane = run.intervals().lane("web")
    pause = next(it for it in lane.intervals if it.state == "dead" and it.end - it.start > 1_000_000)
    until = (pause.start + pause.end) // 2 / 1_000_000
    again = run.again(f"until={until:.3f}s")
    assert again.fates("go+5s")[0].fate == "restarting"


@pytest.mark.parametrize("design", ["docker-1.13", "docker-20.10-separate", "docker-28", "containerd-cri", "cri-o"])
@pytest.mark.parametrize("wanted", [False, True])
def test_fates_agree_with_what_is_measured(design: str, *, wanted: bool) -> None:
    """Kept and lost are those that the metrics count, which go by intervals alone; with live-restore where it is."""
    live_restore = wanted and DESIGNS[design].traits.live_restore
    daemon = ", daemon: {live-restore: true}" if live_restore else ""
    run = ran(design, f"kill: {DESIGNS[design].traits.engine}", daemon)
    values, words = measure(run.trace).values, [it.fate for it in run.fates()]
    assert values["processes_kept"] == words.count("kept")
    assert values["lost"] == len(words) - words.count("kept") - words.count("new process")
    assert values["restarts"] == sum(it.restarts for it in run.fates())


def test_the_source_of_each_rule_stands_beside_it() -> None:
    """Who decides is named with the file in which the engine's source has it."""
    web = told("docker-26", "kill: dockerd")["web"]
    assert "(v26.1.5 daemon/daemon.go 412-445)" in web.why
    assert "(restartmanager/restartmanager.go ShouldRestart)" in web.why
    quadlet = told("podman-quadlet", "kill: conmon/web")["web"]
    assert "init 1" in quadlet.why
    assert "(systemd.service(5), Restart=)" in quadlet.why


def test_what_was_asked_for_is_no_policys_doing() -> None:
    """After docker restart the start is people's wish."""
    web = told("docker-26", "docker: restart web")["web"]
    assert (web.fate, "as docker restart web asks" in web.why) == ("new process", True)


def test_a_moment_may_be_given() -> None:
    """From after the kill on, what was lost before is as before; from before it on, it is lost."""
    run = ran("docker-26", "kill: dockerd")
    assert {it.container: it.fate for it in run.fates("kill+30s")} == {
        "web": "not running",
        "db": "kept",
        "job": "not running",
    }


@pytest.mark.parametrize(
    ("design", "step", "more", "orphaned"),
    [
        ("docker-1.13", "kill: dockerd", ", daemon: {live-restore: true}", True),
        ("docker-26", "kill: dockerd", ", daemon: {live-restore: true}", False),
        ("podman", "kill: conmon/web", "", True),
    ],
)
def test_who_has_lost_a_parent_is_orphaned(design: str, step: str, more: str, *, orphaned: bool) -> None:
    """Under 1.13 shims are containerd's children and lose it; under 26 PID 1 is their place; conmon was the parent."""
    web = told(design, step, more)["web"]
    assert (web.fate, web.orphaned) == ("kept", orphaned)


def test_the_daemon_that_decides_is_named_and_not_what_it_asked_before() -> None:
    """dockerd 1.13 asks containerd for the last event and then stops: the stop is dockerd's."""
    web = told("docker-1.13", "kill: dockerd")["web"]
    assert "on TERM from dockerd" in web.why
    assert "last event" not in web.why


def test_a_goroutine_that_lasts_is_not_told_with_the_one_that_began_it() -> None:
    """The watcher of a shim was begun by a create that has long returned."""
    web = told("docker-26", "kill: shim/web")["web"]
    assert "(watcher)" in web.why


@pytest.mark.parametrize("design", ["docker-1.13", "docker-26-separate"])
def test_the_new_daemon_starts_what_the_old_one_stopped(design: str) -> None:
    """A restart of the unit: who stopped and who started are two processes."""
    for name in ("web", "db"):
        stopped, started = told(design, "systemctl: restart docker")[name].why.split("; ")
        pids = [re.search(r"dockerd (\d+)", part) for part in (stopped, started)]
        first, second = (int(pid[1]) for pid in pids if pid)
        assert first < second


def test_a_run_that_ends_while_the_engine_comes_back_loses_nothing_yet() -> None:
    """Between the stop and the start of a restart there is no process, and the policy is still to be asked."""
    found = told("docker-26-separate", "systemctl: restart docker", until="kill+700ms")
    assert {name: it.fate for name, it in found.items()} == {"web": "restarting", "db": "restarting", "job": "lost"}
    assert found["db"].status == "no answer"
