"""Random upgrades and downgrades of Docker with kills at random moments: the model does not fail, and its laws hold.

Of the first 347 storms 29 failed before each containerd had a socket of its own and a dead shim got none.
"""

from __future__ import annotations

import pytest

from tests.upgrades import described, faults

FAILED = (3, 10, 51, 56, 71, 75, 84, 92, 119, 132, 142)  # before; of each kind some
MORE = (0, 1, 2, 4, 421)


@pytest.mark.parametrize("number", [*FAILED, *MORE])
def test_a_storm_breaks_no_law(number: int) -> None:
    """Whatever versions come one after the other and whatever dies meanwhile, the laws of every design hold."""
    assert list(faults(number)) == [], described(number)


@pytest.mark.long
def test_storms_break_no_law() -> None:
    """The same of some hundreds."""
    assert {number: found for number in range(300) if (found := list(faults(number)))} == {}
