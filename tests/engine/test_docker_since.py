"""Docker since 18.09, rule by rule on every version: what is said when, and what a new dockerd makes of what is there.

Source: moby v18.09.0 to v28.0.0 daemon/monitor.go, stop.go, kill.go, daemon.go, health.go; measured on 26.1.5.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.engine.setup import S
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone
from sim.scenario import load
from sim.views.story import Story

ALL = [name for name in DESIGNS if name.startswith("docker-")]
DOCKERS = [name for name in ALL if name >= "docker-18"]
WEB = "services: {web: {image: nginx, x-payload: {on_term: {exit: 0}}}}\n"


def run(design: str, text: str, engine: str = "", seed: int = 1) -> Run:
    """Run a scenario's text on a design."""
    return run_scenario(load("since.yaml", f"engine: {{design: {design}{engine}}}\n{text}"), seed)


def record(found: Run, name: str = "web", at: str | int | None = None) -> Any:
    """Return what dockerd believes of a container."""
    world = found.at(at)
    (dockerd,) = [it.pid for it in world.host.procs.values() if it.alive and it.image.program == "dockerd"]
    return world.recall(dockerd, f"container/{name}")


def said(found: Run, name: str = "web") -> list[tuple[float, str]]:
    """Return when, in s from t = 0, which events of a container came after it."""
    mine = (it for it in found.trace if isinstance(it.event, EngineEvent) and it.event.container == name)
    return [
        (((it.at or 0) - found.trace.origin) / S, it.event.action) for it in mine if (it.at or 0) >= found.trace.origin
    ]


UNSENT = """\
services: {web: {image: nginx}, db: {image: nginx}, job: {image: nginx}}
steps:
  - {id: down, at: 1s, kill: containerd}
  - {id: stop, at: down+10ms, docker: stop -t 9 web}
  - {id: kill, at: down+10ms, docker: kill db}
  - {id: rm, at: down+10ms, docker: rm -f job}
"""


@pytest.mark.parametrize("design", [it for it in DOCKERS if not it.endswith("-separate")])
def test_a_signal_that_cannot_be_sent_is_given_up_after_two_seconds_until_19_03(design: str) -> None:
    """A stop then tries KILL, and gives up; later ones go past containerd after 10 s more."""
    found = run(design, UNSENT + "until: 60s\n")
    origin = found.trace.origin
    done = {
        it.event.id: (((it.at or 0) - origin) / S, it.event.error)
        for it in found.trace
        if isinstance(it.event, StepDone)
    }
    old = design < "docker-20"
    for step in ("stop", "kill", "rm"):
        at, error = done[step]
        assert (2 < at - 1 < 2.1) if old else (at - 1 > 10), (step, at, error)
        assert not old or "connect: connection refused" in error, error


END_UNTOLD = """\
services: {web: {image: nginx, restart: always}}
steps:
  - {id: down, at: 1s, kill: containerd}
  - {at: down+100ms, kill: payload/web}
  - {id: stop, at: down+30s, docker: stop -t 1 web}
until: 60s
"""


@pytest.mark.parametrize("design", ["docker-18.09", "docker-19.03", "docker-24", "docker-26", "docker-28"])
def test_a_stop_of_a_container_whose_end_nobody_told_ends_it_since_20_10(design: str) -> None:
    """Until 19.03 the stop is over once KILL has found no process, and the container counts as running for good."""
    found = run(design, END_UNTOLD)
    (done,) = [it for it in found.trace if isinstance(it.event, StepDone) and it.event.id == "stop"]
    old = design < "docker-20"
    assert done.event.error == ""
    assert 10 < ((done.at or 0) - found.trace.origin) / S - 31 < 11.1
    assert record(found).running is old


MARKED = """\
services: {web: {image: nginx, restart: unless-stopped, x-payload: {on_term: {exit: 0, after: 3s}}}}
steps:
  - {id: %s}
  - {id: off, at: 2s, kill: dockerd}
until: 60s
"""


@pytest.mark.parametrize("step", ["stop, at: 1s, docker: stop web", "hup, at: 1s, docker: kill -s HUP web"])
@pytest.mark.parametrize("design", ["docker-1.13", "docker-17.06", *(it for it in DOCKERS if "-separate" not in it)])
def test_the_mark_of_a_signal_outlives_dockerd_since_19_03(design: str, step: str) -> None:
    """It is written with the signal (v19.03.0 kill.go 86-89), so that unless-stopped does not start it at boot."""
    text = MARKED.replace("on_term: {exit: 0, after: 3s}", "on: {HUP: reload}") if "HUP" in step else MARKED
    found = run(design, text % step)
    assert record(found).running is (design in ("docker-1.13", "docker-17.06", "docker-18.09"))


# -- the order of what is said ------------------------------------------------------------------------


@pytest.mark.parametrize("design", DOCKERS)
def test_stop_is_said_before_die_since_23(design: str) -> None:
    """The end is believed, who waits goes on, the record is written, then `die`; up to 20.10 `die` comes at once."""
    found = run(design, WEB + "steps: [{id: stop, at: 1s, docker: stop web}]\n")
    ends = [(at, action) for at, action in said(found) if action in ("stop", "die")]
    (first, one), (second, other) = ends
    late = DESIGNS[design].traits.die_after_record
    assert (one, other) == (("stop", "die") if late else ("die", "stop"))
    assert second - first < 0.004


@pytest.mark.parametrize("design", DOCKERS)
def test_a_stop_of_a_paused_container_says_unpause(design: str) -> None:
    """The signal is sent, then it is thawed; the event is handled once the signal has let go of the lock."""
    found = run(design, WEB + "steps: [{at: 1s, docker: pause web}, {id: stop, at: 5s, docker: stop web}]\n")
    assert [action for _, action in said(found)][:3] == ["pause", "kill", "unpause"]


@pytest.mark.parametrize("design", [name for name in DOCKERS if DESIGNS[name].traits.restore_stop == "docker stop"])
def test_a_new_dockerd_that_stops_a_paused_container_says_unpause(design: str) -> None:
    """Without live-restore it stops as docker stop does."""
    found = run(design, WEB + "steps: [{at: 1s, docker: pause web}, {id: die, at: 5s, kill: dockerd}]\nuntil: 60s\n")
    actions = [action for at, action in said(found) if at > 5]
    assert actions[:2] == ["kill", "unpause"]
    assert {*actions[2:]} == {"stop", "die"}


# -- what a new dockerd finds --------------------------------------------------------------------------


@pytest.mark.parametrize(("signal", "words"), [("USR1", ["pause", "kill"]), ("INT", ["pause", "kill", "unpause"])])
def test_only_a_signal_that_is_to_end_a_paused_container_thaws_it(signal: str, words: list[str]) -> None:
    """With a STOPSIGNAL any other signal leaves it paused (daemon/kill.go killWithSignal)."""
    web = "services: {web: {image: x, stop_signal: INT, x-payload: {on_term: ignore}}}\n"
    steps = f"steps: [{{at: 1s, docker: pause web}}, {{at: 5s, docker: kill -s {signal} web}}]\n"
    found = run("docker-26", web + steps)
    assert [action for _, action in said(found)] == words


@pytest.mark.parametrize("design", ALL)
def test_what_was_never_started_stays_created_since_18_09(design: str) -> None:
    """A policy asks whether it has been started before."""
    made = "{id: made, at: 1s, docker: create --name new --restart always nginx}"
    found = run(design, WEB + f"steps: [{made}, {{at: 10s, systemctl: restart docker}}]\nuntil: 60s\n")
    assert not record(found, "new", "made+5s").running
    assert record(found, "new").running == DESIGNS[design].traits.starts_created


# -- words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DOCKERS)
@pytest.mark.parametrize("verb", ["exec web true", "start db", "kill -s USR1 web", "pause web"])
def test_a_containerd_that_is_away_is_named_with_its_socket(design: str, verb: str) -> None:
    """What the vendored grpc says; `docker exec` leaves with 126."""
    text = "services: {web: {image: nginx}, db: {image: redis}}\n"
    away = "{at: 1s, docker: stop db}, {at: 30s, kill: containerd}"
    found = run(design, text + f"steps: [{away}, {{id: ask, at: 30500ms, docker: {verb}}}]\nuntil: 60s\n")
    if DESIGNS[design].traits.coupling == "BindsTo":
        return  # systemd has stopped dockerd, too
    (done,) = [it.event for it in found.trace if isinstance(it.event, StepDone) and it.event.id == "ask"]
    socket = DESIGNS[design].traits.containerd_socket.removeprefix("unix:")
    assert f"dial unix {socket}: connect: connection refused" in done.error


# -- policies after a crash of dockerd ------------------------------------------------------------------

KEPT = """\
services:
  good: {image: a, restart: %s, x-payload: {on_term: {exit: 0}}}
  deaf: {image: b, restart: %s, x-payload: {on_term: ignore}}
  died: {image: c, restart: %s, x-payload: {on_term: {exit: 3}}}
steps: [{at: 5s, kill: dockerd}, {at: 5100ms, kill: payload/died}]
until: 2m
"""


@pytest.mark.parametrize("design", [name for name in DOCKERS if DESIGNS[name].traits.restore_stop == "docker stop"])
@pytest.mark.parametrize(
    ("policy", "up"),
    [("always", {"good", "deaf", "died"}), ("unless-stopped", {"died"}), ("on-failure", {"deaf", "died"})],
)
def test_what_a_new_dockerd_stops_comes_back_as_its_policy_says(design: str, policy: str, up: set[str]) -> None:
    """Its stop counts as somebody's: unless-stopped stays down whatever the code; what died meanwhile is started."""
    found = run(design, KEPT % (policy, policy, policy))
    assert {name for name in ("good", "deaf", "died") if record(found, name).running} == up


# -- health checks --------------------------------------------------------------------------------------


def test_probes_fail_while_containerd_is_away() -> None:
    """Each fails at once: after three, unhealthy; healthy with the first probe that the next containerd runs."""
    checked = "web: {image: nginx, healthcheck: {test: [CMD, 'true'], interval: 3s, retries: 3}}"
    found = run("docker-26", f"services: {{{checked}}}\nsteps: [{{at: 10s, kill: containerd}}]\nuntil: 40s\n")
    seen = [(at, action) for at, action in said(found) if action.startswith("health_status") and at > 10]
    (bad, one), (good, other) = seen
    assert (one, other) == ("health_status: unhealthy", "health_status: healthy")
    assert 16 <= bad <= 19.5
    assert 20.1 <= good <= 24.3  # measured: 13.5 to 14.3 s after the kill


@pytest.mark.parametrize("design", DOCKERS)
def test_a_new_dockerd_begins_with_starting(design: str) -> None:
    """What is kept by live-restore is watched anew."""
    checked = "web: {image: nginx, healthcheck: {test: [CMD, 'true'], interval: 20s}}"
    text = f"services: {{{checked}}}\nsteps: [{{id: new, at: 10s, systemctl: restart docker}}]\nuntil: 1m\n"
    found = run(design, text, ", daemon: {live-restore: true}")
    (dockerd,) = [it.pid for it in found.at("new+8s").host.procs.values() if it.alive and it.image.program == "dockerd"]
    assert found.at("new+8s").recall(dockerd, "health/web").status == "starting"


# -- what only reads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DOCKERS)
def test_ps_answers_while_a_stop_hangs_and_inspect_waits(design: str) -> None:
    """A shim that is stopped answers no signal, and the stop holds the container's lock; ps reads a snapshot."""
    text = "services: {web: {image: nginx}, db: {image: redis}}\n"
    hung = "{at: 1s, stop: shim/web}, {id: stop, at: 2s, docker: stop web}, {at: 60s, cont: shim/web}"
    asked = "{id: ps, at: 5s, docker: ps}, {id: web, at: 5s, docker: inspect web}, {id: db, at: 5s, docker: inspect db}"
    found = run(design, text + f"steps: [{hung}, {asked}]\nuntil: 2m\n")
    ends = (it for it in found.trace if isinstance(it.event, StepDone))
    done = {it.event.id: ((it.at or 0) - found.trace.origin) / S for it in ends}
    assert done["ps"] < 6
    assert done["db"] < 6
    assert done["web"] > 60


# -- a shim dies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in DOCKERS if DESIGNS[name].traits.exits_by == "container"])
def test_the_end_of_a_killed_shim_is_said_after_a_tenth_of_a_second(design: str) -> None:
    """The program dies at once; runc delete --force sleeps 100 ms before it looks (measured: 0.20 to 0.31 s)."""
    found = run(design, WEB + "steps: [{id: kill, at: 1s, kill: shim/web}]\n")
    (die,) = [at for at, action in said(found) if action == "die"]
    assert 1.15 < die < 1.35
    assert not any(it.alive and it.image.program == "payload" for it in found.at("kill+60ms").host.procs.values())


# -- a new dockerd's way to its API ---------------------------------------------------------------------


@pytest.mark.parametrize(("running", "measured"), [(0, 1.49), (5, 1.32), (20, 1.36), (100, 1.57)])
def test_a_new_dockerd_is_ready_as_soon_as_measured(running: int, measured: float) -> None:
    """With containers that run it leaves the default networks as they are; each shim costs one runc ps."""
    names = ", ".join(f"c{number}: {{image: x}}" for number in range(max(running, 1)))
    gone = "" if running else "{at: 1s, docker: rm -f c0}, "
    steps = f"steps: [{gone}{{at: 5s, systemctl: stop docker}}, {{id: on, at: 20s, systemctl: start docker}}]\n"
    found = run("docker-26", f"services: {{{names}}}\n{steps}until: 25s\n", ", daemon: {live-restore: true}")
    (ready,) = [it.at or 0 for it in found.trace if isinstance(it.event, StepDone) and it.event.id == "on"]
    assert (ready - found.moment("on")) / S == pytest.approx(measured, rel=0.05)


# -- FinishedAt -----------------------------------------------------------------------------------------


def finished(found: Run, at: str) -> float:
    """Return what docker inspect says of the end, in s from t = 0."""
    row = Story(found.trace).to(found.moment(at)).container("web")
    assert row is not None
    assert row.finished is not None
    return row.finished - found.trace.unix(found.trace.origin)


@pytest.mark.parametrize("design", ALL)
def test_finished_is_the_time_that_the_shim_tells_since_18_09(design: str) -> None:
    """Measured about 0.1 s before `die`; before 18.09 it is dockerd's own clock."""
    found = run(design, WEB + "steps: [{id: kill, at: 1s, kill: payload/web}]\n")
    (die,) = [at for at, action in said(found) if action == "die"]
    seen = finished(found, "end")
    assert (seen < die - 0.005) == (design in DOCKERS)
    assert 1 < seen <= die + 1e-3


@pytest.mark.parametrize("design", [name for name in DOCKERS if DESIGNS[name].traits.cleans_leaked_shims])
def test_finished_of_an_end_that_was_lost_is_the_next_start(design: str) -> None:
    """Nobody told when it ended."""
    down = "{at: 1s, systemctl: stop docker}, {at: 2s, systemctl: stop containerd}, {at: 10s, kill: payload/web}"
    steps = f"steps: [{down}, {{at: 20s, systemctl: start docker}}]\nuntil: 40s\n"
    found = run(design, WEB + steps, ", daemon: {live-restore: true}")
    assert finished(found, "end") > 20


@pytest.mark.parametrize("design", ALL)
@pytest.mark.parametrize("after", ["0s", "1ms"])
def test_a_command_that_ends_at_once_has_its_own_code(design: str, after: str) -> None:
    """It may have ended before dockerd learns its number; its shim holds its output open still (exec.go 306-339)."""
    short = f"services: {{web: {{image: nginx, x-exec: {{job: {{exits: {{code: 3, after: {after}}}}}}}}}}}\n"
    found = run(design, short + "steps: [{id: job, at: 1s, docker: exec web job}]\nuntil: 20s\n", seed=2)
    done = [it.event.error for it in found.trace if isinstance(it.event, StepDone) and it.event.id == "job"]
    assert done == ["exit code 3"]


@pytest.mark.parametrize("design", DOCKERS)
def test_the_pause_of_a_policy_begins_before_the_network_is_taken_down(design: str) -> None:
    """It is asked before that (monitor.go ShouldRestart, Cleanup); since 23 `die` is said after, up to 20.10 before."""
    port = "services: {web: {image: nginx, restart: always, ports: ['80:80']}}\n"
    found = run(design, port + "steps: [{at: 5s, kill: payload/web}]\nuntil: 8s\n")
    actions = {action: at for at, action in reversed(said(found))}
    taken_down, died, begun = actions["disconnect"], actions["die"], actions["start"]
    assert (taken_down < died) == DESIGNS[design].traits.die_after_record
    assert begun - taken_down < 0.1 + 0.19 - 0.03


@pytest.mark.parametrize(
    ("design", "running", "paused"),
    [
        ("docker-1.13", "a running container", "a running container"),
        ("docker-20.10", "a running container", "a paused container"),
        ("docker-26", '"/web": container is running: stop', '"/web": container is paused and must be unpaused'),
    ],
)
def test_rm_refuses_what_runs_in_the_version_s_words(design: str, running: str, paused: str) -> None:
    """17.04 tells the state, 25.0 the name (moby daemon/delete.go)."""
    steps = "steps: [{id: a, at: 1s, docker: rm web}, {at: 2s, docker: pause web}, {id: b, at: 3s, docker: rm web}]\n"
    found = run(design, f"services: {{web: {{image: nginx}}}}\n{steps}")
    said = {it.event.id: it.event.error or "" for it in found.trace if isinstance(it.event, StepDone)}
    assert (running in said["a"], paused in said["b"]) == (True, True)
