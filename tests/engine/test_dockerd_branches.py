"""What reading dockerd's source branch by branch has added: second branches of a wait, and flags that outlive an end.

A row is a scenario with its own `expect:`. Source of the expectations: D daemon/stop.go, kill.go, daemon.go restore,
monitor.go, start.go, container/state.go; `tests/source` has the table.
"""

from __future__ import annotations

import pytest

from sim.drive.timed import run
from sim.experiment.run import run_scenario
from sim.facts import StepDone
from sim.scenario import load
from tests.engine.test_stop_kill import GHOST

PAUSED = """\
services: {web: {image: nginx, restart: always}}
steps:
  - {id: pause, at: 1s, docker: pause web}
"""

STOP_FAILS = (
    GHOST
    + """\
  - {id: rm, at: 60s, docker: rm -f web}
  - {at: rm+9900ms, kill: containerd}
  - {at: rm+11500ms, stop: containerd}
until: 90s
"""
)

ROWS: dict[str, str] = {
    "a container that its policy restarts while it is paused counts as paused, and nothing ends that": PAUSED
    + """\
  - {id: shot, at: 5s, kill: shim/web}
  - {id: ps, at: 8s, docker: ps}
  - {id: go, at: 10s, docker: unpause web}
  - {id: exec, at: 11s, docker: exec web true}
  - {id: stop, at: 20s, docker: stop web}
until: 40s
expect:
  - {at: go-1s, container: web, status: paused, pid: new, since: shot, restarts: 1}
  - {step: go, error: "container not paused"}
  - {step: exec, error: "is paused, unpause the container before exec"}
  - {within: 2100ms, of: stop, step: stop, error: "is paused. Unpause the container before stopping"}
  - {at: end, container: web, status: paused}
  - {events: [pause, {die: 137}, network disconnect, network connect, start], container: web, exact: true}
""",
    "a stop that was refused waits for one end, then for the next with the container's own time": PAUSED
    + """\
  - {id: stop, at: 5s, docker: stop web}
  - {at: 5500ms, docker: unpause web}
  - {id: shot, at: 6s, kill: payload/web}
until: 40s
expect:
  - {at: shot+9900ms, step: stop, unanswered: true}
  - {at: shot+9900ms, container: web, status: running, pid: new, since: shot}
  - {within: 11s, of: shot, step: stop, ok: true}
  - {at: end, container: web, status: exited, exit_code: 137}
  - {events: [pause, unpause, {die: 137}, network disconnect, network connect, start, {kill: 9}, {die: 137},
              network disconnect, stop], container: web, exact: true}
""",
    "a kill that was refused waits for one end, then asks nobody before it kills the next": PAUSED
    + """\
  - {id: kill, at: 5s, docker: kill web}
  - {at: 5500ms, docker: unpause web}
  - {id: shot, at: 6s, kill: payload/web}
until: 40s
expect:
  - {at: shot+9900ms, step: kill, unanswered: true}
  - {within: 11s, of: shot, step: kill, ok: true}
  - {at: end, container: web, status: running, restarts: 2}
  - {events: [pause, unpause, {die: 137}, network disconnect, network connect, start, {die: 137},
              network disconnect, network connect, start], container: web, exact: true}
""",
    "a container whose removal was begun is dead to the next dockerd: no policy starts it": PAUSED
    + """\
  - {id: rm, at: 5s, docker: rm -f web}
  - {at: 5500ms, docker: unpause web}
  - {id: shot, at: 6s, kill: dockerd}
  - {id: up, at: 40s, docker: start web}
  - {id: again, at: 50s, docker: rm web}
until: 60s
expect:
  - {at: up-1s, container: web, status: dead}
  - {step: up, error: "Container is marked for removal and cannot be started."}
  - {step: again, ok: true}
  - {at: end, container: web, exists: false}
""",
    "a start that a policy had begun is over once the next dockerd has taken the container over": """\
engine: {daemon: {live-restore: true}}
services: {web: {image: nginx, restart: always}}
steps:
  - {id: shot, at: 1s, kill: payload/web}
  - {at: "Exited(hook/web)+5ms", stop: dockerd}
  - {at: 5s, kill: dockerd}
  - {id: stop, at: 30s, docker: stop web}
until: 60s
expect:
  - {at: stop-1s, container: web, status: running, pid: new, since: shot}
  - {events: [{die: 137}, network disconnect, network connect, start, {kill: 15}, {die: 0}, network disconnect, stop],
     container: web, exact: true}
""",
    "docker start finds a container that rm -f has not ended yet running": """\
services: {web: {image: nginx}}
steps:
  - {id: hung, at: 1s, stop: containerd}
  - {id: rm, at: 2s, docker: rm -f web}
  - {at: 3s, kill: containerd}
  - {id: up, at: 4s, docker: start web}
until: 20s
expect:
  - {step: up, ok: true}
""",
    "the path of a missing command is looked for in small letters, so that one with capitals leaves 128": """\
host: {begin: off}
services:
  web: {image: nginx, entrypoint: /opt/Web, x-payload: {fails_to_start: not found}}
  db: {image: nginx, entrypoint: /opt/db, x-payload: {fails_to_start: not found}}
steps:
  - {systemctl: start docker}
  - {at: 10s, docker: run -d --name web nginx}
  - {at: 20s, docker: run -d --name db nginx}
until: 30s
expect:
  - {at: end, container: web, status: created, exit_code: 128}
  - {at: end, container: db, status: created, exit_code: 127}
""",
    "a start that fails is answered once --rm has removed its container, which a busy mount holds up": """\
host: {begin: off}
services: {job: {image: nginx, x-rm: true, x-payload: {fails_to_start: not found}}}
steps:
  - {systemctl: start docker}
  - {host: {busy_mount: job}}
  - {id: run, at: 10s, docker: run -d --rm --name job nginx}
until: 30s
expect:
  - {at: run+4900ms, step: run, unanswered: true}
  - {within: 6s, of: run, step: run, error: "executable file not found"}
  - {at: end, container: job, status: dead}
""",
    "a probe that fails waits for the container's lock, which a signal on its way holds": """\
services:
  web: {image: nginx, healthcheck: {test: [CMD, "true"], interval: 500ms, timeout: 500ms, retries: 1}}
  db: {image: nginx, healthcheck: {test: [CMD, "true"], interval: 500ms, timeout: 500ms, retries: 1}}
steps:
  - {id: hung, at: 1s, stop: containerd}
  - {id: hup, at: 1100ms, docker: kill -s WINCH web}
until: 60s
expect:
  - {at: hup+1100ms, container: db, health: unhealthy}
  - {at: hup+1100ms, container: web, health: healthy}
  - {at: hup+1100ms, step: hup, unanswered: true}
  - {at: end, container: all, health: healthy}
""",
    "OOMKilled is told until the next end": """\
services: {web: {image: nginx, restart: always, mem_limit: 64m}}
steps:
  - {id: oom, at: 1s, oom: web}
until: 10s
expect:
  - {at: end, container: web, status: running, oom_killed: true, restarts: 1}
""",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_branch_of_dockerd(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    found = run_scenario(load("row.yaml", ROWS[name]))
    assert not found.trace.note
    verdicts = found.verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


def test_an_rm_whose_stop_fails_answers_in_the_words_of_the_stop() -> None:
    """What its kill has left running is stopped; that containerd is away meanwhile is no error of the kill."""
    trace = run(load("f", text=STOP_FAILS).setup)
    errors = [it.event.error for it in trace if isinstance(it.event, StepDone) and it.event.id == "rm"]
    assert len(errors) == 1
    assert errors[0].startswith("Cannot kill container")
