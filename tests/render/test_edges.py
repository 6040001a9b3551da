"""Check rare rules one by one against text seen from the real tools, so that they hold where those are missing."""

import pytest

from sim.render.ps import ps_axjf
from sim.render.pstree import pstree
from sim.views.table import Meta, ProcessRow, Table

INIT = ProcessRow(1, 0, 1, 1, "init")
HOUR_TICKS = 360000


def table(*rows: ProcessRow) -> Table:
    return Table(Meta(btime=0, now=1), (INIT, *rows))


def commands(*rows: ProcessRow) -> list[str]:
    """Give what stands behind the time in each row but the header and pid 1."""
    return [line.split(":", 1)[1][3:] for line in ps_axjf(table(*rows), width=20).splitlines()[1:-1]]


def row(pid: int, ppid: int, word: str, hours: int = 0) -> ProcessRow:
    return ProcessRow(pid, ppid, 1, 1, "sh", args=(word,), utime=hours * HOUR_TICKS)


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([row(9, 2, "abcdef")], ["abc"]),
        ([row(9, 2, "ab\u0301c\u0301def")], ["ab\u0301c"]),
        ([row(9, 2, "漢漢")], ["漢"]),
        ([row(9, 2, "abcdef"), row(10, 9, "xyz")], ["abc", "xyz"]),
        ([row(9, 2, "a-long-command", 1666)], ["a"]),
        ([row(9, 2, "a-long-command", 1667)], [""]),
        ([row(9, 2, "a-long-command", 16667)], ["a-long-command"]),
    ],
)
def test_a_command_gets_what_the_row_leaves_of_the_screen(rows: list[ProcessRow], seen: list[str]) -> None:
    """The command is cut to the room left, branches first; a row already too long is not cut at all."""
    assert commands(*rows) == seen


def test_unlisted_parents_hang_below_init_the_latest_found_first() -> None:
    """Each parent that is not there is drawn as `?`, in reverse order of being met."""
    strays = [
        ProcessRow(7, 55, 1, 1, "b"),
        ProcessRow(8, 44, 1, 1, "a"),
        ProcessRow(9, 66, 1, 1, "c"),
        ProcessRow(10, 44, 1, 1, "z"),
    ]
    assert pstree(table(*strays), pids=True) == (
        "init(1)─┬─?(66)───c(9)\n        ├─?(44)─┬─a(8)\n        │       └─z(10)\n        └─?(55)───b(7)\n"
    )


def test_a_child_of_a_thread_hangs_below_the_thread() -> None:
    """A table may name a thread as parent, which the kernel never does; it is found though its process comes later."""
    rows = table(ProcessRow(7, 9, 1, 1, "sh"), ProcessRow(8, 1, 1, 1, "db", threads=(9,)))
    assert pstree(rows, pids=True) == "init(1)───db(8)───{db}(9)───sh(7)\n"


@pytest.mark.parametrize(
    ("width", "utf8", "plain"),
    [
        (11, "init─┬─bas+\n     └─cro+\n", "init-+-bas+\n     `-cro+\n"),
        (12, "init─┬─bash+++\n     └─cron\n", "init-+-bash+\n     `-cron\n"),
        (14, "init─┬─bash──+++\n     └─cron\n", "init-+-bash--+\n     `-cron\n"),
        (15, "init─┬─bash───+\n     └─cron\n", "init-+-bash---+\n     `-cron\n"),
        (16, "init─┬─bash───v+\n     └─cron\n", "init-+-bash---v+\n     `-cron\n"),
        (17, "init─┬─bash───vi\n     └─cron\n", "init-+-bash---vi\n     `-cron\n"),
    ],
)
def test_pstree_is_cut_at_the_screens_edge(width: int, utf8: str, plain: str) -> None:
    """A cut ends in a plus, in three of them if it falls on a piece of line; beyond the edge no child is drawn."""
    rows = table(ProcessRow(7, 1, 1, 1, "bash"), ProcessRow(8, 7, 1, 1, "vi"), ProcessRow(9, 1, 1, 1, "cron"))
    assert pstree(rows, width=width) == utf8
    assert pstree(rows, width=width, ascii=True) == plain


def test_children_beyond_the_edge_are_not_drawn() -> None:
    """A label that ends at the last but one column hides several children, whose lines would be empty."""
    rows = table(ProcessRow(7, 1, 1, 1, "bash"), ProcessRow(8, 7, 1, 1, "vi"), ProcessRow(9, 7, 1, 1, "less"))
    assert pstree(rows, width=12) == "init───bash+++\n"
    assert pstree(rows, width=13) == "init───bash─+++\n" + " " * 12 + "+++\n"
