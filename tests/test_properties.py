"""Properties: each has a world in which it holds and one in which it does not, and healthy lives break none.

Worlds come from short timed runs: of the rows of the transition table (`tests.rows`), and of a few scenarios below.
Which rows break which property is in `test_invariants`. What Docker 1.13.1 never breaks is broken by hand.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest

from sim.drive.explore import Path as Way
from sim.drive.explore import begin, replay
from sim.drive.timed import Timed, run
from sim.engine import paths
from sim.engine.records import Container
from sim.engines.host.reach import NETNS
from sim.facts import Forgot, Marked, Remembered
from sim.kernel import events as e
from sim.kernel.records import INIT, Image
from sim.model import OPENED, initial, step
from sim.predicates import STAGE, dockerd, is_program, programs
from sim.properties import ALWAYS, EVENTUALLY, KINDS, NOT_MODELLED, PROPERTIES, SOMETIMES, Property, watchers
from sim.scenario import load
from sim.scenario.verdict_properties import Outcome, StepRecords, judge, states_of
from sim.trace import Record, Trace
from sim.world import Turn, World, evolve
from tests.canonical import key
from tests.drive.lives import CASES as LIVES
from tests.drive.lives import WITH_PORT, docker, setup_of
from tests.drive.lives import kill as kill_step
from tests.drive.plain import choices
from tests.rows import SCENARIOS, text_of
from tests.test_canonical import a_permutation, renamed
from tests.test_transitions import ALWAYS as RESTARTED
from tests.test_transitions import CRASHING, OFF, RUN, UNLESS, WEB

# -- scenarios of their own -------------------------------------------------------------------------

OWN = {
    "healthy": UNLESS + "steps: [{at: 1s, docker: stop web}, {at: 5s, docker: start web}]\nuntil: 20s\n",
    "stopped": UNLESS + "steps: [{at: 1s, docker: stop web}, {at: 20s, kill: dockerd}]\nuntil: 60s\n",
    "dockerd dies in a start": RUN + """\
  - {id: hang, at: Forked(runc/web)#2, stop: dockerd}
  - {id: kill, at: hang+1s, kill: dockerd}
until: kill+60s
""",
    "containerd dies in a start": 'services: {db: {image: pg, ports: ["90:90"]}}\n' + """\
steps:
  - {at: 10s, docker: run -d --name web -p 80:80 nginx}
  - {id: hang, at: Forked(runc/web)#2, stop: containerd}
  - {id: down, at: hang+40ms, kill: containerd}
  - {at: down+20s, docker: run -d --name third -p 81:81 nginx}
until: down+60s
""",
}  # fmt: skip


@cache
def traced(name: str) -> Trace:
    if name in SCENARIOS:
        return run(SCENARIOS[name].setup)
    return run(load("f", text=OWN[name]).setup, 2)


@cache
def outcomes(name: str) -> dict[str, Outcome]:
    return judge(traced(name), PROPERTIES.values())


# -- each property, both ways -----------------------------------------------------------------------

# property -> a run in which it holds, one in which it does not, and what is said there
BOTH_WAYS = {
    "V1": ("T12", "T34", "web is said to run and does not"),
    "V2": ("T1", "T35", "web has a payload and dockerd does not know"),
    "V3": ("T26", "T28", "payload/web (62) is a child of init (1)"),
    "V4": ("T26", "T28", "web has 0 shims"),
    "V4b": ("T33", "V4", "shim/web (45) has no payload"),
    "V5": ("T26", "T30", "shim/web (45) is a child of init (1)"),
    "V6": ("T28", "V6", "payload/web (62) lives and has no shim"),
    "V7": ("T27", "T28", "die told an exit code of web that is not the real one"),
    "V7b": ("T19", "V7", "docker exec said 126 of a command that runs in web"),
    "V8": ("T12", "T23", "tcp:0.0.0.0:80 of web has no proxy that is a child of dockerd"),
    "V9": ("T23", "T49", "tcp:0.0.0.0:80 is still taken for web"),
    "V10": ("T8", "T9", "web does not run again"),
    "V11": ("stopped", "T15#2", "web was started again, and nobody asked for it"),
    "V11b": ("healthy", "T17#2", "web does not run again"),
    "V12": ("T12", "T14", "web ran when docker stop said that it had stopped it"),
    "V13": ("T12", "T16", "step kill has no answer"),
    "V14": ("T51#2", "T48", "web had two starts without a die between them, or two dies without a start"),
    "V14b": ("T33", "T34", "web has ended and no die was said"),
    "V15": ("T33", "T34", "containerd's exit event of web never came to dockerd"),
    "V17": ("T14", "T14b", "dockerd has signalled a process that is not its own"),
    "V19": ("T47", "dockerd dies in a start", "web still runs under a later dockerd"),
    "V20": ("T23", "T23#2", "proxy/web (38, zombie) was not reaped by dockerd (2)"),
    "V21": ("T35", "containerd dies in a start", "third and web share 172.17.0.3"),
    "V22": ("T32", "T31", "dockerd lives without a containerd"),
    "V23": ("T19", "V23", "db waits in containerd for web"),
    "V24": ("T43", "T45", "/var/run/docker.pid says 1000, which is dockerd (996)"),
    "V25": ("T38", "T43", "port 80 of web is closed to loopback clients while dockerd is away"),
    "V25b": ("T52", "T53#2", "web waits in write(2) while dockerd is away"),
    "a_container_runs": ("T1", "T5", "no container runs"),
    "a_port_answers": ("T1", "T5", "no published port is open to remote clients"),
    "a_shim_is_an_orphan": ("T30", "T26", "no shim is a child of PID 1"),
    "a_policy_restarts": ("T8", "T7", "no policy has restarted a container"),
    "a_container_ends": ("T7", "T1", "no container has ended"),
    "dockerd_leaves": ("T43", "T26", "dockerd lives"),
}


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_a_property_holds_in_one_run_and_not_in_another(name: str) -> None:
    """A property tells a good run from a bad one, and says in a few words what is bad."""
    good, bad, said = BOTH_WAYS[name]
    assert outcomes(good)[name].holds
    found = outcomes(bad)[name]
    assert (found.holds, found.said) == (False, said)


# What else a sentence says: property, scenario, what is said (nothing where it holds)
MORE = [
    ("V1", text_of("V4"), "web is said to run and does not"),  # a zombie is no program that runs
    ("V2", OWN["dockerd dies in a start"], "web has a payload and no record says so"),
    ("V10", RESTARTED + "steps: [{at: 1s, docker: kill web}]\nuntil: 20s\n", ""),
    ("V10", RESTARTED + "steps: [{at: 1s, docker: kill -s INT web}, {at: 5s, kill: payload/web}]\nuntil: 20s\n", ""),
    ("V10", RESTARTED + "steps: [{at: 1s, docker: kill -s HUP web}, {at: 5s, kill: payload/web}]\nuntil: 20s\n",
     "web does not run again"),
    ("V10", RESTARTED.replace("always", "always, stop_signal: HUP")
     + "steps: [{at: 1s, docker: kill -s HUP web}]\nuntil: 20s\n", ""),
    ("V10", RESTARTED + "steps: [{at: 1s, docker: [stop web, start web]}, {at: 9s, docker: kill -s HUP web}, "
     "{at: 10s, kill: payload/web}]\nuntil: 20s\n", "web does not run again"),  # a start makes a stop undone
    ("V10", RESTARTED + "steps: [{at: 1s, systemctl: stop docker}]\nuntil: 60s\n", ""),
    ("V10", OFF + RESTARTED + "steps: [{systemctl: start docker}, {at: 5s, docker: create --name web nginx}]\n"
     "until: 20s\n", ""),  # it has never run
    ("V11", UNLESS + "steps: [{at: 1s, docker: stop web}, {at: 9s, docker: restart web}]\nuntil: 20s\n", ""),
    ("V11", UNLESS + "steps: [{at: 1s, systemctl: restart docker}]\nuntil: 20s\n", ""),  # dockerd stopped it by itself
    ("V14", WEB + "steps: [{at: 1s, docker: rm -f web}, {at: 5s, docker: run -d --name web nginx}]\nuntil: 20s\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "said"), MORE)
def test_what_a_sentence_counts_and_what_not(name: str, text: str, said: str) -> None:
    """What people do on purpose is no violation, and what only looks like it is one."""
    found = judge(run(load("f", text=text).setup), [PROPERTIES[name]])[name]
    assert (found.holds, found.said) == (not said, said)


# -- what 1.13.1 never breaks -----------------------------------------------------------------------


def at_rest() -> World:
    """Return a host on which web runs."""
    trace = traced("T1")
    return trace.at(trace.end)


def one_of(world: World, program: str) -> int:
    return next(pid for pid, process in world.host.procs.items() if process.image.program == program)


def a_second_dockerd(world: World) -> None:
    evolve(world, e.Forked(900, INIT, 900, 900, 0, "/"))
    evolve(world, e.Execed(900, Image("dockerd", "dockerd", ("dockerd",))))


def containerd_below_init(world: World) -> None:
    evolve(world, e.Reparented(one_of(world, "containerd"), INIT))


def replace_process(world: World, program: str, **fields: Any) -> None:
    pid = one_of(world, program)
    world.host.procs[pid] = msgspec.structs.replace(world.host.procs[pid], **fields)


def a_proxy_elsewhere(world: World) -> None:
    evolve(world, e.Unlistened("tcp:0.0.0.0:80"))
    evolve(world, e.Listened("tcp:0.0.0.0:81", one_of(world, "proxy")))


def a_member_of_web(world: World) -> None:
    payload = one_of(world, "payload")
    evolve(world, e.Forked(900, payload, 900, 900, payload, "/"))
    replace_process(world, "payload", state="Z", threads=(), pending=frozenset())


def a_record_that_only_restarts(world: World) -> None:
    evolve(world, Remembered(one_of(world, "dockerd"), "container/web", Container("web", restarting=True)))


def alone(container: str) -> Callable[[World], None]:
    """Return what lets a second container, db, have the address of web; *container* is whose program runs."""

    def share(world: World) -> None:
        web = world.services["web"]
        world.services = {**world.services, "db": msgspec.structs.replace(web, name="db", id="d" * 64)}
        world.host.files[NETNS + "db"] = world.host.files[NETNS + "web"]
        if container == "db":
            pid = one_of(world, "shim")
            evolve(world, e.Forked(900, pid, 900, 900, 900, f"/system.slice/docker-{'d' * 64}.scope"))
            evolve(world, e.Execed(900, Image("payload", "db", ("db",), "db")))

    return share


def below_another_shim(world: World) -> None:
    """Let web's shim serve db, and containerd forget web, so that nobody is about to kill it."""
    image = world.host.procs[one_of(world, "shim")].image
    replace_process(world, "shim", image=msgspec.structs.replace(image, container="db"))
    del world.host.files[f"{paths.STATE}/{world.services['web'].id}/state.json"]


def connected_with_the_dead(world: World) -> None:
    evolve(world, Remembered(one_of(world, "dockerd"), "connection", 999))


def a_port_kept(world: World) -> None:
    """web stops: its port is still given away, no proxy listens."""
    evolve(world, e.Unlistened("tcp:0.0.0.0:80"))
    evolve(world, Remembered(one_of(world, "dockerd"), "container/web", Container("web")))


def a_proxy_kept(world: World) -> None:
    """web stops: its proxy listens, the port is free."""
    evolve(world, Forgot(one_of(world, "dockerd"), "tcp:0.0.0.0:80"))
    evolve(world, Remembered(one_of(world, "dockerd"), "container/web", Container("web")))


@pytest.mark.parametrize(
    ("name", "change", "holds"),
    [
        ("V3", below_another_shim, False),
        ("V6", below_another_shim, False),
        ("V9", a_port_kept, False),
        ("V9", a_proxy_kept, False),
        ("V21", alone("web"), True),
        ("V21", alone("db"), False),
        ("V22", connected_with_the_dead, False),
    ],
)
def test_a_fault_of_its_own_is_found(name: str, change: Callable[[World], None], holds: bool) -> None:
    """Each part of a sentence counts by itself."""
    world = at_rest()
    assert PROPERTIES[name].holds(world)
    change(world)
    assert PROPERTIES[name].holds(world) is holds


BY_HAND: dict[str, Callable[[World], None]] = {
    "V16": a_second_dockerd,
    "V18": containerd_below_init,
    "every_parent_is_there": lambda world: replace_process(world, "shim", ppid=901),
    "the_dead_have_no_living_children": lambda world: replace_process(world, "shim", state="Z"),
    "the_dead_hold_nothing": lambda world: replace_process(world, "shim", state="Z"),
    "a_namespace_dies_with_its_first_process": a_member_of_web,
    "who_listens_lives": lambda world: replace_process(world, "proxy", state="Z"),
    "who_holds_a_fifo_lives": lambda world: replace_process(world, "shim", state="Z"),
    "a_proxy_listens_where_its_words_say": a_proxy_elsewhere,
    "containerd_s_pid_file_names_dockerd_s_child":
        lambda world: evolve(world, e.FileWritten(paths.CONTAINERD_PID, 902)),
    "who_waits_for_its_restart_counts_as_running": a_record_that_only_restarts,
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_what_never_breaks_can_be_broken_by_hand(name: str) -> None:
    """An invariant or law that holds in every run is one that would notice."""
    prop, world = PROPERTIES[name], at_rest()
    assert prop.holds(world)
    BY_HAND[name](world)
    assert not prop.holds(world)
    assert prop.said(world)


def test_every_property_is_tried_both_ways() -> None:
    """No row of the table is without a world that breaks it."""
    assert set(BOTH_WAYS) | set(BY_HAND) == set(PROPERTIES)
    assert not set(BOTH_WAYS) & set(BY_HAND)


def test_the_table_covers_all_of_section_24() -> None:
    """V1 to V25 each have a property; each row says what it is and whence."""
    numbers = {f"V{number}" for number in range(1, 26)}
    assert numbers <= set(PROPERTIES)
    assert set(NOT_MODELLED) <= numbers
    assert not any(re.search(r"\bT\d", why) for why in NOT_MODELLED.values())  # rows that no other design has
    for name, prop in PROPERTIES.items():
        assert prop.name == name
        assert prop.kind in KINDS
        assert prop.sentence[0].isupper() or prop.sentence[0] == "{"
        assert prop.sentence.endswith(".")
        assert prop.source


# -- no false alarms --------------------------------------------------------------------------------


def watched(world: World, prop: Property, event: Any) -> None:
    """Apply an event to a world with the watchers of a property."""
    marks = [mark for rule in watchers([prop]).get(type(event), ()) for mark in rule(world, event)]
    evolve(world, event)
    for mark in marks:
        assert isinstance(mark, tuple)
        evolve(world, Marked(*mark))


@pytest.mark.parametrize("case", ["port", pytest.param("steady", marks=pytest.mark.long)])
def test_no_order_of_a_healthy_life_breaks_anything(case: str) -> None:
    """In every state of a life without faults each invariant and law holds, whatever the order."""
    setup, start = LIVES[case]
    world, _ = begin(setup, start)
    world.watch = watchers(PROPERTIES.values(), world.watch)
    asked = [prop for prop in PROPERTIES.values() if prop.kind != SOMETIMES]
    found, todo, wrong = {_key(world)}, deque([world]), set()
    while todo:
        world = todo.popleft()
        actions = choices(world)
        wrong |= {it.name for it in asked if (it.kind == ALWAYS or not actions) and not it.holds(world)}
        for action in actions:
            twin = world.copy()
            step(twin, action)
            if _key(twin) not in found:
                found.add(_key(twin))
                todo.append(twin)
    assert (len(found) > 2000, wrong) == (True, set())


def _key(world: World) -> tuple[bytes, tuple[tuple[str, int], ...]]:
    return key(world), tuple(sorted((name, count) for name, count in world.marks.items() if count))


# -- what a property may read -----------------------------------------------------------------------

STORM = setup_of(
    WITH_PORT, kill_step("containerd", "k1"), *docker("stop", "start"), kill_step("dockerd", "k2"), begin="steady"
)


def walk(seed: int) -> list[World]:
    """Return some worlds of a random walk, with their marks."""
    dice, kept = Random(seed), []
    world, _ = initial(STORM)
    world.watch = watchers(PROPERTIES.values(), world.watch)
    while actions := choices(world):
        step(world, dice.choice(actions))
        if dice.random() < 0.05:
            kept.append(world.copy())
    return kept


class Unreadable(dict[Any, Any]):
    """A table that is looked up by key, and never as a whole."""

    def __iter__(self) -> Any:
        raise AssertionError("the whole table was read")

    items = values = keys = __len__ = __iter__


def test_numbers_and_order_of_processes_do_not_matter() -> None:
    """Other numbers for all processes, another order of forks, no id counter: every answer is the same."""
    dice = Random(7)
    for world in walk(3):
        twin = renamed(world, a_permutation(world, dice))
        for pid, process in twin.host.procs.items():
            twin.host.procs[pid] = msgspec.structs.replace(process, order=dice.randrange(1000))
        twin.host.uses = {}
        twin.host.last_pid = twin.host.forks = -1
        scopes = world.host.grouped
        twin.host.grouped = {scope: dict.fromkeys(_renamed_pids(twin, scope)) for scope in scopes}
        twin.frames = Unreadable(twin.frames)
        answers = {name: prop.holds(world) for name, prop in PROPERTIES.items()}
        assert {name: prop.holds(twin) for name, prop in PROPERTIES.items()} == answers


def _renamed_pids(world: World, scope: str) -> list[int]:
    return [pid for pid, process in world.host.procs.items() if process.cgroup == scope]


def test_asking_changes_nothing() -> None:
    """A world is the same after every question, and what is said is said where a property does not hold alone."""
    for world in walk(4):
        before = _key(world)
        for prop in PROPERTIES.values():
            assert bool(prop.said(world)) != prop.holds(world)
        assert _key(world) == before


# -- history ----------------------------------------------------------------------------------------


def test_marks_are_small_and_named_alike() -> None:
    """After many crashes and commands marks are still few, of three parts, and their numbers at most an exit code."""
    deeds = ("{at: 20s, kill: dockerd}", "{at: 40s, docker: stop web}", "{at: 60s, systemctl: restart docker}",
             "{at: 70s, systemctl: stop docker}")  # fmt: skip
    text = CRASHING + "".join(f"  - {deed}\n" for deed in deeds) + "until: 90s\n"
    marks = marks_of(last_world(run(load("f", text=text).setup)))
    assert 4 < len(marks) < 20
    for name, count in marks.items():
        number, _, container = name.split(":")
        assert number in PROPERTIES
        assert container == "web"
        assert 0 <= count <= 256


def test_a_trace_that_holds_the_marks_already_gives_the_same() -> None:
    """The watchers serve an exploration and a walk along its trace; applying both changes nothing."""
    world, _ = initial(STORM)
    world.watch = watchers(PROPERTIES.values(), world.watch)
    dice, actions = Random(1), []
    while found := choices(world):
        actions.append(dice.choice(found))
        step(world, actions[-1])
    plain = replay(STORM, Way(tuple(actions)))
    assert marks_of(last_world(plain)) == marks_of(world) != {}
    assert marks_of(last_world(_with_marks(plain))) == marks_of(world)


def _with_marks(plain: Trace) -> Trace:
    """Return a path with the marks that an exploration would have set."""
    world, marked = plain.first_world(), Trace(STORM)
    world.watch = watchers(PROPERTIES.values(), world.watch)
    for record in plain:
        turn = Turn(world)
        if not isinstance(record.event, Marked) or record.event.name == OPENED:
            turn.emit(record.event)
        for event in turn.events:
            marked.records.append(Record(len(marked.records), None, -1, event))
    return marked


def last_world(trace: Trace) -> World:
    """Return the world at the end of a trace, with the marks of all properties."""
    worlds = [world for world, _ in states_of(trace, PROPERTIES.values())]
    return worlds[-1]


def marks_of(world: World) -> dict[str, int]:
    """Return the marks that properties have set."""
    return {name: count for name, count in world.marks.items() if name.startswith("V")}


def test_a_watcher_that_two_properties_share_is_asked_once() -> None:
    """V10 and V11b keep one history; a world's own watchers stay first."""
    table = watchers([PROPERTIES["V10"], PROPERTIES["V11b"]], {Marked: (lambda world, event: (),)})
    assert [len(rules) for rules in table.values()] == [1, 1]


# -- steps of a trace -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["T8", "T28", "T35", "T47", "T48", "T49", "T51#2", "containerd dies in a start"])
def test_no_state_is_asked_within_a_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a walk sees a step end, one ends; and it sees most of them."""
    true = set()
    happen = Timed._happen

    def noted(self: Timed, action: Any) -> None:
        true.add(self.turn.seq)
        happen(self, action)

    monkeypatch.setattr(Timed, "_happen", noted)
    setup = SCENARIOS[name].setup if name in SCENARIOS else load("f", text=OWN[name]).setup
    trace = run(setup)
    found = begun(trace)
    assert found <= true
    assert len(found) > 0.75 * len(true)


def begun(trace: Trace) -> set[int]:
    """Return the numbers of the records that begin a step for certain, the first one apart."""
    world, now, found = trace.first_world(), StepRecords(), set()
    for record in trace:
        if now.is_over_before(record):
            found.add(record.seq)
            now = StepRecords()
        evolve(world, record.event)
        now.take(world, record)
    return found


def test_states_of_an_explored_path_are_states() -> None:
    """On a path without times, too, a walk asks between steps alone."""
    setup, start = LIVES["port"]
    world, way = begin(setup, start)
    dice, actions = Random(5), list(way.actions)
    while found := choices(world):
        actions.append(dice.choice(found))
        step(world, actions[-1])
    trace = replay(setup, Way(tuple(actions)))
    world, events = initial(setup)
    true, at = set(), len(events)
    for action in actions:
        true.add(at)
        at += len(step(world, action))
    assert begun(trace) <= true
    assert len(begun(trace)) > 0.6 * len(true)


def test_states_count_from_t_0() -> None:
    """What a steady host did before the terminals opened is watched, not asked about."""
    worlds = [world.marks.get(OPENED) for world, _ in states_of(traced("T11"))]
    assert set(worlds) == {1}


# -- predicates' ground -----------------------------------------------------------------------------


def test_a_program_is_told_from_the_stage_of_runc_before_it() -> None:
    """The first process waits as runc:[2:INIT] and then runs its program; only then it counts."""
    seen = set()
    trace = traced("T1")
    for world, _ in states_of(trace):
        for process in world.host.procs.values():
            if process.image.program == "payload":
                assert is_program(process.image) == bool(programs(world, "web"))
                seen.add(process.image.comm)
    assert seen == {STAGE, "nginx"}


def test_the_engine_is_found() -> None:
    """dockerd is the unit's main process; it is missing where it is dead."""
    world = at_rest()
    assert dockerd(world) == one_of(world, "dockerd")
    dead = traced("T43").at(traced("T43").origin + 1_050_000)  # 50 ms after the kill
    assert dockerd(dead) is None


def test_kinds_are_judged_each_in_its_way() -> None:
    """always: the first state that is bad. sometimes: the first that is good. eventually: the last one alone."""
    calls: list[str] = []

    def asked(name: str, holds: bool) -> Property:
        def ask(world: World) -> bool:
            calls.append(name)
            return holds

        return Property(name, name.partition("-")[0], "A sentence.", ask, said=lambda world: "so")

    names = [(kind, holds) for kind in KINDS for holds in (True, False)]
    found = judge(traced("T11"), [asked(f"{kind}-{holds}", holds) for kind, holds in names])
    assert {name: outcome.holds for name, outcome in found.items()} == {f"{k}-{h}": h for k, h in names}
    states = found["always-True"].states
    assert [calls.count(f"{kind}-{holds}") for kind, holds in names] == [states, 1, 1, states, 1, 1]
    assert [found[f"{EVENTUALLY}-False"].said, found[f"{ALWAYS}-True"].said] == ["so", ""]
