"""Compare the views with the text of the real ps and pstree on random trees."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.views.table import Table
from tests.render.oracle import Oracle, why_not
from tests.render.tables import tables, to_table

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"the real tools cannot be asked: {REASON}")

PS = {"ps-axjf": ps_axjf, "ps-ef": ps_ef, "ps-eo": ps_eo, "ps-auxf": ps_auxf}
SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
WIDTHS = st.none() | st.sampled_from([40, 80, 132, 236]) | st.integers(20, 200)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as worker:
        yield worker


def ours(view: str, table: Table, width: int | None, root: int) -> str:
    if view in PS:
        return PS[view](table, width=width)
    return pstree(table, root, ascii=view == "pstree-ascii", pids=view == "pstree-p", width=width)


def check(oracle: Oracle, rows: list[dict[str, Any]], width: int | None, root: int, pid_max: int, locale: str) -> None:
    """Each view must equal the tool's text at the second before or after the tool ran."""
    answers = oracle.ask(rows, width=width, root=root, pid_max=pid_max, locale=locale)
    assert len(answers) == 7
    for view, (real, before, after) in answers.items():
        at = [to_table(rows, btime=oracle.btime, uptime_s=uptime_s, pid_max=pid_max, locale=locale)
              for uptime_s in range(before, after + 2)]
        texts = [ours(view, table, width, root) for table in at]
        assert real in texts, f"{view}:\nreal\n{real}ours\n{texts[0]}"


@SLOW
@given(rows=tables(), pid_max=st.sampled_from([1000, 32768, 100000, 4194304]))
def test_whole_views_equal_the_real_tools(oracle: Oracle, rows: list[dict[str, Any]], pid_max: int) -> None:
    """Without a width, every view is the tool's text, letter for letter."""
    check(oracle, rows, None, 1, pid_max, "C.UTF-8")


@SLOW
@given(rows=tables(), width=WIDTHS, locale=st.sampled_from(["C.UTF-8", "C"]), pick=st.integers(0, 13))
def test_narrow_views_equal_the_real_tools(
    oracle: Oracle, rows: list[dict[str, Any]], width: int | None, locale: str, pick: int
) -> None:
    """On a screen of any width, from any process, in both kinds of locale, every view is the tool's text."""
    check(oracle, rows, width, rows[pick % len(rows)]["pid"], 32768, locale)


@SLOW
@given(rows=tables(most=30, comms=["a", "b"]))
def test_equal_branches_fold_as_in_the_real_pstree(oracle: Oracle, rows: list[dict[str, Any]]) -> None:
    """With only two names, many branches are equal and folds nest."""
    check(oracle, rows, None, 1, 32768, "C.UTF-8")
