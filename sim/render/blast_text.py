"""What may befall a host as text: a table with a row for each act, the worst first, or one act told as a story.

Models: cases that come to the same share a row; acts after which nothing is different are named below the table. With
several seeds a figure is the median and, behind a stroke, the worst. Leaves out colours. Source: the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from sim.render.amounts import seconds, size
from sim.render.clean import printable_lines
from sim.views.blast import CLIENTS, Blast, BlastRow, Harm, median
from sim.views.fates import AS_BEFORE, FATES, KEPT, NEW
from sim.views.names import counted

NEVER = "never"
ORDER = tuple(FATES)


def blast_text(found: Blast, *, took_s: float | None = None, written: Sequence[str] = ()) -> str:
    """Return the table; *written* names the files that hold more."""
    shown = [row for row in found.rows if not row.harmless and not row.failed]
    heads = ("act", "live-restore", "containers", *(f"{it} dark" for it in CLIENTS), "as before", "lost", "who dies",
             "orphaned", "measured")  # fmt: skip
    table = [heads, *(_cells(found, group) for group in groups(found, shown))]
    columns = [n for n, head in enumerate(heads) if n < 2 or any(line[n] for line in table[1:])]
    columns = [n for n in columns if n != 1 or any(line[1] for line in table[1:])]
    widths = {n: max(len(line[n]) for line in table) for n in columns}
    body = ["  ".join(line[n].ljust(widths[n]) for n in columns).rstrip() for line in table]
    lines = [*head_text(found, took_s), "", *(f" {line}" for line in body), *_tail(found, written)]
    return printable_lines("\n".join(lines) + "\n")


def head_text(found: Blast, took_s: float | None = None) -> list[str]:
    """Return the headline, and what was run."""
    acts = len({row.act for row in found.rows})
    seeds = f"seeds 1 to {len(found.seeds)}" if len(found.seeds) > 1 else "seed 1"
    facts = [f"{found.design}", f"{found.containers} containers", f"{acts} acts", seeds,
             f"{seconds(found.window_s)} after each"]  # fmt: skip
    if took_s is not None:
        facts.append(f"{took_s:.1f} s")
    return [f"{found.title}: what each act costs, the worst first", " · ".join(facts)]


def _tail(found: Blast, written: Sequence[str]) -> Iterator[str]:
    harmless = list(dict.fromkeys(row.act for row in found.rows if row.harmless))
    always = [it for it in harmless if all(row.harmless for row in found.rows if row.act == it)]
    if always:
        yield from ("", f"Nothing is different after {len(always)} acts: {', '.join(always)}.")
    for row in found.rows:
        if row.failed:
            yield f"Not run: {row.act}: {row.failed}"
    yield from ("", f"An act comes at {found.moment}; never: not within {seconds(found.window_s)}.")
    if any(row.like for row in found.rows):
        yield "(+n) are containers that equal the one that was tried, and were not tried themselves."
    if len(found.seeds) > 1:
        yield "Figures are medians over the seeds; behind a stroke, the worst."
    if found.ended:
        yield f"{found.ended}."
    if written:
        yield " ".join(written)


# -- rows ------------------------------------------------------------------------------------------


def groups(found: Blast, rows: Sequence[BlastRow]) -> Iterator[list[BlastRow]]:
    """Yield the rows of one act that say the same, in the order of the first of them."""
    groups: dict[tuple[str, ...], list[BlastRow]] = {}
    for row in rows:
        groups.setdefault(_figures(found, row), []).append(row)
    yield from groups.values()


def _cells(found: Blast, group: Sequence[BlastRow]) -> tuple[str, ...]:
    row = group[0]
    return (_act(row), cases_text(group), *_figures(found, row)[1:])


def cases_text(group: Sequence[BlastRow]) -> str:
    """Return with which settings of live-restore an act costs the same; "" where the engine has none."""
    cases = sorted({it.live_restore for it in group if it.live_restore is not None})
    return ", ".join("on" if it else "off" for it in cases)


def _act(row: BlastRow) -> str:
    return f"{row.act} (+{len(row.like)})" if row.like else row.act


def _figures(found: Blast, row: BlastRow) -> tuple[str, ...]:
    """Return the cells of a row, its act first, live-restore left out."""
    first = row.first
    return (
        row.act,
        fates_text(row),
        *(times_text(row.dark(client)) for client in CLIENTS),
        times_text(row.figures("back")),
        lost_text(row),
        roles_text(first.died),
        roles_text(first.orphaned),
        row.measured.removeprefix(f"{found.design}: ").removesuffix(" measured outcomes"),
    )


def fates_text(row: BlastRow) -> str:
    """Return what becomes of the containers: those that keep their process are named only beside others."""
    medians = {fate: median(row.figures(fate)) for fate in ORDER if fate != AS_BEFORE}
    parts = [f"{count:.0f} {fate}" for fate, count in medians.items() if count and fate != KEPT]
    kept = medians.get(KEPT, 0)
    if not parts:
        return "all kept"
    return ", ".join([*sorted(parts, key=lambda it: it.endswith(NEW)), *([f"{kept:.0f} kept"] if kept else [])])


def times_text(values: Sequence[float]) -> str:
    """Return the median of some times and, where it is another one, the worst."""
    middle, worst = time_text(median(values)), time_text(max(values))
    return middle if middle == worst else f"{middle or '0 s'} / {worst}"


def time_text(value: float) -> str:
    """Return a time, "" for none, `never` for one that did not end."""
    return "" if not value else NEVER if math.isinf(value) else seconds(value)


def lost_text(row: BlastRow) -> str:
    """Return which exit codes and bytes of logs are lost, in the worst run."""
    codes, output = max(row.figures("codes_lost")), max(row.figures("log_lost"))
    risk = max(row.figures("log_at_risk"))
    parts = [f"{codes:.0f} exit codes"] if codes else []
    parts += [f"{size(output)} of logs"] if output else [f"{size(risk)} of logs at risk"] if risk else []
    return ", ".join(parts)


def roles_text(counts: Iterable[tuple[str, int]]) -> str:
    """Return how many there are of each role."""
    return ", ".join(counted(role, count) for role, count in counts)


# -- one act as a story ----------------------------------------------------------------------------


def story_text(found: Blast) -> str:
    """Return each act with every container that it touches, and why."""
    lines = head_text(found)
    for row in found.rows:
        lines += ["", *_story(found, row)]
    return printable_lines("\n".join([*lines, *_tail_of_story(found)]) + "\n")


def _tail_of_story(found: Blast) -> Iterator[str]:
    yield from ("", f"An act comes at {found.moment}; never: not within {seconds(found.window_s)}.")
    if found.ended:
        yield f"{found.ended}."


def _story(found: Blast, row: BlastRow) -> Iterator[str]:
    case = "" if row.live_restore is None else f", live-restore {'on' if row.live_restore else 'off'}"
    yield f"{_act(row)}{case}{' (as the file has it)' if row.own and case else ''}"
    if row.failed:
        yield f"  not run: {row.failed}"
        return
    harm = row.first
    yield f"  dies: {roles_text(harm.died) or 'nobody'}; orphaned: {roles_text(harm.orphaned) or 'nobody'}"
    yield f"  containers: {fates_text(row)}; " + "; ".join(
        f"ports dark from {client}: {times_text(row.dark(client)) or 'not at all'}" for client in CLIENTS
    )
    lost = lost_text(row)
    yield f"  the engine is away: {times_text(row.figures('engine_dark')) or 'not at all'}" + (
        f"; lost: {lost}" if lost else ""
    )
    yield f"  all is as before: {_after(times_text(row.figures('back')))}"
    yield from (f"  {line}" for line in _containers(harm))
    if row.like:
        yield f"  the same holds for {', '.join(row.like)}, which equal it"
    yield f"  how often this was right: {row.measured}"
    if row.step:
        yield f"  the step: {row.step}"


def _after(text: str) -> str:
    return "at once" if not text else text if text == NEVER else f"after {text}"


def _containers(harm: Harm) -> Iterator[str]:
    width = max((len(it.container) for it in harm.touched), default=0)
    for it in harm.touched:
        code = "" if it.exit_code is None else f", exit {it.exit_code}"
        dark = [
            f"{d.port} from {d.client} {'never back' if d.seconds is None else seconds(d.seconds)}" for d in it.dark
        ]
        more = f"; dark: {', '.join(dark)}" if dark else ""
        yield f"{it.container.ljust(width)}  {it.fate}{code}{more}"
        if it.why:
            yield f"{' ' * width}    {it.why}"
