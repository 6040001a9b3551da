"""What is measured of a run within a window: one literal table of named functions.

Time that has not ended with the window is `inf`, never cut to the window's length; `nan` says that there is nothing to
measure. A port is dark until its program is ready and listens, whatever processes there are. What the engine says is
wrong where dockerd answers and has a container down as running that is not, or the other way round. Leaves out single
requests and lines of logs. Source: `sim.experiment.reading`; `sim.experiment.rss` for memory; engine-1.13 §6 step 5
for exit code 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from sim.engine.setup import Instant
from sim.experiment.own import Own
from sim.experiment.reading import Reading, overlap, seconds, window_from
from sim.experiment.rss import Counts, held, held_once
from sim.trace import Trace
from sim.views.fates import Fate
from sim.views.interval_parts import ATTACHED, ORPHANED, REATTACHED, UNATTACHED, Gap, Window
from sim.views.intervals import engine_gaps

LOST = (255, -1)  # what dockerd, and podman, write if nobody told them the exit status


class Metric(NamedTuple):
    """One row of `METRICS`: *better* is lower, higher or none; *total* says that it counts out of all containers.

    A *detail* stands in JSON, CSV and figures, and in the text where it is asked for.
    """

    read: Callable[[Reading], float]
    unit: str
    better: str
    label: str
    total: bool = False
    detail: bool = False


class Metrics(msgspec.Struct, frozen=True):
    """What one run gave: a figure for each metric, how many containers counted, and how long the window was in s.

    *fates* is what became of each container since it opened."""

    seed: int
    containers: int
    window_s: float
    values: dict[str, float]
    fates: tuple[Fate, ...] = ()


def measure(
    trace: Trace, window: Window | None = None, *, start: Instant | None = None, own: Sequence[Own] = ()
) -> Metrics:
    """Return every metric of a run within *window*, or from *start* on. Raises InputError."""
    reading = Reading(trace, window_from(trace, start) if window is None else window)
    values = {name: float(metric.read(reading)) for name, metric in METRICS.items()}
    values |= {metric.name: metric.read(trace) for metric in own}
    window_s = seconds(reading.last - reading.first)
    return Metrics(trace.seed, len(reading.expected), window_s, values, reading.fates)


# -- the metrics -----------------------------------------------------------------------------------


def processes_kept(reading: Reading) -> float:
    """Count the containers whose first process is the same at both ends."""
    kept = {(life.container, life.start) for life in reading.before.values()}
    return sum((life.container, life.start) in kept for life in reading.after.values())


def running(reading: Reading) -> float:
    """Count the containers that count: sides that differ here do not compare like with like."""
    return len(reading.expected)


def not_back(reading: Reading) -> float:
    """Count the containers without a process, or with a port that is dark, at the window's end."""
    dark = {key[0] for key, gaps in reading.gaps.items() if gaps and not gaps[-1][2]}
    return sum(name in dark or name not in reading.after for name in reading.expected)


def longest_dark(client: str) -> Callable[[Reading], float]:
    """Return a metric: the longest time in s that any port was dark for *client*, `inf` if one is not back."""

    def read(reading: Reading) -> float:
        ports = [gaps for key, gaps in reading.gaps.items() if key[2] == client]
        return max((_length(gap) for gaps in ports for gap in gaps), default=0.0) if ports else math.nan

    return read


def _length(gap: Gap) -> float:
    start, end, closed = gap
    return seconds(end - start) if closed else math.inf


def api_dark(reading: Reading) -> float:
    """Sum up the time in s in which no dockerd serves; `inf` if none does at the end, `nan` if none is meant to."""
    if not reading.has_daemon:
        return math.nan
    return round(sum(map(_length, engine_gaps(reading.run, (reading.first, reading.last)))), 6)


def dark(client: str, share: float) -> Callable[[Reading], float]:
    """Return a metric: of the times in s that each port was dark for *client*, what a *share* does not exceed."""

    def read(reading: Reading) -> float:
        ports = [gaps for key, gaps in reading.gaps.items() if key[2] == client]
        return ranked([round(sum(map(_length, gaps)), 6) for gaps in ports], share)

    return read


def ranked(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least a *share* of all do not exceed (nearest rank); `nan` of none.

    >>> ranked([3.0, 1.0, 2.0], 0.5), ranked([1.0, math.inf], 0.95)
    (2.0, inf)
    """
    known = sorted(values)
    return known[max(math.ceil(round(share * len(known), 9)), 1) - 1] if known else math.nan


def lost(reading: Reading) -> float:
    """Count the containers that have no process at the window's end."""
    return sum(name not in reading.after for name in reading.expected)


def silent_wrong(reading: Reading) -> float:
    """Sum up the time in s, over containers, in which dockerd answers and is wrong about whether one runs."""
    if not reading.has_daemon:
        return math.nan
    total = 0
    for name, believed in reading.tally.believed.items():
        lives = ((life.start, reading.run.end if life.end is None else life.end) for life in reading.run.lives
                 if life.container == name)  # fmt: skip
        said, true = overlap(reading.served, believed), overlap(reading.served, reading.cut(lives))
        total += _sum(said) + _sum(true) - 2 * _sum(overlap(said, true))
    return seconds(total)


def _sum(windows: Sequence[Window]) -> int:
    return sum(high - low for low, high in windows)


def most_processes(reading: Reading) -> float:
    """Return the most processes that the host had, zombies too."""
    return max((load.processes for load in reading.loads), default=0)


def most_threads(reading: Reading) -> float:
    """Return the most threads that the host had; a process is one at least."""
    return max((load.threads for load in reading.loads), default=0)


def memory(
    place: Callable[[list[float]], float], how: Callable[[str, Counts], float] = held
) -> Callable[[Reading], float]:
    """Return a metric: the bytes that the engine's processes hold, of all moments the one that *place* chooses."""

    def read(reading: Reading) -> float:
        design = reading.setup.engine.design
        return place([how(design, load.programs) for load in reading.loads] or [0])

    return read


def log_at_risk(reading: Reading) -> float:
    """Return the most bytes that stood between the programs and their logs: what dies with shims and dockerd."""
    return math.nan if reading.tally.standing is None else max(reading.of_window(reading.tally.standing))


def log_lost(reading: Reading) -> float:
    """Return how many bytes were lost."""
    if reading.tally.lost is None:
        return math.nan
    counts = reading.of_window(reading.tally.lost)
    return counts[-1] - counts[0]


def blocked_after(reading: Reading) -> float:
    """Return after how many s a program first has to wait for its log, `inf` if none does."""
    if reading.tally.standing is None:
        return math.nan
    waits = [seconds(at - reading.first) for at in reading.waits if reading.within(at)]
    return min(waits, default=math.inf)


def says_wrong(reading: Reading) -> float:
    """Count the containers about which dockerd is wrong at the window's end, `nan` if none answers then."""
    moment = reading.last - 1
    if not any(low <= moment < high for low, high in reading.served):
        return math.nan
    lives = reading.running(moment)
    believed = reading.tally.believed.items()
    said = {name: any(low <= moment < high for low, high in spans) for name, spans in believed}
    return sum(up != (name in lives) for name, up in said.items())


def forks(reading: Reading) -> float:
    """Count the processes that were forked."""
    return sum(map(reading.within, reading.tally.forks))


def start_latency(share: float) -> Callable[[Reading], float]:
    """Return a metric: of all starts that were done, the time in s that a *share* does not exceed."""

    def read(reading: Reading) -> float:
        done = [start for start in reading.run.starts if reading.within(start.done)]
        return ranked([seconds(start.done - start.begun) for start in done], share)

    return read


def exit_codes_lost(reading: Reading) -> float:
    """Count the times that the engine said 255, or podman -1, of a process that did not exit with that."""
    told = [death for death in reading.run.deaths if reading.within(death.at) and death.code in LOST]
    lives = reading.run.lives
    true = [[x.code for x in lives if x.container == death.container and x.start <= death.at] for death in told]
    return sum(codes[-1:] != [death.code] for codes, death in zip(true, told, strict=True))


def orphan_shims(reading: Reading) -> float:
    """Count the containers whose shim is an orphan, PID 1's, at the end; `nan` where PID 1 is the shims' place."""
    parents = [lane.at(reading.last - 1).held for lane in reading.run.containers]
    return math.nan if {ATTACHED, UNATTACHED} & set(parents) else sum(it in (ORPHANED, REATTACHED) for it in parents)


def restarts(reading: Reading) -> float:
    """Count the processes that were started for containers that counted, beyond the first one after a boot."""
    begun = [x.container for x in reading.run.lives if reading.within(x.start) and x.container in reading.expected]
    return len(begun) - len(set(begun) - set(reading.before))


def until_ready(reading: Reading) -> float:
    """Return after how many s every container that counts is ready for good; `inf` if one is not at the end."""
    moments = [reading.after[name].ready if name in reading.after else None for name in reading.expected]
    if not moments:
        return math.nan
    return max(math.inf if at is None or at > reading.last else seconds(max(at - reading.first, 0)) for at in moments)


def proxies_ended(reading: Reading) -> float:
    """Count the proxies that ended because their dockerd did."""
    return sum(map(reading.within, reading.run.proxies_left))


LABELS = {"remote": "remote ports", "loopback": "loopback ports", "container": "ports from containers",
          "host": "ports by the host's address"}  # fmt: skip


def _dark_rows(client: str, *, detail: bool) -> dict[str, Metric]:
    label, unit = LABELS[client], "s"
    return {
        f"{client}_dark": Metric(longest_dark(client), unit, "lower", f"{label}, longest dark", detail=detail),
        f"{client}_dark_median": Metric(dark(client, 0.5), unit, "lower", f"{label}, median dark", detail=True),
        f"{client}_dark_p95": Metric(dark(client, 0.95), unit, "lower", f"{label}, p95 dark", detail=True),
    }


METRICS: dict[str, Metric] = {
    "running": Metric(running, "", "none", "containers that run at its begin"),
    "processes_kept": Metric(processes_kept, "", "higher", "containers keeping their process", True),
    "lost": Metric(lost, "", "lower", "containers lost", True),
    "not_back": Metric(not_back, "", "lower", "containers not back in window", True),
    **_dark_rows("remote", detail=False),
    **_dark_rows("loopback", detail=False),
    **_dark_rows("container", detail=True),
    **_dark_rows("host", detail=True),
    "api_dark": Metric(api_dark, "s", "lower", "engine API dark"),
    "silent_wrong": Metric(silent_wrong, "s", "lower", "engine says what is not so"),
    "says_wrong": Metric(says_wrong, "", "lower", "containers that it is wrong about, then"),
    "until_ready": Metric(until_ready, "s", "lower", "time until all are ready"),
    "start_p50": Metric(start_latency(0.5), "s", "lower", "start of a container, median"),
    "start_p99": Metric(start_latency(0.99), "s", "lower", "start of a container, p99", detail=True),
    "exit_codes_lost": Metric(exit_codes_lost, "", "lower", "exit codes lost"),
    "log_at_risk": Metric(log_at_risk, "B", "lower", "bytes on their way to logs, most"),
    "blocked_after": Metric(blocked_after, "s", "higher", "time until a program waits for its log"),
    "log_lost": Metric(log_lost, "B", "lower", "bytes lost for logs"),
    "restarts": Metric(restarts, "", "none", "processes started anew"),
    "forks": Metric(forks, "", "none", "processes that were forked", detail=True),
    "processes": Metric(most_processes, "", "none", "processes on the host, most", detail=True),
    "threads": Metric(most_threads, "", "none", "threads on the host, most", detail=True),
    "memory": Metric(memory(max), "B", "lower", "memory of the engine, most"),
    "memory_end": Metric(memory(lambda found: found[-1]), "B", "lower", "memory of the engine, then", detail=True),
    "memory_once": Metric(
        memory(lambda found: found[-1], held_once), "B", "lower", "the same, shared pages once", detail=True
    ),
    "proxies_ended": Metric(proxies_ended, "", "none", "proxies that die with dockerd"),
    "orphan_shims": Metric(orphan_shims, "", "none", "shims under PID 1 at the end"),
}
