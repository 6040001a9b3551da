"""Several sources made one: processes by number, containers by id and name, what the engine says of itself by key.

Models: tables that were taken moments apart, cut ones beside whole ones, lists of containers beside `inspect`. Where
two sources contradict each other, one is taken by a rule (the source that says most, then the first) and both are said.
Leaves out which of two was taken later: most outputs hold no time. Source: the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from msgspec.structs import asdict, replace

from sim.intake.records import Container, Daemon, Network, Note, Process, Reading, Settings, Table, Unit

T = TypeVar("T")
SHELL = re.compile(r"-?(?:\S*/)?(?:ba|da|a|z|k|fi|c|tc)?sh(?:\s+(?:-l|-i|--login))?\Z")
RECORDS = re.compile(r"(?:\S*/)?(?:ps|pstree)(?:\s|\Z)")
SUDO = re.compile(r"(?:\S*/)?(?:sudo|doas|watch|time)\s")
FULLEST = ("SID", "PGID", "PPID", "STAT", "TTY", "NLWP")


# -- processes --------------------------------------------------------------------------------------


def joined_processes(tables: Sequence[Table], notes: list[Note]) -> tuple[Process, ...]:
    """Return the processes of the fullest whole table, with what other tables know of them; without a whole one all."""
    whole = [table for table in tables if table.whole]
    first = max(whole, key=_fullness, default=None)
    rows: dict[int, Process] = {}
    for table in (*([first] if first else ()), *(table for table in tables if table is not first)):
        for row in table.rows:
            known = rows.get(row.pid)
            if known is None:
                if first is None or table is first:
                    rows[row.pid] = row
            elif is_same(known, row):
                rows[row.pid] = completed(known, row)
    if first is not None:
        _say_differences(first, whole, notes)
    return without_recorder(rows, notes)


def _fullness(table: Table) -> tuple[int, int, int]:
    return sum(name in table.columns for name in FULLEST), -sum(row.cut for row in table.rows), len(table.rows)


def is_same(one: Process, other: Process) -> bool:
    """Return whether two rows with one number may be of one process."""
    if None not in (one.ppid, other.ppid) and one.ppid != other.ppid:
        return False
    if one.args and other.args and one.args != other.args:
        short, long = sorted((one.args, other.args), key=len)
        return (one.cut or other.cut) and long.startswith(short.rstrip())
    return True


def completed(known: Process, row: Process) -> Process:
    """Return a process with what another row of it knows besides; the longer arguments of a cut one."""
    fields = {name: value for name, value in asdict(row).items() if value not in (None, "") and name != "cut"}
    held = asdict(known)
    if row.args and (not known.args or (known.cut and len(row.args) > len(known.args))):
        held |= {"args": row.args, "cut": row.cut}
    return Process(**(held | {name: value for name, value in fields.items() if held[name] in (None, "")}))


def _say_differences(first: Table, whole: Sequence[Table], notes: list[Note]) -> None:
    mine = {row.pid: row for row in first.rows}
    others = {row.pid: row for table in whole if table is not first for row in table.rows}
    gone = [row for pid, row in others.items() if pid not in mine and not RECORDS.match(row.args or row.comm)]
    changed = [pid for pid, row in others.items() if pid in mine and not is_same(mine[pid], row)]
    for rows, what in ((gone, "are only in other tables, taken at other moments"), (changed, "are others there")):
        if rows:
            notes.append(Note("contradiction", f"{len(rows)} process numbers {what}; this table is taken", first.place))


def without_recorder(rows: dict[int, Process], notes: list[Note]) -> tuple[Process, ...]:
    """Return the processes without the `ps` that recorded them and the shell that it was typed in."""
    below: dict[int | None, list[int]] = {}
    for row in rows.values():
        below.setdefault(row.ppid, []).append(row.pid)
    gone: list[Process] = []
    for row in list(rows.values()):
        if not RECORDS.match(row.args or row.comm) or below.get(row.pid):
            continue
        at: Process | None = row
        while at is not None and (at is row or SUDO.match(at.args) or SHELL.match(at.args or at.comm)):
            if at.pid == 1 or any(pid in rows for pid in below.get(at.pid, ())):
                break
            gone.append(rows.pop(at.pid))
            at = rows.get(at.ppid or 0) if not SHELL.match(at.args or at.comm) else None
    if gone:
        named = ", ".join(f"{row.comm or row.args.split(' ')[0][:15]} {row.pid}" for row in gone[:6])
        notes.append(Note("inferred", f"left out, since it recorded the table: {named}", gone[0].place))
    return tuple(rows.values())


# -- containers -------------------------------------------------------------------------------------


def joined_containers(found: Iterable[Container], notes: list[Note]) -> list[Container]:
    """Return one container for each id or name; fields of whole ones go first, others complete them."""
    rows: list[Container] = []
    by_id: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for row in sorted(found, key=lambda it: not it.whole):
        place = by_id.get(row.id[:12]) if row.id else None
        if place is None and row.name:
            other = by_name.get(row.name)
            same = other is not None and (not row.id or not rows[other].id or rows[other].id[:12] == row.id[:12])
            place = other if same else None
        if place is None:
            place = len(rows)
            rows.append(row)
        else:
            rows[place] = _with(rows[place], row, notes)
        if row.id:
            by_id.setdefault(row.id[:12], place)
        if row.name:
            by_name.setdefault(row.name, place)
    return list(with_own_names(rows, notes))


def _with(known: Container, row: Container, notes: list[Note]) -> Container:
    """Return a container with what another source says; a status that differs is said."""
    if known.status and row.status and known.status != row.status:
        text = f"{known.name} is {known.status} in one source and {row.status} here; {known.status} is taken"
        notes.append(Note("contradiction", text, row.place))
    kept, blank = asdict(known), asdict(Container(""))
    more = {key: value for key, value in asdict(row).items() if kept[key] == blank[key] and value != blank[key]}
    if known.whole:
        more = {key: value for key, value in more.items() if key in ("status", "exit_code", "health", "pid")}
    if row.id.startswith(known.id):
        more["id"] = row.id
    return replace(known, **more)


def with_own_names(rows: Sequence[Container], notes: list[Note]) -> Iterator[Container]:
    """Yield the containers under names that are theirs alone."""
    taken: dict[str, int] = {}
    for row in rows:
        name = row.name or row.id[:12] or "container"
        count = taken.get(name, 0)
        taken[name] = count + 1
        if count:
            other = f"{name}-{row.id[:6] or count + 1}"
            notes.append(Note("inferred", f"a second container is called {name}; here it is {other}", row.place))
            name = other
        yield replace(row, name=name)


# -- the engine's own words -------------------------------------------------------------------------


def joined_words(facts: Sequence[Any], notes: list[Note]) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Return versions, facts and the settings of daemon.json, the first of each; what contradicts it is said."""
    versions: dict[str, str] = {}
    said: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for fact in facts:
        if isinstance(fact, Daemon):
            for name, version in fact.versions:
                known = versions.setdefault(name, version)
                if name == "engine" and known != version:
                    text = f"the engine's version is {known} in one source and {version} here; {known} is taken"
                    notes.append(Note("contradiction", text, fact.place))
            for name, value in fact.facts:
                said.setdefault(name, value)
        elif isinstance(fact, Settings):
            _join_settings(settings, fact, notes)
    return versions, said, settings


def _join_settings(settings: dict[str, Any], fact: Settings, notes: list[Note]) -> None:
    for name, value in fact.keys:
        known = settings.setdefault(name, value)
        if known != value:
            text = f"{name} is said twice, with different values; the first is taken"
            notes.append(Note("contradiction", text, fact.place))


def joined_units(facts: Sequence[Any]) -> dict[str, Unit]:
    """Return the keys of each unit by its name: those of `show`, which are in force, over those of the files."""
    found: dict[str, Unit] = {}
    for fact in facts:
        if isinstance(fact, Unit) and fact.name:
            known = found.get(fact.name)
            keys = dict(known.keys) | dict(fact.keys) if known else dict(fact.keys)
            found[fact.name] = Unit(fact.name, tuple(keys.items()), fact.main_pid, (known or fact).place)
    return found


def joined_networks(facts: Sequence[Any]) -> dict[str, Network]:
    """Return the networks by name, the first of each."""
    found: dict[str, Network] = {}
    for fact in facts:
        if isinstance(fact, Network) and fact.name:
            found.setdefault(fact.name, fact)
    return found


def containers_in(reading: Reading) -> list[Container]:
    """Return every container that a source names."""
    return [fact for fact in reading.facts if isinstance(fact, Container)]
