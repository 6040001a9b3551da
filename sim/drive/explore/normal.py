"""What a state leaves out, because nobody can tell: variables and numbers that are not read again.

* **Variables that are written before they are read again**: the tables LIVE_AT and DEAD_AT, and two rules for all
  procedures. A memory cell that holds what its readers take for a missing one: the table DEFAULTS. A counter beyond
  what makes a difference: the table AT_MOST.
* **Event numbers** of containerd's log. They are only compared and counted up. An entry that is not above the floor,
  the least number that dockerd has noted or may still note, is never sent again; all are lowered by the floor.
* **Moments** that came more often than any step or fault asks for.

Tests step with all of this cut out, and compare with the plain explorer.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.client import mark_name
from sim.engine.ops import Fork, Reap
from sim.engine.procedure import Procedure
from sim.engine.setup import Setup
from sim.facts import Message
from sim.kernel.events import FileWritten
from sim.model import OPENED, instants
from sim.world import Frame, World

LIVE_AT: dict[str, dict[str, tuple[str, ...]]] = {
    "init.main": {
        "reaped_pid": ("notice",),
        "status": ("notice",),
        "of": ("notice",),
    },
    "dockerd.health": {"child_pid": ("containerd_started",)},
    "dockerd.events": {
        "answer": (),
        "c": ("lock_remote", "lock_libcontainerd", "handle_event"),
        "task": ("lock_remote", "lock_libcontainerd", "handle_event"),
    },
    "client.terminal": {"answer": ("failed",), "error": ("finish",)},
    "shim.main": {
        "child_pid": ("reap_child",),
        "status": ("is_payload", "write_exit_status"),
        "reaped_pid": ("is_payload",),
    },
}
"""Procedure -> variable -> the ops at which a goroutine stands that still reads it; other variables are always kept."""

DEAD_AT: dict[str, dict[str, tuple[str, ...]]] = {
    "dockerd.events": {"connected": ("peer_pid",), "ask_events_since": ("peer_pid",)},
    "containerd.main": {"switch_tasks": ("c", "task", "x", "shim_pid")},
}
"""Procedure -> op -> variables that are written from there before anybody reads them."""

AT_MOST: dict[str, dict[str, int]] = {"dockerd.connection": {"attempt": 12}}
"""Procedure -> counter -> the number from which on it comes to the same: all later retries wait as long (RETRY_CAP)."""

DEFAULTS: dict[str, object] = {"fail_count": 0, "connection": None, "containerd_pid": None, "exited": ()}
STATUS_IS_GIVEN = ("dockerd.state_exit", "init.clean_up", "shim.process")  # it is not that of a run
PEER_READ_BY = ("answer_", "peer_gone", "check_answered", "has_ended")


class Liveness:
    """Which variables a goroutine may still read, by procedure and op; found once."""

    def __init__(self, procedures: dict[str, Procedure]) -> None:
        self.dead = {name: [_dead(table, op.name) for op in table.ops] for name, table in procedures.items()}
        self.names = {name: _named(table) for name, table in procedures.items()}

    def live(self, frame: Frame) -> Frame:
        """Return the goroutine without the variables that it does not read again, and no counter too high."""
        op = self.names[frame.procedure][frame.op]
        live_at = LIVE_AT.get(frame.procedure, {})
        dead = self.dead[frame.procedure][frame.op]
        local = {
            name: value
            for name, value in frame.local.items()
            if name not in dead and (name not in live_at or op in live_at[name])
        }
        for name, most in AT_MOST.get(frame.procedure, {}).items():
            if (local.get(name) or 0) > most:
                local[name] = most
        return frame if local == frame.local else Frame(frame.fid, frame.procedure, frame.op, local)


def _named(table: Procedure) -> list[str]:
    return [op.name for op in table.ops]


def _dead(table: Procedure, op: str) -> frozenset[str]:
    """Return what is dead at an op by a rule for all procedures, or by DEAD_AT."""
    dead = set(DEAD_AT.get(table.name, {}).get(op, ()))
    if table.name != "dockerd.events" and not op.startswith(PEER_READ_BY):
        dead.add("peer_pid")
    children = [entry for entry in table.ops if isinstance(entry, (Fork, Reap)) and "child_pid" in vars(entry).values()]
    if children and all(entry.of_run for entry in children):
        if table.name not in STATUS_IS_GIVEN:
            dead.add("status")
        if op != "reap_child":
            dead.add("child_pid")
    return frozenset(dead)


# -- moments ----------------------------------------------------------------------------------------


def most(setup: Setup) -> dict[str, int]:
    """Return up to which count each moment is told apart."""
    asked: dict[str, int] = {OPENED: 1}
    for at in instants(setup):
        asked[mark_name(at)] = max(asked.get(mark_name(at), 1), at.nth)
    return asked


# -- event numbers ----------------------------------------------------------------------------------


def lowers(events: list[Any]) -> bool:
    """Say whether a step may have raised the floor."""
    return any(isinstance(event, FileWritten) and event.path == paths.EVENT_TS for event in events)


def lower(world: World) -> None:
    """Count all event numbers from the floor."""
    files: Any = world.host.files
    by = _floor(world)
    if not by:
        return
    files[paths.EVENT_TS] = files[paths.EVENT_TS] - by
    if not files[paths.EVENT_TS]:
        del files[paths.EVENT_TS]
    files[paths.EVENTS_LOG] = _log(files.get(paths.EVENTS_LOG, ()), by)
    for pid in world.host.running("containerd"):  # type: ignore[attr-defined]
        _lower_containerd(world, pid, by)
    for pid in world.host.running("dockerd"):  # type: ignore[attr-defined]
        _lower_dockerd(world, pid, by)


def _lower_containerd(world: World, pid: int, by: int) -> None:
    memory: Any = world.memory[pid]
    queues = world.queues[pid]
    if memory.get("events"):
        memory["events"] = max(0, memory["events"] - by)
    if memory.get("log"):
        memory["log"] = _log(memory["log"], by)
    if queues.get("streams"):
        queues["streams"] = tuple(replace(message, data=message.data - by) for message in queues["streams"])
    for fid in _goroutines(world, pid, "subscribe"):
        frame = world.frames[fid]
        request = replace(frame.local["request"], data=frame.local["request"].data - by)
        world.frames[fid] = replace(frame, local=frame.local | {"request": request})


def _lower_dockerd(world: World, pid: int, by: int) -> None:
    queues = world.queues[pid]
    if queues.get("events"):
        queues["events"] = tuple(_stamped(message, by) for message in queues["events"])
    frame = world.frames.get((pid, "events"))
    if frame is not None and frame.local.get("task") is not None:
        task = _stamped(frame.local["task"], by)
        world.frames[frame.fid] = replace(frame, local=frame.local | {"task": task})


def _goroutines(world: World, pid: int, name: str) -> list[Any]:
    return [fid for fid in world.frames if fid[0] == pid and fid[1].partition("#")[0].partition("/")[0] == name]


def _stamped(message: Message, by: int) -> Message:
    data: Any = message.data
    number, status = data
    return replace(message, data=(number - by, status))


def _log(log: Any, by: int) -> Any:
    return tuple((number - by, _stamped(message, by)) for number, message in log if number > by)


def _floor(world: World) -> int:
    """Return the least event number that dockerd has noted, or may note once it takes what is on its way."""
    noted: Any = world.host.files.get(paths.EVENT_TS, 0)
    numbers: list[int] = [noted]
    for pid in world.host.running("containerd"):  # type: ignore[attr-defined]
        numbers += [message.data for message in world.queues[pid].get("streams", ())]
        numbers += [world.frames[fid].local["request"].data for fid in _goroutines(world, pid, "subscribe")]
    for pid in world.host.running("dockerd"):  # type: ignore[attr-defined]
        numbers += [message.data[0] for message in world.queues[pid].get("events", ())]
        frame = world.frames.get((pid, "events"))
        task = None if frame is None else frame.local.get("task")
        if task is not None and frame is not None and not _handled(world, frame):
            numbers.append(task.data[0])
    return min(numbers)


def _handled(world: World, frame: Frame) -> bool:
    op = world.design.procedures[frame.procedure].ops[frame.op].name
    return op not in LIVE_AT["dockerd.events"]["task"]
