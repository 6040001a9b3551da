"""shimulator blast: everything that may befall a host, one row an act, the worst first."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from time import perf_counter

from sim.cli.files import scenario_of
from sim.cli.out import note, progress, say, say_json
from sim.cli.status import FAULT, HOLDS, INTERRUPTED
from sim.errors import InputError, Problem
from sim.experiment.acts import Act, chosen
from sim.experiment.blast import Host, Reader, blast, host_of
from sim.experiment.executors import Lanes, cores, opened
from sim.render.blast_text import blast_text, story_text
from sim.views.blast import Blast
from sim.writing import write_whole

STORIES = 12  # so many acts are told in full
PICTURES, PAGES = (".png", ".svg", ".pdf"), (".html", ".htm")


def main(options: argparse.Namespace) -> int:
    """Run every act, or those that are asked for, and print what they do."""
    outputs = [Path(it) for it in options.outputs]
    for output in outputs:
        check_output(output)
    host = host_of(reader_of(options), options.window)
    acts = asked_acts(host, options.only)
    began = perf_counter()
    with opened(cores() if options.jobs is None else options.jobs, options.cluster) as lanes:
        found = blasted(host, acts, options, lanes)
    took = perf_counter() - began
    for output in outputs:
        _write(output, found)
    _say(found, options, took, [str(it) for it in outputs])
    if found.ended:
        note(f"shimulator: {found.ended}")
        return INTERRUPTED
    return FAULT if any(row.failed for row in found.rows) else HOLDS


def reader_of(options: argparse.Namespace) -> Reader:
    """Return what reads the file under further settings."""
    return lambda settings: scenario_of(options.file, (*options.settings, *settings))


def asked_acts(host: Host, only: list[str], option: str = "--only") -> tuple[Act, ...]:
    """Return the acts that words name, all of them for none. Raises InputError."""
    named = [act for words in only for act in chosen(host.acts, words, option)]
    return tuple(dict.fromkeys(named)) if only else host.acts


def blasted(host: Host, acts: tuple[Act, ...], options: argparse.Namespace, lanes: Lanes) -> Blast:
    """Run acts on an executor that is open."""
    bar = progress(host.scenario.name, options.quiet or options.json)
    return blast(host, acts, options.seeds or 1, progress=bar, lanes=lanes)


def check_output(output: Path) -> None:
    """Refuse a place where no figure or page can stand, before anything is run. Raises InputError."""
    if output.suffix.lower() not in (*PICTURES, *PAGES):
        raise InputError([Problem(f"-o {output}", "this is no figure and no page", "Write x.png, x.svg or x.html.")])
    if not output.parent.is_dir():
        raise InputError([Problem(str(output), f"there is no folder {output.parent}", "Make it, or write elsewhere.")])


def _write(output: Path, found: Blast) -> None:
    if output.suffix.lower() in PAGES:
        from sim.render.blast_page import blast_html

        write_whole(output, blast_html(found))
        return
    from sim.render.blast_figure import draw_blast
    from sim.render.picture import write

    write(output, partial(draw_blast, found))


def _say(found: Blast, options: argparse.Namespace, took: float, written: list[str]) -> None:
    if options.json:
        from sim.render.blast_json import blast_json

        say_json(blast_json(found))
    elif not options.quiet:
        few = bool(options.only) and len({row.act for row in found.rows}) <= STORIES
        say(story_text(found) if few else blast_text(found, took_s=took, written=written), end="")
