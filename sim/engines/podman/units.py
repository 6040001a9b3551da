"""A container as a unit of systemd, from its start to its end: `podman run` starts it, conmon is the main process.

A unit is of Type=notify: `podman run --replace --rm --cgroups=split --sdnotify=conmon -d` tells the number of conmon
and that it is ready, and leaves. All of it lives in the unit's control group, the container's processes too, so that
nothing outlives the main process: what is left gets KILL (KillMode=mixed), ExecStopPost= removes the container, and
Restart= starts it again. A stop runs ExecStop= first, `podman rm -f`. Leaves out TimeoutStartSec=, and that podman
moves itself into the group that conmon is in. Source: designs §4.2, C3 [S][S*], §1 (70 s); podman
quadlet.go, libpod/container_internal.go start [S]; systemd.service(5); systemd service_enter_dead [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import service_of, unit_group
from sim.engine.goroutine import Failure, Goroutine, Spawn, spawn
from sim.engine.ops import Do, Goto, Label, ReapAny, Wait, reading
from sim.engine.power import UNIT
from sim.engine.records import ServiceState
from sim.engine.systemd import notice, timeout_stop
from sim.engine.traits import unit_keys
from sim.engine.units import CLEAN, RESTARTS, way_of
from sim.engines.conmon.conmon import runtime_group
from sim.engines.podman.client import PODMAN
from sim.engines.podman.stop import IGNORE
from sim.facts import FrameEnded, Message, UnitChanged
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, Key, World

RESTART_OF = {"no": "no", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
RUNS = ("active", "activating")
RM = (None, None, True, (IGNORE,), False, False)  # what `podman rm -f -i` is asked
RUN = (None, None, True, (), True, False)


def state_of(world: World, name: str) -> ServiceState:
    """Return what systemd knows of a container's unit."""
    state = world.recall(INIT, UNIT + name)
    return state if isinstance(state, ServiceState) else ServiceState()


def mine(g: Goroutine) -> ServiceState:
    """Return what systemd knows of the unit of the container in variable `c`."""
    return state_of(g.world, g["c"])


def change(g: Goroutine, name: str, **fields: Any) -> None:
    """Change a unit, and say so where its state or its main process changes."""
    before = state_of(g.world, name)
    after = replace(before, **fields)
    g.remember(UNIT + name, after)
    if (after.state, after.main_pid) != (before.state, before.main_pid):
        g.emit(UnitChanged(name, after.state, after.main_pid))


def _unit(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("memory", INIT, UNIT + frame.local["c"]),)


# -- processes of a unit ------------------------------------------------------------------------------


class ReapChild(ReapAny):
    """Wait for any child; whose container it was goes into `of`, beside what ReapAny tells."""

    def take(self, g: Goroutine) -> int | None:
        first = next(iter(g.world.host.zombies[g.pid]))
        g["of"] = g.world.host.procs[first].image.container
        return super().take(g)


def notice_unit(g: Goroutine) -> None:
    """React to the end of a unit's process; any other child is journald, or only reaped."""
    name, pid = g["of"], g["reaped_pid"]
    unit = state_of(g.world, name)
    if pid == unit.control_pid:
        change(g, name, control_pid=0)
    elif pid != unit.main_pid:
        notice(g)
    elif not _another_main_is_told(g.world, name):
        change(g, name, main_pid=0, status=g["status"], state="deactivating")
        if not unit.stopping:
            g.start("init.unit_ended", name, c=name)


def _another_main_is_told(world: World, name: str) -> bool:
    """Say whether a notification of the unit waits: systemd takes those before it looks at its children."""
    told = any(getattr(it, "container", "") == name for it in world.queue(INIT, "notify"))
    return told or (INIT, f"unit_ready/{name}") in world.frames


def unit_ready(g: Goroutine) -> None:
    """Believe MAINPID= and READY=1 from any process of the unit (NotifyAccess=all)."""
    unit, main = mine(g), g["request"].data
    if unit.state not in (*RUNS, "deactivating"):
        return
    lives = main is not None and g.world.host.alive(main)
    state = "active" if unit.state == "activating" else unit.state
    change(g, g["c"], state=state, main_pid=main if lives else unit.main_pid)
    if not g.world.host.exists(mine(g).main_pid) and not unit.stopping:
        change(g, g["c"], main_pid=0, state="deactivating")
        g.start("init.unit_ended", g["c"], c=g["c"])


def podman(g: Goroutine, verb: str, main: str, *words: str, data: Any) -> Spawn:
    """Describe a podman command that systemd runs in the unit's control group."""
    service = service_of(g)
    local = {"c": service.name, "request": Message(verb, service.name, None, data)}
    argv = (PODMAN, verb, *words)
    return Spawn("podman", argv, service.name, main=main, local=local, new_session=True, cgroup=unit_group(service))


def remover(g: Goroutine) -> Spawn:
    """Describe ExecStop= and ExecStopPost=: remove the container whatever it does."""
    return podman(g, "rm", "rm", "-v", "-f", "-i", g["c"], data=RM)


# -- start --------------------------------------------------------------------------------------------


@reading(_unit)
def may_start(world: World, frame: Frame) -> bool:
    """Say whether the unit is not on its way down any more."""
    return state_of(world, frame.local["c"]).state != "deactivating"


def start_main(g: Goroutine) -> str | None:
    """Fork `podman run`; refuse a start beyond StartLimitBurst= within StartLimitInterval=."""
    unit, name = mine(g), g["c"]
    if unit.state in RUNS:
        return "running"
    if unit.state == "deactivating":
        return "again"  # another job has begun to stop it
    if unit.starts >= unit_keys(g.world).start_limit_burst:
        if unit.state == "failed":
            g.emit(UnitChanged(name, "failed"))  # once more, with another result
        change(g, name, state="failed")
        return "limit"
    cancel_restart(g)
    g.start("init.unit_token", name, c=name)
    words = ("--name", name, "--replace", "--rm", "--cgroups=split", "--sdnotify=conmon", "-d", service_of(g).image)
    main = spawn(g.turn, g.pid, podman(g, "run", "run_unit", *words, data=RUN))
    change(g, name, state="activating", main_pid=main, starts=unit.starts + 1, stopping=False)
    return None


def cancel_restart(g: Goroutine) -> None:
    """Give up a restart that waits for its turn, or for what a failed one has come to; not the one that asks."""
    for fid, frame in list(g.world.frames.items()):
        mine = fid[0] == g.pid and frame.procedure == "init.unit_restart" and frame.local["c"] == g["c"]
        if mine and fid != g.frame.fid:
            g.emit(FrameEnded(fid))


def token_back(g: Goroutine) -> None:
    """Let a start fall out of the limit's interval."""
    change(g, g["c"], starts=max(mine(g).starts - 1, 0))


@reading(_unit)
def settled(world: World, frame: Frame) -> bool:
    """Say whether the start has come to something: one that waits to be tried again has failed first."""
    return state_of(world, frame.local["c"]).state not in ("activating", "deactivating")


def answer_start(g: Goroutine) -> None:
    """Answer whoever wanted it to be started."""
    good = mine(g).state == "active"
    answer(g, True if good else Failure(f"Job for {g['c']}.service failed."))


def answer(g: Goroutine, value: object) -> None:
    """Answer whoever asked for the job; nobody asks at boot."""
    if g["request"] is not None:
        g.reply(g["request"].reply, value)


# -- the end ------------------------------------------------------------------------------------------


def kill_rest(g: Goroutine) -> None:
    """Send what is left in the unit's control group KILL, or with KillMode=control-group TERM."""
    mode = unit_keys(g.world).kill_mode
    syscalls.kill_cgroup(g.turn, unit_group(service_of(g)), "TERM" if mode == "control-group" else "KILL")


def kill_all_of_it(g: Goroutine) -> None:
    """Kill what is still there when TimeoutStopSec= is over."""
    syscalls.kill_cgroup(g.turn, unit_group(service_of(g)), "KILL")


def _groups(world: World, frame: Frame) -> tuple[str, ...]:
    service = world.services[frame.local["c"]]
    payload = world.design.traits.split_scope.format(id=service.id, name=service.name)
    return unit_group(service), runtime_group(service), payload


@reading(lambda world, frame: tuple(("cgroup", name) for name in _groups(world, frame)))
def group_empty(world: World, frame: Frame) -> bool:
    """Say whether no process is left in the unit's control group."""
    return not any(world.host.grouped.get(name) for name in _groups(world, frame))


def run_post(g: Goroutine) -> None:
    """Start ExecStopPost=, whatever the end was."""
    change(g, g["c"], control_pid=spawn(g.turn, g.pid, remover(g)))


@reading(_unit)
def control_gone(world: World, frame: Frame) -> bool:
    """Say whether the command of ExecStop= or ExecStopPost= has ended."""
    return not state_of(world, frame.local["c"]).control_pid


def settle(g: Goroutine) -> None:
    """Restart the unit, or believe that it is inactive or has failed; what was stopped is not restarted."""
    unit, name = mine(g), g["c"]
    way = way_of(unit.status)
    state = "inactive" if way == CLEAN else "failed"
    if not unit.stopping and way in RESTARTS[RESTART_OF[service_of(g).restart.name]]:
        state = "auto-restart"
        g.start("init.unit_restart", name, c=name)
    change(g, name, state=state, stopping=False, status=0)


END = (
    Do(kill_rest),
    Wait(group_empty, within=timeout_stop, late="slow"),
    Goto("empty"),
    Label("slow"),
    Do(kill_all_of_it),
    Wait(group_empty),
    Label("empty"),
    Do(run_post),
    Wait(control_gone, within=timeout_stop, late="post_late"),
    Goto("gone"),
    Label("post_late"),
    Do(kill_all_of_it),
    Wait(control_gone),
    Label("gone"),
    Do(settle),
)

# -- stop ---------------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Let a unit go down, whether it is up, starts, or does so already; one that is down stays as it is."""
    unit, name = mine(g), g["c"]
    cancel_restart(g)
    if unit.state in ("inactive", "failed", "auto-restart"):
        if unit.state == "auto-restart":
            change(g, name, state="inactive")
        return "stopped"
    change(g, name, state="deactivating", stopping=True)
    if unit.state in RUNS:
        g.start("init.unit_down", name, c=name, was=unit.state)
    return None


def exec_stop(g: Goroutine) -> str | None:
    """Run ExecStop= of a unit that was up; one that starts gets TERM at once."""
    if g["was"] != "active":
        return "term"
    change(g, g["c"], control_pid=spawn(g.turn, g.pid, remover(g)))
    return None


def term_main(g: Goroutine) -> None:
    """Send TERM to the main process, if it is still there."""
    if mine(g).main_pid:
        g.kill(mine(g).main_pid, "TERM")


def kill_main(g: Goroutine) -> None:
    """Kill the main process when TimeoutStopSec= is over."""
    if mine(g).main_pid:
        g.kill(mine(g).main_pid, "KILL")


@reading(_unit)
def main_gone(world: World, frame: Frame) -> bool:
    """Say whether the main process has been reaped."""
    return not state_of(world, frame.local["c"]).main_pid


def answer_stop(g: Goroutine) -> None:
    """Answer whoever wanted it to be stopped."""
    answer(g, True)


DOWN = (
    Do(exec_stop, "term"),
    Wait(control_gone, within=timeout_stop, late="stop_late"),
    Goto("term"),
    Label("stop_late"),
    Do(kill_all_of_it),
    Wait(control_gone),
    Label("term"),
    Do(term_main),
    Wait(main_gone, within=timeout_stop, late="kill"),
    Goto("rest"),
    Label("kill"),
    Do(kill_main),
    Wait(main_gone),
    Label("rest"),
    END,
)
STOP = (Do(begin_stop, "stopped"), Wait(may_start), Label("stopped"))
START = (
    Label("again"),
    Wait(may_start),
    Do(start_main, "running", "limit", "again"),
    Label("running"),
    Wait(settled),
    Label("limit"),
)
