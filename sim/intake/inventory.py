"""One inventory of a host from all that was read of it: who runs there, on which engine, and what was concluded.

Models: sources joined (`joining`), the engine recognised and its design (`roles`), forwarders given to containers also
where no list names those. Leaves out how it is written (`writer`). Source: the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.designs import DESIGNS, versions
from sim.designs.recognition import Guess
from sim.engine.role import Kind
from sim.errors import InputError, Problem
from sim.intake.joining import (
    containers_in,
    joined_containers,
    joined_networks,
    joined_processes,
    joined_units,
    joined_words,
)
from sim.intake.records import Branch, Compose, Container, Listener, Mapped, Network, Note, Process, Reading, Rule, Unit
from sim.intake.roles import Cast, Found, cast_of, engine_of, of_design
from sim.scenario import did_you_mean
from sim.scenario.fields import NAME

OTHER_NAME = re.compile(r"[^a-zA-Z0-9_.-]+")
LONGEST_NAME = 63
MOST_THREADS = 4_194_304
MOST_PROCESSES = 8_000  # rows of 11 keys; a scenario has MAX_NODES values (sim.scenario.text)


class Inventory(msgspec.Struct, frozen=True):
    """A host. *targets* says by pid which process of the engine or of a container one is; others are foreign."""

    design: str
    why: str
    processes: tuple[Process, ...]
    targets: Mapping[int, str]
    first: Mapping[str, int]
    containers: tuple[Container, ...]
    networks: Mapping[str, Network]
    units: Mapping[str, Unit]
    versions: Mapping[str, str]
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    flags: Mapping[str, str]
    compose: tuple[Compose, ...]
    listeners: tuple[Listener, ...]
    kinds: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]


def inventory_of(reading: Reading, design: str = "") -> Inventory:
    """Return what was read as one host; *design* is taken in the place of what would be inferred. Raises InputError."""
    notes = list(reading.notes)
    rows = joined_processes(reading.tables, notes)
    check_threads(rows)
    containers = named_anew(joined_containers(containers_in(reading), notes), notes)
    words, facts, settings = joined_words(reading.facts, notes)
    labels = frozenset(name for row in containers for name in row.labels)
    engine = engine_of(rows, words, facts | {"labels": labels})
    guess, found = engine.guess, engine.found
    if design:
        name = chosen(design)
        guess, found = Guess(name, "chosen by --design", 1), of_design(name, rows)
    cast = cast_of(guess.design, rows, found, containers)
    with_forwarders(cast, guess.design, rows, found)
    notes += about_trees(reading) + about_ports(reading, cast, rows)
    rows = few(rows, cast, notes)
    return Inventory(
        design=guess.design,
        why=guess.why,
        processes=rows,
        targets=cast.targets,
        first=cast.first,
        containers=tuple(cast.containers),
        networks=joined_networks(reading.facts),
        units=joined_units(reading.facts),
        versions=words,
        facts=facts,
        settings=settings,
        flags=flags_of(guess.design, rows, cast),
        compose=tuple(fact for fact in reading.facts if isinstance(fact, Compose)),
        listeners=tuple(fact for fact in reading.facts if isinstance(fact, Listener)),
        kinds=reading.kinds,
        notes=tuple(notes),
    )


def chosen(name: str) -> str:
    """Return the design of a name that somebody gave. Raises InputError."""
    known = versions()
    if name in DESIGNS:
        return name
    if name in known:
        return known[name]
    hint = did_you_mean(name, (*DESIGNS, *known)) or "shimulator designs lists them."
    raise InputError([Problem(f"--design {name[:60]}", "there is no such design", hint)])


def check_threads(rows: Sequence[Process]) -> None:
    """Refuse a table with more threads than a Linux host can have. Raises InputError."""
    total = sum(row.threads or 1 for row in rows)
    if total > MOST_THREADS:
        most = max(rows, key=lambda row: row.threads or 1)
        what = f"these are {total:,} threads; a host has {MOST_THREADS:,} numbers for them at most (pid_max)"
        hint = f"Process {most.pid} has {most.threads:,}: look at its NLWP."
        raise InputError([Problem(most.place, what, hint)])


def about_trees(reading: Reading) -> list[Note]:
    """Return a note on trees without numbers: nothing joins them to anything else."""
    trees = [fact for fact in reading.facts if isinstance(fact, Branch)]
    if not trees or any(table.kind == "pstree" for table in reading.tables):
        return []
    return [Note("ignored", "this tree has no process numbers; pstree -p has", trees[0].place)]


def about_ports(reading: Reading, cast: Cast, rows: Sequence[Process]) -> list[Note]:
    """Return notes on listeners: ports that foreign processes hold, and forwarders that do not listen."""
    listeners = [fact for fact in reading.facts if isinstance(fact, Listener)]
    names = {row.pid: row.comm or row.args.split(" ")[0] for row in rows}
    held = {f"{it.proto} {it.port} ({names[it.pid]} {it.pid})": it for it in listeners if it.pid in names}
    foreign = [said for said, it in held.items() if it.pid not in cast.targets]
    notes = []
    if foreign:
        text = f"ports that foreign processes hold, which no container can have: {', '.join(foreign[:12])}"
        notes.append(Note("unplaced", text, held[foreign[0]].place))
    heard = {it.pid for it in listeners}
    silent = [row.pid for row in rows if heard and row.pid not in heard and ":" in cast.targets.get(row.pid, "")]
    if silent and any(it.pid for it in listeners):
        text = f"forwarders that do not listen in ss: {', '.join(map(str, silent[:12]))}"
        notes.append(Note("contradiction", text, listeners[0].place))
    return notes + about_rules(reading, cast)


def about_rules(reading: Reading, cast: Cast) -> list[Note]:
    """Return a note on published ports of running containers that no rule of the packet filter leads to them."""
    rules = [fact for fact in reading.facts if isinstance(fact, Rule)]
    led = {(rule.proto, rule.port) for rule in rules}
    ports = [(row.name, port) for row in cast.containers if row.status == "running" for port in row.ports if port.host]
    lost = [f"{port.host}/{port.proto} of {name}" for name, port in ports if (port.proto, port.host) not in led]
    text = f"published ports that no rule of iptables-save leads anywhere: {', '.join(lost[:12])}"
    return [Note("contradiction", text, rules[0].place)] if rules and lost else []


def few(rows: Sequence[Process], cast: Cast, notes: list[Note]) -> tuple[Process, ...]:
    """Return the processes, of more than MOST_PROCESSES those of the engine and of containers. Raises InputError."""
    if len(rows) <= MOST_PROCESSES:
        return tuple(rows)
    kept = tuple(row for row in rows if row.pid in cast.targets)
    if len(kept) > MOST_PROCESSES:
        what = f"these are {len(kept):,} processes of containers; a scenario holds {MOST_PROCESSES:,} at most"
        raise InputError([Problem(rows[0].place, what, "Give a part of the table, or the containers alone.")])
    text = f"{len(rows) - len(kept):,} foreign processes are left out: a scenario holds {MOST_PROCESSES:,} at most"
    notes.append(Note("unplaced", text, rows[0].place))
    return kept


def named_anew(containers: list[Container], notes: list[Note]) -> list[Container]:
    """Return the containers under names that a scenario can say."""
    found: list[Container] = []
    taken = {row.name for row in containers}
    for row in containers:
        name = row.name
        if not NAME.match(name) or name == "all":
            base = OTHER_NAME.sub("-", name).strip("-_.")[: LONGEST_NAME - 8] or "container"
            name = next(it for n in range(len(containers) + 2) if (it := f"{base}-{n}" if n else base) not in taken)
            name = f"{name}-1" if name == "all" else name
            taken.add(name)
            text = f"a container's name cannot be written as it is; here it is {name}"
            notes.append(Note("inferred", text, row.place))
        found.append(replace(row, name=name))
    return found


def with_forwarders(cast: Cast, design: str, rows: Sequence[Process], found: Found) -> None:
    """Assign forwarders to containers of which only holders tell: one is forked just before its container's holder.

    Ports that only a forwarder tells of are the container's then. Source: ports are mapped before a task is made.
    """
    forwarders = [name for name, role in DESIGNS[design].roles.items() if role.kind is Kind.FORWARDER]
    lone: dict[str, list[int]] = {}
    for row in rows:
        role, words = found.get(row.pid, ("", {}))
        if role in forwarders and row.pid not in cast.targets and words.get("port"):
            lone.setdefault(words.get("to", str(row.pid)), []).append(row.pid)
    bare = {name: pid for name, pid in cast.holders.items() if not _has_ports(cast, name)}
    taken: set[str] = set()
    for to, pids in sorted(lone.items(), key=lambda it: -max(it[1])):
        above = [(pid < max(pids), pid, name) for name, pid in bare.items() if name not in taken]
        name = min(above)[2] if above else ""
        if "." in to or ":" in to:  # an address is of one container
            taken.add(name)
        for pid in pids if name else ():
            cast.targets[pid] = f"{found[pid][0]}/{name}:{found[pid][1]['port']}"
    _take_ports(cast, found, forwarders)


def _has_ports(cast: Cast, name: str) -> bool:
    row = next(it for it in cast.containers if it.name == name)
    return row.whole or bool(row.networks)


def _take_ports(cast: Cast, found: Found, forwarders: Sequence[str]) -> None:
    for place, row in enumerate(cast.containers):
        if row.whole or row.ports:
            continue
        ports: dict[Mapped, None] = {}
        for pid, target in cast.targets.items():
            role, words = found.get(pid, ("", {}))
            if role in forwarders and target.partition("/")[2].rpartition(":")[0] == row.name:
                address = words.get("ip", "")
                address = "" if address in ("0.0.0.0", "::") else address
                inner = int(words.get("inner", words["port"]))  # of a line that is cut off the same number
                ports[Mapped(inner, words.get("proto", "tcp"), address, int(words["port"]))] = None
        cast.containers[place] = replace(row, ports=tuple(ports))


FLAG = re.compile(r"--(?P<name>[a-z][a-z0-9-]*)(?:=(?P<value>\S+)|\s+(?P<next>[^\s-]\S*))?(?=\s|\Z)")


def flags_of(design: str, rows: Sequence[Process], cast: Cast) -> dict[str, str]:
    """Return the flags of the engine's daemon, whose names are those of its settings; one without a value is true."""
    daemon = DESIGNS[design].traits.engine
    args = next((row.args for row in rows if cast.targets.get(row.pid) == daemon), "")
    return {match["name"]: match["value"] or match["next"] or "true" for match in FLAG.finditer(args)}
