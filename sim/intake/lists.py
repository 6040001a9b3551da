"""Lists of containers and listeners: `ps` of the engines' clients, `ss`, `iptables-save`, /proc/PID/status.

Models: tables by the places of their headers, JSON a line or a list, the words of a status ("Up 4 seconds (healthy)",
"Restarting (3) …"), ports in the short form. What is cut with an ellipsis is left out,
and gives way to a whole one. Source: docker/cli formatter [S]; podman ps, crictl ps [S]; ss(8); iptables-save(8);
proc_pid_status(5).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from sim.intake.inspected import at, date, entries, text, texts, whole
from sim.intake.pieces import Piece
from sim.intake.records import Container, Listener, Mapped, Process, Rule
from sim.intake.tables import LARGEST_COUNT, LARGEST_PID, number

STATUS = re.compile(r"(?P<word>Up|Exited|Created|Restarting|Paused|Dead|Removal In Progress|Initialized|Stopping)\b"
                    r"(?: \((?P<code>-?\d+)\))?(?P<rest>.*)")  # fmt: skip
WORDS = {"Up": "running", "Removal In Progress": "removing"}
HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
PORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:.]+):)?(?P<host>\d+)(?:-(?P<to>\d+))?->)?(?P<inner>\d+)(?:-(?P<last>\d+))?"
    r"(?:/(?P<proto>\w+))?\Z",
    re.ASCII,
)
ROW = re.compile(
    r"(?P<id>[0-9a-f]{12,64})\s{2,}(?P<image>\S+)\s{2,}(?P<command>\"(?:[^\"\\]|\\.)*\"?)\s{2,}(?P<created>\S.*?)\s{2,}"
    r"(?P<status>\S.*?)(?:\s{2,}(?P<ports>\S*->\S.*?|\S+/\S+))?\s{2,}(?P<names>\S+)\s*\Z"
)
LISTENS = re.compile(
    r"(?:(?P<proto>tcp|udp)\s+)?(?P<state>LISTEN|UNCONN)\s+\d+\s+\d+\s+(?P<local>\S+)\s+\S+\s*(?P<users>.*)"
)
USER = re.compile(r"\(\"(?P<comm>[^\"]*)\",pid=(?P<pid>\d+)")
DNAT = re.compile(r"-A \S+ (?:.* )?-p (?P<proto>tcp|udp)\b.* --dport (?P<port>\d+) .*--to-destination (?P<to>\S+)")
DESTINATION = re.compile(r"-d (?P<address>[0-9a-fA-F:.]+)(?:/\d+)?")
STATUS_KEY = re.compile(r"(?:\S*/proc/(?P<pid>\d+)/status[:-])?(?P<key>\w+):\s*(?P<value>.*)")
MOST_PORTS = 1_000


def status_words(said: str) -> dict[str, Any]:
    """Return what a status in words says.

    >>> status_words("Restarting (3) Less than a second ago")
    {'status': 'restarting', 'exit_code': 3}
    >>> status_words("Up 6 seconds (Paused)")
    {'status': 'paused'}
    """
    match = STATUS.match(said)
    if match is None:
        return {}
    status = WORDS.get(match["word"], match["word"].lower())
    found: dict[str, Any] = {"status": "paused" if "(Paused)" in match["rest"] else status}
    if match["code"] and len(match["code"]) < 5:
        found["exit_code"] = int(match["code"])
    health = HEALTH.search(match["rest"])
    return found | ({"health": health[1]} if health else {})


def ports_of(said: str) -> tuple[Mapped, ...]:
    """Return the published ports of a list; exposed ones are none, and :: beside 0.0.0.0 is the same port.

    >>> [(it.host, it.proto) for it in ports_of("0.0.0.0:80->80/tcp, :::80->80/tcp, 9000/tcp, 127.0.0.1:53->53/udp")]
    [(80, 'tcp'), (53, 'udp')]
    """
    found: dict[Mapped, None] = {}
    for part in said.split(","):
        match = PORT.match(part.strip())
        if match is None or match["host"] is None:
            continue
        address = (match["ip"] or "").strip("[]")
        address = "" if address in ("0.0.0.0", "::") else address
        inner, host = int(match["inner"][:6]), int(match["host"][:6])
        count = min(int((match["last"] or match["inner"])[:6]) - inner, MOST_PORTS)
        for more in range(max(count, 0) + 1):
            if max(inner, host) + more <= 65_535 and inner:
                found[Mapped(inner + more, match["proto"] or "tcp", address, host + more)] = None
    return tuple(found)


def words_of(command: str) -> tuple[str, ...]:
    """Return the words of a command as a list prints it; of one that is cut off none, since they would be wrong."""
    command = command.strip()
    if command[:1] == '"' and command[-1:] == '"' and len(command) > 1:
        command = command[1:-1].replace('\\"', '"')
    if not command or "…" in command or command.endswith("..."):
        return ()
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def containers_of(piece: Piece) -> Iterator[Container]:
    """Yield the containers of a table with a header."""
    head, *lines = piece.lines
    names = re.split(r"\s{2,}", head.strip())
    starts = [head.index(name) for name in names]
    for offset, line in enumerate(lines, 1):
        parts = {
            name: line[start:end].strip()
            for name, start, end in zip(names, starts, [*starts[1:], None], strict=True)
            if start == 0 or line[start - 1 : start] in (" ", "")
        }
        if len(parts) == len(names):
            yield from _listed(parts, piece.place(offset))
        else:
            yield from _bare(line, piece.place(offset))


def bare_containers_of(piece: Piece) -> Iterator[Container]:
    """Yield the containers of rows without their header."""
    for offset, line in enumerate(piece.lines):
        yield from _bare(line, piece.place(offset))


def _bare(line: str, place: str) -> Iterator[Container]:
    match = ROW.match(line)
    if match:
        row = match.groupdict("")
        yield from _listed({key.upper(): below for key, below in row.items()} | {"CONTAINER ID": row["id"]}, place)


def _listed(parts: dict[str, str], place: str) -> Iterator[Container]:
    name = parts.get("NAMES", "").split(",")[-1]
    if name and re.match(r"[0-9a-f]{12}", parts.get("CONTAINER ID", "")):
        command = parts.get("COMMAND", "")
        yield Container(
            name=name,
            id=parts["CONTAINER ID"],
            image=parts.get("IMAGE", ""),
            argv=words_of(command),
            ports=ports_of(parts.get("PORTS", "")),
            place=place,
            **status_words(parts.get("STATUS", "")),
        )


def crictl_containers_of(piece: Piece) -> Iterator[Container]:
    """Yield the containers of `crictl ps`; their pod stands in the last column."""
    head, *lines = piece.lines
    pod = head.rfind("POD")
    for offset, line in enumerate(lines, 1):
        match = re.match(
            r"(?P<id>[0-9a-f]{12,64})\s+(?P<image>\S+)\s+.*?\bago\s+(?P<state>\w+)\s+(?P<name>\S+)\s+\d+", line
        )
        if match:
            where = line[pod:].split() if pod > 0 else []
            yield Container(
                name=match["name"],
                id=match["id"],
                image=match["image"],
                status=match["state"].lower(),
                pod=where[-1] if where else "",
                place=piece.place(offset),
            )


def is_listed(value: Any) -> bool:
    """Return whether a JSON value is a container of docker's or podman's `ps --format json`."""
    return isinstance(value, dict) and "Names" in value and ("Image" in value) and ("ID" in value or "Id" in value)


def listed_of(value: dict[str, Any], place: str) -> Container:
    """Return a container of `ps` in JSON: docker's has texts, podman's has lists."""
    given = value["Names"]
    name = texts(given)[-1:] or ("",)
    rows = value.get("Ports")
    if isinstance(rows, list):
        found = (
            (
                whole(at(row, "container_port")),
                text(at(row, "protocol")),
                text(at(row, "host_ip")),
                at(row, "host_port"),
            )
            for row in rows[:MOST_PORTS]
        )
        ports = tuple(Mapped(inner, proto or "tcp", ip, whole(host)) for inner, proto, ip, host in found if inner)
    else:
        ports = ports_of(text(rows))
    labels = value.get("Labels")
    if isinstance(labels, str):
        labels = dict(item.partition("=")[::2] for item in labels.split(","))
    command = value.get("Command")
    state = text(value.get("State")).lower()
    kept: dict[str, Any] = {"status": state} | status_words(text(value.get("Status")))
    if isinstance(value.get("ExitCode"), int):
        kept.setdefault("exit_code", value["ExitCode"])
    if state == "running" and kept["status"] == "paused":
        kept["status"] = "paused"
    networks = value.get("Networks")
    return Container(
        name=name[0].split(",")[-1].lstrip("/"),
        id=text(value.get("ID")) or text(value.get("Id")),
        image=text(value["Image"]),
        argv=words_of(command) if isinstance(command, str) else texts(command),
        pid=whole(value.get("Pid"), high=LARGEST_PID),
        created=date(value.get("CreatedAt")),
        ports=ports,
        labels=tuple(entries(labels)),
        service=text(at(labels, "com.docker.compose.service")),
        project=text(at(labels, "com.docker.compose.project")),
        network_mode=text(networks) if isinstance(networks, str) else "",
        pod=text(value.get("PodName")),
        sandbox=value.get("IsInfra") is True,
        place=place,
        **kept,
    )


def listeners_of(piece: Piece) -> Iterator[Listener]:
    """Yield the sockets of `ss -ltnup`."""
    for offset, line in enumerate(piece.lines[1:], 1):
        match = LISTENS.match(line)
        if match is None:
            continue
        address, _, port = match["local"].rpartition(":")
        user = USER.search(match["users"])
        where = number(port, 65_535, 1)
        if where:
            proto = match["proto"] or ("tcp" if match["state"] == "LISTEN" else "udp")
            pid, comm = (number(user["pid"]) or 0, user["comm"]) if user else (0, "")
            yield Listener(proto, address.strip("[]").partition("%")[0], where, pid, comm, piece.place(offset))


def rules_of(piece: Piece) -> Iterator[Rule]:
    """Yield the rules of a packet filter that lead a port of the host elsewhere."""
    for offset, line in enumerate(piece.lines):
        match = DNAT.match(line)
        port = number(match["port"], 65_535, 1) if match else None
        if match and port:
            where = DESTINATION.search(line)
            yield Rule(match["proto"], where["address"] if where else "", port, match["to"], piece.place(offset))


def statuses_of(piece: Piece) -> Iterator[Process]:
    """Yield what /proc/PID/status says, of one process or of many."""
    found: dict[str, str] = {}
    begin = 0
    for offset, line in enumerate(piece.lines):
        match = STATUS_KEY.match(line)
        if match is None:
            continue
        if match["key"] == "Name" and found:
            yield from _status(found, piece.place(begin))
            found = {}
        if not found:
            begin = offset
        found[match["key"]] = match["value"].strip()
        if match["pid"]:
            found.setdefault("Pid", match["pid"])
    yield from _status(found, piece.place(begin))


def _status(found: dict[str, str], place: str) -> Iterator[Process]:
    pid = number(found.get("Pid"), low=1)
    if pid is not None:
        threads = number(found.get("Threads"), LARGEST_COUNT, 1)
        masks = [_mask(found.get(key)) for key in ("SigCgt", "SigIgn")]
        stat = found.get("State", "")[:1]
        comm = found.get("Name", "")[:15]
        ppid = number(found.get("PPid"))
        yield Process(pid, ppid, threads=threads, comm=comm, stat=stat, caught=masks[0], ignored=masks[1], place=place)


def _mask(said: str | None) -> int | None:
    return int(said, 16) if said and re.fullmatch(r"[0-9a-fA-F]{1,32}", said) else None
