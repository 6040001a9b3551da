"""What is true of a kubelet's host alone: pods have sandboxes, and the API server keeps what is wanted of them.

Source: designs §5.1 [S].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import sandbox
from sim.engine.engine import START, Engine, daemon_faults
from sim.engine.setup import Instant, Step, Systemctl
from sim.engine.unread import Unread
from sim.engines.conmon.unread import CONMON
from sim.engines.containerd.unit_faults import CONTAINERD_UNIT
from sim.engines.containerd.unread import CONTAINERD
from sim.engines.cri import meaning, vocabulary
from sim.engines.cri.attempts import Sandboxes
from sim.engines.cri.client import NO_RUNTIME, typed
from sim.engines.cri.pods import Sandbox, Services, Spec, Status, disk_of_a_running_host, is_wanted
from sim.engines.host.reach import address_in

START_KUBELET = Step("(start kubelet)", Instant("after"), Systemctl("start", "kubelet"))

KUBELET = Unread(peer_is_read=("kubelet.pleg",), tried=True)  # a listing is of the runtime that was asked


def faults_of_containerd(design: Any) -> dict[str, str]:
    """Return how the matrix's faults are written where the engine is containerd."""
    return daemon_faults(design) | CONTAINERD_UNIT | {"F3": "kill containerd"}


CRI = Engine(
    disk=disk_of_a_running_host,
    starts=("containerd.start_container", "crio.start_container"),
    start=(START, START_KUBELET),
    typed=typed,
    vocabulary=vocabulary.PODS,
    services=Services,
    records=(Spec, Status, Sandbox),
    address=address_in,
    shim_of=sandbox,
    refuses=meaning.refuses,
    instead=meaning.instead,
    fit=meaning.fit,
    errands=("runtime, CNI", "the OCI runtime, CNI plugins"),
    unreached=NO_RUNTIME,
    notes=Sandboxes,
    shown=(Sandbox,),
    unread=(CONTAINERD, CONMON, KUBELET),
    wanted=is_wanted,
    policy_source="pkg/kubelet/container/helpers.go ShouldContainerBeRestarted",
)
CONTAINERD_CRI_ENGINE = replace(
    CRI, faults=faults_of_containerd, keeper="containerd", vocabulary=vocabulary.WITH_CONTAINERD
)
