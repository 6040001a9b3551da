"""The log path: how many bytes it holds when a stage stands still, who waits for what, and what is lost."""

from __future__ import annotations

import pytest

from sim.drive.timed import Timed
from sim.experiment.run import run_scenario
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
    """A file takes everything, and nobody, too; also what had to wait for dockerd."""
    more = f", logging: {{driver: {driver}}}"
    text = web(more=more) + "steps: [{at: 10s, host: {journald: stop}}]\nuntil: 5m\n"
    assert told(played(text), WriteBlocked, FifoLevel) == []
    steps = "steps: [{at: 10s, host: {journald: stop}}, {at: 20s, stop: dockerd}, {id: go, at: 60s, cont: dockerd}]\n"
    assert not holds(
        web(more=more) + steps + "until: 5m\n",
        "at: go-1s, process: payload/web, blocked: true",
        "at: go+1s, container: web, buffered: 0",
    )


def test_two_restarts_at_once_start_one_journald():
    """The second job finds it started by the first (systemd.unit(5): such jobs are one)."""
    again = "{at: 20s, wait: false, host: {journald: restart}}"
    timed = played(web() + f"steps: [{{at: 10s, stop: journald}}, {again}, {again}]\nuntil: 3m\n")
    journalds = [process for process in timed.world.host.procs.values() if process.image.program == "journald"]
    assert len(journalds) == 1


def test_a_journald_that_dies_is_started_again_and_one_that_is_stopped_is_not():
    """Restart=always; a step's stop is a job."""
    text = web() + "steps: [{at: 10s, kill: journald}, {id: s, at: 20s, host: {journald: stop}}]\nuntil: 60s\n"
    timed = played(text)
    ends = [event.pid for _, event in told(timed, Exited)]
    assert len(ends) == 2
    assert not [process for process in timed.world.host.procs.values() if process.image.program == "journald"]


def test_both_streams_fill_each_on_its_own():
    """stdout and stderr have a path each; the program waits as soon as one of them is full."""
    text = web("{stdout: 40KB/s, stderr: 10KB/s}") + "steps: [{at: 10s, stop: dockerd}]\nuntil: 60s\n"
    timed = played(text)
    found = told(timed, WriteBlocked)
    assert [event for _, event in found] == [WriteBlocked("web", it, 160 * KIB) for it in ("stdout", "stderr")]
    assert [at for at, _ in found] == [pytest.approx(10 + (160 * KIB + 4096) / rate, abs=0.01) for rate in (4e4, 1e4)]


TIMERS = """\
host: {begin: off}
services: {web: {image: nginx, ports: ["80:80"], x-payload: {ready: 5s, log: 100KB/s, %s}}}
steps:
  - {systemctl: start docker}
  - {id: up, at: 10s, compose: up -d web}
  - {id: jam, at: 12s, stop: dockerd}
  - {id: go, at: 60s, cont: dockerd}
until: 2m
expect:
  - {during: [jam+2s, go-1ms], process: payload/web, blocked: true}
  - {at: go-1s, port: 80, from: remote, open: false}
"""


def holds(text: str, *expectations: str) -> list[str]:
    """Return what does not hold of a scenario."""
    lines = "".join(f"  - {{{it}}}\n" for it in expectations)
    scenario = load("f", text=text + ("" if "expect:" in text else "expect:\n") + lines)
    return [f"{it.text}: {it.detail}" for it in run_scenario(scenario).verdicts() if not it.holds]


def test_what_a_program_does_by_itself_waits_for_its_write():
    """A blocked program neither becomes ready nor leaves; it does both once the write has returned."""
    text = TIMERS % "exits: {code: 4, after: 20s}"
    assert not holds(
        text,
        "at: go-1s, process: payload/web, exists: true",
        "within: 1s, of: go, container: web, status: exited, exit_code: 4",
    )


def test_a_failed_start_waits_for_its_write_too():
    """What it needs is looked for after the write."""
    text = TIMERS % "fails: {code: 5, after: 10s, while: closed(web:81)}"
    assert not holds(text, "within: 1s, of: go, container: web, status: exited, exit_code: 5")


def test_a_signal_interrupts_a_write():
    """A handler runs while the program waits in write(2)."""
    text = web("1MB/s") + "steps: [{at: 10s, stop: journald}, {id: t, at: 20s, kill: payload/web, signal: TERM}]\n"
    assert not holds(text + "until: 30s\n", "within: 200ms, of: t, process: payload/web, exists: false")


LOST = {
    "dockerd": ("host: {journald: stop}", "kill: dockerd", COPY + BYTES_PIPE),
    "shim": ("stop: dockerd", "kill: shim/web", PIPE + COPY),
}


@pytest.mark.parametrize(("jam", "kill", "count"), LOST.values(), ids=LOST)
def test_what_a_process_holds_goes_with_it(jam, kill, count):
    """A dead dockerd takes its copy and its BytesPipe along, a dead shim its copy and the pipe that it read."""
    keep = "engine: {daemon: {live-restore: true}}\n"
    steps = f"steps: [{{at: 10s, {jam}}}, {{at: 30s, kill: containerd}}, {{id: shot, at: 30s, {kill}}}]\n"
    text = web("100KB/s", host=keep) + steps + "until: 31s\n"
    assert not holds(
        text, "at: shot-1ms, process: payload/web, blocked: true", f"at: shot+5ms, container: web, lost: {count}"
    )


def test_a_payload_whose_shim_is_dead_prints_into_nothing():
    """Its write fails with EPIPE; as the first process of a namespace it does not heed SIGPIPE, and goes on."""
    text = (
        web("100KB/s")
        + """\
steps:
  - {at: 10s, stop: dockerd}
  - {at: 20s, kill: containerd}
  - {id: shot, at: 21s, kill: shim/web}
until: 1m
"""
    )
    assert not holds(
        text, "at: end, process: payload/web, parent: init, blocked: false", "at: end, container: web, buffered: 64KiB"
    )


def test_an_exit_gives_the_log_ten_seconds_and_drops_the_rest():
    """Where dockerd has read all, only the log copier is behind: the exit is handled, and the log is cut off (§15)."""
    text = (
        web("100KB/s")
        + "steps: [{at: 1s, host: {journald: stop}}, {id: shot, at: 6s, kill: payload/web}]\nuntil: 30s\n"
    )
    assert not holds(
        text,
        "at: shot+9.9s, container: web, status: running, lost: 0",
        "within: 10.3s, of: shot, container: web, status: exited, exit_code: 137",
        "at: end, container: web, lost: 480KiB, buffered: 0",
    )


@pytest.mark.parametrize(("design", "shared"), [("docker-1.13", True), ("docker-1.12", False), ("docker-17.06", False)])
def test_what_has_waited_for_a_live_restore_is_logged(design, shared):
    """The log's reader comes first; the RHEL build's second one, which throws away, shares what waits later."""
    text = web("100KB/s", host=f"engine: {{design: {design}, daemon: {{live-restore: true}}}}\n")
    kill = "steps:\n  - {at: 10s, kill: dockerd}\n  - {at: 11s, systemctl: start docker}\n"
    again = "  - {at: 30s, stop: dockerd}\n  - {at: 60s, cont: dockerd}\n"
    assert "log:lost:web" not in played(text + kill + "until: 1m\n").world.marks
    assert ("log:lost:web" in played(text + kill + again + "until: 70s\n").world.marks) is shared


def test_two_readers_after_a_live_restore_share_what_waits():
    """Each chunk goes to the log or to the reader that throws it away, by seed; the payload does not block again."""
    keep = "engine: {daemon: {live-restore: true}}\n"
    text = (
        web("100KB/s", host=keep)
        + """\
steps:
  - {at: 10s, kill: dockerd}
  - {at: 30s, stop: dockerd}
  - {at: 60s, cont: dockerd}
  - {id: jam, at: 70s, stop: journald}
until: 10m
"""
    )
    found = [played(text, seed) for seed in range(6, 12)]
    assert all(len(told(timed, WriteBlocked)) == 1 for timed in found)
    lost = {timed.world.marks["log:lost:web"] for timed in found}
    assert len(lost) > 1
    assert all(32 * KIB <= count <= 128 * KIB for count in lost)


def test_without_live_restore_what_waited_is_thrown_away():
    """The new dockerd reads the fifo to discard it, so that the payload can be stopped."""
    text = web("100KB/s") + "steps: [{id: k, at: 10s, kill: dockerd}]\nuntil: 1m\n"
    assert not holds(text, "at: end, container: web, status: exited, exit_code: 0, buffered: 0, lost: 32KiB..")


def test_after_a_live_restore_no_number_of_lost_bytes_is_vouched_for():
    """Two readers share what is printed from then on; only an open range holds."""
    keep = "engine: {daemon: {live-restore: true}}\n"
    text = web("100KB/s", host=keep) + "steps: [{id: k, at: 10s, kill: dockerd}]\nuntil: 1m\n"
    for lost, wrong in (("0", 1), ("0..", 0)):
        assert len(holds(text, f"at: end, container: web, lost: {lost}")) == wrong
    assert not holds(text, "at: k-1s, container: web, lost: 0")


def test_a_fifo_that_has_lost_its_name_lives_as_long_as_somebody_holds_it():
    """A leaked shim keeps its fifo and pipe; they are not those of the next start, and go with it."""
    keep = "engine: {daemon: {live-restore: true}}\n"
    text = (
        web("100KB/s", host=keep)
        + """\
steps:
  - {at: 10s, systemctl: stop docker}
  - {at: 30s, kill: payload/web}
  - {at: 40s, systemctl: start docker}
  - {at: 50s, docker: start web}
  - {id: shot, at: 60s, kill: shim/web}
until: 70s
"""
    )
    timed = played(text)
    origin = timed.trace.origin or 0
    fifos = timed.trace.at(origin + 59_000_000).host.fifos
    assert sorted(level for path, fifo in fifos.items() if "stdout" in path for level in [fifo.level]) == [
        0,
        0,
        PIPE,
        PIPE,
    ]
    assert not [path for path in timed.world.host.fifos if "(deleted)" in path or path.startswith("pipe:")]
