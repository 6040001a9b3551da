"""The planted faults of tests/mutants: no row is stale, the tool tells caught from survived. `make mutants` tries all.

Source: tests/mutants/mutant.py.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.mutants.__main__ import table
from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.table import MUTANTS, doubled, faults_of
from tests.mutants.trial import CAUGHT, SURVIVED, Tree, judge

QUICK = ("tests/kernel/test_ids.py::test_the_next_number_is_the_first_free_one_after_the_last_and_wraps_to_300",)
FIRST = MUTANTS[0]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_row_is_not_stale(mutant: Mutant) -> None:
    """The old text stands exactly once, the new one compiles and is another, the tests are there.

    Where this fails, the code has moved on: change the row along with it.
    """
    assert list(faults_of(mutant)) == []
    assert mutant.old != mutant.new


def test_names_are_unique() -> None:
    """A name stands once."""
    assert doubled() == []
    assert len(MUTANTS) >= 150


def test_a_stale_row_is_told() -> None:
    """Old text that is missing or stands twice, new text that is no Python and tests that are gone are found."""
    stale = Mutant("it", FIRST.file, "no such text", "", "", ("tests/gone.py",))
    assert [fault.partition("\n")[0][:60] for fault in faults_of(stale)] == [
        f"mutant 'it': its old text stands 0 times in {FIRST.file}, not on"[:60],
        "mutant 'it': there is no tests/gone.py",
    ]
    (wrong,) = faults_of(Mutant("it", FIRST.file, FIRST.old, "):", "", ()))
    assert "does not compile" in wrong


@pytest.mark.long
def test_a_mutant_is_caught_or_survives(tmp_path: Path) -> None:
    """The tool finds the failing test; a change that matters to no test survives; the copy is whole again."""
    tree = Tree(tmp_path, threading.Event())
    by_name = {mutant.name: mutant for mutant in MUTANTS}
    wrap, limit = (judge(tree, by_name[name], ()) for name in ("numbers wrap at 301", "pid_max is given out"))
    assert (wrap.end, wrap.good, limit.end) == (CAUGHT, True, CAUGHT)
    assert QUICK[0] in (wrap.detail, limit.detail)
    ids = "sim/kernel/ids.py"
    idle = judge(tree, Mutant("idle", ids, "    number = last\n", "    number = last + 0\n", "nothing", QUICK), ())
    assert (idle.end, idle.good) == (SURVIVED, False)
    assert (tmp_path / ids).read_text() == (ROOT / ids).read_text()
    assert "idle" in table([wrap, idle])
    assert table([wrap, idle]).endswith("2 mutants: 1 caught, 1 SURVIVED\n")


def test_the_command_lists_its_rows() -> None:
    """--list tells every row and tries none; a word that fits no row is refused."""
    command = [sys.executable, "-m", "tests.mutants"]
    said = subprocess.run([*command, "--list"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert len(said.splitlines()) == len(MUTANTS)
    wrong = subprocess.run([*command, "unheard-of"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert wrong.returncode == 2
    assert "unheard-of" in wrong.stderr
