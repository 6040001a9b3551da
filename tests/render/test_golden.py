"""Compare the views with recorded texts of the real tools (procps-ng 4.0.4, psmisc 23.7)."""

import json
from pathlib import Path

import pytest

from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.render.registry import VIEWS
from sim.views.table import Table, parse_table, to_json

GOLDEN = sorted((Path(__file__).parent / "data" / "golden").glob("*.json"))
DRAWN = {
    "ps_axjf": lambda table, root: ps_axjf(table),
    "ps_ef": lambda table, root: ps_ef(table),
    "ps_eo": lambda table, root: ps_eo(table),
    "ps_auxf": lambda table, root: ps_auxf(table),
    "pstree": lambda table, root: pstree(table, ascii=True, width=None),
    "pstree_u": lambda table, root: pstree(table, width=None),
    "pstree_p": lambda table, root: pstree(table, pids=True, width=None),
    "pstree_u_root": lambda table, root: pstree(table, root, width=None),
}
REGISTERED = {
    "ps_axjf": "ps-axjf",
    "ps_ef": "ps-ef",
    "ps_eo": "ps-eo",
    "ps_auxf": "ps-auxf",
    "pstree": "pstree-ascii",
    "pstree_u": "pstree",
    "pstree_p": "pstree-p",
}


def read(path: Path) -> tuple[Table, dict[str, str], int]:
    record = json.loads(path.read_text(encoding="utf-8"))
    table = parse_table(json.dumps({"meta": record["meta"], "procs": record["procs"]}), path.name)
    return table, record["expected"], record["root"]


def test_all_recorded_tables_are_there() -> None:
    """Twenty tables were recorded."""
    assert len(GOLDEN) == 20


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_view_equals_the_recorded_text(path: Path) -> None:
    """Each view of each table is the real tool's text, letter for letter."""
    table, expected, root = read(path)
    assert len(expected) >= 7
    for view, text in expected.items():
        assert DRAWN[view](table, root) == text, view


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_registered_views_print_the_same_text(path: Path) -> None:
    """The registry's names lead to the same views."""
    table, expected, _ = read(path)
    for view, name in REGISTERED.items():
        assert VIEWS[name](table, 1) == expected[view], name


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_table_survives_being_written(path: Path) -> None:
    """What to_json writes, parse_table reads back to the same value."""
    table, _, _ = read(path)
    assert parse_table(to_json(table), "again.json") == table
