"""Starting is quick: the command line alone imports nothing that only some commands need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("pydantic", "yaml", "simpy", "msgspec", "networkx", "matplotlib", "numpy", "rich", "scipy")


def loaded(code):
    """Return the heavy modules that a new Python has loaded after *code*."""
    ask = f"{code}\nimport sys\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr.split()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["rnu"]])
def test_help_and_usage_load_nothing_heavy(words):
    """--help and a wrong command touch the command line's layer only."""
    quiet = "import io, sys\nreal, sys.stderr = sys.stderr, io.StringIO()"
    code = f"{quiet}\nfrom sim.cli import main\nmain({words!r})\nsys.stderr = real"
    assert loaded(code) == []


def test_building_the_whole_parser_loads_nothing_heavy():
    """Every command's options are known without its module."""
    assert loaded("from sim.cli import parser\nparser()") == []


def test_a_run_loads_no_figures_no_graphs_no_numbers():
    """A run needs neither matplotlib nor networkx nor numpy."""
    found = loaded("from sim.cli import main\nmain(['run', 'shim-while-containerd-down', '--no-save', '-q'])")
    assert set(found) <= {"pydantic", "yaml", "simpy", "msgspec"}
