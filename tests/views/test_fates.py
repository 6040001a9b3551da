"""What becomes of each container after a fault: its fate, what the engine says, dark ports, and why."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
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
