"""What `host:` says in a step: other work, files that are cut off, strangers, journald.

Models: one mapping of one key, each read by a function of the table HOST. Leaves out what the model has no rule for, by
name. Source: the project's scenario language.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sim.engine.setup import Command, Journald, OutOfMemory, SetNextPid, TakePid, TakePort, Target, Tear
from sim.scenario import fields
from sim.scenario.instants import Names, parse_target
from sim.scenario.known import HOST_LATER, not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, shown

next_pid = fields.whole(1, 4_194_303, "a process id")
PORT = re.compile(r"(?:(?P<ip>[0-9.]+):)?(?P<port>[0-9]{1,5})(?:/(?P<proto>tcp|udp))?\Z", re.ASCII)
WRITTEN_DOWN = ("dockerd", "containerd", "payload")
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
    if target.role not in WRITTEN_DOWN or target.container == "*":
        raise Refusal(
            f"{shown(value)}: no file has its number, so that nobody would take the stranger for it.",
            "Write dockerd, containerd, payload/NAME, or a number.",
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


HOST: dict[str, Callable[[object, Names], Command]] = {
    "next_pid": _next_pid,
    "tear": _tear,
    "take_port": _take_port,
    "take_pid": _take_pid,
    "journald": _journald,
}
