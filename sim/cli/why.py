"""shimulator why: the chain of causes of a fact."""

from __future__ import annotations

import argparse

from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.cli.status import HOLDS
from sim.render.why_text import why_text
from sim.trace import Trace
from sim.tracefile import SCHEMA_VERSION
from sim.views.why import Why


def main(options: argparse.Namespace) -> int:
    """Print the fact and its causes, nearest first."""
    run = run_of(options.file, options.seed, options.settings)
    at = run.moment(options.at)
    answer = run.answer(options.fact, at)
    if options.json:
        say_json(as_json(answer, run.trace, at))
    else:
        say(why_text(answer, run.trace.origin))
    return HOLDS


def as_json(answer: Why, trace: Trace, at: int) -> dict[str, object]:
    """Return the answer as one JSON object; times are seconds from t = 0."""
    causes = [{"at_s": _seconds(link.at, trace), "seq": link.seq, "text": link.text} for link in answer.links]
    return {
        "schema_version": SCHEMA_VERSION,
        "fact": answer.fact,
        "at_s": _seconds(at, trace),
        "note": answer.note,
        "absent": answer.absent,
        "causes": causes,
    }


def _seconds(at: int | None, trace: Trace) -> float | None:
    return None if at is None else (at - trace.origin) / 1_000_000
