"""kubelet: it asks the runtime for what is, compares it with the pods that are wanted, and does what is missing.

Once a second it lists what the runtime knows (generic PLEG); each pod has a worker, which waits for news newer than
what it did last. A container that has ended is started again if the pod's policy says so: the first time at once, then
after 10 s, twice as long each time, at most 300 s, and at once again after 10 min without an end. A sandbox that is not
ready is stopped with what is in it and made anew. A request that fails is tried again after 10 s. Counts are the
runtime's; pauses are forgotten with the kubelet. Leaves out probes, init containers, images, volumes, garbage
collection (what has ended is seen until it is removed), evictions, a node that is not ready. Source: designs §1, §5.1
[S], numbers [K]; pkg/kubelet/kubelet.go, pleg/generic.go, kuberuntime_manager.go computePodActions, doBackOff [K].
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.containers import sandbox, service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Every, Exit, Goto, Label, Sleep, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import Container
from sim.engine.setup import Restart, S
from sim.engines.cri.pauses import PAUSES, begin_pause, forget_pauses, lengthen
from sim.engines.cri.pods import SPECS, STATUSES, Sandbox, Seen, Spec, Status, spec_of, status_of
from sim.engines.cri.runtime import known_keys, known_to
from sim.engines.host import daemon
from sim.facts import Forgot, Message
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Frame, Key, World

ARGV = ("/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml")
THREADS = 12  # of the Go runtime; not measured [A]
RELIST = 1 * S
AGAIN = 10 * S


def begin(g: Goroutine) -> None:
    """Start threads, the listing, and a worker for each pod that there may be."""
    syscalls.start_threads(g.turn, g.pid, THREADS)
    g.start("kubelet.pleg")
    for name in g.world.services:
        g.start("kubelet.pod", name, c=name)


# -- the listing -------------------------------------------------------------------------------------


def runtime_at(world: World, frame: Frame) -> Pid | None:
    """Find who serves the CRI: whoever listens at its socket."""
    pid = world.host.listeners.get(world.design.traits.socket)
    serves = pid is not None and world.running(pid, f"{world.design.traits.engine}.api")
    return pid if serves else None


def _seen(world: World, kubelet: Pid, name: str) -> Seen | None:
    found: Seen | None = world.recall(kubelet, f"seen/{name}")
    return found


def _relist_reads(world: World, frame: Frame) -> Iterable[Key]:
    kubelet, runtime = frame.fid[0], world.host.listeners.get(world.design.traits.socket)
    yield ("listen", world.design.traits.socket)
    yield ("memory", kubelet, "runtime")
    for name in world.services:
        yield ("memory", kubelet, f"seen/{name}")
        yield ("memory", kubelet, f"old/{name}")
    if runtime is not None:
        yield ("running", runtime, f"{world.design.traits.engine}.api")
        yield from known_keys(world, runtime)


@reading(_relist_reads)
def nothing_new(world: World, frame: Frame) -> bool:
    """Say whether a listing would show what the last one has shown."""
    kubelet, runtime = frame.fid[0], runtime_at(world, frame)
    if runtime is None or world.recall(kubelet, "runtime") != runtime:
        return runtime is None and world.recall(kubelet, "runtime") is None
    return all(
        _seen(world, kubelet, name) == known_to(world, runtime, name) and not world.recall(kubelet, f"old/{name}")
        for name in world.services
    )


def list_request(g: Goroutine) -> Message:
    """Ask for all sandboxes and containers."""
    return Message("List", "", g.frame.fid)


def listed(g: Goroutine) -> None:
    """Keep what is new; what workers have done is seen now."""
    if g.recall("runtime") != g["peer_pid"]:
        g.remember("runtime", g["peer_pid"])
    for name, found, record in g["answer"]:
        if _seen(g.world, g.pid, name) != (found, record):
            g.remember(f"seen/{name}", (found, record))
        if g.recall(f"old/{name}"):
            g.remember(f"old/{name}", False)


def runtime_down(g: Goroutine) -> None:
    """Note that the runtime does not answer."""
    if g.recall("runtime") is not None:
        g.remember("runtime", None)


# -- what is to be done ------------------------------------------------------------------------------


def wants_start(policy: Restart, record: Container) -> bool:
    """Say whether a container that has ended is started again: Always, OnFailure, Never."""
    if policy.name == "on-failure":
        return record.exit_code != 0
    return policy.name != "no"


def action(world: World, kubelet: Pid, name: str) -> str | None:
    """Return what a pod needs now, as the kubelet sees it; None if nothing."""
    seen, spec = _seen(world, kubelet, name), spec_of(world, name)
    if seen is None or world.recall(kubelet, f"old/{name}"):
        return None
    found, record = seen
    if spec is None or not spec.wanted:
        alive = (record is not None and record.running) or (found is not None and found.ready)
        if alive or (spec is None and seen != (None, None)):
            return "terminate"
    else:
        needed = _of_wanted(world, kubelet, spec, found, record)
        if needed is not None:
            return needed
    return "report" if report_of(world, kubelet, name) != status_of(world, name) else None


def _of_wanted(world: World, kubelet: Pid, spec: Spec, found: Sandbox | None, record: Container | None) -> str | None:
    if _is_over(world, spec):
        return None
    if found is None or found.uid != spec.uid:
        return "renew"
    policy: Restart = world.services[spec.name].restart
    if record is None:
        return "renew" if not found.ready else "start"
    over = not record.running and record.started
    if policy.name == "no" and not found.ready:
        return "terminate" if record.running else None
    if over and not wants_start(policy, record):
        return None
    if found.ready and not over:
        return None if record.running else "start"
    if over and not _may_start(world, kubelet, record):
        paused = world.recall(kubelet, f"paused/{spec.name}") == record.restart_count
        return None if paused else "pause"
    return "start" if found.ready else "renew"


def _is_over(world: World, spec: Spec) -> bool:
    """Say whether the pod has been reported to have ended for good: it is not started again, whatever is there."""
    status = status_of(world, spec.name)
    return status is not None and (status.uid, status.state) == (spec.uid, "terminated")


def _may_start(world: World, kubelet: Pid, record: Container) -> bool:
    pause = world.recall(kubelet, f"pause/{record.name}")
    return not pause or world.recall(kubelet, f"due/{record.name}") == record.restart_count


def report_of(world: World, kubelet: Pid, name: str) -> Status | None:
    """Return the status of a pod; None if there is nothing to report."""
    seen, spec = _seen(world, kubelet, name), spec_of(world, name)
    if spec is None or seen is None:
        return None
    if spec.wanted and _is_over(world, spec):
        return status_of(world, name)
    found, record = seen
    failure = world.recall(kubelet, f"failure/{name}")
    if failure is not None and spec.wanted and (record is None or not record.running):
        return Status(spec.uid, "waiting", str(failure))
    if found is None or found.uid != spec.uid or record is None:
        return Status(spec.uid, "waiting" if spec.wanted else "terminated", "ContainerCreating" if spec.wanted else "")
    if record.running:
        return Status(spec.uid, "running")
    again = spec.wanted and wants_start(world.services[name].restart, record)
    if record.error:
        return Status(spec.uid, "waiting" if spec.wanted else "terminated", record.error, record.exit_code)
    if again and record.started:
        return Status(spec.uid, "waiting", "CrashLoopBackOff", record.exit_code)
    return Status(spec.uid, "terminated" if record.started else "waiting", "", record.exit_code)


def _work_reads(world: World, frame: Frame) -> Iterable[Key]:
    kubelet, name = frame.fid[0], frame.local["c"]
    yield ("file", SPECS + name)
    yield ("file", STATUSES + name)
    for what in ("seen", "old", "pause", "paused", "due", "failure"):
        yield ("memory", kubelet, f"{what}/{name}")


@reading(_work_reads)
def work_to_do(world: World, frame: Frame) -> bool:
    """Say whether the pod needs anything."""
    return action(world, frame.fid[0], frame.local["c"]) is not None


def decide(g: Goroutine) -> str | None:
    """Go on to what is needed."""
    needed = action(g.world, g.pid, g["c"])
    seen, spec = _seen(g.world, g.pid, g["c"]), spec_of(g.world, g["c"])
    g["found"], g["record"] = seen or (None, None)
    g["spec"], g["error"] = spec, ""
    return "next" if needed is None else needed


def report(g: Goroutine) -> None:
    """Write the pod's status, or remove what is left of it."""
    status, path = report_of(g.world, g.pid, g["c"]), STATUSES + g["c"]
    if status is None:
        syscalls.remove_file(g.turn, path)
    else:
        syscalls.write_file(g.turn, path, status)


def done(g: Goroutine) -> None:
    """Wait for news before anything more is done."""
    g.remember(f"old/{g['c']}", True)


# -- requests ----------------------------------------------------------------------------------------


def has_container(g: Goroutine) -> str | None:
    """Go on to the container, if it runs."""
    return None if g["record"] is not None and g["record"].running else "no_container"


def has_sandbox(g: Goroutine) -> str | None:
    """Go on to the sandbox, if there is one."""
    return None if g["found"] is not None else "no_sandbox"


def to_remove(g: Goroutine) -> str | None:
    """Go on to remove what has stopped, if the pod is gone; else forget its pauses alone."""
    forget_pauses(g)
    return None if spec_of(g.world, g["c"]) is None else "done"


def _ask(g: Goroutine, kind: str, data: object = None) -> Message:
    return Message(kind, sandbox(g["c"]) if kind.endswith("Sandbox") else g["c"], g.frame.fid, data)


def stop_container(g: Goroutine) -> Message:
    """Ask for the container's end within the pod's grace."""
    spec = spec_of(g.world, g["c"])
    grace = None if spec is None else spec.grace
    return _ask(g, "StopContainer", service_of(g).stop_timeout if grace is None else grace)


def stop_sandbox(g: Goroutine) -> Message:
    """Ask for the sandbox's end."""
    return _ask(g, "StopPodSandbox")


def remove_container(g: Goroutine) -> Message:
    """Ask to forget the container."""
    return _ask(g, "RemoveContainer")


def remove_sandbox(g: Goroutine) -> Message:
    """Ask to forget the sandbox."""
    return _ask(g, "RemovePodSandbox")


def run_sandbox(g: Goroutine) -> Message:
    """Ask for a sandbox."""
    return _ask(g, "RunPodSandbox", g["spec"].uid)


def create_container(g: Goroutine) -> Message:
    """Ask for the next instance of the container: number 0 in a new pod."""
    record, found = g["record"], g["found"]
    of_this = record is not None and found is not None and found.uid == g["spec"].uid
    return _ask(g, "CreateContainer", record.restart_count + record.started if of_this else 0)


def start_container(g: Goroutine) -> Message:
    """Ask for its start."""
    return _ask(g, "StartContainer")


def note_failure(g: Goroutine) -> None:
    """Report why the container could not be made; it is tried again."""
    answer = g["answer"]
    g.remember(f"failure/{g['c']}", answer.text if isinstance(answer, Failure) else "CreateContainerError")
    report(g)


def count_start(g: Goroutine) -> None:
    """Make the pause longer, if this was not the first start of the pod's container."""
    record, found = g["record"], g["found"]
    if g.recall(f"failure/{g['c']}") is not None:
        g.emit(Forgot(g.pid, f"failure/{g['c']}"))
    if found is None or found.uid != g["spec"].uid:
        forget_pauses(g)
    elif record is not None and record.started:
        lengthen(g)


STOP_POD = (
    Do(has_container, "no_container"),
    call("cri", runtime_at, stop_container, lost="failed"),
    Label("no_container"),
    Do(has_sandbox, "no_sandbox"),
    call("cri", runtime_at, stop_sandbox, lost="failed"),
    Label("no_sandbox"),
)
POD = procedure(
    "kubelet.pod",
    Label("next"),
    Wait(work_to_do),
    Do(decide, "next", "terminate", "renew", "start", "pause", "report"),
    Label("report"),
    Do(report),
    Goto("next"),
    Label("pause"),
    Do(begin_pause),
    Goto("next"),
    Label("terminate"),
    STOP_POD,
    Do(to_remove, "done"),
    call("cri", runtime_at, remove_container, lost="failed"),
    call("cri", runtime_at, remove_sandbox, lost="failed"),
    Goto("done"),
    Label("renew"),
    call("cri", runtime_at, stop_container, lost="failed"),
    call("cri", runtime_at, stop_sandbox, lost="failed"),
    call("cri", runtime_at, run_sandbox, lost="failed"),
    Label("start"),
    call("cri", runtime_at, create_container, lost="failed", failed="not_created"),
    Do(count_start),
    call("cri", runtime_at, start_container, lost="failed", failed="done"),
    Goto("done"),
    Label("not_created"),
    Do(note_failure),
    Label("failed"),
    Do(done),
    Sleep("requeue", AGAIN),
    Goto("next"),
    Label("done"),
    Do(done),
    Goto("next"),
)

PROGRAM = Program(
    "kubelet",
    (
        procedure("kubelet.main", Do(begin)),
        procedure(
            "kubelet.pleg",
            Label("next"),
            Every("relist", RELIST, nothing_new),
            call("cri", runtime_at, list_request, lost="down"),
            Do(listed),
            Goto("next"),
            Label("down"),
            Do(runtime_down),
            Goto("next"),
        ),
        POD,
        *PAUSES,
        procedure("kubelet.stop", Exit(0)),
    ),
    handlers={"TERM": "stop", "INT": "stop"},
    ignored=frozenset({"PIPE"}),
    counts=frozenset({"kubelet.paused", "kubelet.due", "kubelet.backoff.number", "message CreateContainer"}),
    role=daemon.role(order=40),
)
