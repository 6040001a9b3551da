"""shimsim run: one run told in full, or many seeds counted."""

from __future__ import annotations

import argparse
from typing import Any

from sim.cli import FAILS, FAULT, HOLDS, INTERRUPTED, UNDETERMINED
from sim.cli.files import RESOLVED, RESULT, TRACE, TREES, scenario_of
from sim.cli.out import note, say, say_json
from sim.cli.store import folder_of, store
from sim.drive.timed import Timed
from sim.errors import InputError, Problem
from sim.experiment.run import Run
from sim.render.run_text import expectations, run_text
from sim.scenario import Scenario, resolved
from sim.tracefile import SCHEMA_VERSION, lines
from sim.views.summary import Summary, VerdictLine


def main(options: argparse.Namespace) -> int:
    """Run the scenario and report."""
    scenario = scenario_of(options.file, options.settings)
    if options.seeds is not None:
        from sim.cli.seeds import main as over_seeds

        return over_seeds(options, scenario)
    driver = Timed(scenario.setup, options.seed, env=_clock(options))
    try:
        driver.run()
    except KeyboardInterrupt:
        return _cut_short(driver, scenario, options, "interrupted", INTERRUPTED)
    except Exception as fault:
        if isinstance(fault, (OSError, InputError)):
            raise
        return _cut_short(driver, scenario, options, f"a fault in the model: {fault}", FAULT)
    return _report(Run(scenario, driver.trace), options)


def _clock(options: argparse.Namespace) -> Any:
    if options.live is None:
        return None
    if options.live <= 0:
        raise InputError([Problem("--live", f"{options.live} is no speed", "Give a number above 0; 1 is real time.")])
    from sim.drive.live import live_clock

    return live_clock(options.live)


def _cut_short(driver: Timed, scenario: Scenario, options: argparse.Namespace, why: str, status: int) -> int:
    """Keep what there is of a run that did not end."""
    trace = driver.trace
    trace.end, trace.note = driver.now, why
    note(f"shimsim: {why}")
    if not options.no_save:
        folder = folder_of(options.output, scenario.name)
        store(folder, {TRACE: b"".join(lines(trace, scenario.title)), RESOLVED: resolved(scenario)})
        note(f"shimsim: the {len(trace)} facts so far are in {folder}/{TRACE}")
    return status


def _report(run: Run, options: argparse.Namespace) -> int:
    quick = options.quiet and options.no_save
    summary = run.summary(pictures=not quick)
    status = status_of(summary.verdicts)
    footer = ""
    if not options.no_save:
        folder = folder_of(options.output, run.scenario.name)
        store(folder, _files(run, summary))
        footer = f"{folder}/: {TRACE} {RESULT} {TREES} {RESOLVED}"
    if options.json:
        say_json(result(summary))
    elif not options.quiet:
        say(run_text(summary, footer=_footer(run, summary, options, footer)), end="")
    elif status:
        say(expectations(tuple(v for v in summary.verdicts if not v.holds)))
    return status


def status_of(verdicts: tuple[VerdictLine, ...]) -> int:
    """Return the exit status that verdicts mean."""
    if any(verdict.holds is False for verdict in verdicts):
        return FAILS
    return UNDETERMINED if any(verdict.holds is None for verdict in verdicts) else HOLDS


def _footer(run: Run, summary: Summary, options: argparse.Namespace, files: str) -> str:
    holds = sum(verdict.holds is True for verdict in summary.verdicts)
    counts = f"{holds} of {len(summary.verdicts)} hold · " if summary.verdicts else ""
    rows = [f"{counts}{len(run.trace)} facts" + (f" · {files}" if files else "")]
    rows += [f"Assumed: {'; '.join(summary.assumptions)}"] if summary.assumptions else []
    rows += [f"Without effect on processes: {', '.join(summary.without_effect)}"] if summary.without_effect else []
    if not summary.live_restore:
        rows.append(f"What if?  shimsim whatif {options.file} --set engine.daemon.live-restore=true")
    return "\n".join(rows)


def _files(run: Run, summary: Summary) -> dict[str, str | bytes]:
    import json

    trees = "\n".join(f"# {p.label}, {p.view}\n{p.text}" for p in summary.pictures)
    return {
        TRACE: b"".join(lines(run.trace, run.scenario.title)),
        RESULT: json.dumps(result(summary), indent=2) + "\n",
        TREES: trees,
        RESOLVED: resolved(run.scenario),
    }


def result(summary: Summary) -> dict[str, Any]:
    """Return the run as one JSON object; times are seconds from t = 0."""

    def seconds(at: int) -> float:
        return (at - summary.origin) / 1_000_000

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
        "note": summary.note,
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
        "expectations": [
            {"holds": v.holds, "at": v.label, "expected": v.text, "found": v.detail} for v in summary.verdicts
        ],
    }
