"""The ledger of process numbers: what a start costs, in which order its programs begin, and under whom.

Oracles are the document's two lone starts (prometheus 2921, 2928, 2945; e3w 28955, 28961, 28978) and engine-1.13 §1.1,
§12.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.drive.timed import Timed
from sim.engine.setup import (
    Docker,
    HostSetup,
    Instant,
    Network,
    Payload,
    Port,
    S,
    Service,
    SetNextPid,
    Setup,
    Step,
    Unverified,
)
from sim.kernel import events as e
from sim.kernel.records import Pid, Process
from sim.scenario import load
from sim.scenario.resolved import resolved
from sim.trace import Replay, Trace

NETWORKS = (Network("bridge", "172.17.0."), Network("site", "172.19.0."))
CYCLE = 32768 - 300


def lone_start(
    *, threads: int = 5, network: str = "bridge", ports: int = 1, then: tuple[Docker, ...] = (), **host: Any
) -> Trace:
    """Run `docker run` of one container on a quiet host, then the other commands; *next_pid* is set right before it."""
    mapping = tuple(Port(8080 + n, 80 + n) for n in range(ports))
    service = Service("web", "a" * 64, "web", "web", (), Payload("web", ("web",)), mapping, network=network,
                      proxy_threads=threads, at_begin=False)  # fmt: skip
    next_pid = host.pop("next_pid", None)
    first = () if next_pid is None else (Step("move", Instant(), SetNextPid(next_pid)),)
    commands = (Docker("run", "web"), *then)
    steps = tuple(Step(f"s{n}", Instant("after", offset=3 * S), command) for n, command in enumerate(commands))
    end = Instant("step", f"s{len(commands) - 1}", offset=20 * S)
    machine = HostSetup(uptime=3 * S, **host)
    return Timed(Setup((service,), NETWORKS, machine, terminals=((*first, *steps),), until=end)).run()


def begun(trace: Trace) -> dict[str, Pid]:
    """Return the pid of the first process of each program that began after t = 0."""
    found: dict[str, Pid] = {}
    for record in trace:
        if (record.at or 0) > trace.origin and isinstance(record.event, e.Execed):
            found.setdefault(record.event.image.program, record.event.pid)
    return found


def ids_used(trace: Trace) -> list[Pid]:
    """Return the numbers given after t = 0, in their order."""
    numbers: list[Pid] = []
    for record in trace:
        if (record.at or 0) <= trace.origin:
            continue
        if isinstance(record.event, e.Forked):
            numbers.append(record.event.pid)
        elif isinstance(record.event, e.ThreadsStarted):
            numbers.extend(record.event.thread_pids)
    return numbers


# -- distances --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "distance"), [(5, 6), (6, 7)])
def test_a_lone_start_has_the_document_s_distances(threads: int, distance: int) -> None:
    """A proxy with 5 or 6 threads lies 6 or 7 before its shim, and a shim 17 before its payload."""
    pids = begun(lone_start(threads=threads))
    assert pids["shim"] - pids["proxy"] == distance
    assert pids["payload"] - pids["shim"] == 17
    assert pids["proxy"] < pids["shim"] < pids["payload"]


def test_numbers_that_nobody_verified_may_be_set() -> None:
    """A shim with a thread less and a runc with two more: 18 from shim to payload; written out, they stay."""
    text = """\
engine: {unverified: {shim_threads_before: 6, runc_threads: 8, layer_wait: 1s}}
host: {next_pid: 1000, uptime: 3s}
steps: [{at: 1s, docker: run -d --name web nginx}]
until: 10s
"""
    scenario = load("row.yaml", text)
    pids = begun(Timed(scenario.setup).run())
    assert pids["payload"] - pids["shim"] == 17 - 1 + 2
    assert load("again.yaml", resolved(scenario)).setup.engine == scenario.setup.engine
    assert scenario.setup.engine.unverified == Unverified(shim_threads_before=6, runc_threads=8, layer_wait=S)


@pytest.mark.parametrize(("network", "about"), [("bridge", 45), ("site", 67)])
def test_a_start_uses_as_many_ids_as_the_ledger_says(network: str, about: int) -> None:
    """One published port costs about 45 ids on the default bridge and about 67 on a network of the user."""
    used = ids_used(lone_start(network=network))
    assert abs(len(used) - about) <= 3
    assert used == list(range(used[0], used[0] + len(used)))


@pytest.mark.parametrize(("ports", "more"), [(0, -12), (2, 12), (3, 24)])
def test_each_published_port_costs_six_rule_runs_and_a_proxy(ports: int, more: int) -> None:
    """A port more or less changes the cost by six iptables runs and a proxy with its threads."""
    assert len(ids_used(lone_start(ports=ports))) - len(ids_used(lone_start())) == more


def test_an_exit_uses_as_many_ids_as_the_ledger_says() -> None:
    """A stop costs three runs of runc with their threads and six of iptables, about 28 ids."""
    start = len(ids_used(lone_start()))
    stop = len(ids_used(lone_start(then=(Docker("stop", "web"),)))) - start
    assert abs(stop - 28) <= 3


def test_a_boot_gives_dockerd_five_threads_before_containerd() -> None:
    """containerd lies 6 after dockerd, as in the document (15929, 15935)."""
    pids = {r.event.image.program: r.event.pid for r in lone_start() if isinstance(r.event, e.Execed)}
    assert pids["containerd"] - pids["dockerd"] == 6


# -- the wrap ---------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(300, 32767))
def test_distances_hold_wherever_the_counter_stands(number: int) -> None:
    """A quiet host gives consecutive numbers, and the one after 32767 is 300."""
    trace = lone_start(next_pid=number)
    used = ids_used(trace)
    assert used == [(number - 300 + n) % CYCLE + 300 for n in range(len(used))]
    pids = begun(trace)
    assert (pids["shim"] - pids["proxy"]) % CYCLE == 6
    assert (pids["payload"] - pids["shim"]) % CYCLE == 17


@pytest.mark.parametrize("number", range(32768 - 46, 32768, 5))
def test_a_wrap_inside_a_start_hurts_nothing(number: int) -> None:
    """Wherever in a start the counter wraps, the container runs under its shim and stops in good order."""
    trace = lone_start(next_pid=number, then=(Docker("stop", "web"),))
    pids = begun(trace)
    assert max(ids_used(trace)) == 32767
    assert min(ids_used(trace)) == 300
    host = trace.at(trace.end).host
    assert not any(pids[program] in host.procs for program in ("proxy", "shim", "payload"))
    assert not host.zombies


def test_a_full_host_skips_the_numbers_that_are_in_use() -> None:
    """After a wrap the numbers of living processes and threads are passed over."""
    verbs = ("stop", "start", "restart", "restart", "restart")
    trace = lone_start(pid_max=360, next_pid=350, then=tuple(Docker(verb, "web") for verb in verbs))
    replay = Replay(trace)
    while (record := replay.step()) is not None:
        if isinstance(record.event, (e.Forked, e.ThreadsStarted)):
            procs = replay.world.host.procs.values()
            numbers = [number for p in procs for number in (p.pid, *p.threads)]
            assert len(numbers) == len(set(numbers))
    used = ids_used(trace)
    assert len(set(used)) < len(used)
    assert any(b != a + 1 != 360 for a, b in pairwise(used))


# -- who is whose -----------------------------------------------------------------------------------

# program and first goroutine -> parent, group, session (own: its own number; else the program whose number it bears),
# death signal: the columns of §1.1
FAMILY: dict[str, tuple[str, str, str, str | None]] = {
    "dockerd": ("init", "own", "own", None),
    "containerd": ("dockerd", "own", "own", "KILL"),
    "proxy": ("dockerd", "dockerd", "dockerd", "TERM"),
    "iptables": ("dockerd", "dockerd", "dockerd", None),
    "resolver": ("dockerd", "dockerd", "dockerd", None),
    "shim": ("containerd", "own", "containerd", None),
    "runc create": ("shim", "shim", "containerd", "KILL"),
    "runc init": ("runc", "shim", "containerd", None),
    "hook": ("runc", "shim", "containerd", None),
    "payload": ("runc", "own", "own", None),
    "runc start": ("containerd", "containerd", "containerd", None),
    "runc kill": ("shim", "shim", "containerd", "KILL"),
    "runc delete": ("shim", "shim", "containerd", "KILL"),
}
LATER = {"runc delete": ("containerd", "containerd", "containerd", None)}  # containerd's own, after the shim's


def kind_of(process: Process) -> str:
    """Return the row of the table that a process belongs to."""
    if process.image.program != "runc":
        return process.image.program
    verbs = ("create", "init", "start", "kill", "delete", "state")
    return f"runc {next(word for word in process.image.argv if word in verbs)}"


def kin(procs: dict[Pid, Process], process: Process) -> tuple[str, str, str, str | None]:
    """Return a process's parent, group, session and death signal in the words of the table."""
    names = ["own" if number == process.pid else procs[number].image.program for number in (process.pgid, process.sid)]
    return procs[process.ppid].image.program, names[0], names[1], process.pdeathsig


def test_every_program_has_the_parent_group_session_and_death_signal_of_the_table() -> None:
    """From its execve on, each program of a start and a stop stands where §1.1 says."""
    replay = Replay(lone_start(network="site", then=(Docker("stop", "web"),)))
    met = set()
    while (record := replay.step()) is not None:
        if not isinstance(record.event, e.Execed):
            continue
        procs = replay.world.host.procs
        process = procs[record.event.pid]
        kind = kind_of(process)
        met.add(kind)
        if process.image.comm != "web":
            assert kin(procs, process) in (FAMILY[kind], LATER.get(kind)), kind
    assert met == set(FAMILY)


def test_after_settling_the_payload_is_the_shim_s_child() -> None:
    """When runc has left, the payload's parent is its shim; shim and proxy keep theirs; threads are the document's."""
    trace = lone_start()
    host, pids = trace.at(trace.end).host, begun(trace)
    tree = {host.procs[pids[name]].image.program: host.procs[host.procs[pids[name]].ppid].image.program for name in
            ("proxy", "shim", "payload")}  # fmt: skip
    assert tree == {"proxy": "dockerd", "shim": "containerd", "payload": "shim"}
    assert {host.procs[pids[name]].image.program: len(host.procs[pids[name]].threads) for name in tree} == {
        "proxy": 5,
        "shim": 9,
        "payload": 0,
    }
    assert host.procs[pids["payload"]].cgroup == f"/system.slice/docker-{'a' * 64}.scope"
    assert {host.procs[pids[name]].cgroup for name in ("proxy", "shim")} == {"/system.slice/docker.service"}
