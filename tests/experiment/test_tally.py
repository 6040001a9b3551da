"""Counts over time, checked against the worlds of a replay, and memory against its table."""

import csv
import math
from pathlib import Path

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.experiment.metrics import measure, ranked
from sim.experiment.reading import Reading, default_window
from sim.experiment.rss import held, held_once, rss_of
from sim.kernel.events import Forked
from sim.predicates import believed, buffered, lost, serving
from sim.scenario import load
from sim.trace import Replay, Trace
from tests.experiment.hosts import LIVE_RESTORE, LOST, WEB

ROOT = Path(__file__).parents[2]
PRINTS = WEB.replace("ready: 200ms", "ready: 200ms, log: 10KB/s")
LATE = ["engine.unit.RestartSec=20s", LIVE_RESTORE]
STOPPED = """
title: A payload dies while dockerd stands still, and again while it looks away
services: {web: {image: nginx, restart: "no"}}
steps:
  - {id: still, at: 60s, stop: containerd}
  - {id: shot, at: still+1s, kill: payload/web}
  - {id: on, at: shot+7s, cont: containerd}
until: on+30s
"""


def traced(text: str, *settings: str, seed: int = 3) -> Trace:
    return run(load("x.yaml", text, settings).setup, seed)


def worlds(trace: Trace):
    """Yield each moment of the window with the time up to the next one, and the world that held in between."""
    first, last = (moment + trace.origin for moment in default_window(trace))
    replay = Replay(trace)
    for at, record in enumerate(trace.records):
        now = record.at or 0
        later = trace.records[at + 1].at if at + 1 < len(trace.records) else trace.end
        replay.step()
        low, high = max(now, first), min(later or 0, last)
        if low < high:
            yield low, high, replay.world


@pytest.mark.parametrize("settings", [[], [LIVE_RESTORE]])
def test_processes_and_threads_are_those_of_the_worlds(settings):
    """The most of the window, zombies too."""
    trace = traced(WEB, *settings)
    values = measure(trace).values
    counts = [(len(w.host.procs), sum(1 + len(p.threads) for p in w.host.procs.values())) for *_, w in worlds(trace)]
    assert values["processes"] == max(processes for processes, _ in counts)
    assert values["threads"] == max(threads for _, threads in counts)


@pytest.mark.parametrize("settings", [[], [LIVE_RESTORE]])
def test_memory_is_the_tables_times_the_processes(settings):
    """Only what has exec'd and lives counts."""
    trace = traced(WEB, *settings)
    rows = rss_of("docker-1.13")
    sizes = []
    for *_, world in worlds(trace):
        living = [p for p in world.host.procs.values() if p.alive]
        own = [p for p in living if p.image is not getattr(world.host.procs.get(p.ppid), "image", None)]
        sizes.append(sum(rows[p.image.program].size for p in own if p.image.program in rows))
    assert measure(trace).values["memory_end"] == sizes[-1]


def test_every_program_of_a_design_that_lasts_has_a_size():
    """Daemons, shims and proxies of each design; each row says its source."""
    for name, design in DESIGNS.items():
        sizes = rss_of(name)
        assert all(row.source and row.size > 0 for row in sizes.values())
        lasting = {"dockerd", "containerd", "shim", "proxy", "conmon"} & set(design.programs)
        assert lasting <= set(sizes)
    assert held("docker-1.13", [("shim", 2), ("runc", 9)]) == 7_200_000


def of_csv(column: str, **where: str) -> int:
    """Return the sum of a column of what was measured of the engine's own processes, in bytes."""
    with (ROOT / "docs/measurements/memory_threads.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if all(row[key] == value for key, value in where.items())]
    return 1024 * sum(int(row[column]) for row in rows if row["kind"] != "plain")


@pytest.mark.parametrize("published", [0, 1])
def test_memory_grows_as_measured(published):
    """Ten containers of docker-26, with two proxies each or none: RSS, and PSS, which counts shared pages once."""
    counts = [("dockerd", 1), ("containerd", 1), ("shim", 10), ("payload", 10), ("proxy", 20 * published)]
    rows = {"containers": "10", "published": str(published)}
    assert held("docker-26", counts) == pytest.approx(of_csv("rss_kb", **rows), rel=0.01)
    assert held_once("docker-26", counts) == pytest.approx(of_csv("pss_kb", **rows), rel=0.03)
    none = {"containers": "0", "published": "0"}
    assert held("docker-26", counts[:2]) == of_csv("rss_kb", **none)
    assert held("docker-26", [("dockerd", 1), ("payload", 50)]) == 108_000 * 1024


def test_shared_pages_count_once_where_they_were_measured():
    """Of one process nothing is counted twice; of several of a program that nobody has measured nothing is said."""
    two = "engine: {design: %s}\nservices: {web: {image: a}, db: {image: b}}\nuntil: 1s\n"
    values = measure(traced(two % "docker-26")).values
    assert values["memory_once"] == values["memory_end"] - rss_of("docker-26")["shim"].shared
    assert math.isnan(measure(traced(two % "docker-1.13")).values["memory_once"])


@pytest.mark.parametrize(("text", "settings"), [(STOPPED, []), (LOST, []), (WEB, []), (WEB, [LIVE_RESTORE])])
def test_silent_wrong_time_is_that_of_the_worlds(text, settings):
    """Each moment in which dockerd serves and has a container's state wrong counts, and no other."""
    trace = traced(text, *settings, seed=1)  # with others two containerds die before LOST is told
    total = 0
    for low, high, world in worlds(trace):
        record = believed(world, "web")
        said = record is not None and record.running and not record.restarting
        lives = any(p.image.program == "payload" and p.alive for p in world.host.procs.values())
        total += (high - low) * (serving(world) is not None and said != lives)
    assert measure(trace).values["silent_wrong"] == pytest.approx(total / 1_000_000, abs=0.02)
    if text is not LOST:  # in some of its runs nobody is told (T34)
        assert (total > 5_000_000) == (text == STOPPED)


def test_bytes_at_risk_are_the_most_that_stood_anywhere():
    """While dockerd is away the path fills; what is lost with it is counted once."""
    trace = traced(PRINTS, *LATE)
    values = measure(trace).values
    stood = [buffered(world, "web") for *_, world in worlds(trace)]
    assert values["log_at_risk"] == max(stood) > 100_000
    first, last = (world for world in (trace.at(trace.origin + moment) for moment in default_window(trace)))
    assert values["log_lost"] == lost(last, "web") - lost(first, "web")


def test_what_prints_nothing_has_no_bytes():
    """Then there is nothing to measure."""
    values = measure(traced(WEB)).values
    assert math.isnan(values["log_at_risk"])
    assert math.isnan(values["log_lost"])


def test_a_start_lasts_from_dockerds_word_to_the_programs_own():
    """One start after the kill; with live-restore there is none."""
    trace = traced(WEB)
    values = measure(trace).values
    (start,) = [it for it in Reading(trace, default_window(trace)).run.starts if it.done > 0]
    assert values["start_p50"] == values["start_p99"] == (start.done - start.begun) / 1_000_000
    assert 0.1 < values["start_p50"] < 2
    assert math.isnan(measure(traced(WEB, LIVE_RESTORE)).values["start_p50"])


def test_a_rank_is_a_value_that_is_there():
    """Nearest rank, infinity above all."""
    assert ranked([5.0, 1.0, math.inf, 2.0], 0.5) == 2.0
    assert ranked([5.0, 1.0, math.inf, 2.0], 0.95) == math.inf
    assert math.isnan(ranked([], 0.5))


def test_dark_time_of_each_class_is_of_all_ports():
    """Median and p95 are of the ports' sums, and no more than can be."""
    values = measure(traced(WEB)).values
    for client in ("remote", "loopback", "container", "host"):
        assert 0 < values[f"{client}_dark_median"] <= values[f"{client}_dark_p95"] < 30
        assert values[f"{client}_dark"] <= values[f"{client}_dark_p95"]


def test_a_wait_for_the_log_is_timed_from_the_window_on():
    """160 KiB at 10 KB/s while dockerd is away; never, if it is soon back; nothing to ask where nobody prints."""
    late = measure(traced(PRINTS, *LATE)).values
    assert late["blocked_after"] == pytest.approx(16.4, abs=0.5)
    assert measure(traced(PRINTS, LIVE_RESTORE)).values["blocked_after"] == math.inf
    assert math.isnan(measure(traced(WEB)).values["blocked_after"])


def test_containers_that_the_engine_is_wrong_about_are_counted_at_the_end():
    """A lost exit: docker says Up to the end; one that is told in time counts for its seconds alone.

    A starting containerd ends the shims of what has died since 1.7; a shim of before tells one that is soon back.
    """
    ghost = """
engine: {design: %s}
services: {web: {image: nginx, x-payload: {on_term: none}}}
steps:
  - {id: away, at: 60s, systemctl: stop containerd}
  - {id: shot, at: away+1s, kill: payload/web}
  - {id: back, at: away+%ds, systemctl: start containerd}
until: away+2m
"""
    cases = (("docker-26-separate", 5), ("docker-23-separate", 40), ("docker-23-separate", 5))
    lost_exit, too_late, told = (measure(traced(ghost % case)).values for case in cases)
    assert too_late["says_wrong"] == 1
    assert (lost_exit["says_wrong"], told["says_wrong"]) == (1, 0)
    assert told["silent_wrong"] > 0
    assert math.isnan(measure(traced(WEB, "engine.unit.Restart=no")).values["says_wrong"])


def test_forks_are_those_of_the_window():
    """Each Forked once."""
    trace = traced(WEB)
    first, last = (moment + trace.origin for moment in default_window(trace))
    forked = [r for r in trace if isinstance(r.event, Forked) and first <= (r.at or 0) <= last]
    assert measure(trace).values["forks"] == len(forked) > 10
