"""Check what a timeline is made of: spells, processes and what goes on between them, roles, and what differs."""

from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.run import Run, run, run_scenario
from sim.scenario import load
from sim.views.differences import compared, differing
from sim.views.processes import ADOPTED, FORK, HALTED, REAP, REPARENT, SIGNAL, ZOMBIE, Processes, processes
from sim.views.timeline_parts import LaneData, TimelineData, open_counts


def of(*services: str, steps: str = "", until: str = "90s") -> Run:
    """Run a small scenario."""
    return run_scenario(load("x.yaml", f"services: {{{', '.join(services)}}}\nsteps: [{steps}]\nuntil: {until}\n"))


@cache
def document() -> Run:
    """Return the run of the document."""
    return run("document")


@cache
def its_processes() -> Processes:
    """Return the processes of the document's run."""
    return processes(document().trace)


# -- spells -------------------------------------------------------------------------------------------

WEB, LOG = "web: {image: x, restart: always}", "web: {image: x, logging: {driver: journald}, x-payload: {log: 1MB/s}}"
SICK = "web: {image: x, healthcheck: {test: [CMD, x], interval: 2s, retries: 1}}"
SPELLS = (  # services, steps, the kind of spell, from when to when at least and at most, in seconds
    (WEB, "{at: 60s, docker: pause web}, {at: 70s, docker: unpause web}", "paused", (60, 61), (70, 71)),
    (WEB, "{at: 60s, docker: pause web}", "paused", (60, 61), (90, 90)),
    (WEB, "{at: 60s, stop: payload/web}, {at: 70s, cont: payload/web}", "halted", (60, 60.1), (70, 70.1)),
    (WEB, "{at: 60s, stop: payload/web}, {at: 70s, kill: payload/web}", "halted", (60, 60.1), (70, 70.1)),
    (WEB, "{at: 60s, kill: payload/web}", "backoff", (60, 60.3), (60.1, 60.4)),
    (WEB, "{at: 60s, kill: payload/web}, {at: die(web)+50ms, kill: dockerd}", "backoff", (60, 60.3), (60.1, 60.3)),
    (LOG, "{at: 60s, stop: journald}, {at: 75s, cont: journald}", "blocked", (60, 63), (75, 76)),
    (SICK, "{at: 60s, stop: payload/web}, {at: 80s, cont: payload/web}", "unhealthy", (60, 79), (80, 89)),
)


@pytest.mark.parametrize(("service", "steps", "kind", "starts", "ends"), SPELLS)
def test_a_spell_lasts_from_its_cause_to_its_end(
    service: str, steps: str, kind: str, starts: tuple[float, float], ends: tuple[float, float]
) -> None:
    """A container is paused, halted, waits, is unhealthy or blocked for just as long as that holds."""
    found = [spell for spell in of(service, steps=steps).intervals().spells if spell.kind == kind]
    assert found
    assert all(spell.container == "web" for spell in found)
    assert starts[0] <= found[0].start / 1e6 <= starts[1]
    assert ends[0] <= found[-1].end / 1e6 <= ends[1]


def test_a_wait_is_seen_only_while_nothing_runs() -> None:
    """A bar of a restart that is waited for lies between two others, never on one."""
    data = of(WEB, steps="{at: 60s, kill: payload/web}, {at: 62s, kill: payload/web}").timeline()
    waits = [bar for bar in data.lanes[0].spells if bar.look == "backoff"]
    assert len(waits) == 2
    assert not [1 for wait in waits for bar in data.lanes[0].bars if bar.start < wait.end and bar.end > wait.start]


def test_death_by_memory_is_said_at_the_end_of_a_lane() -> None:
    """An outcome says that memory ran out."""
    (lane,) = of(WEB.replace("x,", "x, mem_limit: 64m,"), steps="{at: 60s, oom: web}").timeline().lanes
    assert lane.outcome == "OOM, exit 137, new pid"


def test_an_exec_is_no_container() -> None:
    """A run whose containers have execs has a timeline of its containers alone."""
    assert [lane.name for lane in run("v23-slow-exec").timeline().lanes] == ["web", "db"]


FAULTS = (
    ("docker: pause web", "docker pause web"),
    ("oom: web", "memory that runs out for web"),
    ("power_loss: 1s", "a power cut"),
    ("host: {journald: stop}", "a stop of journald"),
    ("kill: payload/web", "a killed payload of web"),
    ("systemctl: restart docker", "a restart of docker"),
)


@pytest.mark.parametrize(("step", "noun"), FAULTS)
def test_what_harms_is_the_picture_s_fault(step: str, noun: str) -> None:
    """Whatever ends or freezes a process is named, and time counts from it."""
    data = of(WEB.replace("x,", "x, mem_limit: 64m,"), steps=f"{{at: 60s, {step}}}").timeline()
    assert (data.fault, data.origin) == (noun, 60_000_000)
    assert [mark.at for mark in data.marks] == [0]


# -- processes ----------------------------------------------------------------------------------------


def test_every_process_has_one_lane_and_no_hole() -> None:
    """What a process looks like changes without a pause, from its fork until it was reaped."""
    for lived in its_processes().lived:
        assert all(one[1] == other[0] and one[2] != other[2] for one, other in pairwise(lived.looks))
    forks = Counter(it.kind for it in its_processes().between)[FORK]
    begun = len([1 for lived in its_processes().lived if lived.pid != 1])
    assert forks == begun


def test_a_killed_dockerd_leaves_its_children_to_pid_1() -> None:
    """Signals go from the dead parent, children and shims to PID 1, and whoever dies is reaped by it."""
    found = its_processes()
    zero = document().moment("kill") - document().trace.origin
    soon = [it for it in found.between if zero <= it.at < zero + 5000]
    name = {place: lived.program for place, lived in enumerate(found.lived)}
    assert Counter((it.kind, name[it.source], name[it.target], it.words) for it in soon) == {
        (SIGNAL, "dockerd", "containerd", "KILL"): 1,
        (SIGNAL, "dockerd", "proxy", "TERM"): 6,
        (REPARENT, "containerd", "init", ""): 1,
        (REPARENT, "proxy", "init", ""): 6,
        (REPARENT, "shim", "init", ""): 6,
        (REAP, "dockerd", "init", ""): 1,
        (REAP, "containerd", "init", ""): 1,
        (REAP, "proxy", "init", ""): 6,
    }


def test_a_process_looks_as_it_lives() -> None:
    """A shim whose containerd dies is adopted, a stopped daemon is halted, what nobody waits for is a zombie."""
    found = processes(of(WEB, steps="{at: 60s, stop: dockerd}, {at: 70s, cont: dockerd}").trace)
    (dockerd,) = [it for it in found.lived if it.program == "dockerd"]
    assert [how for *_, how in dockerd.looks] == ["own", HALTED, "own"]
    killed = processes(of(WEB, steps="{at: 60s, kill: containerd}").trace)
    assert [it.looks[-1][2] for it in killed.lived if it.program == "shim"] == [ADOPTED]
    lazy = "web: {image: x, x-payload: {reaps: false, children: [{argv: job, exits: {after: 5s}}]}}"
    (child,) = [it for it in processes(of(lazy).trace).lived if it.program == "child"]
    assert child.looks[-1][2] == ZOMBIE
    assert child.status == 0


def lanes_of(data: TimelineData, word: str) -> list[LaneData]:
    """Return the lanes whose name holds a word."""
    return [lane for lane in data.lanes if word in lane.name]


def test_lanes_of_processes_stand_by_container() -> None:
    """PID 1 stands first, then daemons, then each container's processes together; errands share a lane."""
    data = document().timeline(by="process")
    assert [lane.name.split()[0] for lane in data.lanes[:3]] == ["systemd", "dockerd", "containerd"]
    assert not data.daemons
    grafana = [number for number, lane in enumerate(data.lanes) if " grafana" in lane.name]
    assert grafana == list(range(grafana[0], grafana[0] + len(grafana)))
    assert [lane.name for lane in lanes_of(data, "iptables")] == ["iptables"]
    assert lanes_of(data, "payload arthas")[0].outcome == "killed by KILL"
    assert {lane.outcome for lane in lanes_of(data, "shim e3w")} == {"exit 0", "runs on"}
    assert data.lanes[grafana[0]].apart


def test_arrows_go_between_lanes_that_are_there() -> None:
    """An arrow has two lanes, and both processes live when it flies or die at that moment."""
    data = document().timeline(by="process")
    assert {arrow.kind for arrow in data.arrows} == {FORK, SIGNAL, REPARENT, REAP}
    for arrow in data.arrows:
        for number in (arrow.source, arrow.target):
            lane = data.lanes[number]
            assert any(bar.start <= arrow.at <= bar.end for bar in lane.bars), (arrow, lane.name)


def test_only_processes_that_live_in_the_window_have_lanes() -> None:
    """A window of milliseconds shows the processes of those milliseconds."""
    data = document().timeline(start="kill", stop="kill+5ms", by="process")
    assert len(data.lanes) == 1 + 2 + 3 * 6 + 1
    assert all(0 <= arrow.at < 5000 for arrow in data.arrows)


# -- roles --------------------------------------------------------------------------------------------


def test_roles_count_what_lanes_show() -> None:
    """At any moment the layers of a role add up to as many processes as the world has of it."""
    data = document().timeline(by="role")
    zero = document().trace.origin + data.origin
    stacks = {stack.name: stack for stack in data.stacks}
    for at in (-1_000_000, 1_000_000, 5_000_000, 20_000_000):
        procs = document().at(zero + at).host.procs.values()
        for name, programs in (("shims", {"shim"}), ("programs", {"payload", "child"}), ("proxies", {"proxy"})):
            there = sum(process.image.program in programs for process in procs)
            layers = (steps for _, steps in stacks[name].layers)
            assert sum(count for steps in layers for start, end, count in steps if start <= at < end) == there
    assert stacks["programs"].most == 7
    assert not data.lanes


# -- what differs -------------------------------------------------------------------------------------

LOOKS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.sampled_from("abc")), max_size=5)


def painted(looks: list[tuple[int, int, str]]) -> list[tuple[int, int, object]]:
    """Return looks as (from, to, look)."""
    return [(start, start + long, look) for start, long, look in looks]


@given(one=LOOKS, other=LOOKS)
def test_two_lanes_differ_where_one_looks_otherwise(one: Any, other: Any) -> None:
    """At each moment a lane differs if and only if other looks lie there; windows are apart and in order."""
    found = differing(painted(one), painted(other), 0, 12)
    assert found == differing(painted(other), painted(one), 0, 12)
    assert all(a[1] < b[0] for a, b in pairwise(found))
    for at in range(12):
        here = [sorted(str(look) for start, end, look in painted(it) if start <= at < end) for it in (one, other)]
        assert any(start <= at < end for start, end in found) == (here[0] != here[1])


def test_equal_runs_do_not_differ() -> None:
    """A run beside itself is shaded nowhere; beside one with live-restore it is, from when that matters on."""
    data = document().timeline()
    assert not [row.name for row in compared(data, data)[0].lanes if row.differs]
    one, other = compared(data, run("document-live-restore").timeline())
    assert all(lane.differs for found in (one, other) for lane in found.lanes)
    assert all(strip.differs for found in (one, other) for strip in found.strips)
    assert min(window[0] for row in one.lanes for window in row.differs) > 1_000_000


@given(windows=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=8))
def test_open_windows_are_counted_at_each_moment(windows: list[tuple[int, int]]) -> None:
    """A count holds how many windows are open, without a hole."""
    opened = [(start, start + long) for start, long in windows]
    steps = open_counts(opened, 0, 30)
    assert steps[0][0] == 0
    assert steps[-1][1] == 30
    assert all(a[1] == b[0] for a, b in pairwise(steps))
    for start, end, count in steps:
        for at in (start, end - 1):
            assert count == sum(low <= at < high for low, high in opened)
