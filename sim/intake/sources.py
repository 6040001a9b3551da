"""The inputs as texts: files, folders, archives, standard input. What they hold is recognised elsewhere.

Models: names given on the command line, in their order; the files of a folder and of a tar (also .gz) by their names;
text in UTF-8, with or without a mark, UTF-16 with one, and Windows line ends. Leaves out archives in archives and links
that lead out of a folder. What is larger than the limits is refused, by their numbers. Source: the project's own.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sim.errors import InputError, Problem

MB = 1_000_000
LARGEST_FILE = 64 * MB
LARGEST_SUM = 256 * MB
MOST_FILES = 5_000
GZIP, STDIN = b"\x1f\x8b", "stdin"
HINT = "Give the files that matter one by one."


class Source(msgspec.Struct, frozen=True):
    """A text and the name under which places in it are said; *path* is the file's own, "" where it has none.

    *why_not* says why there is no text: binary, empty, or cut off.
    """

    name: str
    text: str
    path: str = ""
    why_not: str = ""


def sources(inputs: Sequence[str | os.PathLike[str]], stdin: bytes = b"") -> tuple[Source, ...]:
    """Return every text of *inputs*; `-` is *stdin*. Raises InputError for what is missing or beyond the limits."""
    found: list[Source] = []
    problems: list[Problem] = []
    room = LARGEST_SUM
    for given in inputs:
        try:
            for name, path, content in _contents(os.fspath(given), stdin):
                room -= len(content)
                if room < 0:
                    what = f"the inputs hold more than {LARGEST_SUM // MB} MB together"
                    raise InputError([Problem(name, what, HINT)])
                if len(found) >= MOST_FILES:
                    raise InputError([Problem(name, f"these are more than {MOST_FILES:,} files", HINT)])
                found.append(source_of(name, content, path))
        except InputError as error:
            problems += error.problems
        except (OSError, ValueError) as error:
            why = (getattr(error, "strerror", None) or "it cannot be read").lower()
            problems.append(Problem(_short(os.fspath(given)), why, "Give a file, a folder, a tar, or - for stdin."))
    if problems:
        raise InputError(problems)
    return tuple(found)


def _short(name: str) -> str:
    return name if len(name) <= 200 else name[:199] + "…"


def _contents(name: str, stdin: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield name, path and bytes of each file that *name* stands for."""
    if name == "-":
        yield from _unpacked(STDIN, "", stdin)
        return
    path = Path(name)
    if not path.is_dir():
        yield from _unpacked(name, name, _read(path, name))
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
            short = f"{path.resolve().name}/{file.relative_to(path)}"
            yield from _unpacked(short, str(file), _read(file, short))


def _read(path: Path, name: str) -> bytes:
    if path.is_file() and path.stat().st_size > LARGEST_FILE:
        raise InputError([Problem(_short(name), f"this file is larger than {LARGEST_FILE // MB} MB", HINT)])
    with path.open("rb") as file:  # a pipe has no size
        return _limited(file.read(LARGEST_FILE + 1), name)


def _limited(content: bytes, name: str) -> bytes:
    if len(content) > LARGEST_FILE:
        raise InputError([Problem(_short(name), f"this holds more than {LARGEST_FILE // MB} MB", HINT)])
    return content


def _unpacked(name: str, path: str, content: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield the file, or the files of an archive."""
    if content.startswith(GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as inner:
                content, path = _limited(inner.read(LARGEST_FILE + 1), name), ""
        except (OSError, EOFError, zlib.error):
            raise InputError(
                [Problem(_short(name), "this gzip file is cut off or damaged", "Copy it again.")]
            ) from None
    if content[257:262] != b"ustar":
        yield name, path, content
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield f"{name}:{member.name}", "", _limited(file.read(LARGEST_FILE + 1), name)
    except (tarfile.TarError, EOFError, ValueError, OSError):
        raise InputError([Problem(_short(name), "this archive is cut off or damaged", "Copy it again.")]) from None


def source_of(name: str, content: bytes, path: str = "") -> Source:
    """Return a file's text, or why it has none."""
    name = _short(name)
    if not content.strip():
        return Source(name, "", path, "it is empty")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Source(name, _lines(content.decode("utf-16", "replace")), path)
    if b"\0" in content[:65536]:
        return Source(name, "", path, "it is no text")
    return Source(name, _lines(content.decode("utf-8-sig", "replace")), path)


def _lines(text: str) -> str:
    """Return a text with the line ends of Unix, without the escapes of a terminal and what it would not show."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _unescaped(text) if "\x1b" in text else text


def _unescaped(text: str) -> str:
    import re

    return re.sub(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|.)", "", text)
