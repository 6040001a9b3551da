"""What is told of a design is what it has: words and numbers of another engine are none of it."""

from __future__ import annotations

from itertools import permutations

import pytest

from sim.designs import DESIGNS
from sim.views.design_differences import Difference, differences

OTHERS = [name for name, design in DESIGNS.items() if design.traits.engine != DESIGNS["docker-1.13"].traits.engine]
OF_DOCKER = (
    "how a new dockerd without live-restore stops what it finds",
    "there is live-restore",
    "what an exit is matched by",
    "what dockerd's boot takes for each container on disk, in µs",
    "how long a stop waits after its last KILL, in µs; None: for ever",
    "daemon.json where a scenario says nothing: live_restore",
)


def told(one: str, other: str) -> dict[str, Difference]:
    """Return what two designs differ in."""
    return {row.what: row for row in differences(DESIGNS[one], DESIGNS[other])}


@pytest.mark.parametrize("other", OTHERS)
def test_what_dockerd_alone_reads_is_none_of_another_engine(other: str) -> None:
    """A default that no program of a design reads is not told of it."""
    rows = told("docker-1.13", other)
    assert not [what for what in OF_DOCKER if what in rows and rows[what].other != "none"]
    assert "there is live-restore" in rows


def test_versions_of_docker_are_told_what_holds_before_a_number_came() -> None:
    """The programs of 1.13 match by pid without being told so."""
    row = told("docker-1.13", "docker-26")["what an exit is matched by"]
    assert (row.one, row.other) == ("pid", "container")


@pytest.mark.parametrize("design", DESIGNS)
def test_a_command_line_is_told_of_a_program_that_the_design_has(design: str) -> None:
    """The row has that program's name, and no other design's word for it."""
    other = "podman" if design != "podman" else "cri-o"
    start = "command lines: "
    mine = {what: row.one for what, row in told(design, other).items() if what.startswith(start)}
    has = {what.removeprefix(start) for what, line in mine.items() if line != "none"}
    assert has <= set(DESIGNS[design].programs)
    assert not DESIGNS[design].traits.engine or DESIGNS[design].traits.engine in has


@pytest.mark.parametrize(("one", "other"), [("podman", "podman-quadlet"), ("docker-26", "podman"), ("cri-o", "podman")])
def test_keys_of_a_unit_are_told_where_the_engine_is_one(one: str, other: str) -> None:
    """It is called by no engine's name, and is none of a design whose commands are processes of their own."""
    rows = [row for what, row in told(one, other).items() if what.startswith("the engine's unit: ")]
    assert bool(rows) == bool(DESIGNS[one].traits.engine_unit)
    assert all(row.other == "none" for row in rows)


def test_no_row_is_of_one_engine_s_unit_or_says_that_a_measurement_is_unverified() -> None:
    """Over a design of each engine."""
    for pair in permutations(("docker-26", "podman", "cri-o", "containerd-cri"), 2):
        for what, row in told(*pair).items():
            assert not what.startswith("docker.service"), pair
            assert "verified" not in what or "[M]" not in row.source, what
            assert row.one != "" != row.other, what
