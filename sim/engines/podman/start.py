"""podman create, run and start.

A start does everything itself: layer, network, ports, conmon (init: the state is *created*), then `crun start`. Storage
and networks have one lock each for all commands, so that starts are made one after the other there. What fails leaves
no network, and the state that was. Leaves out images, volumes, dependencies between containers. Source: designs §4.2;
podman v5.4.2, libpod/container_internal.go 827-873 (prepareToStart), 1041-1156 (init), 1270-1313 (start),
pkg/domain/infra/abi/containers.go 949-1227 (ContainerStart, ContainerRun); oci_conmon_common.go bindPorts [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import is_split, is_unit, service_of, unit_group
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.networks import bound
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Lock, Reap, Unlock, Wait, reading, receive, run
from sim.engine.procedure import procedure
from sim.engine.setup import Restart
from sim.engines.conmon.conmon import conmon, group
from sim.engines.conmon.crun import crun
from sim.engines.conmon.files import exit_file, run_file
from sim.engines.host.daemon import event
from sim.engines.host.reach import address_in
from sim.engines.podman.common import (
    BEGIN,
    CLEAN,
    LOCK,
    UNLOCK,
    answer,
    asked,
    crun_delete,
    fail,
    no_such,
    refuse,
    succeed,
)
from sim.engines.podman.exit_codes import NOT_FOUND
from sim.engines.podman.network import netavark
from sim.engines.podman.state import (
    assign_address,
    conmon_of,
    free_address,
    in_database,
    load,
    save,
)
from sim.engines.podman.states import (
    CONFIGURED,
    CREATED,
    EXITED,
    RUNNING,
    STOPPED,
    LibpodContainer,
    allows,
    moved,
)
from sim.facts import Message
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, Key, World

# -- create ------------------------------------------------------------------------------------------


def create(g: Goroutine) -> str | None:
    """Make the layer and the record; a name is borne once. A unit's container has no policy: systemd restarts it."""
    service = service_of(g)
    if load(g) is not None:
        g["error"] = NAME_TAKEN.format(name=g["c"], id=service.id)
        return "taken"
    if not save(g, LibpodContainer(g["c"], Restart() if is_unit(g.world, service) else service.restart)):
        return "taken"
    event(g, "create")
    return None


NAME_TAKEN = (
    'creating container storage: the container name "{name}" is already in use by {id}. You have to remove that '
    "container to be able to reuse that name: that name is already in use, or use --replace to instruct Podman to do "
    "so."
)
STORAGE, FREE_STORAGE = Lock("kernel:storage"), Unlock("kernel:storage")
NETWORKS, FREE_NETWORKS = Lock("kernel:networks"), Unlock("kernel:networks")
CREATE = (STORAGE, Do(create, "taken"), FREE_STORAGE)

# -- start -------------------------------------------------------------------------------------------


def must_start(g: Goroutine) -> str | None:
    """Refuse a container whose state allows no start; one that runs, as far as anybody knows, is left as it is."""
    record = load(g)
    if record is not None and record.state == RUNNING:
        return "running"
    if record is None or not allows(record, "start"):
        refuse(g, record, "start")
        return "not_started"
    return None


def begin_start(g: Goroutine) -> str | None:
    """Remove what conmon has left of the run before; one that the runtime has already only goes on."""
    record, service = load(g), service_of(g)
    if record is None:
        g["error"] = no_such(g)
        return "not_started"
    if record.state not in (CONFIGURED, STOPPED, EXITED):
        g["payload_pid"] = record.pid
        return "initialized"
    g["earlier"] = record.fresh or record.state == STOPPED
    if not save(g, replace(record, fresh=False)):
        return "not_started"
    for path in (exit_file(service), *(run_file(service, name) for name in ("oom", "error", "conmon.pid"))):
        syscalls.remove_file(g.turn, path)
    split = is_unit(g.world, service) and g.world.host.procs[g.pid].cgroup == unit_group(service)
    if split and not is_split(g.world, service):
        syscalls.write_file(g.turn, paths.split(service.id), True)
    elif not split:
        syscalls.remove_file(g.turn, paths.split(service.id))
    return None


def delete_earlier(g: Goroutine) -> Spawn | None:
    """Delete what the runtime has of a run that has stopped (reinit), or of another container of this name.

    Where an earlier start was killed it has a container that nobody deletes: another one cannot be made beside it.
    """
    return crun_delete(g) if g["earlier"] else None


def mount(g: Goroutine) -> None:
    """Mount the layer."""


def assign(g: Goroutine) -> str | None:
    """Choose the address; a network that nobody has taken away is used again, one that was gives its address back.

    On the host's network, and without one, there is none to choose.
    """
    if service_of(g).network_mode:
        return None
    g["address"] = address_in(g.world, g["c"])
    if g["address"] is None:
        record = load(g)
        if record is not None and record.started:
            free_address(g)
        g["address"] = assign_address(g)
    if g["address"] is None:
        g["error"] = g["error"] or "no available IP addresses"
        return "no_address"
    return None


def network(g: Goroutine) -> Spawn | None:
    """Make the network, unless there is one that nobody has taken away (container_internal_common.go prepare)."""
    there = service_of(g).network_mode or address_in(g.world, g["c"]) is not None
    return None if there else netavark(g, "setup")


def no_network(g: Goroutine) -> None:
    """Keep the error of a netavark that was killed."""
    g["error"] = "netavark: signal: killed"


def bind_ports(g: Goroutine) -> str | None:
    """Bind the published ports, so that nobody else does; conmon gets them."""
    for port in service_of(g).ports:
        try:
            syscalls.listen(g.turn, g.pid, bound(port))
        except syscalls.SyscallError:
            listen = f"listen {port.proto}4 :{port.host}: bind: address already in use"
            g["error"] = f"cannot listen on the {port.proto.upper()} port: {listen}"
            return "undo"
    return None


def _word(world: World, frame: Frame) -> tuple[Key, ...]:
    name = group(world, world.services[frame.local["c"]])
    members = (("proc", pid) for pid in world.host.grouped.get(name, ()))
    return (("queue", frame.fid[0], "sync"), ("cgroup", name), *members)


@reading(_word)
def conmon_said(world: World, frame: Frame) -> bool | str:
    """Say whether conmon has written to the sync pipe; or that nobody is left who holds its other end."""
    pid, c, host = frame.fid[0], frame.local["c"], world.host
    if world.queue(pid, "sync"):
        return True
    members = (host.procs[it] for it in host.grouped.get(group(world, world.services[c]), ()))
    before = host.procs[pid].ppid  # the conmon of the run before, if this is a cleanup
    mine = (it for it in members if it.image.program == "conmon" and it.pid != before)
    return False if any(it.alive for it in mine) else "conmon_gone"


def take_word(g: Goroutine) -> str | None:
    """Take the payload's number and write down that the runtime has it; or take the runtime's error."""
    message = receive(g, "sync")
    if message.kind == "failed":
        g["error"] = message.data
        return "undo"
    assert isinstance(message.data, tuple)
    g["payload_pid"], _ = message.data
    record = load(g)
    assert record is not None
    count = record.restart_count if g["again"] else 0
    made = moved(record, CREATED, pid=g["payload_pid"], manual=False, restart_count=count, error="", exit_code=0)
    return None if save(g, replace(made, oom_killed=False)) else "undo"


def conmon_lost(g: Goroutine) -> None:
    """Nothing has come through the sync pipe."""
    g["error"] = 'conmon bytes "": readObjectStart: expect { or n, but found'


def crun_start(g: Goroutine) -> Spawn:
    """Let the payload go on at its exec fifo."""
    return crun(g, "start")


def started(g: Goroutine) -> str | None:
    """Write down that it runs; without room it runs, and nobody knows."""
    record = load(g)
    assert record is not None
    if not save(g, moved(record, RUNNING, started=True)):
        return "not_started"
    event(g, "start")
    return None


def not_begun(g: Goroutine) -> None:
    """Keep the runtime's error: the first process has died before it was to go on."""
    g["error"] = f"crun: cannot start container `{service_of(g).id}`: its first process is gone"


def undone(g: Goroutine) -> None:
    """Let go of the ports, and keep the error; the exit code stays what it was."""
    for port in service_of(g).ports:
        if g.world.host.listeners.get(bound(port)) == g.pid:
            syscalls.unlisten(g.turn, bound(port))
    record, error = load(g), g["error"]
    if record is not None:
        save(g, replace(record, error=error))
    g["error"] = error
    if g["request"] is not None and g["request"].kind == "start":
        g["error"] = f'unable to start container "{service_of(g).id}": {error}'


START = (
    Do(begin_start, "not_started", "initialized"),
    run(delete_earlier),
    STORAGE,
    Do(mount),
    FREE_STORAGE,
    NETWORKS,
    Do(assign, "no_address"),
    run(network, bad="no_network"),
    FREE_NETWORKS,
    Do(bind_ports, "undo"),
    Fork(conmon),
    Reap(),
    Wait(conmon_said, "conmon_gone"),
    Do(take_word, "undo"),
    Label("initialized"),
    run(crun_start, bad="not_begun"),
    Do(started, "not_started"),
)
UNDO = (
    Label("no_network"),
    Do(no_network),
    Label("no_address"),
    FREE_NETWORKS,
    Goto("undo"),
    Label("conmon_gone"),
    Do(conmon_lost),
    Goto("undo"),
    Label("not_begun"),
    Do(not_begun),
    Label("undo"),
    CLEAN,
    Do(undone),
)

# -- whoever waits for the end -----------------------------------------------------------------------


def attached(g: Goroutine) -> str | None:
    """Stay until the container has ended, if it was started so."""
    return None if asked(g)[5] else "done"


def _end(world: World, frame: Frame) -> tuple[Key, ...]:
    service = world.services[frame.local["c"]]
    files = (exit_file(service), run_file(service, "conmon.pid"), in_database(service.name))
    return (*(("file", path) for path in files), ("proc", conmon_of(world, service)))


@reading(_end)
def has_ended(world: World, frame: Frame) -> bool:
    """Return whether conmon has left an exit file, or is gone."""
    service = world.services[frame.local["c"]]
    return exit_file(service) in world.host.files or conmon_of(world, service) is None


def tell_end(g: Goroutine) -> int:
    """Leave with the container's code; with 127 if conmon has left none (abi/containers.go 1220-1227)."""
    code = g.world.host.files.get(exit_file(service_of(g)), NOT_FOUND)
    answer(g, Failure(f"exit code {code}") if code else True)
    return int(code) if isinstance(code, int) else 0


FOLLOW = (
    UNLOCK,
    Do(attached, "done"),
    Wait(has_ended),
    Exit(tell_end),
    Label("done"),
    Exit(succeed),
    UNDO,
    Label("not_started"),
    UNLOCK,
    Exit(fail),
)


def notify(g: Goroutine) -> None:
    """Tell systemd conmon's number and that the unit is ready (--sdnotify=conmon)."""
    g.send(INIT, "notify", Message("READY", g["c"], data=conmon_of(g.world, service_of(g))))


START_PROCEDURES = (
    procedure("podman.create", BEGIN, CREATE, Exit(succeed), Label("taken"), FREE_STORAGE, Exit(fail)),
    procedure("podman.run", BEGIN, CREATE, LOCK, START, FOLLOW, Label("taken"), FREE_STORAGE, Exit(fail)),
    procedure(
        "podman.start",
        BEGIN,
        LOCK,
        Do(must_start, "not_started", "running"),
        START,
        FOLLOW,
        Label("running"),
        UNLOCK,
        Exit(succeed),
    ),
)
