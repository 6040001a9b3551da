"""Files are written here and nowhere else: whole or not at all, so that a full disk leaves the old file as it was.

A file is written under another name beside its own and takes its place when it is whole. Leaves out power cuts: nothing
is forced onto the disk. Source: rename(2).
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

Content = str | bytes


def write_whole(path: Path, content: Content) -> None:
    """Write a file whole or not at all; what is there and is no file (a device, a pipe) is written to, not replaced.

    What it takes the place of hands on its rights. Raises OSError.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            stream.write(data)
        return
    _check_rights(path)
    fresh = _fresh(path)
    try:
        fresh.write_bytes(data)
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path.resolve())
    except BaseException as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None  # nobody knows the fresh one's name
        raise


def try_to_write(path: Path) -> None:
    """Raise OSError if no file can be written at *path*; nothing is left behind, and what is there stays as it is."""
    _check_rights(path)
    if path.exists() and not path.is_file():
        return
    fresh = _fresh(path)
    fresh.touch()
    fresh.unlink()


def _check_rights(path: Path) -> None:
    """Refuse to replace what may not be written to, which rename(2) would allow."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _fresh(path: Path) -> Path:
    """Return the name under which a file is written until it is whole."""
    target = path.resolve()
    return target.with_name(f".{target.name[:100]}.{os.getpid()}")
