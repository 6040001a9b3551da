"""A lane per process, and arrows from lane to lane: who forks, signals, is left to, and reaps whom.

PID 1 comes first, then daemons, then each container's processes, all in the order of their forks. Programs that do one
errand and end (a runtime and its hooks, iptables) share a lane, and their forks and waits have no arrows: a start of
a container is two dozen of them. Leaves out threads. Source: `sim.views.processes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sim.engine.setup import Microseconds
from sim.kernel.records import INIT
from sim.kernel.signals import NAMES
from sim.views.names import is_daemon, role_of
from sim.views.processes import FORK, OWN, REAP, Lived, Processes
from sim.views.timeline_parts import Arrow, Bar, LaneData

ERRAND = "errand"  # how it looks


def process_lanes(
    found: Processes,
    containers: Sequence[str],
    zero: Microseconds,
    begin: Microseconds,
    end: Microseconds,
    errands: str,
) -> tuple[tuple[LaneData, ...], tuple[Arrow, ...]]:
    """Return a lane for each process that lives within [*begin*, *end*] (µs from t = 0), and arrows between them.

    *errands* is what a container's errands are called, which share a lane.
    """
    seen = [place for place, it in enumerate(found.lived) if it.looks and it.end > begin and it.begin < end]
    rows = _rows(found.lived, seen, containers, errands)
    row_of = {place: number for number, row in enumerate(rows) for place in row}
    nth: Counter[str] = Counter()
    groups = [_group(found.lived[row[0]]) for row in rows]
    lanes = tuple(
        _lane([found.lived[place] for place in row], zero, errands, nth, before not in (None, group))
        for row, before, group in zip(rows, [None, *groups], groups, strict=False)
    )
    arrows = (
        Arrow(it.at - zero, row_of[it.source], row_of[it.target], it.kind, it.words)
        for it in found.between
        if begin <= it.at < end and it.source in row_of and it.target in row_of
        and not (it.kind in (FORK, REAP) and _errand(found.lived[it.target if it.kind == FORK else it.source]))
    )  # fmt: skip
    return lanes, tuple(arrow for arrow in arrows if arrow.source != arrow.target)


def _errand(lived: Lived) -> bool:
    return role_of(lived.program).brief


def _rows(lived: Sequence[Lived], seen: Iterable[int], containers: Sequence[str], errands: str) -> list[list[int]]:
    """Return which processes are on each lane, by their places."""
    order = {name: number for number, name in enumerate(containers)}
    rows: dict[str | int, list[int]] = {}
    for place in seen:
        rows.setdefault(_name(lived[place], errands) if _errand(lived[place]) else place, []).append(place)

    def rank(row: list[int]) -> tuple[int, int, bool, int]:
        it = lived[row[0]]
        if is_daemon(it.program):
            return 0, int(it.pid != INIT), False, row[0]
        mine = order.get(it.container.partition("/")[0], len(order))
        return 1 if it.container else 2, mine, _errand(it), row[0]

    return sorted(rows.values(), key=rank)


def _group(lived: Lived) -> str:
    return "daemons" if is_daemon(lived.program) else lived.container.partition("/")[0]


def _name(lived: Lived, errands: str) -> str:
    """Name a lane without its number.

    >>> _name(Lived(7, "shim", "shim", "web", ()), "errands"), _name(Lived(7, "hook", "exe", "web", ()), "errands")
    ('shim web', 'errands web')
    """
    if lived.pid == INIT:
        return lived.comm
    if not (_errand(lived) and lived.container):
        return f"{lived.program} {lived.container}".strip()
    return f"{errands} {lived.container}"


def _lane(row: Sequence[Lived], zero: Microseconds, errands: str, nth: Counter[str], apart: bool) -> LaneData:
    first, name, errand = row[0], _name(row[0], errands), _errand(row[0])
    nth[name] += 1
    bars = [bar for it in row for bar in process_bars(it, zero)]
    return LaneData(
        name=name if errand else f"{name} {first.pid}",
        bars=tuple(sorted(bars, key=lambda bar: bar.look != ERRAND)),  # what is seldom lies on top
        outcome=f"{len(row)} process{'es' * (len(row) != 1)}" if errand else ended(first),
        key=f"{name} {nth[name]}",
        apart=apart,
        busy=errand,
    )


def process_bars(lived: Lived, zero: Microseconds) -> tuple[Bar, ...]:
    """Return the bars of one process, from its fork until it was reaped."""
    return tuple(Bar(start - zero, end - zero, _look(lived, how)) for start, end, how in lived.looks)


def _look(lived: Lived, how: str) -> str:
    """Say how a process looks that lives so: daemons and errands have a look of their own while all is well."""
    if how != OWN:
        return how
    if is_daemon(lived.program) or not _errand(lived):
        return "daemon" if is_daemon(lived.program) else OWN
    return ERRAND


def ended(lived: Lived) -> str:
    """Say how a process ended.

    >>> ended(Lived(7, "shim", "shim", "web", (), -9)), ended(Lived(7, "shim", "shim", "web", (), 0))
    ('killed by KILL', 'exit 0')
    """
    if lived.status is None:
        return "runs on"
    return f"exit {lived.status}" if lived.status >= 0 else f"killed by {NAMES.get(-lived.status, lived.status)}"
