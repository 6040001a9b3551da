"""A lane per process, and arrows from lane to lane: who forks, signals, is left to, and reaps whom.

PID 1 comes first, then daemons, then each container's processes, all in the order of their forks. Programs that do one
errand and end (runc and its hooks, iptables, podman) share a lane, and their forks and waits have no arrows: a start of
a container is two dozen of them. Leaves out threads. Source: `sim.views.processes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sim.engine.setup import Microseconds
from sim.kernel.records import INIT
from sim.kernel.signals import NAMES
from sim.views.processes import FORK, OWN, REAP, Lived, Processes
from sim.views.timeline_parts import Arrow, Bar, LaneData

DAEMONS = ("init", "journald", "dockerd", "containerd", "crio", "kubelet")
ERRANDS = (
    "runc", "iptables", "hook", "resolver", "cni", "exec-shim", "exec", "podman", "netavark", "exec-conmon",
)  # fmt: skip
ERRAND, COMMAND = "errand", "command"  # how it looks, and where each command is a process


def process_lanes(
    found: Processes, containers: Sequence[str], zero: Microseconds, begin: Microseconds, end: Microseconds
) -> tuple[tuple[LaneData, ...], tuple[Arrow, ...]]:
    """Return a lane for each process that lives within [*begin*, *end*] (µs from t = 0), and arrows between them."""
    seen = [place for place, it in enumerate(found.lived) if it.looks and it.end > begin and it.begin < end]
    rows = _rows(found.lived, seen, containers)
    row_of = {place: number for number, row in enumerate(rows) for place in row}
    nth: Counter[str] = Counter()
    groups = [_group(found.lived[row[0]]) for row in rows]
    lanes = tuple(
        _lane([found.lived[place] for place in row], zero, nth, number > 0 and groups[number] != groups[number - 1])
        for number, row in enumerate(rows)
    )
    arrows = (
        Arrow(it.at - zero, row_of[it.source], row_of[it.target], it.kind, it.words)
        for it in found.between
        if begin <= it.at < end and it.source in row_of and it.target in row_of
        and not (it.kind in (FORK, REAP) and _errand(found.lived[it.target if it.kind == FORK else it.source]))
    )  # fmt: skip
    return lanes, tuple(arrow for arrow in arrows if arrow.source != arrow.target)


def _errand(lived: Lived) -> bool:
    return lived.program in ERRANDS


def _rows(lived: Sequence[Lived], seen: Iterable[int], containers: Sequence[str]) -> list[list[int]]:
    """Return which processes are on each lane, by their places."""
    order = {name: number for number, name in enumerate(containers)}
    rows: dict[str | int, list[int]] = {}
    for place in seen:
        rows.setdefault(_name(lived[place]) if _errand(lived[place]) else place, []).append(place)

    def rank(row: list[int]) -> tuple[int, int, bool, int]:
        it = lived[row[0]]
        if it.program in DAEMONS:
            return 0, int(it.pid != INIT), False, row[0]
        mine = order.get(it.container.partition("/")[0], len(order))
        return 1 if it.container else 2, mine, _errand(it), row[0]

    return sorted(rows.values(), key=rank)


def _group(lived: Lived) -> str:
    return "daemons" if lived.program in DAEMONS else lived.container.partition("/")[0]


def _name(lived: Lived) -> str:
    """Name a lane without its number.

    >>> _name(Lived(7, "shim", "shim", "web", ())), _name(Lived(7, "hook", "exe", "web", ()))
    ('shim web', 'runc, hooks web')
    """
    if lived.pid == INIT:
        return lived.comm
    if not (_errand(lived) and lived.container):
        return f"{lived.program} {lived.container}".strip()
    return f"{'podman, crun' if lived.commands else 'runc, hooks'} {lived.container}"


def _lane(row: Sequence[Lived], zero: Microseconds, nth: Counter[str], apart: bool) -> LaneData:
    first, name, errand = row[0], _name(row[0]), _errand(row[0])
    nth[name] += 1
    bars = [bar for it in row for bar in process_bars(it, zero)]
    return LaneData(
        name=name if errand else f"{name} {first.pid}",
        bars=tuple(sorted(bars, key=lambda bar: bar.look not in (ERRAND, COMMAND))),  # what is seldom lies on top
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
    if lived.program in DAEMONS or not _errand(lived):
        return "daemon" if lived.program in DAEMONS else OWN
    return COMMAND if lived.commands else ERRAND


def ended(lived: Lived) -> str:
    """Say how a process ended.

    >>> ended(Lived(7, "shim", "shim", "web", (), -9)), ended(Lived(7, "shim", "shim", "web", (), 0))
    ('killed by KILL', 'exit 0')
    """
    if lived.status is None:
        return "runs on"
    return f"exit {lived.status}" if lived.status >= 0 else f"killed by {NAMES.get(-lived.status, lived.status)}"
