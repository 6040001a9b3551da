"""What a file means where a kubelet asks for pods: which of docker's words have a counterpart, what has no effect.

Each service is a pod with one container. `unit:` is the runtime's unit. A stop takes 30 s unless the file says
otherwise, as a pod's grace period does. Source: designs §1, §4.3, §5.1 [S]; Kubernetes API, Pod v1 [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.meaning import (
    Fitted,
    Given,
    Said,
    counted,
    nameable,
    not_there,
    one_network_each,
    one_of_a_range,
    without_checks,
)
from sim.engine.setup import (
    FOR_EVER,
    BusyMount,
    Command,
    Docker,
    EditDaemon,
    FillDisk,
    Pins,
    Restart,
    S,
    Service,
    TakePid,
    Tear,
    Upgrade,
)
from sim.engines.containerd.runc import STAGES
from sim.engines.cri.client import VERBS

GRACE = 30 * S  # terminationGracePeriodSeconds [K]
INSTEAD = {  # role -> why there is none
    **{stage.name: "crun clones the container's first process itself" for stage in STAGES},
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
    "crio": "{engine} is the engine here",
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
NOT_THERE: dict[type, str] = {  # command -> what it needs
    EditDaemon: "no daemon reads daemon.json",
    Upgrade: "a package's script restarts the engine's unit: systemctl restart {unit} does",
    Tear: "these files are an older containerd's",
    TakePid: "these files are dockerd's",
    FillDisk: "",
    BusyMount: "",
}

CHECKS = (
    "an image's health check is nothing to a kubelet, which has probes of a pod in its place",
    "only if its pod has probes: a failed liveness probe starts it again",
)


def instead(design: Any, role: str) -> Said:
    """Return why a host of pods has no processes of a role, and which it has."""
    why = INSTEAD.get(role, "").format(engine=design.traits.engine, holder=next(iter(design.holders), ""))
    return Said(why, f"It has {', '.join(nameable(design))}; supervisor/NAME is whoever holds a container.")


def refuses(design: Any, command: Command) -> Said | None:
    """Refuse docker's words that have no counterpart, and what is about files of dockerd."""
    return _of_docker(design, command) if isinstance(command, Docker) else not_there(design, command, NOT_THERE)


def _of_docker(design: Any, command: Docker) -> Said | None:
    if command.verb not in VERBS:
        why = WHY_NOT.get(command.verb, "there is no such request")
        what = f"docker {command.verb} has no counterpart on {design.name}: {why}."
        return Said(what, f"There are {', '.join(VERBS)}.")
    if command.verb == "kill" and command.signal not in (None, "KILL"):
        what = f"the CRI sends a container no {command.signal}, only its stop signal and KILL."
        return Said(what, f"kill: payload/{command.container} with signal: {command.signal} does.")
    if command.timeout == FOR_EVER:
        return Said(f"a stop on {design.name} has a limit: a pod's grace is not negative.", "Write -t with a number.")
    if command.called or command.attach:
        return Said(f"streams are not modelled on {design.name}.", "Write run -d, or start without -a.")
    return None


def fit(design: Any, given: Given) -> Fitted:
    """Return engine and services as pods have them."""
    found, doubts = without_checks(given, *CHECKS)
    refused = one_of_a_range(given, "a pod's hostPort is one number")
    refused += one_network_each(design, given)
    ignored = {
        "x-pids and x-address": sum(service.pins != Pins() for service in given.services),
        "x-proxy": sum(given.writes(service.name, "x-proxy") for service in given.services),
        "x-rm": sum(service.auto_remove for service in given.services),
        "init": sum(service.init for service in given.services),
        "ipv4_address": sum(bool(service.fixed) for service in given.services),
        "the count of on-failure": sum(bool(service.restart.max) for service in given.services),
    }
    unused = (*counted("services", ignored), *counted("engine", {"daemon": "daemon" in given.engine_keys}))
    services = tuple(_pod(service, given.writes(service.name, "stop_grace_period")) for service in found)
    return Fitted(given.engine, services, refused, unused, doubts)


def _pod(service: Service, has_grace: bool) -> Service:
    return replace(
        service,
        pins=Pins(),
        auto_remove=False,
        init=False,
        log_driver="none" if service.log_driver == "none" else "json-file",
        restart=Restart(service.restart.name),
        stop_timeout=service.stop_timeout if has_grace else GRACE,
    )
