"""The page: every row with its error, what was not asked, and the outcomes that tests hold.

Everything is computed; figures are of the tables beside, the model's of runs. Source: none.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from statistics import median

from sim.calibration.calibrate import CalibrationRequest, calibrate
from sim.calibration.cells import Terms
from sim.calibration.phases import LOADED
from sim.calibration.reading import read_all
from sim.render.calibration_text import percent
from tests.source.tell import section as section_of_source
from tests.truth.judge import all_judged
from tests.truth.tell import section as section_of_truth
from tests.validation import backoff_and_sizes, loads, measured, published, theory
from tests.validation.ask import DATA, ROOT, profile
from tests.validation.bundled import module_text
from tests.validation.not_asked import NOT_ASKED
from tests.validation.row import Part, Row, error
from tests.validation.units import units

PAGE = ROOT / "docs" / "validation.md"
SHARES, FITTED = "docker-26-shares", "docker-26-2core"
PARTS: tuple[Part, ...] = (
    theory.PART,
    measured.PARTS[0],
    loads.PART,
    *measured.PARTS[1:],
    *published.PARTS,
    *backoff_and_sizes.PARTS,
)
DAY = "2026-11-24"
FITTED_FILES = ("sequential_noport.csv", "sequential_port.csv", "daemon_restart.csv")
CHECKED_FILES = ("parallel.csv",)
COMMAND = (
    f"shimulator calibrate {' '.join(f'docs/measurements/{name}' for name in FITTED_FILES)} \\\n"
    f"    {' '.join(f'--check docs/measurements/{name}' for name in CHECKED_FILES)} \\\n"
    f"    --base {SHARES} --name {FITTED} --date {DAY} -o {FITTED}.yaml"
)
HEAD = f"""\
# The model beside what was published and measured

Written by `make validation`; no number of the model is typed. Each row has a figure, the model's own and its error (of
a range: by how much it lies outside), what was asked, with which profile and seeds, and the figure's source with its
mark: S source, M measured, K from knowledge, C computed. Errors stand as they are; a reason stands where it is known.
What the model cannot be asked for is listed at the end. Most figures of others are of hosts that nobody described.

The fitted rows of the profile `docker-26-2core`, `sim/measured.py`, are those of

```
{COMMAND}
```
"""
COLUMNS = ("figure", "published or measured", "model", "error", "asked", "profile, seeds", "source", "why")
ROW_HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
REDERIVED = """\
## `docker-26-2core` beside its shares

Medians of the rows that were fitted; {same} rows were not measured and are those of `docker-26-shares`, whose ranges
were read off the medians by hand. Why rows differ: `proxy/listen` was divided between both
proxies evenly, and the file has the time between them; `shim/payload_started` had to be longer, since the answer waits
for it while the program is executed; a start keeps more than one core busy, and what overlaps then takes longer on
two cores, so that `runc/open_exec_fifo` and `payload/execute` are shorter.

"""
OUTCOMES = """\
## Outcomes, Docker 26.1.5

Who survives what, with which code, in which order: `tests/engine/test_docker_26.py` holds each exactly.

| fact | measured | held by |
|---|---|---|
"""


def module_anew() -> str:
    """Return the module of the profile that `shimulator calibrate` makes of the measurements."""

    def read(names: Iterable[str], terms: Terms):
        return read_all([(name, (DATA / name).read_text(encoding="utf-8"), "") for name in names], terms)

    terms = Terms(date=DAY)
    asked = CalibrationRequest(FITTED, "docker-26", SHARES)
    _, made = calibrate(read(FITTED_FILES, terms), read(CHECKED_FILES, terms._replace(phases=frozenset(LOADED))), asked)
    return module_text(made, profile(SHARES))


def page(tell: Callable[[str], None] = lambda _: None, truth: str | None = None) -> str:
    """Return the page; *truth* stands for its section about experiments, which takes minutes."""
    parts = [HEAD]
    for part in PARTS:
        tell(part.title)
        parts.append(section(part))
    parts += [rederived(), outcomes(), units(), section_of_source()]
    tell("experiments on real engines")
    parts += [section_of_truth(all_judged()) if truth is None else truth, not_asked()]
    return "\n".join(parts)


def section(part: Part) -> str:
    """Return one part as Markdown, with the median of its errors, for each of two profiles that are compared."""
    asked = [(row, row.ask()) for row in part.rows]
    both = {row.with_.split(",")[0] for row in part.rows} == {SHARES, FITTED}
    of: dict[str, list[float]] = {SHARES: [], FITTED: []} if both else {"": []}
    for row, value in asked:
        of[row.with_.split(",")[0] if both else ""].append(abs(error(row, value)))
    off = (f"{median(errors):.1%} or less" + f" with `{name}`" * bool(name) for name, errors in of.items())
    words = f"{part.words} " if part.words else ""
    lines = "".join(line(row, value) + "\n" for row, value in asked)
    told = f"{words}Half of the {len(asked)} rows are off by {', and by '.join(off)}."
    return f"## {part.title}\n\n{told}\n\n{ROW_HEAD}{lines}"


def line(row: Row, value: float) -> str:
    """Return one row as Markdown."""
    low, high = row.value if isinstance(row.value, tuple) else (row.value, None)
    figure = number(low) if high is None else f"{number(low)} to {number(high)}"
    if high is not None and number(low) == number(high):
        figure = f"{low:g} to {high:g}"
    unit = f" {row.unit}" if row.unit else ""
    off = "within" if high is not None and error(row, value) == 0 else percent(error(row, value))
    cells = (row.figure, figure + unit, number(value) + unit, off, row.asked, row.with_, row.source, row.why)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def number(value: float) -> str:
    """Write a figure in three digits that matter, four above 1,000.

    >>> number(1.5789), number(160.3), number(0.0338), number(10.106), number(23), number(9243)
    ('1.58', '160', '0.0338', '10.1', '23', '9243')
    """
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def rederived() -> str:
    """Return the fitted rows beside those that gave the shares."""
    old, new = profile(SHARES), profile(FITTED)
    lines = []
    for name in new:
        if new[name] == old.get(name):
            continue
        before, after = (it[name].work.at(0.5) + it[name].wait.at(0.5) for it in (old, new))
        lines.append(f"| `{name}` | {number(before)} ms | {number(after)} ms | {percent(after / before - 1)} | "
                     f"{new[name].cores:g} | {new[name].mark} |\n")  # fmt: skip
    words = REDERIVED.format(same=len(new) - len(lines))
    return f"{words}| row | by hand | fitted | | cores | mark |\n|---|---|---|---|---|---|\n" + "".join(lines)


def outcomes() -> str:
    """Return the facts that are no numbers, and the tests that hold them."""
    held = importlib.import_module("tests.engine.test_docker_26")
    lines = []
    for name, tests in sorted(held.CHECKED.items()):
        fact, by = held.CHECKS[name].get("fact", "numbers"), ", ".join(f"`{test}`" for test in tests)
        lines.append(f"| `{name}` | {fact} | {by} |\n")
    return OUTCOMES + "".join(lines)


def not_asked() -> str:
    """Return what the model cannot be asked for."""
    lines = [f"| {it.source} | {it.figure} | {it.why} |\n" for it in NOT_ASKED]
    return "## Not asked\n\n| source | figure | why not |\n|---|---|---|\n" + "".join(lines)
