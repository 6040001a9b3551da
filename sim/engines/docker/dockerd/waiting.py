"""WaitStop: whoever waits for a container's end is woken when its channel is closed, and does not look at its state.

SetStopped and SetRestarting close the channel and make a new one. A wait that begins while the container does not run
is over at once; one that has begun is over with the next closing, though the container may only wait for its restart,
or run again by then. Here a channel is the list of those who wait on it: to close it is to forget the list. One who has
given up stays on the list, where nobody looks for him. Left out: that up to 1.11 SetRunning closes the channel, too.
Source: D container/state.go 163-194 WaitStop, SetStopped, SetRestarting; moby 17.06 and later state.go Wait.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import reading
from sim.engine.records import Container
from sim.engine.traits import traits
from sim.facts import Forgot
from sim.world import Frame, Key, World


def _channel(container: str) -> str:
    return f"waits/{container}"


def begin_wait(g: Goroutine, name: str | None = None) -> bool:
    """Begin to wait for the container in variable `c`, with its lock held; return whether there is a wait.

    *name* is another goroutine of this process that is to wait; this one if it is None.
    """
    record, key = g.recall(f"container/{g['c']}"), _channel(g["c"])
    if not isinstance(record, Container) or not record.running:
        return False
    waiting = g.recall(key, ())
    g.remember(key, tuple(sorted({*waiting, name or g.frame.fid[1]})))
    return True


def wake(g: Goroutine) -> None:
    """Close the channel: all who wait are woken."""
    if g.recall(_channel(g["c"])) is not None:
        g.emit(Forgot(g.pid, _channel(g["c"])))


def stop_timeout(world: World, frame: Frame) -> int:
    """Return how long the container may take to stop, in µs: the request's time, or the container's own."""
    return max(_grace(world, frame), 0)


def waits_for_ever(world: World, frame: Frame) -> bool:
    """Return whether a stop goes on to nothing else: a negative time has no end, unless it is over at once."""
    return _grace(world, frame) < 0 and traits(world, frame.fid[0]).waits_for_ever


def _grace(world: World, frame: Frame) -> int:
    request = frame.local["request"]
    asked = request.data[1] if request is not None and isinstance(request.data, tuple) else None
    return int(world.services[frame.local["c"]].stop_timeout if asked is None else asked)


def _reads(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("memory", frame.fid[0], _channel(frame.local["c"])),)


@reading(_reads)
def stopped(world: World, frame: Frame) -> bool:
    """Return whether the wait is over: the channel that it waits on has been closed, or it never began."""
    return frame.fid[1] not in world.recall(frame.fid[0], _channel(frame.local["c"]), ())
