"""The fault matrix, held against the fault tables of the facts cell by cell (`fault_matrix.csv`).

Of each design at least nine cells of ten are equal; each of the others stands in `UNLIKE` with the rule that is
missing, and must leave it once it is equal. Designs of the tables that are not modelled are listed in `ABSENT`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.errors import InputError
from sim.experiment.executors import serial
from sim.experiment.matrix import FAULTS, SCENARIO, asked_cells, designs_asked, faults_asked, matrix, way_of
from sim.render.matrix_figure import badness, matrix_png
from sim.render.matrix_text import WIDTH, code, matrix_csv, matrix_json, matrix_text
from sim.scenario import Scenario, load
from sim.views.fault_cells import ASPECTS, NONE, Cell, Matrix
from tests.experiment.fault_table import GROUPS, THERE, Key, Said, transcribed

SHARE = 0.9  # of all cells that have to be equal
NOT_MODELLED = ("podman-rootless", "conmon-rs", "kata", "gvisor", "lxc", "systemd-nspawn")
SAID = transcribed()
SOME = (
    "docker-1.10",
    "docker-1.13",
    "docker-20.10-separate",
    "docker-26-separate",
    "podman",
    "containerd-cri",
    "cri-o",
)
"""Designs that have little in common; the long test takes all."""

TOLD = {design for designs in GROUPS.values() for design in designs}
ABSENT = sorted(TOLD - set(DESIGNS))  # designs of the tables that the model does not have


class Unlike(NamedTuple):
    """Cells that differ: of which designs ("" for all), which fault and aspect, and the rule that is missing."""

    designs: str
    fault: str
    aspect: str
    missing: str


FLOWS = "bytes that flow are not counted (ARCHITECTURE, decisions), so none are in the pipe of a shim that dies"
UNLIKE: tuple[Unlike, ...] = (
    Unlike("docker-", "F5", "log", FLOWS),
    Unlike("containerd-cri", "F5", "log", FLOWS),
    Unlike("docker-", "F8", "log", FLOWS),
    Unlike("docker-", "F11", "log", "chat logs to journald, which is no file of that disk; log files have no rule"),
    Unlike("podman", "F10", "log", "a journald that is restarted is away for less time than a chunk of output takes"),
    Unlike("podman", "F5", "exit", "-1 is told by a stop or rm of the container, for which the scenario does not ask"),
    Unlike("cri-o", "F5", "exit", "255 is told by a stop of the pod, for which the scenario does not ask"),
    Unlike("podman", "F11", "log", "chat logs to journald, which is no file of that disk; a json-file is lost"),
)


def reader(settings: Sequence[str] = ()) -> Scenario:
    """Read the bundled scenario of the matrix."""
    return load(SCENARIO, settings=tuple(settings))


def of(names: Iterable[str]) -> Matrix:
    """Return the matrix of some designs."""
    with serial() as lanes:
        return matrix(reader, [DESIGNS[name] for name in names if name in DESIGNS], list(FAULTS), lanes=lanes)


@pytest.fixture(scope="module")
def some() -> Matrix:
    """A few designs with every fault, once."""
    return of(SOME)


def computed(cell: Cell, aspect: str) -> str:
    """Return what the model says of one cell."""
    if aspect == THERE:
        return "no" if not cell.step else "yes"
    return cell.words.get(aspect, "not modelled" if cell.refused else NONE)


def unlike(key: Key) -> list[Unlike]:
    """Return the rows of `UNLIKE` that a cell stands in."""
    return [
        row for row in UNLIKE
        if key.design.startswith(row.designs) and key.fault == row.fault and row.aspect in ("", key.aspect)
    ]  # fmt: skip


# -- the tables ------------------------------------------------------------------------------------


def test_each_design_that_is_modelled_has_its_cells() -> None:
    """Each has a row of the tables for every group of faults; those that are absent are known."""
    assert set(DESIGNS) <= TOLD, "a design has no cells: transcribe its fault table into fault_matrix.csv"
    faults = {design: {key.fault for key in SAID if key.design == design} for design in DESIGNS}
    assert {design: len(found) for design, found in faults.items() if len(found) < 6} == {}
    assert set(ABSENT) == set(NOT_MODELLED)


def test_each_cell_has_a_mark_and_a_source() -> None:
    """Marks are those of the facts, M for measured; a source names a section or a row."""
    assert {said.mark for said in SAID.values()} <= {"S", "S*", "I", "I*", "K", "E", "D", "M"}
    assert [said for said in SAID.values() if "§" not in said.source and " T" not in said.source] == []


@pytest.mark.long
def test_nine_cells_of_ten_are_as_the_tables_say(some: Matrix) -> None:
    """And each other one is known, with the rule that is missing; one that has become equal leaves the list."""
    hold(some, least=700)


@pytest.mark.long
def test_all_designs_are_as_the_tables_say() -> None:
    """The same of every design."""
    hold(of(DESIGNS), least=4000)


def hold(found: Matrix, least: int) -> None:
    """Hold a matrix against the tables."""
    cells = {(cell.design, cell.live_restore, cell.fault): cell for cell in found.cells}
    there = {key: said for key, said in SAID.items() if key[:3] in cells}
    wrong = {key: said for key, said in there.items() if computed(cells[key[:3]], key.aspect) != said.word}
    assert len(there) >= least
    for design in sorted({key.design for key in there}):
        mine = [key in wrong for key in there if key.design == design]
        assert sum(mine) <= (1 - SHARE) * len(mine), f"of {design} more than a tenth is not as the tables say"
    new = [told(key, said, cells[key[:3]]) for key, said in wrong.items() if not unlike(key)]
    assert not new, "\n" + "\n".join(new)
    used = Counter(row for key in wrong for row in unlike(key))
    assert [row for row in UNLIKE if not used[row]] == [], "these cells are equal now: take them from UNLIKE"


def told(key: Key, said: Said, cell: Cell) -> str:
    """Say what differs."""
    name = f"{key.design}{' +LR' if key.restores else ''} {key.fault} {key.aspect}"
    return f"{name}: the model says {computed(cell, key.aspect)}; {said.source} says {said.word} [{said.mark}]"


# -- how it is asked -------------------------------------------------------------------------------


def test_a_fault_that_a_design_has_nothing_for_has_no_cell() -> None:
    """No proxy and no containerd on podman, no containerd.service where dockerd forks containerd."""
    assert [name for name in FAULTS if not way_of(name, DESIGNS["podman"])] == ["F2", "F3", "F4", "F4s", "F6", "F12"]
    assert [name for name in FAULTS if not way_of(name, DESIGNS["docker-26"])] == ["F4", "F4s"]
    found = asked_cells(reader, [DESIGNS["podman"]], ["F6", "F7"])
    assert [(one.cell.step, one.setup is None) for one in found] == [("", True), ("kill payload/web", False)]


def test_unknown_designs_and_faults_are_named_all_at_once() -> None:
    """With what is valid, and the nearest."""
    with pytest.raises(InputError) as refused:
        faults_asked("F1,F13,F4x")
    assert [problem.where for problem in refused.value.problems] == ["--faults F13", "--faults F4x"]
    assert "Valid: F1, F2" in refused.value.problems[0].hint
    with pytest.raises(InputError, match=r"Did you mean docker-1\.13"):
        designs_asked("docker-1.133")


def test_a_file_without_services_is_refused() -> None:
    """It says what is missing."""
    with pytest.raises(InputError, match="there are no services for the fault matrix"):
        asked_cells(lambda settings: load("x.yaml", "until: 5s", tuple(settings)), [DESIGNS["docker-26"]], ["F1"])


# -- how it is told --------------------------------------------------------------------------------


@pytest.mark.long
def test_the_text_fits_into_a_terminal(some: Matrix) -> None:
    """Both forms have lines of at most 100 columns; each row and fault is in it."""
    for detail in (False, True):
        lines = matrix_text(some, detail=detail).splitlines()
        assert max(map(len, lines)) <= WIDTH
        assert all(any(row in line for line in lines) for row in some.rows)


@pytest.mark.long
def test_csv_and_json_have_every_cell(some: Matrix) -> None:
    """One row a cell; words are those of the aspects, and nothing that was not back is a number."""
    rows = matrix_csv(some).splitlines()
    said = matrix_json(some)
    assert len(rows) - 1 == len(said["cells"]) == len(some.cells)
    for cell in said["cells"]:
        assert cell["words"] is None or set(cell["words"]) == set(ASPECTS)
    assert code(some.cell("podman", "F6")) == NONE


@pytest.mark.long
def test_of_several_runs_most_say_the_word(some: Matrix) -> None:
    """And what some runs say otherwise is listed."""
    with serial() as lanes:
        found = matrix(reader, [DESIGNS["docker-26-separate"]], ["F7"], seeds=3, lanes=lanes).cells
    assert [cell.runs for cell in found] == [3, 3]
    assert found[0].words["end"] == some.cell("docker-26-separate", "F7").words["end"]
    assert found[0].unlike == ()


@pytest.mark.long
def test_the_map_is_the_darker_the_worse(some: Matrix) -> None:
    """White where there is no such fault; a lost program is darker than a new one, a silent loss the darkest."""
    kept, new = some.cell("docker-26-separate", "F10"), some.cell("docker-26-separate", "F7")
    lost, silent = some.cell("docker-20.10-separate", "F4s"), some.cell("docker-20.10-separate", "F5")
    assert math.isnan(badness(some.cell("podman", "F6")))
    assert 0 == badness(kept) < badness(new) < badness(lost) < badness(silent) <= 1


@pytest.mark.long
def test_the_map_is_the_same_bytes_each_time(some: Matrix) -> None:
    """A picture of what was computed, and of nothing else."""
    few = replace(some, cells=some.cells[: len(some.faults) * 3])
    assert matrix_png(few) == matrix_png(few)
