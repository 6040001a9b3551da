"""docker exec: create, start, wait for the end; the same for health probes, which nobody asks for through the API.

libcontainerd's lock of the container is held over AddProcess, so that the one reader of events stands still if an event
of the container comes meanwhile. A command that cannot be started keeps 126, which is what the client exits with. A
client that waits gets the exit code when the exit event has been handled. The end of the output, which comes with it,
counts apart since 18.09 (`sim.engines.docker.dockerd.tasks`): a shim that dies tells of no exec, so that no code is
known and the client exits with 0 [K]. A health probe's deadline goes with the request to containerd (daemon/exec.go
235-238): it fails then, though containerd may carry it out later. Leaves out terminals, detach keys, exec inspect of
commands that are over. Source: D daemon/exec.go, libcontainerd/client_linux.go AddProcess; engine-1.13 §3.2, §3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Answered, Do, Label, Return, Unlock, Wait, call, reading
from sim.engine.ops.flow import Condition
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import ExecConfig
from sim.engine.setup import S
from sim.engines.docker.dockerd.start import answer, containerd_at, event, guarded, in_flight, record_of, rpc_error
from sim.facts import Forgot, Message
from sim.world import Frame, Key, World

TERM_WAIT = 10 * S
NOT_STARTED = 126
NO_RESULT = -1  # of a probe that has no exit code (health.go)


def not_running(g: Goroutine) -> str:
    """Return why the container has no processes, "" if it runs."""
    record, identity = record_of(g), service_of(g).id
    if record is None:
        return f"No such container: {g['c']}"
    if not record.running:
        return f"Container {identity} is not running"
    return f"Container {identity} is restarting, wait until the container is running" if record.restarting else ""


def inactive(g: Goroutine) -> str:
    """Return why nothing can be run in the container, "" if it can."""
    record = record_of(g)
    if record is not None and record.running and record.paused:
        return f"Container {g['c']} is paused, unpause the container before exec"
    return not_running(g)


def config_of(g: Goroutine) -> ExecConfig | None:
    """Return what dockerd knows of the command in variable `x`."""
    config = g.recall(f"exec/{g['c']}/{g['x']}")
    assert config is None or isinstance(config, ExecConfig)
    return config


def said(argv: tuple[str, ...]) -> str:
    """Return a command as its events say it: path, blank, arguments, the blank also without arguments (exec.go).

    >>> said(("ls", "-l", "/")), said(("ls",))
    ('ls -l /', 'ls ')
    """
    return f"{argv[0]} {' '.join(argv[1:])}"


def exec_create(g: Goroutine) -> str | None:
    """Note the command under a name that is free, and say `exec_create`; a container that does not run is refused."""
    refusal = inactive(g)
    if refusal:
        answer(g, Failure(f"Error response from daemon: {refusal}"))
        end_probe(g, NO_RESULT)
        return "refused"
    request = g["request"]
    g["argv"] = argv = g["argv"] or request.data[3]
    g["x"] = x = _free_name(g)
    g.remember(f"exec/{g['c']}/{x}", ExecConfig(argv, request is not None and request.data[4]))
    if g["probe"]:
        g.remember(f"probing/{g['c']}", x)
    event(g, f"exec_create: {said(argv)}")
    return None


def _free_name(g: Goroutine) -> str:
    """Return a name that no exec of the container bears; the engine draws 64 hexadecimal digits."""
    number, identity = 1, service_of(g).id
    while (
        g.recall(f"exec/{g['c']}/exec{number}") is not None
        or f"{paths.state(identity, f'exec{number}')}/process.json" in g.world.host.files
    ):
        number += 1
    return f"exec{number}"


def exec_start(g: Goroutine) -> str | None:
    """Say `exec_start`, unless the container has stopped meanwhile."""
    refusal = inactive(g)
    if refusal:
        g["error"] = refusal
        return "not_started"
    event(g, f"exec_start: {said(g['argv'])}")
    return None


def must_be_known(g: Goroutine) -> str | None:
    """Refuse a container whose exit has been seen."""
    if g.recall(f"lib/{g['c']}"):
        return None
    g["error"] = f"no such container: {service_of(g).id}"
    return "unknown"


def add_process(g: Goroutine) -> Message:
    """Ask for the command to be started (no deadline)."""
    return in_flight(g, Message("AddProcess", g["c"], g.frame.fid, (g["x"], g["argv"])))


def exec_started(g: Goroutine) -> str | None:
    """Answer a client that does not wait; the others wait for the end."""
    config = config_of(g)
    if config is None or not config.detach:
        return None
    answer(g)
    return "detached"


def no_process(g: Goroutine) -> None:
    """Keep why the command was not started, or that nobody could be asked."""
    g["error"] = g["answer"].text if isinstance(g["answer"], Failure) else rpc_error(g)


def not_started(g: Goroutine) -> None:
    """Keep 126 as the exit code and answer with the error."""
    answer(g, Failure(f"{g['error']} (exit code {NOT_STARTED})"))
    end_probe(g, NO_RESULT)
    drop_config(g)


def end_probe(g: Goroutine, code: int) -> None:
    """Let the monitor have the code of its probe, unless it does not wait for it any more."""
    name = f"probing/{g['c']}"
    if not g["probe"] or (g["x"] is not None and g.recall(name) != g["x"]):
        return
    if g.recall(name) is not None:
        g.emit(Forgot(g.pid, name))
    g.remember(f"probe/{g['c']}", code)


def drop_config(g: Goroutine) -> None:
    """Forget the command."""
    if config_of(g) is not None:
        g.emit(Forgot(g.pid, f"exec/{g['c']}/{g['x']}"))


def config_key(world: World, frame: Frame) -> tuple[Key, ...]:
    """Name the part of memory that says how the command has ended."""
    return (("memory", frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}"),)


@reading(config_key)
def exec_ended(world: World, frame: Frame) -> bool | str:
    """Say whether its exit event was handled, or that nobody wants it any more."""
    config = world.recall(frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}")
    if config is None or config.exit_code is not None:
        return True
    return "canceled" if config.canceled else False


@reading(config_key)
def exec_gone(world: World, frame: Frame) -> bool:
    """Say whether its exit event was handled."""
    config = world.recall(frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}")
    return config is None or config.exit_code is not None


def tell_code(g: Goroutine) -> None:
    """Tell whoever waits the exit code: docker exec exits with it."""
    config = config_of(g)
    code = 0 if config is None or config.exit_code is None else config.exit_code
    end_probe(g, code)
    answer(g, Failure(f"exit code {code}") if code else True)
    drop_config(g)


def term_exec(g: Goroutine) -> Message:
    """Ask for TERM to be sent to a command that nobody waits for."""
    return Message("SignalExec", g["c"], g.frame.fid, (g["x"], "TERM"))


def kill_exec(g: Goroutine) -> Message:
    """Ask for it to be killed."""
    return Message("SignalExec", g["c"], g.frame.fid, (g["x"], "KILL"))


@reading(config_key)
def canceled(world: World, frame: Frame) -> bool:
    """Return whether the probe's deadline, which goes with the request, has passed, or its monitor has ended."""
    config = world.recall(frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}")
    return config is not None and bool(config.canceled)


def give_up(g: Goroutine) -> None:
    """Let the monitor go on: what becomes of the request is of no interest (DeadlineExceeded)."""
    config = config_of(g)
    if config is not None:
        g.remember(f"exec/{g['c']}/{g['x']}", replace(config, detach=True))


def cancel_request(g: Goroutine) -> None:
    """Let go of the request: nobody waits for its answer any more (gRPC resets the stream)."""
    g.send(g["peer_pid"], "streams", Message("Cancel", g["c"], None, g["x"]))


ADD = (
    Do(must_be_known, "unknown"),
    call("tasks", containerd_at, add_process, lost="lost", unless=canceled, given_up="given_up"),
)


def exec_table(
    add: list[Any],
    unknown: list[Any],
    given_up: list[Any],
    started: Callable[[Goroutine], str | None] = exec_started,
    ended: Condition = exec_ended,
) -> Procedure:
    """Return exec's way with how it asks containerd for the process; *unknown* lets go of what is held meanwhile.

    *given_up* does so where the request's deadline has passed.
    """
    return procedure(
        "dockerd.exec",
        Do(exec_create, "refused"),
        Do(exec_start, "not_started"),
        add,
        Do(started, "detached"),
        Wait(ended, "canceled"),
        Do(tell_code),
        Return(),
        Label("lost"),
        Do(no_process),
        Label("unknown"),
        unknown,
        Label("not_started"),
        Do(not_started),
        Return(),
        Label("canceled"),
        call("tasks", containerd_at, term_exec, lost="kill"),
        Wait(exec_gone, within=TERM_WAIT, late="kill"),
        Do(drop_config),
        Return(),
        Label("kill"),
        call("tasks", containerd_at, kill_exec, lost="killed"),
        Label("killed"),
        Do(drop_config),
        Return(),
        Label("given_up"),
        given_up,
        Do(give_up),
        Answered("late", "late", "late"),  # keeps the request's name from being given out again
        Label("late"),
        Do(drop_config),
        Label("detached"),
        Label("refused"),
    )


UNLOCK = Unlock("libcontainerd/{c}")
EXEC = exec_table(guarded(*ADD), [UNLOCK], [Do(cancel_request), UNLOCK])

# -- its exit ---------------------------------------------------------------------------------------


def exec_exited(g: Goroutine, x: str, code: int) -> None:
    """Keep the exit code for whoever waits; of a command that nobody waits for nothing is kept."""
    key = f"exec/{g['c']}/{x}"
    config = g.recall(key)
    if config is not None and config.detach:
        g.emit(Forgot(g.pid, key))
    elif config is not None:
        g.remember(key, replace(config, exit_code=code))
