"""What systemd knows of a unit at a moment: its state, since when, its main process, its control group.

Models: active, sub and result as systemd 219 names them, from the trace: UnitChanged, the main process's end, and the
KILL after TimeoutStopSec. That makes the result timeout, which the main process's end by that KILL makes signal. Leaves
out: memory, the journal, drop-ins, and `reloading`, since the /bin/kill of ExecReload is not modelled. Source: systemd
219, core/service.c (state table, results) [K], seen on el7: a stop that timed out; systemctl.c print_status_info.
"""

from __future__ import annotations

import msgspec

from sim.engine.containers import is_unit, names_container, unit_group
from sim.engine.setup import Microseconds
from sim.engines.host.systemd.unit import file_of, own_name
from sim.engines.host.systemd.unit import group as group_of
from sim.engines.host.systemd.ways import CLEAN_SIGNALS
from sim.facts import UnitChanged
from sim.kernel.events import Exited, Signalled
from sim.kernel.records import INIT, Pid, Status
from sim.kernel.signals import NAMES
from sim.views.story import Story

STATES = {  # of the model -> active and sub state
    "inactive": ("inactive", "dead"),
    "activating": ("activating", "start"),
    "active": ("active", "running"),
    "deactivating": ("deactivating", "stop-sigterm"),
    "auto-restart": ("activating", "auto-restart"),
    "failed": ("failed", "failed"),
}
SERVICE = ".service"  # behind the name of a daemon's unit, to tell it from a container's
WITH_PROCESS = ("activating", "active", "deactivating")
DUMPS_CORE = frozenset({"QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV", "XCPU", "XFSZ", "SYS"})  # core(5)


class UnitStatus(msgspec.Struct, frozen=True):
    """One moment. *since* is in unix seconds (None: never), *main* 0 before the first start.

    *ended* is how the main process ended, None while it runs: exited and a code, killed or dumped and a signal.
    *group* are the living processes of the control group by pid, with their words; *tasks* counts their threads too.
    *container* says that it is the unit of a container, whose main process has not been started by ExecStart= itself.
    *file* is what is printed of the unit file: description, Docs=, ExecStart=.
    """

    active: str
    sub: str
    result: str
    since: float | None
    main: Pid
    comm: str
    ended: tuple[str, str] | None
    group: tuple[tuple[Pid, tuple[str, ...]], ...]
    tasks: int
    name: str
    container: bool = False
    file: tuple[str, str, str] = ("", "", "")


class GatheredUnit(msgspec.Struct):
    """What is gathered on the way."""

    state: str = "inactive"
    since: Microseconds | None = None
    left: Microseconds | None = None  # when it was active last
    main: Pid = 0
    ended: Status | None = None
    result: str = "success"
    killed: bool = False


def units_of(story: Story) -> tuple[str, ...]:
    """Return the containers that are units."""
    return tuple(name for name, service in story.world.services.items() if is_unit(story.world, service))


def unit_status(story: Story, name: str = "") -> UnitStatus:
    """Return the status of a unit at the story's moment; without a name that of the engine's own."""
    name = name or own_name(story.world)
    container = names_container(story.world, name)
    unit = gathered(story, name)
    active, sub = STATES[unit.state]
    host = story.world.host
    members = _below(story, name) if container else host.grouped.get(group_of(story.world, name), ())
    group = [host.procs[pid] for pid in sorted(members) if host.alive(pid)]
    main = host.procs.get(unit.main)
    killing = unit.killed and unit.state == "deactivating"
    if container and unit.state == "deactivating":
        sub = "stop" if unit.ended is None else "stop-post"  # ExecStop=, ExecStopPost=
    return UnitStatus(
        active=active,
        sub="stop-sigkill" if killing else sub,
        result="timeout" if killing else unit.result,
        since=None if unit.since is None else story.trace.unix(unit.since),
        main=unit.main,
        comm="" if main is None else main.image.comm,
        ended=None if unit.ended is None else way_of(unit.ended),
        group=tuple((process.pid, process.image.argv) for process in group),
        tasks=sum(1 + len(process.threads) for process in group),
        name=name,
        container=container,
        file=file_of(story.world, name).status,
    )


def _below(story: Story, container: str) -> list[Pid]:
    """Return who is in a unit's control group or in one below it."""
    whole, grouped = unit_group(story.world.services[container]), story.world.host.grouped
    return [pid for name, members in grouped.items() if f"{name}/".startswith(f"{whole}/") for pid in members]


def gathered(story: Story, name: str) -> GatheredUnit:
    """Go through the facts about the unit called *name* up to the story's moment."""
    unit = GatheredUnit()
    for record in story.trace:
        if record.at is not None and record.at > story.at:
            break
        event = record.event
        if isinstance(event, UnitChanged) and event.unit == name:
            _changed(unit, event, record.at or 0)
        elif isinstance(event, Exited) and event.pid == unit.main:
            unit.ended = event.status
        elif isinstance(event, Signalled) and event.by_pid == INIT and event.signal == "KILL":
            unit.killed = unit.killed or event.pid == unit.main
    return unit


def _changed(unit: GatheredUnit, event: UnitChanged, at: Microseconds) -> None:
    if event.main_pid and (event.main_pid != unit.main or event.state == "activating"):
        unit.main, unit.ended, unit.killed = event.main_pid, None, False
    if event.state == unit.state != "failed":
        return
    if unit.state == "active":
        unit.left = at
    if event.state == "failed" and unit.state not in WITH_PROCESS:
        unit.result = "start-limit"
    else:
        unit.result = "success" if unit.ended is None else result_of(unit.ended)
    if event.state == "inactive" and unit.state == "failed":
        unit.result = "success"  # `systemctl reset-failed`
    if event.state == "failed" and unit.result == "success":
        unit.result = "timeout"  # what the main process left behind had to be killed
    unit.since = unit.left if event.state == "deactivating" else at
    unit.state = event.state


def way_of(status: Status) -> tuple[str, str]:
    """Say how a process ended.

    >>> way_of(1), way_of(-9), way_of(-6)
    (('exited', '1'), ('killed', 'KILL'), ('dumped', 'ABRT'))
    """
    if status >= 0:
        return "exited", str(status)
    name = NAMES[-status]
    return "dumped" if name in DUMPS_CORE else "killed", name


def result_of(status: Status) -> str:
    """Return systemd's word for the way in which a main process ended.

    >>> result_of(0), result_of(1), result_of(-9), result_of(-6), result_of(-15)
    ('success', 'exit-code', 'signal', 'core-dump', 'success')
    """
    if status >= 0:
        return "exit-code" if status else "success"
    way, name = way_of(status)
    return "success" if name in CLEAN_SIGNALS else "core-dump" if way == "dumped" else "signal"
