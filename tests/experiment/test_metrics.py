"""Metrics of small runs, checked against worlds that are replayed, and against what must be so."""

import math

import pytest

from sim.drive.timed import run
from sim.engine.setup import S
from sim.experiment.metrics import METRICS, measure
from sim.experiment.reading import Reading, default_window
from sim.kernel.records import INIT
from sim.scenario import load
from sim.trace import Trace
from sim.views.fault import first_harm
from tests.experiment.hosts import GONE, LIVE_RESTORE, LOST, WEB


def traced(text: str, *settings: str, seed: int = 1) -> Trace:
    return run(load("x.yaml", text, settings).setup, seed)


def pids(trace: Trace, at: int, role: str) -> set[int]:
    world = trace.at(trace.origin + at)
    return {pid for pid, p in world.host.procs.items() if p.image.program == role and p.state != "Z"}


def test_live_restore_keeps_what_the_default_loses():
    """With live-restore the process stays and its shim goes to PID 1; without, one new process starts."""
    off, on = (measure(traced(WEB, *settings)).values for settings in ((), (LIVE_RESTORE,)))
    assert (off["processes_kept"], off["restarts"], off["orphan_shims"]) == (0, 1, 0)
    assert (on["processes_kept"], on["restarts"], on["orphan_shims"]) == (1, 0, 1)
    assert 0 < on["remote_dark"] < off["remote_dark"] < 30
    assert on["until_ready"] == 0 < off["until_ready"]
    assert off["proxies_ended"] == on["proxies_ended"] == 1


@pytest.mark.parametrize("settings", [(), (LIVE_RESTORE,)])
def test_processes_are_those_of_the_worlds_at_both_ends(settings):
    """Kept processes and orphan shims are what a replay of the trace finds."""
    trace = traced(WEB, *settings)
    first, last = default_window(trace)
    values = measure(trace).values
    both = pids(trace, first - 1, "payload") & pids(trace, last, "payload")
    assert values["processes_kept"] == len(both)
    world = trace.at(trace.origin + last)
    assert values["orphan_shims"] == sum(world.host.procs[pid].ppid == INIT for pid in pids(trace, last, "shim"))


def test_what_is_not_back_is_infinite_and_counted():
    """A container that stays dead is counted, and its port's dark time is not the window's length."""
    values = measure(traced(GONE)).values
    assert values["not_back"] == 1
    assert values["remote_dark"] == values["loopback_dark"] == values["until_ready"] == math.inf
    assert values["processes_kept"] == 1
    assert values["api_dark"] == 0


def test_engine_that_stays_away_is_not_back():
    """After `systemctl stop` the API's dark time has no length."""
    trace = traced(WEB.replace("kill: dockerd", "systemctl: stop docker"), LIVE_RESTORE)
    assert measure(trace).values["api_dark"] == math.inf


def test_a_lost_exit_code_is_counted_once():
    """A shim that dies while containerd is away takes the exit code along: 255."""
    assert measure(traced(LOST)).values["exit_codes_lost"] == 1


def test_a_process_that_exits_with_255_has_lost_nothing():
    """255 that the process itself chose is its code."""
    text = WEB.replace("ready: 200ms", "ready: 200ms, exits: {code: 255, after: 70s}") + "host: {uptime: 1s}\n"
    values = measure(traced(text.replace("kill: dockerd", "kill: proxy/web:80"))).values
    assert values["exit_codes_lost"] == 0
    assert values["restarts"] == 1


def test_without_a_userland_proxy_loopback_clients_go_by_the_rules():
    """They need the rule that maps the port, not the one that lets forwarded packets pass: they are back no later."""
    values = measure(traced(WEB, "engine.daemon.userland-proxy=false", LIVE_RESTORE)).values
    assert 0 < values["loopback_dark"] <= values["remote_dark"]
    assert values["not_back"] == 0


def test_after_a_boot_containers_count_that_were_to_run():
    """A window from the power button counts the containers that the disk says ran; their first start is no restart."""
    text = "host: {begin: boot}\nservices: {web: {image: nginx, restart: always, ports: ['80:80']}}\nuntil: 60s\n"
    found = measure(traced(text))
    assert (found.containers, found.values["restarts"], found.values["not_back"]) == (1, 0, 0)
    assert 0 < found.values["remote_dark"] < 60


def test_without_ports_and_containers_nothing_is_measured():
    """No container: no time until ready; no port: no dark time."""
    values = measure(traced("until: 10s\n")).values
    assert math.isnan(values["remote_dark"])
    assert math.isnan(values["until_ready"])
    assert values["not_back"] == 0


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ("{id: a, at: 5s, docker: restart web}, {id: b, at: 9s, kill: shim/web}", "b"),
        ("{id: a, at: 5s, docker: restart web}, {id: b, at: 9s, systemctl: restart docker}", "b"),
        ("{id: a, at: 5s, systemctl: start docker}, {id: b, at: 9s, docker: stop web}", "b"),
        ("{id: a, at: 5s, stop: containerd}, {id: b, at: 9s, cont: containerd}", "a"),
        ("{id: a, at: 5s, systemctl: start docker}", None),
    ],
)
def test_the_window_opens_at_the_first_fault(steps, step):
    """What hurts the engine comes before what a user does to one container, whatever stands first."""
    setup = load("x.yaml", f"services: {{web: {{image: nginx}}}}\nsteps: [{steps}]\n").setup
    found = first_harm(setup)
    assert (found.id if found else None) == step
    trace = run(setup)
    assert default_window(trace) == ({"a": 5 * S, "b": 9 * S, None: 0}[step], trace.end - trace.origin)


def test_every_metric_is_a_number_of_any_window():
    """A window may be chosen; each metric has a figure in it."""
    trace = traced(WEB)
    found = measure(trace, (61 * S, 62 * S))
    assert list(found.values) == list(METRICS)
    assert all(isinstance(value, float) for value in found.values.values())
    assert found.window_s == 1.0
    assert Reading(trace, (10 * S, 20 * S)).expected == ("web",)


def test_an_engine_without_a_daemon_has_no_api_that_could_be_dark():
    """podman: neither a row about its API nor about what it says; memory is that of conmon."""
    text = WEB.replace("kill: dockerd", "kill: payload/web")
    values = measure(traced(text, "engine.design=podman")).values
    assert math.isnan(values["api_dark"])
    assert math.isnan(values["silent_wrong"])
    assert 0 < values["memory_end"] < 10_000_000 < measure(traced(text)).values["memory_end"]
