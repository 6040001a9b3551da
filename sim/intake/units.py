"""Units of systemd: `systemctl cat` and `systemctl show` of the engine's and its helpers' services.

Models: the last value of each key of [Service], of the file and its drop-ins in their order; an empty value that resets
a list. `show` prints every property under its own name, times as durations. Leaves out Environment= and what else may
hold a credential. Source: systemctl(1), systemd.service(5), systemd.kill(5) [S].
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.intake.pieces import Piece
from sim.intake.records import Unit
from sim.intake.tables import number

FILE = re.compile(r"# (?P<path>/\S+)")
OF_FILE = re.compile(r"/(?P<name>[\w@.\-:\\]+)\.service(?:\.d/[^/]+\.conf)?\s*\Z")
PAIR = re.compile(r"(?P<key>[A-Z][A-Za-z0-9]*)\s*=\s*(?P<value>.*)")
KEPT = frozenset(
    """Restart RestartSec KillMode KillSignal SendSIGKILL TimeoutStopSec TimeoutStartSec TimeoutSec StartLimitBurst
    StartLimitInterval StartLimitIntervalSec TasksMax OOMPolicy OOMScoreAdjust Type ExecReload ExecStart Delegate
    FinalKillSignal RestartForceExitStatus RestartPreventExitStatus SuccessExitStatus WatchdogSec""".split()
)
SHOWN = {  # property of `show` -> key of a file
    "RestartUSec": "RestartSec",
    "TimeoutStopUSec": "TimeoutStopSec",
    "TimeoutStartUSec": "TimeoutStartSec",
    "StartLimitIntervalUSec": "StartLimitInterval",
    "StartLimitIntervalSec": "StartLimitInterval",
}


def units_of(piece: Piece) -> Iterator[Unit]:
    """Yield the units of `systemctl cat`."""
    name, keys, service, line = _named(piece.command), dict[str, str](), True, 0
    for offset, text in enumerate(_joined(piece.lines)):
        match = FILE.match(text)
        file = OF_FILE.search(match["path"]) if match else None
        if file:
            if keys and file["name"] != name:
                yield Unit(name, tuple(keys.items()), place=piece.place(line))
                keys = {}
            name, line = file["name"], offset
        elif text.startswith("["):
            service = text.strip() == "[Service]" or text.strip() == "[Unit]"
        elif service:
            _take(keys, text)
    if keys:
        yield Unit(name, tuple(keys.items()), place=piece.place(line))


def _take(keys: dict[str, str], text: str) -> None:
    pair = PAIR.match(text)
    if pair is None:
        return
    key, value = SHOWN.get(pair["key"], pair["key"]), pair["value"].strip()
    if key not in KEPT:
        return
    if value:
        keys[key] = value
    else:
        keys.pop(key, None)


def _joined(lines: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a file, those that end with a backslash with the next one."""
    held = ""
    for line in lines:
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield held + line
        held = ""
    if held:
        yield held


def _named(command: str) -> str:
    """Return the unit that a command line names."""
    match = re.search(r"systemctl\s+(?:\S+\s+)*?(?:cat|show)\s+(?:-\S+\s+)*([\w@.-]+)", command)
    return match[1].removesuffix(".service") if match else ""


def shown_of(piece: Piece) -> Iterator[Unit]:
    """Yield the units of `systemctl show`, which are apart by a blank line."""
    name, keys, pid, line = _named(piece.command), dict[str, str](), 0, 0
    for offset, text in enumerate((*piece.lines, "")):
        if not text.strip():
            if keys or pid:
                yield Unit(name, tuple(keys.items()), pid, piece.place(line))
            name, keys, pid, line = "", {}, 0, offset + 1
            continue
        key, _, value = text.partition("=")
        if key == "Id":
            name = value.strip().removesuffix(".service")
        elif key == "MainPID":
            pid = number(value.strip(), low=1) or 0
        elif value.strip() not in ("", "infinity", "[not set]", "18446744073709551615"):
            _take(keys, text)
