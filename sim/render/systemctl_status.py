"""Print a unit as `systemctl status -l UNIT` of systemd 219 would, without its last lines, the journal's.

Models: the lines Loaded, Active, Docs, Process, Main PID, Tasks and CGroup, whole as with -l; the unit is enabled. What
is no docker.service, a container's unit too, is printed likewise [K]. Leaves out: Memory and the journal, which no run
knows. A zone's name is its offset from UTC. Source: systemd 219 of el7, systemctl.c print_status_info; seen in public
listings of hosts with this package: the unit's path, description, link and ExecStart; [K]: relative times
(format_timestamp_relative), branches and widths (cgroup-show.c), Tasks without zombies.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sim.render.clean import printable
from sim.views.unit_status import UnitStatus

QUADLET = "/etc/containers/systemd/{unit}.container"
PATH = "/usr/lib/systemd/system/{unit}.service"
EXITS = {"0": "/SUCCESS", "1": "/FAILURE"}
MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = 60, 3600, 86_400, 604_800, 2_629_800, 31_557_600
RELATIVE = (  # from so many seconds on: a unit and its name, and the unit of the rest and its name, "" for no rest
    (YEAR, YEAR, " years", MONTH, " months"),
    (MONTH, MONTH, " months", DAY, " days"),
    (WEEK, WEEK, " weeks", DAY, " days"),
    (2 * DAY, DAY, " days", 1, ""),
    (25 * HOUR, DAY, " day", HOUR, "h"),
    (6 * HOUR, HOUR, "h", 1, ""),
    (HOUR, HOUR, "h", MINUTE, "min"),
    (5 * MINUTE, MINUTE, "min", 1, ""),
    (MINUTE, MINUTE, "min", 1, "s"),
    (1, 1, "s", 1, ""),
)


def systemctl_status(unit: UnitStatus, now: float, offset_min: int) -> str:
    """Print the unit at *now* (unix seconds) in local time."""
    state = unit.active if unit.active == unit.sub else f"{unit.active} ({unit.sub})"
    result = "" if unit.result == "success" else f" (Result: {unit.result})"
    active = f"   Active: {state}{result}{_since(unit.since, now, offset_min)}"
    if unit.container:
        loaded = f"   Loaded: loaded ({QUADLET.format(unit=unit.name)}; generated)"
        lines = [f"● {unit.name}.service", loaded, active, *_main_process(unit, "")[-1:]]
    else:
        description, docs, exec_start = unit.file
        lines = [
            f"● {unit.name}.service - {description}",
            f"   Loaded: loaded ({PATH.format(unit=unit.name)}; enabled; vendor preset: disabled)",
            active,
            f"     Docs: {docs}",
            *_main_process(unit, exec_start),
        ]
    if unit.group:
        lines += [f"    Tasks: {unit.tasks}", f"   CGroup: /system.slice/{unit.name}.service", *_tree(unit.group)]
    return "".join(printable(line) + "\n" for line in lines)


def relative(seconds: float) -> str:
    """Say how long ago something was, in the two largest units.

    >>> [relative(s) for s in (0, 0.25, 59, 61, 300, 3661, 21600, 90000, 172800, 949920, 2629800, 31557600)]
    ['now', '250ms ago', '59s ago', '1min 1s ago', '5min ago', '1h 1min ago', '6h ago', '1 day 1h ago', '2 days ago', \
'1 weeks 3 days ago', '1 months 0 days ago', '1 years 0 months ago']
    """
    micros = round(seconds * 1_000_000)
    whole = micros // 1_000_000
    if micros <= 0:
        return "now"
    for least, large, named, small, rest in RELATIVE:
        if whole >= least:
            more = f" {whole % large // small}{rest}" if rest else ""
            return f"{whole // large}{named}{more} ago"
    return f"{micros // 1000}ms ago" if micros >= 1000 else f"{micros}us ago"


def _since(since: float | None, now: float, offset_min: int) -> str:
    if since is None:
        return ""
    local = datetime.fromtimestamp(int(since), tz=UTC) + timedelta(minutes=offset_min)
    hours, minutes = divmod(abs(offset_min), 60)
    zone = f"{'-' if offset_min < 0 else '+'}{hours:02}{minutes:02}" if offset_min else "UTC"
    return f" since {local:%a %Y-%m-%d %H:%M:%S} {zone}; {relative(now - since)}"


def _main_process(unit: UnitStatus, exec_start: str) -> list[str]:
    """Tell of the main process that runs, or twice of one that has ended; of none before the first start."""
    if not unit.main:
        return []
    if unit.ended is None:
        return [f" Main PID: {unit.main} ({unit.comm})"]
    way, what = unit.ended
    end = f"(code={way}, status={what}{EXITS.get(what, '')})" if way == "exited" else f"(code={way}, signal={what})"
    return [f"  Process: {unit.main} ExecStart={exec_start} {end}", f" Main PID: {unit.main} {end}"]


def _tree(group: Sequence[tuple[int, tuple[str, ...]]]) -> list[str]:
    width = max(len(str(pid)) for pid, _ in group)
    branches = ["├─"] * (len(group) - 1) + ["└─"]
    return [
        f"           {branch}{pid:>{width}} {' '.join(argv)}"
        for branch, (pid, argv) in zip(branches, group, strict=True)
    ]
