"""What a file means where a kubelet asks for pods: which of docker's words have a counterpart, what has no effect.

Each service is a pod with one container. `unit:` is the runtime's unit. A stop takes 30 s unless the file says
otherwise, as a pod's grace period does. Source: designs §1, §4.3, §5.1 [S]; Kubernetes API, Pod v1 [K].
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec.structs import replace

from sim.designs import Design
from sim.designs.takes import units_of
from sim.engine.setup import (
    BusyMount,
    Docker,
    EditDaemon,
    EngineSetup,
    FillDisk,
    KillProcess,
    Pins,
    Restart,
    S,
    Service,
    Slow,
    Step,
    Systemctl,
    TakePid,
    Tear,
    Upgrade,
)
from sim.engines.cri.client import VERBS
from sim.scenario.check import Report
from sim.scenario.text import Node
from sim.scenario.words import Refusal, listed

GRACE = 30 * S  # terminationGracePeriodSeconds [K]
PROFILE = "cri-idle"
INSTEAD = {  # role -> why there is none
    "dockerd": "{engine} is the engine here, the kubelet restarts what has ended",
    "exec-shim": "a {holder} holds an exec",
    "proxy": "ports are published by rules of the packet filter alone",
    "shim": "conmon holds a container",
    "conmon": "a shim holds the containers of a pod",
    "exec-conmon": "a {holder} holds an exec",
    "podman": "commands go to the API server, or to {engine}",
    "netavark": "CNI plugins make networks",
    "hook": "CNI plugins make networks",
    "resolver": "names are looked up elsewhere",
    "iptables": "CNI plugins change the rules themselves",
    "containerd": "{engine} is the engine here",
}
WHY_NOT = {  # verb of docker -> why the CRI has no counterpart
    "create": "a pod that is made is started",
    "pause": "the CRI cannot freeze a container",
    "unpause": "the CRI cannot freeze a container",
    "rename": "a pod keeps its name",
    "update": "a pod keeps its restart policy",
    "logs": "the kubelet reads them from files",
    "attach": "streams are not modelled",
    "wait": "kubectl wait knows no exit code",
}
NOT_THERE = {  # command -> what it needs
    EditDaemon: "no daemon reads daemon.json",
    Upgrade: "a package's script restarts the engine's unit: systemctl restart {unit} does",
    Tear: "these files are an older containerd's",
    TakePid: "these files are dockerd's",
    FillDisk: "",
    BusyMount: "",
}


def refusal(design: Design, step: Step) -> Refusal:
    """Return why a step means nothing on a host of pods (`sim.designs.takes`)."""
    match step.command:
        case KillProcess(target):
            return _no_such_role(design, target.role)
        case Docker() as command:
            return _of_docker(design, command)
        case Systemctl(_, unit):
            return Refusal(f"{design.name} has no {unit}.service.", f"Its units are {listed(units_of(design))}.")
        case Slow(program):
            return Refusal(f"{design.name} has no {program}.", f"It has {listed(design.programs)}.")
    why = NOT_THERE[type(step.command)].format(unit=design.traits.engine_unit)
    return Refusal(f"this is not modelled on {design.name}{f': {why}' if why else ' yet'}.", "Leave the step out.")


def _of_docker(design: Design, command: Docker) -> Refusal:
    if command.verb not in VERBS:
        why = WHY_NOT.get(command.verb, "there is no such request")
        return Refusal(
            f"docker {command.verb} has no counterpart on {design.name}: {why}.", f"There are {listed(VERBS)}."
        )
    if command.verb == "kill" and command.signal not in (None, "KILL"):
        what = f"the CRI sends a container no {command.signal}, only its stop signal and KILL."
        return Refusal(what, f"kill: payload/{command.container} with signal: {command.signal} does.")
    return Refusal(f"streams are not modelled on {design.name}.", "Write run -d, or start without -a.")


def _no_such_role(design: Design, role: str) -> Refusal:
    """Refuse a role that no program has, with what there is."""
    holder = next(iter(design.holders), "")
    why = INSTEAD.get(role, "").format(engine=design.traits.engine, holder=holder)
    what = f"{design.name} has no {role}{': ' if why else ''}{why}."
    roles = [it for it in design.programs if it not in ("client", "init")]
    return Refusal(what, f"It has {listed(roles)}; supervisor/NAME fits every design.")


def fitted(
    root: Node, design: Design, engine: EngineSetup, services: tuple[Service, ...], report: Report
) -> tuple[EngineSetup, tuple[Service, ...]]:
    """Return engine and services as pods have them; note what is refused, and what has no effect."""
    for service in services:
        if service.healthcheck is not None:
            what = f"{service.name}: a health check is not modelled on {design.name}: the kubelet's probes do that."
            report.refuse(root, ("services",), Refusal(what, "healthcheck: {disable: true} drops it."))
    ignored = {
        "x-pids and x-address": sum(service.pins != Pins() for service in services),
        "x-rm": sum(service.auto_remove for service in services),
        "init": sum(service.init for service in services),
        "the count of on-failure": sum(bool(service.restart.max) for service in services),
    }
    for word, count in ignored.items():
        if count:
            report.unused.setdefault("services", Counter())[word] += count
    said: Any = root.child("engine")
    said = said.value if said is not None and isinstance(said.value, dict) else {}
    if "daemon" in said:
        report.unused.setdefault("engine", Counter())["daemon"] += 1
    return replace(engine, daemon=design.traits.daemon), tuple(_pod(root, service) for service in services)


def _pod(root: Node, service: Service) -> Service:
    grace = root.find(("services", service.name, "stop_grace_period"))
    return replace(
        service,
        pins=Pins(),
        auto_remove=False,
        init=False,
        log_driver="none" if service.log_driver == "none" else "json-file",
        restart=Restart(service.restart.name),
        stop_timeout=GRACE if grace is None else service.stop_timeout,
    )
