"""When clocks ring: SimPy keeps time and the near ones; beside it stand those that it would only be filled with.

SimPy cannot cancel, and a timer that was given up stays in its heap until its moment. So time limits, of which most are
given up, and all far timers wait in a heap of their own, which is cleared of dead ones once they are the majority;
SimPy holds one event for the first of them. Work goes on to the cores when its wait is over. Of one process as many
pieces are at work at once as there are cores, and the others wait in turn, unless whoever works needs more at once: it
goes on. So what leaves a busy daemon early takes the cores from what is still in it. What costs no time is a plain
queue. Times are whole µs; ties go by the order in which clocks were set. Leaves out processes that are not Go's, whose
threads would share the cores, and that a goroutine gives way after 10 ms. Source: Go's runtime/proc.go [K]: GOMAXPROCS
is the number of CPUs, run queues are first in, first out, and a goroutine runs until it has to wait.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import simpy

from sim.drive.cores import WHOLE, Cores
from sim.engine.setup import S
from sim.kernel.records import Pid
from sim.model import Action

FAR = 1 * S  # a timer this long waits outside of SimPy's heap
RINGS = ("_near_rings", "_core_rings", "_far_rings", "_work_on")  # what SimPy's events call
FEW = 64  # so many dead timers are not worth clearing


class Clock:
    """A drawn clock of one action. *cause* is the record that enabled it; *work* is what a core must still do.

    *busy* says how much of a core that keeps busy, in percent, *held* that it has rung while its process was stopped.
    *owner* is the process that does the work.
    """

    __slots__ = ("action", "alive", "at_work", "busy", "cause", "far", "held", "owner", "work")

    def __init__(self, action: Action, cause: int) -> None:
        self.action, self.cause, self.work, self.busy, self.owner = action, cause, 0, WHOLE, 0
        self.alive, self.at_work, self.far, self.held = True, False, False, False

    def copy(self) -> Clock:
        """Return another clock that stands where this one does."""
        other = Clock(self.action, self.cause)
        other.work, other.busy, other.owner = self.work, self.busy, self.owner
        other.alive, other.at_work, other.far, other.held = self.alive, self.at_work, self.far, self.held
        return other


class Queue:
    """The clocks that run. `prompt` holds those that have rung, first first; `now` is the time of the last one."""

    __slots__ = (
        "_added", "_core_timer", "_dead", "_far", "_far_timer", "_most", "_runnable", "_working",
        "cores", "env", "now", "prompt",
    )  # fmt: skip

    def __init__(self, env: simpy.Environment, cores: int) -> None:
        self.env, self.now = env, 0
        self.prompt: deque[Clock] = deque()
        self.cores = Cores(cores)
        self._most = cores  # GOMAXPROCS
        self._working: Counter[Pid] = Counter()
        self._runnable: dict[Pid, deque[Clock]] = {}
        self._core_timer: int | None = None
        self._far: list[tuple[int, int, Clock]] = []
        self._far_timer: int | None = None
        self._added = self._dead = 0

    def set(self, clock: Clock, delay: int) -> None:
        """Let a clock ring after *delay* µs; then its work begins, if it has any."""
        if delay <= 0:
            self._rung(clock)
        elif delay < FAR:
            self.env.timeout(delay, clock).callbacks.append(self._near_rings)
        else:
            self.set_far(clock, delay)

    def set_far(self, clock: Clock, delay: int) -> None:
        """Let a clock ring after *delay* µs that will probably be given up before."""
        clock.far = True
        self._added += 1
        heappush(self._far, (self.now + delay, self._added, clock))
        self._arm_far()

    def give_up(self, clock: Clock) -> None:
        """Discard a clock that has not rung, or whose work goes on."""
        clock.alive = False
        if clock.at_work:
            self.cores.drop(self.now, clock.busy)
            self._work_is_over(clock.owner)
            self._arm_cores()
        elif clock.far:
            self._dead += 1
            if self._dead > FEW and 2 * self._dead > len(self._far):
                self._clear_far()

    # -- a second one that goes on from here --------------------------------------------------------

    def copy(self, twin: Callable[[Clock], Clock]) -> Queue:
        """Return a queue with the same clocks, each the *twin* of one of these, on an environment of its own."""
        env: Any = self.env
        other = Queue(simpy.Environment(env.now), self._most)
        other.now, other._added, other._dead = self.now, self._added, self._dead
        other.prompt = deque(map(twin, self.prompt))
        other.cores = self.cores.copy(twin)
        other._working = self._working.copy()
        other._runnable = {owner: deque(map(twin, clocks)) for owner, clocks in self._runnable.items()}
        other._core_timer, other._far_timer = self._core_timer, self._far_timer
        other._far = [(at, number, twin(clock)) for at, number, clock in self._far]
        rings = {getattr(Queue, name): getattr(other, name) for name in RINGS}
        twins: Any = other.env
        for at, priority, number, event in env._queue:
            timer: Any = simpy.Event(twins)
            timer._ok, timer._value = True, twin(event.value) if isinstance(event.value, Clock) else event.value
            timer.callbacks = [rings[ring.__func__] for ring in event.callbacks]
            twins._queue.append((at, priority, number, timer))  # in the same order, which is a heap's
        twins._eid = count(1 + max((number for _, _, number, _ in env._queue), default=0))
        return other

    # -- rounds that are jumped over ----------------------------------------------------------------

    @property
    def added(self) -> int:
        """Return how many far timers have been set."""
        return self._added

    def rests(self) -> bool:
        """Return whether nothing has rung that has not happened, no core works, and no work waits for one."""
        return not self.prompt and not self._runnable and self.cores.next(self.now) is None

    def oldest(self, added: int) -> int:
        """Return when the first of the far timers rings that were the first *added* to be set."""
        return min((at for at, number, clock in self._far if clock.alive and number <= added), default=self.now)

    def jump(self, by: int, added: int) -> None:
        """Go on *by* µs later, with all timers but the first *added* far ones, which ring when they would have."""
        env: Any = self.env
        env._now += by
        env._queue = [(at + by, *rest) for at, *rest in env._queue]
        self.now += by
        self._far = [(at if number <= added else at + by, number, clock) for at, number, clock in self._far]
        self._far_timer = None
        self._clear_far()
        self._arm_far()

    def __len__(self) -> int:
        """Return how many timers are kept, dead ones included; what has rung or is at work is not counted."""
        return len(self.env._queue) + len(self._far)

    # -- near, far, at work -------------------------------------------------------------------------

    def _near_rings(self, event: Any) -> None:
        clock = event.value
        if clock.alive:
            self.now = round(self.env.now)
            self._rung(clock)

    def _rung(self, clock: Clock) -> None:
        if clock.work <= 0:
            self.prompt.append(clock)
        elif self._working[clock.owner] < self._most:
            self._work(clock)
        else:
            self._runnable.setdefault(clock.owner, deque()).append(clock)

    def _work(self, clock: Clock) -> None:
        """Put a clock's work on the cores."""
        clock.at_work = True
        self._working[clock.owner] += 1
        self.cores.add(self.now, clock.work, clock, clock.busy)
        clock.work = 0
        if self.cores.jobs[0][2] is clock:
            self._arm_cores()

    def _work_is_over(self, owner: Pid) -> None:
        """Make room for another piece of a process's work, once whoever did this one has gone on: it may need more."""
        self._working[owner] -= 1
        if owner in self._runnable:
            self.env.timeout(0, owner).callbacks.append(self._work_on)
        elif not self._working[owner]:
            del self._working[owner]

    def _work_on(self, event: Any) -> None:
        """Begin with the pieces of a process's work that have waited longest, as far as there is room."""
        owner = event.value
        self.now = round(self.env.now)
        waiting = self._runnable.get(owner, deque())
        while waiting and self._working[owner] < self._most:
            clock = waiting.popleft()
            if clock.alive:
                self._work(clock)
        if not waiting:
            self._runnable.pop(owner, None)

    def _arm_cores(self) -> None:
        moment = self.cores.next(self.now)
        if moment is not None and (self._core_timer is None or moment < self._core_timer):
            self._core_timer = moment
            self.env.timeout(moment - self.env.now, moment).callbacks.append(self._core_rings)

    def _core_rings(self, event: Any) -> None:
        if event.value != self._core_timer:
            return
        cores, now = self.cores, event.value
        self.now, self._core_timer = now, None
        while cores.next(now) == now:
            clock = cores.pop(now)
            clock.at_work = False
            self.prompt.append(clock)
            self._work_is_over(clock.owner)
        self._arm_cores()

    def _arm_far(self) -> None:
        far = self._far
        while far and not far[0][2].alive:
            heappop(far)
            self._dead -= 1
        if far and (self._far_timer is None or far[0][0] < self._far_timer):
            self._far_timer = far[0][0]
            self.env.timeout(self._far_timer - self.env.now, self._far_timer).callbacks.append(self._far_rings)

    def _far_rings(self, event: Any) -> None:
        if event.value != self._far_timer:
            return
        self._far_timer = None
        far = self._far
        while far and (not far[0][2].alive or far[0][0] <= event.value):
            clock = heappop(far)[2]
            clock.far = False
            if clock.alive:
                self.now = event.value
                self._rung(clock)
            else:
                self._dead -= 1
        self._arm_far()

    def _clear_far(self) -> None:
        self._far = [entry for entry in self._far if entry[2].alive]
        heapify(self._far)
        self._dead = 0
