"""When the moments of a run came: bases, counts, offsets, and what does not count."""

import pytest

from sim.drive.timed import run
from sim.engine.setup import Instant
from sim.kernel.events import Exited
from sim.model import FACTS
from sim.scenario import instant, load
from sim.trace import Replay
from sim.views.moments import Moments, spelled

S = 1_000_000
TEXT = """\
services: {web: {image: nginx, ports: ["80:80"], restart: always}, db: {image: postgres}}
steps:
  - {id: shot, at: 60s, kill: payload/web}
  - {id: again, at: 90s, kill: payload/web}
  - {id: stop, at: 100s, docker: stop db}
until: 2m
"""


@pytest.fixture(scope="module")
def scenario():
    return load("f", text=TEXT)


@pytest.fixture(scope="module")
def trace(scenario):
    return run(scenario.setup)


def moment(text, scenario, trace):
    """Return a moment in seconds from t = 0, None if it never came."""
    at = Moments(trace).at(instant(text, scenario))
    return None if at is None else (at - trace.origin) / S


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("1m30s", 90),
        ("end", 120),
        ("end-20s", 100),
        ("shot", 60),
        ("shot-1s", 59),
        ("again+1h", 3690),  # after the end of the run: a clock value all the same
    ],
)
def test_times_and_steps_are_where_the_file_puts_them(scenario, trace, text, seconds):
    """Durations, steps and the end are exact; an offset may lead out of the run."""
    assert moment(text, scenario, trace) == seconds


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("die(web)", 60, 60.3),
        ("die(web)#1", 60, 60.3),
        ("die(web)#2", 90, 90.3),
        ("die(web)#last-1s", 89, 89.3),
        ("start(web)", 60.1, 61),  # the prologue's start does not count
        ("start(web)#last", 90.1, 91),
        ("kill(db)", 100, 100.1),
        ("Exited(payload/web)", 60, 60.1),
        ("Exited(payload/*)#3", 100, 100.3),
        ("Forked(shim/web)", 60.1, 61),
        ("Signalled(payload/db)", 100, 100.1),
        ("ready(web)", 60.1, 61),  # the prologue's does not count either
        ("ready(web)#2", 90.1, 91),
    ],
)
def test_words_and_facts_count_from_t_0(scenario, trace, text, low, high):
    """#n counts occurrences after the terminals have opened; #last is the last one."""
    assert low <= moment(text, scenario, trace) <= high


@pytest.mark.parametrize(
    "text",
    [
        "die(web)#3",
        "oom(web)",
        "Exited(dockerd)",
        "Exited(dockerd)#last",
        "start(db)",
        "ready(docker)",
        "ready(db)",
        "ready(web)#3",
        "Forked(exec/web)+1s",
    ],
)
def test_a_moment_that_never_came_is_none(scenario, trace, text):
    """Too few occurrences, none at all, or only such as came before t = 0."""
    assert moment(text, scenario, trace) is None


def test_a_step_that_was_not_reached_is_none():
    """A step after the end of the run was never taken."""
    scenario = load("f", text="services: {web: {}}\nsteps:\n  - {id: late, at: 60s, kill: shim/web}\nuntil: 30s\n")
    assert moment("late", scenario, run(scenario.setup)) is None


def test_boot_counts_from_the_power_button():
    """With begin: boot the first start belongs to the scenario."""
    scenario = load("f", text="host: {begin: boot}\nservices: {web: {restart: always}}\nuntil: 30s\n")
    trace = run(scenario.setup)
    assert 0 < moment("start(web)", scenario, trace) < 10
    assert 0 < moment("ready(docker)", scenario, trace) < 10


def test_after_names_the_step_that_has_ended(trace):
    """`after` counts from the end of the step it names; without a name it is known to its terminal alone."""
    moments = Moments(trace)
    begun, done = moments.at(Instant("step", "stop")), moments.at(Instant("after", "stop"))
    assert begun < done < begun + 2 * S
    assert moments.at(Instant("after")) is None


def test_every_fact_about_a_process_can_be_named():
    """What the trace says of a process is a moment, at its place in the trace; a fork counts once it is a program."""
    text = """\
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {log: 100KB/s, children: [{argv: one}],
            threads: 2, threads_end: [{count: 1, after: 1s}], main_ends: 1s}}
steps:
  - {at: 1s, docker: [pause web, unpause web]}
  - {at: 2s, docker: stop web}
  - {at: 5s, docker: start web}
  - {id: jam, at: 10s, stop: journald}
  - {id: go, at: WriteBlocked(payload/web)+1s, cont: journald}
  - {id: shot, at: WriteResumed(payload/*)+1s, kill: payload/web}
  - {id: gone, at: Waitable(payload/web)#2+2s, kill: containerd}
until: gone+30s
"""
    found = load("f", text=text)
    records = run(found.setup)
    for name in FACTS:
        target = {"Connected": "containerd", "Listened": "proxy/web", "Reparented": "shim/web", "FifoClosed": "dockerd",
                  "ThreadsStarted": "shim/web", "SubreaperSet": "shim/web", "FifoOpened": "shim/web"}  # fmt: skip
        at = moment(f"{name}({target.get(name, 'payload/web')})", found, records)
        assert at is not None, name
        kinds = {type(it.event).__name__ for it in records if it.at == records.origin + round(at * S)}
        assert kinds & {name, *{"Forked": {"Execed"}, "Connected": {"Remembered"}}.get(name, ())}, name


def test_asking_together_and_one_by_one_is_the_same(scenario, trace, monkeypatch):
    """Instants given at first cost one replay together, and give what each gives alone."""
    texts = ["die(web)#2", "Exited(payload/web)", "shot", "ready(web)", "end", "oom(web)"]
    asked = [instant(text, scenario) for text in texts]
    alone = [Moments(trace).at(it) for it in asked]
    steps, step = [], Replay.step
    monkeypatch.setattr(Replay, "step", lambda self: steps.append(1) or step(self))
    together = Moments(trace, asked)
    assert [together.at(it) for it in asked] == alone
    assert len(steps) == len(trace)


def test_the_fact_lies_at_the_moment(scenario, trace):
    """The world at the moment is the one after the fact."""
    at = Moments(trace).at(instant("Exited(payload/web)", scenario))
    facts = [record.event for record in trace if record.at == at]
    assert any(isinstance(event, Exited) for event in facts)


@pytest.mark.parametrize("text", ["die(web)#2", "Exited(payload/web)", "ready(docker)#last", "shot", "end"])
def test_spelling_is_what_the_reader_reads(scenario, text):
    """A moment is written as a file would say it."""
    assert spelled(instant(text, scenario)) == text
