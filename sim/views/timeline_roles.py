"""How many there are of each role and how they live, over time: a picture that does not grow with the containers.

Containers are counted by the looks of their lanes; shims, programs, proxies and errands by those of their processes.
Leaves out which is which. Source: `sim.views.timeline_lanes`, `sim.views.processes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.engine.setup import Microseconds
from sim.views.timeline_parts import Bar, LaneData, Stack, Window, open_counts
from sim.views.timeline_processes import COMMAND, ERRANDS

ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("shims", ("shim",)),
    ("conmons", ("conmon",)),
    ("programs", ("payload", "child")),
    ("proxies", ("proxy",)),
    ("runc, hooks, …", ERRANDS),
)
COMMANDS = "podman, crun, …"  # what errands are called where each command is a process
LAYERS = (
    "containerd", "reattached", "init", "nobody", "shim", "unattached", "conmon", "unheld", "stopping", "unready",
    "starting", "own", "daemon", "errand", "command", "adopted", "halted", "zombie",
)  # fmt: skip


def role_stacks(
    containers: Sequence[LaneData],
    processes: Sequence[tuple[str, tuple[Bar, ...]]],
    begin: Microseconds,
    end: Microseconds,
) -> tuple[Stack, ...]:
    """Return a stack of containers, then one of each role; *processes* are (program, bars), times µs from the fault."""
    stacks = [_stack("containers", (bar for lane in containers for bar in lane.bars), begin, end)]
    for name, programs in ROLES:
        mine = [bar for program, bars in processes if program in programs for bar in bars]
        named = COMMANDS if any(bar.look == COMMAND for bar in mine) else name
        stacks.append(_stack(named, mine, begin, end))
    return tuple(stack for stack in stacks if stack.most)


def _stack(name: str, bars: Iterable[Bar], begin: Microseconds, end: Microseconds) -> Stack:
    """Count bars by look within [*begin*, *end*]."""
    windows: dict[str, list[Window]] = {}
    for bar in bars:
        if bar.end > begin and bar.start < end:
            windows.setdefault(bar.look, []).append((max(bar.start, begin), min(bar.end, end)))
    layers = tuple((look, open_counts(windows[look], begin, end)) for look in LAYERS if look in windows)
    every = open_counts([it for found in windows.values() for it in found], begin, end)
    return Stack(name, max((count for *_, count in every), default=0), layers)
