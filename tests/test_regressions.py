"""Runs that once came out wrong, each as the smallest scenario that showed it, with what the facts say."""

from __future__ import annotations

import pytest

from sim.experiment.run import run_scenario
from sim.scenario import load

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
STUBBORN = 'services: {web: {image: nginx, ports: ["80:80"], x-payload: {on_term: none}}, b: {image: b}}\n'
LOOPING = "services: {a: {image: a, restart: always, x-payload: {exits: {code: 1, after: 100ms}}}}\n"
PINNED = """\
host: {begin: off}
services:
  a: {image: a, ports: ["80:80"], x-pids: {proxy: 600, shim: 620, payload: 640}}
  b: {image: b, ports: ["80:80"], x-pids: {proxy: 700, shim: 720, payload: 740}}
  c: {image: c, ports: ["81:80"], x-pids: {proxy: 800, shim: 820, payload: 840}}
steps:
  - {systemctl: start docker}
  - {at: 5s, compose: up -d a}
  - {at: 6s, compose: up -d b}
  - {at: 7s, compose: up -d c}
"""

CASES = {
    "A port published on the loopback is closed to other hosts.": (
        'services: {web: {image: nginx, ports: ["127.0.0.1:80:80"]}}\n'
        "expect: [{at: end, port: 80, from: remote, open: false}, {at: end, port: 80, from: loopback, open: true}]"
    ),
    "A limit runs on while its process is stopped (20 s of docker stop, 14 of them stopped).": (
        STUBBORN + "steps:\n"
        "  - {id: stop, at: 10s, docker: stop -t 20 web}\n"
        "  - {id: halt, at: 11s, stop: dockerd}\n"
        "  - {id: cont, at: 25s, cont: dockerd}\n"
        "until: 60s\n"
        "expect: [{at: 29900ms, container: web, status: running}, {at: 30300ms, process: payload/web, exists: false}]"
    ),
    "A limit that passes while its process is stopped rings when it goes on.": (
        STUBBORN + "steps:\n"
        "  - {id: stop, at: 10s, docker: stop web}\n"
        "  - {id: halt, at: 11s, stop: dockerd}\n"
        "  - {id: cont, at: 40s, cont: dockerd}\n"
        "until: 60s\n"
        "expect: [{at: cont-1s, process: payload/web, exists: true},"
        " {at: cont+1s, process: payload/web, exists: false}]"
    ),
    "A containerd that dies while a health check waits for it is never started again (T31).": (
        WEB + "steps: [{id: halt, at: 10s, stop: containerd}, {id: shot, at: 12s, kill: containerd}]\n"
        "until: 1m\n"
        "expect: [{at: end, process: containerd, exists: false}, {at: end, process: payload/web, exists: true}]"
    ),
    "With live-restore a shutdown waits for no docker stop that is under way (§5 step 2).": (
        "engine: {daemon: {live-restore: true}}\n" + STUBBORN + "steps:\n"
        "  - {id: a, at: 10s, docker: stop web}\n"
        "  - {id: s, at: 11s, systemctl: stop docker}\n"
        "until: 1m\n"
        "expect: [{at: s+1500ms, process: dockerd, exists: false}, {at: end, process: payload/web, exists: true}]"
    ),
    "With KillMode=control-group shims get TERM, which they ignore, and KILL after TimeoutStopSec.": (
        "engine: {daemon: {live-restore: true}, unit: {KillMode: control-group}}\n" + WEB + "steps:\n"
        "  - {id: s, at: 10s, systemctl: stop docker}\n"
        "until: 2m\n"
        "expect: [{at: s+90s, process: shim/web, exists: true}, {at: s+92s, process: shim/web, exists: false}]"
    ),
    "A payload that is a zombie under a stopped shim counts as running until the shim goes on (§7.3, §8 f).": (
        "engine: {daemon: {live-restore: true}}\n" + WEB + "steps:\n"
        "  - {id: s, at: 1s, stop: shim/web}\n"
        "  - {id: p, at: 2s, kill: payload/web}\n"
        "  - {id: k, at: 5s, kill: containerd}\n"
        "  - {id: c, at: 20s, cont: shim/web}\n"
        "until: 1m\n"
        "expect: [{at: 15s, container: web, status: running},"
        " {at: end, container: web, status: exited, exit_code: 137}]"
    ),
    "A container that waits for its restart counts as running: rm needs -f (§4).": (
        LOOPING + "steps: [{id: rm, at: 1s, docker: rm a}, {id: force, at: 20s, docker: rm -f a}]\n"
        "until: 30s\n"
        "expect: [{at: rm+1s, container: a, status: restarting}, {at: end, process: payload/a, exists: false}]"
    ),
    "A refused start frees the numbers that were observed for it: nobody waits for them.": (
        PINNED + "expect: [{at: end, process: payload/c, count: 1}, {at: end, container: b, status: created}]"
    ),
    "Nobody can do anything on a host while its power is away, nor start a program there.": (
        WEB + "steps:\n"
        "  - {id: cut, at: 10s, power_loss: 30s}\n"
        "  - {id: take, at: 15s, host: {take_port: 22}}\n"
        "until: 90s\n"
        "expect: [{step: take, error: closed by remote host}, {at: 20s, process: stranger/take, exists: false}]"
    ),
    "An unmapped port of a container with two leaves the other one's lock alone.": (
        'services: {web: {image: nginx, ports: ["80:80", "81:81"], restart: always}}\n'
        "steps: [{id: k, at: 1s, kill: dockerd}]\n"
        "expect: [{at: end, process: proxy/web, count: 2}, {at: end, port: 81, from: loopback, open: true}]"
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_run_that_was_wrong_once(sentence: str) -> None:
    """The case's sentence holds."""
    run = run_scenario(load("case.yaml", CASES[sentence]))
    assert not [f"{v.text}: {v.detail}" for v in run.verdicts() if not v.holds], sentence


@pytest.mark.parametrize("seed", range(1, 13))
def test_an_init_whose_create_was_killed_leaves(seed: int) -> None:
    """No first process of a killed start runs the user's program with the next start's."""
    text = """\
host: {begin: steady, uptime: 1m}
engine: {daemon: {live-restore: true}}
services:
  web: {image: i, ports: ["80:80"], restart: always, x-payload: {on_term: {exit: 0, after: 300ms}}}
  db: {image: d, ports: ["5432:5432"], restart: always, x-payload: {ready: 300ms}}
steps:
  - {id: s1, at: 123800us, docker: restart db}
  - {id: s3, at: 168100us, docker: restart web}
  - {id: s4, at: 947700us, systemctl: kill -s KILL docker}
until: 30s
"""
    world = run_scenario(load("case.yaml", text), seed).at()
    payloads = [p.image.container for p in world.host.procs.values() if p.image.program == "payload" and p.alive]
    assert len(payloads) == len(set(payloads)), payloads
