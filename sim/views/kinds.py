"""What kind of process a program is in a world: a daemon, a holder, an errand. Source: `sim.engine.role`."""

from __future__ import annotations

from sim.engine.role import LAST, Kind, Role
from sim.kernel.records import INIT, NO_POWER, Image, Pid, Status
from sim.kernel.signals import NAMES
from sim.world import World

NOBODY = Role(kind=Kind.STRANGER)


def role_of(world: World, program: str) -> Role:
    """Return what a program is to its host; one that no design has is a stranger."""
    roles: dict[str, Role] = world.design.roles
    return roles.get(program, NOBODY)


def connected(world: World, pid: Pid, other: object) -> str:
    """Return the words for a daemon's connection to another, "" if *other* is none: it gave up, or asks itself."""
    if not isinstance(other, int) or other == pid:
        return ""
    names = [image.program for it in (pid, other) if (image := _image(world, it)) is not None]
    return " connected to ".join(names) if len(names) == 2 else ""


def _image(world: World, pid: Pid) -> Image | None:
    process = world.host.procs.get(pid)
    return None if process is None else process.image


def is_daemon(world: World, program: str) -> bool:
    """Return whether a program is a daemon, whoever keeps it."""
    return role_of(world, program).kind in (Kind.DAEMON, Kind.GUEST)


def is_daemon_of_engine(world: World, program: str) -> bool:
    """Return whether a daemon is one of the engine's: lists of processes rank those, and not the host's own."""
    return is_daemon(world, program) and role_of(world, program).order < LAST


def is_holder(world: World, program: str) -> bool:
    """Return whether a program holds a container, not a command that is executed in one."""
    role = role_of(world, program)
    return role.kind is Kind.HOLDER and not role.brief


def is_command(world: World, program: str) -> bool:
    """Return whether an errand is people's: it was begun under PID 1 and by no daemon."""
    role = role_of(world, program)
    return role.kind is Kind.ERRAND and role.home == world.host.procs[INIT].image.program


def is_helper(world: World, program: str) -> bool:
    """Return whether a program does one thing for an engine and ends."""
    return role_of(world, program).kind is Kind.ERRAND and not is_command(world, program)


def is_own_program(world: World, program: str) -> bool:
    """Return whether a program is the one that a container was made for."""
    return role_of(world, program).kind is Kind.PAYLOAD


def speaks_for_engine(world: World, image: Image) -> bool:
    """Return whether a process gives a container orders: a daemon of its engine, who holds it, or an errand of them."""
    role = role_of(world, image.program)
    return is_daemon_of_engine(world, image.program) or role.kind in (Kind.HOLDER, Kind.ERRAND)


def end_of(status: Status) -> str:
    """Write how a process has ended.

    >>> end_of(2), end_of(-9), end_of(NO_POWER)
    ('exit 2', 'killed by KILL', 'gone with the power')
    """
    if status == NO_POWER:
        return "gone with the power"
    return f"exit {status}" if status >= 0 else f"killed by {NAMES[-status]}"
