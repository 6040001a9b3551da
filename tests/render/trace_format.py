"""The rules of Chrome's JSON trace event format, as a checker: what is wrong with a file, in words.

Models: what the format asks for, and what Perfetto's importer needs besides to draw what was meant: one stack of slices
a track, the longest of those that begin together first; a flow is bound to what lies on top of the stack and drawn from
the slice that begins earlier; thread ids are of the whole file. Perfetto 52 has read twelve bundled scenarios without a
complaint, with all flows and with ops below their procedures, and complains of what this refuses. Leaves out async,
object, memory and clock events, which are not written. Source: Trace Event Format (2016); Perfetto,
src/trace_processor/importers/common: slice_tracker.cc, flow_tracker.cc.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import pairwise
from typing import Any

Event = dict[str, Any]
Place = tuple[int, int]  # pid, tid
FIELDS = {  # phase -> the fields that it must have
    "X": ("name", "pid", "tid", "ts", "dur"),
    "B": ("name", "pid", "tid", "ts"),
    "E": ("pid", "tid", "ts"),
    "i": ("name", "pid", "tid", "ts", "s"),
    "C": ("name", "pid", "ts", "args"),
    "s": ("name", "cat", "pid", "tid", "ts", "id"),
    "t": ("name", "cat", "pid", "tid", "ts", "id"),
    "f": ("name", "cat", "pid", "tid", "ts", "id", "bp"),
    "M": ("name", "pid", "args"),
}
KINDS: dict[str, type] = {
    "name": str, "cat": str, "ph": str, "s": str, "bp": str, "args": dict,
    "pid": int, "tid": int, "ts": int, "dur": int, "id": int,
}  # fmt: skip
METADATA = {"process_name": "name", "process_sort_index": "sort_index", "thread_name": "name",
            "thread_sort_index": "sort_index"}  # fmt: skip
DEEPEST = 512  # slices on one stack
LARGEST_ID = 2**32 - 1


def violations(text: str) -> list[str]:
    """Return what a file does against the rules."""
    try:
        document = json.loads(text, parse_constant=lambda word: f"<{word}>")
    except ValueError as error:
        return [f"no JSON: {error}"]
    if not isinstance(document, dict) or not isinstance(document.get("traceEvents"), list):
        return ["no object with a list traceEvents"]
    found = [] if document.get("displayTimeUnit") in ("ms", "ns") else ["displayTimeUnit is neither ms nor ns"]
    events: list[Event] = document["traceEvents"]
    found += [f"event {number}: {what}" for number, event in enumerate(events) for what in _fields(event)]
    if found:
        return found
    return [*_metadata(events), *_order(events), *_slices_and_flows(events), *_counters(events)]


def _fields(event: Any) -> list[str]:
    if not isinstance(event, dict) or event.get("ph") not in FIELDS:
        return ["no object with a known ph"]
    found = [f"{event['ph']} without {name}" for name in FIELDS[event["ph"]] if name not in event]
    for name, value in event.items():
        kind = KINDS.get(name)
        if type(value) is not kind:
            found.append(f"{name} is {value!r}")
        elif isinstance(value, int) and not 0 <= value <= (LARGEST_ID if name in ("pid", "tid") else 2**53):
            found.append(f"{name} is out of range: {value}")
    if event.get("s", "g") not in ("g", "p", "t"):
        found.append(f"no such scope: {event['s']}")
    if event.get("bp", "e") != "e":
        found.append("bp is not e")
    return found


# -- names -------------------------------------------------------------------------------------------


def _metadata(events: list[Event]) -> list[str]:
    """Check that every process and thread is named and placed, once, and that no two have one name or number."""
    told: Counter[tuple[str, int, int | None]] = Counter()
    names: Counter[tuple[object, ...]] = Counter()
    owners: dict[int, set[int]] = {}
    found = []
    for event in events:
        if event["ph"] != "M":
            continue
        if event["name"] not in METADATA or list(event["args"]) != [METADATA[event["name"]]]:
            found.append(f"metadata {event['name']} with {list(event['args'])}")
            continue
        thread = event["tid"] if event["name"].startswith("thread") else None
        told[event["name"], event["pid"], thread] += 1
        if event["name"].endswith("_name"):
            names["process" if thread is None else event["pid"], event["args"]["name"]] += 1
            if not event["args"]["name"]:
                found.append("an empty name")
        if thread is not None:
            owners.setdefault(thread, set()).add(event["pid"])
    found += [f"{name} of {pid}, {tid} is told {n} times" for (name, pid, tid), n in told.items() if n > 1]
    found += [f"the name {name[1]!r} stands {n} times" for name, n in names.items() if n > 1]
    found += [f"thread {tid} is of several processes" for tid, pids in owners.items() if len(pids) > 1]
    rows = {(event["pid"], event.get("tid")) for event in events if event["ph"] != "M"}
    needed = {(name, pid, None) for pid, _ in rows for name in ("process_name", "process_sort_index")}
    threads = [row for row in rows if row[1] is not None]
    needed |= {(name, *row) for row in threads for name in ("thread_name", "thread_sort_index")}
    found += [f"no {name} of {pid}, {tid}" for name, pid, tid in sorted(needed - set(told), key=str)]
    empty = {(pid, tid) for name, pid, tid in told if tid is not None} - rows
    return found + [f"thread {tid} of {pid} is named and empty" for pid, tid in sorted(empty)]


def _order(events: list[Event]) -> list[str]:
    """Check that time goes on, and that of the slices that begin together the longest stands first, as it is read."""
    times = [event["ts"] for event in events if event["ph"] != "M"]
    found = [f"{after} comes after {before}" for before, after in pairwise(times) if after < before]
    last: dict[tuple[Place, int], int] = {}
    for event in events:
        if event["ph"] == "X":
            place = ((event["pid"], event["tid"]), event["ts"])
            if event["dur"] > last.get(place, event["dur"]):
                found.append(f"{event['name']!r} is longer than what begins with it and stands before it")
            last[place] = event["dur"]
    return found


# -- slices and flows --------------------------------------------------------------------------------


class _Slice:
    def __init__(self, event: Event) -> None:
        self.name, self.start = event.get("name", ""), event["ts"]
        self.end = math.inf if event["ph"] == "B" else event["ts"] + event["dur"]


def _slices_and_flows(events: list[Event]) -> list[str]:
    found: list[str] = []
    stacks: dict[Place, list[_Slice]] = {}
    flows: dict[tuple[str, str, int], list[tuple[str, int]]] = {}
    for event in events:
        if event["ph"] in ("M", "C") or event.get("s") in ("g", "p"):
            continue
        place = (event["pid"], event["tid"])
        stack = stacks.setdefault(place, [])
        if event["ph"] in "BXi":
            found += _push(stack, event)
        elif event["ph"] == "E":
            found += _pop(stack, event)
        else:
            key = (event["cat"], event["name"], event["id"])
            flows.setdefault(key, []).append((event["ph"], stack[-1].start if stack else -1))
            found += [] if stack and stack[-1].end >= event["ts"] else [f"flow {key} is bound to nothing at {place}"]
    left = ((place, it) for place, stack in stacks.items() for it in stack if it.end == math.inf)
    found += [f"{it.name!r} at {place} never ends" for place, it in left]
    return found + [what for key, steps in flows.items() for what in _flow(key, steps)]


def _push(stack: list[_Slice], event: Event) -> list[str]:
    """Put a slice on the stack as the importer does: instants lie on instants, all else ends where the next begins."""
    new = _Slice(event if event["ph"] != "i" else event | {"dur": 0})
    while stack and stack[-1].end <= new.start and not (stack[-1].start == stack[-1].end == new.start == new.end):
        stack.pop()
    if stack and new.end != math.inf and new.end > stack[-1].end:
        return [f"{new.name!r} begins in {stack[-1].name!r} and ends after it"]
    stack.append(new)
    return [f"{len(stack)} slices on one stack"] if len(stack) > DEEPEST else []


def _pop(stack: list[_Slice], event: Event) -> list[str]:
    while stack and stack[-1].end <= event["ts"]:
        stack.pop()
    if not stack or stack[-1].end != math.inf or event.get("name", stack[-1].name) != stack[-1].name:
        return [f"E at {event['ts']} ends nothing"]
    stack.pop()
    return []


def _flow(key: tuple[str, str, int], steps: list[tuple[str, int]]) -> list[str]:
    phases = "".join(ph for ph, _ in steps)
    if phases != "s" + "t" * (len(phases) - 2) + "f":
        return [f"flow {key} is {phases}"]
    starts = [start for _, start in steps]
    return [] if starts == sorted(starts) else [f"flow {key} would be drawn backwards"]


# -- counters ----------------------------------------------------------------------------------------


def _counters(events: list[Event]) -> list[str]:
    series: dict[tuple[int, str], list[str]] = {}
    found = []
    for event in events:
        if event["ph"] == "C":
            values = event["args"]
            if not values or not {type(value) for value in values.values()} <= {int, float}:
                found.append(f"counter {event['name']} is {values}")
            if series.setdefault((event["pid"], event["name"]), list(values)) != list(values):
                found.append(f"counter {event['name']} has other series: {list(values)}")
    return found
