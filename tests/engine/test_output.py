"""The log path: how many bytes it holds when a stage stands still, who waits for what, and what is lost."""

from __future__ import annotations

import pytest

from sim.drive.timed import Timed
from sim.facts import WriteBlocked, WriteResumed
from sim.kernel.events import Exited, FifoLevel
from sim.scenario import load

KIB = 1024
PIPE, COPY, BYTES_PIPE = 64 * KIB, 32 * KIB, 1_000_000


def web(log: str = "20KB/s", more: str = "", host: str = "") -> str:
    """Return a service that prints."""
    return f"{host}services: {{web: {{image: nginx, ports: ['80:80'], x-payload: {{log: {log}}}{more}}}}}\n"


def played(text: str, seed: int = 1) -> Timed:
    """Run a scenario to its end."""
    timed = Timed(load("f", text=text).setup, seed)
    timed.run()
    return timed


def told(timed: Timed, *kinds: type) -> list[tuple[float, object]]:
    """Return the events of these kinds from t = 0 on, with their times in s."""
    found = [(((record.at or 0) - (timed.trace.origin or 0)) / 1e6, record.event) for record in timed.trace.records]
    return [(at, event) for at, event in found if isinstance(event, kinds) and at >= 0]


STUCK = {
    "dockerd stopped": ("stop: dockerd", PIPE + COPY + PIPE),
    "shim stopped": ("stop: shim/web", PIPE),
    "journald stopped": ("stop: journald", BYTES_PIPE + 2 * (PIPE + COPY)),
    "journald down": ("host: {journald: stop}", BYTES_PIPE + 2 * (PIPE + COPY)),
}


@pytest.mark.parametrize(("step", "count"), STUCK.values(), ids=STUCK)
def test_a_payload_blocks_once_all_that_is_before_the_stage_that_stands_still_is_full(step, count):
    """160 KiB where dockerd does not read, 1.2 MB where journald does not, and a write later it waits (§10)."""
    timed = played(web() + f"steps: [{{id: jam, at: 10s, {step}}}]\nuntil: 2m\n")
    ((at, blocked),) = told(timed, WriteBlocked)
    assert blocked == WriteBlocked("web", "stdout", count)
    assert at == pytest.approx(10 + (count + 4096) / 20_000, abs=0.01)


@pytest.mark.parametrize(("write", "depth"), [(100, 64_000), (1000, 64_000), (3000, 48_000), (4096, 65_536)])
def test_a_pipe_holds_whole_writes_in_each_of_its_pages(write, depth):
    """Sixteen pages, each with as many writes as fit: 64 000 bytes of 100-byte lines [X]."""
    log = f"{{stdout: 20KB/s, write: {write}}}"
    timed = played(web(log) + "steps: [{at: 10s, stop: dockerd}]\nuntil: 30s\n")
    ((_, blocked),) = told(timed, WriteBlocked)
    assert blocked.count == depth + COPY + depth


def test_what_flows_is_not_counted():
    """Ten days of printing are no event; and a jam that ends leaves nothing behind."""
    text = web() + "steps: [{at: 10s, stop: dockerd}, {at: 60s, cont: dockerd}]\nuntil: 5d\n"
    timed = played(text)
    levels = told(timed, FifoLevel)
    assert max(at for at, _ in levels) < 61
    assert min(at for at, _ in levels) > 10
    assert [at for at, _ in told(timed, WriteResumed)] == [pytest.approx(60, abs=0.01)]
    assert not any(fifo.level for fifo in timed.world.host.fifos.values())


@pytest.mark.parametrize("driver", ["json-file", "none"])
def test_a_log_that_does_not_go_to_journald_does_not_wait_for_it(driver):
    """A file takes everything, and nobody, too."""
    text = web(more=f", logging: {{driver: {driver}}}") + "steps: [{at: 10s, host: {journald: stop}}]\nuntil: 5m\n"
    assert told(played(text), WriteBlocked, FifoLevel) == []


def test_a_journald_that_dies_is_started_again_and_one_that_is_stopped_is_not():
    """Restart=always; a step's stop is a job."""
    text = web() + "steps: [{at: 10s, kill: journald}, {id: s, at: 20s, host: {journald: stop}}]\nuntil: 60s\n"
    timed = played(text)
    ends = [event.pid for _, event in told(timed, Exited)]
    assert len(ends) == 2
    assert not [process for process in timed.world.host.procs.values() if process.image.program == "journald"]
