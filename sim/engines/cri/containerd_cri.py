"""containerd's CRI plugin below a kubelet: shims v2, one for each pod, which PID 1 has; containerd writes the logs."""

from __future__ import annotations

from sim.designs.design import Design
from sim.engine import paths
from sim.engine.role import MB, Kind, Rss
from sim.engine.setup import Daemon, S
from sim.engine.traits import Words, of_daemon
from sim.engines.containerd.release import SERVICE, SHIM_RSS, SOCKET, UNVERIFIED, containerd_of
from sim.engines.cri import client, cni, kubelet, plugin, shim, units
from sim.engines.cri.engine import CONTAINERD_CRI_ENGINE
from sim.engines.host import execed
from sim.engines.host.programs import on_host
from sim.kernel.records import V2

CONTAINERD = ("/usr/bin/containerd",)
PLUGIN = plugin.PROGRAM.with_role(
    kind=Kind.DAEMON, home="init", rss=Rss(round(46 * MB), "issue, microk8s#4693: snap 1.31")
)
CONTAINERD_CRI = Design(
    "containerd-cri",
    "1.7 to 2.1, below a kubelet",
    "designs §3.1, §5.1 [S]; kubelet [K] where marked",
    on_host(
        PLUGIN,
        kubelet.PROGRAM,
        shim.SHIM_COMMAND,
        shim.SHIM.with_role(rss=SHIM_RSS),
        shim.RUNC,
        shim.PAUSE,
        cni.PROGRAM,
        systemd=units.WITH_CONTAINERD,
        beside=(execed.PROGRAM,),
        client=client.PROGRAM,
    ),
    containerd_of(
        "1.7.24",
        of_daemon(
            "containerd",
            words=Words(
                CONTAINERD,
                CONTAINERD,
                ("/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", SOCKET),
                ("runc", "--root", "/run/containerd/runc/k8s.io"),
                "",
            ),
            unverified=UNVERIFIED,
            tree="systemd ─ containerd; systemd ─ kubelet; systemd ─ shim, one a pod ─ pause, program",
            shim_command_threads=9,
            cgroup=V2,
            oom_group=True,
            scope="/kubepods.slice/cri-containerd-{id}.scope",
            proxy_addresses=(),
            daemon=Daemon(userland_proxy=False, log_driver="json-file"),
            first_backoff=10 * S,
            restart_cap=300 * S,
            restart_reset=600 * S,
            unit=SERVICE,
            containerd_score=-999,
            profile="cri-idle",
            client="crictl",
            engine_score=-999,
            socket=paths.SERVICE_SOCK,
            containerd_socket=paths.SERVICE_SOCK,
            records="/var/lib/containerd/io.containerd.grpc.v1.cri/containers/{name}",
        ),
    ),
    CONTAINERD_CRI_ENGINE,
)
