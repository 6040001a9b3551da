"""A pool gives what one process gives, byte for byte, in the order of the seeds."""

import multiprocessing
import pickle

import msgspec
import pytest

from sim.experiment import executors
from sim.experiment import replicate as module
from sim.experiment.replicate import replicate, replicate_each, spread
from sim.scenario import load
from tests.experiment.hosts import LIVE_RESTORE, WEB

SEEDS = [5, 3, *range(20, 30)]
SETUP = load("x.yaml", WEB).setup


def twice(number: int) -> int:
    if number == 13:
        raise ValueError("thirteen")
    return 2 * number


@pytest.mark.mostly_long
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods()[:2])
def test_a_pool_equals_one_process(method, monkeypatch):
    """Forked or spawned workers return the same bytes as this process."""
    monkeypatch.setattr(executors, "_context", lambda: multiprocessing.get_context(method))
    alone, pool = (replicate(SETUP, SEEDS, jobs) for jobs in (1, 2))
    assert msgspec.json.encode(alone) == msgspec.json.encode(pool)
    assert [metrics.seed for metrics in pool] == SEEDS


def test_results_can_be_pickled():
    """Metrics cross process borders unchanged."""
    found = replicate(SETUP, [1])
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)


@pytest.mark.long
def test_each_setup_gets_its_own_list():
    """Setups on one pool do not mix."""
    setups = [SETUP, load("x.yaml", WEB, [LIVE_RESTORE]).setup]
    assert repr(replicate_each(setups, range(1, 7), 2)) == repr([replicate(setup, range(1, 7), 1) for setup in setups])


@pytest.mark.mostly_long
@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_up_to_all(jobs):
    """The callback is told how many of how many are done, rising to all."""
    told: list[tuple[int, int]] = []
    assert spread(twice, range(20, 40), jobs, lambda *done: told.append(done)) == list(range(40, 80, 2))
    assert told[-1] == (20, 20)
    assert told == sorted(told)


@pytest.mark.mostly_long
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_one_run_is_raised(jobs):
    """What goes wrong in a worker goes wrong here."""
    with pytest.raises(ValueError, match="thirteen"):
        spread(twice, range(20), jobs)


def test_an_error_names_its_seed(monkeypatch):
    """Whoever reads the traceback can run that seed alone."""

    def broken(setup, seed):
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "driver_of", broken)
    with pytest.raises(RuntimeError) as raised:
        replicate(SETUP, [41])
    assert raised.value.__notes__ == ["in the run with seed 41"]
