"""How a shim v2 tells containerd of an event: a goroutine for each, which tries six times in 15 s.

Source: containerd v1.7.24 runtime/v2/shim/publisher.go; designs §3.6 [S*].
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Return, Sleep, call
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.facts import Message
from sim.kernel.records import Pid
from sim.world import Frame, World


def publish(g: Goroutine, kind: str, data: object) -> None:
    """Tell containerd of an event."""
    event = Message(kind, g["c"], None, data)
    g.start("shim.publish", f"{kind}/{g['x']}" if g["x"] else kind, c=g["c"], event=event, tries=0)


def containerd_at(world: World, frame: Frame) -> Pid | None:
    """Find who listens on the socket of the containerd that started this shim."""
    return world.host.listeners.get(traits(world, frame.fid[0]).containerd_socket)


def forward_event(g: Goroutine) -> Message:
    """Hand the event to containerd."""
    event = g["event"]
    return Message(event.kind, event.container, g.frame.fid, event.data)


def count_try(g: Goroutine) -> str | None:
    """Count a try that has failed; after the last (the sixth) the event is dropped."""
    g["tries"] = g["tries"] + 1
    return "dropped" if g["tries"] == traits(g.world, g.pid).publish_tries else None


def publish_again(world: World, frame: Frame) -> int:
    """Return the pause before the next try, in µs: 1 s, 2 s and so on, so that tries are at 0, 1, 3, 6, 10, 15 s."""
    return int(frame.local["tries"] * S)


PUBLISH = procedure(
    "shim.publish",
    Label("try"),
    call("exits", containerd_at, forward_event, lost="again"),
    Return(),
    Label("again"),
    Do(count_try, "dropped"),
    Sleep("publish_again", publish_again),
    Goto("try"),
    Label("dropped"),
)
