"""dockerd's part of the log path: a copy from each fifo to a BytesPipe, and a log copier behind it.

A container that printed ends with its stdio: the exit is handled once every copy has come to the end of its fifo, with
no limit, and the log copier gets 10 s more; what it has not logged by then is dropped. A restore without live-restore
reads the fifos to throw away what is in them; with live-restore this build does that, too, once the new copy has begun,
so that each later chunk goes to whichever reads first (of what waits; what flows freely is not counted). Left out: the
log driver's own buffers, docker logs, attach. Source: D libcontainerd/client_linux.go Restore, daemon/monitor.go,
container/stream, daemon/logger/copier.go; engine-1.13 §6 step 5, §10, §15.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Read, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.engines.host import output
from sim.facts import Fid, Forgot
from sim.kernel import fifos
from sim.world import Frame, Key, World

LOGGER_CLOSE = 10 * S  # container/container.go loggerCloseTimeout [S]


def begin_output(g: Goroutine) -> None:
    """Copy and log what the container in variable `c` prints."""
    for log in service_of(g).payload.log:
        local = {"c": g["c"], "stream": log.stream}
        g.start("dockerd.copy", f"{g['c']}/{log.stream}", **local, **_reader(g, log.stream))
        g.start("dockerd.log", f"{g['c']}/{log.stream}", **local)


def begin_discard(g: Goroutine) -> None:
    """Open the fifos of a container that an earlier dockerd had, and read them to throw away what comes."""
    service = service_of(g)
    for log in service.payload.log:
        path = output.fifo_path(service, log.stream)
        if path in g.world.host.fifos:
            fifos.open_fifo(g.turn, g.pid, path, "r")
            local = {"c": g["c"], "stream": log.stream}
            g.start("dockerd.discard", f"{g['c']}/{log.stream}", **local, **_reader(g, log.stream))


def _reader(g: Goroutine, stream: str) -> dict[str, object]:
    service = service_of(g)
    own = output.pipe_of(g.world, g.pid, service, stream)  # dockerd before 1.11 reads the pipe itself
    return {"fifo": own or output.fifo_path(service, stream), "held": 0}


def close_output(g: Goroutine) -> None:
    """Close the fifos of a start that has failed (closeFifos)."""
    service = service_of(g)
    for log in service.payload.log:
        _close(g, output.fifo_path(service, log.stream))


def _close(g: Goroutine, path: str) -> None:
    fifo = fifos.fifo_of(g.world.host, g.pid, path)
    if fifo is not None:
        fifos.close_fifo(g.turn, g.pid, fifo.path)


# -- the copy ---------------------------------------------------------------------------------------


def _level(world: World, frame: Frame) -> int:
    return int(world.recall(frame.fid[0], _key(frame), 0))


def _key(frame: Frame) -> str:
    return output.level_key(frame.local["c"], frame.local["stream"])


@reading(lambda world, frame: (("memory", frame.fid[0], _key(frame)),))
def bytes_pipe_has_room(world: World, frame: Frame) -> bool:
    """Say whether BytesPipe.Write returns."""
    return _level(world, frame) < output.BYTES_PIPE


def write_bytes_pipe(g: Goroutine) -> str | None:
    """Put into the BytesPipe what fits."""
    level = _level(g.world, g.frame)
    count = min(g["held"], output.BYTES_PIPE - level)
    g.remember(_key(g.frame), level + count)
    g["held"] = g["held"] - count
    return "full" if g["held"] else None


def end_of_stdio(g: Goroutine) -> None:
    """Close the fifo: nobody writes into it any more."""
    _close(g, g["fifo"])


COPY = procedure(
    "dockerd.copy",
    Label("next"),
    Read("read_output", "fifo", output.COPY, "end"),
    Label("full"),
    Wait(bytes_pipe_has_room),
    Do(write_bytes_pipe, "full"),
    Goto("next"),
    Label("end"),
    Do(end_of_stdio),
)


def throw_away(g: Goroutine) -> None:
    """Drop what was read."""
    output.add_lost(g.turn, g["c"], g["held"])
    g["held"] = 0


DISCARD = procedure(
    "dockerd.discard",
    Label("next"),
    Read("discard_output", "fifo", output.COPY, "end"),
    Do(throw_away),
    Goto("next"),
    Label("end"),
    Do(end_of_stdio),
)

# -- the log copier ---------------------------------------------------------------------------------


def _copy_of(frame: Frame) -> Fid:
    return frame.fid[0], f"copy/{frame.local['c']}/{frame.local['stream']}"


def _log_reads(world: World, frame: Frame) -> Iterable[Key]:
    yield ("memory", frame.fid[0], _key(frame))
    yield ("frame", _copy_of(frame))
    yield from output.sink_keys(world, frame.local["c"])


@reading(_log_reads)
def message_logged(world: World, frame: Frame) -> bool | str:
    """Say whether the log driver takes what is there; or that all has been logged and nothing more will come."""
    if _level(world, frame):
        return output.takes(world, frame.local["c"])
    return False if _copy_of(frame) in world.frames else "end"


def log_message(g: Goroutine) -> None:
    """Take all that is in the BytesPipe; the driver takes it at once."""
    g.emit(Forgot(g.pid, _key(g.frame)))


LOG = procedure(
    "dockerd.log",
    Label("next"),
    Wait(message_logged, "end"),
    Do(log_message),
    Goto("next"),
    Label("end"),
)

# -- the end of a container that printed ------------------------------------------------------------


def _goroutines(world: World, frame: Frame, name: str) -> list[Fid]:
    c = frame.local["c"]
    return [(frame.fid[0], f"{name}/{c}/{log.stream}") for log in world.services[c].payload.log]


@reading(lambda world, frame: [("frame", fid) for fid in _goroutines(world, frame, "copy")])
def stdio_ended(world: World, frame: Frame) -> bool:
    """Say whether every copy has come to the end of its fifo (no time limit)."""
    return not any(fid in world.frames for fid in _goroutines(world, frame, "copy"))


@reading(lambda world, frame: [("frame", fid) for fid in _goroutines(world, frame, "log")])
def all_logged(world: World, frame: Frame) -> bool:
    """Say whether the log copier has logged everything."""
    return not any(fid in world.frames for fid in _goroutines(world, frame, "log"))


def truncate_log(g: Goroutine) -> None:
    """Close the logger, which did not exit in time: logs may be truncated."""
    for log in service_of(g).payload.log:
        key = output.level_key(g["c"], log.stream)
        g.cancel(f"log/{g['c']}/{log.stream}")
        if g.recall(key):
            output.add_lost(g.turn, g["c"], g.recall(key))
            g.emit(Forgot(g.pid, key))


AWAIT_OUTPUT = (
    Wait(stdio_ended),
    Wait(all_logged, within=LOGGER_CLOSE, late="truncate"),
    Goto("logged"),
    Label("truncate"),
    Do(truncate_log),
    Label("logged"),
)
