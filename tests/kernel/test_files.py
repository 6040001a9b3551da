"""Fifos, listeners, rules and files: what a process holds goes with it, what it wrote stays."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings

from sim.kernel import events as e
from sim.kernel import fifos
from sim.kernel import syscalls as sc
from sim.kernel.addresses import split_address
from sim.kernel.host import Host
from sim.kernel.records import INIT, Rule
from tests.kernel.strategies import (
    ADDRESSES,
    CAPACITY,
    FIFOS,
    PIPES,
    PORTS,
    Bench,
    Call,
    calls,
    history,
    pick,
    piped_host,
)

RUNS = settings(max_examples=80)


# -- fifos ------------------------------------------------------------------------------------------


@RUNS
@given(calls(PIPES))
def test_a_fifo_never_holds_more_than_its_capacity_nor_loses_a_byte(sequence: list[Call]) -> None:
    """A write puts in what fits, a read takes out what is there, and the level is the difference."""
    for done in history(sequence, piped_host()):
        for fifo in done.after.fifos.values():
            assert 0 <= fifo.level <= fifo.capacity == CAPACITY
        for event in done.of(e.FifoLevel):
            before, count = done.before.fifos[event.path].level, done.call[3] % (CAPACITY + 4)
            if done.call[0] == "write":
                assert event.level == min(CAPACITY, before + count)
                assert done.answer == event.level - before
            else:
                assert event.level == max(0, before - count)
                assert done.answer == before - event.level


@RUNS
@given(calls(PIPES))
@example([("open", 0, 0, 0), ("read", 0, 0, 3)])
@example([("open", 0, 0, 2), ("write", 0, 0, 3), ("read", 0, 0, 3), ("read", 0, 0, 3)])
@example([("open", 1, 0, 0), ("open", 2, 0, 1), ("write", 0, 0, 3), ("close", 2, 0, 0), ("read", 0, 0, 1)])
def test_a_reader_sees_end_of_file_only_when_the_fifo_is_empty_and_has_no_writer(sequence: list[Call]) -> None:
    """Empty with a writer blocks (None), empty without one is the end (0), anything else gives bytes."""
    for done in history(sequence, piped_host()):
        if done.call[0] != "read" or not done.call[3] % (CAPACITY + 4):
            continue
        path = pick(FIFOS, done.call[2])
        fifo = done.before.fifos.get(path)
        if fifo is None or not fifo.readers:
            continue
        wanted = min(fifo.level, done.call[3] % (CAPACITY + 4)) or (None if fifo.writers else 0)
        assert done.answer == wanted
        assert fifos.hung_up(done.before, path) == (not fifo.writers and fifo.level == 0)


@RUNS
@given(calls(PIPES))
@example([("open", 0, 0, 1), ("write", 0, 0, 3)])
def test_a_write_without_a_reader_fails_and_sends_pipe(sequence: list[Call]) -> None:
    """EPIPE comes if and only if nobody holds the read end, and SIGPIPE is pending for the writer."""
    for done in history(sequence, piped_host()):
        broken = isinstance(done.answer, sc.SyscallError) and str(done.answer).startswith("EPIPE")
        if done.call[0] != "write":
            assert not broken
            continue
        fifo = done.before.fifos.get(pick(FIFOS, done.call[2]))
        if fifo is not None and fifo.writers:
            assert broken == (not fifo.readers)
            writer = pick(sorted(fifo.writers), done.call[1])
            assert not broken or "PIPE" in done.after.procs[writer].pending


@RUNS
@given(calls(PIPES))
def test_an_end_of_a_fifo_goes_with_its_process(sequence: list[Call]) -> None:
    """Only living processes hold ends, and an exit takes away those of the dead one alone."""
    for done in history(sequence, piped_host()):
        for path, fifo in done.after.fifos.items():
            assert all(done.after.alive(pid) for pid in fifo.readers | fifo.writers)
            for event in done.of(e.Exited):
                before = done.before.fifos[path]
                assert fifo.readers == before.readers - {event.pid}
                assert fifo.writers == before.writers - {event.pid}


def test_what_is_in_a_fifo_goes_with_its_last_end() -> None:
    """The bytes stay while anybody holds an end, and are gone with the last one; so is a fifo without a name."""
    for used in (False, True):
        bench = Bench(Host())
        reader, writer = sc.fork(bench, INIT), sc.fork(bench, INIT)
        fifos.mkfifo(bench, "/f")
        fifos.open_fifo(bench, reader, "/f", "r")
        fifos.open_fifo(bench, writer, "/f", "w")
        fifos.write_fifo(bench, writer, "/f", 100)
        if used:
            fifos.unlink_fifo(bench, "/f", used=True)
            fifos.mkfifo(bench, "/f")
        sc.exit_process(bench, writer, 0)
        held = fifos.fifo_of(bench.host, reader, "/f")
        assert held is not None
        assert (held.path, held.level) == ("/f (deleted)" if used else "/f", 100)
        fifos.close_fifo(bench, reader, held.path)
        assert fifos.fifo_of(bench.host, reader, "/f") is None
        assert {path: fifo.level for path, fifo in bench.host.fifos.items()} == {"/f": 0}


def test_pipes_of_one_name_are_told_apart() -> None:
    """A pipe that is still there has its name; the tenth of a name is refused."""
    bench = Bench(Host())
    for number in range(1, fifos.ALIKE + 1):
        pid = sc.fork(bench, INIT)
        fifos.pipe(bench, pid, "pipe:it", 10)
        held = fifos.fifo_of(bench.host, pid, "pipe:it")
        assert held is not None
        assert held.path == ("pipe:it" if number == 1 else f"pipe:it#{number}")
    with pytest.raises(sc.SyscallError, match="EMFILE"):
        fifos.pipe(bench, INIT, "pipe:it", 10)


def test_a_fifo_is_made_once_and_opened_only_where_it_is() -> None:
    """A second mkfifo says EEXIST, an open without one ENOENT; to unlink what is not there does nothing."""
    bench = Bench(Host())
    with pytest.raises(sc.SyscallError, match="ENOENT: /run/exit"):
        fifos.open_fifo(bench, INIT, "/run/exit", "r")
    fifos.mkfifo(bench, "/run/exit")
    with pytest.raises(sc.SyscallError, match="EEXIST: /run/exit"):
        fifos.mkfifo(bench, "/run/exit")
    fifos.unlink_fifo(bench, "/run/exit")
    fifos.unlink_fifo(bench, "/run/exit")
    assert not bench.host.fifos


# -- listeners --------------------------------------------------------------------------------------


def clash(one: str, other: str) -> bool:
    """Say whether two addresses cannot both be bound: the same, or the same port of the host with a wildcard."""
    if one == other:
        return True
    (family, ip, port), (family2, ip2, port2) = split_address(one), split_address(other)
    return family == family2 and family in ("tcp", "udp") and port == port2 and "0.0.0.0" in (ip, ip2)


@RUNS
@given(calls(PORTS))
def test_an_address_is_bound_unless_it_or_a_wildcard_of_its_port_is_taken(sequence: list[Call]) -> None:
    """bind fails if and only if it clashes with a listener; listeners never clash, and each is alive."""
    for done in history(sequence):
        taken = list(done.after.listeners)
        assert not any(clash(a, b) for i, a in enumerate(taken) for b in taken[i + 1 :])
        assert all(done.after.alive(pid) for pid in done.after.listeners.values())
        if done.call[0] == "listen":
            address = pick(ADDRESSES, done.call[2])
            refused = any(clash(address, other) for other in done.before.listeners)
            assert isinstance(done.answer, sc.SyscallError) == refused
            assert sc.conflicts(done.before, address) == refused


# -- what stays -------------------------------------------------------------------------------------


@RUNS
@given(calls(PORTS))
def test_files_and_rules_outlive_every_process(sequence: list[Call]) -> None:
    """A death changes no file and no rule, and takes away the listeners of the dead process alone."""
    for done in history(sequence):
        if done.of(e.Exited):
            dead = {event.pid for event in done.of(e.Exited)}
            assert done.after.files == done.before.files
            assert done.after.rules == done.before.rules
            kept = {address: pid for address, pid in done.before.listeners.items() if pid not in dead}
            assert done.after.listeners == kept


@RUNS
@given(calls(PORTS))
def test_a_rule_and_a_file_stand_once(sequence: list[Call]) -> None:
    """A rule that stands is not added again; what is removed is gone; what is not there is not removed."""
    for done in history(sequence):
        for event in done.of(e.RuleAdded):
            assert event.rule not in done.before.rules
        for event in done.of(e.RuleRemoved):
            assert event.rule in done.before.rules
            assert event.rule not in done.after.rules
        for event in done.of(e.FileWritten):
            assert done.after.files[event.path] == event.value
        for event in done.of(e.FileRemoved):
            assert event.path not in done.after.files


def test_a_flush_takes_the_rules_of_its_chain_alone() -> None:
    """Flushing a chain removes its rules and leaves those of other chains."""
    bench = Bench(Host())
    sc.add_rule(bench, Rule("nat/DOCKER", 80, "tcp", "172.17.0.2", 80))
    sc.add_rule(bench, kept := Rule("nat/POSTROUTING", 80, "tcp", "172.17.0.2", 80))
    bench.emit(e.RulesFlushed("nat/DOCKER"))
    assert list(bench.host.rules) == [kept]
