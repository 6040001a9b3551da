"""The first process of a container: one that does not reap, docker-init, a shell that does not forward.

Oracles are engine-1.13 §9 and §17 (stop of `sh -c java`).
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.experiment.run import Run, run_scenario
from sim.facts import StepDone
from sim.kernel.records import Process
from sim.scenario import load
from sim.scenario.resolved import resolved

CHILD = "children: [{argv: worker, exits: {after: 1s}, every: 2s}]"


def run(text: str) -> Run:
    """Run a scenario's text, whose expectations must hold."""
    found = run_scenario(load("init.yaml", "host: {uptime: 1s}\n" + text), 1)
    assert not [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds]
    return found


def processes(found: Run, program: str) -> list[Process]:
    """Return the processes at the end that run a program."""
    return [it for it in found.at().host.procs.values() if it.image.program == program]


@pytest.mark.parametrize(("reaps", "zombies"), [("true", 0), ("false", 30)])
def test_zombies_pile_up_under_a_first_process_that_does_not_reap(reaps: str, zombies: int) -> None:
    """Each holds a number of the host, in the container's pid namespace."""
    found = run(f"services: {{web: {{image: nginx, x-payload: {{reaps: {reaps}, {CHILD}}}}}}}\nuntil: 60s\n")
    (payload,) = processes(found, "payload")
    dead = [it for it in processes(found, "child") if not it.alive]
    assert abs(len(dead) - zombies) <= 2
    assert {(it.ppid, it.ns) for it in dead} <= {(payload.pid, payload.pid)}


def test_zombies_end_with_their_namespace() -> None:
    """The kernel reaps them on behalf of the first process that dies."""
    found = run(
        f"services: {{web: {{image: nginx, x-payload: {{reaps: false, {CHILD}}}}}}}\n"
        """\
steps: [{at: 30s, docker: stop web}]
until: 40s
expect: [{at: end, container: web, status: exited, exit_code: 0}]
"""
    )
    assert processes(found, "child") == []


def test_a_shell_as_first_process_does_not_forward_term() -> None:
    """`sh -c java`: ten seconds, then 137."""
    run("""\
services: {web: {image: java, x-payload: {argv: "/bin/sh -c java", on_term: none, children: [{argv: java}]}}}
steps: [{id: over, at: 1s, docker: stop web}]
until: 20s
expect:
  - {at: over+9900ms, container: web, status: running}
  - {at: over+11s, container: web, status: exited, exit_code: 137}
""")


def init(payload: str, steps: str) -> Run:
    """Run a container with docker-init."""
    return run(f'services: {{web: {{image: java, init: true, ports: ["80:80"], x-payload: {{{payload}}}}}}}\n{steps}')


@pytest.mark.parametrize(("on_term", "code"), [("none", 143), ("{exit: 3, after: 200ms}", 3), ("ignore", 137)])
def test_docker_init_forwards_term_and_leaves_with_the_program_s_code(on_term: str, code: int) -> None:
    """The program is no first process, so TERM ends it; docker-init leaves with its code, or 128 and the signal."""
    init(
        f"on_term: {on_term}",
        f"""\
steps: [{{id: over, at: 5s, docker: stop web}}]
until: 20s
expect:
  - {{at: 4s, process: app/web, parent: payload/web, count: 1}}
  - {{at: 4s, port: 80, from: remote, open: true}}
  - {{at: over+{"11s" if code == 137 else "1s"}, container: web, status: exited, exit_code: {code}}}
""",
    )


def test_docker_init_is_the_first_process_and_shows_its_words() -> None:
    """argv is `/dev/init -- path args`; the program has its own words below it."""
    found = init('argv: "java -jar x"', "until: 5s\n")
    (payload,), (app,) = processes(found, "payload"), processes(found, "app")
    assert payload.image.argv == ("/dev/init", "--", "java", "-jar", "x")
    assert (payload.image.comm, payload.ns) == ("init", payload.pid)
    assert (app.image.argv, app.ppid, app.ns) == (("java", "-jar", "x"), payload.pid, payload.pid)


def test_docker_init_leaves_when_the_program_does() -> None:
    """A program that leaves by itself, or is killed, ends the container."""
    init("exits: {code: 5, after: 10s}", "until: 20s\nexpect: [{at: end, container: web, exit_code: 5}]\n")
    init(
        "ready: 1s",
        """\
steps: [{at: 5s, kill: app/web}]
until: 20s
expect: [{at: end, container: web, status: exited, exit_code: 137}]
""",
    )


def test_docker_init_reaps_orphans() -> None:
    """The children of a program that is gone come to the first process, which reaps them when they end."""
    found = run("""\
services:
  web: {image: a, init: true, x-exec: {job: {exits: {after: 1s}, children: [{argv: w, exits: {after: 9s}}]}}}
steps: [{id: up, at: 1s, docker: exec web job}, {id: shot, at: 5s, kill: exec-shim/web}]
until: 30s
expect: [{at: end, container: web, status: running}]
""")
    assert processes(found, "child") == []
    assert [it.event for it in found.trace if isinstance(it.event, StepDone)]


def test_health_is_asked_of_the_program_below_docker_init() -> None:
    """The probe's answer is about the program, not about docker-init."""
    run("""\
services: {web: {image: java, init: true, healthcheck: {test: curl, interval: 5s, retries: 1}, x-payload: {ready: 12s}}}
until: 40s
expect: [{at: 5s, container: web, health: unhealthy}, {at: 18s, container: web, health: healthy}]
""")


def test_a_scenario_with_all_of_it_reads_back_as_itself() -> None:
    """The file that is written out loads to the same setup."""
    text = f"""\
services:
  web: {{image: a, init: true, healthcheck: {{test: curl x, interval: 5s}}, x-payload: {{reaps: false, {CHILD}}},
        x-exec: {{job: {{exits: {{code: 3, after: 9s}}, on_term: ignore, children: [{{argv: w}}]}},
                  no: {{missing: true}}}}}}
steps: [{{at: 1s, docker: exec -d web ls -l}}]
"""
    scenario: Any = load("init.yaml", text)
    assert load("again.yaml", resolved(scenario)).setup.services == scenario.setup.services
