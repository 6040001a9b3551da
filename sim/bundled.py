"""Find the scenarios that ship with shimulator.

A wheel carries them inside the package (`sim/scenarios/`), a source tree has them beside it (`scenarios/`). Only files
on a disk are looked for: shimulator is not run from a zip. Those of the transition table (`t23-proxy-killed`, one file
a row) and of the answers (`q05-dockerd-down`) are found by their names as the others are; lists for people name the
others, and the rows as `rows`.
"""

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROW = re.compile(r"[tv][0-9]{2}[a-z]?-")
QUESTION = re.compile(r"q[0-9]{2}-")
ROWS = "rows"  # all of them, where a command takes several


def bundled(name: str) -> Path | None:
    """Return the file of the bundled scenario *name* (no suffix, no folder), or None if there is none."""
    return _files().get(name)


def bundled_names() -> list[str]:
    """Return the names of the bundled scenarios that are neither rows nor of a question, sorted."""
    return sorted(name for name in _files() if not ROW.match(name) and not QUESTION.match(name))


def question_names() -> list[str]:
    """Return the names of the scenarios that docs/answers.md runs, in the order of its questions."""
    return sorted(filter(QUESTION.match, _files()))


def row_names() -> list[str]:
    """Return the names of the scenarios of the transition table, in its order."""
    return sorted(filter(ROW.match, _files()))


def shown(path: str) -> str:
    """Return *path* as a user would write it: a bundled scenario by its name, a file below this folder without it."""
    file = Path(path).absolute()
    if bundled(file.stem) == file:
        return file.stem
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else path


def _files() -> dict[str, Path]:
    return {path.stem: path for path in _folder().glob("*.yaml")}


def _folder() -> Path:
    """Return the folder of this install, and never a stranger's `scenarios/` beside it in site-packages."""
    beside = PACKAGE.parent
    return beside / "scenarios" if (beside / "pyproject.toml").is_file() else PACKAGE / "scenarios"
