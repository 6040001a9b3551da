"""The report of a run as text: what happened, line by line; trees; expectations.

Times before the first fault or command of the scenario are wall-clock times or seconds from t = 0; after a step they
count from it. Quiet hours are one line; the longest one says how many idle ticks the whole run has slept through. On a
terminal details are cut to its width. Source: the project's own layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from sim.render.clean import printable, printable_lines
from sim.render.fates_text import fates_text
from sim.render.remedies_text import remedies_text
from sim.views.command_words import is_of_host_start
from sim.views.narrate import Line, Unanswered
from sim.views.remedies import Remedies
from sim.views.summary import Summary, VerdictLine

SECOND = 1_000_000
QUIET = 1800 * SECOND  # a gap without an event that is told as one line
WIDTH = 72
AUTOMATIC = re.compile(r"step\d+")  # the id of a step that the file gives none
FIRST = "(start)"  # the step with which the host is on
NAMED = 3  # so many containers are named; more are counted
MARKS = {True: "✓", False: "✗", None: "?"}


def run_text(summary: Summary, *, remedies: Remedies | None = None, footer: str = "", width: int | None = None) -> str:
    """Return the whole report; *remedies* are what would have helped, *width* is the terminal's, None for none."""
    parts = [_heading(summary), story(summary), fates_text(summary.containers, summary.since)]
    parts += [] if remedies is None else [remedies_text(remedies)]
    parts += [_picture(summary, index) for index in range(len(summary.pictures))]
    if summary.verdicts:
        parts.append(expectations(summary.verdicts, width))
    parts.append(footer)
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(summary: Summary) -> str:
    assumed = len(summary.assumptions)
    facts = [
        summary.engine,
        summary.daemon,
        f"profile {summary.profile}",
        f"seed {summary.seed}",
        f"{assumed} assumption{'s' if assumed != 1 else ''}",
    ]
    title = printable(summary.title)
    return f"{title:<{WIDTH - 1}} {printable(summary.source)}".rstrip() + "\n" + " · ".join(facts)


# -- the story --------------------------------------------------------------------------------------


def story(summary: Summary) -> str:
    """Tell what happened, line by line."""
    rows: list[str] = []
    zero: int | None = None
    lines = _told(summary)
    gaps, left = _gaps(lines, summary.end), _left_out_before(lines, summary)
    for index in range(len(lines) + 1):
        if index == left or index in gaps:
            rows.append(_left_out(summary) if index == left else _quiet(gaps, index, summary))
            zero = None
        if index < len(lines):
            line = lines[index]
            if line.step:
                zero = line.at
            elif zero is not None and zero < summary.origin <= line.at:
                zero = None  # nobody counts days from the host's start
            rows.append(_row(line, zero, summary))
    rows += [f"never answered: {_unanswered(it)}" for it in summary.unanswered]
    rows += [f"never taken: step {it.id} ({printable(it.text)}), line {it.line}" for it in summary.not_taken]
    if summary.note:
        rows.append(f"({printable(summary.note)})")
    return "\n".join(rows)


def _unanswered(it: Unanswered) -> str:
    return printable(it.text if is_of_host_start(it.id) else f"step {it.id} ({it.text})")


def _told(summary: Summary) -> list[Line]:
    """Return the lines; what a steady host did before t = 0 is one, unless something failed there."""
    lines = [replace(line, text=text_of(line, summary.at_boot)) for line in summary.lines]
    early = [line for line in lines if line.until < summary.origin]
    failed = any(line.failed for line in early)
    if failed or not early or not all(line.step.startswith("(") for line in early if line.step):
        return lines
    counts = [line.counts for line in early if line.counts is not None]
    first = f"{_starts(summary.started)}, then " if summary.started else ""
    text = f"{first}{summary.begun} container{'s' if summary.begun != 1 else ''}{'' if first else ' started'}"
    whole = Line(early[0].at, early[-1].until, text, step="(start)", counts=counts[-1] if counts else None)
    return [whole, *(line for line in lines if line not in early)]


def _gaps(lines: list[Line], end: int) -> dict[int, int]:
    """Return the quiet times (µs) by the number of the line that they stand before."""
    gaps: dict[int, int] = {}
    before: int | None = None
    for index, at in enumerate([*(line.at for line in lines), end]):
        if before is not None and at - before > QUIET:
            gaps[index] = at - before
        before = max(lines[index].until if index < len(lines) else at, before or 0)
    return gaps


def _starts(units: Sequence[str]) -> str:
    """Return the sentence that units start.

    >>> _starts(("docker",)), _starts(("containerd", "docker"))
    ('docker.service starts', 'containerd.service and docker.service start')
    """
    names = [f"{unit}.service" for unit in units]
    return f"{' and '.join(names)} start{'s' * (len(names) == 1)}"


def _left_out_before(lines: list[Line], summary: Summary) -> int | None:
    """Return the number of the line before which rounds were jumped over; None if none were."""
    left = summary.left_out
    if left is None:
        return None
    return next((index for index, line in enumerate(lines) if line.at > left.since), len(lines))


def _left_out(summary: Summary) -> str:
    """Return how many rounds are left out, and of which containers."""
    left, names = summary.left_out, summary.rounds_of
    assert left is not None
    whose = f" of {', '.join(names) if len(names) <= NAMED else f'{len(names)} containers'}" if names else ""
    rounds = f"{left.rounds:,} round{'s' * (left.rounds != 1)}{whose}, like those before"
    return f"{'':18} ⋯ {span(left.time)}: {printable(rounds)}, {'are' if left.rounds != 1 else 'is'} left out ⋯"


def _quiet(gaps: dict[int, int], index: int, summary: Summary) -> str:
    longest = max(gaps, key=lambda key: gaps[key])
    told = summary.skipped > 0 and index == longest
    ticks = f" ({number(summary.skipped)} idle ticks skipped in the whole run)" if told else ""
    return f"{'':18} ⋯ {span(gaps[index])}: nothing changes{ticks} ⋯"


def _row(line: Line, zero: int | None, summary: Summary) -> str:
    text = printable(line.text)
    if line.step:
        left = f"{clock(line.at, summary):<18} {text}"
    elif zero is None:
        left = f"{period(line.at, line.until, summary):<18} {text}"
    else:
        left = f"      {offset(line.at - zero, line.until - zero):<19} {text}"
    return f"{left:<{WIDTH - 1}} {printable(note_of(line, summary.ports))}".rstrip()


def text_of(line: Line, at_boot: Mapping[str, Sequence[str]]) -> str:
    """Return what happened; of the host's start which units were started, those of *at_boot* by step.

    >>> units = {"(start)": ("crio",), "(start kubelet)": ("kubelet",)}
    >>> host, kubelet = (Line(0, 0, "systemctl start crio", step=step) for step in units)
    >>> text_of(host, units), text_of(kubelet, units)
    ('the host is on; crio.service starts', 'kubelet.service starts')
    """
    if line.step not in at_boot:
        return line.text
    return ("the host is on; " if line.step == FIRST else "") + _starts(at_boot[line.step])


def note_of(line: Line, ports: int) -> str:
    """Return what stands beside a line: how many of so many ports are open now, or which step of the file it is."""
    if line.counts is not None:
        remote, loopback = line.counts
        return f"open: remote {remote} of {ports}, loopback {loopback} of {ports}"
    automatic = line.step and AUTOMATIC.fullmatch(line.step)
    return line.note.removeprefix(f"step {line.step}").removeprefix(", ") if automatic else line.note


def clock(at: int, summary: Summary) -> str:
    """Return a clock value as wall-clock time, or as seconds from t = 0."""
    since = at - summary.origin
    if not summary.wall_clock:
        if since < 0:
            return f"{span(-since)} before t = 0"
        return f"t = {since / SECOND:.3f} s" if since < 600 * SECOND else f"t = {span(since)}"
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=summary.epoch, microseconds=since)
    return (moment + timedelta(minutes=summary.tz_minutes)).strftime("%b %d %H:%M:%S")


def period(first: int, last: int, summary: Summary) -> str:
    """Return from when to when, as clock values; one where both read alike."""
    begin, end = clock(first, summary), clock(last, summary)
    return begin if begin == end else f"{begin} to {end}"


def offset(first: int, last: int) -> str:
    """Return the time after a step, or the time from first to last.

    >>> offset(1_000, 1_000), offset(1_310_000, 1_430_000)
    ('+0.001 s', '+1.31–1.43 s')
    """
    digits = 3 if last < 1_000_000 and last - first < 1_000 else 2
    low, high = f"{first / SECOND:.{digits}f}", f"{last / SECOND:.{digits}f}"
    return f"+{low} s" if low == high else f"+{low}–{high} s"


def span(time: int) -> str:
    """Return a long time in its two largest units.

    >>> span(950_000_000_000), span(7_300_000_000)
    ('10 d 23 h', '2 h 1 min')
    """
    seconds = time // SECOND
    for size, unit, small, below in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size} {unit} {rest} {below}" if rest else f"{seconds // size} {unit}"
    return f"{time / SECOND:.3f} s"


def number(count: int) -> str:
    """Return a large count in short.

    >>> number(1_887_840), number(12_345), number(950)
    ('1.9 M', '12.3 k', '950')
    """
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.1f} k" if count >= 10_000 else str(count)


# -- trees and expectations -------------------------------------------------------------------------


def _picture(summary: Summary, index: int) -> str:
    picture = summary.pictures[index]
    note = f"  {picture.note}" if picture.note else ""
    return f"{printable(picture.label)}, {picture.view}:{note}\n{printable_lines(picture.text).rstrip()}"


def expectations(verdicts: tuple[VerdictLine, ...], width: int | None = None) -> str:
    """Return the expectations with their marks and what was found; below it and cut where *width* is too little."""
    label = min(24, max(len(v.label) for v in verdicts))
    text = min(60, max(len(v.text) for v in verdicts))
    rows = []
    for v in verdicts:
        left, detail = printable(f"  {MARKS[v.holds]} {v.label:<{label}}  {v.text:<{text}}"), printable(v.detail)
        if width is None or len(left) + 2 + len(detail) <= width:
            rows.append(f"{left}  {detail}".rstrip())
        else:
            rows += [cut(row, width) for row in (left.rstrip(), f"{'':{label + 6}}{detail}")]
    return "\n".join(["Expectations", *rows])


def listed(title: str, items: tuple[str, ...]) -> list[str]:
    """Return a heading with each item on a line of its own below it; nothing for no items.

    >>> listed("Assumed", ("4 cores", "ready at once"))
    ['Assumed:', '  4 cores', '  ready at once']
    """
    return [f"{title}:", *(f"  {printable(item)}" for item in items)] if items else []


def cut(text: str, width: int | None) -> str:
    """Cut a line to a terminal's width.

    >>> cut("abcdef", 4), cut("abcd", 4), cut("abcdef", None)
    ('abc…', 'abcd', 'abcdef')
    """
    return text if width is None or len(text) <= width else text[: width - 1] + "…"
