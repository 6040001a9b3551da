"""What `host:` says in a step: other work, files that are cut off or edited, strangers, journald; what `upgrade:` says.

Models: one mapping of one key, each read by a function of the table HOST. Leaves out what the model has no rule for, by
name. Source: the project's scenario language.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sim.designs import DESIGNS
from sim.engine.role import HOST as ALONE
from sim.engine.setup import (
    BusyMount,
    Command,
    EditDaemon,
    FillDisk,
    FlushRules,
    Journald,
    LosePower,
    OutOfMemory,
    SetNextPid,
    Slow,
    Systemctl,
    TakePid,
    TakePort,
    Target,
    Tear,
    Upgrade,
)
from sim.scenario import fields, units
from sim.scenario.engines import design_of
from sim.scenario.instants import Names, parse_target
from sim.scenario.known import (
    HOST_LATER,
    named_roles,
    not_modelled,
    slowed,
)
from sim.scenario.noted import NO, NOTED
from sim.scenario.words import Refusal, did_you_mean, listed, shown

next_pid = fields.whole(1, 4_194_303, "a process id")
PORT = re.compile(r"(?:(?P<ip>[0-9.]+):)?(?P<port>[0-9]{1,5})(?:/(?P<proto>tcp|udp))?\Z", re.ASCII)
seconds = fields.whole(0, 86_400, "a number of seconds")
DAEMON_KEYS: dict[str, tuple[str, Callable[[object], int | bool]]] = {
    "live-restore": ("live_restore", fields.boolean),
    "shutdown-timeout": ("shutdown_timeout", lambda value: seconds(value) * 1_000_000),
    "max-health-check-retries": ("max_health_check_retries", fields.whole(1, 1000, "a number of tries")),
}
DAEMON_LATER = {key: noted.why for key, noted in NOTED["daemon"].items() if noted.changes != NO} | {
    "ip6tables": "runs of ip6tables from the next start on",
    "userland-proxy": "another data path from the next start on",
}
TABLES = {"iptables": "filter", "iptables -t nat": "nat"}  # what is flushed with -F
TEARS = "Write events.log, or NAME/process.json."


def host_command(value: object, names: Names) -> Command:
    """Return what `host: {next_pid: 2915}` stands for. Raises Refusal."""
    if not isinstance(value, dict) or not value:
        raise Refusal(f"{shown(value)} is not a mapping.", "Write host: {next_pid: 2915}.")
    for key in value:
        if key in HOST_LATER:
            raise Refusal(not_modelled(key, HOST_LATER[key]), f"Modelled: {listed(HOST)}.", (key,))
        if key not in HOST:
            raise Refusal("unknown key.", did_you_mean(key, (*HOST, *HOST_LATER)) or f"Valid: {listed(HOST)}.", (key,))
    if len(value) > 1:
        raise Refusal(f"{listed(value)} are {len(value)} things.", "Give each a step of its own.")
    ((key, below),) = value.items()
    try:
        return HOST[key](below, names)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key, *refusal.below)) from None


def _next_pid(value: object, names: Names) -> Command:
    return SetNextPid(next_pid(value))


def _tear(value: object, names: Names) -> Command:
    container, slash, file = value.rpartition("/") if isinstance(value, str) else ("", "", "")
    if slash and file == "process.json":
        return Tear(file, names.container(container))
    if value == "events.log":
        return Tear("events.log")
    near = did_you_mean(file, ("process.json",) if slash else ("events.log",))
    raise Refusal(f"{shown(value)} is not a file that can be cut off.", near or TEARS)


def _take_port(value: object, names: Names) -> Command:
    """Take `80`, `80/udp`, `127.0.0.1:80`, as Compose writes ports of the host."""
    match = PORT.match(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if not match or not 0 < int(match["port"]) < 65536:
        raise Refusal(f"{shown(value)} is not a port of the host.", "Write it like 80, 127.0.0.1:80 or 53/udp.")
    return TakePort(f"{match['proto'] or 'tcp'}:{fields.address(match['ip'] or '0.0.0.0')}:{int(match['port'])}")


def _take_pid(value: object, names: Names) -> Command:
    """Take `payload/web`, `dockerd`, `containerd` or a number."""
    if not isinstance(value, str) or value.isdecimal():
        return TakePid(number=next_pid(value))
    target = parse_target(value, names)
    kept = {role: named_roles()[role] for design in DESIGNS.values() for role in design.engine.written_down}
    if target.role not in kept or target.container == "*":
        targets = listed(role if way == ALONE else f"{role}/NAME" for role, way in kept.items())
        raise Refusal(
            f"{shown(value)}: no file has its number, so that nobody would take the stranger for it.",
            f"Write {targets}, or a number.",
        )
    return TakePid(Target(target.role, target.container))


JOURNALD = ("stop", "start", "restart")


def _journald(value: object, names: Names) -> Command:
    if isinstance(value, str) and value in JOURNALD:
        return Journald(value)
    hint = did_you_mean(value, JOURNALD) if isinstance(value, str) else ""
    raise Refusal(f"{shown(value)} is nothing to do with journald.", hint or f"Valid: {listed(JOURNALD)}.")


def out_of_memory(value: object, names: Names) -> Command:
    """Take `web`, whose limit is reached, or `host`, which has no memory left. Raises Refusal."""
    if value == "host":
        return OutOfMemory()
    name = str(value)
    if name.startswith("payload/"):
        raise Refusal(f"{shown(value)}: it is a container that reaches its limit.", f"Write oom: {name[8:]}.")
    if name not in names.containers:
        hint = did_you_mean(name, (*names.containers, "host")) or "Write a container with mem_limit, or host."
        raise Refusal(f"there is no container {shown(name)}.", hint)
    return OutOfMemory(names.containers[name])


def _edit_daemon(value: object, names: Names) -> Command:
    if not isinstance(value, dict) or not value:
        raise Refusal(f"{shown(value)} sets no key.", "Write daemon.json: {live-restore: true}.")
    found = []
    for key, below in value.items():
        if key in DAEMON_KEYS:
            field, read = DAEMON_KEYS[key]
            try:
                found.append((field, read(below)))
            except Refusal as refusal:
                raise Refusal(refusal.what, refusal.hint, (key,)) from None
        elif key in DAEMON_LATER:
            raise Refusal(not_modelled(key, DAEMON_LATER[key]), f"Modelled: {listed(DAEMON_KEYS)}.", (key,))
        elif key not in NOTED["daemon"]:
            hint = did_you_mean(key, (*DAEMON_KEYS, *DAEMON_LATER, *NOTED["daemon"]))
            raise Refusal("unknown key.", hint or f"Valid: {listed(DAEMON_KEYS)}.", (key,))
    return EditDaemon(tuple(found))


def reboot(value: object) -> Command:
    """Take true: `systemctl reboot`. Raises Refusal."""
    if fields.boolean(value):
        return Systemctl("reboot", "")
    raise Refusal("reboot: false does nothing.", "Write reboot: true.")


def power_loss(value: object) -> Command:
    """Take true, or how long the power is away. Raises Refusal."""
    if value in (True, "true"):
        return LosePower()
    try:
        return LosePower(units.duration(value))
    except Refusal:
        what = f"{shown(value)} is neither true nor a duration."
        raise Refusal(what, "Write power_loss: true, or 5m for a power that is back after 5 minutes.") from None


def _flush(value: object, names: Names) -> Command:
    table = TABLES.get(value) if isinstance(value, str) else None
    if table is None:
        raise Refusal(f"{shown(value)} cannot be flushed.", f"Write {listed(TABLES)}.")
    return FlushRules(table)


def _fill_disk(value: object, names: Names) -> Command:
    """Take true, or false for room again."""
    return FillDisk(fields.boolean(value))


FACTOR = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,2})?\Z", re.ASCII)


def _slow(value: object, names: Names) -> Command:
    """Take `{runc create: 5}` or `{containerd: 3}`: five or three times its time, 1 as before."""
    if not isinstance(value, dict) or len(value) != 1:
        raise Refusal(f"{shown(value)} does not say what is slow.", "Write slow: {runc create: 5}.")
    ((words, factor),) = value.items()
    (program, _, verb), programs = words.partition(" "), slowed()
    if program not in programs:
        hint = did_you_mean(program, programs) or f"Valid: {listed(programs)}."
        raise Refusal(f"{shown(program)} is not a program whose times are known.", hint, (words,))
    if verb and verb not in programs[program]:
        hint = did_you_mean(verb, programs[program])
        verbs = listed(f"{name} {word}" for name, words in programs.items() for word in words)
        raise Refusal(f"{shown(words)} is not a program with a verb.", hint or f"Valid: {verbs}.", (words,))
    if not FACTOR.match(str(factor)) or not float(str(factor)):
        raise Refusal(f"{shown(factor)} is not how many times longer.", "Write 5, 1.5, or 1 for as before.", (words,))
    return Slow(words, round(float(str(factor)) * 100))


HOST: dict[str, Callable[[object, Names], Command]] = {
    "next_pid": _next_pid,
    "tear": _tear,
    "daemon.json": _edit_daemon,
    "flush": _flush,
    "take_port": _take_port,
    "take_pid": _take_pid,
    "fill_disk": _fill_disk,
    "slow": _slow,
    "journald": _journald,
    "busy_mount": lambda value, names: BusyMount(names.container(str(value))),
    "free_mount": lambda value, names: BusyMount(names.container(str(value)), free=True),
}


def upgrade_command(value: object) -> Command:
    """Return what `upgrade: {to: docker-1.13, unpack: 8s}` stands for. Raises Refusal."""
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a mapping.", "Write upgrade: {to: docker-1.13, unpack: 8s}.")
    for key in value:
        if key not in ("to", "unpack"):
            raise Refusal("unknown key.", did_you_mean(key, ("to", "unpack")) or "Valid: to, unpack.", (key,))
    to = value.get("to")
    if to is None:
        raise Refusal("does not say to which design.", "shimulator designs lists them.")
    try:
        design = design_of(str(to))
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, ("to",)) from None
    try:
        return Upgrade(design.name, units.duration(value.get("unpack", 0)))
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, ("unpack",)) from None
