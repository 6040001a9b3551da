"""Messages between programs: requests with what happens when the peer dies, servers, bounded queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.engine.goroutine import Failure, Goroutine, ModelFault, describe
from sim.engine.ops.flow import Condition, Entry, Op
from sim.facts import Message, Received
from sim.kernel.records import Pid
from sim.world import Frame, Key, World


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
    """Wait for the answer; it goes into `answer`. A dead peer leads to *lost*, a `Failure` to *failed*.

    *unless* is a condition under which nobody waits any more: it leads to *given_up*.
    """

    def __init__(
        self, name: str, lost: str, failed: str, unless: Condition | None = None, given_up: str | None = None
    ) -> None:
        assert (unless is None) == (given_up is None), "a condition needs a label, and a label a condition"
        self.labels, self.name = (lost, failed, *((given_up,) if given_up else ())), f"answer_{name}"
        self.unless = unless

    def ready(self, world: World, frame: Frame) -> bool:
        if frame.fid in world.replies or not world.host.alive(frame.local["peer_pid"]):
            return True
        return self.unless is not None and self.unless(world, frame) is not False

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        yield from (("reply", frame.fid), ("proc", frame.local["peer_pid"]))
        if self.unless is not None:
            yield from self.unless.reads(world, frame)

    def take(self, g: Goroutine) -> int | None:
        if g.frame.fid not in g.world.replies:
            return self.goto[self.labels[0 if not g.world.host.alive(g["peer_pid"]) else -1]]
        g["answer"] = answer = g.world.replies[g.frame.fid]
        return self.goto[self.labels[1]] if isinstance(answer, Failure) else self.index + 1


class Serve(Op):
    """Take requests from a queue for ever: each starts the procedure that *table* names for its kind.

    *address* may send one to another container, or answer it at once.
    """

    def __init__(
        self,
        queue: str,
        table: dict[str, str],
        address: Callable[[Goroutine, Message], Message | Failure] | None = None,
    ) -> None:
        self.queue, self.table, self.address, self.name = queue, table, address, f"serve_{queue}"

    def ready(self, world: World, frame: Frame) -> bool:
        return bool(world.queue(frame.fid[0], self.queue))

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("queue", frame.fid[0], self.queue),)

    def take(self, g: Goroutine) -> int | None:
        message = receive(g, self.queue)
        procedure = self.table.get(message.kind)
        if procedure is None:
            raise ModelFault(unexpected(g, message, self.table))
        addressed = message if self.address is None else self.address(g, message)
        if isinstance(addressed, Failure):
            g.reply(message.reply, addressed)
            return None
        message = addressed
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


def call(
    queue: str,
    peer: Callable[[World, Frame], Pid | None],
    request: Callable[[Goroutine], Message],
    *,
    lost: str,
    refused: str | None = None,
    failed: str | None = None,
    unless: Condition | None = None,
    given_up: str | None = None,
) -> list[Entry]:
    """Ask a peer and wait for its answer: every way that it can go wrong leads to a label."""
    return [
        Ask(queue, peer, request, refused or lost),
        Answered(request.__name__, lost, failed or lost, unless, given_up),
    ]


def receive(g: Goroutine, queue: str) -> Message:
    """Take the first message of a queue of this process."""
    message = g.world.queue(g.pid, queue)[0]
    g.emit(Received(g.pid, queue))
    assert isinstance(message, Message)
    return message


def unexpected(g: Goroutine, message: Message, table: dict[str, str]) -> str:
    """Say that a message came which no step takes."""
    takes = f"it takes {', '.join(table)}"
    return f"{describe(g.world, g.frame)} got {message.kind}; {takes}. See {source_of(g)}."


def source_of(g: Goroutine) -> str:
    """Return the file that holds the functions of the goroutine's program."""
    program = g.world.design.programs[g.frame.procedure.partition(".")[0]]
    ops = (op for table in program.procedures for op in table.ops)
    module: str = next((op.function.__module__ for op in ops if hasattr(op, "function")), program.name)
    return module.replace(".", "/") + ".py"
