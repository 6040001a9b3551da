"""--live reads this host: its /proc, with psutil or without, and the commands of its engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.intake import live, scenario_from
from sim.scenario import load


@pytest.fixture(params=["psutil", "/proc"])
def reader(request, monkeypatch):
    """With psutil, and as if it was not installed."""
    if request.param == "psutil":
        pytest.importorskip("psutil")
    else:
        monkeypatch.setitem(sys.modules, "psutil", None)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_a_process_of_this_host_is_found(reader):
    """Its parent, its threads and its start are those of the kernel."""
    child = subprocess.Popen(["sleep", "77"])
    try:
        rows = {row.pid: row for row in live.processes(live.PROC)}
    finally:
        child.kill()
        child.wait()
    assert (rows[child.pid].ppid, rows[child.pid].args, rows[child.pid].threads) == (os.getpid(), "sleep 77", 1)
    assert abs(rows[child.pid].started - rows[os.getpid()].started) < 100_000
    assert rows[os.getpid()].args == live.RECORDER


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_this_host_becomes_a_scenario(reader, monkeypatch):
    """Whatever runs here: the text loads."""
    monkeypatch.setattr(live, "COMMANDS", ())
    text, _ = scenario_from(live=True)
    assert load("x.yaml", text).setup.services == ()
    assert f"pid: {os.getpid()}," not in text


def test_a_system_without_proc_is_told_what_to_do(tmp_path, monkeypatch):
    """The collector is named."""
    monkeypatch.setattr(live, "processes", lambda proc: iter(()))
    with pytest.raises(InputError, match="--collector"):
        live.live_sources(tmp_path)


def test_what_a_command_lists_is_asked_for(monkeypatch):
    """Numbers of `ps -aq` follow `inspect`; without one it is not called."""
    called = []
    monkeypatch.setattr(live.shutil, "which", lambda name: name if name in ("docker", "crictl") else None)
    monkeypatch.setattr(
        live, "_said", lambda words: called.append(words) or ("a\nb\n" if words[:2] == ["docker", "ps"] else "")
    )
    list(live.outputs())
    assert ["docker", "inspect", "a", "b"] in called
    assert not [words for words in called if words[:2] == ["crictl", "inspect"]]
