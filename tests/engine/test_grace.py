"""A stop without limit, `stop_grace_period: -1` and `docker stop -t -1`, as each version has it."""

import pytest

from sim.designs import DESIGNS
from sim.drive.explore import Limits
from sim.drive.timed import run
from sim.errors import InputError
from sim.experiment.exploring import explored
from sim.scenario import load, resolved
from sim.scenario.to_explore import for_explorer
from sim.scenario.verdict import evaluate

DEAF = "{{image: nginx, restart: always, x-payload: {{on_term: ignore}}{keys}}}"
HOST = "engine: {{design: {design}}}\nservices: {{web: " + DEAF + "}}\n"
STOP = """\
steps:
  - {id: stop, at: 1s, docker: stop %s web}
until: 10m
expect:
  - {step: stop, unanswered: %s}
  - {during: [stop+5s, end], process: payload/web, exists: %s}
"""
HAVE_THE_KEY = [
    design
    for design, it in DESIGNS.items()
    if it.traits.client == "docker" and design not in ("docker-1.10", "docker-1.11", "docker-1.12")
]
AT_ONCE = ("docker-17.06", "podman-4.9")  # their clocks take what is negative for over


def verdicts(text):
    """Return whether each expectation holds, and what was found."""
    scenario = load("f", text=text)
    return [(it.holds, it.detail) for it in evaluate(scenario, run(scenario.setup), lambda *_: "")]


def stop(design, keys="", words=""):
    """Return the verdicts on a stop of a program that ignores TERM."""
    ends = design in AT_ONCE
    answers = ("false", "false") if ends else ("true", "true")
    return verdicts(HOST.format(design=design, keys=keys) + STOP % (words, *answers))


@pytest.mark.parametrize("design", DESIGNS)
def test_a_stop_with_a_negative_time_waits_for_ever(design):
    """docker stop -t -1 does, but where a clock is made of the number; a pod's stop has no such time."""
    if DESIGNS[design].traits.client == "crictl":
        with pytest.raises(InputError, match=f"a stop on {design} has a limit: a pod's grace is not negative"):
            stop(design, words="-t -1")
        return
    assert [holds for holds, _ in stop(design, words="-t -1")] == [True, True]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_container_may_have_such_a_time_or_the_file_is_refused(design):
    """Containers of Docker have it since 1.13; a stop that says another time goes by that."""
    if design not in HAVE_THE_KEY:
        with pytest.raises(InputError, match=f"stop_grace_period: {design} has no stop_grace_period(: -1)?[.:]"):
            stop(design, ", stop_grace_period: -1")
        return
    assert [holds for holds, _ in stop(design, ", stop_grace_period: -1s")] == [True, True]
    text = HOST.format(design=design, keys=", stop_grace_period: -1") + STOP % ("-t 3", "false", "false")
    assert [holds for holds, _ in verdicts(text)] == [True, True]


SHUTDOWN = (
    HOST
    + """\
steps:
  - {{id: down, at: 1s, systemctl: stop docker}}
until: 5m
expect:
  - {{during: [down, down+80s], process: payload/web, exists: true}}
  - {{at: down+80s, process: dockerd, exists: true}}
  - {{within: 2s, of: down+90s, process: dockerd, exists: false}}
"""
)


@pytest.mark.parametrize("design", [design for design in HAVE_THE_KEY if design != "docker-17.06"])
def test_a_shutdown_waits_for_it_until_systemd_has_enough(design):
    """dockerd has no limit once one container has none; systemd has one of 90 s, but not from 18.09 to 20.10."""
    found = verdicts(SHUTDOWN.format(design=design, keys=", stop_grace_period: -1"))
    ends = not design.startswith(("docker-18.09", "docker-19.03", "docker-20.10"))
    assert [holds for holds, _ in found] == [True, True, ends], found


def test_a_shutdown_has_its_own_limit_where_every_container_has_one():
    """Without the key the same program is killed after its ten seconds."""
    found = verdicts(SHUTDOWN.format(design="docker-1.13", keys=""))
    assert [holds for holds, _ in found] == [False] * 2 + [True], found


def test_no_order_of_things_ends_it_either():
    """An exploration, in which any timer may ring, finds no KILL for it, and finds one where there is a limit."""
    for words, verdict in (("-t -1", "HOLDS"), ("-t 2", "VIOLATED")):
        text = HOST.format(design="docker-1.13", keys="").replace("restart: always, ", "")
        text += f"steps: [{{id: stop, docker: stop {words} web}}]\nproperties: [{{name: p, always: up(payload/web)}}]\n"
        scenario = load("f", text=text)
        found = explored(scenario, for_explorer(scenario)[0], limits=Limits())
        assert [it.verdict for it in found.findings] == [verdict]


def test_the_key_is_written_back_as_it_was_read():
    """The resolved file has -1; docker run's own flag says the same."""
    scenario = load("f", text=HOST.format(design="docker-26", keys=", stop_grace_period: -1"))
    assert "stop_grace_period: -1\n" in resolved(scenario)
    assert load("f", text=resolved(scenario)).setup == scenario.setup
    ran = load("f", text="steps: [{docker: run -d --name web --stop-timeout -1 img}]\n")
    assert ran.setup.services[0].stop_timeout == scenario.setup.services[0].stop_timeout == -1


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("services: {web: {container_name: box, stop_grace_period: -1}}", "f:2:58: services.web.stop_grace_period:"),
        ("steps: [{docker: run -d --name job --stop-timeout -1 busybox sleep 9}]", "f:2:18: steps[0].docker:"),
    ],
)
def test_a_refusal_has_the_place_where_the_file_says_it(said, place):
    """Under the service's own key, whatever its container is called, or at the command that makes the container."""
    with pytest.raises(InputError) as refused:
        load("f", text=f"engine: {{design: podman}}\n{said}\nuntil: 9s\n")
    assert str(refused.value).startswith(f"{place} podman has no stop_grace_period: -1")
