"""Several processes search together: each has the states whose digests fall to it, and all end a layer together.

Workers are forked from a process that has learned already, and go on learning each for itself. After a layer each hands
over the states that belong to others, and what numbers that it met anew mean; names are digests, so nothing has to be
agreed. The counts are those of one process. Where there is no fork(2) one process does it all.
"""

from __future__ import annotations

import marshal
import multiprocessing
import pickle
import resource
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from sim.drive.explore.search import Part
from sim.drive.worker import begin_worker
from sim.engine.goroutine import ModelFault


class WorkerLost(ModelFault):
    """A process of the search has died, and what it had found with it."""


class Round(msgspec.Struct):
    """What a layer came to in one part: its states, all so far, the memory of its process, what it hands over."""

    layer: int
    coming: int
    found: int
    work: int
    megabytes: int
    away: dict[int, bytes]
    news: bytes


class PartReport(msgspec.Struct):
    """What a part found, at the end; *keys* only where containers can be exchanged."""

    keys: list[int]
    before: Any
    moves: Any
    actions: list[Any]
    ends: list[int]
    shown: dict[int, int]
    transitions: int
    work: int
    ahead: int
    taped: int
    exercised: set[tuple[str, str]]
    looked_at: set[Any]
    written: dict[str, set[Any]]


def megabytes() -> int:
    """Return the most memory that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // (1 << 20) if sys.platform == "darwin" else peak >> 10)


def possible() -> bool:
    """Say whether processes can be forked here."""
    return "fork" in multiprocessing.get_all_start_methods()


def report_of(part: Part) -> PartReport:
    """Return what a part found."""
    found, learner = part.found, part.walker.learner
    keys = list(found.index) if part.walker.copies > 1 else []
    return PartReport(
        keys, found.before, found.moves, [move.action for move in learner.by_number], list(part.ends), part.shown,
        sum(found.choices), part.work, part.walker.ahead, learner.taped, learner.exercised,
        learner.looked_at(), learner.written,
    )  # fmt: skip


class Team:
    """The workers of a search. Use it as a context: they end with it."""

    def __init__(self, parts: list[Part], deadline: Callable[[], bool]) -> None:
        self.context: Any = multiprocessing.get_context("fork")
        self.pipes: list[Connection] = []
        self.processes = []
        for part in parts:
            here, there = self.context.Pipe()
            process = self.context.Process(target=_work, args=(part, there, deadline), daemon=True)
            process.start()
            there.close()
            self.pipes.append(here)
            self.processes.append(process)
        self._mail: list[list[bytes]] = [[] for _ in parts]
        self._news: list[list[bytes]] = [[] for _ in parts]

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *trouble: object) -> None:
        for process in self.processes:
            process.terminate()
        for process, pipe in zip(self.processes, self.pipes, strict=True):
            process.join()
            pipe.close()

    def layer(self) -> list[Round]:
        """Let all expand their layers; return what these came to."""
        for pipe, mail, news in zip(self.pipes, self._mail, self._news, strict=True):
            pipe.send(("layer", mail, news))
        rounds: list[Round] = self._answers()
        self._mail = [[r.away[part] for r in rounds if part in r.away] for part in range(len(rounds))]
        self._news = [[r.news for r in rounds if r is not own and r.news] for own in rounds]
        return rounds

    def reports(self) -> list[PartReport]:
        """Return what each found."""
        for pipe in self.pipes:
            pipe.send(("report",))
        return self._answers()

    def _answers(self) -> list[Any]:
        """Take every worker's answer, so that all can be asked again after one of them has failed."""
        found: list[Any] = []
        faults: list[str] = []
        for pipe in self.pipes:
            try:
                word, answer = pipe.recv()
            except EOFError:
                raise WorkerLost("a process of the search has died (out of memory?); --jobs 1 needs less") from None
            (faults if word == "fault" else found).append(answer)
        if faults:
            raise ModelFault(faults[0])
        return found


def _work(part: Part, pipe: Connection, deadline: Callable[[], bool]) -> None:
    begin_worker()
    part.walker.space.news.clear()
    with suppress(EOFError, OSError):  # the one who asked is gone
        while True:
            words = pipe.recv()
            try:
                done = report_of(part) if words[0] == "report" else _layer(part, words[1], words[2], deadline)
                pipe.send(("done", done))
            except Exception as fault:
                pipe.send(("fault", f"{type(fault).__name__}: {fault}"))


def _layer(part: Part, mail: Iterable[bytes], news: Iterable[bytes], deadline: Callable[[], bool]) -> Round:
    space = part.walker.space
    for heard in news:
        space.hear(pickle.loads(heard))
    for arrivals in mail:
        part.receive(marshal.loads(arrivals))
    layer = part.turn()
    for number in part.layer:
        part.expand(number)
        if number % 1024 == 0 and deadline():
            break
    away = {other: marshal.dumps(arrivals) for other, arrivals in part.away.items()}
    told = pickle.dumps(space.news) if space.news else b""
    space.news.clear()
    return Round(layer, len(part.coming), len(part.found), part.work, megabytes(), away, told)
