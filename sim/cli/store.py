"""runs/NAME/: written whole beside the old one, then swapped in; a folder that shimulator did not make is left alone.

An empty folder may be taken. What fails leaves nothing behind and the old folder as it was. Source: rename(2).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sim.cli.files import MARK
from sim.errors import InputError, Problem
from sim.writing import Content, write_whole

BEFORE = ".shimsim"  # the mark of 0.1, whose folders were made under the name that it had then
MADE_BY = "made by shimulator; replaced whole by its next run\n"


def store(folder: Path, files: Mapping[str, Content]) -> None:
    """Replace *folder* with *files*; a name that ends with / is an empty folder.

    Raises InputError for what is somebody else's, OSError of the machine.
    """
    check_ours(folder)
    folder = folder.resolve()
    made = _make_parents(folder.parent)
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name[:100]}-", dir=folder.parent))
        try:
            _fill(fresh, files)
            _swap(fresh, folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    except BaseException:
        for parent in made:
            _remove_if_empty(parent)
        raise


def check_ours(folder: Path) -> None:
    """Refuse a file, and a folder with files that shimulator did not make."""
    if folder.is_dir():
        if any((folder / mark).is_file() for mark in (MARK, BEFORE)) or not any(folder.iterdir()):
            return
        alone = "this folder was not made by shimulator and is left alone"
        raise InputError([Problem(str(folder), alone, "Choose another with -o.")])
    if folder.exists() or folder.is_symlink():
        raise InputError([Problem(str(folder), "this is no folder", "Choose another name with -o.")])


def folder_of(output: str | None, name: str) -> Path:
    """Return where a run's files go."""
    return Path(output) if output else Path("runs") / name


def _make_parents(parent: Path) -> list[Path]:
    """Make the folders above, and return those that were missing, innermost first."""
    missing = [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError([Problem(str(parent), "this is no folder", "Choose another with -o.")]) from None
    return missing


def _fill(fresh: Path, files: Mapping[str, Content]) -> None:
    mask = os.umask(0)
    os.umask(mask)
    fresh.chmod(0o777 & ~mask)  # mkdtemp lets nobody else in
    for name, content in {MARK: MADE_BY, **files}.items():
        path = fresh / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            write_whole(path, content)


def _swap(fresh: Path, folder: Path) -> None:
    """Put *fresh* in the place of *folder*; the old one stays until the new one stands."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name[:100]}-old-", dir=folder.parent))
    try:
        folder.rename(old / "old")
        try:
            fresh.rename(folder)
        except BaseException:
            (old / "old").rename(folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        pass
