"""Whether the short name of a row says what its side has: each setting that differs is looked for in the name.

A name that stands at another side, or a setting that no name tells, is a misfit. Leaves out what all sides share.
Source: the project's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.cli.files import scenario_of
from sim.designs import DESIGNS
from sim.views.comparison import WhatIf


class Seen(NamedTuple):
    """One setting of one side: its value, that of the file as it is, the side's design, how many services there are."""

    label: str
    value: str
    base: str
    design: str
    services: int

    @property
    def parts(self) -> list[str]:
        """Return the parts of the name without spaces, minutes and seconds as a scenario spells them."""
        parts = re.split(r", | on | \+", self.label)
        return [re.sub(r"^(\d+)min$", r"\1m", part.replace(" ", "")) for part in parts]

    @property
    def first_number(self) -> int:
        """Return the number that the name begins with."""
        found = re.match(r"\d+", self.label)
        return int(found[0]) if found else 0


def designs_in(label: str) -> list[str]:
    """Return the designs that a name names: docker-26 is the one with a containerd of its own unit.

    >>> designs_in("docker-26, removals"), designs_in("docker-26 managed"), designs_in("1.13 to 18.09 +LR")
    (['docker-26-separate'], ['docker-26'], ['docker-1.13', 'docker-18.09-separate'])
    >>> designs_in("10 s, docker-26"), designs_in("100 ports")
    (['docker-26-separate'], [])
    """
    found = []
    for word in re.findall(r"[a-z0-9.-]+", label):
        for name in (word, f"docker-{word}"):
            own = name if label.endswith(" managed") else f"{name}-separate"
            design = own if own in DESIGNS else name
            if design in DESIGNS:
                found.append(design)
    return found


def _design(it: Seen) -> bool:
    named = designs_in(it.label)
    return named[0] == it.value if named else it.value == it.base


def _started(it: Seen) -> bool:
    containers = it.value.split()[1:]
    return it.first_number == (len(containers) or it.services)


def _step(it: Seen) -> bool:
    removed = re.search(r"\brm -\w+([ \w]*)", it.value)
    number = re.search(r", (\d+)\b", it.label)
    there = number is None or int(number[1]) == it.services
    left = it.services - len(removed[1].split()) if removed and removed[1] else 0  # `rm` without a name: all go
    words = () if removed is None else ("one",) if left == 1 else ("none", "removals")
    return there and (it.parts[-1] in words) == (removed is not None)


def _ports(it: Seen) -> bool:
    return it.first_number == len(json.loads(it.value))


def _rate(it: Seen) -> bool:
    found, said = re.search(r"(\d+)B/s", it.value), re.match(r"(\d+) ([KM])B/s", it.label)
    return (
        found is not None and said is not None and int(found[1]) == int(said[1]) * {"K": 1000, "M": 1_000_000}[said[2]]
    )


def _grace(it: Seen) -> bool:
    return _seconds(it.parts[0]) == _seconds(it.value)


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def _cores(it: Seen) -> bool:
    return f"{it.value}cores" in it.parts if "cores" in it.label else it.value == it.base


CHECKS: dict[str, Callable[[Seen], bool]] = {
    r"engine\.design": _design,
    r"engine\.daemon\.live-restore": lambda it: ("+LR" in it.label) == (it.value == "true"),
    r"engine\.daemon\.userland-proxy": lambda it: ("no proxies" in it.label) == (it.value == "false"),
    r"engine\.unit\.KillMode": lambda it: it.value in it.parts,
    r"host\.cores": _cores,
    r"steps\.\d+": _step,
    r"steps\.\d+\.at": lambda it: it.value.rpartition("+")[2] in it.parts,
    r"steps\.\d+\.compose": _started,
    r"steps\.\d+\.host\.journald": lambda it: ("stopped for good" in it.label) == (it.value == "stop"),
    r"steps\.\d+\.systemctl": lambda it: it.value.split()[-1] == DESIGNS[it.design].traits.engine_unit,
    r"steps\.\d+\.upgrade\.to": lambda it: designs_in(it.label)[-1] == it.value,
    r"services\.\w+\.healthcheck\.disable": lambda it: ("none" in it.parts) == (it.value == "true"),
    r"services\.\w+\.healthcheck\.interval": lambda it: it.value in it.parts or "none" in it.parts,
    r"services\.\w+\.logging": lambda it: ("json-file" in it.label) == ("json-file" in it.value),
    r"services\.\w+\.ports": _ports,
    r"services\.\w+\.stop_grace_period": _grace,
    r"services\.\w+\.x-payload\.log(\.stdout)?": _rate,
    r"services\.\w+\.x-payload\.on_term\.after": lambda it: (
        ("needs" in it.label) == (it.value != it.base) and (it.value == it.base or f"needs{it.value}" in it.parts)
    ),
}


def misfits(found: WhatIf, names: Sequence[str]) -> list[str]:
    """Say which name does not tell a setting of its side, or tells another; none if all fit."""
    base: dict[str, str] = {}
    for variant in found.variants:
        base |= {it.path: it.before for it in variant.changes}
    sides = [base, *(base | {it.path: it.after for it in variant.changes} for variant in found.variants)]
    own = found.design.split()[0]
    services = len(scenario_of(found.source).setup.services)
    wrong = [] if len(set(names)) == len(names) == len(sides) else [f"{len(sides)} different names are needed: {names}"]
    for name, side in zip(names, sides, strict=False):
        for path, value in side.items():
            check = next((it for pattern, it in CHECKS.items() if re.fullmatch(pattern, path)), None)
            seen = Seen(name, value, base[path], side.get("engine.design", own), services)
            if check is None or not check(seen):
                wrong.append(f"{name!r} does not fit {path}={value}")
        if any(design != side.get("engine.design", own) for design in designs_in(name)[:1]):
            wrong.append(f"{name!r} is not of {side.get('engine.design', own)}")
    return wrong
