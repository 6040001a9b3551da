"""An exploration: what is asked, within which limits, and what was found.

What comes before the start is done in one fixed order (paths.py), so what is proved holds for what follows that order.
Reaching a limit is a verdict of its own. Ops that are confluent are taken first, but for those that write what a
property, a step or a fault waits for: a first look at some thousand states finds which these are, and where the whole
search finds more it begins again without them. Source: ARCHITECTURE.md, "Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import msgspec

from sim.drive.explore import workers
from sim.drive.explore.begin import Lockstep, unpinned
from sim.drive.explore.learn import Learner, Move, Note
from sim.drive.explore.paths import Path, begin
from sim.drive.explore.search import Part
from sim.drive.explore.space import Space
from sim.drive.explore.symmetry import swaps_of
from sim.drive.explore.walker import Here, Walker
from sim.drive.explore.watch import COMPLETE, Limits, Progress, SearchLimits, words_of
from sim.engine.goroutine import ModelFault
from sim.engine.setup import Setup
from sim.model import Action, blank
from sim.world import World

FIRST_LOOK = 3_000  # states
EACH = 2_000  # states from one look at the clock to the next

Check = Callable[[World], bool]


class Goal(msgspec.Struct, frozen=True):
    """What a search looks for. *kind* is always, sometimes or eventually; *holds* is asked of every state.

    *alike* says that it asks the same of all containers: only then may they be exchanged.
    """

    name: str
    kind: str
    holds: Check
    watch: tuple[tuple[type, Any], ...] = ()
    alike: bool = False


class Mode(msgspec.Struct, frozen=True):
    """How a search goes. *start* is `open` (the terminals begin) or the id of a step that begins.

    *untimed* lets timers ring at any time; *reduce* takes confluent ops first; *exact* keeps states apart that differ
    in what is left of their timers alone, and containers that are alike; *first* ends with the first state that shows
    something of a property.
    """

    start: str = "open"
    untimed: bool = False
    reduce: bool = True
    exact: bool = False
    first: bool = False


class Course(msgspec.Struct, frozen=True):
    """How a search went; *peak* is its largest layer, *cycles* are of the properties that should hold eventually.

    *fault* is what ended it, if the model failed.
    """

    verdict: str
    depth: int
    peak: int
    seconds: float
    cycles: dict[str, int]
    fault: Exception | None = None


class Exploration:
    """What was found. States are numbers; *ends* are those after which nothing happens, but for faults.

    *verdict* is COMPLETE or UNDETERMINED (limit, or a fault in the model). *shown* holds for each property the state in
    which it first did not hold (`always`), or did (`sometimes`); of one that should hold eventually: an end in which it
    does not, and with *cycles* a state from which a run can go round for ever without it.
    """

    def __init__(self, base: Base, reports: list[workers.PartReport], course: Course) -> None:
        self.base, self.reports = base, reports
        self.verdict, self.depth, self.peak = course.verdict, course.depth, course.peak
        self.seconds, self.cycles, self.fault = course.seconds, course.cycles, course.fault
        parts = len(reports)
        self.states = sum(len(report.before) for report in reports)
        self.transitions = sum(report.transitions for report in reports)
        self.steps = sum(report.work + report.ahead for report in reports)
        self.taped = sum(report.taped for report in reports)
        self.ends = sorted(end * parts + part for part, report in enumerate(reports) for end in report.ends)
        self.exercised = frozenset[tuple[str, str]]().union(*(report.exercised for report in reports))
        self.shown = base.shown(reports)

    @property
    def complete(self) -> bool:
        """Say whether every state within the bound was met."""
        return self.verdict == COMPLETE

    def path_to(self, state: int) -> Path:
        """Return a shortest way from the first world to a state, with plain numbers of processes."""
        parts = len(self.reports)
        way: list[tuple[Action, int | None]] = []
        while True:
            report, number = self.reports[state % parts], state // parts
            before, move = report.before[number], report.moves[number]
            if before == state:
                break
            way.append((self.reports[before % parts].actions[move], report.keys[number] if report.keys else None))
            state = before
        return self.base.retrace(way[::-1])


class SearchFault(ModelFault):
    """The model failed during a search; *found* is what had been found by then."""

    def __init__(self, fault: Exception, found: Exploration) -> None:
        super().__init__(words_of(fault))
        self.found = found


class Base:
    """What all parts of a search share: the setup, the way to the first state, the learner with what it has learned."""

    def __init__(self, setup: Setup, asked: Iterable[Goal], mode: Mode, note: Note | None = None) -> None:
        self.setup, self.mode = unpinned(setup), mode
        self.asked = {question.name: question for question in asked}
        _, self.prologue = begin(self.setup, mode.start)
        alike = all(question.alike for question in self.asked.values()) and not mode.exact
        space = Space(swaps_of(self.setup) if alike else ())
        checks = [(q.name, _broken_where(q)) for q in self.asked.values()]
        reduce = mode.reduce and not mode.untimed
        self.learner = Learner(
            space, self.watched(), timed=not mode.untimed, checks=checks, reduce=reduce, note=note
        )  # fmt: skip
        self.walker = Walker(self.learner, untimed=mode.untimed, exact=mode.exact)
        lock = self.lockstep()
        self._box = self.walker.boxes.number(tuple(sorted((timer, *left) for timer, left in lock.box.items())))
        self._state = lock.state

    def watched(self) -> World:
        """Return a first world in which the properties keep their marks."""
        world = blank(self.setup)
        for question in self.asked.values():
            for kind, watcher in question.watch:
                if watcher not in world.watch.get(kind, ()):
                    world.watch[kind] = (*world.watch.get(kind, ()), watcher)
        return world

    def lockstep(self) -> Lockstep:
        """Return a plain world and its state after the prologue."""
        lock = Lockstep(self.learner, self.setup)
        for action in self.prologue.actions:
            lock.take(action)
        return lock

    def root(self) -> Here:
        """Return the first state."""
        return self.walker.root(self._state, self._box)

    def shown(self, reports: list[workers.PartReport]) -> dict[str, int]:
        """Return for each property the first state that shows something of it."""
        parts, found = len(reports), dict[str, int]()
        for slot, name in self.learner.check_slots.items():
            where = [r.shown[slot] * parts + part for part, r in enumerate(reports) if slot in r.shown]
            if where:
                found[name] = min(where)
        return found

    def retrace(self, way: Iterable[tuple[Action, int | None]]) -> Path:
        """Return the plain actions of a way that is given by the moves between states that are kept.

        Where containers can be exchanged a move comes with the key of the state to which it leads: the move, or one
        that an exchange makes of it, does so.
        """
        lock, walker = self.lockstep(), self.walker
        actions = list(self.prologue.actions)

        def take(move: Move) -> None:
            actions.append(lock.plain(move.action))
            lock.take(actions[-1])

        walker.taken = take
        try:
            here = self.root()
            for action, key in way:
                move = self._fitting(here, action, key)
                take(move)
                state, digest, acts, box = here
                leaf = self.learner.leaf(move, state)
                here = walker.reach(state, acts, leaf, walker.after(state, digest, leaf, box)[0], box)
        finally:
            walker.taken = None
        return Path(tuple(actions))

    def _fitting(self, here: Here, action: Action, key: int | None) -> Move:
        if key is None:
            return self.learner.move(action)
        state, digest, acts, _ = here
        walker, space = self.walker, self.learner.space
        taken, walker.taken = walker.taken, None
        try:
            for swapped in (action, *(swap(space, action) for swap in space.swaps)):
                move = self.learner.move(swapped)
                if not any(move in (*s.at_once, *s.anytime, *(t.move for t in s.timers)) for s in acts.values()):
                    continue
                leaf = self.learner.leaf(move, state)
                reached = walker.reach(state, acts, leaf, walker.after(state, digest, leaf, 0)[0], 0)
                if walker.place(reached[1], 0)[0] == key:
                    return move
        finally:
            walker.taken = taken
        raise AssertionError(f"no exchange of {action} leads on")


def _broken_where(question: Goal) -> Check:
    if question.kind == "sometimes":
        return lambda world: not question.holds(world)
    return question.holds


# -- the search -------------------------------------------------------------------------------------


def explore(
    setup: Setup,
    *,
    asked: Iterable[Goal] = (),
    limits: Limits | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    note: Note | None = None,
    **mode: Any,
) -> Exploration:
    """Find every state within the limits; *mode* are the fields of `Mode`.

    *asked* are the properties to look for, *jobs* the processes that search: one where something is to hold eventually.
    *note* says of a step what it exercised, for `exercised` of what is found.
    Raises ModelFault where the prologue does not come to the start, and where the model fails: then it is a SearchFault
    with what was found, unless a process of the search has died.
    """
    base = Base(setup, asked, Mode(**mode), note)
    eventually = any(question.kind == "eventually" for question in base.asked.values())
    team = jobs if workers.possible() and not eventually and not base.mode.first else 1
    _look(base)
    while True:
        found = _search(base, limits or Limits(), team, progress)
        if found.fault is not None:
            raise SearchFault(found.fault, found) from found.fault
        if not found.complete or not _goes_on_without_seen(base, found.reports):
            return found


def _look(base: Base) -> None:
    """Find with a few states which confluent ops are seen by a property or a moment, and take them as they come."""
    while True:
        part = Part(base.walker)
        part.begin(base.root())
        try:
            while part.turn() and len(part.found) < FIRST_LOOK:
                for number in part.layer:
                    part.expand(number)
        except MemoryError:
            raise
        except Exception:
            return  # the search comes to the same fault, and keeps what it finds on the way
        if not _goes_on_without_seen(base, [workers.report_of(part)]):
            return


def _goes_on_without_seen(base: Base, reports: list[workers.PartReport]) -> bool:
    """Say whether confluent ops were taken first that somebody sees; from now on they are taken as they come."""
    learner = base.learner
    for report in reports:
        for op, cells in report.written.items():
            learner.written.setdefault(op, set()).update(cells)
    seen = learner.seen(set[Any]().union(*(report.looked_at for report in reports)))
    if seen:
        learner.take_first(learner.first - seen)
    return bool(seen)


def _search(base: Base, limits: Limits, jobs: int, progress: Progress | None) -> Exploration:
    watch = SearchLimits(limits, progress)
    root = base.root()
    liveness = tuple(s for s, name in base.learner.check_slots.items() if base.asked[name].kind == "eventually")
    cycles: dict[str, int] = {}
    if jobs > 1:
        reports = _together(base, root, watch, jobs)
    else:
        part = Part(base.walker, liveness=liveness)
        part.begin(root)
        try:
            _alone(part, watch, first=base.mode.first)
        except MemoryError:
            raise
        except Exception as fault:
            watch.failed(fault)
        reports = [workers.report_of(part)]
        cycles = _goes_round(base, part)
    seconds = monotonic() - watch.began
    return Exploration(base, reports, Course(watch.verdict, watch.depth, watch.peak, seconds, cycles, watch.fault))


def _alone(part: Part, watch: SearchLimits, *, first: bool) -> None:
    """Search with one part, if *first* until something is shown."""
    while part.turn():
        watch.enter(len(part.layer))
        for done, number in enumerate(part.layer):
            part.expand(number)
            if first and part.shown:
                watch.verdict = "UNDETERMINED (ended with the first)"
                return
            if done % EACH == 0:
                watch.tell(len(part.found), len(part.coming), part.work + part.walker.ahead)
                if watch.over(len(part.found), workers.megabytes()):
                    return


def _together(base: Base, root: Here, watch: SearchLimits, jobs: int) -> list[workers.PartReport]:
    """Search with several parts; return what each found."""
    parts = [Part(base.walker, number, jobs) for number in range(jobs)]
    for part in parts:
        part.begin(root)
    with workers.Team(parts, watch.late) as team:
        try:
            _layers(team, watch)
        except workers.WorkerLost:
            raise
        except ModelFault as fault:
            watch.failed(fault)
        return team.reports()


def _layers(team: workers.Team, watch: SearchLimits) -> None:
    while True:
        rounds = team.layer()
        layer, states = sum(r.layer for r in rounds), sum(r.found for r in rounds)
        watch.tell(states, sum(r.coming for r in rounds), sum(r.work for r in rounds))
        if not layer and not any(r.away for r in rounds):
            return
        watch.enter(layer)
        if watch.over(states, max(r.megabytes for r in rounds)):
            return


def _goes_round(base: Base, part: Part) -> dict[str, int]:
    """Return for each property that should hold eventually a state on a cycle of states in which it does not."""
    import networkx

    found = {}
    for slot, edges in part.edges.items():
        graph = networkx.DiGraph(edges)
        loops = [min(c) for c in networkx.strongly_connected_components(graph) if len(c) > 1]
        loops += [number for number, known in edges if number == known]
        if loops:
            found[base.learner.check_slots[slot]] = min(loops)
    return found
