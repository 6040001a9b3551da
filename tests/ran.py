"""Scenarios that are texts: run one, and list what of its `expect:` does not hold."""

from __future__ import annotations

from sim.experiment.run import Run, run_scenario
from sim.scenario import load


def ran(text: str) -> Run:
    """Run a scenario."""
    return run_scenario(load("row.yaml", text))


def failures(text: str) -> list[str]:
    """Return the expectations of a scenario that do not hold; it has to have some."""
    verdicts = ran(text).verdicts()
    assert verdicts
    return [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds]
