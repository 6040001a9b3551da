"""Hosts with a table that was written by hand: it holds at t = 0, and what follows goes by rules."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from msgspec.structs import replace

from sim.drive.explore.begin import unpinned
from sim.drive.timed import run
from sim.engines.host.bystander import besides, missing
from sim.experiment.run import run_scenario
from sim.kernel import syscalls
from sim.kernel.events import Exited, Listened
from sim.render.ps import ps_axjf
from sim.render.run_text import run_text
from sim.scenario.load import load
from sim.scenario.resolved import resolved
from sim.tracefile import lines, read
from sim.views.observed import unlike
from sim.world import Turn, World
from tests.observed import at_opening

DOCKER_26 = (Path(__file__).parent / "data" / "found-docker-26.yaml").read_text(encoding="utf-8")

SHOWN = """\
 PPID   PID  PGID   SID TTY      TPGID STAT   UID   TIME COMMAND
    0     1     0     0 ?           -1 S        0   0:00 /sbin/tini
    1   280   280    33 ?           -1 Sl       0   0:00 containerd-shim-runc-v2 -id 66fd
"""


def host_of(text: str = DOCKER_26, steps: str = "") -> str:
    """Return the file with steps."""
    return f"{text}steps:\n{steps}until: 200s\n" if steps else text


def first(text: str) -> World:
    """Return the world at t = 0."""
    return at_opening(run(load("it", text).setup)).world


def last(text: str) -> World:
    """Return the world at the end."""
    trace = run(load("it", text).setup)
    return trace.at(trace.end)


def test_the_table_is_the_first_tree() -> None:
    """Every row is there with its numbers, terminal, threads, words and state; nothing else is."""
    scenario = load("it", DOCKER_26)
    story = at_opening(run(scenario.setup))
    rows = {row.pid: row for row in scenario.setup.host.processes}
    assert sorted(story.world.host.procs) == sorted(rows)
    assert not missing(story.world)
    assert not besides(story.world)
    for row in story.table().procs:
        said = rows[row.pid]
        assert (row.ppid, row.pgid, row.sid, row.extra_threads + 1) == (said.ppid, said.pgid, said.sid, said.threads)
        assert (row.tty or "", row.state) == (said.tty, said.stat[0])
        assert row.state == "Z" or " ".join(row.args) == said.args
    assert ps_axjf(story.table()).startswith(SHOWN)
    assert story.table().meta.btime == 1_796_134_320  # 14:12:00Z, when PID 1 began


def test_numbers_go_on_after_the_greatest_one() -> None:
    """The next process is 933, unless `next_pid` says otherwise; a thread's number is free only after its end."""
    world = first(DOCKER_26)
    assert world.host.last_pid == 932
    assert first(DOCKER_26.replace("uptime: 30s", "uptime: 30s\n  next_pid: 5000")).host.last_pid == 4999
    assert not world.host.found
    taken = [number for process in world.host.procs.values() for number in process.threads]
    assert len(taken) == len(set(taken)) == 30 + 8 + 10 + 6 + 5 + 4
    assert world.host.fresh_pid(1, "") not in {*taken, *world.host.procs}


def test_who_is_in_a_container_dies_with_it() -> None:
    """A shell that was exec'd in it is in its pid namespace, and so is a worker; a client of the engine is not."""
    world = first(DOCKER_26)
    assert {world.host.procs[pid].ns for pid in (305, 328, 420)} == {305}
    turn = Turn(world)
    syscalls.exit_process(turn, 305, 0)
    assert {pid for pid in (328, 420, 827) if "KILL" in world.host.procs[pid].pending} == {328, 420}


def test_a_bystander_reaps_and_one_with_a_zombie_does_not() -> None:
    """The shell waits for its job; cron has left a zombie, and leaves it where it is until it ends itself."""
    steps = "  - {id: stray, at: 1s, kill: dockerd}\n"
    world = last(host_of(steps=steps))
    assert world.host.procs[831].state == "Z"
    turn = Turn(world)
    syscalls.exit_process(turn, 827, 0)
    assert (172, "main") in world.frames
    assert (177, "main") not in world.frames
    assert 827 in world.host.zombies[172]


def test_the_engine_restores_what_was_found() -> None:
    """A killed dockerd is started anew, takes the containers over and listens at the port again."""
    world = last(host_of(steps="  - {at: 1s, kill: dockerd}\n"))
    assert {305, 280, 172} <= set(world.host.procs)
    assert 56 not in world.host.procs
    assert "tcp:0.0.0.0:8080" in world.host.listeners


def test_a_stopped_process_goes_on_by_cont() -> None:
    """A job that was found stopped is in state T, and CONT lets it run."""
    world = first(DOCKER_26)
    assert world.host.procs[830].state == "T"
    syscalls.kill(Turn(world), 830, "CONT")
    assert world.host.procs[830].state == "S"


SHIM_1_13 = """\
host:
  uptime: 30s
  clock: 2020-01-01T00:10:00Z
  processes:
    - {pid: 700, ppid: 1, args: dockerd-current, is: dockerd, started: 2020-01-01T00:05:00Z}
    - {pid: 710, ppid: 700, args: docker-containerd, is: containerd, started: 2020-01-01T00:05:01Z}
    - {pid: 300, ppid: 1, args: docker-containerd-shim-current, is: shim/web, started: 2020-01-01T00:00:10Z}
    - {pid: 320, ppid: 300, args: nginx, is: payload/web, started: 2020-01-01T00:00:10Z}
engine: {design: docker-1.13, daemon: {live-restore: true}}
services: {web: {image: nginx, restart: always}}
"""


def test_an_older_shim_is_an_orphan_since_the_daemon_began_anew() -> None:
    """Up to 1.13 shims are containerd's children: one under PID 1 has lost a containerd, and so it has in the model."""
    world = first(SHIM_1_13)
    assert {pid: world.host.procs[pid].ppid for pid in (700, 710, 300, 320)} == {700: 1, 710: 700, 300: 1, 320: 300}
    assert not any(frame.fid[0] not in (0, *world.host.procs) for frame in world.frames.values())
    assert unlike(run(load("it", SHIM_1_13).setup)) == ()
    old = load("it", SHIM_1_13.replace("00:05:0", "00:00:0"))
    assert unlike(run(old.setup)) == ("300 (shim/web) was observed below 1, and is below 710",)


FAMILIES = {
    "docker-26-separate": (
        "    - {pid: 90, ppid: 1, args: /usr/bin/containerd, is: containerd}\n"
        "    - {pid: 40, ppid: 1, args: /usr/bin/dockerd, is: dockerd}\n"
        "    - {pid: 30, ppid: 1, sid: 90, args: shim, is: shim/web}\n"
        "    - {pid: 31, ppid: 30, args: nginx, is: payload/web}\n"
    ),
    "podman": (
        "    - {pid: 95, ppid: 1, args: /usr/bin/conmon, is: conmon/web}\n"
        "    - {pid: 31, ppid: 95, args: nginx, is: payload/web}\n"
    ),
    "containerd-cri": (
        "    - {pid: 90, ppid: 1, args: /usr/bin/containerd, is: containerd}\n"
        "    - {pid: 40, ppid: 1, args: /usr/bin/kubelet, is: kubelet}\n"
        "    - {pid: 30, ppid: 1, args: shim, is: shim/web}\n"
        "    - {pid: 29, ppid: 30, args: /pause, is: pause/web}\n"
        "    - {pid: 28, ppid: 30, args: nginx, is: payload/web}\n"
    ),
    "cri-o": (
        "    - {pid: 40, ppid: 1, args: /usr/bin/crio, is: crio}\n"
        "    - {pid: 50, ppid: 1, args: /usr/bin/kubelet, is: kubelet}\n"
        "    - {pid: 30, ppid: 1, args: conmon, is: conmon/web}\n"
        "    - {pid: 28, ppid: 30, args: nginx, is: payload/web}\n"
    ),
}


@pytest.mark.parametrize("design", FAMILIES)
def test_each_family_has_its_numbers(design: str) -> None:
    """Daemons that are younger than containers and numbers in any order: the first tree is the table."""
    text = f"host:\n  uptime: 5s\n  processes:\n{FAMILIES[design]}engine: {{design: {design}}}\n"
    scenario = load("it", f"{text}services: {{web: {{image: nginx}}}}\n")
    world = at_opening(run(scenario.setup)).world
    rows = {row.pid: row for row in scenario.setup.host.processes}
    assert set(rows) | {1} == set(world.host.procs)
    assert {pid: world.host.procs[pid].ppid for pid in rows} == {pid: row.ppid for pid, row in rows.items()}


def test_what_is_otherwise_is_said() -> None:
    """A row that the model has no process for is left out, one that nobody observed stays, and the run says both."""
    text = DOCKER_26.replace("is: dockerd", "is: journald").replace("pid: 305, ppid: 280", "pid: 305, ppid: 172")
    said = unlike(run(load("it", text).setup))
    assert "56 (journald) was observed, and the model has no such process then: left out" in said
    assert any(line.endswith("(dockerd) runs in the model and was not observed") for line in said)
    assert "305 (payload/web) was observed below 172, and is below 280" in said
    assert "not as observed: 56 (journald) was observed" in run_text(run_scenario(load("it", text)).summary())


def test_a_daemon_below_a_shell_is_found_there() -> None:
    """Whoever typed dockerd is its parent, and reaps it; nobody starts it again, and by hand it can be started."""
    shell = DOCKER_26.replace("{pid: 56, ppid: 1,", "{pid: 56, ppid: 172,").replace(
        "host:", "host:\n  supervisor: none", 1
    )
    assert first(shell).host.procs[56].ppid == 172
    world = last(host_of(shell, "  - {at: 1s, kill: dockerd}\n"))
    assert 56 not in world.host.procs
    assert not daemons(world)
    assert daemons(last(host_of(shell, "  - {at: 1s, kill: dockerd}\n  - {at: 9s, systemctl: start docker}\n")))


def test_a_file_is_written_out_with_its_table() -> None:
    """What is read from the file that a run writes is the same host."""
    scenario = load("it", DOCKER_26.replace("uptime: 30s", "uptime: 30s\n  supervisor: none"))
    again = load("again", resolved(scenario))
    assert again.setup.host == scenario.setup.host
    assert again.setup.host.supervisor == "none"


def test_the_example_of_the_page_is_a_host() -> None:
    """docs/found.md: its table and its steps can be pasted."""
    page = (Path(__file__).parents[2] / "docs" / "found.md").read_text(encoding="utf-8")
    blocks = [block for block in page.split("\n\n") if block.startswith("    ")]
    table, steps, nobody = map(dedent, blocks)
    services = "services: {web: {image: nginx}, db: {image: db}, old: {image: old}}\n"
    world = first(f"{table}\n{services}{steps}\nengine: {{design: docker-26}}\n")
    assert {1, 56, 280, 305, 328, 172} <= set(world.host.procs)
    assert {it.image.container for it in world.host.procs.values() if it.frozen} == {"db"}
    assert load("it", f"{nobody}\n{services}").setup.host.supervisor == "none"


def test_a_trace_comes_back_from_its_file() -> None:
    """Facts about what was found are in the trace: replay gives the same worlds."""
    trace = run(load("it", DOCKER_26).setup)
    again, _ = read(lines(trace), "trace.jsonl")
    assert list(again) == list(trace)
    assert at_opening(again).table() == at_opening(trace).table()


def test_an_exploration_holds_for_any_numbers() -> None:
    """The table is left out of one: its states have names for numbers."""
    setup = load("it", DOCKER_26).setup
    assert unpinned(setup).host == replace(setup.host, processes=(), next_pid=None)


def test_what_was_done_before_is_done_at_t_0() -> None:
    """A container is paused and another one killed, in the order of the file; nobody can name such a step."""
    host = "host: {uptime: 5s, cgroup: v1}\nengine: {design: docker-26}\nservices: {a: {image: x}, b: {image: y}}\n"
    steps = (
        "  - {at: before 0s, docker: pause a}\n"
        "  - {docker: kill b}\n"
        "  - {at: 1s, docker: unpause a}\n"
        "  - {docker: start b}\n"
    )
    trace = run(load("it", host_of(host, steps)).setup)
    found = {it.image.container: it.state for it in at_opening(trace).world.host.procs.values() if it.ns == it.pid}
    assert found == {"a": "D"}
    found = {it.image.container: it.state for it in trace.at(trace.end).host.procs.values() if it.ns == it.pid}
    assert found == {"a": "S", "b": "S"}
    said = run_text(run_scenario(load("it", host_of(host, steps))).summary())
    assert "never taken" not in said
    assert "step1" not in said


def test_the_user_and_the_time_of_the_processor_are_as_found() -> None:
    """UID and TIME of ps; C of ps -ef is their share."""
    text = SHIM_1_13.replace("args: nginx,", 'uid: 1000, time: "1-00:00:05", args: nginx,')
    scenario = load("it", text)
    row = next(row for row in at_opening(run(scenario.setup)).table().procs if row.pid == 320)
    assert (row.uid, row.utime) == (1000, 8_640_500)
    assert load("again", resolved(scenario)).setup.host == scenario.setup.host


# -- nobody starts it again -------------------------------------------------------------------------

NOBODY = """\
host: {supervisor: none, uptime: 5s}
engine: {design: DESIGN}
services: {web: {image: nginx, restart: always}}
"""
ALONE = ("docker-1.10", "docker-1.13", "docker-26", "docker-26-separate", "docker-28", "containerd-cri", "cri-o")


def daemons(world: World) -> set[str]:
    """Return the programs of the engine's own unit that live."""
    engine = world.design.traits.engine
    return {it.image.program for it in world.host.procs.values() if it.alive and it.image.program == engine}


@pytest.mark.parametrize("design", ALONE)
def test_a_dead_engine_stays_dead_until_somebody_starts_it(design: str) -> None:
    """Without a service manager Restart= is nobody's; what somebody types starts it by hand."""
    text = NOBODY.replace("DESIGN", design)
    engine = load("it", text).setup.engine.design
    daemon = {"containerd-cri": "containerd", "cri-o": "crio"}.get(engine, "dockerd")
    unit = {"containerd-cri": "containerd", "cri-o": "crio"}.get(engine, "docker")
    kill = f"  - {{at: 1s, kill: {daemon}}}\n"
    assert not daemons(last(host_of(text, kill)))
    assert daemons(last(host_of(text, f"{kill}  - {{at: 9s, systemctl: start {unit}}}\n")))
    assert daemons(last(host_of(text, f"  - {{at: 1s, systemctl: restart {unit}}}\n")))


def test_nobody_falls_with_containerd_and_nothing_starts_at_boot() -> None:
    """Requires= and BindsTo= are a service manager's; after a reboot PID 1 is alone."""
    text = NOBODY.replace("DESIGN", "docker-18.09-separate")
    world = last(host_of(text, "  - {at: 1s, systemctl: stop containerd}\n"))
    assert daemons(world) == {"dockerd"}
    assert list(last(host_of(text, "  - {at: 1s, reboot: true}\n")).host.procs) == [1]
    assert list(last(text.replace("uptime: 5s", "begin: boot") + "until: 60s\n").host.procs) == [1]
    with_systemd = text.replace("supervisor: none, ", "")
    assert not daemons(last(host_of(with_systemd, "  - {at: 1s, systemctl: stop containerd}\n")))


def test_a_stop_by_hand_waits_as_long_as_it_takes() -> None:
    """TERM and no KILL after TimeoutStopSec=: whoever types waits."""
    text = NOBODY.replace("DESIGN", "docker-26").replace("restart: always", "stop_grace_period: 100s")
    text = text.replace("stop_grace_period: 100s", "stop_grace_period: 100s, x-payload: {on_term: ignore}")
    text = text.replace("docker-26}", "docker-26, daemon: {shutdown-timeout: 100}, unit: {TimeoutStopSec: 5s}}")
    steps = "  - {id: stop, at: 1s, systemctl: stop docker}\n"

    def killed(file: str) -> bool:
        trace = run(load("it", host_of(file, steps)).setup)
        events = [record.event for record in trace]
        dockerd = next(it.pid for it in events if isinstance(it, Listened) and it.address.endswith("docker.sock"))
        return Exited(dockerd, -9) in events

    assert killed(text.replace("supervisor: none, ", ""))
    assert not killed(text)
