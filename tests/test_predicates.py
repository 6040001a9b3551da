"""Predicates: each is true in one moment of a small run and false in another."""

from __future__ import annotations

from functools import cache

import pytest

from sim.drive.timed import run
from sim.engine.setup import Target
from sim.engines.host.reach import ACCEPT
from sim.predicates import PREDICATES, believed, named, port_finds, port_open, serving, spelled, status_of
from sim.scenario import instant, load
from sim.scenario.expression import parse, question
from sim.views.moments import Moments
from sim.world import World

TEXT = """\
services:
  web: {image: nginx, ports: ["80:80", "127.0.0.1:81:81"], restart: always, x-payload: {on_term: ignore}}
  dns: {image: dns, ports: ["53:53/udp", "54:54/tcp", "54:54/udp"], x-payload: {log: 100KB/s}}
steps:
  - {id: shot, at: 1s, kill: proxy/web:80}
  - {id: hold, at: 2s, stop: shim/dns}
  - {id: die, at: 3s, kill: payload/web}
  - {id: stop, at: 20s, docker: stop web}
  - {id: kill, at: 60s, kill: dockerd}
  - {id: last, at: 85s, kill: shim/dns}
  - {id: rm, at: 87s, docker: rm -f web}
until: 90s
"""


@cache
def scenario_and_trace():
    scenario = load("f", text=TEXT)
    return scenario, run(scenario.setup)


@cache
def world_at(moment: str) -> World:
    scenario, trace = scenario_and_trace()
    at = Moments(trace).at(instant(moment, scenario))
    return trace.at(at)


def asked(text: str, moment: str) -> bool:
    """Return the answer to an expression at a moment."""
    scenario, _ = scenario_and_trace()
    ports = {port.host: service.name for service in scenario.setup.services for port in service.ports}
    return question(parse(text, scenario.names, ports))(world_at(moment))


# expression, a moment at which it is true, and one at which it is false
CASES = [
    ("blocked(payload/dns)", "hold+1s", "0s"),
    ("buffered(dns, 64KiB)", "hold+1s", "0s"),
    ("lost(dns, 1..)", "last+1s", "0s"),
    ("open(80, remote)", "0s", "stop+12s"),
    ("open(80, loopback)", "0s", "shot+10ms"),
    ("open(81, loopback)", "0s", "kill+50ms"),
    ("not open(81, remote)", "0s", None),
    ("open(53, remote)", "0s", "kill+5s"),
    ("open(53, remote, udp)", "0s", None),
    ("not open(53, remote, tcp)", "0s", None),
    ("open(54, remote)", "0s", None),
    ("finds(80, loopback, refused)", "shot+10ms", "0s"),
    ("finds(80, remote6, answered)", "0s", "shot+10ms"),
    ("finds(54, dns, unresolved, udp)", "0s", None),
    ("up(dockerd)", "0s", "kill+50ms"),
    ("down(dockerd)", "kill+50ms", "0s"),
    ("up(proxy/web:80)", "0s", "shot+10ms"),
    ("up(proxy/web)", "shot+10ms", "stop+12s"),
    ("exists(proxy/web:80)", "shot+10ms", "stop+12s"),
    ("exists(web)", "stop+12s", "rm+2s"),  # stopped, and then removed
    ("zombie(proxy/web:80)", "shot+10ms", "0s"),
    ("zombie(proxy/*)", "shot+10ms", "0s"),
    ("state(shim/dns, T)", "hold+10ms", "0s"),
    ("state(shim/*, S)", "0s", "hold+10ms"),
    ("state(proxy/web:80, Z)", "shot+10ms", "0s"),
    ("not state(exec/web, S)", "0s", None),
    ("parent(shim/*, containerd)", "0s", "kill+50ms"),
    ("parent(shim/dns, init)", "kill+50ms", "0s"),
    ("parent(payload/web, shim/web)", "0s", "stop+12s"),
    ("count(shim/*, 2)", "0s", "stop+12s"),
    ("count(payload/web, 0)", "stop+12s", "0s"),
    ("count(proxy/web, 1..2)", "0s", "stop+12s"),
    ("serving", "0s", "kill+500ms"),
    ("serving()", "kill+20s", "kill+500ms"),
    ("running(web)", "0s", "stop+12s"),
    ("status(web, exited)", "stop+12s", "0s"),
    ("status(web, restarting)", "die(web)+50ms", "0s"),
    ("exit_code(web, 137)", "stop+12s", "0s"),
    ("exit_code(web, 0..127)", "0s", "stop+12s"),
    ("restarts(web, 1..)", "die+5s", "0s"),
    ("restarted(web)", "die+5s", "0s"),
    ("not restarted(dns)", "die+5s", None),
]


@pytest.mark.parametrize(("text", "true", "false"), CASES, ids=[case[0] for case in CASES])
def test_a_predicate_is_true_and_false(text, true, false):
    """The answer follows the run."""
    assert asked(text, true)
    assert false is None or not asked(text, false)


def test_every_predicate_is_tried():
    """No row of the table is without a case."""
    assert {text.removeprefix("not ").partition("(")[0] for text, _, _ in CASES} == set(PREDICATES)
    assert all(row.sentence and not row.sentence.endswith(".") for row in PREDICATES.values())


def test_the_engine_s_belief_is_memory_then_disk():
    """A living dockerd that has read its records is believed; before that, and without one, the disk."""
    world = world_at("stop+12s").copy()
    pid = serving(world)
    assert status_of(believed(world, "web")) == "exited"
    del world.memory[pid]["container/web"]
    assert status_of(believed(world, "web")) == "exited"
    world.host.files = {}
    assert believed(world, "web") is None
    assert serving(world_at("kill+500ms")) is None


def test_a_port_of_two_protocols_is_open_if_tcp_is():
    """Without a protocol udp is asked for only where nothing else is published."""
    world = world_at("0s").copy()
    for rule in [rule for rule in world.host.rules if rule.port == 54 and rule.proto == "tcp"]:
        if rule.chain == ACCEPT:
            del world.host.rules[rule]
    assert not port_open(world, 54, "remote")
    assert port_finds(world, 54, "remote", "timeout")
    assert port_open(world, 54, "remote", "udp")


def test_a_target_names_by_role_container_and_port():
    """The port is the one on the host; the dead are named, too."""
    world = world_at("shot+10ms")
    found = {text: sorted(spelled(it).partition(" ")[0] for it in named(world, target)) for text, target in {
        "all": Target("proxy", "*"), "web": Target("proxy", "web"), "81": Target("proxy", "web", 81),
    }.items()}  # fmt: skip
    assert found == {"all": ["proxy/dns"] * 3 + ["proxy/web"] * 2, "web": ["proxy/web"] * 2, "81": ["proxy/web"]}
    assert [process.state for process in named(world, Target("proxy", "web", 80))] == ["Z"]
