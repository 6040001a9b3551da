"""A full disk: what fails, with which words, and what goes on with memory alone."""

from __future__ import annotations

import pytest

from sim.drive.timed import run
from sim.engine import paths
from sim.engine.records import Container
from sim.facts import EngineEvent, StepDone
from sim.scenario import load
from sim.trace import Trace

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'


def ran(*lines: str) -> Trace:
    steps = "".join(f"  - {line}\n" for line in ("{id: full, host: {fill_disk: true}}", *lines))
    return run(load("f", text=f"{WEB}steps:\n{steps}until: 60s\n").setup)


def told(trace: Trace) -> list[str]:
    """Return what docker events says after t = 0, with exit codes."""
    events = [it.event for it in trace if isinstance(it.event, EngineEvent) and (it.at or 0) > trace.origin]
    return [it.action + dict(it.attributes).get("exitCode", "") for it in events]


def errors(trace: Trace) -> dict[str, str]:
    return {it.event.id: it.event.error for it in trace if isinstance(it.event, StepDone)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{id: it, at: 1s, docker: run -d --name db pg}", "-init: no space left on device"),
        ("{id: it, at: 1s, docker: [stop web, start web]}", ""),
    ],
)
def test_a_container_is_not_made(line: str, said: str) -> None:
    """create has no room for a layer; a stop goes well."""
    assert errors(ran(line))["it"].endswith(said)


def test_a_start_fails_before_the_network() -> None:
    """The endpoint cannot be stored: libnetwork's words, and no event but those of the kill."""
    trace = ran("{id: it, at: 1s, docker: [kill web, start web]}")
    assert errors(trace)["it.2"].endswith("local-kv.db: no space left on device")
    assert told(trace) == ["kill", "die137", "disconnect"]


def test_with_room_again_a_start_goes_well() -> None:
    """fill_disk: false ends it."""
    trace = ran("{at: 1s, docker: stop web}", "{at: 5s, host: {fill_disk: false}}", "{at: 6s, docker: start web}")
    assert told(trace)[-2:] == ["connect", "start"]


def test_an_exit_is_in_memory_alone() -> None:
    """The disk goes on to say that web runs: dockerd's next start says die once more, by what containerd has stored."""
    trace = ran("{id: shot, at: 1s, kill: payload/web}", "{id: boot, at: 20s, kill: dockerd}")
    assert told(trace) == ["die137", "disconnect", "die137"]
    record = trace.at(trace.origin + 19_000_000).host.files[paths.container("web")]
    assert isinstance(record, Container)
    assert record.running


def test_run_is_another_file_system() -> None:
    """containerd goes on to write its state and its log: an exit is told."""
    trace = ran("{at: 1s, kill: payload/web}")
    assert trace.at(trace.end).host.files[paths.EVENTS_LOG]


def test_a_pause_is_not_said() -> None:
    """It is believed in memory, and the command goes well; docker events has nothing of it, nor of its end."""
    trace = ran("{id: it, at: 1s, docker: [pause web, unpause web]}")
    assert errors(trace)["it"] == errors(trace)["it.2"] == ""
    assert told(trace) == []


def test_a_container_is_taken_over_in_silence() -> None:
    """With live-restore the new dockerd believes that it runs, says no `start`, and hears of its end."""
    text = """\
engine: {daemon: {live-restore: true}}
services: {web: {image: nginx}}
steps:
  - {id: full, host: {fill_disk: true}}
  - {id: boot, at: 1s, kill: dockerd}
  - {id: stop, at: 30s, docker: stop web}
until: 60s
"""
    trace = run(load("f", text=text).setup)
    assert told(trace) == ["kill", "die0", "disconnect", "stop"]
    assert errors(trace)["stop"] == ""
