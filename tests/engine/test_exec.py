"""docker exec and docker top: processes, numbers, order of exits, who waits for whom.

Oracles are engine-1.13 §3.2, §3.3, §8 case e, §12, §15, §21.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.engine import paths
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, Message, Sent, StepDone
from sim.kernel import events as e
from sim.scenario import load
from sim.trace import Replay

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}, db: {image: postgres}}\n'


def run(text: str) -> Run:
    """Run a scenario's text."""
    found = run_scenario(load("exec.yaml", text), 1)
    assert not [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds]
    return found


def after_opening(found: Run) -> list[Any]:
    """Return what happened after t = 0, with its time in seconds."""
    return [((it.at or 0) - found.trace.origin, it.event) for it in found.trace if (it.at or 0) > found.trace.origin]


def ids_used(found: Run) -> int:
    """Return how many numbers were given out after t = 0."""
    count = 0
    for _, event in after_opening(found):
        count += isinstance(event, e.Forked)
        count += len(event.thread_pids) if isinstance(event, e.ThreadsStarted) else 0
    return count


def ended(found: Run) -> dict[str, str]:
    """Return what each step showed."""
    return {it.event.id: it.event.error for it in found.trace if isinstance(it.event, StepDone)}


def told(found: Run, container: str, word: str) -> float:
    """Return when an event of a container was said, in seconds."""
    for at, event in after_opening(found):
        if isinstance(event, EngineEvent) and event.container == container and event.word == word:
            return float(at) / 1e6
    raise AssertionError(f"no {word} of {container}")


@pytest.mark.parametrize(("command", "ids"), [("exec web ls", 20), ("top web", 8)])
def test_a_command_uses_as_many_ids_as_the_ledger_says(command: str, ids: int) -> None:
    """An exec costs 10 of its shim, 7 of runc, 2 stages and the process; top 7 of runc and ps."""
    assert ids_used(run(WEB + f"steps: [{{at: 1s, docker: {command}}}]\nuntil: 5s\n")) == ids


def test_the_exits_of_execs_are_told_before_the_container_s() -> None:
    """containerd sends the exec's exit first, and the payload can be reaped only after the exec'd process."""
    found = run(WEB + "steps: [{at: 1s, docker: exec web sleep 100}, {at: 3s, kill: payload/web}]\nuntil: 6s\n")
    sent = [event.message.kind for _, event in after_opening(found) if _is_event(event)]
    assert sent == ["exec_exit", "exit"]
    replay, reaped = Replay(found.trace), []
    for record in found.trace:
        if isinstance(record.event, e.Reaped):
            reaped.append(replay.world.host.procs[record.event.pid].image.program)
        replay.step()
    assert [program for program in reaped if program in ("exec", "payload")] == ["exec", "payload"]


def _is_event(event: Any) -> bool:
    return isinstance(event, Sent) and event.name == "events" and isinstance(event.message, Message)


def test_a_container_s_exit_waits_for_those_of_its_execs() -> None:
    """An exec-shim that has reaped its process and does not leave holds up the container's exit (§3.1 step 5)."""
    found = run(
        WEB
        + """\
steps:
  - {at: 1s, docker: exec web sleep 100}
  - {id: shot, at: 3s, kill: payload/web}
  - {id: hang, at: before Exited(exec-shim/web), stop: exec-shim/web}
  - {id: go, at: 9s, cont: exec-shim/web}
until: 20s
expect: [{at: go-1s, container: web, status: running}, {at: go-1s, process: payload/web, exists: false}]
"""
    )
    assert told(found, "web", "die") == pytest.approx(9, abs=0.5)


def test_a_slow_runc_exec_delays_the_exit_of_another_container() -> None:
    """With a runtime that takes four seconds more, the main loop stands still and db's exit is told that much later."""
    text = (
        WEB
        + """\
steps:
  - {docker: exec web ls, at: 1s}
  - {id: hang, at: Forked(runc/web)+1ms, stop: runc/web}
  - {id: shot, at: hang+200ms, kill: payload/db}
  - {at: hang+4s, cont: runc/web}
until: 10s
expect:
  - {at: hang+3900ms, container: db, status: running}
"""
    )
    found = run(text)
    quick = run(WEB + "steps: [{at: 1s, kill: payload/db}]\nuntil: 5s\n")
    assert told(found, "db", "die") - 1.0 - (told(quick, "db", "die") - 1.0) == pytest.approx(3.8, abs=0.3)


def test_an_exec_that_does_not_start_within_two_minutes_is_given_up() -> None:
    """containerd waits for the pid file for two minutes, then kills the exec-shim; runc dies with it."""
    text = (
        WEB
        + """\
steps:
  - {id: up, docker: exec web ls, at: 1s}
  - {id: hang, at: Forked(runc/web)+1ms, stop: runc/web}
  - {id: shot, at: 10s, kill: payload/db}
until: 3m
expect:
  - {at: up+119s, container: db, status: running}
  - {at: end, container: db, status: exited}
  - {at: end, process: exec-shim/web, exists: false}
  - {at: end, process: runc/web, exists: false}
  - {at: end, container: web, status: running}
"""
    )
    assert "exit code 126" in ended(run(text))["up"]


@pytest.mark.parametrize("victim", ["exec-shim", "exec"])
def test_an_exec_that_is_killed_ends_with_137_and_the_container_runs_on(victim: str) -> None:
    """128 + 9 is what its shim writes; of a killed shim containerd kills the process (§8 e)."""
    text = (
        WEB
        + f"""\
steps:
  - {{id: up, docker: exec web sleep 100, at: 1s}}
  - {{id: shot, at: 5s, kill: {victim}/web}}
until: 10s
expect:
  - {{at: end, process: exec/web, exists: false}}
  - {{at: end, container: web, status: running, pid: same}}
"""
    )
    assert ended(run(text))["up"] == "exit code 137"


ORPHANS = """\
services:
  web: {image: nginx, x-exec: {job: {exits: {after: 1s}, children: [{argv: [worker]}]}}}
steps:
  - {id: up, docker: exec web job, at: 1s}
"""


def test_orphans_of_an_exec_go_to_its_shim_which_waits_for_them() -> None:
    """Before Linux 4.11 they cross the border of the namespace; they hold the output open, so the exec does not end."""
    found = run(ORPHANS + "until: 10s\nexpect:\n  - {at: end, process: exec-shim/web, count: 1}\n")
    host = found.at().host
    (worker,) = (it for it in host.procs.values() if it.image.program == "child")
    assert host.procs[worker.ppid].image.program == "exec-shim"
    assert host.procs[worker.ns].image.program == "payload"
    assert "up" not in ended(found)


def test_orphans_of_an_exec_end_with_the_container() -> None:
    """The kernel kills them with the namespace; a waiting exec-shim does not reap them, PID 1 does."""
    found = run(
        ORPHANS
        + """\
  - {at: 5s, kill: payload/web}
until: 10s
expect:
  - {at: end, container: web, status: exited, exit_code: 137}
  - {at: end, process: exec-shim/web, exists: false}
  - {at: end, process: payload/web, exists: false}
"""
    )
    assert ended(found)["up"] == ""
    reapers = {}
    replay = Replay(found.trace)
    for record in found.trace:
        if isinstance(record.event, e.Reaped):
            procs = replay.world.host.procs
            reapers[procs[record.event.pid].image.program] = procs[record.event.by_pid].image.program
        replay.step()
    assert (reapers["child"], reapers["exec"]) == ("init", "exec-shim")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("stop web", "is not running"),
        ("pause web", "Container web is paused, unpause the container before exec"),
        ("rm -f web", "No such container: web"),
    ],
)
def test_an_exec_in_a_container_that_does_not_run_is_refused(before: str, words: str) -> None:
    """The words are dockerd's, and no event is said."""
    found = run(WEB + f"steps: [{{at: 1s, docker: {before}}}, {{id: up, at: 5s, docker: exec web ls}}]\nuntil: 9s\n")
    assert words in ended(found)["up"]
    assert not [it for _, it in after_opening(found) if isinstance(it, EngineEvent) and it.word == "exec_create"]


def test_an_exec_in_a_container_that_waits_for_its_restart_is_refused() -> None:
    """409 with dockerd's words."""
    text = (
        "services: {web: {image: nginx, restart: always}}\n"
        """\
steps: [{at: 1s, kill: payload/web}, {id: up, at: die(web)+50ms, docker: exec web ls}]
until: 9s
"""
    )
    assert "is restarting, wait until the container is running" in ended(run(text))["up"]


def test_an_exec_in_flight_when_containerd_dies_has_126_and_goes_on() -> None:
    """§7.2: the client is told 126, though the command runs and ends well; the next containerd finds it."""
    text = (
        WEB
        + """\
steps:
  - {id: up, docker: exec web sleep 20, at: 1s}
  - {id: down, at: Forked(exec/web), kill: containerd}
until: 60s
expect:
  - {at: down+1s, process: exec/web, parent: exec-shim/web, count: 1}
  - {at: down+1s, process: exec-shim/web, parent: init}
  - {at: end, process: exec-shim/web, exists: false}
  - {at: end, container: web, status: running, pid: same}
"""
    )
    found = run(text)
    assert ended(found)["up"] == "rpc error: code = 13 desc = transport is closing (exit code 126)"
    assert not [path for path in found.at().host.files if path.startswith(paths.STATE) and "/exec1/" in path]


def test_an_exec_outlives_containerd_and_its_client_gets_its_code() -> None:
    """The new containerd restores it and reports its end."""
    text = (
        WEB.replace('["80:80"]', '["80:80"], x-exec: {job: {exits: {code: 4, after: 20s}}}')
        + """\
steps:
  - {id: up, docker: exec web job, at: 1s}
  - {id: down, at: 5s, kill: containerd}
until: 60s
"""
    )
    assert ended(run(text))["up"] == "exit code 4"


def test_an_exec_outlives_dockerd_but_not_its_client() -> None:
    """With live-restore the command goes on; the client ends with the daemon."""
    text = (
        "engine: {daemon: {live-restore: true}}\n"
        + WEB
        + """\
steps:
  - {id: up, docker: exec web sleep 40, at: 1s}
  - {id: down, at: 5s, kill: dockerd}
until: 60s
expect:
  - {at: down+20s, process: exec/web, parent: exec-shim/web, count: 1}
  - {at: end, process: exec-shim/web, exists: false}
  - {at: end, container: web, status: running, pid: same}
"""
    )
    assert "EOF" in ended(run(text))["up"]


def test_a_command_begins_in_the_containers_control_group() -> None:
    """runc moves the stage there before that goes on (process_linux.go), so that what it forks is there, too."""
    text = (
        WEB.replace('["80:80"]', '["80:80"], x-exec: {job: {exits: {after: 2s}, children: [{argv: [kid]}]}}')
        + """\
steps: [{id: up, docker: exec web job, at: 1s}, {id: pause, at: 5s, docker: pause web}]
until: 6s
"""
    )
    found = run(text)
    scope = f"/system.slice/docker-{found.trace.setup.service('web').id}.scope"
    argv = {event.pid: event.image.argv for _, event in after_opening(found) if isinstance(event, e.Execed)}
    forked = {argv[event.pid]: event for _, event in after_opening(found) if isinstance(event, e.Forked)}
    assert forked["kid",].cgroup == scope
    states = {it.image.argv: it.state for it in found.at("end").host.procs.values()}
    assert states["kid",] == "D"  # an orphan of the command is frozen with the container


def test_a_stage_whose_runc_is_killed_before_leaves() -> None:
    """Its end of the pipe to runc says so; the client reads that the command was not started."""
    found = run(
        WEB
        + """\
steps: [{id: up, docker: exec web ls, at: 1s}, {at: Forked(exec/web)+1us, kill: runc/web}]
until: 200s
expect: [{at: end, process: exec/web, exists: false}, {at: end, process: exec-shim/web, exists: false}]
"""
    )
    assert ended(found)["up"].endswith("(exit code 126)")
    assert ("ls",) not in {event.image.argv for _, event in after_opening(found) if isinstance(event, e.Execed)}
