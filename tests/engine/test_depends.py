"""depends_on: what `compose up` waits for, what it says when that fails, and who never reads it.

Oracles are docker/compose v2.40.3 pkg/compose/convergence.go 450-572, 829-874, restart.go 51-80.
"""

from __future__ import annotations

import pytest

from sim.engine.setup import Docker, Step
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StateChanged, StepDone
from sim.scenario import load, resolved

DB = "db: {image: postgres, x-payload: {ready: 3s}, healthcheck: {test: pg, interval: 2s, retries: RETRIES}}"
FILE = """\
host: {{begin: {begin}}}
engine: {{design: {design}}}
services: {{{services}}}
steps: [{steps}]
until: 40s
"""
UP = "{systemctl: start docker}, {id: up, at: 10s, compose: up -d}"


def run(services: str, *, design: str = "docker-28", begin: str = "off", steps: str = UP) -> Run:
    """Run services, as `compose up -d` starts them on an engine that has just come up."""
    text = FILE.format(services=services, design=design, begin=begin, steps=steps)
    return run_scenario(load("f.yaml", text), 1)


def first(found: Run, word: str, container: str) -> int:
    """Return when the engine first said so of a container, in µs."""
    rows = ((it.at or 0, it.event) for it in found.trace if isinstance(it.event, EngineEvent))
    return next(at for at, it in rows if it.word == word and it.container == container)


def errors(found: Run) -> dict[str, str]:
    """Return what the user of each step reads, by the container that it is about."""
    steps = {step.id: step for terminal in found.trace.setup.terminals for step in terminal}
    done = (it.event for it in found.trace if isinstance(it.event, StepDone))
    commands = ((steps[it.id].command, it.error) for it in done if it.id in steps)
    return {command.container: error for command, error in commands if isinstance(command, Docker)}


def status(found: Run) -> dict[str, str]:
    """Return State.Status of each container at the end."""
    world = found.trace.at(found.trace.end)
    records = {name: world.design.engine.believed(world, name) for name in world.services}
    return {name: record.status for name, record in records.items() if record is not None}


def web(condition: str, more: str = "", other: str = "db") -> str:
    """Return a service that depends on another one."""
    return f"web: {{image: nginx, depends_on: {{{other}: {{condition: {condition}{more}}}}}}}"


def test_it_is_started_once_the_other_one_is_healthy() -> None:
    """The probe at 4 s is the first that finds db ready; Compose looks twice a second."""
    found = run(f"{DB.replace('RETRIES', '3')}, {web('service_healthy')}")
    healthy, start = first(found, "health_status", "db"), first(found, "start", "web")
    assert 0 < start - healthy < 1_200_000
    assert errors(found) == {"db": "", "web": ""}


def test_without_a_condition_only_the_start_is_waited_for() -> None:
    found = run(f"{DB.replace('RETRIES', '3')}, {web('service_started')}")
    assert first(found, "start", "db") < first(found, "start", "web") < first(found, "health_status", "db")


def test_others_of_the_file_do_not_wait() -> None:
    """A service that needs only the start of db does not wait for one that needs its health."""
    services = f"{DB.replace('RETRIES', '3')}, {web('service_healthy')}, api: {{image: api, depends_on: [db]}}"
    found = run(services)
    assert first(found, "start", "db") < first(found, "start", "api") < first(found, "health_status", "db")
    assert first(found, "health_status", "db") < first(found, "start", "web")


@pytest.mark.parametrize("required", [True, False])
def test_an_unhealthy_one_ends_the_command_unless_it_is_optional(required: bool) -> None:
    services = f"{DB.replace('RETRIES', '1')}, {web('service_healthy', f', required: {str(required).lower()}')}"
    found = run(services)
    said = "dependency failed to start: container db is unhealthy"
    assert errors(found) == {"db": "", "web": said if required else ""}
    assert status(found) == {"db": "running"} | ({} if required else {"web": "running"})


@pytest.mark.parametrize("code", [0, 3])
def test_a_job_must_have_left_with_0(code: int) -> None:
    job = f"job: {{image: migrate, x-payload: {{exits: {{code: {code}, after: 2s}}}}}}"
    found = run(f"{job}, {web('service_completed_successfully', other='job')}")
    said = f'service "job" didn\'t complete successfully: exit {code}' if code else ""
    assert errors(found) == {"job": "", "web": said}
    assert status(found).get("web") == (None if code else "running")
    if not code:
        assert 0 < first(found, "start", "web") - first(found, "die", "job") < 1_200_000


def test_one_that_has_exited_will_not_be_healthy() -> None:
    db = "db: {image: x, x-payload: {exits: {code: 7, after: 1s}}, healthcheck: {test: pg, interval: 9s}}"
    found = run(f"{db}, {web('service_healthy')}")
    assert errors(found)["web"] == "dependency failed to start: container db exited (7)"


def test_a_start_that_fails_ends_what_waits_for_more() -> None:
    """Nobody looks at the health of a container that was not started."""
    services = f"{DB.replace('RETRIES', '3')[:-1]}, ports: ['80:80']}}, {web('service_healthy')}"
    steps = f"{UP}, {{at: 1s, host: {{take_port: 80}}}}"
    found = run(services, steps=steps)
    assert "port is already allocated" in errors(found)["db"] or "address already in use" in errors(found)["db"]
    assert errors(found)["web"] == "dependency failed to start: db"


def test_without_an_engine_the_look_fails() -> None:
    """dockerd dies between two looks: their user reads what docker says."""
    found = run(f"{DB.replace('RETRIES', '3')}, {web('service_healthy')}", steps=f"{UP}, {{at: 11.2s, kill: dockerd}}")
    assert "Cannot connect" in errors(found)["web"]
    assert "web" not in status(found)


@pytest.mark.parametrize("restart", [True, False])
def test_compose_restart_takes_those_with_it_that_ask_for_it(restart: bool) -> None:
    services = f"db: {{image: x}}, {web('service_started', f', restart: {str(restart).lower()}')}, api: {{image: y}}"
    text = FILE.format(services=services, design="docker-28", begin="steady", steps="{compose: restart db}")
    commands = [step.command for terminal in load("f", text).setup.terminals for step in terminal]
    assert [it.container for it in commands if isinstance(it, Docker)] == ["db", "web"][: 1 + restart]


@pytest.mark.parametrize("design", ["docker-1.13", "docker-28-separate", "podman", "podman-quadlet", "cri-o"])
def test_a_host_on_which_all_is_up_was_started_in_that_order(design: str) -> None:
    """Before t = 0 web comes after db, which stands later in the file, and after the job has left with 0."""
    services = (
        "web: {image: nginx, depends_on: {job: {condition: service_completed_successfully}}}, "
        "job: {image: migrate, depends_on: {db: {condition: service_healthy}}}, db: {image: x, x-payload: {ready: 5s}}"
    )
    found = run(services, design=design, begin="steady", steps="")
    starts = {name: order(found, name) for name in ("db", "job", "web")}
    assert sorted(starts, key=lambda name: starts[name]) == ["db", "job", "web"]
    assert starts["job"] - starts["db"] > 5_000_000
    assert starts["web"] - starts["job"] > 1_000_000


def order(found: Run, container: str) -> int:
    """Return when a container's program first answered, or began, in µs."""
    rows = ((it.at or 0, it.event) for it in found.trace if isinstance(it.event, StateChanged))
    return next(at for at, event in rows if event.container == container and event.state == "running")


def test_the_engine_does_not_read_it() -> None:
    """After a restart of the engine web is started though db is not ready yet."""
    services = (
        "db: {image: x, restart: always, x-payload: {ready: 9s}, healthcheck: {test: pg, interval: 2s, retries: 9}}, "
        "web: {image: y, restart: always, depends_on: {db: {condition: service_healthy}}}"
    )
    found = run(services, begin="steady", steps="{at: 5s, systemctl: restart docker}")
    after = [it.event for it in found.trace if isinstance(it.event, EngineEvent) and (it.at or 0) > found.trace.origin]
    words = [(it.word, it.container) for it in after]
    assert words.index(("start", "web")) < words.index(("health_status", "db"))


@pytest.mark.parametrize(
    "services",
    [
        "a: {image: x, depends_on: {b: {condition: service_healthy}}}, b: {image: y, depends_on: [a]}",
        "a: {image: x, depends_on: {b: {condition: service_completed_successfully}}}, b: {image: y, restart: always}",
        "a: {image: x, depends_on: {b: {condition: service_healthy}}}, b: {image: y, x-payload: {ready: 9h}}",
    ],
)
def test_a_host_that_is_up_did_not_wait_for_ever(services: str) -> None:
    """What depends on itself, and a job that is started again and again, do not keep t = 0 away."""
    assert run(services, begin="steady", steps="").trace.note == ""


def test_a_host_that_is_up_was_started_although_a_condition_failed() -> None:
    services = f"{DB.replace('RETRIES', '1')}, {web('service_healthy')}"
    assert status(run(services, begin="steady", steps="")) == {"db": "running", "web": "running"}


def test_each_start_before_t_0_has_its_own_time_to_wait() -> None:
    """The second one waits although the first one has given up."""
    services = (
        "a: {image: x, x-payload: {ready: 9h}}, b: {image: y, depends_on: {a: {condition: service_healthy}}}, "
        "c: {image: z, x-payload: {ready: 9s}}, d: {image: w, depends_on: {b: {condition: service_started}, "
        "c: {condition: service_healthy}}}"
    )
    found = run(services, begin="steady", steps="")
    assert order(found, "b") - order(found, "a") > 110_000_000
    assert 9_000_000 < order(found, "d") - order(found, "c") < 20_000_000


def test_an_optional_service_may_be_missing() -> None:
    """Another one may not."""
    text = FILE.format(services=web("service_started", ", required: false"), design="docker-28", begin="off", steps="")
    assert load("f", text).setup.services[0].depends == ()
    with pytest.raises(InputError, match="there is no service 'db'"):
        load("f", text.replace(", required: false", ""))


def test_what_it_waits_for_is_written_out() -> None:
    more = ", restart: true, required: false"
    text = FILE.format(services=f"{DB.replace('RETRIES', '3')}, {web('service_healthy', more)}",
                       design="docker-28", begin="off", steps=UP)  # fmt: skip
    scenario = load("f", text)
    (need,) = scenario.setup.service("web").depends
    assert (need.container, need.condition, need.required, need.restart) == ("db", "healthy", False, True)
    again = load("f", resolved(scenario)).setup
    assert again.services == scenario.setup.services
    assert [[_without_line(step) for step in row] for row in again.terminals] == [
        [_without_line(step) for step in row] for row in scenario.setup.terminals
    ]


def _without_line(step: Step) -> tuple[object, ...]:
    return step.id, step.command, step.needs
