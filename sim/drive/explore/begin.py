"""Where an exploration begins: the state that a world of the plain kind is, and the way between the two.

The plain model numbers processes by a counter, explored worlds name them. Both run the same functions, so taking the
same action in both, step by step, gives the names of all processes: the n-th fork of a step in one is the n-th in the
other. Source: ARCHITECTURE.md, "Numbers are names".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from sim.drive.explore.learn import Learner
from sim.drive.explore.space import State, ordered
from sim.drive.explore.tape import CELLS_OF_HOST, CELLS_OF_WORLD, LINES_OF_HOST, OWNED_BY_PROCESS
from sim.engine.setup import Pins, Setup
from sim.faults import Fault
from sim.kernel.events import Forked
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.model import Action, Deliver, Go, Late, initial, step
from sim.world import World


def unpinned(setup: Setup) -> Setup:
    """Return the setup without numbers that were observed: an exploration holds for any."""
    services = tuple(replace(s, pins=Pins(address=s.pins.address)) for s in setup.services)
    return replace(setup, services=services, host=replace(setup.host, next_pid=None, processes=()))


class Lockstep:
    """A plain world and a state that take the same actions; *plain* holds the number of each name."""

    def __init__(self, learner: Learner, setup: Setup) -> None:
        self.learner = learner
        self.world, _ = initial(setup)
        self.names: dict[Pid, Pid] = {pid: pid for pid in (OUTSIDE, *self.world.host.procs)}  # plain number -> name
        self.numbers: dict[Pid, Pid] = dict(self.names)
        self.state = state_of(learner, self.world)
        self.box: dict[int, tuple[int, int]] = {}

    def take(self, action: Action) -> None:
        """Take an action, given with plain numbers."""
        named = renamed(action, self.names)
        tape, there = self.learner.taped_step(named, self.state)
        leaf = self.learner.leaf_of(tape)
        here = step(self.world, action)
        forks = ([e.pid for e in events if isinstance(e, Forked)] for events in (here, there))
        for number, name in zip(*forks, strict=True):
            self.names[number], self.numbers[name] = name, number
        leaf.write(self.state, self.learner.space.owned)
        for timer, interval in leaf.timers:
            self.box.pop(timer, None)
            if interval is not None:
                self.box[timer] = 0, interval[1]  # how long ago it began is not known
        self.box = {timer: left for timer, left in self.box.items() if self.learner.space.frame_of(timer) in self.state}

    def named(self, action: Action) -> Action:
        """Return an action with names, given with plain numbers."""
        return renamed(action, self.names)

    def plain(self, action: Action) -> Action:
        """Return an action with plain numbers, given with names."""
        return renamed(action, self.numbers)


def renamed(action: Action, names: dict[Pid, Pid]) -> Action:
    """Return an action with other numbers for processes."""
    if isinstance(action, (Go, Late)):
        return type(action)((names[action.fid[0]], action.fid[1]))
    if isinstance(action, Deliver):
        return Deliver(names[action.pid], action.signal)
    return Fault(action.kind, names[action.pid]) if isinstance(action, Fault) else action


def state_of(learner: Learner, world: World) -> State:
    """Return the state of a world in which nobody has forked: the host's first processes are called by their numbers.

    These are init and, where the host has one, its subreaper.
    """
    assert all(process.ppid in (OUTSIDE, INIT) for process in world.host.procs.values()), "only a first world is named"
    cells: list[tuple[str, Any, Any]] = []
    host: Any = world.host
    for name in CELLS_OF_HOST:
        cells += [(name, key, replace(v, order=0) if name == "procs" else v) for key, v in getattr(host, name).items()]
    cells += [(name, key, tuple(line)) for name in LINES_OF_HOST for key, line in getattr(host, name).items()]
    for name in CELLS_OF_WORLD:
        cells += [(name, key, value) for key, value in getattr(world, name).items()]
    for name in OWNED_BY_PROCESS:
        cells += [(name, (pid, key), v) for pid, part in getattr(world, name).items() for key, v in part.items()]
    cells += [(name, "", tuple(line)) for name, line in (("rules", host.rules), ("reserved", host.reserved)) if line]
    return dict(_numbers(learner, cells))


def _numbers(learner: Learner, cells: list[tuple[str, Any, Any]]) -> Iterable[tuple[int, int]]:
    for table, key, value in cells:
        number = learner.normal(table, key, ordered(table, value))
        if number is not None:
            yield learner.space.slot(table, key), number
