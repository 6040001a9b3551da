"""People at podman's host: each command is a process there, which nobody but PID 1 reaps, or who is in its place.

The words of docker commands are podman's (`alias docker=podman`). A command comes through a login whose own processes
are left out, so that its parent is PID 1, or the host's subreaper. Killed, it takes nothing with it but what it had not
done yet. Source: designs §4.2, F1 [S]; podman(1).
"""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Goroutine, Spawn, spawn
from sim.engine.ops import Answered, Do, Goto, Label, call
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Docker, S
from sim.engines.host.client import (
    FINISH,
    FOLLOWING,
    NEEDS,
    TERMINAL,
    Await,
    more_steps,
    step_of,
    systemctl_request,
    systemd_at,
)
from sim.engines.host.client import begin as begin_step
from sim.engines.host.systemd.power import CLOSED
from sim.engines.host.systemd.starter import starter
from sim.facts import Message
from sim.kernel.records import INIT

PODMAN = "/usr/bin/podman"
VERBS = ("run", "create", "start", "stop", "kill", "restart", "rm", "exec", "pause", "unpause", "wait", "ps")


def begin(g: Goroutine) -> str | None:
    """Do what needs no program, or go on to the command that does."""
    label = begin_step(g)
    if label in ("done", "systemctl", "needs"):
        return label
    command: Any = step_of(g.world, g.frame).command
    return "follow" if command.attach or command.verb in FOLLOWING else None


def podman(command: Docker, reply: tuple[int, str]) -> Spawn:
    """Describe the process of a command."""
    data = (command.signal, command.timeout, command.force, command.words, command.detach, command.attach)
    request = Message(command.verb, command.container, reply, data)
    words = (*_flags(command), *((command.container,) if command.container else ()), *command.words)
    local = {"c": command.container, "request": request}
    argv = (PODMAN, command.verb, *words)
    return Spawn("podman", argv, command.container, main=command.verb, local=local, new_session=True)


def _flags(command: Docker) -> tuple[str, ...]:
    if command.verb == "run":
        return () if command.attach else ("-d",)
    timeout = () if command.timeout is None else ("-t", str(command.timeout // S))
    signal = () if command.signal is None else ("-s", command.signal)
    return (*timeout, *signal, *(("-f",) if command.force else ()), *(("-d",) if command.detach else ()))


def run_podman(g: Goroutine) -> str | None:
    """Run the command, on a host that is up."""
    if (INIT, "bus") not in g.world.frames:
        g["error"] = CLOSED
        return "done"
    command = step_of(g.world, g.frame).command
    assert isinstance(command, Docker)
    g["peer_pid"] = spawn(g.turn, starter(g.world), podman(command, g.frame.fid), by=g.frame.fid[1])
    return None


def killed(g: Goroutine) -> None:
    """The command has died before it was done; or the host is off."""
    off = (INIT, "bus") not in g.world.frames
    g["error"] = CLOSED if off or not isinstance(step_of(g.world, g.frame).command, Docker) else "Killed"


PROGRAM = Program(
    "client",
    (
        procedure(
            TERMINAL.name,
            Label("next"),
            Do(more_steps, "end"),
            Await(),
            Label("begin"),
            Do(begin, "systemctl", "done", "follow", "needs"),
            Do(run_podman, "done"),
            Answered("command", "killed", "failed"),
            Goto("done"),
            Label("follow"),
            Do(run_podman, "done"),
            Answered("follow_request", "killed", "failed"),
            Goto("done"),
            Label("systemctl"),
            call("bus", systemd_at, systemctl_request, lost="killed", failed="failed"),
            Goto("done"),
            Label("killed"),
            Do(killed),
            Goto("done"),
            FINISH,
            NEEDS,
            Label("end"),
        ),
    ),
    role=Role(kind=Kind.CLIENT),
)
