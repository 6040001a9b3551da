"""How tests read a stack: files by name and text, its tree, its scenario."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.scenario.check import Report
from sim.scenario.compose.images import library
from sim.scenario.compose.stack import Asked, Stack, read_stack
from sim.scenario.compose.written import Imported, Wanted, imported, written
from sim.scenario.text import Problems


def asked(folder: Path, files: Mapping[str, str], *names: str, **more: Any) -> Asked:
    """Write *files* into *folder* and ask for *names* of them, by default for the first."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    chosen = names or (next(iter(files)),)
    return Asked(tuple(str(folder / name) for name in chosen), **more)


def stack(folder: Path, files: Mapping[str, str], *names: str, **more: Any) -> tuple[Stack | None, list[str]]:
    """Return a stack and what is wrong with its files."""
    problems = Problems()
    found = read_stack(asked(folder, files, *names, **more), problems)
    return found, [f"{problem.where.rpartition('/')[2]}: {problem.what}" for _, problem in problems.found]


def services(folder: Path, files: Mapping[str, str], *names: str, **more: Any) -> dict[str, Any]:
    """Return the services of a stack without fault, plain."""
    found, wrong = stack(folder, files, *names, **more)
    assert wrong == []
    assert found is not None
    node = found.root.child("services")
    assert node is not None
    plain = node.plain()
    assert isinstance(plain, dict)
    return plain


def taken(folder: Path, files: Mapping[str, str], *names: str, images: bool = False, **more: Any) -> Imported:
    """Return a stack as it is imported."""
    known = library([], Report()) if images else None
    return imported(Wanted(asked(folder, files, *names, **more), images=known))


def text_of(folder: Path, files: Mapping[str, str], *names: str, **more: Any) -> str:
    """Return the scenario of a stack."""
    return written(taken(folder, files, *names, **more), list(files))
