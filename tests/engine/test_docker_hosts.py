"""What whole hosts of Docker 26.1.5 showed beside single experiments, on every version that has the rule.

Source: E4 and E10 to E14 of the recorded hosts [M]; moby v18.09.0 to v28.0.0 cmd/dockerd/daemon.go [S].
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.engine.setup import S
from sim.experiment.run import Run
from sim.facts import StepDone
from tests.engine.test_docker_26 import exits
from tests.engine.test_docker_since import ALL, DOCKERS, record, run, said

NOBODY = ', unit: {Restart: "no"}'
DEAF = "services: {web: {image: nginx, restart: always, x-payload: {on_term: ignore}}}\n"


def answers(found: Run) -> dict[str, tuple[float, str]]:
    """Return when each step was answered, in s from t = 0, and with which error."""
    done = ((it.at, it.event) for it in found.trace if isinstance(it.event, StepDone))
    return {event.id: (((at or 0) - found.trace.origin) / S, event.error) for at, event in done}


# -- dockerd ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in ALL if name != "docker-1.10"])  # whose socket is systemd's
def test_a_dockerd_that_is_terminated_closes_its_api_at_once(design: str) -> None:
    """Its listeners are closed before the first container is told to stop; ten seconds later all have ended."""
    steps = "steps: [{at: 5s, kill: dockerd, signal: TERM}, {id: late, at: 8s, docker: ps}]\nuntil: 30s\n"
    assert "Cannot connect" in answers(run(design, DEAF + steps, NOBODY))["late"][1]


@pytest.mark.parametrize("design", DOCKERS)
@pytest.mark.parametrize(("live", "stream"), [(True, "events"), (True, "logs -f web"), (False, "events")])
def test_clients_that_hold_a_stream_delay_the_end_by_five_seconds_since_24(
    design: str, live: bool, stream: str
) -> None:
    """Up to 23 only the listeners are closed; the time begins once the containers have ended."""
    late = 5.0 if design >= "docker-24" else 0.0
    assert gone_after(design, live, stream) == pytest.approx(gone_after(design, live) + late, abs=0.05)


@pytest.mark.parametrize("design", DOCKERS)
@pytest.mark.parametrize("stream", ["exec web sh", "attach web"])
def test_a_connection_that_was_taken_over_delays_no_end(design: str, stream: str) -> None:
    """The server knows of a connection no more that an exec or an attach has taken over."""
    assert gone_after(design, True, stream) == pytest.approx(gone_after(design, True), abs=0.05)


@pytest.mark.parametrize("design", DOCKERS)
def test_the_shutdown_timeout_does_not_lengthen_an_end(design: str) -> None:
    """It is how long the containers may take at most: 10 s of grace, with containerd as a child 1 s more."""
    apart = DESIGNS[design].traits.containerd_unit is not None
    assert gone_after(design, False) == pytest.approx(10.2 if apart else 11.2, abs=0.2)


def gone_after(design: str, live: bool, stream: str = "") -> float:
    """Return how many seconds after TERM dockerd has ended, while a client does *stream*."""
    steps = f"steps: [{f'{{at: 1s, docker: {stream}}}, ' if stream else ''}{{at: 5s, kill: dockerd, signal: TERM}}]\n"
    daemon = f", daemon: {{live-restore: {str(live).lower()}, shutdown-timeout: 20}}"
    ((at, _),) = exits(run(design, DEAF + steps + "until: 60s\n", NOBODY + daemon), "dockerd")
    return at - 5
