"""What a run, an exploration and a comparison show of themselves in a notebook: a finding, a table, what was run.

Models: HTML that needs no script and no style sheet, so that viewers which drop both still show all of it; every word
from outside is escaped. Times that depend on the machine are left out, so the same run gives the same bytes. Source:
IPython's documentation, "Rich display".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from sim.render.amounts import amount, change, interval
from sim.render.clean import printable
from sim.render.exploration_text import cost, sizes
from sim.render.notebook import Picture
from sim.render.whatif_text import ALWAYS, happens, head, verdict
from sim.views.comparison import Row, WhatIf
from sim.views.exploration import Explored
from sim.views.summary import Summary

MARKS = {True: "✓ holds", False: "✗ fails", None: "? not known"}
LEFT = ' style="text-align:left"'


def _text(words: str) -> str:
    return escape(printable(words))


def _card(title: str, facts: str, *parts: str) -> str:
    heading = f"<p><strong>{_text(title)}</strong><br><small>{_text(facts)}</small></p>"
    return "<div>" + "".join([heading, *filter(None, parts)]) + "</div>"


def _image(picture: Picture) -> str:
    return f'<p><img alt="{_text(picture.caption)}" src="data:image/png;base64,{picture.base64()}"></p>'


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; no rows, no table."""
    body = "".join("<tr>" + "".join(f"<td{LEFT}>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    top = "".join(f"<th{LEFT}>{_text(title)}</th>" for title in titles)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>" if body else ""


# -- a run ------------------------------------------------------------------------------------------


def facts(summary: Summary) -> str:
    """Say what was run: title, engine, live-restore, profile, seed."""
    return " · ".join([
        printable(summary.title),
        summary.engine,
        summary.daemon,
        f"latency profile {summary.profile}",
        f"seed {summary.seed}",
    ])  # fmt: skip


def run_html(summary: Summary, picture: Picture) -> str:
    """Return a run: its finding, its timeline, what became of each expectation."""
    notes = [summary.note, *(f"never answered: {it.id} ({it.text})" for it in summary.unanswered)]
    verdicts = ([MARKS[it.holds], it.label, it.text, it.detail] for it in summary.verdicts)
    return _card(
        picture.caption.removeprefix("Timeline: "),
        facts(summary),
        _image(picture),
        _table(("expected", "when", "what", "found"), verdicts),
        "".join(f"<p>{_text(note)}</p>" for note in notes if note),
    )


# -- an exploration ---------------------------------------------------------------------------------


def exploration_html(found: Explored) -> str:
    """Return an exploration: the verdicts, how much was looked at, within which bound."""
    rows = ([it.verdict, it.kind, it.name, it.sentence, cost(it) if it.story else it.why] for it in found.findings)
    bound = "".join(f"<li>{_text(sentence)}</li>" for sentence in found.bound)
    return _card(
        f"{found.title}: every order",
        f"{found.engine} · {sizes(found)}",
        _table(("verdict", "when", "property", "sentence", "its story"), rows),
        f"<details><summary>Within this bound</summary><ul>{bound}</ul></details>",
    )


# -- a comparison -----------------------------------------------------------------------------------


def comparison_html(found: WhatIf) -> str:
    """Return a comparison: what it means, a row a metric, what it costs."""
    parts = []
    for variant in found.variants:
        *question, about = head(found, variant, None)
        told = (row for row in variant.rows if not row.detail and (row.metric in ALWAYS or happens(row)))
        rows = [_row(row, found.window_s) for row in told]
        prices = [f"Price: {price.text} [{price.mark} {price.source}]" for price in variant.prices]
        said = "".join(f"<p>{_text(words)}</p>" for words in (*variant.sentences, *prices))
        titles = ("", "now, median", "now, p95", "then, median", "then, p95", "change", "95 % interval", "")
        parts.append(_card(" ".join(" ".join(question).split()), about, _table(titles, rows), said))
    return "".join(parts)


def _row(row: Row, window_s: float) -> list[str]:
    sides = ((side.median, side.p95, side.total) for side in (row.base, row.other))
    figures = [amount(value, row.unit, window_s, total) for median, p95, total in sides for value in (median, p95)]
    return [row.label, *figures, change(row), interval(row), verdict(row)]
