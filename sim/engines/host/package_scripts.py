"""An upgrade by a package whose scripts are known: what is asked of systemd before the new files and behind them.

Source: `sim.engine.packages`, and each package's own table in the engines' rooms.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, call
from sim.engine.packages import Scripts
from sim.engine.setup import Install
from sim.engine.vocabulary import number_of
from sim.engines.host.step import step_of, systemd_at
from sim.engines.host.systemd.unit import own_name, state_of
from sim.facts import Message


def scripts_of(g: Goroutine) -> tuple[str, Scripts]:
    """Return the unit of the package that is upgraded, and what its scripts do with it."""
    world, command = g.world, step_of(g.world, g.frame).command
    assert isinstance(command, Install)
    package = world.design.engine.packages[command.package]
    numbers = (number_of(name) for name in (world.design.installed(world).name, command.to))
    return package.unit or own_name(world), package.scripts(*numbers)


def before_unpack(g: Goroutine) -> str | None:
    """Go on to stop the unit, if the scripts do so before the files are replaced."""
    unit, scripts = scripts_of(g)
    g["ran"] = state_of(g.world, unit).state == "active"
    return None if scripts.stops else "unpack"


def stop_request(g: Goroutine) -> Message:
    """Ask systemd to stop the package's unit."""
    return Message(_about(g, scripts_of(g)[0], "stop"), "", g.frame.fid)


def after_unpack(g: Goroutine) -> str:
    """Return what the scripts ask systemd for behind the new files; each tells it to read the unit files again."""
    unit, scripts = scripts_of(g)
    return "daemon-reload" if scripts.if_it_ran and not g["ran"] else _about(g, unit, scripts.then)


def _about(g: Goroutine, unit: str, verb: str) -> str:
    """Return a request of systemd's as the bus takes it: the engine's own unit is not named."""
    return verb if unit == own_name(g.world) else f"{unit} {verb}"


SCRIPTS = (
    Label("scripts"),
    Do(before_unpack, "unpack"),
    call("bus", systemd_at, stop_request, lost="lost", failed="failed"),
    Goto("unpack"),
)
