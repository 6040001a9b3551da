"""PID 1, compiled from the unit files of a design: an op that no unit of the host needs is not in its tables."""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, ReapAny, Serve, Sleep, Wait, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.host import journald
from sim.engines.host.systemd.dependencies import BRING_BACK, PULL, TAKE_ALONG, begins_alone, tie
from sim.engines.host.systemd.job import run_job
from sim.engines.host.systemd.jobs import Bus, kill_unit, only_if_up, reload_unit, reset_failed, stop_done, tell_state
from sim.engines.host.systemd.power import (
    alone,
    boots,
    kill_all,
    last_chance,
    power_back,
    restart_host,
    shut_down,
    term_all,
)
from sim.engines.host.systemd.start import AGAIN, BEGIN, TOKEN, settled, start_done, start_main, unit_ready
from sim.engines.host.systemd.stop import ReapOf, clean_up_table, notice, stop_table
from sim.engines.host.systemd.unit import ENGINE, TEMPLATE, UnitFile, key_of, others, state_of
from sim.kernel.records import INIT
from sim.world import Frame, World

NAME = "init"  # how traces and files call it


class Systemd(Program):
    """PID 1 of a host with these unit files."""

    def __init__(self, *files: UnitFile) -> None:
        super().__init__(NAME, tuple(_tables(files)), role=Role(kind=Kind.INIT, order=0, target="host"))
        self.units = {file.name: file for file in files}

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Systemd:
        """Return this PID 1, with the same units, with *tables* in place of its own."""
        other = Systemd(*self.units.values())
        other.procedures = super().with_tables(*tables, without=without).procedures
        return other


# -- every unit at once -----------------------------------------------------------------------------


def start_all(g: Goroutine) -> None:
    """Start every unit but the engine's own, side by side; none where PID 1 is no service manager."""
    for name in () if begins_alone(g.world, g.frame) else others(g.world):
        run_job(g, "start", name)


def stop_all(g: Goroutine) -> None:
    """Stop every unit but the engine's own, side by side."""
    for name in others(g.world):
        run_job(g, "stop", name)


@reading(lambda world, frame: tuple(("memory", INIT, key_of(world, name)) for name in others(world)))
def all_down(world: World, frame: Frame) -> bool:
    """Return whether no unit is up or on its way."""
    return all(state_of(world, name).state in ("inactive", "failed") for name in others(world))


LAST = (
    Do(term_all),
    Wait(alone, within=last_chance, late="last"),
    Goto("alone"),
    Label("last"),
    Do(kill_all),
    Wait(alone, within=last_chance, late="alone"),
    Label("alone"),
    Do(restart_host),
)

# -- tables -----------------------------------------------------------------------------------------


def _tables(files: tuple[UnitFile, ...]) -> list[Procedure]:
    """Return the tables; the engine's own unit is started and stopped with the host by the same frame."""
    own = any(file.key == ENGINE for file in files)
    more = any(file.key != ENGINE for file in files)
    containers = any(file.name == TEMPLATE for file in files)
    commands = any(file.exec_stop is not None for file in files)
    pull, along, back = (PULL, TAKE_ALONG, BRING_BACK) if tie(*files) else ((), (), ())
    start: Any = (pull, BEGIN)
    ends = (Label("running"), Label("limit"))
    stop = (along, stop_table(commands))
    awaited = (Label("running"), Wait(settled), Label("limit"), back, Do(start_done))
    return [
        procedure("init.main", Label("next"), ReapOf() if containers else ReapAny(), Do(notice), Goto("next")),
        procedure("init.clean_up", clean_up_table(commands)),
        procedure("init.bus", Bus()),
        procedure("init.notify", Serve("notify", {"READY": "unit_ready"})),
        procedure("init.unit_ready", Do(unit_ready)),
        procedure("init.start_token", TOKEN),
        procedure("init.restart_unit", AGAIN, along, pull, Do(start_main, "running", "limit"), ends, back),
        procedure("init.job_start", start, awaited),
        procedure("init.job_stop", stop, Do(stop_done)),
        procedure("init.job_restart", stop, start, awaited),
        procedure("init.job_kill", Do(kill_unit)),
        procedure("init.job_reset", Do(reset_failed)),
        journald.JOB,
        journald.STARTS,
        procedure("init.job_try_restart", Do(only_if_up, "idle"), stop, start, awaited, Label("idle")),
        procedure("init.job_reload", Do(reload_unit)),
        procedure("init.job_state", Do(tell_state)),
        procedure("init.job_nothing", Do(stop_done)),
        procedure(
            "init.job_reboot",
            Do(shut_down),
            stop if own else (),
            (Do(stop_all), Wait(all_down)) if more else (),
            LAST,
        ),
        *([procedure("init.units", Do(start_all))] if more else []),
        procedure(
            "init.boot",
            Sleep("power", power_back),
            Do(boots),
            Do(start_all) if more else (),
            (start, ends) if own else (),
        ),
    ]
