"""What a health monitor has found, as `docker inspect` keeps it: the failing streak and the last five results.

Read from the trace: the name under which a probe runs, its answer, or that its time is over. Results of probes that are
slept through before t = 0 of a steady host have no record: there Log is not known, nor the streak of what fails; later
Log holds those since. What a probe prints is not modelled. Leaves out what an earlier dockerd wrote to disk. Source: D
daemon/health.go handleProbeResult, initHealthMonitor.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sim.engine.behaviour import Microseconds
from sim.engine.records import ExecConfig, Health
from sim.facts import OPENED, Remembered
from sim.kernel.records import Pid
from sim.world import World

KEPT = 5
NO_CODE = -1  # of a probe that took too long, or could not be started


class Probe(msgspec.Struct, frozen=True):
    """One result; *too_long* says that its time was over."""

    start: Microseconds
    end: Microseconds
    code: int
    too_long: bool = False


class Found(msgspec.Struct, frozen=True):
    """What is known of a container's probes; None is not known."""

    log: tuple[Probe, ...] | None = ()
    streak: int | None = 0


def monitored(world: World, dockerd: Pid, container: str) -> bool:
    """Say whether a dockerd has a container probed."""
    return (dockerd, f"monitor/{container}") in world.frames


def is_excused(world: World, dockerd: Pid, container: str) -> bool:
    """Return whether a failure of the probe that runs counts for nothing: it began in the start period."""
    health = world.recall(dockerd, f"health/{container}")
    young = world.frames[dockerd, f"monitor/{container}"].local.get("young", False)
    return bool(young) and isinstance(health, Health) and health.status == "starting"


class Probes:
    """Gathers the results on the way, by container and dockerd."""

    def __init__(self) -> None:
        self.found: dict[str, dict[Pid, Found]] = {}
        self.begun: dict[tuple[Pid, str], Microseconds] = {}

    def of(self, dockerd: Pid, container: str) -> Found:
        """Return what a dockerd has found of a container."""
        return self.found.get(container, {}).get(dockerd, Found())

    def forget(self, container: str) -> None:
        """Drop what is known of a container of that name: another one is made."""
        self.found.pop(container, None)

    def note(self, world: World, event: Remembered, at: Microseconds) -> None:
        """Take what a program has written to its memory; *world* is the one after it."""
        kind, _, rest = event.key.partition("/")
        note = NOTES.get(kind)
        if note is not None:
            note(self, world, event, rest, at)

    def _begun(self, world: World, event: Remembered, c: str, at: Microseconds) -> None:
        self.begun[event.pid, c] = at

    def _answered(self, world: World, event: Remembered, c: str, at: Microseconds) -> None:
        assert isinstance(event.value, int)
        self._add(world, event.pid, c, Probe(self._start(event.pid, c, at), at, event.value))

    def _given_up(self, world: World, event: Remembered, rest: str, at: Microseconds) -> None:
        """Take a probe that is canceled while its monitor goes on for one that took too long."""
        c, config = rest.partition("/")[0], event.value
        if isinstance(config, ExecConfig) and config.canceled and config.exit_code is None:
            self._add(world, event.pid, c, Probe(self._start(event.pid, c, at), at, NO_CODE, too_long=True))

    def _start(self, pid: Pid, c: str, at: Microseconds) -> Microseconds:
        return self.begun.pop((pid, c), at)

    def _add(self, world: World, pid: Pid, c: str, probe: Probe) -> None:
        """Keep a result, unless the monitor has ended."""
        if monitored(world, pid, c):
            before = self.of(pid, c)
            counts = not is_excused(world, pid, c)
            streak = None if before.streak is None else before.streak + counts
            self._keep(pid, c, Found((*(before.log or ()), probe)[-KEPT:], streak if probe.code else 0))

    def _changed(self, world: World, event: Remembered, c: str, at: Microseconds) -> None:
        """Begin the count anew with a new monitor; forget what later probes without a record leave behind."""
        assert isinstance(event.value, Health)
        before = self.of(event.pid, c)
        if event.value.status == "starting":
            self._keep(event.pid, c, Found(before.log, before.streak if event.value.streak else 0))
        elif world.setup.host.begin == "steady" and not world.marks.get(OPENED):
            self._keep(event.pid, c, Found(None, 0 if event.value.status == "healthy" else None))

    def _keep(self, pid: Pid, c: str, found: Found) -> None:
        self.found.setdefault(c, {})[pid] = found


NOTES: dict[str, Callable[[Probes, World, Remembered, str, Microseconds], None]] = {
    "probing": Probes._begun,
    "probe": Probes._answered,
    "exec": Probes._given_up,
    "health": Probes._changed,
}
