"""A terminal that cannot carry line symbols gets ASCII, in every command, and no error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PLAIN = {key: value for key, value in os.environ.items() if key not in ("LC_ALL", "PYTHONIOENCODING", "PYTHONUTF8")}
POOR = {"ascii": {"PYTHONIOENCODING": "ascii"}, "latin": {"PYTHONIOENCODING": "latin-1"}, "C": {"LC_ALL": "C"}}
COMMANDS = [
    ["run", "small.yaml", "--no-save"],
    ["show", "small.yaml"],
    ["why", "small.yaml", "port 80 from loopback"],
    ["diff", "small.yaml@shot-1s", "small.yaml"],
    ["run", "small.yaml", "--remedies", "--no-save"],
    ["whatif", "small.yaml", "--set", "engine.daemon.live-restore=true", "--seeds", "1", "--no-save"],
    ["--help"],
    ["designs"],
    ["show", "small.yaml", "--at", "‘…’"],
]


@pytest.mark.mostly_long
@pytest.mark.parametrize("poor", POOR)
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_poor_terminal_gets_ascii(poor, words):
    """Every byte is ASCII, on stdout and stderr, and the status is what it would be."""
    env = {**PLAIN, "PYTHONPATH": str(ROOT), **POOR[poor]}
    done = subprocess.run([sys.executable, "-m", "sim", *words], capture_output=True, env=env, check=False)
    assert done.returncode == (2 if "--at" in words else words[0] == "diff")  # whose moments differ
    assert (done.stdout + done.stderr).isascii()
    assert b"Traceback" not in done.stderr
    if words == ["show", "small.yaml"]:
        assert done.stdout.startswith(b"systemd---dockerd-current-+-")


def test_a_terminal_that_can_gets_the_symbols():
    """With UTF-8 the tree has its line symbols."""
    env = {**PLAIN, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-m", "sim", "show", "small.yaml"], capture_output=True, env=env, check=True)
    assert done.stdout.decode().startswith("systemd───dockerd-current─┬─")
