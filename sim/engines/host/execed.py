"""A command that runs in a container beside its program: `docker exec`, a health probe.

It is a member of the container's pid namespace whose parent is outside of it, so it takes signals as any process does.
Leaves out what it computes and prints. Source: engine-1.13 §3.3; what it does, the scenario's x-exec.
"""

from __future__ import annotations

from sim.engine.containers import exec_of, scope_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Answers, Exec
from sim.engines.host.answers import answer_table, handlers_of, ignored_of
from sim.engines.host.children import child_of
from sim.engines.host.reach import answers
from sim.kernel import syscalls
from sim.kernel.records import Image
from sim.world import Frame, Key, World


def behaviour(world: World, frame: Frame) -> Exec:
    """Return what the command does."""
    return exec_of(world.services[frame.local["c"]], frame.local["argv"])


def _scope_of(world: World, frame: Frame) -> str:
    return scope_of(world, world.services[frame.local["c"]])


def _scope(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("cgroup", _scope_of(world, frame)), ("proc", frame.fid[0]))


@reading(_scope)
def in_scope(world: World, frame: Frame) -> bool | str:
    """Return whether its parent has moved it into the container's scope, or has left before (process_linux.go)."""
    process = world.host.procs[frame.fid[0]]
    if process.cgroup == _scope_of(world, frame):
        return True
    return False if world.host.procs[process.ppid].image.program == "runc" else "given_up"


def execute(g: Goroutine) -> None:
    """Execve the command."""
    how, argv = behaviour(g.world, g.frame), g["argv"]
    by_term = () if "TERM" in dict(how.on) else (("TERM", how.on_term),)
    handlers = handlers_of(by_term, leaves="on_term") + handlers_of(how.on)
    ignored = ignored_of((*by_term, *how.on))
    comm = argv[0].rpartition("/")[2][:15]
    syscalls.execve(g.turn, g.pid, Image("exec", comm, argv, g["c"], handlers, ignored))
    syscalls.start_threads(g.turn, g.pid, how.threads)
    g["i"] = 0


def more_children(g: Goroutine) -> str | None:
    """Go on with the next child, if there is one."""
    return None if g["i"] < len(behaviour(g.world, g.frame).children) else "run"


def child(g: Goroutine) -> Spawn:
    """Describe the next child."""
    how = behaviour(g.world, g.frame).children[g["i"]]
    g["i"] = g["i"] + 1
    return child_of(g, how)


def run_time(world: World, frame: Frame) -> int:
    """Return how long it runs, in µs."""
    return behaviour(world, frame).after


def leave(g: Goroutine) -> int:
    """Leave with its code; one that asks whether the container's program answers says so with it."""
    code = behaviour(g.world, g.frame).code
    if code is not None:
        return code
    return 0 if answers(g.world, g["c"]) else 1


def term_after(world: World, frame: Frame) -> int:
    """Return how long it takes to leave after TERM, in µs."""
    return _of_handler(world, frame.fid[0]).on_term.after


def leave_on_term(g: Goroutine) -> int:
    """Leave with the code of an orderly end."""
    return _of_handler(g.world, g.pid).on_term.code


def _of_handler(world: World, pid: int) -> Exec:
    image = world.host.procs[pid].image
    return exec_of(world.services[image.container], image.argv)


def _answers(world: World, pid: int) -> Answers:
    return _of_handler(world, pid).on


PROGRAM = Program(
    "exec",
    (
        procedure(
            "exec.main",
            Wait(in_scope, "given_up"),
            Do(execute),
            Label("children"),
            Do(more_children, "run"),
            Fork(child),
            Goto("children"),
            Label("run"),
            Sleep("run_time", run_time),
            Exit(leave),
            Label("given_up"),
            Exit(1),
        ),
        procedure("exec.on_term", Sleep("on_term", term_after), Exit(leave_on_term)),
        answer_table("exec", _answers),
    ),
    role=Role(kind=Kind.EXECED, order=110, target="container", brief=True),
)
