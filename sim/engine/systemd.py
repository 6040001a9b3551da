"""systemd as far as it touches the engine: PID 1 reaps orphans, and docker.service is started, stopped and restarted.

Restart= in all its forms but watchdogs; KillMode= process, mixed and control-group; a start limit; a stop that
is killed after TimeoutStopSec. Leaves out sockets, other units, watchdogs and ordering at shutdown. Source:
systemd.service(5), systemd.kill(5); engine-1.13 §5 (numbers marked [K] there).
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import containerd_unit, journald
from sim.engine.goroutine import Failure, Goroutine, Spawn, spawn
from sim.engine.ops import Do, Goto, Label, ReapAny, Serve, Sleep, Wait, reading
from sim.engine.power import alone, boots, kill_all, last_chance, power_back, restart_host, shut_down, term_all
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.records import UnitState
from sim.engine.role import Kind, Role
from sim.engine.traits import traits, unit_keys
from sim.engine.units import CLEAN, RESTARTS, way_of
from sim.facts import FrameEnded, UnitChanged
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.world import Frame, World

UNIT = "docker"  # the engine's unit, whatever it is called
FOREVER = 10**15


def unit_of(world: World) -> UnitState:
    """Return what systemd knows of docker.service."""
    state = world.recall(INIT, UNIT)
    return state if isinstance(state, UnitState) else UnitState()


def group(world: World) -> str:
    """Return the control group of the engine's unit."""
    return f"/system.slice/{world.design.traits.engine_unit}.service"


def change(g: Goroutine, **fields: Any) -> None:
    """Change the unit, and say so where its state changes."""
    before = unit_of(g.world)
    after = replace(before, **fields)
    g.remember(UNIT, after)
    if (after.state, after.main_pid) != (before.state, before.main_pid):
        g.emit(UnitChanged(g.world.design.traits.engine_unit, after.state, after.main_pid))


# -- reaping ----------------------------------------------------------------------------------------


def notice(g: Goroutine) -> None:
    """React to the main process's end, and to those of journald and containerd; any other child is only reaped."""
    if journald.noticed(g) or containerd_unit.noticed(g):
        return
    if not unit_of(g.world).main_pid or g["reaped_pid"] != unit_of(g.world).main_pid:
        return
    if unit_keys(g.world).kill_mode == "process":
        ended(g)
    else:
        change(g, state="deactivating", main_pid=0, cleaning=True)
        g.start("init.clean_up", status=g["status"])


def ended(g: Goroutine) -> None:
    """Restart the unit, or believe that it has failed or is inactive; a job that stops it says the latter itself."""
    gone: dict[str, Any] = {"main_pid": 0, "cleaning": False}
    stopping, clean = unit_of(g.world).stopping, way_of(g["status"]) == CLEAN
    if stopping and clean:
        change(g, **gone)
    elif not stopping and restarts(g.world, g["status"]):
        change(g, state="auto-restart", **gone)
        g.start("init.restart_unit")
    else:
        change(g, state="inactive" if clean else "failed", **gone)


def restarts(world: World, status: int) -> bool:
    """Say whether Restart= starts the unit again after a main process that ended with *status*."""
    return way_of(status) in RESTARTS[unit_keys(world).restart]


def signal_rest(g: Goroutine) -> None:
    """Send what is left in the unit's control group TERM, or with KillMode=mixed KILL."""
    syscalls.kill_cgroup(g.turn, group(g.world), "KILL" if unit_keys(g.world).kill_mode == "mixed" else "TERM")


def kill_rest(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over."""
    syscalls.kill_cgroup(g.turn, group(g.world), "KILL")


@reading(lambda world, frame: (("cgroup", group(world)),))
def group_empty(world: World, frame: Frame) -> bool:
    """Say whether no process is left in the unit's control group."""
    return not world.host.grouped.get(group(world))


# -- starting ---------------------------------------------------------------------------------------


def engine(g: Goroutine) -> Spawn:
    """Describe the engine: a session of its own in the unit's control group; dockerd gives itself its oom_score_adj."""
    found = traits(g.world, g.pid)
    return Spawn(
        found.engine,
        found.words.dockerd,
        main=found.engine_main,
        new_session=True,
        cgroup=group(g.world),
        oom_score_adj=found.engine_score,
    )


def start_main(g: Goroutine) -> str | None:
    """Fork the main process and keep its number; refuse a start beyond StartLimitBurst= within StartLimitInterval=."""
    unit = unit_of(g.world)
    if unit.main_pid or unit.cleaning or unit.state in ("active", "activating"):
        return "running"
    if unit.starts >= unit_keys(g.world).start_limit_burst:
        if unit.state == "failed":
            g.emit(UnitChanged(g.world.design.traits.engine_unit, "failed"))  # once more, with another result
        change(g, state="failed")
        return "limit"
    g.start("init.start_token")
    main = spawn(g.turn, g.pid, engine(g))
    change(g, state="activating", main_pid=main, starts=unit.starts + 1, stopping=False)
    return None


def token_back(g: Goroutine) -> None:
    """Let a start fall out of the limit's interval."""
    change(g, starts=unit_of(g.world).starts - 1)


def unit_ready(g: Goroutine) -> None:
    """Believe READY=1 from the main process alone (NotifyAccess=main)."""
    unit = unit_of(g.world)
    if g["request"].data == unit.main_pid and unit.state == "activating":
        change(g, state="active")
    containerd_unit.ready(g)


def interval(world: World, frame: Frame) -> int:
    """Return StartLimitInterval= in µs."""
    return int(unit_keys(world).start_limit_interval)


def restart_sec(world: World, frame: Frame) -> int:
    """Return RestartSec= in µs."""
    return int(unit_keys(world).restart_sec)


def timeout_stop(world: World, frame: Frame) -> int:
    """Return TimeoutStopSec= in µs; 0 is infinity."""
    return int(unit_keys(world).timeout_stop or FOREVER)


START_UNIT = (Do(start_main, "running", "limit"),)


@reading(lambda world, frame: (("memory", INIT, UNIT),))
def settled(world: World, frame: Frame) -> bool:
    """Say whether the unit is neither starting nor waiting to be started again."""
    return unit_of(world).state not in ("activating", "auto-restart")


def start_done(g: Goroutine) -> None:
    """Answer `systemctl start`."""
    if g["request"] is not None and g["request"].reply is not None:
        good = unit_of(g.world).state == "active"
        g.reply(
            g["request"].reply,
            True if good else Failure(f"Job for {g.world.design.traits.engine_unit}.service failed."),
        )


# -- stopping ---------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Send TERM to the main process (or, with control-group, to all of the unit); one that is down stays as it is."""
    unit = unit_of(g.world)
    g.cancel("restart_unit")
    if unit.state in ("inactive", "failed", "auto-restart"):
        if unit.state == "auto-restart":
            change(g, state="inactive")
        return "stopped"
    change(g, state="deactivating", stopping=True)
    if unit_keys(g.world).kill_mode == "control-group":
        syscalls.kill_cgroup(g.turn, group(g.world), "TERM")
    elif unit.main_pid:
        g.kill(unit.main_pid, "TERM")
    return None


@reading(lambda world, frame: (("memory", INIT, UNIT),))
def main_gone(world: World, frame: Frame) -> bool:
    """Say whether the main process has been reaped, and its group cleaned where KillMode= says so."""
    return not unit_of(world).main_pid and not unit_of(world).cleaning


def kill_main(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over."""
    main: Pid = unit_of(g.world).main_pid
    if main:
        g.kill(main, "KILL")


def unit_stopped(g: Goroutine) -> None:
    """Believe that the unit is inactive, or still that it has failed; unless another job starts it already."""
    unit = unit_of(g.world)
    if unit.stopping:
        change(g, state="failed" if unit.state == "failed" else "inactive", stopping=False)


def stop_done(g: Goroutine) -> None:
    """Answer `systemctl stop`."""
    g.reply(g["request"].reply, True)


STOP_UNIT = (
    Do(begin_stop, "stopped"),
    Wait(main_gone, within=timeout_stop, late="kill"),
    Goto("stopped"),
    Label("kill"),
    Do(kill_main),
    Wait(main_gone),
    Label("stopped"),
    Do(unit_stopped),
)


def only_if_up(g: Goroutine) -> str | None:
    """Leave a unit alone that is down (`systemctl try-restart`)."""
    if unit_of(g.world).state not in ("active", "activating"):
        stop_done(g)
        return "idle"
    return None


def reload_unit(g: Goroutine) -> None:
    """Send HUP to the main process (ExecReload=/bin/kill -s HUP $MAINPID) of a unit that is active [K]."""
    unit = unit_of(g.world)
    good = unit.state == "active" and g.kill(unit.main_pid, "HUP")
    g.reply(
        g["request"].reply, True if good else Failure(f"Job for {g.world.design.traits.engine_unit}.service invalid.")
    )


def tell_state(g: Goroutine) -> None:
    """Answer `is-active` and `status`, which fail with the state's name unless it is active."""
    state = unit_of(g.world).state
    g.reply(g["request"].reply, True if state == "active" else Failure(state))


def kill_unit(g: Goroutine) -> None:
    """Send a signal as `systemctl kill` does: to every process of the unit."""
    syscalls.kill_cgroup(g.turn, group(g.world), g["request"].data)
    g.reply(g["request"].reply, True)


def reset_failed(g: Goroutine) -> None:
    """Forget that the unit has failed, and the starts that its limit counts (service_reset_failed [K])."""
    for fid in [fid for fid, frame in g.world.frames.items() if frame.procedure == "init.start_token"]:
        g.turn.emit(FrameEnded(fid))
    state = unit_of(g.world).state
    change(g, starts=0, state="inactive" if state == "failed" else state)
    g.reply(g["request"].reply, True)


# -- reboot -----------------------------------------------------------------------------------------

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
REBOOT = procedure("init.job_reboot", Do(shut_down), STOP_UNIT, LAST)


def starts(*pull: Any) -> dict[str, Procedure]:
    """Return by name the procedures in which docker.service is started; *pull* starts first what it needs."""
    start = (*pull, *START_UNIT)
    awaited = (start, Label("running"), Wait(settled), Label("limit"), Do(start_done))
    tables = (
        procedure("init.boot", Sleep("power", power_back), Do(boots), start, Label("running"), Label("limit")),
        procedure("init.restart_unit", Sleep("restart_sec", restart_sec), start, Label("running"), Label("limit")),
        procedure("init.job_start", awaited),
        procedure("init.job_restart", STOP_UNIT, awaited),
        procedure("init.job_try_restart", Do(only_if_up, "idle"), STOP_UNIT, awaited, Label("idle")),
    )
    return {table.name: table for table in tables}


STARTS = starts()


JOBS = {
    "start": "job_start",
    "stop": "job_stop",
    "restart": "job_restart",
    "kill": "job_kill",
    "reset-failed": "job_reset",
    "journald": "job_journald",
    "try-restart": "job_try_restart",
    "reload": "job_reload",
    "is-active": "job_state",
    "status": "job_state",
    "reboot": "job_reboot",
    "daemon-reload": "job_nothing",  # unit files do not change here
}

PROGRAM = Program(
    "init",
    (
        procedure("init.main", Label("next"), ReapAny(), Do(notice), Goto("next")),
        procedure(
            "init.clean_up",
            Do(signal_rest),
            Wait(group_empty, within=timeout_stop, late="kill"),
            Goto("empty"),
            Label("kill"),
            Do(kill_rest),
            Wait(group_empty),
            Label("empty"),
            Do(ended),
        ),
        procedure("init.bus", Serve("bus", JOBS)),
        procedure("init.notify", Serve("notify", {"READY": "unit_ready"})),
        procedure("init.unit_ready", Do(unit_ready)),
        procedure("init.start_token", Sleep("start_limit", interval), Do(token_back)),
        STARTS["init.restart_unit"],
        STARTS["init.job_start"],
        procedure("init.job_stop", STOP_UNIT, Do(stop_done)),
        STARTS["init.job_restart"],
        procedure("init.job_kill", Do(kill_unit)),
        procedure("init.job_reset", Do(reset_failed)),
        journald.JOB,
        journald.STARTS,
        STARTS["init.job_try_restart"],
        procedure("init.job_reload", Do(reload_unit)),
        procedure("init.job_state", Do(tell_state)),
        procedure("init.job_nothing", Do(stop_done)),
        REBOOT,
        STARTS["init.boot"],
    ),
    role=Role(kind=Kind.INIT, order=0, target="host"),
)
WITH_CONTAINERD = PROGRAM.with_tables(
    *starts(*containerd_unit.PULL).values(),
    procedure("init.bus", Serve("bus", JOBS | containerd_unit.JOBS)),
    *containerd_unit.PROCEDURES,
)
