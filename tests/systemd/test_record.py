"""Check the recorder as far as it goes without a systemd: unit files, the log, the golden file, what it says."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.systemd.compare import golden
from tests.systemd.namespace import Line
from tests.systemd.record import GOLDEN, _states, main, unit_file, written

LOG = """\
<30>systemd[1]: web-0-a.service: Main process exited, code=killed, status=9/KILL
<28>systemd[1]: web-0-b.service: Failed with result 'timeout'.
<28>systemd[1]: web-0-a.service: Failed with result 'signal'.
<31>systemd[1]: web-0-a.service: Changed running -> failed-before-auto-restart
<31>systemd[1]: web-0-a.service: Changed failed-before-auto-restart -> auto-restart
"""


def test_a_unit_file_has_the_keys_of_its_story():
    """The story's keys take the place of the defaults; other units get its name before theirs."""
    text = unit_file(
        "tie-1", {"program": "ready", "Requires": "a.service", "KillMode": "mixed", "ExecReload": "kill -HUP"}
    )
    unit, _, service = text.partition("[Service]\n")
    assert {"Requires=tie-1-a.service", "StartLimitBurst=5"} <= set(unit.splitlines())
    wanted = {"Type=notify", "KillMode=mixed", "TimeoutStopSec=1s", "ExecReload=/bin/kill -HUP $MAINPID"}
    assert wanted <= set(service.splitlines())


def test_states_are_read_from_the_log():
    """The result of a line before goes with the next change of the same unit alone."""
    lines = [Line(number, 2.0 + number, text) for number, text in enumerate(LOG.splitlines())]
    assert list(_states(lines, "web-0-a")) == [
        (3, 5.0, "failed", "failed-before-auto-restart", "signal"),
        (4, 6.0, "activating", "auto-restart"),
    ]


def test_the_golden_file_is_as_it_would_be_written():
    """A story that is told anew changes no other row."""
    assert written(golden()["systemd"], golden()["stories"]) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("user", "there", "words"),
    [(1000, True, "take root"), (0, False, "not installed: unshare, nsenter, systemctl")],
)
def test_it_says_why_it_cannot_run(user: int, there: bool, words: str, monkeypatch, capsys):
    """In plain words, and with status 1; the golden file stays."""
    before = GOLDEN.read_bytes()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: name if there else None)
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert main([]) == 1
    assert words in capsys.readouterr().err
    assert GOLDEN.read_bytes() == before


def test_a_story_that_is_not_there(capsys):
    """Nothing is told."""
    assert main(["no-such"]) == 2
    assert "no story no-such" in capsys.readouterr().err
