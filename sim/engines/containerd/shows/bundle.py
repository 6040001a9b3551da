"""What lies in a container's bundle folder, as `ls -l` is told: kind, mode, size, when it was written last.

Models: config.json and the fifos of the first process, while dockerd keeps the folder; a fifo's time is that of its
last write, its making if nobody wrote. Leaves out the fifos of execs, whose names are 64 digits that are drawn, and
what no run knows: the size of config.json and the time of a line that was logged outside of the model come from
`x-bundle` or are not known. All is root's. Source: engine-1.13 §1.4; the document's listing; facts on rendering, part
4: a write sets the time of a fifo.
"""

from __future__ import annotations

import msgspec

from sim.engine import paths
from sim.engine.setup import Service
from sim.kernel.records import Fifo
from sim.views.story import Story

PAGE_KIB = 4  # what a tmpfs takes for each page that is begun


class FolderEntry(msgspec.Struct, frozen=True):
    """One name in a folder: *size* in bytes (None: not known), *kib* that it takes, *written* in unix seconds."""

    name: str
    mode: str
    size: int | None
    written: float

    @property
    def kib(self) -> int | None:
        """Return what the blocks of the file take.

        >>> [FolderEntry("", "-rw-r--r--", size, 0.0).kib for size in (20733, 0, None)]
        [24, 0, None]
        """
        return None if self.size is None else -(-self.size // (PAGE_KIB * 1024)) * PAGE_KIB


def bundle(story: Story, name: str) -> tuple[str, tuple[FolderEntry, ...]]:
    """Return a container's bundle folder and what is in it, by name; nothing where there is no folder."""
    service: Service = story.world.services[name]
    folder = paths.bundle(service.id)
    host, within = story.world.host, f"{folder}/"
    found = [_file(story, service, path) for path in host.files if path.startswith(within)]
    found += [_fifo(story, service, fifo.path) for fifo in host.fifos.values() if _is_in(fifo, within)]
    return folder, tuple(sorted(found, key=lambda entry: entry.name))


def _is_in(fifo: Fifo, within: str) -> bool:
    return fifo.path.startswith(within) and not fifo.nameless


def _file(story: Story, service: Service, path: str) -> FolderEntry:
    return FolderEntry(_base(path), "-rw-r--r--", service.bundle.config_size, _written(story, path))


def _fifo(story: Story, service: Service, path: str) -> FolderEntry:
    """Give a fifo the later of its own time and the observed one, if that has come."""
    made = _written(story, path)
    observed = dict(service.bundle.written).get(_base(path), 0)
    written = observed if made < observed <= story.trace.unix(story.at) else made
    return FolderEntry(_base(path), "prwx------", 0, written)


def _written(story: Story, path: str) -> float:
    return story.trace.unix(story.written[path])


def _base(path: str) -> str:
    return path.rpartition("/")[2]
