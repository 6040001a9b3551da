"""Jobs of systemd: one about a unit takes the place of those that want the opposite (JobMode=replace).

Whoever asked for a job that was replaced is told so at once; what goes down goes on doing so. While the host shuts down
no job starts a unit. Source: systemctl(1) --job-mode=; transaction.c, job.c job_install; podman#22451 [I], text [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Failure, Goroutine
from sim.engine.systemd.unit import named, own_name, start_about
from sim.facts import Fid, Forgot, Locals, Message
from sim.kernel.records import INIT
from sim.world import World

STARTING = ("start", "restart", "try-restart")
PROCEDURES = {
    "start": "job_start",
    "stop": "job_stop",
    "restart": "job_restart",
    "kill": "job_kill",
    "reset-failed": "job_reset",
    "try-restart": "job_try_restart",
    "reload": "job_reload",
    "is-active": "job_state",
    "status": "job_state",
}
OPPOSITE = {"stop": STARTING, **dict.fromkeys(STARTING, ("stop",))}
REPLACED = "replaced/"  # systemd's memory: a job that another one has taken the place of, by its frame


def run_job(g: Goroutine, verb: str, name: str, request: Message | None = None) -> Fid | None:
    """Start a job about a unit; None if it is refused."""
    if verb in ("start", "restart") and start_refused(g.world, f"{name}.service"):
        why = start_refused(g.world, f"{name}.service")
        if request is not None:
            g.reply(request.reply, Failure(f"Failed to start {name}.service: {why}."))
        return None
    for other in OPPOSITE.get(verb, ()):
        _replace(g, PROCEDURES[other], name)
    local: Locals = {"c": ""} if name == own_name(g.world) else {}
    local["request"] = request
    return start_about(g, PROCEDURES[verb], name, **local)


def _replace(g: Goroutine, procedure: str, name: str) -> None:
    for fid in list(g.world.frames_of.get(g.pid, ())):
        frame = g.world.frames[fid]
        if frame.procedure != f"init.{procedure}" or named(g.world, frame.local) != name or is_replaced(g.world, fid):
            continue
        g.remember(REPLACED + fid[1], True)
        if frame.local["request"] is not None:
            g.reply(frame.local["request"].reply, Failure(f"Job for {name}.service canceled."))


def is_replaced(world: World, fid: Fid) -> bool:
    """Return whether another job has taken the place of the one that a frame does."""
    return bool(world.recall(fid[0], REPLACED + fid[1]))


def answer(g: Goroutine, value: object) -> None:
    """Answer whoever asked for the job; nobody does at boot, and who was told that it is replaced waits no more."""
    if is_replaced(g.world, g.frame.fid):
        g.emit(Forgot(g.pid, REPLACED + g.frame.fid[1]))
    elif g["request"] is not None:
        g.reply(g["request"].reply, value)


def start_refused(world: World, unit: str) -> str:
    """Return what systemd says to a start while it shuts down, "" if it starts it."""
    if not world.running(INIT, "init.job_reboot"):
        return ""
    why = "(shutdown.target has 'start' job queued, but 'stop' is included in transaction)"
    return f"Transaction for {unit}/start is destructive {why}"
