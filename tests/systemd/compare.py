"""The model beside the recorded stories: where it goes another way, and which of those ways are stated.

Compared are the states of each unit in order and when, in which order two units change, whether systemctl says yes or
no and in which words, what is left in the control groups, and the last result. Sub states that the model does not tell
apart are one (FOLDED); those of BRIEF are passed over. Where versions differ the model goes by v219, which STATED says.
Source: src/core/service.c of v219 (el7) and v255; systemd#33891.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sim.designs import DESIGNS
from tests.systemd.toy import Went, design_of, tell

GOLDEN = Path(__file__).with_name("golden.yaml")
NEAR = 0.4  # seconds by which a time of a busy host may be off
FOLDED = {
    "dead": "inactive",
    "start": "activating",
    "running": "active",
    "stop": "deactivating",
    "stop-sigterm": "deactivating",
    "stop-sigkill": "deactivating",
    "stop-post": "deactivating",
    "final-sigterm": "deactivating",
    "final-sigkill": "deactivating",
    "auto-restart": "auto-restart",
    "auto-restart-queued": "auto-restart",
    "failed": "failed",
    "reload": "reloading",
}
BRIEF = ("dead-before-auto-restart", "failed-before-auto-restart")  # v219 says dead or failed
RESULTS = {"start-limit-hit": "start-limit"}  # as v219 says it
WORDS = {  # the first words of what systemctl says -> of what the model says, where they are not the same
    "a.service is not active, cannot reload.": "Job for a.service invalid.",  # as v219 says it
    "Failed to reload a.service: ": "Job type reload is not applicable for unit a.service.",  # without that beginning
    "Job for a.service failed": "Job for a.service failed.",  # and why, which v219 does not say
    "A dependency job for b.service failed": "A dependency job for b.service failed.",
}


class Stated(NamedTuple):
    """A difference that is known: the stories where it shows, what it is, and why it is there."""

    stories: tuple[str, ...]
    what: str
    why: str


TIES = ("wants", "requires", "bindsto")
STATED: tuple[Stated, ...] = (
    Stated(
        ("killed-then-start", *(f"{tie}-start-in-pause" for tie in TIES)),
        "a start during the pause of RestartSec= starts the unit at once; the model waits for the pause to end",
        "before v257 a start waits for the end of the pause (service_start; systemd#33891)",
    ),
    Stated(
        ("notify-term",),
        "a Type=notify unit whose main process ends cleanly before READY=1 has failed; the model says inactive",
        "v219 takes it for an end like any other (service_sigchld_event), later ones for a breach of protocol",
    ),
    Stated(
        (*(f"stop-{mode}-deaf" for mode in ("control-group", "mixed", "process")), "stop-control-group-deaf-both",
         "stop-process-deaf-both", "stop-late", "stop-then-stop",
         "restart-then-stop", "commands-stop-deaf"),
        "Result of a stop that took too long is timeout; the model's, signal",
        "v219 lets the end of the process by KILL take the place of the first reason, as seen on el7",
    ),
    Stated(
        ("limit-by-restart", *(f"{tie}-crash-limit" for tie in TIES)),
        "Result of a unit whose restart is refused is that of its last end; the model's, start-limit",
        "v219 lets the limit take the place of the first reason (service_enter_dead)",
    ),
    Stated(
        ("limit-by-hand-disabled",),
        "a unit that is not enabled starts in spite of its limit: it was forgotten while it was inactive",
        "units are taken to be enabled: something refers to them",
    ),
    Stated(("reload",), "the unit is reloading while ExecReload= runs", "the kill of ExecReload= is not modelled"),
    Stated(
        ("commands-exits-0",),
        "ExecStop= is also run where the main process ends by itself, and cleanly",
        "left out: `sim/engines/host/systemd/stop.py` says so",
    ),
    Stated(
        ("notify-reload", "notify-reload-ready"),
        "a reload waits for the start that is under way; the model says invalid to both",
        "v219 makes one job of them, which is the reload of a unit that is not active (job_type_collapse)",
    ),
)  # fmt: skip


@cache
def golden() -> dict[str, Any]:
    """Return the golden file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(GOLDEN.read_text(encoding="utf-8"), loader)
    return found


def stated(name: str) -> Stated | None:
    """Return the difference that a story is known to show."""
    return next((it for it in STATED if name in it.stories), None)


@cache
def differences(name: str, *, own: bool = True) -> tuple[str, ...]:
    """Return in words where the model goes another way than the real systemd in a story.

    Its first unit is the engine's *own*, or none is: the model's systemd keeps that one in another place.
    """
    row = next(it for it in golden()["stories"] if it["name"] == name)
    DESIGNS[name] = design_of(name, row["units"], own=own)
    try:
        went = tell(row)
    finally:
        del DESIGNS[name]
    return (*_states(row, went), *_order(row, went), *_answers(row, went), *_ends(row, went))


def folded(states: list[list[Any]]) -> list[tuple[float, str]]:
    """Return recorded states as the model has them.

    >>> folded([[1.0, "failed", "failed-before-auto-restart"], [1.0, "activating", "auto-restart"]])
    [(1.0, 'auto-restart')]
    """
    found = [(at, FOLDED[sub]) for at, _, sub, *_ in states if sub not in BRIEF]
    return [next(same) for _, same in groupby(found, key=lambda it: it[1])]


def _states(row: dict[str, Any], went: Went) -> list[str]:
    found = []
    for unit, states in row["seen"].items():
        mine = [(it.at, it.state) for it in went.changes if it.unit == unit]
        real, model = folded(states), [next(same) for _, same in groupby(mine, key=lambda it: it[1])]
        words = f"{unit} goes {_way(model)}, not {_way(real)}"
        if [state for _, state in real] != [state for _, state in model]:
            found.append(words)
        elif any(abs(one - other) > NEAR for (one, _), (other, _) in zip(real, model, strict=True)):
            found.append(f"{words}: at another time")
    return found


def _way(states: list[tuple[float, str]]) -> str:
    return " ".join(f"{state} ({at:.1f})" for at, state in states) or "nowhere"


def _order(row: dict[str, Any], went: Went) -> list[str]:
    if not any("After" in keys for keys in row["units"].values()):
        return []  # nothing says which is first
    real = _merged([(unit, FOLDED[sub]) for unit, sub in row["order"] if sub not in BRIEF])
    model = _merged([(it.unit, it.state) for it in went.changes])
    return [f"the order is {model}, not {real}"] if real and real != model else []


def _merged(changes: list[tuple[str, str]]) -> list[str]:
    """Return the changes of all units in one order, without those of a unit to the state that it has."""
    last: dict[str, str] = {}
    found = []
    for unit, state in changes:
        if last.get(unit) != state:
            found.append(f"{unit} {state}")
        last[unit] = state
    return found


def _answers(row: dict[str, Any], went: Went) -> list[str]:
    found = []
    for act, (took, says) in zip(row["acts"], went.answers, strict=True):
        real = next((mine for theirs, mine in WORDS.items() if act["says"].startswith(theirs)), act["says"])
        if act["status"] == 0:
            real = ""
        if real != says or abs(took - act["took"]) > NEAR:
            found.append(
                f"{act['does']} {act['unit']} says {says!r} after {took:.1f}, not {real!r} after {act['took']}"
            )
    return found


def _ends(row: dict[str, Any], went: Went) -> list[str]:
    found = []
    for unit, ends in row["ends"].items():
        real = RESULTS.get(ends["result"], ends["result"])
        if real != went.results[unit]:
            found.append(f"{unit} ends with {went.results[unit]}, not {real}")
        if row["left"][unit] != went.left[unit]:
            found.append(f"{unit} has left {went.left[unit]}, not {row['left'][unit]}")
    return found
