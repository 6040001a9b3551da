"""The timed driver: enabled actions race, the clock that rings first wins; the others run on.

Each action gets a clock when it becomes enabled, drawn from the profile; a clock whose action is no longer enabled is
discarded (a generalized semi-Markov process). Actions without a price happen at once, in the order in which they became
enabled. Only goroutines whose reads were touched are asked again, so a step costs the same however many containers there
are; ticks that would change nothing are slept through, and counted. Time is whole µs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import simpy

from sim.drive.prices import Plan, Prices
from sim.drive.queue import Clock, Queue
from sim.drive.turn import TimedTurn
from sim.engine.client import Await, mark_name, step_of
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Every, Sleep
from sim.engine.setup import Instant, Microseconds, S, Setup
from sim.facts import Fid
from sim.kernel import syscalls
from sim.kernel.records import OUTSIDE, Pid
from sim.kernel.signals import Signal
from sim.latency import PROFILES, Profile
from sim.model import OPENED, Deliver, Go, Late, Open, act, initial, instants, may_open
from sim.trace import Record, Trace
from sim.world import Frame, Key

PATIENCE = 3600 * S  # how long a run waits for a moment that its end counts from
AFTER_LAST_STEP = 60 * S
STEPS_AT_ONE_TIME = 1_000_000
NEVER = float("inf")


class Slot:
    """What the driver keeps of a goroutine: where it was when last asked, its clocks, what it reads."""

    __slots__ = ("frame", "go", "keys", "late", "plan")

    def __init__(self, frame: Frame, plan: Plan) -> None:
        self.frame, self.plan = frame, plan
        self.go: Clock | None = None
        self.late: Clock | None = None
        self.keys: tuple[Key, ...] = ()


class Timed:
    """One timed run of a setup. `run` goes on to the end; `trace` holds what has happened so far."""

    def __init__(
        self,
        setup: Setup,
        seed: int = 1,
        *,
        keep: bool = True,
        profile: Profile | None = None,
        skip_idle: bool = True,
        env: simpy.Environment | None = None,
    ) -> None:
        self.world, events = initial(setup)
        self.setup, self.seed, self.skip_idle = setup, seed, skip_idle
        self.profile = PROFILES[setup.engine.profile] if profile is None else profile
        self.prices = Prices(self.profile, seed, self.world.design.procedures)
        self.queue = Queue(simpy.Environment() if env is None else env, setup.host.cores)
        self.trace = Trace(setup, seed)
        self.turn = TimedTurn(self.world, self.trace.records, keep)
        self.steps = self.skipped = 0
        self.opened = False
        self.slots: dict[Fid, Slot] = {}
        self.deliveries: dict[Pid, dict[Signal, Clock]] = {}
        self.phases: dict[Fid, int] = {}  # when each ticker's first period began
        self.asleep: dict[Fid, tuple[int, int]] = {}  # tickers that sleep: since when, and their period
        if keep:
            self.trace.records += [Record(seq, 0, -1, event) for seq, event in enumerate(events)]
        self.turn.seq = len(events)
        for fid in self.world.frames:
            self.turn.concerned.dirty[fid] = -1

    @property
    def now(self) -> Microseconds:
        """Return the clock's value at the last thing that happened."""
        return self.queue.now

    @property
    def env(self) -> simpy.Environment:
        """Return SimPy's environment."""
        return self.queue.env

    # -- the loop -----------------------------------------------------------------------------------

    def run(self, until: Microseconds | None = None) -> Trace:
        """Go on until the scenario's end, or *until* (clock value in µs), and return the trace."""
        env, end = self.queue.env, until
        with _little_collecting():
            try:
                self._settle()
                while True:
                    self._drain()
                    if until is None:
                        end = self.end()
                    moment = env.peek()
                    if moment == NEVER or moment > (self._patience() if end is None else end):
                        break
                    env.step()
            finally:
                self.trace.skipped = self.skipped_ticks(self.now if end is None else end)
        self._finish(end)
        return self.trace

    def _finish(self, end: int | None) -> None:
        if end is None:
            end = self.now
            self.trace.note = "the moment that the end counts from never came"
        self.trace.end = end

    def _patience(self) -> float:
        if not self.opened:
            return NEVER
        return max(self._last_known, self.turn.last_step) + PATIENCE

    def end(self) -> int | None:
        """Return the clock value at which the run ends, as far as it is known now."""
        if not self.opened:
            return None
        until = self.setup.until
        if until is not None and until.base not in ("end", "after"):
            moment = self.moment(until)
            return None if moment is None else moment + until.offset
        if self.world.frames_of.get(OUTSIDE):
            return None
        return max(self.turn.last_step, self.trace.origin) + AFTER_LAST_STEP

    def moment(self, instant: Instant) -> int | None:
        """Return when the moment came that an instant counts from; None if it has not come yet."""
        if instant.base == "origin":
            return self.trace.origin
        return self.turn.moments.get((mark_name(instant), instant.nth))

    def _drain(self) -> None:
        """Let everything happen that costs no time."""
        prompt = self.queue.prompt
        for _ in range(STEPS_AT_ONE_TIME):
            if not prompt:
                return
            clock = prompt.popleft()
            if clock.alive:
                self._happen(clock)
        raise ModelFault(f"a million steps at one time ({self.now} µs): {prompt[0].action}")

    def _happen(self, clock: Clock) -> None:
        clock.alive = False
        action, turn = clock.action, self.turn
        kind = type(action)
        turn.begin(self.queue.now, clock.cause)
        if kind is Go:
            fid = action.fid
            self.slots[fid].go = None
            act(turn, action)
            dirty = turn.concerned.dirty
            if fid not in dirty and fid in self.world.frames:
                dirty[fid] = turn.seq - 1
        else:
            if kind is Late:
                self.slots[action.fid].late = None
            elif kind is Deliver:
                self._delivered(action.pid, action.signal)
            else:
                self._open()
            act(turn, action)
        self.steps += 1
        self._settle()

    def _open(self) -> None:
        self.trace.origin, self.opened = self.now, True
        known = [at.offset for at in instants(self.world.setup) if at.base == "origin"]
        self._last_known = self.now + max(known, default=0)

    def _settle(self) -> None:
        """Ask again what may happen, of all whom the last step concerned."""
        concerned = self.turn.concerned
        if concerned.dirty:
            for fid, cause in concerned.dirty.items():
                self._ask(fid, cause)
            concerned.dirty.clear()
        while concerned.signalled:
            self._ask_signals(*concerned.signalled.popitem())
        if not self.opened and (OPENED, 1) not in self.turn.moments and may_open(self.world):
            self.turn.moments[OPENED, 1] = self.turn.moments[OPENED, 0] = self.now
            wait = self.setup.host.uptime if self.setup.host.begin == "steady" else 0
            self.queue.set(Clock(Open(), self.turn.seq - 1), wait)

    # -- asking -------------------------------------------------------------------------------------

    def _ask(self, fid: Fid, cause: int) -> None:
        """Give a goroutine's action a clock if it has become enabled, and take the clock if it no longer is."""
        world = self.world
        frame, slot = world.frames.get(fid), self.slots.get(fid)
        if frame is None:
            if slot is not None:
                self._leave(fid, slot)
            return
        if slot is None or slot.frame is not frame:
            slot = self._arrive(fid, slot, frame)
        plan = slot.plan
        ready = fid[0] == OUTSIDE or world.host.procs[fid[0]].state == "S"
        if not plan.plain:
            self._ask_op(fid, slot, plan, ready, cause)
        elif not ready:
            self._give_up_go(slot)
        elif slot.go is None:
            slot.go = Clock(Go(fid), cause)
            self._price(slot.go, plan, frame)

    def _ask_op(self, fid: Fid, slot: Slot, plan: Plan, running: bool, cause: int) -> None:
        """Ask an op that is not always ready, or has a time limit."""
        world, frame, op = self.world, slot.frame, plan.op
        keys = tuple(op.reads(world, frame))
        if keys != slot.keys:
            self.turn.concerned.forget(fid, slot.keys)
            self.turn.concerned.read(fid, keys)
            slot.keys = keys
        ready = running and op.ready(world, frame)
        if plan.ticker:
            ready = self._ticks(fid, op, frame, ready)
        if not ready:
            self._give_up_go(slot)
        elif slot.go is None:
            slot.go = Clock(Go(fid), cause)
            self._price(slot.go, plan, frame)
        if op.within is None:
            return
        if not running:
            if slot.late is not None:
                self.queue.give_up(slot.late)
                slot.late = None
        elif slot.late is None:
            within = op.within(world, frame) if callable(op.within) else op.within
            slot.late = Clock(Late(fid), cause)
            self.queue.set_far(slot.late, within)

    def _arrive(self, fid: Fid, slot: Slot | None, frame: Frame) -> Slot:
        """Note that a goroutine stands at another op; what waited at the one before is given up."""
        plan = self.prices.plan(frame)
        if slot is None:
            slot = self.slots[fid] = Slot(frame, plan)
        else:
            self._clear(fid, slot)
            slot.frame, slot.plan = frame, plan
        if plan.ticker:
            self.phases.setdefault(fid, self.now)
        return slot

    def _leave(self, fid: Fid, slot: Slot) -> None:
        """Note that a goroutine is gone."""
        self._clear(fid, slot)
        del self.slots[fid]
        self.phases.pop(fid, None)

    def _clear(self, fid: Fid, slot: Slot) -> None:
        if slot.plan.ticker:
            self._wake(fid)
        if slot.keys:
            self.turn.concerned.forget(fid, slot.keys)
            slot.keys = ()
        self._give_up_go(slot)
        if slot.late is not None:
            self.queue.give_up(slot.late)
            slot.late = None

    def _give_up_go(self, slot: Slot) -> None:
        if slot.go is not None:
            self.queue.give_up(slot.go)
            slot.go = None

    # -- signals ------------------------------------------------------------------------------------

    def _ask_signals(self, pid: Pid, cause: int) -> None:
        pending = syscalls.deliverable(self.world.host, pid)
        clocks = self.deliveries.get(pid)
        if clocks is None:
            if not pending:
                return
            clocks = self.deliveries[pid] = {}
        for signal in pending:
            if signal not in clocks:
                clocks[signal] = clock = Clock(Deliver(pid, signal), cause)
                self.queue.set(clock, self.prices.delivery(signal))
        for signal in [signal for signal in clocks if signal not in pending]:
            self.queue.give_up(clocks.pop(signal))
        if not clocks:
            del self.deliveries[pid]

    def _delivered(self, pid: Pid, signal: Signal) -> None:
        clocks = self.deliveries[pid]
        del clocks[signal]
        if not clocks:
            del self.deliveries[pid]

    # -- delays -------------------------------------------------------------------------------------

    def _price(self, clock: Clock, plan: Plan, frame: Frame) -> None:
        """Draw the clock of a goroutine's op and set it."""
        price = plan.price
        if plan.timer:
            self.queue.set(clock, self._timer(plan, frame))
        elif price is None:
            self.queue.prompt.append(clock)
        else:
            wait = self.prices.wait(plan.role, frame.local.get("c", ""), plan.op.name, price)
            clock.work = self.prices.work
            self.queue.set(clock, wait)

    def _timer(self, plan: Plan, frame: Frame) -> int:
        op = plan.op
        if isinstance(op, Sleep):
            return self.prices.spread(op.nominal(self.world, frame), plan)
        if isinstance(op, Every):
            return op.period - (self.now - self.phases[frame.fid]) % op.period
        assert isinstance(op, Await), f"{op.name} is a timer that the driver does not know"
        at = step_of(self.world, frame).at
        if at.base == "after":
            return max(0, at.offset)
        moment = self.moment(at)
        assert moment is not None, f"{mark_name(at)} is marked but has no time"
        return max(0, moment + at.offset - self.now)

    # -- idle ticks ---------------------------------------------------------------------------------

    def _ticks(self, fid: Fid, op: Any, frame: Frame, ready: bool) -> bool:
        """Say whether a ticker is to ring; while a tick would change nothing it sleeps, and what it sleeps is counted."""
        if ready and self.skip_idle and op.idle(self.world, frame) is True:
            self.asleep.setdefault(fid, (self.now, op.period))
            return False
        self._wake(fid)
        return ready

    def _wake(self, fid: Fid) -> None:
        if fid in self.asleep:
            self.skipped += self._slept(fid, self.now)
            del self.asleep[fid]

    def _slept(self, fid: Fid, now: int) -> int:
        """Return how many of a sleeping ticker's phases have passed."""
        since, period = self.asleep[fid]
        start = self.phases[fid]
        return max(0, (now - start) // period - (since - start) // period)

    def skipped_ticks(self, now: Microseconds | None = None) -> int:
        """Return how many idle ticks were slept through up to *now* (the time of the last thing that happened)."""
        moment = self.now if now is None else now
        return self.skipped + sum(self._slept(fid, moment) for fid in self.asleep)


@contextmanager
def _little_collecting() -> Iterator[None]:
    """Let Python look for cyclic garbage rarely: a run makes much that stays, and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run(setup: Setup, seed: int = 1, **options: Any) -> Trace:
    """Run a setup to its end and return the trace."""
    return Timed(setup, seed, **options).run()
