"""How much memory an engine's long-lived processes hold, from published measurements: one number a program.

Models: resident memory of daemons, shims and proxies, as each program's role says; the range is said where there is
one. Leaves out what lives for moments (runc, iptables, hooks), containers' own programs (`x-payload: memory` says
theirs, and no engine changes it), shared pages (a sum of RSS counts them once a process) and growth. Source:
`sim.engine.role`, where each size names its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.designs import DESIGNS
from sim.engine.role import Rss


def rss_of(design: str) -> dict[str, Rss]:
    """Return by role what a process of a design holds, where that is known.

    >>> [rss_of(design)["shim"].size for design in ("docker-1.13", "docker-18.09", "docker-26-separate")]
    [3600000, 5200000, 11000000]
    >>> [rss_of(design)["proxy"].size for design in ("docker-1.13", "docker-19.03", "docker-20.10")]
    [1160000, 1160000, 4500000]
    """
    programs = DESIGNS[design].programs
    return {name: program.role.rss for name, program in programs.items() if program.role.rss is not None}


def held(design: str, programs: Iterable[tuple[str, int]]) -> int:
    """Return the bytes that so many processes of each program hold; a program without a size counts as nothing."""
    sizes = rss_of(design)
    return sum(sizes[program].size * count for program, count in programs if program in sizes)
