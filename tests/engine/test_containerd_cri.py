"""containerd's CRI plugin below a kubelet, fault by fault: a row is a scenario with what designs §5.1's table says.

F12 is F4: a package's script restarts the unit. Of F9 the row is about userspace OOM daemons, which are not modelled;
the kernel's own OOM is tested. The facts' marks stand in the names.
"""

from __future__ import annotations

import pytest

from sim.engines.host.reach import CLIENTS
from sim.errors import InputError
from sim.scenario import load
from sim.testing import EngineMachine, run_machine
from tests.ran import failures, ran

HEAD = "engine: {design: containerd-cri}\n"
WEB = HEAD + "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
TWO = HEAD + "services:\n  web: {image: nginx, ports: ['80:80'], restart: always}\n  db: {image: redis}\n"
LOGS = HEAD + "services: {web: {image: nginx, restart: always, x-payload: {log: {stdout: 10KB/s}}}}\n"
MIXED = "engine: {design: containerd-cri, unit: {KillMode: %s}}\n" + WEB.partition("\n")[2]

FAULTS: dict[str, str] = {
    "F1 = F3 [S]: killed, containerd leaves every pod as it is; systemd starts another after 5 s": WEB
    + """\
steps: [{id: kill, at: 10s, kill: containerd}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: same, since: kill-1s, restarts: 0}
  - {at: end, process: shim/web, parent: init}
  - {at: kill+4s, process: containerd, exists: false}
  - {at: kill+6s, process: containerd, exists: true}
  - {at: kill+1s, port: 80, from: remote, open: true}
  - {at: end, port: 80, from: loopback, open: true}
""",
    "F1 [I]: writers stall once pipe and fifo are full, and lose nothing when containerd is back": LOGS
    + """\
steps: [{id: stop, at: 1s, systemctl: stop containerd}, {id: start, at: 60s, systemctl: start containerd}]
until: 2m
expect:
  - {at: stop+8s, process: payload/web, blocked: false}
  - {at: start-1s, process: payload/web, blocked: true}
  - {at: start-1s, container: web, buffered: 128KiB..160KiB}
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0, lost: 0}
""",
    "F1 [S]: exec and ps are not there while containerd is down": WEB
    + """\
steps:
  - {id: kill, at: 10s, kill: containerd}
  - {id: exec, at: 11s, docker: exec web ls}
  - {id: again, at: 20s, docker: exec web ls}
expect:
  - {step: exec, error: make sure you are running as root and the endpoint has been started}
  - {step: again, ok: true}
""",
    "F1 [M]: an exit while containerd is down is 255 of a reason that nobody knows, and the pod goes on": WEB
    + """\
steps: [{id: stop, at: 10s, systemctl: stop containerd}, {id: dead, at: 11s, kill: payload/web},
        {id: start, at: 60s, systemctl: start containerd}]
until: 2m
expect:
  - {at: start-1s, process: payload/web, exists: false}
  - {at: start-1s, process: shim/web, exists: true}
  - {within: 3s, of: start, container: web, status: running, restarts: 1}
  - {at: end, process: shim/web, count: 1}
  - {events: [{die: 255}, create, start], container: web, exact: true}
""",
    "F1 [M]: OnFailure starts again what has left with 0 meanwhile": HEAD
    + """\
services:
  web: {image: nginx, restart: on-failure, x-payload: {on_term: {exit: 0}}}
steps: [{id: stop, at: 10s, systemctl: stop containerd}, {id: dead, at: 11s, kill: payload/web, signal: TERM},
        {id: start, at: 15s, systemctl: start containerd}]
until: 1m
expect:
  - {events: [{die: 255}, create, start], container: web, exact: true}
  - {at: end, container: web, status: running, restarts: 1}
""",
    "F7 [M]: a pause that dies takes no container along that has a pid namespace of its own": WEB
    + """\
steps: [{id: alone, at: 5s, systemctl: stop kubelet}, {id: kill, at: 10s, kill: pause/web}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
  - {at: end, process: pause/web, exists: false}
""",
    "F2 = F4 [S]: a restart touches no pod, since KillMode=process leaves the shims": WEB
    + """\
steps: [{id: restart, at: 10s, systemctl: restart containerd}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: same, since: restart-1s, restarts: 0}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {events: [], container: web, exact: true}
""",
    "F4, KillMode=mixed [I]: shims are killed with the unit, what is orphaned is killed by the reload": MIXED % "mixed"
    + """\
steps: [{id: restart, at: 10s, systemctl: restart containerd}]
until: 1m
expect:
  - {at: restart+10ms, process: shim/web, exists: false}
  - {at: restart+10ms, process: payload/web, parent: init}
  - {within: 500ms, of: restart, process: payload/web, exists: false}
  - {at: end, container: web, status: running, pid: new, since: restart-1s, restarts: 1}
""",
    "F4, KillMode=control-group [I]: the same": MIXED % "control-group"
    + """\
steps: [{id: restart, at: 10s, systemctl: restart containerd}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: new, since: restart-1s, restarts: 1}
""",
    "F5 [S]: without its shim every container of the pod is killed; the kubelet makes the pod anew": TWO
    + """\
steps: [{id: kill, at: 10s, kill: shim/web}]
until: 1m
expect:
  - {within: 300ms, of: kill, process: payload/web, exists: false}
  - {within: 300ms, of: kill, process: pause/web, exists: false}
  - {at: kill+1s, container: web, status: running, pid: same, since: kill-1s}
  - {within: 5s, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
  - {within: 5s, of: kill, port: 80, from: remote, open: true}
  - {at: end, process: shim/web, count: 1, parent: init}
  - {at: end, process: shim/db, count: 1}
  - {events: [{die: 255}, create, start], container: web, exact: true}
""",
    "F5 [M]: the plugin says so 1 to 2 s later, when it handles the end again": TWO
    + """\
steps: [{id: alone, at: 5s, systemctl: stop kubelet}, {id: kill, at: 10s, kill: shim/web}]
until: 1m
expect:
  - {at: kill+1s, container: web, status: running}
  - {within: 2200ms, of: kill, container: web, status: exited, exit_code: 255}
  - {at: end, container: db, status: running}
""",
    "F5 [S]: with containerd down nobody notices until it is back": WEB
    + """\
steps: [{id: stop, at: 10s, systemctl: stop containerd}, {id: kill, at: 11s, kill: shim/web},
        {id: start, at: 30s, systemctl: start containerd}]
until: 1m
expect:
  - {at: start-1s, process: payload/web, parent: init}
  - {at: start-1s, port: 80, from: remote, open: true}
  - {at: end, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
""",
    "F5 [S]: what the dead shim had not handed on is lost": LOGS
    + """\
steps: [{id: hold, at: 1s, stop: shim/web}, {id: kill, at: 21s, kill: shim/web}]
until: 30s
expect:
  - {at: kill-1s, process: payload/web, blocked: true}
  - {at: end, container: web, lost: 64KiB}
""",
    "F6: there is no proxy; a flushed chain stays dark, whatever the client": WEB
    + """\
steps: [{id: flush, at: 10s, host: {flush: iptables -t nat}}]
until: 1m
expect:
  - {at: end, port: 80, from: remote, open: false}
  - {at: end, port: 80, from: loopback, open: false}
  - {at: end, container: web, status: running, pid: same, since: flush-1s}
""",
    "F7 [S]: the kubelet starts the container again in the same sandbox": WEB
    + """\
steps: [{id: kill, at: 10s, kill: payload/web}]
until: 1m
expect:
  - {within: 2s, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
  - {at: end, process: shim/web, count: 1}
  - {events: [{die: 137}, create, start], container: web, exact: true}
""",
    "F7 [S]: a pause that dies takes the pod with it": WEB
    + """\
steps: [{id: kill, at: 10s, kill: pause/web}]
until: 1m
expect:
  - {within: 4s, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 1}
  - {at: end, process: pause/web, count: 1}
  - {at: end, process: shim/web, count: 1}
  - {at: end, port: 80, from: remote, open: true}
""",
    "F7 [K]: CrashLoopBackOff: at once, then after 10 s, 20 s, 40 s": HEAD
    + """\
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 100ms}}}}
host: {begin: off}
steps: [{at: 0s, systemctl: start containerd}, {at: 1s, systemctl: start kubelet}, {id: up, at: 5s, compose: up -d}]
until: 15m
expect:
  - {at: up+8s, container: web, restarts: 1}
  - {at: up+11s, container: web, restarts: 1}
  - {at: up+17s, container: web, restarts: 2}
  - {at: up+31s, container: web, restarts: 2}
  - {at: up+40s, container: web, restarts: 3}
  - {at: up+72s, container: web, restarts: 3}
  - {at: up+85s, container: web, restarts: 4}
  - {at: end, container: web, restarts: 6..7}
""",
    "F7 [K]: after ten minutes without an end the next start is at once again": WEB
    + """\
steps: [{id: one, at: 10s, kill: payload/web}, {id: two, at: 20s, kill: payload/web},
        {id: three, at: 12m, kill: payload/web}]
until: 13m
expect:
  - {at: two+8s, container: web, status: exited, exit_code: 137, restarts: 1}
  - {within: 13s, of: two, container: web, status: running, restarts: 2}
  - {within: 2s, of: three, container: web, status: running, restarts: 3}
""",
    "F8: after a reboot the kubelet makes every pod anew; how they ended nobody knows": TWO
    + """\
steps: [{id: reboot, at: 10s, reboot: true}]
until: 5m
expect:
  - {at: end, container: web, status: running, restarts: 1}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, container: db, status: exited, exit_code: 255}
""",
    "F8: nor after a power loss": WEB
    + """\
steps: [{id: off, at: 10s, power_loss: 10s}]
until: 5m
expect:
  - {at: end, container: web, status: running, restarts: 1}
  - {events: [{die: 255}, create, start], container: web, exact: true}
""",
    "F9: a container at its limit ends with 137 and is started again": HEAD
    + """\
services: {web: {image: nginx, mem_limit: 100m, restart: always}}
steps: [{id: oom, at: 10s, oom: web}]
until: 1m
expect:
  - {within: 3s, of: oom, container: web, status: running, restarts: 1}
  - {events: [oom, {die: 137}, create, start], container: web}
""",
    "F9 [S]: on the whole host a payload is the victim, not kubelet, containerd or shim": WEB
    + """\
steps: [{id: oom, at: 10s, oom: host}]
until: 1m
expect:
  - {within: 50ms, of: oom, process: payload/web, exists: false}
  - {at: end, container: web, status: running, restarts: 1}
""",
    "F10: journald away holds nobody up: the log is a file": LOGS
    + """\
steps: [{id: stop, at: 1s, host: {journald: stop}}]
until: 1m
expect:
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, buffered: 0}
""",
    "the kubelet killed: nothing happens to pods; systemd starts it again after 10 s": WEB
    + """\
steps: [{id: kill, at: 10s, kill: kubelet}, {id: dead, at: 12s, kill: payload/web}]
until: 1m
expect:
  - {at: kill+9s, container: web, status: exited, exit_code: 137}
  - {at: kill+9s, process: kubelet, exists: false}
  - {at: end, container: web, status: running, restarts: 1}
""",
}

COMMANDS: dict[str, str] = {
    "stop and start: another pod with counts of its own": WEB
    + """\
steps:
  - {id: kill, at: 1s, kill: payload/web}
  - {id: stop, at: 10s, docker: stop web}
  - {id: start, at: 20s, docker: start web}
expect:
  - {at: stop, container: web, restarts: 1}
  - {at: start, container: web, status: exited, exit_code: 0}
  - {at: start, process: shim/web, exists: false}
  - {at: start, port: 80, from: remote, open: false}
  - {step: start, ok: true}
  - {at: end, container: web, status: running, restarts: 0}
  - {at: end, port: 80, from: remote, open: true}
""",
    "stop: 30 s of grace unless the pod says otherwise": HEAD
    + """\
services:
  web: {image: nginx, x-payload: {on_term: ignore}}
  db: {image: redis, stop_grace_period: 5s, x-payload: {on_term: ignore}}
steps: [{id: stop, at: 1s, docker: stop web}, {id: five, at: 1s, docker: stop db}]
until: 2m
expect:
  - {at: stop+30s, container: web, status: running}
  - {at: stop+31s, container: web, status: exited, exit_code: 137}
  - {at: stop+4s, container: db, status: running}
  - {at: stop+6s, container: db, status: exited, exit_code: 137}
""",
    "kill: a stop without a grace; the kubelet starts it again": WEB
    + """\
steps: [{id: kill, at: 1s, docker: kill web}]
until: 1m
expect:
  - {step: kill, ok: true}
  - {at: end, container: web, status: running, restarts: 1}
""",
    "restart: another pod": WEB
    + """\
steps: [{id: restart, at: 1s, docker: restart web}]
until: 1m
expect:
  - {at: end, container: web, status: running, pid: new, since: restart-1ms, restarts: 0}
  - {at: end, process: shim/web, count: 1}
""",
    "rm: the pod is gone, and what it has left": TWO
    + """\
steps: [{id: rm, at: 1s, docker: rm db}, {id: ps, at: 5s, docker: ps}]
expect:
  - {step: rm, ok: true}
  - {at: end, container: db, exists: false}
  - {at: end, process: pause/db, exists: false}
  - {at: end, container: web, status: running}
""",
    "run: a command that cannot be executed": HEAD
    + """\
services: {web: {image: nginx, restart: always, x-payload: {fails_to_start: not found}}}
host: {begin: off}
steps: [{at: 0s, systemctl: start containerd}, {at: 1s, systemctl: start kubelet}, {id: up, at: 5s, compose: up -d}]
until: 1m
expect:
  - {step: up, error: unable to start container process}
  - {at: end, container: web, status: exited, exit_code: 128, restarts: 3}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: pause/web, exists: true}
""",
    "exec: another process below the pod's shim; its code": TWO
    + """\
steps: [{id: exec, at: 1s, docker: exec -d web sleep}, {id: code, at: 5s, docker: exec web false}]
expect:
  - {step: exec, ok: true}
  - {at: exec+100ms, process: exec/web, parent: shim/web}
""",
    "supervisor is the pod's shim": WEB
    + """\
steps: [{id: kill, at: 1s, kill: supervisor/web}]
until: 1m
expect:
  - {at: end, container: web, status: running, restarts: 1}
""",
}


@pytest.mark.parametrize("name", [*FAULTS, *COMMANDS])
def test_a_row_holds(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    assert failures((FAULTS | COMMANDS)[name]) == []


def test_the_tree_has_a_shim_for_each_pod() -> None:
    """PID 1 has containerd, the kubelet and the shims; each shim has pause and the container's program."""
    run = ran(WEB)
    assert run.show("pstree") == (
        "systemd─┬─containerd───8*[{containerd}]\n"
        "        ├─containerd-shim─┬─nginx\n"
        "        │                 ├─pause\n"
        "        │                 └─11*[{containerd-shim}]\n"
        "        └─kubelet───12*[{kubelet}]\n"
    )


def test_every_class_of_clients_goes_by_dnat() -> None:
    """Loopback included; names of neighbours are not found here, and those of IPv6 find nobody."""
    run = ran(WEB)
    assert [client for client in CLIENTS if run.reachable(80, client)] == ["remote", "loopback", "container", "host"]
    assert {run.finds(80, client) for client in ("remote6", "loopback6")} == {"refused"}
    assert not any(process.image.program == "proxy" for process in run.at().host.procs.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [{kill: dockerd}]", "containerd-cri has no dockerd: containerd is the engine here"),
        ("steps: [{kill: conmon/web}]", "containerd-cri has no conmon: a shim holds the containers of a pod"),
        ("steps: [{systemctl: restart docker}]", "containerd-cri has no docker.service."),
        ("steps: [{docker: pause web}]", "docker pause has no counterpart on containerd-cri: the CRI cannot freeze"),
        ("steps: [{docker: kill -s HUP web}]", "the CRI sends a container no HUP"),
        ("steps: [{docker: run nginx}]", "streams are not modelled on containerd-cri."),
        ("steps: [{upgrade: {to: docker-26}}]", "systemctl restart containerd does"),
        ("steps: [{host: {slow: {dockerd: 2}}}]", "containerd-cri has no dockerd."),
    ],
)
def test_words_that_have_no_counterpart_are_refused(text: str, message: str) -> None:
    """A step that cannot be done is refused at its place, with what there is."""
    with pytest.raises(InputError) as caught:
        load("f", WEB + text)
    assert message in str(caught.value)
    assert "f:3" in str(caught.value)


def test_words_without_effect_are_listed() -> None:
    """Settings of dockerd, x-pids, --rm, init and the count of on-failure."""
    text = """\
engine: {design: containerd-cri, daemon: {live-restore: true}}
services:
  web: {image: nginx, x-rm: true, init: true, x-pids: {shim: 400}}
  db: {image: redis, restart: "on-failure:3"}
"""
    assert load("f", text.replace("{live-restore: true}", "{shutdown-timeout: 5}")).without_effect == (
        "engine: daemon",
        "services: init, the count of on-failure, x-pids and x-address, x-rm",
    )


class CriMachine(EngineMachine):
    """A kubelet's host, to which anything happens in any order."""

    design = "containerd-cri"


@pytest.mark.long
def test_the_kernels_laws_hold_whatever_happens() -> None:
    """No law of the kernel breaks, the model has a rule for everything, and it all settles."""
    run_machine(CriMachine, examples=40, steps=30)
