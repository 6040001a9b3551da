"""What ties units to each other: who is started with whom, who falls with whom, and who waits for whom.

A start starts what the unit wants, requires or is bound to, and waits for those that it is ordered after; one that is
required and does not come up lets it fail. A stop or restart by a job takes along the units that require it or are
bound to it, which go down first and, after a restart, come up last; so does Restart=, whose job is passed on like any
other (service_enter_restart; recorded as requires-crash-restart and requires-crash-limit in `tests/systemd`). A stop
cancels the starts of those that wait for the unit. The end of a unit by itself stops those that are bound to it. Leaves
out Conflicts=, PartOf= and cycles. Source: systemd.unit(5); transaction.c transaction_add_job_and_dependencies; unit.c
retroactively_stop_dependencies; job.c job_fail_dependencies.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Wait, reading
from sim.engines.host.systemd.job import cancel_starts, is_replaced, run_job
from sim.engines.host.systemd.unit import UP, UnitFile, file_of, installed, is_supervised, of, state_of
from sim.facts import Fid, Message
from sim.world import Frame, Key, World


def needs(world: World, name: str) -> list[str]:
    """Return the units on this host that a start of *name* starts, too."""
    return [need for need in file_of(world, name).needs if need in installed(world)]


def falling_with(world: World, name: str) -> list[str]:
    """Return the units that a job which stops *name* stops, too: those of them that are up.

    None where nobody but people starts and stops them.
    """
    if not is_supervised(world):
        return []
    return [other for other, file in installed(world).items() if name in file.falls_with and _is_up(world, other)]


def _is_up(world: World, name: str) -> bool:
    return state_of(world, name).state in UP


def lacks(world: World, name: str) -> bool:
    """Return whether a unit that *name* requires, and is ordered after, is not active."""
    file = file_of(world, name)
    if not is_supervised(world):
        return False
    strict = [need for need in file.falls_with if need in file.after and need in installed(world)]
    return any(state_of(world, need).state != "active" for need in strict)


def _frames(world: World, frame: Frame) -> tuple[Key, ...]:
    return tuple(("frame", fid) for fid in frame.local.get("jobs") or ())


@reading(_frames)
def jobs_done(world: World, frame: Frame) -> bool:
    """Return whether the jobs that this one waits for have ended."""
    return not any(fid in world.frames for fid in frame.local.get("jobs") or ())


def pull(g: Goroutine) -> None:
    """Start what the unit needs; wait for those that it is ordered after. Whoever starts one by hand does so, too."""
    name = of(g)
    if begins_alone(g.world, g.frame):
        return
    after = file_of(g.world, name).after
    for need in needs(g.world, name):
        if state_of(g.world, need).state != "active":
            fid = run_job(g, "start", need)
            if need in after:
                _wait_for(g, fid)


def stop_dependents(g: Goroutine) -> None:
    """Stop first what falls with the unit; it is remembered for a start that follows."""
    for other in falling_with(g.world, of(g)):
        g["tied"] = (*(g["tied"] or ()), other)
        _wait_for(g, run_job(g, "stop", other))


def _wait_for(g: Goroutine, fid: Fid | None) -> None:
    if fid is not None:
        g["jobs"] = (*(g["jobs"] or ()), fid)


def start_dependents(g: Goroutine) -> None:
    """Start again what was stopped for this job, unless another has taken its place."""
    for other in () if is_replaced(g.world, g.frame.fid) else g["tied"] or ():
        run_job(g, "start", other)


def stop_unit(g: Goroutine, name: str, request: Message | None = None) -> None:
    """Start a job that stops a unit; whatever requires it or is bound to it does not start any more."""
    concerned = [name]
    for one in concerned:
        concerned += [it for it, file in installed(g.world).items() if one in file.falls_with and it not in concerned]
        cancel_starts(g, one)
    run_job(g, "stop", name, request)


def stop_bound(g: Goroutine, name: str) -> None:
    """Stop what is bound to a unit that has ended by itself."""
    for other in falling_with(g.world, name):
        if name in file_of(g.world, other).binds_to:
            stop_unit(g, other)


def begins_alone(world: World, frame: Frame) -> bool:
    """Return whether a frame is that of a boot, or of a start of every unit, with which no unit is started."""
    return frame.procedure in ("init.boot", "init.units") and not is_supervised(world)


def tie(*files: UnitFile) -> bool:
    """Return whether any of these units needs another."""
    return any(file.needs for file in files)


PULL = (Do(pull), Wait(jobs_done))
TAKE_ALONG = (Do(stop_dependents), Wait(jobs_done))
BRING_BACK = (Do(start_dependents),)
