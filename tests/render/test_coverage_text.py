"""The table of what was exercised: a line for each kind and program, every name of what is left, no line too long."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.render.coverage_text import WIDTH, coverage_table
from sim.views.coverage import Coverage, coverage, steps_at

DOCKER = DESIGNS["docker-1.13"]
CAME = steps_at(DOCKER, {("shim.main", index) for index in range(14)})


def test_the_table_lists_what_is_left() -> None:
    """A line for each row, one for all; long lists go on below, ops that share a name stand once with their numbers."""
    rows = coverage(DOCKER, CAME)
    lines = coverage_table(rows).splitlines()
    assert lines[0].split() == ["kind", "program", "exercised", "never", "exercised"]
    (shim,) = (line for line in lines if line.startswith("step   shim"))
    assert shim.split() == "step shim 14 of 18 main: exit 1; copy: read_pipe, write_fifo, return".split()
    assert lines[-1].split() == f"all 14 of {sum(row.of for row in rows)}".split()
    assert sum(not line.startswith(" ") for line in lines) == len(rows) + 2
    left = lines[0].index("never exercised")
    joined = " ".join(line[left:] for line in lines)
    assert "fork_netns_iptables#1-14" in joined
    assert "stall, resume" in joined
    assert all(op.partition("#")[0] in joined for row in rows if row.kind != "fault" for op in ops_of(row))


def ops_of(row: Coverage) -> list[str]:
    return [name.partition(":")[2] for name in row.never]


@pytest.mark.parametrize("width", [None, 80, 60])
def test_no_line_is_wider_than_asked(width: int | None) -> None:
    """Names are wrapped at blanks, so that a line is at most as wide as the terminal."""
    lines = coverage_table(coverage(DOCKER, ()), width=width).splitlines()
    assert max(map(len, lines)) <= (width or WIDTH)


def test_a_table_of_nothing_is_a_heading_and_a_sum() -> None:
    """No rows, and rows of which nothing is left."""
    assert [line.split() for line in coverage_table([]).splitlines()[1:]] == [["all", "0", "of", "0"]]
    (_, row, _) = coverage_table([Coverage("step", "p", 1, 1, ())]).splitlines()
    assert row.split() == ["step", "p", "1", "of", "1"]
