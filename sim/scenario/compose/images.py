"""The library of images: what the program of a known image is, and what it does with its signals.

Models: entries of `sim/images/*.yaml` and of files of one's own, found by the image's name and tag; how an entrypoint
takes arguments (`command: --flag` is no program); what a program does with the stop signal that the service has. An
entry describes the programs that it names: a service that runs another one (`command: sh -c …`) gets nothing of it.
Leaves out what a container does before its entrypoint has executed the program. Source: each entry's own `sources`;
Docker's reference of image names (registry/path:tag@digest).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path as File
from typing import Annotated, Any

from pydantic import Field

from sim.scenario.check import Report, check
from sim.scenario.compose.left import few
from sim.scenario.fields import Signal, Text, Words, kind
from sim.scenario.fields import words as words_of
from sim.scenario.schema_program import PayloadFile, Strict
from sim.scenario.text import Mark, Node, moved, read
from sim.scenario.words import Refusal, listed, shown

FOLDER = File(__file__).parent.parent.parent / "images"
OWN = "library"  # the name of the project's own entries, where a file names what it takes
ASSUMED = "assumed"
WORDS = "{words}"  # in the words of a program: those that it was executed with
TERM = "TERM"


def text_list(value: object) -> tuple[str, ...]:
    """Take one text or a list of them."""
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(it, str) and it for it in items):
        raise Refusal(f"{shown(value)} is not a list of names.", "Write [postgres, '*/postgres'].")
    return tuple(items)


Names = Annotated[Any, *kind(text_list, type=["string", "array"])]


class VersionFile(Strict):
    """What is different in some images or tags: those that match, or whose number lies between two versions."""

    images: Names = ()
    tags: Names = ()
    since: Text | None = Field(None, alias="from")
    below: Text | None = None
    programs: Names | None = None
    entrypoint: Words = None
    command: Words = None
    before_flags: Words = None
    stop_signal: Signal | None = None
    x_payload: Any = Field(None, alias="x-payload")
    sources: dict[str, str] = {}


class ImageFile(Strict):
    """An entry of the library.

    The entrypoint puts *before_flags* before arguments the first of which matches one of *before_when*.
    """

    images: Names
    programs: Names
    entrypoint: Words = None
    command: Words = None
    before_flags: Words = None
    before_when: Names = ("-*",)
    executes: bool = Field(True, description="the entrypoint is a script that executes its arguments")
    stop_signal: Signal | None = None
    x_payload: Any = Field(None, alias="x-payload")
    sources: dict[str, str] = {}
    versions: tuple[VersionFile, ...] = ()


@dataclass(frozen=True)
class Entry:
    """An entry with the file that it stands in, as one tag has it."""

    name: str
    file: ImageFile
    payload: dict[str, Any]
    mark: Mark

    @property
    def assumed(self) -> list[str]:
        """Return which of its values no source gives."""
        return [key for key, source in self.file.sources.items() if source.startswith(ASSUMED)]


@dataclass(frozen=True)
class Found:
    """The entry that a service's image has; *other* is the program that the service runs instead of the entry's."""

    service: str
    image: str
    entry: Entry
    other: str = ""


class Library:
    """Entries in the order in which they are looked at: one's own first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def find(self, image: str) -> Entry | None:
        """Return the entry for *image* with what its tag changes, None if there is none."""
        path, tag = parts_of(image)
        for entry in self.entries:
            if any(matches(pattern, path, tag) for pattern in entry.file.images):
                return versioned(entry, path, tag)
        return None


def library(named: Sequence[str], report: Report) -> Library:
    """Return the entries of files and folders, and the project's own where *named* says so or names nothing.

    >>> library([], Report()).find("ghcr.io/x/postgres:16-alpine").file.stop_signal
    'INT'
    """
    entries: list[Entry] = []
    for place in named or (OWN,):
        for file in files_of(str(FOLDER) if place == OWN else place, report):
            entries += entries_of(file, report)
    return Library(entries)


def files_of(place: str, report: Report) -> list[str]:
    """Return the YAML files of a folder, or one file."""
    if os.path.isdir(place):
        return sorted(os.path.join(place, name) for name in os.listdir(place) if name.endswith((".yaml", ".yml")))
    return [place]


def entries_of(file: str, report: Report) -> Iterator[Entry]:
    """Yield the entries of one file; what is wrong goes to *report*."""
    try:
        text = File(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
        hint = "It is a file or a folder of files as docs/images.md describes them."
        report.problems.add(Mark(file, 0, 0), f"{why}.", hint)
        return
    for root in read(text, file, report.problems):
        if not isinstance(root.value, dict) or "images" not in root.value or "programs" not in root.value:
            what = "an entry of the library of images needs images and programs."
            report.problems.add(root.mark, what, "See docs/images.md.")
            continue
        before = len(report.problems.found)
        found = check(ImageFile, root, (), report)
        if found is None:
            continue
        payload = found.x_payload if isinstance(found.x_payload, dict) else {}
        entry = Entry(os.path.splitext(os.path.basename(file))[0], found, payload, root.mark)
        for part in (entry, *(changed(entry, it) for it in found.versions)):
            shape = {"x-payload": payload_of(part, ("x",), TERM, 1)}
            check(PayloadFile, moved(shape, root.place(("x-payload",), of_key=True)), ("x-payload",), report)
        if len(report.problems.found) == before:
            yield entry


# -- names of images -------------------------------------------------------------------------------

NUMBER = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


def parts_of(image: str) -> tuple[str, str]:
    """Return path and tag of an image: no registry, no digest, no `library/`.

    >>> parts_of("docker.io/library/postgres:16@sha256:0a"), parts_of("r:5000/a/b"), parts_of("redis")
    (('postgres', '16'), ('a/b', ''), ('redis', ''))
    """
    name = image.partition("@")[0]
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = rest
    path, _, tag = name.partition(":")
    return path.removeprefix("library/"), tag


def matches(pattern: str, path: str, tag: str) -> bool:
    """Return whether an image is one that an entry is for; a pattern with a colon is for some tags.

    >>> matches("*/postgres", "bitnami/postgres", ""), matches("php:*fpm*", "php", "8-fpm"), matches("php", "a/php", "")
    (True, True, False)
    """
    name, colon, tags = pattern.partition(":")
    return fnmatchcase(path, name) and (not colon or fnmatchcase(tag, tags))


def versioned(entry: Entry, path: str, tag: str) -> Entry:
    """Return *entry* as an image of this path and tag has it."""
    number = NUMBER.match(tag)
    version = tuple(map(int, number[1].split("."))) if number else None
    for row in entry.file.versions:
        if row.images and not any(matches(pattern, path, tag) for pattern in row.images):
            continue
        if row.tags and not any(fnmatchcase(tag, pattern) for pattern in row.tags):
            continue
        if row.since and version is not None and version < as_numbers(row.since):
            continue
        if row.below and (version is None or version >= as_numbers(row.below)):
            continue
        entry = changed(entry, row)
    return entry


def as_numbers(text: str) -> tuple[int, ...]:
    """Return a version as numbers, () if it has none."""
    found = NUMBER.match(text)
    return tuple(map(int, found[1].split("."))) if found else ()


def changed(entry: Entry, row: VersionFile) -> Entry:
    """Return *entry* with what *row* says in its place."""
    keys = ("programs", "entrypoint", "command", "before_flags", "stop_signal")
    said = {key: getattr(row, key) for key in keys if getattr(row, key) is not None}
    file = entry.file.model_copy(update={**said, "sources": {**entry.file.sources, **row.sources}})
    more = row.x_payload if isinstance(row.x_payload, dict) else {}
    return replace(entry, file=file, payload={**entry.payload, **more})


# -- services of known images ----------------------------------------------------------------------


def with_images(root: Node, known: Library) -> tuple[Node, list[Found]]:
    """Return *root* with what the library knows of its services, and which services those are.

    What a service says itself stays; one that has an `x-payload` stays as it is.
    """
    services, cores = root.child("services"), root.find(("host", "cores"))
    if services is None or not isinstance(services.value, dict):
        return root, []
    count = cores.value if cores is not None and isinstance(cores.value, int) else 2
    kept, found = {}, []
    for name, service in services.value.items():
        kept[name] = service
        image = service.child("image") if isinstance(service.value, dict) else None
        entry = known.find(str(image.value)) if image is not None and image.value else None
        if entry is None or image is None or service.child("x-payload") is not None:
            continue
        kept[name], other = described(service, entry, count)
        found.append(Found(name, str(image.value), entry, other))
    assert isinstance(root.value, dict)
    return replace(root, value={**root.value, "services": replace(services, value=kept)}), found


def described(service: Node, entry: Entry, cores: int) -> tuple[Node, str]:
    """Return *service* with what *entry* says; the second is another program than the entry's, and then nothing is."""
    file = entry.file
    own_entry, own_command = words_at(service, "entrypoint"), words_at(service, "command")
    command = own_command if own_command is not None else () if own_entry is not None else tuple(file.command or ())
    before = tuple(file.before_flags or ())
    if own_entry is not None:
        argv = own_entry + command
    else:
        if before and (not command or any(fnmatchcase(command[0], pattern) for pattern in file.before_when)):
            command = before + command
        argv = command if file.executes and file.entrypoint else tuple(file.entrypoint or ()) + command
    program = argv[0].rpartition("/")[2] if argv else ""
    if program not in file.programs:
        return service, program
    stop = service.child("stop_signal")
    signal = str(stop.value).upper().removeprefix("SIG") if stop is not None and stop.value else file.stop_signal
    keys: dict[str, Any] = {}
    if own_entry is None and file.entrypoint:
        keys["entrypoint"] = list(file.entrypoint)
    if own_command is None and own_entry is None and file.command:
        keys["command"] = list(file.command)
    if (stop is None or not stop.value) and file.stop_signal:
        keys["stop_signal"] = file.stop_signal
    keys["x-payload"] = payload_of(entry, argv, signal or TERM, cores)
    at = service.child("image")
    added = moved(keys, at.mark if at is not None else service.mark)
    assert isinstance(service.value, dict)
    assert isinstance(added.value, dict)
    return replace(service, value={**service.value, **added.value}), ""


def payload_of(entry: Entry, argv: tuple[str, ...], stop: str, cores: int) -> dict[str, Any]:
    """Return `x-payload` of a program with these words, whose stop signal is *stop*."""
    payload = dict(entry.payload)
    answers = dict(payload.pop("on", None) or {})
    own = payload.pop("argv", None)
    if own is not None:
        argv = in_place(words_of(own), argv, tuple(entry.file.command or ()))
    found: dict[str, Any] = {"argv": list(argv), "on_term": answers.pop(stop, "none"), **payload}
    if answers:
        found["on"] = answers
    if "children" in payload:
        found["children"] = [row for child in payload["children"] for row in times(child, cores)]
    return found


def in_place(own: tuple[str, ...], argv: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a program that has other ones than it was executed with.

    >>> in_place(("master {words}",), ("nginx", "-g"), ()), in_place(("{words}", "--all"), ("mongod", "-v"), ())
    (('master nginx -g',), ('mongod', '-v', '--all'))
    >>> in_place(("/bin/beam",), ("server", "-x"), ("server",))
    ('/bin/beam', '-x')
    """
    if not any(WORDS in word for word in own):
        return own + (argv[1:] if argv != default else ())
    found: list[str] = []
    for word in own:
        found += argv if word == WORDS else [word.replace(WORDS, " ".join(argv))]
    return tuple(found)


def times(child: dict[str, Any], cores: int) -> list[dict[str, Any]]:
    """Return a child as often as `times` says, which may be the number of cores."""
    row = {key: value for key, value in child.items() if key != "times"}
    count = child.get("times", 1)
    return [row] * (cores if count == "cores" else int(count))


def words_at(service: Node, key: str) -> tuple[str, ...] | None:
    """Return a command of a service; None if it says none, or nothing that is one."""
    node = service.child(key)
    if node is None or node.value in (None, "", []):
        return None
    try:
        return words_of(node.plain())
    except Refusal:
        return None  # refused where all of a file is


def sentences(found: Sequence[Found]) -> list[str]:
    """Return what is assumed of the images that were found: one sentence an entry."""
    groups: dict[str, list[Found]] = {}
    for it in found:
        if not it.other and it.entry.assumed:
            groups.setdefault(it.entry.name, []).append(it)
    return [
        f"{few([it.service for it in rows])}: {listed(rows[0].entry.assumed)}, as the library of images has it ({name})"
        for name, rows in groups.items()
    ]


__all__ = ["OWN", "Found", "Library", "library", "sentences", "with_images"]
