"""libpod's states of a container: what each is called, what it says of its process, and which commands it allows.

A record is in one of eight states. *created* stands between init and start: the runtime has the container, and its
first process waits. *stopping* is written down before a stop lets go of the lock, so that a stop that is killed, or one
whose conmon is dead, leaves it. *stopped* has ended and is not cleaned up yet, *exited* is. *removing* is what a killed
rm leaves. Leaves out *unknown*. Source: podman v5.4.2, libpod/define/containerstate.go 14-42 (states), 47-78 (words);
the check of each command is cited in `COMMANDS`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from sim.engine.records import Container

CONFIGURED, CREATED, RUNNING, PAUSED = "configured", "created", "running", "paused"
STOPPING, STOPPED, EXITED, REMOVING = "stopping", "stopped", "exited", "removing"


class LibpodContainer(Container, frozen=True, tag=True, gc=False):
    """What podman's database has of a container: *told* says that it has an exit code, of this run or one before.

    *fresh* says that nobody has begun to start it: whatever the runtime has is of an earlier container of this name.
    """

    state: str = CONFIGURED
    told: bool = False
    fresh: bool = True

    @property
    def status(self) -> str:
        """Return the state as `podman ps` says it.

        >>> LibpodContainer("web").status, LibpodContainer("web", state="stopped").status
        ('created', 'exited')
        """
        return WORDS.get(self.state, self.state)


OWN = {CONFIGURED: "created", CREATED: "initialized"}
"""What podman's errors and `podman inspect` call a state (ContainerStatus.String, containerstate.go 47-78)."""
WORDS = {**OWN, STOPPED: "exited"}
"""What `podman ps` calls one (cmd/podman/containers/ps.go 369-385)."""

WITH_PROCESS = (RUNNING, PAUSED, STOPPING)  # where a command looks for an exit file (container_internal.go 2600)
IN_RUNTIME = (CREATED, *WITH_PROCESS)  # where a conmon is known


def moved(record: LibpodContainer, state: str, **changes: Any) -> LibpodContainer:
    """Return the record in another state, with what the state says of a process."""
    runs = {"running": state in WITH_PROCESS, "paused": state == PAUSED, "removing": state == REMOVING}
    gone = {} if state in IN_RUNTIME else {"pid": 0}
    return replace(record, state=state, **{**runs, **gone, **changes})


class Verb(NamedTuple):
    """The states in which a command is legal, what it says elsewhere, and where the source has it."""

    legal: tuple[str, ...]
    refusal: str
    source: str


IMPROPER = "container state improper"  # ErrCtrStateInvalid
COMMANDS: dict[str, Verb] = {
    "start": Verb(
        (CONFIGURED, CREATED, STOPPED, EXITED),
        'unable to start container "{id}": container {id} must be in Created or Stopped state to be started',
        "container_internal.go 829-836; abi/containers.go ContainerStart",
    ),
    "stop": Verb((CREATED, RUNNING, STOPPING), "", "container_internal.go 1391-1394"),
    "clean up": Verb(
        (CONFIGURED, CREATED, STOPPED, STOPPING, EXITED),
        "container {id} is running or paused, refusing to clean up",
        "container_api.go 862",
    ),
    "kill": Verb(
        (RUNNING, STOPPING, PAUSED),
        "can only kill running containers. {id} is in state {word}",
        "container_api.go 334-342",
    ),
    "restart": Verb(
        (CONFIGURED, CREATED, RUNNING, STOPPED, EXITED),
        "unable to restart a container in a paused or unknown state",
        "container_internal.go 1588",
    ),
    "pause": Verb((RUNNING,), '"{word}" is not running, can\'t pause', "container_api.go 500-505"),
    "unpause": Verb((PAUSED,), '"{id}" is not paused, can\'t unpause', "container_api.go 521"),
    "exec": Verb((RUNNING,), "can only create exec sessions on running containers", "container_exec.go ExecCreate"),
    "rm": Verb(
        (CONFIGURED, CREATED, STOPPED, EXITED, REMOVING),
        "cannot remove container {id} as it is {word} - running or paused containers cannot be removed without force",
        "container_internal.go 2505",
    ),
}
"""A command -> where it is legal. One that is refused changes nothing but what the source says it does first."""


def allows(record: LibpodContainer, verb: str) -> bool:
    """Return whether a command is legal in the record's state.

    >>> [verb for verb in COMMANDS if allows(LibpodContainer("web", state="stopping"), verb)]
    ['stop', 'clean up', 'kill']
    """
    return record.state in COMMANDS[verb].legal


def refusal(record: LibpodContainer, verb: str, identity: str) -> str:
    """Return what a command says that the record's state does not allow.

    >>> refusal(LibpodContainer("web", state="paused"), "pause", "e2107f789ec5")
    '"e2107f789ec5" is already paused: container state improper'
    """
    said = COMMANDS[verb].refusal.format(id=identity, word=OWN.get(record.state, record.state))
    if verb == "pause" and record.state == PAUSED:
        said = f'"{identity}" is already paused'
    return f"{said}: {IMPROPER}"
