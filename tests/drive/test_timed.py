"""The race of clocks: what is no longer enabled loses its clock, others run on; draws are keyed; timers stay few."""

from __future__ import annotations

from typing import Any

import pytest
import simpy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.drive.prices import Prices
from sim.drive.queue import FAR, FEW, Clock, Queue
from sim.drive.timed import Timed
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Go, Label, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import (
    MS,
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
from sim.engines.host import client
from sim.facts import FrameStarted
from sim.kernel.events import Exited, SignalTaken
from sim.kernel.records import INIT, OUTSIDE
from sim.latency import EL7_IDLE, Duration, Fixed
from sim.model import Go as Taken
from sim.testing.setups import plain_service
from sim.trace import Replay
from sim.world import Frame, World

# -- the queue --------------------------------------------------------------------------------------


def clock(number: int, work: int = 0) -> Clock:
    """Return a clock that tells by its action which one it is."""
    made = Clock(Taken((number, "")), 0)
    made.work = work
    return made


def rung(queue: Queue) -> list[tuple[int, int]]:
    """Let all clocks ring; return when each did and its number, in order."""
    found = []
    while True:
        while queue.prompt:
            action: Any = queue.prompt.popleft().action
            found.append((queue.now, action.fid[0]))
        if queue.env.peek() == float("inf"):
            return found
        queue.env.step()


@given(st.lists(st.sampled_from((0, 5, 7, FAR, FAR + 3)), max_size=12))
def test_clocks_ring_by_time_and_ties_in_the_order_in_which_they_were_set(delays: list[int]) -> None:
    """Near and far ones are two heaps, but in each the first set rings first."""
    queue = Queue(simpy.Environment(), 1)
    for number, delay in enumerate(delays):
        queue.set(clock(number), delay)
    assert rung(queue) == sorted((delay, number) for number, delay in enumerate(delays))


@given(st.lists(st.tuples(st.sampled_from((0, 5, FAR)), st.integers(0, 9), st.booleans()), max_size=12))
def test_a_clock_that_was_given_up_never_rings(clocks: list[tuple[int, int, bool]]) -> None:
    """The others ring all the same, each once."""
    queue = Queue(simpy.Environment(), 2)
    made = [(clock(number, work), delay, dead) for number, (delay, work, dead) in enumerate(clocks)]
    for one, delay, _ in made:
        queue.set(one, delay)
    for one, _, dead in made:
        if dead:
            queue.give_up(one)
    alive = [number for number, (_, _, dead) in enumerate(clocks) if not dead]
    queue.prompt = type(queue.prompt)(one for one in queue.prompt if one.alive)
    assert sorted(number for _, number in rung(queue)) == alive


def test_time_limits_that_are_given_up_do_not_pile_up() -> None:
    """Of ten thousand limits of which one is left, few are kept, and SimPy's heap holds next to none."""
    queue = Queue(simpy.Environment(), 1)
    for number in range(10_000):
        limit = clock(number)
        queue.set_far(limit, 120 * S + number)
        if number:
            queue.give_up(limit)
        assert len(queue) <= 2 * FEW + 3
    assert rung(queue) == [(120 * S, 0)]


# -- the race, on a toy -----------------------------------------------------------------------------


@reading(lambda world, frame: (("memory", INIT, "open"),))
def door_open(world: World, frame: Frame) -> bool:
    """Say whether the door is open."""
    return bool(world.recall(INIT, "open"))


def _set_door(value: bool) -> Any:
    def set_door(g: Goroutine) -> None:
        g.remember("open", value)

    return set_door


def passed(g: Goroutine) -> None:
    """Note when the door was passed."""
    g.remember("passed", True)


def slept(g: Goroutine) -> None:
    """Note that the bystander has slept."""
    g.remember("slept", True)


def toy(*door: tuple[int, bool], within: int | None = None) -> Setup:
    """Return a host whose init waits at a door that opens and closes so long after one another, beside a sleeper."""
    swings = [[Sleep("swing", after), Do(_set_door(value))] for after, value in door]
    late = None if within is None else "late"
    programs = Program(
        "init",
        (
            procedure("init.main", Go("door"), Go("guest"), Go("sleeper")),
            procedure("init.bus"),
            procedure("init.notify"),
            procedure("init.door", *swings),
            procedure("init.guest", Wait(door_open, within=within, late=late), Do(passed), Label("late")),
            procedure("init.sleeper", Sleep("nap", 250 * MS), Do(slept)),
        ),
    )
    DESIGNS["toy"] = Design("toy", "", "", (programs, client.PROGRAM))
    return Setup(host=HostSetup(begin="off"), engine=EngineSetup(design="toy"))


@pytest.fixture(autouse=True)
def no_toy_left() -> Any:
    """Remove the toy's design."""
    yield
    DESIGNS.pop("toy", None)


def when(setup: Setup, key: str, wait: int = 0) -> int | None:
    """Return when init remembered *key*, with a door that takes *wait* ms to pass; the sleeper is not disturbed."""
    profile = {"init/door_open": Duration(wait=Fixed(wait))}
    trace = Timed(setup, profile=profile).run()
    at = {record.event.key: record.at for record in trace if hasattr(record.event, "key")}
    assert at["slept"] == 250 * MS
    return at.get(key)


def test_a_clock_runs_from_the_moment_its_action_becomes_enabled() -> None:
    """A door that opens at 100 ms and takes 200 ms is passed at 300 ms."""
    assert when(toy((100 * MS, True)), "passed", 200) == 300 * MS


def test_a_disabled_action_loses_its_clock_and_gets_a_new_one() -> None:
    """A door that closes before it is passed, and opens again, is passed 200 ms after it opened again."""
    assert when(toy((100 * MS, True), (50 * MS, False), (100 * MS, True)), "passed", 200) == 450 * MS


def test_what_stays_disabled_never_happens() -> None:
    """A door that closes for good before it is passed is not passed."""
    assert when(toy((100 * MS, True), (50 * MS, False)), "passed", 200) is None


def test_a_time_limit_runs_from_the_arrival_whatever_the_door_does() -> None:
    """A limit of 160 ms passes although the door's own clock was set and lost meanwhile."""
    setup = toy((100 * MS, True), (50 * MS, False), (100 * MS, True), within=160 * MS)
    trace = Timed(setup, profile={"init/door_open": Duration(wait=Fixed(200))}).run()
    ends = [r.at for r in trace if type(r.event).__name__ == "FrameEnded" and r.event.fid == (INIT, "guest")]
    assert ends == [160 * MS]


def test_a_time_limit_that_was_met_is_given_up() -> None:
    """A door that is passed in time is passed, and the limit leaves no event."""
    assert when(toy((100 * MS, True), within=160 * MS), "passed") == 100 * MS


# -- draws ------------------------------------------------------------------------------------------


def service(name: str, port: int) -> Service:
    """Return a container with a published port."""
    ports = (Port(port, 80),)
    return Service(name, name * 32, name, name, (), Payload(name, (name,)), ports, at_begin=False)


def lives(*services: Service, times: int = 1) -> Setup:
    """Return a host on which each service is run, stopped and removed, *times* over."""
    verbs = [(verb, n) for n in range(times) for verb in ("run", "stop", "rm")]
    terminals = tuple(
        tuple(Step(f"{verb} {s.name} {n}", Instant("after", offset=1 * S), Docker(verb, s.name)) for verb, n in verbs)
        for s in services
    )
    return Setup(services, host=HostSetup(cores=4, uptime=1 * S), terminals=terminals)


def draws(setup: Setup, seed: int, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str, str, int], tuple[int, int]]:
    """Run, and return what was drawn: by role, container, action and occurrence."""
    found: dict[tuple[str, str, str, int], tuple[int, int]] = {}
    sample = Prices.sample

    def noted(self: Prices, plan: Any, container: str) -> tuple[int, int]:
        drawn = sample(self, plan, container)
        key = (plan.role, container, plan.name)
        found[(*key, sum(1 for other in found if other[:3] == key) + 1)] = drawn
        return drawn

    with monkeypatch.context() as patch:
        patch.setattr(Prices, "sample", noted)
        Timed(setup, seed).run()
    return found


def test_two_setups_share_the_draws_that_they_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second container beside the first changes no draw of the first: common random numbers."""
    alone = draws(lives(service("aa", 8080)), 1, monkeypatch)
    beside = draws(lives(service("aa", 8080), service("bb", 8081)), 1, monkeypatch)
    own = {key: drawn for key, drawn in alone.items() if key[1] == "aa"}
    assert len(own) > 10
    assert own.items() <= beside.items()
    assert {key: drawn for key, drawn in draws(lives(service("aa", 8080)), 2, monkeypatch).items() if key in own} != own


@given(st.permutations([("shim.main", n) for n in range(3)] + [("runc.create", n) for n in range(3)]))
def test_a_draw_does_not_depend_on_what_was_drawn_before(order: list[tuple[str, int]]) -> None:
    """In whatever order actions are drawn, each occurrence of each gets its own number."""
    procedures = DESIGNS["docker-1.13"].procedures
    found: dict[str, list[tuple[int, int]]] = {}
    prices = Prices(EL7_IDLE, 1, procedures)
    for name, _ in order:
        plan = next(plan for plan in prices.plans[name] if not (plan.free or plan.timer))
        found.setdefault(name, []).append(prices.sample(plan, "web"))
    straight = Prices(EL7_IDLE, 1, procedures)
    for name, drawn in found.items():
        plan = next(plan for plan in straight.plans[name] if not (plan.free or plan.timer))
        assert drawn == [straight.sample(plan, "web") for _ in drawn]


# -- a whole run ------------------------------------------------------------------------------------


def most_timers(setup: Setup) -> int:
    """Return how many timers were kept at most, dead ones included, looking once a second."""
    driver, most, until = Timed(setup), 0, 0
    while driver.end() is None:
        until += 1 * S
        driver.run(until)
        most = max(most, len(driver.queue))
    return most


def test_dead_timers_do_not_pile_up_over_a_run() -> None:
    """Thirty lives in a row leave no more timers than the few that are not worth clearing."""
    few, many = most_timers(lives(service("aa", 8080), times=3)), most_timers(lives(service("aa", 8080), times=30))
    assert few <= many <= 2 * FEW + 10


def test_a_run_in_pieces_is_the_run_at_once() -> None:
    """Going on second by second gives the records of one go."""
    setup = lives(service("aa", 8080))
    whole, driver, until = Timed(setup, 3).run(), Timed(setup, 3), 0
    while driver.end() is None:
        until += 1 * S
        driver.run(until)
    assert driver.run().records == whole.records


def test_without_a_trace_the_run_is_the_same() -> None:
    """A run that keeps nothing ends in the same world after as many steps."""
    setup = lives(service("aa", 8080))
    kept, bare = Timed(setup, 3), Timed(setup, 3, keep=False)
    assert (len(kept.run()) > 100, len(bare.run())) == (True, 0)
    assert (kept.steps, kept.now, kept.turn.seq) == (bare.steps, bare.now, bare.turn.seq)
    assert kept.world.host.files == bare.world.host.files


# -- signals -----------------------------------------------------------------------------------------

BURSTS = st.lists(
    st.tuples(
        st.integers(0, 3 * MS), st.sampled_from(("proxy/web", "containerd", "dockerd", "payload/web")),
        st.sampled_from(("TERM", "INT", "STOP", "CONT", "KILL")),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
PLAIN = replace(plain_service("web"), restart=Restart("always"), ports=(Port(8080, 80), Port(8443, 443)))


@settings(max_examples=60)
@given(burst=BURSTS, seed=st.integers(1, 99))
@example(burst=[(0, "containerd", "TERM"), (0, "containerd", "STOP")], seed=2)
@example(burst=[(0, "proxy/web", "TERM"), (303, "proxy/web", "INT"), (1452, "proxy/web", "TERM")], seed=232)
def test_a_signal_that_waits_when_its_process_leaves_is_lost(burst: list[tuple[int, str, str]], seed: int) -> None:
    """Nothing is taken, started or left by who is dead."""
    terminals = tuple(
        (Step(f"kill {n}", Instant(offset=S + at), KillProcess(Target(*target.partition("/")[::2]), signal)),)
        for n, (at, target, signal) in enumerate(burst)
    )
    setup = Setup((PLAIN,), host=HostSetup(uptime=S), terminals=terminals, until=Instant(offset=3 * S))
    replay = Replay(Timed(setup, seed).run())
    for record in replay.trace:
        event = record.event
        if isinstance(event, (FrameStarted, SignalTaken, Exited)):
            pid = event.fid[0] if isinstance(event, FrameStarted) else event.pid
            assert pid == OUTSIDE or replay.world.host.alive(pid), event
        replay.step()
