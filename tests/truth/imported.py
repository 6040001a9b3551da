"""The acts on recorded hosts once more, with the host as `shimulator init` read it from what the host printed.

`hosts/H1.yaml` is what init wrote for the outputs of H1 (its header names them), with the first tree as it was. An act
is that of the experiment `host-H1-ACT`: its steps, and its rows with their moments moved, since t = 0 is here when the
host was recorded and there the begin of its life. The distance to the start of the last container is that of the act.
Leaves out what the host's programs do that no output shows. Source: docs/truth.md, docs/hosts.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.truth.rows import Experiment

HOSTS = Path(__file__).parent / "hosts"
NAME = re.compile(r"host-(?P<host>H\d)-(?P<act>.+)")
ENGINE = "Docker 26.1.5, imported hosts"
MOMENT = re.compile(r"(?<![\w+#])(\d+)ms")
T0 = 40_000  # ms of the model at which an experiment has its first kill
BEGIN = 37_000  # from then on its steps are those of the act; before, the host comes up
SOONEST = 1_000  # ms after t = 0


def imported(of: Iterator[Experiment]) -> Iterator[Experiment]:
    """Yield the acts among experiments that were done on hosts which were recorded whole."""
    for experiment in of:
        match = NAME.fullmatch(experiment.name)
        if match and (HOSTS / f"{match['host']}.yaml").is_file():
            yield _imported(experiment, match["host"])


def _imported(experiment: Experiment, host: str) -> Experiment:
    found = yaml.safe_load((HOSTS / f"{host}.yaml").read_text(encoding="utf-8"))
    given = yaml.safe_load(experiment.scenario)
    act = [step for step in given["steps"] if (at := _ms(step.get("at"))) is None or at >= BEGIN]
    back = _distance(found, given, act)
    name = f"imported-{host}-{experiment.name.partition(f'{host}-')[2]}"
    found |= {
        "title": f"{host} as it was recorded: {given['title']}",
        "steps": [step for step in found["steps"] if step.get("id") != "shot"]
        + [step | {"at": _moved(step["at"], back)} if "at" in step else step for step in act],
        "until": _moved(given["until"], back),
    }
    rows = [
        row._replace(moment=_moved(row.moment, back), engine=ENGINE, experiment=name)
        for row in experiment.rows
        if row.mark == "predicted"
    ]
    return Experiment(name, yaml.safe_dump(found, sort_keys=False, allow_unicode=True), tuple(rows))


def _distance(found: dict[str, Any], given: dict[str, Any], act: list[dict[str, Any]]) -> int:
    """Return by how many ms moments come sooner, so that the last container is as old at the act as it was there."""
    last = max(_ms(step["at"]) or 0 for step in given["steps"] if "compose" in step)
    uptime = round(float(found["host"]["uptime"].removesuffix("s")) * 1000)
    first = min(at for step in act if (at := _ms(step.get("at"))) is not None)
    return min(T0 - max(SOONEST, T0 - last - uptime), first - SOONEST // 5)


def _ms(at: object) -> int | None:
    match = MOMENT.fullmatch(str(at))
    return int(match[1]) if match else None


def _moved(moment: str, back: int) -> str:
    return MOMENT.sub(lambda it: f"{max(0, int(it[1]) - back)}ms", str(moment))
