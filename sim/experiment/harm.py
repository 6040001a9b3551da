"""What one act does to a host: who dies, who loses its parent, what becomes of containers, ports, codes and logs.

One run is walked through up to the act; every act is a branch of it (`sim.drive.branch`), which a copy of that walk
watches while it is run (`sim.views.branched`), so that nothing is replayed. What is counted are the processes that
lived when the act came. All is as before once every container that was ready is ready again, no port and no daemon is
away that was there, and nobody stands still who did not. Leaves out what happens after the window. Source:
`sim.views.fates`, `sim.experiment.metrics`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from sim.drive.branch import Kin, Stem, kin
from sim.drive.timed import Timed
from sim.engine.setup import Microseconds, S, Setup
from sim.experiment.metrics import exit_codes_lost, log_at_risk, log_lost
from sim.experiment.reading import Reading
from sim.facts import FrameMoved, LockQueued, LockReleased, LockTaken
from sim.kernel import events as e
from sim.kernel.records import Pid
from sim.trace import Trace
from sim.views import interval_parts as v
from sim.views.blast import CLIENTS, Harm
from sim.views.branched import branched
from sim.views.fate_causes import Trail
from sim.views.fates import AS_BEFORE, KEPT, Fate, fates_of
from sim.views.names import role_of
from sim.views.replaying import Replaying
from sim.views.spells import BACKOFF, HALTED, PAUSED
from sim.views.tally import Tallied, Tally
from sim.world import World

CALM: Microseconds = 10 * S  # so long all is looked at before it is said to stay so
LONGEST = 5  # windows, while something comes back
RUNS, UNDER_WAY, UP = (v.RUNNING, v.STOPPING), (v.BOOTING, v.LEAVING), "up"
INNER = frozenset({LockTaken, LockQueued, LockReleased})  # facts that no walk looks at, but that of output
KEPT_STEMS = 3  # begins that a process keeps: acts come in the order of theirs


class Begin:
    """A run up to the act, and the walk through it: what every act on it has in common."""

    def __init__(self, setup: Setup, seed: int, step: str) -> None:
        self.stem = Stem(setup, seed, step)
        self.reached = self.stem.grow()
        trace = self.stem.trace
        trace.end = self.stem.now
        self.trail, self.output = Trail(trace), Tally(trace)
        self.walk = Replaying(trace, CLIENTS, _Both(self.trail, _Output(self.output))).through()

    def harm(self, setup: Setup, *, explain: bool, whole: bool = False) -> Harm:
        """Run one act and return what it did; *whole* runs go on to the end of the window whatever happens."""
        run = self.stem.branch(setup)
        trail = self.trail.copy(run.trace)
        victims, output = _Victims(run.world), _Output(self.output.copy_of_output(run.trace))
        walk = branched(self.walk, run.trace, run.world, _Both(trail, output, victims))
        since = run.queue.now - run.trace.origin
        run.turn.noting = _eyes(run, walk, trail, follows_output=bool(output.tally.printing))
        until = setup.until
        assert until is not None, "an act has a window"
        _go_on(run, walk, victims, until.offset, whole=whole)
        run.turn.noting = None
        return _measured(run.trace, walk, trail, output.tally, victims, since, explain=explain)


def _eyes(run: Timed, walk: Replaying, trail: Trail, *, follows_output: bool) -> Callable[[Any], None]:
    """Return what looks at each fact of a run before it is applied; what concerns no walk is passed over."""
    turn, origin = run.turn, run.trace.origin

    def look(event: Any) -> None:
        at = turn.now - origin
        kind = type(event)
        inner = kind in INNER or (kind is FrameMoved and not (event.local and "c" in event.local))
        if inner and not follows_output:
            if at > walk.now and (walk.dirty or walk.dirty_ports):
                walk.settle()  # the moment before is over, and what follows must not be taken for it
            return
        trail.seq = turn.seq - 1
        walk.see(at, event)

    return look


def _go_on(run: Timed, walk: Replaying, victims: _Victims, window: Microseconds, *, whole: bool) -> None:
    """Run on to the end of the window; no further once all has been as before for a while, further while it comes back.

    What is as before, with nobody gone or standing still, stays so: the rest of the window is not run.
    """
    began = run.queue.now
    before = _state(walk)
    for end in range(began + CALM, began + window, CALM) if not whole else ():
        run.run(end)
        walk.settle()
        if victims.stands_still(run.world) or not victims.all_there(run.world):
            continue  # somebody may notice later, as a kubelet does that looks after its sandboxes each minute
        if _is_calm(walk, before, end - run.trace.origin):
            return
    for times in range(1, LONGEST + 1):
        run.run(began + times * window)
        walk.settle()
        if not _comes_back(walk, before):
            return


State = dict[str, str]


def _state(walk: Replaying) -> State:
    """Return what is there: each container and daemon that is up, each port that is open."""
    found = {name: UP for name, it in walk.containers.items() if it.track.value[0] in RUNS}
    found |= {f"daemon/{n}": UP for n, it in enumerate((walk.engine, walk.second)) if it.track.value[0] == v.UP}
    return found | {
        f"{port}/{proto}/{client}": UP
        for (port, proto), tracks in walk.ports.items()
        for client, track in tracks.items()
        if track.value
    }


def _is_calm(walk: Replaying, before: State, now: Microseconds) -> bool:
    """Return whether all that was there is there, and has been for a while."""
    tracks = [it.track for it in walk.containers.values()] + [walk.engine.track, walk.second.track]
    tracks += [track for own in walk.ports.values() for track in own.values()]
    return _state(walk).keys() >= before.keys() and max((it.since for it in tracks), default=0) <= now - CALM // 2


def _comes_back(walk: Replaying, before: State) -> bool:
    """Return whether a container or a daemon that was up is on its way: it starts, or waits for its next start."""
    way = [name for name, it in walk.containers.items() if it.track.value[0] in (v.STARTING, v.UNREADY)]
    way += [container for container, kind, _ in walk.spells.opened if kind == BACKOFF]
    way += [f"daemon/{n}" for n, it in enumerate((walk.engine, walk.second)) if it.track.value[0] in UNDER_WAY]
    return any(name in before for name in way)


class _Both:
    """Several who look on."""

    def __init__(self, *others: Any) -> None:
        self.others = others

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        for it in self.others:
            it.see(now, world, event)

    def settle(self, now: Microseconds, world: World) -> None:
        for it in self.others:
            it.settle(now, world)


class _Output:
    """Looks at output alone, and at nothing where no container says what it prints."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        if self.tally.printing:
            self.tally.see_output(event)

    def settle(self, now: Microseconds, world: World) -> None:
        if self.tally.printing:
            self.tally.settle_output(now, world)


class _Victims:
    """Counts who dies and who loses its parent, of the processes that live when the act comes."""

    def __init__(self, world: World) -> None:
        self.lived: dict[Pid, str] = {it.pid: it.image.program for it in world.host.procs.values() if it.alive}
        self.there = _there(world)
        self.stopped = {it.pid for it in world.host.procs.values() if it.state == "T"}
        self.died: Counter[str] = Counter()
        self.orphans: dict[Pid, str] = {}

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        kind = type(event)
        if kind is e.Exited:
            program = self.lived.pop(event.pid, None)
            if program is not None:
                self.died[program] += 1
        elif kind is e.Reparented and event.pid in self.lived:
            self.orphans[event.pid] = self.lived[event.pid]

    def settle(self, now: Microseconds, world: World) -> None:
        pass

    def all_there(self, world: World) -> bool:
        """Return whether there is a process again in the place of each that lasts and has died."""
        return not self.there - _there(world)

    def stands_still(self, world: World) -> bool:
        """Return whether a process stands still at the end that did not before."""
        return any(world.host.procs[pid].state == "T" for pid in self.lived if pid not in self.stopped)


def _there(world: World) -> Counter[tuple[str, str]]:
    """Return how many processes live of each program and container, errands left out."""
    living = (it.image for it in world.host.procs.values() if it.alive and not role_of(it.image.program).brief)
    return Counter((it.program, it.container) for it in living)


# -- what is read off a run that is over -----------------------------------------------------------


def _measured(
    trace: Trace, walk: Replaying, trail: Trail, tally: Tally, victims: _Victims, since: Microseconds, *, explain: bool
) -> Harm:
    run = walk.close()
    found = fates_of(walk, trail, since, explain=explain)
    reading = _Streamed(trace, run, tally.close(run.end), (since, run.end))
    touched = tuple(it for it in found if it.fate not in (KEPT, AS_BEFORE) or it.dark or it.orphaned)
    known = bool(tally.printing)
    return Harm(
        seed=trace.seed,
        died=_ranked(victims.died),
        orphaned=_ranked(Counter(victims.orphans.values())),
        fates=tuple(sorted(Counter(it.fate for it in found).items())),
        touched=touched,
        dark=tuple((client, _longest(found, client)) for client in CLIENTS),
        engine_dark=_engine_dark(run, since),
        codes_lost=round(exit_codes_lost(reading)),
        log_at_risk=log_at_risk(reading) if known else None,
        log_lost=log_lost(reading) if known else None,
        back=math.inf if victims.stands_still(walk.world) else _back(run, reading, since),
    )


class _Streamed(Reading):
    """A run that was watched while it went on; without a tally of processes."""

    def __init__(self, trace: Trace, run: v.Intervals, tally: Tallied, window: v.Window) -> None:
        self.setup, self.run, self.tally = trace.setup, run, tally
        self.first, self.last = window
        self.waits = ()


def _ranked(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda it: (role_of(it[0]).order, it[0])))


def _longest(found: Iterable[Fate], client: str) -> float:
    times = (it.seconds for fate in found for it in fate.dark if it.client == client)
    return max((math.inf if seconds is None else seconds for seconds in times), default=0.0)


def _engine_dark(run: v.Intervals, since: Microseconds) -> float:
    """Return for how long in s the engine's daemon did not serve, `inf` if it does not at the end."""
    if not run.engine.name or run.engine.at(since - 1).state != v.UP:
        return 0.0
    away = [it for it in run.engine.intervals if it.end > since and it.state != v.UP]
    if away and away[-1].end >= run.end:
        return math.inf
    return sum(it.end - max(it.start, since) for it in away) / 1_000_000


def _back(run: v.Intervals, reading: Reading, since: Microseconds) -> float:
    """Return after how many s all is as before; `inf` if something is not at the end."""
    last = max(_returns(run, reading, since), default=since)
    return math.inf if last >= run.end else max(last - since, 0) / 1_000_000


def _returns(run: v.Intervals, reading: Reading, since: Microseconds) -> Iterator[Microseconds]:
    """Yield when each thing that was away was there again; the end of the run for what is still away."""
    for lanes, states in ((run.containers, (v.RUNNING, v.STOPPING)), (run.daemons, (v.UP,))):
        for lane in lanes:
            if lane.at(since - 1).state in states:
                yield from (it.end for it in lane.intervals if it.end > since and it.state not in states)
    for gaps in reading.gaps.values():
        yield from (end if closed else run.end for _, end, closed in gaps)
    for spell in run.spells:
        if spell.kind in (HALTED, PAUSED) and spell.start >= since:
            yield spell.end


# -- begins that are kept --------------------------------------------------------------------------

_kept: list[tuple[Setup, Kin, int, Begin]] = []


def begin_of(setup: Setup, seed: int, step: str) -> Begin:
    """Return the run up to a step, made once in this process for setups that differ in what the step does alone."""
    mine = kin(setup)
    for place, (other, its_kin, its_seed, begin) in enumerate(_kept):
        if its_kin == mine and its_seed == seed and replace(setup, terminals=other.terminals) == other:
            _kept.append(_kept.pop(place))
            return begin
    begin = Begin(setup, seed, step)
    _kept.append((setup, mine, seed, begin))
    del _kept[:-KEPT_STEMS]
    return begin
