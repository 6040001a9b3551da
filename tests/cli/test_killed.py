"""A command that is killed leaves no worker behind, and nobody who reads its output hangs."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

PATIENCE_S = 60
ONE = 'services: {web: {image: nginx, ports: ["80:80"], restart: always}}'  # enough to search for a while


def children(parent):
    """Return the numbers of the processes that *parent* has started."""
    rows = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, ppid in map(str.split, rows.splitlines()) if int(ppid) == parent]


@pytest.mark.mostly_long
@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("run", "small.yaml", "--seeds", "100000"), signal.SIGTERM),
        (("whatif", "small.yaml", "--set", "host.cores=1", "--seeds", "100000", "--no-save"), signal.SIGKILL),
        (("explore", "one.yaml", "--faults", "2", "--full", "--no-save"), signal.SIGKILL),
    ],
)
def test_workers_end_with_the_command(words, number, folder):
    """Whatever ends it, also what it cannot notice: its output reaches its end, which the workers hold open too."""
    (folder / "one.yaml").write_text(ONE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "sim", *words, "--jobs", "2"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as it:
        workers = []
        try:
            until = time.monotonic() + PATIENCE_S
            while len(workers) < 2 and it.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
                workers = children(it.pid)
            assert len(workers) == 2
            it.send_signal(number)
            said, _ = it.communicate(timeout=PATIENCE_S / 6)
            assert it.returncode == -number
            assert b"Traceback" not in said
        finally:
            it.kill()
            for worker in workers:
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass
