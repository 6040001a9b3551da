"""What a run is given and never changes: services, host, engine settings, and what people do when.

A `Setup` is plain frozen data. The scenario reader builds it, the world keeps a reference to it, programs read it
the way real programs read their configuration. Times are integer microseconds; a wall-clock time is already an
offset from t = 0. Source of the words: Compose's, daemon.json's and systemd's own key names.
"""

from __future__ import annotations

import msgspec

from sim.durations import Row as Row
from sim.engine.behaviour import MS as MS
from sim.engine.behaviour import Answers as Answers
from sim.engine.behaviour import Child as Child
from sim.engine.behaviour import Ends as Ends
from sim.engine.behaviour import Exec as Exec
from sim.engine.behaviour import Fails as Fails
from sim.engine.behaviour import Healthcheck as Healthcheck
from sim.engine.behaviour import Log as Log
from sim.engine.behaviour import Microseconds as Microseconds
from sim.engine.behaviour import OnTerm as OnTerm
from sim.engine.behaviour import Payload as Payload
from sim.engine.behaviour import S as S
from sim.engine.behaviour import ThreadsEnd as ThreadsEnd
from sim.engine.commands import FOR_EVER as FOR_EVER
from sim.engine.commands import QUIET_VERBS as QUIET_VERBS
from sim.engine.commands import BusyMount as BusyMount
from sim.engine.commands import Command as Command
from sim.engine.commands import Docker as Docker
from sim.engine.commands import EditDaemon as EditDaemon
from sim.engine.commands import FillDisk as FillDisk
from sim.engine.commands import FlushRules as FlushRules
from sim.engine.commands import Journald as Journald
from sim.engine.commands import KillProcess as KillProcess
from sim.engine.commands import LosePower as LosePower
from sim.engine.commands import OutOfMemory as OutOfMemory
from sim.engine.commands import OwnCommand as OwnCommand
from sim.engine.commands import SetNextPid as SetNextPid
from sim.engine.commands import Slow as Slow
from sim.engine.commands import Systemctl as Systemctl
from sim.engine.commands import TakePid as TakePid
from sim.engine.commands import TakePort as TakePort
from sim.engine.commands import Target as Target
from sim.engine.commands import Tear as Tear
from sim.engine.commands import Upgrade as Upgrade


class Port(msgspec.Struct, frozen=True):
    """A published port: `ip:host->container/proto` as `docker ps` prints it."""

    host: int
    container: int
    proto: str = "tcp"
    ip: str = "0.0.0.0"

    def singles(self) -> tuple[Port, ...]:
        """Return the ports of the host that may become this one: itself."""
        return (self,)


class PortRange(Port, frozen=True):
    """One host port out of *host* to *last* (`8080-8083:80`); the engine chooses. Of one that is bound *host* is it."""

    last: int = 0

    def singles(self) -> tuple[Port, ...]:
        """Return every port of the range."""
        return tuple(Port(host, self.container, self.proto, self.ip) for host in range(self.host, self.last + 1))


class IPv4Port(Port, frozen=True):
    """A port that is published on every address of IPv4 and on none of IPv6: `0.0.0.0:80:80`."""


class Pins(msgspec.Struct, frozen=True):
    """Numbers that were observed for the first start of a container (`x-pids`, `x-address`)."""

    proxy: tuple[int, ...] = ()
    shim: int | None = None
    payload: int | None = None
    children: tuple[int, ...] = ()
    address: str | None = None

    def numbers(self) -> tuple[int, ...]:
        """Return all of the process numbers."""
        single = tuple(number for number in (self.shim, self.payload) if number is not None)
        return (*self.proxy, *single, *self.children)


class Bundle(msgspec.Struct, frozen=True):
    """What was observed of a bundle folder and no run can know (`x-bundle`), for listings alone.

    *config_size* is that of config.json in bytes; *written* says when fifos were written last, in unix seconds.
    """

    config_size: int | None = None
    written: tuple[tuple[str, int], ...] = ()


class Restart(msgspec.Struct, frozen=True):
    """A restart policy: no, always, unless-stopped or on-failure[:max]; *max* 0 is without limit."""

    name: str = "no"
    max: int = 0


class Volume(msgspec.Struct, frozen=True):
    """A named volume of a container, mounted at *destination*."""

    name: str
    destination: str
    read_only: bool = False


HOST, NONE = "host", "none"  # network modes beside the name of a network


class Service(msgspec.Struct, frozen=True):
    """One container as `docker create` gets it. *path* and *args* are what `docker ps` shows as COMMAND.

    *network* is the network that gives it its way out, and by which its ports are published; *more_networks* are the
    others. Where *network_mode* is `host` or `none` it is that, where it is `container:NAME` "": it has no address of
    its own then. *pid_of* names the container whose pid namespace it shares, *links* those that `--link` on the default
    bridge names. *fixed* has by network the IPv4 address that it asks for at every start (`ipv4_address`).
    """

    name: str
    id: str
    image: str
    path: str
    args: tuple[str, ...]
    payload: Payload
    ports: tuple[Port, ...] = ()
    restart: Restart = Restart()
    stop_signal: str | None = None
    stop_timeout: Microseconds = 10 * S  # or FOR_EVER
    network: str = "bridge"
    proxy_threads: int = 6
    pins: Pins = Pins()
    bundle: Bundle = Bundle()
    labels: tuple[tuple[str, str], ...] = ()
    at_begin: bool = True  # False: only a step makes it
    log_driver: str = "journald"  # json-file, none; another one only of a container that prints nothing
    execs: tuple[Exec, ...] = ()
    memory: int | None = None  # the limit of its control group, in bytes
    oom_score_adj: int = 0  # of its program, and of what is exec'd beside it
    healthcheck: Healthcheck | None = None
    auto_remove: bool = False  # --rm
    tty: bool = False  # a terminal: one stream, no init-stderr
    host_pid: bool = False  # --pid=host: no pid namespace of its own
    init: bool = False  # docker-init is its first process
    volumes: tuple[Volume, ...] = ()
    more_networks: tuple[str, ...] = ()
    network_mode: str = ""
    pid_of: str = ""
    links: tuple[str, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()

    @property
    def on_host(self) -> tuple[Port, ...]:
        """Return the ports of the host that lead to it: those that are published, or that it opens there itself."""
        if self.network_mode == HOST:
            return tuple(Port(number, number, proto) for proto, number in self.payload.listens or ())
        return self.ports

    @property
    def published(self) -> tuple[Port, ...]:
        """Return the host ports at which clients may find it: of a range all, of which the engine chooses one."""
        return tuple(single for port in self.on_host for single in port.singles())

    @property
    def joins(self) -> str:
        """Return the container whose network it shares, "" for none.

        >>> Service("app", "", "", "", (), Payload("", ()), network_mode="container:vpn").joins
        'vpn'
        """
        return self.network_mode.partition("container:")[2]

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the containers that must run for it to be started: it shares their namespaces, or links to them."""
        return tuple(dict.fromkeys(name for name in (self.joins, self.pid_of, *self.links) if name))

    @property
    def networks(self) -> tuple[str, ...]:
        """Return the networks that it is connected to, in the order in which that is done."""
        return (self.network, *self.more_networks) if self.network else ()

    @property
    def shares_pids(self) -> bool:
        """Return whether its first process is not the first one of a pid namespace of its own."""
        return self.host_pid or bool(self.pid_of)


class Network(msgspec.Struct, frozen=True):
    """A network; *prefix* is the text before the last octet, `172.17.0.`. An *internal* one has no way out.

    *subnet* is that of one with fewer addresses than the prefix says, such as `172.28.5.0/28`.
    """

    name: str
    prefix: str
    driver: str = "bridge"
    internal: bool = False
    subnet: str = ""


class Observed(msgspec.Struct, frozen=True):
    """A process as it was found at t = 0: a row of ps. None or "" is what the row does not say.

    *threads* counts the main one, too; *started* is a unix time in seconds, *cpu_s* the TIME of ps in seconds. *target*
    is which process of the engine's or of a container it is; one without is somebody else's.
    """

    pid: int
    args: str
    ppid: int | None = None
    pgid: int | None = None
    sid: int | None = None
    tty: str = ""
    stat: str = ""
    threads: int | None = None
    started: int | None = None
    comm: str = ""
    target: Target | None = None
    uid: int = 0
    cpu_s: int = 0


class HostSetup(msgspec.Struct, frozen=True):
    """The machine. *epoch* is the unix time of t = 0 in seconds; *begin* is steady, boot or off.

    With `steady` everything was started long before and t = 0 comes *uptime* after the last start has settled;
    with `boot` t = 0 is the power button and the disk says that all services were running; with `off` systemd
    runs, docker.service is stopped and no container exists. *cgroup* is v1 or v2, "" what hosts of the design had in
    its time. *subreaper* is the name of a process below which the engine runs and that adopts its orphans; "" if PID 1
    does. *supervisor* is systemd, or none: PID 1 only reaps, and nobody starts the engine again. *processes* is the
    table of processes at t = 0, if it was observed.
    """

    cores: int = 2
    pid_max: int = 32768
    next_pid: int | None = None
    begin: str = "steady"
    uptime: Microseconds = 10 * 86_400 * S
    epoch: int = 1_577_836_800
    tz_minutes: int = 0
    hostname: str = "host"
    cgroup: str = ""
    subreaper: str = ""
    supervisor: str = "systemd"
    processes: tuple[Observed, ...] = ()


class Daemon(msgspec.Struct, frozen=True):
    """Keys of daemon.json that have an effect on processes. Defaults are Docker 1.13.1's (engine-1.13 §20)."""

    live_restore: bool = False
    shutdown_timeout: Microseconds = 15 * S
    max_health_check_retries: int = 3
    userland_proxy: bool = True
    log_driver: str = "journald"  # the package's own command line says so
    ip6tables: bool = False  # chains of its own in the IPv6 tables, too


class Unit(msgspec.Struct, frozen=True):
    """Keys of a unit's [Service]. Defaults are docker.service's: the package's and systemd 219 (engine-1.13 §5, §20;
    last four [K])."""

    restart: str = "on-abnormal"
    kill_mode: str = "process"
    restart_sec: Microseconds = 100 * MS
    start_limit_burst: int = 5
    start_limit_interval: Microseconds = 10 * S
    timeout_stop: Microseconds = 90 * S


class Unverified(msgspec.Struct, frozen=True):
    """Numbers of the engine that are no setting of it and that no source gives, each with its mark (engine-1.13 §12).

    Threads are those beside the main one: K from knowledge, C computed from the document's distances, DOC read off it.
    """

    dockerd_threads_before: int = 5  # DOC: forked before containerd
    dockerd_threads_after: int = 7  # K: when it serves
    containerd_threads: int = 16  # DOC after ten days; K that all are there from its start
    shim_threads_before: int = 7  # C: before it forks runc
    shim_threads_after: int = 2  # DOC: 9 in all
    runc_threads: int = 6  # C
    hook_threads: int = 7  # C
    resolver_threads: int = 7  # C
    layer_wait: Microseconds = 5 * S  # K: EnsureRemoveAll of the RHEL build tries for so long
    last_chance: Microseconds = 10 * S  # K: TIMEOUT_USEC of systemd-shutdown, between TERM and KILL
    journald_timeout_stop: Microseconds = 90 * S  # K: DefaultTimeoutStopSec of systemd 219


class EngineSetup(msgspec.Struct, frozen=True):
    """Which design runs, and its settings. *profile* names the durations; those of a file stand in *durations*.

    *unit* is the engine's own unit, *units* are others whose keys somebody has set, by name.
    """

    design: str = "docker-1.13"
    daemon: Daemon = Daemon()
    unit: Unit = Unit()
    profile: str = "el7-idle"
    unverified: Unverified = Unverified()
    durations: tuple[Row, ...] = ()
    units: tuple[tuple[str, Unit], ...] = ()


# -- when ------------------------------------------------------------------------------------------


class Instant(msgspec.Struct, frozen=True):
    """A moment: a base, which of its occurrences, and an offset in µs.

    *base* is one of `origin` (t = 0), `end`, `step` (*name* is the step's id), `word` (*name* as `docker events`
    says it, *target* a container), `fact` (*name* in CamelCase as the trace says it, *target* text such as
    `shim/web`), `ready` (*target* a unit or a service) and `after` (the step before it in the same terminal
    has ended), and, before t = 0, `numbers` (no observed process number below *nth* is outstanding) and `early` (all
    is up that was to be, and so are the early steps before it). *nth* counts from 1; 0 means the last one.
    """

    base: str = "origin"
    name: str = ""
    target: str = ""
    nth: int = 1
    offset: Microseconds = 0


# -- what people do --------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True):
    """One thing done at one instant. *line* is where the scenario says it; *wait* retries until it can be done."""

    id: str
    at: Instant
    command: Command
    wait: bool = False
    line: int = 0
    text: str = ""


class FaultBudget(msgspec.Struct, frozen=True):
    """What the environment may do to an explored host, and how often: *total* faults, of each kind at most *kinds*.

    A kind that is not in *kinds* may come *total* times; with *kinds* only those listed happen. Faults come from the
    moment *after* on and no more once *before* has come; None is no limit.
    """

    total: int = 0
    kinds: tuple[tuple[str, int], ...] = ()
    after: Instant | None = None
    before: Instant | None = None


class Setup(msgspec.Struct, frozen=True):
    """All of it. Each entry of *terminals* is a terminal: its steps run one after the other.

    *faults* are for the explorer alone. *order*, if any, are the actions of a run in the order in which they are taken,
    in the words of `sim.drive.follow`, from t = 0 on: a story that was found is told again.
    """

    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = (Network("bridge", "172.17.0."),)
    host: HostSetup = HostSetup()
    engine: EngineSetup = EngineSetup()
    terminals: tuple[tuple[Step, ...], ...] = ()
    until: Instant | None = None
    faults: FaultBudget = FaultBudget()
    order: tuple[str, ...] = ()

    def service(self, name: str) -> Service:
        """Return the service called *name*; raise KeyError if there is none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)
