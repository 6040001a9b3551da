"""`must:` of a file: what it says, what is refused and where, and that it is written back."""

from __future__ import annotations

import pytest

from sim.engine.setup import S
from sim.errors import InputError
from sim.scenario import Scenario, load, resolved
from sim.scenario.must import Must

HOST = "services: {web: {image: a}}\n"


def read(text: str) -> Scenario:
    """Return a scenario with this `must:`."""
    return load("x.yaml", f"{HOST}must: {text}\n")


def test_limits_are_counts_and_times() -> None:
    """`none` is 0; one act, or a list of them."""
    first, second = read("[{on: upgrade, lose: none, max-dark: 5s}, {on: [reboot, kill web], replace: 2}]").asked.must
    assert first == Must(("upgrade",), lose=0, max_dark=5 * S, place=("x.yaml", 2))
    assert (second.on, second.replace, second.lose) == (("reboot", "kill web"), 2, None)


def test_it_is_written_back() -> None:
    """A resolved file asks for the same."""
    scenario = read("[{on: upgrade, lose: none, back-within: 2m}]")
    again = load("x.yaml", resolved(scenario)).asked.must
    assert [it.back_within for it in again] == [120 * S]
    assert [it.on for it in again] == [("upgrade",)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("3", "x.yaml:2:7: must: '3' is not a list"),
        ("[{lose: none}]", "x.yaml:2:8: must.0.: needs on"),
        ("[{on: upgrade}]", "x.yaml:2:8: must.0.: there is no limit"),
        ("[{on: upgrade, lose: -1}]", "x.yaml:2:28: must.0..lose: .* is no number of containers"),
        ("[{on: upgrade, max-dark: 5}]", "x.yaml:2:32: must.0..max-dark: .* is not a duration"),
        ("[{on: upgrade, lost: none}]", "must.0..lost: unknown key. Did you mean lose"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, complaint: str) -> None:
    """File, line and column."""
    with pytest.raises(InputError, match=complaint):
        read(text)


def test_every_container_has_its_place() -> None:
    """The line of its key."""
    scenario = load("x.yaml", "services:\n  web: {image: a}\n  db:\n    image: b\n    container_name: base\n")
    assert scenario.places == {"web": ("x.yaml", 2), "base": ("x.yaml", 3)}
