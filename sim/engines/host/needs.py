"""What a step of `compose up` waits for before it is done: starts of others, their health, their end.

Compose starts a container as soon as those that it depends on are started; where more is asked for it looks twice a
second, as an inspect shows it, and gives up when that cannot come any more. The engine knows nothing of it. Leaves out
that Compose creates all containers first. Source: docker/compose v2.40.3 pkg/compose/convergence.go 450-572, 829-874,
start.go 66-73.
"""

from __future__ import annotations

from sim.engine.engine import daemon_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Sleep, Wait, reading
from sim.engine.records import Health
from sim.engine.setup import MS, Need
from sim.engines.host.reach import answers
from sim.engines.host.step import step_of
from sim.facts import OPENED
from sim.world import Frame, Key, World

NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
POLL = 500 * MS
LOOKS = 240  # 2 min of looks before t = 0


def done_mark(step: str) -> str:
    """Return the name of the moment at which a step has ended well."""
    return f"done:{step}:"


def failed_mark(step: str) -> str:
    """Return the name of the moment at which a step has ended with an error."""
    return f"failed:{step}:"


def _before(world: World, frame: Frame) -> list[Need]:
    return [need for need in step_of(world, frame).needs if need.step]


def _started_reads(world: World, frame: Frame) -> tuple[Key, ...]:
    steps = [need.step for need in _before(world, frame)]
    return tuple(("mark", mark) for step in steps for mark in (done_mark(step), failed_mark(step)))


@reading(_started_reads)
def are_started(world: World, frame: Frame) -> bool:
    """Return whether the start of each container that it depends on has been tried (InDependencyOrder)."""
    steps = [need.step for need in _before(world, frame)]
    return all(world.marks.get(done_mark(it)) or world.marks.get(failed_mark(it)) for it in steps)


def conditions(g: Goroutine) -> str | None:
    """Give up if a start has failed; go on at once if only starts were waited for."""
    for need in _before(g.world, g.frame):
        if need.required and not g.world.marks.get(done_mark(need.step)):
            g["error"] = f"dependency failed to start: {need.container}"
            return "done"
    return None if any(need.condition != "started" for need in step_of(g.world, g.frame).needs) else _met(g)


def _met(g: Goroutine) -> str:
    g["met"], g["looks"] = step_of(g.world, g.frame).id, 0
    return "begin"


def look(g: Goroutine) -> str | None:
    """Look at each condition, as an inspect of its container shows it; poll on while none has failed.

    Source: docker/compose v2.40.3 pkg/compose/convergence.go 475-542, 829-874.
    """
    socket = g.world.design.traits.socket
    if socket and g.world.host.listeners.get(socket) is None:
        g["error"] = NO_DAEMON
        return "done"
    waiting = False
    for need in step_of(g.world, g.frame).needs:
        failure = None if need.condition == "started" else CONDITIONS[need.condition](g.world, need.container)
        if failure and need.required:
            g["error"] = failure
            return "done"
        waiting = waiting or (failure is None and need.condition != "started")
    return None if waiting and not _has_waited_enough(g) else _met(g)


def _has_waited_enough(g: Goroutine) -> bool:
    """Return whether a container is started all the same: on a host that is up at t = 0 nobody waited for ever."""
    if g.world.marks.get(OPENED):
        return False
    g["looks"] = g.frame.local.get("looks", 0) + 1
    return bool(g["looks"] >= LOOKS)


def _healthy(world: World, container: str) -> str | None:
    """Return "" if it is healthy, why it will not be, None while nobody knows.

    Of one without a check in the file the image has one, which finds what its clients find.
    """
    record = world.design.engine.believed(world, container)
    if record is not None and record.status == "exited":
        return f"dependency failed to start: container {container} exited ({record.exit_code})"
    if record is None or world.services[container].healthcheck is None:
        return "" if record is not None and answers(world, container) else None
    pid = daemon_of(world)
    health = None if pid is None else world.recall(pid, f"health/{container}")
    if isinstance(health, Health) and health.status == "healthy":
        return ""
    unhealthy = isinstance(health, Health) and health.status == "unhealthy"
    return f"dependency failed to start: container {container} is unhealthy" if unhealthy else None


def _completed(world: World, container: str) -> str | None:
    """Return "" if it has left with 0, an error if with another code, None while it has not."""
    record = world.design.engine.believed(world, container)
    if record is None or record.status != "exited":
        return None
    code = record.exit_code
    return f'service "{container}" didn\'t complete successfully: exit {code}' if code else ""


CONDITIONS = {"healthy": _healthy, "completed": _completed}
NEEDS = (  # of a step that `compose up` takes once what it depends on is there
    Label("needs"),
    Wait(are_started),
    Do(conditions, "begin", "done"),
    Label("poll"),
    Sleep("compose_poll", POLL),
    Do(look, "begin", "done"),
    Goto("poll"),
)
