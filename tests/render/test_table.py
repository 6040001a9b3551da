"""Check that tables are read, refused with all their mistakes, and seen as trees."""

import json
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.testing import tables
from sim.views.table import Table, load_table, parse_table, to_json
from sim.views.tree import subtree, tree

INIT = {
    "pid": 1,
    "ppid": 0,
    "pgid": 1,
    "sid": 1,
    "comm": "init",
    "args": ["/init"],
    "state": "S",
    "start_ticks": 0,
    "uid": 0,
}
META = {"btime": 0, "now": 9}
UNHURRIED = settings(deadline=None)


def problems(procs: list[Any], meta: Any = META) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_table(json.dumps({"meta": meta, "procs": procs}), "t.json")
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "t.json:1:1: "),
        ('{"meta": {},\n  "procs" []}', "t.json:2:11: "),
        ("[" * 100000, "t.json:1:1: "),
        ('{"a": ' + "9" * 5000 + "}", "t.json:1:1: "),
    ],
)
def test_broken_json_is_refused_with_line_and_column(text: str, where: str) -> None:
    """The place of the mistake is told as file:line:column."""
    with pytest.raises(InputError) as caught:
        parse_table(text, "t.json")
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pid": "1"}, "t.json: procs[0].pid: the value is '1'. Valid: a process number, 1 or more."),
        ({"pid": True}, "t.json: procs[0].pid: the value is True. Valid: a process number, 1 or more."),
        ({"pid": None}, "t.json: procs[0].pid: the value is None. Valid: a process number, 1 or more."),
        ({"stat": "S"}, "t.json: procs[0].stat: the key is unknown. Did you mean 'state'?"),
        ({"state": "Q"}, "t.json: procs[0].state: the value is 'Q'. Valid: one of R, S, D, T, t, Z, X, I."),
        ({"tty": "console"}, "t.json: procs[0].tty: the value is 'console'. Valid: pts/N, ttyN, or null for none."),
        ({"args": "sh"}, "t.json: procs[0].args: the value is 'sh'. Valid: a list of texts without NUL."),
        ({"comm": "\ud800"}, "t.json: procs[0].comm: the value is '\\ud800'. Valid: a text without NUL."),
        (
            {"threads": [1]},
            (
                "t.json: procs[0].threads[0]: the value is 1, as procs[0].pid is. "
                "Pids and tids share one number space: use each number once."
            ),
        ),
        (
            {"ppid": 1},
            (
                "t.json: procs[0].ppid: process 1 is its own ancestor (1 -> 1). "
                "Give one of them a parent outside the circle, such as 0."
            ),
        ),
        ({"a\x1b[2J": 1}, None),
    ],
)
def test_a_wrong_row_is_told_with_place_value_and_what_is_valid(change: dict[str, Any], says: str | None) -> None:
    """One mistake gives one problem, which says where, what and what instead, and is safe to print."""
    found = problems([INIT | change])
    assert len(found) == 1
    assert found[0].isprintable()
    assert says is None or found == [says]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """Every row's mistakes are in one error, in the order of the file."""
    rows = [INIT, INIT | {"nice": 99}, {"pid": 7}, 3]
    found = problems(rows, META | {"tz": "Asia/Shanghai", "users": {"x": "root"}})
    missing = ("ppid", "pgid", "sid", "comm", "args", "state", "start_ticks", "uid")
    assert [line.split(": ")[1] for line in found] == [
        "meta.tz",
        "meta.users.x",
        "procs[1].nice",
        *(f"procs[2].{key}" for key in missing),
        "procs[3]",
        "procs[1].pid",
    ]


def test_a_circle_of_parents_is_told_once() -> None:
    """Processes that are each other's parents could never be shown."""
    ids = [(1, 0), (7, 8), (8, 7), (9, 8)]
    found = problems([INIT | {"pid": pid, "ppid": ppid} for pid, ppid in ids])
    assert len(found) == 1
    assert "procs[1].ppid: process 7 is its own ancestor (7 -> 8 -> 7)" in found[0]


@pytest.mark.parametrize("document", [[], 3, None, {}, {"meta": [], "procs": {}}])
def test_another_kind_of_document_is_refused(document: Any) -> None:
    """What is not a table is refused, whatever JSON it is."""
    with pytest.raises(InputError):
        parse_table(json.dumps(document), "t.json")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and other encodings are input errors that name the path."""
    binary = tmp_path / "b.json"
    binary.write_bytes(b"{}\xff")
    for path in (tmp_path / "none.json", tmp_path, binary):
        with pytest.raises(InputError, match=str(path)):
            load_table(path)


def test_null_stands_for_the_default() -> None:
    """A null optional key means the same as no key."""
    row = INIT | {"threads": None, "tty": None, "nice": None}
    with_nulls, without = (json.dumps({"meta": META, "procs": [proc]}) for proc in (row, INIT))
    assert parse_table(with_nulls, "t") == parse_table(without, "t")


@UNHURRIED
@given(tables())
def test_any_table_survives_being_written(table: Table) -> None:
    """What to_json writes, parse_table reads back to the same value, stray bytes included."""
    assert parse_table(to_json(table), "t.json") == table


KEYS = st.sampled_from(["meta", "procs", "pid", "ppid", "threads", "users", "btime", "\x1b"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@UNHURRIED
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS | st.text(), inner)))
def test_any_json_is_read_or_refused_in_words(document: Any) -> None:
    """No JSON makes the reader fail in another way than by InputError."""
    said = ""
    try:
        parse_table(json.dumps(document), "t.json")
    except InputError as error:
        said = str(error)
    assert all(line.isprintable() for line in said.split("\n"))


@UNHURRIED
@given(tables())
def test_a_tree_has_each_process_once_and_only_true_edges(table: Table) -> None:
    """Nodes are the pids; edges go from listed parents to their children."""
    graph = tree(table)
    pids = {row.pid for row in table.procs}
    assert set(graph.nodes) == pids
    assert set(graph.edges) == {(row.ppid, row.pid) for row in table.procs if row.ppid in pids}


@UNHURRIED
@given(tables(), st.integers(0, 13))
def test_a_subtree_is_what_the_graph_reaches(table: Table, pick: int) -> None:
    """A subtree holds its root and all of the root's descendants."""
    root = table.procs[pick % len(table.procs)].pid
    assert {row.pid for row in subtree(table, root).procs} == {root} | networkx.descendants(tree(table), root)
    assert subtree(table, 10**9).procs == ()
