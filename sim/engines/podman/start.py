"""podman create, run and start; and the cleanup that conmon runs, which starts a container again if its policy says so.

A start does everything itself: layer, network, ports, conmon, then `crun start`. Storage and networks have one lock
each for all commands, so that starts are made one after the other there. The restart policy has no delay and no
backoff. Leaves out images, volumes, dependencies between containers. Source: designs §4.2 [S];
libpod/container_internal.go init, start, handleRestartPolicy, shouldRestart; oci_conmon_common.go bindPorts [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import is_split, is_unit, service_of, unit_group
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.networks import bound
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Lock, Reap, Unlock, Wait, reading, receive, run
from sim.engine.policies import wants_restart
from sim.engine.procedure import procedure
from sim.engine.records import Container
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
    succeed,
    teardown,
)
from sim.engines.podman.network import netavark
from sim.engines.podman.state import (
    PREMATURE,
    assign_address,
    conmon_of,
    free_address,
    in_database,
    load,
    no_room,
    save,
)
from sim.facts import Message
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, Key, World

# -- create ------------------------------------------------------------------------------------------


def create(g: Goroutine) -> str | None:
    """Make the layer and the record; a name is borne once. A unit's container has no policy: systemd restarts it."""
    if load(g) is not None:
        g["error"] = f'creating container storage: the container name "{g["c"]}" is already in use'
        return "taken"
    service = service_of(g)
    if not save(g, Container(g["c"], Restart() if is_unit(g.world, service) else service.restart)):
        return "taken"
    event(g, "create")
    return None


STORAGE, FREE_STORAGE = Lock("kernel:storage"), Unlock("kernel:storage")
NETWORKS, FREE_NETWORKS = Lock("kernel:networks"), Unlock("kernel:networks")
CREATE = (STORAGE, Do(create, "taken"), FREE_STORAGE)

# -- start -------------------------------------------------------------------------------------------


def begin_start(g: Goroutine) -> str | None:
    """Forget how it was stopped; one that runs, as far as anybody knows, is left as it is."""
    record, service = load(g), service_of(g)
    if record is None:
        g["error"] = no_such(g)
        return "not_started"
    if record.running:
        return "running"
    count = record.restart_count if g["again"] else 0
    if not save(g, replace(record, manual=False, restart_count=count, error="")):
        return "not_started"
    for path in (exit_file(service), *(run_file(service, name) for name in ("oom", "error", "conmon.pid"))):
        syscalls.remove_file(g.turn, path)
    split = is_unit(g.world, service) and g.world.host.procs[g.pid].cgroup == unit_group(service)
    if split and not is_split(g.world, service):
        syscalls.write_file(g.turn, paths.split(service.id), True)
    elif not split:
        syscalls.remove_file(g.turn, paths.split(service.id))
    return None


def mount(g: Goroutine) -> None:
    """Mount the layer."""


def assign(g: Goroutine) -> str | None:
    """Choose the address; a network that nobody has taken away is used again, one that was gives its address back."""
    g["address"] = address_in(g.world, g["c"])
    if g["address"] is None:
        record = load(g)
        if record is not None and record.started:
            free_address(g)
        g["address"] = assign_address(g)
    if g["address"] is None:
        g["error"] = "no available IP addresses"
        return "no_address"
    return None


def network(g: Goroutine) -> Spawn:
    """Make the network."""
    return netavark(g, "setup")


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
    """Take the payload's number, or the runtime's error."""
    message = receive(g, "sync")
    if message.kind == "failed":
        g["error"] = message.data
        return "undo"
    assert isinstance(message.data, tuple)
    g["payload_pid"], _ = message.data
    return None


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
    runs = replace(record, running=True, started=True, pid=g["payload_pid"], exit_code=0, oom_killed=False)
    if not save(g, runs):
        return "not_started"
    event(g, "start")
    return None


def undone(g: Goroutine) -> None:
    """Let go of address and ports, and keep the error."""
    free_address(g)
    for port in service_of(g).ports:
        if g.world.host.listeners.get(bound(port)) == g.pid:
            syscalls.unlisten(g.turn, bound(port))
    record = load(g)
    if record is not None:
        save(g, replace(record, exit_code=125, error=g["error"]))


START = (
    Do(begin_start, "not_started", "running"),
    run(crun_delete),
    STORAGE,
    Do(mount),
    FREE_STORAGE,
    NETWORKS,
    Do(assign, "no_address"),
    run(network),
    FREE_NETWORKS,
    Do(bind_ports, "undo"),
    Fork(conmon),
    Reap(),
    Wait(conmon_said, "conmon_gone"),
    Do(take_word, "undo"),
    run(crun_start),
    Do(started, "not_started"),
)
UNDO = (
    Label("no_address"),
    FREE_NETWORKS,
    Goto("undo"),
    Label("conmon_gone"),
    Do(conmon_lost),
    Label("undo"),
    run(teardown),
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
    """Say whether conmon has left an exit file, or is gone."""
    service = world.services[frame.local["c"]]
    return exit_file(service) in world.host.files or conmon_of(world, service) is None


def tell_end(g: Goroutine) -> int:
    """Leave with the container's code; nobody can tell it if conmon has left none."""
    code = g.world.host.files.get(exit_file(service_of(g)))
    if code is None:
        g["error"] = f"{PREMATURE} (exit code 125)"
        return fail(g)
    answer(g, Failure(f"exit code {code}") if code else True)
    return int(code) if isinstance(code, int) else 0


FOLLOW = (
    UNLOCK,
    Do(attached, "done"),
    Wait(has_ended),
    Exit(tell_end),
    Label("running"),
    UNLOCK,
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


# -- cleanup: what conmon runs when the payload has ended --------------------------------------------


def begin_cleanup(g: Goroutine) -> str | None:
    """Refuse a container that runs (again); start it anew if its policy says so and nobody has stopped it."""
    record = load(g)
    if record is None or record.running or no_room(g):
        return "leave"
    if record.manual or not wants_restart(record, record.exit_code, False):
        return "clean"
    save(g, replace(record, restart_count=record.restart_count + 1))
    g["again"] = True
    return None


def auto_remove(g: Goroutine) -> None:
    """Remove a container of `run --rm` (cleanup --rm)."""
    service = service_of(g)
    if (service.auto_remove or is_unit(g.world, service)) and load(g) is not None:
        remove(g)


def remove(g: Goroutine) -> str | None:
    """Remove record and layer, unless somebody else has done so while nobody held the lock."""
    service = service_of(g)
    if in_database(service.name) not in g.world.host.files:
        return None
    if no_room(g):
        return "not_stopped"
    for path in (exit_file(service), *(run_file(service, name) for name in ("oom", "error", "conmon.pid"))):
        syscalls.remove_file(g.turn, path)
    syscalls.remove_file(g.turn, in_database(service.name))
    event(g, "destroy")
    return None


START_PROCEDURES = (
    procedure("podman.create", BEGIN, CREATE, Exit(succeed), Label("taken"), FREE_STORAGE, Exit(fail)),
    procedure("podman.run", BEGIN, CREATE, LOCK, START, FOLLOW, Label("taken"), FREE_STORAGE, Exit(fail)),
    procedure("podman.start", BEGIN, LOCK, START, FOLLOW),
    procedure(
        "podman.cleanup",
        BEGIN,
        LOCK,
        Do(begin_cleanup, "leave", "clean"),
        run(teardown),
        START,
        Label("leave"),
        Label("running"),
        UNLOCK,
        Exit(0),
        UNDO,
        Label("not_started"),
        Label("clean"),
        CLEAN,
        Do(auto_remove),
        UNLOCK,
        Exit(0),
    ),
)
