"""What befalls the host besides signals, at one instant of a scenario: files that are cut off, ids that go elsewhere.

A line of containerd's event log is one write(2), so that a kill cuts it only where it crosses a page, and a full /run
does anywhere; process.json is written in place. Such a cut is an act of the scenario, and no op of containerd's: an op
of its own between begin and end of each write would be in every run, for a window that no run comes to by itself.
Source: C supervisor/supervisor.go, runtime/container.go; write(2); engine-1.13 §7.3, §21.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.settings import written
from sim.engine.setup import (
    BusyMount,
    EditDaemon,
    FillDisk,
    FlushRules,
    LosePower,
    OutOfMemory,
    SetNextPid,
    Slow,
    TakePid,
    TakePort,
    Tear,
)
from sim.engines.host import memory, storage, stranger
from sim.engines.host.reach import ACCEPT, DNAT, MASQUERADE
from sim.engines.host.systemd.power import lose_power
from sim.facts import Marked
from sim.kernel import syscalls
from sim.kernel.events import IdsSkipped, RulesFlushed

SLOW = "slow:"


def skip_ids(g: Goroutine, command: SetNextPid) -> None:
    """Let other work on the host use up ids."""
    g.emit(IdsSkipped(command.number - 1))


def tear(g: Goroutine, command: Tear) -> None:
    """Cut a file off within its last line; one that has none stays as it is."""
    files: Any = g.world.host.files
    if command.container:
        path = f"{paths.state(g.world.services[command.container].id)}/{command.file}"
        torn: Any = ""
    else:
        path, torn = paths.EVENTS_LOG, files.get(paths.EVENTS_LOG, ())[:-1]
    if not files.get(path):
        g["error"] = f"{path}: nothing to cut off"
        return
    syscalls.write_file(g.turn, path, torn)
    if path == paths.EVENTS_LOG:
        syscalls.write_file(g.turn, paths.TORN_LINE, True)


def edit_daemon(g: Goroutine, command: EditDaemon) -> None:
    """Set keys in daemon.json; no daemon looks at it before it starts or is told to reload."""
    syscalls.write_file(g.turn, paths.DAEMON_JSON, replace(written(g.world), **dict(command.keys)))


def flush(g: Goroutine, command: FlushRules) -> None:
    """Drop the rules of published ports; each comes back when its container is started again, or with dockerd."""
    for chain in CHAINS[command.table]:
        g.emit(RulesFlushed(chain))


def forget_chains(g: Goroutine) -> None:
    """Drop the rules of published ports with the chains that they stand in, and the jumps to these."""
    for chain in (DNAT, ACCEPT, MASQUERADE):
        g.emit(RulesFlushed(chain))
    syscalls.write_file(g.turn, paths.NO_CHAINS, True)


CHAINS = {"filter": (ACCEPT,), "nat": (DNAT, MASQUERADE)}


def slow_mark(program: str) -> str:
    """Return the mark that says how slow a program is, in percent.

    >>> slow_mark("runc create")
    'slow:runc.create'
    """
    return f"{SLOW}{program.replace(' ', '.')}"


def slow(g: Goroutine, command: Slow) -> None:
    """Let a program take longer; only a run has durations."""
    g.emit(Marked(slow_mark(command.program), command.percent))


def hold_mount(g: Goroutine, command: BusyMount) -> None:
    """Let somebody hold the mount of a container's layer, or let it go."""
    path = paths.busy_mount(command.container)
    if command.free:
        syscalls.remove_file(g.turn, path)
    else:
        syscalls.write_file(g.turn, path, True)


AT_ONCE: dict[type, Callable[[Goroutine, Any], None]] = {
    SetNextPid: skip_ids,
    Tear: tear,
    EditDaemon: edit_daemon,
    FlushRules: flush,
    TakePort: stranger.take_port,
    TakePid: stranger.take_pid,
    OutOfMemory: memory.out_of_memory,
    LosePower: lose_power,
    FillDisk: storage.fill,
    Slow: slow,
    BusyMount: hold_mount,
}
"""Commands that need no program: what each does."""
