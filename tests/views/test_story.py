"""What a story remembers that no world holds: when things began, ended and were written."""

import json

from sim.experiment.run import run_scenario
from sim.kernel.events import FifoLevel, FifoMade, FileWritten
from sim.kernel.records import Fifo
from sim.scenario import load
from sim.trace import Trace
from sim.views.story import Story


def test_a_write_sets_a_fifos_time_and_a_read_does_not() -> None:
    """A level that rises is a write(2), one that falls a read(2)."""
    trace = Trace(load("x.yaml", "services: {}").setup)
    for at, event in (
        (10, FifoMade(Fifo("/f"))), (20, FifoLevel("/f", 1, 100)), (30, FifoLevel("/f", 1, 40)),
        (35, FileWritten("/g", 1)), (40, FifoLevel("/f", 1, 41)), (50, FifoLevel("/f", 1, 0)),
    ):
        trace.records.add(at, -1, event)
    story = Story(trace)
    assert [story.to(at).written["/f"] for at in (10, 20, 30, 40, 50)] == [10, 20, 20, 40, 40]
    assert story.written["/g"] == 35


def test_what_ran_before_the_run_has_no_time_of_start() -> None:
    """After a power cut the disk says that it ran: it is not `created`, and its StartedAt is left out."""
    run = run_scenario(load("b.yaml", "host: {begin: boot}\nservices: {web: {image: w}}\nuntil: ready(docker)+1s"))
    (found,) = json.loads(run.show("docker-inspect"))
    assert (found["State"]["Status"], found["State"]["ExitCode"]) == ("exited", 255)
    assert "StartedAt" not in found["State"]
    assert found["State"]["FinishedAt"] > "2020-01-01T00:00:00"
    assert "Exited (255)" in run.show("docker-ps-a")
