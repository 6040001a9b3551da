"""Judges of what was said: the engine's words about containers in their order, and what the user of a step was told.

Both look through a whole window. Network events count where the list names one or is about one container alone; so a
list of words such as `die web` means the words of containers. Source: engine-1.13 §13, docker events.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec

from sim.designs import DESIGNS
from sim.engine.setup import Instant, Microseconds
from sim.facts import EngineEvent, Marked, StepDone, StepTaken
from sim.model import OPENED
from sim.scenario.compile import Scenario
from sim.scenario.expect import EventsExpect, StepExpect, Word
from sim.scenario.expect_events import BESIDE, VALUES
from sim.scenario.units import Range
from sim.scenario.verdict_words import place
from sim.scenario.words import listed
from sim.trace import Trace

Judged = tuple[bool | None, str]


class Window(msgspec.Struct, frozen=True):
    """When an expectation is judged: clock values, which may lie after the end of the run, and a base to count from."""

    start: Microseconds
    stop: Microseconds
    base: Instant
    zero: Microseconds
    last: str  # the words for *stop*

    def place(self, at: Microseconds) -> str:
        """Write a clock value relative to the moment that the file names."""
        return place(self.base, at - self.zero)


def judge_said(expectation: EventsExpect | StepExpect, scenario: Scenario, trace: Trace, window: Window) -> Judged:
    """Return whether it holds (None: undetermined), and what was found."""
    if window.start > trace.end:
        return None, f"the run ended before {window.place(window.start)}"
    if isinstance(expectation, StepExpect):
        return _step(expectation, trace, window)
    found = said(scenario, trace, window)
    return (_exactly if expectation.exact else _in_order)(expectation, found, trace, window)


# -- events ------------------------------------------------------------------------------------------


def said(scenario: Scenario, trace: Trace, window: Window) -> list[tuple[Microseconds, Word]]:
    """Return what was said within the window; what came before t = 0 is not part of a scenario."""
    opened, found = scenario.setup.host.begin != "steady", []
    for record in trace:
        at, event = record.at or 0, record.event
        opened = opened or (isinstance(event, Marked) and event.name == OPENED)
        if isinstance(event, EngineEvent) and opened and window.start <= at <= window.stop:
            found.append((at, word_of(event)))
    return found


def word_of(event: EngineEvent) -> Word:
    """Return an event of the engine as a word with its signal or exit code, if it has one."""
    word = event.word if event.kind == "container" else f"{event.kind} {event.action}"
    value = dict(event.attributes).get(VALUES[word][0]) if word in VALUES else None
    return Word(word, event.container, None if value is None else Range(int(value), int(value)))


def _is(event: Word, wanted: Word) -> bool:
    if (event.word, event.container) != (wanted.word, wanted.container):
        return False
    return wanted.value is None or (event.value is not None and event.value.low in wanted.value)


def _as_named(event: Word, wanted: Word | None) -> str:
    """Write what came, with its value where one was asked for."""
    with_value = wanted is not None and wanted.value is not None and wanted.word == event.word
    return str(event if with_value else Word(event.word, event.container))


def _in_order(
    expectation: EventsExpect, found: list[tuple[Microseconds, Word]], trace: Trace, window: Window
) -> Judged:
    """Look for each word after the one before, and for one that is next directly after it."""
    wanted, came, last, again, doubts = expectation.events, 0, "", 1, []
    theirs = _theirs(found, {it.container for it in wanted}, any(it.word in BESIDE for it in wanted))
    for at, event in theirs:
        if came == len(wanted):
            break
        if _is(event, wanted[came]):
            if again > 1:
                doubts.append(f"{wanted[came - 1]} came {again} times before {wanted[came]}")
            came, last, again = came + 1, f" after {_as_named(event, wanted[came])} at {window.place(at)}", 1
        elif wanted[came].next:
            instead = f"{_as_named(event, wanted[came])} at {window.place(at)}, not {wanted[came]}"
            return False, f"{came} of {len(wanted)} events; next{last} came {instead}"
        elif came and _is(event, wanted[came - 1]):
            again += 1
    if came == len(wanted):
        return True, f"{came} of {came} events" + (f"; {listed(doubts)} (next: allows no gap)" if doubts else "")
    holds = None if window.stop > trace.end else False
    return holds, f"{came} of {len(wanted)} events; no {wanted[came]}{last}"


def _theirs(
    found: list[tuple[Microseconds, Word]], names: Container[str], beside: bool
) -> list[tuple[Microseconds, Word]]:
    """Return what was said of containers; network and volume events only if they count *beside* the others."""
    return [it for it in found if it[1].container in names and (beside or it[1].word not in BESIDE)]


def _exactly(expectation: EventsExpect, found: list[tuple[Microseconds, Word]], trace: Trace, window: Window) -> Judged:
    """Compare all that was said of the containers that are named."""
    wanted = expectation.events
    names = {expectation.container} if expectation.container else {it.container for it in wanted}
    beside = bool(expectation.container) or any(it.word in BESIDE for it in wanted)
    mine = _theirs(found, names, beside)
    for number, (at, event) in enumerate(mine):
        instead = wanted[number] if number < len(wanted) else None
        if instead is None or not _is(event, instead):
            rather = "" if instead is None else f", not {instead}"
            return False, f"event {number + 1} is {_as_named(event, instead)} at {window.place(at)}{rather}"
    if window.stop > trace.end:
        return None, f"the run ended before {window.last}"
    count = f"{len(mine)} of {len(wanted)} events" if wanted else "there are none"
    return (True, count) if len(mine) == len(wanted) else (False, f"{count}; no {wanted[len(mine)]}")


# -- steps -------------------------------------------------------------------------------------------


def _step(expectation: StepExpect, trace: Trace, window: Window) -> Judged:
    """Compare how the command of a step has ended by the end of the window."""
    taken, done = False, None
    for record in trace:
        event, at = record.event, record.at or 0
        if at > window.stop:
            break
        taken = taken or (isinstance(event, StepTaken) and event.id == expectation.step)
        if isinstance(event, StepDone) and event.id == expectation.step:
            done = at, event.error
    if not taken:
        return None, "the step was not taken"
    if done is None:
        cut = window.stop > trace.end
        return (None, f"no answer until the run ended, before {window.last}") if cut else (
            expectation.unanswered is True, "no answer")  # fmt: skip
    at, error = done
    detail = f"at {window.place(at)}: {error or 'done'}"
    if expectation.unanswered is not None:
        return not expectation.unanswered, detail
    if expectation.exit_code is not None:
        command = next(it.command for terminal in trace.setup.terminals for it in terminal if it.id == expectation.step)
        code = DESIGNS[trace.setup.engine.design].engine.exit_code(command, error)
        return code in expectation.exit_code, f"{detail}: {code}"
    if expectation.error is not None:
        return (expectation.error in error if expectation.error else not error), detail
    return expectation.ok == (not error), detail
