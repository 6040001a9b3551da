"""How much memory an engine's long-lived processes hold, from what was published and measured: a size for each program.

Models: resident memory of daemons, shims and proxies, as each program's role says, with what a daemon grows by for each
container that runs; and the sum of PSS, in which pages that processes of one program share count once. Leaves out what
lives for moments (runc, iptables, hooks), containers' own programs (`x-payload: memory` says theirs, and no engine
changes it), pages that different programs share (2 MB of dockerd's), and growth over time. Source: `sim.engine.role`,
where each size names its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from sim.designs import DESIGNS
from sim.engine.role import MB, Bytes, Kind, Rss

Counts = Iterable[tuple[str, int]]


def rss_of(design: str) -> dict[str, Rss]:
    """Return by role what a process of a design holds, where that is known.

    >>> [rss_of(design)["shim"].size for design in ("docker-1.13", "docker-18.09", "docker-26-separate")]
    [3600000, 5200000, 20801536]
    >>> [rss_of(design)["proxy"].size for design in ("docker-1.13", "docker-19.03", "docker-20.10")]
    [1160000, 1160000, 4500000]
    """
    programs = DESIGNS[design].programs
    return {name: program.role.rss for name, program in programs.items() if program.role.rss is not None}


def held(design: str, programs: Counts) -> Bytes:
    """Return the sum of RSS of so many processes of each program; a program without a size counts as nothing."""
    return sum(count * size for _, count, size in _sizes(design, programs))


def held_once(design: str, programs: Counts) -> float:
    """Return the sum of PSS: what the processes of one program share counts once; `nan` where that is not known.

    >>> held_once("docker-26", [("shim", 2)]) == held("docker-26", [("shim", 2)]) - rss_of("docker-26")["shim"].shared
    True
    >>> held_once("docker-1.13", [("shim", 1)]), held_once("docker-1.13", [("shim", 2)])
    (3600000.0, nan)
    """
    total = 0.0
    for rss, count, size in _sizes(design, programs):
        shared = math.nan if rss.shared is None else rss.shared
        total += size if count == 1 else count * (size - shared) + shared
    return total


def _sizes(design: str, programs: Counts) -> Iterator[tuple[Rss, int, Bytes]]:
    """Yield for each program that has a size and a process: that, how many there are, and what one holds now."""
    counts, sizes = dict(programs), rss_of(design)
    running = sum(counts.get(name, 0) for name in DESIGNS[design].of_kind(Kind.PAYLOAD))
    for name, rss in sizes.items():
        if counts.get(name):
            yield rss, counts[name], rss.at(running)


def size_text(rss: Rss) -> str:
    """Return a size in words.

    >>> size_text(Rss(80_000_000, "M here", grown=((10, 90_000_000),), shared=2_000_000))
    '80 MB, 90 MB with 10 containers, of which 2 MB are shared (M here)'
    """
    grown = "".join(f", {size / MB:.3g} MB with {count} containers" for count, size in rss.grown)
    shared = "" if rss.shared is None else f", of which {rss.shared / MB:.3g} MB are shared"
    return f"{rss.size / MB:.3g} MB{grown}{shared} ({rss.source})"
