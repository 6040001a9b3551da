"""Words of verdicts: when, what was expected, and places in time relative to the moment that the file names.

Leaves out what was found, which the judges say. Source: the project's scenario language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sim.engine.setup import Instant, Microseconds
from sim.properties import ALWAYS, EVENTUALLY, SOMETIMES
from sim.scenario.expect import (
    At,
    ContainerExpect,
    DarkExpect,
    During,
    EventsExpect,
    ExitExpect,
    Expectation,
    FileExpect,
    PortExpect,
    ProcessExpect,
    PropertyExpect,
    StepExpect,
    TreeExpect,
)
from sim.scenario.units import format_duration
from sim.scenario.words import listed
from sim.views.moments import spelled

MS: Microseconds = 1_000
LABELS = {ALWAYS: "every state", SOMETIMES: "some state", EVENTUALLY: "end"}
SHOWN = 3  # so many faults are told, the others counted
AT = re.compile(r"(?:^|, )at: ([^,]+)")
DURING = re.compile(r"(?:^|, )during: \[([^,]+), ([^\]]+)\]")
WITHIN = re.compile(r"(?:^|, )within: ([^,]+)")
OF = re.compile(r"(?:^|, )of: ([^,]+)")


def instant_text(instant: Instant) -> str:
    """Write an instant with its offset as `at:` takes it.

    >>> instant_text(Instant("step", "kill", offset=-1_000_000)), instant_text(Instant(offset=3_000_000))
    ('kill-1s', '3s')
    """
    if instant.base == "origin":
        sign = "-" if instant.offset < 0 else ""
        return sign + format_duration(abs(instant.offset))
    return spelled(instant) + signed(instant.offset)


def signed(offset: Microseconds) -> str:
    """Write an offset with its sign; 0 is not written."""
    return f"{'-' if offset < 0 else '+'}{format_duration(abs(offset))}" if offset else ""


def place(base: Instant, offset: Microseconds) -> str:
    """Write a moment *offset* µs after the base of an instant, in whole ms, so that `--at` shows what was there then.

    >>> place(Instant("step", "kill"), 300_001), place(Instant(), 62_000_000)
    ('kill+301ms', '1m2s')
    """
    rounded = -(-offset // MS) * MS
    return instant_text(Instant(base.base, base.name, base.target, base.nth, rounded))


def label_of(expectation: Expectation) -> str:
    """Return when it must hold, in the file's own words where it has some."""
    when, text = expectation.when, expectation.text
    if isinstance(expectation, PropertyExpect):
        return LABELS[expectation.kind]
    if when is None:
        return "first step … end" if isinstance(expectation, DarkExpect) else "whole run"
    if isinstance(when, At):
        found = AT.search(text)
        return found[1] if found else instant_text(when.at)
    if isinstance(when, During):
        found = DURING.search(text)
        first, last = found.groups() if found else (instant_text(when.first), instant_text(when.last))
        return f"{first} … {last}"
    limit, of = WITHIN.search(text), OF.search(text)
    of_text = of[1] if of else instant_text(when.of)
    limit_text = limit[1] if limit else format_duration(when.limit)
    return f"within {limit_text}" + ("" if of_text in ("0", "0s") else f" of {of_text}")


def text_of(expectation: Expectation, services: int) -> str:
    """Return what was expected, without when; *services* is how many containers the scenario has."""
    match expectation:
        case ContainerExpect():
            return f"{_who(expectation.containers, services)} {listed(_container(expectation))}"
        case ProcessExpect():
            return f"{expectation.target} {listed(_process(expectation))}"
        case ExitExpect():
            how = f"killed by {expectation.signal}" if expectation.signal else f"exit status {expectation.status}"
            return f"{expectation.target} {how}"
        case PortExpect():
            words = [] if expectation.open is None else ["open" if expectation.open else "closed"]
            words += [] if expectation.finds is None else [f"finds {expectation.finds}"]
            return f"port {expectation.port} {', '.join(words)} from {expectation.source}"
        case DarkExpect():
            of = {"all": "every port"}.get(str(expectation.of), f"{expectation.of}")
            of = f"port {of}" if isinstance(expectation.of, int) else of
            return f"{of} dark from {expectation.source} for at most {format_duration(expectation.max)}"
        case EventsExpect():
            return _events(expectation)
        case StepExpect():
            return f"step {expectation.step} {_step(expectation)}"
        case FileExpect():
            return f"file {expectation.path} {'exist' if expectation.exists else 'gone'}"
        case PropertyExpect():
            return f"{expectation.name}: {expectation.sentence}"
        case TreeExpect():
            equal = f", {expectation.rows} lines of it" if expectation.rows else ""
            return f"{expectation.view} of {expectation.root} equals {expectation.file or 'the text'}{equal}"


def _events(expectation: EventsExpect) -> str:
    if not expectation.events:
        return f"no events of {expectation.container}"
    words = listed(f"next {it}" if it.next else str(it) for it in expectation.events)
    whose = f"of {expectation.container}" if expectation.container else "of theirs"
    return f"events {words}" + (f" and no others {whose}" if expectation.exact else "")


def _step(expectation: StepExpect) -> str:
    if expectation.unanswered is not None:
        return "unanswered" if expectation.unanswered else "answered"
    if expectation.exit_code is not None:
        return f"exits with {expectation.exit_code}"
    if expectation.error:
        return f"fails with ‘{expectation.error}’"
    return "fails" if expectation.ok is False else "ends well"


def _who(containers: Sequence[str], services: int) -> str:
    everyone = len(containers) == services and services > 1
    return "all containers" if everyone else listed(containers)


def _container(expectation: ContainerExpect) -> list[str]:
    since = f" since {instant_text(expectation.since)}" if expectation.since else ""
    given = {
        "{}": expectation.status if expectation.exists is None else "exist" if expectation.exists else "gone",
        "health {}": expectation.health,
        "exit code {}": expectation.exit_code,
        "{} restarts": expectation.restarts,
        "{} bytes buffered": expectation.buffered,
        "{} bytes lost": expectation.lost,
        "OOM killed: {}": _yes_or_no(expectation.oom_killed),
        "stopped by hand: {}": _yes_or_no(expectation.stopped_by_hand),
        "address {}": expectation.address,
        f"{{}} pid{since}": expectation.pid,
    }
    return [form.format(value) for form, value in given.items() if value is not None]


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _process(expectation: ProcessExpect) -> list[str]:
    exists = None if expectation.exists is None else "exist" if expectation.exists else "gone"
    given = {
        "{}": exists,
        "have parent {}": expectation.parent,
        "in state {}": expectation.state,
        "{} in write": None if expectation.blocked is None else "blocked" if expectation.blocked else "not blocked",
        "count {}": expectation.count,
    }
    return [form.format(value) for form, value in given.items() if value is not None]


def tally(count: int, faults: Sequence[str], good: str = "") -> str:
    """Say how many of *count* are as expected, and what the others are; of one alone say *good* or its fault.

    >>> tally(6, ["arthas exited (137)"]), tally(1, [], "web running")
    ('5 of 6; arthas exited (137)', 'web running')
    """
    shown = "; ".join(faults[:SHOWN]) + (f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else "")
    if count == 1:
        return shown or good or "1 of 1"
    return f"{count - len(faults)} of {count}" + (f"; {shown}" if shown else "")
