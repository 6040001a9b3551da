"""Idle ticks cost nothing, and change nothing: a run that sleeps through them is the run that rings them all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.drive.timed import Timed
from sim.engine.setup import (
    MS,
    Daemon,
    Docker,
    EngineSetup,
    HostSetup,
    Instant,
    KillProcess,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
    Target,
)
from sim.facts import FrameMoved
from sim.trace import Trace

TICK = 500 * MS
WEB = Service("web", "a" * 64, "web", "web", (), Payload("web", ("web",)), (Port(8080, 80),), Restart("always"))

KILLS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 8 * S), st.integers(0, 16).map(lambda n: n * TICK)),
        st.sampled_from(("containerd", "containerd", "dockerd", "shim/web", "payload/web")),
        st.sampled_from(("KILL", "KILL", "TERM", "STOP", "CONT")),
    ),
    max_size=5,
)


def run(kills: list[tuple[int, str, str]], *, skip_idle: bool, live_restore: bool, seed: int, uptime: int) -> Trace:
    """Run a container for some seconds while processes are killed or stopped; each kill has a terminal of its own."""
    terminals = [
        (Step(f"kill {n}", Instant(offset=at), KillProcess(target_of(target), signal)),)
        for n, (at, target, signal) in enumerate(kills)
    ]
    restart = (Step("restart", Instant(offset=9 * S), Docker("restart", "web")),)
    setup = Setup(
        (WEB,),
        host=HostSetup(uptime=uptime),
        engine=EngineSetup(daemon=Daemon(live_restore=live_restore)),
        terminals=(*terminals, restart),
        until=Instant(offset=20 * S),
    )
    return Timed(setup, seed, skip_idle=skip_idle).run()


def target_of(text: str) -> Target:
    """Read `shim/web` or `dockerd`."""
    role, _, container = text.partition("/")
    return Target(role, container)


def told(trace: Trace) -> list[tuple[Any, Any]]:
    """Return what happened and when, without the steps of dockerd's health goroutine."""
    return [
        (record.at, record.event)
        for record in trace
        if not (isinstance(record.event, FrameMoved) and record.event.fid[1] == "health")
    ]


def same(kills: list[tuple[int, str, str]], live_restore: bool, seed: int, uptime: int) -> None:
    """Compare the two runs."""
    ringing, sleeping = (
        run(kills, skip_idle=skip, live_restore=live_restore, seed=seed, uptime=uptime) for skip in (False, True)
    )
    assert told(sleeping) == told(ringing)
    assert (sleeping.origin, sleeping.end) == (ringing.origin, ringing.end)
    assert len(sleeping) <= len(ringing)
    assert ringing.skipped == 0


@pytest.mark.long
@settings(max_examples=25)
@given(kills=KILLS, live_restore=st.booleans(), seed=st.integers(1, 5), uptime=st.integers(1 * S, 3 * S))
def test_sleeping_through_idle_ticks_gives_the_same_run(
    kills: list[tuple[int, str, str]], live_restore: bool, seed: int, uptime: int
) -> None:
    """Whatever is killed or stopped at whatever moment, skipped ticks would have changed nothing."""
    same(kills, live_restore, seed, uptime)


@pytest.mark.long
@settings(max_examples=1000)
@given(kills=KILLS, live_restore=st.booleans(), seed=st.integers(1, 50), uptime=st.integers(1 * S, 3 * S))
def test_sleeping_through_idle_ticks_gives_the_same_run_at_length(
    kills: list[tuple[int, str, str]], live_restore: bool, seed: int, uptime: int
) -> None:
    """The same with many more runs."""
    same(kills, live_restore, seed, uptime)


def test_an_idle_day_costs_as_much_as_an_idle_minute() -> None:
    """The number of records does not grow with the time in which nothing happens, and the ticks are counted."""
    minute, day = (run([], skip_idle=True, live_restore=False, seed=1, uptime=time) for time in (60 * S, 86_400 * S))
    assert len(day) == len(minute)
    assert day.skipped - minute.skipped == (86_400 - 60) * S // TICK


def test_a_tick_rings_at_its_phase_after_it_was_slept_through() -> None:
    """After containerd's death the first health check that fails comes at a multiple of 500 ms since the first one."""
    trace = run([(1234 * MS, "containerd", "KILL")], skip_idle=True, live_restore=False, seed=1, uptime=2 * S)
    moves = [record for record in trace if isinstance(record.event, FrameMoved)]
    ticks = [record.at or 0 for record in moves if record.event.fid[1] == "health"]
    began = next(record.at or 0 for record in trace if getattr(record.event, "procedure", "") == "dockerd.health")
    first = next(at for at in ticks if at > trace.origin + 1234 * MS)
    assert (first - began) % TICK == 0
    assert first - (trace.origin + 1234 * MS) <= TICK
