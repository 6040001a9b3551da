"""systemd on a host whose containers Quadlet has made units of it: jobs of `systemctl`, boot and shutdown.

Each container of the file is a unit, wanted by multi-user.target; those that commands make are none. A job that starts
a unit takes the place of one that stops it, and the other way round (JobMode=replace of systemctl(1)). The policy of
the Compose file is Restart=; a count of on-failure has no key. Leaves out reload, dependencies between containers, and
daemon-reload, which would write the units anew. Source: designs §4.2, C3 [S][K]; podman-systemd.unit(5); systemctl(1).
"""

from __future__ import annotations

from sim.engine.containers import is_unit, service_of, unit_group
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Goto, Label, Serve, Sleep, Wait, reading
from sim.engine.power import UNIT, boots, power_back, shut_down
from sim.engine.procedure import procedure
from sim.engine.systemd import JOBS, LAST, interval, restart_sec
from sim.engines.conmon.crun import start_refused
from sim.engines.podman.systemd import PROGRAM as WITHOUT_UNITS
from sim.engines.podman.units import (
    DOWN,
    END,
    RUNS,
    START,
    STOP,
    ReapChild,
    answer,
    answer_start,
    answer_stop,
    change,
    mine,
    notice_unit,
    state_of,
    token_back,
    unit_ready,
)
from sim.facts import FrameEnded
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, World

# -- jobs that replace each other ---------------------------------------------------------------------

STARTING = ("init.unit_start", "init.unit_restart_job", "init.unit_try_restart")
STOPPING = ("init.unit_stop",)


def _cancel(g: Goroutine, procedures: tuple[str, ...]) -> None:
    for fid, frame in list(g.world.frames.items()):
        if frame.procedure in procedures and frame.local["c"] == g["c"] and fid[0] == g.pid:
            request = frame.local["request"]
            if request is not None:
                g.reply(request.reply, Failure(f"Job for {g['c']}.service canceled."))
            g.emit(FrameEnded(fid))


def cancel_stops(g: Goroutine) -> None:
    """Take the place of jobs that stop the unit; what goes down goes on doing so."""
    _cancel(g, STOPPING)


def cancel_starts(g: Goroutine) -> None:
    """Take the place of jobs that start the unit (again)."""
    _cancel(g, STARTING)


def refuse_in_shutdown(g: Goroutine) -> str | None:
    """Refuse to start a unit while the host goes down."""
    refused = start_refused(g.world, f"{g['c']}.service")
    if refused:
        answer(g, Failure(f"Failed to start {g['c']}.service: {refused}."))
    return "refused" if refused else None


# -- other jobs ---------------------------------------------------------------------------------------


def only_if_up(g: Goroutine) -> str | None:
    """Leave a unit alone that is down (`systemctl try-restart`)."""
    if mine(g).state not in RUNS:
        answer(g, True)
        return "idle"
    return None


def cannot_reload(g: Goroutine) -> None:
    """Refuse: the unit has no ExecReload=."""
    answer(g, Failure(f"Job type reload is not applicable for unit {g['c']}.service."))


def signal_unit(g: Goroutine) -> None:
    """Send a signal as `systemctl kill` does: to every process of the unit."""
    syscalls.kill_cgroup(g.turn, unit_group(service_of(g)), g["request"].data)
    answer(g, True)


def reset_failed(g: Goroutine) -> None:
    """Forget that the unit has failed, and the starts that its limit counts."""
    name = g["c"]
    for fid, frame in list(g.world.frames.items()):
        if frame.procedure == "init.unit_token" and frame.local["c"] == name:
            g.emit(FrameEnded(fid))
    state = mine(g).state
    change(g, name, starts=0, state="inactive" if state == "failed" else state)
    answer(g, True)


def tell_state(g: Goroutine) -> None:
    """Answer `is-active` and `status`, which fail with the state's name unless it is active."""
    state = mine(g).state
    answer(g, True if state == "active" else Failure(state))


# -- the host -----------------------------------------------------------------------------------------


def units(world: World) -> list[str]:
    """Return the containers that are units."""
    return [name for name, service in world.services.items() if is_unit(world, service)]


def start_all(g: Goroutine) -> None:
    """Start every unit, side by side."""
    for name in units(g.world):
        g.start("init.unit_start", name, c=name, request=None)


def stop_all(g: Goroutine) -> None:
    """Stop every unit, side by side."""
    for name in units(g.world):
        g.start("init.unit_stop", name, c=name, request=None)


@reading(lambda world, frame: tuple(("memory", INIT, UNIT + name) for name in units(world)))
def all_down(world: World, frame: Frame) -> bool:
    """Say whether no unit of a container is up or on its way."""
    return all(state_of(world, name).state in ("inactive", "failed") for name in units(world))


VERBS = {
    "start": "start", "stop": "stop", "restart": "restart_job", "try-restart": "try_restart", "reload": "reload",
    "kill": "kill", "reset-failed": "reset", "is-active": "state", "status": "state",
}  # fmt: skip
PROGRAM = WITHOUT_UNITS.with_tables(
    procedure("init.main", Label("next"), ReapChild(), Do(notice_unit), Goto("next")),
    procedure("init.bus", Serve("bus", JOBS | {f"unit {verb}": f"unit_{name}" for verb, name in VERBS.items()})),
    procedure("init.unit_ready", Do(unit_ready)),
    procedure("init.unit_token", Sleep("start_limit", interval), Do(token_back)),
    procedure("init.unit_ended", END),
    procedure("init.unit_restart", Sleep("restart_sec", restart_sec), START),
    procedure("init.unit_down", DOWN),
    procedure(
        "init.unit_start",
        Do(refuse_in_shutdown, "refused"),
        Do(cancel_stops),
        START,
        Do(answer_start),
        Label("refused"),
    ),
    procedure("init.unit_stop", Do(cancel_starts), STOP, Do(answer_stop)),
    procedure(
        "init.unit_restart_job",
        Do(refuse_in_shutdown, "refused"),
        Do(cancel_stops),
        STOP,
        START,
        Do(answer_start),
        Label("refused"),
    ),
    procedure("init.unit_try_restart", Do(only_if_up, "idle"), STOP, START, Do(answer_start), Label("idle")),
    procedure("init.unit_reload", Do(cannot_reload)),
    procedure("init.unit_kill", Do(signal_unit)),
    procedure("init.unit_reset", Do(reset_failed)),
    procedure("init.unit_state", Do(tell_state)),
    procedure("init.units", Do(start_all)),
    procedure("init.boot", Sleep("power", power_back), Do(boots), Do(start_all)),
    procedure(
        "init.job_reboot",
        Do(shut_down),
        Do(stop_all),
        Wait(all_down),
        LAST,
    ),
)
