"""The tables of source branches: what the engines' source decides, beside the op that decides it in the model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.designs import DESIGNS
from tests.source import table as tables
from tests.source.branches import branches, reader
from tests.source.tell import unmatched

ROOT = Path(__file__).resolve().parent.parent
CITING = ("sim/engines/docker/dockerd", "sim/engines/containerd")
CITED = re.compile(r"([\w/-]+\.go)((?:,? (?:[A-Za-z]\w*,? )?\d+(?:-\d+)?(?![\w-]))+)")
SOURCE = re.compile(r"\bv\d[\w.-]*|\bD\b|[(\"]")  # a version, the package's own source, where a text begins
ELSEWHERE = {  # files that no table has yet, or that are of another project
    "http2_client.go": "grpc",
    "rpc_util.go": "grpc",
    "call.go": "grpc",
}
FIXTURE = Path(__file__).parent / "source" / "fixture.go"
CHECKOUTS = os.environ.get("SHIMULATOR_SOURCES", "")  # folders with the engines' source, as PATH separates them


def kinds(*functions: str) -> list[tuple[int, str, str]]:
    """Return the branches of functions of the fixture."""
    return [(it.line, it.kind, it.condition) for it in branches("f.go", FIXTURE.read_bytes(), set(functions))]


def test_each_kind_of_branch_is_listed() -> None:
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


def test_the_last_return_is_no_branch() -> None:
    """A function that only returns has no branch; a type switch has its cases, whatever the receiver."""
    assert kinds("plain") == []
    assert kinds("box.fill") == [(43, "case", "error, *box"), (44, "return", "")]


def test_a_function_that_is_not_there_is_named() -> None:
    """A misspelt function is an error that tells which functions the file has."""
    with pytest.raises(KeyError, match=r"no box.empty; it has box.fill, box.wait, plain"):
        kinds("box.empty")


@pytest.mark.parametrize("name", tables.tables())
def test_the_table_is_that_of_the_source(name: str) -> None:
    """A table has the branches of its version's source, where a checkout or a git directory of it is at hand."""
    source = tables.place_of(name, [Path(it) for it in CHECKOUTS.split(os.pathsep) if it])
    if source is None:
        pytest.skip("SHIMULATOR_SOURCES has no source of this version")
    assert [it.place for it in tables.read(name)] == [it.place for it in tables.found(name, reader(source))]


# -- the tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tables.tables())
def test_a_row_has_an_op_of_the_model_or_a_reason(name: str) -> None:
    """Each row has one of the two; an op is one of the compiled procedures, a reason begins with a known word."""
    procedures = DESIGNS[tables.design_of(name)].procedures.values()
    ops = {f"{table.name}.{op.name}" for table in procedures for op in table.ops}
    rows = tables.read(name)
    assert [it for it in rows if bool(it.op) == bool(it.reason)] == []
    assert sorted({it.op for it in rows if it.op} - ops) == []
    assert sorted({it.why for it in rows if it.reason} - set(tables.REASONS)) == []


def test_what_has_no_op_is_counted_by_reason() -> None:
    """The table that is printed counts each row once."""
    name = tables.tables()[0]
    lines = unmatched([name]).splitlines()[2:]
    counts = [int(line.split("|")[2]) for line in lines if not line.startswith("| –")]
    assert counts[0] == sum(counts[1:]) == len(tables.read(name))


# -- what the model cites ---------------------------------------------------------------------------


def citations() -> Iterator[tuple[str, str, int, int]]:
    """Yield what dockerd's and containerd's modules cite without a version: module, file, first and last line.

    What follows a version is of that version up to the next bracket or `D`, the package's own source.
    """
    for module in sorted(path for folder in CITING for path in (ROOT / folder).glob("*.py")):
        text = " ".join(module.read_text(encoding="utf-8").split())
        for found in CITED.finditer(text):
            before = SOURCE.findall(text, 0, found.start())
            if before[-1].startswith("v"):
                continue
            for lines in re.findall(r"\d+(?:-\d+)?", found[2]):
                first, _, last = lines.partition("-")
                yield module.name, found[1].rpartition("/")[2], int(first), int(last or first)


def test_what_an_op_cites_is_a_branch() -> None:
    """A line that is cited without a version is that of a row; a range of lines has a row."""
    lines: dict[str, set[int]] = {}
    for row in (row for name in tables.tables() for row in tables.read(name)):
        lines.setdefault(row.file.rpartition("/")[2], set()).add(row.line)
    found = list(citations())
    assert len(found) > 10
    wrong = [
        f"{module} cites {file} {first}-{last}"
        for module, file, first, last in found
        if (file in lines or file not in ELSEWHERE) and not lines.get(file, set()) & set(range(first, last + 1))
    ]
    assert wrong == []
