"""Setups of one container for the explorer and the keys, and what is found of them, each explored once.

Numbers of processes lie between 20000 and 32768 here and no other number does, so a test can rename them without
knowing where they are kept. In the cases no timer ends while prompt work is under way, as the explorer's time rule
asks, also where the payload has its default times (`hasty`, `again`).
"""

from __future__ import annotations

from functools import cache

import msgspec

from sim.drive.explore import Exploration, Path, explore
from sim.engine.setup import (
    Child,
    Docker,
    Ends,
    FaultBudget,
    HostSetup,
    Instant,
    KillProcess,
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
    ThreadsEnd,
)
from sim.model import initial, step
from sim.world import World

FIRST_PID, PID_MAX = 20_000, 32_768
AFTER = Instant("after")
UP = Step("up", Instant(), Systemctl("start"))
LIFE = ("run", "stop", "rm")
PLAIN = Service("web", "web0", "img", "/web", (), Payload("web", ("web",), 2, ready=5 * S, on_term=OnTerm(after=5 * S)))
WITH_PORT = msgspec.structs.replace(PLAIN, ports=(Port(8080, 80),))
TREE = Child("a", ("a",), exits=Ends(0, 15 * S), children=(Child("b", ("b",), exits=Ends(1, 18 * S)),))
ANSWERS = (("HUP", OnTerm("exit", 3, 2 * S)), ("TERM", OnTerm("reload")))
HASTY = msgspec.structs.replace(PLAIN, payload=Payload("web", ("web",), 2))
MANY = msgspec.structs.replace(
    HASTY,
    payload=Payload(
        "web", ("web",), 2, (TREE,), on=ANSWERS, reaps_after=9 * S, threads_end=(ThreadsEnd(2, 6 * S),), main_ends=4 * S
    ),
)


def setup_of(service: Service, *steps: Step, begin: str = "off") -> Setup:
    host = HostSetup(begin=begin, next_pid=FIRST_PID + 11)
    return Setup((service,), host=host, terminals=(steps,))


def docker(*verbs: str) -> tuple[Step, ...]:
    return tuple(Step(f"{verb} {number}", AFTER, Docker(verb, "web")) for number, verb in enumerate(verbs))


def systemctl(verb: str, unit: str = "docker") -> Step:
    return Step(f"{verb} {unit}", AFTER, Systemctl(verb, unit))


def with_faults(setup: Setup, kind: str = "kill", most: int = 1) -> Setup:
    return msgspec.structs.replace(setup, faults=FaultBudget(most, ((kind, most),)))


def kill(role: str, name: str) -> Step:
    return signal(role, "KILL", name)


def signal(role: str, what: str, name: str) -> Step:
    return Step(name, AFTER, KillProcess(Target(role), what))


CASES = {
    "plain": (setup_of(PLAIN, UP, *docker(*LIFE)), "run 0"),
    "port": (setup_of(WITH_PORT, UP, *docker(*LIFE)), "run 0"),
    "hasty": (setup_of(HASTY, UP, *docker(*LIFE)), "run 0"),
    "steady": (setup_of(PLAIN, *docker("stop", "rm", *LIFE), begin="steady"), "open"),
}
# Its container is not removed, since no command waits for the second exit.
AGAIN = msgspec.structs.replace(
    HASTY, payload=msgspec.structs.replace(HASTY.payload, exits=Ends(1, 5 * S)), restart=Restart("on-failure", 1)
)
ALWAYS = msgspec.structs.replace(HASTY, restart=Restart("always"))
AGREE = CASES | {
    "again": (setup_of(AGAIN, UP, *docker("run")), "run 0"),
    "restart": (setup_of(HASTY, *docker("restart"), begin="steady"), "open"),
    "shot": (setup_of(ALWAYS, kill("payload", "k"), begin="steady"), "open"),
    "off": (setup_of(WITH_PORT, systemctl("stop"), begin="steady"), "open"),
}


AT_REST = setup_of(HASTY, begin="steady")
# A health check waits for a containerd that dies: dockerd never starts another one, and dials for ever (T31).
HUNG = setup_of(HASTY, signal("containerd", "STOP", "hang"), kill("containerd", "shot"), begin="steady")


@cache
def explored(case: str) -> Exploration:
    setup, start = AGREE[case]
    return explore(setup, start=start)


def world_of(setup: Setup, path: Path) -> World:
    world, _ = initial(setup)
    for action in path.actions:
        step(world, action)
    return world


@cache
def ends(case: str) -> list[World]:
    found = explored(case)
    return [world_of(found.base.setup, found.path_to(end)) for end in found.ends]
