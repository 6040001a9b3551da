"""What an exploration found, for people: a story to read, and a scenario that `shimulator run` plays to the same end.

A fault of an exploration becomes a step of a scenario, in a terminal of its own: the step begins, the signal is taken,
the step ends. A fault that no `kill:`, `stop:` or `cont:` can name (an iptables, the second of two proxies) stays a
fault of the order. The order names every action from t = 0 on. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from sim.drive.explore.paths import begin
from sim.drive.follow import faults, name_of
from sim.engine.goroutine import ModelFault
from sim.engine.role import CONTAINER, HOST, LASTING
from sim.engine.setup import FaultBudget, Instant, KillProcess, Setup, Step, Target
from sim.engines.host.client import processes
from sim.faults import FAULTS, Fault
from sim.kernel.records import OUTSIDE
from sim.kernel.syscalls import deliverable
from sim.model import Action, Deliver, Go, enabled, initial, step
from sim.scenario import Scenario
from sim.scenario.resolved import resolved
from sim.scenario.steps import SIGNAL_OF
from sim.views.counterexample import Counterexample, counterexample
from sim.world import World

WORDS = {signal: word for word, signal in SIGNAL_OF.items()}  # signal -> the word of a scenario's step
BEGINNING, ENDING = ("more_steps", "await", "begin"), ("finish", "more_steps")  # what a terminal does with a step


class Retold(msgspec.Struct, frozen=True):
    """A path with its faults as steps. *order* names the actions after the first *opened*, from t = 0 on.

    Action i of the path is the actions from place *starts[i]* on; it has its effect at *effects[i]*.
    """

    setup: Setup
    actions: tuple[Action, ...]
    order: tuple[str, ...]
    opened: int
    starts: tuple[int, ...]
    effects: tuple[int, ...]


def tell(
    setup: Setup,
    actions: Sequence[Action],
    property_name: str,
    *,
    says: str = "",
    decisive: int | None = None,
    sibling: tuple[int, Action] | None = None,
) -> Counterexample:
    """Return the story of a path from `initial(setup)` on that violates a property; places count from 0.

    *decisive* is the place of the action that broke it, the last one if it is not given; *sibling* the last place at
    which it could have gone well, and the action that would have.
    """
    told = retell(setup, actions)
    return counterexample(
        told.setup,
        told.actions,
        property_name,
        says=says,
        faults=sum(isinstance(action, Fault) and not FAULTS[action.kind].free for action in actions),
        steps=len(actions) - told.opened,
        decisive=told.effects[-1 if decisive is None else decisive],
        sibling=None if sibling is None else (told.starts[sibling[0]], sibling[1]),
    )


def write_counterexample(
    scenario: Scenario,
    actions: Sequence[Action],
    property_name: str,
    *,
    story: str = "",
    setup: Setup | None = None,
) -> str:
    """Return the YAML of a scenario that goes the path and expects the property; *story* stands before it as a comment.

    *setup* is what was explored, if not the scenario's own (without `x-pids`, say); its terminals are the scenario's.
    What else the scenario expects is left out: it was written for another run.
    """
    told = retell(scenario.setup if setup is None else setup, actions)
    own = [terminal[0] for terminal in told.setup.terminals[len(scenario.setup.terminals) :]]
    raw = {
        **scenario.raw,
        "steps": [*(scenario.raw.get("steps") or []), *(_entry(step) for step in own)],
        "expect": [{"property": property_name}],
    }
    whole = replace(
        scenario,
        title=f"Counterexample to {property_name}: {scenario.title}",
        setup=replace(told.setup, order=told.order),
        expectations=(),
        raw=raw,
    )
    text = resolved(whole)
    if "\norder:\n" not in text:
        text += "".join(["order:\n", *(f"- {name}\n" for name in told.order)])
    comment = "".join(f"# {line}".rstrip() + "\n" for line in story.splitlines())
    return comment + text


def _entry(step: Step) -> dict[str, str]:
    command = step.command
    assert isinstance(command, KillProcess)
    own = {} if command.signal in WORDS else {"signal": command.signal}
    return {"id": step.id, "at": "0s", WORDS.get(command.signal, "kill"): str(command.target)} | own


# -- faults as steps --------------------------------------------------------------------------------


def retell(setup: Setup, actions: Sequence[Action]) -> Retold:
    """Return the same story with its faults as steps. Raises ModelFault where an action is not enabled."""
    opened = _opened(setup, actions)
    steps = _steps(setup, actions, opened)
    terminals = (*setup.terminals, *((step,) for step in steps if step is not None))
    told = replace(setup, terminals=terminals, faults=FaultBudget(), order=())
    world, _ = initial(told)
    done: list[Action] = []
    names: list[str] = []
    starts: list[int] = []
    effects: list[int] = []
    number = len(setup.terminals)
    for place, action in enumerate(actions):
        starts.append(len(done))
        number += steps[place] is not None
        parts = iter((action,)) if steps[place] is None else _as_step(world, action, number)
        for part in parts:
            if place >= opened:
                _check(world, part, place)
                names.append(name_of(world, part))
            step(world, part)
            done.append(part)
        effects.append(len(done) - 1 - (0 if steps[place] is None else len(ENDING)))
    return Retold(told, tuple(done), tuple(names), opened, tuple(starts), tuple(effects))


def _opened(setup: Setup, actions: Sequence[Action]) -> int:
    """Return how many actions of a path lead to t = 0. Raises ModelFault if they are not those of the fixed order."""
    fixed = begin(replace(setup, faults=FaultBudget()), "open")[1].actions
    if tuple(actions[: len(fixed)]) != fixed:
        raise ModelFault("the path has another way to t = 0 than the fixed order, and a scenario cannot say it")
    return len(fixed)


def _check(world: World, action: Action, place: int) -> None:
    if action not in (faults(world) if isinstance(action, Fault) else enabled(world)):
        raise ModelFault(f"action {place} of the path is not enabled: {action}")


def _steps(setup: Setup, actions: Sequence[Action], opened: int) -> list[Step | None]:
    """Return, for each action, the step that stands for it; None where it stays as it is."""
    world, _ = initial(setup)
    taken = {step.id for terminal in setup.terminals for step in terminal}
    ids = (f"fault{number}" for number in range(1, len(actions) + len(taken) + 1))
    free = (name for name in ids if name not in taken)
    found: list[Step | None] = []
    for place, action in enumerate(actions):
        if place >= opened:
            _check(world, action, place)
        target = _target(world, action) if isinstance(action, Fault) else None
        found.append(None)
        if isinstance(action, Fault) and target is not None:
            signal = FAULTS[action.kind].signal
            text = f"{WORDS.get(signal, f'kill -{signal}')} {target}"
            found[-1] = Step(next(free), Instant(), KillProcess(target, signal), text=text)
        step(world, action)
    return found


def _target(world: World, fault: Fault) -> Target | None:
    """Return words of a scenario that name this process and no other one, if there are any.

    A process that is to take a KILL would take it before the signal of a step, so nothing else can befall it there.
    A step sends a signal, so a fault that is none has no words either.
    """
    process, signal = world.host.procs[fault.pid], FAULTS[fault.kind].signal
    image = process.image
    role = world.design.roles[image.program]
    named = role.target == CONTAINER or (role.target == HOST and role.kind in LASTING)
    if not signal or not named or ("KILL" in process.pending and signal != "KILL"):
        return None
    targets = [Target(image.program, image.container)]
    if "-host-port" in image.argv:
        targets.append(Target(image.program, image.container, int(image.argv[image.argv.index("-host-port") + 1])))
    return next((target for target in targets if processes(world, target) == [fault.pid]), None)


def _as_step(world: World, fault: Action, number: int) -> Iterator[Action]:
    """Yield what a terminal does in place of a fault: it comes to its step, begins it; a signal is taken; it ends.

    The world is moved on between.
    """
    assert isinstance(fault, Fault)
    terminal = Go((OUTSIDE, f"terminal/{number}"))
    yield from (terminal for _ in BEGINNING)
    signal = FAULTS[fault.kind].signal
    if signal in deliverable(world.host, fault.pid):
        yield Deliver(fault.pid, signal)
    yield from (terminal for _ in ENDING)
