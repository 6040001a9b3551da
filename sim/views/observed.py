"""In what the first tree differs from the table that was observed: each difference as a sentence.

Models: rows for which the model has no process, processes that no row tells of, parents and states that the model has
otherwise. Leaves out memory, which a table of the file does not say. Source: the project's scenario
language (`host.processes`).
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine.setup import Observed
from sim.engines.host.bystander import besides, missing
from sim.facts import OPENED
from sim.kernel.records import Process
from sim.trace import Replay, Trace
from sim.world import World

TOLD = 8  # so many differences are told, others are counted
MOMENTARY = "RSD"  # states that a process is in for a moment, and which the model does not tell apart


def unlike(trace: Trace) -> tuple[str, ...]:
    """Return what a run has otherwise at t = 0 than its file's table of processes; nothing where it has none."""
    if not trace.setup.host.processes:
        return ()
    found = list(differences(at_opening(trace)))
    more = len(found) - TOLD
    return tuple(found if more <= 0 else [*found[:TOLD], f"{more} more of this kind"])


def at_opening(trace: Trace) -> World:
    """Return the world at t = 0, before anything that begins there."""
    replay = Replay(trace)
    while replay.step() is not None and not replay.world.marks.get(OPENED):
        pass
    return replay.world


def differences(world: World) -> Iterator[str]:
    """Yield what is otherwise than observed in a world at t = 0."""
    for row in missing(world):
        whose = "" if row.target is None else f" ({row.target})"
        yield f"{row.pid}{whose} was observed, and the model has no such process then: left out"
    for process in besides(world):
        yield f"{_called(process)} runs in the model and was not observed"
    for row in world.setup.host.processes:
        if row.pid in world.host.procs:
            yield from _otherwise(row, world.host.procs[row.pid])


def _otherwise(row: Observed, process: Process) -> Iterator[str]:
    if row.ppid is not None and row.ppid != process.ppid:
        yield f"{_called(process)} was observed below {row.ppid}, and is below {process.ppid}"
    state = row.stat[:1]
    if state and state != process.state and not (state in MOMENTARY and process.state == "S" and not process.frozen):
        yield f"{_called(process)} was observed in state {state}, and is in state {process.state}"


def _called(process: Process) -> str:
    image = process.image
    return f"{process.pid} ({image.program}{f'/{image.container}' if image.container else ''})"
