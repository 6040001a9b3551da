"""The main figures as golden images: what each shows is kept as data beside it, so that the model may change.

`python -m tests.render.figures` makes data and images anew; look at each image before it is kept. Images are small,
since they are compared by the mean of blocks of dots: letters may be drawn a little otherwise by another version of
FreeType, a bar may not stand elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sim.experiment.run import Run, run, run_scenario
from sim.render import timeline, tree_figure
from sim.render.picture import write
from sim.scenario import load
from sim.views.forest import Forest, compared, forest
from sim.views.timeline import timeline_data
from sim.views.timeline_parts import TimelineData

FOLDER = Path(__file__).parent / "data" / "figures"
DPI = 60
BLOCK, APART, FEW = 6, 40.0, 0.001  # dots; levels of 255; part of the blocks that may be so far apart

NAMES = ("api", "web", "db", "cache", "queue", "auth", "mail", "cron", "search", "log")
READY = ("0.3s", "1.2s", "3s", "0.5s", "0.1s", "2.2s", "0.8s", "0.2s", "6s", "0.4s")
SIXTY = (
    "title: Sixty services; docker is restarted\nservices:\n"
    + "".join(
        f"  {NAMES[n % 10]}-{n // 10 + 1}: {{image: x, restart: always, ports: ['{8000 + n}:80'], "
        f"x-payload: {{ready: {READY[n % 10]}{', on_term: ignore' if n % 17 == 8 else ''}}}}}\n"
        for n in range(60)
    )
    + "steps: [{id: restart, at: 60s, systemctl: restart docker}]\nuntil: restart+60s\n"
)
STATES = """\
title: Paused, stopped, unhealthy, waiting
services:
  web: {image: x, restart: always, ports: ['80:80'], healthcheck: {test: [CMD, x], interval: 2s, retries: 2}}
  loop: {image: x, restart: always, x-payload: {ready: 0.1s}}
  db: {image: x, ports: ['5432:5432'], x-payload: {ready: 1s}}
  log: {image: x, logging: {driver: journald}, x-payload: {log: 500KB/s}}
steps:
  - {id: pause, at: 60s, docker: pause db}
  - {id: shot, at: 62s, kill: payload/loop}
  - {id: shot2, at: 63s, kill: payload/loop}
  - {id: shot3, at: 64s, kill: payload/loop}
  - {id: freeze, at: 63s, stop: payload/web}
  - {id: jam, at: 61s, stop: journald}
  - {id: shot4, at: 65500ms, kill: payload/loop}
  - {id: resume, at: 72s, docker: unpause db}
  - {id: thaw, at: 75s, cont: payload/web}
until: 90s
"""


def of_text(text: str, seed: int = 1) -> Run:
    """Run a scenario that is given as text."""
    return run_scenario(load("x.yaml", text), seed)


def pair(by: str = "container") -> list[TimelineData]:
    """Return the document's host with and without live-restore."""
    return [run(name).timeline(by=by) for name in ("document", "document-live-restore")]


def the_kill() -> list[TimelineData]:
    """Return the milliseconds after dockerd was killed, every process a lane."""
    found = run("document")
    begin = found.moment("kill") - found.trace.origin
    return [timeline_data(found.trace, title="dockerd is killed", window=(begin, begin + 5000), by="process")]


def trees() -> list[Forest]:
    """Return the document's tree before and after the kill."""
    found = run("document")
    return list(compared(*(forest(found.tree(at), at) for at in ("kill-1s", "kill+500ms"))))


TIMELINES: dict[str, Callable[[], list[TimelineData]]] = {
    "pair": pair,
    "seeds": lambda: [of_text(SIXTY, seed).timeline(by="role") for seed in (1, 2)],
    "sixty": lambda: [of_text(SIXTY).timeline()],
    "states": lambda: [of_text(STATES).timeline()],
    "processes": lambda: [run("document").timeline(by="process")],
    "kill": the_kill,
}
TREES: dict[str, Callable[[], list[Forest]]] = {"trees": trees}


def data_of(name: str) -> list[Any]:
    """Return what a figure shows, as it is kept."""
    kind: Any = list[Forest] if name in TREES else list[TimelineData]
    return list(msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=kind))


def paint(name: str, shown: Sequence[Any], path: Path) -> None:
    """Draw a figure as small as a golden one."""
    drawing: Callable[[], Any] = (
        (lambda: tree_figure.draw(shown, "about what was run")) if name in TREES else (lambda: timeline.draw(shown))
    )
    write(path, drawing, "png", dpi=DPI)


def blocks(path: Path) -> Any:
    """Return the mean of each block of dots of a picture, by colour."""
    from matplotlib.image import imread

    dots = np.asarray(imread(path), dtype=float)[..., :3] * 255
    high, wide = (length // BLOCK for length in dots.shape[:2])
    return dots[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK, 3).mean(axis=(1, 3))


def unlike(one: Path, other: Path) -> float:
    """Return in which part of their blocks two pictures are far apart; 1 if they are not of one size."""
    mine, theirs = blocks(one), blocks(other)
    if mine.shape != theirs.shape:
        return 1.0
    return float((np.abs(mine - theirs).max(axis=2) > APART).mean())


def main(names: Sequence[str]) -> None:
    """Make the data and the images of some figures anew, or of all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in {**TIMELINES, **TREES}.items():
        if name in names or not names:
            (FOLDER / f"{name}.json").write_bytes(msgspec.json.encode(make()))
            paint(name, data_of(name), FOLDER / f"{name}.png")
            sys.stdout.write(f"{FOLDER / name}.png\n")


if __name__ == "__main__":
    main(sys.argv[1:])
