"""What a command may be given: a scenario, a bundled name, a run's folder, a trace, a process table, standard input.

`FILE#2` is the second scenario of a file, `-#2` of standard input; a folder of scenarios and `rows` are many, where a
command takes many. A trace is known by its first line, a table by its
brace, everything else is a scenario. Source: the project's own.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sim.bundled import ROWS, bundled, row_names
from sim.cli.foreign import STDIN as STDIN_NAMES
from sim.cli.foreign import refuse_compose
from sim.errors import InputError, Problem
from sim.experiment.run import Run, run_scenario
from sim.scenario import Scenario, load, load_all
from sim.scenario.load import numbered
from sim.trace import Trace
from sim.tracefile import read
from sim.views.table import Table, load_table, parse_table

TRACE, RESOLVED, RESULT, TREES, MARK = (
    "trace.jsonl",
    "scenario.resolved.yaml",
    "result.json",
    "trees.txt",
    ".shimulator",
)
TRACE_BEGINS = b'{"schema_version":'
STDIN = "stdin"
COMPOSE = re.compile(r"(docker-)?compose(\.override)?\Z")  # names without suffix that Compose looks for


def scenario_of(name: str, settings: Sequence[str] = ()) -> Scenario:
    """Read a scenario, also the one that a run's folder keeps; - is standard input. Raises InputError."""
    if is_stdin(name):
        return load(stdin_name(name), _scenario_text(_stdin()), tuple(settings))
    path = Path(name)
    if is_run(path):
        return _resolved(path, settings)
    if _is_trace(path):
        if path.name == TRACE and (path.parent / RESOLVED).is_file():
            return _resolved(path.parent, settings)
        what = "a trace is over and cannot be run"
        raise InputError([Problem(name, what, "Give its scenario; show, plot and why read it.")])
    return load(_plain_file(path), settings=tuple(settings))


def scenarios_of(name: str, settings: Sequence[str] = ()) -> list[Scenario]:
    """Read every scenario of a file (documents between `---`). Raises InputError."""
    path = Path(name)
    if is_stdin(name):
        return load_all(stdin_name(name), _scenario_text(_stdin()), tuple(settings))
    if is_run(path) or _is_trace(path):
        return [scenario_of(name, settings)]
    return load_all(_plain_file(path), settings=tuple(settings))


def is_many(name: str) -> bool:
    """Say whether a word stands for several files: a folder of scenarios, or the rows of the transition table."""
    path = Path(name)
    if not path.is_dir():
        return name == ROWS and not path.exists()
    return not is_run(path) and bundled(str(path)) is None and bool(_scenario_files(path))


def files_of(name: str) -> list[str]:
    """Return the files that a word stands for, by their names in order."""
    if not is_many(name):
        return [name]
    path = Path(name)
    return [str(file) for file in _scenario_files(path)] if path.is_dir() else row_names()


def _scenario_files(folder: Path) -> list[Path]:
    """Return the scenarios of a folder; a Compose file beside them, by the names that Compose looks for, is none."""
    files = (file for file in folder.iterdir() if file.suffix in (".yaml", ".yml") and file.is_file())
    return sorted(file for file in files if not COMPOSE.match(file.stem))


def run_of(
    name: str, seed: int = 1, settings: Sequence[str] = (), check: Callable[[str], None] = lambda design: None
) -> Run:
    """Return the run that *name* stands for: read back from a folder or trace, else made from a scenario.

    *check* is given the design's name before a scenario is run, and may raise InputError.
    """
    if is_stdin(name):
        content = _stdin()
        if not content.startswith(TRACE_BEGINS):
            return _made(scenario_of(name, settings), seed, check)
        _nothing_set(settings)
        return _bare(*read(io.BytesIO(content), STDIN))
    path = Path(name)
    if is_run(path):
        _nothing_set(settings)
        return Run(_resolved(path, ()), _read_trace(path / TRACE)[0])
    if _is_trace(path):
        _nothing_set(settings)
        if path.name == TRACE and is_run(path.parent):
            return Run(_resolved(path.parent, ()), _read_trace(path)[0])
        return _bare(*_read_trace(path))
    return _made(scenario_of(name, settings), seed, check)


def _made(scenario: Scenario, seed: int, check: Callable[[str], None]) -> Run:
    check(scenario.setup.engine.design)
    return run_scenario(scenario, seed)


def table_of(name: str) -> Table | None:
    """Return the process table that *name* holds in JSON, None if it is something else. Raises InputError."""
    if name == "-":
        content = _stdin()
        if content.lstrip().startswith(b"{") and b'"procs"' in content:
            return parse_table(content.decode("utf-8", "replace"), STDIN)
        return None
    return load_table(name) if Path(name).suffix == ".json" else None


def is_stdin(name: str) -> bool:
    """Say whether - is given, or -#2 for the second scenario that stands there."""
    return name == "-" or (name.startswith("-#") and numbered(name)[1] > 0)


def stdin_name(name: str) -> str:
    """Return the name of a file that stands for standard input, with the number of the scenario that is meant."""
    return f"{STDIN}.yaml{name[1:]}"


def is_run(path: Path) -> bool:
    """Return whether a folder is one that shimulator run has written."""
    return path.is_dir() and (path / TRACE).is_file() and (path / RESOLVED).is_file()


# -- reading ----------------------------------------------------------------------------------------

_given: list[tuple[Any, bytes]] = []  # standard input and what it held, since it can be read once


def _stdin() -> bytes:
    """Return standard input as it was given."""
    if not _given or _given[0][0] is not sys.stdin:
        buffer = getattr(sys.stdin, "buffer", None)
        content = buffer.read() if buffer is not None else sys.stdin.read().encode() if sys.stdin else b""
        _given[:] = [(sys.stdin, content)]
    return _given[0][1]


def _stdin_given() -> bytes:
    """Return what was read of standard input so far."""
    return _given[0][1] if _given else b""


STDIN_NAMES.update(dict.fromkeys((STDIN, f"{STDIN}.yaml"), _stdin_given))


def stdin_bytes() -> bytes:
    """Return standard input as it was given, for readers that take any form."""
    return _stdin()


def stdin_text() -> str:
    """Return standard input as text, for readers that take text."""
    return _stdin().decode("utf-8", "replace")


def _scenario_text(content: bytes) -> str:
    """Return a scenario's text; a trace and what is no text are refused."""
    if content.startswith(TRACE_BEGINS):
        raise InputError([Problem(STDIN, "a trace is over and cannot be run", "Give a scenario.")])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError([Problem(f"{STDIN}:{line}:1", "not text in UTF-8", "Save it as UTF-8.")]) from None


def _plain_file(path: Path) -> str:
    """Return the path to read; where a folder has the name of a bundled scenario, that is meant."""
    if not path.is_dir():
        refuse_compose(path)
        return str(path)
    found = bundled(str(path))
    if found is None:
        what = f"this folder is no run: it has no {TRACE} and {RESOLVED}"
        raise InputError([Problem(str(path), what, "shimulator run writes runs/NAME/.")])
    return str(found)


def _is_trace(path: Path) -> bool:
    """Say whether a file holds a trace, by its name or by how it begins."""
    if path.suffix == ".jsonl":
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(TRACE_BEGINS)) == TRACE_BEGINS
    except OSError:
        return False


def _read_trace(file: Path) -> tuple[Trace, str]:
    try:
        with file.open("rb") as lines:
            return read(lines, str(file))
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise InputError([Problem(str(file), why, "shimulator run writes runs/NAME/trace.jsonl.")]) from None


def _resolved(folder: Path, settings: Sequence[str]) -> Scenario:
    """Return the scenario of a run's folder, under the folder's name."""
    return replace(load(str(folder / RESOLVED), settings=tuple(settings)), name=folder.resolve().name)


def _nothing_set(settings: Iterable[str]) -> None:
    if settings:
        raise InputError([Problem("--set", "a run that is over cannot be changed", "Give its scenario instead.")])


def _bare(trace: Trace, title: str) -> Run:
    """Return the run of a trace alone: no expectations, the names that its setup has."""
    from sim.scenario.instants import Names

    setup = trace.setup
    ids = tuple(step.id for terminal in setup.terminals for step in terminal)
    names = {service.name: service.name for service in setup.services}
    known: Any = Names(ids, names, setup.host.epoch, setup.host.tz_minutes, design=setup.engine.design)
    return Run(Scenario(title, "trace", "", setup, (), (), (), known, (), names, {}), trace)
