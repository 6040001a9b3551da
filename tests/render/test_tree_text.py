"""Check process trees as text: recorded files, reading them back, and names that try to end what they stand in."""

from __future__ import annotations

import html
import re
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.experiment.run import run
from sim.render.clean import printable
from sim.render.registry import VIEWS
from sim.render.tree_text import dot, graphml, mermaid
from sim.testing import tables
from sim.views.forest import Box, Forest
from sim.views.table import Table, load_table

DATA = Path(__file__).parent / "data"
ENDINGS = {"dot": "dot", "mermaid": "mmd", "graphml": "graphml"}
TEXTS = {"dot": dot, "mermaid": mermaid, "graphml": graphml}
HOSTILE = ('a"]; b', 'x\\', '\\N', '"', "&quot;", "a&b", "%%{init: {}}%%", "`md`", "$$x$$", "#35;", "<br/>", "end",
           "é漢", "“x”", "]]>", "<!--", "fa:fa-ban", "a\nb", "\x1b[2J", "\u202e", "\udcff", "\x00")  # fmt: skip
ID = r"p\d+"
DOT_STRING = r'"(?:[^"\\\n]|\\.)*"'
DOT_LINE = re.compile(
    rf"  (?:(?:graph|node|edge|{ID}) \[\w+=(?:{DOT_STRING}|[\w.]+)(?:, \w+=(?:{DOT_STRING}|[\w.]+))*\]|{ID} -> {ID});"
)
MERMAID_LINE = re.compile(
    rf'  (?:{ID}\["(?:[A-Za-z0-9 ,.()/_-]|#\d+;|<br/>)*"\]|{ID} --- {ID}'
    rf"|classDef \w+ [\w#:,\- ]+|class {ID}(?:,{ID})* \w+)"
)


def document() -> Table:
    return load_table(DATA / "document_table.json")


def names(text: str, view: str) -> dict[int, str]:
    """Return the words of each process as a reader of the text sees them, lines apart."""
    if view == "dot":
        found = re.findall(rf"^  p(\d+) \[label=({DOT_STRING})", text, re.M)
        lines = {pid: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], label[1:-1]) for pid, label in found}
        return {int(pid): html.unescape(label) for pid, label in lines.items()}
    shown = ((pid, label.replace("<br/>", "\n")) for pid, label in re.findall(r'^  p(\d+)\["(.*)"\]$', text, re.M))
    return {int(pid): re.sub(r"#(\d+);", lambda m: chr(int(m[1])), label) for pid, label in shown}


def parents(text: str, view: str) -> dict[int, int]:
    line = {"dot": r"^  p(\d+) -> p(\d+);$", "mermaid": r"^  p(\d+) --- p(\d+)$"}[view]
    return {int(child): int(parent) for parent, child in re.findall(line, text, re.M)}


@pytest.mark.parametrize("view", TEXTS)
def test_the_documents_tree_is_the_recorded_one(view: str) -> None:
    """The document's host half a second after its dockerd was killed: six shims under PID 1, daemons anew."""
    recorded = (DATA / "document" / f"tree_after_kill.{ENDINGS[view]}").read_text(encoding="ascii")
    assert run("document").show(view, "kill+500ms") == recorded


@pytest.mark.mostly_long
@pytest.mark.parametrize("view", ["dot", "mermaid"])
@settings(deadline=None)
@given(table=tables(comms=HOSTILE))
def test_whatever_names_are_the_text_stays_in_its_language(view: str, table: Table) -> None:
    """Each line is of the grammar, each process stands there once under its name and below its parent."""
    text = VIEWS[view](table, 1)
    assert text.isascii()
    first, *lines = text.splitlines()
    assert first == {"dot": "digraph processes {", "mermaid": "flowchart TD"}[view]
    if view == "dot":
        assert lines.pop() == "}"
    grammar = DOT_LINE if view == "dot" else MERMAID_LINE
    assert [line for line in lines if not grammar.fullmatch(line)] == []
    pids = {row.pid for row in table.procs}
    found = names(text, view)
    assert set(found) == pids
    assert all(found[row.pid].startswith(f"{printable(row.comm15)} {row.pid}") for row in table.procs)
    assert parents(text, view) == {row.pid: row.ppid for row in table.procs if row.ppid in pids}


@settings(deadline=None)
@given(table=tables(comms=HOSTILE))
def test_graphml_is_read_back_as_the_same_tree(table: Table) -> None:
    """networkx reads the processes and their parents, and of each its name, threads and state."""
    text = VIEWS["graphml"](table, 1)
    assert text.isascii()
    graph = networkx.parse_graphml(text, node_type=int)
    pids = {row.pid for row in table.procs}
    assert set(graph.nodes) == pids
    assert set(graph.edges) == {(row.ppid, row.pid) for row in table.procs if row.ppid in pids}
    for row in table.procs:
        node = graph.nodes[row.pid]
        assert node.get("comm", "") == printable(row.comm15)
        assert (node["pid"], node["threads"], node["state"]) == (row.pid, row.extra_threads, row.state)
        assert node["zombie"] == (row.state == "Z")


def test_graphml_says_what_each_process_is() -> None:
    """Role, container and who lost its parent are read back; what is not known is missing."""
    at = run("document").show("graphml", "kill+500ms")
    graph = networkx.parse_graphml(at, node_type=int)
    assert networkx.is_arborescence(graph)
    lost = {pid for pid, node in graph.nodes.items() if node["under_init"]}
    assert {graph.nodes[pid]["role"] for pid in lost} == {"shim"}
    assert {graph.nodes[pid]["container"] for pid in lost} == {
        "grafana", "cadvisor", "node_exporter", "arthas", "prometheus", "e3w"
    }  # fmt: skip
    assert "container" not in graph.nodes[1]


@pytest.mark.parametrize("view", ["dot", "mermaid"])
def test_what_is_wrong_is_said_and_looks_different(view: str) -> None:
    """A shim under PID 1, a zombie and a stopped daemon have words, and the first two a look of their own."""
    text = TEXTS[view](
        Forest("", (
            Box(1, -1, "init", "", "systemd", 0),
            Box(2, 0, "shim", "web", "shim", 9, orphan=True),
            Box(3, 1, "payload", "web", "nginx", 0, state="Z"),
            Box(4, 0, "dockerd", "", "dockerd", 5, state="T"),
            Box(5, 0, 'x"]\nclick', "", "other", 0),
        ))
    )  # fmt: skip
    said = names(text, view)
    assert said[2].endswith("\nunder PID 1")
    assert said[3].endswith("\nzombie")
    assert said[4].endswith("\nstopped")
    assert text.count("FCE4B0") == 1
    assert text.count("dash") == 1
    if view == "mermaid":
        assert re.findall(r"class (\S+) (\w+)$", text, re.M) == [
            ("p1,p5", "other"), ("p2", "orphan"), ("p3", "zombie"), ("p4", "dockerd")
        ]  # fmt: skip


@pytest.mark.parametrize("view", TEXTS)
@given(pick=st.integers(0, 30))
def test_a_root_keeps_what_is_below_it(view: str, pick: int) -> None:
    """From a process other than PID 1 the tree is that process's."""
    table = document()
    root = sorted(row.pid for row in table.procs)[pick % len(table.procs)]
    whole, part = VIEWS[view](table, 1), VIEWS[view](table, root)
    if view == "graphml":
        below = networkx.descendants(networkx.parse_graphml(whole, node_type=int), root) | {root}
        assert set(networkx.parse_graphml(part, node_type=int)) == (below if root != 1 else set(names_of(table)))
    else:
        assert set(names(part, view)) <= set(names(whole, view))
        assert root in names(part, view)


def names_of(table: Table) -> list[int]:
    return [row.pid for row in table.procs]


def test_the_tree_is_the_one_that_pstree_draws() -> None:
    """Below containerd, the document's processes are those of pstree -p."""
    table = document()
    drawn = {int(pid) for pid in re.findall(r"(?<!\})\((\d+)\)", VIEWS["pstree-p"](table, 15935))}
    for view in ("dot", "mermaid"):
        assert set(names(VIEWS[view](table, 15935), view)) == drawn
