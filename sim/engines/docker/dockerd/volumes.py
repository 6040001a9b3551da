"""Named volumes: what dockerd says when it mounts them for a start, and when a container's end unmounts them.

Leaves out what is in them, drivers other than local, volumes without a name, `docker volume`, and that a `docker rm -v`
removes some. A clean-up says `unmount` of every volume of the container, also after a start that failed before it had
mounted any. Source: D daemon/volumes_unix.go, container/container.go UnmountVolumes; engine-1.13 §2 step 5, §13.
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.facts import EngineEvent


def mount_volumes(g: Goroutine) -> None:
    """Say `volume mount` of each named volume of the container in variable `c`."""
    for volume in service_of(g).volumes:
        writable = "false" if volume.read_only else "true"
        where = (("destination", volume.destination), ("read/write", writable), ("propagation", ""))
        _say(g, "mount", volume.name, *where)


def unmount_volumes(g: Goroutine) -> None:
    """Say `volume unmount` of each."""
    for volume in service_of(g).volumes:
        _say(g, "unmount", volume.name)


def _say(g: Goroutine, action: str, name: str, *attributes: tuple[str, str]) -> None:
    g.emit(EngineEvent("volume", action, g["c"], (("name", name), ("driver", "local"), *attributes)))
