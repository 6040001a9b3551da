"""Run an experiment with some seeds and compare each of its rows: right where most seeds agree.

An experiment that is refused makes its rows wrong, since it could be run when it was added. Leaves out how the results
are told (`tell`). Source: none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import sim
from sim.engine.goroutine import ModelFault
from sim.errors import InputError
from sim.experiment.run import Run
from sim.scenario import Scenario
from tests.truth.imported import imported
from tests.truth.kinds import KINDS, Asked, Entry
from tests.truth.rows import Experiment, Row, experiments

SEEDS = (1, 2, 3)


class Judged(NamedTuple):
    """A row, whether it is right (None: it cannot be said), and what the model said with the first seed."""

    row: Row
    right: bool | None
    found: str


class Answer(NamedTuple):
    """What one run says to a row."""

    right: bool
    found: str


@cache
def all_judged() -> tuple[Judged, ...]:
    """Judge every experiment; once in a process."""
    return judged(everything())


def everything() -> Iterator[Experiment]:
    """Yield all experiments, then those acts on hosts that were imported."""
    yield from experiments()
    yield from imported(experiments())


def judged(of: Iterable[Experiment], tell: Callable[[str], None] = lambda _: None) -> tuple[Judged, ...]:
    """Judge the rows of experiments."""
    found: list[Judged] = []
    for it in of:
        tell(it.name)
        found += judge(it)
    return tuple(found)


def judge(experiment: Experiment, seeds: tuple[int, ...] = SEEDS) -> list[Judged]:
    """Judge the rows of one experiment."""
    asked = [row for row in experiment.rows if row.mark != "unsayable"]
    refused: dict[str, str] = {}
    try:
        scenario, entries = _with_entries(experiment, asked, refused)
        runs: list[dict[str, Answer]] = []
        for seed in seeds:
            if not _decided(runs, len(seeds)):
                runs.append(_answers(sim.run(scenario, seed=seed), asked, entries))
    except (InputError, ModelFault) as fault:
        refused, runs = {row.key: f"not run: {fault}" for row in asked}, []
    return [_of_row(row, runs, refused) for row in experiment.rows]


def beside(experiment: Experiment, seeds: tuple[int, ...] = (1, 2)) -> list[tuple[Row, tuple[Answer, ...]]]:
    """Return what a run of each seed says to each row that can be said, one that is refused included."""
    asked, refused = [row for row in experiment.rows if row.mark != "unsayable"], dict[str, str]()
    runs: list[dict[str, Answer]] = [{} for _ in seeds]
    try:
        scenario, entries = _with_entries(experiment, asked, refused)
        runs = [_answers(sim.run(scenario, seed=seed), asked, entries) for seed in seeds]
    except (InputError, ModelFault) as fault:
        refused = {row.key: f"not run: {fault}" for row in asked}
    wrong = {key: Answer(False, why) for key, why in refused.items()}
    return [(row, tuple(wrong.get(row.key) or run[row.key] for run in runs)) for row in asked]


def _decided(runs: list[dict[str, Answer]], of: int) -> bool:
    """Return whether no further seed can change what most of them say."""
    return len(runs) * 2 > of and all(len({run[key].right for run in runs}) == 1 for key in runs[0])


def _of_row(row: Row, runs: list[dict[str, Answer]], refused: dict[str, str]) -> Judged:
    if row.mark == "unsayable":
        return Judged(row, None, "")
    if row.key in refused:
        return Judged(row, False, refused[row.key])
    answers = [run[row.key] for run in runs]
    right = sum(it.right for it in answers) * 2 > len(answers)
    return Judged(row, right, next(it.found for it in answers if it.right == right))


def _with_entries(
    experiment: Experiment, asked: list[Row], refused: dict[str, str]
) -> tuple[Scenario, list[tuple[Row, int]]]:
    """Return the scenario with the entries of all rows that have some, and how many each row has."""
    entries = {row.key: KINDS[row.kind].entries(row) for row in asked if KINDS[row.kind].entries}  # type: ignore[misc]
    try:
        scenario = load(experiment, [it for some in entries.values() for it in some])
    except InputError:
        load(experiment, [])  # raises where the experiment itself is refused
        for key, some in list(entries.items()):
            try:
                load(experiment, some)
            except InputError as fault:
                refused[key] = f"refused: {fault}"
                del entries[key]
        scenario = load(experiment, [it for some in entries.values() for it in some])
    return scenario, [(row, len(entries[row.key])) for row in asked if row.key in entries]


def load(experiment: Experiment, entries: list[Entry]) -> Scenario:
    """Read an experiment's scenario with these entries of `expect:`. Raises InputError."""
    return sim.load(f"{experiment.name}.yaml", text=f"{experiment.scenario}\nexpect: {json.dumps(entries)}\n")


def _answers(run: Run, asked: list[Row], entries: list[tuple[Row, int]]) -> dict[str, Answer]:
    """Return what a run says to each row."""
    verdicts = iter(run.verdicts())
    found = {}
    for row, count in entries:
        mine = [next(verdicts) for _ in range(count)]
        bad = [it for it in mine if not it.holds]
        found[row.key] = Answer(not bad, (bad or mine)[0].detail)
    tables = Asked(run)
    for row in asked:
        kind = KINDS[row.kind]
        if kind.ask is not None:
            found[row.key] = _asked(row, tables, kind.ask, kind.same)
    return found


def _asked(row: Row, run: Asked, ask: Callable[[Row, Asked], Any], same: Callable[[Row, Any], bool]) -> Answer:
    try:
        value = ask(row, run)
    except InputError as fault:  # an instant that never came
        return Answer(False, str(fault))
    return Answer(same(row, value), str(value))
