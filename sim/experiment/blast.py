"""Everything that may befall a host, one row an act: which acts there are, who runs them, what they come to.

The act takes the place of the file's first step that harms something, at the same moment; what the file does before it
is kept, what comes after it is left out. Without such a step it comes at t = 0 of a host that is up, else at 60 s. Each
case (live-restore off and on, where the engine has it) has one begin for each seed, and acts branch from it. Containers
that are alike are tried once. Leaves out two acts in a row. Source: `sim.experiment.acts`, `sim.experiment.harm`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.branch import Stem, kin
from sim.drive.collecting import little_collecting
from sim.engine.role import Kind
from sim.engine.setup import FaultBudget, Instant, Microseconds, S, Setup, Step
from sim.errors import InputError, Problem
from sim.experiment.act_words import kind_of, measured_words
from sim.experiment.acts import Act, acts_of
from sim.experiment.executors import Lanes
from sim.experiment.faulted import place_of
from sim.experiment.harm import begin_of
from sim.experiment.replicate import Interrupted, Progress, spread
from sim.scenario import Scenario
from sim.scenario.units import duration
from sim.scenario.words import Refusal
from sim.views.blast import Blast, BlastRow, Harm, worst_first
from sim.views.fault import first_harm

STEP = "blast"
WINDOW = "60s"
EXPLAINED = 24  # so few acts get the reasons of each fate
Reader = Callable[[Sequence[str]], Scenario]


class Case(NamedTuple):
    """A host on which every act is tried: live-restore off or on, None where the engine has none."""

    live_restore: bool | None
    own: bool  # the setting of the file
    setup: Setup


class Host(NamedTuple):
    """A host that acts are tried on: the scenario, its cases, what may befall it, at which moment, and for how long."""

    scenario: Scenario
    cases: tuple[Case, ...]
    acts: tuple[Act, ...]
    moment: str
    window: Microseconds


# -- the host --------------------------------------------------------------------------------------


def host_of(reader: Reader, window: str = WINDOW, *, cases: bool = True) -> Host:
    """Read a host and find what may befall it. Raises InputError."""
    window_of(window)
    base = reader(())
    settings, moment = _settings(base, window)
    scenario = reader(settings)
    setup = replace(scenario.setup, faults=FaultBudget())
    found = _cases(setup) if cases else (Case(_live_restore(setup), True, setup),)
    stem = Stem(found[0].setup, 1, STEP)
    if not stem.grow():
        what = f"the moment of the act ({moment}) never comes"
        raise InputError([Problem(base.source, what, "Acts come in the place of the first step that harms something.")])
    until = setup.until
    assert until is not None, "the window's end was set"
    return Host(scenario, found, acts_of(stem.world), moment, until.offset)


def window_of(text: str) -> Microseconds:
    """Return how long to look after an act, from words. Raises InputError."""
    try:
        found = duration(text)
    except Refusal as refusal:
        raise InputError([Problem(f"--window {text[:40]}", refusal.what.removesuffix("."), refusal.hint)]) from None
    if found <= 0:
        raise InputError([Problem(f"--window {text[:40]}", "that is no time", "Write 60s.")])
    return found


def _settings(base: Scenario, window: str) -> tuple[tuple[str, ...], str]:
    """Return what makes a file one whose last step is the act, and the act's moment in words."""
    steps: list[dict[str, Any]] = [dict(step) for step in base.raw.get("steps") or ()]
    harm = first_harm(base.setup)
    if harm is not None:
        place = place_of(steps, harm)
        at = steps[place].get("at", "")
        steps = steps[:place]
    else:
        at = "60s" if steps or base.setup.host.begin != "steady" else "0s"
    if str(at).startswith("before "):
        what, hint = f"an act needs a moment of its own, not {at!r}", "Write at: 60s, or after a step: start+5s."
        raise InputError([Problem(base.source, what, hint)])
    (init,) = DESIGNS[base.setup.engine.design].of_kind(Kind.INIT)
    act = {"id": STEP, "kill": init, "signal": "CONT"} | ({"at": at} if at != "" else {})
    words = {"steps": [*steps, act], "until": f"{STEP}+{window}", "expect": [], "order": [], "whatif": {}, "faults": {}}
    given = {key: value for key, value in words.items() if key in base.raw or key in ("steps", "until")}
    return tuple(f"{key}={json.dumps(value)}" for key, value in given.items()), str(at) or "with the step before it"


def _live_restore(setup: Setup) -> bool | None:
    known = DESIGNS[setup.engine.design].traits.live_restore
    return setup.engine.daemon.live_restore if known else None


def _cases(setup: Setup) -> tuple[Case, ...]:
    """Return the host as it is, and with live-restore the other way round, where the engine knows it."""
    now = _live_restore(setup)
    own = Case(now, True, setup)
    if now is None:
        return (own,)
    daemon = replace(setup.engine.daemon, live_restore=not now)
    return own, Case(not now, False, replace(setup, engine=replace(setup.engine, daemon=daemon)))


# -- running ---------------------------------------------------------------------------------------


def setup_with(setup: Setup, act: Act) -> Setup:
    """Return a setup whose last step is an act, and what follows it."""
    terminals = tuple(
        _acting(terminal, act) if any(step.id == STEP for step in terminal) else terminal
        for terminal in setup.terminals
    )
    return replace(setup, terminals=terminals)


def _acting(terminal: tuple[Step, ...], act: Act) -> tuple[Step, ...]:
    (step,) = terminal
    first = replace(step, command=act.command, text=act.name)
    return (first, *(_after(number, wait, command) for number, (wait, command) in enumerate(act.then, 2)))


def _after(number: int, wait: Microseconds, command: Any) -> Step:
    return Step(f"{STEP}.{number}", Instant("after", offset=wait), command)


def blast(
    host: Host,
    acts: Sequence[Act],
    seeds: int = 1,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    lanes: Lanes | None = None,
    explain: bool = False,
) -> Blast:
    """Run every act on every case with seeds 1 to *seeds*, and return what they did, the worst first.

    Ctrl-C ends it, and what is done is returned, if anything is; an act counts once all of its seeds are done. Where
    there are few acts, and with *explain*, each fate has its reason.
    """
    tasks = _tasks(host, acts, seeds)
    work = partial(harmed, host.cases, tuple(acts), explain or len(acts) <= EXPLAINED)
    ended = ""
    try:
        found: list[Harm | None] = list(spread(work, tasks, jobs, progress, lanes))
    except Interrupted as cut:
        found = cut.done
        done = sum(it is not None for it in found)
        ended = f"interrupted after {done} of {len(tasks)} runs"
        if not done:
            raise
    engine, scenario = host.scenario.setup.engine, host.scenario
    return Blast(
        title=scenario.title,
        source=scenario.source,
        name=scenario.name,
        design=engine.design,
        profile=engine.profile,
        containers=len(scenario.setup.services),
        seeds=tuple(range(1, seeds + 1)),
        window_s=host.window / S,
        moment=host.moment,
        rows=worst_first(_rows(host, acts, tasks, found, seeds)),
        assumptions=scenario.assumptions,
        ended=ended,
    )


Task = tuple[int, int, int]  # case, act, seed


def _tasks(host: Host, acts: Sequence[Act], seeds: int) -> list[Task]:
    """Return what is to be run, so that those come together that have their begin in common."""
    kins = [
        (seed, number, str(kin(setup_with(case.setup, act))), place)
        for seed in range(1, seeds + 1)
        for number, case in enumerate(host.cases)
        for place, act in enumerate(acts)
    ]
    return [(number, place, seed) for seed, number, _, place in sorted(kins)]


def harmed(cases: tuple[Case, ...], acts: tuple[Act, ...], explain: bool, task: Task) -> Harm:
    """Run one act on one case with one seed; a fault in the model is a row of its own and ends nothing else."""
    number, place, seed = task
    setup = setup_with(cases[number].setup, acts[place])
    try:
        with little_collecting():  # a begin is large, and would be searched for garbage after each act
            begin = begin_of(setup, seed, STEP)
            return begin.harm(setup, explain=explain) if begin.reached else Harm(seed, failed="its moment never comes")
    except (InputError, MemoryError, OSError):
        raise
    except Exception as fault:
        return Harm(seed, failed=f"{type(fault).__name__}: {fault}")


def _rows(
    host: Host, acts: Sequence[Act], tasks: Sequence[Task], found: Sequence[Harm | None], seeds: int
) -> Iterator[BlastRow]:
    by_row: dict[tuple[int, int], list[Harm]] = {}
    for (number, place, _), harm in zip(tasks, found, strict=True):
        if harm is not None:
            by_row.setdefault((place, number), []).append(harm)
    design = host.scenario.setup.engine.design
    for (place, number), harms in sorted(by_row.items()):
        if len(harms) < seeds:
            continue
        act, case = acts[place], host.cases[number]
        yield BlastRow(
            act=act.name,
            kind=act.kind,
            subject=act.subject,
            step=act.step,
            live_restore=case.live_restore,
            own=case.own,
            harms=tuple(sorted(harms, key=lambda it: it.seed)),
            like=act.like,
            measured=measured_words(design, *kind_of(DESIGNS[design], act.command)),
        )
