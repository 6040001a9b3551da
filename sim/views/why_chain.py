"""The chain of causes behind a record, nearest first, up to the step that began it.

It follows each record's cause, and a message to its sender. Told is what concerns the fact's container, the engine's
daemons and people; how a link reads stands in `sim.views.why_words`. Leaves out what only moves a program on. Source:
the trace's causes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sim.engine.setup import Microseconds
from sim.facts import Received, Sent, StepTaken
from sim.kernel import events as e
from sim.kernel.signals import NAMES
from sim.trace import Record, Replay, Trace
from sim.views.why_words import WORDS, Focus, told

Path = dict[int, tuple[int, int]]  # of each record that was followed: the death it comes from, and its cause; or -1
Wanted = dict[int, dict[tuple[Focus, bool], None]]  # who is told of a record, and whether in any case
Texts = dict[tuple[int, bool], str]  # how a record reads; True: where it is what was asked about
Tail = tuple["Link", "Tail"] | None  # a chain: its nearest link and the rest


class Link(msgspec.Struct, frozen=True):
    """One cause in the chain: when (clock value, µs), the record's number, and what happened."""

    at: Microseconds | None
    seq: int
    text: str


def chain(trace: Trace, seq: int | None, focus: Focus) -> tuple[Link, ...]:
    """Return the causes of a record, itself first, up to the step that began it; only those that *focus* is told of."""
    return chains(trace, [(seq, focus)])[0]


def chains(trace: Trace, asked: Sequence[tuple[int | None, Focus]]) -> list[tuple[Link, ...]]:
    """Return the causes of many records, for whom each is asked; all of them cost one replay.

    Whoever asks about one container follows a record in one way, so each is followed, and read, once for each of them.
    """
    ways = _ways(trace)
    paths: dict[Focus, Path] = {focus: {} for _, focus in asked}
    wanted: Wanted = {}
    for seq, focus in asked:
        if seq is not None:
            _follow(ways, seq, focus, paths[focus], wanted)
            wanted.setdefault(seq, {})[focus, True] = None
    texts = _texts(trace, wanted, paths)
    tails = {focus: _tails(trace, path, texts[focus]) for focus, path in paths.items()}
    return [_links(trace, seq, paths[focus], texts[focus], tails[focus]) for seq, focus in asked]


class Ways(msgspec.Struct):
    """Where each record leads: to its cause, or beyond it to the next one that may be told or was sent.

    *deaths* are the records of deaths from which a signal, or another parent, comes; *sends* those that sent what a
    record takes, with the container that it is about.
    """

    causes: list[int]
    spoken: list[bool]
    deaths: dict[int, int]
    sends: dict[int, tuple[int, str]]


def _ways(trace: Trace) -> Ways:
    """Go through a trace once for everybody who asks.

    A server takes a message when it has done the one before, and that is the record's cause; why there is anything to
    take says the sender. A queue's messages are taken in the order in which they were sent.
    """
    ways = Ways([], [], {}, {})
    waiting: dict[tuple[int, str], deque[int]] = {}
    for record in trace.records:
        event, seq, cause = record.event, record.seq, record.cause
        if isinstance(event, Sent):
            waiting.setdefault((event.pid, event.name), deque()).append(seq)
        elif isinstance(event, Received) and waiting.get((event.pid, event.name)):
            sent = waiting[event.pid, event.name].popleft()
            ways.sends[seq] = sent, _subject(trace, sent)
        elif isinstance(event, e.Reparented | e.Signalled) and (death := _death(trace, record)) >= 0:
            ways.deaths[seq] = death
        while cause >= 0 and not (ways.spoken[cause] or cause in ways.deaths or cause in ways.sends):
            cause = ways.causes[cause]
        ways.causes.append(-1 if isinstance(event, StepTaken) else cause)
        ways.spoken.append(type(event) in WORDS)
    return ways


def _follow(ways: Ways, seq: int, focus: Focus, path: Path, wanted: Wanted) -> None:
    """Note what leads to a record, up to a step or to what was followed before, and what of it may be told.

    Of another container's message only the waiting matters, so that its cause is followed and not its sender.
    """
    while seq >= 0 and seq not in path:
        sent, container = ways.sends.get(seq, (-1, ""))
        following = sent if sent >= 0 and focus.container in ("", container) else ways.causes[seq]
        death = ways.deaths.get(seq, -1)
        path[seq] = death, following
        if ways.spoken[seq]:
            wanted.setdefault(seq, {})[focus, False] = None
        if death >= 0:
            wanted.setdefault(death, {})[focus, False] = None
        seq = following


def _subject(trace: Trace, sent: int) -> str:
    """Return the container that a message is about."""
    return str(getattr(trace.records[sent].event.message, "container", ""))


def _death(trace: Trace, record: Record) -> int:
    """Return the record of the death that a parent-death signal, or another parent, comes from; -1 for none."""
    for number in range(record.seq - 1, record.cause, -1):
        event = trace.records[number].event
        if isinstance(event, e.Exited):
            of_it = isinstance(record.event, e.Reparented) or record.event.by_pid == event.pid
            return number if of_it else -1
    return -1


def _texts(trace: Trace, wanted: Wanted, focuses: Iterable[Focus]) -> dict[Focus, Texts]:
    """Return how records read to those who follow them; what is asked about is said in any case (True)."""
    replay = Replay(trace)
    texts: dict[Focus, Texts] = {focus: {} for focus in focuses}
    for record in trace.records[: max(wanted, default=-1) + 1]:
        for focus, first in wanted.get(record.seq, ()):
            text = told(replay.world, record.event, focus, first=first)
            if text:
                texts[focus][record.seq, first] = text
        replay.step()
    return texts


def _tails(trace: Trace, path: Path, texts: Texts) -> dict[int, Tail]:
    """Return the chain from each record on, itself included if it is told as a cause."""
    tails: dict[int, Tail] = {-1: None}
    for seq in sorted(path):  # causes come before what they cause
        tails[seq] = _linked(trace, seq, path, texts, _before(trace, seq, path, texts, tails))
    return tails


def _before(trace: Trace, seq: int, path: Path, texts: Texts, tails: Mapping[int, Tail]) -> Tail:
    """Return the chain behind a record."""
    death, following = path[seq]
    return tails[following] if death < 0 else _linked(trace, death, path, texts, tails[following], following)


def _linked(trace: Trace, seq: int, path: Path, texts: Texts, tail: Tail, following: int | None = None) -> Tail:
    """Put a record before a chain, unless it adds nothing."""
    text = texts.get((seq, False))
    if text is None or _said_by_its_signal(trace, seq, path, path[seq][1] if following is None else following):
        return tail
    return _joined(Link(trace.records[seq].at, seq, text), tail)


def _joined(link: Link, tail: Tail) -> Tail:
    """Put a link before a chain; of two that read the same the nearer one stays."""
    return (link, tail[1]) if tail is not None and tail[0].text == link.text else (link, tail)


def _said_by_its_signal(trace: Trace, number: int, path: Path, following: int) -> bool:
    """Return whether a death by a signal follows from a link that tells of that signal."""
    event = trace.records[number].event
    if not isinstance(event, e.Exited) or event.status >= 0:
        return False
    for _ in range(5):
        if following < 0:
            return False
        cause = trace.records[following].event
        if isinstance(cause, e.Signalled) and (cause.pid, cause.signal) == (event.pid, NAMES[-event.status]):
            return True
        following = path[following][1]
    return False


def _links(trace: Trace, seq: int | None, path: Path, texts: Texts, tails: Mapping[int, Tail]) -> tuple[Link, ...]:
    if seq is None:
        return ()
    tail = _before(trace, seq, path, texts, tails)
    text = texts.get((seq, True))
    if text is not None:
        tail = _joined(Link(trace.records[seq].at, seq, text), tail)
    links = []
    while tail is not None:
        link, tail = tail
        links.append(link)
    return tuple(links)
