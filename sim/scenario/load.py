"""Reading scenarios: from a path, a bundled name or text, with what-if settings.

Models: several documents in one file (`FILE#2` is the second), `extends`, `compose`, `PATH=VALUE`. Leaves out: standard
input, which the command line reads and passes as text. Source: the project's scenario language.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path as File

from msgspec.structs import replace

from sim.bundled import ROWS, bundled, bundled_names, row_names, shown
from sim.engine.setup import Instant, Target
from sim.errors import InputError, Problem
from sim.scenario.check import Report
from sim.scenario.compile import Compiler, Scenario
from sim.scenario.instants import parse_instant, parse_target
from sim.scenario.merge import Loader
from sim.scenario.profiles import with_profile
from sim.scenario.resolved import resolved
from sim.scenario.settings import set_path
from sim.scenario.text import Mark, Node, Problems, read
from sim.scenario.words import Refusal, counted, did_you_mean, listed
from sim.scenario.words import shown as one_line

NUMBERED = re.compile(r"(?P<file>.+)#(?P<number>[1-9][0-9]{0,5})\Z", re.DOTALL)
NAMED = 12  # so many documents are named where one must be chosen


def load(path_or_name: str | os.PathLike[str], text: str | None = None, settings: Sequence[str] = ()) -> Scenario:
    """Return the one scenario of a file, or the one that `FILE#2` numbers; raise InputError with every problem of it.

    *text* is read in place of the file, which then only gives the name and the folder. *settings* are `PATH=VALUE`.
    """
    return _load(path_or_name, text, settings, one=True)[0]


def load_all(
    path_or_name: str | os.PathLike[str], text: str | None = None, settings: Sequence[str] = ()
) -> list[Scenario]:
    """Return every scenario of a file (documents between `---`); raise InputError with every problem of all.

    Of `FILE#2` the second one is all.
    """
    return _load(path_or_name, text, settings, one=False)


def reload(scenario: Scenario, settings: Sequence[str]) -> Scenario:
    """Return a scenario with other settings, `PATH=VALUE`; it keeps its name and lines. Raises InputError.

    >>> changed = reload(load("x.yaml", "services: {web: {}}"), ["engine.daemon.live-restore=true"])
    >>> changed.name, changed.setup.engine.daemon.live_restore
    ('x', True)
    """
    changed = load(scenario.name, resolved(scenario), settings)
    lines = {step.id: step.line for terminal in scenario.setup.terminals for step in terminal}
    terminals = tuple(
        tuple(replace(step, line=lines.get(step.id, 0)) for step in terminal) for terminal in changed.setup.terminals
    )
    return replace(changed, source=scenario.source, setup=replace(changed.setup, terminals=terminals))


def instant(text: str, scenario: Scenario) -> Instant:
    """Return the moment that *text* names in *scenario*; for options such as --at. Raises InputError."""
    try:
        return parse_instant(text, scenario.names)
    except Refusal as refusal:
        raise InputError([Problem(f"'{text[:60]}'", refusal.what.removesuffix("."), refusal.hint)]) from None


def target(text: str, scenario: Scenario) -> Target:
    """Return the processes that *text* names in *scenario*. Raises InputError."""
    try:
        return parse_target(text, scenario.names)
    except Refusal as refusal:
        raise InputError([Problem(f"'{text[:60]}'", refusal.what.removesuffix("."), refusal.hint)]) from None


def _load(path_or_name: str | os.PathLike[str], text: str | None, settings: Sequence[str], one: bool) -> list[Scenario]:
    path, number = numbered(os.fspath(path_or_name))
    if text is None:
        path, text = _read_file(path)
    problems = Problems()
    documents = read(text, path, problems)
    if not documents:
        if not problems.found:
            problems.add(Mark(path, 1, 1), "there is no scenario in this file.", "shimulator init writes one.")
        problems.raise_if_any()
    name = os.path.splitext(os.path.basename(path))[0] or "scenario"
    chosen = list(enumerate(documents, 1))
    if not problems.found and (number or (one and len(documents) > 1)):
        chosen = [_chosen(documents, number, path, name)]
    scenarios = []
    for place, root in chosen:
        try:
            own, source = _own(name, place), shown(path) + (f"#{place}" if len(documents) > 1 else "")
            scenarios.append(_compile(root, own, path, source, settings))
        except _Found as found:
            problems.found += found.problems.found
    problems.raise_if_any()
    return scenarios


def numbered(path: str) -> tuple[str, int]:
    """Return the file and which of its documents is meant, 0 where no number is given; a file's name may hold #.

    >>> numbered("x.yaml#2"), numbered("x.yaml")
    (('x.yaml', 2), ('x.yaml', 0))
    """
    found = NUMBERED.match(path)
    if not found or os.path.lexists(path):
        return path, 0
    return found["file"], int(found["number"])


def _own(name: str, place: int) -> str:
    """Return the name of a file's document, and of its runs."""
    return name if place == 1 else f"{name}-{place}"


def _chosen(documents: list[Node], number: int, path: str, name: str) -> tuple[int, Node]:
    """Return the document with this number; raise InputError where there is none, or where none is given."""
    if 0 < number <= len(documents):
        return number, documents[number - 1]
    rows = []
    for place, root in enumerate(documents[:NAMED], 1):
        title = root.child("title")
        rows.append(f"{shown(path)}#{place} ({one_line(title.value if title and title.value else _own(name, place))})")
    more = f" and {len(documents) - NAMED} more" if len(documents) > NAMED else ""
    what = f"this file holds {counted(len(documents), 'scenario')}" + (f", there is no #{number}" if number else "")
    raise InputError([Problem(shown(path), what, f"Give one: {listed(rows)}{more}.")])


class _Found(Exception):
    """The problems of one document, on their way to those of the others."""

    def __init__(self, problems: Problems) -> None:
        super().__init__()
        self.problems = problems


def _compile(root: Node, name: str, path: str, source: str, settings: Sequence[str]) -> Scenario:
    """Return one document as a scenario; raise _Found with its problems."""
    report = Report()
    try:
        if root.value is not None and not isinstance(root.value, dict):
            report.problems.add(root.mark, "a scenario is a mapping.", "Begin with title: or services:.")
            report.problems.raise_if_any()
        if root.value is None:
            root = Node({}, root.mark)
        root = Loader(report, [path]).whole(root)
        for setting in settings:
            root = _apply(root, setting, report)
        return Compiler(with_profile(root, report), report).scenario(name, source)
    except InputError:
        raise _Found(report.problems) from None


def _apply(root: Node, setting: str, report: Report) -> Node:
    """Return *root* with one `PATH=VALUE`."""
    path, sign, value = setting.partition("=")
    try:
        if not sign or not path:
            raise Refusal(
                f"'{setting[:60]}' is not a setting.", "Write PATH=VALUE, like engine.daemon.live-restore=true."
            )
        return set_path(root, path.strip(), value)
    except Refusal as refusal:
        report.problems.add(Mark(f"--set {setting[:60]}", 0, 0), refusal.what, refusal.hint)
        return root


def _read_file(path: str) -> tuple[str, str]:
    """Return the path that was read and its text; a word without a folder may be the name of a bundled scenario."""
    file = File(path)
    try:
        if not file.exists() and os.sep not in path and "." not in path:
            found = bundled(path)
            file = found if found else file
        return str(file), file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError([Problem(f"{path}:1:1", "not text in UTF-8", "")]) from None
    except (OSError, ValueError) as error:
        why = (error.strerror or "cannot be read") if isinstance(error, OSError) else "cannot be the name of a file"
        names, rows = bundled_names(), row_names()
        some = f" {rows[0]} to {rows[-1]}: shimulator run {ROWS} runs all." if rows else ""
        hint = did_you_mean(path, names + rows) or f"Bundled scenarios: {listed(names) or 'none'}.{some}"
        raise InputError([Problem(f"{path[:200]}:1:1", why.lower(), hint)]) from None
