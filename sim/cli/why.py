"""shimsim why: the chain of causes of a fact."""

from __future__ import annotations

import argparse

from sim.cli import HOLDS
from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.errors import InputError, Problem
from sim.facts import StepTaken
from sim.trace import Trace
from sim.tracefile import SCHEMA_VERSION
from sim.views.why import Link, Unknown, Why, why

WIDEST = 76
MOST, LAST = 24, 6  # of a longer chain the nearest causes and the last ones are printed


def main(options: argparse.Namespace) -> int:
    """Print the fact and its causes, nearest first."""
    run = run_of(options.file, options.seed, options.settings)
    at = run.moment(options.at)
    try:
        answer = why(run.trace, options.fact, at)
    except Unknown as unknown:
        raise InputError([Problem(f"'{options.fact[:80]}'", str(unknown), "")]) from None
    if options.json:
        say_json(as_json(answer, run.trace, at))
    else:
        say(as_text(answer, run.trace))
    return HOLDS


def as_json(answer: Why, trace: Trace, at: int) -> dict[str, object]:
    """Return the answer as one JSON object; times are seconds from t = 0."""
    causes = [{"at_s": _seconds(link.at, trace), "seq": link.seq, "text": link.text} for link in answer.links]
    return {
        "schema_version": SCHEMA_VERSION,
        "fact": answer.fact,
        "at_s": _seconds(at, trace),
        "note": answer.note,
        "causes": causes,
    }


def _seconds(at: int | None, trace: Trace) -> float | None:
    return None if at is None else (at - trace.origin) / 1_000_000


def as_text(answer: Why, trace: Trace) -> str:
    """Return the answer in lines; moments are written as --at takes them, counted from the step that began it."""
    width = min(WIDEST, max((len(link.text) for link in answer.links), default=0))
    rows = [f"  ← {link.text:<{width}}  {_moment(link, answer, trace)}".rstrip() for link in answer.links]
    if len(rows) > MOST:
        rows[MOST - LAST : -LAST] = [f"  ⋯ {len(rows) - MOST} causes between; --json has them all ⋯"]
    if answer.note:
        rows.append(f"  ← {answer.note}")
    return "\n".join([answer.fact, *rows])


def _moment(link: Link, answer: Why, trace: Trace) -> str:
    last = answer.links[-1]
    begun = trace.records[last.seq].event
    if link.at is None:
        return ""
    if isinstance(begun, StepTaken) and not begun.id.startswith("(") and last.at is not None:
        return f"{begun.id}+{(link.at - last.at) / 1e6:.6f}s" if link is not last else _plain(last.at, trace)
    return _plain(link.at, trace)


def _plain(at: int, trace: Trace) -> str:
    return f"{(at - trace.origin) / 1e6:.6f}s"
