"""Units of which a process takes no signal, such as one of a paused container: systemd gives them up.

A unit of `sleep` cannot be recorded in it: the freezer of cgroup v2 lets KILL through. Source: service.c of v219
(el7) and v257, service_enter_signal, service_dispatch_timer, service_sigchld_event, service_enter_stop_post.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Sleep, Wait
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import S
from sim.kernel import events as e
from tests.systemd.stories import DEFAULTS
from tests.systemd.toy import Went, design_of, never, tell

STOP, KILL, TERM = "stop", "kill -9 main", "kill -15 main"


def freeze(g: Goroutine) -> None:
    """Take no signal any more."""
    g.emit(e.Frozen(g.pid))


def thaw_child(g: Goroutine) -> None:
    """Let the child take its signals again."""
    child = next(pid for pid, it in g.world.host.procs.items() if it.image.program == "a-child")
    g.emit(e.Thawed(child))


def frozen(name: str) -> Program:
    return Program(name, (procedure(f"{name}.main", Do(freeze), Wait(never)),))


def told(monkeypatch: pytest.MonkeyPatch, does: str, *programs: Program, until: float = 9, **keys: str) -> Went:
    """Start a unit, and do something to it a second later; *programs* take the place of its own."""
    units = {"a": {**DEFAULTS, "program": "sleeps", **keys}}
    monkeypatch.setitem(DESIGNS, "toy", design_of("toy", units).like("toy", "toy", "none", *programs))
    acts: list[dict[str, Any]] = [{"at": at, "does": does, "unit": "a"} for at, does in ((0, "start"), (1, does))]
    return tell({"name": "toy", "units": units, "acts": acts, "until": until})


def way(went: Went) -> list[tuple[str, float]]:
    """Return the states of the unit from the act on, with seconds since it."""
    firsts = [next(same) for _, same in groupby(went.changes, key=lambda it: it.state)]
    return [(it.state, round(it.at - 1, 1)) for it in firsts if it.at > 0.9]


@pytest.mark.parametrize(
    ("mode", "does", "gone_after"),
    [
        # The main process has got TERM and is gone: stop-post, final-sigterm, final-sigkill.
        ("process", STOP, 0),
        ("mixed", STOP, 1),
        ("control-group", STOP, 2),
        # It ended by itself: stop-sigterm and stop-sigkill come before those; with mixed TERM concerns nobody.
        ("process", KILL, 0),
        ("mixed", KILL, 2),
        ("control-group", KILL, 4),
        ("mixed", TERM, 2),
        ("control-group", TERM, 4),
    ],
)
def test_what_takes_no_signal_is_given_up_after_the_time_of_each_phase(
    monkeypatch: pytest.MonkeyPatch, mode: str, does: str, gone_after: int
) -> None:
    """The frozen child stays, the unit has failed by a timeout."""
    went = told(monkeypatch, does, frozen("a-child"), program="parent", KillMode=mode)
    failed = gone_after > 0
    end = ("failed" if failed or does == KILL else "inactive", float(gone_after))
    assert way(went) == [("deactivating", 0.0), end] if failed or does == STOP else [end]
    assert went.left == {"a": ["child"]}
    if failed and does != KILL:
        assert went.results == {"a": "timeout"}


@pytest.mark.parametrize("mode", ["process", "mixed", "control-group"])
def test_a_main_process_that_takes_no_signal_is_given_up(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """TERM, KILL, and both again as the last signals; the stop is answered then."""
    went = told(monkeypatch, STOP, frozen("a"), KillMode=mode)
    assert way(went) == [("deactivating", 0.0), ("failed", 4.0)]
    assert (went.left, went.results) == ({"a": ["main"]}, {"a": "timeout"})
    assert (round(went.answers[1][0], 1), went.answers[1][1]) == (4.0, "")


def test_a_unit_whose_rest_takes_no_signal_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout at the last signal is a failure like any other to Restart=."""
    went = told(
        monkeypatch, KILL, frozen("a-child"), until=4.5, program="parent", KillMode="mixed", Restart="on-failure"
    )
    assert way(went) == [("deactivating", 0.0), ("auto-restart", 2.0), ("active", 3.0)]
    assert went.left == {"a": ["child", "child", "main"]}


def test_what_is_thawed_in_time_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """KILL has been sent, and is taken when the child goes on."""
    tables = (
        procedure("a.main", Fork(lambda g: Spawn("a-child", ("child",))), Wait(never)),
        procedure("a.leave", Sleep("leave", S // 5), Do(thaw_child), Exit(0)),
    )
    main = Program("a", tables, {"TERM": "leave"})
    went = told(monkeypatch, STOP, main, frozen("a-child"), program="parent", KillMode="mixed")
    assert way(went)[-1] == ("inactive", 0.2)
    assert (went.left, went.results) == ({"a": []}, {"a": "success"})


@pytest.mark.parametrize(("mode", "gone_after"), [("process", 3), ("mixed", 4), ("control-group", 5)])
def test_an_exec_stop_that_takes_no_signal_is_given_up(
    monkeypatch: pytest.MonkeyPatch, mode: str, gone_after: int
) -> None:
    """stop, stop-sigterm and stop-sigkill take a second each; then it is one of the group like others."""
    went = told(monkeypatch, STOP, frozen("a-ExecStop"), ExecStop="60s", KillMode=mode)
    assert way(went) == [("deactivating", 0.0), ("failed", float(gone_after))]
    assert (went.left, went.results) == ({"a": ["main"]}, {"a": "timeout"})


@pytest.mark.parametrize("mode", ["process", "mixed", "control-group"])
def test_an_exec_stop_post_that_takes_no_signal_is_given_up(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """stop-post, final-sigterm and final-sigkill take a second each."""
    went = told(monkeypatch, STOP, frozen("a-ExecStopPost"), ExecStopPost="60s", KillMode=mode)
    assert way(went) == [("deactivating", 0.0), ("failed", 3.0)]
    assert (went.left, went.results) == ({"a": ["main"]}, {"a": "timeout"})
