"""containerd's events: its log, in memory and on disk, and who subscribes.

The file has what this containerd has added: what it has read of an earlier one it keeps in memory alone. Both keep the
last 500. That a container was started stands in the log alone. Source: C supervisor/supervisor.go eventLogger, Events,
notifySubscribers; engine-1.13 §7.3, §16.4.
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.facts import Message
from sim.kernel import syscalls

KEPT_EVENTS = 500
EVENT_BUFFER = 2048
STARTED = "start-container"  # dockerd would do nothing about it but note its time


def publish(g: Goroutine, message: Message) -> None:
    """Append to the event log, and send to the subscriber if it lives.

    A subscriber that has 2048 events to read misses those that come next: the send does not wait (V15).
    """
    stamped = log_event(g, message)
    subscriber = g.recall("subscriber_pid")
    if subscriber is not None and len(g.world.queue(subscriber, "events")) < EVENT_BUFFER:
        g.send(subscriber, "events", stamped)


def log_event(g: Goroutine, message: Message) -> Message:
    """Append to the event log, in memory and on disk, and return the event with its number.

    The file gets what this containerd adds: what it has read of an earlier one it keeps in memory alone (eventLogger).
    """
    number = g.recall("events", 0) + 1
    g.remember("events", number)
    stamped = Message(message.kind, message.container, None, (number, message.data))
    log = (*g.recall("log", ())[1 - KEPT_EVENTS :], (number, stamped))
    g.remember("log", log)
    written: Any = g.world.host.files.get(paths.EVENTS_LOG, ())
    syscalls.write_file(g.turn, paths.EVENTS_LOG, (*written[1 - KEPT_EVENTS :], (number, stamped)))
    return stamped


def subscribe(g: Goroutine) -> None:
    """Send the events that the subscriber has not seen, and from now on the new ones."""
    request = g["request"]
    subscriber = request.reply[0]
    for number, message in g.recall("log", ()):
        if number > request.data and message.kind != STARTED:
            g.send(subscriber, "events", message)
    g.remember("subscriber_pid", subscriber)
    g.reply(request.reply, True)


def last_event(g: Goroutine) -> None:
    """Tell the last event of a container that is in the log (StoredOnly): any, one of some kinds, or a later one."""
    c, request, log = g["c"], g["request"], g.recall("log", ())
    found = (it for number, it in reversed(log) if it.container == c and _asked_for(number, it.kind, request.data))
    last = next(found, None)
    g.reply(request.reply, True if last is None else Message(last.kind, c, None, last.data[1]))


def _asked_for(number: int, kind: str, what: Any) -> bool:
    if isinstance(what, int):
        return number > what and kind != STARTED
    return what is None or kind in what
