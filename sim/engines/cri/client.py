"""People at a Kubernetes host: docker's words, as kubectl and crictl would do them.

run and start apply a pod, stop and rm delete it (after a stop what has ended is still listed), restart does both: the
API server keeps what is wanted, and the command waits until the kubelet has reported. exec, kill and ps ask the runtime
itself, as crictl does; kill is a stop without a grace, so that it sends KILL. Nothing of this is a process of the host.
Leaves out the other verbs. Source: kubectl(1), crictl(1) [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.engine import as_docker
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Sleep, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Docker
from sim.engines.cri.kubelet import runtime_at
from sim.engines.cri.pods import SPECS, STATUSES, UIDS, Spec, spec_of, status_of
from sim.engines.host.client import (
    FINISH,
    NEEDS,
    TERMINAL,
    Await,
    docker_command,
    lost,
    more_steps,
    step_of,
    systemctl_request,
    systemd_at,
    unpack,
)
from sim.engines.host.client import begin as begin_step
from sim.engines.host.package_scripts import SCRIPTS
from sim.facts import Message
from sim.kernel import syscalls
from sim.world import Frame, World

VERBS = ("run", "start", "stop", "restart", "rm", "kill", "exec", "ps")
RUNTIME = ("kill", "exec", "ps")
TYPED = {  # what people type for a verb, if it is another one
    **dict.fromkeys(("run", "start"), "kubectl apply -f {c}.yaml"),
    **dict.fromkeys(("stop", "rm"), "kubectl delete pod {c}"),
    "restart": "kubectl replace --force -f {c}.yaml",
    "kill": "crictl stop --timeout 0 {c}",
}
NO_RUNTIME = "connect: connect endpoint '{socket}', make sure you are running as root and the endpoint has been started"


def typed(design: Any, command: Docker) -> str:
    """Return a docker command as people type it at a kubelet's host."""
    words = TYPED.get(command.verb)
    return as_docker(design, command) if words is None else words.format(c=command.container)


def begin(g: Goroutine) -> str | None:
    """Do what needs no program, or go on to the command that does."""
    label = begin_step(g)
    if label in ("done", "systemctl", "needs", "scripts"):
        return label
    command = step_of(g.world, g.frame).command
    if not isinstance(command, Docker) or command.verb not in VERBS:
        g["error"] = "there is no such request"
        return "done"
    verb = command.verb
    if verb in RUNTIME:
        return "ask"
    return "delete" if verb in ("stop", "rm", "restart") else None


# -- the API server ----------------------------------------------------------------------------------


def apply(g: Goroutine) -> str | None:
    """Let the pod be wanted; one that is there is left as it is."""
    name = docker_command(g).container
    spec = spec_of(g.world, name)
    g["c"] = name
    if spec is not None and spec.wanted:
        if docker_command(g).verb == "run":
            g["error"] = f'pods "{name}" already exists'
            return "done"
        g["uid"] = spec.uid
        return None
    last: Any = g.world.host.files.get(UIDS + name, 0)
    g["uid"] = last + 1
    syscalls.write_file(g.turn, UIDS + name, last + 1)
    syscalls.write_file(g.turn, SPECS + name, Spec(name, last + 1))
    return None


def delete(g: Goroutine) -> str | None:
    """Let the pod not be wanted any more; what was stopped is remembered, what was removed is not."""
    command = docker_command(g)
    name = g["c"] = command.container
    spec = spec_of(g.world, name)
    if spec is None:
        g["error"] = f'pods "{name}" not found'
        return "done"
    g["uid"] = spec.uid
    grace = 0 if command.force else command.timeout
    if command.verb == "rm":
        syscalls.remove_file(g.turn, SPECS + name)
    elif spec.wanted:
        syscalls.write_file(g.turn, SPECS + name, replace(spec, wanted=False, grace=grace))
    return None


@reading(lambda world, frame: (("file", STATUSES + frame.local["c"]), ("file", SPECS + frame.local["c"])))
def pod_reported(world: World, frame: Frame) -> bool:
    """Say whether the kubelet has reported that the pod has begun, or cannot; or that it is gone."""
    status, spec = status_of(world, frame.local["c"]), spec_of(world, frame.local["c"])
    if spec is None or not spec.wanted or spec.uid != frame.local["uid"]:
        return True
    begun = status is not None and status.uid == spec.uid and status.reason != "ContainerCreating"
    return begun and status is not None and (status.state != "waiting" or bool(status.reason))


def tell_begun(g: Goroutine) -> None:
    """Say why the pod has not begun."""
    status = status_of(g.world, g["c"])
    if status is not None and status.state == "waiting" and status.reason != "CrashLoopBackOff":
        code = f" (exit code {status.exit_code})" if status.exit_code else ""
        g["error"] = f"{status.reason}{code}"


@reading(lambda world, frame: (("file", STATUSES + frame.local["c"]), ("file", SPECS + frame.local["c"])))
def pod_ended(world: World, frame: Frame) -> bool:
    """Say whether the kubelet has reported that the pod has ended, or nobody wants that any more."""
    status, spec = status_of(world, frame.local["c"]), spec_of(world, frame.local["c"])
    if spec is not None and (spec.wanted or spec.uid != frame.local["uid"]):
        return True
    return status is None or (spec is not None and status.state == "terminated")


def goes_on(g: Goroutine) -> str | None:
    """Go on with a start, if this was a restart."""
    return "apply" if docker_command(g).verb == "restart" else None


# -- the runtime -------------------------------------------------------------------------------------


def runtime_request(g: Goroutine) -> Message:
    """Ask the runtime, as crictl does."""
    command = docker_command(g)
    if command.verb == "ps":
        return Message("List", "", g.frame.fid)
    if command.verb == "exec":
        return Message("ExecSync", command.container, g.frame.fid, (command.words, command.detach))
    return Message("StopContainer", command.container, g.frame.fid, 0)


def no_runtime(g: Goroutine) -> None:
    """Nobody listens at the runtime's socket."""
    g["error"] = NO_RUNTIME.format(socket=g.world.design.traits.socket)


PROGRAM = Program(
    "client",
    (
        procedure(
            TERMINAL.name,
            Label("next"),
            Do(more_steps, "end"),
            Await(),
            Label("begin"),
            Do(begin, "systemctl", "done", "ask", "delete", "needs", "scripts"),
            Label("apply"),
            Do(apply, "done"),
            Wait(pod_reported),
            Do(tell_begun),
            Goto("done"),
            Label("delete"),
            Do(delete, "done"),
            Wait(pod_ended),
            Do(goes_on, "apply"),
            Goto("done"),
            Label("ask"),
            call("cri", runtime_at, runtime_request, lost="lost", refused="refused", failed="failed"),
            Goto("done"),
            Label("systemctl"),
            call("bus", systemd_at, systemctl_request, lost="lost", failed="failed"),
            Goto("done"),
            Label("refused"),
            Do(no_runtime),
            Goto("done"),
            Label("lost"),
            Do(lost),
            Goto("done"),
            FINISH,
            NEEDS,
            Label("unpack"),
            Sleep("unpack", unpack),
            Goto("systemctl"),
            SCRIPTS,
            Label("end"),
        ),
    ),
    role=Role(kind=Kind.CLIENT),
)
