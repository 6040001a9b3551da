"""What an exploration checks of a scenario: its properties, and its expectations at the end as properties.

Times are dropped there, so an expectation at another moment, during an interval or within a time is not checked.
Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from sim.engine.setup import TakePid
from sim.errors import InputError, Problem
from sim.properties import EVENTUALLY, Property
from sim.scenario.compile import Scenario
from sim.scenario.expect import At, ContainerExpect, Expectation, FileExpect, PortExpect, ProcessExpect, PropertyExpect
from sim.scenario.property_asked import property_called, property_of
from sim.scenario.property_read import name_of
from sim.scenario.repeats import is_repeat
from sim.scenario.verdict_judges import Judgement, judge_container, judge_file, judge_port, judge_process
from sim.scenario.verdict_words import text_of
from sim.world import World


def for_explorer(scenario: Scenario) -> tuple[tuple[Property, ...], tuple[Expectation, ...]]:
    """Return what an exploration of a scenario checks, each name once, and the expectations that it does not check.

    It checks what `properties:` lists, what `expect:` names, and the expectations at `end`.
    """
    found = {name_of(entry): property_of(entry) for entry in scenario.properties}
    unchecked = []
    for expectation in scenario.expectations:
        if isinstance(expectation, PropertyExpect):
            found.setdefault(expectation.name, property_called(scenario, expectation.name))
        else:
            made = at_end(expectation)
            if made is None:
                unchecked.append(expectation)
            else:
                name = _unused(made.name, found)
                found[name] = msgspec.structs.replace(made, name=name)
    return tuple(found.values()), tuple(unchecked)


def check_steps(scenario: Scenario) -> None:
    """Refuse steps that only a run can take. Raises InputError."""
    problems = []
    for step in (step for terminal in scenario.setup.terminals for step in terminal):
        place = f"{scenario.source}:{step.line}"
        if step.at.base == "before":
            what = f"step {step.id} goes before a fact, and an exploration takes every order"
            problems.append(Problem(place, what, "Give it another at:, or use faults:."))
        if is_repeat(step.id):
            what = f"step {step.id.partition('#')[0]} is repeated (every), and an exploration has no clock"
            problems.append(Problem(place, what, "Leave every out; faults: {kinds: {kill: N}} says how many may come."))
        if isinstance(step.command, TakePid):
            what = f"step {step.id} gives a number anew, and an exploration has names for numbers"
            problems.append(Problem(place, what, "Run it."))
    if problems:
        raise InputError(list(dict.fromkeys(problems)))


def at_end(expectation: Expectation) -> Property | None:
    """Return what must hold at `end` as a property of the explorer; None for what cannot be told from a world alone.

    These are left out: pids that are the same or new, dark time, events, trees, other moments than the end itself.
    """
    when = expectation.when
    if not isinstance(when, At) or (when.at.base, when.at.offset) != ("end", 0):
        return None
    match expectation:
        case ContainerExpect() if expectation.pid is None:
            return _ending(expectation, lambda world: judge_container(expectation, world, {}))
        case ProcessExpect():
            return _ending(expectation, lambda world: judge_process(expectation, world))
        case PortExpect():
            return _ending(expectation, lambda world: judge_port(expectation, world))
        case FileExpect():
            return _ending(expectation, lambda world: judge_file(expectation, world))
    return None


def _ending(expectation: Expectation, judge: Callable[[World], Judgement]) -> Property:
    sentence = f"At the end: {text_of(expectation, 0)}"
    name = f"expect:{expectation.line}"
    source = f"line {expectation.line}"
    return Property(
        name, EVENTUALLY, sentence, lambda world: judge(world).good, source=source,
        said=lambda world: judge(world).detail,
    )  # fmt: skip


def _unused(name: str, taken: Iterable[str]) -> str:
    number, new = 1, name
    while new in taken:
        number += 1
        new = f"{name}#{number}"
    return new
