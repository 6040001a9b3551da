"""Which number a process of a host gets whose table was observed: that of the row which tells of it.

A row says by `is:` which process it is, in the words of a target (`shim/web`, `proxy/web:8080`). A fork takes the
number of a row that no living process bears; among several it takes the one with its own command line, else the one
below the same parent, else the smallest. So numbers need not rise in the order of the forks: a daemon may have been
started anew, and containers side by side. Forwarders of one container are told apart by what they listen at. Source:
the project's scenario language (`host.processes`).
"""

from __future__ import annotations

from typing import Any

from sim.engine.role import Kind
from sim.engine.setup import Observed, Setup, Target
from sim.kernel.records import INIT, Pid
from sim.world import World

Key = tuple[str, str]
LISTENS_AT = ("-proto", "-host-ip", "-host-port")  # words of a forwarder's command line that tell it from others


def expected(setup: Setup, design: Any) -> dict[Key, tuple[Observed, ...]]:
    """Return by program and container the rows that tell of processes of the engine and of containers.

    What descends from the first process of a container is any other process of its program.
    """
    found: dict[Key, list[Observed]] = {}
    members = design.of_kind(Kind.MEMBER)
    below = {row.pid for row in setup.host.processes if is_payload(design, row.target)}
    for row in setup.host.processes:
        target = row.target
        if target is None or row.pid == INIT:
            continue
        programs = members if row.ppid in below and is_payload(design, target) else design.meant_by(target.role)
        for program in programs:
            found.setdefault((program, target.container), []).append(row)
    return {key: tuple(sorted(rows, key=lambda row: row.pid)) for key, rows in found.items()}


def is_payload(design: Any, target: Target | None) -> bool:
    """Return whether a row tells of a container's program."""
    return target is not None and target.role in design.of_kind(Kind.PAYLOAD)


def number_of(world: World, program: str, container: str, argv: tuple[str, ...], parent: Pid) -> Pid | None:
    """Return the number that was observed for a process about to be forked; None if no row is left that tells of it."""
    rows = world.expected.get((program, container.partition("@")[0]), ())
    mine = [row for row in rows if row.pid not in world.host.procs and _listens_alike(argv, row.args)]
    words = " ".join(argv)
    best = min(mine, key=lambda row: (row.args != words, row.ppid != parent, row.pid), default=None)
    return None if best is None else best.pid


def _listens_alike(argv: tuple[str, ...], args: str) -> bool:
    """Return whether two command lines do not say of two forwarders that they listen at different places.

    >>> _listens_alike(("p", "-host-ip", "::"), "p -host-ip 0.0.0.0"), _listens_alike(("p",), "q -host-ip ::")
    (False, True)
    """
    words = args.split()
    for word in LISTENS_AT:
        if word in argv[:-1] and word in words[:-1] and argv[argv.index(word) + 1] != words[words.index(word) + 1]:
            return False
    return True
