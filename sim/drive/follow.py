"""A run in a given order: names for actions that people can read and type, and the timed driver led by them.

The prologue comes in the fixed order of the explorer, then the actions of `Setup.order`, one by one. Each happens when
its clock rings, or at the time of the action before it if that is later: durations bend to the order, time never runs
backwards. After the last one the clocks that are left race as in any timed run. Clocks and prices are those of
`sim.drive.timed`, only the choice among them differs. Leaves out the sharing of cores while the order lasts.

A name has no number of a process in it, since numbers are not the same in every run:

    dockerd start/web reserve_port      a goroutine of dockerd takes its op
    dockerd restore/web exit_known late the time limit of that op passes
    TERM to payload/web                 the process takes a pending signal
    step kill begin                     the terminal whose step is `kill` takes an op
    fault kill shim/web                 the environment hurts a process
    open                                t = 0

Of several living processes of one program and container the second one forked is `proxy/web#2`. Source: the project's
scenario language, `order:`.
"""

from __future__ import annotations

from typing import Any

import simpy
from msgspec.structs import replace

from sim.drive.cores import WHOLE
from sim.drive.explore.paths import begin
from sim.drive.queue import Clock, Queue
from sim.drive.timed import Timed
from sim.engine.setup import FaultBudget, Microseconds, Setup
from sim.errors import InputError, Problem, nearest
from sim.faults import FAULTS, Fault, faults_of
from sim.kernel.records import OUTSIDE, Pid
from sim.latency import Profile
from sim.model import Action, Deliver, Late, Open, act, enabled
from sim.trace import Trace
from sim.world import Frame, World

SHOWN = 12  # so many possible actions are named where one is not possible

# -- names ------------------------------------------------------------------------------------------


def name_of(world: World, action: Action) -> str:
    """Return the name of an action that is enabled."""
    if isinstance(action, Deliver):
        return f"{action.signal} to {process_name(world, action.pid)}"
    if isinstance(action, Fault):
        return f"fault {action.kind} {process_name(world, action.pid)}"
    if isinstance(action, Open):
        return "open"
    frame = world.frames[action.fid]
    op = world.design.procedures[frame.procedure].ops[frame.op]
    return f"{_goroutine(world, frame)} {op.name}" + (" late" if isinstance(action, Late) else "")


def find(world: World, name: str) -> Action | None:
    """Return the action that has this name, however it is spaced, if it is enabled; a fault needs no budget."""
    name = " ".join(name.split())
    actions: list[Action] = [*faults(world)] if name.startswith("fault ") else enabled(world)
    return next((action for action in actions if name_of(world, action) == name), None)


def faults(world: World) -> list[Fault]:
    """Return everything that could befall a process now, whatever the budget."""
    return [fault for pid in world.host.procs for fault in faults_of(world, pid, FAULTS)]


def process_name(world: World, pid: Pid) -> str:
    """Name a process by program and container; of equals, the n-th living one in the order of forks is `#n`."""
    procs = world.host.procs
    own = procs[pid]
    image = own.image
    text = f"{image.program}/{image.container}" if image.container else image.program
    before = [
        other
        for other in procs.values()
        if other.alive
        and other.order < own.order
        and (other.image.program, other.image.container) == (image.program, image.container)
    ]
    return f"{text}#{len(before) + 1}" if before else text


def _goroutine(world: World, frame: Frame) -> str:
    pid, name = frame.fid
    if pid != OUTSIDE:
        return f"{process_name(world, pid)} {name}"
    steps = world.setup.terminals[frame.local["terminal"]]
    if not steps:
        return name
    return f"step {steps[min(frame.local['i'], len(steps) - 1)].id}"


# -- the driver -------------------------------------------------------------------------------------


class Pending(Queue):
    """Clocks that ring when they are told to. *due* says when each would have rung by itself, by its action."""

    __slots__ = ("due",)

    def __init__(self, cores: int) -> None:
        super().__init__(simpy.Environment(), cores)
        self.due: dict[Action, tuple[int, Clock]] = {}

    def set(self, clock: Clock, delay: int) -> None:
        """Note when a clock would ring; its work is done as if it had a core of its own."""
        self.due[clock.action] = self.now + max(0, delay) + clock.work, clock
        clock.work = 0

    set_far = set

    def give_up(self, clock: Clock) -> None:
        """Discard a clock."""
        clock.alive = False
        if self.due.get(clock.action, (0, None))[1] is clock:
            del self.due[clock.action]

    def collect(self) -> None:
        """Take in the clocks that cost no time."""
        for clock in self.prompt:
            if clock.alive:
                self.set(clock, 0)
        self.prompt.clear()

    def ring(self, action: Action) -> Clock | None:
        """Go on to the time of an action and return its clock; a fault has none and happens at once."""
        moment, clock = self.due.pop(action, (self.now, None))
        self.now = max(self.now, moment)
        if clock is not None:
            clock.alive = False
        return clock

    def race(self) -> Queue:
        """Return a queue in which the clocks that are left race."""
        queue = Queue(simpy.Environment(self.now), self.cores.count // WHOLE)
        queue.now = self.now
        for moment, clock in sorted(self.due.values(), key=lambda entry: entry[0]):
            put = queue.set_far if isinstance(clock.action, Late) else queue.set
            put(clock, max(0, moment - self.now))
        return queue


class Followed(Timed):
    """One run of a setup in the order that it gives. `run` raises InputError where the order cannot be followed."""

    queue: Queue

    def __init__(
        self,
        setup: Setup,
        seed: int = 1,
        *,
        keep: bool = True,
        profile: Profile | None = None,
        skip_idle: bool = True,
    ) -> None:
        super().__init__(setup, seed, keep=keep, profile=profile, skip_idle=skip_idle)
        self.pending = Pending(setup.host.cores)
        self.queue = self.pending

    def run(self, until: Microseconds | None = None) -> Trace:
        """Follow the order, then go on as any timed run; the end is never before the last action of the order."""
        if self.queue is self.pending:
            self._follow_all()
            self.queue = self.pending.race()
        super().run(until)
        self.trace.end = max(self.trace.end, self.now)
        return self.trace

    def _follow_all(self) -> None:
        self.settle()
        self.pending.collect()
        for action in begin(replace(self.setup, faults=FaultBudget()), "open")[1].actions:
            self._follow(action)
        for number in range(len(self.setup.order)):
            self._follow(self._ordered(number))

    def _follow(self, action: Action) -> None:
        turn = self.turn
        clock = self.pending.ring(action)
        turn.now, turn.first = self.pending.now, True
        turn.cause = turn.seq - 1 if clock is None else clock.cause
        if isinstance(action, Fault):
            act(turn, action)
        else:
            self._happen(action)
        self.steps += 1
        self.settle()
        self.pending.collect()

    def _ordered(self, number: int) -> Action:
        """Return the action at a place of the order; raise InputError where it is not enabled."""
        name = self.setup.order[number]
        action = find(self.world, name)
        if action is not None:
            return action
        possible = [name_of(self.world, other) for other in enabled(self.world)]
        shown = ", ".join(possible[:SHOWN]) or "nothing"
        more = f" and {len(possible) - SHOWN} more" if len(possible) > SHOWN else ""
        after = f" after {self.setup.order[number - 1]!r}" if number else " after t = 0"
        what = f"{name!r} cannot happen{after}"
        hint = f"{nearest(name, possible)} What can: {shown}{more}.".strip()
        raise InputError([Problem(f"order, entry {number + 1} of {len(self.setup.order)}", what, hint)])


def driver_of(setup: Setup, seed: int = 1, **options: Any) -> Timed:
    """Return the driver that a setup asks for: one that follows its order, if it has one."""
    return (Followed if setup.order else Timed)(setup, seed, **options)
