"""Process trees as text for other tools: Graphviz's DOT, Mermaid, GraphML.

Boxes and their order are those of the tree picture, and so are the words on them and the colours. What is wrong is said
in words: under PID 1, zombie, stopped. All three are ASCII, with other letters as character references, so that no
encoding on the way and no name of a process changes what is read. Leaves out a layout, which the tool makes, and tids.
Source: graphviz.org, the DOT language and escString; mermaid.js.org, flowcharts, "Entity codes to escape characters";
GraphML primer; networkx's writer.
"""

from __future__ import annotations

import re
from typing import Any

from sim.render.clean import printable
from sim.render.tree_figure import EDGE, FILLS, LINE, OTHER_FILL, name_of, words_of
from sim.views.forest import Box, Forest

STATES = {"Z": "zombie", "T": "stopped", "t": "stopped", "D": "frozen"}
PLAIN = re.compile(r"[^A-Za-z0-9 ,.()/_-]")  # what Mermaid might take for something else: ends, icons, formulas
DASHED = ("zombie",)


def dot(tree: Forest) -> str:
    """Return the tree as a graph in the DOT language.

    >>> print(dot(Forest("", (Box(1, -1, "init", "", "systemd", 0), Box(7, 0, "shim", "web", 'a"b', 1)))), end="")
    digraph processes {
      graph [rankdir=LR, nodesep=0.1];
      node [shape=box, style=filled, fontname="Courier", fontsize=9, height=0.3, color="#555555"];
      edge [color="#888888", arrowhead=none];
      p1 [label="systemd 1\\nPID 1", fillcolor="#FFFFFF"];
      p7 [label="a\\"b 7\\nshim of web, 1 thread", fillcolor="#CFE6F5"];
      p1 -> p7;
    }
    """
    lines = [
        "digraph processes {",
        "  graph [rankdir=LR, nodesep=0.1];",
        f'  node [shape=box, style=filled, fontname="Courier", fontsize=9, height=0.3, color="{EDGE}"];',
        f'  edge [color="{LINE}", arrowhead=none];',
    ]
    for box in tree.boxes:
        label = r"\n".join(_for_dot(line) for line in _lines(tree, box))
        dashed = ', style="filled,dashed"' if _look(box) in DASHED else ""
        lines.append(f'  p{box.pid} [label="{label}", fillcolor="{_fill(box)}"{dashed}];')
    lines += [f"  p{tree.boxes[box.parent].pid} -> p{box.pid};" for box in tree.boxes if box.parent >= 0]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(tree: Forest) -> str:
    """Return the tree as a Mermaid flowchart.

    >>> print(mermaid(Forest("", (Box(1, -1, "init", "", "systemd", 0), Box(7, 0, "shim", "web", 'a"b', 1)))), end="")
    flowchart TD
      p1["systemd 1<br/>PID 1"]
      p7["a#34;b 7<br/>shim of web, 1 thread"]
      p1 --- p7
      classDef other fill:#FFFFFF,stroke:#555555,color:#000000
      class p1 other
      classDef shim fill:#CFE6F5,stroke:#555555,color:#000000
      class p7 shim
    """
    lines = ["flowchart TD"]
    looks: dict[str, list[Box]] = {}
    for box in tree.boxes:
        lines.append(f'  p{box.pid}["{"<br/>".join(_for_mermaid(line) for line in _lines(tree, box))}"]')
        looks.setdefault(_look(box), []).append(box)
    lines += [f"  p{tree.boxes[box.parent].pid} --- p{box.pid}" for box in tree.boxes if box.parent >= 0]
    for look, boxes in looks.items():
        dashed = ",stroke-dasharray:3 2" if look in DASHED else ""
        lines.append(f"  classDef {look} fill:{_fill(boxes[0])},stroke:{EDGE},color:#000000{dashed}")
        lines.append(f"  class {','.join(f'p{box.pid}' for box in boxes)} {look}")
    return "\n".join(lines) + "\n"


def graphml(tree: Forest) -> str:
    """Return the tree in GraphML: nodes are pids; what is not known of a process has no key."""
    import networkx

    graph = networkx.DiGraph()
    for box in tree.boxes:
        graph.add_node(box.pid, **_attributes(box))
    graph.add_edges_from((tree.boxes[box.parent].pid, box.pid) for box in tree.boxes if box.parent >= 0)
    text = "\n".join(networkx.generate_graphml(graph))
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


def _attributes(box: Box) -> dict[str, Any]:
    words = {"comm": box.comm, "role": box.role, "container": box.container}
    return {
        "pid": box.pid,
        **{key: printable(value) for key, value in words.items() if value},
        "threads": box.threads,
        "state": box.state,
        "zombie": box.state == "Z",
        "under_init": box.orphan,
    }


# -- words, colours, escapes -------------------------------------------------------------------------


def _lines(tree: Forest, box: Box) -> list[str]:
    """Return what stands on a box: its name, what it is for, and what is wrong with it."""
    wrong = [STATES[box.state]] if box.state in STATES else []
    wrong += [f"under {tree.adopter(box)}"] if box.orphan else []
    found = (name_of(box), words_of(box).replace(" · ", ", "), ", ".join(wrong))
    return [printable(line) for line in found if line]


def _look(box: Box) -> str:
    if box.state == "Z":
        return "zombie"
    return box.look if box.orphan else box.role if box.look else "other"


def _fill(box: Box) -> str:
    if box.state == "Z":
        return OTHER_FILL
    return FILLS.get(box.look, OTHER_FILL)


def _for_dot(text: str) -> str:
    r"""Return a line of a label, of which Graphviz reads escapes and then character references.

    >>> print(_for_dot('é & "quoted" \\N'))
    &#233; &amp; \"quoted\" \\N
    """
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _for_mermaid(text: str) -> str:
    """Return a line of a label with a reference for whatever is no letter, digit or harmless sign.

    >>> print(_for_mermaid('"]; %%{init}%% é'))
    #34;#93;#59; #37;#37;#123;init#125;#37;#37; #233;
    """
    return PLAIN.sub(lambda match: f"#{ord(match[0])};", text)
