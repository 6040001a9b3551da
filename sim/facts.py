"""Facts about programs, in the past tense: goroutines, locks, queues, memory, and what views and people see.

`sim.world.evolve` applies them; the kernel's own facts are in `sim.kernel.events`. A field whose name ends in `pid`
holds a process number, and so does the first part of a goroutine's name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.kernel.records import Pid, Value

OPENED = "opened::"  # the mark of t = 0
Fid = tuple[Pid, str]  # a goroutine: its process and its name within it, such as `start/web`
Locals = dict[str, Any]  # never changed in place


class Message(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What one program sends to another; *reply* is the goroutine that waits for the answer."""

    kind: str
    container: str = ""
    reply: Fid | None = None
    data: Value = None


class FrameStarted(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine began at the first op of its procedure."""

    fid: Fid
    procedure: str
    local: Locals


class FrameMoved(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine went on to op number *op*; *local* holds the variables that changed."""

    fid: Fid
    op: int
    local: Locals | None = None


class FrameEnded(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine returned."""

    fid: Fid


class LockTaken(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine holds the lock; *pid* is the process whose lock it is, 0 for one of the kernel's."""

    pid: Pid
    name: str
    fid: Fid


class LockQueued(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine waits for the lock."""

    pid: Pid
    name: str
    fid: Fid


class LockReleased(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The lock passed to the first who waited, or is free."""

    pid: Pid
    name: str


class Sent(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A message stands at the end of the queue *name* of *pid*."""

    pid: Pid
    name: str
    message: Value


class Received(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The first message of the queue was taken."""

    pid: Pid
    name: str


class Replied(msgspec.Struct, frozen=True, tag=True, gc=False):
    """An answer waits for the goroutine that asked."""

    fid: Fid
    value: Value


class Remembered(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A program wrote to its memory."""

    pid: Pid
    key: str
    value: Value


class Forgot(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A program dropped something from its memory."""

    pid: Pid
    key: str


class Marked(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A moment that the scenario waits for has come for the *count*-th time."""

    name: str
    count: int


# -- facts that only views read --------------------------------------------------------------------


class EngineEvent(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What `docker events` prints: *kind* container, network, volume, daemon; *action*; the actor's attributes."""

    kind: str
    action: str
    container: str
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def word(self) -> str:
        """Return the action without what it says besides: `exec_start: ls -l` is an exec_start."""
        return self.action.partition(":")[0]


class StateChanged(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A container is creating, created, running, paused or stopped (OCI runtime specification's words)."""

    container: str
    state: str


class BecameReady(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The container's program answers on its ports, if it has any."""

    container: str


class StepTaken(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A step of the scenario began."""

    id: str


class StepDone(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A step of the scenario ended; *error* is the message that its user saw, "" for none."""

    id: str
    error: str = ""


class UnitChanged(msgspec.Struct, frozen=True, tag=True, gc=False):
    """systemd's unit is inactive, activating, active, deactivating, auto-restart or failed."""

    unit: str
    state: str
    main_pid: Pid = 0


class WriteBlocked(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A container's program waits in write(2) on a stream; *count* bytes stand between it and its log."""

    container: str
    stream: str
    count: int


class WriteResumed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The write(2) in which a container's program waited has returned."""

    container: str
    stream: str


WORLD_EVENTS: tuple[type, ...] = (
    FrameStarted, FrameMoved, FrameEnded, LockTaken, LockQueued, LockReleased, Sent, Received, Replied, Remembered,
    Forgot, Marked, EngineEvent, StateChanged, BecameReady, StepTaken, StepDone, UnitChanged,
    WriteBlocked, WriteResumed,
)  # fmt: skip
