"""Check intervals of small runs: what became of containers, daemons and ports, and laws that hold of any run."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.drive.timed import run
from sim.engine.setup import (
    MS,
    Command,
    Daemon,
    Docker,
    EngineSetup,
    HostSetup,
    Instant,
    KillProcess,
    OnTerm,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
    Systemctl,
    Target,
)
from sim.engines.host.reach import reachable
from sim.scenario import load
from sim.trace import Trace
from sim.views.interval_parts import Intervals
from sim.views.intervals import dark, engine_gaps, intervals, longest_dark, outcome, port_gaps

AT = 60 * S
DOCKERD = KillProcess(Target("dockerd"))


def service(number: int, on_term: str = "exit", restart: str = "always", ready: int = 300 * MS) -> Service:
    """Return a web server that publishes one port."""
    payload = Payload("nginx", ("nginx",), threads=2, ready=ready, on_term=OnTerm(on_term))
    ports = (Port(8000 + number, 80),)
    return Service(f"web{number}", f"{number:064x}", "nginx", "nginx", (), payload, ports, Restart(restart))


def setup(services: list[Service], *commands: Command, live: bool = False, begin: str = "steady") -> Setup:
    """Return a host on which each command is given at 60 s, 90 s and so on, for two minutes."""
    steps = tuple(Step(f"s{n}", Instant(offset=AT + n * 30 * S), command) for n, command in enumerate(commands))
    return Setup(
        tuple(services),
        host=HostSetup(begin=begin),
        engine=EngineSetup(daemon=Daemon(live_restore=live)),
        terminals=(steps,),
        until=Instant(offset=180 * S),
    )


def words(of: Intervals, container: str, since: int = AT) -> list[str]:
    """Return what a container was since a moment, as `state/parent`."""
    found = [i for i in of.lane(container).intervals if i.end > since]
    return [f"{i.state}/{i.parent}".rstrip("/") for i in found]


REPLACED = ["dead", "starting", "unready/containerd", "running/containerd"]
CASES: list[tuple[str, Setup, list[str], str]] = [
    (
        "a killed dockerd",
        setup([service(0)], DOCKERD),
        ["running/containerd", "running/init", "stopping/init", *REPLACED],
        "new 0",
    ),
    (
        "a killed dockerd, TERM dropped",
        setup([service(0, on_term="none")], DOCKERD),
        ["running/containerd", "running/init", "stopping/init", *REPLACED],
        "new 137",
    ),
    (
        "a killed dockerd, nobody restarts",
        setup([service(0, restart="no")], DOCKERD),
        ["running/containerd", "running/init", "stopping/init", "dead"],
        "gone 0",
    ),
    (
        "a killed dockerd with live-restore",
        setup([service(0)], DOCKERD, live=True),
        ["running/containerd", "running/init", "running/reattached"],
        "kept",
    ),
    (
        "a killed shim",
        setup([service(0)], KillProcess(Target("shim", "web0"))),
        ["running/containerd", "running/nobody", "stopping/nobody", *REPLACED],
        "new 137",
    ),
    (
        "docker stop",
        setup([service(0)], Docker("stop", "web0")),
        ["running/containerd", "stopping/containerd", "dead"],
        "gone 0",
    ),
    (
        "a killed containerd",
        setup([service(0)], KillProcess(Target("containerd"))),
        ["running/containerd", "running/init", "running/reattached"],
        "kept",
    ),
    (
        "docker rm -f",
        setup([service(0)], Docker("rm", "web0", force=True)),
        ["running/containerd", "stopping/containerd", "dead", "absent"],
        "gone 137",
    ),
]


@pytest.mark.parametrize(("name", "given_setup", "states", "fate"), CASES, ids=[case[0] for case in CASES])
def test_what_becomes_of_a_container(name: str, given_setup: Setup, states: list[str], fate: str) -> None:
    """A container goes through these states after the fault, and comes out of it like this."""
    found = intervals(run(given_setup))
    assert words(found, "web0", AT - 1) == states
    end = outcome(found, "web0", AT)
    what = "kept" if end.kept else "new" if end.after else "gone"
    assert " ".join([what, *map(str, end.codes)]) == fate


def test_a_killed_dockerd_boots_again_and_connects_at_its_second_try() -> None:
    """dockerd is down for 100 ms, boots, and is up at READY; its containerd dies with it and listens before that."""
    found = intervals(run(setup([service(0)], DOCKERD, live=True)))
    after = [i for i in found.engine.intervals if i.end > AT + MS]
    assert [i.state for i in after] == ["down", "booting", "up"]
    assert 100 * MS <= after[1].start - AT <= 110 * MS
    assert [i.state for i in found.second.intervals if i.end > AT + MS] == ["down", "booting", "up"]
    assert found.connections[-1].attempt == 2
    ((start, end, over),) = engine_gaps(found, (AT, 180 * S))
    assert (start, end, over) == (after[0].start, after[1].end, True)


def test_a_frozen_containerd_is_frozen_until_it_is_killed_or_continued() -> None:
    """A containerd that was stopped by a signal is `frozen`, not `down`."""
    stop, go = (KillProcess(Target("containerd"), signal) for signal in ("STOP", "CONT"))
    found = intervals(run(setup([service(0)], stop, go)))
    assert [i.state for i in found.second.intervals if i.end > AT][:2] == ["up", "frozen"]


def test_an_exec_has_a_task_of_its_own_and_no_lane() -> None:
    """What containerd remembers of an exec'd process is about no container: the lanes are those of the services."""
    found = intervals(run(load("t19-exec#1").setup))
    assert [lane.name for lane in found.containers] == ["web"]
    assert found.lane("web").intervals[-1].state == "running"


def test_remote_clients_notice_only_the_rebuilt_chains_of_a_live_restore() -> None:
    """With live-restore rules go and come back; proxies die with dockerd, so loopback clients lose more."""
    found = intervals(run(setup([service(0), service(1)], DOCKERD, live=True)))
    remote, loopback = (longest_dark(found, client, (AT, 180 * S)) for client in ("remote", "loopback"))
    assert 0 < remote.longest < 500 * MS
    assert 1 * S < loopback.longest < 3 * S
    assert remote.back
    assert loopback.back


def test_a_gap_that_is_open_at_the_end_is_not_back() -> None:
    """A stopped container's port stays dark: the gap ends with the window and says so."""
    found = intervals(run(setup([service(0), service(1)], Docker("stop", "web0"))))
    gap = dark(found, 8000, "remote", (AT, 100 * S))
    assert not gap.back
    assert gap.gaps[-1][1:] == (100 * S, False)
    assert dark(found, 8001, "remote").gaps == ()
    worst = longest_dark(found, "loopback")
    assert (worst.container, worst.port, worst.open_ended) == ("web0", 8000, 1)


def test_on_a_booting_host_a_port_is_dark_from_power_on() -> None:
    """A port counts from t = 0 on a host that boots, elsewhere from its first opening."""
    boots = port_gaps(run(setup([service(0)], begin="boot")))
    assert boots["web0", 8000, "remote"][0][0] == 0
    assert port_gaps(run(setup([service(0)])))["web0", 8000, "remote"] == ()


def test_a_frozen_proxy_is_closed_to_loopback_clients_alone() -> None:
    """A proxy stopped by a signal accepts nothing until it is continued; packets of remote clients pass it by."""
    stop, go = (KillProcess(Target("proxy", "web0"), signal) for signal in ("STOP", "CONT"))
    found = port_gaps(run(setup([service(0)], stop, go)))
    ((start, end, over),) = found["web0", 8000, "loopback"]
    assert (start // S, end // S, over) == (60, 90, True)
    assert found["web0", 8000, "remote"] == ()


def test_an_unknown_port_is_refused() -> None:
    """A port that nobody publishes has no gaps to tell."""
    with pytest.raises(KeyError):
        dark(run(setup([service(0)])), 1, "remote")


# -- laws -------------------------------------------------------------------------------------------

TARGETS = ("dockerd/", "containerd/", "shim/web0", "shim/*", "payload/web1", "proxy/web0")
COMMANDS: list[Command] = [
    *(KillProcess(Target(role, container)) for role, _, container in (text.partition("/") for text in TARGETS)),
    KillProcess(Target("containerd"), "STOP"),
    KillProcess(Target("payload", "web0"), "STOP"),
    KillProcess(Target("proxy", "web1"), "STOP"),
    KillProcess(Target("payload", "web0"), "CONT"),
    *(Docker(verb, "web0") for verb in ("stop", "restart", "kill", "start")),
    Systemctl("restart"),
    Systemctl("stop"),
]


@st.composite
def runs(draw: st.DrawFn) -> Trace:
    """Draw a run of two or three containers in which up to three things are done."""
    kinds = st.tuples(st.sampled_from(["exit", "none"]), st.sampled_from(["no", "always"]), st.just(100 * MS))
    services = [service(n, *draw(kinds)) for n in range(draw(st.integers(2, 3)))]
    commands = draw(st.lists(st.sampled_from(COMMANDS), max_size=3))
    begin = draw(st.sampled_from(["steady", "boot"]))
    return run(setup(services, *commands, live=draw(st.booleans()), begin=begin), draw(st.integers(1, 5)))


@settings(max_examples=40, deadline=None)
@given(trace=runs())
def test_intervals_tile_the_run(trace: Trace) -> None:
    """The intervals of a lane follow each other from begin to end: none is empty, overlaps, or repeats the last one."""
    found = intervals(trace)
    for lane in (*found.containers, found.engine, found.second):
        edges = [interval.start for interval in lane.intervals] + [lane.intervals[-1].end]
        assert edges == sorted(set(edges))
        assert (edges[0], edges[-1]) == (found.begin, found.end)
        for before, after in zip(lane.intervals, lane.intervals[1:], strict=False):
            assert before.end == after.start
            assert (before.state, before.parent, before.pid) != (after.state, after.parent, after.pid)


@settings(max_examples=40, deadline=None)
@given(trace=runs(), data=st.data())
def test_a_port_is_open_when_it_is_reachable(trace: Trace, data: st.DataObject) -> None:
    """At any moment a port's intervals say what the packet's path says."""
    clients = ("remote", "loopback", "container")
    found = intervals(trace, clients)
    borders = sorted({edge for track in found.ports for window in track.opened for edge in window})
    moments: Any = st.integers(found.begin, found.end) | st.integers(AT - S, found.end)
    if borders:
        moments |= st.sampled_from(borders).flatmap(lambda at: st.integers(at - 1, at + 1))
    for at in data.draw(st.lists(moments, min_size=1, max_size=6)):
        if not found.begin <= at < found.end:
            continue
        world = trace.at(at + trace.origin)
        for track in found.ports:
            is_open = any(start <= at < end for start, end in track.opened)
            assert is_open == reachable(world, track.port, track.client, track.proto), (track, at)


@settings(max_examples=30, deadline=None)
@given(trace=runs(), edges=st.tuples(st.integers(0, 180 * S), st.integers(0, 180 * S)))
def test_gaps_lie_in_their_window(trace: Trace, edges: tuple[int, int]) -> None:
    """Gaps lie in their window in order, apart from each other, and only the last may be open-ended."""
    first, last = sorted(edges)
    for gaps in port_gaps(trace, window=(first, last)).values():
        points = [point for gap in gaps for point in gap[:2]]
        assert points == sorted(set(points))
        assert all(first <= point <= last for point in points)
        assert all(gap[2] for gap in gaps[:-1])
        assert all(gap[2] or gap[1] == last for gap in gaps)
