"""What happens before t = 0 of a steady host: the engine's service starts, then every container of the file is run.

Models: containers one after the other, in the order of the file; those whose process numbers were observed stand in the
order of these numbers, since numbers rise. Numbers of two containers that lie between one another were given out to
starts that overlapped: such a container starts in a terminal of its own as soon as all smaller observed numbers are
out. A daemon that the host's table shows to be younger than containers which go on is started anew behind them. Leaves
out numbers of processes that the design does not fork. Source: the project's scenario language (`x-pids`,
`host.processes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from sim.engine.role import SUPERVISOR, Kind
from sim.engine.setup import Instant, KillProcess, Service, Setup, Step, Systemctl, Target
from sim.facts import OPENED
from sim.world import World

Steps = tuple[Step, ...]
EARLY = "early"  # the base of an instant before t = 0


def prologue(setup: Setup, design: Any) -> tuple[Steps, ...]:
    """Return the steps of the terminal that goes before t = 0, then those of each terminal that goes beside it."""
    if setup.host.begin == "off" or (setup.host.begin == "boot" and setup.host.supervisor == "none"):
        return ((),)
    start, run = design.engine.start, design.engine.run
    if setup.host.begin == "boot":
        return (start,)
    line, beside = list(start), []
    at = Instant("after")
    for group in groups(setup, design):
        first, *others = (service for service, _ in group)
        line.append(run(first, at))
        beside += [(run(it, Instant("numbers", nth=min(numbers))),) for it, numbers in group[1:]]
        last = max((number for _, numbers in group for number in numbers), default=0)
        at = Instant("numbers", nth=last + 1) if others else Instant("after")
    return (*line, *started_anew(setup, design), *early(setup)), *beside


def early(setup: Setup) -> Steps:
    """Return the file's steps that come before t = 0, in its order, each once the one before it has ended."""
    steps = (step for terminal in setup.terminals for step in terminal if is_early(terminal))
    return tuple(replace(step, id=f"({step.id})", at=Instant("after")) for step in steps)


def is_early(steps: Steps) -> bool:
    """Return whether a terminal's steps come before t = 0."""
    return bool(steps) and steps[0].at.base == EARLY


def started_anew(setup: Setup, design: Any) -> Steps:
    """Return the restarts of daemons that were observed to be younger than a container which goes on.

    A daemon that another one keeps was killed, and its keeper has started it again. Without live-restore a restart ends
    containers, or, on engines that do not need it, changes nothing that the table shows: no daemon is restarted then.
    """
    if not (design.traits.live_restore and setup.engine.daemon.live_restore):
        return ()
    rows = [row for row in setup.host.processes if row.target is not None and row.started is not None]
    held = (row.started or 0 for row in rows if row.target and row.target.role in (*design.holders, SUPERVISOR))
    oldest = min(held, default=None)
    young = {row.target.role for row in rows if row.target and oldest is not None and (row.started or 0) > oldest}
    units = [file for file in design.units.values() if file.program in young]
    guests = [role for role in design.of_kind(Kind.GUEST) if role in young and design.roles[role].home not in young]
    after = Instant("after")
    return (
        *(Step(f"(restart {file.name})", after, Systemctl("restart", file.name)) for file in units),
        *(Step(f"(kill {role})", after, KillProcess(Target(role), "KILL")) for role in guests),
    )


def is_beside(steps: Steps) -> bool:
    """Return whether a terminal goes beside the first one before t = 0; no step of a file waits for numbers."""
    return bool(steps) and steps[0].at.base == "numbers"


def observed(setup: Setup, design: Any, service: Service) -> tuple[int, ...]:
    """Return the numbers that were observed for processes of a container that the design forks.

    None where the whole table was observed: that holds numbers in any order.
    """
    pins = service.pins
    if setup.host.processes:
        return ()
    proxies = setup.engine.daemon.userland_proxy and design.of_kind(Kind.FORWARDER)
    unused = (*(() if proxies else pins.proxy), *(() if design.holders else (pins.shim,)))
    return tuple(number for number in pins.numbers() if number not in unused)


def never_came(world: World) -> str:
    """Return words for the moment that never came; before t = 0, for the observed number that processes wait for."""
    if world.marks.get(OPENED):
        return "the moment that the end counts from never came"
    number = min(world.host.reserved, default=None)
    if number is None:
        return "t = 0 never came: what starts before it did not end"
    whose = next((name for name, it in world.services.items() if number in it.pins.numbers()), "")
    return (
        f"t = 0 never came: no process got the number {number}, which was observed for one of {whose} (x-pids), and "
        "those with larger numbers wait for it, since numbers rise"
    )


Group = list[tuple[Service, tuple[int, ...]]]


def groups(setup: Setup, design: Any) -> list[Group]:
    """Return the services that exist at t = 0, those together whose observed numbers overlap, in the order of a start.

    A service without observed numbers keeps its place in the file, the others share the places that are left. One that
    needs another comes behind it.
    """
    services = [(it, observed(setup, design, it)) for it in behind(setup.services) if it.at_begin]
    pinned = iter(_overlapping(sorted((it for it in services if it[1]), key=lambda it: min(it[1]))))
    found: list[Group] = []
    for row in services:
        if not row[1]:
            found.append([row])
        elif (group := next(pinned, None)) is not None:
            found.append(group)
    return found


def behind(services: tuple[Service, ...]) -> tuple[Service, ...]:
    """Return the services so that each comes after those that it needs, else in the order of the file."""
    if not any(service.needs for service in services):
        return services
    found: dict[str, Service] = {}
    waiting = list(services)
    while waiting:
        names = {service.name for service in waiting}
        free = next((it for it in waiting if not names & set(it.needs)), waiting[0])  # of a circle nobody goes first
        found[free.name] = free
        waiting.remove(free)
    return tuple(found.values())


def _overlapping(rows: Iterable[tuple[Service, tuple[int, ...]]]) -> list[Group]:
    """Join neighbours, which are sorted by their first number, where one begins before those before it have ended."""
    found: list[Group] = []
    last = 0
    for row in rows:
        if found and min(row[1]) < last:
            found[-1].append(row)
        else:
            found.append([row])
        last = max(last, *row[1])
    return found
