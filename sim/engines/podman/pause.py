"""podman pause and unpause, and the thaw of a paused container that is to be killed.

Source: podman v5.4.2, libpod/container_api.go 490-526 (Pause, Unpause), container_internal.go 1570-1585 (unpause),
runtime_ctr.go 844-866 (removeContainer).
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Label, run
from sim.engines.conmon.crun import crun
from sim.engines.host.daemon import event
from sim.engines.podman.common import BEGIN, LOCK, UNLOCK, fail, refuse, succeed
from sim.engines.podman.state import load, save
from sim.engines.podman.states import PAUSED, RUNNING, WITH_PROCESS, allows, moved
from sim.kernel import freezer


def begin_pause(g: Goroutine) -> str | None:
    """Refuse a container that does not run, or is paused already; for unpause one that is not."""
    record, verb = load(g), g["request"].kind
    if record is None or not allows(record, verb):
        refuse(g, record, verb)
        return "not_paused"
    return None


def freeze(g: Goroutine) -> Spawn:
    """Freeze or thaw the container's scope."""
    return thaw(g) if g["request"].kind == "unpause" else crun(g, "pause")


def frozen(g: Goroutine) -> str | None:
    """Write it down."""
    record, verb = load(g), g["request"].kind
    runs = record is not None and record.state in WITH_PROCESS
    if record is not None and runs and not save(g, moved(record, PAUSED if verb == "pause" else RUNNING)):
        return "not_paused"
    event(g, verb)
    return None


def must_thaw(g: Goroutine) -> str | None:
    """Go on to thaw a paused container that is to be killed, unless KILL gets through to it (cgroup v2)."""
    return None if freezer.holds_kill(g.world.host) else "lethal"


def thaw(g: Goroutine) -> Spawn:
    """Thaw the container's scope."""
    return crun(g, "resume")


def thawed(g: Goroutine) -> str | None:
    """Write down that it runs."""
    record = load(g)
    runs = record is not None and record.state in WITH_PROCESS
    return "not_stopped" if record is not None and runs and not save(g, moved(record, RUNNING)) else None


PAUSE = (
    BEGIN, LOCK, Do(begin_pause, "not_paused"), run(freeze, bad="not_paused"), Do(frozen, "not_paused"), UNLOCK,
    Exit(succeed), Label("not_paused"), UNLOCK, Exit(fail),
)  # fmt: skip
