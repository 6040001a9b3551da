"""How many examples tests draw in the quick suite, and that the long one takes them as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawing import ALL, count

ROOT = Path(__file__).resolve().parent.parent


def test_a_part_is_drawn_unless_all_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth, and never none."""
    monkeypatch.delenv(ALL, raising=False)
    assert [count(most) for most in (1, 4, 100, 101)] == [1, 1, 20, 21]
    monkeypatch.setenv(ALL, "all")
    assert count(100) == 100


@pytest.mark.parametrize(("words", "all_are"), [((), True), (("-m", "long"), False)])
def test_a_test_that_draws_a_part_is_also_a_long_one(words: tuple[str, ...], all_are: bool) -> None:
    """The quick suite collects it with its neighbours, the long one alone."""
    collect = ("-q", "--collect-only", "-p", "no:cacheprovider", "tests/test_canonical.py")
    command = [sys.executable, "-m", "pytest", *collect, *words]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "test_numbers_of_processes_are_only_names" in said
    assert ("test_different_states_have_different_keys" in said) is all_are
