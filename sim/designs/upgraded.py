"""A host on which other versions of an engine get installed: what runs keeps its code, what is executed is new.

Each process belongs to the version whose files were on the disk when it was executed; systemd goes by those that are
there now. A program whose file the new version calls otherwise is not found by old processes. Tables that two versions
share are the same ones; where they differ the later version's bear its name behind an `@`. A downgrade of docker leaves
containerd.io installed and containerd.service running, which nobody asks then (moby/moby#38185). Leaves out that a
package manager may bring a new containerd.io along, whose script restarts containerd.service; a change of daemon.json,
of durations, of thread counts; and the folders of later versions, except runc's own. Source: designs §1.1, §11 7.
"""

from __future__ import annotations

from functools import cache

from sim.designs.design import Design
from sim.engine import paths
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import UnitFile
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.world import Turn, World


class Upgraded(Design):
    """A design and those that take its place."""

    def __init__(self, first: Design, *others: Design) -> None:
        programs = tuple(first.programs.values())
        super().__init__(first.name, first.title, first.source, programs, first.traits, first.engine)
        self.releases = {design.name: design for design in (first, *others)}
        for design in others:
            for name, program in design.programs.items():
                self.programs.setdefault(name, program)
                self.roles.setdefault(name, program.role)
            self.stages = {**design.stages, **self.stages}
            for name, table in design.procedures.items():
                mine = self.procedures.setdefault(name, table)
                if mine is not table and not name.startswith("init."):
                    self.procedures[f"{name}@{design.name}"] = table
        self.holders = tuple(dict.fromkeys(name for design in self.releases.values() for name in design.holders))
        self._know_every_unit()

    def _know_every_unit(self) -> None:
        """Let PID 1 be one that knows the units of every version."""
        init = Systemd(*(file for design in self.releases.values() for file in design.units.values()))
        self.programs[init.name], self.units = init, init.units
        self.procedures |= {table.name: table for table in init.procedures}

    def of(self, world: World, pid: Pid) -> Design:
        """Return the version that a process was executed from; of systemd the one that is installed."""
        if pid == INIT:
            return self.installed(world)
        return self.releases[world.recall(pid, "release", self.name)]

    def installed(self, world: World) -> Design:
        """Return the version whose files are on the disk."""
        return self.releases[str(world.host.files.get(paths.INSTALLED, self.name))]

    def install(self, turn: Turn, version: str) -> None:
        """Put another version's files on the disk; containerd.io stays there where that version comes without it."""
        before = self.containerd_io(turn.world)
        syscalls.write_file(turn, paths.INSTALLED, version)
        if before is not None and self.installed(turn.world).traits.containerd_unit is None:
            syscalls.write_file(turn, paths.CONTAINERD_IO, before.name)

    def unit_files(self, world: World) -> dict[str, UnitFile]:
        """Return the unit files of the version that is installed, and those that an earlier one has left."""
        installed, left = self.installed(world), self.containerd_io(world)
        return installed.units if left is None else {**left.units, **installed.units}

    def owner(self, world: World, program: str, path: str) -> Design | None:
        """Return the version that a program's file is of: the one that is installed, or one that left it there.

        The package containerd.io has the shims of all its versions until 2.0 (its spec: %{_bindir}/* [S]), and a
        downgrade of docker leaves it as it is.
        """
        installed, left = self.installed(world), self.containerd_io(world)
        found = installed.owner(world, program, path)
        if found is not None or self.programs[program].role.words not in installed.traits.other_package:
            return found
        name = (installed if left is None else left).traits.words.containerd[:1]
        others = (it for it in self.releases.values() if it.traits.words.containerd[:1] == name)
        return next((it for it in others if it.owner(world, program, path) is not None), None)

    def containerd_io(self, world: World) -> Design | None:
        """Return the version whose containerd.io is installed: a package of its own, which a downgrade leaves."""
        installed = self.installed(world)
        if installed.traits.containerd_unit is not None:
            return installed
        return self.releases.get(str(world.host.files.get(paths.CONTAINERD_IO)))

    def named(self, world: World, pid: Pid, procedure: str) -> str:
        """Return the full name of a procedure of the version that a process belongs to."""
        full = f"{procedure}@{self.of(world, pid).name}"
        return full if full in self.procedures else procedure


@cache
def upgraded(first: Design, *others: Design) -> Design:
    """Return a design that others take the place of; one that nothing does is itself."""
    return Upgraded(first, *others) if others else first
