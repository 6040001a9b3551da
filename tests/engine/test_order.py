"""What comes before what inside a start, a restore and a stop: waits that change no outcome, only its moment.

Source: engine-1.13 §1.2 (runc's stages), §7.3 (restored exits), §5 (KillMode=), §11 (stopped processes).
"""

from __future__ import annotations

import pytest

from sim.engine import paths
from sim.engine.setup import Child, Docker, Payload, S, Service, Setup
from sim.experiment.run import Run, run_scenario
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.model import Deliver, Go
from sim.scenario import load
from sim.testing.setups import fitted
from sim.testing.walk import Walk, op_at

DOWN = """\
services: {web: {image: nginx}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: shot, at: down+200ms, kill: payload/web}
until: down+60s
"""


def run(text: str, seed: int = 1) -> Run:
    return run_scenario(load("order.yaml", text=text), seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_exit_that_a_restore_finds_is_told_a_second_later(seed: int) -> None:
    """containerd sleeps 1 s before it tells: its clients are to connect first."""
    found = run(DOWN, seed)
    of = [(it.at, it.event) for it in found.trace if it.at is not None and it.at > found.moment("down")]
    listens = next(at for at, it in of if isinstance(it, e.Listened) and it.address == paths.CONTAINERD_SOCK)
    told = next(at for at, it in of if isinstance(it, e.FileWritten) and it.path == paths.EVENTS_LOG and it.value)
    assert told - listens >= S


def test_runc_create_reaps_its_first_stage_itself() -> None:
    """A stage that has left is waited for by the runc create that forked it, before it goes on; nobody inherits it."""
    steps = "steps: [{systemctl: start docker}, {at: 5s, compose: up -d}]\n"
    trace = run(f"host: {{begin: off}}\nservices: {{web: {{image: w}}}}\n{steps}until: 30s\n").trace
    execs = [it.event for it in trace if isinstance(it.event, e.Execed)]
    first = {it.pid for it in execs if it.image.comm == "runc:[0:PARENT]"}
    parents = {it.event.pid: it.event.ppid for it in trace if isinstance(it.event, e.Forked)}
    reaped = {it.event.pid: it.event.by_pid for it in trace if isinstance(it.event, e.Reaped)}
    assert first
    assert {pid: reaped[pid] for pid in first} == {pid: parents[pid] for pid in first}


PAUSED = """\
services: {web: {image: w, x-payload: {exits: {code: 0, after: 60s}}}}
host: {begin: off}
steps:
  - {systemctl: start docker}
  - {at: 5s, compose: up -d}
  - {id: still, at: start(web)+%ds, stop: payload/web}
  - {id: on, at: start(web)+%ds, cont: payload/web}
until: on+100s
"""


@pytest.mark.parametrize(("stopped", "goes_on", "left"), [(10, 20, 60), (50, 70, 70)])
def test_timers_of_a_stopped_process_run_on(stopped: int, goes_on: int, left: int) -> None:
    """What was to happen after 60 s happens then, or when the process goes on if that is later."""
    found = run(PAUSED % (stopped, goes_on))
    started = found.moment("start(web)")
    ends = [it.at for it in found.trace if isinstance(it.event, e.Exited) and it.event.pid == pid_of(found)]
    assert [round((at - started) / S) for at in ends if at is not None] == [left]


def pid_of(found: Run) -> int:
    (payload,) = [it for it in found.at("still").host.procs.values() if it.image.program == "payload"]
    return payload.pid


@pytest.mark.parametrize(("mode", "there"), [("process", True), ("control-group", False)])
def test_kill_mode_says_who_gets_term_at_once(mode: str, there: bool) -> None:
    """With control-group containerd gets it with dockerd, which otherwise sends it last, after the containers' time."""
    text = f"engine: {{unit: {{KillMode: {mode}}}}}\n"
    text += "services: {web: {image: w, x-payload: {on_term: ignore}}}\n"
    text += "steps: [{id: stop, at: 10s, systemctl: stop docker}]\nuntil: 60s\n"
    programs = {it.image.program for it in run(text).at("stop+200ms").host.procs.values()}
    assert ("containerd" in programs, "dockerd" in programs) == (there, True)


@pytest.mark.parametrize("design", ["docker-1.13", "podman"])
def test_nobody_is_born_into_a_namespace_whose_first_process_is_dead(design: str) -> None:
    """docker-init is killed just before its child forks: fork(2) fails there, and nobody outlives the namespace."""
    child = Child("worker", ("worker",))
    service = Service("db", "0" * 64, "db", "db", (), Payload("db", ("db",), children=(child, child)), init=True)
    walk = Walk(fitted(Setup((service,)), design), opened=True)
    walk.do(Docker("stop", "db"))
    walk.wait(12, 1)
    walk.do(Docker("start", "db"))
    fork = None
    while fork is None:
        actions = walk.prompt()
        walk.act(actions[0])
        fork = next((it for it in walk.prompt() if isinstance(it, Go) and it.fid[0] and forks_child(walk, it)), None)
    space = walk.world.host.procs[fork.fid[0]].ns
    with walk._turn() as turn:
        syscalls.kill(turn, space, "KILL")
    walk.act(Deliver(space, "KILL"))
    walk.act(fork)
    walk.settle(1)
    assert not [it for it in walk.world.host.procs.values() if it.ns == space]


def forks_child(walk: Walk, action: Go) -> bool:
    frame = walk.world.frames[action.fid]
    return walk.world.host.procs[action.fid[0]].image.program == "app" and "fork" in op_at(walk.world, frame).name
