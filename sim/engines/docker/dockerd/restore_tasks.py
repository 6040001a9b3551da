"""What dockerd 18.09 and later does at its start with the containers that its disk says are running.

It asks containerd for each task. One that has ended is deleted, and its exit status is the true one; one that is not
there counts as 255; no `die` is said of either. If containerd dies meanwhile the container stays as the disk says. One
that runs is kept with live-restore; without, it is stopped as `docker stop` does, and the policy may start it again
later (`unless-stopped` does not: that stop counts as somebody's). Before 20.10 it is only sent the signal. Leaves out
the limit of workers, and the state of paused containers. Source: moby v26.1.5 daemon/daemon.go 412-445 (restore),
kill.go 89-90 (the stop counts as somebody's), daemon.go 533 (policies); designs §1.1, §3.4, §3.9
[S]; experiments c and d [M].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Join, Label, Return, call
from sim.engine.procedure import procedure
from sim.engine.settings import daemon_of
from sim.engine.traits import traits
from sim.engines.docker.dockerd.health import start_monitor
from sim.engines.docker.dockerd.restore import is_restored, reopen, signal_task, state_task
from sim.engines.docker.dockerd.start import containerd_at, drop_bundle, record_of, update
from sim.engines.docker.dockerd.tasks import delete_task, note_told


def found(g: Goroutine) -> str | None:
    """Go by what the task does, and by live-restore."""
    _, code = g["answer"]
    reopen(g)
    if code is not None:
        g["status"] = code
        return "ended"
    if daemon_of(g.world, g.pid).live_restore:
        return "keep"
    g["signal"] = service_of(g).stop_signal or "TERM"
    return None if traits(g.world, g.pid).restore_stop == "docker stop" else "signal"


def stop(g: Goroutine) -> None:
    """Stop it; its exit comes by the events."""
    is_restored(g)
    g["job"] = g.start("dockerd.stop", g["c"], c=g["c"], request=None)


def stop_over(g: Goroutine) -> None:
    """Let the policy decide anew."""
    record = record_of(g)
    if record is not None:
        update(g, replace(record, canceled=False, backoff=0), disk=True)


def keep(g: Goroutine) -> None:
    """Go on as its daemon; nothing is said."""
    record = record_of(g)
    is_restored(g)
    if record is not None:
        g.remember("active", (*g.recall("active", ()), g["c"]))
        start_monitor(g)


def ended(g: Goroutine) -> None:
    """Believe that it has stopped, with its exit status or 255."""
    record = record_of(g)
    is_restored(g)
    drop_bundle(g)
    if record is not None:
        note_told(g, told=g["status"] is not None)
        status = 255 if g["status"] is None else g["status"]
        stopped = replace(record, running=False, restarting=False, paused=False, pid=0, exit_code=status)
        update(g, replace(stopped, canceled=False, backoff=0), disk=True)


def not_restored(g: Goroutine) -> None:
    """Leave it as the disk says: that containerd cannot be asked is only logged (v26.1.5 daemon/daemon.go 412-415).

    Its network counts as nobody's, and no policy starts it.
    """
    is_restored(g)


RESTORE = procedure(
    "dockerd.restore",
    call("tasks", containerd_at, state_task, lost="not_restored", failed="ended"),
    Do(found, "ended", "keep", "signal"),
    Do(stop),
    Join("job"),
    Do(stop_over),
    Return(),
    Label("signal"),
    call("tasks", containerd_at, signal_task, lost="keep"),
    Label("keep"),
    Do(keep),
    Return(),
    Label("ended"),
    call("tasks", containerd_at, delete_task, lost="deleted"),
    Label("deleted"),
    Do(ended),
    Return(),
    Label("not_restored"),
    Do(not_restored),
)
