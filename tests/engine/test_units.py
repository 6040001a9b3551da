"""Stories of a unit, told of every unit of every design: systemd makes no difference between them.

A story's keys take the place of those that the unit has. What is compared are the states that the unit goes through and
the answers of `systemctl`, with the unit's name left out; of a Type=simple unit the state activating is not seen.
Source: systemd.service(5), systemd.kill(5), systemd.unit(5); service.c of v255 where a docstring names a function.
"""

from __future__ import annotations

from itertools import groupby

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.engine.goroutine import Spawn
from sim.engine.ops import Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import ServiceState
from sim.engine.setup import S, Unit
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import TEMPLATE, UnitFile, group
from sim.engines.host.systemd.ways import RESTARTS, SIGNAL
from sim.experiment.run import Run, run_scenario
from sim.facts import StepDone, UnitChanged
from sim.kernel.events import Execed, SignalTaken
from sim.scenario import load
from sim.tracefile import restore
from sim.world import Frame, World

KEYS = Unit("no", "process", 3 * S, 5, 10 * S, 20 * S)
MODES = ("process", "mixed", "control-group")
UNLIKE = ("docker-1.10", "docker-1.13", "docker-26-separate", "podman-quadlet", "containerd-cri", "cri-o")
UNITS = [
    pytest.param(design.name, file.name or "web", marks=() if design.name in UNLIKE else pytest.mark.long)
    for design in DESIGNS.values()
    for file in design.units.values()
]
every_unit = pytest.mark.parametrize(("design", "unit"), UNITS)


def with_files(design: Design, **changed: object) -> Design:
    """Return a design whose unit files have other fields."""
    files = (replace(file, **changed.get(file.name or "web", {})) for file in design.units.values())  # type: ignore[arg-type]
    return design.like(design.name, design.title, design.source, Systemd(*files))


class Told:
    """One story of one unit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, design: str, unit: str, steps: str, **keys: object) -> None:
        own = replace(KEYS, **keys)
        told = with_files(DESIGNS[design], **{unit: {"keys": lambda world, name: own}})
        monkeypatch.setitem(DESIGNS, design, told)
        file = told.units.get(unit) or told.units[TEMPLATE]
        container = file.name == TEMPLATE
        self.unit, self.program, self.reload = unit, file.program, file.reload
        main = f"{file.program}/{unit}" if container else file.program
        services = "services: {web: {image: nginx}}\n" if container else ""
        text = f"engine: {{design: {design}}}\n{services}host: {{begin: 'off'}}\nsteps:\n{steps}until: 200s\n"
        self.run: Run = run_scenario(load("story.yaml", text.replace("UNIT", unit).replace("MAIN", main)))

    def states(self) -> list[str]:
        """Return the states that the unit has gone through, but activating."""
        events = (it.event for it in self.run.trace if isinstance(it.event, UnitChanged))
        found = (it.state for it in events if it.unit == self.unit and it.state != "activating")
        return [state for state, _ in groupby(found)]

    def answers(self) -> dict[str, str]:
        """Return by step what systemctl said."""
        done = (it.event for it in self.run.trace if isinstance(it.event, StepDone))
        return {it.id: it.error.replace(self.unit, "U") for it in done}

    def at(self, step: str) -> int:
        """Return when a step was done, in µs from t = 0."""
        trace = self.run.trace
        found = (it.at for it in trace if isinstance(it.event, StepDone) and it.event.id == step)
        return (next(found) or 0) - trace.origin

    def begun(self) -> list[int]:
        """Return when a main process began, in µs from t = 0."""
        facts = [it for it in self.run.trace if isinstance(it.event, Execed)]
        found = {it.at or 0 for it in facts if it.event.image.program == self.program}
        return sorted(at - self.run.trace.origin for at in found)


def step(ident: str, at: str, what: str) -> str:
    return f"  - {{id: {ident}, at: {at}, {what}}}\n"


START, KILL = step("start", "1s", "systemctl: start UNIT"), step("kill", "20s", "kill: MAIN")
OK = ""


@every_unit
def test_a_unit_is_started_and_stopped(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """A second start of one that runs is good; one that is down is no less good to stop."""
    steps = START + step("again", "20s", "systemctl: start UNIT") + step("up", "21s", "systemctl: is-active UNIT")
    steps += step("stop", "22s", "systemctl: stop UNIT") + step("down", "60s", "systemctl: is-active UNIT")
    told = Told(monkeypatch, design, unit, steps + step("late", "61s", "systemctl: stop UNIT"))
    assert told.states() == ["active", "deactivating", "inactive"]
    assert told.answers() == {"start": OK, "again": OK, "up": OK, "stop": OK, "down": "inactive", "late": OK}
    assert len(told.begun()) == 1


@every_unit
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("restart", RESTARTS)
def test_restart_is_the_same_in_every_kill_mode(
    monkeypatch: pytest.MonkeyPatch, design: str, unit: str, restart: str, mode: str
) -> None:
    """SIGKILL is an unclean signal: always, on-failure, on-abnormal and on-abort start the unit again."""
    told = Told(monkeypatch, design, unit, START + KILL, restart=restart, kill_mode=mode)
    again = SIGNAL in RESTARTS[restart]
    states = [state for state in told.states() if state != "deactivating"]
    assert states == (["active", "auto-restart", "active"] if again else ["active", "failed"])
    if again:
        assert told.begun()[-1] >= 23_000_000  # RestartSec=


@every_unit
def test_too_many_starts_by_hand(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """The limit refuses a start until reset-failed forgets what it counts (service_reset_failed)."""
    steps = START + step("stop", "20s", "systemctl: stop UNIT") + step("two", "50s", "systemctl: start UNIT")
    steps += step("halt", "70s", "systemctl: stop UNIT") + step("three", "100s", "systemctl: start UNIT")
    steps += step("ask", "101s", "systemctl: is-active UNIT") + step("reset", "102s", "systemctl: reset-failed UNIT")
    steps += step("last", "103s", "systemctl: is-active UNIT") + step("four", "104s", "systemctl: start UNIT")
    told = Told(monkeypatch, design, unit, steps, start_limit_burst=2, start_limit_interval=3600 * S)
    good = dict.fromkeys(("start", "stop", "two", "halt", "reset", "four"), OK)
    assert told.answers() == good | {"three": "Job for U.service failed.", "ask": "failed", "last": "inactive"}
    assert told.states()[-3:] == ["failed", "inactive", "active"]


@every_unit
def test_too_many_starts_by_restart(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """Restart= counts like a start by hand; the unit has failed once it is refused."""
    kills = "".join(step(f"kill{n}", f"{n}0s", "kill: MAIN") for n in (2, 4, 6))
    told = Told(
        monkeypatch, design, unit, START + kills, restart="always", start_limit_burst=2, start_limit_interval=3600 * S
    )
    states = [state for state in told.states() if state != "deactivating"]
    assert states == ["active", "auto-restart", "active", "auto-restart", "failed"]
    assert "no such process" in told.answers()["kill6"]


@every_unit
def test_a_stop_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """A main process that stands still gets KILL after TimeoutStopSec=, and the unit has failed."""
    steps = START + step("hang", "20s", "stop: MAIN") + step("stop", "21s", "systemctl: stop UNIT")
    told = Told(monkeypatch, design, unit, steps, restart="always", timeout_stop=7 * S)
    assert told.states() == ["active", "deactivating", "failed"]
    assert told.answers()["stop"] == OK
    assert told.at("stop") >= 28_000_000


@every_unit
def test_a_start_takes_the_place_of_a_stop(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """What goes down goes on doing so, then the unit starts (service_start: -EAGAIN while it is on its way)."""
    steps = START + step("hang", "20s", "stop: MAIN") + step("stop", "21s", "systemctl: stop UNIT")
    steps += step("up", "23s", "systemctl: start UNIT")
    told = Told(monkeypatch, design, unit, steps, timeout_stop=7 * S)
    assert told.answers() == {"start": OK, "hang": OK, "stop": "Job for U.service canceled.", "up": OK}
    assert told.states() == ["active", "deactivating", "failed", "active"]


@every_unit
def test_a_stop_takes_the_place_of_a_restart(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """The restart is told so, and the unit stays down."""
    steps = START + step("hang", "20s", "stop: MAIN") + step("again", "21s", "systemctl: restart UNIT")
    steps += step("halt", "23s", "systemctl: stop UNIT")
    told = Told(monkeypatch, design, unit, steps, timeout_stop=7 * S)
    assert told.answers() == {"start": OK, "hang": OK, "again": "Job for U.service canceled.", "halt": OK}
    assert told.states() == ["active", "deactivating", "failed"]


@every_unit
def test_a_start_does_not_shorten_the_pause_of_a_restart(
    monkeypatch: pytest.MonkeyPatch, design: str, unit: str
) -> None:
    """It waits for the timer of RestartSec= (service_start: -EAGAIN in auto-restart)."""
    steps = START + KILL + step("up", "21s", "systemctl: start UNIT")
    told = Told(monkeypatch, design, unit, steps, restart="always", restart_sec=10 * S)
    assert told.answers() == {"start": OK, "kill": OK, "up": OK}
    assert told.begun()[-1] >= 30_000_000


@every_unit
def test_a_stop_ends_the_pause_of_a_restart(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """The unit is inactive at once, and nothing starts it again."""
    steps = START + KILL + step("wait", "20900ms", "systemctl: is-active UNIT")
    steps += step("stop", "21s", "systemctl: stop UNIT") + step("ask", "60s", "systemctl: is-active UNIT")
    told = Told(monkeypatch, design, unit, steps, restart="always", restart_sec=10 * S)
    assert [it for it in told.states() if it != "deactivating"] == ["active", "auto-restart", "inactive"]
    assert told.answers() == {"start": OK, "kill": OK, "wait": "activating", "stop": OK, "ask": "inactive"}


@every_unit
def test_try_restart_leaves_alone_what_is_down(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """Of a unit that is up it is a restart."""
    steps = step("try", "1s", "systemctl: try-restart UNIT") + step("start", "10s", "systemctl: start UNIT")
    told = Told(monkeypatch, design, unit, steps + step("again", "30s", "systemctl: try-restart UNIT"))
    assert told.states() == ["active", "deactivating", "inactive", "active"]
    assert told.answers() == {"try": OK, "start": OK, "again": OK}


@every_unit
def test_reload_sends_the_signal_of_exec_reload(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """A unit file without ExecReload= cannot be reloaded; nobody is hurt."""
    steps = step("down", "1s", "systemctl: reload UNIT") + step("start", "2s", "systemctl: start UNIT")
    told = Told(monkeypatch, design, unit, steps + step("reload", "20s", "systemctl: reload UNIT"))
    wrong = "Job type reload is not applicable for unit U.service."
    assert told.answers() == {
        "down": "Job for U.service invalid." if told.reload else wrong,
        "start": OK,
        "reload": OK if told.reload else wrong,
    }
    taken = [it.event.signal for it in told.run.trace if isinstance(it.event, SignalTaken)]
    assert taken == ([told.reload] if told.reload else [])
    assert told.states() == ["active"]


@every_unit
def test_kill_goes_to_every_process_of_the_unit(monkeypatch: pytest.MonkeyPatch, design: str, unit: str) -> None:
    """What is killed has failed; with --kill-who=main it is the main process alone."""
    steps = START + step("kill", "20s", "systemctl: kill -s KILL UNIT") + step("ask", "40s", "systemctl: status UNIT")
    steps += step("up", "50s", "systemctl: start UNIT")
    steps += step("main", "70s", "systemctl: kill --kill-who=main -s KILL UNIT")
    told = Told(monkeypatch, design, unit, steps)
    assert told.answers() == {"start": OK, "kill": OK, "ask": "failed", "up": OK, "main": OK}
    assert [it for it in told.states() if it != "deactivating"] == ["active", "failed", "active", "failed"]


@reading(lambda world, frame: ())
def for_ever(world: World, frame: Frame) -> bool:
    """Return whether it is over, which it never is."""
    return False


def test_a_unit_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs a row in its design and a program, nothing else; it is told of like any other."""
    toy = UnitFile(
        name="toy",
        program="toy",
        spawn=lambda g, name: Spawn("toy", ("/usr/bin/toy",), cgroup=group(g.world, name)),
        keys=lambda world, name: replace(KEYS, restart="always"),
        notify="",
        requires=("docker",),
        after=("docker",),
        status=("A toy", "https://example.org/toy", "/usr/bin/toy"),
    )
    base = DESIGNS["docker-1.13"]
    programs = base.programs_with(
        Systemd(*base.units.values(), toy), Program("toy", (procedure("toy.main", Wait(for_ever)),))
    )
    monkeypatch.setitem(
        DESIGNS, base.name, Design(base.name, base.title, base.source, programs, base.traits, base.engine)
    )
    text = "host: {begin: 'off'}\nsteps:\n" + step("up", "1s", "systemctl: start toy")
    text += step("kill", "20s", "systemctl: kill -s KILL toy") + step("stop", "30s", "systemctl: stop docker")
    run = run_scenario(load("toy.yaml", text + "until: 90s\n"))
    events = [it.event for it in run.trace if isinstance(it.event, UnitChanged)]
    states = [(it.unit, it.state) for it in events if it.state in ("active", "auto-restart", "inactive")]
    assert states == [
        ("docker", "active"), ("toy", "active"), ("toy", "auto-restart"), ("toy", "active"), ("toy", "inactive"),
        ("docker", "inactive"),
    ]  # fmt: skip
    assert run.show("systemctl-status", "25s", of="toy").startswith("● toy.service - A toy\n")


LEFT = """\
engine: {daemon: {live-restore: true}, unit: {KillMode: MODE, TimeoutStopSec: 5s}}
services: {web: {image: nginx}}
steps: [{id: stop, at: 5s, systemctl: stop docker}]
until: 1m
"""


@pytest.mark.parametrize(("mode", "ends"), [
    ("process", "inactive (dead)"), ("mixed", "inactive (dead)"), ("control-group", "failed (Result: timeout)"),
])  # fmt: skip
def test_a_unit_has_failed_if_what_it_leaves_behind_has_to_be_killed(mode: str, ends: str) -> None:
    """A shim does not hear TERM: with control-group it gets KILL after TimeoutStopSec= (final-sigterm timed out)."""
    run = run_scenario(load("left.yaml", LEFT.replace("MODE", mode)))
    assert f"   Active: {ends} since " in run.show("systemctl-status", "end")
    shims = [it for it in run.at("end").host.procs.values() if it.image.program == "shim"]
    assert len(shims) == (mode == "process")


def test_a_state_that_version_0_1_has_saved_is_read() -> None:
    """It had no field for what is cleaned up behind the main process of a container's unit."""
    saved = {"state": "active", "main_pid": 7, "control_pid": 0, "starts": 1, "stopping": False, "status": 0}
    assert restore({"$": "ServiceState"} | saved) == ServiceState("active", main_pid=7, starts=1)
