"""cri-o below a kubelet, fault by fault: a row is a scenario with what designs §4.3's table says of it (C4).

F3 and F4 have no row: there is no containerd. F12 is F2: a package's script restarts the unit.
"""

from __future__ import annotations

import pytest

from sim.engines.host.reach import CLIENTS
from sim.errors import InputError
from sim.scenario import load
from sim.testing import EngineMachine, run_machine
from tests.ran import failures, ran

HEAD = "engine: {design: cri-o}\nhost: {uptime: 1m}\n"
CGROUPFS = "engine: {design: cri-o-cgroupfs}\nhost: {uptime: 1m}\n"
OFF = "engine: {design: cri-o}\nhost: {begin: off}\n"
WEB = HEAD + "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
TWO = HEAD + "services:\n  web: {image: nginx, ports: ['80:80'], restart: always}\n  db: {image: redis}\n"
LOGS = HEAD + "services: {web: {image: nginx, restart: always, x-payload: {log: {stdout: 10KB/s}}}}\n"

FAULTS: dict[str, str] = {
    "F1 [S]: containers and ports stay; systemd starts another after 10 s": WEB
    + """\
steps: [{id: kill, at: 10s, kill: crio}]
until: 1m
expect:
  - {at: kill+9s, process: crio, exists: false}
  - {at: kill+9s, port: 80, from: remote, open: true}
  - {at: kill+12s, process: crio, exists: true}
  - {at: end, container: web, status: running, pid: same, since: kill-1s, restarts: 0}
  - {at: end, process: conmon/web, parent: init, count: 1}
  - {events: [], container: web, exact: true}
""",
    "F1 [S]: no loss and no stall: conmon writes the log": LOGS
    + """\
steps: [{id: stop, at: 10s, systemctl: stop crio}]
until: 5m
expect:
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0, lost: 0}
""",
    "F1 [S]: exec is not there while crio is down": WEB
    + """\
steps:
  - {id: kill, at: 10s, kill: crio}
  - {id: exec, at: 11s, docker: exec web ls}
  - {id: on, at: 30s, docker: exec web ls}
expect:
  - {step: exec, error: the endpoint has been started}
  - {step: on, ok: true}
""",
    "F1 [S]: the exit file waits: an end while crio is down is known, with its code, once it is back": HEAD
    + """\
services: {web: {image: nginx, restart: always, x-payload: {on_term: {exit: 3}}}}
steps:
  - {id: stop, at: 10s, systemctl: stop crio}
  - {id: term, at: 15s, kill: payload/web, signal: TERM}
  - {id: start, at: 60s, systemctl: start crio}
until: 2m
expect:
  - {at: start-1s, process: payload/web, exists: false}
  - {within: 3s, of: start, container: web, status: running, restarts: 1}
  - {events: [{die: 3}, create, start], container: web, exact: true}
""",
    "F2 [S]: with systemd's control groups a restart touches nothing, though KillMode is control-group": WEB
    + """\
steps: [{id: restart, at: 10s, systemctl: restart crio}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: same, since: restart-1s}
  - {at: end, process: conmon/web, count: 1}
""",
    "F2 [I]: with cgroupfs conmon is in crio's group: it gets TERM and passes it on": CGROUPFS
    + """\
services: {web: {image: nginx, ports: ['80:80'], restart: always}}
steps: [{id: restart, at: 10s, systemctl: restart crio}]
until: 1m
expect:
  - {at: restart+500ms, process: payload/web, exists: false}
  - {at: end, container: web, status: running, pid: new, since: restart-1s, restarts: 1}
  - {events: [{die: 0}, create, start], container: web, exact: true}
""",
    "F1 with cgroupfs: one that does not hear keeps crio away for 90 s, then has no conmon": CGROUPFS
    + """\
services: {web: {image: nginx, restart: always, x-payload: {on_term: ignore}}}
steps: [{id: kill, at: 10s, kill: crio}]
until: 5m
expect:
  - {at: kill+89s, process: crio, exists: false}
  - {at: kill+89s, process: conmon/web, exists: true}
  - {at: end, process: crio, exists: true}
  - {at: end, process: conmon/web, exists: false}
  - {at: end, process: payload/web, parent: init}
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
""",
    "F5 [S]: without conmon the payload lives on, its port stays open, nobody notices": WEB
    + """\
steps: [{id: kill, at: 10s, kill: conmon/web}]
until: 10m
expect:
  - {at: end, process: payload/web, parent: init}
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
  - {at: end, port: 80, from: remote, open: true}
  - {events: [], container: web, exact: true}
""",
    "F5 [I]: nor does anybody notice if the payload dies, too: the pod stays Ready (cri-o#6295)": WEB
    + """\
steps: [{id: kill, at: 10s, kill: conmon/web}, {id: dead, at: 20s, kill: payload/web}]
until: 10m
expect:
  - {at: end, container: web, status: running}
  - {at: end, process: payload/web, exists: false}
  - {at: end, port: 80, from: remote, open: false}
""",
    "F5 [S]: a stop waits 5 s for an exit file, and writes 255 down": WEB
    + """\
steps: [{id: kill, at: 10s, kill: conmon/web}, {id: stop, at: 20s, docker: stop web}]
until: 1m
expect:
  - {at: stop+4s, container: web, status: running}
  - {within: 7s, of: stop, container: web, status: exited, exit_code: 255}
  - {at: end, process: payload/web, exists: false}
""",
    "F5 [S]: what was printed and not read is lost, and the next write ends in an error": LOGS
    + """\
steps: [{id: hold, at: 1s, stop: conmon/web}, {id: kill, at: 21s, kill: conmon/web}]
until: 30s
expect:
  - {at: kill-1s, process: payload/web, blocked: true}
  - {at: end, container: web, lost: 64KiB}
  - {at: end, process: payload/web, blocked: false}
""",
    "F5: the next crio takes what lives for running, and what does not for ended with 255": TWO
    + """\
steps:
  - {id: one, at: 10s, kill: conmon/web}
  - {id: two, at: 10s, kill: conmon/db}
  - {id: dead, at: 20s, kill: payload/db}
  - {id: restart, at: 30s, systemctl: restart crio}
until: 1m
expect:
  - {at: end, container: web, status: running, pid: same, since: one-1s}
  - {at: end, container: db, status: exited, exit_code: 255}
""",
    "F7 [S]: exact, and the kubelet starts it again": WEB
    + """\
steps: [{id: kill, at: 10s, kill: payload/web}]
until: 1m
expect:
  - {within: 2s, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
  - {at: end, process: conmon/web, count: 1, parent: init}
  - {events: [{die: 137}, create, start], container: web, exact: true}
""",
    "F7 [K]: CrashLoopBackOff": OFF
    + """\
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 100ms}}}}
steps: [{at: 0s, systemctl: start crio}, {at: 1s, systemctl: start kubelet}, {id: up, at: 5s, compose: up -d}]
until: 15m
expect:
  - {at: up+8s, container: web, restarts: 1}
  - {at: up+17s, container: web, restarts: 2}
  - {at: up+40s, container: web, restarts: 3}
  - {at: end, container: web, restarts: 6..7}
""",
    "F8 [S]: a boot forgets every container; the kubelet makes pods anew, but none that has ended for good": HEAD
    + """\
services:
  web: {image: nginx, ports: ['80:80'], restart: always}
  job: {image: batch, restart: on-failure, x-payload: {exits: {code: 0, after: 1s}}}
steps: [{id: reboot, at: 10s, reboot: true}]
until: 5m
expect:
  - {at: reboot, container: job, status: exited, exit_code: 0}
  - {at: end, container: web, status: running, restarts: 0}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, container: job, exists: false}
""",
    "F8 [S]: after a power loss, too": WEB
    + """\
steps: [{id: off, at: 10s, power_loss: 10s}]
until: 5m
expect:
  - {at: end, container: web, status: running}
  - {at: end, port: 80, from: remote, open: true}
""",
    "F9 [S]: the payload goes, its conmon cannot; the oom file is told": HEAD
    + """\
services: {web: {image: nginx, mem_limit: 100m, restart: always}}
steps: [{id: oom, at: 10s, oom: web}, {id: all, at: 30s, oom: host}]
until: 1m
expect:
  - {events: [oom, {die: 137}, create, start], container: web}
  - {at: end, container: web, status: running, restarts: 2}
""",
    "F10: journald away holds nobody up": LOGS
    + """\
steps: [{id: stop, at: 1s, host: {journald: stop}}]
until: 1m
expect:
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0}
""",
}

COMMANDS: dict[str, str] = {
    "stop, start, rm": WEB
    + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: start, at: 10s, docker: start web}
  - {id: rm, at: 20s, docker: rm web}
expect:
  - {at: start-1s, container: web, status: exited, exit_code: 0}
  - {at: start-1s, port: 80, from: remote, open: false}
  - {at: rm-1s, container: web, status: running}
  - {at: end, container: web, exists: false}
  - {at: end, process: conmon/web, exists: false}
""",
    "run: a command that is not there is tried again and again, and never a container": OFF
    + """\
services: {web: {image: nginx, restart: always, x-payload: {fails_to_start: not found}}}
steps: [{at: 0s, systemctl: start crio}, {at: 1s, systemctl: start kubelet}, {id: up, at: 5s, compose: up -d}]
until: 1m
expect:
  - {step: up, error: "CreateContainerError: crun: executable file"}
  - {at: end, container: web, exists: false}
  - {at: end, process: conmon/web, exists: false}
""",
    "exec: a conmon of its own; killed, it tells nobody anything": WEB
    + """\
steps:
  - {id: one, at: 1s, docker: exec web ls}
  - {id: two, at: 5s, docker: exec web sleep}
  - {id: gone, at: Execed(exec/web)#4, kill: exec-conmon/web}
  - {id: dead, at: 10s, kill: conmon/web}
  - {id: three, at: 11s, docker: exec web ls}
expect:
  - {step: one, ok: true}
  - {step: two, error: conmon has left no exit code}
  - {step: three, ok: true}
""",
    "supervisor is conmon here": WEB
    + """\
steps: [{id: kill, at: 1s, kill: supervisor/web}]
expect: [{at: end, process: payload/web, parent: init}]
""",
}


@pytest.mark.parametrize("name", [*FAULTS, *COMMANDS])
def test_a_row_holds(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    assert failures((FAULTS | COMMANDS)[name]) == []


def test_the_tree_has_a_conmon_for_each_container() -> None:
    """PID 1 has crio, the kubelet and the conmons; there is no pause."""
    assert ran(TWO).show("pstree") == (
        "systemd─┬─conmon───nginx\n"
        "        ├─conmon───redis\n"
        "        ├─crio───10*[{crio}]\n"
        "        └─kubelet───12*[{kubelet}]\n"
    )


def test_every_class_of_clients_goes_by_dnat() -> None:
    """Loopback included; names of neighbours are not found here, and nothing is published by IPv6."""
    run = ran(WEB)
    found = {client: run.reachable(80, client) for client in CLIENTS}
    assert found == {it: it in ("remote", "loopback", "container", "host") for it in CLIENTS}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [{kill: containerd}]", "cri-o has no containerd: crio is the engine here"),
        ("steps: [{kill: shim/web}]", "cri-o has no shim: conmon holds a container"),
        ("steps: [{systemctl: restart containerd}]", "cri-o has no containerd.service."),
        ("steps: [{docker: pause web}]", "docker pause has no counterpart on cri-o: the CRI cannot freeze"),
    ],
)
def test_words_that_have_no_counterpart_are_refused(text: str, message: str) -> None:
    """A step that cannot be done is refused at its place, with what there is."""
    with pytest.raises(InputError) as caught:
        load("f", WEB + text)
    assert message in str(caught.value)


class CrioMachine(EngineMachine):
    """A kubelet's host with CRI-O, to which anything happens in any order."""

    design = "cri-o"


@pytest.mark.long
def test_the_kernels_laws_hold_whatever_happens() -> None:
    """No law of the kernel breaks, the model has a rule for everything, and it all settles."""
    run_machine(CrioMachine, examples=40, steps=30)
