"""The replay behind `sim.views.intervals`: which fact concerns which container, daemon or port.

Rules look at the world before their fact is applied and only note what to look at again; that is done once the moment
is over. A fact about a listener or a rule concerns the ports whose path leads there (kept by address), so a run costs
the same per container however many there are. Leaves out and source: as `sim.views.intervals`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine.program import adopts, home_of, is_orphan
from sim.engine.records import Task
from sim.engine.role import Kind
from sim.engine.setup import Microseconds
from sim.engine.traits import traits
from sim.engines.host.reach import ACCEPT, DNAT, inner, reachable
from sim.facts import BecameReady, EngineEvent, Fid, FrameEnded, FrameStarted, Remembered, StepTaken, UnitChanged
from sim.kernel import events as e
from sim.kernel.addresses import split_address
from sim.kernel.records import Pid, code_of
from sim.trace import Replay, Trace
from sim.views import interval_parts as v
from sim.views.names import daemons, names_of, role_of
from sim.views.spells import Spells
from sim.views.tracks import DaemonTrack, Observer, Track, Watched
from sim.world import World

State = tuple[str, str, Pid]  # state, how it is held, pid


class Replaying:
    """One pass over a trace."""

    def __init__(self, trace: Trace, clients: tuple[str, ...], tally: Observer | None = None) -> None:
        self.trace, self.clients, self.tally = trace, clients, tally
        self.replay = Replay(trace)
        self.world: World = self.replay.world
        begin = (trace.records[0].at or 0) if trace.records else 0
        self.now: Microseconds = begin - trace.origin
        self.begin = self.now
        self.containers = {
            service.name: Watched(service, self.now, self.on_disk(service.name)) for service in trace.setup.services
        }
        design = self.world.design
        self.names = replace(names_of(design), reaper=trace.setup.host.subreaper or "PID 1")
        self.start_procedures = design.engine.starts
        others = (name for name in daemons(design) if name != self.names.engine)
        self.second_name = next(others, "")
        self.engine, self.second = DaemonTrack(self.now), DaemonTrack(self.now)
        self.keeper = self.engine if self.names.keeper == self.names.engine else self.second  # who keeps the tasks
        self.spells = Spells(self.containers)
        self.steps = {step.id: step for terminal in trace.setup.terminals for step in terminal}
        self.payloads: dict[Pid, Watched] = {}
        self.dirty: dict[str, None] = {}
        self.lives: list[v.Life] = []
        self.deaths: list[v.Death] = []
        self.marks: list[v.Mark] = []
        self.connections: list[v.Connection] = []
        self.flushes: list[Microseconds] = []
        self.proxies_left: list[Microseconds] = []
        self.starts: list[v.Start] = []
        self.ports: dict[tuple[int, str], dict[str, Track]] = {
            (port.host, port.proto): {client: Track(self.now, False) for client in clients}
            for service in trace.setup.services
            for port in service.published
        }
        self.leads: dict[str, dict[tuple[int, str], None]] = {}  # address -> the ports whose path ends there
        self.dirty_ports: dict[tuple[int, str], None] = {}

    def on_disk(self, name: str) -> bool:
        """Say whether the disk has a container when the run begins."""
        return self.world.design.engine.believed(self.world, name) is not None

    def run(self) -> v.Intervals:
        """Go through the records and return what was found."""
        return self.through().close()

    def through(self) -> Replaying:
        """Go through the records, and return this walk."""
        for record in self.trace.records:
            self.see((record.at or 0) - self.trace.origin, record.event)
            self.replay.step()
        return self

    def see(self, at: Microseconds, event: Any) -> None:
        """Look at a fact, not yet applied, that comes at a moment."""
        if at > self.now:
            self.settle()
            self.now = at
        self.spells.see(self.now, self.world, event)
        if self.tally is not None:
            self.tally.see(self.now, self.world, event)
        if type(event) in RULES:
            RULES[type(event)](self, event)

    def settle(self) -> None:
        """Look again at what the moment that is over has touched."""
        if self.tally is not None:
            self.tally.settle(self.now, self.world)
        if self.dirty:
            for name in self.dirty:
                watched = self.containers[name]
                watched.track.set(self.now, self.state_of(watched))
            self.dirty = {}
        if self.dirty_ports:
            for port, proto in self.dirty_ports:
                for client, track in self.ports[port, proto].items():
                    track.set(self.now, reachable(self.world, port, client, proto))
            self.dirty_ports = {}

    def state_of(self, watched: Watched) -> State:
        """Return a container's state now."""
        lives = self.payloads.get(watched.pid) is watched  # its number may be somebody else's by now
        if lives and watched.execed:
            state = v.STOPPING if watched.told else v.RUNNING if watched.ready else v.UNREADY
            return state, self.held_by(watched.pid), watched.pid
        if watched.starts > 0 or lives:
            return v.STARTING, "", 0
        return (v.DEAD if watched.ran and watched.exists else v.ABSENT), "", 0

    def held_by(self, payload: Pid) -> str:
        """Return who looks after a container that has a process: what its parent is, and whose child that one is."""
        procs = self.world.host.procs
        home, holder = home_of(self.world, payload), procs[procs[payload].ppid]
        held, lost = self.said_of(home)
        if holder.image.program != home:
            return lost
        if held != v.KEPT or not adopts(self.world, holder.ppid):
            return held
        task = self.world.recall(self.keeper.pid, f"task/{procs[payload].image.container}")
        known = isinstance(task, Task) and task.shim_pid == holder.pid
        if not is_orphan(self.world, holder.pid):
            return v.ATTACHED if known else v.UNATTACHED
        engine = self.engine.pid
        known = known and self.payloads[payload].attached_to == engine
        connected = self.world.recall(engine, "connection") == self.second.pid
        return v.REATTACHED if known and engine and connected else v.ORPHANED

    def said_of(self, home: str) -> tuple[str, str]:
        """Return what is said of a container while its process lives where it belongs, and afterwards."""
        if role_of(home).kind is not Kind.HOLDER:
            return v.OWN, v.ADOPTED
        return (v.KEPT, v.NOBODY) if self.names.keeper else (v.ALONE, v.UNHELD)

    def touch_all(self) -> None:
        """Look at every container: a daemon came or went."""
        self.dirty = dict.fromkeys(self.containers)

    def touch_address(self, address: str) -> None:
        """Look at the ports whose path leads to *address*."""
        family, _, port = split_address(address)
        if family.startswith("net/"):
            self.dirty_ports.update(self.leads.get(address, {}))
        elif port and (int(port), family) in self.ports:
            self.dirty_ports[int(port), family] = None

    def lead(self, address: str, port: int, proto: str) -> None:
        """Note that a path of *port* ends at *address*."""
        if (port, proto) in self.ports:
            self.leads.setdefault(address, {})[port, proto] = None
            self.dirty_ports[port, proto] = None

    def close(self) -> v.Intervals:
        """Close what is open at the run's end and return all of it."""
        self.settle()
        end = max(self.trace.end - self.trace.origin, self.now)
        opened = {
            (key, client): tuple((a, b) for a, b, is_open in track.close(end) if is_open)
            for key, tracks in self.ports.items()
            for client, track in tracks.items()
        }
        self.found = v.Intervals(
            begin=self.begin, end=end,
            boots=self.trace.setup.host.begin == "boot",
            containers=tuple(it.lane(self.names, end) for it in self.containers.values()),
            engine=self.engine.lane(self.names.engine, end),
            second=self.second.lane(self.second_name, end),
            connections=tuple(self.connections),
            ports=v.port_tracks(self.trace.setup.services, self.clients, opened),
            marks=tuple(self.marks),
            lives=tuple(self.lives),
            deaths=tuple(self.deaths),
            flushes=tuple(self.flushes),
            proxies_left=tuple(self.proxies_left),
            starts=tuple(self.starts),
            spells=self.spells.close(end),
            names=self.names,
        )  # fmt: skip
        return self.found


def replayed(trace: Trace, clients: tuple[str, ...], tally: Observer | None = None) -> v.Intervals:
    """Replay a trace and return its intervals; a *tally* counts meanwhile."""
    return Replaying(trace, clients, tally).run()


# -- rules: what a fact, not yet applied, concerns -----------------------------------------------------


def _execed(r: Replaying, event: e.Execed) -> None:
    image, pid = event.image, event.pid
    kind = role_of(image.program).kind
    if kind is Kind.PAYLOAD and image.container in r.containers:
        _payload_execed(r, r.containers[image.container], pid)
    elif image.program == r.names.engine:
        r.engine.set(r.now, v.BOOTING, pid)
        r.touch_all()
    elif image.program == r.second_name:
        listens = r.second_name == r.names.keeper  # and is up once it does
        r.second.set(r.now, v.BOOTING if listens else v.UP, pid)
    elif kind is Kind.FORWARDER:
        proto, port, address = r.world.design.engine.forwards(image.argv)
        r.lead(address, port, proto)
    for address in r.world.host.ports_of.get(pid, ()):
        r.touch_address(address)


def _payload_execed(r: Replaying, watched: Watched, pid: Pid) -> None:
    """Begin a payload at its first execve (it waits at its exec fifo) and its life at the second."""
    if r.payloads.get(pid) is not watched:  # a new process, though its number may be the last one's
        if r.payloads.get(watched.pid) is watched:
            del r.payloads[watched.pid]
        r.payloads[pid] = watched
        watched.pid, watched.execed, watched.ready, watched.told, watched.life = pid, False, False, [], -1
    else:
        watched.execed = watched.ran = watched.exists = True
        watched.life = len(r.lives)
        r.lives.append(v.Life(watched.service.name, pid, r.now))
        if watched.asked is not None:
            r.starts.append(v.Start(watched.service.name, watched.asked, r.now))
            watched.asked = None
    r.dirty[watched.service.name] = None


def _change_life(r: Replaying, watched: Watched, **fields: Any) -> None:
    if watched.life >= 0:
        old = {name: getattr(r.lives[watched.life], name) for name in v.Life.__struct_fields__}
        r.lives[watched.life] = v.Life(**(old | fields))
    r.dirty[watched.service.name] = None


def _exited(r: Replaying, event: e.Exited) -> None:
    host, pid = r.world.host, event.pid
    for address in host.ports_of.get(pid, ()):
        r.touch_address(address)
    for fid in r.world.frames_of.get(pid, ()):
        _end_start(r, fid)
    if pid in r.payloads:
        code = code_of(event.status)
        _change_life(r, r.payloads.pop(pid), end=r.now, code=code)
    elif pid == r.engine.pid:
        r.engine.set(r.now, v.DOWN)
        for watched in r.containers.values():
            watched.starts = 0
        r.touch_all()
    elif pid == r.second.pid:
        r.second.set(r.now, v.DOWN)
        r.touch_all()
    elif role_of(host.procs[pid].image.program).kind is Kind.FORWARDER and adopts(r.world, host.procs[pid].ppid):
        r.proxies_left.append(r.now)


def _frame_started(r: Replaying, event: FrameStarted) -> None:
    if event.procedure in r.start_procedures:
        watched = r.containers[event.local["c"]]
        watched.starts += 1
        watched.asked = r.now
        r.dirty[event.local["c"]] = None


def _frame_ended(r: Replaying, event: FrameEnded) -> None:
    _end_start(r, event.fid)


def _end_start(r: Replaying, fid: Fid) -> None:
    frame = r.world.frames.get(fid)
    if frame is not None and frame.procedure in r.start_procedures:
        r.containers[frame.local["c"]].starts -= 1
        r.dirty[frame.local["c"]] = None


def _became_ready(r: Replaying, event: BecameReady) -> None:
    watched = r.containers[event.container]
    watched.ready = True
    _change_life(r, watched, ready=r.now)


def _signalled(r: Replaying, event: e.Signalled) -> None:
    watched = r.payloads.get(event.pid)
    if watched is not None and event.signal in ("TERM", "KILL", watched.service.stop_signal):
        watched.told.append((r.now, event.signal))
        _change_life(r, watched, told=tuple(watched.told))


def _signal_taken(r: Replaying, event: e.SignalTaken) -> None:
    if event.outcome not in ("stopped", "continued"):
        return
    for address in r.world.host.ports_of.get(event.pid, ()):
        r.touch_address(address)
    for daemon in (r.engine, r.second):
        if daemon.pid == event.pid:
            daemon.freeze(r.now, event.outcome == "stopped")


def _frozen(r: Replaying, event: e.Frozen | e.Thawed) -> None:
    for address in r.world.host.ports_of.get(event.pid, ()):
        r.touch_address(address)


def _reparented(r: Replaying, event: e.Reparented) -> None:
    for pid in (event.pid, *r.world.host.children.get(event.pid, ())):  # a payload, or a holder with what it holds
        if pid in r.payloads:
            r.dirty[r.payloads[pid].service.name] = None


def _engine_event(r: Replaying, event: EngineEvent) -> None:
    if event.kind != "container" or event.container not in r.containers:
        return
    watched = r.containers[event.container]
    r.dirty[event.container] = None
    if event.action == "start":
        watched.attached_to = r.engine.pid
    elif event.action == "die":
        r.deaths.append(v.Death(r.now, event.container, int(dict(event.attributes).get("exitCode", "0"))))
    elif event.action in ("create", "destroy"):
        watched.exists = event.action == "create"
        watched.ran = False


def _remembered(r: Replaying, event: Remembered) -> None:
    if event.key == "connection" and event.pid == r.engine.pid:
        r.touch_all()
        if event.value in (None, event.pid):
            return
        frame = r.world.frames.get((event.pid, "connection"))
        failed = frame.local.get("attempt") if frame is not None else 0
        r.connections.append(v.Connection(r.now, (failed or 0) + 1))
    elif event.pid == r.keeper.pid and event.key.startswith("task/"):
        name = event.key[len("task/") :]
        if name in r.containers:  # not an exec's
            r.dirty[name] = None


def _unit_changed(r: Replaying, event: UnitChanged) -> None:
    state = {"active": v.UP, "deactivating": v.LEAVING}.get(event.state)
    if state is not None and r.engine.pid and event.main_pid == r.engine.pid:
        r.engine.set(r.now, state)


def _listened(r: Replaying, event: e.Listened) -> None:
    if event.pid == r.second.pid and event.address == traits(r.world, event.pid).containerd_socket:
        r.second.set(r.now, v.UP)
    r.touch_address(event.address)


def _rule(r: Replaying, event: e.RuleAdded | e.RuleRemoved) -> None:
    rule = event.rule
    if rule.chain == DNAT:
        r.lead(inner(rule.proto, rule.address, rule.to_port), rule.port, rule.proto)
    elif rule.chain == ACCEPT and (rule.port, rule.proto) in r.ports:
        r.dirty_ports[rule.port, rule.proto] = None


def _rules_flushed(r: Replaying, event: e.RulesFlushed) -> None:
    if event.chain == DNAT:
        r.flushes.append(r.now)
    r.dirty_ports = dict.fromkeys(r.ports)


def _step_taken(r: Replaying, event: StepTaken) -> None:
    step = r.steps.get(event.id)
    if step is not None:
        r.marks.append(v.Mark(r.now, step.id, step.text or step.id, step.command))


RULES: dict[type, Callable[[Replaying, Any], None]] = {
    e.Execed: _execed,
    e.Exited: _exited,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    e.Frozen: _frozen,
    e.Thawed: _frozen,
    e.Reparented: _reparented,
    e.Listened: _listened,
    e.Unlistened: lambda r, event: r.touch_address(event.address),
    e.RuleAdded: _rule,
    e.RuleRemoved: _rule,
    e.RulesFlushed: _rules_flushed,
    FrameStarted: _frame_started,
    FrameEnded: _frame_ended,
    BecameReady: _became_ready,
    EngineEvent: _engine_event,
    Remembered: _remembered,
    UnitChanged: _unit_changed,
    StepTaken: _step_taken,
}
