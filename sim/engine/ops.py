"""The vocabulary of procedures: what a goroutine can do in one step.

An op says whether it is ready, what that reads (so that it is asked again only when that was touched), and what happens
when it is taken. One op is at most one blocking point. Silent ops, which nobody else can see or be hurt by (locks, the
start of a goroutine, the return), are taken together with the op before them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sim.engine.goroutine import Failure, Goroutine, ModelFault, Spawn, describe, spawn
from sim.facts import FrameEnded, LockQueued, LockReleased, LockTaken, Message, Received
from sim.kernel import syscalls
from sim.kernel.records import OUTSIDE, Pid
from sim.world import Frame, Key, World

Microseconds = int


class Condition(Protocol):
    """What a wait asks: False while not, True when so, or the label to go on at. *reads* names what it looks at."""

    __name__: str
    reads: Callable[[World, Frame], Iterable[Key]]

    def __call__(self, world: World, frame: Frame) -> bool | str: ...


def reading(reads: Callable[[World, Frame], Iterable[Key]]) -> Callable[[Any], Condition]:
    """Mark a function of (world, frame) as a condition that reads these parts of the world."""

    def mark(function: Any) -> Condition:
        function.reads = reads
        return function  # type: ignore[no-any-return]

    return mark


class Op:
    """One entry of a procedure. *timer* ops pass with time alone; *silent* ones go with the op before them."""

    name = ""
    timer = False
    silent = False
    jump = False
    within: Microseconds | Callable[[World, Frame], Microseconds] | None = None
    labels: tuple[str, ...] = ()
    index = 0
    ends = False  # nothing follows it
    goto: dict[str, int]

    def ready(self, world: World, frame: Frame) -> bool:
        """Say whether it may be taken now."""
        return True

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        """Name what its readiness depends on."""
        return ()

    def take(self, g: Goroutine) -> int | None:
        """Let it happen; return the index to go on at, None to stay."""
        raise NotImplementedError

    def late(self, g: Goroutine) -> int | None:
        """Let its time limit pass."""
        return self.goto[self.labels[-1]]


class Do(Op):
    """Call a function of the goroutine; it may return one of the labels to go on at."""

    def __init__(self, function: Callable[[Goroutine], str | None], *labels: str) -> None:
        self.function, self.labels, self.name = function, labels, function.__name__

    def take(self, g: Goroutine) -> int | None:
        label = self.function(g)
        return self.index + 1 if label is None else self.goto[label]


class Lock(Op):
    """Take a lock of this process, first come first served; `kernel:NAME` is one of the host's."""

    silent = True

    def __init__(self, name: str) -> None:
        self.template, self.name = name, f"lock_{name.partition('/')[0]}"

    def owner(self, frame: Frame) -> tuple[Pid, str]:
        """Return whose lock it is, and its name."""
        name = self.template.format_map(frame.local) if "{" in self.template else self.template
        return (OUTSIDE, name[7:]) if name.startswith("kernel:") else (frame.fid[0], name)

    def ready(self, world: World, frame: Frame) -> bool:
        lock = world.lock(*self.owner(frame))
        return lock is None or lock.holder == frame.fid

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("lock", *self.owner(frame), frame.fid),)

    def take(self, g: Goroutine) -> int | None:
        pid, name = self.owner(g.frame)
        lock = g.world.lock(pid, name)
        if lock is None:
            g.emit(LockTaken(pid, name, g.frame.fid))
        elif lock.holder != g.frame.fid:
            if g.frame.fid not in lock.waiting:
                g.emit(LockQueued(pid, name, g.frame.fid))
            return None
        return self.index + 1


class Unlock(Lock):
    """Release a lock; the first who waits has it then."""

    def ready(self, world: World, frame: Frame) -> bool:
        return True

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return ()

    def take(self, g: Goroutine) -> int | None:
        pid, name = self.owner(g.frame)
        lock = g.world.lock(pid, name)
        if lock is None or lock.holder != g.frame.fid:
            raise ModelFault(f"{describe(g.world, g.frame)} releases lock {name}, which it does not hold")
        g.emit(LockReleased(pid, name))
        return self.index + 1


class Fork(Op):
    """Start a child process; its pid goes into the variable *into*. The function may return None for no child.

    *pin* names a number that was observed for this fork. Numbers are given out in rising order, so a fork with such a
    number waits until every smaller one that was observed has been given out.
    """

    def __init__(
        self,
        how: Callable[[Goroutine], Spawn | None],
        into: str = "child_pid",
        pin: Callable[[World, Frame], Pid | None] | None = None,
    ) -> None:
        self.how, self.into, self.pin, self.name = how, into, pin, f"fork_{how.__name__}"

    def number(self, world: World, frame: Frame) -> Pid | None:
        """Return the number that was observed for this fork, None once it has been given out."""
        number = None if self.pin is None else self.pin(world, frame)
        return number if number in world.host.reserved else None

    def ready(self, world: World, frame: Frame) -> bool:
        number = self.number(world, frame)
        return number is None or number == min(world.host.reserved)

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return () if self.number(world, frame) is None else (("reserved",),)

    def take(self, g: Goroutine) -> int | None:
        how = self.how(g)
        number = self.number(g.world, g.frame)
        g[self.into] = None if how is None else spawn(g.turn, g.pid, how, number)
        return self.index + 1


class Reap(Op):
    """Wait for the child in variable *child* and reap it; its status goes into `status`.

    A status of 0 leads to label *good*, another one to *bad*, where given. No child (None) counts as reaped, with 0.
    """

    def __init__(self, child: str = "child_pid", *, good: str | None = None, bad: str | None = None) -> None:
        self.child, self.good, self.bad, self.name = child, good, bad, f"reap_{child.removesuffix('_pid')}"
        self.labels = tuple(label for label in (good, bad) if label)

    def ready(self, world: World, frame: Frame) -> bool:
        child = frame.local[self.child]
        return child is None or child in world.host.zombies.get(frame.fid[0], ())

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("proc", frame.local[self.child]),)

    def take(self, g: Goroutine) -> int | None:
        g["status"] = status = 0 if g[self.child] is None else _reap(g, g[self.child])[1]
        label = self.bad if status else self.good
        return self.index + 1 if label is None else self.goto[label]


def _reap(g: Goroutine, child: Pid | None) -> tuple[Pid, int]:
    reaped = syscalls.wait4(g.turn, g.pid, child)
    assert reaped is not None, f"{describe(g.world, g.frame)} finds no zombie {child or ''} of its own"
    return reaped


class ReapAny(Op):
    """Wait for any child; its pid goes into `reaped_pid`, its status into `status`."""

    name = "reap_any"

    def ready(self, world: World, frame: Frame) -> bool:
        return bool(world.host.zombies.get(frame.fid[0]))

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("children", frame.fid[0]),)

    def take(self, g: Goroutine) -> int | None:
        g["reaped_pid"], g["status"] = _reap(g, None)
        return self.index + 1


class Ask(Op):
    """Send a request to the peer that *peer* finds (its pid, or None for refused) and go on to wait for the answer."""

    def __init__(
        self,
        queue: str,
        peer: Callable[[World, Frame], Pid | None],
        request: Callable[[Goroutine], Message],
        refused: str,
    ) -> None:
        self.queue, self.peer, self.request, self.labels = queue, peer, request, (refused,)
        self.name = f"ask_{request.__name__}"

    def take(self, g: Goroutine) -> int | None:
        pid = self.peer(g.world, g.frame)
        if pid is None or not g.world.host.alive(pid):
            return self.goto[self.labels[0]]
        g["peer_pid"] = pid
        g.send(pid, self.queue, self.request(g))
        return self.index + 1


class Answered(Op):
    """Wait for the answer; it goes into `answer`. A dead peer leads to *lost*, a `Failure` to *failed*."""

    def __init__(self, name: str, lost: str, failed: str, within: Any = None, late: str | None = None) -> None:
        self.labels = (lost, failed, *((late,) if late else ()))
        self.name, self.within = f"answer_{name}", within

    def ready(self, world: World, frame: Frame) -> bool:
        return frame.fid in world.replies or not world.host.alive(frame.local["peer_pid"])

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("reply", frame.fid), ("proc", frame.local["peer_pid"]))

    def take(self, g: Goroutine) -> int | None:
        if g.frame.fid not in g.world.replies:
            return self.goto[self.labels[0]]
        g["answer"] = answer = g.world.replies[g.frame.fid]
        return self.goto[self.labels[1]] if isinstance(answer, Failure) else self.index + 1


class Wait(Op):
    """Wait until a condition holds; after *within* µs go on at label *late*."""

    def __init__(
        self,
        condition: Condition,
        *labels: str,
        within: Microseconds | Callable[[World, Frame], Microseconds] | None = None,
        late: str | None = None,
    ) -> None:
        assert (within is None) == (late is None), "a time limit needs a label, and a label a time limit"
        self.condition, self.within, self.name = condition, within, condition.__name__
        self.labels = (*labels, *((late,) if late else ()))
        self.late_label = late

    def ready(self, world: World, frame: Frame) -> bool:
        return self.condition(world, frame) is not False

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return self.condition.reads(world, frame)

    def take(self, g: Goroutine) -> int | None:
        answer = self.condition(g.world, g.frame)
        return self.goto[answer] if isinstance(answer, str) else self.index + 1


class Sleep(Op):
    """Let time pass: µs, or a function of (world, frame) that says how many."""

    timer = True

    def __init__(self, name: str, duration: Microseconds | Callable[[World, Frame], Microseconds]) -> None:
        self.name, self.duration = name, duration

    def nominal(self, world: World, frame: Frame) -> Microseconds:
        """Return how long it takes before the profile's spread."""
        return self.duration if isinstance(self.duration, int) else self.duration(world, frame)

    def take(self, g: Goroutine) -> int | None:
        return self.index + 1


class Every(Op):
    """A ticker: go on at each multiple of *period* since its goroutine began.

    While *idle* says that a tick would change nothing it sleeps, and rings at its next phase once something that *idle*
    reads was touched.
    """

    timer = True

    def __init__(self, name: str, period: Microseconds, idle: Condition) -> None:
        self.name, self.period, self.idle = name, period, idle

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return self.idle.reads(world, frame)

    def take(self, g: Goroutine) -> int | None:
        return self.index + 1


class Serve(Op):
    """Take requests from a queue for ever: each starts the procedure that *table* names for its kind."""

    def __init__(self, queue: str, table: dict[str, str]) -> None:
        self.queue, self.table, self.name = queue, table, f"serve_{queue}"

    def ready(self, world: World, frame: Frame) -> bool:
        return bool(world.queue(frame.fid[0], self.queue))

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("queue", frame.fid[0], self.queue),)

    def take(self, g: Goroutine) -> int | None:
        message = receive(g, self.queue)
        procedure = self.table.get(message.kind)
        if procedure is None:
            raise ModelFault(unexpected(g, message, self.table))
        program = g.frame.procedure.partition(".")[0]
        g.start(f"{program}.{procedure}", message.container, c=message.container, request=message)
        return None


class Switch(Op):
    """Take one message from a queue into the variable *into* and go on at the label that *table* gives its kind."""

    def __init__(self, queue: str, table: dict[str, str], into: str = "task") -> None:
        self.queue, self.table, self.into, self.name = queue, table, into, f"switch_{queue}"
        self.labels = tuple(dict.fromkeys(table.values()))

    ready = Serve.ready
    reads = Serve.reads

    def take(self, g: Goroutine) -> int | None:
        message = receive(g, self.queue)
        label = self.table.get(message.kind)
        if label is None:
            raise ModelFault(unexpected(g, message, self.table))
        g[self.into], g["c"] = message, message.container
        return self.goto[label]


class Push(Op):
    """Put the message in variable *what* into a bounded queue of this process; wait while it is full."""

    def __init__(self, queue: str, what: str, bound: int) -> None:
        self.queue, self.what, self.bound, self.name = queue, what, bound, f"push_{queue}"

    def ready(self, world: World, frame: Frame) -> bool:
        return len(world.queue(frame.fid[0], self.queue)) < self.bound

    reads = Serve.reads

    def take(self, g: Goroutine) -> int | None:
        g.send(g.pid, self.queue, g[self.what])
        return self.index + 1


class Go(Op):
    """Start a goroutine of this program with the variables *names* of this one and *more*; *into* keeps its name."""

    silent = True

    def __init__(self, procedure: str, subject: str = "", *names: str, into: str = "", **more: Any) -> None:
        self.procedure, self.subject, self.names, self.more = procedure, subject, names, more
        self.into, self.name = into, f"go_{procedure}"

    def take(self, g: Goroutine) -> int | None:
        program = g.frame.procedure.partition(".")[0]
        subject = self.subject.format_map(g.frame.local) if self.subject else ""
        fid = g.start(f"{program}.{self.procedure}", subject, **{name: g[name] for name in self.names}, **self.more)
        if self.into:
            g[self.into] = fid
        return self.index + 1


class Join(Op):
    """Wait until the goroutine in variable *fid* has returned."""

    def __init__(self, fid: str) -> None:
        self.fid, self.name = fid, f"join_{fid}"

    def ready(self, world: World, frame: Frame) -> bool:
        return frame.local[self.fid] not in world.frames

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("frame", frame.local[self.fid]),)

    def take(self, g: Goroutine) -> int | None:
        return self.index + 1


class Exit(Op):
    """End the process; the function, if any, does the last thing and gives the status."""

    ends = True

    def __init__(self, status: int | Callable[[Goroutine], int] = 0) -> None:
        self.status = status
        self.name = "exit" if isinstance(status, int) else status.__name__

    def take(self, g: Goroutine) -> int | None:
        g.exit(self.status if isinstance(self.status, int) else self.status(g))
        return None


class Return(Op):
    """End the goroutine."""

    name = "return"
    silent = True
    ends = True

    def take(self, g: Goroutine) -> int | None:
        g.emit(FrameEnded(g.frame.fid))
        return None


class Label:
    """A place to go on at."""

    def __init__(self, name: str) -> None:
        self.name = name


class Goto:
    """Go on at a label; costs no step."""

    def __init__(self, label: str) -> None:
        self.label = label


class Jump(Op):
    """A Goto's place in the table; never waited at, since every way to it is led on to its target."""

    name = "goto"
    silent = True
    jump = True
    ends = True

    def __init__(self, label: str) -> None:
        self.labels = (label,)

    def take(self, g: Goroutine) -> int | None:
        return self.goto[self.labels[0]]


Entry = Op | Label | Goto


def repeat(times: int, *entries: Entry | Sequence[Entry]) -> list[Any]:
    """Return the entries so many times."""
    return [entries] * times


def run(how: Callable[[Goroutine], Spawn | None], *, good: str | None = None, bad: str | None = None) -> list[Entry]:
    """Start a child and wait for it: fork, execve, wait4."""
    return [Fork(how), Reap(good=good, bad=bad)]


def call(
    queue: str, peer: Callable[[World, Frame], Pid | None], request: Callable[[Goroutine], Message], *, lost: str,
    refused: str | None = None, failed: str | None = None,
) -> list[Entry]:
    """Ask a peer and wait for its answer: every way that it can go wrong leads to a label."""
    return [
        Ask(queue, peer, request, refused or lost),
        Answered(request.__name__, lost, failed or lost),
    ]


def receive(g: Goroutine, queue: str) -> Message:
    """Take the first message of a queue of this process."""
    message = g.world.queue(g.pid, queue)[0]
    g.emit(Received(g.pid, queue))
    assert isinstance(message, Message)
    return message


def unexpected(g: Goroutine, message: Message, table: dict[str, str]) -> str:
    """Say that a message came which no step takes."""
    program = g.frame.procedure.partition(".")[0]
    return f"{describe(g.world, g.frame)} got {message.kind}; it takes {', '.join(table)}. See sim/engine/{program}.py."
