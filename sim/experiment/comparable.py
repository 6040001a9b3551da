"""Whether the durations of two sides may be compared: only those of one profile, or of one design, are.

A profile is what somebody measured, knows or assumes about an engine on a host. Of two designs with a profile each, a
difference of times says as much about who measured what as about the engines, so that it gets no interval. One design
with two profiles is comparable: then the profile is what was asked about. What is no time (processes, ports that stay
dark, exit codes) is compared all the same. Leaves out which durations a figure rests on (`sim.experiment.sensitivity`).
Source: the marks of `sim.latency` and of files of profiles.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from sim.durations import Profile
from sim.engine.setup import EngineSetup
from sim.latency import PROFILES, profile_of
from sim.views.comparison import INCOMPARABLE, Row

OWN = "+own"  # behind a profile's name: what it lacks is taken from the design's own
KINDS = {"measured": "M", "known ranges": "SKCE", "assumed": "A"}  # the letters of marks


def kind_of(profile: Profile) -> str:
    """Return how most numbers of a profile are known, of equally many the weaker word.

    >>> kind_of(PROFILES["docker-26-2core"]), kind_of(PROFILES["el7-idle"]), kind_of(PROFILES["podman-idle"])
    ('measured', 'known ranges', 'assumed')
    """
    letters = [duration.mark[:1] for duration in profile.values()]
    counts = {kind: sum(letter in marks for letter in letters) for kind, marks in KINDS.items()}
    return max(reversed(counts), key=lambda kind: counts[kind])


def said(engine: EngineSetup) -> str:
    """Return the name of an engine's profile, and how most of its numbers are known.

    >>> said(EngineSetup())
    'el7-idle (known ranges)'
    """
    return f"{engine.profile} ({kind_of(profile_of(engine))})"


def kinds(base: EngineSetup, other: EngineSetup) -> str:
    """Return how the durations of both sides are known if they are not comparable, else ""."""
    if base.design == other.design or base.profile.removesuffix(OWN) == other.profile.removesuffix(OWN):
        return ""
    now, then = profile_of(base), profile_of(other)
    return "" if now == then else f"{kind_of(now)} / {kind_of(then)}"


def guarded(rows: tuple[Row, ...], why: str) -> tuple[Row, ...]:
    """Return the rows; if durations are not comparable (*why*), a time that differs has no change and no interval."""
    return tuple(_without_change(row, why) if why and _is_a_difference_of_times(row) else row for row in rows)


def _is_a_difference_of_times(row: Row) -> bool:
    """Return whether a row's change is a time: what is back on one side alone is an outcome, whatever it takes."""
    outcome = row.change is not None and math.isinf(row.change)
    return row.unit == "s" and row.verdict != "same" and not outcome


def _without_change(row: Row, why: str) -> Row:
    unknown = (math.nan,) * len(row.differences)
    return replace(
        row, change=None, low=None, high=None, differences=unknown, rose=0, fell=0, verdict=INCOMPARABLE, why=why
    )


def sentences(base: EngineSetup, other: EngineSetup) -> tuple[str, ...]:
    """Return what is to be said about the durations of both sides."""
    found = [_borrowed(it) for it in (base, other)]
    if kinds(base, other):
        found.insert(
            0,
            f"Durations are not comparable: those of {base.design} are {said(base)}, those of {other.design}"
            f" {said(other)}; --profile NAME runs both on one.",
        )
    return tuple(dict.fromkeys(filter(None, found)))


def _borrowed(engine: EngineSetup) -> str:
    """Return a sentence on the durations that a side has taken from its design's own profile."""
    name = engine.profile.removesuffix(OWN)
    if name == engine.profile:
        return ""
    lacking = [row.mark for op, row in engine.durations if op not in PROFILES.get(name, {})]
    assumed = sum(mark.startswith("A") for mark in lacking)
    return f"{len(lacking)} durations that {name} lacks are {engine.design}'s own, {assumed} of them assumed."
