"""Branches of one run before a step: each is the whole run of its own setup, to the byte."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

import sim
from sim.designs import DESIGNS
from sim.designs.takes import refusal
from sim.drive.branch import Stem, kin
from sim.drive.timed import Timed
from sim.engine.setup import (
    FillDisk,
    Instant,
    Journald,
    KillProcess,
    LosePower,
    OutOfMemory,
    S,
    Setup,
    Step,
    Systemctl,
    Target,
    Upgrade,
)
from sim.tracefile import lines

STEP = "act"
HOST = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 500ms, on_term: {exit: 0, after: 200ms}}}
  job: {image: app, restart: unless-stopped, x-payload: {ready: 1s, on_term: none, children: [{argv: [java]}]}}
  sick: {image: app, x-payload: {exits: {code: 1, after: 9s}}, restart: on-failure}
  says: {image: app, restart: "no", x-payload: {log: {stdout: 10KiB/s}}}
"""
COMMANDS: dict[str, Any] = {
    "kill the engine": lambda d: KillProcess(Target(d.traits.engine)),
    "kill a payload": lambda d: KillProcess(Target("payload", "web")),
    "stop its holder": lambda d: KillProcess(Target("supervisor", "job"), "STOP"),
    "restart": lambda d: Systemctl("restart", d.traits.engine_unit or "docker"),
    "reboot": lambda d: Systemctl("reboot", ""),
    "power": lambda d: LosePower(5 * S),
    "memory": lambda d: OutOfMemory(),
    "disk": lambda d: FillDisk(),
    "journald": lambda d: Journald("restart"),
    "upgrade": lambda d: Upgrade(d.name, 0),
}


def host(design: str, begin: str = "") -> Setup:
    """Return a small host of a design."""
    return sim.load("x.yaml", text=f"engine: {{design: {design}}}\n{begin}{HOST}").setup


def acted(setup: Setup, command: Any, after: int = 3 * S) -> Setup:
    """Return a setup with one step more, the act."""
    return replace(setup, terminals=(*setup.terminals, (Step(STEP, Instant(offset=after), command),)))


def written(run: Timed) -> bytes:
    """Return a run's trace as it is written."""
    return b"".join(lines(run.run(), ""))


DESIGNS_TRIED = (
    "docker-1.10", "docker-1.13", "docker-26-separate", "podman", "podman-quadlet", "containerd-cri", "cri-o",
)  # fmt: skip


def commands(design: str) -> dict[str, Any]:
    """Return the commands that mean something on a design."""
    it = DESIGNS[design]
    made: dict[str, Any] = {word: make(it) for word, make in COMMANDS.items()}
    return {word: command for word, command in made.items() if refusal(it, command) is None}


CASES = [(design, word) for design in DESIGNS_TRIED if design in DESIGNS for word in commands(design)]


@pytest.mark.parametrize(("design", "word"), CASES)
def test_a_branch_is_the_whole_run_of_its_setup(design: str, word: str) -> None:
    """A branch of a run that stopped before another act has the bytes of a run from the begin."""
    setup = host(design)
    mine = acted(setup, commands(design)[word])
    others = [acted(setup, command) for command in commands(design).values()]
    first = next(other for other in reversed(others) if kin(other) == kin(mine))
    stem = Stem(first, 7, STEP)
    assert stem.grow()
    found = stem.branch(mine)
    assert written(found) == written(Timed(mine, 7))


def test_branches_leave_the_stem_as_it_was() -> None:
    """Two branches of one stem are equal, though a whole run of the first lies between them."""
    setup = acted(host("docker-26"), KillProcess(Target("dockerd")))
    stem = Stem(setup, 3, STEP)
    assert stem.grow()
    first = written(stem.branch(setup))
    assert written(stem.branch(setup)) == first
