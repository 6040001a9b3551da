"""docker-init (tini) as the first process of a container, and the program that it starts: `--init`, Compose's `init`.

docker-init forks the program, forwards signals to it, reaps whatever it is given, and leaves with the program's code,
or 128 and its signal. The program is no first process: a signal that it has no handler for ends it. Leaves out output
of the program, terminals, and a child subreaper outside of a pid namespace. Source: engine-1.13 §9 [S oci_linux.go];
which signals tini forwards [K tini.c].
"""

from __future__ import annotations

from sim.engine.containers import pins
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Return, Sleep, Wait
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.host import threads
from sim.engines.host.answers import answer_table
from sim.engines.host.payload import (
    answers,
    become_ready,
    fail_table,
    free_to_act,
    leave,
    leave_after,
    leave_on_term,
    more_children,
    next_child,
    ready_after,
    run_program,
    term_after,
)
from sim.kernel.records import Pid
from sim.world import Frame, World


def execute_app(g: Goroutine) -> None:
    """Execve the user's program below docker-init."""
    run_program(g, "app")


def app_child(g: Goroutine) -> Spawn:
    """Describe the program's next child."""
    return next_child(g)


def app_child_pin(world: World, frame: Frame) -> Pid | None:
    """Return the number that was observed for the program's next child: the first is the program's own."""
    return next(iter(pins(world, frame).children[frame.local["i"] + 1 :]), None)


APP = Program(
    "app",
    (
        procedure(
            "app.main",
            Do(execute_app),
            Label("children"),
            Do(more_children, "served"),
            Fork(app_child, pin=app_child_pin),
            Goto("children"),
            Label("served"),
            Sleep("ready", ready_after),
            Label("answer"),
            Do(become_ready, "stuck"),
            Return(),
            Label("stuck"),
            Wait(free_to_act),
            Goto("answer"),
        ),
        procedure("app.leave", Sleep("exits", leave_after), Exit(leave)),
        fail_table("app"),
        procedure("app.on_term", Sleep("on_term", term_after), Exit(leave_on_term)),
        answer_table("app", answers),
        *threads.thread_tables("app"),
    ),
    role=Role(kind=Kind.MEMBER, order=200, target="container"),
)
