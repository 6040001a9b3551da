"""Whether a host holds what it must after an act: which container breaks it, where it stands in the file, and why.

Each act is run as `shimulator blast` runs it, on the host as the file has it; with several seeds the first that breaks
a limit is told. Containers that equal a broken one break it, too. Leaves out other settings. Source:
`sim.experiment.blast`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sim.engine.setup import S
from sim.experiment.acts import chosen
from sim.experiment.blast import Host, blast
from sim.experiment.executors import Lanes
from sim.experiment.replicate import Progress
from sim.render.amounts import lasting
from sim.scenario.must import NONE, Must
from sim.views.blast import NOT_UP, Blast, BlastRow, Harm
from sim.views.checked import Break, Checked, Held
from sim.views.fates import NEW, Dark, Fate


def check(
    host: Host,
    musts: Sequence[Must],
    seeds: int = 1,
    *,
    progress: Progress | None = None,
    lanes: Lanes | None = None,
) -> Checked:
    """Run every act that is named and hold it against its limits. Raises InputError."""
    acts = {must: tuple(act for word in must.on for act in chosen(host.acts, word, "--on")) for must in musts}
    every = tuple(dict.fromkeys(act for some in acts.values() for act in some))
    found = blast(host, every, seeds, progress=progress, lanes=lanes, explain=True)
    rows = {row.act: row for row in found.rows}
    held = [_held(host, must, rows[act.name]) for must in musts for act in acts[must] if act.name in rows]
    return _checked(host, found, tuple(held))


def _checked(host: Host, found: Blast, held: tuple[Held, ...]) -> Checked:
    containers = tuple(service.name for service in host.scenario.setup.services)
    return Checked(found.title, found.source, found.design, containers, held, found.ended)


def _held(host: Host, must: Must, row: BlastRow) -> Held:
    if row.failed:
        return Held(limits_text(must), row.act, (), row.measured, row.failed)
    for harm in row.harms:
        breaks = tuple(_breaks(host, must, row, harm))
        if breaks:
            return Held(limits_text(must), row.act, breaks, row.measured)
    return Held(limits_text(must), row.act, (), row.measured)


def _breaks(host: Host, must: Must, row: BlastRow, harm: Harm) -> Iterator[Break]:
    lost = [fate for fate in harm.touched if fate.fate in NOT_UP]
    if must.lose is not None and len(lost) > must.lose:
        limit = "none may be" if not must.lose else f"at most {must.lose} may be"
        for fate in lost:
            yield from _of(host, row, fate, f"{fate.fate} ({limit})", harm)
    new = [fate for fate in harm.touched if fate.fate == NEW]
    if must.replace is not None and len(new) > must.replace:
        limit = "none may" if not must.replace else f"at most {must.replace} may"
        for fate in new:
            yield from _of(host, row, fate, f"gets another process ({limit})", harm)
    if must.max_dark is not None:
        for fate in harm.touched:
            worst = max(fate.dark, key=_seconds, default=None)
            if worst is not None and _seconds(worst) > must.max_dark / S:
                yield from _of(host, row, fate, _dark_words(worst, must.max_dark / S), harm)
    if must.back_within is not None and harm.back > must.back_within / S:
        after = "never" if math.isinf(harm.back) else f"after {harm.back:.3g} s"
        place = must.place if must.place[1] else (host.scenario.source, 0)
        yield Break("", place, f"all is as before {after} (at most {must.back_within / S:g} s)", "", harm.seed)


def _seconds(dark: Dark) -> float:
    return math.inf if dark.seconds is None else dark.seconds


def _dark_words(dark: Dark, limit: float) -> str:
    lasts = "and never comes back" if dark.seconds is None else f"for {dark.seconds:.3g} s"
    return f"port {dark.port} is dark from {dark.client} {lasts} (at most {limit:g} s)"


def _of(host: Host, row: BlastRow, fate: Fate, what: str, harm: Harm) -> Iterator[Break]:
    """Yield what a container breaks, and those that equal the one that the act is about."""
    act = next(it for it in host.acts if it.name == row.act)
    for name in (fate.container, *(row.like if fate.container == act.container else ())):
        place = host.scenario.places.get(name, (host.scenario.source, 0))
        yield Break(name, place, what, fate.why, harm.seed)


def limits_text(must: Must) -> str:
    """Return the limits as the file has them."""
    said = {
        "lose": _count(must.lose),
        "replace": _count(must.replace),
        "max-dark": "" if must.max_dark is None else lasting(must.max_dark / S),
        "back-within": "" if must.back_within is None else lasting(must.back_within / S),
    }
    return ", ".join(f"{key} {value}" for key, value in said.items() if value)


def _count(count: int | None) -> str:
    return "" if count is None else str(count) if count else NONE
