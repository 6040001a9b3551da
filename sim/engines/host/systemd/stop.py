"""How a unit ends: by itself, or by a job that stops it; what becomes of its other processes, and Restart=.

A job sends TERM to the main process, with KillMode=control-group to all of the unit; after TimeoutStopSec= KILL, with
mixed to all, too. A unit with ExecStop= runs that first if it was up. Once the main process has ended the phases of
service.c follow, each of which is left out if nothing is to be waited for: stop-sigterm and stop-sigkill where the unit
has ended by itself, or under ExecStop=; stop-post, which is ExecStopPost=; final-sigterm and final-sigkill. Each lasts
TimeoutStopSec= at most. What outlives the last one, such as a process of a frozen control group, is left where it is:
the unit has failed, which Restart= takes for a failure like any other. Leaves out that ExecStop= is also run where the
main process ends by itself and cleanly (service_enter_running), and that an end of the main process after the time is
over takes the place of the timeout as the result. Source: v219 of el7, service.c 1395-1481 (service_enter_stop_post,
service_enter_signal), 2604-2624 (service_notify_cgroup_empty_event), 2753-2775 and 2897-2922 (service_sigchld_event),
2970-3020 (service_dispatch_timer), unit.c 3541-3633 (unit_kill_context); v257 goes the same way, recorded in
`tests/systemd` as stop-*, killed-* and post-*; systemd.kill(5).
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
from sim.engines.host.systemd.starter import starter
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
    if unit.cleaning:
        change(g, name, main_pid=0)  # it had been given up
        return
    spared = keys_of(g.world, name).kill_mode == "process" or not _lives(g.world, name)
    if spared and not control_pid(unit) and file_of(g.world, name).exec_stop_post is None:
        end(g, name, way_of(status))
    else:
        kept = {"status": status} if isinstance(unit, ServiceState) else {}
        change(g, name, state="deactivating", main_pid=0, cleaning=True, **kept)
        signalled = {"signalled": True} if unit.stopping and not control_pid(unit) else {}
        start_about(g, "clean_up", name, status=status, **signalled)
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

STOP_SIGTERM, STOP_SIGKILL, STOP_POST = "stop-sigterm", "stop-sigkill", "stop-post"
FINAL_SIGTERM, FINAL_SIGKILL, DEAD = "final-sigterm", "final-sigkill", "dead"
SIGNALS = {STOP_SIGTERM: "TERM", STOP_SIGKILL: "KILL", FINAL_SIGTERM: "TERM", FINAL_SIGKILL: "KILL"}
LATER = {  # what follows a phase in which nothing is waited for, or whose time is over
    STOP_SIGTERM: STOP_SIGKILL,
    STOP_SIGKILL: STOP_POST,
    STOP_POST: FINAL_SIGTERM,
    FINAL_SIGTERM: FINAL_SIGKILL,
    FINAL_SIGKILL: DEAD,
}
THEN = {STOP_SIGTERM: STOP_POST, STOP_SIGKILL: STOP_POST, STOP_POST: FINAL_SIGTERM}  # after what was waited for


@reading(memory_of)
def control_gone(world: World, frame: Frame) -> bool:
    """Return whether the command of ExecStop= or ExecStopPost= has ended."""
    return not control_pid(state_of(world, named(world, frame.local)))


def enter_phase(g: Goroutine) -> str | None:
    """Enter the next phase in which there is something to wait for.

    Where a job has *signalled* the unit already, the end of the main process leads to stop-post at once.
    """
    unit = state_of(g.world, of(g))
    signalled = g["signalled"] or (isinstance(unit, ServiceState) and unit.late)
    phase = g["phase"] or (STOP_POST if signalled else STOP_SIGTERM)
    while not _begin(g, phase):
        phase = LATER[phase]
    g["phase"] = phase
    unit = state_of(g.world, of(g))
    g["known"] = bool(unit.main_pid or control_pid(unit))
    return "dead" if phase == DEAD else None


def _begin(g: Goroutine, phase: str) -> bool:
    """Do what a phase begins with; return whether there is something to wait for."""
    if phase == DEAD:
        return True
    return _run_post(g) if phase == STOP_POST else _signal(g, SIGNALS[phase])


def _run_post(g: Goroutine) -> bool:
    """Start ExecStopPost=, whatever the end was."""
    command = file_of(g.world, of(g)).exec_stop_post
    if command is not None:
        g["control"] = spawn(g.turn, starter(g.world), command(g, of(g)))
        change(g, of(g), control_pid=g["control"])
    return command is not None


def _awaited(world: World, frame: Frame) -> Iterable[Key]:
    cgroups: tuple[Key, ...] = tuple(("cgroup", it) for it in groups(world, named(world, frame.local)))
    return *memory_of(world, frame), *cgroups


@reading(_awaited)
def phase_over(world: World, frame: Frame) -> bool:
    """Return whether what a phase waits for has gone: the processes known by number, else all of the control group."""
    name = named(world, frame.local)
    unit = state_of(world, name)
    if frame.local["known"]:
        return not (unit.main_pid or control_pid(unit))
    return not any(world.host.grouped.get(it) for it in groups(world, name))


def next_phase(g: Goroutine) -> None:
    """Go on to what follows."""
    g["phase"] = THEN.get(g["phase"], DEAD)


def phase_late(g: Goroutine) -> None:
    """Go on although something is left: the unit has failed, however its main process ended."""
    g["late"], g["phase"] = True, LATER[g["phase"]]


def _lives(world: World, name: str) -> bool:
    """Return whether a process lives in the unit's control group: a zombie gets no signal."""
    host = world.host
    return any(host.alive(pid) for it in groups(world, name) for pid in host.grouped.get(it, ()))


def _signal(g: Goroutine, signal: str) -> bool:
    """Signal the main process and the command of this frame, if they run, and with some of KillMode= the whole group.

    Return whether there is something to wait for.
    """
    name = of(g)
    known, mode = _known(g), keys_of(g.world, name).kill_mode
    whole = mode == "control-group" or (mode == "mixed" and signal == "KILL")
    if whole and _lives(g.world, name):
        syscalls.kill_cgroup(g.turn, group(g.world, name), signal)
        return True
    for pid in known:
        g.kill(pid, signal)
    return bool(known)


def _known(g: Goroutine) -> list[Pid]:
    """Return the main process, and the command that this frame has started if it still runs."""
    unit = state_of(g.world, of(g))
    return [pid for pid in (unit.main_pid, g["control"]) if pid and pid in (unit.main_pid, control_pid(unit))]


def timeout_stop(world: World, frame: Frame) -> int:
    """Return TimeoutStopSec= in µs; 0 is infinity."""
    return int(keys_of(world, named(world, frame.local)).timeout_stop or FOREVER)


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


def exec_stop(g: Goroutine) -> str | None:
    """Run ExecStop= of a unit that was up; one that starts gets TERM at once."""
    command = file_of(g.world, of(g)).exec_stop
    if command is None:
        return "going"  # it has got TERM already
    if g["was"] != "active":
        return "term"
    g["control"] = spawn(g.turn, starter(g.world), command(g, of(g)))
    change(g, of(g), control_pid=g["control"])
    return None


def stop_late(g: Goroutine) -> None:
    """Note that ExecStop= takes longer than TimeoutStopSec=: the unit has failed, however its main process ends."""
    change(g, of(g), late=True)


def term_main(g: Goroutine) -> None:
    """Send TERM to the main process and to ExecStop=, or with control-group to all of the unit."""
    if _known(g):
        _signal(g, "TERM")


@reading(memory_of)
def main_gone(world: World, frame: Frame) -> bool:
    """Return whether the main process has been reaped, and its group cleaned where KillMode= says so.

    A unit that is not stopping any more has been started anew by the job that took this one's place.
    """
    unit = state_of(world, named(world, frame.local))
    return not unit.stopping or not (unit.main_pid or unit.cleaning)


def kill_main(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over; when it is over once more, go on without it.

    Nothing is done to what follows the end of the main process, which has times of its own.
    """
    if g["killed"]:
        _leave_main(g)
    elif _known(g):
        _signal(g, "KILL")
        g["killed"] = True


def _leave_main(g: Goroutine) -> None:
    """Go on without what does not end by KILL: a command is not waited for any more, the last signals are next."""
    name = of(g)
    unit = state_of(g.world, name)
    if control_pid(unit) in _known(g):
        change(g, name, control_pid=0)
    if unit.main_pid and not unit.cleaning:
        change(g, name, cleaning=True)
        start_about(g, "clean_up", name, status=0, signalled=True, late=True)


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
        Wait(main_gone, within=timeout_stop, late="kill"),
        Label("stopped"),
        Do(unit_stopped),
    )


def clean_up_table(commands: bool) -> tuple[Any, ...]:
    """Return what is done behind a main process that has ended, or will not."""
    return (
        Wait(control_gone) if commands else (),
        Label("phase"),
        Do(enter_phase, "dead"),
        Wait(phase_over, within=timeout_stop, late="late"),
        Do(next_phase),
        Goto("phase"),
        Label("late"),
        Do(phase_late),
        Goto("phase"),
        Label("dead"),
        Do(ended),
    )
