"""shimsim why: the chain of causes of a fact."""

from __future__ import annotations

import argparse

from sim.cli import HOLDS
from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.errors import InputError, Problem
from sim.render.clean import printable
from sim.tracefile import SCHEMA_VERSION
from sim.views.why import Unknown, why


def main(options: argparse.Namespace) -> int:
    """Print the fact and its causes, nearest first."""
    run = run_of(options.file, options.seed, options.settings)
    try:
        answer = why(run.trace, options.fact, run.moment(options.at))
    except Unknown as unknown:
        raise InputError([Problem(f"'{options.fact}'", str(unknown), "")]) from None
    origin = run.trace.origin
    if options.json:
        links = [
            {"at_s": None if link.at is None else (link.at - origin) / 1e6, "seq": link.seq, "text": link.text}
            for link in answer.links
        ]
        say_json({"schema_version": SCHEMA_VERSION, "fact": answer.fact, "causes": links})
        return HOLDS
    say(printable(answer.fact))
    for link in answer.links:
        moment = "" if link.at is None else f"{(link.at - origin) / 1e6:.6f} s"
        say(printable(f"  ← {link.text:<72} {moment:>16}  #{link.seq}"))
    if not answer.links:
        say("  ← nothing in this run changed it")
    return HOLDS
