"""A scenario's text as lines that can give way: what the language refuses becomes a comment with the reason.

Models: a line with alternatives that are tried in their order, then a comment; a line that goes takes what stands below
it along. The language itself is asked (`sim.scenario.load`), so that no list here grows stale. Leaves out comments of
their own for lines that stand below one that went. Source: YAML 1.1, flow scalars and the printable characters of 5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from sim.errors import InputError
from sim.scenario import Scenario, load

PLAIN = re.compile(r"[A-Za-z/._][A-Za-z0-9/._@+=~^%-]*(?: [A-Za-z0-9/._@+=~^%-]+)*\Z", re.ASCII)
WORDS = frozenset("null true false yes no on off y n ~".split())
UNPRINTABLE = re.compile(
    "[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]|[\\u2028\\u2029]"
)
ROUNDS = 40
LONGEST_REASON = 160


class Line(msgspec.Struct):
    """A line of the file: *text* at *indent*, *note* behind it; *others* are said in its place if it is refused."""

    indent: int
    text: str
    note: str = ""
    others: tuple[str, ...] = ()
    gone: bool = False

    def written(self) -> str:
        """Return the line as it is written."""
        body = " " * self.indent + self.text
        return f"{body:<58}  # {self.note}" if self.note and self.text else body


class Dropped(msgspec.Struct, frozen=True):
    """A line that the language refuses, and why."""

    text: str
    why: str


def scalar(value: Any) -> str:
    """Return a value as YAML on one line, in quotes where it would be read as something else.

    >>> scalar("nginx"), scalar("no"), scalar("8080:80"), scalar(True), scalar('a "b"'), scalar("a\\u0007")
    ('nginx', '"no"', '"8080:80"', 'true', '"a \\\\"b\\\\""', '"a\\\\x07"')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {scalar(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    text = str(value)
    if PLAIN.match(text) and text.lower() not in WORDS:
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + UNPRINTABLE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:  # half of a pair, which no YAML can say
        return "\ufffd"
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def comment(text: str) -> str:
    """Return a text as it may stand behind `#`: on one line, with what a terminal would act on left out."""
    return UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


class Draft:
    """The lines of a scenario, and what of them was refused."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.dropped: list[Dropped] = []

    def add(self, indent: int, text: str, note: str = "", others: Sequence[str] = ()) -> None:
        """Add a line."""
        self.lines.append(Line(indent, text, comment(note), tuple(others)))

    def remark(self, indent: int, text: str) -> None:
        """Add a comment."""
        self.lines.append(Line(indent, f"# {comment(text)}"))

    def text(self) -> str:
        """Return the file."""
        return "".join(line.written().rstrip() + "\n" for line in self.lines)

    def settle(self, name: str) -> Scenario:
        """Let lines give way until the language takes the file; return the scenario. Raises InputError."""
        for _ in range(ROUNDS):
            try:
                return load(name, self.text())
            except InputError as error:
                if not self._give_way(error):
                    raise
        return load(name, self.text())

    def _give_way(self, error: InputError) -> bool:
        """Change the lines of the first section in which any are refused; return whether any changed.

        Later sections name what stands in it: a service is refused, too, if its network was.
        """
        wrong: dict[int, str] = {}
        for problem in error.problems:
            match = re.search(r":(\d+):\d+\Z", problem.where)
            place = int(match[1]) - 1 if match else -1
            if 0 <= place < len(self.lines) and not self.lines[place].text.startswith("#"):
                wrong.setdefault(place, problem.what)
        heads = [place for place, line in enumerate(self.lines) if not line.indent and not line.text.startswith("#")]
        end = next((head for head in heads if wrong and head > min(wrong)), len(self.lines))
        first = {place: why for place, why in wrong.items() if place < end}
        for place, why in first.items():
            self._change(place, why)
        return bool(first)

    def _change(self, place: int, why: str) -> None:
        line = self.lines[place]
        reason = comment(why)[:LONGEST_REASON]
        self.dropped.append(Dropped(line.text, reason))
        if line.others:
            line.note = comment(f"{line.text}: {reason}")
            line.text, line.others = line.others[0], line.others[1:]
            return
        end = place + 1
        while end < len(self.lines) and self.lines[end].indent > line.indent:
            end += 1
        for below in self.lines[place:end]:
            if not below.text.startswith("#"):
                below.text = f"# {below.text}"
        line.note = f"not taken: {reason}"
        self._leave_no_empty_mapping(place)

    def _leave_no_empty_mapping(self, place: int) -> None:
        """Let the key above a line go, too, if nothing stands below it any more."""
        at = place - 1
        while at >= 0 and (self.lines[at].indent >= self.lines[place].indent or self.lines[at].text.startswith("#")):
            at -= 1
        if at < 0 or not self.lines[at].text.endswith(":"):
            return
        end = at + 1
        while end < len(self.lines) and self.lines[end].indent > self.lines[at].indent:
            if not self.lines[end].text.startswith("#"):
                return
            end += 1
        if self.lines[at].indent == 2 and self.lines[at].text.rstrip(":"):
            return  # a service without keys is one of its image's name
        self.lines[at].text = f"# {self.lines[at].text}"
        self._leave_no_empty_mapping(at)


def listed(items: Iterable[str], most: int = 12) -> str:
    """Return names for a comment, of many the first."""
    found = list(items)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
