"""What a goroutine does by itself: call a function, wait, sleep, tick, start others, return, exit.

An op says whether it is ready, what that reads (so that it is asked again only when that was touched), and what happens
when it is taken. Source: ARCHITECTURE.md, "The one idea".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sim.engine.goroutine import Goroutine
from sim.facts import FrameEnded
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

    def limited(self, world: World, frame: Frame) -> bool:
        """Return whether a time limit runs while a goroutine stands here."""
        return self.within is not None

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
        if label is None:
            return self.index + 1
        assert label in self.labels, f"{self.name} went to {label!r}, which {g.frame.procedure} does not list for it"
        return self.goto[label]


class Wait(Op):
    """Wait until a condition holds; after *within* µs go on at label *late*, *unless* there is no limit this time."""

    def __init__(
        self,
        condition: Condition,
        *labels: str,
        within: Microseconds | Callable[[World, Frame], Microseconds] | None = None,
        late: str | None = None,
        unless: Callable[[World, Frame], bool] | None = None,
    ) -> None:
        assert (within is None) == (late is None), "a time limit needs a label, and a label a time limit"
        self.condition, self.within, self.unless, self.name = condition, within, unless, condition.__name__
        self.labels = (*labels, *((late,) if late else ()))
        self.late_label = late

    def limited(self, world: World, frame: Frame) -> bool:
        return self.within is not None and not (self.unless is not None and self.unless(world, frame))

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


class Interval(Sleep):
    """A sleep between rounds: while *idle* says that the next round would change nothing it goes on, round after round.

    Once something that *idle* reads was touched it ends with the round that is under way.
    """

    def __init__(
        self, name: str, duration: Microseconds | Callable[[World, Frame], Microseconds], idle: Condition
    ) -> None:
        super().__init__(name, duration)
        self.idle = idle

    def ready(self, world: World, frame: Frame) -> bool:
        return self.idle(world, frame) is False

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return self.idle.reads(world, frame)


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


class Go(Op):
    """Start a goroutine of this program with the variables *names* of this one and *more*.

    One that is to be joined is called after its parent, so that no other one bears its name; *into* keeps that.
    """

    silent = True

    def __init__(self, procedure: str, subject: str = "", *names: str, into: str = "", **more: Any) -> None:
        self.procedure, self.subject, self.names, self.more = procedure, subject, names, more
        self.into, self.name = into, f"go_{procedure}"

    def take(self, g: Goroutine) -> int | None:
        program = g.frame.procedure.partition(".")[0]
        subject = g.frame.fid[1] if self.into else self.subject.format_map(g.frame.local)
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
