"""The invariants of engine-1.13 §24 over every scenario of the transition table: which rows break which, and why.

Each scenario runs once and its trace is replayed once, with all properties asked on the way. A property and its rows
stand in one literal table: the rows that §24 names, and, with a reason, those that break it besides or do not break it
although §24 names them. `T30#2` is the second scenario of a file; V2, V4, V6, V23 are files of their own.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from sim.experiment.run import run_scenario
from sim.facts import EngineEvent, StepTaken
from sim.properties import NOT_MODELLED, PROPERTIES, SOMETIMES
from sim.scenario.verdict_properties import judge
from sim.trace import Trace
from tests.rows import SCENARIOS


class Broken(NamedTuple):
    """Who breaks an invariant: *named* are the rows of §24 that do, *besides* other rows and why they do.

    *not_these* are rows that §24 names and that do not break it here, and why.
    """

    named: str = ""
    besides: dict[str, str] = {}
    not_these: dict[str, str] = {}


LIKE_T14 = "it begins as T14"
CONTAINERD_DIES = "containerd dies in it, as in T30"
DOCKERD_DIES = "dockerd dies in it, and containerd with it, as in T43"
NOT_YET = "NOT_MODELLED"
FROZEN = "a frozen payload takes no KILL: it outlives what is said of it"
NO_DAEMON = "dockerd is away in it: no proxies, as in T43"

TABLE: dict[str, Broken] = {
    "V1": Broken("T10#4 T14 T31 T34 T36", {
        "T14b": LIKE_T14, "T37": "no containerd comes up to tell of the exit", "V2": "torn folder: nobody tells of it",
        "V4": "a shim that stands still tells nothing (§8 f)", "T47b": FROZEN,
    }, {"T10": "the file mends the log"}),
    "V2": Broken("T35 T35#3 V2", {"T47b": FROZEN}),
    "V3": Broken("T28 T28#2 T28#3", {"V6": "the same without end: no containerd comes"}),
    "V4": Broken("T28 T28#2 T28#3 T10#3", {
        "V6": "zero shims, without end", "T35#4": "a leaked shim beside that of the next start",
    }),
    "V4b": Broken("T10#3", {
        "T10#4": "it waits for the log", "V4 T40#2 T56#5": "it stands still, §8 f",
        "T35#4": "a shim that waits in open(2) for ever (§7.2)", "T49": "the same, where dockerd dies",
    }),
    "V5": Broken("T30 T30#2 T30#3 T43", {
        "T14 T14b T27 T27#2 T28 T28#2 T28#3 T31 T31#2 T32 T33 T33#2 T34 T35 T35#2 T35#3 T35#4 T36": CONTAINERD_DIES,
        "T36#2 T36#3 T37 V2 V6 V7": CONTAINERD_DIES,
        "T39 T40#2 T41 T42 T42#2 T44 T45 T45#2 T46 T47 T47#2 T47b T47b#2 T48 T48#2 T48#3 T49 T50": DOCKERD_DIES,
        "T49#2 T50#2": DOCKERD_DIES,
        "T51#7 T56 T56#2 T56#3 T56#4 T56#5 T56#6": DOCKERD_DIES,
        "T10#2": CONTAINERD_DIES, "T10#3": DOCKERD_DIES,
    }),
    "V6": Broken("", {"V6": "T28 without end"},
                 {"T28": "bounded in the row: the next containerd kills it"}),
    "V7": Broken("T28 T28#2 T28#3 T51 T51#2 T51#3 T51#4 T51#5 T51#7", {
        "V2": "255: containerd has no folder", "T47b": FROZEN,
    }),
    "V7b": Broken("V7"),
    "V8": Broken("T23 T23#2 T39 T48#2 T49 T49#2", {
        "T24": "as T23", "T25": "begins as T23",
        "T36#3 T42 T42#2 T43 T44 T45 T46 T47 T47#2 T47b T47b#2 T48 T50 T50#2 V2": NO_DAEMON,
        "T51#7 T56 T56#2 T56#3 T56#4 T56#6": NO_DAEMON,
        "T10#3": NO_DAEMON,
    }),
    "V9": Broken("T49 T49#2", {}, {"T10": "proxy and port stay, but the engine says that it runs"}),
    "V10": Broken("T9 T25 T36", {
        "T15": "at its end it waits for the next attempt: the unbounded backoff", "T37": "no exit is heard of: T31",
    }, {"T17": "the file goes on to dockerd's next start, which heals it", "T31": "the file has no policy"}),
    "V11": Broken("T15#2", {}, {"T15": "the file has always", "T17": "see V11b: not started where it should be"}),
    "V11b": Broken("T17#2", {"T15#2": "at its end it waits for the next attempt"}),
    "V12": Broken("T14", {
        "T36": "a deaf dockerd: the stop succeeds and the container is said to run",
        "T52": "the exit waits for the log; the stop gives up waiting, and succeeds",
    }),
    "V13": Broken("T16", {
        "T14b": "kill waits for an exit that never comes", "V20": "an exec waits for orphans that hold its output",
        "T46": "dockerd never serves",
    }),
    "V14": Broken("T48", {
        "T15 T15#2": "die of a container that was not running", "T47b#2 T48#2 T48#3 T56#3 T56#4": "as T48",
    }),
    "V14b": Broken("T34 T36", {
        "T14 T14b": "they begin as T34", "T31 T37": "no containerd tells of the exit", "V4": "§8 f",
        "T10#4": "the exit waits for the log",
    }),
    "V15": Broken("T34 T36", {"T14 T14b": "they begin as T34"}),
    "V17": Broken("T14b T46"),
    "V19": Broken("T47b V2"),
    "V20": Broken("T23#2 V20 V20#2", {"V4 T40#2 T56#5": "a stopped shim reaps nobody"},
                  {"T23": "the file stops the container: reaped"}),
    "V21": Broken("V2", {}, {"T35": "the ghost's start is repeated, no other container takes its address"}),
    "V22": Broken("T30#3 T31 T46", {
        "T37": "each new containerd dies", "V6": "T31", "T43": "it ends before the new dockerd is connected",
        "T56#4": "it ends before forty checks have failed",
    }),
    "V23": Broken("T54 V23", {"T47#2 T51#6": "several exits at one time, one after the other"}),
    "V24": Broken("T45 T45#2", {
        "T14b": "a stranger has a payload's number", "T46": "a stranger has containerd's number",
    }),
    "V25": Broken("T39 T43", {
        "T36#3 T42 T42#2 T44 T45 T46 T47 T47#2 T48 T48#2 T50 T50#2 T51#7 V2 T56 T56#2 T56#3 T56#4 T56#6": NO_DAEMON,
        "T10#3": NO_DAEMON,
    }),
    "V25b": Broken("T53#2", {
        "T48#3": "dockerd is killed, then stopped", "T10#3": "live-restore: it prints while no dockerd is there",
    }),
}  # fmt: skip

NEVER = {
    "V16": "a second one would need two dockerds past the pid file; tests/test_properties.py breaks it by hand",
    "V18": "Pdeathsig fails only at a change of SELinux domain, which is not modelled; broken by hand there too",
}


def rows_of(broken: Broken) -> set[str]:
    """Return every row that breaks an invariant."""
    return set(" ".join((broken.named, *broken.besides)).split())


@pytest.fixture(scope="session")
def broken_by() -> dict[str, set[str]]:
    """Run every scenario once and return, for each property, the rows that break it."""
    found: dict[str, set[str]] = {name: set() for name in PROPERTIES}
    for row, scenario in SCENARIOS.items():
        for name, outcome in judge(run_scenario(scenario).trace, PROPERTIES.values()).items():
            if not outcome.holds and PROPERTIES[name].kind != SOMETIMES:
                found[name].add(row)
    return found


@pytest.mark.parametrize("name", PROPERTIES)
def test_an_invariant_is_broken_by_the_rows_of_the_table_and_no_others(name: str, broken_by: dict) -> None:
    """A property falls in exactly the rows that stand beside it; laws of the kernel fall in none."""
    assert broken_by[name] == rows_of(TABLE.get(name, Broken()))


def test_every_invariant_is_broken_by_a_row_or_can_never_be() -> None:
    """V1 to V25 each have a row that breaks them, or a reason."""
    invariants = {name for name in PROPERTIES if name[0] == "V"}
    assert set(TABLE) | set(NEVER) == invariants
    assert not set(TABLE) & set(NEVER)
    assert all(rows_of(broken) for broken in TABLE.values())
    for name, broken in TABLE.items():
        assert all(broken.besides.values())
        for row, reason in broken.not_these.items():
            assert row not in rows_of(broken)
            assert reason != NOT_YET or name in NOT_MODELLED


def lag(row: str) -> float:
    """Return the seconds from the kill of a payload to its die."""
    trace: Trace = run_scenario(SCENARIOS[row]).trace
    shot = next(it.at for it in trace if isinstance(it.event, StepTaken) and it.event.id == "shot")
    died = next(it.at for it in trace if isinstance(it.event, EngineEvent) and it.event.action == "die")
    return ((died or 0) - (shot or 0)) / 1e6


def test_containers_are_not_independent_of_each_other() -> None:
    """V23: the exit of a container waits for the starts of thirty others (T54); alone it takes a fraction of a second.

    How long it waits is a matter of time, which no property of states can say.
    """
    assert lag("T54") > 10
    assert lag("T8") < 0.5
