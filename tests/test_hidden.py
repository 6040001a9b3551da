"""No shared code needs an engine: without its room everything but its own tests passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hidden import OWN, copied


@pytest.mark.long
@pytest.mark.parametrize("engine", OWN)
def test_without_an_engine_everything_but_its_own_tests_passes(engine: str, tmp_path: Path) -> None:
    """Hidden from import, in a copy of the project that has no such folder."""
    folder = copied(tmp_path / "copy", engine)
    words = ["-m", "pytest", "-q", "-p", "tests.hidden", "--hide", engine, "-x", "tests", "sim"]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
