"""The shim of an exec'd process: the same binary with the same words as the container's shim, another folder.

It starts `runc exec`, reaps what is below it until the process has ended, writes its exit status, and waits for the end
of its output before it leaves: it runs neither `runc kill` nor `runc delete`. Orphans of the process come to it, and
hold its output open; those that end meanwhile are not reaped. Leaves out bytes and terminals. Source: C
containerd-shim/main.go; engine-1.13 §3.2, §3.3, §12 (10 ids with its threads).
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import folder, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label, Reap, ReapAny, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import MB, Kind, Role, Rss
from sim.engine.traits import traits
from sim.engines.containerd.runc import runc
from sim.kernel import fifos, syscalls
from sim.kernel.events import SubreaperSet
from sim.kernel.records import code_of
from sim.kernel.signals import CATCHABLE
from sim.world import Frame, World


def exec_shim(g: Goroutine) -> Spawn:
    """Describe the shim of the process in variable `x`."""
    service = service_of(g)
    words = traits(g.world, g.pid).words
    argv = (*words.shim, service.id, paths.bundle(service.id), words.runc[0])
    local = {"c": service.name, "x": g["x"], "argv": g["task"].data[1]}
    return Spawn("exec-shim", argv, service.name, local=local, new_group=True)


def _exit_fifo(world: World, frame: Frame) -> str:
    return f"{folder(world, frame)}/exit"


@reading(lambda world, frame: (("fifo", _exit_fifo(world, frame)), ("proc", frame.fid[0])))
def exit_fifo_has_reader(world: World, frame: Frame) -> bool:
    """Say whether open(O_WRONLY) on the exit fifo returns: the containerd that has made both of them reads."""
    fifo = world.host.fifos.get(_exit_fifo(world, frame))
    return fifo is not None and world.host.procs[frame.fid[0]].ppid in fifo.readers


def set_up(g: Goroutine) -> str | None:
    """Become a subreaper, start threads, open the exit fifo; one that was given up meanwhile has none any more."""
    if _exit_fifo(g.world, g.frame) not in g.world.host.fifos:
        return "failed"
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_before)
    g.emit(SubreaperSet(g.pid))
    fifos.open_fifo(g.turn, g.pid, _exit_fifo(g.world, g.frame), "w")
    return None


def runc_exec(g: Goroutine) -> Spawn:
    """Start `runc exec`, which dies with the shim."""
    words = ("-d", "--process", f"{folder(g.world, g.frame)}/process.json")
    return runc(g, "exec", *words, death_signal="KILL", x=g["x"], argv=g["argv"])


def exec_started(g: Goroutine) -> str | None:
    """Remember which child is the process."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_after)
    g["process_pid"] = g.world.host.files.get(f"{folder(g.world, g.frame)}/pid")
    return None if g["process_pid"] else "failed"


def is_process(g: Goroutine) -> str | None:
    """Tell the process from others that the shim adopted."""
    return None if g["reaped_pid"] == g["process_pid"] else "reap"


def write_exec_status(g: Goroutine) -> None:
    """Write the code, or 128 + the signal."""
    syscalls.write_file(g.turn, f"{folder(g.world, g.frame)}/exitStatus", code_of(g["status"]))


@reading(lambda world, frame: (("children", frame.fid[0]),))
def output_closed(world: World, frame: Frame) -> bool:
    """Say whether nobody holds the other end of its pipes: every living child has inherited them."""
    host = world.host
    return not any(host.alive(child) for child in host.children.get(frame.fid[0], ()))


PROGRAM = Program(
    "exec-shim",
    (
        procedure(
            "exec-shim.main",
            Wait(exit_fifo_has_reader),
            Do(set_up, "failed"),
            Fork(runc_exec),
            Reap(bad="failed"),
            Do(exec_started, "failed"),
            Label("reap"),
            ReapAny(),
            Do(is_process, "reap"),
            Do(write_exec_status),
            Wait(output_closed),
            Exit(0),
            Label("failed"),
            Exit(1),
        ),
    ),
    ignored=CATCHABLE,
    role=Role(
        words="shim",
        kind=Kind.HOLDER,
        order=60,
        home="containerd",
        target="container",
        brief=True,
        stalls_as="shim",
        rss=Rss(round(3.6 * MB), "as a shim"),
        noun="shim",
    ),
)
