"""HEALTHCHECK: a monitor for each running container runs a probe, an exec, an interval after the end of the last one.

A probe that takes too long counts as a failure at once; it gets TERM, then KILL, and the next one waits for its end. A
monitor ends with its container, when that is paused, and when `docker stop` begins. A result takes the container's
lock: health stands still while a signal or a pause that containerd does not answer holds it (handleProbeResult). Here
the monitor waits until the lock is free, since a goroutine that was canceled in a queue would keep its place. Before
t = 0 of a steady host the rounds that would change nothing are slept through: only process numbers and the engine's old
events differ. A failed probe that began within the start period of a container that is still `starting` counts for
nothing; how old a container is its first process tells, which lives as long (`payload.start_period`), so a daemon that
re-attaches goes on with the same period, as with StartedAt (one that SIGSTOP holds tells it late). Leaves out the five
results that are kept, and the copy on disk (a daemon that re-attaches begins anew with `starting`). Source: D
daemon/health.go; moby v17.06.0 daemon/health.go 147-158, v25.0.0 252-273; engine-1.13 §3.3, §13, §20.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import exec_of, service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Interval, Label, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.records import ExecConfig, Health
from sim.engine.setup import Healthcheck
from sim.engine.traits import traits
from sim.engines.host.reach import answers, answers_reads
from sim.facts import OPENED, EngineEvent, Forgot
from sim.world import Frame, Key, World


def check_of(world: World, frame: Frame) -> Healthcheck:
    """Return the health check of the container in variable `c`."""
    check = world.services[frame.local["c"]].healthcheck
    assert isinstance(check, Healthcheck)
    return check


def start_monitor(g: Goroutine) -> None:
    """Begin to monitor a container that has just started, if it has a health check; a paused one has no monitor."""
    if service_of(g).healthcheck is None:
        return
    g.remember(f"health/{g['c']}", Health("starting"))
    record = g.recall(f"container/{g['c']}")
    if record is None or not record.paused:
        resume_monitor(g)


def resume_monitor(g: Goroutine) -> None:
    """Monitor a container that has a health check, from what is known of its health on."""
    if service_of(g).healthcheck is not None:
        stop_monitor(g)
        g.start("dockerd.monitor", g["c"], c=g["c"])


def stop_monitor(g: Goroutine) -> None:
    """End the monitor; a probe that runs is canceled, and nobody waits for it."""
    if service_of(g).healthcheck is None:
        return
    g.cancel(f"monitor/{g['c']}")
    if g.recall(f"probe/{g['c']}") is not None:
        g.emit(Forgot(g.pid, f"probe/{g['c']}"))
    cancel_probe(g)


def cancel_probe(g: Goroutine) -> None:
    """Let the probe that runs, if any, know that nobody waits for its answer."""
    name = f"probing/{g['c']}"
    x = g.recall(name)
    if x is None:
        return
    g.emit(Forgot(g.pid, name))
    config = g.recall(f"exec/{g['c']}/{x}")
    if isinstance(config, ExecConfig):
        g.remember(f"exec/{g['c']}/{x}", replace(config, canceled=True))


def interval(world: World, frame: Frame) -> int:
    """Return the time between the end of a probe and the next one, in µs (moby v25.0.0 daemon/health.go 261-273)."""
    check = check_of(world, frame)
    health = world.recall(frame.fid[0], f"health/{frame.local['c']}")
    if not _is_young(world, frame) or health.status != "starting":
        return check.interval
    return check.start_interval or traits(world, frame.fid[0]).start_interval or check.interval


def _is_young(world: World, frame: Frame) -> bool:
    """Return whether the container is in its start period; the age of one without a process is not known."""
    if not check_of(world, frame).start_period:
        return False
    record = world.recall(frame.fid[0], f"container/{frame.local['c']}")
    return record is not None and record.pid and world.recall(record.pid, "start_period") == "begun"


def probe_limit(world: World, frame: Frame) -> int:
    """Return how long a probe may take, in µs."""
    return check_of(world, frame).timeout


def _settled(world: World, frame: Frame) -> tuple[Key, ...]:
    pid, c = frame.fid[0], frame.local["c"]
    return (("mark", OPENED), ("memory", pid, f"health/{c}"), *answers_reads(world, c))


@reading(_settled)
def settled(world: World, frame: Frame) -> bool:
    """Say whether, before t = 0 of a steady host, the next probe would leave the health as it is."""
    if world.setup.host.begin != "steady" or world.marks.get(OPENED):
        return False
    health, check = world.recall(frame.fid[0], f"health/{frame.local['c']}"), check_of(world, frame)
    how = exec_of(world.services[frame.local["c"]], check.argv)
    code = how.code if how.code is not None else 0 if answers(world, frame.local["c"]) else 1
    good = code == 0 and not how.missing and how.after < check.timeout
    return health is not None and health.status == ("healthy" if good else "unhealthy")


def begin_probe(g: Goroutine) -> None:
    """Start a probe."""
    argv = check_of(g.world, g.frame).argv
    if check_of(g.world, g.frame).start_period:
        g["young"] = _is_young(g.world, g.frame)
    g["job"] = g.start("dockerd.exec", f"{g['c']}/probe", c=g["c"], request=None, argv=argv, probe=True)


@reading(lambda world, frame: (("memory", frame.fid[0], f"probe/{frame.local['c']}"),))
def probe_answered(world: World, frame: Frame) -> bool:
    """Say whether the probe has ended."""
    return world.recall(frame.fid[0], f"probe/{frame.local['c']}") is not None


def _container(frame: Frame) -> tuple[int, str]:
    return frame.fid[0], f"container/{frame.local['c']}"


@reading(lambda world, frame: (("unlocked", *_container(frame)),))
def unlocked(world: World, frame: Frame) -> bool:
    """Return whether nobody holds the container's lock."""
    return world.lock(*_container(frame)) is None


def note_answer(g: Goroutine) -> None:
    """Count the probe's answer."""
    good = g.recall(f"probe/{g['c']}") == 0
    g.emit(Forgot(g.pid, f"probe/{g['c']}"))
    _count(g, good=good)


def give_up_probe(g: Goroutine) -> None:
    """Give up a probe that takes too long."""
    g["x"] = g.recall(f"probing/{g['c']}")
    cancel_probe(g)


def note_too_long(g: Goroutine) -> None:
    """Count it as a failure."""
    _count(g, good=False)


def _over(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("frame", frame.local["job"]), ("memory", frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}"))


@reading(_over)
def probe_over(world: World, frame: Frame) -> bool:
    """Return whether the probe has returned: its command has ended, or the request for it was given up."""
    config = world.recall(frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}")
    return frame.local["job"] not in world.frames or (config is not None and config.detach)


def _count(g: Goroutine, *, good: bool) -> None:
    """Change the health: one success heals, so many failures in a row as `retries` says make unhealthy.

    A failure of a probe that began in the start period does not count before the first success (v17.06.0 147-158).
    """
    health: Health = g.recall(f"health/{g['c']}")
    excused = g.frame.local.get("young", False) and health.status == "starting"
    streak = 0 if good else health.streak + (not excused)
    retries = check_of(g.world, g.frame).retries
    status = "healthy" if good else "unhealthy" if streak >= retries else health.status
    after = Health(status, min(streak, retries))
    if after != health:
        g.remember(f"health/{g['c']}", after)
    if status != health.status:
        g.emit(EngineEvent("container", f"health_status: {status}", g["c"]))


MONITOR = procedure(
    "dockerd.monitor",
    Label("next"),
    Interval("probe_interval", interval, idle=settled),
    Do(begin_probe),
    Wait(probe_answered, within=probe_limit, late="too_long"),
    Wait(unlocked),
    Do(note_answer),
    Goto("next"),
    Label("too_long"),
    Do(give_up_probe),
    Wait(unlocked),
    Do(note_too_long),
    Wait(probe_over),
    Goto("next"),
)
