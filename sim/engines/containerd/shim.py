"""docker-containerd-shim: starts one container through runc, reaps everything below it, keeps the exit status.

It traps every signal that can be caught and does nothing with them; only KILL ends it. It holds both ends of the stdio
fifos, so that the payload never sees a broken pipe. What a payload prints it copies from a pipe of its own to a fifo
(`sim.engines.host.output`). Leaves out terminals and exec shims.
Source: C containerd-shim/main.go, process_linux.go; engine-1.13 §1.1, §2 steps 10-15, §3.1, §8, §12 (a = 7).
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import identity, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Read, Reap, ReapAny, Wait, Write, reading, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import MB, Kind, Role, Rss
from sim.engine.traits import traits
from sim.engines.containerd.runc import runc
from sim.engines.host import output
from sim.facts import StateChanged
from sim.kernel import fifos, syscalls
from sim.kernel.events import SubreaperSet
from sim.kernel.records import code_of
from sim.kernel.signals import CATCHABLE
from sim.world import Frame, World


def shim(g: Goroutine) -> Spawn:
    """Describe the shim of the container in variable `c`: a group of its own, containerd's session."""
    service = service_of(g)
    words = traits(g.world, g.pid).words
    argv = (*words.shim, service.id, paths.bundle(service.id), words.runc[0])
    return Spawn("shim", argv, service.name, local={"c": service.name}, new_group=True)


def _exit_fifo(world: World, frame: Frame) -> str:
    return f"{paths.state(identity(world, frame))}/exit"


@reading(lambda world, frame: (("fifo", _exit_fifo(world, frame)), ("proc", frame.fid[0])))
def exit_fifo_has_reader(world: World, frame: Frame) -> bool:
    """Say whether open(O_WRONLY) on the exit fifo returns: it blocks when containerd's read end has vanished.

    It was made by the containerd that forked this shim; one of the same name that is made later is another one.
    """
    fifo = world.host.fifos.get(_exit_fifo(world, frame))
    return fifo is not None and world.host.procs[frame.fid[0]].ppid in fifo.readers


def set_up(g: Goroutine) -> str | None:
    """Become a subreaper, start threads, open the exit fifo and both ends of the stdio ones.

    A start that took too long has been given up: its state folder is gone.
    """
    service = service_of(g)
    identity = service.id
    if f"{paths.state(identity)}/exit" not in g.world.host.fifos:
        return "failed"
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_before)
    g.emit(SubreaperSet(g.pid))
    fifos.open_fifo(g.turn, g.pid, f"{paths.state(identity)}/exit", "w")
    for stream in paths.STREAMS:
        path = f"{paths.bundle(identity)}/{stream}"
        if path in g.world.host.fifos:
            fifos.open_fifo(g.turn, g.pid, path, "rw")
    for log in service.payload.log:
        fifos.pipe(g.turn, g.pid, output.pipe_path(service, log.stream), output.depth(log.write))
    return None


def runc_create(g: Goroutine) -> Spawn:
    """Start `runc create`, which dies with the shim."""
    return runc(g, "create", "--bundle", paths.bundle(service_of(g).id), death_signal="KILL")


def created(g: Goroutine) -> str | None:
    """Remember which child is the payload, and begin to copy what it prints."""
    service = service_of(g)
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_after)
    g["payload_pid"] = g.world.host.files.get(f"{paths.state(service.id)}/pid")
    for log in service.payload.log:
        local = {"c": service.name, "stream": log.stream, "held": 0, "fifo": output.fifo_path(service, log.stream)}
        g.start("shim.copy", log.stream, pipe=output.pipe_of(g.world, g.pid, service, log.stream), **local)
    return None if g["payload_pid"] else "failed"


def is_payload(g: Goroutine) -> str | None:
    """Tell the payload from others that the shim adopted."""
    return None if g["reaped_pid"] == g["payload_pid"] else "reap"


def write_exit_status(g: Goroutine) -> None:
    """Write the code, or 128 + the signal; not if the folder has been deleted, and the exit fifo with it."""
    folder = paths.state(service_of(g).id)
    if f"{folder}/exit" in g.world.host.ends.get(g.pid, ()):
        syscalls.write_file(g.turn, f"{folder}/exitStatus", code_of(g["status"]))
    g.emit(StateChanged(g["c"], "stopped"))


def runc_kill(g: Goroutine) -> Spawn:
    """Kill what is left of the container."""
    return runc(g, "kill", "--all", death_signal="KILL")


def runc_delete(g: Goroutine) -> Spawn:
    """Remove the runtime's state."""
    return runc(g, "delete", death_signal="KILL")


@reading(lambda world, frame: (("running", frame.fid[0], "shim.copy"),))
def output_copied(world: World, frame: Frame) -> bool:
    """Say whether every io.Copy loop has ended: no byte is left that nobody reads (no time limit; T10)."""
    return not world.running(frame.fid[0], "shim.copy")


COPY = procedure(
    "shim.copy",
    Label("next"),
    Read("read_pipe", "pipe", output.COPY, "end"),
    Write("write_fifo", "fifo"),
    Goto("next"),
    Label("end"),
)

MAIN = procedure(
    "shim.main",
    Wait(exit_fifo_has_reader),
    Do(set_up, "failed"),
    Fork(runc_create),
    Reap(bad="failed"),
    Do(created, "failed"),
    Label("reap"),
    ReapAny(),
    Do(is_payload, "reap"),
    Do(write_exit_status),
    run(runc_kill),
    Wait(output_copied),
    run(runc_delete),
    Exit(0),
    Label("failed"),
    Exit(1),
)

ROLE = Role(
    words="shim", kind=Kind.HOLDER, order=50, home="containerd", target="container", stalls_as="shim", slows=True,
    rss=Rss(round(3.6 * MB), "issue, moby#26374: containerd 0.2, docker 1.12 and 1.13"),
)  # fmt: skip
PROGRAM = Program("shim", (MAIN, COPY), ignored=CATCHABLE, role=ROLE)
