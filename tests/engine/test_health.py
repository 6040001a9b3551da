"""Health checks: probes as execs, when they come, what they change, who ends them.

Oracles are engine-1.13 §3.2 (stop ends them), §3.3 (interval after the end of the last one, timeout, TERM, KILL), §13
(words), §12 (ids), §20 (defaults).
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sim.drive.timed import Timed
from sim.engine.ops import reading
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent
from sim.kernel import events as e
from sim.scenario import load
from sim.trace import Trace
from sim.world import Frame, World

CHECK = "healthcheck: {test: curl localhost, interval: 10s, timeout: 2s}"
WEB = f'services: {{web: {{image: nginx, ports: ["80:80"], {CHECK}}}}}\n'


def run(text: str) -> Run:
    """Run a scenario's text, whose expectations must hold."""
    found = run_scenario(load("health.yaml", text), 1)
    assert not [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds]
    return found


def said(trace: Trace, word: str) -> list[tuple[float, str]]:
    """Return when events of a kind were said after t = 0, in seconds, and their actions."""
    return [
        (((it.at or 0) - trace.origin) / 1e6, it.event.action)
        for it in trace
        if isinstance(it.event, EngineEvent) and it.event.word == word and (it.at or 0) > trace.origin
    ]


def ids_used(trace: Trace) -> int:
    """Return how many numbers were given out after t = 0."""
    after: list[Any] = [it.event for it in trace if (it.at or 0) > trace.origin]
    forks = sum(isinstance(event, e.Forked) for event in after)
    return forks + sum(len(event.thread_pids) for event in after if isinstance(event, e.ThreadsStarted))


@reading(lambda world, frame: ())
def never(world: World, frame: Frame) -> bool:
    """Never say that a round would change nothing."""
    return False


def test_a_probe_comes_an_interval_after_the_end_of_the_last_one_and_costs_an_exec() -> None:
    """Probes of 100 ms and what an exec takes, every 10 s and a little; each says exec_create and exec_start."""
    trace = run(WEB + "until: 100s\n").trace
    starts = [at for at, _ in said(trace, "exec_start")]
    assert next(action for _, action in said(trace, "exec_create")) == "exec_create: /bin/sh -c curl localhost"
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert len(gaps) >= 8
    assert all(10.1 < gap < 10.5 for gap in gaps)
    assert ids_used(trace) == 20 * len(starts)
    assert said(trace, "health_status") == []


def test_the_first_probe_makes_a_container_healthy() -> None:
    """It is `starting` until the first probe, an interval after its start."""
    trace = run(
        f"services: {{web: {{image: nginx, {CHECK}}}}}\n"
        """\
host: {begin: off}
steps: [{systemctl: start docker}, {id: up, at: 10s, compose: up -d web}]
until: 60s
expect:
  - {at: start(web)+9s, container: web, health: starting}
  - {at: start(web)+11s, container: web, health: healthy}
"""
    ).trace
    ((at, action),) = said(trace, "health_status")
    ((start, _),) = said(trace, "start")
    assert action == "health_status: healthy"
    assert 10.1 < at - start < 10.5


def test_three_failures_in_a_row_make_unhealthy_and_one_success_heals() -> None:
    """A program that is stopped does not answer; the probe that finds it running again heals at once."""
    trace = run(
        WEB
        + """\
steps: [{id: hang, at: 30s, stop: payload/web}, {id: go, at: 90s, cont: payload/web}]
until: 120s
expect:
  - {at: 0s, container: web, health: healthy}
  - {at: hang+19s, container: web, health: healthy}
  - {at: hang+31s, container: web, health: unhealthy}
  - {at: go+11s, container: web, health: healthy}
"""
    ).trace
    assert [action for _, action in said(trace, "health_status")] == [
        "health_status: unhealthy", "health_status: healthy",
    ]  # fmt: skip


def test_failures_count_in_a_row_alone() -> None:
    """Two failures, a success, two failures: three retries are not used up."""
    found = run(
        WEB
        + """\
steps:
  - {at: 30s, stop: payload/web}
  - {at: 55s, cont: payload/web}
  - {at: 65s, stop: payload/web}
  - {at: 90s, cont: payload/web}
until: 120s
"""
    )
    assert said(found.trace, "health_status") == []


@pytest.mark.parametrize(("on_term", "signals", "gap"), [("none", ["TERM"], 12.0), ("ignore", ["TERM", "KILL"], 22.0)])
def test_a_probe_that_takes_too_long_is_a_failure_and_is_killed(on_term: str, signals: list[str], gap: float) -> None:
    """After its timeout it gets TERM, ten seconds later KILL, and the next one waits for its end."""
    text = (
        WEB.replace("}}}", f"}}, x-exec: {{curl: {{exits: {{after: 60s}}, on_term: {on_term}}}}}}}}}")
        + """\
host: {uptime: 1s}
until: 100s
expect:
  - {at: 0s, container: web, health: starting}
  - {at: end, container: web, health: unhealthy}
"""
    )
    found = run(text)
    starts = [at for at, _ in said(found.trace, "exec_start")]
    assert starts[1] - starts[0] == pytest.approx(gap, abs=0.5)
    sent = [it.event.signal for it in found.trace if isinstance(it.event, e.Signalled)]
    assert sent[: len(signals)] == signals
    assert set(sent) == set(signals)


def test_stop_and_exit_end_the_monitor() -> None:
    """No probe comes after a stop has begun, nor after an exit; what runs is taken along."""
    for command in ("docker: stop web", "kill: payload/web"):
        found = run(WEB + f"steps: [{{id: over, at: 30s, {command}}}]\nuntil: 90s\n")
        assert all(at < 30 for at, _ in said(found.trace, "exec_start"))
        host = found.at().host
        assert not [it for it in host.procs.values() if it.image.program in ("exec", "exec-shim")]
        (pid,) = (it.pid for it in host.procs.values() if it.image.program == "dockerd")
        memory = found.at().memory[pid]
        assert not [key for key in memory if key.startswith(("probe/", "probing/", "exec/"))]


def test_a_paused_container_is_not_probed() -> None:
    """The monitor ends with the pause; after it the health is what it was, and the next probe an interval away."""
    text = (
        WEB
        + """\
steps: [{at: 30s, docker: pause web}, {id: on, at: 80s, docker: unpause web}]
until: 110s
expect: [{at: on-1s, container: web, health: healthy}, {at: on+5s, container: web, health: healthy}]
"""
    )
    starts = [at for at, _ in said(run(text).trace, "exec_start")]
    assert next(at for at in starts if 30 <= at <= 110) == pytest.approx(90, abs=0.1)


def test_a_restart_begins_with_starting() -> None:
    """A policy's restart begins a new monitor."""
    run(
        WEB.replace("image: nginx", "image: nginx, restart: always")
        + """\
steps: [{id: shot, at: 30s, kill: payload/web}]
until: 60s
expect:
  - {at: shot+5s, container: web, status: running, health: starting}
  - {at: shot+12s, container: web, health: healthy}
"""
    )


def test_a_daemon_that_reattaches_monitors_again() -> None:
    """With live-restore the new dockerd begins with `starting`."""
    run(
        "engine: {daemon: {live-restore: true}}\n"
        + WEB
        + """\
steps: [{id: shot, at: 30s, kill: dockerd}]
until: 60s
expect:
  - {at: start(web)+5s, container: web, health: starting}
  - {at: start(web)+12s, container: web, health: healthy}
"""
    )


def test_probes_fail_while_containerd_is_away() -> None:
    """A probe that cannot be started is a failure; the first one under the new containerd heals."""
    text = WEB.replace("interval: 10s", "interval: 500ms, retries: 1")
    found = run(text + "steps: [{id: down, at: 30s, kill: containerd}]\nuntil: 60s\n")
    (ill, word), (well, again) = said(found.trace, "health_status")
    assert (word, again) == ("health_status: unhealthy", "health_status: healthy")
    assert 30 < ill < 32.2 < well < 50  # one that runs when it goes takes its 2 s


def test_a_containerd_that_stands_still_lets_each_probe_fail() -> None:
    """The deadline is in the request to containerd: one probe after the other fails, until unhealthy; CONT heals."""
    found = run("""\
engine: {daemon: {max-health-check-retries: 10}}
services: {web: {image: nginx, healthcheck: {test: [CMD, curl], interval: 1s, timeout: 1s, retries: 3}}}
steps: [{id: hang, at: 30s, stop: containerd}, {id: go, at: hang+9s, cont: containerd}]
until: 60s
""")
    (ill, word), (well, again) = said(found.trace, "health_status")
    assert (word, again) == ("health_status: unhealthy", "health_status: healthy")
    assert 34.5 < ill < 37
    assert 39 < well < 43
    (dockerd,) = (it.pid for it in found.at().host.procs.values() if it.image.program == "dockerd")
    assert not [it for it in found.at().memory[dockerd] if it.startswith("exec/")]


@pytest.mark.parametrize("behaviour", ["", ", x-exec: {curl: {exits: {code: 1}}}"])
def test_sleeping_through_settled_probes_leaves_the_world_as_probing_would(
    behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before t = 0 only process numbers and past events differ from a host that has probed all the time."""
    text = WEB.replace("}}}", f"}}{behaviour}}}}}") + "host: {uptime: 10m}\nuntil: 1ms\n"
    setup = load("health.yaml", text).setup
    sleeping = Timed(setup)
    slept = sleeping.run()
    monkeypatch.setattr(sleeping.world.design.procedures["dockerd.monitor"].ops[0], "idle", never)
    probing = Timed(setup)
    probed = probing.run()
    assert len(probed) > 5 * len(slept)
    for one in (sleeping, probing):
        assert {it.image.program for it in one.world.host.procs.values()} >= {"dockerd", "payload"}
    facts: list[dict[str, Any]] = [
        {key: cell for memory in one.world.memory.values() for key, cell in memory.items() if key.startswith("health/")}
        for one in (sleeping, probing)
    ]
    assert facts[0] == facts[1]
    assert facts[0]["health/web"].status == ("unhealthy" if behaviour else "healthy")


def test_ten_idle_days_with_probes_cost_as_much_as_ten_minutes() -> None:
    """Nothing is recorded of the rounds that change nothing, and the next round comes in step with them."""
    short, long = (Timed(load("health.yaml", WEB + f"host: {{uptime: {time}}}\nuntil: 30s\n").setup).run()
                   for time in ("10m", "10d"))  # fmt: skip
    assert abs(len(short) - len(long)) < 500
    began = next(it.at or 0 for it in long if getattr(it.event, "action", "") == "health_status: healthy")
    first = said(long, "exec_start")[0][0] * 1e6 + long.origin
    assert (first - began) % 10e6 == pytest.approx(0, abs=1)
