"""What may befall a host as one page: a table that folds out, one act and case a row, the worst first.

Each row opens to its containers, with reasons where they were asked for. No script, nothing from elsewhere, so that it
can be mailed. Leaves out what `--json` has besides. Source: the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape

from sim.render.amounts import seconds
from sim.render.blast_text import cases_text, fates_text, groups, head_text, lost_text, roles_text, times_text
from sim.render.clean import printable
from sim.views.blast import CLIENTS, NOT_UP, Blast, BlastRow, median
from sim.views.fates import NEW, Fate

STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 82rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } p { opacity: .85; }
.row, summary { display: grid; gap: 0 .8rem; align-items: baseline;
  grid-template-columns: minmax(14rem, 1.5fr) 5rem minmax(11rem, 1.2fr) repeat(3, 6rem) minmax(8rem, 1fr); }
.row { font-weight: 600; border-bottom: 1px solid; padding: .3rem .5rem; }
details { border-bottom: 1px solid #8884; border-left: 5px solid #8883; }
summary { padding: .25rem .5rem; cursor: pointer; }
details.lost { border-left-color: #a01818; } details.new { border-left-color: #e79a4e; }
details.dark { border-left-color: #1f4e79; } .never { color: #b3261e; font-weight: 600; }
details > div { padding: .3rem 1.2rem .8rem; } table { border-collapse: collapse; } td { padding: .1rem .8rem .1rem 0;
  vertical-align: top; } .why { opacity: .75; } code { font-size: .9em; }
"""
HEADS = ("act", "live-restore", "containers", *(f"{it} dark" for it in CLIENTS), "as before", "measured")


def blast_html(found: Blast) -> str:
    """Return the page."""
    title, about = (_text(line) for line in head_text(found))
    rows = [row for row in found.rows if not row.harmless and not row.failed]
    quiet = [it for it in dict.fromkeys(row.act for row in found.rows) if it not in {row.act for row in rows}]
    body = "\n".join(_row(found, group) for group in groups(found, rows))
    heads = "".join(f"<span>{_text(head)}</span>" for head in HEADS)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>{about}</p>
<div class="row">{heads}</div>
{body}
<p>Nothing is different after {len(quiet)} acts: {_text(", ".join(quiet)) or "none"}.</p>
<p>An act comes at {_text(found.moment)}; never: not within {_text(seconds(found.window_s))}. {_text(found.ended)}</p>
</body>
</html>
"""


def _text(text: str) -> str:
    return escape(printable(text))


def _row(found: Blast, group: list[BlastRow]) -> str:
    row = group[0]
    name = row.act + (f" (+{len(row.like)})" if row.like else "")
    cells = [name, cases_text(group), fates_text(row), *(times_text(row.dark(client)) for client in CLIENTS),
             times_text(row.figures("back")), row.measured]  # fmt: skip
    spans = "".join(f'<span class="{"never" if cell == "never" else ""}">{_text(cell)}</span>' for cell in cells)
    inner = "\n".join(_details(row))
    return f'<details class="{_class(row)}"><summary>{spans}</summary>\n<div>{inner}</div></details>'


def _class(row: BlastRow) -> str:
    """Return how bad a row is, for its edge."""
    if any(median(row.figures(fate)) for fate in NOT_UP):
        return "lost"
    if median(row.figures(NEW)):
        return "new"
    return "dark" if math.isinf(median(row.figures("back"))) or median(row.figures("longest_dark")) else ""


def _details(row: BlastRow) -> Iterator[str]:
    harm = row.first
    died, orphaned = _text(roles_text(harm.died)) or "nobody", _text(roles_text(harm.orphaned)) or "nobody"
    yield f"<p>Dies: {died}. Orphaned: {orphaned}. Lost: {_text(lost_text(row)) or 'nothing'}.</p>"
    if row.step:
        yield f"<p>The step: <code>{_text(row.step)}</code></p>"
    if row.like:
        yield f"<p>The same holds for {_text(', '.join(row.like))}, which equal it.</p>"
    if harm.touched:
        yield f"<table>{''.join(_containers(harm.touched))}</table>"


def _containers(fates: Iterable[Fate]) -> Iterator[str]:
    for it in fates:
        dark = ", ".join(
            f"{d.port} from {d.client} {'never back' if d.seconds is None else seconds(d.seconds)}" for d in it.dark
        )
        code = "" if it.exit_code is None else f"exit {it.exit_code}"
        cells = (it.container, it.fate, code, dark)
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}<td class=why>{_text(it.why)}</td></tr>"
