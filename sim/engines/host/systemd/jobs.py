"""What systemd is asked for: the bus, and the jobs that neither start nor stop a unit.

daemon-reload and daemon-reexec write down what PID 1 knows and read it again; processes, states and jobs stay. Not
written down is how many starts a limit has counted, and a wait for RestartSec= begins anew (v219 service.c 111,
2094-2175 service_serialize, 962-968 service_coldplug; v257 writes both down: unit-serialize.c 93, service.c 1383).
Leaves out --no-block and the other modes of a job, units by a pattern, that PID 1 reaps nobody and answers nobody
meanwhile, and that a stop's time limit begins anew as well. Source: systemctl(1); service.c service_reload,
service_reset_failed; unit.c unit_reload; manager.c manager_reload 2814, main.c 1804 prepare_reexecute.
"""

from __future__ import annotations

from sim.engine.goroutine import Failure, Goroutine, ModelFault
from sim.engine.ops import Serve, receive
from sim.engine.ops.messages import unexpected
from sim.engines.host.systemd.dependencies import stop_unit
from sim.engines.host.systemd.job import PROCEDURES, answer, invalid, invalidate_starts, run_job
from sim.engines.host.systemd.stop import cancel_restart
from sim.engines.host.systemd.unit import (
    OF_CONTAINER,
    RUNS,
    change,
    file_of,
    group,
    named,
    names,
    of,
    own_name,
    start_about,
    state_of,
)
from sim.facts import FrameEnded
from sim.kernel import syscalls

JOBS = PROCEDURES | {
    "journald": "job_journald",
    "reboot": "job_reboot",
    **dict.fromkeys(("daemon-reload", "daemon-reexec"), "job_nothing"),  # unit files do not change here
}


class Bus(Serve):
    """Take requests. The unit stands before the verb; the engine's own is not named."""

    def __init__(self) -> None:
        super().__init__("bus", JOBS)

    def take(self, g: Goroutine) -> int | None:
        message = receive(g, self.queue)
        unit, _, verb = message.kind.rpartition(" ")
        if verb not in self.table:
            raise ModelFault(unexpected(g, message, self.table))
        if verb in PROCEDURES:
            name = message.container if unit == OF_CONTAINER else unit or own_name(g.world)
            if verb == "stop":
                stop_unit(g, name, message)
            else:
                run_job(g, verb, name, message)
        else:
            g.start(f"init.{self.table[verb]}", c=message.container, request=message)
        return None


def only_if_up(g: Goroutine) -> str | None:
    """Leave a unit alone that is down (`systemctl try-restart`)."""
    if state_of(g.world, of(g)).state not in (*RUNS, "auto-restart"):
        answer(g, True)
        return "idle"
    return None


def stop_done(g: Goroutine) -> None:
    """Answer `systemctl stop`."""
    answer(g, True)


def read_again(g: Goroutine) -> None:
    """Forget the starts that limits count, let every wait for RestartSec= begin anew, and answer."""
    for name in names(g.world):
        unit = state_of(g.world, name)
        if unit.starts:
            _forget_starts(g, name)
            change(g, name, starts=0)
        if unit.state == "auto-restart":
            cancel_restart(g, name)
            start_about(g, "restart_unit", name)
    answer(g, True)


def _forget_starts(g: Goroutine, name: str) -> None:
    """End what waits for a start to fall out of its limit's interval."""
    for fid, frame in list(g.world.frames.items()):
        if frame.procedure == "init.start_token" and named(g.world, frame.local) == name:
            g.emit(FrameEnded(fid))


def reload_unit(g: Goroutine) -> None:
    """Send the signal of ExecReload= to the main process of a unit that is active."""
    name = of(g)
    unit, signal = state_of(g.world, name), file_of(g.world, name).reload
    if not signal:
        answer(g, Failure(f"Job type reload is not applicable for unit {name}.service."))
        return
    if unit.state == "activating":
        invalidate_starts(g, name)
    good = unit.state == "active" and g.kill(unit.main_pid, signal)
    answer(g, True if good else Failure(invalid(name)))


def tell_state(g: Goroutine) -> None:
    """Answer `is-active` and `status`, which fail with the active state's name unless that is active."""
    state = state_of(g.world, of(g)).state
    state = "activating" if state == "auto-restart" else state  # service.c state_translation_table
    answer(g, True if state == "active" else Failure(state))


def kill_unit(g: Goroutine) -> None:
    """Send a signal as `systemctl kill` does: to every process of the unit."""
    syscalls.kill_cgroup(g.turn, group(g.world, of(g)), g["request"].data)
    answer(g, True)


def reset_failed(g: Goroutine) -> None:
    """Forget that the unit has failed, and the starts that its limit counts (service_reset_failed)."""
    name = of(g)
    _forget_starts(g, name)
    state = state_of(g.world, name).state
    change(g, name, starts=0, state="inactive" if state == "failed" else state)
    answer(g, True)
