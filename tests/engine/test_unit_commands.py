"""ExecStop= and ExecStopPost= of a unit that hold up its stop, in ways that a unit of `sleep` cannot be recorded in.

Source: service.c service_dispatch_timer, service_enter_signal of v219 and v257; systemd.service(5) TimeoutStopSec=.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.engine.ops import Exit, Sleep, Wait
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import S
from tests.systemd.stories import DEFAULTS
from tests.systemd.toy import Went, design_of, never, tell

KEYS = {**DEFAULTS, "program": "sleeps", "ExecStopPost": "900ms"}


def told(monkeypatch: pytest.MonkeyPatch, program: Program, **keys: str) -> Went:
    """Start a unit, stop it a second later; *program* takes the place of one of its own."""
    units = {"a": {**KEYS, **keys}}
    monkeypatch.setitem(DESIGNS, "toy", design_of("toy", units).like("toy", "toy", "none", program))
    acts: list[dict[str, Any]] = [{"at": at, "does": does, "unit": "a"} for at, does in ((0, "start"), (1, "stop"))]
    return tell({"name": "toy", "units": units, "acts": acts, "until": 9})


@pytest.mark.parametrize("mode", ["process", "mixed", "control-group"])
def test_a_command_that_does_not_heed_term_is_killed_with_the_main_process(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """ExecStop= gets TERM after TimeoutStopSec= and KILL after another; then ExecStopPost= runs."""
    deaf = Program("a-ExecStop", (procedure("a-ExecStop.main", Sleep("sleep", 60 * S)),), ignored=frozenset({"TERM"}))
    went = told(monkeypatch, deaf, ExecStop="60s", KillMode=mode)
    took_s, error = went.answers[1]
    assert took_s == pytest.approx(2.9, abs=0.1)
    assert error == ""
    assert (went.changes[-1].state, went.left, went.results) == ("failed", {"a": []}, {"a": "timeout"})


def test_what_is_left_of_the_time_of_a_stop_is_not_that_of_exec_stop_post(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main process takes 0.5 s to end and the command 0.9 s, of 1 s each."""
    slow = Program(
        "a",
        (procedure("a.main", Wait(never)), procedure("a.leave", Sleep("leave", S // 2), Exit(0))),
        {"TERM": "leave"},
    )
    went = told(monkeypatch, slow, ExecStop="100ms")
    took_s, error = went.answers[1]
    assert took_s == pytest.approx(1.5, abs=0.1)
    assert error == ""
    assert (went.changes[-1].state, went.results) == ("inactive", {"a": "success"})


@pytest.mark.parametrize(("heeds", "took"), [(True, 1.3), (False, 2.1)])
def test_exec_stop_post_gets_term_before_kill(monkeypatch: pytest.MonkeyPatch, heeds: bool, took: float) -> None:
    """After 0.1 s of ExecStop= it has 1 s, then 1 s more; the one that heeds TERM leaves 0.2 s after it."""
    name = "a-ExecStopPost"
    tables = (
        procedure(f"{name}.main", Sleep("sleep", 60 * S)),
        procedure(f"{name}.leave", Sleep("leave", S // 5), Exit(0)),
    )
    handlers, ignored = ({"TERM": "leave"}, frozenset[str]()) if heeds else ({}, frozenset({"TERM"}))
    went = told(monkeypatch, Program(name, tables, handlers, ignored), ExecStop="100ms")
    took_s, error = went.answers[1]
    assert took_s == pytest.approx(took, abs=0.1)
    assert error == ""
    assert (went.changes[-1].state, went.left, went.results) == ("failed", {"a": []}, {"a": "timeout"})
