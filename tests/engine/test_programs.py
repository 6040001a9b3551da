"""What a program in a container does: with each signal, with children of its own, with threads that end first.

Oracles are signal(7), pid_namespaces(7), wait(2), prctl(2), pthread_exit(3).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.engine.setup import Setup
from sim.engines.host.memory import size_of
from sim.kernel.records import Process
from sim.render.ps import ps_axjf
from sim.scenario import load
from sim.scenario.resolved import resolved
from sim.testing.setups import fitted
from sim.trace import Trace
from sim.views.processes import ZOMBIE, Lived
from sim.views.processes import processes as lives
from sim.views.story import Story

S = 1_000_000


def setup_of(service: str, steps: str = "") -> Setup:
    """Return the setup of a scenario of one container."""
    return load("programs.yaml", f"host: {{uptime: 1s}}\nservices: {{web: {{image: web, {service}}}}}\n{steps}").setup


def ran(service: str, steps: str, design: str = "docker-1.13") -> Trace:
    """Run a container on a design."""
    return run(fitted(setup_of(service, steps), design), 1)


def lived(trace: Trace, comm: str) -> list[Lived]:
    """Return the processes of the run that were called so, in the order of their start."""
    return [it for it in lives(trace).lived if it.comm == comm]


def ends(trace: Trace, comm: str) -> list[tuple[float, int | None]]:
    """Return when each ended, in seconds to a tenth, and how; zombies have ended when they died."""
    return [(round(last(it) / S, 1), it.status) for it in lived(trace, comm)]


def last(it: Lived) -> int:
    """Return when a process has ended, or the run."""
    return next((begin for begin, _, how in it.looks if how == ZOMBIE), it.looks[-1][1])


def zombie(it: Lived) -> float:
    """Return how long a process was a zombie, in seconds to a tenth."""
    return round(sum(end - begin for begin, end, how in it.looks if how == ZOMBIE) / S, 1)


def at(trace: Trace, seconds: float) -> dict[str, Process]:
    """Return the processes of a moment by their short names."""
    return {it.image.comm: it for it in trace.at(trace.origin + int(seconds * S)).host.procs.values()}


def kills(*signals: str, target: str = "payload/web") -> str:
    """Return steps that send one signal a second."""
    steps = "".join(f"  - {{at: {n}s, kill: {target}, signal: {name}}}\n" for n, name in enumerate(signals, 1))
    return f"steps:\n{steps}"


# -- signals ----------------------------------------------------------------------------------------

ON = "x-payload: {on: {HUP: reload, SIGQUIT: exit 3 after 2s, USR1: ignore, USR2: default}}"


@pytest.mark.parametrize("design", DESIGNS)
def test_a_program_answers_each_signal_as_it_says(design: str) -> None:
    """It goes on, ignores, leaves with a code after its time; a first process drops what it has no handler for."""
    trace = ran(ON, kills("HUP", "USR1", "USR2", "INT", "QUIT") + "until: 20s\n", design)
    assert ends(trace, "web") == [(7.0, 3)]


@pytest.mark.parametrize(("signal", "status"), [("HUP", None), ("USR1", None), ("USR2", -12), ("INT", -2)])
def test_only_a_first_process_drops_what_it_has_no_handler_for(signal: str, status: int | None) -> None:
    """Below docker-init, which forwards signals, or without a pid namespace, the default action ends the program."""
    for key in ("init: true", "pid: host"):
        trace = ran(f"{key}, {ON}", kills(signal) + "until: 5s\n")
        assert [how for _, how in ends(trace, "web")] == [status]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("x-payload: {on: {TERM: reload}}", 137),
        ("stop_signal: HUP, x-payload: {on: {SIGHUP: exit 5}}", 5),
        ("stop_signal: HUP, x-payload: {on_term: exit 6, on: {TERM: exit 7}}", 6),
        ("x-payload: {on_term: default}", 137),
    ],
)
def test_the_stop_signal_is_answered_by_on_or_else_by_on_term(keys: str, code: int) -> None:
    """It is STOPSIGNAL, whichever that is; a program that goes on is killed after the grace."""
    for design in sorted({"docker-1.13", "docker-26", "podman"} & DESIGNS.keys()):
        trace = ran(f"stop_grace_period: 1s, {keys}", "steps: [{at: 1s, docker: stop web}]\nuntil: 9s\n", design)
        status = lived(trace, "web")[0].status
        assert status == (-9 if code == 137 else code)


def test_a_handler_for_cont_runs_beside_the_going_on() -> None:
    """A stopped process goes on at once, and then its handler runs."""
    trace = ran("x-payload: {on: {CONT: exit 4 after 1s}}", kills("STOP", "CONT") + "until: 9s\n")
    assert ends(trace, "web") == [(3.0, 4)]


@pytest.mark.parametrize(
    ("on", "own", "status"),
    [("ignore", "", None), ("reload", "", -1), ("exit", "", -1), ("ignore", "on: {HUP: default}", -1),
     ("default", "on: {HUP: exit 4 after 1s}", 4)],
)  # fmt: skip
def test_a_child_inherits_what_its_parent_ignores_and_nothing_that_it_handles(
    on: str, own: str, status: int | None
) -> None:
    """execve(2) leaves SIG_IGN as it is and takes handlers away; the child's own word goes first."""
    child = f"{{argv: worker, exits: {{after: 1h}}{', ' if own else ''}{own}}}"
    for key in ("", "init: true, "):
        service = f"{key}x-payload: {{on: {{HUP: {on}}}, children: [{child}]}}"
        trace = ran(service, kills("HUP", target="child/web") + "until: 5s\n")
        assert [how for _, how in ends(trace, "worker")] == [status]


def test_a_command_beside_the_program_answers_signals_too() -> None:
    """TERM is its `on_term`'s, unless `on` says otherwise."""
    service = "x-exec: {job: {exits: {after: 1h}, on: {TERM: exit 3 after 1s, HUP: reload}}}"
    steps = "steps:\n  - {at: 1s, docker: exec web job}\n  - {at: 3s, kill: exec/web, signal: HUP}\n"
    trace = ran(service, steps + "  - {at: 4s, kill: exec/web, signal: TERM}\nuntil: 9s\n")
    assert ends(trace, "job") == [(5.0, 3)]


# -- children of children ---------------------------------------------------------------------------

NESTED = (
    "children: [{argv: worker, threads: 2, exits: {after: 2s}, children: [{argv: job, exits: {code: 1, after: 4s}},"
    " {argv: cron, children: [{argv: tick, exits: {after: 1s}, every: 3s}]}]}]"
)


@pytest.mark.parametrize("design", DESIGNS)
def test_children_have_children_of_their_own_which_their_end_leaves_to_the_first_process(design: str) -> None:
    """A parent waits for its own; what outlives it comes to the container's first process, which reaps it at once."""
    trace = ran(f"x-payload: {{{NESTED}}}", "until: 9s\n", design)
    (job,), (cron,), ticks = lived(trace, "job"), lived(trace, "cron"), lived(trace, "tick")
    assert {zombie(it) for it in (job, cron, *ticks)} == {0.0}
    assert len(ticks) >= 2
    end = at(trace, 9)
    assert (end["cron"].ppid, end["cron"].ns) == (end["web"].pid, end["web"].pid)
    assert "worker" not in end
    assert (job.status, [it.status for it in ticks[:2]]) == (1, [0, 0])


def test_a_tree_of_children_is_drawn_as_one() -> None:
    """ps puts each below its parent."""
    trace = ran("x-payload: {children: [{argv: a, children: [{argv: b, children: [{argv: c}]}, {argv: d}]}]}", "")
    rows = ps_axjf(Story(trace).to(trace.end).table()).splitlines()
    place = rows.index(next(row for row in rows if "\\_ web" in row))
    names = [row.rsplit(" ", 1)[1] for row in rows[place : place + 5]]
    depths = [row.index("\\_") for row in rows[place : place + 5]]
    below = dict(zip(names, [(depth - depths[0]) // 4 for depth in depths], strict=True))
    assert below == {"web": 0, "a": 1, "b": 2, "c": 3, "d": 2}


@pytest.mark.parametrize(("place", "first"), [("", "web"), ("init: true, ", "init")])
def test_the_memory_of_a_container_is_that_of_one_process(place: str, first: str) -> None:
    """The last of the program's own children has it: neither a child of a child, nor docker-init, nor an orphan."""
    tree = "children: [{argv: a, exits: {after: 1s}, children: [{argv: b}]}, {argv: c, children: [{argv: d}]}]"
    trace = ran(f"{place}x-payload: {{memory: 100m, reaps: true, {tree}}}", "until: 9s\n")
    world = trace.at(trace.end)
    sizes = {it.image.comm: size_of(world, it) for it in world.host.procs.values() if size_of(world, it)}
    assert sizes == {"c": 100 * 2**20}
    assert at(trace, 9)["b"].ppid == at(trace, 9)[first].pid


# -- waiting late -----------------------------------------------------------------------------------

ORPHAN = "children: [{argv: a, exits: {after: 1s}, children: [{argv: b, exits: {after: 3s}}]}]"


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    ("reaps", "zombies"), [("true", (0.0, 0.0)), ("2500ms", (2.5, 0.5)), ("5s", (5.0, 3.0)), ("never", (9.0, 9.0))]
)
def test_an_orphan_stays_a_zombie_under_a_first_process_that_waits_late(
    design: str, reaps: str, zombies: tuple[float, float]
) -> None:
    """The time counts from the first that has ended; then all that have are waited for."""
    trace = ran(f"x-payload: {{reaps: {reaps}, {ORPHAN}}}", "until: 12s\n", design)
    first, second = (min(zombie(it), 9.0) for name in "ab" for it in lived(trace, name))
    assert (first, second) == pytest.approx(zombies, abs=0.1)


@pytest.mark.parametrize("reaps", ["true", "never"])
def test_docker_init_reaps_orphans_at_once(reaps: str) -> None:
    """The program below it waits for its own children as it says; those that it has lost are docker-init's."""
    trace = ran(f"init: true, x-payload: {{reaps: {reaps}, {ORPHAN}}}", "until: 9s\n")
    assert [zombie(it) > 0 for name in "ab" for it in lived(trace, name)] == [reaps == "never", False]


def test_a_child_may_wait_late_too() -> None:
    """Its own zombies stay under it."""
    child = "{argv: a, reaps: 2s, children: [{argv: b, exits: {after: 1s}}]}"
    trace = ran(f"x-payload: {{children: [{child}]}}", "until: 9s\n")
    assert [zombie(it) for it in lived(trace, "b")] == [2.0]


def test_one_that_never_waits_does_not_leave_with_its_child() -> None:
    """A shell waits for its command and leaves with it; a program that never waits does not notice."""
    steps = kills("KILL", target="child/web") + "until: 5s\n"
    kept = {reaps: ran(f"x-payload: {{reaps: {reaps}, children: [{{argv: a}}]}}", steps) for reaps in ("true", "never")}
    assert [ends(trace, "web")[0][1] for trace in kept.values()] == [137, None]


# -- threads that end -------------------------------------------------------------------------------

FALLS = "threads: 8, threads_end: [{count: 3, after: 10s}, {count: 4, after: 20s}]"


@pytest.mark.parametrize("place", ["", "init: true, "])
def test_the_number_of_threads_falls_and_their_numbers_are_free(place: str) -> None:
    """Those that were started last end first."""
    trace = ran(f"{place}x-payload: {{{FALLS}}}", "until: 25s\n")
    threads = [at(trace, seconds)["web"].threads for seconds in (0, 15, 25)]
    assert [len(it) for it in threads] == [8, 5, 1]
    assert (threads[1], threads[2]) == (threads[0][:5], threads[0][:1])
    uses = trace.at(trace.end).host.uses
    assert [number for number in threads[0] if number in uses] == list(threads[2])


def test_a_process_goes_on_without_its_main_thread() -> None:
    """ps shows a zombie with threads and no words, nobody can wait for it, and it takes signals."""
    service = "x-payload: {threads: 3, main_ends: 1s, on: {HUP: exit 4 after 1s}}"
    trace = ran(service, "steps: [{at: 5s, kill: payload/web, signal: HUP}]\nuntil: 9s\n")
    story = Story(trace)
    row = next(line for line in ps_axjf(story.to(trace.origin + 2 * S).table()).splitlines() if "[web]" in line)
    assert row.endswith("[web] <defunct>")
    assert " Zsl " in row
    assert ends(trace, "web") == [(6.0, 4)]


def test_a_process_ends_with_its_last_thread() -> None:
    """Its code is the main thread's, 0."""
    service = "x-payload: {threads: 2, main_ends: 20s, threads_end: [{count: 2, after: 30s}]}"
    trace = ran(service, "until: 40s\n")
    assert [how for _, how in ends(trace, "web")] == [0]


# -- files ------------------------------------------------------------------------------------------


def test_a_scenario_with_all_of_it_reads_back_as_itself() -> None:
    """The file that is written out loads to the same setup."""
    text = f"""\
services:
  web: {{image: a, x-payload: {{reaps: 2s, on: {{TERM: exit 3 after 1s, HUP: reload, USR1: ignore, USR2: default}},
                              {FALLS}, main_ends: 9s, {NESTED}}},
        x-exec: {{job: {{on: {{TERM: exit 2}}}}}}}}
  db: {{image: b, stop_signal: QUIT, x-payload: {{reaps: never, on_term: reload, on: {{TERM: "exit 1"}},
        children: [{{argv: c, reaps: never, on: {{HUP: ignore}}, threads: 1, main_ends: 1s}}]}}}}
"""
    scenario = load("programs.yaml", text)
    assert load("again.yaml", resolved(scenario)).setup.services == scenario.setup.services


def test_the_example_of_the_documentation_does_what_its_table_says() -> None:
    """docs/programs.md: the stop signal is QUIT, TERM ends it at once, HUP and USR1 do nothing."""
    text = (Path(__file__).parents[2] / "docs/programs.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    ways = {"QUIT": (4.0, 0), "TERM": (2.1, 0), "HUP": (9.0, None), "USR1": (9.0, None)}
    for signal, (second, status) in ways.items():
        steps = f"steps: [{{at: 2s, kill: payload/web, signal: {signal}}}]\nuntil: 9s\n"
        trace = run(load("programs.yaml", f"host: {{uptime: 1s}}\n{example}{steps}").setup, 1)
        assert ends(trace, "nginx")[0] == (second, status)
