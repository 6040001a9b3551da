"""The script that gathers a host in one file, with values removed where it runs. Source: its own header."""

from __future__ import annotations

from importlib.resources import files


def collector() -> str:
    """Return the script."""
    return (files("sim.intake") / "collect.sh").read_text(encoding="utf-8")
