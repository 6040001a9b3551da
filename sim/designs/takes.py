"""Which commands mean something on a host of a design: those whose program, unit or file is there.

Scenario files are refused by it, with what to write instead; drawn commands are chosen by it. Leaves out whether a
command ends well. Source: the designs' own programs; designs §4.2, §5.1 [S].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.designs import DESIGNS
from sim.designs.design import Design
from sim.engine.setup import (
    BusyMount,
    Command,
    Docker,
    EditDaemon,
    FillDisk,
    KillProcess,
    OwnCommand,
    Slow,
    Systemctl,
    TakePid,
    Tear,
    Upgrade,
)
from sim.engine.systemd.unit import TEMPLATE, UnitFile
from sim.engines.cri.client import VERBS as POD_VERBS
from sim.engines.podman.client import VERBS

OF_THE_HOST = ("reboot", "daemon-reload")  # verbs of systemctl that need no unit of an engine's


def takes(design: Design, command: Command) -> bool:
    """Say whether a command means anything on a host of *design*."""
    if isinstance(command, OwnCommand):
        return not command.lacks(design)
    rule = RULES.get(type(command))
    return rule is None or rule(design, command)


def _kill(design: Design, command: KillProcess) -> bool:
    return any(it in design.programs for it in design.meant_by(command.target.role))


def _docker(design: Design, command: Docker) -> bool:
    if design.traits.pods:
        plain = not command.called and not command.attach
        return plain and command.verb in POD_VERBS and (command.verb != "kill" or command.signal in (None, "KILL"))
    return "podman" not in design.programs or (command.verb in VERBS and not command.called)


def _systemctl(design: Design, command: Systemctl) -> bool:
    if command.verb in OF_THE_HOST or command.unit in units_of(design):
        return True
    return TEMPLATE in design.units and command.unit not in ("", *known_units())


def known_units() -> dict[str, UnitFile]:
    """Return every unit that any design has, but those of containers."""
    return {name: file for design in DESIGNS.values() for name, file in design.units.items() if name != TEMPLATE}


def units_of(design: Design) -> tuple[str, ...]:
    """Return the units that systemctl may be asked about; those of other versions, too, which may not be there.

    >>> from sim.designs import DESIGNS
    >>> units_of(DESIGNS["podman"]), units_of(DESIGNS["containerd-cri"])
    ((), ('containerd', 'kubelet'))
    """
    own = design.traits.engine_unit
    versions = [it for it in DESIGNS.values() if own in it.units and it.traits.pods == design.traits.pods]
    found = (name for it in (design, *versions) if own in design.units for name in it.units)
    return tuple(dict.fromkeys(found))


def _slow(design: Design, command: Slow) -> bool:
    return command.program.partition(" ")[0] in design.programs


def _of_dockerd(design: Design, command: Command) -> bool:
    return "dockerd" in design.programs


RULES: dict[type, Callable[[Design, Any], bool]] = {
    KillProcess: _kill,
    Docker: _docker,
    Systemctl: _systemctl,
    Slow: _slow,
    TakePid: lambda design, command: command.target is None or _of_dockerd(design, command),
    **dict.fromkeys((EditDaemon, Upgrade, Tear, BusyMount), _of_dockerd),
    FillDisk: lambda design, command: "podman" in design.programs or _of_dockerd(design, command),
}
