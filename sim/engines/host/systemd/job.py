"""Jobs of systemd: one about a unit takes the place of those that want the opposite (JobMode=replace).

Whoever asked for a job that was replaced is told so at once; what goes down goes on doing so. Jobs that do not want the
opposite become one: a start that is under way waits for a restart, and a reload of a unit that starts ends them both,
since it is not active (v219; later ones let the reload wait). While the host shuts down no job starts a unit. Source:
systemctl(1) --job-mode=; transaction.c, job.c job_install, job_type_collapse; podman#22451 [I], text [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Failure, Goroutine
from sim.engines.host.systemd.unit import named, own_name, start_about
from sim.facts import Fid, Forgot, Locals, Message
from sim.kernel.records import INIT
from sim.world import Key, World

RESTARTING = ("restart", "try-restart")
STARTING = ("start", *RESTARTING)
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
REPLACED = "replaced/"  # systemd's memory: a job that has been answered, by its frame; True if another took its place


def run_job(g: Goroutine, verb: str, name: str, request: Message | None = None) -> Fid | None:
    """Start a job about a unit; None if it is refused."""
    if verb in ("start", "restart") and start_refused(g.world, f"{name}.service"):
        why = start_refused(g.world, f"{name}.service")
        if request is not None:
            g.reply(request.reply, Failure(f"Failed to start {name}.service: {why}."))
        return None
    _cancel(g, OPPOSITE.get(verb, ()), name)
    local: Locals = {"c": ""} if name == own_name(g.world) else {}
    local["request"] = request
    return start_about(g, PROCEDURES[verb], name, **local)


def jobs_about(world: World, verbs: tuple[str, ...], name: str) -> list[Fid]:
    """Return the jobs of these verbs about a unit, without those that another one has taken the place of."""
    procedures = {f"init.{PROCEDURES[verb]}" for verb in verbs}
    frames = [world.frames[fid] for fid in world.frames_of.get(INIT, ())]
    found = [it.fid for it in frames if it.procedure in procedures and named(world, it.local) == name]
    return [fid for fid in found if not is_replaced(world, fid)]


def read_about(world: World, verbs: tuple[str, ...]) -> tuple[Key, ...]:
    """Name what `jobs_about` reads of jobs of these verbs: which there are, and which of them have been replaced."""
    procedures = [f"init.{PROCEDURES[verb]}" for verb in verbs]
    frames = [fid for fid in world.frames_of.get(INIT, ()) if world.frames[fid].procedure in procedures]
    running: tuple[Key, ...] = tuple(("running", INIT, procedure) for procedure in procedures)
    return *running, *(("memory", INIT, REPLACED + fid[1]) for fid in frames)


def cancel_starts(g: Goroutine, name: str) -> None:
    """Take the place of the jobs that would start a unit, as a stop does."""
    _cancel(g, OPPOSITE["stop"], name)


def _cancel(g: Goroutine, verbs: tuple[str, ...], name: str) -> None:
    for fid in jobs_about(g.world, verbs, name):
        _tell(g, fid, True, f"Job for {name}.service canceled.")


def invalidate_starts(g: Goroutine, name: str) -> None:
    """Answer those who wait for a start: it is part of a job that cannot be done. The unit goes on starting."""
    for fid in jobs_about(g.world, STARTING, name):
        _tell(g, fid, False, invalid(name))


def invalid(name: str) -> str:
    """Return what systemctl says of a job that cannot be done."""
    return f"Job for {name}.service invalid."


def _tell(g: Goroutine, fid: Fid, replaced: bool, words: str) -> None:
    request, told = g.world.frames[fid].local["request"], g.recall(REPLACED + fid[1]) is not None
    g.remember(REPLACED + fid[1], replaced)
    if request is not None and not told:
        g.reply(request.reply, Failure(words))


def is_replaced(world: World, fid: Fid) -> bool:
    """Return whether another job has taken the place of the one that a frame does."""
    return bool(world.recall(fid[0], REPLACED + fid[1]))


def answer(g: Goroutine, value: object) -> None:
    """Answer whoever asked for the job; nobody does at boot, and who has been told of its end waits no more."""
    if g.recall(REPLACED + g.frame.fid[1]) is not None:
        g.emit(Forgot(g.pid, REPLACED + g.frame.fid[1]))
    elif g["request"] is not None:
        g.reply(g["request"].reply, value)


def start_refused(world: World, unit: str) -> str:
    """Return what systemd says to a start while it shuts down, "" if it starts it."""
    if not world.running(INIT, "init.job_reboot"):
        return ""
    why = "(shutdown.target has 'start' job queued, but 'stop' is included in transaction)"
    return f"Transaction for {unit}/start is destructive {why}"
