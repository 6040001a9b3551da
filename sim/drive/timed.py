"""The timed driver: enabled actions race, the clock that rings first wins; the others run on.

Each action gets a clock when it becomes enabled, drawn from the profile; a clock whose action is no longer enabled is
discarded (a generalized semi-Markov process). SimPy keeps time and queue. Actions without a price happen at once, in the
order in which they became enabled. Only goroutines whose reads were touched are asked again, so a step costs the same
however many containers there are; ticks that would change nothing are slept through. Time is whole µs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy

from sim.drive.cores import Cores
from sim.engine.client import Await, mark_name, step_of
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Every, Op, Reap, ReapAny, Sleep
from sim.engine.setup import Instant, Microseconds, S, Setup
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Marked, StepTaken
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.records import OUTSIDE, Pid
from sim.latency import PROFILES, Duration, Profile, draw, microseconds
from sim.model import OPENED, Action, Deliver, Go, Late, Open, act, initial, instants, may_open
from sim.trace import Record, Trace
from sim.world import APPLY, TOUCHES, Frame, Key, Turn, World

PATIENCE = 3600 * S  # how long a run waits for a moment that its end counts from
AFTER_LAST_STEP = 60 * S
STEPS_AT_ONE_TIME = 1_000_000


class Clock:
    """A drawn clock of one action. *cause* is the record that enabled it; *work* is what a core must still do."""

    __slots__ = ("action", "alive", "at_work", "cause", "work")

    def __init__(self, action: Action, cause: int, work: int = 0) -> None:
        self.action, self.cause, self.work = action, cause, work
        self.alive, self.at_work = True, False


class Slot:
    """What the driver keeps of a goroutine: where it was when last asked, its clocks, what it reads."""

    __slots__ = ("frame", "go", "keys", "late")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.go: Clock | None = None
        self.late: Clock | None = None
        self.keys: tuple[Key, ...] = ()


class TimedTurn(Turn):
    """A turn that notes which goroutines an event concerns, and keeps each event as a record."""

    __slots__ = ("cause", "driver")

    def __init__(self, driver: Timed, cause: int) -> None:
        super().__init__(driver.world)
        self.driver, self.cause = driver, cause

    def emit(self, event: Any) -> None:
        """Apply *event*, keep it, and note whom it concerns."""
        driver, world, kind = self.driver, self.world, type(event)
        watchers = world.watch.get(kind)
        names = [name for watcher in watchers for name in watcher(world, event)] if watchers else ()
        rule = TOUCHES.get(kind)
        if rule is not None:
            waiting = driver.waiting
            for key in rule(world, event):
                fids = waiting.get(key)
                if fids:
                    for fid in fids:
                        driver.dirty[fid] = driver.seq
                elif key[0] == "signals":
                    driver.signalled[key[1]] = driver.seq
        note = NOTES.get(kind)
        if note is not None:
            note(driver, event)
        APPLY[kind](world, event)
        driver.keep(event, self.cause)
        if not self.events:
            self.cause = driver.seq - 1
        self.events.append(event)
        for name in names:
            self.emit(Marked(name, world.marks.get(name, 0) + 1))


def _note_frame(driver: Timed, event: FrameMoved | FrameStarted | FrameEnded) -> None:
    driver.dirty[event.fid] = driver.seq


def _note_exit(driver: Timed, event: e.Exited) -> None:
    for fid in driver.world.frames_of.get(event.pid, ()):
        driver.dirty[fid] = driver.seq


def _note_signal(driver: Timed, event: e.SignalTaken) -> None:
    if event.outcome in ("stopped", "continued"):
        for fid in driver.world.frames_of.get(event.pid, ()):
            driver.dirty[fid] = driver.seq


def _note_mark(driver: Timed, event: Marked) -> None:
    driver.marked[event.name, event.count] = driver.now
    driver.marked[event.name, 0] = driver.now


def _note_step(driver: Timed, event: StepTaken) -> None:
    driver.last_step = driver.now


NOTES: dict[type, Callable[[Timed, Any], None]] = {
    FrameMoved: _note_frame,
    FrameStarted: _note_frame,
    FrameEnded: _note_frame,
    e.Exited: _note_exit,
    e.SignalTaken: _note_signal,
    Marked: _note_mark,
    StepTaken: _note_step,
}


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
        self.setup, self.seed, self.kept, self.skip_idle = setup, seed, keep, skip_idle
        self.profile = PROFILES[setup.engine.profile] if profile is None else profile
        self.env = simpy.Environment() if env is None else env
        self.now: Microseconds = 0
        self.trace = Trace(setup, seed)
        self.seq = self.steps = 0
        self.cores = Cores(setup.host.cores)
        self.core_timer: int | None = None
        self.prompt: deque[Clock] = deque()
        self.limits: list[tuple[int, int, Clock]] = []
        self.limit_timer: int | None = None
        self.slots: dict[Fid, Slot] = {}
        self.waiting: dict[Key, dict[Fid, None]] = {}
        self.dirty: dict[Fid, int] = {}
        self.signalled: dict[Pid, int] = {}
        self.deliveries: dict[tuple[Pid, str], Clock] = {}
        self.occurrences: dict[tuple[str, str, str], int] = {}
        self.prices: dict[tuple[str, int], Duration | None] = {}
        self.phases: dict[Fid, int] = {}
        self.marked: dict[tuple[str, int], int] = {}
        self.last_step = 0
        self.opened = False
        for event in events:
            self.keep(event, -1)
        for fid in self.world.frames:
            self.dirty[fid] = -1

    # -- records ------------------------------------------------------------------------------------

    def keep(self, event: Any, cause: int) -> None:
        """Keep one event as a record."""
        if self.kept:
            self.trace.records.append(Record(self.seq, self.now, cause, event))
        self.seq += 1

    # -- the loop -----------------------------------------------------------------------------------

    def run(self, until: Microseconds | None = None) -> Trace:
        """Go on until the scenario's end, or *until* (clock value in µs), and return the trace."""
        try:
            self._settle()
            while True:
                self._drain()
                end = self.end() if until is None else until
                moment = self.env.peek()
                if moment == float("inf") or moment > (end if end is not None else self._patience()):
                    break
                self.env.step()
        finally:
            self.trace.skipped = self.skipped_ticks()
        self._finish(end)
        return self.trace

    def _finish(self, end: int | None) -> None:
        if end is None:
            end = self.now
            self.trace.note = "the moment that the end counts from never came"
        self.trace.end = end

    def _patience(self) -> float:
        if not self.opened:
            return float("inf")
        known = [at.offset for at in instants(self.world.setup) if at.base == "origin"]
        return max(self.trace.origin + max(known, default=0), self.last_step) + PATIENCE

    def end(self) -> int | None:
        """Return the clock value at which the run ends, as far as it is known now."""
        if not self.opened:
            return None
        until = self.setup.until
        if until is not None and until.base not in ("end", "after"):
            moment = self.moment(until)
            return None if moment is None else moment + until.offset
        if any(fid[0] == OUTSIDE for fid in self.world.frames):
            return None
        return max(self.last_step, self.trace.origin) + AFTER_LAST_STEP

    def moment(self, instant: Instant) -> int | None:
        """Return when the moment came that an instant counts from; None if it has not come yet."""
        if instant.base == "origin":
            return self.trace.origin
        return self.marked.get((mark_name(instant), instant.nth))

    def _drain(self) -> None:
        """Let everything happen that costs no time."""
        prompt = self.prompt
        for _ in range(STEPS_AT_ONE_TIME):
            if not prompt:
                return
            clock = prompt.popleft()
            if clock.alive:
                self._happen(clock)
        raise ModelFault(f"a million steps at one time ({self.now} µs): {self.prompt[0].action}")

    def _happen(self, clock: Clock) -> None:
        clock.alive = False
        action = clock.action
        if type(action) is Go:
            self.slots[action.fid].go = None
        elif type(action) is Late:
            self.slots[action.fid].late = None
        elif type(action) is Deliver:
            del self.deliveries[action.pid, action.signal]
        else:
            self.trace.origin, self.opened = self.now, True
        turn = TimedTurn(self, clock.cause)
        act(turn, action)
        self.steps += 1
        if type(action) is Go and action.fid not in self.dirty and action.fid in self.world.frames:
            self.dirty[action.fid] = self.seq - 1
        self._settle()

    def _settle(self) -> None:
        """Ask again what may happen, of all whom the last step concerned."""
        while self.dirty:
            fid, cause = self.dirty.popitem() if len(self.dirty) == 1 else self._first_dirty()
            self._ask(fid, cause)
        while self.signalled:
            pid, cause = self.signalled.popitem()
            self._ask_signals(pid, cause)
        if not self.opened and (OPENED, 1) not in self.marked and may_open(self.world):
            self.marked[OPENED, 1] = self.now
            self.marked[OPENED, 0] = self.now
            wait = self.setup.host.uptime if self.setup.host.begin == "steady" else 0
            self._schedule(Clock(Open(), self.seq - 1), wait)

    def _first_dirty(self) -> tuple[Fid, int]:
        fid = next(iter(self.dirty))
        return fid, self.dirty.pop(fid)

    # -- asking -------------------------------------------------------------------------------------

    def _ask(self, fid: Fid, cause: int) -> None:
        frame = self.world.frames.get(fid)
        slot = self.slots.get(fid)
        if slot is not None and slot.frame is not frame:
            self._leave(fid, slot)
            slot = None
        if frame is None:
            return
        op = self.world.design.procedures[frame.procedure].ops[frame.op]
        if slot is None:
            slot = self.slots[fid] = Slot(frame)
            if isinstance(op, Every):
                self.phases.setdefault(fid, self.now)
        self._read(fid, slot, tuple(op.reads(self.world, frame)))
        pid = fid[0]
        stopped = pid != OUTSIDE and self.world.host.procs[pid].state != "S"
        ready = not stopped and op.ready(self.world, frame)
        if ready and self.skip_idle and isinstance(op, Every) and op.idle(self.world, frame) is True:
            ready = False
        if not ready:
            self._discard(slot.go)
            slot.go = None
        elif slot.go is None:
            slot.go = Clock(Go(fid), cause)
            self._price(slot.go, op, frame)
        if op.within is not None:
            self._ask_late(slot, op, frame, cause, stopped)

    def _ask_late(self, slot: Slot, op: Op, frame: Frame, cause: int, stopped: bool) -> None:
        if stopped:
            self._discard(slot.late)
            slot.late = None
        elif slot.late is None:
            within = op.within(self.world, frame) if callable(op.within) else op.within
            slot.late = Clock(Late(frame.fid), cause)
            self._limit(slot.late, within or 0)

    def _read(self, fid: Fid, slot: Slot, keys: tuple[Key, ...]) -> None:
        if keys == slot.keys:
            return
        self._forget(fid, slot)
        slot.keys = keys
        for key in keys:
            self.waiting.setdefault(key, {})[fid] = None

    def _forget(self, fid: Fid, slot: Slot) -> None:
        for key in slot.keys:
            fids = self.waiting.get(key)
            if fids is not None:
                fids.pop(fid, None)
                if not fids:
                    del self.waiting[key]

    def _leave(self, fid: Fid, slot: Slot) -> None:
        self._forget(fid, slot)
        self._discard(slot.go)
        self._discard(slot.late)
        del self.slots[fid]
        if fid not in self.world.frames:
            self.phases.pop(fid, None)

    def _discard(self, clock: Clock | None) -> None:
        if clock is not None:
            clock.alive = False
            if clock.at_work:
                self.cores.drop(self.now)
                self._arm_cores()

    def _ask_signals(self, pid: Pid, cause: int) -> None:
        for signal in syscalls.deliverable(self.world.host, pid):
            if (pid, signal) not in self.deliveries:
                clock = self.deliveries[pid, signal] = Clock(Deliver(pid, signal), cause)
                self._schedule(clock, self._sample("kernel", signal, "deliver", self.profile.get("kernel/deliver")))
        for key in [key for key in self.deliveries if key[0] == pid and not self._still(key)]:
            self.deliveries.pop(key).alive = False

    def _still(self, key: tuple[Pid, str]) -> bool:
        return key[1] in syscalls.deliverable(self.world.host, key[0])

    # -- prices -------------------------------------------------------------------------------------

    def _price(self, clock: Clock, op: Op, frame: Frame) -> None:
        """Draw the clock of a goroutine's op and set it."""
        key = (frame.procedure, frame.op)
        if key in self.prices:
            price = self.prices[key]
        else:
            price = self.prices[key] = self._price_of(op, frame)
        if op.timer:
            self._schedule(clock, self._timer(op, frame, price))
        elif price is None:
            self.prompt.append(clock)
        else:
            program = frame.procedure.partition(".")[0]
            container = str(frame.local.get("c", ""))
            wait = self._sample(program, container, op.name, price)
            clock.work = self._work
            self._schedule(clock, wait)

    def _price_of(self, op: Op, frame: Frame) -> Duration | None:
        program = frame.procedure.partition(".")[0]
        price = self.profile.get(f"{program}/{op.name}")
        if price is None and isinstance(op, (Reap, ReapAny)):
            return self.profile.get("kernel/reap")
        return price

    def _sample(self, role: str, container: str, action: str, price: Duration | None) -> int:
        """Draw a wait in µs; the work drawn with it is left in `_work`."""
        self._work = 0
        if price is None:
            return 0
        key = (role, container, action)
        count = self.occurrences[key] = self.occurrences.get(key, 0) + 1
        self._work = microseconds(price.work, draw(self.seed, role, container, action, count, "work"))
        return microseconds(price.wait, draw(self.seed, role, container, action, count, "wait"))

    def _timer(self, op: Op, frame: Frame, price: Duration | None) -> int:
        if isinstance(op, Sleep):
            return self._scaled(op.nominal(self.world, frame), op, frame, price)
        if isinstance(op, Every):
            start = self.phases[frame.fid]
            return op.period - (self.now - start) % op.period
        assert isinstance(op, Await), f"{op.name} is a timer that the driver does not know"
        at = step_of(self.world, frame).at
        if at.base == "after":
            return max(0, at.offset)
        moment = self.moment(at)
        assert moment is not None, f"{mark_name(at)} is marked but has no time"
        return max(0, moment + at.offset - self.now)

    def _scaled(self, nominal: int, op: Op, frame: Frame, price: Duration | None) -> int:
        if price is None or price.scale is None:
            return nominal
        program = frame.procedure.partition(".")[0]
        key = (program, "", op.name)
        count = self.occurrences[key] = self.occurrences.get(key, 0) + 1
        return round(nominal * price.scale.at(draw(self.seed, program, "", op.name, count)))

    # -- the queue ----------------------------------------------------------------------------------

    def _schedule(self, clock: Clock, delay: int) -> None:
        """Let a clock ring after *delay* µs; then its work begins, if it has any."""
        if delay <= 0:
            self._rung(clock)
        else:
            self.env.timeout(delay, clock).callbacks.append(self._ring)

    def _ring(self, event: Any) -> None:
        clock = event.value
        if clock.alive:
            self.now = round(self.env.now)
            self._rung(clock)

    def _rung(self, clock: Clock) -> None:
        if clock.work > 0:
            clock.at_work = True
            self.cores.add(self.now, clock.work, clock)
            clock.work = 0
            self._arm_cores()
        else:
            self.prompt.append(clock)

    def _arm_cores(self) -> None:
        moment = self.cores.next(self.now)
        if moment is not None and (self.core_timer is None or moment < self.core_timer):
            self.core_timer = moment
            self.env.timeout(moment - self.env.now, moment).callbacks.append(self._core_rings)

    def _core_rings(self, event: Any) -> None:
        if event.value != self.core_timer:
            return
        self.now, self.core_timer = round(self.env.now), None
        while self.cores.next(self.now) == self.now:
            clock = self.cores.pop(self.now)
            clock.at_work = False
            self.prompt.append(clock)
        self._arm_cores()

    def _limit(self, clock: Clock, within: int) -> None:
        """Keep a time limit in a heap of its own: most are given up, and SimPy cannot cancel."""
        heappush(self.limits, (self.now + within, self.seq, clock))
        self._arm_limits()

    def _arm_limits(self) -> None:
        while self.limits and not self.limits[0][2].alive:
            heappop(self.limits)
        if self.limits and (self.limit_timer is None or self.limits[0][0] < self.limit_timer):
            self.limit_timer = self.limits[0][0]
            self.env.timeout(self.limit_timer - self.env.now, self.limit_timer).callbacks.append(self._limit_rings)

    def _limit_rings(self, event: Any) -> None:
        if event.value != self.limit_timer:
            return
        self.limit_timer = None
        while self.limits and (not self.limits[0][2].alive or self.limits[0][0] <= event.value):
            clock = heappop(self.limits)[2]
            if clock.alive:
                self.now = round(self.env.now)
                self.prompt.append(clock)
        self._arm_limits()

    def skipped_ticks(self) -> int:
        """Return how many idle ticks were slept through."""
        return 0


def run(setup: Setup, seed: int = 1, **options: Any) -> Trace:
    """Run a setup to its end and return the trace."""
    return Timed(setup, seed, **options).run()


_ = World
