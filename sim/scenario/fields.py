"""Field types of the scenario models: how one value is read, and how it is described to editors.

Each type is a function from what YAML gave to what the model keeps; it raises Refusal, pydantic adds the path,
`check` adds the place in the file. Source: Compose's short and long forms, docker(1), systemd.time(7).
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from sim.engine.setup import FOR_EVER, IPv4Port, Port, PortRange, Restart
from sim.faults import FAULTS
from sim.scenario import units
from sim.scenario.known import SIGNALS
from sim.scenario.words import Refusal, did_you_mean, listed, shown

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}\Z")
POLICIES = ("no", "always", "unless-stopped", "on-failure")
MAX_THREADS = 10_000
EPHEMERAL = 0  # a host port that the engine chooses

Reader = Callable[[object], Any]


def kind(read: Reader, **schema: object) -> Any:
    """Return the metadata of a field that is read by *read* and described as *schema*."""
    return (BeforeValidator(read), WithJsonSchema(dict(schema)))


def text(value: object) -> str:
    """Take text; a number keeps the digits that were written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refusal(f"{shown(value)} is not text.", "Put it in quotes." if isinstance(value, bool) else "")
    return str(value)


def comm(value: object) -> str:
    """Take the short name of a process, which the kernel cuts to 15 bytes."""
    name = text(value)
    if not name or len(name.encode(errors="replace")) > 15:
        raise Refusal(f"{shown(name)} does not fit in 15 bytes.", "The kernel keeps 15 bytes of a process's name.")
    return name


def words(value: object) -> tuple[str, ...]:
    """Take a command: a list of words, or one text that is split as a shell would."""
    if isinstance(value, list):
        return tuple(part(item, place) for place, item in enumerate(value))
    try:
        return tuple(shlex.split(text(value)))
    except ValueError as error:
        raise Refusal(f"{shown(value)} cannot be split into words: {str(error).lower()}.", "Use a list.") from None


def part(item: object, place: int) -> str:
    """Take one word of a list."""
    try:
        return text(item)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (place,)) from None


def whole(low: int, high: int, noun: str) -> Reader:
    """Return a reader of whole numbers from *low* to *high*."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refusal(f"{shown(value)} is not {noun}.", f"Write a whole number from {low} to {high}.")
        if not low <= value <= high:
            raise Refusal(f"{value} is not {noun}; valid: {low} to {high}.")
        return value

    return read


def boolean(value: object) -> bool:
    """Take true or false and no other word."""
    if isinstance(value, bool):
        return value
    raise Refusal(
        f"{shown(value)} is not true or false.", "yes, no, on and off are text here." if is_switch(value) else ""
    )


def is_switch(value: object) -> bool:
    """Return whether *value* is one of YAML 1.1's other words for true and false."""
    return isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n")


def policy(value: object) -> Restart:
    """Take a restart policy: no, always, unless-stopped, on-failure, on-failure:5."""
    name, colon, most = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name == "on-failure" and colon and most.isascii() and most.isdigit() and len(most) < 7:
        return Restart(name, int(most))
    if name in POLICIES and not colon:
        return Restart(name)
    hint = did_you_mean(name, POLICIES) if name else ""
    if value is False:
        hint = "Write no."
    raise Refusal(f"{shown(value)} is not a restart policy; valid: {listed(POLICIES)}, on-failure:5.", hint)


def signal(value: object) -> str:
    """Take a signal by name or number; return its name without SIG."""
    name = str(value).upper().removeprefix("SIG") if isinstance(value, str | int) else ""
    if name in SIGNALS:
        return name
    for known, number in SIGNALS.items():
        if name == str(number):
            return known
    raise Refusal(f"{shown(value)} is not a signal.", did_you_mean(name, SIGNALS) or "Write it like TERM, SIGHUP or 9.")


def grace(value: object) -> int:
    """Take how long a container may take to stop, in µs: a duration, or -1 (Compose wants -1s) for no limit."""
    if value in (-1, "-1", "-1s"):
        return FOR_EVER
    if str(value).startswith("-"):
        raise Refusal(f"{shown(value)} is not a time to stop in.", "Write -1 for one without limit.")
    return units.duration(value)


def container_id(value: object) -> str:
    """Take a container's id of 64 hexadecimal digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return value
    raise Refusal(f"{shown(value)} is not a container id.", "It has 64 digits 0-9a-f; quote it if it has digits only.")


def address(value: object) -> str:
    """Take an IPv4 address."""
    try:
        return str(ipaddress.IPv4Address(text(value)))
    except ValueError:
        raise Refusal(f"{shown(value)} is not an IPv4 address.") from None


def subnet(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Take a subnet such as 172.18.0.0/16 or fd00:1::/64; of IPv4 one in which there is room."""
    try:
        found = ipaddress.ip_network(text(value), strict=False)
    except ValueError:
        raise Refusal(f"{shown(value)} is not a subnet.", "Write it like 172.18.0.0/16.") from None
    if found.version == 4 and not 8 <= found.prefixlen <= 30:
        raise Refusal(f"{shown(value)} has no room for a gateway and a container.", "Use one from /8 to /30.")
    return found


def pids(value: object) -> tuple[int, ...]:
    """Take one process id or a list of them."""
    one = whole(1, 4_194_303, "a process id")
    return tuple(one(item) for item in value) if isinstance(value, list) else (one(value),)


def ports(value: object) -> tuple[Port, ...]:
    """Take Compose's list of ports, short and long forms mixed; ranges become single ports."""
    if not isinstance(value, list):
        raise Refusal(f"{shown(value)} is not a list of ports.", 'Write it like ["8080:80"].')
    found: list[Port] = []
    for place, item in enumerate(value):
        try:
            found += long_port(item) if isinstance(item, dict) else short_port(item)
        except Refusal as refusal:
            raise Refusal(refusal.what, refusal.hint, (place, *refusal.below)) from None
    return tuple(found)


SHORT_PORT = re.compile(
    r"(?:(?:(?P<ip>[0-9.]*|\[[0-9a-fA-F:.]+\]):)?(?P<host>[0-9]+(?:-[0-9]+)?)?:)?(?P<inner>[0-9]+(?:-[0-9]+)?)(?:/(?P<proto>[a-z]+))?\Z",
    re.ASCII,
)


def short_port(value: object) -> list[Port]:
    """Take `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `[::1]:8080:80`, `:8080:80`, `8000-8002:80-82`."""
    match = SHORT_PORT.match(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if not match:
        raise Refusal(f"{shown(value)} is not a port.", "Write it like 80, 8080:80 or 127.0.0.1:53:53/udp.")
    return port_range(match["ip"] or "", match["host"], match["inner"], match["proto"] or "tcp", value)


LONG_PORT = ("target", "published", "protocol", "mode", "host_ip", "name", "app_protocol")


def long_port(value: dict[str, object]) -> list[Port]:
    """Take `{target: 80, published: 8080, protocol: tcp, mode: host, host_ip: 127.0.0.1}`."""
    for key in value:
        if key not in LONG_PORT:
            raise Refusal("unknown key.", did_you_mean(key, LONG_PORT), (key,))
    if "target" not in value:
        raise Refusal("needs target.")
    host = value.get("published")
    published = None if host is None else text(host)
    ip, protocol = text(value.get("host_ip") or ""), text(value.get("protocol", "tcp"))
    return port_range(ip, published, text(value["target"]), protocol, f"{published}:{value['target']}")


def port_range(ip: str, host: str | None, inner: str, proto: str, value: object) -> list[Port]:
    """Return the single ports of ranges of the same length, or one container's port for one out of a range."""
    if proto not in ("tcp", "udp"):
        raise Refusal(f"{shown(proto)} is not a protocol; valid: tcp, udp.")
    inside = span(inner, value)
    outside = span(host, value) if host and host != "0" else [EPHEMERAL] * len(inside)
    where = port_address(ip)
    if len(inside) == 1 and len(outside) > 1:
        return [PortRange(outside[0], inside[0], proto, where, outside[-1])]
    if len(inside) != len(outside):
        raise Refusal(
            f"{shown(value)} maps {len(outside)} ports to {len(inside)}.", "Give both ranges the same length."
        )
    kind = IPv4Port if ip == "0.0.0.0" else Port
    return [kind(a, b, proto, where) for a, b in zip(outside, inside, strict=True)]


def port_address(ip: str) -> str:
    """Return the address that a port is bound to, "" being every one: of IPv4 or IPv6, with or without brackets.

    >>> port_address(""), port_address("[0:0::1]")
    ('0.0.0.0', '::1')
    """
    try:
        return str(ipaddress.ip_address(ip.removeprefix("[").removesuffix("]"))) if ip else "0.0.0.0"
    except ValueError:
        raise Refusal(f"{shown(ip)} is not an address.", "Write it like 127.0.0.1 or [::1].") from None


def span(spec: str, value: object) -> list[int]:
    """Return the ports of `80` or `80-82`."""
    first, _, last = spec.partition("-")
    if not all(n.isascii() and n.isdigit() and len(n) < 6 and 0 < int(n) < 65536 for n in (first, last or first)):
        raise Refusal(f"{shown(value)}: {shown(spec)} is not a port; valid: 1 to 65535.")
    low, high = int(first), int(last or first)
    if high < low:
        raise Refusal(f"{shown(value)}: the range {spec} is empty.", f"Write {high}-{low}.")
    return list(range(low, high + 1))


def fault_kinds(value: object) -> tuple[tuple[str, int], ...]:
    """Take `{kill: 1}`: how many faults of each kind at most; a kind that comes with another one has no number."""
    kinds = tuple(kind for kind, row in FAULTS.items() if not row.free)
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a mapping.", f"Write {{{kinds[0]}: 1}}.")
    for kind in value:
        if kind not in kinds:
            free = FAULTS[kind].free if kind in FAULTS else ""
            hint = f"It comes with {free}." if free else did_you_mean(kind, kinds) or f"Valid: {listed(kinds)}."
            raise Refusal(f"{shown(kind)} is not a kind of fault.", hint, (kind,))
    found = []
    for kind, count in value.items():
        try:
            found.append((kind, whole(0, 1000, "a number of faults")(count)))
        except Refusal as refusal:
            raise Refusal(refusal.what, refusal.hint, (kind,)) from None
    return tuple(found)


class FaultKindsSchema:
    """The form of such a mapping: asked for anew each time, since kinds of faults may be registered."""

    def __get_pydantic_json_schema__(self, core: object, handler: object) -> dict[str, object]:
        """Return the schema, as pydantic asks for it."""
        kinds = {kind: {"type": "integer", "minimum": 0} for kind, row in FAULTS.items() if not row.free}
        return {"type": "object", "properties": kinds, "additionalProperties": False}


def pair(value: object) -> tuple[object, object]:
    """Take a list of two."""
    if not isinstance(value, list) or len(value) != 2:
        raise Refusal(f"{shown(value)} is not an interval.", "Write between: [start(web), die(web)].")
    return value[0], value[1]


COMMAND_SCHEMA: dict[str, object] = {"type": ["string", "array"], "items": {"type": ["string", "number"]}}
DURATION_SCHEMA: dict[str, object] = {"type": ["string", "integer"], "examples": ["200ms", "1.5s", "1h30m", "10d"]}
PID_SCHEMA: dict[str, object] = {"type": ["integer", "array"], "items": {"type": "integer"}}

Text = Annotated[str, *kind(text, type=["string", "number"])]
Comm = Annotated[str, *kind(comm, type="string", maxLength=15)]
Words = Annotated[Any, *kind(words, **COMMAND_SCHEMA)]
Bool = Annotated[bool, *kind(boolean, type="boolean")]
Grace = Annotated[int, *kind(grace, anyOf=[DURATION_SCHEMA, {"const": -1}])]
Duration = Annotated[int, *kind(units.duration, **DURATION_SCHEMA)]
Memory = Annotated[int, *kind(units.memory, type=["string", "integer"], examples=["300m", "1.5g"])]
OomScoreAdj = Annotated[int, *kind(whole(-1000, 1000, "an oom_score_adj"), type="integer", minimum=-1000, maximum=1000)]
SystemdDuration = Annotated[int, *kind(units.systemd_duration, **DURATION_SCHEMA)]
RestartPolicy = Annotated[Any, *kind(policy, type="string", examples=[*POLICIES, "on-failure:5"])]
Signal = Annotated[str, *kind(signal, type=["string", "integer"], examples=["TERM", "SIGQUIT", 9])]
ContainerId = Annotated[str, *kind(container_id, type="string", pattern="^[0-9a-f]{64}$")]
Address = Annotated[str, *kind(address, type="string", format="ipv4")]
Subnet = Annotated[Any, *kind(subnet, type="string", examples=["172.18.0.0/16"])]
Pids = Annotated[Any, *kind(pids, **PID_SCHEMA)]
Pid = Annotated[int, *kind(whole(1, 4_194_303, "a process id"), type="integer", minimum=1)]
Threads = Annotated[int, *kind(whole(0, MAX_THREADS, "a number of threads"), type="integer", minimum=0)]
ExitCode = Annotated[int, *kind(whole(0, 255, "an exit code"), type="integer", minimum=0, maximum=255)]
Ports = Annotated[Any, *kind(ports, type="array", items={"type": ["string", "integer", "object"]})]
FaultKinds = Annotated[Any, BeforeValidator(fault_kinds), FaultKindsSchema()]
Pair = Annotated[Any, *kind(pair, type="array", items={"type": "string"})]
FaultNumber = Annotated[int, *kind(whole(0, 1000, "a number of faults"), type="integer", minimum=0)]
