"""containerStart: from a request to a running container, step by step.

The container lock is held for the whole start. Leaves out OCI hooks of other packages. A start that fails
leaves the container stopped with 128, says no `die`, and no restart policy tries it again. Source: D daemon/start.go
containerStart; engine-1.13 §2, §23 T1 to T6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import drop_pins, service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.networks import address, bindings, endpoint_name, host_addresses
from sim.engine.ops import Do, Go, Goto, Join, Label, Lock, Return, Unlock, call
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import Container, Endpoint
from sim.engine.setup import HOST
from sim.engine.traits import Traits, traits
from sim.engines.docker.dockerd.attached import tell_attached
from sim.engines.docker.dockerd.health import start_monitor
from sim.engines.docker.dockerd.joining import ask_others, first_asked
from sim.engines.docker.dockerd.network import (
    map_ports,
    network_event,
    pick_address,
    release_endpoint,
    release_network,
    unmap_ports,
)
from sim.engines.docker.dockerd.output import begin_output, close_output
from sim.engines.docker.dockerd.volumes import mount_volumes, unmount_volumes
from sim.engines.docker.dockerd.waiting import wake
from sim.engines.host import storage
from sim.engines.host.output import depth
from sim.facts import EngineEvent, Forgot, Message
from sim.kernel import fifos, syscalls
from sim.kernel.records import Pid
from sim.world import Frame, World

CLOSING = "transport is closing"


def record_of(g: Goroutine) -> Container | None:
    """Return what dockerd believes of the container in variable `c`."""
    record = g.recall(f"container/{g['c']}")
    assert record is None or isinstance(record, Container)
    return record


def update(g: Goroutine, record: Container, *, disk: bool) -> None:
    """Change the record in memory, and on disk where the daemon writes it (ToDisk)."""
    g.remember(f"container/{record.name}", record)
    if disk:
        storage.write(g, paths.container(record.name), record)


def set_stopped(g: Goroutine) -> None:
    """Believe that a restart has come to nothing, in memory alone, and wake who waits for the end (SetStopped)."""
    record = record_of(g)
    if record is not None:
        update(g, replace(record, running=False, restarting=False, paused=False, pid=0), disk=False)
        wake(g)


def event(g: Goroutine, action: str, *attributes: tuple[str, str]) -> None:
    """State what `docker events` says of the container."""
    g.emit(EngineEvent("container", action, g["c"], attributes))


def answer(g: Goroutine, value: object = True) -> None:
    """Answer the API request, if there is one."""
    if g["request"] is not None:
        g.reply(g["request"].reply, value)


# -- create ----------------------------------------------------------------------------------------


def create(g: Goroutine) -> None:
    """Make the record on disk, and say so; no process is forked."""
    if record_of(g) is not None:
        answer(g, Failure(f'Conflict. The name "/{g["c"]}" is already in use by container {service_of(g).id}.'))
        return
    if storage.full(g.world):
        layer = f"/var/lib/docker/overlay2/{service_of(g).id}-init"  # its real name is a random one
        answer(g, Failure(f"Error response from daemon: mkdir {layer}: {storage.NO_SPACE}"))
        return
    update(g, Container(g["c"], service_of(g).restart), disk=True)
    event(g, "create")
    answer(g)


CREATE = procedure("dockerd.create", Do(create))

# -- start -----------------------------------------------------------------------------------------


def admit(g: Goroutine) -> str | None:
    """Refuse a container that does not exist, is paused or is being removed; do nothing for one that runs (304).

    A policy's attempt asks for the removal alone: it goes on even if it was canceled after its pause; that it is
    refused is an error, which ends in SetStopped (start.go 32-39, 104-110, monitor.go 57-75). *i* counts the ports
    that are mapped.
    """
    record, why = record_of(g), g["why"]
    if record is None:
        answer(g, Failure(f"No such container: {g['c']}"))
        return "refused"
    if why != "policy" and record.running:
        paused = Failure("Cannot start a paused container, try unpause instead.")
        answer(g, paused if record.paused else True)
        return "refused"
    if record.removing or record.dead:
        answer(g, Failure("Container is marked for removal and cannot be started."))
        if why == "policy":
            set_stopped(g)
        return "refused"
    g["network"], g["i"] = service_of(g).network, 0
    return None


def mount(g: Goroutine) -> str | None:
    """Mount the root file system; go on to the sandbox that an exit before the network controller was up has left.

    A container that shares another one's network has none of its own: that one is asked for.
    """
    if service_of(g).joins:
        return first_asked(g)
    return None if g.recall(f"endpoint/{g['c']}") is None else "stale"


def create_endpoint(g: Goroutine) -> str | None:
    """Take an address and make the endpoint on the network `network`; go on to the ports, if any is published.

    A network that is full refuses it; then those that were made before are given up.
    """
    service, network = service_of(g), g["network"]
    first = network == service.network
    if storage.full(g.world):
        store = "/var/lib/docker/network/files/local-kv.db"
        g["error"] = f"failed to update store for object type *libnetwork.endpoint: write {store}: {storage.NO_SPACE}"
        return "exists" if first else "release"
    number = pick_address(g, service, network)
    if number is None:
        return "exists" if first else "release"
    ports = bindings(service.ports, host_addresses(g.world, g.pid)) if first else ()
    place = address(g.world, network, number) if number else ""
    name = endpoint_name(service, network)
    g.remember(f"endpoint/{name}", Endpoint(service.name, network, number, place, ports))
    return None if ports else "mapped"


def store_mapping(g: Goroutine) -> str | None:
    """Write the endpoint with its port mapping to the disk; the sandbox record lists no endpoint yet.

    The host's own network has a sandbox already. Then the next network's turn comes: the first one, by which the ports
    are published, is the one that libnetwork ends with (sandbox.go Less: not internal, then by name). In which order
    dockerd connects them is chance, a map of Go's, so that a real one may have to move the ports once (v26.1.5
    container_operations.go 513-528, endpoint.go sbJoin).
    """
    service, network = service_of(g), g["network"]
    name = endpoint_name(service, network)
    endpoint = g.recall(f"endpoint/{name}")
    storage.write(g, paths.ENDPOINTS + name, endpoint)
    if network == HOST:
        storage.write(g, paths.SANDBOXES + name, endpoint)
    network_event(g, "connect", network)
    later = service.networks[service.networks.index(network) + 1 :]
    if later:
        g["network"] = later[0]
        return "create"
    return first_asked(g)


def write_bundle(g: Goroutine) -> None:
    """Mount volumes, forget earlier restarts unless this is one, write config.json, make the fifos and open them."""
    record = record_of(g)
    if record is not None and g["why"] != "policy":
        update(g, replace(record, restart_count=0, backoff=0, canceled=False), disk=False)
    mount_volumes(g)
    folder = paths.bundle(service_of(g).id)
    syscalls.write_file(g.turn, f"{folder}/config.json", g["c"])
    depths = printed(g)
    for stream, mode in zip(paths.STREAMS, ("w", "r", "r"), strict=True):
        if service_of(g).tty and stream == "init-stderr":
            continue  # a terminal has one stream
        path = f"{folder}/{stream}"
        fifos.unlink_fifo(g.turn, path, used=stream in depths)
        fifos.mkfifo(g.turn, path, depths.get(stream, 65_536))
        fifos.open_fifo(g.turn, g.pid, path, mode)
    g.remember(f"lib/{g['c']}", True)


def printed(g: Goroutine) -> dict[str, int]:
    """Return the fifos that the container's program prints into, each with how much it holds."""
    return {f"init-{log.stream}": depth(log.write) for log in service_of(g).payload.log}


def containerd_at(world: World, frame: Frame) -> Pid | None:
    """Return the containerd that the gRPC connection is ready with; None fails at once (code 14)."""
    pid: Pid | None = world.recall(frame.fid[0], "connection")
    return pid


def in_flight(g: Goroutine, message: Message) -> Message:
    """Note that the request is on its way: that it is lost then has words of its own."""
    g["in_flight"] = True
    return message


def lost_words(g: Goroutine) -> str:
    """Return the words for a call that broke while it was in flight, where those differ, or that was not sent at all.

    Source: D vendor/google.golang.org/grpc/transport/http2_client.go 514, rpc_util.go 386-398, call.go 160-168.
    """
    found = traits(g.world, g.pid)
    return CLOSING if g["in_flight"] and found.rpc_codes else unreachable(found)


def unreachable(found: Traits) -> str:
    """Return the words for a call that was not sent, since there is no connection to containerd."""
    return found.unreachable.format(found.containerd_socket.removeprefix("unix:"))


def with_code(found: Traits, code: int, words: str) -> str:
    """Return the whole text of an error of gRPC, with its code where it is printed."""
    return f"rpc error: code = {code} desc = {words}" if found.rpc_codes else words


def rpc_error(g: Goroutine) -> str:
    """Return the whole text of that error, with its code where it has one."""
    return with_code(traits(g.world, g.pid), 13 if g["in_flight"] else 14, lost_words(g))


def create_container(g: Goroutine) -> Message:
    """Ask for the container to be created and started (no deadline)."""
    return in_flight(g, Message("StartTask", g["c"], g.frame.fid))


def state_running(g: Goroutine) -> None:
    """Believe that it runs, write that to disk, say so; count the run's first ten seconds if a policy asks for them."""
    record = record_of(g)
    assert record is not None
    record = replace(
        record,
        running=True,
        restarting=False,
        pid=g["answer"],
        exit_code=0,
        started=True,
        manual=False,
        ran_long=False,
        oom_killed=record.oom_killed and not traits(g.world, g.pid).start_forgets_oom,
        error="",
    )
    update(g, record, disk=True)
    if record.policy.name != "no":
        g.cancel(f"uptime/{g['c']}")
        g.start("dockerd.uptime", g["c"], c=g["c"])
    begin_output(g)
    start_monitor(g)
    event(g, "start")
    answer(g)


def no_answer(g: Goroutine) -> None:
    """Keep why the start was refused, or that nobody answered."""
    g["error"] = g["answer"].text if isinstance(g["answer"], Failure) else lost_words(g)


def failed_with(error: str, path: str, before: int) -> int:
    """Return the exit code of a start that failed, by what containerd has said of the command (start.go 167-191).

    The error is compared in small letters, the path as it is: one with capitals is never found.

    >>> failed_with('exec: "web": executable file not found in $PATH', "web", 0), failed_with("any other", "web", 0)
    (127, 128)
    """
    said = error.lower()
    if "permission denied" in said:
        return 126
    if path in said and ("executable file not found" in said or "no such file or directory" in said):
        return 127
    return before or 128


def start_failed(g: Goroutine) -> str | None:
    """Keep the error and its code, forget the bundle; a policy's attempt that fails is final.

    The code of such an attempt is on disk alone: in memory that of the last exit comes back with the stop.
    """
    record = record_of(g)
    assert record is not None
    error = g["error"] or ""
    failed = replace(record, error=error, exit_code=failed_with(error, service_of(g).path, record.exit_code))
    storage.write(g, paths.container(g["c"]), failed)
    code = record.exit_code if g["why"] == "policy" else failed.exit_code
    stopped = replace(failed, running=False, restarting=False, paused=False, pid=0, exit_code=code)
    update(g, stopped, disk=g["why"] != "policy")
    wake(g)
    unmount_volumes(g)
    close_output(g)
    drop_bundle(g)
    drop_pins(g, [g["c"]])
    tell_attached(g, None)
    g["error"] = error
    if service_of(g).auto_remove:
        return "auto_remove"
    answer_failed(g)
    return None


def answer_failed(g: Goroutine) -> None:
    """Answer with why the start has failed; of --rm that comes once the removal is over (start.go 127-132)."""
    answer(g, Failure(f"Error response from daemon: {g['error']}"))


def drop_bundle(g: Goroutine) -> None:
    """Remove the bundle folder and let libcontainerd forget the container."""
    folder = paths.bundle(service_of(g).id)
    syscalls.remove_file(g.turn, f"{folder}/config.json")
    depths = printed(g)
    for stream in paths.STREAMS:
        fifos.unlink_fifo(g.turn, f"{folder}/{stream}", used=stream in depths)
    forget(g)


def forget(g: Goroutine) -> None:
    """Let libcontainerd forget the container: of one that is not created before its lock is released.

    Source: D libcontainerd/client_unix.go 67-72.
    """
    if g.recall(f"lib/{g['c']}"):
        g.emit(Forgot(g.pid, f"lib/{g['c']}"))


FORCED = Message("rm", "", None, (None, None, True, ()))


def guarded(*entries: Any) -> list[Any]:
    """Return the entries within libcontainerd's lock of the container."""
    return [Lock("libcontainerd/{c}"), *entries, Unlock("libcontainerd/{c}")]


def start_table(ask: list[Any], lost: list[Any], bundle: Callable[[Goroutine], None] = write_bundle) -> Procedure:
    """Return containerStart with what it asks containerd for; *ask* leads to label `lost` or `release` if that fails.

    *lost* is what is done there first, *bundle* what is done before anybody is asked.
    """
    return procedure(
        "dockerd.start",
        Lock("container/{c}"),
        Do(admit, "refused"),
        Do(mount, "stale", "ask"),
        Label("create"),
        Do(create_endpoint, "mapped", "exists", "release"),
        map_ports(),
        Goto("release"),
        Label("mapped"),
        Do(store_mapping, "create", "ask"),
        Label("bundle"),
        Do(bundle),
        ask,
        Do(state_running),
        Unlock("container/{c}"),
        Return(),
        Label("lost"),
        lost,
        Do(no_answer),
        Label("release"),
        unmap_ports(),
        Do(release_network),
        Label("exists"),
        Do(start_failed, "auto_remove"),
        Label("refused"),
        Unlock("container/{c}"),
        Return(),
        Label("stale"),
        Go("sandbox_destroy", "{c}", "c", into="job"),
        Join("job"),
        Goto("create"),
        Label("auto_remove"),
        Unlock("container/{c}"),
        Go("rm", "{c}", "c", into="job", request=FORCED),
        Join("job"),
        Do(answer_failed),
        Return(),
        ask_others(),
    )


START = start_table(
    guarded(call("tasks", containerd_at, create_container, lost="lost")), [Do(forget), Unlock("libcontainerd/{c}")]
)
SANDBOX_DESTROY = procedure("dockerd.sandbox_destroy", unmap_ports(), Do(release_endpoint))
