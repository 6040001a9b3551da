"""dockerd begins, ends, and looks after containerd meanwhile: what signals do when, who is taken over, what is left.

A row is a scenario with its own `expect:`. Source of the expectations: D cmd/dockerd/daemon.go, daemon/daemon.go,
libcontainerd/remote_unix.go, client_linux.go; engine-1.13 §2 step 2, §3.1 step 8, §5, §6, §7.1, §8, §15, §16.2.
"""

from __future__ import annotations

import pytest

from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, UnitChanged
from sim.kernel.events import Execed
from sim.scenario import load

DEAF = "services: {web: {image: nginx, restart: always, x-payload: {on_term: none}}, db: {image: postgres}}\n"
LIVE = "engine: {daemon: {live-restore: true}}\n"
EARLY = (
    LIVE
    + """\
services: {web: {image: nginx, ports: ["80:80"], restart: %s}}
steps:
  - {id: kill, at: 1s, kill: dockerd}
  - {host: {slow: {iptables: 10}}}
  - {id: shot, at: start(web)+1ms, kill: payload/web}
"""
)

READ = """\
services: {web: {image: nginx, restart: on-failure, x-payload: {exits: {code: 0, after: 5s}}}}
host: {begin: off}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d}
  - {id: down, at: die(web), kill: dockerd}
"""

ROWS: dict[str, str] = {
    "a containerd that dies while dockerd stops its containers is started anew": DEAF
    + """\
steps:
  - {id: stop, at: 1s, systemctl: stop docker}
  - {id: down, at: 3s, kill: containerd}
until: 60s
expect:
  - {at: down+3s, process: containerd, parent: dockerd, count: 1}
  - {within: 15s, of: stop, step: stop, ok: true}
  - {at: end, process: payload/*, exists: false}
  - {at: end, process: containerd, exists: false}
  - {at: end, file: /var/run/docker.pid, exists: false}
  - {events: [{kill: 15}, {kill: 9}, {die: 137}, network disconnect, stop], container: web, exact: true}
""",
    "a containerd that stands still while dockerd stops its containers: an error, and they are left": DEAF
    + """\
steps:
  - {id: down, at: 1s, stop: containerd}
  - {id: stop, at: 2s, systemctl: stop docker}
until: 60s
expect:
  - {at: down+9s, process: dockerd, exists: true}
  - {within: 16s, of: stop, step: stop, ok: true}
  - {at: end, process: payload/*, exists: true}
  - {at: end, process: shim/*, parent: init}
  - {at: end, process: containerd, exists: false}
""",
    "with live-restore a shutdown waits for the lock of a container that starts, fifteen seconds at most": LIVE
    + """\
services: {web: {image: nginx}}
steps:
  - {at: 1s, docker: run -d --name slow nginx}
  - {at: Forked(runc/slow), stop: runc/slow}
  - {id: stop, at: 5s, systemctl: stop docker}
until: 60s
expect:
  - {at: stop+14900ms, process: dockerd, exists: true}
  - {at: stop+14900ms, process: containerd, exists: true}
  - {within: 16100ms, of: stop, step: stop, ok: true}
  - {at: end, process: payload/web, exists: true}
""",
    "a shutdown waits for a container that starts, and stops it": """\
services: {web: {image: nginx}}
steps:
  - {at: 1s, docker: run -d --name slow nginx}
  - {at: Forked(runc/slow), stop: runc/slow}
  - {id: stop, at: 5s, systemctl: stop docker}
  - {at: 10s, cont: runc/slow}
until: 60s
expect:
  - {at: stop+4900ms, process: dockerd, exists: true}
  - {at: stop+4900ms, process: payload/web, exists: false}
  - {events: [start slow, kill slow]}
""",
    "TERM ends a dockerd that has not reached containerd yet; its pid files stay": DEAF
    + """\
steps:
  - {at: 1s, kill: dockerd}
  - {id: term, at: Execed(dockerd)+300ms, kill: dockerd, signal: TERM}
  - {id: up, at: 10s, systemctl: start docker}
until: 60s
expect:
  - {at: term+10ms, process: dockerd, exists: false}
  - {at: term+10ms, process: containerd, exists: false}
  - {at: term+10ms, file: /var/run/docker.pid, exists: true}
  - {at: up-1s, process: payload/*, exists: true}
  - {step: up, ok: true}
""",
    "TERM during the rest of its start: policies first, READY, then all is stopped": DEAF
    + """\
steps:
  - {at: 1s, kill: dockerd}
  - {id: term, at: Execed(dockerd)+5s, kill: dockerd, signal: TERM}
  - {id: ask, at: term+1s, docker: stop web}
until: 60s
expect:
  - {step: ask, error: "Cannot connect to the Docker daemon"}
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: payload/*, exists: false}
  - {at: end, file: /var/run/docker.pid, exists: false}
  - {events: [{die: 137}, network connect, start, {kill: 15}, {kill: 9}, {die: 137}, network disconnect, stop],
     container: web, exact: true}
""",
    "a stranger with the number of a dead containerd is killed in its turn, and not waited for": """\
host: {begin: off}
steps:
  - {systemctl: start docker}
  - {id: down, at: 10s, kill: containerd}
  - {id: other, at: down+200ms, host: {take_pid: containerd}}
until: 60s
expect:
  - {at: down+2s, process: containerd, exists: false}
  - {at: down+2s, process: stranger/other, exists: true}
  - {at: down+4s, process: stranger/other, exists: false}
  - {at: end, process: containerd, parent: dockerd, count: 1}
""",
    "a stranger that dies before a starting dockerd kills it is waited for all the same": """\
services: {web: {image: nginx}}
steps:
  - {id: down, at: 1s, kill: containerd}
  - {id: kill, at: 60s, kill: dockerd}
  - {id: other, at: kill+20ms, host: {take_pid: containerd}}
  - {at: kill+500ms, kill: stranger/other}
until: kill+10m
expect:
  - {at: kill+50ms, process: stranger/other, exists: true}
  - {at: end, process: containerd, exists: false}
  - {at: end, process: dockerd, exists: true}
""",
    "an exit between a live restore and READY: the policy waits for READY, the next start clears up": EARLY % "always"
    + """\
until: 60s
expect:
  - {at: end, container: web, status: running, pid: new}
  - {at: end, process: proxy/web, count: 1}
  - {events: [start, {die: 137}, network connect, start], container: web, exact: true}
""",
    "the same without a policy: proxy and port stay until the next start": EARLY % '"no"'
    + """\
  - {id: up, at: 30s, docker: start web}
until: 60s
expect:
  - {at: up-1s, container: web, status: exited, exit_code: 137}
  - {at: up-1s, process: proxy/web, count: 1}
  - {step: up, ok: true}
  - {at: end, process: proxy/web, count: 1}
""",
    "a payload that ends before a restore can signal it keeps its code": """\
services: {web: {image: nginx, x-payload: {on_term: {exit: 3}}}}
steps:
  - {id: kill, at: 1s, kill: dockerd}
  - {id: term, at: Listened(containerd)+500ms, kill: payload/web, signal: TERM}
until: 60s
expect:
  - {at: end, container: web, status: exited, exit_code: 3}
  - {events: [{die: 3}], container: web, exact: true}
""",
    "a containerd that dies before a restore's KILL: dockerd waits for its two seconds": DEAF
    + """\
steps:
  - {at: 1s, kill: dockerd}
  - {id: down, at: Signalled(payload/web)+9900ms, kill: containerd}
until: 60s
expect:
  - {at: down+2s, container: web, status: running}
  - {at: down+2s, container: db, status: exited, exit_code: 0}
  - {events: [{die: 255}], container: web}
  - {at: end, process: payload/web, exists: true}
""",
    "an exit that was read and is not on the disk keeps its code, so that on-failure starts nothing": READ
    + """\
until: 30s
expect:
  - {at: end, container: web, status: exited, exit_code: 0}
  - {within: 10s, of: down, events: [{die: 0}, {die: 0}], container: web, exact: true}
""",
    "containerd begins twice, and the event of the exit is in no log any more": READ
    + """\
  - {at: 'Listened(containerd)#2+50ms', kill: dockerd}
until: down+4s
expect:
  - {at: end, container: web, status: running}
  - {within: 4s, of: down, events: [{die: 0}, {die: 255}, network connect, start], container: web, exact: true}
""",
    "a container that containerd has lost, whose last event is no exit: ten seconds, and all others wait": """\
services: {web: {image: nginx}, db: {image: postgres}}
steps:
  - {id: torn, at: 1s, host: {tear: web/process.json}}
  - {id: down, at: 2s, kill: dockerd}
until: 30s
expect:
  - {at: down+11s, container: web, status: running}
  - {at: end, container: web, status: exited, exit_code: 255}
  - {events: [{die: 255}], container: web, exact: true}
  - {events: [{die: 0}], container: db, exact: true}
  - {at: end, process: payload/web, exists: true}
""",
}


def run(text: str) -> Run:
    """Run a scenario's text to its end."""
    found = run_scenario(load("row.yaml", text))
    assert not found.trace.note
    return found


@pytest.mark.parametrize("name", ROWS)
def test_a_daemon_s_life(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    verdicts = run(ROWS[name]).verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


def test_a_policy_s_attempt_comes_after_ready() -> None:
    """waitForStartupDone: the network controller is there by then."""
    trace = run(EARLY % "always" + "until: 60s\n").trace
    (ready,) = (
        it.at
        for it in trace
        if isinstance(it.event, UnitChanged) and it.event.state == "active" and (it.at or 0) > trace.origin
    )
    (connect,) = (
        it.at
        for it in trace
        if isinstance(it.event, EngineEvent) and it.event.action == "connect" and (it.at or 0) > trace.origin
    )
    assert (ready or 0) <= (connect or 0)


def runc_runs(text: str) -> list[str]:
    """Return who ran which verb of runc after t = 0, in order."""
    trace, images, found = run(text).trace, {}, []
    parents: dict[int, int] = {}
    for record in trace:
        event = record.event
        if type(event).__name__ == "Forked":
            parents[event.pid] = event.ppid
        if isinstance(event, Execed):
            images[event.pid] = event.image.program
            verbs = {"create", "start", "state", "kill", "delete"}.intersection(event.image.argv)
            if event.image.program == "runc" and verbs and (record.at or 0) > trace.origin:
                found.append(f"{images[parents[event.pid]]}: {verbs.pop()}")
    return found


def test_the_main_loop_asks_runc_for_the_state_of_a_payload_that_has_lost_its_shim() -> None:
    """§8: one run of `state`, then `delete`; a restore that finds such a payload asks as well."""
    web = "services: {web: {image: nginx}}\n"
    assert runc_runs(web + "steps: [{at: 1s, kill: shim/web}]\nuntil: 20s\n") == [
        "containerd: state",
        "containerd: delete",
    ]
    late = "steps: [{at: 1s, kill: containerd}, {at: 1100ms, kill: shim/web}]\nuntil: 60s\n"
    assert runc_runs(web + late) == ["containerd: state", "containerd: delete"]


def test_a_failed_start_is_dropped_by_the_main_loop() -> None:
    """The worker answers, then DeleteTask runs `runc delete` in the loop, where a kill of another container waits."""
    text = """\
services: {db: {image: postgres}}
steps:
  - {id: up, at: 1s, docker: run -d --name web nginx}
  - {id: shot, at: Forked(runc/web), kill: shim/web}
  - {id: hang, at: Forked(runc/web)#2, stop: runc/web}
  - {id: kill, at: hang+1s, docker: kill db}
  - {at: hang+5s, cont: runc/web}
until: 20s
expect:
  - {at: hang+10ms, step: up, error: "containerd: container not started"}
  - {at: hang+4900ms, step: kill, unanswered: true}
  - {step: kill, ok: true}
"""
    assert [it.text for it in run(text).verdicts() if not it.holds] == []
