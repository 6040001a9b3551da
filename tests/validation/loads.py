"""Many starts at once: parallel.csv, of which one rate went into a profile, and what was measured beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from sim.calibration.fits import quantile
from sim.calibration.model import loads
from sim.drive.timed import Timed
from sim.facts import StepTaken
from sim.kernel.events import Execed
from sim.scenario import load
from tests.validation.ask import SEEDS_OF_A_LOAD, column, measured_rate, rate, rows_of, starts
from tests.validation.ask import profile as profile_of
from tests.validation.row import Part, Row

BUNDLED, FITTED = "docker-26-shares", "docker-26-2core"
LOAD_WHY = {
    ("port", 1): "the file's own machine was busy: the same start took 183 ms in sequential_port.csv",
    ("noport", 1): "a busier machine than in sequential_noport.csv, where it took 160 ms",
}


def _loads() -> tuple[Row, ...]:
    rows = []
    for mode, port, count in (("noport", False, 48), ("port", True, 32)):
        for at_once in (1, 2, 8):
            where = {"mode": mode, "parallelism": str(at_once)}
            values = sorted(it * 1e3 for it in column("parallel.csv", "api_start_s", **where))
            asked = f"{at_once} people, {count} starts one after the other, 2 cores"
            for profile in (BUNDLED, FITTED):
                used = profile == FITTED and (mode, at_once) == ("noport", 8)
                why = "its rate gave the profile's core time" if used else LOAD_WHY.get((mode, at_once), "")
                if profile == BUNDLED and at_once > 1:
                    why = "its ops keep one core busy each, and a start more"
                ask = partial(starts, profile, at_once, count, port=port)
                with_, source = f"{profile}, {SEEDS_OF_A_LOAD} seeds", f"M parallel.csv, n = {len(values)}"
                what = f"start, {mode}, {at_once} at once"
                for share, word in ((0.5, "median"), (0.95, "p95")):
                    rows.append(
                        Row(
                            f"{what}, {word}",
                            quantile(values, share),
                            "ms",
                            source,
                            asked,
                            with_,
                            ask(share=share),
                            why,
                        )
                    )
                rows.append(
                    Row(
                        f"{what}",
                        measured_rate(mode, at_once),
                        "per s",
                        source,
                        asked,
                        with_,
                        rate(profile, at_once, count, port=port),
                        why,
                    )
                )
    return tuple(rows)


class Began(NamedTuple):
    """One of many starts at once: until `shim start` and from runc to its first stage, in ms; payload less shim."""

    before_shim: float
    first_stage: float
    pid_gap: float


@cache
def _began(at_once: int, count: int, port: bool, seed: int) -> tuple[Began, ...]:
    setup = load("loads.yaml", loads("docker-26", 2, at_once, count, port)).setup
    taken: dict[str, int] = {}
    first: dict[tuple[str, str], tuple[int, int]] = {}  # container and program -> its execve, its number
    for record in Timed(setup, seed, profile=profile_of(FITTED)).run().records:
        event, at = record.event, record.at or 0
        if isinstance(event, StepTaken) and event.id.startswith("people"):
            taken[event.id] = at
        elif isinstance(event, Execed):
            is_stage = event.image.program == "runc" and event.image.argv[-1:] == ("init",)
            program = "stage" if is_stage else event.image.program
            first.setdefault((event.image.container, program), (at, event.pid))
    requests = {n: iter(sorted(at for step, at in taken.items() if _person(step) == n)) for n in range(at_once)}
    found = []
    for number in range(count):
        asked, own = next(requests[number % at_once]), partial(lambda c, of: first[c, of], f"c{number}")
        (begun, _), (_, shim), (runc, _), (stage, _) = map(own, ("shim-command", "shim", "runc", "stage"))
        found.append(Began((begun - asked) / 1e3, (stage - runc) / 1e3, own("payload")[1] - shim))
    return tuple(found)


def _person(step: str) -> int:
    return int(step.removeprefix("people").partition(".")[0])


def _of_all(of: Callable[[Began], float], share: float, at_once: int, count: int, *, port: bool) -> float:
    seeds = range(1, SEEDS_OF_A_LOAD + 1)
    return quantile(sorted(of(it) for seed in seeds for it in _began(at_once, count, port, seed)), share)


def _within() -> tuple[Row, ...]:
    """Return what was measured within starts at once: who waits where, and how far numbers lie apart."""
    with_, beside = f"{FITTED}, {SEEDS_OF_A_LOAD} seeds", "M measured beside docs/measurements"
    asked = "16 people, 32 starts one after the other, 2 cores"
    fair = "whoever comes first leaves first here; what else makes a real one unfair is not known"
    rows = [
        Row(f"docker start to the fork of `shim start`, 16 at once, {word}", value, "ms", beside, asked, with_,
            partial(_of_all, lambda it: it.before_shim, share, 16, 32, port=False), fair)
        for share, word, value in ((0.05, "p05", 120.0), (0.5, "median", 970.0), (0.95, "p95", 1920.0))
    ]  # fmt: skip
    ask = starts(FITTED, 16, 32, share=0.95, port=True)
    rows.append(Row("start, port, 16 at once, p95", 3600.0, "ms", beside, asked, with_, ask, fair))
    for mode, port, count in (("noport", False, 48), ("port", True, 32)):
        where = {"mode": mode, "parallelism": "8"}
        mine = [row for row in rows_of("parallel.csv") if row["mode"] == mode and row["parallelism"] == "8"]
        begun = [float(row["d_runc_init_exec"]) - float(row["d_runc_create_exec"]) for row in mine
                 if row["d_runc_init_exec"]]  # fmt: skip
        gaps = column("parallel.csv", "docker_shim_payload_pid_gap", **where)
        asked, source = f"8 people, {count} starts one after the other, 2 cores", f"M parallel.csv, n = {len(gaps)}"
        rows += [
            Row(f"execve of runc create to that of its first stage, {mode}, 8 at once, median",
                quantile(sorted(it * 1e3 for it in begun), 0.5), "ms", source, asked, with_,
                partial(_of_all, lambda it: it.first_stage, 0.5, 8, count, port=port), "cores are shared evenly here"),
            Row(f"number of the program less that of its shim, {mode}, 8 at once, median",
                quantile(sorted(gaps), 0.5), "", source, asked, with_,
                partial(_of_all, lambda it: it.pid_gap, 0.5, 8, count, port=port), "cores are shared evenly here"),
        ]  # fmt: skip
    return tuple(rows)


PART = Part(
    "Many starts at once, Docker 26.1.5",
    "Neither profile was fitted to these rows, but for one number: the rate of 8 at once without ports gave the "
    "core time of a start to `docker-26-2core`. Part of the file shared the cores with other work.",
    (*_loads(), *_within()),
)
