"""The pauses that a kubelet makes before it starts a container again: 10 s, twice as long each time, at most 300 s.

The first start after an end is at once; so is the next one after 10 min without an end. A pause begins when the kubelet
sees the end. It is forgotten with the pod, and with the kubelet. Leaves out that pods share one queue. Source: designs
§1 [S], numbers [K]; client-go util/flowcontrol/backoff.go, kuberuntime_manager.go doBackOff [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Sleep
from sim.engine.procedure import procedure
from sim.engine.traits import traits
from sim.facts import Forgot
from sim.world import Frame, World


def begin_pause(g: Goroutine) -> None:
    """Let the pause run that the next start has to wait for."""
    name = g["c"]
    g.cancel(f"quiet/{name}")
    g.remember(f"paused/{name}", g["record"].restart_count)
    g.start("kubelet.backoff", name, c=name, number=g["record"].restart_count)


def pause_of(world: World, frame: Frame) -> int:
    """Return how long it is, in µs."""
    pause = world.recall(frame.fid[0], f"pause/{frame.local['c']}")
    return int(pause) if pause is not None else traits(world, frame.fid[0]).first_backoff


def pause_over(g: Goroutine) -> None:
    """Let the container be started."""
    g.remember(f"due/{g['c']}", g["number"])


def lengthen(g: Goroutine) -> None:
    """Make the pause before the next start longer; after 10 min without an end it is none again."""
    name = g["c"]
    g.cancel(f"quiet/{name}")
    pause, mine = g.recall(f"pause/{name}") or 0, traits(g.world, g.pid)
    longest = mine.restart_cap or 2 * pause
    g.remember(f"pause/{name}", min(2 * pause, longest) if pause else mine.first_backoff)
    g.start("kubelet.quiet", name, c=name)


def forget_pauses(g: Goroutine) -> None:
    """Forget the pauses of a pod."""
    name = g["c"]
    g.cancel(f"quiet/{name}")
    g.cancel(f"backoff/{name}")
    for what in ("pause", "paused", "due", "failure"):
        if g.recall(f"{what}/{name}") is not None:
            g.emit(Forgot(g.pid, f"{what}/{name}"))


def quiet_for(world: World, frame: Frame) -> int:
    """Return after how long without an end the pauses begin anew, in µs."""
    return traits(world, frame.fid[0]).restart_reset


def quiet_over(g: Goroutine) -> None:
    """Forget the pause."""
    g.emit(Forgot(g.pid, f"pause/{g['c']}"))


PAUSES = (
    procedure("kubelet.backoff", Sleep("backoff", pause_of), Do(pause_over)),
    procedure("kubelet.quiet", Sleep("quiet", quiet_for), Do(quiet_over)),
)
