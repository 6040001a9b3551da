"""Compare a finished run with what its scenario expects, and say what was found in words that need no second look.

Models: when each kind of expectation is judged, and what follows. A state is the world after all that
happened at one µs; what comes and goes within a µs was never there. `during` holds if every state of the interval is
good, `within` if one is. What an unfinished interval has already shown counts; where an instant never came, or the run
ended too early to tell, the verdict is None. Leaves out judging (`verdict_judges`: states, `verdict_said`: words,
`verdict_exits`: ends, and `verdict_properties`, which asks between the steps) and drawing, which is passed in.
Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from sim.engine.setup import Instant, Microseconds
from sim.facts import Forgot, FrameEnded, FrameStarted, Marked, Remembered, StepTaken, WriteBlocked
from sim.kernel import events as e
from sim.model import design_of
from sim.scenario.compile import Scenario
from sim.scenario.expect import (
    At,
    ContainerExpect,
    DarkExpect,
    During,
    EventsExpect,
    ExitExpect,
    Expectation,
    FileExpect,
    PortExpect,
    ProcessExpect,
    PropertyExpect,
    StepExpect,
    TreeExpect,
)
from sim.scenario.property_asked import property_called
from sim.scenario.units import format_duration
from sim.scenario.verdict_exits import judge_exits
from sim.scenario.verdict_judges import (
    Identity,
    Judgement,
    Show,
    identity_of,
    judge_container,
    judge_file,
    judge_port,
    judge_process,
    judge_tree,
)
from sim.scenario.verdict_properties import judge, judged_text
from sim.scenario.verdict_said import Window, judge_said
from sim.scenario.verdict_words import instant_text, label_of, place, text_of
from sim.trace import Trace
from sim.views.interval_parts import Gap, Intervals, PortKey
from sim.views.intervals import intervals, port_gaps
from sim.views.moments import Moments
from sim.views.story import Story

ORIGIN, END = Instant(), Instant("end")
PROCESSES = (e.Forked, e.Execed, e.Exited, e.Reparented, e.Reaped, e.SignalTaken)
FILES = (e.FileWritten, e.FileRemoved)
# The facts that can change what a judge of this kind reads; between them it need not look again.
RELEVANT: dict[type, tuple[type, ...]] = {
    ContainerExpect: (
        *(Remembered, Forgot, FrameStarted, FrameEnded, Marked, e.Listened, e.Unlistened, e.FifoLevel),
        *(*PROCESSES, *FILES),
    ),
    ProcessExpect: (*PROCESSES, e.FifoLevel, WriteBlocked),
    FileExpect: FILES,
    PortExpect: (e.Listened, e.Unlistened, e.RuleAdded, e.RuleRemoved, e.RulesFlushed, *PROCESSES),
}


class Verdict(msgspec.Struct, frozen=True):
    """Whether an expectation holds (None: undetermined), when it must, what it is, and what was found."""

    expectation: Expectation
    holds: bool | None
    label: str
    text: str
    detail: str


class Undetermined(Exception):
    """An instant never came, or there is nothing between two of them; the text says which."""


def evaluate(scenario: Scenario, trace: Trace, show: Show) -> tuple[Verdict, ...]:
    """Return one verdict for each expectation, in the file's order; *show* (table, view, root pid) draws a tree."""
    return Evaluation(scenario, trace, show).verdicts()


# -- the replay --------------------------------------------------------------------------------------


@dataclass
class Watch:
    """An expectation that is judged by states, and what its judge has found so far."""

    expectation: Expectation
    window: Window
    judge: Callable[[Story], Judgement]
    found: Judgement | None = None
    at: Microseconds = 0
    decided: bool = False

    @property
    def wanted(self) -> bool:
        """Return which finding decides: for `during` a bad one, for `within` a good one, at one moment either."""
        return not isinstance(self.expectation.when, During | None)

    def look(self, story: Story, at: Microseconds) -> None:
        """Judge the state that the story is at, unless the verdict is clear."""
        if not self.decided and self.window.start <= at <= self.window.stop:
            self.found, self.at = self.judge(story), at
            self.decided = isinstance(self.expectation.when, At) or self.found.good == self.wanted

    def result(self, end: Microseconds) -> tuple[bool | None, str]:
        """Return whether it holds and what was found, once the run is over."""
        found, window = self.found, self.window
        if found is None:
            return None, f"the run ended before {window.last}"
        if isinstance(self.expectation.when, At):
            return found.good, found.detail
        if self.decided:
            word = "" if found.good else "first failed "
            return found.good, f"{word}at {window.place(self.at)}: {found.detail}"
        if window.stop > end:
            return None, f"the run ended before {window.last}; until then: {found.detail}"
        return (True, found.detail) if found.good else (False, f"never until {window.last}; then: {found.detail}")


@dataclass
class Evaluation:
    """The expectations of one scenario against one run."""

    scenario: Scenario
    trace: Trace
    show: Show
    photos: dict[Microseconds, dict[str, Identity]] = field(default_factory=dict)
    replays: dict[str, Intervals] = field(default_factory=dict)  # by the client whose view of ports they have

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge all: those that look at states in one replay."""
        expectations = self.scenario.expectations
        self.moments = Moments(self.trace, (it for expectation in expectations for it in instants_of(expectation)))
        results: dict[int, tuple[bool | None, str]] = self.properties()
        watches: dict[int, Watch] = {}
        for number, expectation in enumerate(expectations):
            if number in results:
                continue
            try:
                window = self.window(expectation)
                if isinstance(expectation, DarkExpect):
                    results[number] = self.dark(expectation, window)
                elif isinstance(expectation, ExitExpect):
                    results[number] = judge_exits(expectation, self.trace, window)
                elif isinstance(expectation, EventsExpect | StepExpect):
                    results[number] = judge_said(expectation, self.scenario, self.trace, window)
                else:
                    watches[number] = Watch(expectation, window, self.judge_of(expectation, window))
            except Undetermined as why:
                results[number] = (None, str(why))
        self.walk(list(watches.values()))
        results |= {number: watch.result(self.trace.end) for number, watch in watches.items()}
        return tuple(self.verdict(expectation, *results[number]) for number, expectation in enumerate(expectations))

    def verdict(self, expectation: Expectation, holds: bool | None, detail: str) -> Verdict:
        """Put words to a result."""
        text = text_of(expectation, len(self.scenario.setup.services))
        return Verdict(expectation, holds, label_of(expectation), text, detail)

    def properties(self) -> dict[int, tuple[bool | None, str]]:
        """Judge the properties that are expected, in one walk from step to step."""
        wanted = {n: it for n, it in enumerate(self.scenario.expectations) if isinstance(it, PropertyExpect)}
        if not wanted:
            return {}
        design = design_of(self.scenario.setup)
        asked = {it.name: property_called(self.scenario, it.name) for it in wanted.values()}
        lacks = {name: prop.lacks(design) for name, prop in asked.items()}
        found = judge(self.trace, [prop for name, prop in asked.items() if not lacks[name]])
        results: dict[int, tuple[bool | None, str]] = {}
        for number, it in wanted.items():
            if lacks[it.name]:
                results[number] = None, f"does not apply: {design.name} {lacks[it.name]}"
            else:
                results[number] = found[it.name].holds, judged_text(found[it.name], it.kind, self.trace.origin)
        return results

    def walk(self, watches: list[Watch]) -> None:
        """Replay the trace, and stop at every state that some watch must see."""
        story = Story(self.trace)
        for at in self.stops(watches):
            story.to(at)
            if at in self.photos:
                self.photos[at] = {it.name: identity_of(story.world, it.name) for it in self.scenario.setup.services}
            for watch in watches:
                watch.look(story, at)

    def stops(self, watches: list[Watch]) -> list[Microseconds]:
        """Return the clock values at which the replay stops, in order."""
        found = {*self.photos, *(watch.window.start for watch in watches)}
        spans = [(it.window, RELEVANT[type(it.expectation)]) for it in watches if it.window.stop > it.window.start]
        for record in self.trace if spans else ():
            at, kind = record.at or 0, type(record.event)
            if at not in found and any(kind in kinds and it.start < at <= it.stop for it, kinds in spans):
                found.add(at)
        return sorted(at for at in found if at <= self.trace.end)

    # -- when ----------------------------------------------------------------------------------------------------

    def moment(self, instant: Instant) -> Microseconds:
        """Return a clock value; raise Undetermined if the moment never came."""
        at = self.moments.at(instant)
        if at is None:
            raise Undetermined(f"{instant_text(msgspec.structs.replace(instant, offset=0))} never came")
        return at

    def window(self, expectation: Expectation) -> Window:
        """Return when *expectation* is judged; raise Undetermined if that cannot be told."""
        when = expectation.when
        first = self.first_step() if isinstance(expectation, DarkExpect) else ORIGIN
        if when is None:
            when = During(first, END)
        if isinstance(when, At):
            at = self.moment(when.at)
            begin = self.moment(first) if isinstance(expectation, DarkExpect) else at
            return Window(begin, at, when.at, at - when.at.offset, instant_text(when.at))
        if isinstance(when, During):
            start, stop = self.moment(when.first), self.moment(when.last)
            if stop < start:
                raise Undetermined(f"{instant_text(when.last)} came before {instant_text(when.first)}")
            return Window(start, stop, when.first, start - when.first.offset, instant_text(when.last))
        start = self.moment(when.of)
        zero = start - when.of.offset
        last = place(when.of, when.of.offset + when.limit)
        return Window(start, start + when.limit, when.of, zero, last)

    def first_step(self) -> Instant:
        """Return the first step of the scenario that was taken; t = 0 if there is none."""
        ids = {step.id for terminal in self.scenario.setup.terminals for step in terminal}
        taken = (it.event.id for it in self.trace if isinstance(it.event, StepTaken) and it.event.id in ids)
        name = next(taken, None)
        return ORIGIN if name is None else Instant("step", name)

    # -- judges --------------------------------------------------------------------------------------------------

    def judge_of(self, expectation: Expectation, window: Window) -> Callable[[Story], Judgement]:
        """Return the judge of an expectation that looks at states."""
        match expectation:
            case ContainerExpect():
                since = self.since(expectation, window)
                return lambda story: judge_container(expectation, story.world, self.photos.get(since, {}))
            case ProcessExpect():
                return lambda story: judge_process(expectation, story.world)
            case FileExpect():
                return lambda story: judge_file(expectation, story.world)
            case PortExpect():
                return lambda story: judge_port(expectation, story.world)
            case TreeExpect():
                return lambda story: judge_tree(expectation, story, self.show)
        raise AssertionError(f"{type(expectation).__name__} is not judged by states")

    def since(self, expectation: ContainerExpect, window: Window) -> Microseconds:
        """Return the moment whose pids `pid` compares with, and order a photograph of it."""
        if expectation.pid is None:
            return -1
        default = self.trace.origin if isinstance(expectation.when, At) else window.start
        since = default if expectation.since is None else self.moment(expectation.since)
        if since > window.start:
            then = instant_text(expectation.since or ORIGIN)
            raise Undetermined(f"{then}, which pid compares with, came after {window.place(window.start)}")
        self.photos[since] = {}
        return since

    # -- kinds that look at the whole window ---------------------------------------------------------------------

    def dark(self, expectation: DarkExpect, window: Window) -> tuple[bool | None, str]:
        """Compare the longest gap of each port. One that was still there when the window ended is too long."""
        origin, end = self.trace.origin, self.trace.end
        if window.start > end:
            return None, f"the run ended before {window.place(window.start)}"
        seen = (window.start - origin, min(window.stop, end) - origin)
        found = port_gaps(self.seen_by(expectation.source), (expectation.source,), seen)
        gaps = [(key, gap) for key, list_ in found.items() if expectation.of in ("all", *key[:2]) for gap in list_]
        cut = window.stop > end
        bad = [it for it in gaps if length(it[1]) > expectation.max or not (it[1][2] or cut)]
        if bad:
            return False, self.darkest(bad, window, not cut)
        worst = max(gaps, key=lambda it: length(it[1]), default=None)
        if cut:
            return None, f"the run ended before {window.last}"
        return True, f"longest {seconds(length(worst[1]))} ({port_text(worst[0])})" if worst else "never dark"

    def seen_by(self, client: str) -> Intervals:
        """Return the run as intervals with the ports as *client* finds them, replayed once for all expectations."""
        if client not in self.replays:
            self.replays[client] = intervals(self.trace, (client,))
        return self.replays[client]

    def darkest(self, bad: list[tuple[PortKey, Gap]], window: Window, over: bool) -> str:
        """Tell the worst gap, and how many ports have one that is too long."""
        key, gap = max(bad, key=lambda it: (not it[1][2], length(it[1])))
        word = "not back, " if over and not gap[2] else ""
        ports = len({it[0] for it in bad})
        others = f"; {ports} ports are too long dark" if ports > 1 else ""
        since = window.place(gap[0] + self.trace.origin)
        return f"{port_text(key)} {word}dark for {seconds(length(gap))} from {since}{others}"


def instants_of(expectation: Expectation) -> Iterable[Instant]:
    """Return the instants that an expectation names."""
    when = expectation.when
    if isinstance(when, At):
        yield when.at
    elif isinstance(when, During):
        yield from (when.first, when.last)
    elif when is not None:
        yield when.of
    if isinstance(expectation, ContainerExpect) and expectation.since is not None:
        yield expectation.since


def length(gap: Gap) -> Microseconds:
    """Return how long a gap is."""
    return gap[1] - gap[0]


def seconds(duration: Microseconds) -> str:
    """Write a duration for people, in whole ms."""
    return format_duration(round(duration, -3)) if duration >= 1000 else format_duration(duration)


def port_text(key: PortKey) -> str:
    """Write whose port it is."""
    return f"{key[0]}:{key[1]}"
