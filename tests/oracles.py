"""Oracles: what an engine is known to do, as a number with its source, beside what a run gives (`make oracles`).

A row has a check, what is expected and whence, a scenario, what is measured of a run, and how many seeds. A value of
each seed must lie in the expected range; where only all seeds together have a value (a share, a median), `of` makes it,
and the range of a share is its binomial interval at 3.3 standard deviations. Leaves out: NOT_MEASURED, with reasons.
Source: engine-1.13 §7.1, §17, §21.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Sequence
from functools import cache
from math import inf, sqrt
from statistics import fmean
from typing import Any, NamedTuple

from sim.experiment.run import Run, run_scenario
from sim.facts import WriteBlocked
from sim.kernel.events import Execed, Exited, Listened, Signalled
from sim.scenario import Scenario, load
from tests.measures import (
    STARTERS,
    address,
    answered,
    attempts,
    code,
    ends,
    error_of,
    exit_status,
    happened,
    healthy,
    idle_tree,
    lives,
    log_lines,
    longest_pause,
    new_ones,
    parents,
    pid,
    ps_columns,
    said,
    second,
    step_at,
    was_told,
    words_of,
)
from tests.oracle_runs import (
    AWAY,
    BLOCKED,
    BOOT,
    DEAD,
    DOWN,
    FIVE,
    HANG,
    JAVA,
    LINES,
    LOOP,
    MANY,
    PROBED,
    RUNC_CREATE,
    SHORT,
    SILENT,
    SLOW,
    STANDS,
    TOLD,
    WEB,
    containerd_ready_after,
)
from tests.rows import SCENARIOS

Values = Sequence[Any]


class Between(NamedTuple):
    """Numbers from *low* to *high*, both in."""

    low: float
    high: float

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int | float) and self.low <= number <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g}"


class Oracle(NamedTuple):
    """One row. *expected* is in the source's words, *within* the range that is asked for.

    *asks* says of which of the seeds' runs it can be asked; there must be one.
    """

    check: str
    source: str
    expected: str
    within: Container[Any]
    scenario: str | Scenario  # text, the name of a bundled one, or a row
    measure: Callable[[Run], Any]
    seeds: int = 1
    of: Callable[[Values], float] | None = None
    asks: Callable[[Run], bool] = lambda _: True


class Measured(NamedTuple):
    """What the seeds of a row gave, and whether it is as expected."""

    holds: bool
    text: str


def measured(row: Oracle) -> Measured:
    """Run a row's scenario with its seeds and compare."""
    scenario = row.scenario
    if isinstance(scenario, str):
        scenario = _loaded(scenario)
    runs = (_run(scenario, seed) for seed in range(1, row.seeds + 1))
    values = [row.measure(it) for it in runs if row.asks(it)]
    assert values, f"{row.check}: no run can be asked"
    if row.of is not None:
        value = row.of(values)
        return Measured(value in row.within, f"{value:.3g}")
    return Measured(all(value in row.within for value in values), _text(values))


@cache
def _loaded(text: str) -> Scenario:
    return load("oracle.yaml", text) if "\n" in text else load(text)


_runs: dict[tuple[int, int], Run] = {}  # of the scenarios that several rows share


def _run(scenario: Scenario, seed: int) -> Run:
    key = id(scenario), seed
    if key not in _runs:
        _runs[key] = run_scenario(scenario, seed)
    return _runs[key]


def _text(values: Values) -> str:
    kinds = sorted(set(values), key=str)
    if len(kinds) <= 3:
        return ", ".join(f"{it:.4g}" if isinstance(it, float) else str(it) for it in kinds)
    return f"{min(values):.3g} … {max(values):.3g}"


def share(p: float, n: int) -> Between:
    """Return the range of a share of *n* runs whose true value is *p*: 3.3 standard deviations on each side."""
    off = 3.3 * sqrt(p * (1 - p) / n)
    return Between(max(p - off, 0.0), min(p + off, 1.0))


def percentile(q: float) -> Callable[[Values], float]:
    """Return a function that gives the value below which a share *q* of all lies."""
    return lambda values: sorted(values)[min(int(q * len(values)), len(values) - 1)]


GAP = "§7.1 [C]; gap open"  # tests/monte_carlo.py: the sheet's computation lets nobody connect between USR1 and KILL


ORACLES = (
    # -- §17 --------------------------------------------------------------------------------------------------------
    Oracle("lone start: shim - proxy", "§17 [DOC]", "6 or 7", {6, 7}, SCENARIOS["T1"],
           lambda it: pid(it, "shim") - pid(it, "proxy"), 20),
    Oracle("lone start: payload - shim", "§17 [DOC]", "17", {17}, SCENARIOS["T1"],
           lambda it: pid(it, "payload") - pid(it, "shim"), 20),
    Oracle("proxy < shim < payload", "§17", "yes", {True}, SCENARIOS["T1"],
           lambda it: pid(it, "proxy") < pid(it, "shim") < pid(it, "payload"), 20),
    Oracle("ps: ppid, pgid, sid of proxy, shim, payload, java", "§17 [DOC]", "as the document", {True},
           JAVA + "until: 1s\n", ps_columns),
    Oracle("idle tree of six containers", "§17 [DOC]", "6 shims of 10 tasks, all of containerd's children",
           {"1 dockerd, 17 tasks, 6 of 6 shims with {10} tasks, 6 payloads, 6 proxies"}, "document", idle_tree),
    Oracle("restart of one of .2 to .6: its address", "§17 [DOC]", "its old one", {True},
           FIVE + "steps: [{id: again, at: 1s, docker: restart s2}]\nuntil: 20s\n",
           lambda it: address(it, "again-1ms") == address(it, "end"), 5),
    Oracle("stop of sh -c java, s", "§17", "10", Between(10.0, 10.5),
           JAVA + "steps: [{id: stop, at: 1s, docker: stop web}]\nuntil: 20s\n", lambda it: answered(it, "stop"), 5),
    Oracle("stop of sh -c java, code", "§17", "137", {"137"},
           JAVA + "steps: [{id: stop, at: 1s, docker: stop web}]\nuntil: 20s\n", code, 5),
    Oracle("crash loop: pauses, beyond 0.1 s doubled each time, s", "§17 [S]", "the exit's part of 0.5 to 0.9",
           Between(0.0, 0.5), LOOP, attempts, 5),
    Oracle("crash loop: a start and an exit, mean, s", "§17 [K]", "about 0.5 to 0.9", Between(0.45, 0.9),
           LOOP.replace("nginx,", 'nginx, ports: ["80:80"],'), lambda it: fmean(lives(it)), 5),
    Oracle("crash loop, runs of 11 s: pauses, beyond 0.1 s, s", "§17 [S]", "the exit's part of 0.5 to 0.9",
           Between(0.0, 0.5), LOOP.replace("10ms", "11s"), longest_pause, 5),
    Oracle("containerd killed: the new one after, s", "§17 [C]", "1.0 to 1.5", Between(0.99, 1.51), DOWN,
           lambda it: happened(it, Execed, "containerd")[0] - 60, 40),
    Oracle("containerd killed: who is the shims' parent", "§17 [S]", "PID 1", {1}, DOWN,
           lambda it: it.at().host.procs[pid(it, "shim")].ppid, 5),
    Oracle("containerd stopped: first kill after, s", "§17 [C]", "9.1 to 9.6", Between(9.09, 9.61), HANG,
           lambda it: ends(it, "containerd") - 60, 40),
    Oracle("containerd stopped: share with two new ones or more", "§17 [C]", "practically always",
           Between(0.95, 1.0), HANG, lambda it: new_ones(it) >= 2, 40, fmean),
    Oracle("dockerd killed, payload deaf: it ends after, s", "§17 [I moby#22895]", ">= 10", Between(10.0, 16.0),
           SCENARIOS["T47"], lambda it: ends(it, "payload") - step_at(it, "kill"), 5),
    Oracle("dockerd killed, payload deaf: code", "§17 [I moby#22895]", "137", {"137"}, SCENARIOS["T47"], code, 5),
    Oracle("systemctl stop, all obey TERM, s", "§17", "< 2", Between(0.0, 2.0), SCENARIOS["T38"],
           lambda it: ends(it, "dockerd") - step_at(it, "stop"), 5),
    Oracle("systemctl stop, one is deaf, s", "§17", "10 to 11", Between(10.0, 11.5), SCENARIOS["T40"],
           lambda it: ends(it, "dockerd") - step_at(it, "stop"), 5),
    Oracle("systemctl stop, a shim stands still, s", "§17", "<= 15 + 15", Between(15.0, 30.0),
           WEB + "steps: [{at: 1s, stop: shim/web}, {id: stop, at: 2s, systemctl: stop docker}]\nuntil: 60s\n",
           lambda it: ends(it, "dockerd") - step_at(it, "stop"), 5),
    Oracle("shim killed while containerd is down: code", "§17 [I moby#32596]", "255", {"255"}, SCENARIOS["T28"],
           code, 5, asks=was_told),
    Oracle("reboot: code", "§17", "255", {"255"}, SCENARIOS["T51"], code, 5),
    # -- §21 --------------------------------------------------------------------------------------------------------
    Oracle("who starts shim and runc", "§21 [E], §1.1 [S]", "create below the shim, start and delete below containerd",
           {True}, SCENARIOS["T7"], lambda it: parents(it) == STARTERS),
    Oracle("what a shim is called with", "§21 [E]", "id, bundle, runtime",
           {"ID BUNDLE /usr/libexec/docker/docker-runc-current"}, SCENARIOS["T1"], lambda it: words_of(it, "shim")),
    Oracle("what runc create is called with", "§21 [E]", "log, create, bundle, console, pid file, id",
           {RUNC_CREATE}, SCENARIOS["T1"], lambda it: words_of(it, "runc")),
    Oracle("signals that a shim can catch: its payload after", "§21 [E]", "alive", {True}, SCENARIOS["T29"],
           lambda it: pid(it, "payload") > 0, 3),
    Oracle("shim killed, containerd its parent: payload ends after, ms", "§21 [E]", "8", Between(0, 15),
           SCENARIOS["T26"], lambda it: 1000 * (ends(it, "payload") - ends(it, "shim")), 20),
    Oracle("shim killed, containerd its parent: code", "§21 [E]", "137", {"137"}, SCENARIOS["T26"], code, 5),
    Oracle("orphaned shim killed, a new containerd is up: code", "§21 [E]", "137", {"137"}, SCENARIOS["T27"], code, 5),
    Oracle("containerd, then shim killed: code", "§21 [E]", "255", {"255"}, SCENARIOS["T28"], code, 5, asks=was_told),
    Oracle("containerd, then shim killed: die after the new one listens, s", "§21 [E]", "1 s after its restore",
           Between(1.0, 2.0), SCENARIOS["T28"],
           lambda it: said(it, "die")[0][0] - happened(it, Listened, "containerd")[0], 5, asks=was_told),
    Oracle("containerd killed, payload takes TERM: code", "§21 [E]", "143", {"143"},
           TOLD + "steps: [{id: down, at: 1s, kill: containerd}, {at: 1.1s, kill: payload/web, signal: TERM}]\n"
           "until: 60s\n", code, 5, asks=was_told),
    Oracle("containerd killed: lines of events.log before and after", "§21 [E]", "some, then 0", {"some, then 0"},
           TOLD + "steps: [{at: 1s, docker: restart web}, {id: down, at: 5s, kill: containerd}]\nuntil: 60s\n",
           log_lines, 5),
    Oracle("containerd killed, payload takes TERM: die after the new one listens, s", "§21 [E]", "1",
           Between(1.0, 2.0),
           TOLD + "steps: [{id: down, at: 1s, kill: containerd}, {at: 1.1s, kill: payload/web, signal: TERM}]\n"
           "until: 60s\n", lambda it: said(it, "die")[0][0] - happened(it, Listened, "containerd")[0], 5,
           asks=was_told),
    Oracle("start with a state folder that exists", "§21 [E]", "file exists", {True}, SCENARIOS["T35"],
           lambda it: "file exists" in error_of(it, "again"), 5),
    Oracle("25 starts of 6 s: a kill of another container waits until, s", "§21 [E]", "6.9", Between(5.9, 7.4), MANY,
           lambda it: 1 + answered(it, "kill"), 3),
    Oracle("25 starts of 6 s: State of another container waits until, s", "§21 [E]", "6.9", Between(5.9, 7.4), MANY,
           lambda it: 1 + answered(it, "top"), 3),
    Oracle("an exec whose runc needs 4 s: another kill waits, s", "§21 [E]", "3.7", Between(3.4, 4.0), SLOW,
           lambda it: answered(it, "kill"), 5),
    Oracle("an exec whose runc needs 4 s: State of another waits, s", "§21 [E]", "3.7", Between(3.4, 4.0), SLOW,
           lambda it: answered(it, "ask"), 5),
    Oracle("an exec whose runc needs 4 s: another's exit is late by, s", "§21 [E]", "3.8", Between(3.4, 4.1), SLOW,
           lambda it: said(it, "die", "exit")[0][0] - step_at(it, "shot"), 5),
    Oracle("dockerd stopped, 100-byte lines: written until a write blocks, bytes", "§21 [E]",
           "128 100; a buffer of 32 KiB more where copy does not splice", {64_000 + 32_768 + 64_000}, LINES,
           lambda it: next(fact.event.count for fact in it.trace if isinstance(fact.event, WriteBlocked))),
    Oracle("payload killed behind blocked output: die", "§21 [E]", "none", {0},
           BLOCKED, lambda it: len(said(it, "die")), 3),
    Oracle("payload killed behind blocked output: what the shim has written", "§21 [E]", "137 at once", {137}, BLOCKED,
           lambda it: exit_status(it, "shot+1ms"), 3),
    Oracle("the same, then containerd and the reader anew: code, shim", "§21 [E]", "137, with ppid 1 for good",
           {("137", 1)}, SCENARIOS["T10#3"], lambda it: (code(it), it.at("again-1s").host.procs[pid(it, "shim")].ppid)),
    Oracle("torn process.json, containerd anew: shim and payload", "§21 [E]", "alive, untracked", {True},
           SCENARIOS["V2"], lambda it: pid(it, "payload", "late-1s") > 0 and pid(it, "shim", "late-1s") > 0, 5),
    Oracle("cut-off line in events.log: containerd lives for, s", "§21 [E]", "it exits at once", Between(0, 0.6),
           SCENARIOS["T37"],
           lambda it: happened(it, Exited, "containerd")[1] - happened(it, Execed, "containerd")[0], 5),
    Oracle("State of a container whose payload is dead, its exit not processed", "§21 [E]", "the call fails", {True},
           DEAD, lambda it: "get all pids for container: exit status 1" in error_of(it, "top"), 3),
    # -- §3.2, §20 --------------------------------------------------------------------------------------------------
    Oracle("stop of a container whose exit was lost: answered after, s", "§3.2 [S]", "10 + 10", Between(19.9, 20.1),
           SCENARIOS["T14"], lambda it: answered(it, "stop"), 3),
    Oracle("stop while containerd is away: an error after, s", "§3.2 [S]", "2", Between(1.9, 2.1),
           AWAY, lambda it: answered(it, "it"), 5),
    Oracle("a leftover that dockerd's boot cannot kill: die after TERM, s", "§6 step 5 [S]", "10 + 2",
           Between(11.9, 12.1), SCENARIOS["T47b"],
           lambda it: said(it, "die")[0][0] - happened(it, Signalled, "payload")[0], 3),
    Oracle("a start without a pid file: its shim is killed after, s", "§2 step 16 [S]", "120", Between(119.9, 120.1),
           SCENARIOS["T5"], lambda it: ends(it, "shim") - happened(it, Execed, "shim")[0], 3),
    Oracle("a proxy that says nothing: INT after, s", "§2 step 3 [S]", "16", Between(15.9, 16.1),
           SILENT, lambda it: happened(it, Signalled, "proxy")[1] - happened(it, Execed, "proxy")[0], 3),
    Oracle("systemctl stop, containerd stands still: KILL after TERM, s", "§5 [S]", "15", Between(14.9, 15.1),
           STANDS, lambda it: happened(it, Signalled, "containerd")[-1] - happened(it, Signalled, "containerd")[-2], 3),
    Oracle("containerd stands still: KILL after USR1, s", "§7.1 [S]", "0.1", Between(0.09, 0.11), HANG,
           lambda it: happened(it, Signalled, "containerd")[2] - happened(it, Signalled, "containerd")[1], 5),
    Oracle("health checks: from the end of a probe to the next, s", "§3.3 [S]", "30", Between(30.0, 30.5),
           PROBED, lambda it: happened(it, Execed, "exec-shim")[1] - happened(it, Exited, "exec-shim")[0], 3),
    # -- §7.1 -------------------------------------------------------------------------------------------------------
    Oracle("crash, S = 0.05 s: share with a second one", "§7.1 [C]", "0.28", share(0.28, 200),
           containerd_ready_after(0.05, DOWN), second, 200, fmean),
    Oracle("crash, S = 0.05 s: new ones, mean", GAP, "1.33 (1.5)", Between(1.2, 1.5),
           containerd_ready_after(0.05, DOWN), new_ones, 200, fmean),
    Oracle("crash, S = 0.05 s: connected after, p50, s", GAP, "2.6 (2.9 with the next check)", Between(2.45, 2.8),
           containerd_ready_after(0.05, DOWN), healthy, 200, percentile(0.5)),
    Oracle("crash, S = 0.05 s: connected after, p95, s", GAP, "4.1 (5.7)", Between(3.6, 5.6),
           containerd_ready_after(0.05, DOWN), healthy, 200, percentile(0.95)),
    Oracle("crash, S = 0.8 s: share with a second one", "§7.1 [C]", "0.28", share(0.28, 100),
           containerd_ready_after(0.8, DOWN), second, 100, fmean),
    Oracle("crash, S = 0.8 s: new ones, mean", GAP, "2.2 (4.0)", Between(1.4, 4.0),
           containerd_ready_after(0.8, DOWN), new_ones, 100, fmean),
    Oracle("crash, S = 1.2 s: share with a second one", "§7.1 [C]", "0.55", share(0.55, 40),
           containerd_ready_after(1.2, SHORT), second, 40, fmean),
    Oracle("hang, S = 0.05 s: share with a second one", "§7.1 [C]", "1.0", {1.0},
           containerd_ready_after(0.05, HANG), second, 60, fmean),
    Oracle("hang, S = 0.05 s: new ones, mean", GAP, "2 … 3.2", Between(2.0, 3.2),
           containerd_ready_after(0.05, HANG), new_ones, 60, fmean),
    Oracle("hang, S = 0.05 s: connected after, p50, s", GAP, "12.3 with the next check", Between(11.0, 12.3),
           containerd_ready_after(0.05, HANG), healthy, 60, percentile(0.5)),
    Oracle("crash, S = 2 to 12 s: connected after, s", "§7.1 [C]", "never from 1.5 s on", {inf}, SCENARIOS["T30#3"],
           healthy, 3),
    Oracle("hang, S = 2 to 12 s: connected after, s", "§7.1 [C]", "never from 1.5 s on", {inf},
           HANG.replace("[{", "[{host: {slow: {containerd: 40}}}, {"), healthy, 3),
    Oracle("boot, S = 0.05 s: connected after, s", "§6 step 3 [S]", "1.0 and more", Between(1.0, 1.5),
           containerd_ready_after(0.05, BOOT), healthy, 10),
    Oracle("boot, S = 1.05 s: share with a second one", "§6 step 3 [C]", "always", {1.0},
           containerd_ready_after(1.05, BOOT), second, 10, fmean),
    Oracle("boot, S = 1.6 s: connected after, s", "§6 step 3, §7.1 [C]", "never", {inf},
           containerd_ready_after(1.6, BOOT), healthy, 2),
)  # fmt: skip

HEAVY_TAILS = "crash, S = 0.8 s: p50, p95; S = 1.2 s: mean, p50, p95; hang, S = 0.8 s: mean, p50, p95 (§7.1)"
NOT_MEASURED = {
    "shim without a reader on its stdout fifo (§21)": "dockerd opens the fifos before it asks",
    "shim's working folder and stdio (§21)": "no rule reads them",
    "1.6 s until PID 1 of the test host reaps (§21)": "systemd reaps at once",
    HEAVY_TAILS: "hundreds of runs of ten minutes; tests/monte_carlo.py computes those of a crash",
}


def main() -> int:
    """Print the table; 1 if a row is not as expected."""
    good, head = 0, ("check", "source", "expected", "measured", "seeds")
    rows = []
    for row in ORACLES:
        found = measured(row)
        good += found.holds
        rows.append((row.check, row.source, row.expected, found.text, str(row.seeds), " " if found.holds else "✗"))
    widths = [max(len(it[n]) for it in (head, *rows)) for n in range(5)]
    for mark, *cells in ((" ", *head), *((it[5], *it[:5]) for it in rows)):
        line = "  ".join(f"{it:<{size}}" for it, size in zip(cells, widths, strict=True))
        sys.stdout.write(f"{mark} {line.rstrip()}\n")
    for check, reason in NOT_MEASURED.items():
        sys.stdout.write(f"- {check}: {reason}\n")
    sys.stdout.write(f"{good} of {len(rows)} as expected, {len(NOT_MEASURED)} not measured\n")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
