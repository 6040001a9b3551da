"""The Docker ladder: every version has its row or is refused with the nearest, and each row's own faults go as it says.

Facts: designs §1.1 (what each version changed), §3.6 (exits that are lost), §3.7 (shims that die), §3.8 and §3.9 (the
fault tables).
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.designs import DESIGNS, absent
from sim.engines.docker.ladder import ROWS, SEPARATE, VERSIONS
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone
from sim.kernel import events as e
from sim.scenario import load
from sim.scenario.engines import design_of
from sim.views.design_differences import differences

DEAF = "services: {web: {image: p, restart: %s, x-payload: {on_term: none}}}\n"
KIND = "services: {web: {image: p, restart: %s, x-payload: {on_term: {exit: 0, after: 1ms}}}}\n"
DOCKERS = [name for name in DESIGNS if name.startswith("docker-")]
SEPARATED = [name for name in DESIGNS if name.endswith(SEPARATE)]


def run(design: str, text: str, engine: str = "", seed: int = 1) -> Run:
    """Run a scenario's text on a design."""
    return run_scenario(load("ladder.yaml", f"engine: {{design: {design}{engine}}}\n{text}"), seed)


def pids(found: Run, program: str, at: str | None = None) -> list[int]:
    """Return the living processes of a program."""
    procs = found.at(at).host.procs.values()
    return [it.pid for it in procs if it.alive and it.image.program == program]


def believed(found: Run, at: str | None = None) -> tuple[bool, int]:
    """Return whether dockerd believes that web runs, and its exit code."""
    world = found.at(at)
    (dockerd,) = pids(found, "dockerd", at)
    record = world.recall(dockerd, "container/web")
    return record.running, record.exit_code


def unit(found: Run, at: str | None = None) -> str:
    """Return the state of docker.service."""
    return found.at(at).recall(1, "docker").state


# -- names ------------------------------------------------------------------------------------------


def test_every_version_stands_for_a_row_that_exists() -> None:
    """All names lead to a design, all designs but one kind are led to; a row leads to itself."""
    assert set(VERSIONS.values()) == set(DOCKERS)
    assert all(VERSIONS[row] == row for row in DOCKERS)
    assert design_of("docker-27").name == "docker-26"
    assert design_of("docker-29-separate").name == "docker-28-separate"
    assert [row for row in ROWS if row not in DESIGNS] == []


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("docker-1.9", "docker-1.10"), ("docker-1.10", None), ("docker-17.12", "docker-18.09"),
     ("docker-18.06", "docker-18.09"), ("docker-30", "docker-28"), ("lxc", "podman"), ("x", None)],
)  # fmt: skip
def test_what_has_no_row_is_refused_with_the_nearest(name: str, nearest: str | None) -> None:
    """Each with a reason, and with a design that exists."""
    found = absent(name)
    assert (found is None) == (nearest is None)
    if found is not None and nearest is not None:
        assert found[1].startswith(nearest)
        assert nearest in DESIGNS


def test_what_19_03_changed_is_said() -> None:
    """docker-19.03 and what differs from 18.09: records are read faster, a stop's mark is written at once; its unit."""
    assert [row.what for row in differences(DESIGNS["docker-18.09"], DESIGNS["docker-19.03"])] == [
        "with a signal through the API it is written that somebody has stopped the container",
        "what dockerd's boot takes for each container on disk, in µs",
    ]
    separate = [row.what for row in differences(DESIGNS["docker-18.09-separate"], DESIGNS["docker-19.03-separate"])]
    assert any("containerd.service" in what for what in separate)


# -- each version serves ----------------------------------------------------------------------------


@pytest.mark.parametrize("design", DOCKERS)
def test_each_version_starts_stops_and_is_killed(design: str) -> None:
    """start, exec, stop with a handler, kill, a policy's restart; nobody is left as a zombie."""
    text = (
        KIND % "always"
        + """\
steps:
  - {id: exec, at: 1s, docker: exec web true}
  - {id: stop, at: 5s, docker: stop web}
  - {id: start, at: 8s, docker: start web}
  - {at: 12s, kill: payload/web}
  - {id: again, at: 20s, docker: kill web}
  - {id: rm, at: 25s, docker: rm web}
until: 40s
"""
    )
    found = run(design, text)
    assert [r.event.error for r in found.trace if isinstance(r.event, StepDone) and r.event.error] == []
    assert believed(found, "stop+2s") == (False, 0)
    assert believed(found, "again-1s") == (True, 0)
    assert believed(found, "rm-1s") == (False, 137)
    assert not [it for it in found.at().host.procs.values() if it.state == "Z"]
    assert not pids(found, "shim")


# -- containerd ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("design", SEPARATED)
def test_a_killed_containerd_stops_docker_where_the_unit_is_bound_to_it(design: str) -> None:
    """BindsTo=: docker.service is stopped and stays so. Wants=: it goes on, and containerd is back after 5 s.

    Requires=: it is restarted, too, and containerd waits until it is down. A dockerd of 18.09 and 19.03 that is stopped
    without containerd gives its containers up after 2 s, and they run on (v19.03.15 stop.go 57-69).
    """
    found = run(design, KIND % "always" + "steps: [{id: kill, at: 5s, kill: containerd}]\nuntil: 40s\n")
    bound = DESIGNS[design].traits.coupling == "BindsTo"
    assert unit(found) == ("inactive" if bound else "active")
    assert len(pids(found, "payload")) == 1
    back = design != "docker-18.09-separate"  # whose unit has no Restart=
    assert bool(pids(found, "containerd")) == back
    if not bound:
        restarted = DESIGNS[design].traits.coupling == "Requires"
        assert (pids(found, "payload") == pids(found, "payload", "kill-1s")) != restarted
        begun = [r.at for r in found.trace if isinstance(r.event, e.Execed) and r.event.image.program == "containerd"]
        pause = ((begun[-1] or 0) - found.moment("kill")) / 1e6
        assert pause > 5 if restarted else pause == pytest.approx(5.0, rel=0.02)


@pytest.mark.parametrize("design", SEPARATED)
@pytest.mark.parametrize("verb", ["stop", "restart"])
def test_who_stops_containerd_stops_docker_unless_it_only_wants_it(design: str, verb: str) -> None:
    """BindsTo= and Requires= pass an explicit stop on, and a restart as a restart; Wants= neither."""
    found = run(design, KIND % "always" + f"steps: [{{id: job, at: 5s, systemctl: {verb} containerd}}]\nuntil: 40s\n")
    wants = DESIGNS[design].traits.coupling == "Wants"
    assert unit(found) == ("active" if wants or verb == "restart" else "inactive")
    assert bool(pids(found, "containerd")) == (verb == "restart")
    assert (pids(found, "payload") == pids(found, "payload", "job-1s")) == wants
    assert bool(pids(found, "payload")) == (wants or verb == "restart")


@pytest.mark.parametrize(("down", "noticed"), [(4, True), (30, False)])
def test_an_exit_is_lost_if_containerd_is_away_for_longer_than_its_shim_tries(down: int, noticed: bool) -> None:
    """Tries at 0, 1, 3, 6, 10 and 15 s; then nobody tells, and docker says Up of what is dead, until the next stop.

    A containerd of 1.7 ends the shim before it can tell: tests/engine/test_leaked_shims.py.
    """
    text = (
        DEAF % "'no'"
        + f"""\
steps:
  - {{id: away, at: 5s, systemctl: stop containerd}}
  - {{at: 6s, kill: payload/web}}
  - {{id: back, at: {6 + down}s, systemctl: start containerd}}
  - {{id: stop, at: 80s, docker: stop web}}
until: 3m
"""
    )
    found = run("docker-23-separate", text)
    assert believed(found, "stop-1s") == ((False, 137) if noticed else (True, 0))
    assert believed(found) == (False, 137)


# -- a shim dies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in DOCKERS if name >= "docker-18"])
def test_a_dead_shim_is_noticed_unless_its_exit_tells_no_pid(design: str) -> None:
    """137 and the policy's restart; before containerd 1.5.10 dockerd 20.10 ignores the exit, and says Up for ever."""
    found = run(design, DEAF % "always" + "steps: [{id: kill, at: 5s, kill: shim/web}]\nuntil: 40s\n")
    assert pids(found, "payload", "kill+300ms") != pids(found, "payload", "kill-1s")
    stuck = not DESIGNS[design].traits.dead_shim_tells_pid
    assert stuck == design.startswith("docker-20.10")
    assert believed(found) == (True, 0)
    assert bool(pids(found, "payload")) == (not stuck)


# -- dockerd ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in DOCKERS if name >= "docker-18"])
def test_a_new_dockerd_stops_what_it_finds_or_signals_it_alone(design: str) -> None:
    """Up to 19.03 a program that ignores TERM goes on under the new dockerd; since 20.10 it is killed and restarted."""
    found = run(design, DEAF % "always" + "steps: [{id: kill, at: 5s, kill: dockerd}]\nuntil: 60s\n")
    kept = DESIGNS[design].traits.restore_stop == "the stop signal alone"
    assert kept == design.startswith(("docker-18", "docker-19"))
    assert (pids(found, "payload") == pids(found, "payload", "kill-1s")) == kept
    assert believed(found) == (True, 0)
    assert len(pids(found, "payload")) == 1


@pytest.mark.parametrize(("design", "lives"), [("docker-1.11", True), ("docker-1.12", False), ("docker-26", False)])
def test_containerd_dies_with_its_dockerd_since_1_12(design: str, lives: bool) -> None:
    """Before that it goes on without, until systemd cleans up the unit's group."""
    found = run(design, DEAF % "'no'" + "steps: [{id: kill, at: 5s, kill: dockerd}]\nuntil: 6s\n",
                ", unit: {KillMode: process}")  # fmt: skip
    assert bool(pids(found, "containerd")) == lives


@pytest.mark.parametrize(("design", "left"), [("docker-1.11", 0), ("docker-1.12", 1)])
def test_a_stop_of_the_unit_kills_the_shims_of_1_11(design: str, left: int) -> None:
    """KillMode=control-group: live-restore would be of no use; with KillMode=process shims stay."""
    found = run(design, DEAF % "'no'" + "steps: [{at: 5s, kill: dockerd}]\nuntil: 5m\n")
    assert len(pids(found, "shim")) == left


# -- words and numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(("design", "longest"), [("docker-1.13", 204.8), ("docker-17.06", 60.0), ("docker-24", 60.0)])
def test_the_pause_before_a_restart_ends_at_a_minute_since_17_06(design: str, longest: float) -> None:
    """Ten attempts later it would be more than a hundred seconds."""
    text = "services: {web: {image: p, restart: always, x-payload: {exits: {code: 1, after: 5ms}}}}\nuntil: 8m\n"
    steps = "steps: [{systemctl: start docker}, {at: 5s, compose: up -d}]\n"
    found = run(design, "host: {begin: off}\n" + text + steps)
    ends = [r.at or 0 for r in found.trace if isinstance(r.event, EngineEvent) and r.event.action in ("die", "start")]
    assert max(after - before for before, after in pairwise(ends)) / 1e6 == pytest.approx(longest, rel=0.02)


@pytest.mark.parametrize("design", ["docker-1.12", "docker-17.06"])
def test_the_containerd_of_other_packages_leaves_a_frozen_payload_frozen(design: str) -> None:
    """It thaws nothing: the KILL stays pending, and its main loop waits for the end for ever (runtime/process.go 292).

    No other container's end is noticed any more, and none is started.
    """
    found = run(
        design,
        """\
services: {web: {image: p}, db: {image: p}}
steps:
  - {docker: pause web}
  - {at: 5s, kill: shim/web}
  - {at: 6s, kill: payload/db}
  - {id: run, at: 10s, docker: run -d --name new p}
until: 10m
expect:
  - {at: end, container: db, status: running}
  - {at: end, step: run, unanswered: true}
""",
    )
    assert [it.text for it in found.verdicts() if not it.holds] == []
    assert believed(found) == (True, 0)
    assert pids(found, "payload") != []


@pytest.mark.parametrize("design", DOCKERS)
def test_kill_spares_the_policy_of_a_container_with_stopsignal_in_1_13_alone(design: str) -> None:
    """Up to 1.12 any signal cancels it, since 17.06 KILL does (daemon/kill.go); in 1.13 it restarts (T16)."""
    found = run(
        design,
        """\
services: {web: {image: p, restart: always, stop_signal: QUIT}}
steps:
  - {id: kill, at: 1s, docker: kill web}
until: 30s
""",
    )
    answered = any(isinstance(record.event, StepDone) and record.event.id == "kill" for record in found.trace)
    assert (believed(found)[0], answered) == ((True, False) if design == "docker-1.13" else (False, True))


@pytest.mark.parametrize(("design", "words", "forked"), [
    ("docker-26", "Error starting userland proxy: listen tcp4 0.0.0.0:80: bind", True),
    ("docker-28", "failed to bind host port for 0.0.0.0:80", False),
])  # fmt: skip
def test_since_28_dockerd_binds_the_port_itself(design: str, words: str, forked: bool) -> None:
    """A stranger's listener is found before a proxy is started."""
    text = "services: {web: {image: p}}\nsteps:\n  - {at: 1s, host: {take_port: 80}}\n"
    found = run(design, text + "  - {id: run, at: 2s, docker: run -d --name a -p 80:80 p}\nuntil: 10s\n")
    (error,) = (r.event.error for r in found.trace if isinstance(r.event, StepDone) and r.event.id == "run")
    assert words in error
    assert any(isinstance(r.event, e.Execed) and r.event.image.program == "proxy" for r in found.trace) == forked


def test_1_11_has_no_live_restore() -> None:
    """It is refused, with the first version that has it."""
    with pytest.raises(Exception, match=r"docker-1.11 has no live-restore"):
        run("docker-1.11", DEAF % "'no'", ", daemon: {live-restore: true}")


def test_other_engines_have_no_containerd_unit() -> None:
    """systemctl says so."""
    found = run("docker-26", DEAF % "'no'" + "steps: [{id: stop, at: 1s, systemctl: stop containerd}]\nuntil: 5s\n")
    (error,) = (r.event.error for r in found.trace if isinstance(r.event, StepDone) and r.event.id == "stop")
    assert error == "Unit containerd.service could not be found."


@pytest.mark.parametrize(("design", "dies"), [("docker-1.11", True), ("docker-1.12", False)])
def test_a_journald_that_restarts_ends_a_dockerd_before_1_12(design: str, dies: bool) -> None:
    """The next line that it writes to standard error ends it with SIGPIPE, which 1.12 ignores (moby#19728)."""
    text = (
        KIND % "'no'"
        + """\
steps:
  - {id: restart, at: 5s, host: {journald: restart}}
  - {id: ps, at: 20s, docker: ps}
until: 40s
"""
    )
    found = run(design, text)
    assert len(pids(found, "dockerd", "ps-1s")) == 1
    assert bool(pids(found, "dockerd")) != dies
    assert len(pids(found, "payload")) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_host_that_shuts_down_does_not_start_containerd_again(seed: int) -> None:
    """Restart=always is of a systemd that runs: once the host goes down nothing comes back before it boots."""
    text = "services: {db: {image: p, x-payload: {on_term: {exit: 0, after: 40s}}}}\n"
    text += "steps: [{id: reboot, at: 5s, reboot: true}]\nuntil: 90s\n"
    found = run("docker-26-separate", text, ", daemon: {live-restore: true}", seed)
    begun = [r.at or 0 for r in found.trace if isinstance(r.event, e.Execed) and r.event.image.program == "containerd"]
    booted = found.moment("reboot") + 20_000_000
    assert [at for at in begun if found.moment("reboot") < at < booted] == []
    assert begun[-1] > booted


@pytest.mark.parametrize(("design", "code"), [
    ("docker-1.11", 0), ("docker-1.12", 1), ("docker-1.13", 255), ("docker-17.06", 255), ("docker-26", 255),
])  # fmt: skip
def test_the_code_of_an_exit_that_nobody_has_noted_is_the_version_s(design: str, code: int) -> None:
    """After a power cut containerd has no event: 1.11 says 0 then, 1.12 says 1 (libcontainerd/client_linux.go)."""
    found = run(design, "host: {begin: boot}\nservices: {web: {image: p}}\nuntil: 30s\n")
    assert believed(found) == (False, code)


def test_1_11_goes_by_new_events_alone() -> None:
    """An exit that its dockerd had read and not written is 0 for the next one; since 1.12 it keeps its code."""
    text = """\
services: {web: {image: p, x-payload: {exits: {code: 3, after: 5s}}}}
host: {begin: off}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d}
  - {at: die(web), kill: dockerd}
  - {at: die(web)+5s, systemctl: start docker}
until: 40s
"""
    assert believed(run("docker-1.11", text)) == (False, 0)
    assert believed(run("docker-1.12", text)) == (False, 3)
    assert believed(run("docker-1.13", text)) == (False, 3)
