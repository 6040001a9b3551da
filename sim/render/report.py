"""The report of a run as one page that needs nothing else: no network, no other file.

The finding, the expectations, the story and the scenario are plain HTML, so that they can be read without a script;
timeline, tree and texts are drawn by `page/*.js` from the data that the page carries. Its policy lets only this style
and this script run, by their hashes, and nothing be loaded. Everything that a scenario's author chose is escaped.
Leaves out what changes in between two moments. Source: the project's own; Content Security Policy Level 3; colours:
Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from sim.render.clean import printable, printable_lines
from sim.render.fates_text import counted, fates_rows
from sim.render.headline import headline
from sim.render.report_data import page_data
from sim.render.run_text import MARKS, clock, story
from sim.render.timeline import subtitle
from sim.render.timeline_looks import CLIENT_WORDS, CLIENTS, FAULT, LOOKS, meanings
from sim.views.recorded import Recorded
from sim.views.report import ReportData
from sim.views.summary import Summary, VerdictLine
from sim.views.timeline_parts import TimelineData
from sim.writing import write_whole

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("core.js", "timeline.js", "tree.js", "panes.js", "keys.js")
PLACE = re.compile(r"\{\{(\w+)\}\}")
DARK = {  # fill and ink of the looks that a dark page needs otherwise
    "up": ("#9AA0A6", "#16181B"), "daemon": ("#9AA0A6", "#16181B"), "booting": ("#5F6570", "#FFFFFF"),
    "unready": ("#3F6B58", "#FFFFFF"), "starting": ("#2B4439", "#FFFFFF"), "backoff": ("#1E2124", "#FFFFFF"),
    "zombie": ("#1E2124", "#FFFFFF"), "unhealthy": ("#FFFFFF", "#000000"), "blocked": ("#F0E442", "#222222"),
}  # fmt: skip
DARK_WORDS = {"remote": "#2FBF97", "loopback": "#D993B8", "container": "#E0A33A"}
HOLDS = {True: "holds", False: "fails", None: "open"}


class Page(str):
    """The text of a page; shown by itself it says how to keep it."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file and say how large it is."""
        write_whole(Path(path), self)
        return f"{os.fspath(path)}: {len(self.encode()) / 1e6:.1f} MB"

    def __repr__(self) -> str:
        return f"<a page of {len(self.encode('utf-8')) / 1e6:.1f} MB: .save('report.html')>"


class About(msgspec.Struct, frozen=True):
    """What made the page: shimulator's version, the words that make it again, the scenario with every default."""

    version: str
    command: str
    scenario: str


def page(
    data: ReportData, shown: Recorded, run: TimelineData, summary: Summary, events: Sequence[str], about: About
) -> Page:
    """Return the page; *events* are as of `page_data`."""
    script = "".join(_file(name) for name in SCRIPTS)
    style = _colours() + _file("page.css")
    places = {
        "policy": f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
        "title": _text(summary.title),
        "source": _text(summary.source),
        "finding": _text(headline([run])),
        "about": _text(_subtitle(run, summary)),
        "verdict": _verdict(summary.verdicts),
        "verdicts": _verdicts(summary.verdicts),
        "containers": _containers(summary),
        "assumed": _items("Assumed", summary.assumptions),
        "without": _items("Without effect on processes", summary.without_effect),
        "story": html.escape(printable_lines(story(summary))),
        "scenario": html.escape(printable_lines(about.scenario)),
        "legend": _legend(run),
        "kept": _text(_kept(data, summary.client)),
        "version": _text(about.version),
        "command": _text(about.command),
        "seed": str(summary.seed),
        "ends": _text(clock(summary.end, summary)),
        "style": style,
        "data": _json(page_data(data, shown, run, summary, events)),
        "script": script,
    }
    return Page(PLACE.sub(lambda found: places[found[1]], _file("page.html")))


def _file(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: object) -> str:
    """Write JSON that can stand in a script element: nothing in it ends that, or begins a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _text(words: str) -> str:
    return html.escape(printable(words))


def _colours() -> str:
    """Return the colours of the timeline as the style's variables; each has a light and a dark one."""
    pairs: dict[str, tuple[str, str]] = {"fault": (FAULT, FAULT)}
    for name, look in LOOKS.items():
        fill, ink = DARK.get(name, (look.fill, look.ink))
        pairs |= {f"look-{name}": (look.fill, fill), f"ink-{name}": (look.ink, ink)}
    for name, fill in CLIENTS.items():
        pairs |= {f"look-{name}": (fill, fill), f"ink-{name}": (CLIENT_WORDS[name], DARK_WORDS[name])}
    rows = [f"--{name}: light-dark({light}, {dark});" for name, (light, dark) in pairs.items()]
    both = [f".look-{it} {{ --look: var(--look-{it}); --on: var(--ink-{it}); }}" for it in (*LOOKS, *CLIENTS)]
    both += [f".look-{name} {{ --stroke: {look.line}; }}" for name, look in LOOKS.items() if look.hatch]
    return "\n".join([":root {", *rows, "}", *both, ""])


def _subtitle(run: TimelineData, summary: Summary) -> str:
    return f"{summary.title} · {subtitle([run])} · {summary.daemon}"


def _verdict(verdicts: tuple[VerdictLine, ...]) -> str:
    """Say in a few words how many expectations hold."""
    if not verdicts:
        return '<a class="verdict open" href="#expectations">nothing was expected</a>'
    holding = sum(it.holds is True for it in verdicts)
    worst = False if any(it.holds is False for it in verdicts) else holding == len(verdicts) or None
    words = f"{MARKS[worst]} {holding} of {len(verdicts)} expectations hold"
    return f'<a class="verdict {HOLDS[worst]}" href="#expectations">{words}</a>'


def _verdicts(verdicts: tuple[VerdictLine, ...]) -> str:
    if not verdicts:
        return "<p>The scenario expects nothing: <code>expect:</code> says what must hold.</p>"
    rows = "\n".join(
        f'<tr class="{HOLDS[it.holds]}"><td>{MARKS[it.holds]}</td><td>{_text(it.label)}</td><td>{_text(it.text)}</td>'
        f"<td>{_text(it.detail)}</td></tr>"
        for it in verdicts
    )
    heads = "<th><span class='hidden'>holds</span></th><th>when</th><th>expected</th><th>found</th>"
    return f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _containers(summary: Summary) -> str:
    """Return what became of the containers; "" where nothing happened to any."""
    if not summary.containers:
        return ""
    heads, *rows = fates_rows(summary.containers)
    head = "".join(f"<th>{_text(cell)}</th>" for cell in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<h2>Containers since {_text(summary.since)}: {_text(counted(summary.containers))}</h2>"
    return f"{title}\n<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _items(title: str, items: Iterable[str]) -> str:
    rows = "\n".join(f"<li>{_text(item)}</li>" for item in items)
    return f"<h2>{title}</h2>\n<ul>\n{rows}\n</ul>" if rows else ""


def _legend(run: TimelineData) -> str:
    """Explain the colours that appear, each once."""
    bars = (bar for lane in (*run.daemons, *run.lanes) for bar in (*lane.bars, *lane.spells))
    looks = {bar.look for bar in bars if bar.end > run.begin}
    means = meanings([(run.names, looks)])
    return "".join(f'<li class="look-{name}">{_text(words)}</li>' for name, words in means)


def _kept(data: ReportData, client: str) -> str:
    """Say which moments the page has."""
    words = f"{len(data.moments)} moments"
    if not data.left_out:
        return f"{words}: every change of the tree and the texts, but the time that {client} ps counts."
    shorter = f"{data.shorter / 1000:.3g} ms" if data.shorter < 1_000_000 else f"{data.shorter / 1_000_000:.3g} s"
    return f"{words}; {data.left_out} more are left out, none of which lasted longer than {shorter}."
