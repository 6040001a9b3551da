"""What kind of act a command is, and how often acts of a kind were right where they were measured.

The table beside this file has a row for each design, kind and subject of an act of the experiments on real engines:
how many of their outcomes the model has right, and how many of those in which something happened. `make truth
ACCEPT=yes` writes it. Source: tests/truth.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sim.designs import DESIGNS, Design
from sim.designs.takes import is_version_of
from sim.engine.setup import (
    Command,
    Docker,
    FillDisk,
    FlushRules,
    Journald,
    KillProcess,
    LosePower,
    OutOfMemory,
    Systemctl,
    Upgrade,
)

FILE = Path(__file__).with_name("measured_acts.csv")
HEAD = ("design", "kind", "subject", "right", "of", "right where something happened", "of those")
KINDS = {"KILL": "kill", "STOP": "stall", "TERM": "terminate"}
HOST, JOURNAL, RULES = "host", "journal", "rules"


class Share(NamedTuple):
    """How many outcomes of acts of a kind are right on a design, of how many: of those in which something happened,
    where there are any."""

    design: str
    right: int
    of: int


def kind_of(design: Design, command: Command) -> tuple[str, str]:
    """Return what kind of act a command is, and of which role, unit or part of the host.

    >>> from sim.engine.setup import Target
    >>> kind_of(DESIGNS["docker-26"], KillProcess(Target("supervisor", "web"), "KILL"))
    ('kill', 'shim')
    """
    match command:
        case KillProcess(target, signal):
            return KINDS.get(signal, signal), (*design.meant_by(target.role), target.role)[0]
        case Systemctl(verb, unit):
            return (verb, unit) if verb != "reboot" else (verb, HOST)
        case Upgrade():
            return "upgrade", design.traits.engine_unit
        case OutOfMemory(container):
            return "memory", "container" if container else HOST
        case LosePower():
            return "power loss", HOST
        case FillDisk():
            return "disk", HOST
        case Journald(verb):
            return verb, JOURNAL
        case FlushRules():
            return "flush", RULES
        case Docker(verb):
            return verb, "a command of the engine"
    return type(command).__name__, HOST


@cache
def _shares() -> dict[tuple[str, str, str], Share]:
    with FILE.open(encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text))[1:]
    found = {}
    for design, kind, subject, right, of, changed, of_those in rows:
        counts = (int(changed), int(of_those)) if int(of_those) else (int(right), int(of))
        found[design, kind, subject] = Share(design, *counts)
    return found


def measured(design: str, kind: str, subject: str) -> Share | None:
    """Return how often acts of a kind were right on a design, or on the version of the engine that is nearest to it.

    None if nobody has measured it on any.
    """
    names, here = list(DESIGNS), DESIGNS[design]
    tried = [share for (_, *what), share in _shares().items() if what == [kind, subject] and share.design in names]
    kin = [it for it in tried if it.design == design or is_version_of(here, DESIGNS[it.design])]
    return min(kin, key=lambda it: abs(names.index(it.design) - names.index(design)), default=None)


def measured_words(design: str, kind: str, subject: str) -> str:
    """Return the same in words.

    >>> measured_words("docker-26", "reboot", "host")
    'never measured'
    """
    share = measured(design, kind, subject) if design in DESIGNS else None
    if share is None:
        return "never measured"
    said = f"{share.design}: {share.right} of {share.of} measured outcomes"
    return said if share.design == design else f"never measured; {said}"
