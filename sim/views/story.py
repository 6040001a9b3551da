"""Walk through a trace and say, at any moment, what ps, docker ps and docker events would have been told.

The world holds no time, so start times are gathered on the way: of processes from `Forked`, of containers from the
engine's events. Cpu time and memory are not modelled and show as zero. Source: proc(5); engine-1.13 §13.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from sim.engine.networks import bindings, host_addresses
from sim.engine.program import is_orphan
from sim.engine.records import Container, Endpoint, Health
from sim.engine.setup import Microseconds, Port, Service
from sim.engines.host.bystander import NAME as BYSTANDER
from sim.engines.host.bystander import is_name
from sim.engines.host.systemd.unit import unit_of
from sim.facts import EngineEvent, Remembered, StateChanged
from sim.kernel.events import FifoLevel, FifoMade, FileWritten, Forked
from sim.kernel.records import INIT, Pid, Process, Seen
from sim.trace import Record, Replay, Trace
from sim.views.probes import Found, Probes, monitored
from sim.views.rows import ContainerRow, EventRow
from sim.views.table import Meta, ProcessRow, Table
from sim.world import World

HERTZ = 100
TICK: Microseconds = 1_000_000 // HERTZ


UNSEEN = Seen()
BEFORE = float("-inf")  # a moment that lies before the run and that nobody says


class Times(msgspec.Struct, frozen=True):
    """When the engine says that a container was created, started and finished; clock values in µs, None for never."""

    created: Microseconds | None = None
    started: Microseconds | None = None
    finished: Microseconds | None = None


class Story:
    """A replay that remembers when things began. `to` moves on; the other methods describe the moment it is at."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.replay = Replay(trace)
        self.at: Microseconds = 0
        self.starts: dict[Pid, Microseconds] = {INIT: 0}
        self.times: dict[str, Times] = {}
        self.ran: set[str] = set()  # containers that were last believed to run
        self.restarting: set[str] = set()  # those of which a policy waits to start them again
        self.left: dict[str, Microseconds] = {}  # when a supervisor saw the end of a container
        self.written: dict[str, Microseconds] = {}  # when files and fifos were written last
        self.levels: dict[str, int] = {}  # bytes in fifos
        self.probes = Probes()
        self.notes = self.world.design.engine.notes()

    @property
    def world(self) -> World:
        """Return the world of the moment."""
        return self.replay.world

    def to(self, at: Microseconds) -> Story:
        """Go on to a clock value (µs), which must not lie before the last one."""
        for _ in range(self.trace.index(at) - self.replay.position):
            self.step()
        self.at = at
        return self

    def step(self) -> Record | None:
        """Apply the next record, remember its time, and return it; None at the end."""
        record = self.replay.step()
        if record is not None:
            self.at = record.at or 0
            self._remember(record)
            self.notes.take(record.event, self.at)
        return record

    def _remember(self, record: Record) -> None:
        event, at = record.event, record.at or 0
        if isinstance(event, Forked):
            self.starts[event.pid] = at
        elif isinstance(event, EngineEvent) and event.kind == "container":
            before = self.times.get(event.container, Times())
            if event.action == "create":
                self.times[event.container] = Times(at)
                self.probes.forget(event.container)
            elif event.action == "start" and not self._reattached(event.container):
                self.times[event.container] = replace(before, started=at)
            elif event.action == "die" and not (self._is_told(event.container) or event.container in self.restarting):
                self.times[event.container] = replace(before, finished=at)
        elif isinstance(event, Remembered) and isinstance(event.value, Container):
            self._believed(event.value, at)
        elif isinstance(event, Remembered):
            self.probes.note(self.world, event, at)
        elif isinstance(event, StateChanged):
            if event.state == "stopped":
                self.left[event.container] = at
            else:
                self.left.pop(event.container, None)
        elif isinstance(event, FileWritten):
            self.written[event.path] = at
        elif isinstance(event, FifoMade):
            self.written[event.fifo.path], self.levels[event.fifo.path] = at, event.fifo.level
        elif isinstance(event, FifoLevel):
            if event.level > self.levels.get(event.path, 0):
                self.written[event.path] = at
            self.levels[event.path] = event.level

    def _believed(self, record: Container, at: Microseconds) -> None:
        """Note an end that no `die` tells: one before a restart (SetRestarting, not after `die`), a restart that
        is given up, and what a new dockerd finds (SetStopped).
        """
        if record.restarting and record.name not in self.restarting:
            self.restarting.add(record.name)
            self.times[record.name] = replace(self.times.get(record.name, Times()), finished=at)
        elif not record.restarting:
            self.restarting.discard(record.name)
        if record.running:
            self.ran.add(record.name)
        elif record.name in self.ran:
            self.ran.remove(record.name)
            end = self.left.get(record.name, at) if self._is_told(record.name) else at
            self.times[record.name] = replace(self.times.get(record.name, Times()), finished=end)

    def _is_told(self, container: str) -> bool:
        """Return whether an end that is believed has the time that a shim has told: not that of a restart."""
        return container not in self.ran and bool(self.world.design.engine.exit_told(self.world, container))

    def _reattached(self, container: str) -> bool:
        """Say whether a `start` comes from a restore with live-restore: StartedAt is kept then."""
        times = self.times.get(container)
        return times is not None and times.started is not None and (times.finished or -1) < times.started

    # -- the kernel's truth -------------------------------------------------------------------------

    def table(self) -> Table:
        """Return the process table of the moment."""
        host = self.trace.setup.host
        boot = host.epoch * 1_000_000 - self.trace.origin  # unix µs of the clock's zero
        btime, rest = divmod(boot, 1_000_000)
        btime = min([btime, *(it.seen.started or btime for it in self.world.host.procs.values() if it.seen)])
        rest = boot - btime * 1_000_000
        now = host.epoch + (self.at - self.trace.origin) // 1_000_000
        meta = Meta(btime=btime, now=now, hertz=HERTZ, pid_max=host.pid_max, tz=zone(host.tz_minutes))
        return Table(meta, tuple(self._row(pid, btime, rest) for pid in sorted(self.world.host.procs)))

    def _row(self, pid: Pid, btime: int, rest: Microseconds) -> ProcessRow:
        process = self.world.host.procs[pid]
        image, seen = process.image, process.seen or UNSEEN
        begun = (self.starts[pid] + rest) // TICK if seen.started is None else (seen.started - btime) * HERTZ
        return ProcessRow(
            pid=pid,
            ppid=process.ppid,
            pgid=process.pgid,
            sid=process.sid,
            comm=seen.comm or image.comm,
            args=() if process.shown_state == "Z" else _words(seen.args, image.argv),
            threads=process.threads,
            state=_state(process, self.at <= self.trace.origin),
            start_ticks=begun,
            uid=seen.uid,
            tty=seen.tty or None,
            tpgid=seen.tpgid,
            utime=seen.cpu_s * HERTZ,
            nice=-1 if "<" in seen.stat else int("N" in seen.stat),
            lock_kb=int("L" in seen.stat),
            role=image.program,
            container=image.container or None,
            orphan=is_orphan(self.world, pid),
        )

    # -- the engine's belief --------------------------------------------------------------------------

    @property
    def off(self) -> bool:
        """Say whether the host is off, or boots and has no systemd yet: nothing can be asked there."""
        return (INIT, "bus") not in self.world.frames

    def daemon(self) -> Pid | None:
        """Return the engine's daemon that answers; None while none listens, or none that serves.

        Where each command is a process of its own there is none, and nobody is asked but the kernel.
        """
        traits = self.world.design.traits
        if traits.engine not in self.world.design.programs:
            return INIT
        pid = self.world.host.listeners.get(traits.socket)
        serves = pid is not None and self.world.running(pid, f"{traits.engine}.api")
        return pid if serves and pid is not None and self.world.host.procs[pid].state != "T" else None

    def silence(self) -> str:
        """Return what a command shows while no daemon answers: that nobody listens, or nothing, since it waits."""
        traits = self.world.design.traits
        pid = self.world.host.listeners.get(traits.socket)
        if pid is None:
            return str(self.world.design.engine.unreached).format(socket=traits.socket)
        why = "is stopped" if self.world.host.procs[pid].state == "T" else "listens and does not serve yet"
        return f"({traits.client} waits: {traits.engine} {pid} {why})"

    def believed(self, container: str) -> Container | None:
        """Return what the engine believes of a container; None if it does not know it."""
        found: Container | None = self.world.design.engine.believed(self.world, container)
        return found

    def named(self, word: str) -> str | None:
        """Return the service that is called *word* now: a name that a container bears comes before one it had."""
        names = [service.name for service in self.trace.setup.services]
        borne = {record.called: record.name for name in names if (record := self.believed(name)) and record.called}
        return borne.get(word, word if word in names else None)

    def health(self, container: str) -> tuple[str, Found] | None:
        """Return the health of a container that has been started, and what its probes have found; None without any."""
        pid, record = unit_of(self.world).main_pid, self.believed(container)
        health = self.world.recall(pid, f"health/{container}") if pid else None
        if not isinstance(health, Health) or record is None or not record.started:
            return None
        return health.status, self.probes.of(pid, container)

    def containers(self) -> tuple[ContainerRow, ...]:
        """Return what `docker ps -a` lists, in the order of creation."""
        rows = (self.container(service.name) for service in self.trace.setup.services)
        return tuple(row for row in rows if row is not None)

    def container(self, name: str) -> ContainerRow | None:
        """Return the row of one container, by its service; None if dockerd does not know it."""
        record, service = self.believed(name), self.world.services[name]
        if record is None:
            return None
        times, unix = self.times.get(name, Times()), self.trace.unix
        started = None if times.started is None else unix(times.started)
        return ContainerRow(
            id=service.id,
            image=service.image,
            path=service.path,
            args=service.args,
            created=BEFORE if times.created is None else unix(times.created),
            started=BEFORE if started is None and record.started else started,
            finished=self._finished(name, times),
            running=record.running,
            paused=record.paused,
            restarting=record.restarting,
            removing=record.removing,
            dead=record.dead,
            exit_code=record.exit_code,
            health=self._health_word(name),
            ports=self._ports(service) if record.running and not record.restarting else (),
            name=record.called or name,
        )

    def bound(self, service: Service) -> tuple[Port, ...]:
        """Return what is bound for a container's ports: since 20.10 one for all addresses is so in both families."""
        pid = unit_of(self.world).main_pid
        if service.published != service.ports:  # one out of a range: the engine knows which
            endpoint = self.world.recall(pid, f"endpoint/{service.name}")
            return endpoint.ports if isinstance(endpoint, Endpoint) else ()
        return bindings(service.ports, host_addresses(self.world, pid))

    def _ports(self, service: Service) -> tuple[tuple[int, int | None, str, str], ...]:
        return tuple((it.container, it.host, it.ip, it.proto) for it in self.bound(service))

    def _finished(self, name: str, times: Times) -> float | None:
        """Return when the engine says that a container ended: by its events, or by the file that tells it."""
        left = self.written.get(self.world.design.engine.end_file(self.world.services[name]))
        at = max((moment for moment in (left, times.finished) if moment is not None), default=None)
        return None if at is None else self.trace.unix(at)

    def _health_word(self, name: str) -> str | None:
        """Return what `docker ps` says: whatever was found last, without a monitor it is unhealthy (health.go)."""
        health = self.health(name)
        if health is None:
            return None
        return health[0] if monitored(self.world, unit_of(self.world).main_pid, name) else "unhealthy"


def _words(observed: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command line as it was observed; those that are known to be the same stand as they are."""
    if is_name(observed):
        return ()
    return argv if not observed or observed == " ".join(argv) else tuple(observed.split(" "))


def _state(process: Process, first: bool) -> str:
    """Return the state that ps shows: the observed one in the *first* tree, and of a bystander for good.

    What a process of the engine does in a moment the model does not tell: it sleeps.
    """
    state, seen = process.shown_state, process.seen
    if seen is None or state != "S" or process.frozen or not (first or process.image.program == BYSTANDER):
        return state
    return seen.stat[:1] or state


def zone(minutes: int) -> str:
    """Return the POSIX zone that is so many minutes east of UTC.

    >>> zone(480), zone(0), zone(-210)
    ('<+0800>-8:00', 'UTC', '<-0330>3:30')
    """
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign, west = ("+", "-") if minutes > 0 else ("-", "")
    return f"<{sign}{hours:02d}{rest:02d}>{west}{hours}:{rest:02d}"


def engine_events(trace: Trace, until: Microseconds) -> list[EventRow]:
    """Return what `docker events` would have printed up to a clock value in µs, oldest first."""
    rows, called = [], dict[str, str]()
    ids = {service.name: service for service in trace.setup.services}
    for record in trace.records:
        if record.at is not None and record.at > until:
            break
        event = record.event
        if isinstance(event, EngineEvent):
            at, name = round(trace.unix(record.at or 0) * 1_000_000), called.get(event.container) or event.container
            rows.append(_event_row(event, at, ids.get(event.container), name, trace.setup.host.hostname))
        elif isinstance(event, Remembered) and isinstance(event.value, Container):
            called[event.value.name] = event.value.called
    return rows


def _event_row(event: EngineEvent, at: int, service: Service | None, name: str, host: str) -> EventRow:
    if service is None:
        return EventRow(at, event.kind, event.action, daemon_id(host), (*event.attributes, ("name", host)))
    if event.kind == "container":
        about = (("image", service.image), ("name", name), *service.labels)
        return EventRow(at, event.kind, event.action, service.id, (*about, *event.attributes))
    if event.kind == "volume":
        said = dict(event.attributes) | {"container": service.id}
        return EventRow(at, event.kind, event.action, said.pop("name"), tuple(sorted(said.items())))
    about = (("container", service.id), *event.attributes, ("type", "bridge"))
    return EventRow(at, event.kind, event.action, network_id(dict(event.attributes)["name"]), about)


def daemon_id(host: str) -> str:
    """Return a made-up id of the engine: twelve groups of four that depend on the host's name alone.

    >>> daemon_id("host")
    'GGRT:AI2E:OHZG:7SPH:TY3Y:JDWU:L4RL:DZRT:OQRH:JSKR:ZJUA:ERG3'
    """
    from base64 import b32encode
    from hashlib import blake2b

    letters = b32encode(blake2b(host.encode(), digest_size=30).digest()).decode()
    return ":".join(letters[place : place + 4] for place in range(0, 48, 4))


def network_id(name: str) -> str:
    """Return a made-up id of a network: 64 hex digits that depend on its name alone."""
    from hashlib import blake2b

    return blake2b(name.encode(), digest_size=32).hexdigest()
