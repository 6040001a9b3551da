"""Who is who in a table of processes: the engine's own programs, containers' programs, and those of somebody else.

Models: command lines that an engine's room knows (`sim.designs.recognition`), the first process of a container by the
number that `inspect` says or as the holder's child, forwarders by the address that they lead to. What descends from a
container's first process is its program, what else is below its holder was exec'd in it. Leaves out renamed programs.
Source: the rooms' own sights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sim.designs import DESIGNS, families
from sim.designs.recognition import Guess, Recognition, Seen
from sim.engine.role import Kind
from sim.intake.records import Container, Process

Found = dict[int, tuple[str, dict[str, str]]]  # pid -> role, what its command line says


class Engine(msgspec.Struct, frozen=True):
    """The engine of a host: its design and why, and by pid the role of its own processes with their words."""

    guess: Guess
    found: Found


def engine_of(rows: Sequence[Process], versions: Mapping[str, str], facts: Mapping[str, object]) -> Engine:
    """Return the engine for which most speaks; where nothing does, the newest of the first family."""
    best: Engine | None = None
    for family in families():
        recognition = family.recognised()
        if recognition is None:
            continue
        found = seen_by(recognition, rows)
        guess = recognition.guess(seen_of(rows, found, versions, facts))
        if best is None or guess.weight > best.guess.weight:
            best = Engine(guess, found)
    assert best is not None, "no family recognises its hosts"
    return best


def of_design(name: str, rows: Sequence[Process]) -> Found:
    """Return the roles of processes in the eyes of the family of a design."""
    for family in families():
        recognition = family.recognised()
        if recognition is not None and name in family.designs:
            return seen_by(recognition, rows)
    return {}


def seen_by(recognition: Recognition, rows: Sequence[Process]) -> Found:
    """Return by pid the role and the words of each process whose command line a room knows."""
    patterns = [(sight.role, re.compile(sight.pattern)) for sight in recognition.sights]
    found: Found = {}
    for row in rows:
        for role, pattern in patterns:
            match = pattern.match(row.args or row.comm)
            if match:
                found[row.pid] = role, {key: value for key, value in match.groupdict().items() if value}
                break
    return found


def seen_of(rows: Sequence[Process], found: Found, versions: Mapping[str, str], facts: Mapping[str, object]) -> Seen:
    """Return what an engine may know its design by."""
    parents: dict[str, tuple[str, ...]] = {}
    args: dict[str, tuple[str, ...]] = {}
    known = {row.pid: row for row in rows}
    for row in rows:
        if row.pid in found:
            role = found[row.pid][0]
            above = found.get(row.ppid or 0, ("", {}))[0]
            above = above or ("other" if row.ppid == 1 or row.ppid in known else "")
            parents[role] = (*parents.get(role, ()), above)
            args[role] = (*args.get(role, ()), row.args)
    return Seen(parents, args, versions, facts)


# -- targets ----------------------------------------------------------------------------------------


class Cast(msgspec.Struct):
    """By pid the target that a process is, the containers with those that only the table knows, and their holders."""

    targets: dict[int, str]
    containers: list[Container]
    first: dict[str, int]  # container -> its first process
    holders: dict[str, int]


def cast_of(design: str, rows: Sequence[Process], found: Found, containers: list[Container]) -> Cast:
    """Return who is who."""
    roles = {name: role.kind for name, role in DESIGNS[design].roles.items()}
    below: dict[int, list[Process]] = {}
    for row in rows:
        below.setdefault(row.ppid or 0, []).append(row)
    pods = {row.id: row.pod for row in containers if row.sandbox}
    cast = Cast({}, [row for row in containers if not row.sandbox], {}, {})
    kind_of = {pid: roles.get(role) for pid, (role, _) in found.items()}
    _holders(cast, rows, found, kind_of, below, pods)
    _firsts(cast, rows, below, roles)
    for row in rows:
        kind = kind_of.get(row.pid)
        role, words = found.get(row.pid, ("", {}))
        if row.pid in cast.targets or not role:
            continue
        if kind in (Kind.DAEMON, Kind.GUEST):
            cast.targets.setdefault(row.pid, role)
        elif kind is Kind.FORWARDER:
            name = _forwarded(words, cast, row, rows)
            if name:
                cast.targets[row.pid] = f"{role}/{name}:{words.get('port', '')}".rstrip(":")
    _only_one(cast, roles, rows)
    if any(row.pid == 1 for row in rows):
        cast.targets[1] = next(name for name, kind in roles.items() if kind is Kind.INIT)
    return cast


def _only_one(cast: Cast, roles: Mapping[str, Kind], rows: Sequence[Process]) -> None:
    """Keep one process for each daemon: the one whose parent is highest; others are somebody else's."""
    depth: dict[int, int] = {0: 0}
    parents = {row.pid: row.ppid or 0 for row in rows}
    best: dict[str, int] = {}
    for pid, target in list(cast.targets.items()):
        if roles.get(target) in (Kind.DAEMON, Kind.GUEST):
            line, at = 0, pid
            while at in parents and at > 1 and line < 64:
                line, at = line + 1, parents[at]
            depth[pid] = line
            other = best.setdefault(target, pid)
            if other != pid:
                worse = max((other, pid), key=lambda it: (depth[it], it))
                best[target] = min((other, pid), key=lambda it: (depth[it], it))
                del cast.targets[worse]


def _holders(
    cast: Cast,
    rows: Sequence[Process],
    found: Found,
    kind_of: Mapping[int, Kind | None],
    below: Mapping[int, list[Process]],
    pods: Mapping[str, str],
) -> None:
    for row in rows:
        if kind_of.get(row.pid) is not Kind.HOLDER:
            continue
        role, words = found[row.pid]
        children = below.get(row.pid, [])
        held = [it for it in cast.containers if _is_held(it, row, words, below) or _is_in(it, words, pods)]
        if not held:
            programs = [child for child in children if kind_of.get(child.pid) is not Kind.SANDBOX]
            if not programs and len(programs) < len(children):
                continue  # a pod whose containers have all ended
            held = [from_holder(row, words, programs, cast.containers)]
            cast.containers += held
        free = [it.name for it in held if it.name not in cast.holders]
        for name in free:
            cast.holders[name] = row.pid
        if free:
            cast.targets[row.pid] = f"{role}/{free[0]}"
            for child in children:
                if kind_of.get(child.pid) is Kind.SANDBOX:
                    cast.targets[child.pid] = f"{found[child.pid][0]}/{free[0]}"


def _is_in(container: Container, words: Mapping[str, str], pods: Mapping[str, str]) -> bool:
    """Return whether a container is in the pod of which a holder is."""
    said = words.get("id", "")
    pod = next((name for number, name in pods.items() if len(said) >= 8 and number.startswith(said)), "")
    return bool(pod) and container.pod == pod


def _is_held(container: Container, row: Process, words: Mapping[str, str], below: Mapping[int, list[Process]]) -> bool:
    """Return whether a holder is that of a container: by its id, else by its child's number."""
    said = words.get("id", "")
    if said and container.id:
        short = min(len(said), len(container.id))
        return short >= 8 and said[:short] == container.id[:short]
    return any(child.pid == container.pid for child in below.get(row.pid, ())) or words.get("name") == container.name


NAME = re.compile(r"[^a-zA-Z0-9_.-]+")


def from_holder(
    row: Process, words: Mapping[str, str], children: Sequence[Process], known: Sequence[Container]
) -> Container:
    """Return a container of which only its holder tells; it is called by its program where that name is free."""
    first = children[0] if children else None
    argv = tuple(first.args.split()) if first else ()
    short = words.get("id", "")[:12]
    base = NAME.sub("", (argv[0] if argv else "").rpartition("/")[2].lstrip("-:"))[:40]
    name = words.get("name") or base or short or f"container-{row.pid}"
    if name in {it.name for it in known} or not name[:1].isalnum():
        name = f"{base or 'container'}-{short[:6] or row.pid}".lstrip("-_.")
    return Container(
        name=name, id=words.get("id", ""), argv=argv, status="running", pid=first.pid if first else 0, place=row.place
    )


def _firsts(cast: Cast, rows: Sequence[Process], below: Mapping[int, list[Process]], roles: Mapping[str, Kind]) -> None:
    """Find the first process of each container, all that descends from it, and what was exec'd."""
    payload = next(name for name, kind in roles.items() if kind is Kind.PAYLOAD)
    execed = next((name for name, kind in roles.items() if kind is Kind.EXECED), "")
    numbers = {row.pid for row in rows}
    for container in cast.containers:
        children = [it for it in below.get(cast.holders.get(container.name, -1), []) if it.pid not in cast.targets]
        others = {it.pid for it in cast.containers if it is not container}
        children = [it for it in children if it.pid not in others]
        pid = container.pid if container.pid in numbers else (children[0].pid if children else 0)
        if not pid or pid in cast.targets:
            continue
        cast.first[container.name] = pid
        for child in (*children, *(row for row in rows if row.pid == pid and row not in children)):
            role = payload if child.pid == pid else execed
            for row in (child, *descendants(child.pid, below)):
                if role and row.pid not in cast.targets:
                    cast.targets[row.pid] = f"{role}/{container.name}"


def descendants(pid: int, below: Mapping[int, list[Process]]) -> Iterator[Process]:
    """Yield all below a process, parents first; a circle is left at its begin."""
    waiting, seen = list(reversed(below.get(pid, ()))), {pid}
    while waiting:
        row = waiting.pop()
        if row.pid not in seen:
            seen.add(row.pid)
            yield row
            waiting += reversed(below.get(row.pid, ()))


def _forwarded(words: Mapping[str, str], cast: Cast, row: Process, rows: Sequence[Process]) -> str:
    """Return the container that a forwarder leads to: by its address, else by its port."""
    to, port = words.get("to", ""), words.get("port", "")
    for container in cast.containers:
        if to and any(to in (joined.address, joined.address6) for joined in container.networks):
            return container.name
    for container in cast.containers:
        mine = (it for it in container.ports if it.proto == words.get("proto", "tcp") and port.isdigit())
        if any(it.host <= int(port) <= max(it.host, it.last) for it in mine):
            return container.name
    return ""
