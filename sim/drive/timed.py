"""The timed driver: enabled actions race, the clock that rings first wins; the others run on.

Each action gets a clock when it becomes enabled, drawn from the profile; a clock whose action is no longer enabled is
discarded (a generalized semi-Markov process). Actions without a price happen at once, in the order in which they became
enabled. Only goroutines whose reads were touched are asked again, so a step costs the same however many containers
there are; ticks that would change nothing are slept through, and counted. Time is whole µs. Source: ARCHITECTURE.md,
"The one idea", "Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import simpy

from sim.drive.ahead import goes_first, terminals_ahead
from sim.drive.collecting import little_collecting
from sim.drive.prices import Plan, Prices
from sim.drive.queue import Clock, Queue
from sim.drive.rounds import Rounds, jump, look_for_rounds, stop_looking
from sim.drive.slot import Slot
from sim.drive.turn import TimedTurn
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Every, Op, Sleep
from sim.engine.prologue import never_came
from sim.engine.setup import Instant, Microseconds, S, Setup
from sim.engines.host.client import Await, all_served, mark_name, step_of
from sim.facts import Fid
from sim.kernel import syscalls
from sim.kernel.records import OUTSIDE, Pid
from sim.kernel.signals import Signal
from sim.latency import Profile, draw, profile_of
from sim.model import OPENED, Action, Deliver, Go, Late, Open, act, initial, instants, may_open
from sim.trace import Encoded, Record, Records, Trace, handed_on
from sim.world import Frame

PATIENCE = 3600 * S  # how long a run waits for a moment that its end counts from
AFTER_LAST_STEP = 60 * S
STEPS_AT_ONE_TIME = 1_000_000
NEVER = float("inf")


class Timed:
    """One timed run of a setup. `run` goes on to the end; `trace` holds what has happened so far.

    *keep* says how: as objects, "encoded" (a tenth of the memory, a third more time), or not at all. *sink* gets each
    record as it comes, kept or not.
    """

    def __init__(
        self,
        setup: Setup,
        seed: int = 1,
        *,
        keep: bool | Literal["encoded"] = True,
        sink: Callable[[Record], None] | None = None,
        profile: Profile | None = None,
        skip_idle: bool = True,
        skip_rounds: bool = True,
        env: simpy.Environment | None = None,
    ) -> None:
        self.world, events = initial(setup)
        self.setup, self.seed, self.skip_idle, self.skip_rounds = setup, seed, skip_idle, skip_rounds
        self.profile = profile_of(setup.engine) if profile is None else profile
        self.queue = Queue(simpy.Environment() if env is None else env, setup.host.cores)
        self.trace = Trace(setup, seed, Encoded() if keep == "encoded" else Records())
        add = self.trace.records.add if keep else None
        self.turn = TimedTurn(self.world, add if sink is None else handed_on(sink, add))
        self.prices = Prices(self.profile, seed, self.world.design.procedures, self.turn.slow)
        self.steps = self.skipped = 0
        self.ahead = terminals_ahead(self.world.setup)
        self.opened, self.jumped = False, 0  # how much time has been jumped over
        self.rounds: Rounds | None = None
        self.slots: dict[Fid, Slot] = {}
        self.deliveries: dict[Pid, dict[Signal, Clock]] = {}
        self.phases: dict[Fid, int] = {}  # when each ticker's first period began
        self.ticked: dict[Fid, int] = {}  # how many periods of it have been dealt with
        self.asleep: dict[Fid, tuple[int, int]] = {}  # tickers that sleep: since when, and their period
        self.turn.begin(events)
        self.turn.dirty.update(dict.fromkeys(self.world.frames, -1))

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
        env, end, surely = self.queue.env, until, -1.0
        with little_collecting():
            try:
                self.settle()
                while True:
                    self._drain()
                    if self.rounds is not None:
                        jump(self, self.rounds)
                    moment = env.peek()
                    if moment > surely:
                        end = self.end() if until is None else until
                        if moment == NEVER or moment > (self._patience() if end is None else end):
                            break
                        surely = self._surely(until)
                    env.step()
            finally:
                self.trace.skipped = self.skipped_ticks(self.now if end is None else end)
        self._finish(end)
        return self.trace

    def _surely(self, until: Microseconds | None) -> float:
        """Return a time up to which the run goes on whatever happens, so that its end need not be asked for before."""
        if until is not None:
            return until
        if not self.opened or self.setup.until is not None:
            return -1.0
        return self.turn.last_step + AFTER_LAST_STEP

    def _finish(self, end: int | None) -> None:
        if end is None:
            end = self.now
            self.trace.note = never_came(self.world)
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
        if not all_served(self.world):
            return None
        return max(self.turn.last_step, self.trace.origin) + AFTER_LAST_STEP

    def moment(self, instant: Instant) -> int | None:
        """Return when the moment came that an instant counts from; None if it has not come yet."""
        known = self.turn.moments.get((mark_name(instant), instant.nth))
        return self.trace.origin if instant.base == "origin" else known

    def _drain(self) -> None:
        """Let everything happen that costs no time."""
        prompt = self.queue.prompt
        for _ in range(STEPS_AT_ONE_TIME):
            if not prompt:
                return
            clock = prompt.popleft()
            if clock.alive and self.turn.stopped and self._frozen(clock):
                clock.held = True
            elif clock.alive and not (self.ahead and goes_first(self, clock)):
                self.take(clock)
        raise ModelFault(f"a million steps at one time ({self.now} µs): {prompt[0].action}")

    def take(self, clock: Clock) -> None:
        """Let the action of a clock that has rung happen."""
        clock.alive = False
        self.turn.now, self.turn.cause, self.turn.first = self.queue.now, clock.cause, True
        self._happen(clock.action)
        self.steps += 1
        self.settle()

    def _frozen(self, clock: Clock) -> bool:
        """Say whether a clock belongs to a stopped process: the kernel's timers run on, the process does not."""
        return isinstance(clock.action, (Go, Late)) and clock.action.fid[0] in self.turn.stopped

    def _happen(self, action: Action) -> None:
        turn = self.turn
        if isinstance(action, Go):
            fid = action.fid
            self.slots[fid].go = None
            act(turn, action)
            if fid not in turn.dirty and fid in self.world.frames:
                turn.dirty[fid] = turn.seq - 1
            return
        if isinstance(action, Late):
            self.slots[action.fid].late = None
        elif isinstance(action, Deliver):
            self._delivered(action.pid, action.signal)
        else:
            self._open()
        act(turn, action)

    def _open(self) -> None:
        self.trace.origin, self.opened = self.now, True
        stop_looking(self)
        known = [at.offset for at in instants(self.world.setup) if at.base == "origin"]
        self._last_known = self.now + max(known, default=0)

    def settle(self) -> None:
        """Ask again what may happen, of all whom the last step concerned."""
        turn = self.turn
        if turn.dirty:
            for fid, cause in turn.dirty.items():
                self._ask(fid, cause)
            turn.dirty.clear()
        while turn.signalled:
            self._ask_signals(*turn.signalled.popitem())
        if not self.opened and (OPENED, 1) not in turn.moments and may_open(self.world):
            turn.moments[OPENED, 1] = turn.moments[OPENED, 0] = self.now
            self.queue.set(Clock(Open(), self.turn.seq - 1), self._until_open())
            look_for_rounds(self)

    def _until_open(self) -> int:
        """Return the time to t = 0, in µs: a steady host's uptime, and up to 1 s: people keep no step with tickers."""
        if self.setup.host.begin != "steady":
            return 0
        return self.setup.host.uptime + round(S * draw(self.seed, "host", "", "open", 1))

    # -- asking -------------------------------------------------------------------------------------

    def _ask(self, fid: Fid, cause: int) -> None:
        """Give a goroutine's action a clock if it has become enabled, and take the clock if it no longer is."""
        world, slot = self.world, self.slots.get(fid)
        frame = world.frames.get(fid)
        if frame is None:
            if slot is not None:
                self._leave(fid, slot)
            return
        if slot is None or slot.frame is not frame:
            slot = self._arrive(fid, slot, frame)
        plan = slot.plan
        ready = running = fid[0] == OUTSIDE or world.host.procs[fid[0]].runs
        if not plan.plain:
            ready = self._is_ready(fid, slot, plan, running)
        if slot.go is not None and slot.go.held and running:
            slot.go.held = False
            self.queue.prompt.append(slot.go)
            if isinstance(plan.op, Every):  # however long it was stopped, one tick is due
                self.ticked[fid] = (self.now - self.phases[fid]) // plan.op.period
        elif not ready and (running or not plan.timer):
            if slot.go is not None:
                self.queue.give_up(slot.go)
                slot.go = None
        elif slot.go is None and ready:
            slot.go = clock = Clock(slot.action, cause)
            if plan.free:
                self.queue.prompt.append(clock)
            else:
                self._price(clock, plan, frame)
        if plan.op.within is not None:
            self._ask_late(slot, plan.op, running, cause)

    def _is_ready(self, fid: Fid, slot: Slot, plan: Plan, running: bool) -> bool:
        """Ask an op that is not always ready, and note what it reads."""
        world, frame, op = self.world, slot.frame, plan.op
        keys = tuple(op.reads(world, frame))
        if keys != slot.keys:
            if slot.keys:
                self.turn.forget(fid, slot.keys)
            self.turn.read(fid, keys)
            slot.keys = keys
        ready = running and op.ready(world, frame)
        return self._ticks(fid, op, frame, ready) if plan.ticker else ready

    def _ask_late(self, slot: Slot, op: Op, running: bool, cause: int) -> None:
        """Let a time limit run, also while the process is stopped."""
        if slot.late is not None and slot.late.held and running:
            slot.late.held = False
            self.queue.prompt.append(slot.late)
        elif slot.late is None and op.limited(self.world, slot.frame):
            within = op.within(self.world, slot.frame) if callable(op.within) else op.within
            slot.late = Clock(Late(slot.frame.fid), cause)
            self.queue.set_far(slot.late, within or 0)

    def _arrive(self, fid: Fid, slot: Slot | None, frame: Frame) -> Slot:
        """Note that a goroutine stands at another op; what waited at the one before is given up."""
        plan = self.prices.plans[frame.procedure][frame.op]
        if slot is None:
            slot = self.slots[fid] = Slot(frame, plan)
        else:
            if not slot.plan.plain or slot.go is not None:
                self._clear(fid, slot)
            slot.frame, slot.plan = frame, plan
        if plan.ticker:
            self.phases.setdefault(fid, self.now)
        elif plan.rounds:
            self.phases[fid] = self.now
        return slot

    def _leave(self, fid: Fid, slot: Slot) -> None:
        """Note that a goroutine is gone."""
        self._clear(fid, slot)
        del self.slots[fid]
        self.phases.pop(fid, None)
        self.ticked.pop(fid, None)

    def _clear(self, fid: Fid, slot: Slot) -> None:
        if slot.plan.ticker:
            self._wake(fid)
        if slot.keys:
            self.turn.forget(fid, slot.keys)
            slot.keys = ()
        if slot.go is not None:
            self.queue.give_up(slot.go)
            slot.go = None
        if slot.late is not None:
            self.queue.give_up(slot.late)
            slot.late = None

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
                self.queue.set(clock, self.prices.sample(self.prices.delivery, signal)[0])
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
        if plan.timer:
            wait = self._timer(plan, frame)
        else:
            wait, clock.work = self.prices.sample(plan, str(frame.local.get("c", "")))
            clock.busy, clock.owner = plan.busy, frame.fid[0]
        self.queue.set(clock, wait)

    def _timer(self, plan: Plan, frame: Frame) -> int:
        op = plan.op
        if isinstance(op, Sleep):
            nominal = self.prices.spread(op.nominal(self.world, frame), plan)
            return nominal - (self.now - self.phases[frame.fid]) % nominal if plan.rounds else nominal
        if isinstance(op, Every):
            return self._to_next_tick(frame.fid, op.period)
        assert isinstance(op, Await), f"{op.name} is a timer that the driver does not know"
        at = step_of(self.world, frame).at
        if at.base in ("after", "numbers"):
            return max(0, at.offset)
        moment = self.moment(at)
        assert moment is not None, f"{mark_name(at)} is marked but has no time"
        return max(0, moment + at.offset - self.now)

    def _to_next_tick(self, fid: Fid, period: int) -> int:
        """Return the time to a ticker's next ring: none if one came due while its goroutine was busy (Go keeps one)."""
        passed, rest = divmod(self.now - self.phases[fid], period)
        if passed > self.ticked.get(fid, 0):
            self.ticked[fid] = passed
            return 0
        self.ticked[fid] = passed + 1
        return period - rest

    # -- idle ticks ---------------------------------------------------------------------------------

    def _ticks(self, fid: Fid, op: Any, frame: Frame, ready: bool) -> bool:
        """Say whether a ticker is to ring: while a tick would change nothing it sleeps, and its ticks are counted."""
        if ready and self.skip_idle and op.idle(self.world, frame) is True:
            self.asleep.setdefault(fid, (self.now, op.period))
            return False
        self._wake(fid)
        return ready

    def _wake(self, fid: Fid) -> None:
        if fid in self.asleep:
            self.skipped += self._slept(fid, self.now)
            self.ticked[fid] = (self.now - self.phases[fid]) // self.asleep[fid][1]
            del self.asleep[fid]

    def _slept(self, fid: Fid, now: int) -> int:
        """Return how many of a sleeping ticker's phases have passed."""
        since, period = self.asleep[fid]
        start = self.phases[fid]
        return max(0, (now - start) // period - (since - start) // period)

    def skipped_ticks(self, now: Microseconds | None = None) -> int:
        """Return how many idle ticks were slept through up to *now* (the time of the last thing that happened)."""
        return self.skipped + sum(self._slept(fid, self.now if now is None else now) for fid in self.asleep)


def run(setup: Setup, seed: int = 1, **options: Any) -> Trace:
    """Run a setup to its end and return the trace."""
    return Timed(setup, seed, **options).run()
