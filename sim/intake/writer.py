"""The scenario of a host: commented YAML that says what was observed, what was inferred and why, and what was left out.

Models: the keys of the scenario language, asked of it (`draft`); the host and its processes at t = 0, the engine, its
settings and units, networks, services in the order in which they started, steps that people took before. Leaves out
what is to be expected of faults: the file's user says that. Source: the project's scenario language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from sim.designs import DESIGNS
from sim.intake.draft import Draft, Line, comment, listed, scalar
from sim.intake.inventory import Inventory
from sim.intake.records import Container, Network, Note, Process
from sim.intake.services import Kept, is_created, moment, write_created, write_service
from sim.scenario.noted import NO, NOTED
from sim.scenario.schema import DaemonFile
from sim.scenario.units import format_duration
from sim.scenario.words import counted

DEFAULTS = frozenset("bridge host none podman".split())
FOUND = "inferred", "contradiction", "unplaced", "ignored"
HEADS = {
    "inferred": "Inferred:",
    "contradiction": "Sources that contradict each other:",
    "unplaced": "Not placed:",
    "ignored": "Not read:",
}
SERVICE_MANAGERS = ("systemd", "(sd-pam)")
MOST_NOTES = 40


def scenario_text(host: Inventory, name: str) -> tuple[str, str]:
    """Return the scenario's text and what it says of the host in one line. Raises InputError."""
    draft, kept, notes = Draft(), Kept(), list(host.notes)
    if host.compose:
        text = "the Compose file is not needed: the containers tell of themselves"
        notes.append(Note("ignored", text, host.compose[0].place))
    notes.insert(0, Note("inferred", f"the engine is {host.design}: {host.why}"))
    draft.add(0, f"title: {scalar(title_of(host))}")
    _host(draft, host, notes)
    _engine(draft, host, notes, kept)
    _networks(draft, host)
    if host.containers:
        draft.add(0, "services:", "in the order in which they were started")
    else:
        draft.add(0, "services: {}", "no source names a container")
    for row in in_order(host.containers):
        if is_created(row):
            write_created(row, kept)
        else:
            write_service(draft, host, row, kept)
    _steps(draft, host, kept)
    notes += [Note("inferred", text) for text in kept.notes]
    draft.settle(name)
    _say_foreign(host, notes)
    text = "".join(f"{line}\n" for line in header(host, notes, draft)) + draft.text()
    return text, summary_of(host, draft)


def with_host(text: str, host: Inventory, name: str) -> str:
    """Return a scenario's text in which the host and the engine are those that were read; its design stays.

    Processes are left out: nothing says which of them is of which service.
    """
    draft, kept, notes = Draft(), Kept(), list[Note](host.notes)
    design = re.search(r"^  design: (\S+)", text, re.MULTILINE)
    bare = msgspec.structs.replace(host, processes=(), design=design[1] if design else host.design)
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("host:"):
            _host(draft, bare, notes)
        elif line.startswith("engine:"):
            _engine(draft, bare, notes, kept)
        elif not _is_replaced(draft, line):
            draft.lines.append(Line(len(line) - len(line.lstrip()), line.lstrip()))
    if host.processes:
        notes.append(Note("unplaced", "the table of processes: nothing says which is of which service; inspect does"))
    draft.settle(name)
    return "".join(f"#   - {comment(note.text)}\n" for note in notes) + draft.text()


def _is_replaced(draft: Draft, line: str) -> bool:
    """Return whether a line stands below `engine:`, which was written anew."""
    last = next((it for it in reversed(draft.lines) if not it.indent and it.text.endswith(":")), None)
    return line.startswith(" ") and last is not None and last.text == "engine:"


def title_of(host: Inventory) -> str:
    """Return a title."""
    return f"{host.facts.get('hostname') or 'a host'} as it was found; its engine is killed"


def header(host: Inventory, notes: Iterable[Note], draft: Draft) -> list[str]:
    """Return the comment at the head of the file."""
    kinds = Counter(kind for _, kind in host.kinds)
    read = [f"{kind}{f' ({count})' if count > 1 else ''}" for kind, count in kinds.items() if "not needed" not in kind]
    lines = ["# Written by shimulator init. Check it with: shimulator validate FILE; run it: shimulator run FILE"]
    lines.append(f"# Read: {comment(listed(read, 30)) or 'nothing that is known'}")
    lines.append("# Values of environment variables, labels and whatever looks like a credential are left out (…).")
    held = list(dict.fromkeys(notes))
    for kind in FOUND:
        found = [note for note in held if note.kind == kind]
        if found:
            lines.append(f"# {HEADS[kind]}")
        for note in found[:MOST_NOTES]:
            lines.append(f"#   - {comment(note.text)}" + (f" ({comment(note.place)})" if note.place else ""))
        if len(found) > MOST_NOTES:
            lines.append(f"#   - and {len(found) - MOST_NOTES} more")
    if draft.dropped:
        lines.append("# Kept as comments, since the scenario language cannot say them:")
        reasons: dict[str, list[str]] = {}
        for dropped in draft.dropped:
            reasons.setdefault(dropped.why, []).append(dropped.text.partition(":")[0])
        lines += [
            f"#   - {why}" + (f" ({len(texts)} times)" if len(texts) > 1 else "") for why, texts in reasons.items()
        ]
    return lines


def summary_of(host: Inventory, draft: Draft) -> str:
    """Return what the file holds in one line."""
    ports = sum(len(row.ports) for row in host.containers)
    running = sum(row.status in ("running", "paused", "restarting", "") for row in host.containers)
    counts = [f"{counted(len(host.containers), 'container')} ({running} up)", counted(ports, "port")]
    if host.processes:
        foreign = sum(row.pid not in host.targets for row in host.processes)
        counts.append(f"{len(host.processes)} processes ({foreign} foreign)")
    left = f"; {counted(len(draft.dropped), 'line')} kept as comments" if draft.dropped else ""
    return f"{host.design} ({host.why}); {', '.join(counts)}{left}"


# -- host and engine --------------------------------------------------------------------------------


def _host(draft: Draft, host: Inventory, notes: list[Note]) -> None:
    facts = host.facts
    draft.add(0, "host:")
    draft.add(2, "begin: steady")
    clock = clock_of(host)
    cores = facts.get("cores")
    draft.add(2, f"cores: {cores or 2}", "" if cores else "assumed: no source says how many")
    for key in ("hostname", "cgroup"):
        if facts.get(key):
            draft.add(2, f"{key}: {scalar(facts[key])}")
    if clock:
        draft.add(2, f"clock: {scalar(clock.isoformat(timespec='seconds'))}", "t = 0 is when this was recorded")
    uptime = uptime_of(host, clock)
    if uptime:
        draft.add(2, f"uptime: {uptime}", "since the last container was started")
    else:
        draft.add(2, "uptime: 10d", "assumed")
    supervisor = supervisor_of(host, notes)
    if supervisor:
        draft.add(2, f"supervisor: {supervisor}", "PID 1 is no systemd: nobody starts the engine again")
    numbers = {row.pid for row in host.processes}
    largest = max(numbers, default=0)
    tasks = sum(row.threads or 1 for row in host.processes)
    if largest >= 32768 or tasks >= 32768:
        draft.add(2, "pid_max: 4194304", "a number above 32768 was seen, or as many threads")
    if host.processes:
        draft.add(2, "processes:", "as found")
    for row in host.processes:
        draft.add(4, f"- {scalar(row_of(row, host, numbers))}")


USED = re.compile(r"(?:[0-9]{1,5}-)?(?:[0-9]{1,2}:)?[0-9]{1,7}:[0-9]{2}", re.ASCII)  # TIME of ps


def row_of(row: Process, host: Inventory, numbers: set[int]) -> dict[str, Any]:
    """Return a process as `host.processes` has it; what no source says is left out."""
    ppid = row.ppid if row.ppid in numbers or row.ppid in (None, 0, 1) else None
    started = row.started + zone_of(host) if row.started and len(row.started) == len("2026-12-01T09:15:30") else ""
    keys: dict[str, Any] = {
        "pid": row.pid,
        "ppid": ppid,
        "pgid": row.pgid,
        "sid": row.sid,
        "tty": row.tty or None,
        "stat": row.stat or None,
        "threads": row.threads,
        "started": started or None,
        "uid": row.uid or None,
        "time": row.time if USED.fullmatch(row.time) and row.time.strip("0:") else None,
        "comm": row.comm or None,
        "args": row.args or row.comm,
        "is": host.targets.get(row.pid),
    }
    return {key: value for key, value in keys.items() if value is not None}


def zone_of(host: Inventory) -> str:
    """Return the offset of the host's clock, in which ps writes dates: that of the engine's own time, else UTC."""
    match = re.search(r"[+-]\d\d:\d\d\Z", str(host.facts.get("clock") or ""))
    return match[0] if match else "Z"


def clock_of(host: Inventory) -> datetime | None:
    """Return when the host was recorded: as the engine says, else the last thing that was dated."""
    said = moment(str(host.facts.get("clock") or ""))
    if said is not None:
        return said.replace(microsecond=0)
    dates = [text for row in host.containers for text in (row.started, row.finished, row.created) if text]
    found = [it for text in (*dates, *(row.started for row in host.processes)) if (it := moment(text)) is not None]
    return max(found).replace(microsecond=0) if found else None


def uptime_of(host: Inventory, clock: datetime | None) -> str:
    """Return how long the youngest container has run, "" where nobody knows."""
    starts = [it for row in host.containers if row.status == "running" and (it := moment(row.started)) is not None]
    if clock is None or not starts:
        return ""
    return format_duration(max(int((clock - max(starts)).total_seconds()), 1) * 1_000_000)


def supervisor_of(host: Inventory, notes: list[Note]) -> str:
    """Return `none` where process 1 is no service manager, "" where it is one or nobody knows."""
    first = next((row for row in host.processes if row.pid == 1), None)
    if first is None or host.units:
        return ""
    names = [f"{row.comm} {row.args}" for row in host.processes]
    manager = next((name for name in names if any(word in name for word in SERVICE_MANAGERS)), None)
    if manager is not None:
        return ""
    text = f"process 1 ({first.args.split(' ')[0]}) is no systemd, since no process of systemd runs"
    notes.append(Note("inferred", text, first.place))
    return "none"


def _engine(draft: Draft, host: Inventory, notes: list[Note], kept: Kept) -> None:
    draft.add(0, "engine:")
    draft.add(2, f"design: {host.design}", host.why)
    settings, harmless = settings_of(host, notes, kept)
    if settings:
        draft.add(2, "daemon:")
    for key, (value, note) in settings.items():
        draft.add(4, f"{scalar(key)}: {scalar(value)}", note)
    if harmless:
        draft.remark(4, f"without effect on processes: {', '.join(map(str, harmless))}")
    _units(draft, host)


def settings_of(host: Inventory, notes: list[Note], kept: Kept) -> tuple[dict[str, tuple[Any, str]], list[str]]:
    """Return the settings that the engine runs with, and which say nothing about processes.

    What the running engine says goes before daemon.json, which a next start will read.
    """
    modelled = DaemonFile.known_keys()
    found: dict[str, tuple[Any, str]] = {}
    harmless = [key for key in host.settings if key not in modelled and changes_nothing(key)]
    for key, value in host.settings.items():
        if key not in harmless:
            found[key] = (value, "daemon.json")
    for key, said in host.flags.items():
        if key in modelled:
            found[key] = ({"true": True, "false": False}.get(said, int(said) if said.isdigit() else said), "its flag")
    for key in modelled:
        value = host.facts.get(key)
        if value is None:
            continue
        before = found.get(key)
        if before and before[0] != value:
            text = f"{key} is {scalar(value)} in the running engine and {scalar(before[0])} in daemon.json"
            notes.append(Note("contradiction", f"{text}: it was not started since; the next start reads the file"))
            kept.steps.append(f"host: {{daemon.json: {{{key}: {scalar(before[0])}}}}}")
        if before or value:
            found[key] = (value, before[1] if before and before[0] == value else "info")
    return found, harmless


def changes_nothing(key: str) -> bool:
    """Return whether a key of daemon.json is known to change no answer."""
    row = NOTED["daemon"].get(key)
    return row is not None and row.changes == NO


def _units(draft: Draft, host: Inventory) -> None:
    traits = DESIGNS[host.design].traits
    own = host.units.get(traits.engine_unit)
    if own and own.keys:
        draft.add(2, "unit:", f"{own.name}.service")
        for key, value in own.keys:
            draft.add(4, f"{key}: {scalar(unit_value(value))}")
    others = [unit for name, unit in host.units.items() if unit is not own and unit.keys]
    if others:
        draft.add(2, "units:")
    for unit in others:
        draft.add(4, f"{scalar(unit.name)}:")
        for key, value in unit.keys:
            draft.add(6, f"{key}: {scalar(unit_value(value))}")


def unit_value(value: str) -> str | int:
    """Return a unit's value: a count as a number."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value


def _networks(draft: Draft, host: Inventory) -> None:
    used = dict.fromkeys(joined.name for row in host.containers for joined in row.networks)
    kept = [name for name in used if name not in DEFAULTS]
    own = host.networks.get("bridge")
    changed = own is not None and own.subnets and not own.subnets[0].startswith("172.17.")
    if not kept and not changed:
        return
    draft.add(0, "networks:")
    for name in (*(["bridge"] if changed else []), *kept):
        _network(draft, host.networks.get(name) or Network(name))


def _network(draft: Draft, network: Network) -> None:
    draft.add(2, f"{scalar(network.name)}:")
    fourth = [subnet for subnet in network.subnets if ":" not in subnet]
    if network.subnets:
        all_ = f"ipam: {{config: {scalar([{'subnet': it} for it in network.subnets])}}}"
        some = f"ipam: {{config: {scalar([{'subnet': it} for it in fourth[:1]])}}}"
        draft.add(4, all_, others=[some] if fourth and fourth[:1] != list(network.subnets) else ())
    if network.driver not in ("", "bridge"):
        draft.add(4, f"driver: {scalar(network.driver)}")
    if network.internal:
        draft.add(4, "internal: true")
    if network.ipv6:
        draft.add(4, "enable_ipv6: true")


# -- services and steps -----------------------------------------------------------------------------


def in_order(containers: Iterable[Container]) -> list[Container]:
    """Return the containers in the order of their starts; those without a date stay where they are."""
    rows = list(containers)
    if not any(moment(row.started) for row in rows):
        return rows
    last = max(it for row in rows if (it := moment(row.started)) is not None)
    return sorted(rows, key=lambda row: moment(row.started) or last)


def _steps(draft: Draft, host: Inventory, kept: Kept) -> None:
    engine = DESIGNS[host.design].traits.engine
    draft.add(0, "steps:")
    for step in kept.steps:
        draft.add(2, f"- {{at: before 0s, {step}}}", "as it was found")
    draft.add(2, f"- {{id: shot, at: 60s, kill: {engine}}}", "what if? Also systemctl: restart …")
    draft.add(0, "until: shot+2m")


def _say_foreign(host: Inventory, notes: list[Note]) -> None:
    foreign = [row for row in host.processes if row.pid not in host.targets]
    if foreign:
        names = listed(f"{(row.comm or row.args.split(' ')[0].rpartition('/')[2])[:20]} {row.pid}" for row in foreign)
        notes.append(Note("unplaced", f"kept as foreign processes: {names}"))
    gone = [row.name for row in host.containers if row.pid and row.pid not in {it.pid for it in host.processes}]
    if gone and host.processes:
        text = f"no process has the number that inspect says: {listed(gone)}; the table was taken at another moment"
        notes.append(Note("contradiction", text))
