"""A folder of its own for each test, and the command line called in this process."""

import io
import sys
from dataclasses import dataclass

import pytest

from sim.cli import main

SMALL = """\
title: A small host
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 500ms}}
  db: {image: postgres, ports: ["5432:5432"], restart: always}
steps:
  - {id: shot, at: 60s, kill: dockerd}
until: shot+30s
expect:
  - {at: shot+100ms, process: payload/web, parent: shim/web}
  - {at: end, container: all, status: running}
"""
FAILING = SMALL.replace("parent: shim/web", "parent: init")


@dataclass
class Said:
    """What a command left: exit status, stdout, stderr."""

    status: int
    out: str
    err: str


class Stdin(io.TextIOWrapper):
    """Standard input with these bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder with one scenario, small.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def shimulator(capsys, monkeypatch):
    """Return a function that calls the command line and returns what it said; never a traceback."""

    def call(*words: object, stdin: bytes | None = None) -> Said:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", Stdin(stdin))
        capsys.readouterr()
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return call


@pytest.fixture
def stored(shimulator, folder):
    """Return the folder of a stored run of small.yaml."""
    assert shimulator("run", "small.yaml", "-q").status == 0
    return folder / "runs" / "small"
