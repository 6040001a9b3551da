"""Try mutants in copies of the tree: plant one, run its tests, take it out again.

Each job has a copy of its own in a temporary folder, so that nothing of the project is touched, whatever happens. A
mutant whose own tests all pass is tried against a wider list. Tests that do not end within the limit count as caught.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import msgspec

from tests.mutants.mutant import ROOT, WIDER, Mutant

COPIED = ("sim", "tests", "scenarios", "docs", "notebooks", "benchmarks")
LEFT_OUT = ("__pycache__", "runs", ".*")
LIMIT, LIMIT_WIDER = 120, 900  # seconds for one run of tests
CAUGHT, SURVIVED, BROKEN = "caught", "SURVIVED", "BROKEN"
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a mutant: how it ended, and by which test or why."""

    mutant: Mutant
    end: str
    detail: str
    seconds: float

    @property
    def good(self) -> bool:
        """Say whether it came out as its row says."""
        return self.end == (SURVIVED if self.mutant.lives else CAUGHT)


class Stopped(Exception):
    """Somebody asked to stop."""


class Tree:
    """A copy of the project, in which tests run."""

    def __init__(self, folder: Path, stop: threading.Event) -> None:
        self.folder, self.stop = folder, stop
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for path in ROOT.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy(path, folder)

    @contextlib.contextmanager
    def with_fault(self, mutant: Mutant) -> Iterator[None]:
        """Plant a mutant. Compiled files go, since a change within a second may leave time and size as they were."""
        path = self.folder / mutant.file
        good = path.read_text(encoding="utf-8")
        try:
            self._write(path, mutant.mutated(good))
            yield
        finally:
            self._write(path, good)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def run(self, tests: Iterable[str], *options: str, limit: float = LIMIT_WIDER) -> tuple[int | None, str]:
        """Run tests; return pytest's exit code, None where they did not end in time, and what it said."""
        words = ["-m", "pytest", "-q", "--tb=no", "--no-header", "-p", "no:cacheprovider", *options, *tests]
        env = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "SHIMULATOR_HYPOTHESIS": "first",
            "SHIMULATOR_EXAMPLES": "all",
        }
        with subprocess.Popen(
            [sys.executable, *words], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,  # Ctrl-C is for this process; the tests are ended below
        ) as process:  # fmt: skip
            said: list[str] = []
            reader = threading.Thread(target=lambda: said.append(process.stdout.read() if process.stdout else ""))
            reader.start()
            try:
                code = self._wait(process, limit)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                reader.join()
        return code, "".join(said)

    def _wait(self, process: subprocess.Popen[str], limit: float) -> int | None:
        end = time.monotonic() + limit
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=0.1)
            if self.stop.is_set():
                raise Stopped
        return None


def judge(tree: Tree, mutant: Mutant, wider: tuple[str, ...] = WIDER) -> Outcome:
    """Plant a mutant and say what noticed it: its own tests first, then the wider list."""
    begun = time.monotonic()
    end, detail = SURVIVED, mutant.lives or f"nothing notices that {mutant.breaks}"
    with tree.with_fault(mutant):
        # one that is known to live is tried against its own tests alone: they come nearest
        for tests in (mutant.tests, () if mutant.lives else tuple(test for test in wider if test not in mutant.tests)):
            if not tests:
                break
            limit = LIMIT if tests is mutant.tests else LIMIT_WIDER
            code, said = tree.run(tests, "-x", limit=limit)
            if code is None:
                end, detail = CAUGHT, f"tests that do not end within {limit} s"
            elif code in (1, 2):
                found = FAILED.search(said)
                end, detail = CAUGHT, found.group(1) if found else said.strip()[-200:]
            elif code:
                end, detail = BROKEN, f"pytest ended with {code}: {said.strip()[-200:]}"
            if end != SURVIVED:
                break
    return Outcome(mutant, end, detail, time.monotonic() - begun)


def baseline(tree: Tree, mutants: Iterable[Mutant]) -> str:
    """Run all tests that the mutants name on the sources as they are; return what fails, "" if nothing does."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    code, said = tree.run(tests)
    return "" if code == 0 else said.strip()[-2000:]


def trials(
    mutants: Iterable[Mutant], jobs: int, tell: Callable[[Outcome], None], wider: tuple[str, ...] = WIDER
) -> list[Outcome]:
    """Try mutants, *jobs* at a time; *tell* hears of each as it ends. A KeyboardInterrupt ends the tests that run.

    Raises ValueError if the tests fail without any mutant.
    """
    rows, stop, free = list(mutants), threading.Event(), Queue[Tree]()
    with TemporaryDirectory(prefix="shimulator-mutants-") as place, ThreadPoolExecutor(jobs) as pool:
        for number in range(jobs):
            folder = Path(place) / str(number)
            folder.mkdir()
            free.put(Tree(folder, stop))

        def attempt(mutant: Mutant) -> Outcome:
            if stop.is_set():
                raise Stopped
            tree = free.get()
            try:
                return judge(tree, mutant, wider)
            finally:
                free.put(tree)

        try:
            first = free.get()
            wrong = baseline(first, rows)
            free.put(first)
            if wrong:
                raise ValueError(f"tests fail without any mutant:\n{wrong}")
            found = []
            for future in as_completed([pool.submit(attempt, mutant) for mutant in rows]):
                found.append(future.result())
                tell(found[-1])
        except BaseException:
            stop.set()
            raise
    return sorted(found, key=lambda outcome: rows.index(outcome.mutant))
