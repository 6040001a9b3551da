"""docs/validation.md is what its tables and the model say: a quick look, and the whole of it among the long tests."""

from __future__ import annotations

import re

import pytest

from tests.engine.test_docker_26 import CHECKED, CHECKS
from tests.truth.tell import TITLE as TRUTH
from tests.validation.ask import profile
from tests.validation.bundled import MODULE
from tests.validation.not_asked import NOT_ASKED
from tests.validation.page import (
    COMMAND,
    PAGE,
    PARTS,
    line,
    module_anew,
    not_asked,
    outcomes,
    page,
    rederived,
)
from tests.validation.row import Row, error
from tests.validation.units import units

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [row for part in PARTS for row in part.rows]
QUICK = [row for row in ROWS if row.quick]
MARKS = re.compile(r"[SMKC] ")

# What figures of others there are: every source has a row, or stands among those that are not asked.
SOURCES = """\
containerd README 2015; containerd 0.2 README 2015; bucketbench README; ecliptik gist; moby#42096; moby#29780;
for-linux#121; moby#11228; for-linux#655; moby#22383; moby#38301; moby#30520; #31462; #35730; moby#39733;
kubernetes#3312; arXiv 2602.15214; CCGrid 2023; Slacker; SOCK; Particle; RunD; crun README; youki README; kiri bench;
norma.dev; techplained; moby#34328; #23166; #16284; bambuddy#1646; moby PR #7548; measurement of 2021; faas-sim;
KEP-4603; Azure Functions"""


def shown() -> list[list[str]]:
    """Return the cells of each row on the page."""
    table = TEXT.split("\n## `docker-26-2core`")[0].splitlines()
    return [cells(it) for it in table if it.startswith("| ") and not it.startswith("| figure ")]


def cells(text: str) -> list[str]:
    """Return what stands in a line of a table."""
    return [cell.strip() for cell in text.strip("|").split(" | ")]


def test_every_row_is_on_the_page_in_its_order() -> None:
    """With its figure, source and question; nothing else is."""
    for row, there in zip(ROWS, shown(), strict=True):
        mine = cells(line(row, 1.0))
        assert (there[:2], there[4:]) == (mine[:2], mine[4:])


@pytest.mark.mostly_long
@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.figure)
def test_some_rows_are_what_the_model_says_now(row: Row):
    """Computed anew, to the last digit that is shown."""
    assert line(row, row.ask()) in TEXT.splitlines()


@pytest.mark.long
def test_the_other_tables_are_on_the_page():
    """What was not asked, outcomes, units beside a real systemd, and the bundled profile derived anew."""
    for text in (not_asked(), outcomes(), rederived(), units()):
        assert text in TEXT


def test_no_published_figure_is_dropped():
    """Each source of others has a row or a reason; each fact of the measurements is held by a test."""
    told = " ".join([*(row.source for row in ROWS), *(it.source for it in NOT_ASKED)])
    assert [it for it in re.split(r";\s+", SOURCES) if it not in told] == []
    assert len(CHECKED) + 2 == len(CHECKS)


def test_every_figure_has_a_mark_and_every_large_error_a_reason():
    """S, M, K or C; an error of more than a quarter is explained, if only by a host that is not known."""
    assert all(MARKS.match(row.source) for row in ROWS)
    assert all(MARKS.match(it.source) and it.why for it in NOT_ASKED)
    for row, there in zip(ROWS, shown(), strict=True):
        off = there[3]
        if off != "within" and abs(float(off.removesuffix(" %").replace("−", "-"))) > 25:
            assert row.why, there


def test_an_error_of_a_range_is_how_far_outside():
    """Within there is none."""
    row = ROWS[0]._replace(value=(2.0, 4.0))
    assert [error(row, it) for it in (1.0, 2.0, 3.0, 4.0, 5.0)] == [-0.5, 0, 0, 0, 0.25]


def test_the_measured_profile_says_where_its_numbers_come_from():
    """Each row that differs from those that gave the shares is measured, with file, n, day and share."""
    mine, shares = profile("docker-26-2core"), profile("docker-26-shares")
    changed = {name for name, row in mine.items() if row != shares[name]}
    assert {"runc/begin_create", "iptables/apply", "dockerd/stop_proxy"} <= changed
    for name in changed:
        assert re.match(r"M [\w.]+: .+, n = \d+, 2026-11-24: [\w/-]+, share [\d.]+(; cores: .+)?\Z", mine[name].mark)
    assert COMMAND in TEXT


@pytest.mark.long
def test_the_page_and_the_profile_are_what_make_validation_writes():
    """Every byte of both, made anew, but for the section that tests/test_truth.py looks at."""
    assert module_anew() == MODULE.read_text(encoding="utf-8")
    begin, end = TEXT.index(f"## {TRUTH}\n"), TEXT.index("## Not asked\n")
    assert page(truth=TEXT[begin : end - 1]) == TEXT
