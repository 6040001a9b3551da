"""Check statecharts against the tables that they are made of, and what is said to be reached against what was taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import networkx
import pytest

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.engine import ops
from sim.engine.ops import Answered, Ask, Do, Go, Goto, Jump, Label, Lock, Reap, Return, Serve, Switch, Unlock, Wait
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.facts import FrameMoved, FrameStarted
from sim.model import enabled, initial, step
from sim.scenario import load
from sim.views.reached import END, between, passed, reached_in
from sim.views.statechart import KINDS, Chart, Place, chart, charts, graph, kind_of, ways

DOCKER = DESIGNS["docker-1.13"]
TABLES = {name: table for design in DESIGNS.values() for name, table in design.procedures.items()}
CHARTS = {it.procedure: it for design in DESIGNS.values() for it in charts(design)}
BUSY = """\
services:
  web: {image: nginx, ports: ["80:80", "443:443"], restart: always}
  db: {image: postgres, restart: "on-failure:3", x-payload: {exits: {after: 3s, code: 1}, on_term: ignore}}
  job: {image: job, x-payload: {exits: {after: 2s, code: 0}}}
steps:
  - {id: a, at: 1s, docker: stop db}
  - {id: b, at: 1s, docker: restart web}
  - {id: c, at: 14s, docker: kill web}
  - {id: d, at: 16s, docker: start web}
  - {id: e, at: 20s, kill: containerd}
  - {id: f, at: 30s, kill: shim/web}
  - {id: g, at: 40s, systemctl: restart docker}
  - {id: h, at: 70s, docker: rm -f db}
  - {id: i, at: 75s, kill: dockerd}
until: 120s
"""
STORIES = {
    "busy": load("busy.yaml", BUSY).setup,
    **{name: load(name).setup for name in ("document", "document-live-restore", "reboot-herd")},
}


def said_by(table: Procedure) -> set[tuple[int, int, str]]:
    """Return the ways that a table's ops, next and goto say, by a rule a kind."""
    found = set()
    for op in table.ops:
        if isinstance(op, Jump):
            continue
        if isinstance(op, Serve):
            found |= {(op.index, op.index, kind) for kind in op.table}
            continue
        if not op.ends and not isinstance(op, Switch):
            found.add((op.index, table.next[op.index], "next"))
        words = list(op.labels)
        if isinstance(op, Ask):
            words = ["refused"]
        elif isinstance(op, Answered):
            words = ["lost", "failed", *words[2:]]
        elif isinstance(op, Reap):
            words = [word for word, label in (("good", op.good), ("bad", op.bad)) if label]
        elif isinstance(op, Wait) and op.late_label is not None:
            words[-1] = "late"
        found |= {(op.index, table.goto[label], word) for label, word in zip(op.labels, words, strict=True)}
    return found


@pytest.mark.parametrize("name", TABLES)
def test_every_op_and_every_way_of_a_table_is_in_its_graph(name: str) -> None:
    """Nodes are the table's ops but for gotos and returns that nothing reaches; edges its ways, with their words."""
    table, drawn = TABLES[name], graph(CHARTS[name])
    left_out = [op for op in table.ops if op.index not in drawn]
    assert all(isinstance(op, Jump | Return) for op in left_out)
    found = {(a, b, word) for a, b, words in drawn.edges(data="words") for word in words}
    assert found == {way for way in said_by(table) if way[0] in drawn}
    assert {way[0] for way in said_by(table)} <= set(drawn)


@pytest.mark.parametrize("name", TABLES)
def test_every_node_can_be_reached(name: str) -> None:
    """From the first op there is a way to every other node."""
    drawn = graph(CHARTS[name])
    assert {0} | networkx.descendants(drawn, 0) == set(drawn)


def test_every_kind_of_op_has_a_kind() -> None:
    """All ops of the vocabulary but gotos are told apart; one that a program made for itself is a wait or a sleep."""
    known = {one for name in ops.__all__ if isinstance(one := getattr(ops, name), type) and issubclass(one, ops.Op)}
    assert known - {ops.Op, ops.Jump} == set(KINDS)
    assert kind_of(TABLES["client.terminal"].ops[1]) == "sleep"


def test_a_chart_says_what_its_table_says() -> None:
    """Names, kinds, labels, limits, handled signals and started procedures of a small program."""

    def work(g: object) -> None: ...

    def ready(world: object, frame: object) -> bool:
        return True

    waits = Wait(ops.reading(lambda world, frame: ())(ready), "busy", within=1_500_000, late="out")
    table = procedure(
        "p.loop", Label("top"), Lock("all"), Do(work), waits, Label("busy"), Unlock("all"), Go("other"), Goto("top"),
        Label("out"), Unlock("all"),
    )  # fmt: skip
    found = chart(Program("p", (table,), handlers={"TERM": "loop", "INT": "other"}), table)
    assert [(node.kind, node.name, node.labels) for node in found.nodes] == [
        ("lock", "lock_all", ("top",)), ("do", "work", ()), ("wait", "ready", ()), ("unlock", "unlock_all", ("busy",)),
        ("go", "go_other", ()), ("unlock", "unlock_all", ("out",)), ("return", "return", ()),
    ]  # fmt: skip
    assert found.nodes[4].starts == ("p.other",)
    assert found.signals == ("TERM",)
    assert [(edge.target, edge.word, edge.limit) for edge in found.edges if edge.source == 2] == [
        (3, "next", ""), (3, "busy", ""), (6, "late", "1.5 s"),
    ]  # fmt: skip
    assert graph(found).edges[2, 3] == {"words": ("next", "busy"), "label": "next, busy"}
    assert graph(found).nodes[0]["reached"] is None


def test_marks_are_those_that_are_handed_in() -> None:
    """A set of places marks its ops and no others; a place of no op marks nothing."""
    came = {("shim.main", 0), ("shim.main", 3), ("shim.main", 99), ("runc.kill", 0)}
    shim, _ = charts(DOCKER, came, "shim")
    assert shim.reached == frozenset({0, 3})
    assert [node.index for node in shim.nodes if shim.is_reached(node.index)] == [0, 3]
    assert [index for index, yes in graph(shim).nodes(data="reached") if yes] == [0, 3]
    assert all(CHARTS["shim.main"].is_reached(node.index) for node in shim.nodes)


# -- what was reached -------------------------------------------------------------------------------


@contextmanager
def watched() -> Iterator[set[Place]]:
    """Let each op of the design say where it is when it is taken."""
    taken: set[Place] = set()

    def watch(name: str, op: ops.Op) -> None:
        def take(g: object) -> int | None:
            taken.add((name, op.index))
            return type(op).take(op, g)  # type: ignore[arg-type]

        op.take = take  # type: ignore[method-assign]

    watching = [(name, op) for name, table in DOCKER.procedures.items() for op in table.ops if not op.jump]
    for name, op in watching:
        watch(name, op)
    try:
        yield taken
    finally:
        for _, op in watching:
            del op.__dict__["take"]


@pytest.mark.parametrize("name", STORIES)
def test_what_a_run_reached_is_what_was_taken_or_stood_at(name: str) -> None:
    """From the trace alone, silent ops are found that were taken, and no others."""
    with watched() as came:
        trace = run(STORIES[name])
    places: dict[object, str] = {}
    for record in trace:
        if isinstance(record.event, FrameStarted):
            places[record.event.fid] = record.event.procedure
            came.add((record.event.procedure, 0))
        elif isinstance(record.event, FrameMoved):
            came.add((places[record.event.fid], record.event.op))
    assert reached_in(trace) == came


@pytest.mark.parametrize("seed", range(4))
def test_steps_of_any_order_reach_what_was_taken(seed: int) -> None:
    """Where steps are handed in one by one, as an exploration has them, the same holds in any order of them."""
    dice, found = Random(seed), set()
    with watched() as came:
        world, events = initial(STORIES["busy"])
        found |= passed(DOCKER.procedures, events, lambda fid: ("", 0))
        for _ in range(3000):
            before = {fid: (frame.procedure, frame.op) for fid, frame in world.frames.items()}
            choices = enabled(world)
            if not choices:
                break
            events = step(world, dice.choice(choices))
            found |= passed(DOCKER.procedures, events, before.__getitem__)
            came |= {(frame.procedure, frame.op) for frame in world.frames.values()}
    assert found <= came
    assert came - found <= {("containerd.worker", 10)}  # next_start's two returns leave no sign of which it was


def test_events_tell_two_ways_apart() -> None:
    """A start that fails removes its container or not: what the step did says which. Else nothing is said."""
    table = TABLES["dockerd.start"]
    (last,) = [op.index for op in table.ops if op.name == "start_failed"]
    stays = (last + 1, last + 2)
    (removal,) = [op.index for op in table.ops if op.name == "go_rm"]
    assert between(table, last, END, ["unlock"]) == stays
    assert between(table, last, removal + 1, ["unlock", "dockerd.rm"]) == (removal - 1, removal, removal + 1)
    worker = TABLES["containerd.worker"]
    assert between(worker, 13, END) == ()
    assert between(worker, 13, 0) == (0,)


def test_a_goto_has_no_way_on() -> None:
    """Nobody stands at a goto, so no edge leaves one."""
    jumps = [(table, op.index) for table in TABLES.values() for op in table.ops if isinstance(op, Jump)]
    assert jumps
    assert not any(list(ways(table, index)) for table, index in jumps)


def test_one_program_can_be_asked_for() -> None:
    """charts of a program are those of its procedures, in their order."""
    assert [it.name for it in charts(DOCKER, program="proxy")] == ["main", "close"]
    assert all(isinstance(it, Chart) for it in charts(DOCKER))
