"""Containers as units of systemd: a row is a scenario with what designs §4.2 says of C3, and what systemd does with it.

F2, F3, F4 and F6 have no row: there is no engine, no containerd, no proxy. F12 is the same as nothing.
"""

from __future__ import annotations

import pytest

from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.scenario import load
from tests.ran import ran

HEAD = "engine: {design: podman-quadlet}\n"
WEB = HEAD + "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
PLAIN = HEAD + "services: {web: {image: nginx, ports: ['80:80']}}\n"
FAILING = HEAD + "services: {web: {image: nginx, ports: ['80:80'], restart: on-failure}}\n"
DEAF = HEAD + "services: {web: {image: nginx, restart: always, x-payload: {on_term: ignore}}}\n"

FAULTS: dict[str, str] = {
    "a unit is not started while the host goes down, and a neighbour that takes its time keeps nobody up": HEAD
    + """\
services: {web: {image: nginx, restart: always}, deaf: {image: app, x-payload: {on_term: ignore}}}
steps: [{id: down, at: 5s, reboot: true}, {id: late, at: down+3s, systemctl: start web}]
until: 3m
expect:
  - {step: late, error: is destructive}
  - {at: down+30s, process: payload/*, exists: false}
  - {at: end, container: web, status: running, pid: new, since: down-1s}
""",
    "a stop ends a loop of failing starts whenever it comes": HEAD
    + """\
host: {begin: off}
services: {web: {image: nginx, restart: always, x-payload: {fails_to_start: not found}}}
steps:
  - {at: 1s, systemctl: start web}
  - {id: stop, at: 1700ms, systemctl: stop web}
  - {id: ask, at: 29s, systemctl: is-active web}
until: 30s
expect:
  - {step: ask, error: inactive}
  - {during: [stop+1ms, end], process: podman/web, exists: false}
""",
    "a paused container dies at once of systemd's KILL, since Quadlet's hosts have cgroup v2": PLAIN
    + """\
steps:
  - {id: pause, at: 1s, docker: pause web}
  - {id: kill, at: 5s, kill: conmon/web}
  - {id: ask, at: kill+2s, systemctl: is-active web}
expect:
  - {at: kill-1s, process: payload/web, state: S}
  - {within: 1s, of: kill, process: payload/web, exists: false}
  - {step: ask, error: failed}
  - {at: end, container: web, status: paused}  # no exit file, and nobody whom rm -f could kill
""",
    "a stop of a paused container's unit kills it at once, and the unit has failed": WEB
    + """\
steps:
  - {id: pause, at: 1s, docker: pause web}
  - {id: stop, at: 5s, systemctl: stop web}
  - {id: ask, at: stop+1s, systemctl: is-active web}
expect:
  - {step: stop, ok: true}
  - {step: ask, error: failed}
  - {at: end, process: payload/web, exists: false}
  - {at: end, container: web, exists: false}
""",
    "F1: killing a command hurts whoever waits for it": WEB
    + """\
steps:
  - {id: wait, at: 1s, docker: wait web}
  - {id: kill, at: 10s, kill: podman/web}
until: 30s
expect:
  - {step: wait, error: Killed}
  - {at: end, container: web, status: running, pid: same, since: kill-1s}
""",
    "F5: a dead conmon is an ordinary restart: nothing outlives it, and it is back after 0.1 s and a start": WEB
    + """\
steps: [{id: kill, at: 1s, kill: conmon/web}]
until: 30s
expect:
  - {at: kill+20ms, process: payload/web, exists: false}
  - {within: 800ms, of: kill, container: web, status: running, pid: new, since: kill-1s}
  - {at: end, process: payload/web, parent: conmon/web, count: 1}
  - {at: end, process: conmon/web, parent: init, count: 1}
  - {at: end, port: 80, from: remote, open: true}
  - {events: [stop, {die: -1}, destroy, create, start], container: web, exact: true}
""",
    "F5: without Restart= the unit has failed, and rm -f gives up: the container has lost its code": PLAIN
    + """\
steps: [{id: kill, at: 1s, kill: conmon/web}, {id: ask, at: 5s, systemctl: is-active web}]
until: 30s
expect:
  - {at: end, container: web, status: exited, exit_code: -1, address: none}
  - {at: end, process: payload/web, exists: false}
  - {at: end, port: 80, from: remote, open: false}
  - {step: ask, error: failed}
""",
    "F7: systemd restarts it by the code that conmon leaves with": FAILING
    + """\
steps: [{id: kill, at: 1s, kill: payload/web}]
until: 30s
expect:
  - {within: 800ms, of: kill, container: web, status: running, pid: new, since: kill-1s, restarts: 0}
  - {events: [{die: 137}, destroy, create, start], container: web, exact: true}
""",
    "F7: a clean end is none that on-failure restarts": HEAD
    + """\
services: {web: {image: nginx, restart: on-failure, x-payload: {exits: {code: 0, after: 5s}}}}
until: 30s
host: {begin: off}
steps: [{id: up, at: 1s, systemctl: start web}, {id: ask, at: 20s, systemctl: is-active web}]
expect:
  - {at: 20s, container: web, exists: false}
  - {step: up, ok: true}
  - {step: ask, error: inactive}
""",
    "F7: a crash loop ends at the start limit": HEAD
    + """\
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 100ms}}}}
host: {begin: off}
steps: [{id: up, at: 1s, systemctl: start web}, {id: ask, at: 30s, systemctl: is-active web},
        {id: again, at: 31s, systemctl: start web}]
until: 60s
expect:
  - {events: [start web, start web, start web, start web, start web]}
  - {step: up, ok: true}
  - {step: ask, error: failed}
  - {at: 29s, container: web, exists: false}
""",
    "F8: units come back with the host": WEB
    + """\
steps: [{id: reboot, at: 1s, reboot: true}]
until: 6m
expect:
  - {at: reboot+3s, process: payload/web, exists: false}
  - {at: end, container: web, status: running, pid: new, since: reboot-1s}
  - {at: end, port: 80, from: remote, open: true}
""",
    "F8: also after a power cut, over the container that the disk still has": PLAIN
    + """\
steps: [{id: off, at: 1s, power_loss: 10s}]
until: 6m
expect:
  - {at: end, container: web, status: running, pid: new, since: off-1s}
  - {events: [destroy, create, start], container: web, exact: true}
""",
    "F9: the payload goes first, its conmon cannot": HEAD
    + """\
services: {web: {image: nginx, mem_limit: 100m, restart: on-failure}}
steps: [{id: oom, at: 1s, oom: web}]
until: 10s
expect:
  - {events: [{die: 137}, destroy, create, start], container: web, exact: true}
  - {at: end, container: web, status: running}
""",
    "F11: systemd stops what podman cannot: conmon sends TERM on, and the record stays until there is room": WEB
    + """\
steps:
  - {id: full, at: 1s, host: {fill_disk: true}}
  - {id: stop, at: 2s, systemctl: stop web}
  - {id: start, at: 20s, systemctl: start web}
  - {id: free, at: 40s, host: {fill_disk: false}}
  - {id: again, at: 60s, systemctl: start web}
until: 2m
expect:
  - {at: stop+5s, process: payload/web, exists: false}
  - {at: stop+5s, process: conmon/web, exists: false}
  - {step: start, error: Job for web.service failed}
  - {step: again, ok: true}
  - {at: end, container: web, status: running}
""",
    "F10: journald away holds nobody up": HEAD
    + """\
services: {web: {image: nginx, x-payload: {log: {stdout: 10KB/s}}}}
steps: [{id: stop, at: 1s, host: {journald: stop}}]
until: 1m
expect:
  - {at: end, process: payload/web, blocked: false}
  - {at: end, container: web, status: running, pid: same, since: stop-1s}
""",
}

JOBS: dict[str, str] = {
    "stop: ExecStop= gives the container its stop signal and its 10 s": DEAF
    + """\
steps: [{id: stop, at: 1s, systemctl: stop web}, {id: ask, at: 30s, systemctl: status web}]
until: 1m
expect:
  - {at: stop+9900ms, container: web, status: stopping}
  - {within: 11s, of: stop, container: web, exists: false}
  - {step: stop, ok: true}
  - {step: ask, error: failed}
  - {events: [{die: 137}, destroy], container: web, exact: true}
""",
    "stop: one that exits in time leaves the unit inactive; start brings it back": WEB
    + """\
steps: [{id: stop, at: 1s, systemctl: stop web}, {id: ask, at: 5s, systemctl: is-active web},
        {id: start, at: 6s, systemctl: start web}, {id: again, at: 20s, systemctl: start web}]
until: 1m
expect:
  - {at: 5s, container: web, exists: false}
  - {at: 5s, process: conmon/web, exists: false}
  - {step: ask, error: inactive}
  - {step: start, ok: true}
  - {step: again, ok: true}
  - {at: end, container: web, status: running}
""",
    "restart: another container": WEB
    + """\
steps: [{id: restart, at: 1s, systemctl: restart web.service}]
until: 30s
expect:
  - {step: restart, ok: true}
  - {within: 1s, of: restart, container: web, status: running, pid: new, since: restart-1s}
  - {events: [{die: 0}, destroy, create, start], container: web, exact: true}
""",
    "restart: one that is down is started, and left alone by try-restart": PLAIN
    + """\
steps: [{id: stop, at: 1s, systemctl: stop web}, {id: try, at: 5s, systemctl: try-restart web},
        {id: restart, at: 10s, systemctl: restart web}]
until: 30s
expect:
  - {at: 9s, container: web, exists: false}
  - {step: try, ok: true}
  - {step: restart, ok: true}
  - {at: end, container: web, status: running}
""",
    "kill: every process of the unit; --kill-who=main is conmon, which sends TERM on": PLAIN
    + """\
steps: [{id: term, at: 1s, systemctl: kill --kill-who=main web}, {id: ask, at: 5s, systemctl: is-active web},
        {id: start, at: 6s, systemctl: start web}, {id: kill, at: 10s, systemctl: kill -s KILL web},
        {id: state, at: 15s, systemctl: is-active web}, {id: reset, at: 16s, systemctl: reset-failed web},
        {id: last, at: 17s, systemctl: is-active web}]
until: 30s
expect:
  - {step: ask, error: inactive}
  - {step: state, error: failed}
  - {step: last, error: inactive}
  - {at: end, container: web, status: exited, exit_code: -1}
""",
    "reload: there is nothing to reload": PLAIN
    + """\
steps: [{id: reload, at: 1s, systemctl: reload web}]
expect: [{step: reload, error: not applicable}]
""",
    "podman stop beside systemd: Restart=always starts it again": WEB
    + """\
steps: [{id: stop, at: 1s, docker: stop web}]
until: 30s
expect:
  - {within: 1s, of: stop, container: web, status: running, pid: new, since: stop-1s}
""",
    "podman stop of a unit without Restart=: it is inactive": PLAIN
    + """\
steps: [{id: stop, at: 1s, docker: stop web}, {id: ask, at: 10s, systemctl: is-active web}]
until: 30s
expect:
  - {step: ask, error: inactive}
  - {at: end, container: web, exists: false}
""",
    "a start whose port is taken fails, is tried again, and the limit ends it": WEB
    + """\
steps:
  - {id: stop, at: 1s, systemctl: stop web}
  - {id: take, at: 5s, host: {take_port: 80}}
  - {id: start, at: 6s, systemctl: start web}
  - {id: ask, at: 30s, systemctl: is-active web}
until: 1m
expect:
  - {step: start, error: Job for web.service failed}
  - {step: ask, error: failed}
  - {at: end, process: conmon/web, exists: false}
""",
    "a stop while it starts: podman run gets TERM, and nothing is left": HEAD
    + """\
services: {web: {image: nginx, ports: ['80:80'], restart: always}}
host: {begin: off}
steps:
  - {id: start, at: 1s, systemctl: start web}
  - {id: stop, at: Forked(payload/web), systemctl: stop web}
until: 30s
expect:
  - {step: start, error: canceled}
  - {step: stop, ok: true}
  - {at: end, container: web, exists: false}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: conmon/web, exists: false}
""",
    "a stop takes the place of a restart, a start that of a stop": DEAF
    + """\
steps:
  - {id: restart, at: 1s, systemctl: restart web}
  - {id: stop, at: 2s, systemctl: stop web}
  - {id: start, at: 30s, systemctl: start web}
  - {id: again, at: 40s, systemctl: stop web}
  - {id: last, at: 41s, systemctl: start web}
until: 1m
expect:
  - {step: restart, error: canceled}
  - {step: stop, ok: true}
  - {at: start, container: web, exists: false}
  - {step: start, ok: true}
  - {step: again, error: canceled}
  - {step: last, ok: true}
  - {at: end, container: web, status: running, pid: new, since: again}
""",
    "RestartSec= is the unit's": HEAD.replace("}", ", unit: {RestartSec: 5s}}")
    + """\
services: {web: {image: nginx, restart: always}}
steps: [{id: kill, at: 1s, kill: payload/web}]
until: 30s
expect:
  - {at: kill+4900ms, container: web, exists: false}
  - {within: 6s, of: kill, container: web, status: running}
""",
    "a container that a command makes is no unit": PLAIN
    + """\
steps: [{id: run, at: 1s, docker: run -d --name job --restart always nginx}, {id: kill, at: 5s, kill: conmon/job}]
until: 30s
expect:
  - {at: end, container: job, status: running}
  - {at: end, process: payload/job, parent: init}
""",
    "an exec ends with the unit, and its command is told": WEB
    + """\
steps: [{id: exec, at: 1s, docker: exec web sleep 100}, {id: kill, at: 5s, kill: conmon/web}]
until: 30s
expect:
  - {step: exec, exit_code: 137}
  - {at: end, process: exec/web, exists: false}
""",
}


@pytest.mark.parametrize("name", [*FAULTS, *JOBS])
def test_a_row_holds(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    verdicts = run_scenario(load("row.yaml", (FAULTS | JOBS)[name])).verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


def test_conmon_and_program_live_in_the_unit() -> None:
    """The group of a unit is split in two; nothing of it is left once the unit has stopped."""
    run = ran(WEB + "steps: [{id: stop, at: 1s, systemctl: stop web}]\n")
    groups = {it.image.program: it.cgroup for it in run.at("stop-1ms").host.procs.values()}
    assert groups["conmon"] == "/system.slice/web.service/runtime"
    assert groups["payload"].startswith("/system.slice/web.service/libpod-payload-")
    assert {it.image.program for it in run.at("end").host.procs.values()} == {"init"}


STATUS = """\
● web.service
   Loaded: loaded (/etc/containers/systemd/web.container; generated)
   Active: active (running) since Sat 2019-12-21 23:59:59 UTC; 1 weeks 3 days ago
 Main PID: 53 (conmon)
    Tasks: 2
   CGroup: /system.slice/web.service
           ├─53 /usr/bin/conmon --api-version 1 -c ID -r /usr/bin/crun -n web
           └─55 nginx
"""


def test_systemctl_status_is_of_a_container() -> None:
    """Its main process is conmon, its group holds the program; of all containers they stand below each other."""
    run = ran(WEB.replace("}}", "}, db: {image: x}}") + "steps: [{id: kill, at: 1s, kill: conmon/web}]\nuntil: 30s\n")
    whole = run.scenario.setup.service("web").id
    assert run.show("systemctl-status", "kill-1s", of="web").replace(whole, "ID") == STATUS
    both = run.show("systemctl-status", "kill+50ms")
    assert both.startswith("● web.service\n")
    assert "Active: deactivating (stop-post) (Result: signal) since" in both
    assert " Main PID: 53 (code=killed, signal=KILL)\n" in both
    assert "\n\n● db.service\n" in both


def test_units_start_side_by_side_at_boot() -> None:
    """systemd starts them at once; podman's locks are what makes them wait for one another."""
    run = ran(HEAD + "services: {a: {image: x}, b: {image: x}, c: {image: x}}\nhost: {begin: boot}\nuntil: 2m\n")
    begun = [it.at for it in run.trace.records if getattr(getattr(it.event, "image", None), "program", "") == "podman"]
    assert len(begun) == 3
    assert len(set(begun)) == 1
    assert [row.running for row in run.story().containers()] == [True] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN + "steps: [{systemctl: restart docker}]", "podman-quadlet has no docker.service."),
        (PLAIN + "steps: [{systemctl: restart wbe}]", "Did you mean web?"),
        (PLAIN + "steps: [{compose: up -d}]\nhost: {begin: off}", "web is a unit on podman-quadlet"),
        (PLAIN + "steps: [{docker: run --name job x}, {systemctl: stop job}]", "job is no unit"),
        (PLAIN.replace("-quadlet", "") + "steps: [{systemctl: stop web}]", "podman has no web.service"),
        (PLAIN.replace("podman-quadlet", "docker-26") + "steps: [{systemctl: stop web}]", "docker-26 has no web.s"),
    ],
)
def test_units_that_are_not_there_are_refused(text: str, message: str) -> None:
    """A step about another unit, or that makes a unit's container itself, is refused at its place."""
    with pytest.raises(InputError) as caught:
        load("f", text)
    assert message in str(caught.value)
    assert "f:3" in str(caught.value)


def test_what_has_no_key_is_noted() -> None:
    """Restart= is the container's policy, which has no count."""
    text = """\
engine: {design: podman-quadlet, unit: {Restart: always, RestartSec: 1s}}
services: {web: {image: nginx, restart: "on-failure:3"}}
"""
    found = load("f", text)
    assert found.without_effect == ("engine: unit.Restart", "services: the count of restart: on-failure")
    assert found.setup.engine.unit.restart_sec == 1_000_000
