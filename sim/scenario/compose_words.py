"""The words of `docker compose`, written out as docker commands.

Models: up -d, start, stop, restart, kill, rm, down for all services of the file or some. Services start in
parallel, each in a terminal of its own; those that `depends_on` ties together share one and go in that order,
backwards for stop. A service that exists is started by `up`, one that does not is run; what exists is read off
the steps in the order of the file. Leaves out: recreation after a changed file, --scale, networks and volumes
that `down` removes. Source: docker compose COMMAND --help; Compose's convergence of v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.engine.setup import Command, Docker
from sim.scenario import fields
from sim.scenario.commands import Parsed, parse_flags, seconds, split
from sim.scenario.instants import Names
from sim.scenario.known import not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, shown

VERBS = ("up", "start", "stop", "restart", "kill", "rm", "down", "pause", "unpause")
OTHER_VERBS = tuple(
    """attach build config cp create events exec images logs ls port ps pull push run scale stats top
    version wait watch""".split()
)
TIME = {"-t": ("timeout", True), "--timeout": ("timeout", True)}
FLAGS: dict[str, dict[str, tuple[str, bool]]] = {
    "up": {
        "-d": ("", False),
        "--detach": ("", False),
        "--no-build": ("", False),
        "--quiet-pull": ("", False),
        "--no-color": ("", False),
        "--no-recreate": ("", False),
        "--remove-orphans": ("", False),
    },
    "start": {},
    "pause": {},
    "unpause": {},
    "stop": TIME,
    "restart": TIME,
    "kill": {"-s": ("signal", True), "--signal": ("signal", True)},
    "rm": {
        "-f": ("", False),
        "--force": ("", False),
        "-s": ("stop", False),
        "--stop": ("stop", False),
        "-v": ("", False),
    },
    "down": {**TIME, "-v": ("", False), "--volumes": ("", False), "--remove-orphans": ("", False)},
}
LATER = tuple(
    """--build --force-recreate --scale --abort-on-container-exit --no-deps --no-start --wait -V --rmi -f --file
    -p --project-name --profile -t --timeout""".split()
)


@dataclass
class Fleet:
    """The services of the file: which exist at this point of the steps, and who depends on whom (engine's names)."""

    depends: dict[str, tuple[str, ...]]
    existing: set[str] = field(default_factory=set)
    replicas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of a service with several


def parse_compose(text: object, names: Names, fleet: Fleet) -> list[list[Command]]:
    """Return the commands of one `compose` line, a list for each terminal. Raises Refusal."""
    words = split(text, "compose")
    verb = words[0] if words else ""
    if verb in OTHER_VERBS or verb.startswith("-"):
        raise Refusal(f"compose {not_modelled(verb, '')}", f"Modelled: {listed(VERBS)}.")
    if verb not in VERBS:
        hint = did_you_mean(verb, (*VERBS, *OTHER_VERBS))
        raise Refusal(f"compose {shown(verb)} is not a command; modelled: {listed(VERBS)}.", hint)
    parsed = parse_flags(f"compose {verb}", words[1:], FLAGS[verb], LATER, stop=False)
    words = [name for word in parsed.rest for name in fleet.replicas.get(word, (word,))]
    chosen = [names.container(word) for word in words] or list(fleet.depends)
    if verb == "up":
        chosen = with_dependencies(chosen, fleet)
    groups = [backwards(verb, group) for group in tied(chosen, fleet)]
    commands = [[command for name in group for command in commands_of(verb, name, parsed, fleet)] for group in groups]
    if verb in ("rm", "down"):
        fleet.existing -= set(chosen)
    if verb == "up":
        fleet.existing |= set(chosen)
    return [group for group in commands if group]


def commands_of(verb: str, name: str, parsed: Parsed, fleet: Fleet) -> list[Command]:
    """Return what *verb* does with one service."""
    timeout = seconds(parsed)
    match verb:
        case "up":
            return [Docker("start" if name in fleet.existing else "run", name)]
        case "kill":
            signal = parsed.last("signal")
            return [Docker("kill", name, fields.signal(signal) if signal else None)]
        case "rm":
            stop: list[Command] = [Docker("stop", name)] if parsed.last("stop") else []
            return [*stop, Docker("rm", name)]
        case "down":
            return [Docker("stop", name, timeout=timeout), Docker("rm", name)] if name in fleet.existing else []
    return [Docker(verb, name, timeout=timeout)]


def with_dependencies(chosen: list[str], fleet: Fleet) -> list[str]:
    """Return *chosen* and all that they depend on, in the order of the file."""
    wanted, queue = set(chosen), list(chosen)
    while queue:
        for name in fleet.depends.get(queue.pop(), ()):
            if name not in wanted:
                wanted.add(name)
                queue.append(name)
    return [name for name in fleet.depends if name in wanted]


def backwards(verb: str, group: list[str]) -> list[str]:
    """Return a group in the order in which *verb* takes it."""
    return group[::-1] if verb in ("stop", "down", "rm") else group


def tied(chosen: list[str], fleet: Fleet) -> list[list[str]]:
    """Return groups of services that depend on one another, dependencies first; a service alone is a group."""
    ordered = by_dependency(chosen, fleet)
    group_of: dict[str, list[str]] = {}
    for name in ordered:
        group = [name]
        for other in fleet.depends.get(name, ()):
            below = group_of.get(other)
            if below is not None and below is not group:
                group = below + [member for member in group if member not in below]
        for member in group:
            group_of[member] = group
    found: list[list[str]] = []
    for name in ordered:
        if not any(name in group for group in found):
            found.append(sorted(group_of[name], key=ordered.index))
    return found


def by_dependency(chosen: list[str], fleet: Fleet) -> list[str]:
    """Return *chosen* so that each comes after what it depends on. Raises Refusal on a circle."""
    done: list[str] = []
    waiting = list(dict.fromkeys(chosen))
    while waiting:
        free = [name for name in waiting if not any(other in waiting for other in fleet.depends.get(name, ()))]
        if not free:
            raise Refusal(f"{listed(waiting)} depend on one another.")
        done += free
        waiting = [name for name in waiting if name not in free]
    return done
