"""shimsim designs: the engines that are modelled, and where their facts come from."""

from __future__ import annotations

import argparse

from sim.cli import HOLDS
from sim.cli.out import say, say_json
from sim.designs import DESIGNS
from sim.tracefile import SCHEMA_VERSION


def main(options: argparse.Namespace) -> int:
    """List them."""
    if options.json:
        rows = [
            {"name": design.name, "title": design.title, "source": design.source, "programs": list(design.programs)}
            for design in DESIGNS.values()
        ]
        say_json({"schema_version": SCHEMA_VERSION, "designs": rows})
        return HOLDS
    for design in DESIGNS.values():
        ops = sum(len(procedure.ops) for procedure in design.procedures.values())
        say(f"{design.name:<14} {design.title}")
        say(f"{'':<14} programs: {', '.join(design.programs)}")
        say(f"{'':<14} {len(design.procedures)} procedures, {ops} ops")
        say(f"{'':<14} source: {design.source}")
    return HOLDS
