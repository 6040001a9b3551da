"""What people do at a terminal: a command each, as plain frozen data, and the processes that one may name.

Part of a `Setup`. Times are integer microseconds. Source of the words: docker's, systemd's and the scenario language.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.behaviour import Microseconds

FOR_EVER: Microseconds = -1  # the time of a stop that has no limit, as docker has it: `docker stop -t -1`


class Target(msgspec.Struct, frozen=True):
    """Processes by role, container and port: `shim/web`, `proxy/web:80`, `shim/*`, `dockerd`.

    *role* is one of init, dockerd, containerd, shim, runc, proxy, payload, exec, stranger. *container* is a name, `*`
    for every one, or "" where the role has no container; of a stranger it is the step that made it.
    """

    role: str
    container: str = ""
    port: int | None = None

    def __str__(self) -> str:
        text = f"{self.role}/{self.container}" if self.container else self.role
        return text if self.port is None else f"{text}:{self.port}"


class Docker(msgspec.Struct, frozen=True, tag=True):
    """A docker command; *container* names a service, "" for none, *called* is its name if it was renamed.

    *words* are what a verb needs besides: a command, a new name. *detach* is exec's -d. *attach* says that the command
    waits for the container's end: run without -d, start -a, attach.
    """

    verb: str
    container: str
    signal: str | None = None
    timeout: Microseconds | None = None
    force: bool = False
    words: tuple[str, ...] = ()
    detach: bool = False
    attach: bool = False
    called: str = ""


class Systemctl(msgspec.Struct, frozen=True, tag=True):
    """`systemctl VERB UNIT`: start, stop, restart, try-restart, reload, kill, reset-failed, is-active, status.

    *signal* is of kill; `reboot`, `daemon-reload` and `daemon-reexec` are of no unit.
    """

    verb: str
    unit: str = "docker"
    signal: str = "TERM"


# they end and freeze nothing
QUIET_VERBS = ("start", "reload", "daemon-reload", "daemon-reexec", "is-active", "status")


class KillProcess(msgspec.Struct, frozen=True, tag=True):
    """`kill -SIGNAL` to each process that *target* names (step words kill, stop, cont)."""

    target: Target
    signal: str = "KILL"


class SetNextPid(msgspec.Struct, frozen=True, tag=True):
    """Other work on the host has moved the id counter: the next free number at or after *number* is given next."""

    number: int


class Tear(msgspec.Struct, frozen=True, tag=True):
    """A file of containerd's is cut off within its last line: *file* events.log, or process.json of a *container*."""

    file: str
    container: str = ""


class TakePort(msgspec.Struct, frozen=True, tag=True):
    """A process of somebody else's listens at *address*, `tcp:0.0.0.0:80`."""

    address: str


class OutOfMemory(msgspec.Struct, frozen=True, tag=True):
    """The *container* reaches its memory limit; "": the host has no memory left."""

    container: str = ""


class BusyMount(msgspec.Struct, frozen=True, tag=True):
    """A process in another mount namespace holds the mount of a container's layer; with *free* it lets it go."""

    container: str
    free: bool = False


class LosePower(msgspec.Struct, frozen=True, tag=True):
    """The power goes; it is back *off* µs later, and the host boots."""

    off: Microseconds = 0


class FillDisk(msgspec.Struct, frozen=True, tag=True):
    """/var/lib/docker, or /var/lib/containers, has no room any more, or (*full* false) has it again."""

    full: bool = True


class Slow(msgspec.Struct, frozen=True, tag=True):
    """A *program* (or a verb of it, `runc create`) takes *percent* of its time from now on; 100 is as before."""

    program: str
    percent: int


class TakePid(msgspec.Struct, frozen=True, tag=True):
    """A process of somebody else's gets *number*, or the one that is written down for the process *target* names."""

    target: Target | None = None
    number: int = 0


class Journald(msgspec.Struct, frozen=True, tag=True):
    """journald is stopped, started or restarted: *verb* is stop, start, restart."""

    verb: str


class FlushRules(msgspec.Struct, frozen=True, tag=True):
    """Somebody flushes the chains of a *table*: filter (`iptables -F`) or nat (`iptables -t nat -F`)."""

    table: str


class EditDaemon(msgspec.Struct, frozen=True, tag=True):
    """Keys are set in daemon.json, by their names in `Daemon`; others stay. A running daemon reads it when reloaded."""

    keys: tuple[tuple[str, int | bool], ...]


class Upgrade(msgspec.Struct, frozen=True, tag=True):
    """A design's package is unpacked over the files of the one that runs; its script restarts docker, if it runs."""

    to: str
    unpack: Microseconds


class Install(Upgrade, frozen=True, tag=True):
    """An upgrade by a *package*, as the engine knows it (`docker-ce.deb`), whose scripts do what it says."""

    package: str


class OwnCommand(msgspec.Struct, frozen=True):
    """A command of a registered word (`sim.parts`), one subclass a word: its class says what the command does.

    A subclass is `frozen=True, tag=True`, as all that traces name, and its fields are plain data.
    """

    def act(self, g: Any) -> None:
        """Do it at once, as a person at a terminal: *g* is the terminal's goroutine, `g["error"] = ...` refuses."""
        raise NotImplementedError(type(self).__name__)

    def lacks(self, design: Any) -> str:
        """Return what a host of *design* has not that the command needs, as a sentence; "" if nothing is missing."""
        return ""

    def harms(self) -> bool:
        """Return whether the command is a fault: pictures count from the first one."""
        return False

    def noun(self) -> str:
        """Return what the command does, as the subject of a sentence."""
        return "a step"


class NoneHere(OwnCommand, frozen=True, tag=True):
    """A step about what the host's engine has not: it says *why*, and does nothing. *what* it would have been."""

    what: str
    why: str

    def act(self, g: Any) -> None:
        """End the step with the reason as its error."""
        g["error"] = self.why

    def harms(self) -> bool:
        """Return that pictures and windows begin with it, as they do on designs that have what it is about."""
        return True

    def noun(self) -> str:
        """Return what it would have been."""
        return self.what


Command = (
    Docker
    | Systemctl
    | KillProcess
    | SetNextPid
    | Tear
    | TakePort
    | TakePid
    | OutOfMemory
    | Journald
    | EditDaemon
    | Upgrade
    | Install
    | LosePower
    | FlushRules
    | FillDisk
    | Slow
    | BusyMount
    | OwnCommand
)
