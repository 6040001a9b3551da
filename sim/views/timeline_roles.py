"""How many there are of each role and how they live, over time: a picture that does not grow with the containers.

Containers are counted by the looks of their lanes; holders, programs, forwarders and errands by those of their
processes. Leaves out which is which. Source: `sim.views.timeline_lanes`, `sim.views.processes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.engine.role import Kind
from sim.engine.setup import Microseconds
from sim.views import interval_parts as v
from sim.views.names import Names, plural, role_of
from sim.views.timeline_parts import Bar, LaneData, Stack, Window, open_counts

PROGRAMS = (Kind.PAYLOAD, Kind.MEMBER)

LAYERS = (
    v.KEPT, v.REATTACHED, v.ORPHANED, v.NOBODY, v.ATTACHED, v.UNATTACHED, v.ALONE, v.UNHELD, "stopping", "unready",
    "starting", "own", "daemon", "errand", "adopted", "halted", "zombie",
)  # fmt: skip


def role_stacks(
    containers: Sequence[LaneData],
    processes: Sequence[tuple[str, tuple[Bar, ...]]],
    begin: Microseconds,
    end: Microseconds,
    names: Names,
) -> tuple[Stack, ...]:
    """Return a stack of containers, then one of each role; *processes* are (program, bars), times µs from the fault."""
    stacks = [_stack("containers", (bar for lane in containers for bar in lane.bars), begin, end)]
    rows: dict[str, list[Bar]] = {}
    for program, bars in sorted(processes, key=lambda it: _rank(it[0])):
        rows.setdefault(_row(program, names), []).extend(bars)
    stacks += [_stack(name, bars, begin, end) for name, bars in rows.items() if name]
    return tuple(stack for stack in stacks if stack.most)


def _row(program: str, names: Names) -> str:
    """Return the name of the stack that a program is counted in; "" for what is counted in none."""
    role = role_of(program)
    if role.brief:
        return f"{names.errands}, …"
    if role.kind in PROGRAMS:
        return "programs"
    return plural(program) if role.kind in (Kind.HOLDER, Kind.FORWARDER) else ""


def _rank(program: str) -> tuple[int, int]:
    """Order stacks: holders, programs, forwarders, errands."""
    role = role_of(program)
    kinds = (Kind.HOLDER, *PROGRAMS, Kind.FORWARDER)
    return (len(kinds) if role.brief or role.kind not in kinds else kinds.index(role.kind)), role.order


def _stack(name: str, bars: Iterable[Bar], begin: Microseconds, end: Microseconds) -> Stack:
    """Count bars by look within [*begin*, *end*]."""
    windows: dict[str, list[Window]] = {}
    for bar in bars:
        if bar.end > begin and bar.start < end:
            windows.setdefault(bar.look, []).append((max(bar.start, begin), min(bar.end, end)))
    layers = tuple((look, open_counts(windows[look], begin, end)) for look in LAYERS if look in windows)
    every = open_counts([it for found in windows.values() for it in found], begin, end)
    return Stack(name, max((count for *_, count in every), default=0), layers)
