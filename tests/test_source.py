"""The tables of source branches: what the engines' source decides, beside the op that decides it in the model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.source import table as tables
from tests.source.branches import branches, reader

FIXTURE = Path(__file__).parent / "source" / "fixture.go"
CHECKOUTS = os.environ.get("SHIMULATOR_SOURCES", "")  # folders with the engines' source, as PATH separates them


def kinds(*functions: str) -> list[tuple[int, str, str]]:
    """Return the branches of functions of the fixture."""
    return [(it.line, it.kind, it.condition) for it in branches("f.go", FIXTURE.read_bytes(), set(functions))]


def test_each_kind_of_branch_is_listed():
    """Ifs, elses, cases and early returns are listed with their lines; a long condition is not told."""
    assert kinds("box.wait") == [
        (14, "if", ""),
        (18, "if", "b.full"),
        (19, "return", ""),
        (20, "else if", "err != nil"),
        (21, "return", ""),
        (22, "else", ""),
        (26, "case", "<-stop"),
        (27, "return", ""),
        (28, "case", "<-time.After(patience)"),
        (31, "case", "b.full"),
        (33, "default", ""),
    ]


def test_the_last_return_is_no_branch():
    """A function that only returns has no branch; a type switch has its cases, whatever the receiver."""
    assert kinds("plain") == []
    assert kinds("box.fill") == [(43, "case", "error, *box"), (44, "return", "")]


def test_a_function_that_is_not_there_is_named():
    """A misspelt function is an error that tells which functions the file has."""
    with pytest.raises(KeyError, match=r"no box.empty; it has box.fill, box.wait, plain"):
        kinds("box.empty")


@pytest.mark.parametrize("name", tables.tables())
def test_the_table_is_that_of_the_source(name):
    """A table has the branches of its version's source, where a checkout or a git directory of it is at hand."""
    source = tables.place_of(name, [Path(it) for it in CHECKOUTS.split(os.pathsep) if it])
    if source is None:
        pytest.skip("SHIMULATOR_SOURCES has no source of this version")
    assert [it.branch for it in tables.read(name)] == tables.found(name, reader(source))
