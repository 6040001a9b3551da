"""Fifos and pipes: what mkfifo(3), open(2), read(2) and write(2) do with them; nothing here writes but by facts.

Source: fifo(7), pipe(7), unlink(2); engine-1.13 §1.3, §10.
"""

from __future__ import annotations

from sim.kernel import events as e
from sim.kernel.context import CallContext
from sim.kernel.host import Host
from sim.kernel.records import Fifo, Pid
from sim.kernel.syscalls import SyscallError, kill


def mkfifo(turn: CallContext, path: str, capacity: int = 65_536) -> None:
    """Make a fifo; raises SyscallError EEXIST."""
    if path in turn.host.fifos:
        raise SyscallError(f"EEXIST: {path}")
    turn.emit(e.FifoMade(Fifo(path, capacity)))


def open_fifo(turn: CallContext, pid: Pid, path: str, mode: str) -> None:
    """Hold an end (*mode* r, w or rw). Whether open(2) would block its caller has seen by the other end."""
    if path not in turn.host.fifos:
        raise SyscallError(f"ENOENT: {path}")
    turn.emit(e.FifoOpened(path, pid, mode))


def close_fifo(turn: CallContext, pid: Pid, path: str) -> None:
    """Let go of both ends, if held."""
    if path in turn.host.ends.get(pid, ()):
        turn.emit(e.FifoClosed(path, pid))


def write_fifo(turn: CallContext, pid: Pid, path: str, count: int) -> int:
    """Write up to *count* bytes and return how many went in; 0 would block. Raises SyscallError EPIPE.

    A write with no reader left sends SIGPIPE to the writer first (pipe(7)).
    """
    fifo = turn.host.fifos[path]
    if not fifo.readers:
        kill(turn, pid, "PIPE", by=pid)
        raise SyscallError(f"EPIPE: {path}")
    taken = min(count, fifo.capacity - fifo.level)
    if taken:
        turn.emit(e.FifoLevel(path, pid, fifo.level + taken))
    return taken


def read_fifo(turn: CallContext, pid: Pid, path: str, count: int) -> int | None:
    """Read up to *count* bytes: how many, 0 for end of file (empty and no writer), None where it would block."""
    fifo = turn.host.fifos[path]
    taken = min(count, fifo.level)
    if taken:
        turn.emit(e.FifoLevel(path, pid, fifo.level - taken))
        return taken
    return None if fifo.writers else 0


def hung_up(host: Host, path: str) -> bool:
    """Return whether a reader sees end of file: nothing in it and no writer (EPOLLHUP)."""
    fifo = host.fifos.get(path)
    return fifo is None or (not fifo.writers and fifo.level == 0)


def unlink_fifo(turn: CallContext, path: str, *, used: bool = False) -> None:
    """Remove a fifo, if it is there. What is open of it stays; that is kept only where *used* says that it matters."""
    fifo = turn.host.fifos.get(path)
    if fifo is None:
        return
    free = next((name for name in _deleted(path) if name not in turn.host.fifos), None)
    if used and free is not None and (fifo.readers or fifo.writers):
        turn.emit(e.FifoUnlinked(path, free))
    else:
        turn.emit(e.FifoRemoved(path))


ALIKE = 9  # so many pipes of one name, and fifos that live on without it, are told apart


def _numbered(name: str) -> list[str]:
    return [name, *(f"{name}#{number}" for number in range(2, ALIKE + 1))]


def _deleted(path: str) -> list[str]:
    return _numbered(f"{path} (deleted)")


def fifos_called(host: Host, path: str) -> list[Fifo]:
    """Return the fifos that are called so, and those that were; of a `pipe:` all that have the name."""
    names = _numbered(path) if path.startswith("pipe:") else [path, *_deleted(path)]
    return [host.fifos[name] for name in names if name in host.fifos]


def fifo_of(host: Host, pid: Pid, path: str) -> Fifo | None:
    """Return the fifo that *pid* has opened as *path*, also if that name is gone since; None if it holds none."""
    held = (fifo for fifo in fifos_called(host, path) if pid in fifo.readers or pid in fifo.writers)
    return next(held, None)


def pipe(turn: CallContext, pid: Pid, path: str, capacity: int) -> None:
    """Make an anonymous pipe and hold its read end; *path* (`pipe:...`) gets a number if it is taken."""
    free = next((name for name in _numbered(path) if name not in turn.host.fifos), None)
    if free is None:
        raise SyscallError(f"EMFILE: {path}")
    mkfifo(turn, free, capacity)
    open_fifo(turn, pid, free, "r")
