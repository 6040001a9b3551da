"""shimulator run with several files, a folder or `rows`: one table of all. No run is stored. JSON: docs/json.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from time import perf_counter

import msgspec

from sim.cli.files import files_of, scenarios_of
from sim.cli.foreign import told
from sim.cli.out import note, progress, say, say_json, width
from sim.cli.seeds import held_in_all, judge
from sim.cli.status import HOLDS, INTERRUPTED, UNDETERMINED, WRONG, status_of, worst
from sim.cli.trouble import cut_short
from sim.errors import InputError, Problem
from sim.experiment.seeds import over_seeds
from sim.render.catalogue_text import catalogue_text
from sim.scenario import Scenario
from sim.scenario.verdict import Verdict
from sim.trace import Trace
from sim.tracefile import SCHEMA_VERSION
from sim.views.catalogue import CatalogueEntry


def main(options: argparse.Namespace) -> int:
    """Run all; the worst status counts. What is done when Ctrl-C comes is printed."""
    for option in ("output", "live"):
        if getattr(options, option) is not None:
            what = "several scenarios are told in one table"
            raise InputError([Problem(f"--{option}", what, "Give one scenario, or leave it out.")])
    wrong: list[CatalogueEntry] = []
    scenarios = list(_scenarios(options, wrong))
    bar = progress(f"{len(scenarios)} scenarios", options.quiet or options.json)
    entries, statuses = wrong, [WRONG] if wrong else []
    of = len(scenarios) + len(wrong)
    try:
        for done, scenario in enumerate(scenarios, 1):
            entry, status = _entry(scenario, options)
            entries, statuses = [*entries, entry], [*statuses, status]
            if bar:
                bar(done, len(scenarios))
    except KeyboardInterrupt:
        note("shimulator: interrupted")
        statuses.append(INTERRUPTED)
    _say(entries, of, options)
    return worst(statuses)


def _scenarios(options: argparse.Namespace, wrong: list[CatalogueEntry]) -> Iterator[Scenario]:
    """Read all files before the first run; one that is wrong is an entry of its own."""
    for name in (file for word in options.file for file in files_of(word)):
        try:
            yield from scenarios_of(name, options.settings)
        except InputError as error:
            problems = "\n".join(map(str, told(error.problems)))
            wrong.append(CatalogueEntry(name, "", None, 0, 0, 1, 0.0, trouble=problems.partition("\n")[0]))
            note(problems)


class NeverBegan(Exception):
    """A run that nothing is expected of did not come to t = 0."""


def _judge(scenario: Scenario, trace: Trace) -> tuple[Verdict, ...]:
    """Evaluate the expectations of one run. Raises NeverBegan where there are none that could fail."""
    if not scenario.expectations and not trace.opened:
        raise NeverBegan(trace.note)
    return judge(scenario, trace)


def _entry(scenario: Scenario, options: argparse.Namespace) -> tuple[CatalogueEntry, int]:
    """Run one scenario over its seeds; a fault in the model ends this one alone."""
    seeds = range(1, options.seeds + 1) if options.seeds else (options.seed,)
    begun = perf_counter()
    try:
        rows = over_seeds(scenario, seeds, _judge, jobs=options.jobs)
    except (OSError, MemoryError):
        raise
    except NeverBegan as trouble:
        note(f"shimulator: {scenario.source}: {trouble}")
        return CatalogueEntry(
            scenario.source, scenario.title, None, 0, 0, len(seeds), 0.0, trouble=str(trouble)
        ), UNDETERMINED
    except Exception as fault:
        told, hint, status = cut_short(fault)
        note(f"shimulator: {scenario.source}: {told}\n{hint}")
        took = perf_counter() - begun
        count = len(scenario.expectations)
        return CatalogueEntry(scenario.source, scenario.title, None, 0, count, len(seeds), took, trouble=told), status
    verdicts = [held_in_all(row) for row in rows]
    status = status_of(verdicts)
    worst_seed = {row: f" at --seed {row.worst or 1}" if len(seeds) > 1 else "" for row in rows}
    wanting = tuple(
        f"{'✗' if row.failed else '?'} {row.label}: {row.text}: {row.detail}{worst_seed[row]}".rstrip(": ")
        for row, holds in zip(rows, verdicts, strict=True) if not holds
    )  # fmt: skip
    holds = True if status == HOLDS else None if None in verdicts and False not in verdicts else False
    took = perf_counter() - begun
    return CatalogueEntry(
        scenario.source, scenario.title, holds, sum(it is True for it in verdicts), len(rows), len(seeds), took, wanting
    ), status


def _say(entries: list[CatalogueEntry], of: int, options: argparse.Namespace) -> None:
    if options.json:
        rows = [msgspec.to_builtins(entry) for entry in entries]
        say_json({"schema_version": SCHEMA_VERSION, "seeds": options.seeds or 1, "of": of, "scenarios": rows})
        return
    text = catalogue_text(entries, of, width=width(), quiet=options.quiet)
    if text:
        say(text)
