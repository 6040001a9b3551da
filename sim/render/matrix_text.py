"""The fault matrix as text, CSV and JSON: an overview of codes, or every word and time of each design.

Models: rows of designs and columns of faults, as many of them side by side as fit into 100 columns, then the next ones
below. Leaves out colours and the time that it took, which is passed in. Source: the project's own.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from sim.render.amounts import amount
from sim.render.clean import printable_lines
from sim.views.fault_cells import ASPECTS, NONE, Cell, FaultRow, Matrix

SCHEMA_VERSION = 1
WIDTH = 100
ENDS = {"same": "kept", "new": "new", "none": "gone"}
FLAGS: tuple[tuple[str, str], ...] = (  # letter, what it says
    ("!", "the engine says Up of what is dead, or the other way round"),
    ("x", "an exit code is wrong, lost, or never told"),
    ("p", "a port stays dark for some clients"),
    ("a", "the engine stays away"),
    ("l", "a program that prints has to wait for its log, or loses output"),
)
LEGEND = (
    "kept: web runs on as the same process; new: as a new one; gone: not at all",
    "–: the design has no such fault; ?: the model has no rule for it; behind a stroke, what is wrong:",
)
OWN_LEGEND = "kept: every container runs on as the same process; new N: so many as a new one; gone N: not at all"
UNKNOWN = "?"
TIMED = ("remote", "loopback", "container", "api")


def code(cell: Cell) -> str:
    """Return a cell in a few letters."""
    if not cell.words:
        return UNKNOWN if cell.refused else NONE
    word, wrong = cell.words["end"], flags(cell)
    end = ENDS.get(word, NONE)
    if cell.counts and word != "same":
        end = f"{end} {cell.counts[word]}"
    return f"{end}/{wrong}" if wrong else end


def flags(cell: Cell) -> str:
    """Return the letters of `FLAGS` that are true of a cell."""
    words = cell.words
    true = {
        "!": words["view"] == "wrong",
        "x": any(words[name] in ("wrong", "lost", "never") for name in ("exit", "left")),
        "p": any(words[name] == "dark" for name in TIMED[:3]),
        "a": words["api"] == "dark",
        "l": words["log"] != "flows",
    }
    return "".join(letter for letter, _ in FLAGS if true[letter])


def matrix_text(
    found: Matrix, *, took_s: float | None = None, written: Sequence[str] = (), detail: bool = False
) -> str:
    """Return the report; *written* names the files that hold more, *detail* asks for every word."""
    body = _details(found) if detail else _overview(found)
    lines = [*_head(found, took_s), "", *body, *_legend(found, detail)]
    if written:
        lines += ["", " ".join(written)]
    return printable_lines("\n".join(lines).rstrip("\n") + "\n")


def _head(found: Matrix, took_s: float | None) -> list[str]:
    faults = len([cell for cell in found.cells if cell.words])
    facts = [f"{len(found.rows)} designs", f"{len(found.faults)} faults", f"{faults} cells that there are"]
    facts.append(f"seed{'s' * (found.seeds > 1)} 1{f' to {found.seeds}' * (found.seeds > 1)}")
    facts += [f"{found.containers} containers"] if found.own else []
    if took_s is not None:
        facts.append(f"{took_s:.1f} s")
    return [found.title, " · ".join(facts)]


def _overview(found: Matrix) -> Iterator[str]:
    width = max(map(len, found.rows), default=0)
    for faults in _blocks(found, WIDTH - width - 1):
        widths = [_width(found, fault) for fault in faults]
        heads = (fault.name.ljust(size) for fault, size in zip(faults, widths, strict=True))
        yield f" {'':{width}} {' '.join(heads)}".rstrip()
        for row in found.rows:
            codes = [code(found.cell(row, fault.name)) for fault in faults]
            cells = (text.ljust(size) for text, size in zip(codes, widths, strict=True))
            yield f" {row:{width}} {' '.join(cells)}".rstrip()
        yield ""


def _blocks(found: Matrix, room: int) -> Iterator[list[FaultRow]]:
    """Yield as many faults as fit side by side, then the next ones."""
    block: list[FaultRow] = []
    used = 0
    for fault in found.faults:
        size = _width(found, fault) + 1
        if block and used + size > room:
            yield block
            block, used = [], 0
        block.append(fault)
        used += size
    if block:
        yield block


def _width(found: Matrix, fault: FaultRow) -> int:
    return max(len(fault.name), *(len(code(found.cell(row, fault.name))) for row in found.rows))


def _legend(found: Matrix, detail: bool) -> list[str]:
    names = [f"{fault.name:4} {fault.title}" for fault in found.faults]
    if detail:
        return ["", *(f" {aspect.head:11} {aspect.meaning}" for aspect in ASPECTS.values()), "", *_columns(names)]
    return [
        *_columns(names),
        "",
        *(f" {line}" for line in legend(found)),
        *(f" {letter}  {meaning}" for letter, meaning in FLAGS),
    ]


def legend(found: Matrix) -> tuple[str, ...]:
    """Return what the codes mean: of the containers of a host of one's own the one that fares worst stands there."""
    return (OWN_LEGEND, *LEGEND[1:]) if found.own else LEGEND


def _columns(texts: Sequence[str]) -> list[str]:
    """Set texts in two columns, down the first one first."""
    half = (len(texts) + 1) // 2
    size = max(map(len, texts), default=0) + 2
    return [f" {texts[n]:{size}}{texts[n + half] if n + half < len(texts) else ''}".rstrip() for n in range(half)]


def _details(found: Matrix) -> Iterator[str]:
    heads = ["", *(aspect.head for aspect in ASPECTS.values())]
    for row in found.rows:
        table = [heads]
        for fault in found.faults:
            cell = found.cell(row, fault.name)
            if cell.words:
                table.append([fault.name, *(_word(cell, name, found.window_s) for name in ASPECTS)])
        widths = [max(len(line[n]) for line in table) for n in range(len(heads))]
        yield f"{row}, as {'the container that fares worst does' if found.own else 'web, deaf, chat and job fare'}"
        for line in table:
            yield f" {' '.join(text.ljust(size) for text, size in zip(line, widths, strict=True))}".rstrip()
        yield ""


def _word(cell: Cell, name: str, window_s: float) -> str:
    """Return a word, or how long something was away; a word that some runs do not have is marked."""
    word = cell.words[name]
    if name in TIMED and word == "gap":
        word = amount(cell.seconds[name], "s", window_s)
    return f"{word}~" if name in cell.unlike else word


# -- for programs ----------------------------------------------------------------------------------


def matrix_csv(found: Matrix) -> str:
    """Return one row a cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    times = [f"{name}_dark_s" for name in TIMED]
    writer.writerow(["design", "live_restore", "fault", "step", "code", *ASPECTS, *times, "runs", "unlike"])
    for cell in found.cells:
        restores = "" if cell.live_restore is None else str(cell.live_restore).lower()
        dark = [_known(cell.seconds.get(name)) for name in TIMED]
        words = [cell.words.get(name, "") for name in ASPECTS]
        row = [cell.design, restores, cell.fault, cell.step, code(cell) if cell.words else "", *words, *dark]
        writer.writerow([*row, cell.runs, " ".join(cell.unlike)])
    return out.getvalue()


def matrix_json(found: Matrix) -> dict[str, Any]:
    """Return the matrix for programs; what was not back, or is not known, is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "fault-matrix",
        "name": found.name,
        "title": found.title,
        "seeds": found.seeds,
        "window_s": found.window_s,
        "own": found.own,
        "faults": [{"name": fault.name, "title": fault.title} for fault in found.faults],
        "aspects": [
            {"name": name, "head": it.head, "meaning": it.meaning, "words": list(it.words)}
            for name, it in ASPECTS.items()
        ],
        "cells": [
            {
                "design": cell.design,
                "live_restore": cell.live_restore,
                "fault": cell.fault,
                "step": cell.step,
                "words": cell.words or None,
                "dark_s": {name: _known(cell.seconds.get(name)) for name in TIMED} if cell.words else None,
                "refused": cell.refused,
                "runs": cell.runs,
                "unlike": list(cell.unlike),
                "containers": cell.counts or None,
            }
            for cell in found.cells
        ],
    }


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
