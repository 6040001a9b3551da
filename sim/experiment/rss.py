"""How much memory an engine's long-lived processes hold, from published measurements: one literal table.

Models: resident memory of daemons, shims and proxies, one number a program and generation; the range is said where
there is one. Leaves out what lives for moments (runc, iptables, hooks), containers' own programs (`x-payload: memory`
says theirs, and no engine changes it), shared pages (a sum of RSS counts them once a process) and growth. Source: each
row's mark; `designs.md` §9.1 of the project's facts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

MB = 1_000_000


class Rss(msgspec.Struct, frozen=True):
    """One program's resident memory in bytes; *designs* () is every design that no other row names."""

    program: str
    size: int
    source: str
    designs: tuple[str, ...] = ()


OLD = "issue, moby#35910: docker 17.10, 7 shims"
V1 = ("docker-18.09", "docker-19.03")  # those with containerd 1.2 and shims v1
V2 = ("docker-20.10", "docker-23", "docker-24", "docker-26", "docker-28", "containerd-cri")  # those with shims v2
SEPARATE = "-separate"  # containerd as a unit of its own: the same programs
RSS: tuple[Rss, ...] = (
    Rss("dockerd", round(80.8 * MB), f"{OLD}; 64 to 73 MB in bucketbench's README"),
    Rss("containerd", round(26.9 * MB), f"{OLD}; 41 to 46 MB in bucketbench's README"),
    Rss("shim", round(3.6 * MB), "issue, moby#26374: containerd 0.2, docker 1.12 and 1.13"),
    Rss("exec-shim", round(3.6 * MB), "as a shim"),
    Rss("proxy", round(1.16 * MB), "issue, moby#34328: 116 MB for 100 ports, 17.06"),
    Rss("proxy", round(10 * MB), "issue, moby#23166: 1 GB for 100 ports", ("docker-1.10",)),
    Rss("conmon", round(2.1 * MB), "issue: 1.8 to 2.4 MB"),
    Rss("containerd", round(60.5 * MB), "issue, containerd#2020: 57 to 64 MB, 1.0", V1 + V2),
    Rss("containerd", round(46 * MB), "issue, microk8s#4693: snap 1.31", ("containerd-cri",)),
    Rss("shim", round(5.2 * MB), "issue, containerd#1767: with ttrpc", V1),
    Rss("shim", round(11.0 * MB), "rust-extensions README: 1106 MB for 100 of runc-v2", V2),
    Rss("proxy", round(4.5 * MB), "issue, Memoh#946: 4 to 5 MB in 2026; 3.9 MB in 2021", V2),
)


def rss_of(design: str) -> dict[str, Rss]:
    """Return the rows that hold for a design, by program.

    >>> [rss_of(design)["shim"].size for design in ("docker-1.13", "docker-18.09", "docker-26-separate")]
    [3600000, 5200000, 11000000]
    """
    found = {row.program: row for row in RSS if not row.designs}
    return found | {row.program: row for row in RSS if design.removesuffix(SEPARATE) in row.designs}


def held(design: str, programs: Iterable[tuple[str, int]]) -> int:
    """Return the bytes that so many processes of each program hold; a program without a row counts as nothing."""
    rows = rss_of(design)
    return sum(rows[program].size * count for program, count in programs if program in rows)
