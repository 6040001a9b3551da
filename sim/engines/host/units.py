"""The unit of an engine's daemon, whatever it is called: the one whose keys a scenario may set.

Source: designs §1.1 [S].
"""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.traits import traits, unit_keys
from sim.engines.host.systemd.unit import ENGINE, UnitFile, group


def _daemon(g: Goroutine, name: str) -> Spawn:
    """Describe the engine's daemon: a session of its own in the unit's control group."""
    found = traits(g.world, g.pid)
    return Spawn(
        found.engine,
        found.words.dockerd,
        main=found.engine_main,
        new_session=True,
        cgroup=group(g.world, name),
        oom_score_adj=found.engine_score,
    )


def engine_unit(name: str, program: str, **more: Any) -> UnitFile:
    """Return the engine's own unit, whose keys a scenario may set (NotifyAccess=main)."""
    return UnitFile(
        name=name, program=program, spawn=_daemon, keys=lambda world, name: unit_keys(world), key=ENGINE, **more
    )
