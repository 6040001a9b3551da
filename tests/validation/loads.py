"""Many starts at once: parallel.csv, which no profile was fitted to, but for one rate."""

from __future__ import annotations

from functools import partial

from sim.calibration.fits import quantile
from tests.validation.ask import SEEDS_OF_A_LOAD, column, measured_rate, rate, starts
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


PART = Part(
    "Many starts at once, Docker 26.1.5",
    "Neither profile was fitted to these rows, but for one number: the rate of 8 at once without ports gave the "
    "core time of a start to `docker-26-2core`. Part of the file shared the cores with other work.",
    _loads(),
)
