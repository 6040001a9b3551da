"""What a file means on a design that its words do not fit: what is refused, what has no effect, what is set.

A file that was written for Docker runs on podman if no step needs a process or unit that is not there. Roles are
programs: a target that no program of the design is called is refused, with who stands in its place. Leaves out targets
of expectations and instants: there is none of them, and that is what they find. Source: designs §4.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.designs.takes import OF_THE_HOST, known_units, takes, units_of
from sim.engine.setup import (
    BusyMount,
    Docker,
    EditDaemon,
    EngineSetup,
    KillProcess,
    OwnCommand,
    Pins,
    Service,
    Slow,
    Step,
    Systemctl,
    TakePid,
    Tear,
    Upgrade,
)
from sim.engines.docker.downgrades import impossible
from sim.engines.podman.client import VERBS
from sim.scenario import pod_words
from sim.scenario.check import Report
from sim.scenario.known import ACTIONS
from sim.scenario.step_word import step_words
from sim.scenario.steps import Terminal, step_ids
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, listed

PROFILE = "podman-idle"
INSTEAD = {  # role -> why there is none, and what to write
    "dockerd": (
        "each command is a process of its own",
        "No process can stop the engine; kill conmon/NAME or podman/NAME.",
    ),
    "containerd": ("conmon holds a container without it", "Kill conmon/NAME, which holds one container."),
    "shim": ("conmon holds a container", "Write conmon/NAME, or supervisor/NAME, which fits every design."),
    "exec-shim": ("a conmon holds an exec", "Write exec-conmon/NAME."),
    "proxy": ("ports are published by rules of the packet filter alone", "host: {flush: iptables -t nat} closes them."),
    "conmon": ("a shim holds a container", "Write shim/NAME, or supervisor/NAME, which fits every design."),
    "exec-conmon": ("a shim holds an exec", "Write exec-shim/NAME."),
    "podman": ("commands are requests to dockerd", "Write dockerd."),
    "netavark": ("dockerd makes networks itself", "Write dockerd."),
}
DAEMON_S = {  # the same of a dockerd that is its containers' parent
    **dict.fromkeys(("containerd", "shim", "supervisor", "runc", "hook"), ("dockerd does it itself", "Write dockerd.")),
    "exec-shim": ("an exec is a child of dockerd", "Write exec/NAME."),
    **dict.fromkeys(("conmon", "exec-conmon", "podman", "netavark"), ("dockerd does it itself", "Write dockerd.")),
}
NOT_THERE = {  # command -> what it needs
    EditDaemon: "no daemon reads daemon.json",
    Upgrade: "nothing that runs is touched by an upgrade of podman",
    Tear: "these files are containerd's",
    TakePid: "these files are dockerd's",
    BusyMount: "",
}


def fit(
    root: Node, engine: EngineSetup, services: tuple[Service, ...], terminals: tuple[Terminal, ...], report: Report
) -> tuple[EngineSetup, tuple[Service, ...]]:
    """Return engine and services as the design has them; note what is wrong with the file there."""
    design = DESIGNS.get(engine.design)
    if design is None:
        return engine, services  # said before
    ids = step_ids(root)
    for step in (step for terminal in terminals for step in terminal):
        refusal = _refusal(design, step) or _of_units(design, step, services)
        if refusal is not None:
            report.refuse(root, _place(root, ids, step), refusal)
    _refuse_downgrades(root, engine, [step for terminal in terminals for step in terminal], report)
    if design.traits.pods:
        return pod_words.fitted(root, design, engine, services, report)
    if "podman" not in design.programs:
        return engine, services
    for service in services:
        if service.healthcheck is not None:
            what = f"a health check is not modelled on {design.name} yet: systemd's timers run it there."
            report.refuse(
                root, ("services",), Refusal(f"{service.name}: {what}", "healthcheck: {disable: true} drops it.")
            )
    _note_unused(root, design, engine, services, report)
    engine = replace(engine, daemon=replace(engine.daemon, userland_proxy=False))
    if not _of_podman(engine):
        engine = replace(engine, profile=PROFILE, durations=())
    return engine, tuple(replace(it, pins=Pins()) for it in services)


def _of_podman(engine: EngineSetup) -> bool:
    """Say whether a profile is of podman: by its name, or its own rows are."""
    return engine.profile == PROFILE or any(name.startswith("podman/") for name, _ in engine.durations)


def _refuse_downgrades(root: Node, engine: EngineSetup, steps: list[Step], report: Report) -> None:
    """Refuse upgrades to an earlier version that no host can have, one after the other as they stand in the file."""
    ids, installed = step_ids(root), DESIGNS[engine.design]
    upgrades = [(_place(root, ids, step), step.command) for step in steps if isinstance(step.command, Upgrade)]
    for place, command in sorted(upgrades, key=lambda pair: int(pair[0][1])):
        if not takes(installed, command):
            return  # said before
        before, installed = installed, DESIGNS[command.to]
        row = impossible(before, installed, live_restore=engine.daemon.live_restore)
        if row is not None:
            what = f"no host goes back from {before.name} to {installed.name}: {row.why}."
            report.refuse(root, (*place, "to"), Refusal(what, row.instead))


def _of_units(design: Design, step: Step, services: tuple[Service, ...]) -> Refusal | None:
    """Refuse what would make a unit's container beside systemd, and units that no container of the file is."""
    command, units = step.command, {service.name for service in services if service.at_begin}
    if design.engine.is_unit is None:
        return None
    if isinstance(command, Docker) and command.verb in ("run", "create") and command.container in units:
        what = f"{command.container} is a unit on {design.name}: systemd makes its container."
        return Refusal(what, f"Write systemctl: start {command.container}.")
    if isinstance(command, Systemctl) and command.verb not in OF_THE_HOST and command.unit not in units:
        return Refusal(f"{command.unit} is no unit: only containers of services: are.", f"Units: {listed(units)}.")
    return None


def _note_unused(root: Node, design: Design, setup: EngineSetup, services: tuple[Service, ...], report: Report) -> None:
    engine: Any = root.child("engine")
    said = engine.value if engine is not None and isinstance(engine.value, dict) else {}
    unit: Any = said.get("unit")
    keys = unit.value if unit is not None and isinstance(unit.value, dict) else {}
    if design.engine.is_unit is not None and "Restart" in keys:
        report.unused.setdefault("engine", Counter())["unit.Restart"] += 1
    counts = sum(service.restart.max > 0 for service in services)
    if design.engine.is_unit is not None and counts:
        report.unused.setdefault("services", Counter())["the count of restart: on-failure"] += counts
    for key in ("daemon", *(() if design.engine.is_unit is not None else ("unit",)), "profile"):
        if key in said and not (key == "profile" and _of_podman(setup)):
            report.unused.setdefault("engine", Counter())[key] += 1
    pinned = sum(service.pins != Pins() for service in services)
    if pinned:
        report.unused.setdefault("services", Counter())["x-pids and x-address"] += pinned


def _place(root: Node, ids: list[str], step: Step) -> Path:
    """Return the path of a step's action."""
    number = ids.index(step.id.partition(".")[0])
    node = root.find(("steps", number))
    keys = node.value if node is not None and isinstance(node.value, dict) else {}
    return ("steps", number, *[key for key in keys if key in (*ACTIONS, *step_words())][:1])


def _refusal(design: Design, step: Step) -> Refusal | None:
    command = step.command
    if takes(design, command):
        return None
    if design.traits.pods and not isinstance(command, OwnCommand):
        return pod_words.refusal(design, step)
    match command:
        case OwnCommand():
            return Refusal(command.lacks(design), "Leave the step out.")
        case KillProcess(target):
            owns = design.traits.shims_under == "nobody"
            why, hint = (DAEMON_S if owns else INSTEAD).get(target.role, ("", ""))
            return Refusal(f"{design.name} has no {target.role}: {why}.", hint)
        case Docker(verb):
            return Refusal(f"docker {verb} is not modelled on {design.name} yet.", f"Modelled: {listed(VERBS)}.")
        case Systemctl(_, unit) if unit not in ("", *known_units()):
            what = f"{design.name} has no {unit}.service: its containers are no units of systemd."
            return Refusal(what, "On podman-quadlet each is one.")
        case Systemctl(_, unit):
            hint = "Each command is a process of its own: there is no engine to stop."
            if design.traits.engine in design.programs:
                hint = f"It has {listed(units_of(design))}."
            return Refusal(f"{design.name} has no {unit}.service.", hint)
        case Slow(program):
            return Refusal(f"{design.name} has no {program}.", f"It has {listed(design.programs)}.")
    why = NOT_THERE[type(command)]
    return Refusal(f"this is not modelled on {design.name}{f': {why}' if why else ' yet'}.", "Leave the step out.")
