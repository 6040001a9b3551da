"""shimulator calibrate: measured phases in, a profile out, and how good it is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from sim.calibration.calibrate import CalibrationRequest, Effort, calibrate
from sim.calibration.cells import Terms, Wanted, day
from sim.calibration.events import is_events
from sim.calibration.phases import BY_NAME, LOADED
from sim.calibration.reading import UNITS, read_all
from sim.cli.files import is_stdin, stdin_text
from sim.cli.out import note, say, say_json
from sim.cli.status import HOLDS
from sim.designs import DESIGNS
from sim.durations import Profile
from sim.errors import InputError, Problem, nearest
from sim.latency import PROFILES
from sim.render.calibration_text import calibration_text
from sim.scenario.engines import design_of
from sim.scenario.profiles import distribution_plain, profile_text
from sim.scenario.words import Refusal
from sim.tracefile import SCHEMA_VERSION
from sim.views.calibration import Calibration
from sim.writing import try_to_write, write_whole

EFFORT = Effort()
PICTURES = (".png", ".svg", ".pdf")


def main(options: argparse.Namespace) -> int:
    """Fit, print the tables, write what is asked for."""
    asked, terms = _asked(options), _terms(options)
    _check(options)
    files, checks = [_file(name) for name in options.file], [_file(name) for name in options.check]
    _check_tables(options, [*files, *checks])
    fitted = read_all(files, terms)
    checked = read_all(checks, terms._replace(phases=frozenset(LOADED)))
    seen = not options.quiet and sys.stderr is not None and sys.stderr.isatty()
    found, profile = calibrate(fitted, checked, asked, (lambda words: note(f"… {words}")) if seen else _silent)
    _check_fitted(options, found)
    if options.output:
        write_whole(Path(options.output), profile_text(asked.name, tuple(profile.items()), about(found)))
    if options.plot:
        _draw(found, options.plot)
    if options.json:
        say_json(_plain(found, profile, options))
    elif not options.quiet:
        say(calibration_text(found))
        _say_files(options)
    return HOLDS


def _silent(_: str) -> None:
    """Tell nobody: progress is for terminals."""


# -- what is asked for ------------------------------------------------------------------------------


def _asked(options: argparse.Namespace) -> CalibrationRequest:
    try:
        design = design_of(options.design).name
    except Refusal as refusal:
        raise InputError([Problem("--design", refusal.what.rstrip("."), refusal.hint)]) from None
    base = options.base or DESIGNS[design].traits.profile
    if base not in PROFILES:
        hint = f"{nearest(base, PROFILES)} Valid: {', '.join(PROFILES)}.".strip()
        raise InputError([Problem("--base", f"there is no profile {base!r}", hint)])
    name = options.name or (Path(options.output).stem if options.output else "calibrated")
    demand = None if options.demand == "none" else 0 if options.demand is None else int(options.demand)
    return CalibrationRequest(name, design, base, options.cores, demand, EFFORT)


def _terms(options: argparse.Namespace) -> Terms:
    problems: list[Problem] = []
    pairs = [_pair("--phase", words, "start=total_ms", problems) for words in options.phases]
    wanted = [Wanted(*pair) for pair in pairs if pair is not None]
    for it in wanted:
        if it.phase not in BY_NAME:
            hint = f"{nearest(it.phase, BY_NAME)} Valid: {', '.join(BY_NAME)}.".strip()
            problems.append(Problem(f"--phase {it.phase}={it.column}", f"there is no phase {it.phase!r}", hint))
    for it in {it.phase: it for n, it in enumerate(wanted) if it.phase in [last.phase for last in wanted[:n]]}.values():
        columns = " and ".join(other.column for other in wanted if other.phase == it.phase)
        hint = "Its rows would count twice: give one column a phase, or calibrate from the other in a call of its own."
        problems.append(Problem(f"--phase {it.phase}={it.column}", f"{it.phase} is given twice: {columns}", hint))
    where = [pair for words in options.where if (pair := _pair("--where", words, "mode=port", problems))]
    if options.unit and options.unit not in UNITS:
        what = f"{options.unit!r} is no unit of time"
        problems.append(Problem("--unit", what, f"{nearest(options.unit, UNITS)} Valid: {', '.join(UNITS)}.".strip()))
    if problems:
        raise InputError(problems)
    return Terms(tuple(wanted), tuple(where), options.unit or "", options.load or "", options.date or "")


def _pair(option: str, words: str, example: str, problems: list[Problem]) -> tuple[str, str] | None:
    left, sign, right = words.partition("=")
    if not (left.strip() and sign and right.strip()):
        problems.append(Problem(f"{option} {words[:60]}", "this is no pair", f"Write {option} {example}."))
        return None
    return left.strip(), right.strip()


def _check(options: argparse.Namespace) -> None:
    """Refuse files that count twice, and places where nothing can be written, before anything is run."""
    seen: set[Path | str] = set()
    for name in (*options.file, *options.check):
        same = "-" if is_stdin(name) else Path(name).resolve()
        if same in seen:
            hint = "Its rows would count twice. --check is for files that are not fitted."
            raise InputError([Problem(name[:200], "this file is given twice", hint)])
        seen.add(same)
    for option, path, endings in (("-o", options.output, (".yaml", ".yml")), ("--plot", options.plot, PICTURES)):
        if not path:
            continue
        if Path(path).suffix.lower() not in endings:
            raise InputError([Problem(f"{option} {path}", "its ending does not say what it is to be",
                                      f"Valid endings: {', '.join(endings)}.")])  # fmt: skip
        try:
            there = Path(path).parent.is_dir() and not Path(path).is_dir()
            if there:
                try_to_write(Path(path))
        except OSError as error:
            why = (error.strerror or "no right to write").lower()
            hint = "Choose a folder in which you may write."
            raise InputError([Problem(f"{option} {path[:200]}", f"it cannot be written: {why}", hint)]) from None
        if not there:
            raise InputError([Problem(f"{option} {path}", "there is no folder for it", "Make it, or write elsewhere.")])


def _check_tables(options: argparse.Namespace, files: list[tuple[str, str, str]]) -> None:
    """Refuse options that only tables heed, where no file is one."""
    if not all(is_events(text) for _, text, _ in files):
        return
    given = {"--phase": options.phases, "--where": options.where, "--unit": options.unit, "--load": options.load}
    what = "the files hold events of docker, which have no columns"
    hint = "Leave it out: pairs of events are phases, with times of their own. It is for CSV files."
    problems = [Problem(option, what, hint) for option, value in given.items() if value]
    if problems:
        raise InputError(problems)


def _check_fitted(options: argparse.Namespace, found: Calibration) -> None:
    """Refuse to write a profile that would be its base under another name."""
    if options.output and all(phase.why for phase in found.phases):
        why = "; ".join(f"{phase.name}: {phase.why}" for phase in found.phases)
        hint = f"The file would hold {found.base} under another name. Without -o the table compares."
        raise InputError([Problem(f"-o {options.output}", f"nothing was fitted: {why}", hint)])


def _file(name: str) -> tuple[str, str, str]:
    """Return a file's name, text and day. Raises InputError."""
    if is_stdin(name):
        return "stdin", stdin_text(), ""
    path = Path(name)
    try:
        return name, path.read_text(encoding="utf-8"), day(path.stat().st_mtime)
    except UnicodeDecodeError:
        raise InputError([Problem(f"{name}:1:1", "not text in UTF-8", "Save it as UTF-8.")]) from None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "cannot be read").lower()
        hint = "Give CSV files, or lines of docker events --format '{{json .}}'."
        raise InputError([Problem(f"{name[:200]}:1:1", why, hint)]) from None


# -- what is made -----------------------------------------------------------------------------------


def about(found: Calibration) -> str:
    """Return the heading of the profile's file."""
    return (
        f"made by shimulator calibrate for {found.design}; rows that were not fitted are those of {found.base}\n"
        "use it: engine: {profile: THIS FILE}, or shimulator run FILE --profile THIS FILE\n"
    )


def _draw(found: Calibration, path: str) -> None:
    from sim.render.calibration_figure import draw_fits
    from sim.render.picture import write

    write(path, lambda: draw_fits(found))


def _say_files(options: argparse.Namespace) -> None:
    say("")
    if options.plot:
        say(f"{options.plot}: a quantile-quantile plot of each phase")
    if options.output:
        say(f"{options.output}: shimulator run FILE --profile {options.output}")
    else:
        say("-o FILE.yaml writes the profile.")


def _plain(found: Calibration, profile: Profile, options: argparse.Namespace) -> dict[str, Any]:
    """Return what --json prints; distributions are spelt as in a profile."""
    told = msgspec.to_builtins(found, enc_hook=repr)
    for phase, it in zip(told["phases"], found.phases, strict=True):
        for fit, mine in zip(phase["tried"], it.tried, strict=True):
            fit["distribution"] = distribution_plain(mine.distribution)
        if it.chosen is not None:
            phase["chosen"]["distribution"] = distribution_plain(it.chosen.distribution)
        phase["sample"]["values"] = len(it.sample.values)
        phase["sample"]["n"] = phase["sample"].pop("values")
    return {"schema_version": SCHEMA_VERSION, **told, "output": options.output, "plot": options.plot}
