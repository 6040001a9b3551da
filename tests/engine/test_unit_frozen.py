"""Units of which a process takes no signal, such as one of a paused container: systemd gives them up.

A unit of `sleep` cannot be recorded in it: the freezer of cgroup v2 lets KILL through. Source: service.c of v219
(el7) and v257, service_enter_signal, service_dispatch_timer, service_sigchld_event, service_enter_stop_post.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Sleep, Wait
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


def told(monkeypatch: pytest.MonkeyPatch, does: str, *programs: Program, **keys: str) -> Went:
    """Start a unit, and do something to it a second later; *programs* take the place of its own."""
    return acted(monkeypatch, {"a": {"program": "sleeps", **keys}}, programs, (1, does, "a"))


def acted(
    monkeypatch: pytest.MonkeyPatch,
    units: dict[str, dict[str, str]],
    programs: tuple[Program, ...],
    *acts: tuple[float, str, str],
    until: float = 9,
) -> Went:
    """Start each unit, and do what *acts* say."""
    units = {unit: {**DEFAULTS, **keys} for unit, keys in units.items()}
    monkeypatch.setitem(DESIGNS, "toy", design_of("toy", units).like("toy", "toy", "none", *programs))
    every = (*((0, "start", unit) for unit in units), *acts)
    done: list[dict[str, Any]] = [{"at": at, "does": does, "unit": unit} for at, does, unit in every]
    return tell({"name": "toy", "units": units, "acts": done, "until": until})


def way(went: Went) -> list[tuple[str, float]]:
    """Return the states of the unit from the act on, with seconds since it."""
    mine = (it for it in went.changes if it.unit == "a")
    firsts = [next(same) for _, same in groupby(mine, key=lambda it: it.state)]
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


def test_a_second_stop_does_not_begin_the_last_signals_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start takes the place of both, waits until the main process has been given up, and the unit stays up."""
    acts = (1, STOP, "a"), (1.5, STOP, "a"), (4.7, "start", "a")
    went = acted(monkeypatch, {"a": {"program": "sleeps"}}, (frozen("a"),), *acts)
    assert way(went) == [("deactivating", 0.0), ("failed", 4.0), ("active", 4.0)]
    assert [round(took, 1) for took, _ in went.answers] == [0.0, 3.7, 3.2, 0.3]


def test_a_unit_whose_rest_takes_no_signal_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout at the last signal is a failure like any other to Restart=."""
    unit = {"program": "parent", "KillMode": "mixed", "Restart": "on-failure"}
    went = acted(monkeypatch, {"a": unit}, (frozen("a-child"),), (1, KILL, "a"), until=4.5)
    assert way(went) == [("deactivating", 0.0), ("auto-restart", 2.0), ("active", 3.0)]
    assert went.left == {"a": ["child", "child", "main"]}


def test_what_is_thawed_in_time_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """KILL has been sent, and is taken when another unit's program lets the child go on, half a second later."""
    thaws = Program("b", (procedure("b.main", Sleep("thaw", 3 * S // 2), Do(thaw_child), Wait(never)),))
    units = {"a": {"program": "parent", "KillMode": "mixed"}, "b": {"program": "sleeps"}}
    went = acted(monkeypatch, units, (frozen("a-child"), thaws), (1, STOP, "a"))
    assert way(went) == [("deactivating", 0.0), ("inactive", 0.5)]
    assert (went.left["a"], went.results["a"]) == ([], "success")


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
