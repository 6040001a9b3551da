"""Time in the explorer: intervals and what becomes of them, who may ring before whom, and what waits for what."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim.drive.timed
from sim.drive.explore import Goal, explore, first, is_timer
from sim.drive.explore.begin import unpinned
from sim.drive.explore.clocks import COARSE, FINE, FOREVER, Boxes, WaitBounds, clock_of, next_ring
from sim.drive.timed import Timed
from sim.engine.ops import Sleep
from sim.engine.setup import MS, Docker, OnTerm, S, Setup, Step
from sim.facts import EngineEvent
from sim.latency import EL7_IDLE
from sim.model import Go, Late, act, enabled, initial, step
from sim.world import World
from tests.drive.lives import AFTER, AGREE, CASES, HASTY, PLAIN, UP, docker, explored, kill, setup_of, signal
from tests.drive.plain import Plain, choices
from tests.drive.spaces import Graph, base_of, loose, whole

replaced = msgspec.structs.replace
A, B, C = 1, 2, 3  # timers
PERIOD = 500


def boxes_with(*box: tuple[int, int, int], tickers: dict[int, int] | None = None) -> tuple[Boxes, int]:
    boxes = Boxes(tickers or {})
    return boxes, boxes.number(box)


# -- boxes ------------------------------------------------------------------------------------------


def test_timers_begin_and_end() -> None:
    """A timer that begins has its interval, also if it ran before; one that ends, or whose process does, has none."""
    boxes, box = boxes_with((A, 1, 2), (B, 3, 4))
    assert boxes.boxes[boxes.changed(box, ((A, (10, 20)), (B, None), (C, (5, 5))), frozenset())] == (
        (A, 10, 20), (C, 5, 5),
    )  # fmt: skip
    assert boxes.boxes[boxes.changed(box, ((C, (5, 5)),), frozenset({A}))] == ((B, 3, 4), (C, 5, 5))
    assert boxes.boxes[boxes.changed(box, ((C, None),), frozenset())] == ((A, 1, 2), (B, 3, 4))


def test_time_passes_for_all_that_run() -> None:
    """What is left is less by at least *least* and at most *most*, never below nothing; the one that rang is kept."""
    boxes, box = boxes_with((A, 100, 300), (B, 5_000, 5_000), (C, 50, 80))
    running = frozenset({A, B, C})
    assert boxes.boxes[boxes.passed(box, running, C, 50, 80)] == ((A, 20, 250), (B, 4_920, 4_950), (C, 50, 80))
    assert boxes.boxes[boxes.passed(box, running, 0, 0, 80)] == ((A, 20, 300), (B, 4_920, 5_000), (C, 0, 80))


def test_a_timer_of_a_stopped_process_may_have_run_out() -> None:
    """It runs on without being able to ring: nothing may be left when the process goes on, or all of it."""
    boxes, box = boxes_with((A, 100, 300), (B, 900, 900))
    assert boxes.boxes[boxes.passed(box, frozenset({A}), A, 100, 300)] == ((A, 100, 300), (B, 0, 900))


def test_a_ticker_that_nobody_waits_for_goes_round() -> None:
    """While its goroutine does something else its phase runs on; once a period may have ended, it may be anywhere."""
    boxes, box = boxes_with((A, 100, 300), (B, 400, PERIOD), tickers={B: PERIOD})
    assert boxes.boxes[boxes.passed(box, frozenset({A}), A, 100, 300)] == ((A, 100, 300), (B, 100, 400))
    assert boxes.boxes[boxes.passed(box, frozenset({A}), A, 100, 400)] == ((A, 100, 300), (B, 0, PERIOD))


def test_a_box_that_holds_the_other_stays() -> None:
    """Joining changes nothing where nothing is new; else ends move outwards to 100 ms, or to 1 s above 1 s."""
    boxes, box = boxes_with((A, 100, 300), (B, 4_000, 5_000))
    inside = boxes.number(((A, 150, 300), (B, 4_200, 4_200)))
    outside = boxes.number(((A, 42, 342), (B, 3_210, 5_432)))
    assert boxes.joined(box, inside) == box
    assert boxes.boxes[boxes.joined(box, outside)] == ((A, 0, 400), (B, 3_000, 6_000))
    assert boxes.boxes[boxes.hull(box, outside)] == ((A, 42, 342), (B, 3_210, 5_432))


interval = st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)).map(lambda ends: (min(ends), max(ends)))


@given(st.lists(st.tuples(interval, interval), min_size=1, max_size=40))
def test_joining_holds_both_and_ends_soon(pairs: list[tuple[Any, Any]]) -> None:
    """A joined box holds all that were joined, and grows at most as often as there are rounded ends."""
    boxes = Boxes({})
    known = boxes.number(((A, *pairs[0][0]), (B, *pairs[0][1])))
    grown = 0
    for a, b in pairs:
        other = boxes.number(((A, *a), (B, *b)))
        joined = boxes.joined(known, other)
        for box in (known, other):
            assert all(
                low <= its_low and its_high <= high
                for (_, low, high), (_, its_low, its_high) in zip(boxes.boxes[joined], boxes.boxes[box], strict=True)
            )
        for (_, low, high), (_, before, after) in zip(boxes.boxes[joined], boxes.boxes[known], strict=True):
            assert low == before or low % (FINE if low < COARSE else COARSE) == 0
            assert high == after or high % (FINE if high <= COARSE else COARSE) == 0
        grown += joined != known
        known = joined
    assert grown <= 4 * (COARSE // FINE + 20)


@given(st.lists(interval, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_joining_does_not_matter(intervals: list[tuple[int, int]], dice: Any) -> None:
    """A state's box depends on the boxes with which it was met, not on their order: so not on the number of workers."""
    found = set()
    for _ in range(4):
        boxes, known = boxes_with((A, *intervals[0]))
        others = intervals[1:]
        dice.shuffle(others)
        for other in others:
            known = boxes.joined(known, boxes.number(((A, *other),)))
        found.add(boxes.boxes[known])
    assert len(found) == 1


def test_the_next_ring_comes_at_the_latest_of_the_first() -> None:
    """Some timer has rung once the one with the least high end must have; without timers time goes on for ever."""
    assert next_ring([(0, 300), (100, 200)]) == 200
    assert next_ring([]) == FOREVER


def test_clocks_are_as_long_as_the_profile_says() -> None:
    """Limits and sleeps are exact but for those that the profile spreads; a ticker has its period."""
    found = {}
    hung = (signal("containerd", "STOP", "hang"), kill("containerd", "shot"))
    for setup in (setup_of(PLAIN, UP, *docker("run", "stop")), setup_of(HASTY, *hung, begin="steady")):
        world, _ = initial(setup)
        for _ in range(1_000):
            action = first(world)
            if action is None:
                break
            for frame in world.frames.values():
                op = world.design.procedures[frame.procedure].ops[frame.op]
                clock = clock_of(world, frame, EL7_IDLE)
                if clock is not None:
                    found[frame.procedure, op.name] = clock
            step(world, action)
    assert found["dockerd.stop", "stopped"] == WaitBounds(10_000, 10_000)
    assert found["payload.main", "ready"] == WaitBounds(5_000, 5_000)
    assert found["dockerd.health", "health_tick"] == WaitBounds(PERIOD, PERIOD, ticker=True)
    assert found["dockerd.connection", "first_retry"] == WaitBounds(1_000, 1_000)
    retry = found["dockerd.connection", "retry"]
    assert retry.low < 120_000 < retry.high


# -- who may ring before whom ------------------------------------------------------------------------


def stopped(after: int, timeout: int) -> Setup:
    """Return a host whose container needs a time to end, and a person who gives it one."""
    service = replaced(HASTY, payload=replaced(HASTY.payload, on_term=OnTerm(after=after)))
    return setup_of(service, Step("stop", AFTER, Docker("stop", "web", timeout=timeout)), begin="steady")


def killed(world: World) -> bool:
    """Say whether a program has got the KILL that follows a grace."""
    return any(p.image.program == "payload" and "KILL" in p.pending for p in world.host.procs.values())


def left(world: World) -> bool:
    """Say whether a program has ended by itself."""
    return any(p.image.program == "payload" and p.state == "Z" and p.status == 0 for p in world.host.procs.values())


ASKED = (Goal("killed", "sometimes", killed), Goal("left", "sometimes", left))
RUNGS = [
    (5 * S, 10 * S, {"left"}),
    (9_999 * MS, 10 * S, {"left"}),
    (10 * S, 10 * S, {"killed", "left"}),
    (10_001 * MS, 10 * S, {"killed"}),
    (5 * S, 0, {"killed"}),
]


@pytest.mark.parametrize(("after", "timeout", "seen"), RUNGS)
@pytest.mark.parametrize("reduce", [True, False])
def test_a_timer_does_not_ring_before_a_shorter_one(after: int, timeout: int, seen: set[str], reduce: bool) -> None:
    """A program that ends 5 s after TERM is not killed after 10 s; where both are as long, either comes first."""
    found = explore(stopped(after, timeout), asked=ASKED, reduce=reduce)
    assert found.complete
    assert set(found.shown) == seen


def test_untimed_a_timer_may_ring_before_a_shorter_one() -> None:
    """Without the rule the program may be killed, whatever it takes it to end, and there are more states."""
    timed = explore(stopped(5 * S, 10 * S), asked=ASKED)
    untimed = explore(stopped(5 * S, 10 * S), asked=ASKED, untimed=True)
    assert untimed.complete
    assert set(untimed.shown) == {"killed", "left"}
    assert untimed.states > timed.states


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", ["plain", "steady", "again", "shot"])
def test_joined_boxes_allow_no_less_than_those_that_are_kept_apart(case: str) -> None:
    """States that are met with boxes kept apart are met with joined ones, and those are met without any."""
    setup, start = AGREE[case]
    exact, joined, free = (
        Graph(base_of(setup, start, reduce=False, exact=True)), whole(case), loose(setup, start)
    )  # fmt: skip
    assert exact.digests <= joined.digests <= free.digests
    assert len(exact.part.found) >= len(joined.part.found)


# -- prompt first ------------------------------------------------------------------------------------


def test_timers_ring_only_where_nothing_prompt_is_enabled() -> None:
    """A state offers prompt moves or timers, never both, beside what people do; untimed it offers all."""
    graph = whole("hasty")
    base = graph.base
    both = 0
    for number, acts in graph.acts.items():
        prompt = [move for status in acts.values() for move in status.at_once]
        timers = [timer.move for status in acts.values() for timer in status.timers]
        offered = [move for move, _ in base.walker.choices(acts, graph.part.found.boxes[number])]
        assert not prompt or not [move for move in timers if move in offered]
        assert not prompt or [move for move in prompt if move in offered] == prompt
        both += bool(prompt and timers)
    assert both > 100
    untimed = base_of(*CASES["hasty"], untimed=True)
    _, _, acts, box = untimed.root()
    assert len(untimed.walker.choices(acts, box)) == sum(
        len(status.at_once) + len(status.timers) + len(status.anytime) for status in acts.values()
    )


def test_a_sleep_of_no_time_is_prompt() -> None:
    """A payload that is ready at once does not wait for others; a limit is a timer however short."""
    world, _ = initial(setup_of(HASTY, UP, *docker("run")))
    seen = set()
    while (action := first(world)) is not None:
        if isinstance(action, (Go, Late)):
            frame = world.frames[action.fid]
            op = world.design.procedures[frame.procedure].ops[frame.op]
            if isinstance(op, Sleep) or isinstance(action, Late):
                seen.add((op.name, is_timer(world, action)))
        step(world, action)
    assert ("ready", False) in seen
    assert ("start_limit", True) in seen


def test_a_limit_of_no_time_is_prompt() -> None:
    """`docker stop -t 0` does not wait for anything: its limit passes at once, in any order with what is prompt."""
    setup = stopped(100 * MS, 0)
    assert loose(setup, "open").counts == Plain(unpinned(setup), "open").counts
    codes = set()
    found = explore(setup)
    for end in found.ends:
        world, _ = initial(found.base.setup)
        for action in found.path_to(end).actions:
            events = step(world, action)
            codes |= {e.attributes for e in events if isinstance(e, EngineEvent) and e.action == "die"}
    assert len(codes) == 1


def test_people_may_act_before_any_timer_has_rung() -> None:
    """A step that only waits for the one before comes at any moment between two rings, and between none."""
    setup = setup_of(PLAIN, *docker("stop"), begin="steady")
    found = explore(setup)
    assert found.complete
    stalled = setup_of(HASTY, signal("containerd", "STOP", "hang"), signal("containerd", "CONT", "go"), begin="steady")
    killed_too = Goal("killed", "sometimes", lambda world: any("USR1" in p.pending for p in world.host.procs.values()))
    found = explore(stalled, asked=(killed_too,))
    assert set(found.shown) == {"killed"}  # nobody goes on for 9 s
    assert len(found.ends) > 1  # somebody does at once


# -- the bound ---------------------------------------------------------------------------------------


def test_a_timer_may_end_while_a_daemon_boots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound that each report states is real: dockerd's retry rings while a restarted containerd boots."""
    early: list[tuple[str, str]] = []

    def watched(turn: Any, action: Any) -> None:
        possible = choices(turn.world)
        if action not in possible:
            assert is_timer(turn.world, action)
            early.extend((action.fid[1], other.fid[1]) for other in possible if isinstance(other, Go))
        act(turn, action)

    monkeypatch.setattr(sim.drive.timed, "act", watched)
    for seed in range(1, 30):
        Timed(setup_of(HASTY, UP, *docker("run"), kill("containerd", "k")), seed).run()
    assert ("connection", "main") in early


def test_untimed_searches_take_all_that_is_enabled() -> None:
    """Dropping the rule of time gives what is enabled in the model, in each state of the way to an end."""
    found = explored("plain")
    world, _ = initial(found.base.setup)
    for action in found.path_to(found.ends[0]).actions:
        assert choices(world, untimed=True) == enabled(world)
        assert action in enabled(world)
        step(world, action)
