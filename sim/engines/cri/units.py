"""kubelet.service beside the runtime's unit, and what systemd starts at boot.

The kubelet does not wait for the runtime, and nothing ties the two units: it tries until somebody answers. kubeadm's
unit has Restart=always with RestartSec=10 and no start limit [K]; KillMode= is systemd's default, and nobody else is in
its control group. Leaves out a graceful shutdown of the node, which is off by default [K]. Source: designs §1, §5.1.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import systemd
from sim.engine.goroutine import Failure, Goroutine, Spawn, spawn
from sim.engine.ops import Do, Goto, Label, ReapAny, Serve, Sleep, Wait, reading
from sim.engine.power import boots, power_back
from sim.engine.procedure import procedure
from sim.engine.records import UnitState
from sim.engine.setup import S
from sim.engines.cri import kubelet
from sim.kernel.records import INIT
from sim.world import Frame, World

UNIT = "kubelet"
CGROUP = "/system.slice/kubelet.service"
RESTART_SEC = 10 * S  # kubeadm [K]
TIMEOUT_STOP = 90 * S  # systemd's default [K]


def state_of(world: World) -> UnitState:
    """Return what systemd knows of kubelet.service."""
    state = world.recall(INIT, UNIT)
    return state if isinstance(state, UnitState) else UnitState()


def change(g: Goroutine, **fields: Any) -> None:
    """Change the unit."""
    g.remember(UNIT, replace(state_of(g.world), **fields))


def program(g: Goroutine) -> Spawn:
    """Describe the kubelet."""
    return Spawn("kubelet", kubelet.ARGV, new_session=True, cgroup=CGROUP, oom_score_adj=-999)


def start(g: Goroutine) -> None:
    """Fork the kubelet, unless it runs."""
    g.cancel("restart_kubelet")
    if not state_of(g.world).main_pid:
        change(g, state="active", main_pid=spawn(g.turn, g.pid, program(g)), stopping=False)


def notice(g: Goroutine) -> None:
    """React to the kubelet's end: it is started again, unless a job stops it or the host shuts down."""
    unit = state_of(g.world)
    if not unit.main_pid or g["reaped_pid"] != unit.main_pid:
        systemd.notice(g)
    elif unit.stopping or g.world.running(INIT, "init.job_reboot"):
        change(g, state="inactive", main_pid=0)
    else:
        change(g, state="auto-restart", main_pid=0)
        g.start("init.restart_kubelet")


def stop(g: Goroutine) -> str | None:
    """Send TERM to the kubelet."""
    g.cancel("restart_kubelet")
    unit = state_of(g.world)
    if not unit.main_pid:
        change(g, state="inactive")
        return "down"
    change(g, state="deactivating", stopping=True)
    g.kill(unit.main_pid, "TERM")
    return None


@reading(lambda world, frame: (("memory", INIT, UNIT),))
def gone(world: World, frame: Frame) -> bool:
    """Say whether the kubelet has been reaped."""
    return not state_of(world).main_pid


def kill(g: Goroutine) -> None:
    """Kill what has not left in time."""
    if state_of(g.world).main_pid:
        g.kill(state_of(g.world).main_pid, "KILL")


def answer(g: Goroutine) -> None:
    """Answer the job."""
    g.reply(g["request"].reply, True)


def tell_state(g: Goroutine) -> None:
    """Answer `is-active` and `status`."""
    state = state_of(g.world).state
    g.reply(g["request"].reply, True if state == "active" else Failure(state))


STOP = (
    Do(stop, "down"),
    Wait(gone, within=TIMEOUT_STOP, late="late"),
    Goto("down"),
    Label("late"),
    Do(kill),
    Wait(gone),
    Label("down"),
)
VERBS = {"start": "start", "stop": "stop", "restart": "restart", "is-active": "state", "status": "state"}
JOBS = {f"{UNIT} {verb}": f"kubelet_{name}" for verb, name in VERBS.items()}
PROGRAM = systemd.PROGRAM.with_tables(
    procedure("init.main", Label("next"), ReapAny(), Do(notice), Goto("next")),
    procedure(
        "init.boot",
        Sleep("power", power_back),
        Do(boots),
        Do(start),
        systemd.START_UNIT,
        Label("running"),
        Label("limit"),
    ),
    procedure("init.bus", Serve("bus", systemd.JOBS | JOBS)),
    procedure("init.kubelet_start", Do(start), Do(answer)),
    procedure("init.kubelet_stop", STOP, Do(answer)),
    procedure("init.kubelet_restart", STOP, Do(start), Do(answer)),
    procedure("init.kubelet_state", Do(tell_state)),
    procedure("init.restart_kubelet", Sleep("kubelet_restart_sec", RESTART_SEC), Do(start)),
)
