"""Profiles say how long ops take: each row is of an op that exists, and says how its numbers are known."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.latency import PROFILES, draw

OPS = {
    f"{name.partition('.')[0]}/{op.name}"
    for design in DESIGNS.values()
    for name, table in design.procedures.items()
    for op in table.ops
} | {"kernel/deliver"}
ROWS = [(profile, row) for profile, rows in PROFILES.items() for row in rows]


@pytest.mark.parametrize(("profile", "row"), ROWS)
def test_a_row_of_a_profile_prices_an_op_and_has_a_mark(profile: str, row: str) -> None:
    """A row that no op has would price nothing; a number without a mark would be made up."""
    assert row in OPS
    assert PROFILES[profile][row].mark[:2] in {"S ", "M ", "K ", "C ", "E ", "A "}


def test_each_word_of_a_draw_counts() -> None:
    """Draws differ with the seed, the role, the container, the action, the occurrence and the part."""
    words = (1, "shim", "web", "set_up", 1, "work")
    others = (2, "runc", "db", "exit", 2, "wait")
    drawn = [draw(*words[:n], others[n], *words[n + 1 :]) for n in range(len(words))]  # type: ignore[arg-type, call-arg]
    assert len({draw(*words), *drawn}) == len(words) + 1
