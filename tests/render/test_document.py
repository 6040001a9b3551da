"""Compare the views with the listings of the document that the project explains (Docker 1.13.1 on CentOS 7)."""

import re
from pathlib import Path

import pytest

from sim.engines.docker.shows.ps import docker_ps
from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.views.rows import ContainerRow
from sim.views.table import Table, load_table

DATA = Path(__file__).parent / "data"
GRAFANA = "17d0801f3a105d7226ca2ec029a7957a764c40ad68d4e91b0d34c5ebc1debf67"


@pytest.fixture(scope="module")
def table() -> Table:
    return load_table(DATA / "document_table.json")


def block(name: str) -> list[str]:
    return (DATA / "document" / f"block_{name}.txt").read_text(encoding="utf-8").splitlines()


def four_columns(axjf: str) -> list[str]:
    """Keep PPID, PID, PGID and the command of the rows below pid 1, as the document's author did.

    The author lost the blank at the end of one row that was cut at the screen's edge.
    """
    rows = [re.sub(r"^(.{17}) .{38}(.*)$", r"\1\2", line).rstrip() for line in axjf.splitlines()]
    return [row for row in rows[1:] if not row.startswith("    0 ")]


def test_pstree_of_containerd_is_the_documents(table: Table) -> None:
    """All 13 lines of `pstree 15935` are the document's."""
    lines = pstree(table, 15935).splitlines()
    assert len(lines) == 13
    assert lines == block("pstree_15935")


def test_pstree_of_a_shim_is_the_documents(table: Table) -> None:
    """Both lines of `pstree 625` are the document's."""
    assert pstree(table, 625).splitlines() == block("pstree_625")


def test_forest_on_236_columns_is_the_documents_but_for_its_slip(table: Table) -> None:
    """20 of the 21 rows are the document's; its row 777 lacks a bar, which no ps would leave out."""
    ours, theirs = four_columns(ps_axjf(table, width=236)), block("forest")
    assert len(ours) == len(theirs) == 21
    assert max(map(len, theirs)) == 236 - 39
    different = [(mine, his) for mine, his in zip(ours, theirs, strict=True) if mine != his]
    assert len(different) == 1
    mine, his = different[0]
    assert mine.startswith(r"  759   777   777  |   |   \_ /bin/node_exporter --path.procfs")
    assert his.startswith(r"  759   777   777  |   \_ /bin/node_exporter --path.procfs")
    assert his.replace("|   ", "|   |   ", 1).startswith(mine)


def test_forest_into_grep_is_the_documents(table: Table) -> None:
    """All 8 rows of `ps -axjf | grep 15929` are whole and the document's."""
    assert [row for row in four_columns(ps_axjf(table)) if "15929" in row] == block("grep_15929")


def test_ps_ef_into_grep_is_the_documents(table: Table) -> None:
    """`ps -ef | grep 17d` gives the document's one row."""
    assert [row for row in ps_ef(table).splitlines() if "17d" in row] == block("ps_ef_17d")


def test_docker_ps_row_is_the_documents() -> None:
    """The document's row of `docker ps` stands beside an image with a name of 47 letters and a command that is cut."""
    now = 1607910000.0
    born = now - 10 * 86400 - 3600
    grafana = ContainerRow(
        id=GRAFANA,
        image="grafana/grafana",
        path="/run.sh",
        created=born,
        started=born,
        running=True,
        ports=((3000, 20002, "0.0.0.0", "tcp"),),
        name="grafana",
    )
    other = ContainerRow(
        id="2d4396a783ec" + "0" * 52,
        image="registry/" + "x" * 38,
        path="sh",
        created=born,
        started=born,
        args=("-c", "java -jar a.jar"),
        running=True,
        name="arthas",
    )
    assert len(other.image) == 47
    text = docker_ps([grafana, other], now)
    assert [row for row in text.splitlines() if "17d0801f3a10" in row] == block("docker_ps")


RECORDED = {
    "ps_axjf": ps_axjf,
    "ps_axjf_width236": lambda table: ps_axjf(table, width=236),
    "ps_ef": ps_ef,
    "ps_eo": ps_eo,
    "ps_auxf": ps_auxf,
    "pstree": pstree,
    "pstree_ascii": lambda table: pstree(table, ascii=True),
    "pstree_15935": lambda table: pstree(table, 15935),
    "pstree_625": lambda table: pstree(table, 625),
    "pstree_p_15935": lambda table: pstree(table, 15935, pids=True),
    "pstree_p_625": lambda table: pstree(table, 625, pids=True),
}


@pytest.mark.parametrize("name", RECORDED)
def test_views_equal_what_the_real_tools_print_for_the_document(table: Table, name: str) -> None:
    """The real tools' text for the document's table is ours in all 11 recorded views."""
    assert RECORDED[name](table) == (DATA / "document" / f"document_{name}.txt").read_text(encoding="utf-8")
