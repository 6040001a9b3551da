"""The fault matrix of somebody's own host: its services, each fault once, and the worst that became of any.

The fault takes the place of the file's first step that harms something; later steps and all expectations are left out,
since they are about one design. A fault that hits one container's processes hits those of all. A word is that of the
container that fares worst, and how many fare so is counted. Leaves out what needs a container made for it: a program
that leaves during the fault, one that prints, a session of exec. Source: the same as `sim.experiment.aspects`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sim.errors import InputError, Problem
from sim.experiment.aspects import AT_ONCE, RunAspects
from sim.experiment.faulted import fault_step, steps_before
from sim.experiment.metrics import measure
from sim.experiment.reading import Reading, default_window, seconds
from sim.scenario import Scenario
from sim.trace import Trace
from sim.views.fault_cells import ASPECTS, NONE
from sim.views.interval_parts import Gap
from sim.views.intervals import engine_gaps

LASTS = "5m"  # how long is looked at what becomes of it
ABOUT_STEPS = ("expect", "properties", "whatif", "faults", "order")  # keys whose values may name steps
OF_A_CONTAINER = re.compile(r"(?<=/)(web|chat)\b")
NEEDS = re.compile(r"\boom (?!host\b)")  # a container with a limit of its own
PORTS = ("remote", "loopback", "container")


def own_step(step: str) -> str:
    """Return how a fault of the matrix is written for every container of a host, "" if it is about one of its own.

    >>> own_step("kill proxy/web"), own_step("oom web"), own_step("oom host")
    ('kill proxy/*', '', 'oom host')
    """
    if NEEDS.search(step):
        return ""
    if not step.startswith("{"):
        return OF_A_CONTAINER.sub("*", step)
    said = {key: _each(value) for key, value in json.loads(step).items()}
    return json.dumps(said)


def _each(value: object) -> object:
    """Return a target, or a list of them, as those of every container."""
    if isinstance(value, list):
        found = list(dict.fromkeys(OF_A_CONTAINER.sub("*", str(it)) for it in value))
        return found[0] if len(found) == 1 else found
    return OF_A_CONTAINER.sub("*", value) if isinstance(value, str) else value


def own_settings(base: Scenario, step: str) -> tuple[str, ...]:
    """Return the settings that leave a file its services, and let one fault come. Raises InputError."""
    kept = tuple(f"{key}=null" for key in ABOUT_STEPS if key in base.raw)
    before, moment = steps_before(base)
    return (*kept, f"steps={json.dumps([*before, {**moment, **fault_step(step)}])}", f"until={moment['id']}+{LASTS}")


def own_title(title: str) -> str:
    """Return the title of a fault, of every container.

    >>> own_title("kill -9 of web's process"), own_title("kill -9 of a shim or conmon")
    ("kill -9 of each container's process", 'kill -9 of every shim or conmon')
    """
    return title.replace("web's", "each container's").replace("of a shim", "of every shim")


# -- words ------------------------------------------------------------------------------------------


def check_own(base: Scenario) -> None:
    """Refuse a file without services. Raises InputError."""
    if not base.setup.services:
        raise InputError([Problem(base.source, "there are no services for the fault matrix", "Add services:.")])


def read_own(trace: Trace) -> RunAspects:
    """Return the words of a run, each of the container that fares worst, and how many were kept, new and gone."""
    reading = Reading(trace, default_window(trace))
    figures = measure(trace, (reading.first, reading.last)).values
    ends = {name: _end(reading, name) for name in reading.expected}
    words = dict.fromkeys(ASPECTS, NONE) | {
        "now": _worst([_at_once(reading, name) for name in ends], "now"),
        "end": _worst(list(ends.values()), "end"),
        "exit": "lost" if figures["exit_codes_lost"] else "exact",
        **{client: _port(reading, client) for client in PORTS},
        "api": _word(engine_gaps(reading.run, (reading.first, reading.last)), ("up", "gap", "dark")),
        "view": "wrong" if figures["says_wrong"] > 0 else "right",
        "log": "lost" if figures["log_lost"] > 0 else "flows",
    }
    if not reading.has_daemon:
        words["api"] = NONE
    times = {client: _longest(reading, client) for client in PORTS}
    times["api"] = 0.0 if words["api"] == NONE else figures["api_dark"]
    counts = {word: list(ends.values()).count(word) for word in ASPECTS["end"].words}
    return RunAspects(words, times, seconds(reading.last - reading.first), counts)


def _worst(words: Sequence[str], aspect: str) -> str:
    return max(words, key=ASPECTS[aspect].words.index, default=NONE)


def _at_once(reading: Reading, name: str) -> str:
    life = reading.before.get(name)
    return "lives" if life is None or life.end is None or life.end > reading.first + AT_ONCE else "dies"


def _end(reading: Reading, name: str) -> str:
    before, after = reading.before.get(name), reading.after.get(name)
    return "none" if after is None else "same" if before is not None and after.start == before.start else "new"


def _gaps(reading: Reading, client: str) -> list[Gap]:
    return [gap for key, gaps in reading.gaps.items() if key[2] == client for gap in gaps]


def _port(reading: Reading, client: str) -> str:
    asked = any(key[2] == client for key in reading.gaps)
    return _word(_gaps(reading, client), ("open", "gap", "dark")) if asked else NONE


def _word(gaps: Sequence[Gap], words: tuple[str, str, str]) -> str:
    return words[0] if not gaps else words[1] if all(gap[2] for gap in gaps) else words[2]


def _longest(reading: Reading, client: str) -> float:
    return max((seconds(end - start) if closed else float("inf") for start, end, closed in _gaps(reading, client)),
               default=0.0)  # fmt: skip
