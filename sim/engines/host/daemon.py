"""What daemons of engines do alike: they open a socket, answer who asked, and keep a record of each container.

A record stands in the daemon's memory and on the disk, under `Traits.records`; a daemon in which the two may differ
(engine-1.13 §16.9) writes them itself. Source: each daemon's own file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from sim.engine.containers import first_ns, scope_of, service_of
from sim.engine.engine import IN_MEMORY, file_of, record_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.records import Container
from sim.engine.role import HOST, Kind, Role
from sim.engine.traits import traits
from sim.facts import EngineEvent, Message
from sim.kernel import syscalls
from sim.kernel.records import INIT


def role(**fields: Any) -> Role:
    """Return the role of an engine's daemon, a unit of systemd that may stall and be slowed down; *fields* are its own.

    >>> role(order=10).home, role(kind=Kind.GUEST, home="dockerd").home
    ('init', 'dockerd')
    """
    alike: dict[str, Any] = {"kind": Kind.DAEMON, "home": "init", "target": HOST, "stalls_as": "daemon", "slows": True}
    return Role(**{**alike, **fields})


# -- how it begins ----------------------------------------------------------------------------------


def open_socket(g: Goroutine, address: str) -> None:
    """Listen at a socket, in place of whoever has left it there."""
    syscalls.unlisten(g.turn, address)
    syscalls.listen(g.turn, g.pid, address)


def tell_ready(g: Goroutine) -> None:
    """Tell systemd READY=1."""
    g.send(INIT, "notify", Message("READY", data=g.pid))


def open_for_all(g: Goroutine, *loops: str) -> None:
    """Open the engine's socket, start the procedures that take what comes for ever, and tell systemd."""
    open_socket(g, traits(g.world, g.pid).socket)
    for loop in loops:
        g.start(f"{g.frame.procedure.partition('.')[0]}.{loop}")
    tell_ready(g)


# -- what it answers --------------------------------------------------------------------------------


def answer(g: Goroutine, value: object = True) -> None:
    """Answer whoever asked, if anybody did: a daemon does some things by itself."""
    if g["request"] is not None:
        g.reply(g["request"].reply, value)


def refuse(g: Goroutine, text: str) -> None:
    """Answer that it cannot be done."""
    answer(g, Failure(text))


def succeed(g: Goroutine) -> None:
    """Answer that it is done."""
    answer(g)


def event(g: Goroutine, action: str, *attributes: tuple[str, str]) -> None:
    """State an event of the container in variable `c`, in Docker's words: die for an end, destroy for a removal."""
    g.emit(EngineEvent("container", action, g["c"], attributes))


# -- what it keeps ----------------------------------------------------------------------------------


def keep(g: Goroutine, record: Container) -> None:
    """Remember a container, and write it down."""
    g.remember(IN_MEMORY + record.name, record)
    syscalls.write_file(g.turn, file_of(g.world, record.name), record)


def change(g: Goroutine, **fields: Any) -> Container:
    """Keep the container in variable `c` with other *fields*; one that is not known yet begins as its file says."""
    before = record_of(g.recall(IN_MEMORY + g["c"])) or Container(g["c"], service_of(g).restart)
    after = replace(before, **fields)
    keep(g, after)
    return after


def on_disk(g: Goroutine) -> Iterator[Container]:
    """Yield the containers that are written down, in the order of the file."""
    found = (record_of(g.world.host.files.get(file_of(g.world, name))) for name in g.world.services)
    yield from [record for record in found if record is not None]


def first_process(g: Goroutine) -> Spawn:
    """Describe the fork of a container's first process by whoever executes its program, too: in a pid namespace."""
    service, argv = service_of(g), g.world.host.procs[g.pid].image.argv
    return Spawn(
        "payload",
        argv,
        service.name,
        local={"c": service.name},
        new_session=True,
        cgroup=scope_of(g.world, service),
        oom_score_adj=service.oom_score_adj,
        **first_ns(g.world, service),
    )
