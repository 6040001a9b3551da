"""What a goroutine did is told in words that are true of each design that has the procedure."""

from __future__ import annotations

import re

import pytest

from sim.designs import DESIGNS, Design, roles
from sim.engine.ops import Wait
from sim.engine.role import LASTING, Kind
from sim.views.deeds import clause, condition, source_of

TOLD_BY_NAME = LASTING | {Kind.ERRAND}  # words such as "pause" or "child" mean more than the role of a container's own


def names(design: Design) -> set[str]:
    """Return the words that stand for the processes of a design, and for the command that asks its engine."""
    words = {design.traits.client}
    for name, program in design.programs.items():
        if program.role.kind in TOLD_BY_NAME:
            words |= {name, program.role.noun, program.role.plural or f"{name}s"}
    return words


@pytest.mark.parametrize("design", DESIGNS)
def test_no_deed_names_a_role_that_a_design_lacks(design: str) -> None:
    """Engines share procedures: what one of their steps says must not be another engine's story."""
    foreign = {word for other in DESIGNS.values() for word in names(other)} - names(DESIGNS[design])
    foreign -= {name for name, role in roles().items() if role.kind not in TOLD_BY_NAME}
    texts = {clause(source_of(op)) for table in DESIGNS[design].procedures.values() for op in table.ops}
    assert len(texts) > 50
    assert [text for text in sorted(texts) if foreign & set(re.findall(r"\w+(?:-\w+)*", text.lower()))] == []


@pytest.mark.parametrize("design", DESIGNS)
def test_what_a_goroutine_sees_is_no_order(design: str) -> None:
    """A condition's docstring says what it returns; the deed goes on with what is so: "see that it has ended"."""
    waits = [op for table in DESIGNS[design].procedures.values() for op in table.ops if isinstance(op, Wait)]
    texts = {condition(op) for op in waits}
    assert len(texts) > 5
    assert [text for text in sorted(texts) if text.startswith(("return ", "say "))] == []
