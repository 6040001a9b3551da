"""The unit of an engine's daemon, whatever it is called, and those beside it: a scenario may set their keys.

Source: designs §1.1 [S].
"""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.setup import Unit
from sim.engine.traits import traits, unit_keys
from sim.engines.host.systemd.unit import ENGINE, UnitFile, group
from sim.world import World


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


def unit_beside(name: str, program: str, own: Unit, **more: Any) -> UnitFile:
    """Return a unit beside the engine's own, with the keys of its package unless a scenario sets others.

    A version that is installed later brings its own file, as it does of the engine's unit.
    """

    def keys(world: World, name: str) -> Unit:
        is_first = world.design.installed(world).name == world.design.name
        found: Unit = dict(world.setup.engine.units).get(name, own) if is_first else own
        return found

    return UnitFile(name=name, program=program, own=own, keys=keys, **more)
