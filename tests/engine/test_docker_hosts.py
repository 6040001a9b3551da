"""What whole hosts of Docker 26.1.5 showed beside single experiments, on every version that has the rule.

Source: E4 and E10 to E14 of the recorded hosts [M]; moby v18.09.0 to v28.0.0 cmd/dockerd/daemon.go [S].
"""

from __future__ import annotations

from itertools import pairwise

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


# -- proxies -----------------------------------------------------------------------------------------

PORTS = "services: {web: {image: nginx, ports: ['80:80', '81:81', '82:82'], x-payload: {on_term: {exit: 0}}}}\n"


@pytest.mark.parametrize("design", DOCKERS)
def test_a_thread_of_dockerd_waits_for_each_proxy_since_24(design: str) -> None:
    """The goroutine keeps the thread that forked the proxy; once that has ended the thread serves the next one."""
    steps = "steps: [{id: off, at: 5s, docker: stop web}, {id: on, at: 10s, docker: start web}]\nuntil: 15s\n"
    found, none = run(design, PORTS + steps), run(design, DEAF + "until: 1s\n")
    base, three = threads_of_dockerd(none, "end"), 6 if design >= "docker-24" else 0
    assert [threads_of_dockerd(found, at) - base for at in ("off", "on", "end")] == [three, three, three]


@pytest.mark.parametrize("design", DOCKERS)
def test_a_killed_proxy_is_a_zombie_until_its_container_stops_before_24(design: str) -> None:
    """Up to 23 a proxy is waited for when its port is unmapped (portmapper/proxy.go Stop)."""
    steps = "steps: [{at: 5s, kill: proxy/web}, {id: off, at: 10s, docker: stop web}]\nuntil: 15s\n"
    found = run(design, PORTS.replace(", '81:81', '82:82'", "") + steps)
    zombies = [
        [it for it in found.at(at).host.procs.values() if it.image.program == "proxy" and not it.alive]
        for at in ("off", "end")
    ]
    assert [len(it) > 0 for it in zombies] == [design < "docker-24", False]


def threads_of_dockerd(found: Run, at: str) -> int:
    """Return how many threads dockerd has beside its main one."""
    (dockerd,) = [it for it in found.at(at).host.procs.values() if it.alive and it.image.program == "dockerd"]
    return len(dockerd.threads)


# -- containerd is away ------------------------------------------------------------------------------

MANAGED = [name for name in DOCKERS if DESIGNS[name].traits.containerd_unit is None]
LOOP = "services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 3, after: 500ms}}}}\n"


@pytest.mark.parametrize("design", MANAGED)
def test_a_containerd_that_is_away_ends_a_crash_loop(design: str) -> None:
    """Its policy asks for one start; that one finds nobody, and nothing asks again (monitor.go, E4)."""
    steps = "steps: [{systemctl: start docker}, {at: 5s, compose: up -d}, {at: die(web)#4+50ms, kill: containerd}]\n"
    found = run(design, "host: {begin: 'off'}\n" + LOOP + steps + "until: 60s\n", NOBODY)
    it = record(found)
    assert (it.running, it.restarting, it.exit_code) == (False, False, 3)
    assert "connection refused" in it.error
    assert max(at for at, _ in said(found)) < 18.1


@pytest.mark.parametrize("design", DOCKERS)
@pytest.mark.parametrize("victim", ["dockerd", "containerd"])
def test_the_end_of_a_daemon_is_no_event(design: str, victim: str) -> None:
    """With live-restore nothing is said of a container, neither at the end nor at the return (E13)."""
    steps = f"steps: [{{at: 5s, kill: {victim}}}, {{at: 20s, systemctl: start docker}}]\nuntil: 60s\n"
    found = run(design, DEAF + steps, ", daemon: {live-restore: true}")
    assert said(found) == []


# -- a dockerd returns -------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in DOCKERS if DESIGNS[name].traits.restore_stop == "docker stop"])
def test_a_paused_container_comes_back_running(design: str) -> None:
    """Without live-restore the new dockerd stops it, and its policy starts it: nobody pauses it again (E11)."""
    steps = "steps: [{at: 2s, docker: pause web}, {at: 5s, kill: dockerd}, {at: 8s, systemctl: start docker}]\n"
    it = record(run(design, DEAF + steps + "until: 60s\n", NOBODY))
    assert (it.running, it.paused, it.restart_count) == (True, False, 0)


@pytest.mark.parametrize("design", DOCKERS)
def test_a_new_dockerd_begins_a_crash_loop_anew(design: str) -> None:
    """Its pauses and its count: a start at boot resets both (container.go ResetRestartManager, daemon.go 621, E11)."""
    found = run(design, LOOP + "steps: [{id: again, at: 40s, systemctl: restart docker}]\nuntil: 55s\n")
    first = next(at for at, action in said(found) if action == "start" and at > 40)
    ends = [at for at, action in said(found) if action == "die" and at > first]
    starts = [at for at, action in said(found) if action == "start" and at > first]
    waits = [start - end for end, start in zip(ends, starts, strict=False)]
    assert [after - before for before, after in pairwise(waits[:4])] == pytest.approx([0.1, 0.2, 0.4], abs=0.06)
    assert record(found, at="again-1s").restart_count > 20
    assert record(found).restart_count == len(ends)


# -- a shim that is stopped --------------------------------------------------------------------------


@pytest.mark.parametrize("design", DOCKERS)
def test_a_stopped_shim_holds_a_stop_and_an_inspect_up(design: str) -> None:
    """`docker ps` answers. Once the shim goes on, the stop is carried out: the code is 0, no policy acts (E12)."""
    web = "services: {web: {image: nginx, restart: always, x-payload: {on_term: {exit: 0}}}}\n"
    steps = (
        "steps: [{at: 2s, stop: shim/web}, {id: stop, at: 5s, docker: stop -t 3 web}, {id: ps, at: 20s, docker: ps}, "
        "{id: look, at: 20s, docker: inspect web}, {at: 30s, cont: shim/web}]\nuntil: 60s\n"
    )
    found = run(design, web + steps)
    at = {name: moment for name, (moment, error) in answers(found).items() if not error}
    assert at["ps"] < 20.1
    assert 30 < at["look"] < 30.3
    assert 30 < at["stop"] < 30.3
    it = record(found)
    assert (it.running, it.exit_code, it.restart_count) == (False, 0, 0)
