"""Read `docker events --format '{{json .}}'` as samples of phases: from one event of a container to another.

Leaves out events of other things than containers. Source: docker events(1).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator

from sim.calibration.cells import LEAST_MS, Cell, PhaseColumn, day_of, few, is_moment
from sim.calibration.fits import FEWEST
from sim.calibration.phases import EVENTS
from sim.errors import Problem

RECORD = "Record them with docker events --format '{{json .}}'."
JSON = re.compile(r"""\ufeff?\s*(?:\{|\[\s*(?:[][{"0-9-]|\Z))""")  # how an object or a list begins
EVENT_PAUSE_S = 120  # between create and start: longer, and people stood between


def is_events(text: str) -> bool:
    """Return whether a file holds JSON, be it no event at all, and not a table."""
    return JSON.match(text) is not None


def events(name: str, text: str, problems: list[Problem]) -> list[PhaseColumn]:
    """Return the phases between events of one container."""
    found: dict[str, list[Cell]] = defaultdict(list)
    before: dict[str, tuple[str, float]] = {}
    counted = 0
    for number, action, container, at in _said(name, text, problems):
        counted += 1
        if container in before:
            first, since = before[container]
            phase = EVENTS.get((first, action))
            if phase is not None and at < since:
                what = f"{action} comes {since - at:g} s before the {first} of the same container"
                problems.append(Problem(f"{name}:{number}:1", what, "Give the lines in the order of their times."))
            elif phase is not None and (first != "create" or at - since < EVENT_PAUSE_S):
                found[phase].append(Cell(max((at - since) * 1e3, LEAST_MS), number, 1, since))
        if (action == "kill" and before.get(container, ("",))[0] == "kill") or action == "destroy":
            before[container] = ("killed", at)  # a second signal: the time limit of the stop lies between
        elif action not in ("die", "oom") or before.get(container, ("",))[0] != "kill":
            before[container] = (action, at)
    columns = []
    for (first, second), phase in EVENTS.items():
        cells = tuple(found.get(phase, ()))
        if 0 < len(cells) < FEWEST:
            what = f"{first} is followed by {second} {len(cells)} times, too few to fit {phase}"
            problems.append(Problem(f"{name}:{cells[-1].line}:1", what, f"{FEWEST} are the least."))
        elif cells:
            columns.append(PhaseColumn(phase, name, f"{first} → {second}", cells, day_of(cells)))
    if not columns and not problems:
        pairs = ", ".join(f"{first} → {second}" for first, second in EVENTS)
        what = f"no pair of events in {counted} lines says how long something took"
        problems.append(Problem(f"{name}:1:1", what, f"Pairs of one container: {pairs}."))
    return columns


def _said(name: str, text: str, problems: list[Problem]) -> Iterator[tuple[int, str, str, float]]:
    """Yield line, action, container and time in s of each event of a container."""
    wrong: list[Problem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        try:
            it = json.loads(line)
        except json.JSONDecodeError as error:
            wrong.append(Problem(f"{name}:{number}:{error.colno}", f"not JSON: {error.msg.lower()}", RECORD))
            continue
        except (RecursionError, ValueError):
            what = "this is no event of docker: it nests too deep, or holds a number too long"
            wrong.append(Problem(f"{name}:{number}:1", what, RECORD))
            continue
        if not isinstance(it, dict):
            wrong.append(Problem(f"{name}:{number}:1", "this is no event of docker: it is no object of JSON", RECORD))
            continue
        try:
            if it.get("Type", "container") != "container":
                continue
            container = it.get("Actor", {}).get("ID") or it["id"]
            at = it["timeNano"] / 1e9 if "timeNano" in it else float(it["time"])
            if not is_moment(at):
                raise OverflowError
            yield number, str(it.get("Action") or it["status"]).partition(":")[0], str(container), at
        except OverflowError:
            what = "this is no event of docker: its time is no unix time"
            wrong.append(Problem(f"{name}:{number}:1", what, RECORD))
        except (AttributeError, KeyError, TypeError, ValueError):
            what = "this is no event of docker: it lacks Action, Actor.ID or timeNano"
            wrong.append(Problem(f"{name}:{number}:1", what, RECORD))
    problems += few(wrong)
