"""What is measured of a run within a window: one literal table of named functions.

A container counts if its process runs when the window opens (with `begin: boot`: if the disk says that it ran). Time
that has not ended with the window is `inf`, never cut to the window's length; `nan` says that there is nothing to
measure. The default window goes from the first fault to the end of the run; a fault is `kill`, `stop` or a systemctl
stop, restart or kill; if there is none, a docker stop, kill, restart or rm; if there is none of these, t = 0. Leaves
out log lines and requests (the model has neither), and ports before their first opening. Source: `sim.views.intervals`;
engine-1.13 §6 step 5 for exit code 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import msgspec

from sim.engine.setup import QUIET_VERBS, Docker, KillProcess, Microseconds, Setup, Step, Systemctl, Upgrade
from sim.facts import StepTaken
from sim.trace import Trace
from sim.views.intervals import INIT, REATTACHED, Gap, Life, PortKey, Window, engine_gaps, intervals, port_gaps

LOST = 255  # what dockerd writes if nobody told it the exit status


class Metric(NamedTuple):
    """One row of `METRICS`: *better* is lower, higher or none; *total* says that it counts out of all containers."""

    read: Callable[[Reading], float]
    unit: str
    better: str
    label: str
    total: bool = False


class Metrics(msgspec.Struct, frozen=True):
    """What one run gave: a figure for each metric, how many containers counted, and how long the window was in s."""

    seed: int
    containers: int
    window_s: float
    values: dict[str, float]


class Reading:
    """One run within its window: what the metrics read, each thing found once. Times are µs from t = 0."""

    def __init__(self, trace: Trace, window: Window | None = None) -> None:
        self.setup = trace.setup
        self.first, self.last = default_window(trace) if window is None else window
        self.run = intervals(trace)

    def running(self, moment: Microseconds) -> dict[str, Life]:
        """Return the process of each container that has one at a moment."""
        return {life.container: life for life in self.run.lives if life.start <= moment < _end(life)}

    @cached_property
    def before(self) -> dict[str, Life]:
        """Return the processes that run when the window opens, whatever happens in that µs."""
        return self.running(self.first - 1)

    @cached_property
    def after(self) -> dict[str, Life]:
        """Return the processes that run when it closes."""
        return self.running(self.last)

    @cached_property
    def expected(self) -> tuple[str, ...]:
        """Return the containers that count."""
        boot = self.run.boots and self.first == 0
        return tuple(s.name for s in self.setup.services if s.name in self.before or (boot and s.at_begin))

    @cached_property
    def gaps(self) -> dict[PortKey, tuple[Gap, ...]]:
        """Return when which port was dark, of the containers that count; one that was never open is dark throughout."""
        never = {(p.container, p.port, p.client) for p in self.run.ports if not p.opened}
        found = port_gaps(self.run, window=(self.first, self.last))
        whole = ((self.first, self.last, False),)
        return {key: whole if key in never else gaps for key, gaps in found.items() if key[0] in self.expected}

    def within(self, moment: Microseconds | None) -> bool:
        """Say whether a moment lies in the window."""
        return moment is not None and self.first <= moment <= self.last


def _end(life: Life) -> float:
    return math.inf if life.end is None else life.end


def measure(trace: Trace, window: Window | None = None) -> Metrics:
    """Return every metric of a run."""
    reading = Reading(trace, window)
    values = {name: float(metric.read(reading)) for name, metric in METRICS.items()}
    return Metrics(trace.seed, len(reading.expected), seconds(reading.last - reading.first), values)


def seconds(micros: Microseconds) -> float:
    """Return µs as seconds."""
    return micros / 1_000_000


# -- the window ------------------------------------------------------------------------------------


def fault_step(setup: Setup) -> Step | None:
    """Return the step at which the default window opens."""
    steps = [step for terminal in setup.terminals for step in terminal]
    return next((s for s in steps if _hurts_engine(s)), None) or next((s for s in steps if _stops_container(s)), None)


def _hurts_engine(step: Step) -> bool:
    command = step.command
    if isinstance(command, KillProcess):
        return command.signal != "CONT"
    return isinstance(command, Upgrade) or (isinstance(command, Systemctl) and command.verb not in QUIET_VERBS)


def _stops_container(step: Step) -> bool:
    return isinstance(step.command, Docker) and step.command.verb in ("stop", "kill", "restart", "rm")


def default_window(trace: Trace) -> Window:
    """Return the window from the first fault to the end; from t = 0 if no fault came."""
    step = fault_step(trace.setup)
    taken = (r.at for r in trace if step and type(r.event) is StepTaken and r.event.id == step.id)
    return ((next(taken, None) or trace.origin) - trace.origin, trace.end - trace.origin)


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
    """Sum up the time in s in which no dockerd serves; `inf` if none does at the end."""
    return round(sum(map(_length, engine_gaps(reading.run, (reading.first, reading.last)))), 6)


def exit_codes_lost(reading: Reading) -> float:
    """Count the times that the engine said 255 of a process that did not exit with 255."""
    told = [death for death in reading.run.deaths if reading.within(death.at) and death.code == LOST]
    lives = reading.run.lives
    true = [[x.code for x in lives if x.container == death.container and x.start <= death.at] for death in told]
    return sum(codes[-1:] != [LOST] for codes in true)


def orphan_shims(reading: Reading) -> float:
    """Count the containers whose shim is a child of PID 1 at the end."""
    return sum(lane.at(reading.last - 1).parent in (INIT, REATTACHED) for lane in reading.run.containers)


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


METRICS: dict[str, Metric] = {
    "running": Metric(running, "", "none", "containers that run at its begin"),
    "processes_kept": Metric(processes_kept, "", "higher", "containers keeping their process", True),
    "not_back": Metric(not_back, "", "lower", "containers not back in window", True),
    "remote_dark": Metric(longest_dark("remote"), "s", "lower", "remote ports, longest dark"),
    "loopback_dark": Metric(longest_dark("loopback"), "s", "lower", "loopback ports, longest dark"),
    "api_dark": Metric(api_dark, "s", "lower", "engine API dark"),
    "until_ready": Metric(until_ready, "s", "lower", "time until all are ready"),
    "exit_codes_lost": Metric(exit_codes_lost, "", "lower", "exit codes lost"),
    "restarts": Metric(restarts, "", "none", "processes started anew"),
    "proxies_ended": Metric(proxies_ended, "", "none", "proxies that die with dockerd"),
    "orphan_shims": Metric(orphan_shims, "", "none", "shims under PID 1 at the end"),
}
