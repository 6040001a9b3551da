"""containerd 0.2 where its source has a second branch: a start that ends in between, a shim that is lost.

A row is a scenario with its own `expect:`. Source of the expectations: C (projectatomic/containerd e93fa2e)
supervisor/*.go, runtime/container.go, process.go, containerd-shim/main.go; the versions of other engines are named.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sim.engine.goroutine import Goroutine
from sim.engines.containerd.tasks import orphan
from sim.experiment.run import Run, run_scenario
from sim.kernel.events import Reparented
from sim.scenario import load
from sim.world import Turn

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
ROWS["an update of a container that the runtime has no more fails, and its policy stays that of before"] = """\
services: {web: {image: nginx}}
steps:
  - {id: hang, at: 1s, stop: containerd}
  - {id: it, at: 1100ms, docker: update --restart always web}
  - {id: shot, at: 1200ms, kill: payload/web}
  - {id: on, at: 2s, cont: containerd}
until: 30s
expect:
  - {within: 100ms, of: on, step: it, error: "does not exist"}
  - {at: end, container: web, status: exited, exit_code: 137}
"""
ROWS["the shim of an exec that has lost its containerd: the exec'd process alone is killed"] = """\
services: {web: {image: nginx}}
steps:
  - {at: 1s, docker: exec web sleep 1000}
  - {id: down, at: 2s, kill: containerd}
  - {id: shot, at: 20s, kill: exec-shim/web}
until: 30s
expect:
  - {at: shot-1ms, process: exec-shim/web, parent: init, count: 1}
  - {at: end, process: exec/web, exists: false}
  - {at: end, container: web, status: running, pid: same}
"""
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


# -- what another version restores -----------------------------------------------------------------------

VERSIONS = ("docker-1.12", "docker-1.13", "docker-17.06")


def judged(design: str, text: str) -> Run:
    """Run a scenario's text on a design; its expectations must hold."""
    found = run_scenario(load("version.yaml", f"engine: {{design: {design}}}\n{text}"), 1)
    assert [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds] == []
    return found


@pytest.mark.parametrize(("design", "code"), [*zip(VERSIONS, (255, 255, 137), strict=True)])
def test_a_shim_that_died_while_containerd_was_down_costs_its_payload_another_code(design: str, code: int) -> None:
    """17.06 writes the status with a verb that Go knows."""
    text = """\
services: {web: {image: nginx}}
steps:
  - {id: down, at: 1s, stop: dockerd}
  - {id: dead, at: 2s, kill: containerd}
  - {at: 3s, kill: shim/web}
  - {id: back, at: 4s, cont: dockerd}
until: 5m
"""
    judged(design, text + f"expect:\n  - {{at: end, container: web, status: exited, exit_code: {code}}}\n")


@pytest.mark.parametrize("design", VERSIONS)
def test_a_torn_state_folder_is_dropped_or_keeps_containerd_from_beginning(design: str) -> None:
    """Up to 1.12 a containerd that cannot read it ends, one after the other, and no client is answered."""
    well = design != "docker-1.12"
    judged(
        design,
        f"""\
services: {{web: {{image: nginx}}}}
steps:
  - {{id: torn, at: 10s, host: {{tear: web/process.json}}}}
  - {{id: down, at: 10s, kill: containerd}}
  - {{id: ask, at: 5m, docker: run -d --name late nginx}}
until: 6m
expect:
  - {{step: ask, {"ok: true" if well else "error: 'connection is unavailable'"}}}
  - {{at: end, process: payload/web, count: 1}}
""",
    )


@pytest.mark.parametrize("design", VERSIONS)
def test_a_start_that_both_daemons_died_in_leaves_a_folder_to_1_12(design: str) -> None:
    """A state folder that names no process is deleted, or is in the way of every later start."""
    well = design != "docker-1.12"
    judged(
        design,
        f"""\
steps:
  - {{id: up, at: 1s, docker: run -d --name web nginx}}
  - {{id: shot, at: Forked(runc/web)+20ms, kill: dockerd}}
  - {{at: shot+5s, systemctl: start docker}}
  - {{id: again, at: shot+1m, docker: start web}}
until: shot+2m
expect:
  - {{step: again, {"ok: true" if well else "error: file exists"}}}
  - {{at: end, process: payload/web, {"count: 1" if well else "exists: false"}}}
""",
    )


@pytest.mark.parametrize("design", VERSIONS)
def test_17_06_ends_a_ghost_as_it_begins(design: str) -> None:
    """dockerd has removed the bundle of a start that has failed; up to 1.13 its program lives on, unknown."""
    ends = design == "docker-17.06"
    judged(
        design,
        f"""\
steps:
  - {{id: up, at: 1s, docker: run -d --name web nginx}}
  - {{id: down, at: Exited(runc/web)#3+1ms, kill: containerd}}
  - {{id: again, at: down+60s, docker: start web}}
until: down+70s
expect:
  - {{step: up, error: "transport is closing"}}
  - {{at: again-1s, process: payload/web, {"exists: false" if ends else "count: 1"}}}
  - {{step: again, {"ok: true" if ends else "error: file exists"}}}
""",
    )


# -- an orphan that PID 1 does not adopt --------------------------------------------------------------------


def test_an_orphan_of_a_subreaper_counts_as_255_and_lives_on() -> None:
    """Only a child of PID 1 is killed; the exit is told with the status that was read: none (exit.go 20)."""
    text = "services: {web: {image: nginx}}\nsteps: [{id: down, at: 1s, kill: containerd}]\nuntil: 20s\n"
    world = run_scenario(load("orphan.yaml", text)).at()
    (containerd,) = (it.pid for it in world.host.procs.values() if it.image.program == "containerd" and it.alive)
    (payload,) = (it.pid for it in world.host.procs.values() if it.image.program == "payload")
    Turn(world).emit(Reparented(payload, containerd))
    frame = replace(world.frames[containerd, "main"], local={"c": "web", "x": None})
    g = Goroutine(Turn(world), frame)
    assert orphan(g) == "delete"
    assert g["exit_status"] == 255
    assert not world.host.procs[payload].pending
