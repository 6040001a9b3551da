"""One run up to a step, and from there as many as there are commands for it: what comes before is run once.

Before a step is taken nothing depends on what it does, but for what `kin` names: which versions may get installed,
whether memory can run out, whether there is a journald. So setups that agree in that, and differ in one step's command
and in what follows in its terminal, have everything before it in common, to the byte. A branch copies the world and the
driver: clocks, draws, readers. Leaves out steps at `before FACT`, whose moment is found by trying. Source: the timed
driver (`sim.drive.timed`); proved by tests/drive/test_branch.py.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from sim.drive.ahead import terminals_ahead
from sim.drive.queue import Clock
from sim.drive.slot import Slot
from sim.drive.timed import Timed
from sim.engine.setup import Setup
from sim.engines.host import journald
from sim.engines.host.client import Await, step_of
from sim.kernel.records import OUTSIDE
from sim.model import Go, design_of, memory_runs_out, watchers
from sim.trace import Records, Trace

Kin = tuple[tuple[str, ...], bool, bool]


def kin(setup: Setup) -> Kin:
    """Return what of a step's command matters before it is taken: versions, memory, journald."""
    return tuple(design_of(setup).releases), memory_runs_out(setup), journald.concerns(setup)


class _Reached(Exception):
    """The run has come to its step."""


class Stem(Timed):
    """A run that goes as far as the moment of *step* and no further; `branch` goes on from there."""

    def __init__(self, setup: Setup, seed: int, step: str) -> None:
        assert not setup.order, "a run in a given order has no branches"
        super().__init__(setup, seed)
        self.step = step
        self.reached = False

    def grow(self) -> bool:
        """Run to the step; return whether it came."""
        try:
            super().run()
        except _Reached:
            self.reached = True
        return self.reached

    def take(self, clock: Clock) -> None:
        """Let an action happen, unless it is the step's."""
        if isinstance(clock.action, Go) and self._is_step(clock.action):
            self.queue.prompt.appendleft(clock)
            raise _Reached
        super().take(clock)

    def _is_step(self, action: Go) -> bool:
        frame = self.world.frames[action.fid]
        if action.fid[0] != OUTSIDE or not isinstance(self.slots[action.fid].plan.op, Await):
            return False
        return step_of(self.world, frame).id == self.step

    def branch(self, setup: Setup) -> Timed:
        """Return a run of *setup*, its trace included, that stands where this one does."""
        assert self.reached, f"the step {self.step} has not come"
        assert kin(setup) == kin(self.setup), "what comes before the step differs"
        assert replace(setup, terminals=self.setup.terminals) == self.setup, "more differs than what a step does"
        assert len(setup.terminals) == len(self.setup.terminals), "there are as many terminals"
        twins: dict[int, Clock] = {}

        def twin(clock: Clock) -> Clock:
            found = twins.get(id(clock))
            if found is None:
                found = twins[id(clock)] = clock.copy()
            return found

        other = object.__new__(Timed)
        other.setup, other.seed, other.profile = setup, self.seed, self.profile
        other.skip_idle, other.skip_rounds = self.skip_idle, self.skip_rounds
        other.world = self.world.copy()
        first, *_ = every = self.world.setup.terminals  # before and behind the file's own stands the prologue
        other.world.setup = replace(setup, terminals=(first, *setup.terminals, *every[1 + len(setup.terminals) :]))
        other.world.watch = watchers(other.world.setup)
        other.queue = self.queue.copy(twin)
        other.trace = self._trace(setup)
        other.turn = self.turn.copy(other.world, other.trace.records.add)
        other.prices = self.prices.copy(other.turn.slow)
        other.steps, other.skipped, other.opened, other.jumped = self.steps, self.skipped, self.opened, self.jumped
        other.ahead, other.rounds, other._last_known = terminals_ahead(other.world.setup), None, self._last_known
        other.slots = {fid: _slot(slot, twin) for fid, slot in self.slots.items()}
        other.deliveries = {
            pid: {signal: twin(clock) for signal, clock in clocks.items()} for pid, clocks in self.deliveries.items()
        }
        other.phases, other.ticked, other.asleep = self.phases.copy(), self.ticked.copy(), self.asleep.copy()
        return other

    def _trace(self, setup: Setup) -> Trace:
        mine = self.trace
        assert isinstance(mine.records, Records)
        other = Trace(setup, self.seed, mine.records.copy())
        other.origin, other.left_out = mine.origin, mine.left_out
        return other


def _slot(slot: Slot, twin: Callable[[Clock], Clock]) -> Slot:
    """Return what is kept of a goroutine, with the twins of its clocks."""
    found = Slot(slot.frame, slot.plan)
    found.keys, found.action = slot.keys, slot.action
    found.go = None if slot.go is None else twin(slot.go)
    found.late = None if slot.late is None else twin(slot.late)
    return found
