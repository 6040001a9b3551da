"""shimulator run: one run told in full, or many seeds counted. What its JSON means stands in docs/json.md."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.cli.files import RESOLVED, RESULT, TRACE, TREES, is_many, is_stdin, scenarios_of
from sim.cli.out import begun, note, progress, say, say_json, width
from sim.cli.status import INTERRUPTED, status_of, worst
from sim.cli.store import check_ours, folder_of, store
from sim.cli.trouble import cut_short
from sim.drive.follow import driver_of
from sim.drive.timed import Timed
from sim.errors import InputError, Problem
from sim.experiment.run import Run
from sim.render.fates_text import fate_json
from sim.render.remedies_text import remedies_json
from sim.render.run_text import expectations, listed, run_text
from sim.scenario import Scenario
from sim.scenario.resolved import resolved
from sim.tracefile import SCHEMA_VERSION, lines
from sim.views.fates import KEPT
from sim.views.remedies import Remedies
from sim.views.summary import Summary
from sim.writing import Content

LARGE = 50_000_000  # bytes that are not written without a word


def main(options: argparse.Namespace) -> int:
    """Run each scenario of the file and report; the worst status counts. Several files and folders give one table."""
    if len(options.file) > 1 or is_many(options.file[0]):
        from sim.cli.catalogue import main as as_table

        return as_table(options)
    (options.file,) = options.file
    found = scenarios_of(options.file, options.settings)
    if options.output and len(found) > 1:
        one = "The runs go to runs/NAME/, one each."
        raise InputError([Problem("-o", f"{options.file} holds {len(found)} scenarios", one)])
    statuses = [_one(scenario, options) for scenario in found]
    return worst(statuses)


def _one(scenario: Scenario, options: argparse.Namespace) -> int:
    if options.seeds is not None:
        from sim.cli.seeds import main as over_seeds

        return over_seeds(options, scenario)
    folder = None if options.no_save else folder_of(options.output, scenario.name)
    if folder is not None:
        check_ours(folder)
    driver = _driver(scenario, options)
    try:
        driver.run()
    except KeyboardInterrupt:
        return _cut_short(driver, scenario, folder, "interrupted", INTERRUPTED)
    except (OSError, InputError, MemoryError):
        raise
    except Exception as fault:
        why, hint, status = cut_short(fault)
        _cut_short(driver, scenario, folder, why, status)
        note(hint)
        return status
    return _report(Run(scenario, driver.trace), folder, options)


def _driver(scenario: Scenario, options: argparse.Namespace) -> Timed:
    if options.live is None:
        return driver_of(scenario.setup, options.seed)
    from sim.cli.live import live

    return live(scenario.setup, options.seed, options.live, (lambda text: None) if options.quiet else note)


def _cut_short(driver: Timed, scenario: Scenario, folder: Path | None, why: str, status: int) -> int:
    """Keep what there is of a run that did not end."""
    trace = driver.trace
    trace.end, trace.note = driver.now, why
    note(f"shimulator: {why}")
    if folder is not None:
        _store(folder, {TRACE: b"".join(lines(trace, scenario.title)), RESOLVED: resolved(scenario)})
        note(f"shimulator: the {len(trace)} facts so far are in {folder}/{TRACE}")
    return status


def _store(folder: Path, files: Mapping[str, Content]) -> None:
    """Write the files of a run; what is large is said before."""
    size = sum(len(content) for content in files.values())
    if size > LARGE:
        note(f"shimulator: writes {size / 1e6:.0f} MB to {folder}/; --no-save writes nothing, an earlier until: less")
    store(folder, files)


# -- the report -------------------------------------------------------------------------------------


def _report(run: Run, folder: Path | None, options: argparse.Namespace) -> int:
    if options.quiet and folder is None and not options.json:
        verdicts = run.verdicts()
    else:
        summary = run.summary()
        verdicts = summary.verdicts
        found = _remedies(run, options) if options.remedies else None
        if folder is not None:
            _store(folder, _files(run, summary, found))
        if options.json:
            say_json(result(summary, found))
        elif not options.quiet:
            footer = _footer(summary, options, len(run.trace), folder)
            say(run_text(summary, remedies=found, footer=footer, width=width()), end="")
    wanting = tuple(verdict for verdict in verdicts if not verdict.holds)
    if options.quiet and wanting and not options.json:
        say(expectations(wanting, width()))
    return status_of([*(it.holds for it in verdicts), *begun(run.trace)])


def _remedies(run: Run, options: argparse.Namespace) -> Remedies:
    return run.remedies(options.jobs, progress("remedies", options.quiet or options.json))


def _footer(summary: Summary, options: argparse.Namespace, facts: int, folder: Path | None) -> str:
    holds = sum(verdict.holds is True for verdict in summary.verdicts)
    counts = [f"{holds} of {len(summary.verdicts)} hold"] if summary.verdicts else []
    files = [f"{folder}/: {TRACE} {RESULT} {TREES} {RESOLVED}"] if folder is not None else []
    rows = [" · ".join([*counts, f"{facts} facts", *files])]
    rows += listed("Assumed", summary.assumptions) + listed("Without effect on processes", summary.without_effect)
    if summary.live_restore is False and not is_stdin(options.file):
        word = shlex.quote(summary.source)
        rows.append(f"What if?  shimulator whatif {word} --set engine.daemon.live-restore=true")
    if any(fate.fate != KEPT for fate in summary.containers) and not options.remedies and not is_stdin(options.file):
        rows.append(f"What helps?  shimulator run {shlex.quote(summary.source)} --remedies")
    return "\n".join(rows)


def _files(run: Run, summary: Summary, remedies: Remedies | None) -> dict[str, str | bytes]:
    trees = "\n".join(f"# {p.label}, {p.view}\n{p.text}" for p in summary.pictures)
    return {
        TRACE: b"".join(lines(run.trace, run.scenario.title)),
        RESULT: json.dumps(result(summary, remedies), indent=2) + "\n",
        TREES: trees,
        RESOLVED: resolved(run.scenario),
    }


def result(summary: Summary, remedies: Remedies | None = None) -> dict[str, Any]:
    """Return the run as one JSON object; times are seconds from t = 0."""

    def seconds(at: int) -> float:
        return (at - summary.origin) / 1_000_000

    left = summary.left_out
    return {
        "schema_version": SCHEMA_VERSION,
        "title": summary.title,
        "source": summary.source,
        "engine": summary.engine,
        "live_restore": summary.live_restore,
        "profile": summary.profile,
        "seed": summary.seed,
        "end_s": seconds(summary.end),
        "skipped_ticks": summary.skipped,
        "left_out": None
        if left is None
        else {
            "since_s": seconds(left.since),
            "took_s": left.time / 1_000_000,
            "rounds": left.rounds,
            "of": list(summary.rounds_of),
        },
        "note": summary.note,
        "unanswered": [it.id for it in summary.unanswered],
        "not_taken": [it.id for it in summary.not_taken],
        "ports": summary.ports,
        "assumptions": list(summary.assumptions),
        "without_effect": list(summary.without_effect),
        "story": [
            {
                "at_s": seconds(line.at),
                "until_s": seconds(line.until),
                "text": line.text,
                "note": line.note,
                "step": line.step,
                "open": None if line.counts is None else {"remote": line.counts[0], "loopback": line.counts[1]},
            }
            for line in summary.lines
        ],
        "containers": [fate_json(fate) for fate in summary.containers],
        "expectations": [
            {"holds": v.holds, "at": v.label, "expected": v.text, "found": v.detail} for v in summary.verdicts
        ],
        "remedies": None if remedies is None else remedies_json(remedies),
    }
