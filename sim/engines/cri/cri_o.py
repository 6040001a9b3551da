"""CRI-O with conmon below a kubelet: a conmon for each container, which PID 1 has; no pause, no containerd, no shim."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.setup import Daemon, S, Unit
from sim.engine.traits import Words, of_daemon
from sim.engines.conmon.conmon import CONMON
from sim.engines.conmon.crun import CRUN, CRUN_PROGRAM
from sim.engines.cri import client, cni, crio, crio_conmon, kubelet, units
from sim.engines.cri.engine import CRI
from sim.engines.host import execed, payload
from sim.engines.host.programs import on_host
from sim.kernel.records import V2

CRI_O = Design(
    "cri-o",
    "with conmon and systemd control groups, below a kubelet",
    "designs §4.1, §4.3 [S][I]; kubelet [K] where marked",
    on_host(
        crio.PROGRAM,
        kubelet.PROGRAM,
        crio_conmon.PROGRAM,
        CRUN_PROGRAM,
        cni.PROGRAM,
        systemd=units.WITH_CRIO,
        payload=payload.PROGRAM.under("conmon"),
        beside=(crio_conmon.EXEC_PROGRAM, execed.PROGRAM),
        client=client.PROGRAM,
    ),
    of_daemon(
        "crio",
        words=Words(crio.CRIO, (), (CONMON,), (CRUN,), ""),
        tree="systemd ─ crio; systemd ─ kubelet; systemd ─ conmon, one a container ─ program",
        cgroup=V2,
        oom_group=True,
        scope="/kubepods.slice/crio-{id}.scope",
        proxy_addresses=(),
        daemon=Daemon(userland_proxy=False, log_driver="json-file"),
        unit=Unit("on-failure", "control-group", 10 * S, 5, 10 * S, 90 * S),
        profile="crio-idle",
        first_backoff=10 * S,
        restart_cap=300 * S,
        restart_reset=600 * S,
        conmon_group=crio_conmon.GROUP,
        client="crictl",
        engine_score=-999,
        socket=crio.SOCKET,
        records="/var/lib/containers/storage/overlay-containers/{name}/userdata/state.json",
    ),
    CRI,
)
CRI_O_CGROUPFS = Design(
    "cri-o-cgroupfs",
    "with conmon in crio's own control group, below a kubelet",
    "designs §4.3 (cgroup_manager = cgroupfs) [I]; all else as cri-o",
    tuple(CRI_O.programs.values()),
    replace(CRI_O.traits, conmon_group=crio_conmon.OWN_GROUP),
    CRI,
)
