"""Executors: the same bytes from each; a cluster goes on when a worker is taken away; Ctrl-C keeps what is done."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import msgspec
import pytest

from sim.errors import InputError
from sim.experiment import executors
from sim.experiment.executors import Serial, cluster, opened, pool, serial
from sim.experiment.replicate import Interrupted, Measuring, chunk_size, measured, replicate_each, spread
from sim.experiment.whatif import Terms, whatif_of
from sim.scenario import load
from tests.experiment.hosts import LIVE_RESTORE, WEB

SETUPS = [load("x.yaml", WEB).setup, load("x.yaml", WEB, [LIVE_RESTORE]).setup]
SEEDS = range(1, 13)


def encoded(lanes) -> bytes:
    return msgspec.json.encode(replicate_each(SETUPS, SEEDS, lanes=lanes))


def test_serial_and_pool_give_the_same_bytes():
    """Runs are pure: who does them leaves no trace."""
    with serial() as one, pool(2) as two:
        assert encoded(one) == encoded(two)


def test_serial_gives_an_error_to_the_future():
    """As any executor does."""
    with Serial() as executor, pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result()


@pytest.mark.parametrize(("jobs", "kind"), [(1, Serial), (2, ProcessPoolExecutor)])
def test_one_job_needs_no_pool(jobs, kind):
    """The executor follows the number of jobs."""
    with opened(jobs) as lanes:
        assert (type(lanes.executor), lanes.width) == (kind, jobs)


@pytest.mark.parametrize(("items", "width"), [(1, 2), (7, 3), (80, 2), (1000, 2), (10_000, 7)])
def test_chunks_are_few_and_never_large(items, width):
    """A chunk holds something, at most 8, and every worker gets several where there is enough."""
    size = chunk_size(items, width)
    assert 1 <= size <= 8
    assert -(-items // size) >= min(items, width)


class Stopping:
    """Work that is interrupted after some items."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, item: int) -> int:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return item * item


def test_ctrl_c_keeps_what_is_done():
    """What was done before stands at its place, the rest is None."""
    with pytest.raises(Interrupted) as cut:
        spread(Stopping(3), range(6), 1)
    assert cut.value.done == [0, 1, 4, None, None, None]


def test_an_interrupted_comparison_is_of_whole_pairs(monkeypatch):
    """Five runs of two sides are two pairs; both are compared, and it is said."""
    left = [5]

    def counted(*words):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return measured(*words)

    monkeypatch.setattr("sim.experiment.replicate.measured", counted)
    base, other = load("x.yaml", WEB), load("x.yaml", WEB, [LIVE_RESTORE])
    found = whatif_of(base, [other], [[LIVE_RESTORE]], Terms(20, 1))
    assert (found.seeds, found.ended) == ((1, 2), "interrupted after 2 pairs of runs")
    left[0] = 1
    with pytest.raises(KeyboardInterrupt):
        whatif_of(base, [other], [[LIVE_RESTORE]], Terms(20, 1))


def slow(marks: str, item: int) -> int:
    """Leave a mark, take a while, and give the square."""
    with open(os.path.join(marks, f"{item}-{os.getpid()}"), "w"):
        pass
    time.sleep(0.02)
    return item * item


def test_ctrl_c_of_a_pool_ends_its_workers(tmp_path):
    """SIGINT to this process, as a terminal sends it: results so far are kept, workers are gone."""

    def interrupt() -> None:
        while len(list(tmp_path.iterdir())) < 60:  # some chunks
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with pool(2) as lanes:
        threading.Thread(target=interrupt).start()
        with pytest.raises(Interrupted) as cut:
            spread(partial(slow, str(tmp_path)), range(400), lanes=lanes)
    done = [item for item in cut.value.done if item is not None]
    assert 0 < len(done) < 400
    assert all(item in (None, n * n) for n, item in enumerate(cut.value.done))


# -- Dask ------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Dask:
    """A scheduler and workers of our own on the loopback."""

    def __init__(self, folder) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.children = [self.start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")]
        self.workers = [self.worker(n) for n in range(2)]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        folders = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": folders, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "30s"}
        command = [sys.executable, "-m", "dask", *words]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def worker(self, number: int) -> subprocess.Popen[bytes]:
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", f"w{number}")
        child = self.start("worker", self.address, *words)
        self.children.append(child)
        return child

    def wait(self) -> None:
        """Wait until both workers have come."""
        from distributed import Client

        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def stop(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    found = Dask(tmp_path_factory.mktemp("dask"))
    try:
        found.wait()
        yield found
    finally:
        found.stop()


@pytest.mark.long
def test_a_cluster_gives_the_same_bytes_and_outlives_a_worker(dask, tmp_path):
    """Both workers do runs; one is killed midway; every result comes, as this process would give it."""
    with serial() as here, cluster(dask.address) as there:
        assert there.width == 2
        assert encoded(there) == encoded(here)

        def take_away() -> None:
            while len({path.name.split("-")[1] for path in tmp_path.iterdir()}) < 2:
                time.sleep(0.01)
            dask.workers[0].kill()

        thread = threading.Thread(target=take_away)
        thread.start()
        items = range(120)
        assert spread(partial(slow, str(tmp_path)), items, lanes=there) == [item * item for item in items]
        thread.join()
        assert dask.workers[0].wait() == -signal.SIGKILL
        marks = [path.name.split("-") for path in tmp_path.iterdir()]
        assert len({pid for _, pid in marks}) == 2  # both had begun
        assert encoded(there) == encoded(here)  # and one goes on alone


def test_workers_of_another_version_are_refused(dask, monkeypatch):
    """Another version may be another model."""
    monkeypatch.setattr("sim.version.__version__", "0.0.0")
    with pytest.raises(InputError, match=r"not 0\.0\.0.*Install the same"), cluster(dask.address):
        pass


@pytest.mark.long
def test_an_address_without_a_scheduler_is_refused(monkeypatch):
    """The message says how to start one."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr(executors, "PATIENCE_S", 0.2)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match=r"no scheduler answers.*dask scheduler"), cluster(address):
        pass


@pytest.mark.long
def test_without_dask_the_message_says_what_to_install(monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"shimulator\[cluster\]"), cluster("tcp://127.0.0.1:1"):
        pass


@pytest.mark.long
def test_a_measuring_crosses_process_borders():
    """A window's begin and a metric of the user's own travel with the setups."""
    from sim.experiment.own import Own

    own = Own("facts", text="def facts(trace):\n    return len(trace)\n", source="own.py")
    start = load("x.yaml", WEB).setup.terminals[0][0].at
    with pool(2) as two, serial() as one:
        found = [
            replicate_each(SETUPS, SEEDS[:3], measuring=Measuring(start, (own,)), lanes=lanes) for lanes in (one, two)
        ]
    assert repr(found[0]) == repr(found[1])
    assert found[0][0][0].values["facts"] > 100
    assert found[0][0][0].window_s == 30
