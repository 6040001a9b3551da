"""An exploration of a scenario: its properties, its faults, what is found, and stories of what goes wrong.

Times of steps are dropped: steps of one terminal keep their order, anchors stay as guards, expectations at `end` become
properties. Source: the project's scenario language; ARCHITECTURE.md, "Known limits".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.explore import Exploration, Goal, Limits, SearchFault, explore
from sim.drive.explore.confluent import is_tried
from sim.drive.explore.shortest import is_allowed, shortest
from sim.drive.explore.watch import words_of
from sim.engine.program import Program
from sim.engine.setup import FaultBudget, Setup
from sim.engines.host import journald
from sim.errors import InputError
from sim.experiment.counterexample import tell, write_counterexample
from sim.faults import FAULTS, fault_text, lives
from sim.model import design_of
from sim.properties import NOT_MODELLED, PROPERTIES, SOMETIMES, Property, in_words_of
from sim.render.counterexample import counterexample_text
from sim.scenario import Scenario
from sim.scenario.to_explore import check_steps, for_explorer
from sim.scenario.verdict_words import instant_text, text_of
from sim.views.coverage import coverage as rows_of
from sim.views.coverage import exercised_in
from sim.views.exploration import DOES_NOT_APPLY, HOLDS, UNDETERMINED, VIOLATED, Explored, Finding

EXACT_STATES, EXACT_SECONDS = 400_000, 60.0  # of a search for one that the timers' lengths allow

TIMED = (
    "Timers ring only where nothing prompt can happen, and in an order that their lengths allow; a program that is "
    "slow is a fault (stall)."
)
UNTIMED = "Timers ring at any time, in any order."
PEOPLE = "People act whenever they like: the times of steps are dropped, their order and what they wait for are kept."
REDUCED = (
    "Steps that come to the same in any order are taken first, and states that differ in names of processes alone are "
    "one; --full takes every order."
)
UNTRIED = "Which steps these are was tried on the engines of this package, not on {}."
COUNTED = "Coverage is that of the orders that are taken; --full may exercise more."
ALIKE = "Containers that the scenario does not tell apart are exchanged."
BEFORE = "What comes before t = 0 happens in one order."


def explored(
    scenario: Scenario,
    properties: Iterable[Property],
    *,
    limits: Limits,
    untimed: bool = False,
    full: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int, float], None] | None = None,
    coverage: bool = False,
    failed: Callable[[Exception], object] = lambda _: None,
) -> Explored:
    """Explore a scenario and return what was found of the properties, with a story of each that is violated.

    With *coverage*, also what was exercised. A fault of the model ends the search, or the story in which it comes, and
    loses nothing else: what it leaves open is undetermined, with the reason. *failed* is told of each. A property that
    speaks of what the design has not is not looked at.
    """
    check_steps(scenario)
    design = design_of(scenario.setup)
    listed = tuple(in_words_of(prop, design) for prop in properties)
    asked = [_asked(prop) for prop in listed if not prop.lacks(design)]
    faults: list[Exception] = []
    try:
        found = explore(
            scenario.setup, asked=asked, limits=limits, untimed=untimed, reduce=not full, jobs=jobs, progress=progress,
            note=exercised_in if coverage else None,
        )  # fmt: skip
    except SearchFault as fault:
        found = fault.found
        faults.append(fault)
    findings = [_told(scenario, found, prop, limits, faults) for prop in listed]
    for trouble in faults:
        failed(trouble)
    _, unchecked = for_explorer(scenario)
    setup = scenario.setup
    return Explored(
        scenario.title,
        scenario.source,
        _engine_text(setup),
        found.verdict,
        found.states,
        found.transitions,
        found.steps,
        found.depth,
        len(found.ends),
        found.peak,
        found.taped,
        found.seconds,
        len(found.reports),
        (
            *bound_of(setup, untimed=untimed, full=full, alike=bool(found.base.learner.space.swaps)),
            *((COUNTED,) if coverage and not (full or untimed) else ()),
        ),
        tuple(findings),
        tuple(text_of(expectation, 0) for expectation in unchecked),
        rows_of(DESIGNS[setup.engine.design], found.exercised) if coverage else (),
        tuple(scenario.assumptions),
    )


def _told(
    scenario: Scenario, found: Exploration, prop: Property, limits: Limits, faults: list[Exception]
) -> Finding:  # fmt: skip
    """Return what was found of a property, told as far as the model can; what it cannot goes to *faults*."""
    lack = prop.lacks(design_of(scenario.setup))
    if lack:
        why = f"{scenario.setup.engine.design} {lack}"
        return Finding(prop.name, prop.kind, prop.sentence, DOES_NOT_APPLY, why)
    finding = _finding(found, prop)
    try:
        if finding.verdict == VIOLATED and prop.name in found.shown:
            return _with_story(scenario, found, prop, finding, limits)
        if finding.verdict == HOLDS and prop.name in found.shown and not is_allowed(found, prop.name):
            return _met(scenario, prop, finding, limits)
    except (MemoryError, InputError):
        raise
    except Exception as fault:
        faults.append(fault)
        why = f"a state shows it, but its way cannot be told: a fault in the model: {words_of(fault)}"
        return replace(finding, verdict=UNDETERMINED, why=why)
    return finding


def _engine_text(setup: Setup) -> str:
    design = DESIGNS[setup.engine.design]
    if not design.traits.live_restore:
        return design.title
    return f"{design.title} · live-restore {'on' if setup.engine.daemon.live_restore else 'off'}"


def _asked(prop: Property) -> Goal:
    """Return a property as the explorer asks it; the table's own speak of all containers, sentences name some."""
    row = PROPERTIES.get(prop.name)
    return Goal(prop.name, prop.kind, prop.holds, prop.watch, alike=row is not None and row.holds is prop.holds)


def _finding(found: Exploration, prop: Property) -> Finding:
    """Return the verdict on a property."""
    shown = prop.name in found.shown
    limit = found.verdict if not found.complete else ""
    if prop.kind == SOMETIMES:
        verdict = HOLDS if shown else limit or VIOLATED
        return Finding(prop.name, prop.kind, prop.sentence, verdict, "" if shown or limit else "in no state")
    if shown:
        return Finding(prop.name, prop.kind, prop.sentence, VIOLATED)
    if prop.name in found.cycles:
        why = "a run can go round for ever without it"
        return Finding(prop.name, prop.kind, prop.sentence, UNDETERMINED, why)
    return Finding(prop.name, prop.kind, prop.sentence, limit or HOLDS)


def _exact(scenario: Scenario, prop: Property, limits: Limits) -> Exploration:
    """Look for a state that the timers' lengths allow: one way's boxes are not joined with another's."""
    less = replace(limits, states=min(limits.states, EXACT_STATES), seconds=min(limits.seconds, EXACT_SECONDS))
    return explore(scenario.setup, asked=(_asked(prop),), limits=less, exact=True, first=True)


def _met(scenario: Scenario, prop: Property, finding: Finding, limits: Limits) -> Finding:
    """Look again for what holds sometimes: a state that no run can come to does not show it."""
    found = _exact(scenario, prop, limits)
    if prop.name in found.shown:
        return finding
    why = f"in no state; {_apart(found)}" if found.complete else _apart(found)
    return replace(finding, verdict=VIOLATED if found.complete else found.verdict, why=why)


def _apart(found: Exploration) -> str:
    return f"{found.states:,} states told apart by their timers"


def _with_story(
    scenario: Scenario, found: Exploration, prop: Property, finding: Finding, limits: Limits
) -> Finding:  # fmt: skip
    """Tell how a property is violated; a violation that no run can come to is none."""
    way = shortest(found, prop.name)
    if not way.allowed:
        found = _exact(scenario, prop, limits)
        if prop.name not in found.shown:
            return replace(finding, verdict=HOLDS if found.complete else found.verdict, why=_apart(found))
        way = shortest(found, prop.name)
    setup = replace(found.base.setup, order=())
    told = tell(setup, way.actions, prop.name, says=prop.sentence, sibling=way.sibling)
    story = counterexample_text(told)
    written = write_counterexample(scenario, way.actions, prop.name, story=story, setup=setup)
    faults, changes, steps = way.cost
    finding = replace(finding, faults=faults, changes=changes, steps=steps, least=way.least, allowed=way.allowed)
    return replace(finding, story=story, scenario=written)


# -- the bound ---------------------------------------------------------------------------------------


def with_faults(scenario: Scenario, budget: FaultBudget) -> Scenario:
    """Return the scenario with another budget of faults."""
    return replace(scenario, setup=replace(scenario.setup, faults=budget))


def bound_of(setup: Setup, *, untimed: bool, full: bool, alike: bool) -> tuple[str, ...]:
    """Return the sentences that say within which bound verdicts hold."""
    return (
        _faults_text(setup),
        UNTIMED if untimed else TIMED,
        PEOPLE,
        *(() if full or untimed else (REDUCED,)),
        *(() if full or untimed or is_tried(DESIGNS[setup.engine.design]) else (UNTRIED.format(setup.engine.design),)),
        *((ALIKE,) if alike else ()),
        BEFORE,
    )


def _faults_text(setup: Setup) -> str:
    budget, programs = setup.faults, _on_the_host(setup)
    if not budget.total:
        return "No faults but the scenario's own steps."
    most = dict(budget.kinds)
    chosen = [kind for kind, row in FAULTS.items() if not most or (row.free or kind) in most]
    words = (f"{kind} {most[kind]}" if kind in most else kind for kind in chosen)
    kinds = "; ".join(f"{word}: {fault_text(kind, programs)}" for word, kind in zip(words, chosen, strict=True))
    ends: list[Any] = [("from", budget.after), ("to", budget.before)]
    window = " ".join(f"{word} {instant_text(at)}" for word, at in ends if at is not None)
    where = window or "anywhere"
    faults = f"{budget.total} fault{'s' if budget.total > 1 else ''}"
    anybody = all(FAULTS[kind].hits is lives for kind in chosen if not FAULTS[kind].free)
    return f"At most {faults} ({kinds}), {where}, {'of any process but' if anybody else 'never of'} PID 1."


def _on_the_host(setup: Setup) -> list[Program]:
    """Return the programs that may run on the host: journald is there only where the scenario has to do with it."""
    absent = () if journald.concerns(setup) else (journald.PROGRAM.name,)
    return [program for name, program in design_of(setup).programs.items() if name not in absent]


def unmodelled() -> tuple[tuple[str, str], ...]:
    """Return the invariants that no property asks about, and why."""
    return tuple(NOT_MODELLED.items())
