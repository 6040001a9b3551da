"""What runs on every host besides an engine: PID 1, journald, containers' programs, strangers, people at terminals.

Leaves out docker-init, which is the payload's own first op. Source: each program's own file.
"""

from __future__ import annotations

from sim.engine.program import Program
from sim.engine.role import Kind
from sim.engines.host import bystander, children, init, journald, stranger, subreaper
from sim.engines.host import client as people
from sim.engines.host import payload as containers
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.units import engine_unit


def on_host(
    *programs: Program,
    systemd: Systemd | None = None,
    payload: Program = containers.PROGRAM,
    beside: tuple[Program, ...] = (),
    client: Program = people.PROGRAM,
) -> tuple[Program, ...]:
    """Return the programs of a design: those of its engine, and those of every host, in the order of lists.

    Without *systemd* PID 1 has a unit for the one daemon among *programs*, called as that is. *payload* is the first
    process of a container as the engine starts it, *beside* are others that run in containers; *client* are people, who
    type the engine's commands.
    """
    if systemd is None:
        daemons = [program.name for program in programs if program.role.kind is Kind.DAEMON]
        if len(daemons) > 1:
            raise ValueError(f"which of {', '.join(daemons)} is the engine's own unit? Give on_host a systemd")
        systemd = Systemd(*(engine_unit(name, name) for name in daemons))
    of_containers = (payload, children.CHILD, init.APP, stranger.PROGRAM, bystander.PROGRAM, *beside)
    return (systemd, journald.PROGRAM, *programs, *of_containers, subreaper.PROGRAM, client)
