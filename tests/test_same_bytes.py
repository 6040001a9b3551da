"""Same seed, same bytes: whatever the hash seed and the version of Python."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import hashlib
from sim.drive.timed import run
from sim.scenario import load
from sim.tracefile import lines
digest = hashlib.sha256()
for name in ("document", "document-live-restore", "reboot-herd", "shim-while-containerd-down"):
    for seed in (1, 2):
        for line in lines(run(load(name).setup, seed)):
            digest.update(line)
print(digest.hexdigest())
"""


def digest(python: str, hash_seed: str) -> str:
    """Return the digest of the bundled scenarios' traces as another interpreter makes them."""
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", PROGRAM], capture_output=True, text=True, env=env, cwd=ROOT, check=True)
    return done.stdout.strip()


def test_the_hash_seed_does_not_matter() -> None:
    """Two hash seeds give the same bytes of every bundled scenario."""
    first = digest(sys.executable, "1")
    assert len(first) == hashlib.sha256().digest_size * 2
    assert first == digest(sys.executable, "4242")


def others() -> list[Path]:
    """Find other versions of Python, 3.11 or newer, that can make environments."""
    beside = Path(sys.base_prefix).parent.glob("3.*/bin/python3")
    named = (shutil.which(f"python3.{minor}") for minor in range(11, 16))
    found: dict[str, Path] = {}
    for path in [*beside, *(Path(name) for name in named if name)]:
        code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        version = done.stdout.strip()
        if done.returncode == 0 and version != "{}.{}".format(*sys.version_info) and int(version.split(".")[1]) >= 11:
            found.setdefault(version, path)
    return [found[version] for version in sorted(found)]


@pytest.mark.long
def test_the_version_of_python_does_not_matter(tmp_path: Path) -> None:
    """Another version of Python gives the same bytes, with the locked dependencies in an environment of its own."""
    pythons = others()
    if not pythons:
        pytest.skip("no other Python of 3.11 or newer with venv and ensurepip is installed")
    here = digest(sys.executable, "0")
    for number, python in enumerate(pythons[:2]):
        folder = tmp_path / str(number)
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)
        assert digest(str(folder / "bin/python"), "0") == here, f"{python} differs"


