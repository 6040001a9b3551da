"""Which facts change what the engine believes of a container, and what it believes before and after.

Where a daemon runs that is what it remembers; where each command is a process of its own, what the next one would find
in the files: the database and what conmon has left. Leaves out the disk of a daemon that is down. Source:
`sim.engines.podman.state`; engine-1.13 §16.9.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.records import Container
from sim.engines.podman import state as podman
from sim.facts import Remembered
from sim.kernel import events as e
from sim.world import World

IN_MEMORY = "container/"


class Change(msgspec.Struct, frozen=True):
    """What is believed of a container before a fact and after it; None: nothing is known of it."""

    container: str
    before: Container | None
    after: Container | None


def change_of(world: World, event: Any) -> Change | None:
    """Return what a fact, not yet applied, changes in what is believed of a container; None if it is about none."""
    if isinstance(event, Remembered):
        if not event.key.startswith(IN_MEMORY):
            return None
        before, after = world.recall(event.pid, event.key), event.value
        return Change(event.key[len(IN_MEMORY) :], _record(before), _record(after))
    if not isinstance(event, e.FileWritten | e.FileRemoved) or not podman.is_podman(world):
        return None
    name = podman.told_by(world, event.path)
    if name is None:
        return None
    files: dict[str, Any] = dict(world.host.files)
    if isinstance(event, e.FileWritten):
        files[event.path] = event.value
    else:
        files.pop(event.path, None)
    service = world.services[name]
    return Change(name, podman.synced_in(world.host.files, service), podman.synced_in(files, service))


def _record(value: object) -> Container | None:
    return value if isinstance(value, Container) else None
