"""Compare the views with the text of the real ps and pstree on random trees."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.testing import tables
from sim.testing.tables import META, TTYS, UPTIME_S
from sim.views.table import Table
from tests.drawing import examples
from tests.render import oracle as real
from tests.render.oracle import Oracle, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"the real tools cannot be asked: {REASON}")

HOST = (META.mem_total_kib, dict(META.users), UPTIME_S, set(TTYS))
assert (real.MEM_TOTAL_KIB, real.USERS, real.UPTIME_S, set(real.TTYS)) == HOST, "tables are drawn of another host"

PS = {"ps-axjf": ps_axjf, "ps-ef": ps_ef, "ps-eo": ps_eo, "ps-auxf": ps_auxf}
SLOW = examples(120, deadline=None, suppress_health_check=list(HealthCheck))
WIDTHS = st.none() | st.sampled_from([40, 80, 132, 236]) | st.integers(20, 200)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as worker:
        yield worker


def ours(view: str, table: Table, width: int | None, root: int) -> str:
    if view in PS:
        return PS[view](table, width=width)
    return pstree(table, root, ascii=view == "pstree-ascii", pids=view == "pstree-p", width=width)


def check(oracle: Oracle, table: Table, width: int | None, root: int, pid_max: int, locale: str) -> None:
    """Each view must equal the tool's text at the second before or after the tool ran."""
    rows = [asdict(row) for row in table.procs]
    answers = oracle.ask(rows, width=width, root=root, pid_max=pid_max, locale=locale)
    assert len(answers) == 7
    for view, (text, before, after) in answers.items():
        host = replace(table.meta, btime=oracle.btime, pid_max=pid_max, locale=locale)
        at = [replace(host, now=oracle.btime + uptime_s) for uptime_s in range(before, after + 2)]
        texts = [ours(view, replace(table, meta=meta), width, root) for meta in at]
        assert text in texts, f"{view}:\nreal\n{text}ours\n{texts[0]}"


@SLOW
@given(table=tables(), pid_max=st.sampled_from([1000, 32768, 100000, 4194304]))
def test_whole_views_equal_the_real_tools(oracle: Oracle, table: Table, pid_max: int) -> None:
    """Without a width, every view is the tool's text, letter for letter."""
    check(oracle, table, None, 1, pid_max, "C.UTF-8")


@SLOW
@given(table=tables(), width=WIDTHS, locale=st.sampled_from(["C.UTF-8", "C"]), pick=st.integers(0, 13))
def test_narrow_views_equal_the_real_tools(
    oracle: Oracle, table: Table, width: int | None, locale: str, pick: int
) -> None:
    """On a screen of any width, from any process, in both kinds of locale, every view is the tool's text."""
    check(oracle, table, width, table.procs[pick % len(table.procs)].pid, 32768, locale)


@pytest.mark.long
@SLOW
@given(table=tables(most=30, comms=("a", "b")))
def test_equal_branches_fold_as_in_the_real_pstree(oracle: Oracle, table: Table) -> None:
    """With only two names, many branches are equal and folds nest."""
    check(oracle, table, None, 1, 32768, "C.UTF-8")
