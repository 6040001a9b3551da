"""What if a setting were another one? The same seeds run both ways, compared in pairs.

Models: one baseline, any number of alternatives, each a list of `PATH=VALUE`. Prices that no metric can show stand in a
literal table with their source. Leaves out other designs and cost in money. Source: the prices' own marks; all else is
measured on the runs.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sim.designs import DESIGNS
from sim.errors import InputError, Problem
from sim.experiment.metrics import Metrics, fault_step
from sim.experiment.paired import compare
from sim.experiment.replicate import Progress, replicate_each
from sim.experiment.sentences import sentences
from sim.latency import PROFILES
from sim.render.amounts import lasting
from sim.scenario import Scenario, load
from sim.scenario.resolved import engine_of, host_of, network_of, service_of
from sim.views.comparison import Change, Price, Variant, WhatIf

Settings = Sequence[str]
SEEDS = 40
WORST_BY = ("not_back", "remote_dark", "loopback_dark", "api_dark")


class Priced(NamedTuple):
    """What setting *path* to *value* costs on *design*."""

    design: str
    path: str
    value: str
    price: Price


PRICES: tuple[Priced, ...] = (
    Priced(
        "docker-1.13",
        "engine.daemon.live-restore",
        "true",
        Price(
            "this build reads each log FIFO twice after a restore and loses lines at random",
            "engine-1.13 §6 step 5, projectatomic/docker#311",
            "S",
        ),
    ),
    Priced(
        "docker-1.13",
        "engine.daemon.live-restore",
        "true",
        Price("dockerd refuses to start with it in swarm mode", "docker/docs#16059", "I"),
    ),
)


def whatif(
    path: str | os.PathLike[str],
    settings: Settings,
    seeds: int | Iterable[int] = SEEDS,
    jobs: int | None = None,
    *,
    text: str | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Compare a scenario with itself under *settings*. Raises InputError."""
    return whatif_each(path, [settings], seeds, jobs, text=text, progress=progress)


def whatif_each(
    path: str | os.PathLike[str],
    alternatives: Sequence[Settings],
    seeds: int | Iterable[int] = SEEDS,
    jobs: int | None = None,
    *,
    text: str | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Compare a scenario with each of some alternatives, all on the same seeds. Raises InputError.

    *seeds* is how many, counted from 1, or which ones; *text* is read in place of the file.
    """
    others = [load(path, text, settings) for settings in alternatives]
    return whatif_of(load(path, text), others, alternatives, seeds, jobs, progress)


def whatif_of(
    base: Scenario,
    others: Sequence[Scenario],
    alternatives: Sequence[Settings],
    seeds: int | Iterable[int] = SEEDS,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Compare a scenario with *others*, which are itself under each of the *alternatives*. Raises InputError."""
    numbers = tuple(range(1, seeds + 1) if isinstance(seeds, int) else seeds)
    _check(alternatives, numbers)
    found = replicate_each([scenario.setup for scenario in (base, *others)], numbers, jobs, progress)
    engine = base.setup.engine
    return WhatIf(
        title=base.title,
        source=base.source,
        name=base.name,
        design=f"{engine.design} ({DESIGNS[engine.design].title})",
        profile=engine.profile,
        seeds=numbers,
        window=window_text(base, found[0]),
        window_s=min(metrics.window_s for side in found for metrics in side),
        variants=tuple(
            variant(base, other, settings, found[0], runs)
            for other, settings, runs in zip(others, alternatives, found[1:], strict=True)
        ),
        assumptions=base.assumptions,
        unmeasured=unmeasured(engine.profile),
    )


def _check(alternatives: Sequence[Settings], seeds: Sequence[int]) -> None:
    problems = []
    if not alternatives or not all(alternatives):
        hint = "Write --set PATH=VALUE, like --set engine.daemon.live-restore=true."
        problems.append(Problem("--set", "nothing is changed", hint))
    if not seeds or len(set(seeds)) < len(seeds):
        what = "a seed is given twice" if seeds else "there is no seed"
        problems.append(Problem("--seeds", what, f"{SEEDS} is a good number."))
    if problems:
        raise InputError(problems)


# -- one alternative -------------------------------------------------------------------------------


def variant(
    base: Scenario, other: Scenario, settings: Settings, before: Sequence[Metrics], after: Sequence[Metrics]
) -> Variant:
    """Return one alternative with its rows, what they say, and what it costs."""
    rows = compare(before, after)
    changes = tuple(changed(base, other, setting) for setting in settings)
    seed = worst(after)
    words = ["shimsim", "run", base.source, *(word for setting in settings for word in ("--set", setting))]
    return Variant(
        name=" ".join(settings),
        changes=changes,
        rows=rows,
        sentences=sentences(" and ".join(f"{it.path}={it.after}" for it in changes), rows, min_window(before, after)),
        prices=prices(other, changes),
        worst_seed=seed,
        again=" ".join(map(shlex.quote, [*words, "--seed", str(seed)])),
    )


def min_window(*sides: Sequence[Metrics]) -> float:
    """Return the shortest window in s: what was not back took longer in every run."""
    return min(metrics.window_s for side in sides for metrics in side)


def worst(runs: Sequence[Metrics]) -> int:
    """Return the seed whose run went worst: containers not back first, then the longest dark; ties go to the first."""
    return max(runs, key=lambda run: [_or_zero(run.values[name]) for name in WORST_BY]).seed


def _or_zero(value: float) -> float:
    return value if value == value else 0.0


def prices(scenario: Scenario, changes: Sequence[Change]) -> tuple[Price, ...]:
    """Return what the changed settings cost beyond the rows."""
    design = scenario.setup.engine.design
    said = {(it.path, it.after) for it in changes if it.after != it.before}
    return tuple(it.price for it in PRICES if it.design == design and (it.path, it.value) in said)


# -- words -----------------------------------------------------------------------------------------


def window_text(base: Scenario, runs: Sequence[Metrics]) -> str:
    """Return the window as the file's words: `kill … kill+2m`."""
    step = fault_step(base.setup)
    start = step.id if step else "t = 0"
    until = base.raw.get("until")
    if until is not None:
        return f"{start} … {until}"
    return f"{start} … {'+' if step else ''}{lasting(min(run.window_s for run in runs))}"


def unmeasured(profile: str) -> str:
    """Say how many durations of a profile nobody has measured."""
    marks = [duration.mark for duration in PROFILES[profile].values()]
    known, assumed = (sum(mark.startswith(letter) for mark in marks) for letter in "KA")
    return f"of {len(marks)} durations of {profile} {known} are [K], known ranges, and {assumed} [A], assumed"


def changed(base: Scenario, other: Scenario, setting: str) -> Change:
    """Say what one `PATH=VALUE` changed, and where the old value stands."""
    path, _, value = setting.partition("=")
    path = path.strip()
    now, then = found_at(described(base), path), found_at(described(other), path)
    default = "not set" if now is None else "the default"
    origin = default if found_at(base.raw, path) is None else "as in the file"
    return Change(path, spelled(now), spelled(then) if then is not None else value.strip(), origin)


def described(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario with every default, as the file would spell it."""
    setup = scenario.setup
    return {
        **scenario.raw,
        "title": scenario.title,
        "host": host_of(setup.host),
        "engine": engine_of(setup.engine),
        "networks": {network.name: network_of(network) for network in setup.networks},
        "services": {scenario.keys[s.name]: service_of(s, scenario) for s in setup.services if s.name in scenario.keys},
    }


def found_at(tree: Any, path: str) -> Any:
    """Return what stands at *path*, None if nothing does; a name that contains dots is found if it is there.

    >>> found_at({"a.b": [{"c": 1}]}, "a.b.0.c")
    1
    """
    words = path.replace("[", ".").replace("]", "").split(".")
    while words and isinstance(tree, dict | list):
        if isinstance(tree, list):
            word = words.pop(0)
            tree = tree[int(word)] if word.isascii() and word.isdigit() and int(word) < len(tree) else None
            continue
        length = next((n for n in range(len(words), 0, -1) if ".".join(words[:n]) in tree), 0)
        if not length:
            return None
        tree, words = tree[".".join(words[:length])], words[length:]
    return None if words else tree


def spelled(value: Any) -> str:
    """Return a value as YAML spells it, on one line."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
