"""Statecharts as text for other tools: Mermaid and Graphviz's DOT.

Names stand as they are in the tables of ops. Leaves out a layout, which the tool makes. Source: mermaid.js.org, syntax
of flowcharts (its state diagrams take no styles inside a composite state); graphviz.org, the DOT language.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.render.statechart import FAINT, GREY, INK, LOOK_OF, LOOKS, WAITING, WIRE, drawn, pale
from sim.views.statechart import Chart, OpNode, beside, together

UNREACHED = "unreached"
SANS, MONO = "Helvetica", "Courier"  # Graphviz knows how wide their letters are wherever it runs


def mermaid(charts: Sequence[Chart], *, about: str = "") -> str:
    """Return a program's procedures as a Mermaid flowchart, a subgraph each."""
    lines = [f"%% {title(charts, about)}", "flowchart TB"]
    classes: dict[str, list[str]] = {}
    for chart in charts:
        own = chart.procedure.replace(".", "_")
        classes.setdefault("begin", []).append(f"{own}__begin")
        lines += [f'  subgraph {own} ["{_heading(chart)}"]', "    direction TB", f'    {own}__begin((" "))']
        for node in chart.nodes:
            begin, end = _shape(node)
            lines.append(f"    {own}_{node.index}{begin}{_quoted(node.name)}{end}")
            look = LOOK_OF[node.kind] if chart.is_reached(node.index) else UNREACHED
            classes.setdefault(look, []).append(f"{own}_{node.index}")
        lines.append(f"    {own}__begin --> {own}_{chart.nodes[0].index}")
        for (source, target), edges in together(chart.edges).items():
            words = f"|{_quoted(beside(edges))}|" if beside(edges) else ""
            lines.append(f"    {own}_{source} -->{words} {own}_{target}")
        lines.append("  end")
    for look, members in classes.items():
        lines += [f"  classDef {look} {_mermaid_style(look)}", f"  class {','.join(members)} {look}"]
    return "\n".join(lines) + "\n"


def dot(charts: Sequence[Chart], *, about: str = "") -> str:
    """Return a program's procedures as a graph in the DOT language, a cluster each."""
    lines = [
        f"digraph {_quoted(charts[0].program)} {{",
        f'  graph [label={_quoted(title(charts, about))}, labelloc=t, labeljust=l, fontname="{SANS}", newrank=true];',
        f'  node [shape=box, fontname="{MONO}", fontsize=9, height=0.25, color="{INK}"];',
        f'  edge [fontname="{MONO}", fontsize=8, color="{WIRE}", arrowsize=0.6];',
    ]
    for chart in charts:
        own = chart.procedure.replace(".", "_")
        lines += [f"  subgraph cluster_{own} {{", f'    label={_quoted(_heading(chart))}; color="{GREY}";']
        lines.append(f'    {own}__begin [shape=point, width=0.09, label=""];')
        for node in chart.nodes:
            style = _dot_style(node, chart.is_reached(node.index))
            lines.append(f"    {own}_{node.index} [label={_quoted(node.name)}, {style}];")
        lines.append(f"    {own}__begin -> {own}_{chart.nodes[0].index};")
        for (source, target), edges in together(chart.edges).items():
            words = f" [label={_quoted(beside(edges))}]" if beside(edges) else ""
            lines.append(f"    {own}_{source} -> {own}_{target}{words};")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def title(charts: Sequence[Chart], about: str = "") -> str:
    """Say in one line what is shown."""
    return " · ".join(part for part in (charts[0].program, str(drawn(charts)), about) if part)


def _heading(chart: Chart) -> str:
    return f"{chart.name} on {', '.join(chart.signals)}" if chart.signals else chart.name


def _quoted(text: str) -> str:
    """Return a text between quotes; a quote within becomes another one, since neither language escapes as the other."""
    return '"' + text.replace('"', "'") + '"'


def _shape(node: OpNode) -> tuple[str, str]:
    """Return Mermaid's brackets: round where it may have to wait, six corners where it ends."""
    if LOOK_OF[node.kind] == "ending":
        return "{{", "}}"
    return ("([", "])") if node.kind in WAITING else ("[", "]")


def _mermaid_style(look: str) -> str:
    if look == "begin":
        return f"fill:{INK},stroke:{INK}"
    if look == UNREACHED:
        return f"fill:#FFFFFF,stroke:{FAINT},color:{GREY},stroke-dasharray:3 2"
    _, fill, ink = LOOKS[look]
    return f"fill:{fill},stroke:{INK},color:{ink}"


def _dot_style(node: OpNode, reached: bool) -> str:
    _, fill, ink = LOOKS[LOOK_OF[node.kind]]
    styles = ["filled", *(["rounded"] if node.kind in WAITING else []), *([] if reached else ["dashed"])]
    colours = f'fillcolor="{fill if reached else pale(fill)}", fontcolor="{ink if reached else GREY}"'
    return f'style="{",".join(styles)}", {colours}'
