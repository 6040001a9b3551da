"""When a runtime made the sandbox of a pod, and which attempt of the pod's it is, gathered on the way through a trace.

The runtime's record holds neither. A sandbox that is made while the pod's last one was ready before is the pod's next
attempt; one that could not be made is tried again under the same number, since a runtime forgets it. Of a sandbox that
a disk tells of, the begin is not known. Source: kubernetes v1.30, pkg/kubelet/kuberuntime/kuberuntime_manager.go
computePodActions (Attempt + 1); containerd v1.7.24, pkg/cri/server/sandbox_run.go.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from sim.engine.engine import Notes
from sim.engine.setup import Microseconds
from sim.engines.cri.pods import Sandbox
from sim.facts import Remembered


class Attempt(msgspec.Struct, frozen=True):
    """A sandbox: the pod's *uid*, its number, when it was made (clock value in µs, None: before the run).

    *ready* is what the runtime said last, *served* that it has been ready.
    """

    uid: int
    number: int = 0
    created: Microseconds | None = None
    ready: bool = False
    served: bool = False


class Sandboxes(Notes):
    """Gathers the attempts, by pod."""

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}

    def of(self, name: str) -> Attempt:
        """Return the sandbox of a pod that the runtime knows."""
        return self.attempts[name]

    def take(self, event: Any, at: Microseconds) -> None:
        """Take what a runtime writes to its memory."""
        if isinstance(event, Remembered) and isinstance(event.value, Sandbox):
            self.note(event.value, at)

    def note(self, found: Sandbox, at: Microseconds) -> None:
        """Take what a runtime remembers of a sandbox from now on."""
        known = self.attempts.get(found.name)
        if known is None or known.uid != found.uid:
            known = Attempt(found.uid, created=None if found.ready else at)
        elif not (known.ready or found.ready or found.address):  # made, not stopped: that leaves it its address
            known = Attempt(found.uid, known.number + known.served, at)
        self.attempts[found.name] = replace(known, ready=found.ready, served=known.served or found.ready)
