"""What the tests exercise of the model, written down as they run and told as a table at the end: `make coverage`.

With SHIMULATOR_COVERAGE set, each step of the model notes what it exercises, wherever it is taken: by a timed run, an
exploration or a test. What is new goes at once into a file of the process that found it, so that those of a pool and of
pytest-xdist count too. Leaves out programs that a test starts afresh (`python -m sim`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import pytest

from sim import model
from sim.designs import DESIGNS
from sim.drive.explore.tape import Tape, TapedWorld
from sim.drive.turn import TimedTurn
from sim.kernel.records import OUTSIDE
from sim.model import Action
from sim.render.coverage_text import coverage_table
from sim.views.coverage import Named, coverage, exercised_in
from sim.world import Turn

ASKED = "SHIMULATOR_COVERAGE"  # set by whoever asks; the folder for those that the asked one starts

Act = Callable[[Turn, Action], None]


class Told:
    """A plugin of pytest: records, and tells in the process that prints."""

    def __init__(self, config: pytest.Config) -> None:
        self.asked = os.environ[ASKED]
        self.is_worker = hasattr(config, "workerinput")
        self.folder = Path(self.asked if self.is_worker else mkdtemp(prefix="shimulator-coverage-"))
        os.environ[ASKED] = str(self.folder)
        record(self.folder)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print a table for each design."""
        for design in DESIGNS.values():
            terminalreporter.section(f"{design.name}: exercised by these tests")
            terminalreporter.write(coverage_table(coverage(design, recorded(self.folder))))

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        if not self.is_worker:
            os.environ[ASKED] = self.asked
            shutil.rmtree(self.folder)


def recorded(folder: Path) -> set[Named]:
    """Return what all processes wrote."""
    found = set()
    for path in folder.iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, _, name = line.partition(" ")
            found.add((kind, name))
    return found


def record(folder: Path) -> None:
    """Let each step from now on note in *folder* what it exercises, wherever it is taken."""
    known: set[Named] = set()
    plain = model.act

    def tell(found: set[Named]) -> None:
        new = found - known
        if new:
            known.update(new)
            with (folder / str(os.getpid())).open("a", encoding="utf-8") as file:
                file.writelines(f"{kind} {name}\n" for kind, name in sorted(new))

    act = noting(plain, tell)
    TimedTurn.emit = keeping(TimedTurn.emit)  # type: ignore[assignment, method-assign]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "sim" and vars(module).get("act") is plain:
            module.act = act  # type: ignore[attr-defined]


def noting(plain: Act, tell: Callable[[set[Named]], None]) -> Act:
    """Return an act that tells what each step exercised."""

    def act(turn: Turn, action: Action) -> None:
        if isinstance(turn, TimedTurn):
            turn.events.clear()
        first, before = len(turn.events), world_before(turn.world, action)
        plain(turn, action)
        tell(exercised_in(before, action, turn.events[first:]))

    return act


def keeping(emit: Callable[[TimedTurn, Any], None]) -> Callable[[TimedTurn, Any], None]:
    """Return an emit that keeps the events of a step in the turn, as that of a plain turn does."""

    def keep(turn: TimedTurn, event: Any) -> None:
        emit(turn, event)
        if not turn.events or turn.events[-1] is not event:  # it may keep them already
            turn.events.append(event)

    return keep


def world_before(world: Any, action: Action) -> Any:
    """Return what is asked of the world before a step, as it is now: a world is changed in place."""
    if isinstance(world, TapedWorld):
        return TapedWorld(world, Tape(world.tape.space, world.tape.state))
    fid = getattr(action, "fid", None)
    frames = {fid: world.frames[fid]} if fid in world.frames else {}
    replies = (fid,) if fid in world.replies else ()
    befalls = fid is None or fid[0] == OUTSIDE  # a step that may kill: who is killed may be gone after it
    host = SimpleNamespace(procs=dict(world.host.procs)) if befalls else world.host
    return SimpleNamespace(design=world.design, host=host, frames=frames, replies=replies)
