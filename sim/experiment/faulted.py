"""A scenario under another fault: it takes the place of the first step that harms something, at the same moment.

A fault is a target that is killed (`containerd`), a step's action and its words (`systemctl restart docker`), or a
step in braces (`{kill: dockerd, signal: TERM}`). Leaves out what an exploration chooses (`sim.faults`). Source: the
project's scenario language, `steps:`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sim.engine.setup import Step
from sim.errors import InputError, Problem
from sim.scenario import Scenario, did_you_mean
from sim.scenario.known import ACTIONS
from sim.scenario.step_word import step_words
from sim.scenario.text import parse_value
from sim.scenario.words import Refusal
from sim.views.fault import first_harm, harms


def _actions() -> tuple[str, ...]:
    return (*ACTIONS, *step_words())


def fault_setting(scenario: Scenario, fault: str) -> str:
    """Return the setting that puts *fault* in the place of the first step that harms, or adds it. Raises InputError."""
    action = fault_step(fault)
    steps: list[dict[str, Any]] = [dict(step) for step in scenario.raw.get("steps") or ()]
    harm = first_harm(scenario.setup)
    if harm is None:
        return f"steps={json.dumps([*steps, {'id': 'fault', 'at': '60s', **action}])}"
    place = place_of(steps, harm)
    kept = {"id": steps[place].get("id", f"step{place + 1}")}
    kept |= {key: steps[place][key] for key in ("at", "wait") if key in steps[place]}
    return f"steps.{place}={json.dumps({**kept, **action})}"


def fault_step(fault: str) -> dict[str, object]:
    """Return a step's action as *fault* says it. Raises InputError."""
    try:
        return _said(fault)
    except Refusal as refusal:
        raise InputError([Problem(f"--faults {fault[:60]}", refusal.what.removesuffix("."), refusal.hint)]) from None


def _said(fault: str) -> dict[str, object]:
    """Return a step's action as *fault* says it. Raises Refusal, which tells no place."""
    given = parse_value(fault)
    if isinstance(given, dict):
        return given
    word, _, rest = fault.strip().partition(" ")
    if word in _actions():
        return {word: parse_value(rest) if rest.strip() else True}
    if " " in fault.strip() or not word:
        actions = _actions()
        hint = did_you_mean(word, actions) or f"Write a process to kill, or one of {', '.join(actions)} and its words."
        raise Refusal("this is no fault.", hint)
    return {"kill": word}


def steps_before(scenario: Scenario) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the harmless steps of the file before its first that harms, and the id and the moment of that one."""
    steps: list[dict[str, Any]] = [dict(step) for step in scenario.raw.get("steps") or ()]
    harm = first_harm(scenario.setup)
    if harm is None:
        return steps, {"id": "fault", "at": "60s"}
    place = place_of(steps, harm)
    kept = {key: steps[place][key] for key in ("at",) if key in steps[place]}
    harmful = {step.id.partition(".")[0] for terminal in scenario.setup.terminals for step in terminal
               if harms(step.command)}  # fmt: skip
    before = [step for at, step in enumerate(steps[:place]) if step.get("id", f"step{at + 1}") not in harmful]
    return before, {"id": steps[place].get("id", f"step{place + 1}"), **kept}


def place_of(steps: Sequence[Mapping[str, Any]], harm: Step) -> int:
    """Return which step of the file a step of the setup is of; one with several targets is several of the setup."""
    ids = [step.get("id", f"step{place + 1}") for place, step in enumerate(steps)]
    return next(place for place, id_ in enumerate(ids) if harm.id in (id_, f"{id_}.1"))
