"""Print containers, events and processes as podman's commands would.

Models: the tables of `podman ps` (which lists what runs, no paused one; the oldest first; ports joined to ranges as
when the container was made, whether they are open or not), the lines of `podman events`, the JSON of `podman inspect`,
and `podman top NAME user,hpid,state,args`, whose numbers are those of the host. Leaves out which words are the image's
entrypoint, which podman does not show, full names of images (the caller's are shown), `--size`, `--format`. A container
that ended when the host lost its power has no time of its end: podman says 292 years, the longest that Go can tell.
Source: podman v5.4.2, cmd/podman/containers/ps.go, top.go, cmd/podman/inspect/inspect.go, cmd/podman/utils/utils.go,
pkg/ps/ps.go, pkg/specgen/generate/ports.go, libpod/events/events.go, config.go; its vendored psgo.go and
containers/common/pkg/report/writer.go (the tabwriter's widths). Status and ports were seen of podman 5.4.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sim.render.clean import printable
from sim.render.go_json import go_json
from sim.render.go_tables import ago, human_duration, tabulate
from sim.views.rows import ContainerRow, EventRow, PortRow
from sim.views.table import ProcessRow

HEADER = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
LEAST, PADDING = 12, 2  # widths of podman's tables
COMMAND_LENGTH = 17
LONGEST_S = (2**63 - 1) / 1e9  # of Go's time.Duration: since a moment that was never set
PROTOCOLS = ("tcp", "udp", "sctp")
WORDS = {"die": "died", "destroy": "remove", "exec_start": "exec", "exec_die": "exec_died"}  # Docker's word -> podman's


def podman_ps(rows: Sequence[ContainerRow], now: float, *, all: bool = False) -> str:
    """Print the containers that run, or *all*, at *now* (unix seconds).

    >>> row = ContainerRow("17d0801f3a10" + "0" * 52, "grafana", "/run.sh", 0.0, started=60.0, running=True, name="g")
    >>> print(podman_ps([row], 864060.0), end="")
    CONTAINER ID  IMAGE       COMMAND     CREATED      STATUS      PORTS       NAMES
    17d0801f3a10  grafana     /run.sh     10 days ago  Up 10 days              g
    """
    shown = [row for row in rows if all or row.state == "running"]
    return _table([HEADER, *(_texts(row, now) for row in sorted(shown, key=lambda row: row.created))])


def _table(lines: Sequence[Sequence[str]]) -> str:
    return tabulate(lines, LEAST, PADDING)


def _texts(row: ContainerRow, now: float) -> tuple[str, ...]:
    return (
        row.id[:12],
        printable(row.image),
        printable(_command(row)),
        ago(row.created, now),
        podman_status(row, now),
        podman_ports(row.ports),
        printable(row.name),
    )


def _command(row: ContainerRow) -> str:
    """Join the words, cut after 17 bytes, which may be within a letter."""
    said = " ".join((row.path, *row.args)).encode("utf-8", "surrogateescape")
    cut = said[:COMMAND_LENGTH] + b"..." if len(said) > COMMAND_LENGTH else said
    return cut.decode("utf-8", "replace")


def podman_status(row: ContainerRow, now: float) -> str:
    """Return what STATUS says at *now* (unix seconds).

    >>> podman_status(ContainerRow("", "", "", 0, started=1, finished=5, exit_code=-1), 8.0)
    'Exited (-1) 3 seconds ago'
    """
    if row.state == "running":
        assert row.started is not None, "what runs has been started"
        return f"Up {human_duration(now - row.started)}"
    if row.state == "exited":
        since = LONGEST_S if row.finished is None else now - row.finished
        return f"Exited ({row.exit_code}) {human_duration(since)} ago"
    return row.state.capitalize()


def podman_ports(ports: Iterable[PortRow]) -> str:
    """Join ports that follow one another on both sides, in the order of address, protocol and number.

    >>> podman_ports([(80, 80, "0.0.0.0", "tcp"), (81, 81, "0.0.0.0", "tcp"), (80, 9000, "0.0.0.0", "tcp")])
    '0.0.0.0:80-81->80-81/tcp, 0.0.0.0:9000->80/tcp'
    """
    found: list[list[Any]] = []  # address, protocol, first port of the host and of the container, how many more
    for inner, outer, ip, proto in sorted(ports, key=lambda it: (it[2], PROTOCOLS.index(it[3]), it[1] or 0, it[0])):
        host = outer or 0
        if found and found[-1] == [ip, proto, host - found[-1][4] - 1, inner - found[-1][4] - 1, found[-1][4]]:
            found[-1][4] += 1
        else:
            found.append([ip, proto, host, inner, 0])
    return ", ".join(
        f"{ip}:{_range(host, more)}->{_range(inner, more)}/{proto}" for ip, proto, host, inner, more in found
    )


def _range(first: int, more: int) -> str:
    return f"{first}-{first + more}" if more else str(first)


def podman_inspect(found: Iterable[dict[str, Any]], missing: Iterable[str] = ()) -> str:
    """Print an array of what was *found*, then one line for each name that is *missing*.

    >>> print(podman_inspect([], ["web"]), end="")
    []
    Error: no such object: "web"
    """
    complaints = "".join(f"Error: no such object: {json.dumps(printable(name))}\n" for name in missing)
    return go_json(list(found), 5, html=False) + complaints


def podman_event(row: EventRow, offset_min: int) -> str:
    """Return the line of one event; times as Go writes them, labels behind image and name.

    >>> about = (("image", "g/g"), ("name", "g"), ("exitCode", "0"))
    >>> podman_event(EventRow(1606960050120000, "container", "die", "17d0", about), 480)
    '2020-12-03 09:47:30.12 +0800 +0800 container died 17d0 (image=g/g, name=g)'
    """
    word, _, _ = row.action.partition(":")
    notes = dict(row.attributes)
    said = [("image", notes.pop("image", "")), ("name", notes.pop("name", "")), *sorted(notes.items())]
    about = ", ".join(f"{key}={value}" for key, value in said if key not in ("exitCode", "signal"))
    return printable(f"{_time(row.at_unix_us, offset_min)} {row.type} {WORDS.get(word, word)} {row.id} ({about})")


def _time(at_unix_us: int, offset_min: int) -> str:
    """Write a time as Go's time.Time prints itself; a zone without a name is called by its offset."""
    seconds, micros = divmod(at_unix_us, 1_000_000)
    local = datetime.fromtimestamp(seconds, tz=UTC) + timedelta(minutes=offset_min)
    hours, minutes = divmod(abs(offset_min), 60)
    zone = f"{'-' if offset_min < 0 else '+'}{hours:02}{minutes:02}"
    digits = f".{micros:06}".rstrip("0").rstrip(".")
    return f"{local:%Y-%m-%d %H:%M:%S}{digits} {zone} {zone if offset_min else 'UTC'}"


def podman_top(found: Sequence[tuple[str, ProcessRow]] | str) -> str:
    """Print the processes of a container (number on the host, row), or podman's error.

    >>> podman_top("top can only be used on running containers")
    'Error: top can only be used on running containers\\n'
    """
    if isinstance(found, str):
        return f"Error: {printable(found)}\n"
    rows = (("root", hpid, row.state, printable(" ".join(row.args) or f"[{row.comm15}]")) for hpid, row in found)
    return _table([("USER", "HPID", "STATE", "COMMAND"), *rows])
