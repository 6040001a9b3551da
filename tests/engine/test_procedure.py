"""Procedures and ops on toy designs: what construction refuses, and what each op does with what it meets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.designs import Design
from sim.engine.goroutine import Failure, Goroutine, ModelFault, Spawn, spawn, start_frame
from sim.engine.ops import (
    Do,
    Every,
    Exit,
    Fork,
    Go,
    Goto,
    Join,
    Label,
    Lock,
    Push,
    Reap,
    ReapAny,
    Return,
    Serve,
    Sleep,
    Switch,
    Unlock,
    Wait,
    call,
    reading,
    repeat,
    run,
)
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.setup import Setup
from sim.facts import Fid, FrameMoved, Message, Remembered, Sent
from sim.kernel.host import Host
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.kernel.syscalls import exit_process
from sim.model import Go as Taken
from sim.model import Late, alternatives, step
from sim.world import Turn, World

# -- toys -------------------------------------------------------------------------------------------


def world_of(*procedures: Procedure) -> World:
    """Return a world with one program, `toy`, that has these procedures."""
    return World(Setup(), Design("toy", "", "", (Program("toy", procedures),)), Host())


def process(world: World, main: str, **local: Any) -> Pid:
    """Start a process that runs `toy.MAIN`."""
    return spawn(Turn(world), INIT, Spawn("toy", ("toy",), main=main, local=local))


def goroutine(world: World, pid: Pid, name: str, subject: str = "", **local: Any) -> Fid:
    """Start one goroutine more in a process."""
    return start_frame(Turn(world), pid, f"toy.{name}", subject, local)


def may(world: World, fid: Fid) -> list[Any]:
    """Return what a goroutine may do."""
    return list(alternatives(world, world.frames[fid]))


def go(world: World, fid: Fid) -> list[Any]:
    """Let a goroutine take its op, which must be ready."""
    assert Taken(fid) in may(world, fid), f"{fid} is not ready at {at(world, fid)}"
    return step(world, Taken(fid))


def at(world: World, fid: Fid) -> str:
    """Return the name of the op that a goroutine stands at."""
    frame = world.frames[fid]
    return world.design.procedures[frame.procedure].ops[frame.op].name


def kill(world: World, pid: Pid) -> None:
    """End a process at once."""
    exit_process(Turn(world), pid, -9)


def nothing(g: Goroutine) -> None:
    """Do nothing."""


def ends(g: Goroutine) -> str:
    """Go on at the end."""
    return "end"


@reading(lambda world, frame: (("memory", frame.fid[0], "door"),))
def door_open(world: World, frame: Any) -> bool | str:
    """Say whether the door is open; a door that is bricked up leads to its own label."""
    door = world.recall(frame.fid[0], "door", "shut")
    return "bricked" if door == "bricked" else bool(door == "open")


# -- construction -----------------------------------------------------------------------------------

WRONG = [
    ("a label that does not exist", (Do(ends, "end"),), "toy: 'ends' names label 'end'; there are"),
    ("a goto to nowhere", (Do(nothing), Goto("end")), "label 'end'; there are"),
    ("a label twice", (Label("end"), Do(nothing), Label("end"), Do(nothing)), "label 'end' stands twice"),
    ("an op after an exit", (Exit(0), Do(nothing)), "toy: nothing reaches nothing"),
    ("an op after a goto", (Label("a"), Do(ends, "end"), Goto("a"), Do(nothing), Label("end")), "nothing reaches"),
    ("a goto that leads to itself", (Do(nothing), Label("a"), Goto("a")), "leads to itself"),
    (
        "a lock kept on a way out",
        (Lock("l/{c}"), Do(ends, "end"), Unlock("l/{c}"), Label("end")),
        r"toy: 'return' \(op 3\) is reached with lock 'l/\{c\}' held",
    ),
    (
        "a lock kept when time is up",
        (Lock("l"), Wait(door_open, "bricked", within=5, late="late"), Label("bricked"), Unlock("l"), Label("late")),
        r"toy: 'return' \(op 3\) is reached with lock 'l' held",
    ),
    (
        "a kernel's lock kept by a return",
        (Lock("kernel:x"),),
        r"'return' \(op 1\) is reached with lock 'kernel:x' held",
    ),
    (
        "a lock taken twice",
        (Lock("l"), Label("on"), Do(nothing), Lock("m"), Goto("on")),
        r"toy: 'lock_m' \(op 2\) takes lock 'm', which is held already",
    ),
    (
        "a lock released unheld",
        (Lock("m"), Do(nothing), Unlock("l"), Unlock("m")),
        r"toy: 'lock_l' \(op 2\) releases lock 'l', which is not held",
    ),
    (
        "a lock released twice",
        (Lock("l"), Do(ends, "end"), Unlock("l"), Label("end"), Unlock("l")),
        r"toy: 'lock_l' \(op 3\) releases lock 'l', which is not held",
    ),
    ("two gotos that lead to each other", (Label("a"), Goto("b"), Label("b"), Goto("a")), "leads to itself"),
]


@pytest.mark.parametrize(("entries", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_table_that_cannot_be_right_is_refused(entries: tuple[Any, ...], text: str) -> None:
    """A wrong label, an op that nothing reaches, a goto in a circle, a lock out of pair: each is a ValueError."""
    with pytest.raises(ValueError, match=text):
        procedure("toy", *entries)


def test_an_exit_may_hold_locks() -> None:
    """Locks die with their process, so an exit leaves no lock behind; two may be released in any order."""
    table = procedure("toy", Lock("l"), Lock("kernel:x"), Do(ends, "end"), Exit(0), Label("end"), Unlock("l"),
                      Unlock("kernel:x"))  # fmt: skip
    assert [op.name for op in table.ops][-3:] == ["lock_l", "lock_kernel:x", "return"]


def test_a_wait_has_a_limit_and_a_label_for_it_or_neither() -> None:
    """A limit without a label, or a label without a limit, is refused."""
    wrongs: list[dict[str, Any]] = [{"within": 5}, {"late": "end"}]
    for wrong in wrongs:
        with pytest.raises(AssertionError, match="a time limit needs a label"):
            Wait(door_open, "bricked", **wrong)


def test_nested_lists_are_spliced_and_may_stand_in_several_places() -> None:
    """An op that stands in many places is another op at each, so that its index is its own."""
    table = procedure("toy", repeat(2, [Do(nothing)], Do(nothing)))
    assert [op.name for op in table.ops] == ["nothing"] * 4 + ["return"]
    assert [op.index for op in table.ops] == list(range(5))


def test_a_table_returns_at_its_end() -> None:
    """A last label, or a last op that goes on, is followed by a return; an exit is not."""
    labelled, plain = procedure("toy", Do(ends, "end"), Exit(1), Label("end")), procedure("toy", Do(nothing), Exit(1))
    assert [op.name for op in labelled.ops] == ["ends", "exit", "return"]
    assert [op.name for op in plain.ops] == ["nothing", "exit"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=10))
def test_gotos_cost_no_step_wherever_they_lead(order: list[int]) -> None:
    """A chain of gotos, in any order of their labels, is followed to its op without a step of its own."""
    chain = list(dict.fromkeys(order))
    gotos = [entry for n, here in enumerate(chain) for entry in (Label(f"l{here}"), Goto(_after(chain, n)))]
    world = world_of(procedure("toy.main", Do(nothing), Goto(f"l{chain[0]}"), *gotos, Label("end"), Do(ends, "last"),
                               Label("last")))  # fmt: skip
    fid = (process(world, "main"), "main")
    go(world, fid)
    assert at(world, fid) == "ends"


def _after(chain: list[int], n: int) -> str:
    return f"l{chain[n + 1]}" if n + 1 < len(chain) else "end"


# -- silent ops -------------------------------------------------------------------------------------

CRITICAL = procedure("toy.critical", Lock("l"), Do(nothing), Unlock("l"))
HOST_WIDE = procedure("toy.host_wide", Lock("kernel:x"), Do(nothing), Unlock("kernel:x"))
IDLE = procedure("toy.idle", Wait(door_open, "bricked"), Label("bricked"))


@given(st.integers(1, 6))
def test_a_lock_is_taken_first_come_first_served(count: int) -> None:
    """Goroutines get the lock in the order in which they came, each when the one before has let go."""
    world = world_of(CRITICAL, IDLE)
    pid = process(world, "idle")
    fids = [goroutine(world, pid, "critical") for _ in range(count)]
    for n, fid in enumerate(fids):
        lock = world.lock(pid, "l")
        assert lock is not None
        assert (lock.holder, lock.waiting) == (fid, tuple(fids[n + 1 :]))
        assert [bool(may(world, other)) for other in fids[n:]] == [True] + [False] * (count - n - 1)
        for _ in range(1 if n == 0 else 2):  # one who waited first leaves the lock's op
            go(world, fid)
    assert not world.locks.get(pid)
    assert all(fid not in world.frames for fid in fids)


def test_a_lock_dies_with_its_process() -> None:
    """A process's own locks are gone with it, and another process's lock of the same name is another lock."""
    world = world_of(CRITICAL, IDLE)
    one, other = process(world, "critical"), process(world, "critical")
    assert may(world, (one, "critical"))[:1] == may(world, (one, "critical")) == [Taken((one, "critical"))]
    assert may(world, (other, "critical")) == [Taken((other, "critical"))]
    kill(world, one)
    assert one not in world.locks
    assert world.lock(other, "l") is not None


@pytest.mark.parametrize("dying", ["holder", "first who waits", "both"])
def test_a_kernel_s_lock_passes_on_when_its_holder_dies(dying: str) -> None:
    """A lock of the host is released by its holder's death, and nobody dead waits for it."""
    world = world_of(HOST_WIDE)
    pids = [process(world, "host_wide") for _ in range(3)]
    dead = {"holder": pids[:1], "first who waits": pids[1:2], "both": pids[:2]}[dying]
    for pid in reversed(dead):
        kill(world, pid)
    lock, left = world.lock(OUTSIDE, "x"), [(pid, "host_wide") for pid in pids if pid not in dead]
    assert lock is not None
    assert (lock.holder, list(lock.waiting)) == (left[0], left[1:])
    assert [bool(may(world, fid)) for fid in left] == [True] + [False] * (len(left) - 1)


def test_a_kernel_s_lock_is_free_when_nobody_is_left() -> None:
    """The death of the only holder frees a lock of the host."""
    world = world_of(HOST_WIDE)
    kill(world, process(world, "host_wide"))
    assert world.lock(OUTSIDE, "x") is None


def test_releasing_a_lock_that_is_not_held_is_a_fault_of_the_model() -> None:
    """An unlock of a name that changed since the lock, which construction cannot see, names goroutine and lock."""
    change = Do(lambda g: g.__setitem__("c", "db"))
    world = world_of(procedure("toy.main", Lock("l/{c}"), change, Unlock("l/{c}")))
    fid = (process(world, "main", c="web"), "main")
    with pytest.raises(ModelFault, match=r"toy \(pid 2\) at .* of 'toy.main' releases lock l/db, which it does not"):
        go(world, fid)


def test_silent_ops_go_with_the_op_before_them() -> None:
    """Locks, starts of goroutines and the return take no step of their own, and variables are kept on the way."""
    main = procedure("toy.main", Do(lambda g: g.__setitem__("c", "web")), Lock("l/{c}"),
                     Go("critical", "{c}", "c", into="job"), Unlock("l/{c}"), Join("job"))  # fmt: skip
    world = world_of(main, CRITICAL)
    pid = process(world, "main")
    go(world, (pid, "main"))
    assert at(world, (pid, "main")) == "join_job"
    assert world.frames[pid, "main"].local == {"c": "web", "job": (pid, "critical/main")}
    assert world.frames[pid, "critical/main"].local == {"c": "web"}
    assert not may(world, (pid, "main"))
    go(world, (pid, "critical/main"))
    go(world, (pid, "main"))
    assert not world.frames


def test_a_second_goroutine_of_a_name_gets_a_number() -> None:
    """Goroutines of one process have different names."""
    world = world_of(IDLE)
    pid = process(world, "idle")
    names = [goroutine(world, pid, "idle", "web")[1] for _ in range(3)]
    assert names == ["idle/web", "idle/web#2", "idle/web#3"]


# -- waiting ----------------------------------------------------------------------------------------

DOOR = procedure("toy.main", Wait(door_open, "bricked", within=5, late="late"), Exit(0), Label("bricked"), Exit(1),
                 Label("late"), Exit(2))  # fmt: skip


@pytest.mark.parametrize(("door", "ready", "status"), [("open", True, 0), ("bricked", True, 1), ("shut", False, 2)])
def test_a_wait_ends_by_its_condition_a_label_of_it_or_its_limit(door: str, ready: bool, status: int) -> None:
    """A limit may pass at any time; the condition is taken when it holds, and its text is the label to go on at."""
    world = world_of(DOOR)
    pid = process(world, "main")
    fid = (pid, "main")
    Turn(world).emit(Remembered(pid, "door", door))
    assert may(world, fid) == ([Taken(fid)] if ready else []) + [Late(fid)]
    step(world, Taken(fid) if ready else Late(fid))
    go(world, fid)
    assert world.host.procs[pid].status == status


def test_a_stopped_process_neither_goes_on_nor_runs_into_a_limit() -> None:
    """While a process is stopped its goroutines may do nothing."""
    from sim.kernel.syscalls import deliver
    from sim.kernel.syscalls import kill as send

    world = world_of(DOOR)
    pid = process(world, "main")
    Turn(world).emit(Remembered(pid, "door", "open"))
    send(Turn(world), pid, "STOP")
    deliver(Turn(world), pid, "STOP")
    assert may(world, (pid, "main")) == []
    send(Turn(world), pid, "CONT")
    assert len(may(world, (pid, "main"))) == 2


def test_sleeps_and_tickers_are_timers() -> None:
    """A sleep and a ticker are always ready; that time passes is the driver's affair."""
    world = world_of(procedure("toy.main", Sleep("nap", 5), Every("tick", 5, idle=door_open)))
    fid = (process(world, "main"), "main")
    assert world.design.procedures["toy.main"].ops[0].timer
    assert world.design.procedures["toy.main"].ops[1].timer
    go(world, fid)
    go(world, fid)
    assert fid not in world.frames


# -- children ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "end"), [(0, 10), (3, 11), (-9, 11)])
def test_a_run_waits_for_its_child_and_goes_by_its_status(status: int, end: int) -> None:
    """A child's status 0 leads to one label, any other to the other; a child that lives is waited for."""

    def toy(g: Goroutine) -> Spawn:
        return Spawn("toy", ("toy",), main="idle")

    world = world_of(
        procedure("toy.main", run(toy, good="good", bad="bad"), Label("good"), Exit(10), Label("bad"), Exit(11)), IDLE
    )
    pid = process(world, "main")
    go(world, (pid, "main"))
    child = world.frames[pid, "main"].local["child_pid"]
    assert may(world, (pid, "main")) == []
    exit_process(Turn(world), child, status)
    go(world, (pid, "main"))
    assert child not in world.host.procs
    go(world, (pid, "main"))
    assert world.host.procs[pid].status == end


def test_no_child_counts_as_reaped() -> None:
    """A fork that makes no child leaves None, and to reap it is to go on."""
    world = world_of(procedure("toy.main", Fork(lambda g: None, "proxy_pid"), Reap("proxy_pid"), Exit(0)))
    fid = (process(world, "main"), "main")
    go(world, fid)
    go(world, fid)
    assert world.frames[fid].local == {"proxy_pid": None, "status": 0}


def test_reap_any_takes_the_child_that_died_first() -> None:
    """Children are reaped one a step, first died first."""
    world = world_of(procedure("toy.main", Label("next"), ReapAny(), Goto("next")), IDLE)
    pid = process(world, "main")
    children = [spawn(Turn(world), pid, Spawn("toy", ("toy",), main="idle")) for _ in range(3)]
    for child in (children[2], children[0]):
        kill(world, child)
    for child in (children[2], children[0]):
        go(world, (pid, "main"))
        assert world.frames[pid, "main"].local["reaped_pid"] == child
    assert may(world, (pid, "main")) == []


# -- requests ---------------------------------------------------------------------------------------


def the_peer(world: World, frame: Any) -> Pid | None:
    """Find the peer in variable `to`."""
    peer: Pid | None = frame.local["to"]
    return peer


def hello(g: Goroutine) -> Message:
    """Say hello."""
    return Message("hello", "web", g.frame.fid)


ASKING = procedure(
    "toy.asking",
    call("door", the_peer, hello, lost="lost", refused="refused", failed="failed"),
    *(Exit(0), Label("lost"), Exit(1), Label("refused"), Exit(2), Label("failed"), Exit(3)),
)


def answering(g: Goroutine) -> None:
    """Answer with what the scenario of the test says."""
    g.reply(g["request"].reply, g.recall("answer", True))


SERVING = procedure("toy.serving", Serve("door", {"hello": "answer", "bye": "answer"}))
ANSWER = procedure("toy.answer", Do(answering))


@pytest.mark.parametrize(
    ("what", "status"),
    [("good", 0), ("failure", 3), ("dies before", 1), ("answers and dies", 0), ("nobody", 2), ("dead", 2)],
)
def test_a_call_ends_by_its_answer_or_by_its_peer_s_death(what: str, status: int) -> None:
    """A Failure, a refusal and a lost peer each lead to their label; an answer is kept and outlives its sender."""
    world = world_of(ASKING, SERVING, ANSWER)
    peer = process(world, "serving")
    if what == "failure":
        Turn(world).emit(Remembered(peer, "answer", Failure("no")))
    if what == "dead":
        kill(world, peer)
    pid = process(world, "asking", to=None if what == "nobody" else peer)
    go(world, (pid, "asking"))
    if what in ("good", "failure", "answers and dies"):
        assert may(world, (pid, "asking")) == []
        go(world, (peer, "serving"))
        go(world, (peer, "answer/web"))
    if what in ("dies before", "answers and dies"):
        kill(world, peer)
    if what not in ("nobody", "dead"):
        go(world, (pid, "asking"))
    go(world, (pid, "asking"))
    assert world.host.procs[pid].status == status
    assert not world.replies


def test_an_answer_to_one_who_has_gone_is_lost() -> None:
    """Nothing is kept for a goroutine that no longer waits."""
    world = world_of(ASKING, SERVING, ANSWER)
    peer = process(world, "serving")
    pid = process(world, "asking", to=peer)
    go(world, (pid, "asking"))
    go(world, (peer, "serving"))
    kill(world, pid)
    go(world, (peer, "answer/web"))
    assert not world.replies


def test_a_queue_dies_with_its_process_and_a_message_to_the_dead_is_lost() -> None:
    """What nobody has read goes with the reader, and nothing is sent to one who is gone."""
    world = world_of(ASKING, SERVING, ANSWER)
    peer = process(world, "serving")
    pid = process(world, "asking", to=peer)
    go(world, (pid, "asking"))
    assert [message.kind for message in world.queue(peer, "door")] == ["hello"]
    kill(world, peer)
    assert peer not in world.queues
    Goroutine(Turn(world), world.frames[pid, "asking"]).send(peer, "door", Message("hello"))
    assert peer not in world.queues


def test_messages_are_taken_first_in_first_out_each_by_its_kind() -> None:
    """A server starts a goroutine for each message, in the order of the queue; a switch goes on at its label."""
    labels = {"a": "one", "b": "two"}
    switch = (Label("on"), Switch("tasks", labels), Label("one"), Do(nothing), Label("two"), Goto("on"))
    world = world_of(
        procedure("toy.serving", Serve("door", {"a": "answer", "b": "answer"})), procedure("toy.answer", *switch)
    )
    pid = process(world, "serving")
    for kind, container in (("a", "x"), ("b", "y"), ("a", "z")):
        Turn(world).emit(Sent(pid, "door", Message(kind, container)))
    for name in ("answer/x", "answer/y", "answer/z"):
        go(world, (pid, "serving"))
        assert list(world.frames_of[pid])[-1] == (pid, name)
    for kind, op in (("b", "switch_tasks"), ("a", "nothing")):
        Turn(world).emit(Sent(pid, "tasks", Message(kind, "web")))
        go(world, (pid, "answer/x"))
        assert at(world, (pid, "answer/x")) == op
        assert world.frames[pid, "answer/x"].local["c"] == "web"


@pytest.mark.parametrize(
    ("op", "name"),
    [(Serve("door", {"hello": "answer", "bye": "answer"}), "serve_door"),
     (Switch("door", {"hello": "end", "bye": "end"}), "switch_door")],
)  # fmt: skip
def test_a_message_that_no_step_takes_stops_the_run(op: Any, name: str) -> None:
    """The fault names program, pid, procedure, op, what came, what it takes and where to look."""
    world = world_of(procedure("toy.main", op, Label("end")), ANSWER)
    pid = process(world, "main")
    Turn(world).emit(Sent(pid, "door", Message("good day")))
    text = rf"toy \(pid {pid}\) at '{name}' of 'toy.main' got good day; it takes hello, bye. See \S+.py."
    with pytest.raises(ModelFault, match=f"^{text}$"):
        go(world, (pid, "main"))


@given(st.integers(1, 4), st.integers(0, 6))
def test_a_bounded_queue_makes_its_writer_wait(bound: int, count: int) -> None:
    """A push waits while the queue is full, so the queue never grows beyond its bound."""
    world = world_of(procedure("toy.main", Label("on"), Push("q", "what", bound), Goto("on")))
    pid = process(world, "main", what=Message("hello"))
    for _ in range(count):
        if may(world, (pid, "main")):
            go(world, (pid, "main"))
        assert len(world.queue(pid, "q")) <= bound
    assert len(world.queue(pid, "q")) == min(bound, count)
    assert bool(may(world, (pid, "main"))) == (count < bound)


# -- ends -------------------------------------------------------------------------------------------


def test_an_exit_takes_everything_of_its_process_along() -> None:
    """Memory, goroutines, queues, counts and locks of a process end with it; others keep theirs."""
    leaving = procedure("toy.main", Go("critical"), Go("critical"), Do(lambda g: g.remember("k", 1)), Exit(7))
    world = world_of(leaving, CRITICAL, IDLE)
    other, pid = process(world, "critical"), process(world, "main")
    go(world, (pid, "main"))
    go(world, (pid, "main"))
    assert world.host.procs[pid].status == 7
    for table in (world.memory, world.queues, world.locks, world.frames_of):
        assert pid not in table
    assert list(world.frames) == [(other, "critical")]
    assert world.counts == {(other, "toy.critical"): 1}


def test_a_return_ends_the_goroutine_alone() -> None:
    """A goroutine's return leaves its process."""
    world = world_of(procedure("toy.main", Do(nothing), Return()))
    pid = process(world, "main")
    go(world, (pid, "main"))
    assert not world.frames
    assert world.host.alive(pid)


def test_a_step_that_changes_nothing_still_says_that_the_goroutine_moved() -> None:
    """Each step of a goroutine that goes on leaves a fact, so that a trace shows it."""
    world = world_of(procedure("toy.main", Label("on"), Do(nothing), Goto("on")))
    fid = (process(world, "main"), "main")
    assert go(world, fid) == [FrameMoved(fid, 0, None)]
