"""A package is upgraded under what runs: old processes keep their code, new ones are of the new version.

Facts: designs §1.1 (18.09: binaries lose the docker- prefix, which breaks live-restore, moby#39432), §3.8 F12, §11 7.
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import Timed
from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.setup import EngineSetup, HostSetup, Instant, Payload, S, Service, Setup
from sim.engines.containerd.shim_command import hand_socket, socket_of
from sim.engines.docker.downgrades import DOWNGRADES, impossible
from sim.engines.docker.ladder import ROWS
from sim.experiment.run import Run, run_scenario
from sim.kernel.events import FileRemoved, Unlistened
from sim.scenario import load
from sim.world import Frame, Turn

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


KILLED = """\
engine: {design: %s}
services:
  w0: {image: nginx, restart: always, ports: ["80:80"]}
  w1: {image: nginx, restart: always, ports: ["81:80"]}
steps:
  - {id: up, at: 5s, upgrade: {to: %s, unpack: 800ms}}
  - {id: kill, at: 7.2754s, kill: dockerd}
until: 60s
"""


@pytest.mark.parametrize(("before", "after"), [
    ("docker-18.09-separate", "docker-23-separate"), ("docker-18.09-separate", "docker-26-separate"),
    ("docker-18.09-separate", "docker-28-separate"), ("docker-19.03-separate", "docker-20.10-separate"),
])  # fmt: skip
def test_an_old_containerd_goes_on_to_start_containers(before: str, after: str) -> None:
    """It finds its own shims, which containerd.io has on, and no socket is left of one that has ended."""
    found = run_scenario(load("upgrade.yaml", KILLED % (before, after)), seed=759755)
    host = found.at("60s").host
    assert len(payloads(found, "60s")) == 2
    assert {words[-1] for words in map(str.split, words(found, "shim", "60s"))} == {"/usr/bin/containerd-shim"}
    assert all(host.alive(pid) for pid in host.listeners.values())


@pytest.mark.parametrize("before", [name for name in DESIGNS if name.endswith("-separate")])
@pytest.mark.parametrize("after", ["docker-1.13", "docker-17.06"])
def test_a_downgrade_leaves_containerd_service_running(before: str, after: str) -> None:
    """dockerd starts a containerd of its own, at a socket of its own, and its containers are that one's."""
    found = run_scenario(load("upgrade.yaml", KILLED.replace("kill: dockerd", "kill: payload/w0") % (before, after)))
    host = found.at("60s").host
    assert {host.procs[host.procs[pid].ppid].image.program for pid in payloads(found, "60s")} == {"shim"}
    own = host.listeners[paths.CONTAINERD_SOCK]
    service = host.listeners[paths.SERVICE_SOCK]
    assert host.procs[host.procs[own].ppid].image.program == "dockerd"
    assert host.procs[service].ppid == 1
    assert {host.procs[it.ppid].pid for it in host.procs.values() if it.image.program == "shim"} == {own}


def test_what_a_downgrade_leaves_is_started_again_by_its_unit() -> None:
    """containerd.service is still there: it has Restart=always, people may stop it, and docker.service is not tied."""
    stop = "  - {id: stop, at: 30s, systemctl: stop containerd}\nuntil:"
    text = KILLED.replace("at: 7.2754s, kill: dockerd", "at: 20s, kill: containerd").replace("until:", stop)
    found = run_scenario(load("upgrade.yaml", text % ("docker-26-separate", "docker-17.06")))
    listening = [paths.SERVICE_SOCK in found.at(at).host.listeners for at in ("kill+1s", "kill+8s", "stop+2s")]
    assert listening == [False, True, False]
    assert len(payloads(found, "60s")) == 2


@pytest.mark.parametrize("design", ["docker-18.09", "docker-20.10", "docker-26"])
def test_a_shim_gets_no_socket_once_it_has_ended_or_another_has_it(design: str) -> None:
    """One that has ended gets none, and writes no address; one whose address another shim has taken is killed."""
    service = Service("web", "a" * 64, "p", "p", (), Payload("p", ("p",)))
    traits = DESIGNS[design].traits
    engine = EngineSetup(design, traits.daemon, traits.unit, traits.profile, traits.unverified)
    driver = Timed(Setup((service,), host=HostSetup(uptime=S), engine=engine, until=Instant(offset=S)))
    driver.run()
    world, (shim,) = driver.world, [it for it in driver.world.host.procs.values() if it.image.program == "shim"]

    def handed(pid: int) -> str | None:
        frame = Frame((2, "create"), "containerd.create", 0, {"c": "web", "shim_pid": pid})
        return hand_socket(Goroutine(Turn(world), frame))

    assert handed(shim.pid) == "gone"
    assert "KILL" in world.host.procs[shim.pid].pending
    Turn(world).emit(Unlistened(socket_of(world, "web")))
    Turn(world).emit(FileRemoved(f"{paths.STATE}/{service.id}/address"))
    assert handed(30_000) == "gone"
    assert f"{paths.STATE}/{service.id}/address" not in world.host.files
    assert socket_of(world, "web") not in world.host.listeners
    assert handed(shim.pid) is None
    assert world.host.listeners[socket_of(world, "web")] == shim.pid


def test_upgrades_are_never_refused() -> None:
    """A row of the table names versions of the ladder, goes back, and has a reason and a source."""
    versions = [design for name, design in DESIGNS.items() if "dockerd" in design.programs]
    for number, before in enumerate(versions):
        for after in versions[number:]:
            assert impossible(before, after, live_restore=True) is None
    rows = list(ROWS)
    assert all(rows.index(row.to) < rows.index(row.since) and row.why and row.source for row in DOWNGRADES)


@pytest.mark.parametrize(("before", "after", "beside"), [
    ("docker-17.06", "docker-18.09", True), ("docker-17.06", "docker-26", True), ("docker-18.09", "docker-26", False),
])  # fmt: skip
def test_runc_of_another_root_does_not_find_the_container_of_before(before: str, after: str, beside: bool) -> None:
    """From 18.09 on dockerd gives runc a root of its own: what an older version has left is no obstacle to a start.

    Its program goes on beside the new one, since nobody knows of it any more. Within the root there is one instance.
    """
    found = run_scenario(
        load(
            "upgrade.yaml",
            text=f"engine: {{design: {before}, daemon: {{live-restore: true}}}}\n"
            "services: {web: {image: nginx, restart: always}}\n"
            f"steps: [{{id: up, at: 5s, upgrade: {{to: {after}}}}}]\nuntil: 60s\n"
            f"expect: [{{at: end, container: web, status: running}},"
            f" {{at: end, process: payload/web, count: {1 + beside}}}]\n",
        ),
        1,
    )
    assert [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds] == []
