"""Pictures of runs: process trees at a moment or two, timelines. Drawn when they are shown or saved.

Models: which moments are worth a picture if nobody names any, and what a picture says in words. Leaves out how they
look (`sim.render`). Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.engine.prologue import is_early
from sim.engine.setup import QUIET_VERBS, KillProcess, Step, Systemctl, Upgrade
from sim.errors import InputError, Problem
from sim.render.headline import dark_text, headline
from sim.render.notebook import Picture
from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.experiment.played import Played
    from sim.views.timeline_parts import TimelineData


def first_fault(scenario: Scenario) -> Step | None:
    """Return the first step that hurts something: a kill, a stop of the engine."""
    for terminal in scenario.setup.terminals:
        for step in () if is_early(terminal) else terminal:
            command = step.command
            if isinstance(command, KillProcess | Upgrade):
                return step
            if isinstance(command, Systemctl) and command.verb not in QUIET_VERBS:
                return step
    return None


# -- the timeline -----------------------------------------------------------------------------------


def timeline_picture(runs: Sequence[TimelineData]) -> Picture:
    """Return the picture of one timeline, or of two above each other."""
    from sim.render.timeline import draw, subtitle

    words = [subtitle(runs), *(line for run in runs for line in _outcomes(run))]
    return Picture(lambda: draw(runs), f"Timeline: {headline(runs)}", "\n".join(words))


def _outcomes(run: TimelineData) -> list[str]:
    """Say in lines how each lane and each strip of ports ended."""
    lanes = [f"  {lane.name}: {lane.outcome}" for lane in run.lanes if lane.outcome]
    strips = [f"  {strip.client} open: {dark_text(strip)}" for strip in run.strips]
    return [*([f"{run.title}:"] if run.title else []), *lanes, *strips]


# -- the process tree -------------------------------------------------------------------------------


def tree_picture(runs: Sequence[Played], moments: Sequence[str] = ()) -> Picture:
    """Return the picture of a tree at a moment, or of two with what became of each process between them.

    Two moments of one run, or one of two; by default about the first fault. Raises InputError.
    """
    from sim.render.tree_figure import draw
    from sim.views.forest import compared, finding, forest

    moments = moments or about_the_fault(runs)
    if len(moments) * len(runs) > 2:
        what = f"{len(moments)} moments of {len(runs)} run{'s' * (len(runs) != 1)} are too many"
        raise InputError([Problem("--at", what, "Give two moments of one run, or one moment of two runs.")])
    names = names_of(runs)
    shown = [(run, name, at) for run, name in zip(runs, names, strict=True) for at in moments]
    titles = [f"{name}: {at}" if len(runs) == 2 else at for _, name, at in shown]
    trees = [forest(run.tree(at), title) for (run, _, at), title in zip(shown, titles, strict=True)]
    if len(trees) == 2:
        trees = list(compared(trees[0], trees[1], by_pid=len(runs) == 1))
    words = (f"{title}:\n{run.show('pstree', at)}" for (run, _, at), title in zip(shown, titles, strict=True))
    caption = f"Process tree{'s' * (len(trees) != 1)}, {' and '.join(titles)}: {finding(trees)}"
    return Picture(lambda: draw(trees, _about(runs, names)), caption, "".join(words))


def about_the_fault(runs: Sequence[Played]) -> list[str]:
    """Choose moments as a report does: just before and just after the first fault, of two runs the later one alone."""
    fault = first_fault(runs[0].scenario)
    if fault is None:
        return ["end"]
    before, after = f"{fault.id}-1s", f"{fault.id}+500ms"
    if len(runs) == 2:
        return [after]
    return [before, after if _changed(runs[0], before, after) else "end"]


def _changed(run: Played, before: str, after: str) -> bool:
    """Say whether the fault has done something yet: an upgrade unpacks for some seconds first."""
    from sim.views.forest import forest

    return forest(run.tree(before)) != forest(run.tree(after))


def names_of(runs: Sequence[Played]) -> list[str]:
    """Name runs so that they are told apart: by their titles, else by what differs."""
    names = [run.scenario.title or run.scenario.name for run in runs]
    if len(runs) == 2 and names[0] == names[1]:
        return [f"{name}, {it}" for name, it in zip(names, _differ(runs), strict=True)]
    return names


def _differ(runs: Sequence[Played]) -> list[str]:
    """Say in what two runs of one title differ: the settings of the engine if only these do, else the seeds."""
    from sim.views.timeline import settings_of

    one, other = (dict(settings_of(run.trace.setup)) for run in runs)
    changed = [name for name in one if one[name] != other.get(name)]
    seeds = [run.trace.seed for run in runs]
    if changed and seeds[0] == seeds[1]:
        return [", ".join(f"{name} {side.get(name)}" for name in changed) for side in (one, other)]
    return [f"seed {seed}" for seed in seeds]


def _about(runs: Sequence[Played], names: Sequence[str]) -> str:
    engine = runs[0].trace.setup.engine
    seeds = dict.fromkeys(str(run.trace.seed) for run in runs)
    title = f"{names[0]} · " if len(runs) == 1 else ""
    return f"{title}{engine.design} · seed {' and '.join(seeds)} · latency profile {engine.profile}"
