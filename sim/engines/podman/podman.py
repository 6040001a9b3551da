"""podman of the v4 to v6 line, rootful: no daemon, a conmon under PID 1 for each container, ports by DNAT alone."""

from __future__ import annotations

from sim.designs.design import Design
from sim.engine.setup import Daemon
from sim.engine.traits import Traits, Words
from sim.engines.conmon import conmon, crun
from sim.engines.host import execed, payload
from sim.engines.host.programs import on_host
from sim.engines.podman import client, command, network, units
from sim.engines.podman.engine import PODMAN_ENGINE

PODMAN = Design(
    "podman",
    "rootful, v4 to v6",
    "designs §4.1, §4.2 [S]; conmon 2.2.1, libpod [K] where marked",
    on_host(
        command.PROGRAM,
        conmon.PROGRAM,
        crun.CRUN_PROGRAM,
        network.PROGRAM,
        systemd=units.WITHOUT_UNITS,
        payload=payload.PROGRAM.under("conmon"),
        beside=(conmon.EXEC_PROGRAM, execed.PROGRAM),
        client=client.PROGRAM,
    ),
    Traits(
        words=Words((), (), (conmon.CONMON,), (crun.CRUN,), ""),
        tree="systemd ─ conmon ─ program; each podman command a process of its own",
        conmon_group="/machine.slice/libpod-conmon-{id}.scope",
        scope="/machine.slice/libpod-{id}.scope",
        proxy_addresses=(),
        daemon=Daemon(userland_proxy=False),
        profile="podman-idle",
        client="podman",
    ),
    PODMAN_ENGINE,
)
