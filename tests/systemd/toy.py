"""The model's answer to a recorded story: an engine of nothing but units, whose programs are those of the recording.

Each unit's main process is a program of its own, so that a target names one unit's. Source: none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.drive.timed import Timed
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Sleep, Wait, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.setup import EngineSetup, HostSetup, Instant, KillProcess, S, Setup, Step, Systemctl, Target, Unit
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import ENGINE, UnitFile, group
from sim.facts import Message, StepDone, UnitChanged
from sim.kernel.records import INIT
from sim.views.story import Story
from sim.views.unit_status import unit_status
from sim.world import Frame, World
from tests.systemd.stories import LEAVES, NOTIFIES, span

BASE = "docker-1.13"
COMMANDS = ("ExecStop", "ExecStopPost")
AHEAD = 1 * S  # before the story's begin
HALF = S // 2


class Change(NamedTuple):
    """A unit has another state."""

    at: float
    unit: str
    state: str


class Went(NamedTuple):
    """How a story went: each change of a unit; of each act how long it took and its message ("" is good); by unit who
    is left in its control group, and its result.
    """

    changes: list[Change]
    answers: list[tuple[float, str]]
    left: dict[str, list[str]]
    results: dict[str, str]


# -- programs ---------------------------------------------------------------------------------------


@reading(lambda world, frame: ())
def never(world: World, frame: Frame) -> bool:
    """Wait for signals alone."""
    return False


def tell_ready(g: Goroutine) -> None:
    """Send READY=1 to systemd."""
    g.send(INIT, "notify", Message("READY", data=g.pid))


def programs_of(unit: str, word: str) -> tuple[Program, ...]:
    """Return the main program of a unit, and that of its child."""

    def child(g: Goroutine) -> Spawn:
        return Spawn(f"{unit}-child", ("child",))

    def deaf(name: str) -> frozenset[str]:
        return frozenset({"TERM"}) if word in (name, "deaf-both") else frozenset()

    handlers: dict[str, str] = {}
    more: tuple[Procedure, ...] = ()
    does: Any = Wait(never)
    if word in ("parent", "deaf-child", "deaf-both"):
        does = (Fork(child), Wait(never))
    elif word == "sour":
        does, more = (Fork(child), Wait(never)), (procedure(f"{unit}.leave", Exit(3)),)
        handlers = {"TERM": "leave"}
    elif word == "ready":
        does = (Sleep("load", S), Do(tell_ready), Wait(never))
    elif word.endswith(("exits-0", "exits-1")):
        does = (Sleep("work", HALF), Exit(int(word[-1])))
    return (
        Program(unit, (procedure(f"{unit}.main", does), *more), handlers, deaf("deaf")),
        Program(f"{unit}-child", (procedure(f"{unit}-child.main", Wait(never)),), ignored=deaf("deaf-child")),
    )


def commands_of(unit: str, keys: dict[str, str]) -> tuple[Program, ...]:
    """Return what ExecStop= and ExecStopPost= run, which sleeps for a time or forks a child; and that child."""
    found: list[Program] = []
    for key in COMMANDS:
        name, value = f"{unit}-{key}", keys.get(key, "")
        if value in LEAVES:
            found += leaving(name, deaf="deaf" in value)
        elif value:
            found.append(Program(name, (procedure(f"{name}.main", Sleep("sleep", span(value)), Exit(0)),)))
    return tuple(found)


def leaving(name: str, *, deaf: bool) -> tuple[Program, Program]:
    """Return a command that forks a child and leaves, and that child."""
    child = f"{name}-child"
    ignored = frozenset({"TERM"} if deaf else ())
    forks = Fork(lambda g: Spawn(child, ("child",)))
    return (
        Program(name, (procedure(f"{name}.main", forks, Exit(0)),)),
        Program(child, (procedure(f"{child}.main", Wait(never)),), ignored=ignored),
    )


# -- units ------------------------------------------------------------------------------------------


def unit_file(unit: str, keys: dict[str, str], own: bool) -> UnitFile:
    """Return the model's unit file of a recorded one."""
    found = Unit(
        keys["Restart"],
        keys["KillMode"],
        span(keys["RestartSec"]),
        int(keys["StartLimitBurst"]),
        span(keys["StartLimitIntervalSec"]),
        span(keys["TimeoutStopSec"]),
    )

    def spawned(g: Goroutine, name: str) -> Spawn:
        return Spawn(unit, ("main",), new_session=True, cgroup=group(g.world, name))

    def command(key: str) -> Callable[[Goroutine, str], Spawn] | None:
        if key not in keys:
            return None
        return lambda g, name: Spawn(f"{unit}-{key}", ("sleep",), cgroup=group(g.world, name))

    def names(key: str) -> tuple[str, ...]:
        return tuple(it.removesuffix(".service") for it in keys.get(key, "").split())

    return UnitFile(
        name=unit,
        program=unit,
        spawn=spawned,
        keys=lambda world, name: found,
        key=ENGINE if own else "",
        notify="main" if keys["program"] in NOTIFIES else "",
        reload=keys.get("ExecReload", "").removeprefix("kill -"),
        wants=names("Wants"),
        requires=names("Requires"),
        binds_to=names("BindsTo"),
        after=names("After"),
        exec_stop=command("ExecStop"),
        exec_stop_post=command("ExecStopPost"),
    )


def design_of(name: str, units: dict[str, dict[str, str]], *, own: bool = True) -> Design:
    """Return an engine of these units, of which the first is its *own*, or none is."""
    base = DESIGNS[BASE]
    files = [unit_file(unit, keys, own=own and number == 0) for number, (unit, keys) in enumerate(units.items())]
    programs = [
        it for unit, keys in units.items() for it in (*programs_of(unit, keys["program"]), *commands_of(unit, keys))
    ]
    first = next(iter(units)) if own else "engine"
    traits = replace(base.traits, engine=first, engine_unit=first)
    return Design(name, name, "none", base.programs_with(Systemd(*files), *programs), traits, base.engine)


# -- a story ----------------------------------------------------------------------------------------

SIGNALS = {"9": "KILL", "15": "TERM"}


def command_of(does: str, unit: str) -> KillProcess | Systemctl:
    """Return the model's command for an act."""
    words = does.split()
    if words[-1] == "main":
        return KillProcess(Target(unit), SIGNALS[words[1].removeprefix("-")])
    signal = words[-1] if "-s" in words else "TERM"
    if "--kill-whom=main" in words:
        return KillProcess(Target(unit), signal)
    return Systemctl(words[0], unit, signal)


def tell(row: dict[str, Any]) -> Went:
    """Run a recorded story in the model; DESIGNS has the row's design under its name."""
    steps = [
        (Step(str(number), Instant(offset=AHEAD + round(act["at"] * S)), command_of(act["does"], act["unit"])),)
        for number, act in enumerate(row["acts"])
    ]
    setup = Setup(
        host=HostSetup(begin="off"),
        engine=EngineSetup(design=row["name"]),
        terminals=tuple(steps),
        until=Instant(offset=AHEAD + round(row["until"] * S)),
    )
    driver = Timed(setup)
    trace = driver.run()
    begin = (trace.origin or 0) + AHEAD
    at = [(((it.at or 0) - begin) / S, it.event) for it in trace]
    changes = [Change(when, it.unit, it.state) for when, it in at if isinstance(it, UnitChanged)]
    done = {it.id: (when, it.error) for when, it in at if isinstance(it, StepDone)}
    answers = [done.get(str(number), (float("inf"), "no answer")) for number in range(len(steps))]
    story = Story(trace).to(trace.end)
    return Went(
        changes,
        [(when - act["at"], says) for act, (when, says) in zip(row["acts"], answers, strict=True)],
        {unit: _left(driver.world, unit) for unit in row["units"]},
        {unit: unit_status(story, unit).result for unit in row["units"]},
    )


def _left(world: World, unit: str) -> list[str]:
    members = world.host.grouped.get(group(world, unit), ())
    living = [world.host.procs[pid] for pid in members if world.host.alive(pid)]
    return sorted("child" if it.image.program.endswith("-child") else "main" for it in living)
