"""What was seen of a host: one frozen record a fact, with the place where it stands.

Models: processes, containers, networks, listeners, the engine's own words and settings, units of systemd. Leaves out
values of environment variables, labels and build arguments: their names alone are kept. A field that no source names is
None or empty, which is another thing than zero. Source: the columns of ps(1), the JSON of `inspect`, proc(5), ss(8).
"""

from __future__ import annotations

from typing import Any

import msgspec

Place = str  # FILE:LINE


class Process(msgspec.Struct, frozen=True):
    """A row of a table of processes. *started* is an ISO date of UTC or of the host's zone; *cut*: *args* is not whole.

    *time* is the TIME of ps, as it stands. *caught* and *ignored* are the masks of signals of /proc/PID/status.
    """

    pid: int
    ppid: int | None = None
    pgid: int | None = None
    sid: int | None = None
    tty: str = ""
    stat: str = ""
    threads: int | None = None
    started: str = ""
    comm: str = ""
    args: str = ""
    cut: bool = False
    caught: int | None = None
    ignored: int | None = None
    place: Place = ""
    uid: int | None = None
    time: str = ""


class Mapped(msgspec.Struct, frozen=True):
    """A published port: *address* of the host is "" for all, *host* is 0 where the engine chooses the number.

    With *last* the engine chooses one from *host* to *last*.
    """

    inner: int
    proto: str = "tcp"
    address: str = ""
    host: int = 0
    last: int = 0


class Check(msgspec.Struct, frozen=True):
    """A health check; times in nanoseconds, 0 is the engine's default."""

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class Joined(msgspec.Struct, frozen=True):
    """A network that a container is in, with its addresses there."""

    name: str
    address: str = ""
    address6: str = ""


class Container(msgspec.Struct, frozen=True):
    """A container. *status* is the engine's word, "" if no source has it; *pid* is that of its first process.

    *argv* is the whole command, entrypoint included. *restart* is the policy as a file has it (`on-failure:3`), None if
    no source says it. *env*, *labels* are names. *pod* is the pod that it belongs to.
    """

    name: str
    id: str = ""
    image: str = ""
    argv: tuple[str, ...] = ()
    status: str = ""
    pid: int = 0
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    restarts: int = 0
    created: str = ""
    started: str = ""
    finished: str = ""
    health: str = ""
    restart: str | None = None
    ports: tuple[Mapped, ...] = ()
    networks: tuple[Joined, ...] = ()
    network_mode: str = ""
    pid_mode: str = ""
    init: bool = False
    tty: bool = False
    auto_remove: bool = False
    memory: int = 0
    pids_limit: int = 0
    oom_score_adj: int = 0
    log_driver: str = ""
    stop_signal: str = ""
    stop_timeout: int | None = None
    check: Check | None = None
    volumes: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    service: str = ""
    project: str = ""
    pod: str = ""
    sandbox: bool = False
    whole: bool = False
    place: Place = ""


class Network(msgspec.Struct, frozen=True):
    """A network of the engine with its subnets."""

    name: str
    id: str = ""
    driver: str = ""
    subnets: tuple[str, ...] = ()
    internal: bool = False
    ipv6: bool = False
    place: Place = ""


class Listener(msgspec.Struct, frozen=True):
    """A socket that somebody listens at."""

    proto: str
    address: str
    port: int
    pid: int = 0
    comm: str = ""
    place: Place = ""


class Rule(msgspec.Struct, frozen=True):
    """A rule that leads a port of the host to an address of a container."""

    proto: str
    address: str
    port: int
    to: str
    place: Place = ""


class Unit(msgspec.Struct, frozen=True):
    """Keys of a unit's [Service] section, the last one of each, by name; *main_pid* is of a unit that runs."""

    name: str
    keys: tuple[tuple[str, str], ...] = ()
    main_pid: int = 0
    place: Place = ""


class Daemon(msgspec.Struct, frozen=True):
    """What an engine says of itself: *versions* by component, *facts* by name (`cores`, `hostname`, `cgroup`, …)."""

    versions: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()
    place: Place = ""


class Settings(msgspec.Struct, frozen=True):
    """A daemon.json."""

    keys: tuple[tuple[str, Any], ...] = ()
    place: Place = ""


class Compose(msgspec.Struct, frozen=True):
    """A Compose file: its name, or its text where it is part of something else."""

    path: str = ""
    text: str = ""
    place: Place = ""


class Branch(msgspec.Struct, frozen=True):
    """A process of `pstree` without numbers: its name, its threads, how many there are of it, and those below."""

    comm: str
    threads: int = 0
    count: int = 1
    below: tuple[Branch, ...] = ()
    place: Place = ""


Fact = Process | Container | Network | Listener | Rule | Unit | Daemon | Settings | Compose | Branch


class Table(msgspec.Struct, frozen=True):
    """Processes that were seen at one moment. *whole* says that it has every process of the host."""

    rows: tuple[Process, ...]
    columns: frozenset[str]
    kind: str
    whole: bool = False
    place: Place = ""


class Note(msgspec.Struct, frozen=True):
    """A sentence about the input: `inferred`, `contradiction`, `unplaced`, `ignored`, with the place it is about."""

    kind: str
    text: str
    place: Place = ""


class Reading(msgspec.Struct, frozen=True):
    """All that was read: facts, tables of processes, notes, and the kinds that were recognised, by place."""

    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Note, ...] = ()
    kinds: tuple[tuple[Place, str], ...] = ()
