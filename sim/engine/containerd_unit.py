"""containerd.service, where containerd is no child of dockerd: started with docker.service, restarted by systemd.

What becomes of docker.service goes by what ties it to this unit: with BindsTo= it is stopped when containerd has ended
for whatever reason, with Requires= when somebody stops or restarts containerd, with Wants= never. docker.service is
ordered after this unit, so that it starts later and stops earlier. Leaves out the start limit of this unit, and that it
is started by itself at boot (docker.service pulls it in). Source: systemd.unit(5); designs §1.1, §3.8, §3.9 [S];
TimeoutStopSec of 90 s [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Failure, Goroutine, Spawn, spawn
from sim.engine.ops import Do, Goto, Join, Label, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.records import UnitState
from sim.engine.setup import Unit
from sim.engine.traits import traits
from sim.engine.units import RESTARTS, way_of
from sim.facts import Message
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, World

UNIT = "containerd"
CGROUP = "/system.slice/containerd.service"
UP = ("active", "activating")


def settings(world: World) -> Unit | None:
    """Return the keys of the unit; None if this engine has none."""
    found = world.design.containerd_io(world)
    return None if found is None else found.traits.containerd_unit


def install(g: Goroutine, version: str) -> None:
    """Put another version's files on the disk; containerd.io stays there where that version does not come with it."""
    before = g.world.design.containerd_io(g.world)
    syscalls.write_file(g.turn, paths.INSTALLED, version)
    if before is not None and g.world.design.installed(g.world).traits.containerd_unit is None:
        syscalls.write_file(g.turn, paths.CONTAINERD_IO, before.name)


def state_of(world: World) -> UnitState:
    """Return what systemd knows of containerd.service."""
    state = world.recall(INIT, UNIT)
    return state if isinstance(state, UnitState) else UnitState()


def change(g: Goroutine, **fields: Any) -> None:
    """Change the unit."""
    g.remember(UNIT, replace(state_of(g.world), **fields))


def containerd(g: Goroutine) -> Spawn:
    """Describe containerd: a session of its own in the unit's control group."""
    found = g.world.design.containerd_io(g.world).traits
    return Spawn(
        "containerd", found.words.containerd, new_session=True, cgroup=CGROUP, oom_score_adj=found.containerd_score
    )


def start(g: Goroutine) -> None:
    """Fork containerd, unless it runs."""
    g.cancel("restart_containerd")
    if settings(g.world) is not None and not state_of(g.world).main_pid:
        change(g, state="activating", main_pid=spawn(g.turn, g.pid, containerd(g)), stopping=False)


@reading(lambda world, frame: (("memory", INIT, UNIT),))
def settled(world: World, frame: Frame) -> bool:
    """Say whether it is neither starting nor waiting to be started again."""
    return state_of(world).state not in ("activating", "auto-restart")


def pull(g: Goroutine) -> str | None:
    """Start it before docker.service, if that is tied to it: a version that starts containerd itself is not."""
    if not traits(g.world, g.pid).coupling:
        return "apart"
    start(g)
    return None


PULL = (Do(pull, "apart"), Wait(settled), Label("apart"))


def ready(g: Goroutine) -> None:
    """Believe READY=1 from the main process."""
    unit = state_of(g.world)
    if unit.state == "activating" and g["request"].data == unit.main_pid:
        change(g, state="active")


def noticed(g: Goroutine) -> bool:
    """React to the main process's end; say whether it was that. A host that shuts down starts no unit again."""
    unit, how = state_of(g.world), settings(g.world)
    if how is None or not unit.main_pid or g["reaped_pid"] != unit.main_pid:
        return False
    way = way_of(g["status"])
    stopping = unit.stopping or bool(g.world.running(INIT, "init.job_reboot"))
    if stopping:
        change(g, state="inactive", main_pid=0)
    elif way in RESTARTS[how.restart]:
        change(g, state="auto-restart", main_pid=0)
        g.start("init.restart_containerd")
    else:
        change(g, state="inactive" if way.startswith("clean") else "failed", main_pid=0)
    if not stopping and traits(g.world, g.pid).coupling == "BindsTo":
        g.start("init.job_stop", c="", request=Message("stop"))
    return True


def restart_sec(world: World, frame: Frame) -> int:
    """Return RestartSec= in µs."""
    how = settings(world)
    return 0 if how is None else how.restart_sec


def stop_docker(g: Goroutine) -> str | None:
    """Stop docker.service first, if it is tied to this unit and up."""
    docker = g.recall("docker")
    up = isinstance(docker, UnitState) and docker.state in (*UP, "auto-restart")
    if traits(g.world, g.pid).coupling not in ("BindsTo", "Requires") or not up:
        return "untied"
    g["tied"] = True
    g["job"] = g.start("init.job_stop", g.frame.fid[1], c="", request=Message("stop"))
    return None


def stop(g: Goroutine) -> str | None:
    """Send TERM to the main process (KillMode=process): the shims stay."""
    g.cancel("restart_containerd")
    unit = state_of(g.world)
    if not unit.main_pid:
        change(g, state="inactive" if unit.state == "auto-restart" else unit.state)
        return "down"
    change(g, state="deactivating", stopping=True)
    g.kill(unit.main_pid, "TERM")
    return None


@reading(lambda world, frame: (("memory", INIT, UNIT),))
def gone(world: World, frame: Frame) -> bool:
    """Say whether the main process has been reaped."""
    return not state_of(world).main_pid


def timeout_stop(world: World, frame: Frame) -> int:
    """Return TimeoutStopSec= in µs."""
    how = settings(world)
    return 0 if how is None else how.timeout_stop


def kill(g: Goroutine) -> None:
    """Kill what has not left in time."""
    if state_of(g.world).main_pid:
        g.kill(state_of(g.world).main_pid, "KILL")


def start_docker(g: Goroutine) -> None:
    """Start docker.service again, if it was stopped for this job."""
    if g["tied"]:
        g.start("init.job_start", c="", request=Message("start"))


def answer(g: Goroutine) -> None:
    """Answer the job."""
    good = g["request"].kind.endswith("stop") or state_of(g.world).state == "active"
    g.reply(g["request"].reply, True if good else Failure("Job for containerd.service failed."))


def tell_state(g: Goroutine) -> None:
    """Answer `is-active` and `status`."""
    state = state_of(g.world).state
    g.reply(g["request"].reply, True if state == "active" else Failure(state))


STOP = (
    Do(stop_docker, "untied"),
    Join("job"),
    Label("untied"),
    Do(stop, "down"),
    Wait(gone, within=timeout_stop, late="late"),
    Goto("down"),
    Label("late"),
    Do(kill),
    Wait(gone),
    Label("down"),
)
JOBS = {
    f"{UNIT} {verb}": f"{UNIT}_{name}"
    for verb, name in (("start", "start"), ("stop", "stop"), ("restart", "restart"), ("is-active", "state"))
} | {f"{UNIT} status": f"{UNIT}_state"}
PROCEDURES = (
    procedure("init.containerd_start", Do(start), Wait(settled), Do(answer)),
    procedure("init.containerd_stop", STOP, Do(answer)),
    procedure("init.containerd_restart", STOP, Do(start), Wait(settled), Do(start_docker), Do(answer)),
    procedure("init.containerd_state", Do(tell_state)),
    procedure("init.restart_containerd", Sleep("containerd_restart_sec", restart_sec), Do(start)),
)
