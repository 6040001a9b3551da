"""The fault tables of the facts, read from `fault_matrix.csv`: one cell a design, live-restore, fault and aspect.

A row of the file stands for a group of designs; `any` for live-restore on and off. A field is a word of
`sim.views.fault_cells.ASPECTS` and the mark of its source; an empty one says that the tables say nothing. "–" in the
first field says that the design has no such fault. Source: each row's; what a mark means: designs §0.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sim.views.fault_cells import ASPECTS, NONE

FILE = Path(__file__).with_name("fault_matrix.csv")
LADDER = ("18.09", "19.03", "20.10", "23", "24", "26", "28")
SEPARATE = {version: f"docker-{version}-separate" for version in LADDER}
MANAGED = {version: f"docker-{version}" for version in LADDER}
GROUPS: dict[str, tuple[str, ...]] = {
    "Z": ("docker-1.13",),
    "1.11": ("docker-1.11",),
    "1.12": ("docker-1.12",),
    "17.06": ("docker-17.06",),
    "A": ("docker-1.10",),
    "B1": tuple(SEPARATE[version] for version in LADDER[:2]),
    "B2": tuple(SEPARATE[version] for version in LADDER[2:3]),
    "B3": tuple(SEPARATE[version] for version in LADDER[3:]),
    "B3-kept": tuple(SEPARATE[version] for version in ("23", "24")),  # containerd 1.6
    "B3-cleaned": tuple(SEPARATE[version] for version in ("26", "28")),
    "B": (*SEPARATE.values(), *MANAGED.values()),
    "Bm": tuple(MANAGED.values()),
    "Bm-v1": tuple(MANAGED[version] for version in LADDER[:2]),
    "Bm-kept": tuple(MANAGED[version] for version in ("20.10", "23")),  # containerd up to 1.6
    "Bm-cleaned": tuple(MANAGED[version] for version in ("24", "26", "28")),
    "Bm-noticed": tuple(MANAGED[version] for version in LADDER if version != "20.10"),
    "Bm-stuck": (MANAGED["20.10"],),
    "C1": ("podman", "podman-4.9", "podman-5.0", "podman-5.2", "podman-5.6"),
    "C3": ("podman-quadlet",),
    "C4": ("cri-o",),
    "C4-cgroupfs": ("cri-o-cgroupfs",),
    "C4-any": ("cri-o", "cri-o-cgroupfs"),
    "D1": ("containerd-cri",),
    "C2": ("podman-rootless",),
    "C5": ("conmon-rs",),
    "D2": ("kata",),
    "D3": ("gvisor",),
    "E1": ("lxc",),
    "E2": ("systemd-nspawn",),
}
"""Designs of the tables -> those of the model."""

RESTORES: dict[str, tuple[bool | None, ...]] = {"off": (False,), "on": (True,), "any": (False, True), "none": (None,)}
THERE = "there"  # the aspect of whether a design has the fault at all


class Key(NamedTuple):
    """One cell."""

    design: str
    restores: bool | None
    fault: str
    aspect: str


class Said(NamedTuple):
    """What the tables say of it, with the mark and the place."""

    word: str
    mark: str
    source: str


def transcribed() -> dict[Key, Said]:
    """Return every cell of the tables."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[Key, Said] = {}
    for row in rows:
        for key, said in cells_of(row):
            assert key not in found, f"{key} stands twice: {found[key].source}; {said.source}"
            found[key] = said
    return found


def cells_of(row: dict[str, str]) -> Iterable[tuple[Key, Said]]:
    """Yield the cells of one row of the file."""
    for design in GROUPS[row["designs"]]:
        for restores in RESTORES[row["restores"]]:
            for aspect in ASPECTS:
                word, _, mark = row[aspect].partition(" ")
                if word == NONE:
                    yield Key(design, restores, row["fault"], THERE), Said("no", mark.strip("[]"), row["source"])
                elif word:
                    assert word in ASPECTS[aspect].words, f"{row['source']}: {aspect} is never {word}"
                    yield Key(design, restores, row["fault"], aspect), Said(word, mark.strip("[]"), row["source"])
