"""The tables of `make truth` and of docs/validation.md: how often the model is right, by engine and by kind of row.

Rows that share a cause count once in the column of causes: a cause is right if all of its rows are. Rows of which a
profile was made stand apart. Source: none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from math import inf

from tests.truth.judge import Answer, Judged
from tests.truth.kinds import KINDS
from tests.truth.rows import NUMBERS, Row

WORST, MOST = 15, 40  # rows of the tables of misses
WIDEST = 80  # a cell of what was seen or of what a run says
TITLE = "Experiments on real engines"
WORDS = f"""\
## {TITLE}

`make truth`; `tests/truth/experiments` has a folder for each experiment ([truth.md](truth.md) says how to add one). A
row is right if most of three seeds agree with what was seen, within a tolerance that was taken from repeats. The
column *happened* has the rows that tell of a change, that of *causes* counts rows that follow from one rule once.
Not measured: a host with systemd as PID 1, Docker 28 or newer, and containers of Docker on cgroup v2.
"""


def section(found: Sequence[Judged]) -> str:
    """Return the section as Markdown."""
    predicted, fitted = ([it for it in found if it.row.mark == mark] for mark in ("predicted", "fitted"))
    unsaid = [it for it in found if it.right is None]
    parts = [
        WORDS,
        rates(predicted, ("engine",), lambda it: (it.row.engine,)),
        "By kind of row:\n",
        rates(predicted, ("engine", "kind"), lambda it: (it.row.engine, it.row.kind)),
        "Rows of which a profile was made; they are no predictions:\n",
        rates(fitted, ("engine", "kind"), lambda it: (it.row.engine, it.row.kind)),
        "Causes with the most misses:\n",
        causes([it for it in predicted if not it.right]),
        "The worst misses in numbers:\n",
        worst([it for it in predicted if not it.right]),
        "Not asked, since the language has no word for it:\n",
        unsayable(unsaid),
    ]  # fmt: skip
    return "\n".join(parts)


def rates(found: Iterable[Judged], heads: Sequence[str], by: Callable[[Judged], tuple[str, ...]]) -> str:
    """Return a table of how many rows are right, by what *by* says of them."""
    groups: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for it in found:
        groups[by(it)].append(it)
    order = {kind: number for number, kind in enumerate(KINDS)}
    lines = sorted(groups, key=lambda key: (key[0], *(order[word] for word in key[1:])))
    cells = [(*key, *counts(groups[key])) for key in lines]
    return table((*heads, "rows", "happened", "causes"), cells)


def counts(found: Sequence[Judged]) -> tuple[str, str, str]:
    """Return how many rows, rows in which something happened, and causes are right."""
    whole: dict[Hashable, bool] = {}
    for it in found:
        cause = it.row.engine, it.row.cause or it.row.key
        whole[cause] = whole.get(cause, True) and it.right is True
    changed = [it.right is True for it in found if it.row.happened == "yes"]
    return share([it.right is True for it in found]), share(changed), share(list(whole.values()))


def share(right: Sequence[bool]) -> str:
    """Return how many are right, in words.

    >>> share([True, False, True])
    '2 of 3, 66.7 %'
    """
    return f"{sum(right)} of {len(right)}, {sum(right) / len(right):.1%}".replace("%", " %") if right else "none"


def causes(wrong: Iterable[Judged]) -> str:
    """Return the causes of what is wrong, those with the most rows first."""
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for it in wrong:
        groups[it.row.engine, it.row.cause].append(it)
    lines = sorted(groups.items(), key=lambda it: (-len(it[1]), it[0]))
    cells = [(cause, engine, str(len(mine)), *example(mine[0])) for (engine, cause), mine in lines[:MOST]]
    rest = sum(len(mine) for _, mine in lines[MOST:])
    more = f"\n{rest} more in {len(lines) - MOST} causes.\n" * (len(lines) > MOST)
    return table(("cause", "engine", "wrong", "an example", "seen", "model"), cells) + more


def unsayable(unsaid: Iterable[Judged]) -> str:
    """Return what is missing for rows that are not asked, with how many there are and an example."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for it in unsaid:
        groups[it.row.cause].append(it)
    cells = [(why, str(len(mine)), mine[0].row.experiment, mine[0].row.subject) for why, mine in sorted(groups.items())]
    return table(("what is missing", "entries", "such as", "what was seen"), cells)


def example(it: Judged) -> tuple[str, str, str]:
    """Return a row, what was seen and what the model says."""
    row = it.row
    return f"{row.experiment}: {row.kind}, {row.subject} {row.moment}".strip(), row.expected, it.found[:100]


def worst(wrong: Iterable[Judged]) -> str:
    """Return the numbers that are off by most."""
    mine = sorted((it for it in wrong if it.row.kind in NUMBERS), key=lambda it: (-off(it), it.row.key))
    cells = [(example(it)[0], it.row.expected, it.row.tolerance, it.found[:60]) for it in mine[:WORST]]
    return table(("row", "seen", "within", "model"), cells)


def beside(found: Iterable[tuple[Row, tuple[Answer, ...]]]) -> str:
    """Return what was seen beside what each run says, a line a row in the order of the experiment."""
    cells, runs = [], 0
    for row, answers in found:
        runs = len(answers)
        right = sum(it.right for it in answers)
        said = "yes" if right == runs else f"{right} of {runs}" if right else "no"
        seen = short(row.expected)
        cells.append((row.moment, f"{row.kind}: {row.subject}", seen, *map(told, answers), row.tolerance, said))
    heads = ("moment", "subject", "seen", *(f"run {number}" for number in range(1, runs + 1)), "within", "right")
    return table(heads, cells)


def told(it: Answer) -> str:
    """Return what a run says in few words: of how a command was answered, after how many seconds.

    >>> told(Answer(True, "at stop+2s59ms: done")), told(Answer(False, "no answer"))
    ('2.059', 'no answer')
    """
    value = number(it.found)
    return short(it.found) if value is None or it.found[0] != "a" else f"{value:.3f}"


def short(text: str) -> str:
    """Return the beginning of a text that is too long for a cell."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def off(it: Judged) -> float:
    """Return by which factor a number is off; one that is not there, or not of this world, is off by most."""
    value, seen = number(it.found), float(it.row.expected)
    return inf if value is None or value <= 0 or seen <= 0 else max(value / seen, seen / value)


def number(found: str) -> float | None:
    """Return the number that the model says: itself, or how long after a step its command was answered.

    >>> number("2.5"), number("at stop+59ms: done"), number("no answer")
    (2.5, 0.059, None)
    """
    answered = re.match(r"at [\w-]+\+(?:(\d+)m)?(?:([\d.]+)s)?(?:([\d.]+)ms)?:", found)
    if answered:
        minutes, seconds, milliseconds = (float(it or 0) for it in answered.groups())
        return minutes * 60 + seconds + milliseconds / 1000
    try:
        return float(found)
    except ValueError:
        return None


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown, in columns that line up."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (heads, *rows)]
    wide = [max(len(row[number]) for row in cells) for number in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(wide[number]) for number, cell in enumerate(row)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (number + 2) for number in wide) + "|")
    return "\n".join(lines) + "\n"
