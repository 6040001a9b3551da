"""What a search may leave out of dockerd and its proxies, and which of their ops it may take first.

Event numbers of containerd's log are only compared and counted up. An entry that is not above the floor, the least
number that dockerd has noted or may still note, is never sent again; of those only the last one of a container is asked
for, if it is the last of all. All numbers are lowered by the floor, down to 0. Source: the tables of this folder;
`sim.engine.unread`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.unread import Unread
from sim.facts import Message
from sim.world import Frame, World

TASK_IS_READ_AT = ("lock_remote", "look_up", "lock_libcontainerd", "handle_event")


def lower(world: World) -> None:
    """Count all event numbers from the floor, and drop what is not above that and not the last of its container."""
    files: Any = world.host.files
    by, log = _floor(world), files.get(paths.EVENTS_LOG, ())
    kept = _log(log, by)
    if not by and kept == log:
        return
    if by:
        files[paths.EVENT_TS] = files[paths.EVENT_TS] - by
        if not files[paths.EVENT_TS]:
            del files[paths.EVENT_TS]
    files[paths.EVENTS_LOG] = kept
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
        queues["streams"] = tuple(_asked(message, by) for message in queues["streams"])
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


def _asked(message: Message, by: int) -> Message:
    return replace(message, data=message.data - by) if isinstance(message.data, int) else message


def _stamped(message: Message, by: int) -> Message:
    data: Any = message.data
    number, status = data
    return replace(message, data=(number - by, status))


def _log(log: Any, by: int) -> Any:
    last = {message.container: number for number, message in log}
    kept = (entry for entry in log if entry[0] > by or entry[0] == last[entry[1].container])
    return tuple((max(number - by, 0), _stamped(message, min(by, number))) for number, message in kept)


def _floor(world: World) -> int:
    """Return the least event number that dockerd has noted, or may note once it takes what is on its way."""
    noted: Any = world.host.files.get(paths.EVENT_TS, 0)
    numbers: list[int] = [noted]
    for pid in world.host.running("containerd"):  # type: ignore[attr-defined]
        numbers += [message.data for message in world.queues[pid].get("streams", ()) if isinstance(message.data, int)]
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
    return op not in TASK_IS_READ_AT


CONFLUENT = frozenset({
    # An answer that has come is taken; or none comes any more, since the peer is dead.
    "dockerd.events:answer_events_since",
    "dockerd.kill:answer_signal_task",
    "dockerd.restore:answer_last_event",
    "dockerd.restore:answer_signal_task",
    "dockerd.restore:answer_state_task",
    "dockerd.stop:answer_signal_task",
    # A wait ends whose condition holds for good; a lock that was waited for is held.
    "dockerd.boot:policies_started",
    "dockerd.boot:restored",
    "dockerd.boot:subscribed",
    "dockerd.connection:peer_gone",
    "dockerd.events:event_or_break",
    "dockerd.events:lock_libcontainerd",
    "dockerd.events:lock_remote",
    "dockerd.health:containerd_gone",
    "dockerd.kill:lock_container",
    "dockerd.restore:lock_remote",
    "dockerd.state_exit:lock_container",
    "dockerd.stop:lock_container",
    # The only reader of a queue takes what came first.
    "dockerd.setkey:serve_setkey",
    # A program starts threads of its own: they die with it, and their numbers are in no file.
    "proxy.main:start_threads",
    # A goroutine goes by its own variables, or notes what no other takes back.
    "dockerd.health:check_good",
    "dockerd.start:no_answer",
    "dockerd.stop:sent",
})  # fmt: skip

DOCKERD = Unread(
    live_at={
        "dockerd.health": {"child_pid": ("containerd_started",)},
        "dockerd.events": {"answer": (), "c": TASK_IS_READ_AT, "task": TASK_IS_READ_AT},
    },
    dead_at={"dockerd.events": {"connected": ("peer_pid",), "ask_events_since": ("peer_pid",)}},
    at_most={"dockerd.connection": {"attempt": 12}},  # all later retries wait as long (RETRY_CAP)
    defaults={"fail_count": 0, "connection": None, "containerd_pid": None},
    status_is_given=("dockerd.state_exit",),
    peer_is_read=("dockerd.events", "dockerd.exec"),
    raised_by=(paths.EVENT_TS, paths.EVENTS_LOG),
    lower=lower,
    confluent=CONFLUENT,
    remembered=("dockerd",),
    tried=True,
)
