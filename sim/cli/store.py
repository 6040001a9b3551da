"""runs/NAME/: written whole beside the old one, then swapped in; a folder that shimsim did not make is left alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from sim.cli.files import MARK
from sim.errors import InputError, Problem


def store(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Replace *folder* with *files*. Raises InputError for a folder of somebody else, OSError of the machine."""
    if folder.exists() and not (folder / MARK).exists():
        alone = "this folder was not made by shimsim and is left alone"
        raise InputError([Problem(str(folder), alone, "Choose another with -o.")])
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        (fresh / MARK).write_text("made by shimsim; replaced whole by its next run\n", encoding="utf-8")
        for name, content in files.items():
            data = content.encode("utf-8", "replace") if isinstance(content, str) else content
            (fresh / name).write_bytes(data)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if folder.exists():
        shutil.rmtree(folder)
    fresh.rename(folder)


def folder_of(output: str | None, name: str) -> Path:
    """Return where a run's files go."""
    return Path(output) if output else Path("runs") / name
