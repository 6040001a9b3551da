"""shimulator: what happens to my containers if …?

`load` reads a scenario, `run` runs it once and returns a `Run`: worlds, trees, texts and verdicts at any moment.
`whatif` compares many runs, `explore` takes every order of events.

>>> import sim
>>> run = sim.run(sim.load("document"))
>>> [verdict.holds for verdict in run.verdicts()]
[True, True, True, True]
>>> print(run.show("pstree", at="kill-1s", root="shim/grafana"), end="")
docker-containe─┬─grafana-server───10*[{grafana-server}]
                └─9*[{docker-containe}]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from sim.version import __version__

if TYPE_CHECKING:
    from sim.experiment.run import Run
    from sim.experiment.search import Search
    from sim.experiment.versus import Versus
    from sim.scenario import Scenario

__all__ = ["__version__", "explore", "load", "run", "whatif"]


def load(source: str | PathLike[str], *settings: str, text: str | None = None) -> Scenario:
    """Read a scenario: a file, a bundled one by its name, or a text of its own. Raises InputError.

    A str with a line break, or with a colon and a blank, is the text itself. *settings* are `PATH=VALUE`. *text* is
    read in place of the file, which then gives the name alone.

    >>> load("document", "engine.daemon.live-restore=true").setup.engine.daemon.live_restore
    True
    >>> [service.name for service in load("services: {web: {image: nginx}}").setup.services]
    ['web']
    """
    from sim import scenario

    if text is None and isinstance(source, str) and ("\n" in source or ": " in source):
        source, text = "scenario", source
    return scenario.load(source, text, settings)


def run(source: Scenario | str | PathLike[str], *settings: str, seed: int = 1) -> Run:
    """Run a scenario, or what `load` takes, to its end. Raises InputError, ModelFault.

    >>> len(run("document").tree("kill+500ms").out_edges(1))  # six shims and dockerd are children of PID 1
    7
    """
    from sim.experiment import run as experiment

    return experiment.run_scenario(_scenario(source, settings), seed)


def whatif(
    source: Scenario | str | PathLike[str],
    *settings: str,
    seeds: int | Iterable[int] = 40,
    jobs: int | None = None,
    window: tuple[str, str] | None = None,
    metrics: Mapping[str, Callable[[Any], float]] | None = None,
    profile: str = "",
) -> Versus:
    """Compare a scenario with itself under other settings, on the same seeds. Raises InputError.

    *seeds* is how many, counted from 1, or which ones; *jobs* how many processes run (default: one a core). *window* is
    from which instant to which (default: from the first fault to the end); *metrics* are your own, by name, functions
    of a trace. *profile* names the durations that both sides are run on (default: each design's own).

    >>> found = whatif("services: {web: {}}", "engine.daemon.live-restore=true", seeds=[1, 2], jobs=1)
    >>> found.rows()[0]["difference"]
    0.0
    """
    from sim.experiment.own import as_own
    from sim.experiment.versus import Versus
    from sim.experiment.whatif import Terms, whatif_of

    terms = Terms(seeds, jobs, window=window, own=as_own(metrics), profile=profile)
    base, other = (_scenario(source, (*terms.settings(), *more)) for more in ((), settings))
    return Versus(whatif_of(base, [other], [settings], terms, always=terms.settings()))


def explore(
    source: Scenario | str | PathLike[str],
    *properties: str,
    settings: Sequence[str] = (),
    faults: str | None = None,
    between: tuple[str, str] | None = None,
) -> Search:
    """Take every order of events, and every fault within a budget, and look for what breaks. Raises InputError.

    *properties* are names (`V6`, `all`) or sentences (`always: open(80, remote)`), by default the scenario's own;
    *faults* is a budget as `kill=1,stall=1`, by default the scenario's; *between* two anchors, as
    `("stop", "die(web)")`. Times are dropped, orders are kept.

    >>> explore("services: {web: {}}", "V5", "V6", faults="kill=1").verdict("V5")
    'VIOLATED'
    """
    from sim.experiment.search import search

    return search(_scenario(source, settings), properties, faults=faults, between=between)


def _scenario(source: Scenario | str | PathLike[str], settings: Sequence[str]) -> Scenario:
    from sim.scenario import Scenario as Loaded
    from sim.scenario import reload

    if not isinstance(source, Loaded):
        return load(source, *settings)
    return reload(source, settings) if settings else source
