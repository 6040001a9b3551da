"""What a scenario file means on podman: a file that was written for Docker runs if no step needs what is not there.

No daemon reads daemon.json, commands are processes, and numbers and addresses that were observed are dockerd's.
Source: designs §4; podman(1).
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.meaning import (
    Fitted,
    Given,
    Said,
    counted,
    not_there,
    one_network_each,
    one_of_a_range,
    without_checks,
    without_words,
)
from sim.engine.setup import BusyMount, Command, Docker, EditDaemon, EngineSetup, Pins, TakePid, Tear, Upgrade
from sim.engines.containerd.runc import STAGES
from sim.engines.host.systemd.unit import TEMPLATE
from sim.engines.podman.client import VERBS

NO_DAEMON = "each command is a process of its own"
NO_UNIT = f"{NO_DAEMON.capitalize()}: there is no engine to stop."
STAGE = ("crun clones the container's first process itself", "Write payload/NAME.")
INSTEAD = {  # role -> why there is none, and what to write
    "dockerd": (NO_DAEMON, "No process can stop the engine; kill conmon/NAME or podman/NAME."),
    "crio": (NO_DAEMON, "No process can stop the engine; kill conmon/NAME or podman/NAME."),
    "containerd": ("conmon holds a container without it", "Kill conmon/NAME, which holds one container."),
    "shim": (
        "conmon holds a container",
        "Write conmon/NAME, or supervisor/NAME, which is whoever holds a container.",
    ),
    "exec-shim": ("a conmon holds an exec", "Write exec-conmon/NAME."),
    **{stage.name: STAGE for stage in STAGES},
    "proxy": ("ports are published by rules of the packet filter alone", "host: {flush: iptables -t nat} closes them."),
}
NOT_THERE: dict[type, str] = {  # command -> what it needs
    EditDaemon: "no daemon reads daemon.json",
    Upgrade: "nothing that runs is touched by an upgrade of podman",
    Tear: "these files are containerd's",
    TakePid: "these files are dockerd's",
    BusyMount: "",
}

CHECKS = (  # v5.4.2 libpod/healthcheck.go 168-200, healthcheck_linux.go createTimer
    "timers of systemd run its probes, which is not modelled",
    "only if its health is asked for, or a failed check is to stop it (--health-on-failure)",
)


def instead(design: Any, role: str) -> Said:
    """Return why podman has no processes of a role, and what to write."""
    return Said(*INSTEAD[role]) if role in INSTEAD else without_words(design, role)


def refuses(design: Any, command: Command) -> Said | None:
    """Refuse verbs that are not modelled, and what is about files that podman has not."""
    if isinstance(command, Docker) and (command.verb not in VERBS or command.called):
        what = f"docker {command.verb} is not modelled on {design.name} yet."
        return Said(what, f"Modelled: {', '.join(VERBS)}.")
    return not_there(design, command, NOT_THERE)


def fit(design: Any, given: Given) -> Fitted:
    """Return engine and services as podman has them."""
    services, doubts = without_checks(given, *CHECKS)
    lengths = "podman maps ranges of the same length only"  # v5.4.2 pkg/specgenutil/util.go 201
    refused = one_of_a_range(given, lengths)
    refused += one_network_each(design, given)
    engine = given.engine
    if not _is_profile_of(design, engine):
        engine = replace(engine, profile=design.traits.profile, durations=())
    services = tuple(replace(it, pins=Pins()) for it in services)
    return Fitted(engine, services, refused, _unused(design, given), doubts)


def _is_profile_of(design: Any, engine: EngineSetup) -> bool:
    """Return whether a profile is of podman: by its name, or its own rows are."""
    return engine.profile == design.traits.profile or any(name.startswith("podman/") for name, _ in engine.durations)


def _unused(design: Any, given: Given) -> tuple[tuple[str, str, int], ...]:
    """Return what has no effect: where containers are units, each has a unit file, whose Restart= its policy is."""
    are_units = TEMPLATE in design.units
    said = given.engine_keys
    engine = {
        "unit.Restart": are_units and "unit.Restart" in said,
        "daemon": "daemon" in said,
        "unit": not are_units and "unit" in said,
        "profile": "profile" in said and not _is_profile_of(design, given.engine),
    }
    services = {
        "the count of restart: on-failure": are_units * sum(service.restart.max > 0 for service in given.services),
        "x-pids and x-address": sum(service.pins != Pins() for service in given.services),
        "ipv4_address": sum(bool(service.fixed) for service in given.services),
        "x-proxy": sum(given.writes(service.name, "x-proxy") for service in given.services),
    }
    return (*counted("engine", engine), *counted("services", services))
