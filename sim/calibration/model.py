"""Ask the model: how long each phase of the probe takes with a profile, which rows lie in it, and what many starts do.

Nothing here knows what the answer should be: runs are those of the timed driver. Source: `sim.drive.timed`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from sim.calibration.phases import Known, probe, stretch
from sim.designs import DESIGNS
from sim.drive.prices import Plan, Prices
from sim.drive.timed import Timed
from sim.durations import Profile
from sim.engine.setup import Systemctl
from sim.facts import StepDone, StepTaken
from sim.scenario import load
from sim.trace import Trace

MS = 1_000
NOT_OF_A_PHASE = ("kernel/deliver",)


class Took(NamedTuple):
    """One phase of one run: its length in ms, and each row that was drawn in its step with its draws, in ms."""

    total: float
    rows: dict[str, tuple[float, ...]]


class _Noted(Prices):
    """Prices that note what is drawn, and when."""

    __slots__ = ("queue", "seen")

    def __init__(self, timed: Timed, profile: Profile) -> None:
        super().__init__(profile, timed.seed, timed.world.design.procedures, timed.turn.slow)
        self.queue: Any = timed.queue
        self.seen: list[tuple[int, str, float]] = []

    def sample(self, plan: Plan, container: str) -> tuple[int, int]:
        wait, work = super().sample(plan, container)
        if plan.price is not None:
            self.seen.append((self.queue.now, f"{plan.role}/{plan.name}", (wait + work) / MS))
        return wait, work


class Model:
    """A design on so many cores, asked with one profile after the other."""

    def __init__(self, design: str, cores: int) -> None:
        self.design, self.cores = design, cores
        self._programs = DESIGNS[design].programs

    def took(self, profile: Profile, phases: Sequence[Known], seeds: int) -> dict[str, dict[int, Took]]:
        """Return for each phase what each seed gave; a seed in which its end came first gave nothing."""
        found: dict[str, dict[int, Took]] = {phase.name: {} for phase in phases}
        steps = {phase.step for phase in phases if all(it in self._programs for it in phase.programs())}
        setup = load("probe.yaml", probe(self.design, self.cores, steps)).setup
        for seed in range(1, seeds + 1):
            timed = Timed(setup, seed, profile=profile)
            timed.prices = noted = _Noted(timed, profile)
            trace = timed.run()
            rows = _rows(noted.seen, trace)
            for phase in phases:
                lasted = stretch(trace, phase)
                if lasted is not None:
                    found[phase.name][seed] = Took((lasted[1] - lasted[0]) / MS, rows.get(phase.step, {}))
        return found

    def started(self, profile: Profile, at_once: int, count: int, port: bool, seeds: int) -> list[list[float]]:
        """Return for each seed how long each of *count* starts took, in ms, *at_once* of them at a time; rate last.

        Each of *at_once* people starts one container after the other, as the measurement did; the rate is starts per
        second from the first request to the last answer.
        """
        setup = load("loads.yaml", loads(self.design, self.cores, at_once, count, port)).setup
        runs = []
        for seed in range(1, seeds + 1):
            taken: dict[str, int] = {}
            lengths, last = [], 0
            for record in Timed(setup, seed, profile=profile).run().records:
                event, at = record.event, record.at or 0
                if isinstance(event, StepTaken) and event.id.startswith("people"):
                    taken[event.id] = at
                elif isinstance(event, StepDone) and event.id in taken:
                    lengths.append((at - taken[event.id]) / MS)
                    last = at
            runs.append([*lengths, len(lengths) / ((last - min(taken.values())) / 1e6)])
        return runs


def starts_of(design: str) -> list[str]:
    """Return the units that people start on a host of a design before anything else.

    >>> starts_of("docker-1.13")
    ['docker']
    """
    steps = (step.command for step in DESIGNS[design].engine.start)
    return [command.unit for command in steps if isinstance(command, Systemctl)]


def loads(design: str, cores: int, at_once: int, count: int, port: bool) -> str:
    """Return a scenario in which *at_once* people start *count* containers between them, each one by one."""
    lines = [f"host: {{begin: 'off', cores: {cores}}}", f"engine: {{design: {design}}}", "steps:"]
    lines += [f"  - {{systemctl: start {unit}}}" for unit in starts_of(design)]
    for person in range(at_once):
        mine = range(person, count, at_once)
        runs = ", ".join(f"run -d --name c{n} {f'-p {9000 + n}:80 ' if port else ''}w" for n in mine)
        lines.append(f"  - {{id: people{person}, at: 60s, docker: [{runs}]}}")
    return "\n".join(lines) + "\n"


def _rows(seen: Sequence[tuple[int, str, float]], trace: Trace) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the draws of each step of the probe by row: those from its beginning to that of the next."""
    begins = [(it.at or 0, it.event.id) for it in trace.records if isinstance(it.event, StepTaken)]
    rows: dict[str, dict[str, tuple[float, ...]]] = {step: {} for _, step in begins}
    for at, row, length in seen:
        place = bisect_right(begins, at, key=lambda it: it[0]) - 1
        if place >= 0 and row not in NOT_OF_A_PHASE:
            mine = rows[begins[place][1]]
            mine[row] = (*mine.get(row, ()), length)
    return rows
