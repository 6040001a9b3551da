"""podman, rootful, in its versions: no daemon, a conmon under PID 1 for each container, ports by DNAT alone."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.setup import Daemon
from sim.engine.traits import Traits, Words
from sim.engines.conmon import conmon, crun
from sim.engines.host import execed, payload
from sim.engines.host.programs import on_host
from sim.engines.podman import client, command, network, units
from sim.engines.podman.engine import PODMAN_ENGINE
from sim.engines.podman.ladder import VERSION_4_9, VERSION_5_0, VERSION_5_2, VERSION_5_6, Version
from sim.kernel.records import V2

PODMAN = Design(
    "podman",
    "rootful, 5.3 to 5.5",
    "designs §4.1, §4.2 [S]; podman v5.4.2 [S][M]; conmon 2.1.12 [S]",
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
        cgroup=V2,
        conmon_group="/machine.slice/libpod-conmon-{id}.scope",
        scope="/machine.slice/libpod-{id}.scope",
        proxy_addresses=(),
        daemon=Daemon(userland_proxy=False),
        profile="podman-idle",
        client="podman",
    ),
    PODMAN_ENGINE,
)


def _version(name: str, title: str, source: str, version: Version) -> Design:
    programs = tuple(PODMAN.programs.values())
    return Design(name, title, f"podman {source} [S]", programs, PODMAN.traits, replace(PODMAN_ENGINE, version=version))


PODMAN_4_9 = _version("podman-4.9", "rootful, 4.6 to 4.9", "v4.6.0, v4.9.0", VERSION_4_9)
PODMAN_5_0 = _version("podman-5.0", "rootful, 5.0", "v5.0.0", VERSION_5_0)
PODMAN_5_2 = _version("podman-5.2", "rootful, 5.1 and 5.2", "v5.1.0, v5.2.0", VERSION_5_2)
PODMAN_5_6 = _version("podman-5.6", "rootful, 5.6 to 5.8", "v5.6.0, v5.8.2", VERSION_5_6)
