"""How a unit is started: its main process, the limit of starts, READY=1, and the restart after its end.

A start waits while the unit goes down or waits to be restarted (service_start returns -EAGAIN, v219 and v255), and has
failed once the unit leaves the state activating for another than active, also if Restart= tries again
(unit_process_job). A limit of 0, or an interval of 0, is none. Source: service.c service_start, service_enter_start;
systemd.unit(5) StartLimitIntervalSec=.
"""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Failure, Goroutine, spawn
from sim.engine.ops import Do, Sleep, reading
from sim.engine.setup import Unit
from sim.engines.host.systemd.dependencies import begins_alone, lacks
from sim.engines.host.systemd.job import PROCEDURES, RESTARTING, answer, is_replaced, jobs_about, read_about
from sim.engines.host.systemd.starter import starter
from sim.engines.host.systemd.stop import main_ended
from sim.engines.host.systemd.unit import (
    RUNS,
    change,
    daemons,
    file_of,
    installed,
    keys_of,
    memory_of,
    named,
    of,
    start_about,
    state_of,
)
from sim.facts import Message, UnitChanged
from sim.world import Frame, Key, World

WAITS = ("deactivating", "auto-restart")  # states in which a start is put off


class Begin(Do):
    """Start the main process of a unit, once it is neither on its way down nor waits to be restarted."""

    def ready(self, world: World, frame: Frame) -> bool:
        return state_of(world, named(world, frame.local)).state not in WAITS

    def reads(self, world: World, frame: Frame) -> tuple[Key, ...]:
        return memory_of(world, frame)


def is_limited(keys: Unit) -> bool:
    """Return whether there is a limit of starts at all."""
    return keys.start_limit_burst > 0 and keys.start_limit_interval > 0


def start_main(g: Goroutine) -> str | None:
    """Fork the main process and keep its number; refuse a start beyond StartLimitBurst= within StartLimitInterval=."""
    name = of(g)
    unit, keys = state_of(g.world, name), keys_of(g.world, name)
    if is_replaced(g.world, g.frame.fid) or begins_alone(g.world, g.frame):
        return "limit"
    if unit.main_pid or unit.cleaning or unit.state in RUNS:
        return "running"
    file = file_of(g.world, name)
    if file.name not in installed(g.world):
        return "limit"  # the version that is installed now has no such unit
    if lacks(g.world, name):
        if unit.state == "auto-restart":
            change(g, name, state="inactive")
        return "limit"
    if is_limited(keys) and unit.starts >= keys.start_limit_burst:
        if unit.state == "failed":
            g.emit(UnitChanged(name, "failed"))  # once more, with another result
        change(g, name, state="failed")
        return "limit"
    starts = unit.starts
    if is_limited(keys):
        start_about(g, "start_token", name)
        starts += 1
    main = spawn(g.turn, starter(g.world), file.spawn(g, name))
    state = "activating" if file.notify else "active"
    change(g, name, state=state, main_pid=main, starts=starts, stopping=False)
    return None


def token_back(g: Goroutine) -> None:
    """Let a start fall out of the limit's interval."""
    change(g, of(g), starts=max(state_of(g.world, of(g)).starts - 1, 0))


def interval(world: World, frame: Frame) -> int:
    """Return StartLimitInterval= in µs."""
    return int(keys_of(world, named(world, frame.local)).start_limit_interval)


def restart_sec(world: World, frame: Frame) -> int:
    """Return RestartSec= in µs."""
    return int(keys_of(world, named(world, frame.local)).restart_sec)


def _settles(world: World, frame: Frame) -> tuple[Key, ...]:
    return *memory_of(world, frame), *read_about(world, RESTARTING)


@reading(_settles)
def settled(world: World, frame: Frame) -> bool:
    """Return whether the start has come to something; one that a restart has taken over waits for that."""
    name = named(world, frame.local)
    if state_of(world, name).state in ("activating", "deactivating"):
        return False
    return frame.procedure != f"init.{PROCEDURES['start']}" or not jobs_about(world, RESTARTING, name)


# -- READY=1 ----------------------------------------------------------------------------------------


def unit_ready(g: Goroutine) -> None:
    """Believe READY=1 from the main process, or with NotifyAccess=all from any, which may name another main process."""
    message: Message = g["request"]
    if message.container:
        _ready_from_any(g, message.container, message.data)
        return
    for name in daemons(g.world):
        unit = state_of(g.world, name)
        if unit.main_pid == message.data and unit.state == "activating":
            change(g, name, state="active")


def _ready_from_any(g: Goroutine, name: str, main: Any) -> None:
    unit = state_of(g.world, name)
    if unit.cleaning or unit.state not in (*RUNS, "deactivating"):
        return
    lives = main is not None and g.world.host.alive(main)
    state = "active" if unit.state == "activating" else unit.state
    change(g, name, state=state, main_pid=main if lives else unit.main_pid)
    if not g.world.host.exists(state_of(g.world, name).main_pid):
        main_ended(g, name, 0)  # it was reaped while this notification waited


def start_done(g: Goroutine) -> None:
    """Answer `systemctl start`."""
    name = of(g)
    if state_of(g.world, name).state == "active":
        answer(g, True)
    elif lacks(g.world, name):
        answer(g, Failure(f"A dependency job for {name}.service failed."))
    else:
        answer(g, Failure(f"Job for {name}.service failed."))


BEGIN = Begin(start_main, "running", "limit")
AGAIN = Sleep("restart_sec", restart_sec)
TOKEN = (Sleep("start_limit", interval), Do(token_back))
