"""What a file means on a design that its words do not fit: what is refused, what has no effect, what is set.

The engine says what it makes of a file (`sim.engine.meaning`), here each refusal gets its place. Leaves out targets of
expectations and instants: there is none of them, and that is what they find. Source: designs §4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sim.designs import DESIGNS, Design
from sim.designs.takes import OF_THE_HOST, is_version_of, refusal, takes, units_of
from sim.engine.meaning import Given, Said
from sim.engine.setup import FOR_EVER, Docker, EngineSetup, Service, Step, Systemctl, Upgrade
from sim.kernel.records import V1, V2
from sim.scenario.check import Report
from sim.scenario.known import ACTIONS
from sim.scenario.noted import Noted
from sim.scenario.services import container_name
from sim.scenario.step_word import step_words
from sim.scenario.steps import Terminal, step_ids
from sim.scenario.text import Node, Path
from sim.scenario.vocabulary import refused as refused_by
from sim.scenario.vocabulary import version_of
from sim.scenario.words import Refusal, listed

GRACE = "stop_grace_period"


def fit(
    root: Node,
    engine: EngineSetup,
    services: tuple[Service, ...],
    terminals: tuple[Terminal, ...],
    report: Report,
    keys: Mapping[str, frozenset[str]],
) -> tuple[EngineSetup, tuple[Service, ...]]:
    """Return engine and services as the design has them; note what is wrong with the file there.

    *keys* are those that the file says of each container itself.
    """
    design = DESIGNS.get(engine.design)
    if design is None:
        return engine, services  # said before
    ids, steps = step_ids(root), [step for terminal in terminals for step in terminal]
    versions = _versions(root, ids, engine, steps, report)
    _refuse_cgroup(root, versions, report)
    _refuse_supervisor(root, versions, services, report)
    for step in steps:
        refused = [_refusal(version, step, services) for version in versions]
        if None not in refused and refused[0] is not None:
            report.refuse(root, _place(root, ids, step), Refusal(*refused[0]))
    for service in services:
        without_limit = refused_by("value", f"{GRACE}: -1", ((design.name, design),))
        if service.stop_timeout == FOR_EVER and without_limit is not None:
            report.refuse(root, _place_of(root, ids, steps, service.name, (GRACE,)), without_limit)
        for key in ("start_period", "start_interval"):
            lacking = refused_by("healthcheck", key, version_of(root))
            if service.healthcheck is not None and getattr(service.healthcheck, key) and lacking is not None:
                report.refuse(root, _place_of(root, ids, steps, service.name, ("healthcheck", key)), lacking)
    found = design.engine.fit(design, Given(engine, services, _engine_keys(root), keys))
    for said in found.refused:
        report.refuse(root, ("services",), Refusal(*said))
    for section, word, count in found.unused:
        report.unused.setdefault(section, Counter())[word] += count
    for doubt in found.doubts:
        for _ in range(doubt.count):
            report.note("services", doubt.key, root.place(("services",), of_key=True), Noted(doubt.why, doubt.changes))
    return found.engine, found.services


def _versions(root: Node, ids: list[str], engine: EngineSetup, steps: list[Step], report: Report) -> tuple[Design, ...]:
    """Return the versions that the host gets, as they stand in the file; refuse those that it cannot get.

    A step means something if it does on one of them: nobody knows for certain which is there when a step comes, and
    processes outlive the version that they are of.
    """
    found = [DESIGNS[engine.design]]
    upgrades = [(_place(root, ids, step), step.command) for step in steps if isinstance(step.command, Upgrade)]
    for place, command in sorted(upgrades, key=lambda pair: int(pair[0][1])):
        before, after = found[-1], DESIGNS[command.to]
        if not takes(before, command):
            break  # the step is refused as a whole
        if is_version_of(before, after):
            said = before.engine.upgrades(before, after, engine)
            found.append(after)
        else:
            what = f"{after.name} is another engine than {before.name}, and an upgrade brings another version of it."
            said = Said(what, "shimulator designs lists them.")
        if said is not None:
            report.refuse(root, (*place, "to"), Refusal(*said))
    return tuple(found)


def _refuse_cgroup(root: Node, versions: tuple[Design, ...], report: Report) -> None:
    """Refuse control groups with which one of the host's versions of the engine does not run."""
    node = root.find(("host", "cgroup"))
    for design in versions:
        (why, hint), own = design.traits.one_cgroup, design.traits.cgroup
        if why and node is not None and node.value in (V1, V2) and node.value != own:
            what = f"{design.name} runs with cgroup {own} alone: {why}"
            report.refuse(root, ("host", "cgroup"), Refusal(what, hint))
            return


def _refuse_supervisor(root: Node, versions: tuple[Design, ...], services: tuple[Service, ...], report: Report) -> None:
    """Refuse a host without a service manager whose containers are units."""
    node = root.find(("host", "supervisor"))
    for design in versions:
        if node is not None and node.value == "none" and any(design.engine.is_unit(it) for it in services):
            what = f"containers are units of systemd on {design.name}, which there is none of."
            report.refuse(root, ("host", "supervisor"), Refusal(what, "Leave supervisor: out."))
            return


def _refusal(design: Design, step: Step, services: tuple[Service, ...]) -> Said | None:
    """Return why a step means nothing on a host of *design* with these containers; None if it does mean something."""
    names = [service.name for service in services]
    return refusal(design, step.command, names) or _of_units(design, step, services)


def _of_units(design: Design, step: Step, services: tuple[Service, ...]) -> Said | None:
    """Refuse what would make a unit's container beside systemd, and units that no container of the file is."""
    command = step.command
    units = [service.name for service in services if design.engine.is_unit(service)]
    if isinstance(command, Docker) and command.verb in ("run", "create") and command.container in units:
        what = f"{command.container} is a unit on {design.name}: systemd makes its container."
        return Said(what, f"Write systemctl: start {command.container}.")
    known = (*units_of(design), *units)
    if isinstance(command, Systemctl) and command.verb not in OF_THE_HOST and command.unit not in known:
        return Said(f"{command.unit} is no unit: only containers of services: are.", f"Units: {listed(known)}.")
    return None


def _engine_keys(root: Node) -> frozenset[str]:
    """Return the keys under `engine:`, those of its unit as `unit.KEY`."""
    engine = root.child("engine")
    said = engine.value if engine is not None and isinstance(engine.value, dict) else {}
    unit = said["unit"].value if "unit" in said else None
    return frozenset(said).union(f"unit.{key}" for key in unit) if isinstance(unit, dict) else frozenset(said)


def _place_of(root: Node, ids: list[str], steps: list[Step], name: str, keys: Path) -> Path:
    """Return where the file says something of a container: below its service, or in the command that makes it."""
    services = root.child("services")
    for key, node in services.value.items() if services is not None and isinstance(services.value, dict) else ():
        if container_name(key, node.plain()) == name:
            return ("services", key, *keys)
    for step in steps:
        command = step.command
        if isinstance(command, Docker) and command.verb in ("run", "create") and command.container == name:
            return _place(root, ids, step)
    return ("services",)


def _place(root: Node, ids: list[str], step: Step) -> Path:
    """Return the path of a step's action."""
    number = ids.index(step.id.partition("#")[0].partition(".")[0])
    node = root.find(("steps", number))
    keys = node.value if node is not None and isinstance(node.value, dict) else {}
    return ("steps", number, *[key for key in keys if key in (*ACTIONS, *step_words())][:1])
