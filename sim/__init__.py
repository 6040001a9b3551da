"""shimsim: what happens to my containers if …?

`load` reads a scenario, `run` runs it once and returns a `Run`: worlds, trees, texts and verdicts at any moment.

>>> import sim
>>> run = sim.run(sim.load("document"))
>>> [verdict.holds for verdict in run.verdicts()]
[True, True, True, True]
>>> print(run.show("pstree", at="kill-1s", root="shim/grafana"), end="")
docker-containe─┬─grafana-server───10*[{grafana-server}]
                └─9*[{docker-containe}]
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.experiment.run import Run
    from sim.scenario import Scenario

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def load(path: str | PathLike[str], *settings: str, text: str | None = None) -> Scenario:
    """Read a scenario file, or a bundled scenario by its name; *settings* are `PATH=VALUE`. Raises InputError.

    *text* is read in place of the file, which then gives the name alone.

    >>> load("document", "engine.daemon.live-restore=true").setup.engine.daemon.live_restore
    True
    """
    from sim import scenario

    return scenario.load(path, text, settings)


def run(scenario: Scenario | str | PathLike[str], seed: int = 1) -> Run:
    """Run a scenario, or a file that holds one, to its end. Raises InputError, ModelFault.

    >>> len(run("document").tree("kill+500ms").out_edges(1))  # six shims and dockerd are children of PID 1
    7
    """
    from sim.experiment import run as experiment
    from sim.scenario import Scenario as Loaded

    return experiment.run_scenario(scenario if isinstance(scenario, Loaded) else load(scenario), seed)
