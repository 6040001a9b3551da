"""One world and a way through it, step by step: actions in any order, faults, and people who come and do something.

Time is not counted: a timer may ring whenever nothing else is asked for, a limit of two minutes before a sleep of a
second. So a walk comes to more worlds than a timed run, never to fewer. Every few steps it is checked that no goroutine
has become ready, or stopped to be, by what its op does not say that it reads: a timed run would not ask it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from random import Random
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from msgspec.structs import replace

from sim.drive.explore import is_timer
from sim.engine.containers import is_unit
from sim.engine.ops import Every, Join, Op, Sleep
from sim.engine.setup import (
    Command,
    Docker,
    FillDisk,
    Instant,
    Journald,
    Microseconds,
    OutOfMemory,
    Setup,
    Step,
    Systemctl,
)
from sim.engines.host import storage
from sim.facts import Fid, StepTaken
from sim.faults import FAULTS, Fault, faults_of
from sim.kernel import syscalls
from sim.kernel.events import Forked
from sim.kernel.records import OUTSIDE
from sim.model import OPENED, Action, Go, Late, Open, act, enabled, initial, may_open, terminal
from sim.predicates import believed, programs
from sim.properties import Property, watchers
from sim.testing.commands import commands
from sim.testing.setups import setups
from sim.world import Frame, Key, Turn, World, touches

OPEN_WITHIN = 50_000
FOREVER = 10**12
CHECKED = 5  # steps between two looks at what goroutines read
BOOT = 4  # timers of a boot
QUIET_WITHIN = 5_000  # prompt actions until a host with a few containers has nothing left to do at once

# What steps there are says what a host keeps account of from its start: memory, journald. These never come.
_NEVER = Instant("step", "(never)")
MAY_COME = (Step("(memory)", _NEVER, OutOfMemory()), Step("(journald)", _NEVER, Journald("start")))


def op_at(world: World, frame: Frame) -> Op:
    """Return the op that a goroutine stands at."""
    op: Op = world.design.procedures[frame.procedure].ops[frame.op]
    return op


def length(world: World, action: Action) -> Microseconds:
    """Return how long a timer runs, in µs, whenever it has begun; people come when all else has settled."""
    if isinstance(action, Open):
        return FOREVER
    assert isinstance(action, Go | Late)
    frame = world.frames[action.fid]
    op = op_at(world, frame)
    if isinstance(action, Late):
        return op.within(world, frame) if callable(op.within) else op.within or 0
    return op.nominal(world, frame) if isinstance(op, Sleep) else op.period if isinstance(op, Every) else 0


class NotingTurn(Turn):
    """A turn that notes what its events touch."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.touched: set[Key] = set()

    def emit(self, event: Any) -> None:
        """Apply *event*, and note what it touches: also a number that is given out again."""
        self.touched.update(touches(self.world, event))
        if isinstance(event, Forked):  # who waits for the dead bearer of the number takes this one for it
            self.touched.add(("proc", event.pid))
        super().emit(event)


class Walk:
    """A world and what has been done to it: *log* holds actions and commands, so that a failure can be told.

    *laws* are those whose history is to be kept. With *opened* the host is first let settle until people may come.

    >>> from sim.engine.setup import Docker, Payload, Service
    >>> web = Service("web", "0" * 64, "nginx", "nginx", (), Payload("nginx", ("nginx",)))
    >>> walk = Walk(Setup((web,)), opened=True)
    >>> walk.do(Docker("kill", "web"))
    >>> walk.settle(seed=1)
    >>> [process.image.program for process in walk.world.host.procs.values()]
    ['init', 'journald', 'dockerd', 'containerd']
    """

    def __init__(self, setup: Setup, laws: tuple[Property, ...] = (), *, opened: bool = False) -> None:
        self.world = (_opened if opened else _begun)(setup, laws).copy()
        self.log: list[Any] = []
        self._asked, self._touched, self._turns = self._ask(), set[Key](), 0

    # -- what may happen ------------------------------------------------------------------------------------

    def prompt(self) -> list[Action]:
        """Return the enabled actions that take no time of their own."""
        return [action for action in enabled(self.world) if not is_timer(self.world, action)]

    def timers(self) -> list[Action]:
        """Return the enabled actions that only time brings, sleeps, ticks and limits: the shortest first."""
        actions = [action for action in enabled(self.world) if is_timer(self.world, action)]
        return sorted(actions, key=lambda action: length(self.world, action))

    def faults(self, kind: str) -> list[Fault]:
        """Return the faults of a kind that may befall a process now."""
        return [fault for pid in sorted(self.world.host.procs) for fault in faults_of(self.world, pid, (kind,))]

    # -- what happens then ----------------------------------------------------------------------------------

    def act(self, action: Action) -> None:
        """Take an action."""
        self.log.append(action)
        with self._turn() as turn:
            act(turn, action)

    def go(self, count: int, seed: int) -> None:
        """Take up to so many prompt actions, drawn."""
        dice = Random(seed)
        for _ in range(count):
            actions = self.prompt()
            if not actions:
                return
            self.act(dice.choice(actions))

    def settle(self, seed: int) -> None:
        """Take prompt actions until there are none, what stood still first. Raises AssertionError if it goes on."""
        for fault in self.faults("resume"):
            self.act(fault)
        for pid, process in list(self.world.host.procs.items()):
            if "STOP" in process.pending:
                with self._turn() as turn:
                    syscalls.kill(turn, pid, "CONT")
        self.go(QUIET_WITHIN, seed)
        assert not self.prompt(), f"still busy after {QUIET_WITHIN} prompt actions: {self.prompt()[:5]}"

    def wait(self, rounds: int, seed: int) -> None:
        """Let all settle, so many times, and the shortest timer but limits ring in between."""
        for number in range(rounds):
            self.settle(seed + number)
            rings = [action for action in self.timers() if not isinstance(action, Late | Open)]
            if not rings:
                break
            self.act(rings[0])
        self.settle(seed)

    def mend(self, seed: int) -> None:
        """Let people come, and somebody make room, start docker and each container that does not run."""
        self.wait(BOOT, seed)
        if may_open(self.world):
            self.act(Open())
        if storage.full(self.world):
            self.do(FillDisk(False))
        if self.world.design.traits.socket not in self.world.host.listeners:
            for step in self.world.design.engine.start:
                self.do(step.command)
                self.wait(BOOT, seed)
        for name in self.world.services:
            if not programs(self.world, name) and is_unit(self.world, self.world.services[name]):
                self.do(Systemctl("start", name))
            elif not programs(self.world, name):
                self.do(Docker("start" if believed(self.world, name) else "run", name))
        self.wait(1, seed)

    def let_time_pass(self, number: int) -> None:
        """Let one of the timers ring; *number* says which, 0 the shortest."""
        actions = self.timers()
        if actions:
            self.act(actions[number % len(actions)])

    def let_limit_pass(self, number: int) -> None:
        """Let somebody be too late: a limit pass while it waits; *number* says which, 0 the shortest."""
        actions = [action for action in self.timers() if isinstance(action, Late)]
        if actions:
            self.act(actions[number % len(actions)])

    def befall(self, kind: str, number: int) -> None:
        """Let a fault happen to one of the processes; *number* says which."""
        assert kind in FAULTS, f"{kind!r} is no fault; there are {', '.join(FAULTS)}"
        faults = self.faults(kind)
        if faults:
            self.act(faults[number % len(faults)])

    def do(self, command: Command) -> None:
        """Let somebody give a command at once, at a terminal of its own; nobody comes before t = 0."""
        world = self.world
        if not world.marks.get(OPENED):
            return
        number = len(world.setup.terminals)
        step = Step(f"s{number}", Instant(), command)
        world.setup = replace(world.setup, terminals=(*world.setup.terminals, (step,)))
        self.log.append(command)
        fid = (OUTSIDE, f"terminal/{number}")
        with self._turn() as turn:
            terminal(turn, number)
            while StepTaken(step.id) not in turn.events:
                act(turn, Go(fid))

    @contextmanager
    def _turn(self) -> Iterator[NotingTurn]:
        turn = NotingTurn(self.world)
        yield turn
        self._touched |= turn.touched
        self._turns += 1
        if self._turns % CHECKED == 0:
            self._check_reads()

    def _check_reads(self) -> None:
        now = self._ask()
        for fid, (frame, keys, ready) in now.items():
            before = self._asked.get(fid)
            if before is None or before[0] is not frame or not self._touched.isdisjoint(before[1]):
                continue
            op = op_at(self.world, frame)
            if not isinstance(op, Join):  # a goroutine's name is free once it has returned: another may bear it already
                assert before[1:] == (keys, ready), f"{op.name} of {frame.procedure} does not say all that it reads"
        self._asked, self._touched = now, set()

    def _ask(self) -> dict[Fid, tuple[Frame, frozenset[Key], bool]]:
        asked = {}
        for fid, frame in self.world.frames.items():
            op = op_at(self.world, frame)
            ready = op.idle(self.world, frame) if isinstance(op, Every) else op.ready(self.world, frame)
            asked[fid] = frame, frozenset(op.reads(self.world, frame)), bool(ready)
        return asked


SEEDS = st.integers(0, 999)
MOVES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "go": (st.sampled_from((1, 5, 20, 80, 300)), SEEDS),
    "mend": (SEEDS,),
    "let_time_pass": (st.sampled_from((0, 0, 0, 1, 2, 3, 5, 8)),),
    "let_limit_pass": (st.integers(0, 3),),
    "befall": (st.sampled_from(sorted(FAULTS)), st.integers(0, 99)),
}
"""What a walk may do beside commands: the method and what it is given."""


@st.composite
def worlds(draw: st.DrawFn, hosts: st.SearchStrategy[Setup] | None = None, most: int = 8) -> World:
    """Draw a world to which a host comes by so many moves at most: steps, timers, faults, commands."""
    walk = Walk(draw(setups() if hosts is None else hosts), opened=draw(st.booleans()))
    deeds = commands(walk.world.setup.services, design=walk.world.setup.engine.design)
    for word in draw(st.lists(st.sampled_from((*MOVES, "do")), max_size=most)):
        given = (deeds,) if word == "do" else MOVES[word]
        getattr(walk, word)(*(draw(strategy) for strategy in given))
    note(f"the way to this world: {walk.log}")
    return walk.world


def _begun(setup: Setup, laws: tuple[Property, ...]) -> World:
    world, _ = initial(replace(setup, terminals=(*setup.terminals, MAY_COME)))
    world.watch = watchers(laws, world.watch)
    return world


@lru_cache(64)
def _opened(setup: Setup, laws: tuple[Property, ...]) -> World:
    """Return a world soon after t = 0, the way there in one fixed order: it is made once a setup."""
    world = _begun(setup, laws)
    for _ in range(OPEN_WITHIN):
        actions = enabled(world)
        prompt = [action for action in actions if not is_timer(world, action)]
        rings = [action for action in actions if not isinstance(action, Late)]
        opened = bool(world.marks.get(OPENED))
        if opened and not prompt:
            return world
        act(Turn(world), Open() if not opened and may_open(world) else next(iter(prompt or rings or actions)))
    raise AssertionError(f"the host does not come to rest after t = 0 within {OPEN_WITHIN} actions")
