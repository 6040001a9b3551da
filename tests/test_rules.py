"""Rules that no row of the transition table shows: each as a small scenario, with what the facts say of it.

Most of these were written for a planted fault that nothing noticed (tests/mutants). Source: engine-1.13; the section
stands with each test.
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.engine.setup import S, Setup
from sim.engine.traits import REDIAL_CAP
from sim.engines.docker.dockerd.supervise import retry_after
from sim.engines.host.reach import NETNS
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone
from sim.kernel.events import Signalled
from sim.kernel.host import Host
from sim.scenario import load
from sim.world import Frame, World

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
TWO = "services: {web: {image: nginx}, db: {image: db}}\n"
DEAF = "services: {web: {image: nginx, restart: unless-stopped, x-payload: {on_term: none}}}\n"
BLOCKED = """\
host: {begin: off}
services:
  other: {image: other, ports: ["0.0.0.0:80:80"]}
  web: {image: nginx, ports: ["127.0.0.1:80:80"]}
steps:
  - {systemctl: start docker}
  - {at: 5s, compose: up -d other}
  - {id: up, at: 10s, compose: up -d web}
"""

CASES = {
    "A signal is not on disk before the exit: dockerd dies, and unless-stopped starts what was to stop (§16.9).": (
        DEAF + "steps: [{id: stop, at: 1s, docker: stop web}, {id: shot, at: 3s, kill: dockerd}]\n"
        "until: 1m\n"
        "expect: [{at: end, container: web, status: running, pid: new}]"
    ),
    "The container lock is held for the whole start: a stop that comes meanwhile stops what was started (§2).": (
        WEB + "steps:\n"
        "  - {id: gone, at: 1s, docker: stop web}\n"
        "  - {id: up, at: 10s, docker: start web}\n"
        "  - {id: stop, at: Forked(shim/web), docker: stop web}\n"
        "until: 1m\n"
        "expect: [{at: end, container: web, status: exited}, {events: [start web, kill web, stop web]}]"
    ),
    "A start that people ask for sets RestartCount back (§2 step 6).": (
        WEB.replace("nginx,", "nginx, restart: always,") + "steps:\n"
        "  - {id: shot, at: 1s, kill: payload/web}\n"
        "  - {id: again, at: 10s, docker: restart web}\n"
        "until: 1m\n"
        "expect: [{at: again-1s, container: web, restarts: 1}, {at: end, container: web, restarts: 0}]"
    ),
    "Failed checks count only in a row: three short hangs do not cost containerd its life (§7.1).": (
        "host: {begin: off}\n" + WEB + "steps:\n"
        "  - {systemctl: start docker}\n"
        "  - {id: a, at: 10s, stop: containerd}\n"
        "  - {at: a+4s, cont: containerd}\n"
        "  - {id: b, at: 20s, stop: containerd}\n"
        "  - {at: b+4s, cont: containerd}\n"
        "  - {id: c, at: 30s, stop: containerd}\n"
        "  - {at: c+4s, cont: containerd}\n"
        "until: 40s\n"
        "expect: [{during: [a, end], process: containerd, count: 1}, {at: end, process: containerd, state: S}]"
    ),
    "An exit that was handled is not told again: a new containerd sends what is later than event.ts (§16.4).": (
        WEB + "steps:\n"
        "  - {id: stop, at: 1s, docker: stop web}\n"
        "  - {id: up, at: 10s, docker: start web}\n"
        "  - {id: down, at: 20s, kill: containerd}\n"
        "until: 1m\n"
        "expect: [{at: end, container: web, status: running, pid: same, since: down-1s}]"
    ),
    "systemctl stop while systemd waits for RestartSec= is the end: nothing starts docker again (§5).": (
        "engine: {unit: {RestartSec: 5s}}\n" + WEB + "steps:\n"
        "  - {id: shot, at: 1s, kill: dockerd}\n"
        "  - {id: stop, at: 3s, systemctl: stop docker}\n"
        "until: 30s\n"
        "expect: [{step: stop, ok: true}, {during: [stop, end], process: dockerd, exists: false}]"
    ),
    "systemctl kill sends its signal to every process of the unit: shims, too (systemctl(1)).": (
        WEB + "steps: [{id: shot, at: 1s, systemctl: kill -s KILL docker}]\n"
        "until: 2s\n"
        "expect: [{at: shot+50ms, process: shim/web, exists: false}]"
    ),
    "A reload leaves max-health-check-retries as it was at the start: one failed check is none too many (§11, T56).": (
        WEB + "steps:\n"
        "  - {at: 1s, host: {daemon.json: {max-health-check-retries: 1}}}\n"
        "  - {at: 2s, systemctl: reload docker}\n"
        "  - {id: a, at: 10s, stop: containerd}\n"
        "  - {at: a+6s, cont: containerd}\n"
        "until: 20s\n"
        "expect: [{at: end, process: shim/web, parent: containerd}]"
    ),
    "A stranger cannot listen where somebody does (bind(2)).": (
        WEB + "steps: [{id: take, at: 1s, host: {take_port: 80}}]\n"
        "until: 2s\n"
        "expect: [{step: take, error: address already in use}, {at: end, process: stranger/take, exists: false}]"
    ),
    "A stop timeout below 0 has no end: neither docker stop nor dockerd's own gives up, but systemd does (§5).": (
        "steps:\n"
        "  - {id: run, at: 1s, docker: run -d --name web --stop-timeout -1 nginx}\n"
        "  - {id: hold, at: 5s, stop: shim/web}\n"
        "  - {id: stop, at: 6s, docker: stop -t -1 web}\n"
        "  - {id: down, at: 5m, systemctl: stop docker}\n"
        "until: 10m\n"
        "expect: [{at: down-1s, step: stop, unanswered: true}, {at: down+89s, process: dockerd, exists: true},"
        " {at: down+91s, process: dockerd, exists: false},"
        " {within: 4m, of: stop, events: [{kill: TERM}], container: web, exact: true}]"
    ),
    "systemctl kill goes to all of the unit, or to dockerd alone: HUP makes that read its settings again (§1.1).": (
        WEB + "steps:\n"
        "  - {id: main, at: 1s, systemctl: kill --kill-who=main -s HUP docker}\n"
        "  - {id: all, at: 5s, systemctl: kill -s KILL docker}\n"
        "until: 5500ms\n"
        "expect: [{events: [daemon reload]}, {at: all-1s, process: proxy/web, count: 1},"
        " {at: all+10ms, process: dockerd, exists: false}, {at: all+10ms, process: shim/web, exists: false}]"
    ),
    "An iptables that is killed fails the start, and a rule that stands by then is left (MapRange [K]).": (
        "host: {begin: off}\nservices: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
        "steps:\n"
        "  - {systemctl: start docker}\n"
        "  - {id: up, at: 5s, compose: up -d web}\n"
        "  - {at: 'Forked(iptables)#4+1ms', kill: iptables}\n"
        "  - {id: again, at: 10s, docker: start web}\n"
        "until: 20s\n"
        "expect: [{step: up, error: 'endpoint web:  (iptables failed'},"
        " {at: again-1s, container: web, status: created, exit_code: 128, address: none},"
        " {at: again-1s, process: proxy/web, exists: false}, {step: again, ok: true},"
        " {events: [create, network disconnect, network connect, start], container: web, exact: true},"
        " {at: end, port: 80, from: remote, open: true}]"
    ),
    "An iptables that stands still holds the lock that all others want: no start and no exit goes on (§15).": (
        TWO + "networks: {back: {}}\n"
        "steps:\n"
        "  - {id: up, at: 1s, docker: run -d --name new -p 81:81 nginx}\n"
        "  - {id: hold, at: Forked(iptables)+1ms, stop: iptables}\n"
        "  - {id: other, at: 5s, docker: run -d --name more -p 82:82 --network back nginx}\n"
        "  - {id: on, at: 60s, cont: iptables}\n"
        "until: 70s\n"
        "expect: [{at: on-1s, step: up, unanswered: true}, {at: on-1s, step: other, unanswered: true},"
        " {within: 2s, of: on, step: up, ok: true}, {within: 2s, of: on, step: other, ok: true}]"
    ),
    "A shell whose command is killed leaves with 128 and the signal (§9).": (
        "services: {web: {image: arthas, x-payload: {comm: sh, children: [{comm: java, argv: [java]}]}}}\n"
        "steps: [{id: shot, at: 1s, kill: child/web, signal: TERM}]\n"
        "until: 5s\n"
        "expect: [{at: end, container: web, status: exited, exit_code: 143}]"
    ),
    "A proxy that is killed before it listens fails the start, and has said nothing.": (
        WEB + "steps:\n"
        "  - {at: 1s, docker: stop web}\n"
        "  - {id: up, at: 5s, docker: start web}\n"
        "  - {at: Forked(proxy/web)+1ms, kill: proxy/web}\n"
        "until: 20s\n"
        "expect: [{at: end, container: web, status: exited, exit_code: 128},"
        " {at: end, port: 80, from: remote, open: false}]"
    ),
    "A port whose proxy cannot bind it is free for the next start, and its rules are gone (§2, T2).": (
        BLOCKED + "  - {id: free, at: 20s, docker: stop other}\n"
        "  - {id: again, at: 30s, docker: start web}\n"
        "until: 1m\n"
        "expect: [{at: free-1s, container: web, status: created, exit_code: 128},"
        " {at: free-1s, process: proxy/web, exists: false}, {at: end, container: web, status: running},"
        " {at: end, port: 80, from: loopback, open: true}]"
    ),
}


def run(text: str, seed: int = 1) -> Run:
    """Run a scenario's text."""
    return run_scenario(load("rule.yaml", text), seed)


def seconds(found: Run, of: type, **fields: object) -> list[float]:
    """Return when facts of a type with these fields came, in s from t = 0."""
    return [
        ((record.at or 0) - found.trace.origin) / S
        for record in found.trace
        if isinstance(record.event, of) and all(getattr(record.event, key) == value for key, value in fields.items())
    ]


@pytest.mark.parametrize("sentence", CASES)
def test_a_rule_holds(sentence: str) -> None:
    """The case's sentence holds."""
    found = run(CASES[sentence])
    assert not [f"{v.text}: {v.detail}" for v in found.verdicts() if not v.holds], sentence


def test_a_failed_mapping_leaves_no_rule() -> None:
    """The three rules of a port whose proxy cannot bind it are deleted again, and the command says so (§2, T2)."""
    found = run(BLOCKED + "until: 30s\n")
    assert {rule.ip for rule in found.at().host.rules} == {"0.0.0.0"}
    (error,) = (r.event.error for r in found.trace if isinstance(r.event, StepDone) and r.event.id == "up")
    assert "Error starting userland proxy: listen tcp 127.0.0.1:80: bind: address already in use" in error


def test_a_container_gets_the_lowest_free_address() -> None:
    """A container that is started again gets the address that it gave back, not one after the last (§2 step 2)."""
    found = run(TWO + "steps: [{at: 1s, docker: restart web}]\nuntil: 30s\n")
    assert [found.at().host.files[NETNS + name] for name in ("web", "db")] == ["172.17.0.2", "172.17.0.3"]


def test_an_oom_score_adj_goes_before_size() -> None:
    """Of all programs the one with the highest goes first, whatever it holds; what is exec'd beside it has its, too."""
    text = """\
services:
  db: {image: pg, oom_score_adj: -200, x-payload: {memory: 2g}}
  web: {image: nginx, x-payload: {memory: 1g}}
steps:
  - {docker: run -d --name low --oom-score-adj 300 nginx}
  - {docker: exec -d db sleep 100}
  - {at: 5s, oom: host}
  - {at: 10s, oom: host}
  - {at: 15s, oom: host}
until: 20s
expect:
  - {events: [{die low: 137}, {die web: 137}, {die db: 137}], exact: true, during: [4s, end]}
"""
    found = run(text)
    assert [verdict.detail for verdict in found.verdicts() if not verdict.holds] == []
    procs = found.at("4s").host.procs.values()
    adjs = {(it.image.program, it.image.container): it.oom_score_adj for it in procs}
    assert (adjs["payload", "low"], adjs["payload", "web"]) == (300, 0)
    assert (adjs["payload", "db"], adjs["exec", "db"], adjs["exec-shim", "db"]) == (-200, -200, -500)


def test_a_kill_that_nobody_takes_is_given_up_after_ten_seconds() -> None:
    """docker stop of a ghost: ten seconds for its own time, ten for KILL, then past containerd (§3.2, T14)."""
    ghost = WEB + "steps:\n  - {id: down, at: 1s, kill: containerd}\n"
    ghost += "  - {at: down+100ms, kill: payload/web}\n  - {at: Listened(containerd)+1150ms, kill: containerd}\n"
    found = run(ghost + "  - {id: stop, at: 10m, docker: stop web}\nuntil: 11m\n", 4)
    assert seconds(found, EngineEvent, action="stop") == pytest.approx([620.0], abs=0.2)


def test_a_hung_containerd_gets_usr1_and_a_tenth_of_a_second() -> None:
    """dockerd sends USR1, waits 100 ms, then sends KILL (§7.1)."""
    found = run(WEB + "steps: [{id: hang, at: 60s, stop: containerd}]\nuntil: hang+30s\n")
    usr1, kill = seconds(found, Signalled, signal="USR1"), seconds(found, Signalled, signal="KILL")
    assert usr1
    assert kill[0] - usr1[0] == pytest.approx(0.1, abs=0.01)


def test_pauses_between_dials_grow_to_two_minutes() -> None:
    """1 s, then times 1.6 each, up to 120 s (§16.3)."""
    world = World(Setup(()), DESIGNS["docker-1.13"], Host())
    found = [retry_after(world, Frame((2, "x"), "p", 0, {"attempt": n})) / S for n in range(1, 16)]
    assert found[:5] == pytest.approx([1.0, 1.6, 2.56, 4.096, 6.5536])
    assert found[-4:] == [120.0] * 4
    assert REDIAL_CAP == 120 * S
