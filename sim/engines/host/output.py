"""The log path of one stream: what a payload prints, and where its bytes stand when somebody does not take them.

payload -> pipe -> shim's copy -> fifo -> dockerd's copy -> BytesPipe -> log copier -> journald. What flows freely is
not counted: while every stage takes what comes, no byte is kept anywhere and nothing happens. Once a stage stands
still, the payload writes a chunk at a time of what the next stage holds, at most a copy's buffer; a part of a chunk is
not counted. A copy's buffer counts as full before its write blocks: a program that prints single lines leaves only its
last read there, so 160 KiB and 1.2 MB are the most that the path holds. Left out: the buffer of journald's socket,
partial lines, attached clients. Source: engine-1.13 §10 [S], pipe(7), depth of a pipe by write size [X].
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine import paths
from sim.engine.records import JournalState, UnitState
from sim.engine.setup import Log, Service
from sim.engines.host.storage import FULL
from sim.facts import Marked
from sim.kernel import fifos
from sim.kernel.events import Exited
from sim.kernel.records import INIT, Fifo, Pid
from sim.world import Frame, Key, Turn, World

COPY = 32 * 1024  # io.Copy's buffer [S]
BYTES_PIPE = 1_000_000  # pkg/ioutils/bytespipe.go blockThreshold [S]
PAGE, PAGES = 4096, 16  # of a pipe (pipe(7)); a write that does not fit into the last page begins a new one
JOURNALD = "journald"  # systemd's memory: what it knows of journald

STREAMS = ("stdout", "stderr")
COPIERS = ("shim", "conmon")  # who reads a payload's pipe; conmon writes the log itself


def lost_mark(container: str) -> str:
    """Return the mark that counts the bytes of a container's output that nobody will ever read.

    >>> lost_mark("web")
    'log:lost:web'
    """
    return f"log:lost:{container}"


def depth(write: int) -> int:
    """Return how many bytes a pipe holds of writes of one size, at most a page [X].

    >>> depth(4096), depth(100)
    (65536, 64000)
    """
    return PAGES * (PAGE // write) * write


def log_of(world: World, container: str, stream: str) -> Log:
    """Return what a container prints on a stream that it prints on."""
    found: Log = next(log for log in world.services[container].payload.log if log.stream == stream)
    return found


def fifo_path(service: Service, stream: str) -> str:
    """Return the name of the fifo between shim and dockerd."""
    return f"{paths.bundle(service.id)}/init-{stream}"


def pipe_path(service: Service, stream: str) -> str:
    """Return what the pipe between payload and shim is called; anonymous pipes have no name of their own."""
    return f"pipe:{service.id}/{stream}"


def pipe_of(world: World, pid: Pid, service: Service, stream: str) -> str | None:
    """Return the pipe of a stream that a process holds an end of."""
    fifo = fifos.fifo_of(world.host, pid, pipe_path(service, stream))
    return fifo.path if fifo else None


def level_key(container: str, stream: str) -> str:
    """Return what dockerd's memory calls the bytes in a stream's BytesPipe; none is there while it is empty."""
    return f"output/{container}/{stream}"


def takes(world: World, container: str) -> bool:
    """Return whether the log driver takes a message: journald must run, a file and nobody always do."""
    if world.services[container].log_driver != "journald":
        return True
    state = world.recall(INIT, JOURNALD)
    return isinstance(state, JournalState) and _runs(world, state.main_pid)


def sink_keys(world: World, container: str) -> Iterator[Key]:
    """Name what `takes` depends on."""
    if world.services[container].log_driver == "journald":
        yield ("memory", INIT, JOURNALD)
        state = world.recall(INIT, JOURNALD)
        if isinstance(state, JournalState):
            yield ("proc", state.main_pid)


def dropped(world: World, container: str) -> bool:
    """Return whether conmon drops what it reads: the log's file has no room, or journald is away [S]."""
    on_disk = world.services[container].log_driver == "json-file"
    return bool(world.marks.get(FULL)) if on_disk else not takes(world, container)


def _runs(world: World, pid: Pid) -> bool:
    process = world.host.procs.get(pid)
    return process is not None and process.runs


# -- the path from the payload's end ----------------------------------------------------------------


class LogPath:
    """The path as it stands now: who holds which part of it. A part that is None is not there."""

    def __init__(self, world: World, container: str, stream: str, pipe: str) -> None:
        self.world, self.container, self.stream = world, container, stream
        service: Service = world.services[container]
        self.pipe: Fifo | None = world.host.fifos.get(pipe)
        self.shim = next(iter(self.pipe.readers), None) if self.pipe else None
        reader = "" if self.shim is None else world.host.procs[self.shim].image.program
        self.direct = reader == "conmon"
        self.own = reader == world.design.traits.engine  # no shim between: dockerd before 1.11
        self.fifo = None if self.shim is None else fifos.fifo_of(world.host, self.shim, fifo_path(service, stream))
        readers = self.fifo.readers - {self.shim} if self.fifo and self.shim else frozenset[Pid]()
        self.dockerd = next(iter(readers), None)

    def flows(self) -> bool:
        """Return whether the next byte will stand nowhere; what nobody can ever read (EPIPE) stands nowhere, too."""
        world, pipe, fifo = self.world, self.pipe, self.fifo
        if pipe is None or self.shim is None:
            return True
        if self.direct:
            return not pipe.level and _runs(world, self.shim) and not dropped(world, self.container)
        if self.own:
            level = world.recall(self.shim, level_key(self.container, self.stream))
            return not pipe.level and _runs(world, self.shim) and not level and takes(world, self.container)
        if pipe.level or not _runs(world, self.shim) or fifo is None or fifo.level:
            return False
        if self.dockerd is None or not _runs(world, self.dockerd):
            return False
        if self._discards():
            return True
        level = world.recall(self.dockerd, level_key(self.container, self.stream))
        return not level and takes(world, self.container)

    def _discards(self) -> bool:
        return (self.dockerd, f"discard/{self.container}/{self.stream}") in self.world.frames

    def rooms(self) -> Iterator[int]:
        """Yield how much each stage can still take that bytes come to, the one farthest from the payload first."""
        world = self.world
        if self.pipe is None or self.shim is None:
            return
        if self.own and _runs(world, self.shim):
            yield BYTES_PIPE - world.recall(self.shim, level_key(self.container, self.stream), 0)
            yield _copy_room(world, self.shim, f"copy/{self.container}/{self.stream}")
        elif _runs(world, self.shim):
            if self.dockerd is not None and _runs(world, self.dockerd):
                yield BYTES_PIPE - world.recall(self.dockerd, level_key(self.container, self.stream), 0)
                yield _copy_room(world, self.dockerd, f"copy/{self.container}/{self.stream}")
            if self.fifo is not None:
                yield self.fifo.capacity - self.fifo.level
            yield _copy_room(world, self.shim, f"copy/{self.stream}")
        yield self.pipe.capacity - self.pipe.level

    def keys(self) -> Iterator[Key]:
        """Name what the answers depend on."""
        if self.pipe is None:
            return
        yield ("fifo", self.pipe.path)
        if self.shim is not None:
            yield ("proc", self.shim)
        if self.shim is not None and self.direct:
            yield ("mark", FULL)
            yield from sink_keys(self.world, self.container)
        if self.shim is not None and self.own:
            yield ("memory", self.shim, level_key(self.container, self.stream))
            yield from sink_keys(self.world, self.container)
        if self.fifo is None or self.shim is None:
            return
        yield ("fifo", self.fifo.path)
        if self.dockerd is not None:
            yield ("proc", self.dockerd)
            yield ("memory", self.dockerd, level_key(self.container, self.stream))
            yield ("frame", (self.dockerd, f"discard/{self.container}/{self.stream}"))
        yield from sink_keys(self.world, self.container)


def way(world: World, frame: Frame) -> LogPath:
    """Return the path of the stream that a goroutine of a payload prints on."""
    return LogPath(world, frame.local["c"], frame.local["stream"], frame.local["pipe"])


def _copy_room(world: World, pid: Pid, name: str) -> int:
    frame = world.frames.get((pid, name))
    return COPY if frame is not None and not frame.local["held"] else 0


# -- what stands in it ------------------------------------------------------------------------------


def held_by(world: World, pid: Pid, container: str, stream: str) -> int:
    """Return how many bytes of a stream a shim or a dockerd has in its own memory."""
    copies = (world.frames.get((pid, f"copy/{stream}")), world.frames.get((pid, f"copy/{container}/{stream}")))
    own = sum(frame.local["held"] for frame in copies if frame is not None and frame.local["c"] == container)
    return int(own) + int(world.recall(pid, level_key(container, stream), 0))


def standing(world: World, container: str, stream: str) -> int:
    """Return how many bytes of a stream stand between a container's program and its log, and may still get there."""
    service: Service = world.services[container]
    names = (pipe_path(service, stream), fifo_path(service, stream))
    pipes = [fifo for name in names for fifo in fifos.fifos_called(world.host, name)]
    unit = world.recall(INIT, "docker")
    daemon = {unit.main_pid} if isinstance(unit, UnitState) and unit.main_pid else set()
    holders = sorted({pid for fifo in pipes for pid in fifo.readers | fifo.writers} | daemon)
    inside = sum(held_by(world, pid, container, stream) for pid in holders)
    return inside + sum(fifo.level for fifo in pipes if fifo.readers)


def stuck(world: World, pid: Pid) -> bool:
    """Return whether a payload waits in write(2) on a stream."""
    return any(frame.local["blocked"] and not returns(world, frame) for frame in printing(world, pid))


def printing(world: World, pid: Pid) -> list[Frame]:
    """Return the goroutines of a payload that print."""
    found = (world.frames.get((pid, f"print/{stream}")) for stream in STREAMS)
    return [frame for frame in found if frame is not None]


def returns(world: World, frame: Frame) -> bool:
    """Return whether a write(2) into a payload's pipe returns: there is room, or nobody reads it any more."""
    pipe = world.host.fifos.get(frame.local["pipe"])
    return pipe is None or not pipe.readers or pipe.level < pipe.capacity


# -- what is lost -----------------------------------------------------------------------------------


def lost_with(world: World, event: Exited) -> list[tuple[str, int]]:
    """Count what a process takes along: what it held itself, and what stands where nobody is left to read it."""
    found = []
    image = world.host.procs[event.pid].image
    engine = image.program == world.design.traits.engine
    names = world.services if engine else (image.container,) if image.program in COPIERS else ()
    for name in names:
        streams = [log.stream for log in world.services[name].payload.log]
        count = sum(taken(world, event.pid, name, stream) for taken in (held_by, _dried) for stream in streams)
        if count:
            found.append((lost_mark(name), world.marks.get(lost_mark(name), 0) + count))
    return found


def _dried(world: World, pid: Pid, container: str, stream: str) -> int:
    """Return how many bytes go with a process's end of fifos: where it is the last that could read them."""
    service: Service = world.services[container]
    ends = (fifos.fifo_of(world.host, pid, name(service, stream)) for name in (pipe_path, fifo_path))
    return sum(fifo.level for fifo in ends if fifo is not None and fifo.readers == {pid})


def is_shared(world: World, container: str) -> bool:
    """Return whether two readers share what a container prints now, one of which throws its part away.

    Who gets which part is a matter of chance (engine-1.13 §10), and since all of it flows, no byte of it is counted.
    """
    names = {fid[1]: fid for fid in world.frames if fid[1].startswith(f"discard/{container}/")}
    return any((fid[0], name.replace("discard", "copy", 1)) in world.frames for name, fid in names.items())


def add_lost(turn: Turn, container: str, count: int) -> None:
    """Count bytes that a program has thrown away."""
    if count:
        turn.emit(Marked(lost_mark(container), turn.world.marks.get(lost_mark(container), 0) + count))
