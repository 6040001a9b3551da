"""Laws that Docker 1.13.1 keeps whatever happens, where engine-1.13 §24 says that it breaks the invariant itself.

V16 and V18 hold as they are. Of V4 what containerd knows is left: shims leak and payloads lose theirs (§7.2, T28). Of
V17: a number that was written down may be a stranger's (T14b, T46). Of V20: killed proxies wait for the container's
stop (T23), first processes that do not reap and exec-shims that wait keep orphans (§3.3). Of V21: dockerd's own tables
agree, while a payload that it has lost keeps its address (T35).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sim.engine import paths
from sim.engine.networks import bound
from sim.engine.ops import Answered, Reap
from sim.engine.records import Container, Endpoint, Task
from sim.kernel import events as e
from sim.kernel.records import OUTSIDE, Pid
from sim.predicates import doomed, living, spelled
from sim.properties import ALWAYS, EVENTUALLY, PROPERTIES, Property, mark, stated
from sim.testing import LAWS
from sim.testing.walk import op_at
from sim.world import World

Faults = Iterator[str]


def more_than_one_shim(world: World) -> Faults:
    """Find two living shims of a container that are containerd's own, and tasks that share a process."""
    for containerd in living(world, "containerd"):
        shims = Counter(p.image.container for p in living(world, "shim") if p.ppid == containerd.pid and not doomed(p))
        yield from (f"containerd has {count} shims of {name}" for name, count in shims.items() if count > 1)
        tasks = [it for it in world.memory.get(containerd.pid, {}).values() if isinstance(it, Task)]
        for role in ("shim_pid", "payload_pid"):
            numbers = [number for it in tasks if (number := getattr(it, role))]
            if len(set(numbers)) != len(numbers):
                yield f"tasks share a process: {numbers}"


def disagreeing_networks(world: World) -> Faults:
    """Find addresses of two endpoints, and addresses and ports that belong to none.

    A boot may leave a port's reservation without an endpoint (T49).
    """
    for dockerd in living(world, "dockerd"):
        memory = world.memory.get(dockerd.pid, {})
        found = {key.partition("/")[2]: it for key, it in memory.items() if isinstance(it, Endpoint)}
        endpoints = {name: it for name, it in found.items() if name == it.container}
        addressed = [it for it in found.values() if it.address]
        places = [(it.network, it.number) for it in addressed]
        if len(set(places)) != len(places):
            yield f"two endpoints share a place: {places}"
        taken = {key: it for key, it in memory.items() if key.startswith("address/")}
        if taken != {f"address/{it.network}/{it.number}": it.container for it in addressed}:
            yield f"the addresses {taken} are not those of {found}"
        for key, owner in memory.items():
            if key.startswith(("tcp:", "udp:")):
                ports = endpoints[str(owner)].ports if owner in endpoints else world.services[str(owner)].ports
                if key not in {bound(port) for port in ports}:
                    yield f"{key} is taken for {owner}, which does not publish it"


def misplaced_records(world: World) -> Faults:
    """Find records of a container under another one's name."""
    for dockerd in living(world, "dockerd"):
        for key, value in world.memory.get(dockerd.pid, {}).items():
            if isinstance(value, Container) and key != f"container/{value.name}":
                yield f"{key} holds the record of {value.name}"


def _signalled(world: World, event: e.Signalled) -> list[tuple[str, int]]:
    """Note that dockerd signals what is neither its child, nor a container's, nor written down."""
    sender, target = world.host.procs.get(event.by_pid), world.host.procs[event.pid]
    if sender is None or sender.image.program != "dockerd" or not sender.alive:
        return []
    good = target.ppid == sender.pid or target.image.program in ("payload", "runc") or target.pid in _written(world)
    return [] if good else [(mark("V17", "not written down"), 1)]


def _written(world: World) -> set[Pid]:
    records = [it for memory in world.memory.values() for it in memory.values() if isinstance(it, (Container, Task))]
    files: set[Any] = {world.host.files.get(path) for path in (paths.DOCKER_PID, paths.CONTAINERD_PID)}
    return files | {it.pid if isinstance(it, Container) else it.payload_pid for it in records}


def signals_of_nobody_s(world: World) -> Faults:
    """Find that dockerd has signalled what it has no number of."""
    if world.marks.get(mark("V17", "not written down")):
        yield "dockerd has signalled a process whose number it had not written down"


def vain_waits(world: World) -> Faults:
    """Find goroutines that wait for a process that is not there, where nothing can happen at once."""
    procs = world.host.procs
    for fid, frame in world.frames.items():
        op = op_at(world, frame)
        if op.timer or (fid[0] != OUTSIDE and procs[fid[0]].state != "S"):
            continue
        child = frame.local[op.child] if isinstance(op, Reap) else None
        if child is not None and (child not in procs or procs[child].ppid != fid[0]):
            yield f"{op.name} of {frame.procedure} waits for {child}, which is no child of it"
        if isinstance(op, Answered) and not world.host.alive(frame.local["peer_pid"]):
            yield f"{op.name} of {frame.procedure} waits for the dead"
        for key in op.reads(world, frame):
            if key[0] == "proc" and key[1] and key[1] not in procs:
                yield f"{op.name} of {frame.procedure} reads {key}, which is gone"


def unreaped(world: World) -> Faults:
    """Find zombies of PID 1 and of containerd, and of dockerd all but proxies."""
    for parent_pid, zombies in world.host.zombies.items():
        parent = world.host.procs[parent_pid]
        if parent.state != "S" or parent.image.program not in ("init", "containerd", "dockerd"):
            continue
        for process in (world.host.procs[pid] for pid in zombies):
            if parent.image.program != "dockerd" or process.image.program != "proxy":
                yield f"{spelled(process)} was not reaped by {spelled(parent)}"


KEPT = (
    "V16", "V18", "a_proxy_listens_where_its_words_say", "containerd_s_pid_file_names_dockerd_s_child",
    "who_waits_for_its_restart_counts_as_running",
)  # fmt: skip

DOCKER_LAWS: tuple[Property, ...] = (
    *LAWS,
    *(PROPERTIES[name] for name in KEPT),
    stated("V4 of containerd", ALWAYS, "containerd has one living shim a container, and tasks share nothing.",
           more_than_one_shim, "engine-1.13 §24 V4"),
    stated("V21 of dockerd", ALWAYS, "An address has one endpoint and an endpoint its address.",
           disagreeing_networks, "engine-1.13 §24 V21, §23 T49"),
    stated("records", ALWAYS, "What dockerd keeps under a container's name is that container's.",
           misplaced_records, "engine-1.13 §16.1"),
    stated("V17 of dockerd", ALWAYS, "dockerd signals its children, containers' processes, and numbers written down.",
           signals_of_nobody_s, "engine-1.13 §24 V17", ((e.Signalled, _signalled),)),
    stated("waits", EVENTUALLY, "Where nothing can happen at once, who waits for a process has one to wait for.",
           vain_waits),
    stated("V20 of daemons", EVENTUALLY, "PID 1 and containerd leave no zombie, dockerd none but proxies.",
           unreaped, "engine-1.13 §24 V20"),
)  # fmt: skip
