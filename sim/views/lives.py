"""What the walk behind `sim.views.spans` keeps of a track, a process and a goroutine while it goes through a trace.

A process is named once its last program is known, so what is said about it keeps the life itself until the end. Source:
none; bookkeeping of `sim.views.spanning`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from sim.engine.role import LAST
from sim.engine.setup import Microseconds
from sim.facts import Fid
from sim.kernel.records import Image, Pid
from sim.trace import Record
from sim.views.names import rank_of
from sim.views.span_parts import DEED, OP, PROCEDURE, Args, Span

CALLABLES = ("function", "condition", "how", "request", "status")  # of an op: what its procedure's module wrote


class DeedLine:
    """A track on which deeds are noted: at each moment what was done, to whom."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.deeds: dict[Microseconds, tuple[Args, dict[str, list[ProcessLife]]]] = {}

    def note(self, at: Microseconds, record: Record, words: str, whom: ProcessLife | None = None) -> None:
        """Note a deed."""
        _, said = self.deeds.setdefault(at, ({"seq": record.seq, "cause": record.cause}, {}))
        said.setdefault(words, []).extend([whom] if whom is not None else [])

    def spans(self) -> Iterator[Span]:
        """Yield one span of no duration for each moment: `exits 0; leaves 3 processes`."""
        for at, (args, said) in self.deeds.items():
            names = {words: [life.name for life in whom] for words, whom in said.items()}
            text = "; ".join(_told(words, whom) for words, whom in names.items())
            whole = args | {words: whom for words, whom in names.items() if len(whom) > 1}
            yield Span(self.id, at, at, DEED, "deed", text, whole)


def _told(words: str, whom: list[str]) -> str:
    return f"{words} {len(whom)} processes" if len(whom) > 1 else " ".join([words, *whom])


class ProcessLife:
    """A process from its fork until it was waited for; *number* counts the lives that its pid has had."""

    def __init__(self, pid: Pid, id: int, number: int, image: Image, record: Record, since: Microseconds) -> None:
        self.pid, self.id, self.number, self.image, self.since = pid, id, number, image, since
        self.line = DeedLine(id)
        self.args: Args = {"seq": record.seq, "cause": record.cause, "pid": pid}
        self.execs = 0
        self.zombie: tuple[Microseconds, Record] | None = None
        self.held: tuple[Microseconds, str, Record] | None = None  # since when it is stopped or frozen
        self.own: dict[str, int] = {}  # goroutine -> track
        self.on_main: Fid | None = None

    @property
    def role(self) -> str:
        """Return its program, with the container that it serves or is."""
        return f"{self.image.program}/{self.image.container}" if self.image.container else self.image.program

    @property
    def name(self) -> str:
        """Return its role and pid; the second life of a pid is `#2`."""
        return f"{self.role} {self.pid}" + (f"#{self.number}" if self.number > 1 else "")

    def rank(self) -> tuple[int, str, int]:
        """Order processes by what they are, then by their start."""
        program = self.image.program
        place = rank_of(program)
        return place, program if place == LAST else "", self.args["seq"]


class Going:
    """A goroutine that runs: its procedure, and the op at which it is.

    *table* is None where no design has the procedure any more, whose name an earlier version wrote down.
    """

    __slots__ = ("at", "begun", "name", "op", "procedure", "since", "table", "through", "track")

    def __init__(
        self, track: int, name: str, procedure: str, table: Any, record: Record, at: Microseconds
    ) -> None:  # fmt: skip
        self.track, self.name, self.procedure, self.table = track, name, procedure, table
        self.since = self.at = at
        self.begun = self.op = record
        self.through: list[str] = []

    def ops(self, place: int, at: Microseconds) -> Iterator[Span]:
        """Yield the op that is over, if it took any time; else note its name."""
        known = self.table is not None and place < len(self.table.ops)
        name = str(self.table.ops[place].name) if known else f"op {place}"
        if at > self.at:
            yield Span(self.track, self.at, at, OP, "op", name, caused(self.op) | self.passed())
            self.through = []
        else:
            self.through.append(name)

    def whole(self, at: Microseconds) -> Span:
        """Return the span of the procedure."""
        source = "" if self.table is None else source_of(self.table)
        args = caused(self.begun) | {"goroutine": self.name} | ({"source": source} if source else {}) | self.passed()
        return Span(self.track, self.since, at, PROCEDURE, "procedure", self.procedure, args)

    def passed(self) -> Args:
        """Return the ops since the last span that took no time."""
        return {"through": list(dict.fromkeys(self.through))} if self.through else {}


def caused(record: Record) -> Args:
    """Return the numbers of a fact and of its cause."""
    return {"seq": record.seq, "cause": record.cause}


@cache
def source_of(procedure: Any) -> str:
    """Return where a procedure is from: the source that the module of most of its ops names, "" for none."""
    found = (getattr(op, name, None) for op in procedure.ops for name in CALLABLES)
    for module, _ in Counter(it.__module__ for it in found if callable(it)).most_common():
        match = re.search(r"Source: (.*)", sys.modules[module].__doc__ or "", re.S)
        if match:
            return " ".join(match[1].split())
    return ""
