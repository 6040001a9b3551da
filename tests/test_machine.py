"""Anything may happen in any order: random actions, commands and kills, and what must hold after each of them.

A machine draws among the enabled actions (most often prompt ones), sends docker and systemctl commands the way the
clients do, and sends signals to processes by role. Laws are those of engine-1.13 §24 that hold for 1.13.1 (V16, V17,
V18, V21, the part of V4 that is containerd's own) and plain bookkeeping. Numbers do not wrap: test_ledger has that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sim.drive.timed import Timed
from sim.engine import paths
from sim.engine.ops import Answered, Every, Join, Lock, Op, Reap
from sim.engine.proxy import bound
from sim.engine.records import Container, Endpoint, Task
from sim.engine.setup import (
    MS,
    Child,
    Daemon,
    Ends,
    EngineSetup,
    HostSetup,
    Instant,
    KillProcess,
    OnTerm,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
    Target,
    Unit,
)
from sim.facts import Fid, FrameStarted, Message, Sent
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.records import INIT, OUTSIDE, Pid, Process
from sim.model import Go, Late, act, enabled, initial
from sim.trace import Replay
from sim.world import Frame, Key, Turn, World, touches
from tests.kernel.strategies import indexes, stored_indexes, uses

ROLES = ("dockerd", "containerd", "shim", "proxy", "payload", "child", "runc", "hook", "iptables")
SIGNALS = ("KILL", "TERM", "STOP", "CONT")
VERBS = ("run", "create", "start", "stop", "kill", "restart", "rm")
QUIET_WITHIN = 5_000  # prompt actions until a host with two containers has nothing left to do at once


# -- worlds -----------------------------------------------------------------------------------------


def service(name: str, digit: str, **more: Any) -> Service:
    """Return a service with short times."""
    return Service(name, digit * 64, name, name, (), **{"payload": Payload(name, (name,)), **more})


SERVICES = (
    service("web", "a", ports=(Port(8080, 80), Port(8443, 443)), restart=Restart("always")),
    service("db", "b", ports=(Port(5432, 5432),), restart=Restart("unless-stopped"),
            payload=Payload("sh", ("sh",), children=(Child("db", ("db",)),), on_term=OnTerm("none"))),
    service("job", "c", restart=Restart("on-failure", 2), payload=Payload("job", ("job",), exits=Ends(1, 50 * MS)),
            stop_signal="INT", ports=(Port(8080, 80),)),
)  # fmt: skip

SETUPS = st.builds(
    Setup,
    services=st.sampled_from((SERVICES[:1], SERVICES[:2], SERVICES)),
    host=st.builds(HostSetup, begin=st.sampled_from(("steady", "steady", "boot", "off"))),
    engine=st.builds(
        EngineSetup,
        daemon=st.builds(Daemon, live_restore=st.booleans(), userland_proxy=st.sampled_from((True, True, False))),
        unit=st.builds(
            Unit,
            restart=st.sampled_from(("on-abnormal", "always", "no")),
            kill_mode=st.sampled_from(("process", "process", "control-group", "mixed")),
            timeout_stop=st.just(5 * S),
        ),
    ),
)


def op_at(world: World, frame: Frame) -> Op:
    """Return the op that a goroutine stands at."""
    return world.design.procedures[frame.procedure].ops[frame.op]


def prompt(world: World) -> list[Any]:
    """Return the enabled actions that take no time of their own."""
    return [a for a in enabled(world) if not isinstance(a, Late) and not _is_timer(world, a)]


def timers(world: World) -> list[Any]:
    """Return the enabled actions that only time brings: sleeps, ticks, time limits."""
    return [a for a in enabled(world) if isinstance(a, Late) or _is_timer(world, a)]


def _is_timer(world: World, action: Any) -> bool:
    return isinstance(action, Go) and op_at(world, world.frames[action.fid]).timer


def living(world: World, program: str) -> list[Process]:
    """Return the living processes of a program that no KILL is on its way to."""
    return [p for p in world.host.procs.values() if p.image.program == program and p.alive and "KILL" not in p.pending]


# -- laws -------------------------------------------------------------------------------------------


def the_kernel_s_indexes_are_right(world: World) -> None:
    """Every index of the host equals a recount from its records."""
    assert stored_indexes(world.host) == indexes(world.host)
    assert world.host.uses == uses(world.host)


def everything_belongs_to_somebody_who_lives(world: World) -> None:
    """Goroutines, memory, queues and locks belong to living processes, or to people outside."""
    owners: set[Pid] = {fid[0] for fid in world.frames} | {fid[0] for fid in world.replies}
    owners |= {pid for table in (world.memory, world.queues, world.locks, world.frames_of) for pid in table}
    owners |= {pid for pid, _ in world.counts}
    assert [pid for pid in owners if pid != OUTSIDE and not world.host.alive(pid)] == []
    assert set(world.replies) <= set(world.frames)


def the_world_s_indexes_are_right(world: World) -> None:
    """Goroutines by process, and their number by procedure, equal a recount."""
    assert {fid for fids in world.frames_of.values() for fid in fids} == set(world.frames)
    assert world.counts == Counter((fid[0], frame.procedure) for fid, frame in world.frames.items())


def a_lock_is_held_and_waited_for_by_goroutines_that_are_there(world: World) -> None:
    """Holders exist; who waits stands at that lock's op, once."""
    for owner, locks in world.locks.items():
        for name, lock in locks.items():
            assert lock.holder in world.frames, (name, lock)
            assert lock.holder not in lock.waiting
            assert len(set(lock.waiting)) == len(lock.waiting)
            for fid in lock.waiting:
                op = op_at(world, world.frames[fid])
                assert isinstance(op, Lock)
                assert op.owner(world.frames[fid]) == (owner, name)


def there_is_one_dockerd_and_one_containerd(world: World) -> None:
    """V16, V18: at most one of each, and a containerd whose dockerd has died is about to be killed."""
    assert len(living(world, "dockerd")) <= 1
    assert len(living(world, "containerd")) <= 1
    for process in living(world, "containerd"):
        parent = world.host.procs[process.ppid]
        assert parent.image.program == "dockerd"
        assert parent.alive


def containerd_has_one_shim_a_container(world: World) -> None:
    """V4, as far as containerd knows: no two living shims of one container are its own, and tasks share nothing."""
    for containerd in living(world, "containerd"):
        shims = Counter(p.image.container for p in living(world, "shim") if p.ppid == containerd.pid)
        assert all(count == 1 for count in shims.values()), shims
        tasks = [v for v in world.memory.get(containerd.pid, {}).values() if isinstance(v, Task)]
        for numbers in ([t.shim_pid for t in tasks if t.shim_pid], [t.payload_pid for t in tasks if t.payload_pid]):
            assert len(set(numbers)) == len(numbers)


def dockerd_s_addresses_and_ports_are_its_endpoints(world: World) -> None:
    """V21: an address has one endpoint and an endpoint its address; a reserved port is one that its owner publishes.

    A boot may leave a reservation without an endpoint (T49).
    """
    for dockerd in living(world, "dockerd"):
        memory = world.memory.get(dockerd.pid, {})
        endpoints = {v.container: v for v in memory.values() if isinstance(v, Endpoint)}
        places = [(v.network, v.number) for v in endpoints.values()]
        assert len(set(places)) == len(places), places
        taken = {key: v for key, v in memory.items() if key.startswith("address/")}
        assert taken == {f"address/{v.network}/{v.number}": v.container for v in endpoints.values()}
        for key, owner in memory.items():
            if key.startswith(("tcp:", "udp:")):
                ports = endpoints[str(owner)].ports if owner in endpoints else world.services[str(owner)].ports
                assert key in {bound(port) for port in ports}, (key, owner)


def a_host_port_has_one_listener(world: World) -> None:
    """No two processes listen on one port of the host, and a proxy listens where its words say."""
    for address, pid in world.host.listeners.items():
        image = world.host.procs[pid].image
        if image.program == "proxy":
            assert address == f"{image.argv[2]}:{image.argv[4]}:{image.argv[6]}"


def a_container_s_records_name_it(world: World) -> None:
    """What dockerd keeps under a container's name is that container's, and one that restarts counts as running."""
    for dockerd in living(world, "dockerd"):
        for key, value in world.memory.get(dockerd.pid, {}).items():
            if isinstance(value, Container):
                assert key == f"container/{value.name}"
                assert not (value.restarting and not value.running)


LAWS = (
    the_kernel_s_indexes_are_right,
    everything_belongs_to_somebody_who_lives,
    the_world_s_indexes_are_right,
    a_lock_is_held_and_waited_for_by_goroutines_that_are_there,
    there_is_one_dockerd_and_one_containerd,
    containerd_has_one_shim_a_container,
    dockerd_s_addresses_and_ports_are_its_endpoints,
    a_host_port_has_one_listener,
    a_container_s_records_name_it,
)


def dockerd_signals_only_its_own(world: World, events: Iterable[Any]) -> None:
    """V17: dockerd signals children of its own, or the first process of a container that it started."""
    for event in events:
        if not isinstance(event, e.Signalled) or event.by_pid not in world.host.procs:
            continue
        sender, target = world.host.procs[event.by_pid], world.host.procs[event.pid]
        if sender.image.program == "dockerd" and sender.alive:
            assert target.ppid == sender.pid or target.image.program in ("payload", "runc"), (event, target)


def nobody_waits_for_a_process_that_is_not_there(world: World) -> None:
    """Where nothing can happen at once, each goroutine that waits for a process has one to wait for."""
    for fid, frame in world.frames.items():
        op = op_at(world, frame)
        if op.timer or (fid[0] != OUTSIDE and world.host.procs[fid[0]].state != "S"):
            continue
        if isinstance(op, Reap):
            assert world.host.procs[frame.local[op.child]].ppid == fid[0], (frame, op.name)
        if isinstance(op, Answered):
            assert world.host.alive(frame.local["peer_pid"]), (frame, op.name)
        for key in op.reads(world, frame):
            assert key[0] != "proc" or key[1] is None or key[1] in world.host.procs, (frame, op.name, key)


def everything_is_reaped_by_who_reaps(world: World) -> None:
    """V20 as far as it holds: PID 1 and containerd leave no zombie, dockerd none but proxies."""
    for process in world.host.procs.values():
        if process.state != "Z" or process.pid not in world.host.zombies.get(process.ppid, ()):
            continue
        parent = world.host.procs[process.ppid]
        if parent.state == "S":
            assert parent.image.program not in ("init", "containerd"), process
            assert parent.image.program != "dockerd" or process.image.program == "proxy", process


# -- runs -------------------------------------------------------------------------------------------


class TouchingTurn(Turn):
    """A turn that notes what its events touch."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.touched: set[Key] = set()

    def emit(self, event: Any) -> None:
        self.touched.update(touches(self.world, event))
        super().emit(event)


class Run:
    """One world and what may be done to it. *log* holds the actions, so that a failure can be told."""

    def __init__(self, setup: Setup) -> None:
        self.world = initial(setup)[0]
        self.log: list[Any] = []
        self.asked = self._ask()

    def act(self, action: Any) -> None:
        """Take an enabled action and check the laws of single steps."""
        self.log.append(action)
        with self.turn() as turn:
            act(turn, action)
        dockerd_signals_only_its_own(self.world, turn.events)

    @contextmanager
    def turn(self) -> Iterator[TouchingTurn]:
        """Make a turn, and check afterwards that it changed no readiness but by what it touched."""
        turn = TouchingTurn(self.world)
        yield turn
        now = self._ask()
        for fid, (frame, keys, ready) in now.items():
            before = self.asked.get(fid)
            if isinstance(op_at(self.world, frame), Join):
                continue  # a goroutine's name is free again once it has returned: another may bear it already
            if before is not None and before[0] is frame and turn.touched.isdisjoint(before[1]):
                assert (before[1], before[2]) == (keys, ready), (op_at(self.world, frame).name, fid, turn.events)
        self.asked = now

    def _ask(self) -> dict[Fid, tuple[Frame, frozenset[Key], bool]]:
        asked = {}
        for fid, frame in self.world.frames.items():
            op = op_at(self.world, frame)
            ready = op.idle(self.world, frame) if isinstance(op, Every) else op.ready(self.world, frame)
            asked[fid] = frame, frozenset(op.reads(self.world, frame)), bool(ready)
        return asked

    def go(self, count: int, seed: int) -> None:
        """Take up to *count* prompt actions, drawn."""
        dice = Random(seed)
        for _ in range(count):
            actions = prompt(self.world)
            if not actions:
                return
            self.act(dice.choice(actions))

    def quiet(self, seed: int) -> None:
        """Take prompt actions until there are none; stopped processes go on first."""
        for pid, process in list(self.world.host.procs.items()):
            if process.state == "T" or "STOP" in process.pending:
                self._send(pid, "CONT")
        self.go(QUIET_WITHIN, seed)
        assert not prompt(self.world), f"still busy after {QUIET_WITHIN} prompt actions: {prompt(self.world)[:5]}"

    def kill(self, role: str, number: int, signal: str) -> None:
        """Send a signal from outside to one living process of a role."""
        pids = sorted(p.pid for p in self.world.host.procs.values() if p.image.program == role and p.alive)
        if pids:
            self.log.append((signal, role, pids[number % len(pids)]))
            self._send(pids[number % len(pids)], signal)

    def _send(self, pid: Pid, signal: str) -> None:
        with self.turn() as turn:
            syscalls.kill(turn, pid, signal)

    def docker(self, verb: str, container: str, force: bool) -> None:
        """Send a docker command to whoever listens on the API socket; a run is a create, then a start."""
        pid = self.world.host.listeners.get(paths.DOCKER_SOCK)
        for word in ("create", "start") if verb == "run" else (verb,):
            if pid is not None:
                self.log.append((word, container))
                with self.turn() as turn:
                    turn.emit(Sent(pid, "api", Message(word, container, None, (None, None, force))))

    def systemctl(self, verb: str) -> None:
        """Send systemd a job for docker.service."""
        self.log.append(("systemctl", verb))
        with self.turn() as turn:
            turn.emit(Sent(INIT, "bus", Message(verb, "", None, "TERM")))

    def check(self) -> None:
        """Check every law."""
        for law in LAWS:
            law(self.world)


class Machine(RuleBasedStateMachine):
    """The rules: what the machine draws."""

    run: Run

    @initialize(setup=SETUPS, quiet=st.booleans(), seed=st.integers(0, 999))
    def begin(self, setup: Setup, quiet: bool, seed: int) -> None:
        self.run = Run(setup)
        if quiet:
            self._settle(seed)

    def _settle(self, seed: int) -> None:
        for number in range(6):  # the timers of a boot: the second dial, the payloads' first answers
            self.run.quiet(seed + number)
            waiting = [a for a in timers(self.run.world) if not isinstance(a, Late)]
            if waiting:
                self.run.act(waiting[0])

    @rule(count=st.integers(1, 120), seed=st.integers(0, 999))
    def something_happens(self, count: int, seed: int) -> None:
        self.run.go(count, seed)

    @rule(number=st.integers(0, 99))
    def time_passes(self, number: int) -> None:
        actions = timers(self.run.world)
        if actions:
            self.run.act(actions[number % len(actions)])

    @rule(role=st.sampled_from(ROLES), number=st.integers(0, 5), signal=st.sampled_from(SIGNALS))
    def somebody_sends_a_signal(self, role: str, number: int, signal: str) -> None:
        self.run.kill(role, number, signal)

    @rule(verb=st.sampled_from(VERBS), number=st.integers(0, 2), force=st.booleans())
    def somebody_sends_a_docker_command(self, verb: str, number: int, force: bool) -> None:
        services = self.run.world.setup.services
        self.run.docker(verb, services[number % len(services)].name, force)

    @rule(verb=st.sampled_from(("start", "stop", "restart", "kill")))
    def somebody_sends_a_job(self, verb: str) -> None:
        self.run.systemctl(verb)

    @precondition(lambda self: hasattr(self, "run"))
    @invariant()
    def every_law_holds(self) -> None:
        self.run.check()

    def teardown(self) -> None:
        if hasattr(self, "run"):
            self.run.quiet(1)
            self.run.check()
            nobody_waits_for_a_process_that_is_not_there(self.run.world)
            everything_is_reaped_by_who_reaps(self.run.world)


RUNS = settings(deadline=None, report_multiple_bugs=False)


def test_every_law_holds_whatever_happens() -> None:
    """Whatever happens in whatever order: no law breaks, the model has a rule for everything, and it all settles."""
    run_state_machine_as_test(Machine, settings=settings(RUNS, max_examples=400, stateful_step_count=25))


@pytest.mark.long
def test_every_law_holds_whatever_happens_at_length() -> None:
    """The same with many more and longer runs."""
    run_state_machine_as_test(Machine, settings=settings(RUNS, max_examples=3000, stateful_step_count=40))


# -- the timed driver -------------------------------------------------------------------------------

BURSTS = st.lists(
    st.tuples(
        st.integers(0, 3 * MS), st.sampled_from(("proxy/web", "containerd", "dockerd", "payload/web")),
        st.sampled_from(("TERM", "INT", "STOP", "CONT", "KILL")),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60)
@given(burst=BURSTS, seed=st.integers(1, 99))
@example(burst=[(0, "containerd", "TERM"), (0, "containerd", "STOP")], seed=2)
@example(burst=[(0, "proxy/web", "TERM"), (303, "proxy/web", "INT"), (1452, "proxy/web", "TERM")], seed=232)
def test_the_timed_driver_lets_only_the_living_act(burst: list[tuple[int, str, str]], seed: int) -> None:
    """A signal that waits when its process leaves is lost: nothing is taken, started or left by who is dead."""
    terminals = tuple(
        (Step(f"kill {n}", Instant(offset=S + at), KillProcess(Target(*target.partition("/")[::2]), signal)),)
        for n, (at, target, signal) in enumerate(burst)
    )
    setup = Setup(SERVICES[:1], host=HostSetup(uptime=S), terminals=terminals, until=Instant(offset=3 * S))
    replay = Replay(Timed(setup, seed).run())
    for record in replay.trace:
        event = record.event
        if isinstance(event, (FrameStarted, e.SignalTaken, e.Exited)):
            pid = event.fid[0] if isinstance(event, FrameStarted) else event.pid
            assert pid == OUTSIDE or replay.world.host.alive(pid), event
        replay.step()
