"""From words to answers: files, the values and faults that are asked about, and one comparison for each file and fault.

Models: the command line's words, or a file's `whatif:` block where the command line says nothing; faults are no
alternatives but other baselines, each compared under the same settings. Leaves out reading files. Source: the project's
own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from sim.errors import InputError, Problem
from sim.experiment.executors import Lanes
from sim.experiment.faulted import fault_setting
from sim.experiment.replicate import Progress
from sim.experiment.whatif import Precision, Settings, Terms, whatif_of
from sim.scenario import Scenario
from sim.scenario.asked import Asked, dimension, grid, parts, zipped
from sim.scenario.units import duration
from sim.scenario.words import Refusal
from sim.views.comparison import WhatIf

Reader = Callable[[Settings], Scenario]  # a scenario under settings
Bar = Callable[[str], Progress | None]  # a progress bar with these words


class Question(msgspec.Struct, frozen=True):
    """One file and one fault ("": its own): the baseline, and the alternatives with their settings."""

    base: Scenario
    others: tuple[Scenario, ...]
    alternatives: tuple[tuple[str, ...], ...]
    fault: str
    always: tuple[str, ...]
    terms: Terms

    def within(self, lanes: Lanes) -> Question:
        """Return the question, to be answered on an executor that is open."""
        return replace(self, terms=self.terms._replace(lanes=lanes))

    @property
    def words(self) -> str:
        """Return what a progress bar says."""
        return f"{self.base.name}{', ' if self.fault else ''}{self.fault}"


def asked_for(settings: Sequence[str], designs: str | None, faults: str | None, *, zip_: bool = False) -> Asked:
    """Read the command line's words: `--set PATH=V1,V2`, `--design A,B`, `--faults F1,F2`. Raises InputError."""
    words = [*settings, *([f"engine.design={designs}"] if designs else [])]
    problems, dimensions = [], []
    for setting in words:
        try:
            dimensions.append(dimension(setting))
        except Refusal as refusal:
            problems.append(Problem(f"--set {setting[:60]}", refusal.what.removesuffix("."), refusal.hint))
    try:
        found = (zipped if zip_ else grid)(dimensions) if dimensions else ()
    except Refusal as refusal:
        problems.append(Problem("--set", refusal.what.removesuffix("."), refusal.hint))
        found = ()
    if problems:
        raise InputError(problems)
    return Asked(found, tuple(parts(faults)) if faults else ())


def questions(reader: Reader, asked: Asked, terms: Terms) -> Iterator[Question]:
    """Yield the questions of one file: what is asked for goes before what the file's block says. Raises InputError."""
    own = reader(()).asked
    terms = with_block(terms, asked, own)
    alternatives = asked.alternatives or own.alternatives
    for fault in asked.faults or own.faults or ("",):
        always = list(terms.settings())
        if fault:
            always.insert(0, fault_setting(reader(()), fault))
        others = tuple(reader((*always, *settings)) for settings in alternatives)
        yield Question(reader(always), others, alternatives, fault, tuple(always), terms)


def with_block(terms: Terms, asked: Asked, own: Asked) -> Terms:
    """Return the terms: what is asked for, else what the file's block says, else what is usual."""
    return terms._replace(
        seeds=asked.seeds or own.seeds or terms.seeds,
        most=asked.most or own.most or terms.most,
        window=asked.window or own.window,
        precision=precision(asked.precision or own.precision),
    )


def answers(asked: Sequence[Question], bar: Bar) -> Iterator[WhatIf]:
    """Yield the comparison of each question; after one that was interrupted, none."""
    for place, question in enumerate(asked, 1):
        of = f" ({place} of {len(asked)})" if len(asked) > 1 else ""
        terms = question.terms._replace(progress=bar(question.words + of))
        sides = (question.base, question.others, question.alternatives)
        found = whatif_of(*sides, terms, question.fault, question.always)
        yield found
        if found.ended.startswith("interrupted"):
            return


def precision(text: str | None, where: str = "--precision") -> Precision | None:
    """Read `5%` or `100ms`. Raises InputError.

    >>> precision("5%"), precision("100ms")
    (Precision(seconds=0.0, share=0.05), Precision(seconds=0.1, share=0.0))
    """
    if text is None:
        return None
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else 0.0
        found = Precision(share=share) if text.endswith("%") else Precision(duration(text) / 1_000_000)
    except (ValueError, Refusal):
        found = Precision()
    if not 0 < found.seconds + found.share < 1e9:
        raise InputError([Problem(f"{where} {text[:40]}", "this is no width of an interval", "Write 100ms or 5%.")])
    return found
