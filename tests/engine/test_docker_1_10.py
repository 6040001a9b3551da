"""docker-1.10, fault by fault: a row is a scenario with what designs §2's table says of it.

F3, F4 and F5 have no row: there is no containerd, and what looks after a container is a goroutine of dockerd.
"""

from __future__ import annotations

import pytest
from msgspec import structs

from sim.engine.setup import S
from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.scenario import load
from sim.testing import EngineMachine, run_machine
from tests.ran import failures, ran

HEAD = "engine: {design: docker-1.10}\nhost: {uptime: 1m}\n"
WEB = HEAD + "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
DEAF = HEAD + "services: {web: {image: nginx, restart: always, x-payload: {on_term: ignore}}}\n"
LOGS = HEAD + "services: {web: {image: nginx, restart: always, x-payload: {log: {stdout: 10KB/s}}}}\n"

FAULTS: dict[str, str] = {
    "F1 [S*][K]: orphans of PID 1 live on until a dockerd is back": WEB
    + """\
steps: [{id: kill, at: 10s, kill: dockerd}]
until: 1m
expect:
  - {at: end, process: payload/web, parent: init, count: 1}
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
  - {at: end, process: dockerd, exists: false}
""",
    "F1 [S][K]: proxies get TERM at once, DNAT stays": WEB
    + """\
steps: [{id: kill, at: 10s, kill: dockerd}]
until: 1m
expect:
  - {at: kill+100ms, process: proxy/web, exists: false}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, port: 80, from: loopback, open: false}
""",
    "F1 [S*]: what is printed afterwards meets a pipe without a reader: nobody waits": LOGS
    + """\
steps: [{id: kill, at: 10s, kill: dockerd}]
until: 2m
expect:
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0}
""",
    "F1 [S*][I]: the next client wakes it; it kills the orphans, notes 137, and the policy starts anew [S]": WEB
    + """\
steps: [{id: kill, at: 10s, kill: dockerd}, {id: ps, at: 30s, docker: ps}]
until: 1m
expect:
  - {step: ps, ok: true}
  - {at: ps+1s, process: payload/web, parent: dockerd, count: 1}
  - {at: end, container: web, status: running, pid: new, since: kill-1s}
  - {at: end, port: 80, from: loopback, open: true}
""",
    "F1 [S]: without a policy it stays stopped, with 137": HEAD
    + """\
services: {web: {image: nginx}}
steps: [{id: kill, at: 10s, kill: dockerd}, {id: up, at: 30s, systemctl: start docker}]
until: 1m
expect:
  - {at: end, container: web, status: exited, exit_code: 137}
  - {at: end, process: payload/web, exists: false}
""",
    "F1 [S]: 137 as well for one that ended while no dockerd was there; its own code is lost": HEAD
    + """\
services: {web: {image: nginx, x-payload: {on_term: {exit: 3}}}}
steps:
  - {id: kill, at: 10s, kill: dockerd}
  - {id: term, at: 15s, kill: payload/web, signal: TERM}
  - {id: up, at: 30s, systemctl: start docker}
until: 1m
expect:
  - {at: term+1s, process: payload/web, exists: false}
  - {at: end, container: web, status: exited, exit_code: 137}
""",
    "F2 [S]: stopped with its time, then started by the policy": WEB
    + """\
steps: [{id: restart, at: 10s, systemctl: restart docker}]
until: 1m
expect:
  - {within: 2s, of: restart, container: web, status: running, pid: new, since: restart-1s}
  - {events: [kill, {die: 0}, stop, start], container: web}
""",
    "F2 [S]: 10 s for one that does not hear, then KILL": DEAF
    + """\
steps: [{id: restart, at: 10s, systemctl: restart docker}]
until: 1m
expect:
  - {at: restart+9s, process: payload/web, exists: true}
  - {within: 12s, of: restart, container: web, status: running, pid: new, since: restart-1s}
""",
    "F6 [S]: a proxy is missed by clients of the loopback alone; nobody starts it again": WEB
    + """\
steps: [{id: kill, at: 10s, kill: proxy/web}]
until: 1m
expect:
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, port: 80, from: loopback, open: false}
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
""",
    "F7 [S]: seen at once, the code is exact, the policy starts it again": WEB
    + """\
steps: [{id: kill, at: 10s, kill: payload/web}]
until: 1m
expect:
  - {within: 20ms, of: kill, container: web, status: restarting, exit_code: 137}
  - {within: 1s, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
  - {at: end, process: proxy/web, count: 1}
  - {events: [{die: 137}, start], container: web}
""",
    "F7 [S]: pauses of 200, 400, 800 ms and so on, without an end": """\
engine: {design: docker-1.10}
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 100ms}}}}
host: {begin: off}
steps: [{id: on, at: 0s, systemctl: start docker}, {id: up, at: 10s, compose: up -d}]
until: 10m
expect:
  - {at: up+1s, container: web, restarts: 2}
  - {at: up+8s, container: web, restarts: 6}
  - {at: end, container: web, restarts: 12}
""",
    "F8 [S]: a reboot stops them in order, boot starts what has a policy": WEB
    + """\
steps: [{id: reboot, at: 10s, reboot: true}]
until: 5m
expect:
  - {at: end, container: web, status: running, pid: new, since: reboot-1s}
  - {at: end, port: 80, from: loopback, open: true}
""",
    "F8 [S]: after a power cut what ran has 137": HEAD
    + """\
services: {web: {image: nginx}, db: {image: redis, restart: always}}
steps: [{id: off, at: 10s, power_loss: 10s}]
until: 5m
expect:
  - {at: end, container: web, status: exited, exit_code: 137}
  - {at: end, container: db, status: running}
""",
    "F9: a container at its limit": HEAD
    + """\
services: {web: {image: nginx, mem_limit: 100m, restart: always}}
steps: [{id: oom, at: 10s, oom: web}]
until: 1m
expect:
  - {within: 1s, of: oom, container: web, status: running, restarts: 1}
  - {events: [oom, {die: 137}, start], container: web}
""",
    "F10 [I]: after a restart of journald the next line ends dockerd with SIGPIPE; what follows is F1": WEB
    + """\
steps:
  - {id: journal, at: 10s, host: {journald: restart}}
  - {id: ps, at: 20s, docker: ps}
until: 30s
expect:
  - {at: ps-1s, process: dockerd, exists: true}
  - {at: ps+100ms, process: dockerd, exists: false}
  - {at: end, process: payload/web, parent: init}
""",
    "F11 [I]: on a full disk no daemon starts": WEB
    + """\
steps: [{id: fill, at: 10s, host: {fill_disk: true}}, {id: restart, at: 20s, systemctl: restart docker}]
until: 1m
expect:
  - {at: fill+5s, container: web, status: running}
  - {step: restart, ok: false}
  - {at: end, process: dockerd, exists: false}
""",
    "F12 [I]: an upgrade is a restart": WEB
    + """\
steps: [{id: up, at: 10s, upgrade: {to: docker-1.11}}]
until: 1m
expect:
  - {at: up-1s, process: payload/web, parent: dockerd}
  - {at: end, process: payload/web, parent: shim/web}
  - {at: end, container: web, status: running, pid: new, since: up-1s}
""",
}

COMMANDS: dict[str, str] = {
    "exec: a child of dockerd, too; its code": WEB
    + """\
steps: [{id: exec, at: 1s, docker: exec web ls}, {id: gone, at: 5s, docker: exec web nosuch}]
expect:
  - {step: exec, ok: true}
  - {at: exec+100ms, process: exec/web, parent: dockerd}
""",
    "pause and unpause": WEB
    + """\
steps: [{id: pause, at: 1s, docker: pause web}, {id: on, at: 3s, docker: unpause web}]
expect:
  - {at: on-1s, container: web, status: paused}
  - {at: on-1s, port: 80, from: remote, open: false}
  - {at: end, container: web, status: running}
  - {at: end, port: 80, from: remote, open: true}
""",
    "run: a command that is not there": HEAD
    + """\
services: {web: {image: nginx}}
steps: [{id: run, at: 1s, docker: run -d --name job nginx}, {id: rm, at: 3s, docker: rm -f job}]
expect:
  - {step: run, ok: true}
  - {at: end, container: job, exists: false}
""",
    "a stop of the unit: the socket still wakes it": WEB
    + """\
steps: [{id: stop, at: 10s, systemctl: stop docker}, {id: ps, at: 20s, docker: ps}]
until: 1m
expect:
  - {at: ps-1s, process: dockerd, exists: false}
  - {step: ps, ok: true}
  - {at: end, process: dockerd, exists: true}
  - {at: end, container: web, status: running}
""",
    "a client that comes while dockerd shuts down waits for the next one": DEAF
    + """\
steps: [{id: term, at: 10s, kill: dockerd, signal: TERM}, {id: ps, at: 12s, docker: ps}]
until: 1m
expect:
  - {at: ps+5s, process: dockerd, exists: true}
  - {step: ps, ok: true}
  - {at: end, container: web, status: running, pid: new, since: term-1s}
""",
    "output waits for dockerd alone: its pipe, its buffer, what it has read": LOGS
    + """\
steps: [{id: stop, at: 1s, stop: dockerd}, {id: cont, at: 61s, cont: dockerd}]
until: 2m
expect:
  - {at: cont-1s, process: payload/web, blocked: true}
  - {at: cont-1s, container: web, buffered: 64KiB}
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0, lost: 0}
""",
}


@pytest.mark.parametrize("name", [*FAULTS, *COMMANDS])
def test_a_row_holds(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    assert failures((FAULTS | COMMANDS)[name]) == []


GIVEN_UP = """\
steps: [{id: stop, at: 10s, systemctl: stop docker}]
until: 1m
expect:
  - {at: stop+14s, process: dockerd, exists: true}
  - {at: stop+16s, process: dockerd, exists: false}
  - {at: end, process: payload/web, parent: init}
"""


def test_the_whole_stop_is_given_up_after_15_s() -> None:
    """F2 [S]; a file cannot say it: no container has a time of its own here, and 10 s are enough for KILL."""
    scenario = load("f", DEAF + GIVEN_UP)
    (web,) = scenario.setup.services
    slow = structs.replace(scenario.setup, services=(structs.replace(web, stop_timeout=60 * S),))
    verdicts = run_scenario(structs.replace(scenario, setup=slow)).verdicts()
    assert verdicts
    assert all(it.holds for it in verdicts)


def test_the_daemon_is_the_parent() -> None:
    """Proxies and containers are its children, and nobody else is there."""
    assert ran(WEB).show("pstree") == (
        "systemd───docker─┬─docker-proxy───6*[{docker-proxy}]\n"
        "                 ├─nginx\n"
        "                 └─12*[{docker}]\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [{kill: containerd}]", "docker-1.10 has no containerd: dockerd does it itself"),
        ("steps: [{kill: supervisor/web}]", "docker-1.10 has no supervisor: dockerd does it itself"),
        ("steps: [{kill: shim/web}]", "docker-1.10 has no shim: dockerd does it itself"),
    ],
)
def test_what_is_not_there_is_refused(text: str, message: str) -> None:
    """A step about a process that this version has not is refused at its place."""
    with pytest.raises(InputError) as caught:
        load("f", WEB + text)
    assert message in str(caught.value)


class FirstMachine(EngineMachine):
    """A host of Docker 1.10, to which anything happens in any order."""

    design = "docker-1.10"


@pytest.mark.long
def test_the_kernels_laws_hold_whatever_happens() -> None:
    """No law of the kernel breaks, the model has a rule for everything, and it all settles."""
    run_machine(FirstMachine, examples=40, steps=30)
