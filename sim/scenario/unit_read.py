"""`engine: {units: {containerd: {KillMode: mixed}}}`: keys of the units beside the engine's own.

A unit that the file leaves out, and a key that it does not say, are as the package has them. Leaves out units of
containers, which are written from the container's own keys. Source: systemd.service(5).
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.designs.takes import units_in, what_units
from sim.engine.setup import Unit
from sim.scenario.check import Report, check
from sim.scenario.schema import UnitSection
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, did_you_mean, shown

PLACE: Path = ("engine", "units")
SERVICE = ".service"
TOGETHER = "Write its keys in one mapping; the name is the same with and without .service."


def read_units(root: Node, design: Design, report: Report) -> tuple[tuple[str, Unit], ...]:
    """Return the units whose keys the file sets, by name; what is wrong goes to *report*."""
    node = root.find(PLACE)
    if node is None or node.value is None:
        return ()
    if not isinstance(node.value, dict):
        what = f"{shown(node.plain())} is not a mapping of units."
        report.refuse(root, PLACE, Refusal(what, "Write units: {containerd: {KillMode: mixed}}."))
        return ()
    found: dict[str, Unit] = {}
    named: set[str] = set()
    for said, below in node.value.items():
        name, own = said.removesuffix(SERVICE), _own(design, said.removesuffix(SERVICE))
        twice, named = name in named, named | {name}
        if own is None or twice:
            refusal = Refusal("this unit is named a second time.", TOGETHER) if twice else _refusal(design, name)
            report.problems.add(below.key or below.mark, f"engine.units.{said}: {refusal.what}", refusal.hint)
            continue
        section = check(UnitSection, root, (*PLACE, said), report)
        if section is not None:
            found[name] = replace(own, **{key: getattr(section, key) for key in section.model_fields_set})
    return tuple(sorted(found.items()))


def _own(design: Design, name: str) -> Unit | None:
    """Return the keys that the package gives to a unit beside the engine's own; None if there is none of that name."""
    file = design.units.get(name) if name in units_in(design) else None
    return None if file is None else file.own


def _refusal(design: Design, name: str) -> Refusal:
    if name == design.traits.engine_unit and name in units_in(design):
        return Refusal(f"{name}.service is the engine's own unit on {design.name}.", "Write engine: {unit: …}.")
    others = {it for row in DESIGNS.values() for it in units_in(row) if _own(row, it) is not None}
    has_one = [row.name for row in DESIGNS.values() if _own(row, name) is not None]
    near = f"{has_one[0]} has one." if has_one else did_you_mean(name, others)
    return Refusal(f"{design.name} has no {name}.service beside its own.", f"{near} {what_units(design)}".strip())
