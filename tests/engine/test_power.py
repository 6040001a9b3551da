"""Power lost: what is left of a host, whatever it was doing."""

from __future__ import annotations

import pytest

from sim.drive.timed import Timed
from sim.facts import StepDone
from sim.kernel.records import INIT, OUTSIDE
from sim.scenario import load
from sim.world import World

TEXT = """\
services:
  web: {image: nginx, ports: ["80:80"], restart: always, mem_limit: 1g}
  db: {image: pg, networks: [back]}
networks: {back: {}}
steps:
  - {id: kill, at: 5s, kill: shim/web}
  - {id: boot, at: 10s, kill: dockerd}
  - {id: unit, at: 10s, systemctl: restart docker}
  - {id: cut, at: %s, power_loss: 1h}
until: 60s
"""


def without_power(at: str) -> tuple[Timed, World]:
    """Return a run and its world after the power has gone."""
    run = Timed(load("f", text=TEXT % at).setup)
    run.run()
    return run, run.world


@pytest.mark.parametrize("at", ["2s", "5001ms", "5100ms", "10001ms", "10300ms", "12100ms", "13s"])
def test_only_the_disk_is_left(at: str) -> None:
    """PID 1 alone, no goroutine of its but the boot, no lock, queue, listener, fifo, rule, group or file of /run."""
    _, world = without_power(at)
    host = world.host
    assert set(host.procs) == {INIT}
    assert (host.children, host.zombies, host.members, host.grouped, host.ends, host.ports_of, host.bound) == ({},) * 7
    assert [*host.fifos, *host.listeners, *host.rules, *host.reserved] == []
    assert host.uses == {INIT: 3}
    assert host.files
    assert not any(path.startswith(("/run/", "/var/run/")) for path in host.files)
    assert list(world.frames_of.get(INIT, ())) == [(INIT, "boot")]
    assert {pid for pid in world.frames_of if world.frames_of[pid]} <= {INIT, OUTSIDE}
    assert not any(world.locks.values())
    assert not any(world.queues.values())
    assert not any(world.memory.values())


@pytest.mark.parametrize("at", ["10001ms", "10300ms"])
def test_nobody_waits_for_a_host_that_is_off(at: str) -> None:
    """A systemctl that was under way ends with the connection; numbers begin anew."""
    run, world = without_power(at)
    told = {record.event.id: record.event.error for record in run.trace if isinstance(record.event, StepDone)}
    assert told["unit"] == "Connection to the host closed by remote host."
    assert not world.frames_of.get(OUTSIDE)
    assert world.host.last_pid == INIT


def test_a_host_that_boots_gives_the_numbers_of_a_first_boot() -> None:
    """dockerd gets the number after the reboot that it had in the beginning."""
    text = (TEXT % "20s").replace("1h", "true").replace("until: 60s", "until: 20m")
    run = Timed(load("f", text=text).setup)
    run.run()
    assert run.world.host.procs[INIT + 1].image.program == "dockerd"
