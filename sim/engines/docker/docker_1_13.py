"""Docker 1.13.1 of CentOS/RHEL 7 (1.13.1-203.git0be3e21.el7): dockerd, containerd, proxies, a shim each."""

from __future__ import annotations

from sim.designs.design import Design
from sim.engine import client, execed, init, journald, payload, stranger, systemd
from sim.engines.containerd import boot as containerd
from sim.engines.containerd import exec_shim, runc, shim
from sim.engines.docker import netfilter, proxy, resolver
from sim.engines.docker.dockerd import program as dockerd
from sim.engines.docker.dockerd import top, verbs

DOCKER_1_13 = Design(
    "docker-1.13",
    "1.13.1-203.el7",
    "engine-1.13: the package's own source, 0be3e21",
    (
        systemd.PROGRAM,
        journald.PROGRAM,
        dockerd.PROGRAM,
        containerd.PROGRAM,
        shim.PROGRAM,
        runc.RUNC,
        runc.HOOK,
        resolver.PROGRAM,
        netfilter.IPTABLES,
        proxy.PROGRAM,
        payload.PROGRAM,
        payload.CHILD,
        init.APP,
        stranger.PROGRAM,
        exec_shim.PROGRAM,
        execed.PROGRAM,
        top.PS,
        verbs.VERSION_PROGRAM,
        client.PROGRAM,
    ),
)
