"""How a unit ends: by itself, or by a job that stops it; what becomes of its other processes, and Restart=.

KillMode= process, mixed and control-group: after the main process what is left in the control group gets nothing, KILL,
or TERM and after TimeoutStopSec= KILL; where nothing is left the unit ends at once, and is never deactivating. A unit
with commands runs ExecStop= first if it was up, and ExecStopPost= last, behind which is cleaned again; one that takes
longer than TimeoutStopSec= gets TERM and, if need be, KILL, and the unit has failed. Leaves out that ExecStop= is also
run where the main process ends by itself and cleanly (service_enter_running). Source: service.c service_enter_stop,
service_enter_signal, service_enter_dead, service_sigchld_event; systemd.kill(5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.engine.containers import is_unit
from sim.engine.goroutine import Goroutine, spawn
from sim.engine.ops import Do, Goto, Label, ReapAny, Wait, reading
from sim.engine.records import ServiceState, UnitState
from sim.engines.host import journald
from sim.engines.host.systemd.dependencies import stop_bound
from sim.engines.host.systemd.job import start_refused
from sim.engines.host.systemd.unit import (
    RUNS,
    change,
    control_pid,
    daemons,
    file_of,
    group,
    groups,
    keys_of,
    memory_of,
    named,
    of,
    own_name,
    start_about,
    state_of,
)
from sim.engines.host.systemd.ways import CLEAN, RESTARTS, TIMEOUT, way_of
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.world import Frame, Key, World

FOREVER = 10**15

# -- reaping ----------------------------------------------------------------------------------------


class ReapOf(ReapAny):
    """Wait for any child; whose container it was goes into `of`, beside what ReapAny tells."""

    def take(self, g: Goroutine) -> int | None:
        first = next(iter(g.world.host.zombies[g.pid]))
        g["of"] = g.world.host.procs[first].image.container
        return super().take(g)


def notice(g: Goroutine) -> None:
    """React to the end of a unit's process, and to that of journald; any other child is only reaped."""
    if journald.noticed(g):
        return
    pid = g["reaped_pid"]
    for name in _suspects(g.world, g["of"]):
        unit = state_of(g.world, name)
        if pid == control_pid(unit):
            change(g, name, control_pid=0)
        elif pid == unit.main_pid and not _another_main_is_told(g.world, name):
            main_ended(g, name, g["status"])


def _suspects(world: World, container: str | None) -> list[str]:
    """Return the units of which a reaped child may have been."""
    found = daemons(world)
    if container and container in world.services and is_unit(world, world.services[container]):
        found.append(container)
    return found


def knows(world: World, pid: Pid) -> bool:
    """Return whether any unit keeps the number of a process."""
    states = world.memory.get(INIT, {}).values()
    return any(isinstance(it, UnitState) and pid in (it.main_pid, control_pid(it)) for it in states)


def _another_main_is_told(world: World, name: str) -> bool:
    """Return whether a notification of the unit waits: systemd takes those before it looks at its children."""
    if file_of(world, name).notify != "all":
        return False
    told = any(getattr(it, "container", "") == name for it in world.queue(INIT, "notify"))
    return told or (INIT, f"unit_ready/{name}") in world.frames


def main_ended(g: Goroutine, name: str, status: int) -> None:
    """Clean up behind the main process if something is left of the unit, or a command is to run; else it has ended."""
    unit = state_of(g.world, name)
    spared = keys_of(g.world, name).kill_mode == "process" or not _lives(g.world, name)
    if spared and not control_pid(unit) and file_of(g.world, name).exec_stop_post is None:
        end(g, name, way_of(status))
    else:
        told = {"status": status} if isinstance(unit, ServiceState) else {}
        change(g, name, state="deactivating", main_pid=0, cleaning=True, **told)
        start_about(g, "clean_up", name, status=status)
    if not unit.stopping:
        stop_bound(g, name)


def ended(g: Goroutine) -> None:
    """Restart the unit, or believe that it has failed or is inactive; a job that stops it says the latter itself."""
    end(g, of(g), TIMEOUT if g["late"] else way_of(g["status"]))


def end(g: Goroutine, name: str, way: str) -> None:
    """Let a unit end, in one of the ways of the table of Restart=."""
    unit = state_of(g.world, name)
    gone: dict[str, Any] = {"main_pid": 0, "cleaning": False}
    if isinstance(unit, ServiceState) and unit.late:
        way, gone["late"] = TIMEOUT, False
    stopping, clean = unit.stopping, way == CLEAN
    if stopping and clean:
        change(g, name, **gone)
    elif not stopping and way in RESTARTS[keys_of(g.world, name).restart] and not start_refused(g.world, name):
        change(g, name, state="auto-restart", **gone)
        start_about(g, "restart_unit", name)
    else:
        change(g, name, state="inactive" if clean else "failed", **gone)


# -- what is left of it -----------------------------------------------------------------------------


def signal_rest(g: Goroutine) -> str | None:
    """Send what is left in the unit's control group TERM, or with KillMode=mixed KILL; with process nothing."""
    mode = keys_of(g.world, of(g)).kill_mode
    if mode == "process":
        return "empty"
    syscalls.kill_cgroup(g.turn, group(g.world, of(g)), "KILL" if mode == "mixed" else "TERM")
    return None


def kill_rest(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over; the unit has failed, however its main process ended."""
    g["late"] = True
    syscalls.kill_cgroup(g.turn, group(g.world, of(g)), "KILL")


def _groups(world: World, frame: Frame) -> Iterable[Key]:
    return tuple(("cgroup", it) for it in groups(world, named(world, frame.local)))


@reading(_groups)
def group_empty(world: World, frame: Frame) -> bool:
    """Return whether no process is left in the unit's control group."""
    return not any(world.host.grouped.get(it) for it in groups(world, named(world, frame.local)))


def _lives(world: World, name: str) -> bool:
    """Return whether a process lives in the unit's control group: a zombie gets no signal."""
    host = world.host
    return any(host.alive(pid) for it in groups(world, name) for pid in host.grouped.get(it, ()))


def timeout_stop(world: World, frame: Frame) -> int:
    """Return TimeoutStopSec= in µs; 0 is infinity."""
    return int(keys_of(world, named(world, frame.local)).timeout_stop or FOREVER)


# -- its commands -----------------------------------------------------------------------------------


@reading(memory_of)
def control_gone(world: World, frame: Frame) -> bool:
    """Return whether the command of ExecStop= or ExecStopPost= has ended."""
    return not control_pid(state_of(world, named(world, frame.local)))


def exec_stop(g: Goroutine) -> str | None:
    """Run ExecStop= of a unit that was up; one that starts gets TERM at once."""
    command = file_of(g.world, of(g)).exec_stop
    if command is None:
        return "going"  # it has got TERM already
    if g["was"] != "active":
        return "term"
    g["control"] = spawn(g.turn, g.pid, command(g, of(g)))
    change(g, of(g), control_pid=g["control"])
    return None


def stop_late(g: Goroutine) -> None:
    """Note that ExecStop= takes longer than TimeoutStopSec=: the unit has failed, however its main process ends."""
    change(g, of(g), late=True)


def run_post(g: Goroutine) -> str | None:
    """Start ExecStopPost=, whatever the end was."""
    command = file_of(g.world, of(g)).exec_stop_post
    if command is None:
        return "gone"
    g["control"] = spawn(g.turn, g.pid, command(g, of(g)))
    change(g, of(g), control_pid=g["control"])
    return None


def signal_left(g: Goroutine) -> str | None:
    """Signal what ExecStopPost= has left in the unit's control group, as it is done behind the main process."""
    if not _lives(g.world, of(g)) or signal_rest(g):
        return "gone"
    return None


def post_late(g: Goroutine) -> None:
    """Send TERM to ExecStopPost=, which takes longer than TimeoutStopSec=: the unit has failed."""
    g["late"] = True
    _signal(g, "TERM")


def kill_post(g: Goroutine) -> None:
    """Kill ExecStopPost=, which does not heed TERM."""
    _signal(g, "KILL")


# -- a job that stops it ----------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Let a unit go down; one that is down stays as it is, one that goes down already does so for this job, too."""
    name = of(g)
    unit = state_of(g.world, name)
    cancel_restart(g, name)
    if unit.state in ("inactive", "failed", "auto-restart"):
        if unit.state == "auto-restart":
            change(g, name, state="inactive")
        return "stopped"
    change(g, name, state="deactivating", stopping=True)
    if unit.state not in RUNS:
        return "going"
    if file_of(g.world, name).exec_stop is None:
        term_main(g)
    else:
        g["was"] = unit.state
    return None


def cancel_restart(g: Goroutine, name: str) -> None:
    """Cancel a restart that waits for RestartSec=."""
    g.cancel("restart_unit" if name == own_name(g.world) else f"restart_unit/{name}")


def term_main(g: Goroutine) -> None:
    """Send TERM to the main process and to ExecStop=, or with control-group to all of the unit."""
    _signal(g, "TERM")


def _signal(g: Goroutine, signal: str) -> None:
    """Signal the main process, and the command that this frame has started if it still runs; or the whole group.

    Once another command runs, which has a time of its own, nothing gets a signal.
    """
    name = of(g)
    unit, mode = state_of(g.world, name), keys_of(g.world, name).kill_mode
    control = control_pid(unit) if control_pid(unit) == g["control"] else 0
    if not unit.main_pid and not control:
        return
    if mode == "control-group" or (mode == "mixed" and signal == "KILL"):
        syscalls.kill_cgroup(g.turn, group(g.world, name), signal)
        return
    for pid in (unit.main_pid, control):
        if pid:
            g.kill(pid, signal)


@reading(memory_of)
def main_gone(world: World, frame: Frame) -> bool:
    """Return whether the main process has been reaped, and its group cleaned where KillMode= says so.

    A unit that is not stopping any more has been started anew by the job that took this one's place.
    """
    unit = state_of(world, named(world, frame.local))
    return not unit.stopping or not (unit.main_pid or unit.cleaning)


def kill_main(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over: with process the main process alone."""
    _signal(g, "KILL")


def unit_stopped(g: Goroutine) -> None:
    """Believe that the unit is inactive, or still that it has failed; unless another job starts it already."""
    unit = state_of(g.world, of(g))
    if unit.stopping:
        change(g, of(g), state="failed" if unit.state == "failed" else "inactive", stopping=False)


# -- tables -----------------------------------------------------------------------------------------

_EXEC_STOP = (
    Do(exec_stop, "term", "going"),
    Wait(control_gone, within=timeout_stop, late="stop_late"),
    Goto("term"),
    Label("stop_late"),
    Do(stop_late),
    Label("term"),
    Do(term_main),
)
_EXEC_STOP_POST = (
    Do(run_post, "gone"),
    Wait(control_gone, within=timeout_stop, late="post_late"),
    Do(signal_left, "gone"),
    Wait(group_empty, within=timeout_stop, late="kill_left"),
    Goto("gone"),
    Label("kill_left"),
    Do(kill_rest),
    Wait(group_empty),
    Goto("gone"),
    Label("post_late"),
    Do(post_late),
    Wait(control_gone, within=timeout_stop, late="post_deaf"),
    Goto("gone"),
    Label("post_deaf"),
    Do(kill_post),
    Wait(control_gone),
    Label("gone"),
)


def stop_table(commands: bool) -> tuple[Any, ...]:
    """Return how a job stops a unit; *commands* says that some unit of the host has ExecStop=."""
    return (
        Do(begin_stop, "stopped", "going"),
        _EXEC_STOP if commands else (),
        Label("going"),
        Wait(main_gone, within=timeout_stop, late="kill"),
        Goto("stopped"),
        Label("kill"),
        Do(kill_main),
        Wait(main_gone),
        Label("stopped"),
        Do(unit_stopped),
    )


def clean_up_table(commands: bool) -> tuple[Any, ...]:
    """Return what is done behind a main process that has ended."""
    return (
        Wait(control_gone) if commands else (),
        Do(signal_rest, "empty"),
        Wait(group_empty, within=timeout_stop, late="kill"),
        Goto("empty"),
        Label("kill"),
        Do(kill_rest),
        Wait(group_empty),
        Label("empty"),
        _EXEC_STOP_POST if commands else (),
        Do(ended),
    )
