"""Every local step once: what an action does, and what a goroutine may do next, kept as trees of what was read.

Steps are pure, so what a step does follows from the cells that it reads. The first time the model runs on a tape; what
it read and wrote becomes a branch of the action's tree: at each fork a cell, at the end the cells to write and the bits
by which the digest changes. In any other state that agrees in those cells the branch is followed, which takes a
microsecond instead of the model's hundreds. Nothing is declared and nothing is guessed: a cell with a new value is a
new branch, and is taped. (Known as caching of short transitions with PINS in LTSmin; there the cells that a transition
group reads are declared, here they are found.)

What may happen is kept by subject: a goroutine, a process (its signals and faults), a property. A leaf knows which
subjects have ever read what it writes: only those are asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from sim.drive.explore.clocks import Change, WaitBounds, clock_of, waits
from sim.drive.explore.confluent import ONLY_WHERE, confluent
from sim.drive.explore.normal import Liveness, most, raises
from sim.drive.explore.space import Space, State
from sim.drive.explore.tape import ABSENT, CELL, FRESH, KIND, LIST, Read, Tape, TapedWorld, cells, processes
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Every
from sim.engines.host.client import Await
from sim.facts import Fid
from sim.faults import FAULTS, Fault, allowed, faults_of
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.latency import profile_of
from sim.model import Action, Deliver, Go, Late, act, alternatives, asleep
from sim.world import Turn, World


class ReadFork:
    """A fork: what is read, and the branch for each answer."""

    __slots__ = ("asks", "branches", "what")

    def __init__(self, asks: int, what: Any) -> None:
        self.asks, self.what = asks, what
        self.branches: dict[Any, Any] = {}


class Leaf:
    """What a step does: cells with their new values (None: empty), the change of the digest, and what is beside it.

    *erased* are processes all of whose own cells are emptied; *timers* are those that begin or end; *stirred* are the
    cells and tables that others may have read.
    """

    __slots__ = ("asked", "asked_at", "delta", "erased", "stirred", "timers", "writes")

    def __init__(
        self, writes: tuple[tuple[int, int | None], ...], delta: int, erased: tuple[Pid, ...],
        timers: Change, stirred: frozenset[Any],
    ) -> None:  # fmt: skip
        self.writes, self.delta, self.erased, self.timers, self.stirred = writes, delta, erased, timers, stirred
        self.asked: tuple[int, ...] = ()
        self.asked_at = -1

    def write(self, state: State, owned: dict[Pid, list[int]]) -> None:
        """Change a state to what it is after the step."""
        for slot, value in self.writes:
            if value is None:
                state.pop(slot, None)
            else:
                state[slot] = value
        for pid in self.erased:
            for slot in owned.get(pid, ()):
                state.pop(slot, None)


class Move:
    """An action with the tree of what it does."""

    __slots__ = ("action", "costs", "number", "root")

    def __init__(self, action: Action, number: int) -> None:
        self.action, self.number = action, number
        self.costs = isinstance(action, Fault) and not FAULTS[action.kind].free
        self.root: ReadFork | Leaf | None = None


class Timer:
    """A move that passes with time alone; *slot* names it in boxes."""

    __slots__ = ("move", "slot")

    def __init__(self, move: Move, slot: int) -> None:
        self.move, self.slot = move, slot


class Readiness:
    """What a subject may do: at once, with time, or whenever it likes; or that it is a property that does not hold.

    *first* is the one thing that it does at once if that may be taken before everything else (confluent.py).
    """

    __slots__ = ("anytime", "at_once", "broken", "first", "timers")

    def __init__(
        self, at_once: Any = (), timers: Any = (), anytime: Any = (), *, broken: bool = False, first: bool = False
    ) -> None:
        self.at_once: tuple[Move, ...] = tuple(at_once)
        self.timers: tuple[Timer, ...] = tuple(timers)
        self.anytime: tuple[Move, ...] = tuple(anytime)
        self.broken = broken
        self.first = self.at_once[0] if first and self.at_once else None

    def __bool__(self) -> bool:
        return bool(self.at_once or self.timers or self.anytime or self.broken)


NOTHING = Readiness()


def cell_of(read: Read) -> Any:
    """Return what a read depends on, in the words in which leaves say what they stir."""
    kind, what, _ = read
    return what if kind == CELL else (kind, what[0] if kind == KIND else what)


Check = Callable[[World], bool]
Note = Callable[[World, Action, list[Any]], set[tuple[str, str]]]  # what a step exercised, given the world before it
PROPERTY = "property"  # the table of subjects that are no cells of the world


class Learner:
    """The trees of one exploration. *like* is a world of the same setup; *timed* keeps how long timers have to run.

    *note* says of each taped step what it exercised, which is kept in *exercised*.
    """

    def __init__(
        self, space: Space, like: World, *, timed: bool, checks: Iterable[tuple[str, Check]] = (), reduce: bool = False,
        note: Note | None = None,
    ) -> None:  # fmt: skip
        self.space, self.like, self.timed = space, like, timed
        self.checks = dict(checks)
        self.first: frozenset[str] = confluent(like.design) | ONLY_WHERE.keys() if reduce else frozenset()
        self.written: dict[str, set[Any]] = {}
        self.read_for_marks: set[Any] = set()
        self.tickers: dict[int, int] = {}  # timer -> period, ms
        self.liveness = Liveness(like.design)
        self.unread = self.liveness.unread
        self.defaults = self.unread.defaults
        self.most = most(like.setup)
        self.profile = profile_of(like.setup.engine)
        self.moves: dict[Action, Move] = {}
        self.by_number: list[Move] = []
        self.readers: dict[Any, set[int]] = {}
        self.version = 0
        self.note = note
        self.exercised: set[tuple[str, str]] = set()
        self.taped = 0
        self._status: dict[int, ReadFork | Readiness] = {}
        self.check_slots = {space.slot(PROPERTY, name): name for name in self.checks}

    def looked_at(self) -> set[Any]:
        """Return what a property or a moment has read."""
        read = {cell for cell, subjects in self.readers.items() if not subjects.isdisjoint(self.check_slots)}
        read.update(self.space.listings.get(("marks", None), ()), self.read_for_marks if self.checks else ())
        return read

    def seen(self, read: Collection[Any]) -> frozenset[str]:
        """Return the confluent ops that write what was read: they may not be taken first."""
        return frozenset(op for op in self.first if not self.written.get(op, set()).isdisjoint(read))

    def take_first(self, ops: frozenset[str]) -> None:
        """Set which ops are taken before everything else."""
        self.first = ops
        self._status.clear()

    def move(self, action: Action) -> Move:
        """Return the move of an action."""
        move = self.moves.get(action)
        if move is None:
            move = self.moves[action] = Move(action, len(self.by_number))
            self.by_number.append(move)
        return move

    # -- following ------------------------------------------------------------------------------------

    def leaf(self, move: Move, state: State) -> Leaf:
        """Return what a move does in a state."""
        node: Any = move.root
        get = state.get
        while type(node) is ReadFork:
            node = node.branches.get(get(node.what) if node.asks == CELL else self._answer(node, state))
        return self._tape_step(move, state) if node is None else node

    def status(self, subject: int, state: State) -> Readiness:
        """Return what a subject may do in a state."""
        node: Any = self._status.get(subject)
        get = state.get
        while type(node) is ReadFork:
            node = node.branches.get(get(node.what) if node.asks == CELL else self._answer(node, state))
        return self._tape_status(subject, state) if node is None else node

    def _answer(self, node: ReadFork, state: State) -> Any:
        if node.asks == FRESH:
            return self.space.unmentioned(state, *node.what)
        return (cells if node.asks == LIST else processes)(self.space, state, node.what)

    def ask_again(self, leaf: Leaf) -> tuple[int, ...]:
        """Return the subjects whose status a leaf may change."""
        if leaf.asked_at != self.version:
            readers = self.readers
            found = {subject for cell in leaf.stirred for subject in readers.get(cell, ())}
            slots, owned = self.space.slots, self.space.owned
            found.update(s for pid in leaf.erased for cell in owned.get(pid, ()) for s in readers.get(cell, ()))
            found.update(cell for cell in leaf.stirred if type(cell) is int and slots[cell][0] in ("frames", "procs"))
            leaf.asked, leaf.asked_at = tuple(sorted(found)), self.version
        return leaf.asked

    # -- taping a step --------------------------------------------------------------------------------

    def _tape_step(self, move: Move, state: State) -> Leaf:
        tape, _ = self.taped_step(move.action, state)
        leaf = self.leaf_of(tape)
        self._note_written(move.action, state, leaf)
        move.root = self._grow(move.root, tape.reads, leaf)
        return leaf

    def taped_step(self, action: Action, state: State) -> tuple[Tape, list[Any]]:
        """Run the model on a tape; return the tape and the events. Raises ModelFault with the op that fails."""
        self.taped += 1
        tape = Tape(self.space, state)
        world = TapedWorld(self.like, tape)
        turn = Turn(world)
        try:
            act(turn, action)
        except MemoryError:
            raise
        except Exception as fault:
            raise ModelFault(f"{self._op_of(action, state)}: {type(fault).__name__}: {fault}") from fault
        if self.note is not None:
            self.exercised |= self.note(TapedWorld(self.like, Tape(self.space, state)), action, turn.events)
        if raises(self.unread, turn.events):
            self.unread.lower(world)
        return tape, turn.events

    def leaf_of(self, tape: Tape) -> Leaf:
        """Return what a taped step does."""
        space, world = self.space, TapedWorld(self.like, tape)
        timers = tuple(self._timers(world, tape)) if self.timed else ()
        writes, delta, stirred = [], 0, set[Any]()
        for slot, content in sorted(tape.new.items()):
            table, key = space.slots[slot]
            number = self.normal(table, key, content)
            before = tape.state.get(slot) if slot in tape.seen else None
            if number == before:
                continue
            writes.append((slot, number))
            if before is not None:
                delta ^= space.token(slot, before)
            if number is not None:
                delta ^= space.token(slot, number)
            stirred.update(self._stirs(slot, table, key, before, number))
        for pid in tape.erased:
            stirred.update(((LIST, ("frames", None)), (LIST, ("frames", pid))))
        if any(space.slots[slot][0] == "marks" for slot, _ in writes):
            self.read_for_marks.update(cell_of(read) for read in tape.reads)
        return Leaf(tuple(writes), delta, tuple(sorted(tape.erased)), timers, frozenset(stirred))

    def normal(self, table: str, key: Any, content: Any) -> int | None:
        """Return the number of what a cell holds in its normal form, None if that is nothing."""
        if content is ABSENT:
            return None
        if table == "frames":
            content = self.liveness.live(content)
        elif table == "memory" and key[1] in self.defaults and content == self.defaults[key[1]]:
            return None
        elif table == "marks" and key in self.most:
            content = min(content, self.most[key])
        return self.space.value(table, content)

    def _stirs(self, slot: int, table: str, key: Any, before: int | None, number: int | None) -> Iterable[Any]:
        """Name the cell and, where it begins or ends, what asks for a table as a whole."""
        yield slot
        if before is None or number is None:
            yield (LIST, (table, None))
            if type(key) is tuple:
                yield (LIST, (table, key[0]))
        if table == "procs":
            for value in (before, number):
                if value is not None:
                    yield (KIND, self.space.values[value].image.program)

    def _timers(self, world: World, tape: Tape) -> Iterable[tuple[int, tuple[int, int] | None]]:
        """Yield the time limits that begin or end since goroutines came to other ops; stopped processes lose track."""
        space = self.space
        for slot in [slot for slot in tape.new if space.slots[slot][0] == "frames"]:
            fid: Fid = space.slots[slot][1]
            frame, before = tape.new[slot], tape.seen.get(slot, ABSENT)
            if frame is not ABSENT and before is not ABSENT and frame.op == before.op:
                continue
            yield from self._ticks(world, fid, frame, before)
            clock = None if frame is ABSENT else clock_of(world, frame, self.profile)
            if clock is not None and not clock.ticker:
                yield space.slot("timers", fid), (clock.low, clock.high)
            elif before is not ABSENT and waits(world, before):
                yield space.slot("timers", fid), None

    def _ticks(self, world: World, fid: Fid, frame: Any, before: Any) -> Iterable[tuple[int, tuple[int, int] | None]]:
        """Yield the ticker that begins with a goroutine, or anew with each tick, or ends with the goroutine."""
        told = [clock_of(world, it, self.profile) for it in (before, frame) if it is not ABSENT]
        ticker = next((clock for clock in told if clock is not None and clock.ticker), None)
        slot = self.space.slot("ticks", fid) if ticker is not None or frame is ABSENT else 0
        if frame is ABSENT:
            if slot in self.tickers:
                yield slot, None
        elif ticker is not None and (before is ABSENT or told[0] is ticker):
            self.tickers[slot] = ticker.high
            yield slot, (ticker.low, ticker.high)

    def _note_written(self, action: Action, state: State, leaf: Leaf) -> None:
        if isinstance(action, Go):
            self.written.setdefault(self._op_of(action, state), set()).update(leaf.stirred)

    def _op_of(self, action: Action, state: State) -> str:
        """Return `procedure:op` of what a goroutine does, else the action as it is written."""
        if not isinstance(action, (Go, Late)):
            return str(action)
        frame = self.space.values[state[self.space.slot("frames", action.fid)]]
        return f"{frame.procedure}:{self.liveness.names[frame.procedure][frame.op]}"

    def _grow(self, root: ReadFork | Leaf | None, reads: list[Read], end: Any) -> Any:
        """Add a branch to a tree and return its root."""
        if not reads:
            return end
        top = node = root if isinstance(root, ReadFork) else ReadFork(reads[0][0], reads[0][1])
        for (kind, what, answer), following in zip(reads, [*reads[1:], None], strict=True):
            assert (node.asks, node.what) == (kind, what), "a step read other cells than before: it is not pure"
            if following is None:
                node.branches[answer] = end
            else:
                node = node.branches.setdefault(answer, ReadFork(following[0], following[1]))
        return top

    # -- taping a status ------------------------------------------------------------------------------

    def _tape_status(self, subject: int, state: State) -> Readiness:
        self.taped += 1
        tape = Tape(self.space, state)
        world = TapedWorld(self.like, tape)
        table, key = self.space.slots[subject]
        if table == "frames":
            status = self._of_frame(world, key)
        elif table == "procs":
            status = self._of_process(world, key)
        else:
            status = Readiness(broken=not self.checks[self.check_slots[subject]](world))
        status = status or NOTHING
        for cell in map(cell_of, tape.reads):
            readers = self.readers.setdefault(cell, set())
            if subject not in readers:
                readers.add(subject)
                self.version += 1
        self._status[subject] = self._grow(self._status.get(subject), tape.reads, status)  # type: ignore[arg-type]
        return status

    def _of_frame(self, world: World, fid: Fid) -> Readiness:
        frame = world.frames.get(fid)
        if frame is None:
            return NOTHING
        op = world.design.procedures[frame.procedure].ops[frame.op]
        moves = [self.move(action) for action in alternatives(world, frame)]
        if isinstance(op, Await):
            return Readiness(anytime=moves)
        if isinstance(op, Every) and asleep(world, frame):
            return NOTHING
        clock = clock_of(world, frame, self.profile)
        late = [move for move in moves if clock is not None and (op.timer or isinstance(move.action, Late))]
        at_once = [move for move in moves if move not in late]
        name = f"{frame.procedure}:{op.name}"
        first = name in self.first and len(at_once) == 1 and (name not in ONLY_WHERE or ONLY_WHERE[name](world, frame))
        return Readiness(at_once, [self._timer(move, fid, clock) for move in late], first=first)

    def _timer(self, move: Move, fid: Fid, clock: WaitBounds | None) -> Timer:
        assert clock is not None
        return Timer(move, self.space.slot("ticks" if clock.ticker else "timers", fid))

    def _of_process(self, world: World, pid: Pid) -> Readiness:
        if pid not in world.host.procs:
            return NOTHING
        signals = [Deliver(pid, signal) for signal in syscalls.deliverable(world.host, pid)]
        faults: list[Fault] = faults_of(world, pid, allowed(world)) if world.setup.faults.total else []
        return Readiness(map(self.move, signals), (), map(self.move, faults))

    def subjects(self, state: State) -> list[int]:
        """Return every subject of a state."""
        active = self.space.active
        return [*(slot for slot in state if slot in active), *self.check_slots]
