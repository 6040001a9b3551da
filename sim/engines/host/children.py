"""The children of a program in a container, and theirs: what they do by themselves, and who waits for them.

A child stays in its parent's group and session. One whose parent has ended comes to the nearest subreaper or to the
first process of the container, as the kernel has it; whether anybody waits for it there is that program's business: at
once, so long after the first that has ended (and then for all that have), or never. Source: fork(2), wait(2), prctl(2);
the scenario's `children`.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, ReapAny, Sleep, Wait, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Answers, Child, Payload
from sim.engines.host import threads
from sim.engines.host.answers import answer_table, handlers_of, inherited
from sim.kernel import syscalls
from sim.world import Frame, World

ON = "on"  # a child's memory: what it does with signals


def child_of(g: Goroutine, how: Child) -> Spawn:
    """Describe a child of a program of the container."""
    leaves = {} if how.exits is None else {"exits": how.exits}
    more = {} if how == plain(how) else {"how": how, "i": 0}
    ignored = g.world.host.procs[g.pid].image.ignored
    return Spawn(
        "child",
        how.argv,
        g["c"],
        comm=how.comm,
        local={"c": g["c"], "threads": how.threads, **leaves, **more},
        handlers=handlers_of(how.on),
        ignored=inherited(ignored, how.on),
    )


def plain(how: Child) -> Child:
    """Return a child that runs, leaves and is forked anew as *how* does, without anything else that it does."""
    return Child(how.comm, how.argv, how.threads, how.exits, how.every)


def start_threads(g: Goroutine) -> str | None:
    """Start the child's threads, and what it will do by itself."""
    how: Child | None = g["how"]
    if how is None:
        syscalls.start_threads(g.turn, g.pid, g["threads"])
    else:
        if how.on:
            g.remember(ON, how.on)
        threads.begin(g, "child", how)
        wait_for(g, "child", how)
    if g["exits"] is not None:
        g.start("child.leave", exits=g["exits"])
    if how is None or not how.children:
        return "alone"
    for number, below in enumerate(how.children):
        if below.every is not None:
            g.start("child.fork_again", str(number), c=g["c"], how=below)
    return None


def grandchild(g: Goroutine) -> Spawn:
    """Describe the next child of the child."""
    below: Child = g["how"].children[g["i"]]
    g["i"] = g["i"] + 1
    return child_of(g, below)


def more_below(g: Goroutine) -> str | None:
    """Go on with the next child of the child, if there is one."""
    return "children" if g["i"] < len(g["how"].children) else None


def every(world: World, frame: Frame) -> int:
    """Return after how long the child's child is forked anew, in µs."""
    return int(frame.local["how"].every)


def one_more(g: Goroutine) -> Spawn:
    """Fork the child's child once more."""
    return child_of(g, g["how"])


def child_leaves_after(world: World, frame: Frame) -> int:
    """Return when the child leaves by itself, in µs."""
    return int(frame.local["exits"].after)


def child_leaves(g: Goroutine) -> int:
    """Leave with the child's code."""
    return int(g["exits"].code)


def _answers(world: World, pid: int) -> Answers:
    found: Answers = world.recall(pid, ON, ())
    return found


# -- waiting for children ---------------------------------------------------------------------------


def wait_for(g: Goroutine, program: str, how: Payload | Child) -> None:
    """Start to wait for children: late, or at once where there are any that end."""
    if how.reaps and how.reaps_after:
        g.start(f"{program}.reap_late", after=how.reaps_after)
    elif how.reaps and _any_ends(how):
        g.start(f"{program}.reap", c=g["c"])


def _any_ends(how: Payload | Child) -> bool:
    """Return whether a child ends by itself; who is only a child waits for its own in any case."""
    return (isinstance(how, Child) and bool(how.children)) or any(map(_ends, how.children))


def _ends(how: Child) -> bool:
    """Return whether a child leaves, or all of its threads end."""
    all_threads = sum(end.count for end in how.threads_end) >= how.threads
    return how.exits is not None or (how.main_ends is not None and all_threads)


@reading(lambda world, frame: (("children", frame.fid[0]),))
def child_has_ended(world: World, frame: Frame) -> bool:
    """Return whether a child can be waited for."""
    return bool(world.host.zombies.get(frame.fid[0]))


def reap_all(g: Goroutine) -> None:
    """Wait for every child that has ended."""
    while syscalls.wait4(g.turn, g.pid) is not None:
        pass


def reap_tables(program: str) -> tuple[Procedure, ...]:
    """Return how a program waits for its children at once, and late."""
    late = (Label("next"), Wait(child_has_ended), Sleep("reaps_late", threads.after), Do(reap_all), Goto("next"))
    return (
        procedure(f"{program}.reap", Label("next"), ReapAny(), Goto("next")),
        procedure(f"{program}.reap_late", late),
    )


CHILD = Program(
    "child",
    (
        procedure(
            "child.main",
            Do(start_threads, "alone"),
            Label("children"),
            Fork(grandchild),
            Do(more_below, "children"),
            Label("alone"),
        ),
        procedure("child.leave", Sleep("child_exits", child_leaves_after), Exit(child_leaves)),
        procedure("child.fork_again", Label("next"), Sleep("every", every), Fork(one_more), Goto("next")),
        *reap_tables("child"),
        *threads.thread_tables("child"),
        answer_table("child", _answers),
    ),
    role=Role(kind=Kind.MEMBER, order=120, target="container", plural="children"),
)
