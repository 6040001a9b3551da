"""kubelet.service beside the runtime's unit.

The kubelet does not wait for the runtime, and nothing ties the two units: it tries until somebody answers. kubeadm's
unit has Restart=always with RestartSec=10 and no start limit, and is of Type=simple [K]; KillMode= and TimeoutStopSec=
are systemd's defaults, and nobody else is in its control group. Leaves out a graceful shutdown of the node, which is
off by default [K]. Source: designs §1, §5.1.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.setup import S, Unit
from sim.engines.containerd.units import CONTAINERD_STATUS
from sim.engines.cri import kubelet
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import group
from sim.engines.host.units import engine_unit, unit_beside

KEYS = Unit("always", "control-group", 10 * S, 0, 0, 90 * S)  # kubeadm; systemd's defaults [K]


def _kubelet(g: Goroutine, name: str) -> Spawn:
    """Describe the kubelet."""
    return Spawn("kubelet", kubelet.ARGV, new_session=True, cgroup=group(g.world, name), oom_score_adj=-999)


KUBELET = unit_beside(
    "kubelet",
    "kubelet",
    KEYS,
    spawn=_kubelet,
    notify="",
    status=("kubelet: The Kubernetes Node Agent", "https://kubernetes.io/docs/", "/usr/bin/kubelet"),
)
CRIO_STATUS = ("Container Runtime Interface for OCI (CRI-O)", "https://github.com/cri-o/cri-o", "/usr/bin/crio")
WITH_CRIO = Systemd(engine_unit("crio", "crio", reload="HUP", status=CRIO_STATUS), KUBELET)
WITH_CONTAINERD = Systemd(engine_unit("containerd", "containerd", status=CONTAINERD_STATUS), KUBELET)
