"""Signals: a set of pending ones, and what each does to whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel import events as e
from sim.kernel import syscalls as sc
from sim.kernel.host import Host
from sim.kernel.records import INIT, Pid
from sim.kernel.signals import NUMBERS, STOPPING, Signal
from tests.kernel.strategies import FAMILY, IMAGES, SIGNALS, Bench, Call, calls, history

PLAIN, DEAF, POLITE = IMAGES


def child(bench: Bench, image: object = PLAIN, *, first: bool = False) -> Pid:
    """Fork a child of PID 1 with this image, as first process of a namespace or not."""
    pid = sc.fork(bench, INIT, ns=sc.NEW_NS if first else None)
    sc.execve(bench, pid, image)  # type: ignore[arg-type]
    return pid


# -- sending ----------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(sorted(NUMBERS)), max_size=12))
def test_two_signals_of_a_kind_are_one(signals: list[Signal]) -> None:
    """What is pending is a set: a signal that waits already is not kept twice."""
    bench = Bench(Host())
    pid = child(bench)
    for signal in signals:
        mark, waits = len(bench.events), signal in bench.host.procs[pid].pending
        assert sc.kill(bench, pid, signal)
        assert waits is not bool(bench.since(mark))
    stops, conts = set(signals) & STOPPING, {"CONT"} & set(signals)
    others = set(signals) - stops - conts
    assert bench.host.procs[pid].pending - STOPPING - {"CONT"} == others


def test_a_signal_to_nobody_fails_and_to_a_zombie_does_nothing() -> None:
    """kill says False where no such process exists (ESRCH), and True without effect for a zombie."""
    bench = Bench(Host())
    pid = child(bench)
    assert sc.kill(bench, pid + 1, "TERM") is False
    sc.exit_process(bench, pid, 0)
    mark = len(bench.events)
    assert sc.kill(bench, pid, "KILL") is True
    assert not bench.since(mark)


@settings(max_examples=80)
@given(calls((*FAMILY, "kill", "deliver", "kill_cgroup", "cgroup")))
def test_only_living_processes_have_signals_and_kill_goes_before_all(sequence: list[Call]) -> None:
    """A zombie takes nothing; with KILL pending a process takes KILL alone; a stopped one takes nothing else."""
    for done in history(sequence):
        for pid, process in done.after.procs.items():
            signals = sc.deliverable(done.after, pid)
            if process.state == "Z":
                assert not process.pending
            elif "KILL" in process.pending:
                assert signals == ("KILL",)
            elif process.state == "T":
                assert signals == ()
            else:
                assert set(signals) == process.pending
                assert list(signals) == sorted(signals, key=NUMBERS.__getitem__)


@settings(max_examples=80)
@given(calls(("fork", "kill", "kill", "deliver", "deliver", "cgroup", "kill_cgroup")))
def test_stop_and_cont_discard_each_other(sequence: list[Call]) -> None:
    """No process has both pending, and one that got CONT last is not stopped afterwards by an earlier STOP."""
    for done in history(sequence):
        for process in done.after.procs.values():
            assert not ("CONT" in process.pending and STOPPING & process.pending)
        for event in done.of(e.Signalled):
            if event.signal == "CONT" and event.pid in done.after.procs:
                assert done.after.procs[event.pid].state != "T"


@settings(max_examples=80)
@given(calls(("fork", "cgroup", "cgroup", "kill_cgroup", "exit", "wait")))
def test_a_signal_to_a_control_group_reaches_whoever_the_records_place_in_or_below_it(sequence: list[Call]) -> None:
    """Each living member of the group or of one below it has the signal pending, and nobody else got it."""
    for done in history(sequence):
        if done.call[0] != "kill_cgroup":
            continue
        group, signal = ("/a", "/a/b")[done.call[1] % 2], SIGNALS[done.call[2] % len(SIGNALS)]
        inside = [p for p in done.before.procs.values() if f"{p.cgroup}/".startswith(f"{group}/")]
        wanted = {p.pid for p in inside if p.alive and signal not in p.pending}
        assert {event.pid for event in done.of(e.Signalled)} == wanted


def test_a_signal_to_a_group_of_processes_reaches_those_below_it() -> None:
    """Killing a control group kills its members and those of groups below it, and no others."""
    bench = Bench(Host())
    pids = [child(bench) for _ in range(4)]
    for pid, group in zip(pids, ("/a", "/a/b", "/ab", "/"), strict=True):
        sc.join_cgroup(bench, pid, group)
    sc.kill_cgroup(bench, "/a", "TERM", skip=())
    assert [bool(bench.host.procs[pid].pending) for pid in pids] == [True, True, False, False]


# -- taking -----------------------------------------------------------------------------------------

OUTCOMES = [
    # image, first process of a namespace, signal, outcome
    (PLAIN, False, "TERM", "default"),
    (PLAIN, False, "USR1", "default"),
    (PLAIN, False, "KILL", "default"),
    (PLAIN, False, "CHLD", "ignored"),
    (PLAIN, False, "CONT", "ignored"),
    (PLAIN, False, "STOP", "stopped"),
    (PLAIN, False, "TSTP", "stopped"),
    (DEAF, False, "TERM", "ignored"),
    (DEAF, False, "KILL", "default"),
    (DEAF, False, "USR1", "default"),
    (POLITE, False, "TERM", "handled"),
    (POLITE, False, "CHLD", "handled"),
    (POLITE, False, "STOP", "stopped"),
    (PLAIN, True, "TERM", "dropped"),
    (PLAIN, True, "TSTP", "dropped"),
    (PLAIN, True, "KILL", "default"),
    (PLAIN, True, "STOP", "stopped"),
    (PLAIN, True, "CHLD", "ignored"),
    (POLITE, True, "TERM", "handled"),
    (POLITE, True, "INT", "dropped"),
    (DEAF, True, "TERM", "ignored"),
]


@pytest.mark.parametrize(("image", "first", "signal", "outcome"), OUTCOMES)
def test_a_signal_is_handled_ignored_dropped_or_does_its_default(
    image: object, first: bool, signal: Signal, outcome: str
) -> None:
    """The handler comes first, then what is ignored; a first process drops the rest, except KILL and STOP."""
    bench = Bench(Host())
    pid = child(bench, image, first=first)
    sc.kill(bench, pid, signal)
    handler = sc.deliver(bench, pid, signal)
    taken = [event for event in bench.events if isinstance(event, e.SignalTaken)]
    assert [(event.signal, event.outcome) for event in taken] == [(signal, outcome)]
    process = bench.host.procs[pid]
    assert signal not in process.pending
    assert process.state == {"default": "Z", "stopped": "T"}.get(outcome, "S")
    assert (handler is not None) == (outcome == "handled")
    if outcome == "default":
        assert process.status == -NUMBERS[signal]


@pytest.mark.parametrize("signal", ["TERM", "USR1", "TSTP", "KILL", "STOP"])
def test_pid_1_drops_every_signal_that_it_has_no_handler_for(signal: Signal) -> None:
    """Not even KILL and STOP reach PID 1 of the host (kill(2), Notes)."""
    bench = Bench(Host())
    sc.kill(bench, INIT, signal)
    assert sc.deliver(bench, INIT, signal) is None
    assert bench.events[-1] == e.SignalTaken(INIT, signal, "dropped")
    assert bench.host.procs[INIT].state == "S"


def test_a_stopped_process_goes_on_at_cont_and_takes_what_had_waited() -> None:
    """While stopped only KILL is taken; CONT resumes at once, and the rest is taken then."""
    bench = Bench(Host())
    pid = child(bench)
    sc.kill(bench, pid, "STOP")
    sc.deliver(bench, pid, "STOP")
    sc.kill(bench, pid, "TERM")
    assert sc.deliverable(bench.host, pid) == ()
    sc.kill(bench, pid, "CONT")
    assert bench.host.procs[pid].state == "S"
    assert sc.deliverable(bench.host, pid) == ("TERM",)


def test_kill_ends_a_stopped_process() -> None:
    """A stopped process dies of KILL without being resumed."""
    bench = Bench(Host())
    pid = child(bench)
    for signal in ("STOP", "KILL"):
        sc.kill(bench, pid, signal)
        sc.deliver(bench, pid, signal)
    assert bench.host.procs[pid].status == -9


def test_a_fork_does_not_pass_the_death_signal_on() -> None:
    """A grandchild does not get the signal that its parent asked for (fork(2))."""
    bench = Bench(Host())
    parent = child(bench)
    middle = sc.fork(bench, parent)
    bench.emit(e.DeathSignalSet(middle, "TERM"))
    young = sc.fork(bench, middle)
    sc.exit_process(bench, parent, 0)
    assert bench.host.procs[middle].pending == {"TERM"}
    assert not bench.host.procs[young].pending
