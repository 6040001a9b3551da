"""Storms of upgrades: a host of Docker gets another version, or two, while its processes are killed at random moments.

A storm is drawn from its number alone, so that one that has failed can be run again: `python -m tests.upgrades 17 18`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.timed import Timed
from sim.engine.goroutine import ModelFault
from sim.engine.setup import (
    MS,
    Command,
    Docker,
    Ends,
    EngineSetup,
    HostSetup,
    Instant,
    KillProcess,
    LosePower,
    OnTerm,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
    Systemctl,
    Target,
    Upgrade,
)
from sim.kernel.syscalls import SyscallError
from sim.testing import LAWS
from sim.testing.setups import NAMES, NETWORKS
from sim.trace import Replay, Trace

VERSIONS = tuple(name for name, design in DESIGNS.items() if "dockerd" in design.programs)
"""Every version of Docker, oldest first."""
ROLES = ("dockerd", "containerd", "shim", "payload", "proxy", "runc", "shim-command")
SIGNALS = ("KILL", "KILL", "KILL", "TERM", "STOP", "CONT")
POLICIES = (Restart("always"), Restart("always"), Restart("unless-stopped"), Restart("on-failure"), Restart())
PAYLOADS = (OnTerm(), OnTerm("none"), OnTerm("exit", 3, 2 * S))
EXITS = (None, None, Ends(1, 50 * MS), Ends(0, 3 * S))
AFTER = 12 * S  # so long kills go on
LENGTH = 40 * S


def _service(dice: Random, number: int) -> Service:
    name = NAMES[number]
    payload = Payload(name, (name,), on_term=dice.choice(PAYLOADS), exits=dice.choice(EXITS))
    ports = dice.choice(((), (Port(80 + number, 80),), (Port(80 + number, 80), Port(443, 443))))
    return Service(name, f"{number + 10:x}" * 64, name, name, (), payload, ports, restart=dice.choice(POLICIES))


def _targets(dice: Random) -> Target:
    role = dice.choice(ROLES)
    return Target(role) if role in ("dockerd", "containerd") else Target(role, "*")


def _blow(dice: Random, names: list[str]) -> Command:
    """Draw what befalls the host beside its upgrade: a signal most of the time."""
    kind = dice.random()
    if kind < 0.7:
        return KillProcess(_targets(dice), dice.choice(SIGNALS))
    if kind < 0.85:
        return Docker(dice.choice(("stop", "start", "restart", "kill")), dice.choice(names))
    if kind < 0.97:
        return Systemctl(dice.choice(("start", "stop", "restart")), dice.choice(("docker", "containerd")))
    return LosePower(5 * S)


def storm(number: int) -> Setup:
    """Draw the host of a storm, and what befalls it."""
    dice = Random(number)
    services = tuple(_service(dice, it) for it in range(dice.randint(1, len(NAMES))))
    first, *later = (dice.choice(VERSIONS) for _ in range(dice.choice((2, 2, 3))))
    at, given = dice.randint(0, 3 * S), list[tuple[int, Command]]()
    for version in later:
        given.append((at, Upgrade(version, dice.choice((0, 800 * MS, 3 * S)))))
        at += dice.randint(2 * S, 8 * S)
    given += [(dice.randint(0, AFTER), _blow(dice, [it.name for it in services])) for _ in range(dice.randint(2, 8))]
    terminals = tuple((Step(f"s{it}", Instant(offset=at), what),) for it, (at, what) in enumerate(given, 1))
    traits = DESIGNS[first].traits
    live = traits.live_restore and dice.random() < 0.5
    daemon = replace(traits.daemon, live_restore=live)
    engine = EngineSetup(first, daemon, traits.unit, traits.profile, traits.unverified)
    host = HostSetup(begin=dice.choice(("steady", "steady", "boot")), uptime=10 * S)
    return Setup(services, NETWORKS, host, engine, terminals, until=Instant(offset=LENGTH))


def faults(number: int) -> Iterator[str]:
    """Run a storm; yield what goes wrong in the model, and the moment at which a law is broken first."""
    setup = storm(number)
    driver = Timed(setup, number)
    try:
        driver.run()
    except (ModelFault, SyscallError, AssertionError, LookupError) as error:
        yield f"{type(error).__name__}: {error}"
    broken = next(_broken(driver.trace), None)
    if broken is not None:
        yield broken


def _broken(trace: Trace) -> Iterator[str]:
    """Yield, for each moment, the laws that do not hold once all that happened then has happened."""
    replay = Replay(trace)
    for at in dict.fromkeys(record.at or 0 for record in trace):
        world = replay.to(at)
        yield from (f"at {at} µs: {law.said(world)}" for law in LAWS if not law.holds(world))


def described(number: int) -> str:
    """Return a storm in a line."""
    setup = storm(number)
    steps = (f"{terminal[0].at.offset / S:.3f}s {terminal[0].command}" for terminal in setup.terminals)
    return f"{setup.engine.design}: {'; '.join(steps)}"


if __name__ == "__main__":
    for it in range(int(sys.argv[1]), int(sys.argv[2])):
        for fault in faults(it):
            print(it, described(it), fault, sep="\n  ", flush=True)
