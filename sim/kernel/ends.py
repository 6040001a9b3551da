"""How facts about fifos and pipes change the host's tables: which there are, what waits in them, and who holds an end.

Source: pipe(7), fifo(7), proc(5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec.structs import replace

from sim.kernel import events as e
from sim.kernel.records import Fifo, Pid


class HoldsFifos(Protocol):
    """The tables of a host that are about fifos."""

    fifos: dict[str, Fifo]
    ends: dict[Pid, dict[str, None]]


def link(index: dict[Any, dict[Any, None]], key: Any, item: Any) -> None:
    """Put *item* below *key*."""
    inner = index.get(key)
    if inner is None:
        index[key] = {item: None}
    else:
        inner[item] = None


def unlink(index: dict[Any, dict[Any, None]], key: Any, item: Any) -> None:
    """Take *item* away below *key*, and the key with the last of them."""
    inner = index.get(key)
    if inner is not None:
        inner.pop(item, None)
        if not inner:
            del index[key]


def _made(host: HoldsFifos, event: e.FifoMade) -> None:
    host.fifos[event.fifo.path] = event.fifo


def _opened(host: HoldsFifos, event: e.FifoOpened) -> None:
    fifo = host.fifos[event.path]
    readers = fifo.readers | {event.pid} if "r" in event.mode else fifo.readers
    writers = fifo.writers | {event.pid} if "w" in event.mode else fifo.writers
    host.fifos[event.path] = replace(fifo, readers=readers, writers=writers)
    link(host.ends, event.pid, event.path)


def _closed(host: HoldsFifos, event: e.FifoClosed) -> None:
    let_go(host, event.pid, event.path)
    unlink(host.ends, event.pid, event.path)


def let_go(host: HoldsFifos, pid: Pid, path: str) -> None:
    """Take a process's ends away: with the last end go the bytes, and a fifo that has no name (pipe(7), fifo(7))."""
    fifo = host.fifos[path]
    fifo = replace(fifo, readers=fifo.readers - {pid}, writers=fifo.writers - {pid})
    host.fifos[path] = fifo if fifo.readers or fifo.writers else replace(fifo, level=0)
    if fifo.nameless and not fifo.readers | fifo.writers:
        del host.fifos[path]


def _level(host: HoldsFifos, event: e.FifoLevel) -> None:
    host.fifos[event.path] = replace(host.fifos[event.path], level=event.level)


def _removed(host: HoldsFifos, event: e.FifoRemoved) -> None:
    fifo = host.fifos.pop(event.path)
    for pid in sorted(fifo.readers | fifo.writers):
        unlink(host.ends, pid, event.path)


def _unlinked(host: HoldsFifos, event: e.FifoUnlinked) -> None:
    fifo = host.fifos.pop(event.path)
    host.fifos[event.deleted] = replace(fifo, path=event.deleted)
    for pid in sorted(fifo.readers | fifo.writers):
        unlink(host.ends, pid, event.path)
        link(host.ends, pid, event.deleted)


APPLY: dict[type, Callable[[HoldsFifos, Any], None]] = {
    e.FifoMade: _made,
    e.FifoOpened: _opened,
    e.FifoClosed: _closed,
    e.FifoLevel: _level,
    e.FifoRemoved: _removed,
    e.FifoUnlinked: _unlinked,
}
