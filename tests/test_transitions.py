"""The transition table of Docker 1.13.1 against the model: a file a row in `scenarios/`, and what no file can say.

Files are named by their row, `t23-proxy-killed.yaml`; the source of every expectation is engine-1.13 §23. Here stand
the whole table, series of times, numbers and queues.
"""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from itertools import pairwise

import pytest

from sim.engine import paths
from sim.engines.host.reach import NETNS
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepTaken
from sim.kernel.events import Exited, Forked
from sim.properties import PROPERTIES
from sim.scenario import load
from sim.trace import Replay
from sim.tracefile import lines, read
from sim.views.story import engine_events
from tests.rows import FILES, SCENARIOS, text_of

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
ALWAYS = 'services: {web: {image: nginx, ports: ["80:80"], restart: always}}\n'
UNLESS = 'services: {web: {image: nginx, ports: ["80:80"], restart: unless-stopped}}\n'
RUN = "steps:\n  - {id: up, at: 1s, docker: run -d --name web -p 80:80 nginx}\n"
OFF = "host: {begin: off}\n"
CRASHING = """\
host: {begin: off}
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 10ms}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d web}
"""


SEEDS = {"T14": 3, "T14b": 3, "T30": 10, "T34": 3, "T36": 3}  # a race: more seeds than the first


@pytest.mark.parametrize("row", SCENARIOS)
def test_a_row_comes_out_as_its_file_says(row: str) -> None:
    """Every expectation of a file holds."""
    for seed in range(1, SEEDS.get(row.partition("#")[0], 1) + 1):
        verdicts = run_scenario(SCENARIOS[row], seed).verdicts()
        assert verdicts
        assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == [], f"seed {seed}"


def run(text: str, seed: int = 1) -> Run:
    """Run a scenario's text."""
    return run_scenario(load("row.yaml", text), seed)


def events(found: Run, container: str = "web") -> str:
    """Return the words of `docker events` about a container after t = 0, with signals and exit codes."""
    words = []
    for record in found.trace:
        event = record.event
        if isinstance(event, EngineEvent) and event.container == container and (record.at or 0) > found.trace.origin:
            about = dict(event.attributes)
            words.append(event.action + about.get("signal", about.get("exitCode", "")))
    return " ".join(words)


def times(found: Run, word: str) -> list[float]:
    """Return when an event of web was said, in seconds."""
    said = (record for record in found.trace if isinstance(record.event, EngineEvent) and record.event.action == word)
    return [((record.at or 0) - found.trace.origin) / 1e6 for record in said]


def test_every_row_of_the_table_has_a_file() -> None:
    """T1 to T56, T14b and T47b each have a file, whose first line names it."""
    assert {row for row in FILES if row[0] == "T"} == {f"T{number}" for number in range(1, 57)} | {"T14b", "T47b"}
    for row in FILES:
        assert text_of(row).startswith(f"# {row} of engine-1.13 §2")


def test_ids_wrap_to_300() -> None:
    """T55: 32767 is followed by 300."""
    host = run(text_of("T55")).at().host
    pids = {process.image.program: process.pid for process in host.procs.values()}
    assert pids["dockerd"] < 300 <= pids["payload"] < 350
    assert 32750 < pids["proxy"] < pids["shim"] < 32768


def test_docker_events_shows_a_reload() -> None:
    """T56: `daemon reload` with what dockerd goes by now; the trace can be written and read again."""
    trace = run(text_of("T56")).trace
    (event,) = (event for event in engine_events(trace, trace.end) if event.type == "daemon")
    assert event.action == "reload"
    assert dict(event.attributes) == {"live-restore": "true", "shutdown-timeout": "15", "name": "host"}
    assert len(read(BytesIO(b"".join(lines(trace))), "trace")[0].records) == len(trace.records)


def test_a_torn_log_costs_a_containerd_each_second_and_a_half() -> None:
    """T37: three failed checks, then the next containerd, without end."""
    found = run(text_of("T37"))
    down = next(it.seq for it in found.trace if isinstance(it.event, StepTaken) and it.event.id == "down")
    after = (it for it in found.trace if it.seq > down)
    leaves = [it.at or 0 for it in after if isinstance(it.event, Exited) and it.event.status == 1]
    gaps = [after - before for before, after in pairwise(leaves)]
    assert len(gaps) > 100
    assert all(1_250_000 <= gap <= 1_850_000 for gap in gaps)


def test_a_ghost_s_address_is_given_away() -> None:
    """V21: dockerd frees the address of a payload that nobody knows, and the next container gets it."""
    world = run(text_of("V2")).at()
    addresses = [address for address in world.host.listeners if address.startswith("net/tcp:")]
    assert str(world.host.files[NETNS + "late"]) in addresses[0]
    for name in ("V2", "V21"):
        assert not PROPERTIES[name].holds(world)


def test_backoff_doubles_without_end_and_starts_anew_after_ten_seconds() -> None:
    """T8: pauses of 0.1, 0.2, 0.4 … s after each exit; a run of ten seconds sets the pause back to 0.1 s."""
    found = run(CRASHING + "until: 70s\n")
    dies, connects = times(found, "die"), times(found, "connect")[1:]
    pauses = [again - died for died, again in zip(dies, connects, strict=False)]
    assert len(pauses) >= 9
    assert pauses == pytest.approx([0.25 + 0.1 * 2**n for n in range(len(pauses))], abs=0.2)
    long = run(CRASHING.replace("10ms", "11s") + "until: 70s\n")
    dies, connects = times(long, "die"), times(long, "connect")[1:]
    assert len(connects) >= 4
    assert all(again - died < 0.4 for died, again in zip(dies, connects, strict=False))


def test_on_failure_stops_at_its_maximum_and_at_a_good_exit() -> None:
    """on-failure:3 restarts three times; an exit with 0 ends it at once."""
    counts = {}
    for code in (1, 0):
        text = CRASHING.replace("always", "on-failure:3").replace("code: 1", f"code: {code}")
        counts[code] = Counter(events(run(text + "until: 60s\n")).split())["start"]
    assert counts == {1: 4, 0: 1}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill web", "kill9 die137 disconnect"),
        ("restart web", "kill15 die0 disconnect stop connect start restart"),
        ("stop -t 3 web", "kill15 die0 disconnect stop"),
        ("kill -s TERM web", "kill15 die0 disconnect"),
    ],
)
def test_a_command_says_its_events_in_order(command: str, words: str) -> None:
    """kill, restart and stop say the events of engine-1.13 §3.2."""
    assert events(run(WEB + f"steps: [{{at: 1s, docker: {command}}}]\nuntil: 20s\n")) == words


def test_containerd_starts_ten_at_once_and_queues_ten() -> None:
    """T54: with more starts than ten workers and ten places the main loop stands still, and all come up in the end."""
    names = ", ".join(f"s{number}: {{image: nginx}}" for number in range(30))
    steps = "[{systemctl: start docker}, {at: 5s, compose: up -d}]"
    found = run(f"host: {{begin: off, cores: 64}}\nservices: {{{names}}}\nsteps: {steps}\nuntil: 60s\n")
    replay, most = Replay(found.trace), Counter[str]()
    while replay.step():
        world = replay.world
        pid = world.host.listeners.get(paths.CONTAINERD_SOCK)
        if pid is not None:
            most["workers"] = max(most["workers"], world.running(pid, "containerd.worker"))
            for queue in ("start_tasks", "tasks"):
                most[queue] = max(most[queue], len(world.queue(pid, queue)))
    assert (most["workers"], most["start_tasks"]) == (10, 10)
    assert most["tasks"] >= 5  # nobody takes them
    assert Counter(process.image.program for process in found.at().host.procs.values())["payload"] == 30


def test_systemd_starts_dockerd_five_times_and_no_more() -> None:
    """T50: five new dockerds, then the unit has failed."""
    found = run(text_of("T50"))
    after = [it.event for it in found.trace if (it.at or 0) > found.trace.origin]
    assert sum(isinstance(event, Exited) for event in after) >= 6
    ours = [event for event in after if isinstance(event, Forked) and event.ppid == 1]
    assert len(ours) == 5
