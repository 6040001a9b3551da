"""A package is upgraded under what runs: old processes keep their code, new ones are of the new version.

Facts: designs §1.1 (18.09: binaries lose the docker- prefix, which breaks live-restore, moby#39432), §3.8 F12, §11 7.
"""

from __future__ import annotations

import pytest

from sim.experiment.run import Run, run_scenario
from sim.scenario import load

TEXT = """\
engine: {design: %s, daemon: {live-restore: true}}
services: {web: {image: p, restart: %s, x-payload: {on_term: none}}}
steps:
  - {id: up, at: 10s, upgrade: {to: %s, unpack: 8s}}
  - {id: kill, at: 60s, kill: payload/web}
until: 2m
"""


def run(before: str, after: str, policy: str = "always") -> Run:
    """Upgrade a host with live-restore."""
    return run_scenario(load("upgrade.yaml", TEXT % (before, f"'{policy}'", after)))


def words(found: Run, program: str, at: str) -> list[str]:
    """Return the command of each living process of a program, its first word."""
    procs = found.at(at).host.procs.values()
    return [it.image.argv[0] for it in procs if it.alive and it.image.program == program]


def payloads(found: Run, at: str) -> list[int]:
    """Return the pids of the programs that live."""
    return [it.pid for it in found.at(at).host.procs.values() if it.alive and it.image.program == "payload"]


def believed(found: Run, at: str) -> tuple[bool, int]:
    """Return whether dockerd believes that web runs, and its exit code."""
    world = found.at(at)
    (dockerd,) = [it.pid for it in world.host.procs.values() if it.alive and it.image.program == "dockerd"]
    record = world.recall(dockerd, "container/web")
    return record.running, record.exit_code


@pytest.mark.parametrize(("before", "after"), [
    ("docker-1.13", "docker-17.06"), ("docker-20.10", "docker-26"), ("docker-23", "docker-28"),
    ("docker-20.10-separate", "docker-26-separate"), ("docker-18.09", "docker-19.03"),
])  # fmt: skip
def test_live_restore_holds_between_versions_with_the_same_shims(before: str, after: str) -> None:
    """The container goes on, is known to the new version, and its end is noticed by that."""
    found = run(before, after)
    assert payloads(found, "kill-1s") == payloads(found, "up-1s")
    assert believed(found, "kill-1s") == (True, 0)
    assert len(payloads(found, "kill+10s")) == 1
    assert payloads(found, "kill+10s") != payloads(found, "up-1s")


@pytest.mark.parametrize("before", ["docker-1.13", "docker-17.06"])
@pytest.mark.parametrize("after", ["docker-18.09", "docker-26", "docker-26-separate"])
def test_live_restore_breaks_where_the_shims_change(before: str, after: str) -> None:
    """The new containerd does not know the container: Exited (255), while its program and its shim go on."""
    found = run(before, after, "no")
    assert believed(found, "kill-1s") == (False, 255)
    assert payloads(found, "kill-1s") == payloads(found, "up-1s")
    assert len(words(found, "shim", "kill-1s")) == 1


def test_what_runs_keeps_its_code() -> None:
    """dockerd, containerd and proxies are of the new version; the shim of a container that went on is the old one."""
    found = run("docker-1.13", "docker-26", "no")
    assert words(found, "dockerd", "up+5s") == ["/usr/bin/dockerd-current"]
    assert words(found, "dockerd", "kill-1s") == ["/usr/bin/dockerd"]
    assert words(found, "containerd", "kill-1s") == ["/usr/bin/containerd"]
    assert words(found, "shim", "kill-1s") == ["/usr/bin/docker-containerd-shim-current"]


def test_the_new_version_has_its_own_unit() -> None:
    """After an upgrade to 26 a killed dockerd comes back after 2 s; before, on-abnormal brought it back at once."""
    text = TEXT % ("docker-1.13", "'no'", "docker-26")
    text = text.replace("kill: payload/web", "kill: dockerd")
    found = run_scenario(load("upgrade.yaml", text))
    assert words(found, "dockerd", "kill+1900ms") == []
    assert words(found, "dockerd", "kill+2100ms") == ["/usr/bin/dockerd"]
