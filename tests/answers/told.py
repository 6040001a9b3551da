"""Figures of a command's runs under short names, and the words and tables that they are put into.

A command is read by the command line's own parser and run as it would be; so what is printed beside an answer is what
was run. Leaves out files that a command would write. Source: `sim.cli`.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any

from sim.cli import options_of
from sim.cli.files import scenario_of
from sim.cli.matrix import matrix_of
from sim.cli.whatif import answered, asked_questions
from sim.experiment.executors import Lanes
from sim.experiment.replicate import Progress
from sim.experiment.run import Run, run_scenario
from sim.render.amounts import amount, change, interval
from sim.views.comparison import Row, Side, WhatIf
from sim.views.fault_cells import Matrix
from tests.answers.labels import misfits

NOW = 0  # the place of the file as it stands among the alternatives


class Told:
    """A what-if with a name for the file as it is and for each alternative."""

    def __init__(self, found: WhatIf, names: Sequence[str]) -> None:
        wrong = misfits(found, names)
        assert not wrong, f"{found.name}: {'; '.join(wrong)}"
        self.found, self.names = found, tuple(names)

    def side(self, name: str, metric: str) -> tuple[Row, Side] | None:
        """Return one figure with its row; None where there is nothing to measure."""
        place = self.names.index(name)
        for variant in self.found.variants if place == NOW else (self.found.variants[place - 1],):
            for row in variant.rows:
                if row.metric == metric:
                    return row, row.base if place == NOW else row.other
        return None

    def value(self, name: str, metric: str) -> float:
        """Return a median; `inf` is not back, `nan` nothing to measure."""
        found = self.side(name, metric)
        return math.nan if found is None else found[1].median

    def all_of(self, name: str, metric: str) -> bool:
        """Say whether all of what is counted are, as the median has it."""
        found = self.side(name, metric)
        return found is not None and found[1].median == found[1].total

    def say(self, name: str, metric: str) -> str:
        """Return a median in words."""
        found = self.side(name, metric)
        if found is None:
            return "–"
        row, side = found
        return amount(side.median, row.unit, self.found.window_s, side.total).replace("> ", "more than ")

    def cell(self, name: str, metric: str) -> str:
        """Return a median, and behind it the paired difference to the file as it is, with its 95 % interval."""
        found = self.side(name, metric)
        if found is None:
            return "–"
        row, side = found
        text = amount(side.median, row.unit, self.found.window_s, side.total)
        if self.names.index(name) == NOW or row.verdict == "same" or not row.unit:
            return text
        between = interval(row)
        return f"{text} ({change(row)}{f': {between}' if between not in ('', '–') else ''})"

    def table(self, columns: dict[str, str]) -> list[str]:
        """Return a Markdown table: a row for each side, a column for each metric with its heading."""
        lines = [f"| | {' | '.join(columns.values())} |", f"|---|{'---|' * len(columns)}"]
        for name in self.names:
            lines.append(f"| {name} | {' | '.join(self.cell(name, metric) for metric in columns)} |")
        return lines

    @property
    def runs(self) -> str:
        """Return how it was measured."""
        seeds = self.found.seeds
        return f"{len(seeds)} paired runs (seeds {seeds[0]}–{seeds[-1]}) of each row"


# -- running ---------------------------------------------------------------------------------------


class Runner:
    """Runs commands on one executor, each once."""

    def __init__(self, lanes: Lanes, progress: Progress | None = None) -> None:
        self.lanes, self.progress = lanes, progress
        self.done: dict[str, Any] = {}

    def whatifs(self, command: str) -> list[WhatIf]:
        """Return the comparisons of a `shimulator whatif` command."""
        if command not in self.done:
            options = read(command)
            asked = [question.within(self.lanes) for question in asked_questions(options)]
            self.done[command] = answered(asked, options, self.lanes)
        found: list[WhatIf] = self.done[command]
        return found

    def told(self, command: str, *names: str) -> Told:
        """Return the one comparison of a command under short names."""
        (found,) = self.whatifs(command)
        return Told(found, names)

    def matrix(self, command: str) -> Matrix:
        """Return the matrix of a `shimulator whatif --matrix` command."""
        if command not in self.done:
            self.done[command] = matrix_of(read(command), None, self.lanes)
        found: Matrix = self.done[command]
        return found


def read(command: str) -> Any:
    """Read a command as the shell and the command line do."""
    program, *words = shlex.split(command)
    assert program == "shimulator", command
    return options_of(words)


@cache
def run_of(file: str, settings: tuple[str, ...] = (), seed: int = 1) -> Run:
    """Return one run of a bundled scenario under settings."""
    return run_scenario(scenario_of(file, settings), seed)


# -- words -----------------------------------------------------------------------------------------


def dark(told: Told, name: str, metric: str) -> str:
    """Say for how long something was away."""
    value = told.value(name, metric)
    if math.isnan(value):
        return "not asked"
    return "never dark" if value == 0 else f"dark for {told.say(name, metric)}"


def by_live_restore(found: Matrix) -> str:
    """Say whether the words of a matrix are others with live-restore."""
    plain = {(cell.design, cell.fault): cell.words for cell in found.cells if cell.live_restore is False}
    live = {(cell.design, cell.fault): cell.words for cell in found.cells if cell.live_restore}
    unlike = sorted({design for design, fault in live if live[design, fault] != plain[design, fault]})
    if not live:
        return "live-restore"
    return f"live-restore, with which {listed(unlike)} differ" if unlike else "live-restore, which changes nothing here"


def are(number: float) -> str:
    """Say of how many something is true.

    >>> are(1), are(2)
    ('1 is', '2 are')
    """
    return f"{number:.0f} {'is' if number == 1 else 'are'}"


def cut_off(clients: list[str]) -> str:
    """Say who no longer reaches a port.

    >>> cut_off([]), cut_off(["loopback"])
    ('nobody is cut off', 'loopback is cut off')
    """
    if not clients:
        return "nobody is cut off"
    return f"{listed(clients)} {'is' if len(clients) == 1 else 'are'} cut off"


def listed(parts: Sequence[str]) -> str:
    """Join parts of a sentence.

    >>> listed(["a", "b", "c"]), listed([])
    ('a, b and c', 'none')
    """
    if not parts:
        return "none"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def grouped(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Say of whom the same is true, once.

    >>> grouped([("a", "x"), ("b", "x"), ("c", "y")])
    ('a and b: x', 'c: y')
    """
    said: dict[str, list[str]] = {}
    for name, text in pairs:
        said.setdefault(text, []).append(name)
    return tuple(f"{listed(names)}: {text}" for text, names in said.items())


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return slope and intercept of the line of least squares."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return slope, mean_y - slope * mean_x
