"""A run as a sequence of facts: records, the trace that holds them, and the world at any time.

`at` replays events from the first world, so whatever a view shows is read from the events. Records are kept as objects
(`Records`: their events, times and causes in columns) or, where memory counts more than time, encoded (`Encoded`). Both
give the same records: a `Record` is made when it is asked for, so ask for its equality, never for its identity. Source:
ARCHITECTURE.md, "The one idea".
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from operator import eq
from typing import Any, NamedTuple, Self, overload

import msgspec

from sim.engine.setup import Microseconds, Setup
from sim.facts import OPENED, Marked
from sim.model import blank
from sim.world import World, evolve

BLOCK = 1024  # records that are encoded together: what one of them costs to read, against what each of them takes
FAST = 1  # zlib's level: higher ones take twice the time for a tenth less
DECODED = 8  # blocks that stay decoded for those who jump about


class Record(msgspec.Struct, frozen=True, gc=False):
    """One fact: its number, its time in µs since the clock began (None on an explored path), and what caused it.

    *cause* is the number of the fact that made it possible, -1 for the first ones.
    """

    seq: int
    at: Microseconds | None
    cause: int
    event: Any


# -- how records are kept ---------------------------------------------------------------------------


class Kept(Sequence[Record]):
    """The records of a trace, in order; record number n stands at place n."""

    __slots__ = ()

    @abstractmethod
    def add(self, at: Microseconds | None, cause: int, event: Any) -> None:
        """Keep one record more."""

    @abstractmethod
    def upto(self, at: Microseconds) -> int:
        """Return how many records lie at or before a clock value."""

    @abstractmethod
    def one(self, number: int) -> Record:
        """Return a record by its number, from 0 on; raise IndexError beyond the last."""

    def append(self, record: Record) -> None:
        """Keep a record, which bears the next number."""
        assert record.seq == len(self), f"record {record.seq} stands where {len(self)} belongs"
        self.add(record.at, record.cause, record.event)

    def __iadd__(self, records: Iterable[Record]) -> Self:
        for record in records:
            self.append(record)
        return self

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            return [self.one(number) for number in range(*index.indices(len(self)))]
        if index >= 0:
            return self.one(index)
        if index < -len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return self.one(index + len(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]


class Records(Kept):
    """Records as objects: the events themselves, beside their times and causes."""

    __slots__ = ("ats", "causes", "events")

    def __init__(self) -> None:
        self.ats: list[Microseconds | None] = []
        self.causes = array("q")
        self.events: list[Any] = []

    def add(self, at: Microseconds | None, cause: int, event: Any) -> None:
        self.ats.append(at)
        self.causes.append(cause)
        self.events.append(event)

    def copy(self) -> Records:
        """Return the same records, to which others may be added."""
        twin = Records()
        twin.ats, twin.causes, twin.events = self.ats.copy(), self.causes[:], self.events.copy()
        return twin

    def one(self, number: int) -> Record:
        return Record(number, self.ats[number], self.causes[number], self.events[number])

    def upto(self, at: Microseconds) -> int:
        return bisect_right(self.ats, at, key=lambda moment: moment or 0)

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Record]:
        return self.numbered(0)

    def numbered(self, first: int) -> Iterator[Record]:
        """Return the records, the first with number *first*."""
        return map(Record, count(first), self.ats, self.causes, self.events)


class Encoded(Kept):
    """Records in blocks, pickled and compressed, a tenth of their size as objects; the newest wait for their block.

    Pickle, since an event may hold any value of the model and every type must come back; what is decoded was encoded
    here, never read from outside.
    """

    __slots__ = ("_begins", "_blocks", "_decoded", "_newest")

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._begins: list[Microseconds] = []  # the time of each block's first record
        self._decoded: dict[int, Records] = {}
        self._newest = Records()

    def add(self, at: Microseconds | None, cause: int, event: Any) -> None:
        newest = self._newest
        newest.add(at, cause, event)
        if len(newest.events) == BLOCK:
            self._encode(newest)

    def one(self, number: int) -> Record:
        block, place = divmod(number, BLOCK)
        found = self._block(block)
        return Record(number, found.ats[place], found.causes[place], found.events[place])

    def upto(self, at: Microseconds) -> int:
        block = bisect_right(self._begins, at) - 1
        found = self._block(block).upto(at) if block >= 0 else 0
        if found == BLOCK or not self._blocks:  # all of them lie before it, and so may newer ones
            block, found = block + 1, self._newest.upto(at)
        return max(block, 0) * BLOCK + found

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._newest)

    def __iter__(self) -> Iterator[Record]:
        for number in range(len(self._blocks)):
            yield from self._decode(number).numbered(number * BLOCK)
        yield from self._newest.numbered(len(self._blocks) * BLOCK)

    def _encode(self, full: Records) -> None:
        from pickle import dumps  # where it is used: start-up

        self._begins.append(full.ats[0] or 0)
        self._blocks.append(zlib.compress(dumps(full, protocol=5), FAST))
        self._newest = Records()

    def _decode(self, number: int) -> Records:
        from pickle import loads

        found: Records = loads(zlib.decompress(self._blocks[number]))
        return found

    def _block(self, number: int) -> Records:
        """Return a block; the last few that were asked for stay decoded."""
        if number == len(self._blocks):
            return self._newest
        found = self._decoded.pop(number, None) or self._decode(number)
        self._decoded[number] = found
        if len(self._decoded) > DECODED:
            del self._decoded[next(iter(self._decoded))]
        return found


def handed_on(sink: Callable[[Record], None], keep: Callable[..., None] | None) -> Callable[..., None]:
    """Return an `add` that gives each record to *sink*, and to the other `add`, if there is one."""
    numbers = count()

    def add(at: Microseconds | None, cause: int, event: Any) -> None:
        if keep is not None:
            keep(at, cause, event)
        sink(Record(next(numbers), at, cause, event))

    return add


# -- the trace --------------------------------------------------------------------------------------


class LeftOut(NamedTuple):
    """Rounds before t = 0 that a run has jumped over (`sim.drive.rounds`); clock values in µs.

    They begin at *since*, and from *watched* on nothing was new any more: what went on between is what goes on in them.
    There are so many *rounds* in all, which take so much *time*, be it in one jump or in several.
    """

    watched: Microseconds
    since: Microseconds
    time: Microseconds
    rounds: int


class Trace:
    """The records of a run, from the setup, seed and profile that made it.

    *origin* is the clock's value at t = 0, *end* the one at the end; both in µs. *left_out* are the rounds that were
    jumped over, None if none were.
    """

    def __init__(self, setup: Setup, seed: int = 1, records: Kept | None = None) -> None:
        self.setup, self.seed = setup, seed
        self.records: Kept = Records() if records is None else records
        self.origin: Microseconds = 0
        self.end: Microseconds = 0
        self.skipped = 0  # idle ticks that cost nothing
        self.note = ""  # why it ended early, if it did
        self.left_out: LeftOut | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, number: int) -> Record:
        return self.records[number]

    @property
    def opened(self) -> bool:
        """Return whether t = 0 came in what is kept of the run."""
        return any(isinstance(record.event, Marked) and record.event.name == OPENED for record in self.records)

    def unix(self, at: Microseconds) -> float:
        """Return the unix time in seconds of a clock value."""
        return self.setup.host.epoch + (at - self.origin) / 1_000_000

    def first_world(self) -> World:
        """Return the world before the first record."""
        return blank(self.setup)

    def index(self, at: Microseconds) -> int:
        """Return how many records lie at or before a clock value."""
        return self.records.upto(at)

    def at(self, at: Microseconds) -> World:
        """Return the world at a clock value, after everything that happened then."""
        replay = Replay(self)
        return replay.to(at)


class Replay:
    """Walk through a trace: the world moves on with each call, so that many instants cost one replay."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.world, self.position = trace, trace.first_world(), 0

    def to(self, at: Microseconds) -> World:
        """Go on to a clock value, which must not lie before the last one."""
        for _ in range(self.trace.index(at) - self.position):
            self.step()
        return self.world

    def step(self) -> Record | None:
        """Apply the next record and return it; None at the end."""
        try:
            record = self.trace.records.one(self.position)
        except IndexError:
            return None
        evolve(self.world, record.event)
        self.position += 1
        return record
