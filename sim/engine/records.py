"""What programs write down: the daemon's container record, its endpoint, containerd's task, systemd's unit.

The daemon keeps a container record twice, in memory and on disk; they may differ (engine-1.13 §16.9). Times are not in
records: the world holds none, views read them from the trace. Source: engine-1.13 §1.4, §16.1.
"""

from __future__ import annotations

import msgspec

from sim.engine.setup import Port, Restart
from sim.kernel.records import Pid


class Container(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What dockerd believes of a container.

    *manual* is HasBeenManuallyStopped. *backoff* is the restart manager's timeout in µs, *canceled* says that it must
    not restart, *ran_long* that this run has lasted for 10 s.
    """

    name: str
    policy: Restart = Restart()
    running: bool = False
    restarting: bool = False
    pid: Pid = 0
    exit_code: int = 0
    started: bool = False
    manual: bool = False
    restart_count: int = 0
    backoff: int = 0
    canceled: bool = False
    ran_long: bool = False
    error: str = ""
    oom_killed: bool = False
    paused: bool = False
    removing: bool = False
    dead: bool = False
    called: str = ""  # its name, if it was renamed
    kept: bool = False  # of --rm, while `docker restart` stops it

    @property
    def status(self) -> str:
        """Return State.Status as `docker inspect` says it; an engine with states of its own has words of its own."""
        if self.running:
            return "paused" if self.paused else "restarting" if self.restarting else "running"
        if self.removing or self.dead:
            return "removing" if self.removing else "dead"
        return "exited" if self.started else "created"


class Endpoint(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A container's place on a network: its address and its published ports, each with its proxy (None: no proxy)."""

    container: str
    network: str
    number: int
    address: str
    ports: tuple[Port, ...] = ()
    proxy_pids: tuple[Pid | None, ...] = ()


class Task(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What containerd knows of a container: its shim and its first process.

    *child* says that the shim is containerd's own, so that it can be waited for. *status* is None until known.
    """

    container: str
    shim_pid: Pid
    payload_pid: Pid = 0
    child: bool = True
    reaped: bool = False
    status: int | None = None


class ExecConfig(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What dockerd knows of a command that runs in a container. *exit_code* is None until it is known.

    *canceled* says that whoever wanted it does not wait any more: a probe that took too long, or whose monitor ended.
    """

    argv: tuple[str, ...]
    detach: bool = False
    exit_code: int | None = None
    canceled: bool = False


class Health(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What dockerd believes of a container with a health check: starting, healthy or unhealthy.

    *streak* counts the failed probes in a row, up to as many as make a difference.
    """

    status: str
    streak: int = 0


class RuntimeState(msgspec.Struct, frozen=True, tag=True):
    """What runc keeps of a container in /run/runc: *status* is created (its init waits at exec.fifo) or running."""

    status: str
    pid: Pid


class JournalState(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What systemd knows of systemd-journald.service; *stopped* says that a job has stopped it."""

    main_pid: Pid = 0
    stopped: bool = False


class UnitState(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What systemd knows of a unit. *starts* counts those within the start limit's interval.

    *stopping* says that a job stops it, *cleaning* that its control group is not empty yet.
    """

    state: str = "inactive"
    main_pid: Pid = 0
    starts: int = 0
    stopping: bool = False
    cleaning: bool = False


class ServiceState(UnitState, frozen=True, tag=True, gc=False):
    """What systemd knows of a unit with commands: *control_pid* is that of ExecStop= or ExecStopPost=.

    *status* is how the main process has ended, *late* says that ExecStop= took too long.
    """

    control_pid: Pid = 0
    status: int = 0
    late: bool = False
