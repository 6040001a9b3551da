"""shimulator check: whether a host holds what it must after an act; for people, for JUnit and for GitHub."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli.blast import reader_of
from sim.cli.files import scenario_of
from sim.cli.out import note, progress, say, say_json
from sim.cli.status import INTERRUPTED, status_of
from sim.engine.setup import S
from sim.errors import InputError, Problem
from sim.experiment.blast import host_of, window_of
from sim.experiment.check import check
from sim.experiment.executors import cores, opened
from sim.experiment.replicate import WORTH_A_POOL
from sim.render.check_text import check_json, check_text, junit, workflow_commands
from sim.scenario.must import Must, must_of
from sim.scenario.words import Refusal
from sim.views.checked import Checked
from sim.writing import write_whole


def main(options: argparse.Namespace) -> int:
    """Run the acts, say what holds; the status is 1 if a container breaks a limit."""
    musts = asked_musts(options)
    if options.junit and not Path(options.junit).parent.is_dir():
        where = f"--junit {options.junit}"
        raise InputError([Problem(where, "there is no such folder", "Make it, or write elsewhere.")])
    host = host_of(reader_of(options), _window(options.window, musts), cases=False)
    seeds = options.seeds or 1
    jobs = 1 if seeds * len(musts) < WORTH_A_POOL else cores() if options.jobs is None else options.jobs
    with opened(jobs, options.cluster) as lanes:
        bar = progress(host.scenario.name, options.quiet or options.json or options.github)
        found = check(host, musts, seeds, progress=bar, lanes=lanes)
    if options.junit:
        write_whole(Path(options.junit), junit(found))
    _say(found, options)
    if found.ended:
        note(f"shimulator: {found.ended}")
        return INTERRUPTED
    return status_of(it.holds for it in found.held)


def asked_musts(options: argparse.Namespace) -> tuple[Must, ...]:
    """Return what the command line asks for, else the file's `must:`. Raises InputError."""
    given = {"lose": options.lose, "replace": options.replace, "max-dark": options.max_dark,
             "back-within": options.back_within}  # fmt: skip
    if options.on or any(value is not None for value in given.values()):
        try:
            return (must_of(tuple(options.on), given),)
        except Refusal as refusal:
            option = f"--{refusal.below[0]}" if refusal.below else "--on"
            raise InputError([Problem(option, refusal.what.removesuffix("."), refusal.hint)]) from None
    found = scenario_of(options.file, options.settings).asked.must
    if not found:
        hint = "Write --on upgrade --lose none --max-dark 5s, or a must: list in the file."
        raise InputError([Problem(options.file, "nothing is said that must hold", hint)])
    return found


def _window(asked: str, musts: tuple[Must, ...]) -> str:
    """Return how long to look after an act: as long as is asked for, and longer than any limit."""
    limits = [it for must in musts for it in (must.max_dark, must.back_within) if it is not None]
    return f"{max(window_of(asked), *(limit + S for limit in limits), 0)}us"


def _say(found: Checked, options: argparse.Namespace) -> None:
    if options.json:
        say_json(check_json(found))
    elif options.github:
        say(workflow_commands(found), end="")
    elif not options.quiet or any(it.holds is not True for it in found.held):
        say(check_text(found), end="")
