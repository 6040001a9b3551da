"""What the programs of a run are called in tables and pictures, and how a picture draws each: by what they are.

Every word is that of a role or of the engine. Leaves out command lines (`sim.engine.traits`). Source: none; the
project's own wording.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sim.designs import Design, roles
from sim.engine.role import LAST, Kind, Role

UNKNOWN = Role(kind=Kind.STRANGER)
ONE_OF_A_KIND = frozenset({Kind.DAEMON, Kind.GUEST})  # a host has one of each: the name alone says it
PROGRAM = frozenset({Kind.PAYLOAD, Kind.SANDBOX, Kind.MEMBER, Kind.EXECED})
LOOKS: dict[Kind, str] = {  # how a tree draws it
    Kind.DAEMON: "daemon",
    Kind.GUEST: "daemon",
    Kind.HOLDER: "holder",
    Kind.FORWARDER: "forwarder",
    **dict.fromkeys(PROGRAM, "program"),
}


class Names(msgspec.Struct, frozen=True):
    """What the programs of an engine are called, "" for what it does not have.

    *client* is the command that asks the engine, *holder* holds a container, *keeper* is the daemon that starts holders
    and knows them, *errands* are what does one thing and ends, in short and in full. *reaper* gets the
    engine's orphans.
    """

    init: str = ""
    client: str = ""
    engine: str = ""
    keeper: str = ""
    holder: str = ""
    holders: str = ""
    forwarders: str = ""
    errands: str = ""
    every_errand: str = ""
    reaper: str = "PID 1"


def names_of(design: Design) -> Names:
    """Return what the programs of a design are called.

    >>> from sim.designs import DESIGNS
    >>> found = names_of(DESIGNS["docker-1.13"])
    >>> found.keeper, found.holders, found.forwarders
    ('containerd', 'shims', 'proxies')
    """
    holder = next((it for it in design.of_kind(Kind.HOLDER) if not design.roles[it].brief), "")
    forwarder = _first(design.of_kind(Kind.FORWARDER))
    short, full = design.engine.errands
    return Names(
        init=_first(design.of_kind(Kind.INIT)),
        client=design.traits.client,
        engine=design.traits.engine,
        keeper=design.engine.keeper if design.engine.keeper in design.roles else "",
        holder=holder,
        holders=plural(holder) if holder else "",
        forwarders=plural(forwarder) if forwarder else "",
        errands=short,
        every_errand=full,
    )


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")


def daemons(design: Design) -> tuple[str, ...]:
    """Return the daemons that are the engine's own, and not the host's, in the order of lists."""
    return tuple(it for it in design.of_kind(Kind.DAEMON, Kind.GUEST) if design.roles[it].order < LAST)


def role_of(program: str) -> Role:
    """Return the role of a program by its name; one that no design has is a stranger."""
    return roles().get(program, UNKNOWN)


def rank_of(program: str) -> int:
    """Return the place of a program in lists."""
    return role_of(program).order


def kind_of(program: str) -> tuple[str, bool]:
    """Return the kind of a program, and whether it ends with its errand."""
    role = role_of(program)
    return role.kind.value, role.brief


def is_daemon(program: str) -> bool:
    """Return whether a program is a daemon, or PID 1."""
    return role_of(program).kind in (Kind.INIT, Kind.DAEMON, Kind.GUEST)


def look_of(program: str) -> str:
    """Return how a tree draws a program: daemon, holder, forwarder, program, or "" for what has no fill.

    >>> look_of("exec-shim"), look_of("runc")
    ('holder', '')
    """
    return LOOKS.get(role_of(program).kind, "")


def noun_of(program: str) -> str:
    """Return what a legend calls a program that stands beside others of its kind.

    >>> noun_of("exec-shim"), noun_of("conmon")
    ('shim', 'conmon')
    """
    return role_of(program).noun or program


def plural(program: str) -> str:
    """Return the name of a program in the plural.

    >>> plural("shim"), plural("child")
    ('shims', 'children')
    """
    return role_of(program).plural or f"{program}s"


def counted(program: str, number: int) -> str:
    """Return how many there are of a program.

    >>> counted("dockerd", 1), counted("shim", 1), counted("proxy", 2)
    ('dockerd', '1 shim', '2 proxies')
    """
    if number == 1:
        return program if role_of(program).kind in ONE_OF_A_KIND else f"1 {program}"
    return f"{number} {plural(program)}"
