"""The finding of one run, or of two runs beside each other, as one sentence; and durations in a few characters.

A longest gap is rounded up, one that was not over is rounded down, so that "≤" and ">" are true. Leaves out what the
picture cannot know: other seeds. Source: none; the project's own wording.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.views.timeline_parts import Counts, Strip, TimelineData

S = 1_000_000


def duration(us: int, *, up: bool = True) -> str:
    """Write a time in the unit that keeps it short, from ms to days.

    >>> duration(338_097), duration(13_408_525, up=False), duration(31_000), duration(600 * S), duration(0)
    ('0.4 s', '13.4 s', '31 ms', '10.0 min', '0 s')
    """
    rounded = math.ceil if up else math.floor
    if us <= 0:
        return "0 s"
    if us < S // 10:
        return f"{rounded(us / 1000)} ms"
    if us < 100 * S:
        return f"{rounded(us / (S // 10)) / 10:.1f} s"
    if us < 300 * S:
        return f"{rounded(us / S)} s"
    for unit, size, most in (("min", 60 * S, 60), ("h", 3600 * S, 48)):
        if us < most * size:
            return f"{rounded(us / (size // 10)) / 10:.1f} {unit}"
    return f"{rounded(us / (86400 * S // 10)) / 10:.1f} d"


def dark_text(strip: Strip) -> str:
    """Say how long a port was dark at most, and `>` if one did not come back."""
    if not strip.dark:
        return "never dark"
    return f"dark {'>' if strip.not_back else '≤'} {duration(strip.dark, up=not strip.not_back)}"


def headline(runs: Sequence[TimelineData]) -> str:
    """State the finding."""
    if len(runs) == 1:
        return _of_one(runs[0])
    return _of_two(runs[0], runs[1])


def _of_one(run: TimelineData) -> str:
    nothing = "No fault" if run.marks else "Nothing was done"
    subject = run.fault if run.typed else run.fault[:1].upper() + run.fault[1:] if run.fault else nothing
    strip = _remote(run)
    parts = [_fates(run.counts)] if run.counts.before else []
    if strip is not None:
        parts.append(f"{strip.client} clients {_dark_words(strip)}")
    return f"{subject}: {'; '.join(parts)}" if parts else subject


def _fates(counts: Counts) -> str:
    n = counts.before
    if counts.kept == n:
        return "no process lost"
    if n == 1:
        return "the container is replaced" if counts.replaced else "the container is gone"
    fates = ((counts.replaced, "replaced"), (counts.gone, "gone"))
    first, *more = [f"{count} of {n} containers {fate}" for count, fate in fates if count]
    return " and ".join([first, *(words.replace(f" of {n} containers", "") for words in more)])


def _dark_words(strip: Strip) -> str:
    if strip.not_back:
        what = f"{strip.not_back} of {strip.total} ports" if strip.total > 1 else "the port"
        return f"do not get {what} back"
    return f"dark up to {duration(strip.dark)}" if strip.dark else "never dark"


def _of_two(one: TimelineData, other: TimelineData) -> str:
    """Speak of the run that does better, by what tells it from the other; of two seeds say both figures."""
    if one.seed != other.seed and _question(one) == _question(other):
        return _of_seeds(one, other)
    best = min((one, other), key=_harm)
    setting = _difference(best, one if best is other else other)
    if _figures(one) == _figures(other):
        subject, _, rest = _of_one(best).partition(": ")
        whom = f"{setting} {best.fault or 'the run'} costs the same" if setting else f"{subject}, the same in both runs"
        return f"{whom}: {rest}"
    with_what = setting or f"In the {'upper' if best is one else 'lower'} run"
    strip, parts = _remote(best), []
    if strip is not None:
        ports = f"{strip.not_back} port{'s' * (strip.not_back != 1)}"
        cost = f"leaves {ports} dark for" if strip.not_back else "costs"
        gap = "" if strip.not_back else " " + (duration(strip.dark) if strip.dark else "nothing")
        parts.append(f"{cost} {strip.client} clients{gap}")
    lost = best.counts.replaced + best.counts.gone
    parts.append(f"replaces {lost} of {best.counts.before} containers" if lost else "loses no process")
    return f"{with_what} {best.fault or 'the run'} {' and '.join(parts)}"


def _question(run: TimelineData) -> tuple[object, ...]:
    """Return what two runs have in common that differ by their draws alone."""
    return run.fault, run.settings, run.containers, [strip.total for strip in run.strips]


def _of_seeds(one: TimelineData, other: TimelineData) -> str:
    """Say of each figure what it was with either seed, once if that is the same."""
    subject, _, first = _of_one(one).partition(": ")
    second = _of_one(other).partition(": ")[2]
    if first == second:
        return f"{subject}, seeds {one.seed} and {other.seed} alike: {first}"
    pairs = zip(first.split("; "), second.split("; "), strict=False)
    figures = [a if a == b else f"{a} or {_tail(a, b)}" for a, b in pairs]
    return f"{subject}, seeds {one.seed} and {other.seed}: {'; '.join(figures)}"


def _tail(text: str, other: str) -> str:
    """Return what *other* says beyond the words that it has in common with *text* at the beginning.

    >>> _tail("remote clients dark up to 25.8 s", "remote clients dark up to 24.2 s")
    '24.2 s'
    """
    same = 0
    for a, b in zip(text.split(), other.split(), strict=False):
        if a != b:
            break
        same += 1
    return " ".join(other.split()[same:])


def _figures(run: TimelineData) -> tuple[object, ...]:
    return (run.counts, *(dark_text(strip) for strip in run.strips))


def _harm(run: TimelineData) -> tuple[int, ...]:
    strips = [number for strip in run.strips for number in (strip.not_back, strip.dark)]
    return (run.counts.gone, *strips[:1], run.counts.replaced, *strips[1:])


def _difference(run: TimelineData, other: TimelineData) -> str:
    """Name the one setting in which a run differs from another; "" if it is not one.

    A switch reads `With live-restore` or `Without live-restore`.
    """
    theirs = dict(other.settings)
    found = [(name, value) for name, value in run.settings if theirs.get(name) != value]
    if len(found) != 1:
        return ""
    name, value = found[0]
    return {"true": f"With {name}", "false": f"Without {name}"}.get(value, f"With {name} {value}")


def _remote(run: TimelineData) -> Strip | None:
    return next(iter(run.strips), None)
