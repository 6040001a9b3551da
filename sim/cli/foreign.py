"""Files that are no scenarios, but what tools of a host print or read: what to type, in the place of what is wrong.

Models: a Compose file, `docker inspect`, `ps` and all else that `shimulator init` reads; archives of them. Leaves out
what is none of these: the reader of scenarios says what is wrong with it. Source: the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from sim.errors import InputError, Problem

PLACE = re.compile(r"(?P<file>.+?)(?::\d+:\d+)?\Z", re.DOTALL)
OWN_KEY = re.compile(
    r"^(?:steps|until|expect|host|engine|title|extends|compose|properties|faults|whatif):", re.MULTILINE
)
COMPOSE_NAME = re.compile(r"(?:docker-|podman-)?compose(?:[.-].*)?\.ya?ml\Z")
COMPOSE_OWN = re.compile(r"^(?:version|volumes|configs|secrets|name|include):", re.MULTILINE)
ENOUGH = 4_000_000
ARCHIVE = "an archive"
FEW = 20
STDIN: dict[str, Callable[[], bytes]] = {}
"""The names of standard input in messages -> what it held, for as far as it was read."""


def told(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems; those of a file that a host's tool has printed give way to what to type."""
    found: list[Problem] = []
    known: dict[str, Problem | None] = {}
    for problem in problems:
        match = PLACE.match(problem.where)
        file = match["file"] if match else ""
        if file not in known:
            known[file] = foreign(file)
            found += [said] if (said := known[file]) is not None else []
        if known[file] is None:
            found.append(problem)
    return found


def foreign(name: str) -> Problem | None:
    """Return what to type for a file that is a host's output or a Compose file, None for any other."""
    if name in STDIN:
        what = kind_of(STDIN[name](), name)
        typed = "Type: … | shimulator init my.yaml - && shimulator run my.yaml"
        return Problem("stdin", f"this is {what}, and no scenario", typed) if what else None
    try:
        path = Path(name)
        what = kind_of_folder(path) if path.is_dir() else kind_of_file(path)
    except (OSError, ValueError):
        return None
    if not what:
        return None
    out = "my.yaml" if path.name != "my.yaml" else "host.yaml"
    typed = f"Type: shimulator init {out} {name} && shimulator run {out}"
    return Problem(name, f"this is {what}, and no scenario", typed)


def kind_of_file(path: Path) -> str:
    """Return what a file is, "" if it is no output of a host's tool."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return kind_of(file.read(ENOUGH), path.name)


def kind_of_folder(path: Path) -> str:
    """Return what a folder holds, "" if its first files are no outputs of a host's tools."""
    files = [file for file in sorted(path.iterdir()) if file.is_file()][:FEW]
    found = [file for file in files if kind_of_file(file)]
    return f"a folder of what a host's tools print ({found[0].name}, …)" if found else ""


def kind_of(content: bytes, name: str) -> str:
    """Return what a file is in a few words, "" if it is no output of a host's tool."""
    from sim.intake.reading import reading_of
    from sim.intake.sources import Source, source_of

    if content.startswith(b"\x1f\x8b") or content[257:262] == b"ustar":
        return ARCHIVE
    source: Source = source_of(name, content)
    if source.why_not or OWN_KEY.search(source.text):
        return ""
    if is_compose(source.text, name):
        return "a Compose file"
    reading = reading_of([source])
    kinds = list(dict.fromkeys(kind for _, kind in reading.kinds if kind != "a Compose file"))
    return f"what a host's tools print ({', '.join(kinds[:4])})" if kinds else ""


def is_compose(text: str, name: str) -> bool:
    """Return whether a file with services is a Compose file: by its name, or by keys that no scenario needs."""
    from sim.intake import pieces

    if OWN_KEY.search(text) or not pieces.is_compose(text):
        return False
    return COMPOSE_NAME.match(name) is not None or COMPOSE_OWN.search(text) is not None


def refuse_compose(path: Path) -> None:
    """Raise InputError for a Compose file: it would be run as a scenario in which nothing happens."""
    if not COMPOSE_NAME.match(path.name):
        return
    problem = foreign(str(path))
    if problem is not None:
        raise InputError([problem])
