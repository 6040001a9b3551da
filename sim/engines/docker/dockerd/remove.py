"""docker rm: kill what runs, mark the container dead on disk, release its layer, forget it.

What the kill leaves running, since its exit was lost, is stopped with 3 s before it is forgotten. A layer whose mount
somebody else holds is tried for some time, then the container stays dead and the command fails. Leaves out links.
Source: D daemon/delete.go, pkg/system EnsureRemoveAll (RHEL build; 5 s [K]); engine-1.13 §3.2, §23 T18.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Answered, Do, Label, Lock, Return, Unlock, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.attached import tell_attached
from sim.engines.docker.dockerd.start import answer, event, record_of, update
from sim.engines.docker.dockerd.stop import ask_own, no_such
from sim.engines.docker.dockerd.waiting import wake
from sim.facts import Forgot
from sim.kernel import syscalls
from sim.world import Frame, World

STOP_WAIT = 3 * S


def rm_request(g: Goroutine) -> str | None:
    """Remove a container that does not run; with -f kill it first."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "refused"
    if record.removing:
        answer(g, Failure(f"removal of container {g['c']} is already in progress"))
        return "refused"
    if record.running and not g["request"].data[2]:
        words = traits(g.world, g.pid).removal_refused[record.paused]
        called = {"id": service_of(g).id, "name": record.called or record.name, "state": record.status}
        answer(g, Failure(words.format(**called)))
        return "refused"
    update(g, replace(record, removing=True), disk=False)
    return None if record.running else "remove"


def kill_first(g: Goroutine) -> None:
    """Kill it as `docker kill` does."""
    ask_own(g, "kill", None)


def stop_after(g: Goroutine) -> None:
    """Stop what is believed to run still; mostly there is nothing to stop."""
    ask_own(g, "stop", STOP_WAIT)


def set_dead(g: Goroutine) -> str | None:
    """Mark it dead, in memory and on disk, so that nobody starts it any more."""
    record = record_of(g)
    if record is None:
        return "refused"
    g.cancel(f"restart/{g['c']}")
    update(g, replace(record, dead=True), disk=True)
    return None


def layer_wait(world: World, frame: Frame) -> int:
    """Return how long the daemon tries, in µs."""
    return int(world.setup.engine.unverified.layer_wait)


def _mount(world: World, frame: Frame) -> str:
    return paths.busy_mount(frame.local["c"])


@reading(lambda world, frame: (("file", _mount(world, frame)),))
def layer_released(world: World, frame: Frame) -> bool:
    """Say whether the layer can be removed: nobody else holds its mount (tried again and again)."""
    return _mount(world, frame) not in world.host.files


def remove(g: Goroutine) -> None:
    """Forget the container, in memory and on disk, and say `destroy`."""
    record = record_of(g)
    if record is None:
        return
    g.emit(Forgot(g.pid, f"container/{g['c']}"))
    syscalls.remove_file(g.turn, paths.container(g["c"]))
    event(g, "destroy")
    if traits(g.world, g.pid).removal_wakes:
        wake(g)
    tell_attached(g, record.exit_code)
    answer(g)


def layer_busy(g: Goroutine) -> None:
    """Leave the container dead and say why."""
    _no_longer_removing(g)
    place = f"remove /var/lib/docker/overlay2/{service_of(g).id}/merged: device or resource busy"
    answer(g, Failure(f"Driver overlay2 failed to remove root filesystem {service_of(g).id}: {place}"))


def not_killed(g: Goroutine) -> None:
    """Say that it cannot be removed while it runs."""
    _no_longer_removing(g)
    why = g["answer"].text if isinstance(g["answer"], Failure) else ""
    answer(g, Failure(f"Could not kill running container {service_of(g).id}, cannot remove - {why}"))


def not_stopped(g: Goroutine) -> None:
    """Answer with why what the kill has left running could not be stopped."""
    _no_longer_removing(g)
    answer(g, g["answer"])


def _no_longer_removing(g: Goroutine) -> None:
    record = record_of(g)
    if record is not None:
        update(g, replace(record, removing=False), disk=False)


REMOVE = procedure(
    "dockerd.rm",
    Lock("container/{c}"),
    Do(rm_request, "refused", "remove"),
    Unlock("container/{c}"),
    Do(kill_first),
    Answered("kill", "not_killed", "not_killed"),
    Do(stop_after),
    Answered("stop", "not_stopped", "not_stopped"),
    Lock("container/{c}"),
    Label("remove"),
    Do(set_dead, "refused"),
    Unlock("container/{c}"),
    Wait(layer_released, within=layer_wait, late="busy"),
    Do(remove),
    Return(),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("not_killed"),
    Do(not_killed),
    Return(),
    Label("not_stopped"),
    Do(not_stopped),
    Return(),
    Label("busy"),
    Do(layer_busy),
)
