"""The people of a scenario: each terminal runs its steps one after the other, at their instants.

Commands come from another machine: they take no ids on the host. A command that cannot be done fails with the words of
the real one; with `wait` it is tried again every second. Source: the scenario; engine-1.13 §2 (docker run is create,
then start), cli error texts [K].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.engine.containers import is_unit
from sim.engine.exit_codes import DAEMON_ERROR
from sim.engine.goroutine import Failure, Goroutine, deliver
from sim.engine.ops import Do, Goto, Label, Op, Sleep, Wait, call, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.role import CONTAINER, HOST, STEP, Kind, Role
from sim.engine.setup import (
    Docker,
    Install,
    Instant,
    Journald,
    KillProcess,
    LosePower,
    OwnCommand,
    S,
    Slow,
    Systemctl,
    Target,
    Upgrade,
)
from sim.engines.host.memory import shell_waits
from sim.engines.host.mishap import AT_ONCE
from sim.engines.host.needs import NEEDS as NEEDS
from sim.engines.host.needs import NO_DAEMON as NO_DAEMON
from sim.engines.host.package_scripts import SCRIPTS, after_unpack
from sim.engines.host.step import step_of as step_of
from sim.engines.host.step import systemd_at as systemd_at
from sim.engines.host.systemd.power import CLOSED
from sim.engines.host.systemd.unit import NOT_FOUND, OF_CONTAINER, is_there, own_name
from sim.facts import Message, Received, StepDone, StepTaken
from sim.kernel import syscalls
from sim.kernel.records import OUTSIDE, Image, Pid
from sim.world import Frame, Key, World

LOST = "error during connect: EOF"
PORT = "-host-port"  # in the command line of a forwarder, before the port that it listens at


def mark_name(instant: Instant) -> str:
    """Return the name of the moment that an instant counts from."""
    return f"{instant.base}:{instant.name}:{instant.target}"


FOLLOWING = ("events", "logs", "wait")  # verbs that may have no end of their own
PATIENT = ("has_ended", "answer_follow_request")  # ops at which whoever waits wants to wait


class Await(Op):
    """Wait for the step's instant: a time that the driver knows, or so long after a moment that has come."""

    name = "await"
    timer = True

    def ready(self, world: World, frame: Frame) -> bool:
        at = step_of(world, frame).at
        if at.base in ("origin", "after"):
            return True
        if at.base == "numbers":
            return all(number >= at.nth for number in world.host.reserved)
        return world.marks.get(mark_name(at), 0) >= max(at.nth, 1)

    def reads(self, world: World, frame: Frame) -> tuple[Key, ...]:
        at = step_of(world, frame).at
        return (("reserved",),) if at.base == "numbers" else (("mark", mark_name(at)),)

    def take(self, g: Goroutine) -> int | None:
        return self.index + 1


def more_steps(g: Goroutine) -> str | None:
    """Go on with the next step, if there is one."""
    return None if g["i"] < len(g.world.setup.terminals[g["terminal"]]) else "end"


def begin(g: Goroutine) -> str | None:
    """Do what needs no program, or go on to the request that does."""
    step = step_of(g.world, g.frame)
    if not g["tried"]:
        g.emit(StepTaken(step.id))
    g["tried"], g["error"] = True, ""
    if step.needs and g.frame.local.get("met") != step.id:
        return "needs"
    command = step.command
    if isinstance(command, Docker):
        if command.verb in ("run", "create"):
            return "create"
        return "attach" if command.attach else "follow" if command.verb in FOLLOWING else "docker"
    if isinstance(command, Systemctl | Journald):
        return "done" if isinstance(command, Systemctl) and _is_no_unit(g, command) else "systemctl"
    if isinstance(command, Upgrade):
        return "scripts" if isinstance(command, Install) else "unpack"
    pending = {pid: process.pending for pid, process in g.world.host.procs.items()} if step.at.base == "before" else {}
    if isinstance(command, KillProcess):
        _signal(g, command)
    elif systemd_at(g.world, g.frame) is None and not isinstance(command, LosePower | Slow):
        g["error"] = CLOSED  # the power is away
    elif isinstance(command, OwnCommand):
        command.act(g)
    else:
        AT_ONCE[type(command)](g, command)
    _let_arrive(g, pending)
    return "done"


def _is_no_unit(g: Goroutine, command: Systemctl) -> bool:
    """Return whether a job is about a unit that is not there: a container that is none, or one of another version."""
    world, name = g.world, command.unit
    known = name in ("", "docker", own_name(world)) or is_there(world, name)
    if not known:
        g["error"] = NOT_FOUND.format(name=name)
    return not known


def _let_arrive(g: Goroutine, pending: dict[Pid, frozenset[str]]) -> None:
    """Let the signals arrive at once that were not pending before: a fault that goes before a fact has happened."""
    procs = g.world.host.procs
    sent = [(pid, signal) for pid, before in pending.items() if pid in procs for signal in procs[pid].pending - before]
    for pid, signal in sent:
        if signal in syscalls.deliverable(g.world.host, pid):
            deliver(g.turn, pid, signal)


def _signal(g: Goroutine, command: KillProcess) -> None:
    found = processes(g.world, command.target)
    for pid in found:
        g.kill(pid, command.signal)
        if command.target.role == "child":
            shell_waits(g.turn, pid)
    if not found:
        g["error"] = f"{command.target}: no such process"


def processes(world: World, target: Target) -> list[Pid]:
    """Return the living processes that a target names, in the order of their start."""
    alive = (process for process in world.host.procs.values() if process.alive)
    living = [process for process in alive if named_by(world, target, process.image)]
    return [process.pid for process in sorted(living, key=lambda process: process.order)]


def named_by(world: World, target: Target, image: Image) -> bool:
    """Return whether a target names a process that runs *image*; a port is the one on the host."""
    words = image.argv
    name = words[-1] if image.program == "stranger" else image.container
    design, stage = world.design, world.design.stages.get(target.role)
    if image.program not in design.meant_by(target.role) or target.container not in ("", "*", name):
        return False
    if stage is not None and image.comm != stage.comm:
        return False
    return target.port is None or (PORT in words and words[words.index(PORT) + 1] == str(target.port))


def targets_of(world: World, image: Image) -> Iterator[str]:
    """Yield how a file names a process that runs *image* alone: by its role, and by its stage if it is in one."""
    role = world.design.roles.get(image.program)
    words, container = image.argv, image.container
    if role is not None and role.target == HOST:
        yield image.program
    elif role is not None and role.target == STEP:
        yield f"{image.program}/{words[-1]}"
    elif role is not None and role.target == CONTAINER and container in world.services:
        port = f":{words[words.index(PORT) + 1]}" if PORT in words else ""
        yield f"{image.program}/{container}{port}"
        for stage in world.design.stages.values():
            if image.program in stage.programs and image.comm == stage.comm:
                yield f"{stage.name}/{container}"


# -- requests ---------------------------------------------------------------------------------------


def dockerd_at(world: World, frame: Frame) -> Pid | None:
    """Find who listens on the API socket."""
    return world.host.listeners.get(world.design.traits.socket)


def create_request(g: Goroutine) -> Message:
    """Ask for the container to be created."""
    return Message("create", docker_command(g).container, g.frame.fid)


def docker_request(g: Goroutine) -> Message:
    """Ask for the verb; a run goes on with a start."""
    command = docker_command(g)
    verb = "start" if command.verb == "run" else command.verb
    data = (command.signal, command.timeout, command.force, command.words)
    if command.called:
        return Message(verb, command.container, g.frame.fid, (*data, command.detach, command.called))
    if verb == "exec":
        return Message(verb, command.container, g.frame.fid, (*data, command.detach))
    return Message(verb, command.container, g.frame.fid, data)


def all_served(world: World) -> bool:
    """Return whether every terminal has done its steps, or waits because somebody wants to."""
    procedures, here = world.design.procedures, (world.frames[fid] for fid in world.frames_of.get(OUTSIDE, ()))
    return all(procedures[frame.procedure].ops[frame.op].name in PATIENT for frame in here)


def follow_request(g: Goroutine) -> Message:
    """Ask for what has no end of its own: the events, the output, the end of a container."""
    return docker_request(g)


def start_request(g: Goroutine) -> Message:
    """Ask for the start of a container that is attached."""
    return docker_request(g)


def attach_request(g: Goroutine) -> Message:
    """Ask to be attached to the container."""
    command = docker_command(g)
    data = (None, None, False, (command.verb,), False, command.called)
    return Message("attach", command.container, g.frame.fid, data if command.called else data[:4])


def attached(g: Goroutine) -> str | None:
    """Go on with the start, unless the container runs already."""
    return "ended" if docker_command(g).verb == "attach" else None


def end_queue(terminal: str) -> str:
    """Return the queue in which an attached client, a terminal, is told of the end."""
    return f"end/{terminal}"


def _end(frame: Frame) -> str:
    return end_queue(frame.fid[1])


@reading(lambda world, frame: (("queue", OUTSIDE, _end(frame)), ("proc", frame.local["peer_pid"])))
def has_ended(world: World, frame: Frame) -> bool | str:
    """Return whether the container has ended, or the daemon with which the connection was."""
    if world.queue(OUTSIDE, _end(frame)):
        return True
    return False if world.host.alive(frame.local["peer_pid"]) else "connection_lost"


def take_end(g: Goroutine) -> None:
    """Exit with the container's code."""
    code = g.world.queue(OUTSIDE, _end(g.frame))[0].data
    g.emit(Received(OUTSIDE, _end(g.frame)))
    g["error"] = f"exit code {code}" if code else ""


def connection_lost(g: Goroutine) -> None:
    """Exit with 125: nobody tells any more how the container ends."""
    g["error"] = f"error getting events from daemon: EOF (exit code {DAEMON_ERROR})"


def systemctl_request(g: Goroutine) -> Message:
    """Ask systemd for the job; a package's script has docker restarted if it runs."""
    command: Any = step_of(g.world, g.frame).command
    if isinstance(command, Journald):
        return Message("journald", "", g.frame.fid, command.verb)
    if isinstance(command, Upgrade):
        verb = after_unpack(g) if isinstance(command, Install) else "try-restart"
        if command.to != g.world.design.installed(g.world).name:
            g.world.design.install(g.turn, command.to)
        return Message(verb, "", g.frame.fid)
    if command.unit in g.world.services and is_unit(g.world, g.world.services[command.unit]):
        return Message(f"{OF_CONTAINER} {command.verb}", command.unit, g.frame.fid, command.signal)
    others = [name for name in g.world.design.units if name != own_name(g.world)]
    verb = f"{command.unit} {command.verb}" if command.unit in others else command.verb
    return Message(verb, "", g.frame.fid, command.signal)


def docker_command(g: Goroutine) -> Docker:
    """Return the docker command that the terminal's step gives."""
    command = step_of(g.world, g.frame).command
    assert isinstance(command, Docker)
    return command


def created(g: Goroutine) -> str | None:
    """Go on with the start, unless only a create was asked for; attached, if the end is to be waited for."""
    command = docker_command(g)
    return "done" if command.verb == "create" else "attach" if command.attach else None


def refused(g: Goroutine) -> None:
    """No daemon listens."""
    g["error"] = NO_DAEMON


def lost(g: Goroutine) -> None:
    """The daemon died before it answered: nobody knows what it did. Or the host is off."""
    command = step_of(g.world, g.frame).command
    g["error"] = LOST if isinstance(command, Docker) else CLOSED


def failed(g: Goroutine) -> None:
    """The daemon said no."""
    answer = g["answer"]
    g["error"] = answer.text if isinstance(answer, Failure) else ""


def finish(g: Goroutine) -> str | None:
    """Report the step, and go on; a step that waits is tried again."""
    step = step_of(g.world, g.frame)
    if g["error"] and step.wait:
        return "again"
    g.emit(StepDone(step.id, g["error"]))
    g["i"], g["tried"] = g["i"] + 1, False
    return None


def unpack(world: World, frame: Frame) -> int:
    """Return how long the package manager takes to put the new files in place, in µs; what runs keeps its old code."""
    command = step_of(world, frame).command
    assert isinstance(command, Upgrade)
    return command.unpack


FINISH = (  # a command that ends: with an error, or well; one that is tried again
    Label("failed"),
    Do(failed),
    Label("done"),
    Do(finish, "again"),
    Goto("next"),
    Label("again"),
    Sleep("try_again", 1 * S),
    Goto("begin"),
)


def terminal(*refused: Any) -> Procedure:
    """Return a terminal's table, with what is done where nobody listens at the API's socket."""
    return procedure("client.terminal", _TERMINAL, Label("refused"), refused, _ENDS)


_TERMINAL = (
    Label("next"),
    Do(more_steps, "end"),
    Await(),
    Label("begin"),
    Do(begin, "create", "docker", "systemctl", "unpack", "done", "attach", "follow", "needs", "scripts"),
    Label("create"),
    call("api", dockerd_at, create_request, lost="lost", refused="refused", failed="failed"),
    Do(created, "done", "attach"),
    Label("docker"),
    call("api", dockerd_at, docker_request, lost="lost", refused="refused", failed="failed"),
    Goto("done"),
    Label("systemctl"),
    call("bus", systemd_at, systemctl_request, lost="lost", failed="failed"),
    Goto("done"),
)
_ENDS = (
    Label("lost"),
    Do(lost),
    Goto("done"),
    FINISH,
    Label("unpack"),
    Sleep("unpack", unpack),
    Goto("systemctl"),
    Label("attach"),
    call("api", dockerd_at, attach_request, lost="lost", refused="refused", failed="failed"),
    Do(attached, "ended"),
    call("api", dockerd_at, start_request, lost="lost", refused="refused", failed="failed"),
    Label("ended"),
    Wait(has_ended, "connection_lost"),
    Do(take_end),
    Goto("done"),
    Label("connection_lost"),
    Do(connection_lost),
    Goto("done"),
    Label("follow"),
    call("api", dockerd_at, follow_request, lost="lost", refused="refused", failed="failed"),
    Goto("done"),
    NEEDS,
    SCRIPTS,
    Label("end"),
)

TERMINAL = terminal(Do(refused), Goto("done"))
PROGRAM = Program("client", (TERMINAL,), role=Role(kind=Kind.CLIENT))
