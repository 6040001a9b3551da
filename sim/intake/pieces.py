"""A text cut into the pieces that tools printed, each recognised by its content, with the prose between them left out.

Models: one output as a file, and several of them one after the other with prompts, comments and prose between them, as
people paste them. A piece begins where a line has the form of a first line, and ends where lines do not go on with it.
Leaves out what a piece means: its reader says that. Source: the tools' own output forms (procps-ng, busybox, psmisc,
iproute2, iptables, docker, podman, crictl, systemd).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from sim.intake.sources import Source

PROMPT = re.compile(
    r"\s*(?:\([^()\s]*\)\s*)?(?:\[[^\[\]\n]{1,100}@[^\[\]\n]{1,200}\]\s?[#$%>]|[\w.+-]{1,64}@[\w.-]{1,255}:\S{0,255}?[#$%>]|"
    r"[#$%❯➜](?=\s)|/\s?#)\s*(?P<command>.*)"
)
QUOTED = re.compile(r">+ ?")
COLUMNS = frozenset(
    """PPID PID PGID PGRP SID SESS TTY TT TPGID STAT S UID USER RUSER EUSER TIME TIME+ COMMAND CMD ARGS C STIME START
    STARTED ELAPSED %CPU %MEM VSZ RSS NLWP THCNT LWP SPID PRI NI ADDR SZ WCHAN F GID GROUP COMM CPU PSR RUID LABEL
    CGROUP UNIT SLICE NS PIDNS NETNS CLS RTPRIO""".split()
)
LAST = ("COMMAND", "CMD", "ARGS", "COMM")
FOREST = r"(?:[| ]*\\_ )?"
BARE_AXJF = re.compile(r"\s*\d+\s+\d+\s+\d+\s+\d+\s+\S+\s+-?\d+\s+[A-Za-z]\S*\s+\S+\s+\d+:\d\d\s.*\S")
BARE_EF = re.compile(r"\S+\s+\d+\s+\d+\s+\d+\s+\S+\s+(?:\?|pts/\d+|tty\w+|console|-)\s+(?:\d+-)?\d+:\d\d:\d\d\s.*\S")
BARE_AUX = re.compile(r"\S+\s+\d+\s+[\d.]+\s+[\d.]+\s+\d+\s+\d+\s+\S+\s+[A-Za-z]\S*\s+\S+\s+\d+:\d\d\s.*\S")
TRIMMED = re.compile(rf"\s*\d{{1,7}}\s+\d{{1,7}}\s+\d{{1,7}}\s+{FOREST}[/.\[\w(-]\S*.*")
BARE_PS = re.compile(r"[0-9a-f]{12,64}\s{2,}\S+\s{2,}\"")
STATUS = re.compile(r"(?:\S*/proc/\d+/status:)?(?:Name|Umask|State):\t|(?:\S*/proc/\d+/status[:-])\w+:\s")
STATUS_LINE = re.compile(r"(?:\S*/proc/\d+/status[:-])?[A-Za-z_]+:(?:\s|$)")
CGROUP = re.compile(r"\S*/proc/\d+/cgroup:\d+:[^:]*:/")
BRANCH = re.compile(
    r"(?![-bcdlps][rwxsStT-]{9})[^\s|`├└│-][^\n]*?(?:---|-\+-|───|─┬─|qqq|qwq)\S|[\w.\-+/@:]{1,64}\(\d+\)\s*\Z"
)
BELOW = re.compile(r"\s*(?:[|`├└│] ?|\s{2,}[|`├└│])")
UNIT_FILE = re.compile(r"# /\S+\.(?:service|conf|socket)\s*\Z")
UNIT_HEAD = re.compile(r"\s*\[(?:Unit|Service)\]\s*\Z")
TABLE = re.compile(r"\*(?:nat|filter|mangle|raw|security)\s*\Z")
SHOWN_FIRST = re.compile(r"(?:Id|Type|Restart|MainPID|Names|FragmentPath)=")
SHOWN = re.compile(r"[A-Z][A-Za-z0-9]{1,40}=")
INFO = re.compile(r"(?:Client|Server)(?:: .*)?:?\s*\Z|Containers: \d+\s*\Z|host:\s*\Z|Version:\s+\d\S*\s*\Z")
INFO_LINE = re.compile(r"\s+\S|[A-Z][\w /.()-]{0,60}:(?:\s.*)?\Z")
IGNORED = {
    "docker stats": ("CONTAINER ID", "CPU %"),
    "networks": ("NETWORK ID", "NAME"),
    "images": ("REPOSITORY", "TAG"),
    "images of crictl": ("IMAGE", "TAG", "IMAGE ID"),
    "volumes": ("DRIVER", "VOLUME NAME"),
    "compose ls": ("NAME", "STATUS", "CONFIG FILES"),
    "compose ps": ("NAME", "IMAGE", "COMMAND", "SERVICE"),
}
HINT = re.compile(r"\d|[\[*#=:]|--|──|qq|[A-Z]{2}")  # a line without any of these begins nothing
LONGEST_LINE = 100_000
JSON = re.compile(r"\[\s*[\[{\"\]]|\{\s*[\"}]")
BETWEEN = re.compile(r"[\s,]*")


class Piece(msgspec.Struct, frozen=True):
    """Lines of one output: its *kind*, the number of its first line, the *command* that was typed before it.

    *value* is what JSON says, *broken* that it is not whole.
    """

    kind: str
    source: Source
    line: int
    lines: tuple[str, ...] = ()
    command: str = ""
    value: Any = None
    broken: bool = False

    def place(self, offset: int = 0) -> str:
        """Return FILE:LINE of one of its lines."""
        return f"{self.source.name}:{self.line + offset}"


def pieces(source: Source) -> tuple[list[Piece], int]:
    """Return the pieces of a text in their order, and how many lines that are not blank belong to none."""
    if is_compose(source.text):
        return [Piece("compose", source, 1, tuple(source.text.split("\n")))], 0
    return Cutter(source).cut()


COMPOSE = re.compile(r"^services:[ \t]*(?:#.*|\{.*)?$", re.MULTILINE)
COMPOSE_KEY = re.compile(
    r"(?:name|version|services|networks|volumes|configs|secrets|include|x-[\w-]+):(?:\s|$)|#|---|\s*$"
)


def is_compose(text: str) -> bool:
    """Return whether a whole text is a Compose file: its first line with content is one of its keys."""
    if not COMPOSE.search(text):
        return False
    first = next((line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")), "")
    return COMPOSE_KEY.match(first) is not None


class Cutter:
    """Goes through the lines of one text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.found: list[Piece] = []
        self.prose = 0
        self.command = ""
        self.starts: list[int] = []

    def cut(self) -> tuple[list[Piece], int]:
        """Return the pieces, and the number of lines of prose."""
        place = 0
        while place < len(self.lines):
            line = self.lines[place]
            if not line.strip():
                place += 1
                continue
            end = self.piece(place, line)
            if end > place:
                place = end
                continue
            prompt = PROMPT.match(line[:LONGEST_LINE])
            if prompt:
                self.command = prompt["command"].strip()
            else:
                self.prose += 1
            place += 1
        return self.found, self.prose

    def piece(self, place: int, line: str) -> int:
        """Add the piece that begins at a line and return the line behind it, or *place* if none begins there."""
        if line.lstrip()[:1] in ("{", "["):
            end = self.take_json(place)
            if end > place:
                return end
        if len(line) > LONGEST_LINE or not HINT.search(line):
            return place
        for kind, begins, goes_on in FORMS:
            if begins(line):
                end = place + 1
                while end < len(self.lines) and goes_on(self.lines[end], self.lines[end - 1]):
                    end += 1
                return self.add(kind, place, end)
        header = upper(line)
        if header is not None:
            end = place + 1
            while end < len(self.lines) and goes_on_table(self.lines[end]):
                end += 1
            return self.add(header, place, end)
        return place

    def add(self, kind: str, place: int, end: int) -> int:
        """Add lines as a piece; the quotation marks of a document are taken off."""
        lines = self.lines[place:end]
        if lines[0].startswith(">"):
            lines = [QUOTED.sub("", line, count=1) for line in lines]
        while lines and not lines[-1].strip():
            lines.pop()
        self.found.append(Piece(kind, self.source, place + 1, tuple(lines), self.command))
        return end

    def take_json(self, place: int) -> int:
        """Add the JSON value that begins at a line; of one that is cut off, the whole objects of its list."""
        text = self.source.text
        begin = self._start(place) + len(self.lines[place]) - len(self.lines[place].lstrip())
        if not JSON.match(text, begin):
            return place
        decoder = json.JSONDecoder()
        try:
            value, end = decoder.raw_decode(text, begin)
            broken = False
        except (ValueError, RecursionError):
            value, end = self._whole_objects(decoder, text, begin)
            broken = True
        lines = text.count("\n", begin, end)
        self.found.append(Piece("json", self.source, place + 1, (), self.command, value, broken))
        return place + lines + 1

    def _start(self, place: int) -> int:
        """Return where in the text a line begins."""
        if not self.starts:
            total = 0
            for line in self.lines:
                self.starts.append(total)
                total += len(line) + 1
        return self.starts[place]

    def _whole_objects(self, decoder: json.JSONDecoder, text: str, begin: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        place = begin + 1
        while text[begin] == "[":
            gap = BETWEEN.match(text, place)
            place = gap.end() if gap else place
            try:
                value, place = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                break
            found.append(value)
        if text[begin] == "[":
            return found, self._end_of_broken(text, place)
        return found, self._end_of_broken(text, begin)

    def _end_of_broken(self, text: str, place: int) -> int:
        """Return where a value that is cut off ends: at a prompt, a line of three dots or the end of the text."""
        for match in re.finditer(r"\n(?=([^\n]*))", text[place:]):
            if PROMPT.match(match[1]) or (upper(match[1]) is not None):
                return place + match.start()
        return len(text)


def upper(line: str) -> str | None:
    """Return the kind of the table of which a line is the header, None if it is none."""
    words = QUOTED.sub("", line, count=1).split() if line.startswith(">") else line.split()
    if len(words) < 2:
        return None
    if "PID" in words and words[-1] in LAST and all(word in COLUMNS for word in words):
        return "ps table"
    if words[0] == "Netid" or (line.startswith("State ") and "Recv-Q" in words):
        return "ss"
    if words[:2] == ["CONTAINER", "ID"] and "IMAGE" in words and "CPU" not in words:
        return "containers"
    if words[0] == "CONTAINER" and "ATTEMPT" in words:
        return "crictl ps"
    if not words[0].isupper():
        return None
    return next((f"({kind})" for kind, heads in IGNORED.items() if all(head in line for head in heads)), None)


def goes_on_table(line: str) -> bool:
    """Return whether a line may be a row below a header: not blank, no prompt, no header."""
    return bool(line.strip()) and not PROMPT.match(line) and upper(line) is None and not line.startswith("```")


def _same(pattern: re.Pattern[str]) -> Callable[[str, str], bool]:
    return lambda line, before: pattern.match(line) is not None


def _info(line: str, before: str) -> bool:
    if not line.strip():
        return bool(before.strip())  # Client: and Server: are apart by one
    line = QUOTED.sub("", line, count=1) if line.startswith(">") else line
    return not line.startswith("```") and not PROMPT.match(line) and INFO_LINE.match(line) is not None


def _unit(line: str, before: str) -> bool:
    if PROMPT.match(line) and not line.startswith(("#", ";")):
        return False
    return not line.strip() or (bool(re.match(r"[\[#;A-Za-z]|\s", line)) and upper(line) is None)


def _show(line: str, before: str) -> bool:
    return SHOWN.match(line) is not None or (not line.strip() and bool(before.strip()))


def _tree(line: str, before: str) -> bool:
    return BELOW.match(line) is not None and bool(line.strip())


def _save(line: str, before: str) -> bool:
    return bool(line.strip()) and before.strip() != "COMMIT" and line[0] in "*:-#C["


def _trimmed(line: str) -> bool:
    return TRIMMED.match(line) is not None and BARE_AXJF.match(line) is None


FORMS: tuple[tuple[str, Callable[[str], Any], Callable[[str, str], bool]], ...] = (
    ("ps bare axjf", BARE_AXJF.match, _same(BARE_AXJF)),
    ("ps trimmed", _trimmed, lambda line, before: _trimmed(line)),
    ("ps bare aux", BARE_AUX.match, _same(BARE_AUX)),
    ("ps bare ef", BARE_EF.match, _same(BARE_EF)),
    ("status", STATUS.match, _same(STATUS_LINE)),
    ("cgroup", CGROUP.match, _same(CGROUP)),
    ("bare containers", BARE_PS.match, _same(BARE_PS)),
    ("unit", lambda line: UNIT_FILE.match(line) or UNIT_HEAD.match(line), _unit),
    ("show", SHOWN_FIRST.match, _show),
    ("rules", TABLE.match, _save),
    ("info", lambda line: INFO.match(QUOTED.sub("", line, count=1) if line.startswith(">") else line), _info),
    ("pstree", BRANCH.match, _tree),
)
