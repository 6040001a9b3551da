"""Check the export for viewers of traces: the format's rules, and that it tells what the run did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from sim.drive.timed import run as run_setup
from sim.engines.host.reach import reachable
from sim.experiment.run import Run, run
from sim.facts import EngineEvent, FrameStarted, StepTaken
from sim.kernel.events import Exited, Forked, Reparented, Signalled, SignalTaken
from sim.predicates import buffered
from sim.render.perfetto import perfetto
from sim.trace import Trace
from sim.views.spanning import FIRST_FREE
from sim.views.spans import spans
from tests.drawing import examples
from tests.render.trace_format import violations
from tests.views.test_intervals import runs

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ("document", "t51-reboot#2", "t51-reboot#5", "t55-numbers-wrap", "t19-exec#1", "t30-containerd-killed#1",
             "t10-exit-behind-blocked-output#1", "t32-containerd-hangs#1")  # fmt: skip
Document = dict[str, Any]


@cache
def exported(name: str) -> tuple[Run, str]:
    found = run(name)
    return found, perfetto(spans(found.trace))


def events(text: str, ph: str) -> list[dict[str, Any]]:
    return [event for event in json.loads(text)["traceEvents"] if event["ph"] == ph]


# -- the format's rules ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_bundled_scenario_keeps_the_formats_rules(name: str) -> None:
    """Fields, names, order, nesting, flows and counters are as the format asks."""
    _, text = exported(name)
    assert violations(text) == []
    assert text.isascii()


def test_a_procedure_of_an_earlier_version_is_shown_by_its_name() -> None:
    """A saved trace may name a procedure that no design has any more; its ops have numbers alone."""
    trace = run("t51-reboot#2").trace
    renamed = Trace(trace.setup, trace.seed)
    for it in trace:
        old = isinstance(it.event, FrameStarted) and it.event.procedure == "dockerd.boot"
        event = replace(it.event, procedure="dockerd.was_boot") if old else it.event
        renamed.records.add(it.at, it.cause, event)
    renamed.origin, renamed.end = trace.origin, trace.end
    text = perfetto(spans(renamed))
    assert violations(text) == []
    assert "dockerd.was_boot" in text
    assert re.search(r'"op \d+"', text)


@examples(30, deadline=None)
@given(trace=runs())
def test_any_run_up_to_any_moment_keeps_the_formats_rules(trace: Trace) -> None:
    """Whatever is killed, stopped or started, and wherever the export ends."""
    assert violations(perfetto(spans(trace))) == []
    half = trace[len(trace) // 2].at or 0
    cut = perfetto(spans(trace, half))
    assert violations(cut) == []
    assert max(event["ts"] + event.get("dur", 0) for event in events(cut, "X")) == half


def _change(**fields: Any) -> Callable[[Document, dict[str, Any]], None]:
    return lambda document, event: event.update(fields)


def _copy(**fields: Any) -> Callable[[Document, dict[str, Any]], None]:
    return lambda document, event: document["traceEvents"].append(event | fields)


def _drop(document: Document, event: dict[str, Any]) -> None:
    document["traceEvents"].remove(event)


def _to_the_front(document: Document, event: dict[str, Any]) -> None:
    document["traceEvents"].remove(event)
    document["traceEvents"].insert(0, event)


def _without(name: str) -> Callable[[Document, dict[str, Any]], None]:
    return lambda document, event: event.pop(name)


def _one_longer(document: Document, event: dict[str, Any]) -> None:
    event["dur"] += 1


Mutation = Callable[[Document, dict[str, Any]], Any]
LAST = 10**12  # after everything else
BROKEN: list[tuple[str, dict[str, Any], Mutation, str]] = [
    ("no ph", {"ph": "X"}, _without("ph"), "known ph"),
    ("unknown ph", {"ph": "X"}, _change(ph="Y"), "known ph"),
    ("no dur", {"ph": "X"}, _without("dur"), "X without dur"),
    ("no ts", {"ph": "i"}, _without("ts"), "i without ts"),
    ("no scope", {"ph": "i"}, _without("s"), "i without s"),
    ("wrong scope", {"ph": "i"}, _change(s="q"), "no such scope"),
    ("part of a µs", {"ph": "X"}, _change(ts=1.5), "ts is 1.5"),
    ("before the clock", {"ph": "X"}, _change(ts=-1), "out of range: -1"),
    ("too long", {"ph": "X", "cat": "op"}, _one_longer, "ends after it"),
    ("another order", {"ph": "i", "name": "docker.service active"}, _to_the_front, "comes after"),
    ("a thread of nothing", {"name": "thread_name"}, _copy(tid=99), "named and empty"),
    ("an end alone", {"ph": "X"}, _copy(ph="E", ts=LAST), "ends nothing"),
    ("a begin alone", {"ph": "X"}, _copy(ph="B", ts=LAST), "never ends"),
    ("no flow's end", {"ph": "f"}, _drop, "is s"),
    ("no flow's start", {"ph": "s"}, _drop, "is f"),
    ("a flow twice", {"ph": "f"}, _copy(ts=LAST), "is sff"),
    ("a flow to nothing", {"ph": "f"}, _change(tid=1, pid=1, ts=LAST), "is bound to nothing"),
    ("a flow to the next", {"ph": "f"}, _without("bp"), "f without bp"),
    ("a flow backwards", {"ph": "t"}, _change(ph="s"), "is ssf"),
    ("no process's name", {"name": "process_name"}, _drop, "no process_name"),
    ("no thread's place", {"name": "thread_sort_index"}, _drop, "no thread_sort_index"),
    ("two names", {"name": "process_name"}, _copy(), "is told 2 times"),
    ("one name twice", {"name": "process_name"}, _change(args={"name": "host"}), "stands 2 times"),
    ("an empty name", {"name": "thread_name"}, _change(args={"name": ""}), "empty name"),
    ("a thread of two", {"name": "thread_name"}, _copy(pid=1), "of several processes"),
    ("unknown metadata", {"name": "thread_name"}, _change(name="thread_nam"), "metadata thread_nam"),
    ("a number too large", {"ph": "M"}, _change(pid=2**32), "pid is out of range"),
    ("no number", {"ph": "C"}, _change(args={"open": "3"}), "counter"),
    ("no counter", {"ph": "C"}, _change(args={}), "counter"),
    ("a flag", {"ph": "C"}, _change(args={"open": True}), "counter"),
    ("other series", {"ph": "C", "name": "processes"}, _change(args={"dead": 3}), "other series"),
    ("an unknown field", {"ph": "X"}, _change(colour="red"), "colour is 'red'"),
]


@pytest.mark.parametrize(("name", "which", "mutate", "message"), BROKEN, ids=[row[0] for row in BROKEN])
def test_the_checker_finds_what_is_broken(name: str, which: dict[str, Any], mutate: Mutation, message: str) -> None:
    """Each rule is broken once, by one change of a good file, and the checker says so."""
    document = json.loads(exported("t55-numbers-wrap")[1])
    found = (event for event in document["traceEvents"] if which.items() <= event.items())
    mutate(document, next(found))
    assert any(message in what for what in violations(json.dumps(document)))


def test_the_checker_refuses_other_files() -> None:
    """What is no JSON, no object or has no unit is refused; a deep stack and an arrow against time are found."""
    assert violations("{")[0].startswith("no JSON")
    assert violations("[]") == ["no object with a list traceEvents"]
    assert violations('{"traceEvents": []}') == ["displayTimeUnit is neither ms nor ns"]
    place = {"pid": 1, "tid": 1}
    deep = [{"ph": "B", "name": "x", "ts": 0, **place}] * 513
    assert "513 slices on one stack" in violations(json.dumps({"displayTimeUnit": "ms", "traceEvents": deep}))
    two = [{"ph": "X", "name": "x", "ts": 0, "dur": dur, **place} for dur in (1, 5)]
    found = violations(json.dumps({"displayTimeUnit": "ms", "traceEvents": two}))
    assert "'x' is longer than what begins with it and stands before it" in found
    late = [{"ph": "X", "name": "late", "ts": 5, "dur": 5, "pid": 1, "tid": 1},
            {"ph": "s", "name": "a", "cat": "c", "id": 1, "ts": 5, **place},
            {"ph": "f", "name": "a", "cat": "c", "id": 1, "ts": 5, "bp": "e", "pid": 1, "tid": 2}]  # fmt: skip
    early = {"ph": "X", "name": "early", "ts": 0, "dur": 9, "pid": 1, "tid": 2}
    found = violations(json.dumps({"displayTimeUnit": "ms", "traceEvents": [early, *late]}))
    assert "flow ('c', 'a', 1) would be drawn backwards" in found


# -- what it tells -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_fact_that_has_a_place_is_in_it_once(name: str) -> None:
    """A process for each fork and PID 1, a procedure for each goroutine, an arrow for each fork and new parent."""
    found, text = exported(name)
    facts = Counter(type(record.event) for record in found.trace)
    goroutines = sum(isinstance(record.event, FrameStarted) and record.event.fid[0] > 0 for record in found.trace)
    slices, starts = (Counter(event["cat"] for event in events(text, ph)) for ph in "Xs")
    assert slices["process"] == facts[Forked] + 1
    assert slices["procedure"] == goroutines
    assert slices["step"] == facts[StepTaken]
    assert starts["fork"] == facts[Forked]
    assert starts["reparent"] == facts[Reparented]
    points = Counter(event["cat"] for event in events(text, "i"))
    assert points["engine"] == facts[EngineEvent]
    assert points["step"] == facts[StepTaken] + 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_signal_that_is_taken_has_an_arrow_from_whoever_sent_it(name: str) -> None:
    """People's signals too: their step is where the arrow begins."""
    found, text = exported(name)
    sent: Counter[tuple[int, str]] = Counter()
    arrows = 0
    for record in found.trace:
        if isinstance(record.event, Signalled):
            sent[record.event.pid, record.event.signal] += 1
        elif isinstance(record.event, SignalTaken):
            arrows += sent.pop((record.event.pid, record.event.signal), 0)
        elif isinstance(record.event, Exited):
            sent = Counter({key: number for key, number in sent.items() if key[0] != record.event.pid})
    assert sum(event["cat"] == "signal" for event in events(text, "s")) == arrows


@pytest.mark.parametrize("name", SCENARIOS)
def test_counters_say_what_the_world_is_like(name: str) -> None:
    """At each moment that a counter tells: living processes, zombies, open ports, bytes on their way to the log."""
    found, text = exported(name)
    told = events(text, "C")
    assert {event["name"] for event in told} == {
        "processes", "buffered bytes", "open ports, remote", "open ports, loopback"
    }  # fmt: skip
    published = [port for service in found.trace.setup.services for port in service.ports]
    for at in sorted({event["ts"] for event in told})[:: max(len(told) // 25, 1)]:
        world = found.trace.at(at)
        now = {event["name"]: event["args"] for event in told if event["ts"] <= at}
        states = [process.state for process in world.host.procs.values()]
        assert now["processes"] == {"alive": len(states) - states.count("Z"), "zombies": states.count("Z")}
        assert now["buffered bytes"] == {"bytes": sum(buffered(world, name) for name in world.services)}
        for client in ("remote", "loopback"):
            is_open = [reachable(world, port.host, client, port.proto) for port in published]
            assert now[f"open ports, {client}"] == {"open": sum(is_open)}, at


def test_bytes_that_wait_are_counted() -> None:
    """A log path that stands still fills up."""
    assert max(event["args"].get("bytes", 0) for event in events(exported(SCENARIOS[6])[1], "C")) > 65_536


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_op_lies_in_its_procedure_and_that_in_its_process(name: str) -> None:
    """As a viewer stacks them: a process's life, in it a zombie or its main goroutine's procedure, in that its ops."""
    stacks: dict[int, list[dict[str, Any]]] = {}
    lies_in: dict[str, set[str]] = {}
    for event in events(exported(name)[1], "X"):
        stack = stacks.setdefault(event["tid"], [])
        while stack and stack[-1]["ts"] + stack[-1]["dur"] <= event["ts"]:
            if stack[-1]["dur"] + event["dur"] == 0 and stack[-1]["cat"] != event["cat"]:
                break  # what takes no time lies in what takes none
            stack.pop()
        if event["cat"] in ("process", "procedure", "op"):
            where = stack[-1]["cat"] if stack else "main" if event["tid"] == event["pid"] else "beside"
            lies_in.setdefault(event["cat"], set()).add(where)
        stack.append(event)
    lies_in["procedure"].discard("state")  # one of no duration at the moment of a death lies in the zombie's time
    assert lies_in == {"process": {"main"}, "procedure": {"process", "beside"}, "op": {"procedure"}}


def test_a_pid_that_comes_again_has_a_track_of_its_own() -> None:
    """After a reboot numbers begin anew: the second life of a pid is told apart in number and name."""
    found = spans(exported("t51-reboot#2")[0].trace)
    assert not any("#" in group.name for group in found.groups)
    found = spans(exported("t51-reboot#5")[0].trace)
    second = [group for group in found.groups if "#2" in group.name]
    assert {group.name for group in second} >= {"dockerd 2#2"}
    assert all(group.id >= FIRST_FREE for group in second)
    assert {"dockerd 2", "dockerd 2#2"} <= {group.name for group in found.groups}


def test_a_killed_dockerd_is_told() -> None:
    """The step's arrow leads to dockerd; its death leads over each shim to PID 1."""
    text = exported("document")[1]
    names = {event["pid"]: event["args"]["name"] for event in events(text, "M") if event["name"] == "process_name"}
    deeds = [(names[event["pid"]], event["name"]) for event in events(text, "X") if event["cat"] == "deed"]
    assert ("people", "sends SIGKILL to dockerd 15929") in deeds
    (dying,) = (name for process, name in deeds if process == "dockerd 15929" and "dies of SIGKILL" in name)
    assert "leaves" in dying
    kills = [event for ph in "sf" for event in events(text, ph) if event["name"] == "SIGKILL"]
    assert ("s", "people") in [(event["ph"], names[event["pid"]]) for event in kills]
    assert ("f", "dockerd 15929") in [(event["ph"], names[event["pid"]]) for event in kills]
    moved = [names[event["pid"]] for event in events(text, "t") if event["cat"] == "reparent"]
    assert sum(name.startswith("shim/") for name in moved) == 6


def test_spans_say_what_caused_them_and_where_it_is_from() -> None:
    """Every span of a process carries the record and its cause; procedures name their source."""
    slices = [event for event in events(exported("document")[1], "X") if event["cat"] not in ("state",)]
    assert all({"seq", "cause"} <= set(event["args"]) for event in slices)
    sources = {event["name"]: event["args"].get("source", "") for event in slices if event["cat"] == "procedure"}
    assert "engine-1.13 §1.1, §2 steps 10-15, §3.1" in sources["shim.main"]
    assert sum(map(bool, sources.values())) > len(sources) / 2


@pytest.mark.long
def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    """Two hash seeds give one file."""
    code = "from sim.experiment.run import run; print(run('t19-exec#1').show('perfetto'))"
    said = []
    for seed in ("1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, check=True)
        said.append(done.stdout)
    assert said[0] == said[1]
    assert violations(said[0].decode()) == []


def test_a_run_of_nothing_is_told() -> None:
    """A host without services, off: PID 1 and its goroutines."""
    from sim.scenario import load

    text = perfetto(spans(run_setup(load("x.yaml", "services: {}\nhost: {begin: off}\nuntil: 1s\n").setup)))
    assert violations(text) == []
    assert [event["name"] for event in events(text, "X") if event["cat"] == "process"] == ["init"]
