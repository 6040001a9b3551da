"""Same seed, same bytes: whatever the hash seed and the version of Python; and the same examples of Hypothesis.

Where no other Python is installed that test is skipped; SHIMULATOR_REQUIRE_PYTHONS=1 makes it fail instead, for a CI
that has them. Their environments are kept in pytest's cache, one for each version and lock file.
"""

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


def others() -> dict[str, Path]:
    """Find by version other versions of Python, 3.11 or newer, that can make environments."""
    beside = Path(sys.base_prefix).parent.glob("3.*/bin/python3")
    named = (shutil.which(f"python3.{minor}") for minor in range(11, 16))
    found: dict[str, Path] = {}
    for path in [*beside, *(Path(name) for name in named if name)]:
        code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        version = done.stdout.strip()
        if done.returncode == 0 and version != "{}.{}".format(*sys.version_info) and int(version.split(".")[1]) >= 11:
            found.setdefault(version, path)
    return dict(sorted(found.items()))


def skip_or_fail(why: str) -> None:
    """Skip the test, or fail it where other Pythons are required."""
    if os.environ.get("SHIMULATOR_REQUIRE_PYTHONS"):
        pytest.fail(f"SHIMULATOR_REQUIRE_PYTHONS is set, but {why}")
    pytest.skip(why)


def environment(python: Path, folder: Path) -> str:
    """Return the Python of an environment with the locked dependencies, made anew unless it is there whole."""
    inside, whole = folder / "bin/python", folder / "whole"
    if not (whole.exists() and inside.exists()):
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        pip = [str(inside), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True)
        whole.touch()
    return str(inside)


@pytest.mark.long
def test_the_version_of_python_does_not_matter(pytestconfig: pytest.Config) -> None:
    """Another version of Python gives the same bytes, with the locked dependencies in an environment of its own."""
    pythons = others()
    if not pythons:
        skip_or_fail("no other Python of 3.11 or newer with venv and ensurepip is installed")
    assert pytestconfig.cache is not None
    here = digest(sys.executable, "0")
    lock = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()[:12]
    for version, python in list(pythons.items())[:2]:
        folder = pytestconfig.cache.mkdir(f"python-{version}-{lock}")
        assert digest(environment(python, folder), "0") == here, f"{python} differs"


@pytest.mark.parametrize(("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_other_pythons_may_be_required(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no other Python is installed the test is skipped, but fails where one is required."""
    monkeypatch.setenv("SHIMULATOR_REQUIRE_PYTHONS", required)
    with pytest.raises(outcome, match="no other Python"):
        skip_or_fail("no other Python")


@pytest.mark.mostly_long
@pytest.mark.parametrize(
    ("ci", "profile", "words", "fixed"),
    [
        ("", "", (), True),
        ("true", "", (), True),
        ("true", "random", (), False),
        ("true", "", ("-m", "long"), False),
        ("", "fixed", ("-m", "long"), True),
    ],
)
def test_examples_are_the_same_each_time_unless_asked_otherwise(
    ci: str, profile: str, words: tuple[str, ...], fixed: bool, tmp_path: Path
) -> None:
    """With CI set or not, examples are fixed; SHIMULATOR_HYPOTHESIS=random or long tests alone draw new ones."""
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    test = f"assert settings(max_examples=9).derandomize is {fixed}"
    (tmp_path / "test_it.py").write_text(f"from hypothesis import settings\n{test}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", *words, str(tmp_path)]
    env = {**os.environ, "CI": ci, "SHIMULATOR_HYPOTHESIS": profile}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
