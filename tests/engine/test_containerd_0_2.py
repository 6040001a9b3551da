"""containerd 0.2 where its source has a second branch: a start that ends in between, a shim that is lost.

A row is a scenario with its own `expect:`. Source of the expectations: C (projectatomic/containerd e93fa2e)
supervisor/*.go, runtime/container.go, process.go, containerd-shim/main.go; the versions of other engines are named.
"""

from __future__ import annotations

import pytest

from sim.experiment.run import run_scenario
from sim.scenario import load

UP = "steps:\n  - {id: up, at: 1s, docker: run -d --restart always --name web -p 80:80 nginx}\n"
IN_START = "Exited(runc/web)#3+10ms"  # runc create has ended, runc start runs
NOTHING_LEFT = """\
  - {at: end, container: web, status: created, exit_code: 128, address: none}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: shim/web, exists: false}
  - {at: end, process: runc/web, exists: false}
  - {at: end, process: proxy/web, exists: false}
  - {events: [create, network connect, network disconnect], container: web, exact: true}
"""

ROWS: dict[str, str] = {
    "a runc start that is killed: the start fails, and what was created is deleted": UP
    + f"""\
  - {{id: shot, at: {IN_START}, kill: runc/web}}
until: 60s
expect:
  - {{within: 500ms, of: shot, step: up, error: 'signal: killed: ""'}}
{NOTHING_LEFT}""",
    "a shim that is killed while runc start runs: that is killed, too, and the start fails": UP
    + f"""\
  - {{id: shot, at: {IN_START}, kill: shim/web}}
until: 60s
expect:
  - {{within: 500ms, of: shot, step: up, error: "containerd: shim exited before container process was started"}}
{NOTHING_LEFT}""",
    "a shim that is killed while runc create runs": UP
    + f"""\
  - {{id: shot, at: Forked(runc/web)+10ms, kill: shim/web}}
until: 60s
expect:
  - {{within: 500ms, of: shot, step: up, error: "containerd: container not started"}}
{NOTHING_LEFT}""",
    "a payload that dies before runc start has let it go: the start fails, and its end is told to nobody": UP
    + f"""\
  - {{id: shot, at: {IN_START}, kill: payload/web}}
until: 60s
expect:
  - {{within: 500ms, of: shot, step: up, error: 'exit status 1: "cannot start a container that has run and stopped'}}
{NOTHING_LEFT}""",
    "if runc start ends later its end waits for the start, is believed, and the policy acts": UP
    + f"""\
  - {{id: hang, at: {IN_START}, stop: runc/web}}
  - {{id: shot, at: hang+1s, kill: payload/web}}
  - {{id: on, at: shot+5s, cont: runc/web}}
until: 60s
expect:
  - {{at: on-1ms, step: up, unanswered: true}}
  - {{within: 500ms, of: on, step: up, error: 'exit status 1: "cannot start a container that has run and stopped'}}
  - {{at: end, container: web, status: running, restarts: 1}}
  - {{at: end, process: payload/web, parent: shim/web, count: 1}}
  - events: [create, network connect, network disconnect, {{die: 137}}, network connect, start]
    container: web
    exact: true
""",
    "after a start that has failed so another one goes well": UP
    + f"""\
  - {{id: shot, at: {IN_START}, kill: runc/web}}
  - {{id: again, at: shot+5s, docker: start web}}
until: 60s
expect:
  - {{at: again-1ms, container: web, status: created}}
  - {{step: again, ok: true}}
  - {{at: end, container: web, status: running}}
  - {{at: end, process: payload/web, parent: shim/web, count: 1}}
""",
}
PROBED = """\
services:
  web: {image: nginx, healthcheck: {test: [CMD, curl], interval: 5s, timeout: 2s}}
  db: {image: postgres}
steps:
  - {id: hang, at: Forked(runc/web)+1ms, stop: runc/web}
  - {id: shot, at: hang+200ms, kill: payload/db}
until: hang+3m
expect:
"""


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_containerd(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    found = run_scenario(load("row.yaml", ROWS[name]))
    assert not found.trace.note
    verdicts = found.verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


@pytest.mark.parametrize(("design", "after"), [("docker-1.12", 120), ("docker-1.13", 2), ("docker-17.06", 2)])
def test_the_deadline_of_a_probe_lets_the_main_loop_go_on(design: str, after: int) -> None:
    """An exec that does not come up is given up with its probe; a containerd without that branch waits two minutes."""
    text = f"""\
engine: {{design: {design}}}
{PROBED}  - {{at: hang+{after * 1000 - 300}ms, container: db, status: running}}
  - {{at: hang+{after * 1000 + 500}ms, container: db, status: exited, exit_code: 137}}
"""
    found = run_scenario(load("probed.yaml", text), 1)
    assert [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds] == []
