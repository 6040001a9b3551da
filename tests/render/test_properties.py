"""Check what must hold for the views of any table."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.render.clean import printable
from sim.render.pstree import pstree
from sim.render.registry import VIEWS
from sim.testing import tables
from sim.views.table import Meta, ProcessRow, Table
from sim.views.tree import subtree

UNHURRIED = settings(deadline=None)
PID_AT = {"ps-axjf": 1, "ps-ef": 1, "ps-eo": 0, "ps-auxf": 1}
HOSTILE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.mostly_long
@pytest.mark.parametrize("view", PID_AT)
@UNHURRIED
@given(table=tables())
def test_every_pid_has_one_row(view: str, table: Table) -> None:
    """Each process has one row in each view of ps, orphans and strays included."""
    lines = VIEWS[view](table, 1).splitlines()[1:]
    assert sorted(int(line.split()[PID_AT[view]]) for line in lines) == [row.pid for row in table.by_pid()]


@pytest.mark.mostly_long
@pytest.mark.parametrize("view", PID_AT)
@UNHURRIED
@given(table=tables(), pick=st.integers(1, 13))
def test_a_root_keeps_only_its_descendants(view: str, table: Table, pick: int) -> None:
    """From a root other than pid 1, a view of ps shows the rows of that subtree."""
    root = table.procs[pick % len(table.procs)].pid
    kept = {row.pid for row in (table if root == 1 else subtree(table, root)).procs}
    assert {int(line.split()[PID_AT[view]]) for line in VIEWS[view](table, root).splitlines()[1:]} == kept


@UNHURRIED
@given(table=tables(comms=("a", "b")))
def test_pstree_with_pids_names_every_process_below_the_root(table: Table) -> None:
    """Each process and thread that descends from pid 1 is drawn once; strays hang below it as `?`."""
    drawn = [int(number) for number in re.findall(r"\((\d+)\)", VIEWS["pstree-p"](table, 1))]
    assert len(drawn) == len(set(drawn))
    below = subtree(table, 1).procs
    assert set(drawn) >= {row.pid for row in below} | {
        tid for row in below if isinstance(row.threads, tuple) for tid in row.threads
    }


@pytest.mark.mostly_long
@pytest.mark.parametrize("view", VIEWS)
@UNHURRIED
@given(table=tables())
def test_no_view_lets_a_name_steer_the_terminal(view: str, table: Table) -> None:
    """No view prints a control, bidirectional or invisible character but the newline that ends each line."""
    text = VIEWS[view](table, 1)
    assert HOSTILE.search(text) is None
    assert text.endswith("\n")


@UNHURRIED
@given(table=tables())
def test_the_order_of_rows_in_a_table_does_not_matter(table: Table) -> None:
    """A view sorts for itself."""
    for view in VIEWS.values():
        assert view(table, 1) == view(Table(table.meta, table.procs[::-1]), 1)


@UNHURRIED
@given(table=tables(), width=st.integers(1, 150))
def test_no_line_of_pstree_is_wider_than_the_screen(table: Table, width: int) -> None:
    """A cut line has at most the screen's width; a cut piece of line costs two cells more, as in the real tool."""
    for line in pstree(table, width=width).splitlines():
        assert len(line) <= width + 2


@pytest.mark.parametrize("view", VIEWS)
def test_a_long_chain_of_processes_is_drawn(view: str) -> None:
    """Depth is limited by no stack."""
    chain = tuple(ProcessRow(pid, pid - 1, pid, pid, f"p{pid}") for pid in range(1, 2000))
    assert "p1999" in VIEWS[view](Table(Meta(btime=0, now=1), chain), 1)


def test_an_unknown_root_shows_nothing() -> None:
    """pstree prints nothing and ps only its header for a number that nobody has."""
    table = Table(Meta(btime=0, now=1), (ProcessRow(1, 0, 1, 1, "init"),))
    assert VIEWS["pstree"](table, 77) == ""
    assert VIEWS["ps-eo"](table, 77) == "  PID  PPID  PGID   SID NLWP COMMAND\n"


@UNHURRIED
@given(st.text(alphabet=st.characters(codec=None)))
def test_printable_keeps_length_and_drops_every_hostile_character(text: str) -> None:
    """Each hostile character becomes one question mark, and a clean text stays as it is."""
    clean = printable(text)
    assert HOSTILE.search(clean) is None
    assert "\n" not in clean
    assert len(clean) == len(text)
    assert printable(clean) == clean
