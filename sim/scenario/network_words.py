"""Readers of what a service says of networks and of namespaces that it shares.

Models: `networks` as a list or a mapping, with `ipv4_address`; `network_mode`, `pid` and `links`; `listens` of a
program. Without effect: aliases, priorities, addresses of IPv6 and of links. Source: Compose file reference, services;
docker run --help.
"""

from __future__ import annotations

import re

from sim.engine.setup import HOST, NONE
from sim.scenario.fields import address, boolean, part, text
from sim.scenario.known import PROTOCOLS
from sim.scenario.words import Refusal, did_you_mean, listed, shown

BRIDGE = "bridge"
OF_NETWORK = tuple(
    """aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address
    priority""".split()
)
OF_CONTAINER = ("service", "container")
Attached = tuple[tuple[str, str | None], ...]  # a network and the address that is asked for on it


def networks(value: object) -> Attached:
    """Take a list or a mapping of networks, each with the IPv4 address that the container always asks for there.

    >>> networks(["front"]), networks({"front": {"ipv4_address": "172.19.0.5"}, "back": None})
    ((('front', None),), (('front', '172.19.0.5'), ('back', None)))
    """
    if not isinstance(value, list | dict):
        raise Refusal(f"{shown(value)} is not a list of networks.", "Write [front, back].")
    names = dict.fromkeys(part(item, place) for place, item in enumerate(value))
    if isinstance(value, list):
        return tuple((name, None) for name in names)
    return tuple((name, _asked(name, value[name])) for name in names)


def _asked(name: str, options: object) -> str | None:
    if options is None:
        return None
    if not isinstance(options, dict):
        raise Refusal(f"{shown(options)} is not a mapping.", "Write {ipv4_address: 172.19.0.5}.", (name,))
    for key in options:
        if key not in OF_NETWORK:
            hint = did_you_mean(key, OF_NETWORK) or f"Valid: {listed(OF_NETWORK)}."
            raise Refusal("unknown key.", hint, (name, key))
    if options.get("ipv4_address") is None:
        return None
    try:
        return address(options["ipv4_address"])
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (name, "ipv4_address")) from None


def external(value: object) -> bool | str:
    """Take true, false, or `{name: mynet}`: the network's real name."""
    if isinstance(value, dict) and list(value) == ["name"]:
        return text(value["name"])
    return boolean(value)


def network_mode(value: object) -> str:
    """Take bridge, host, none, service:NAME, container:NAME, or the name of a network.

    >>> [network_mode(word) for word in ("host", "default", "service:vpn", "mynet")]
    ['host', 'bridge', 'service:vpn', 'mynet']
    """
    word = text(value)
    if word in ("default", ""):
        return BRIDGE
    _of_container(word, "network_mode")
    near = did_you_mean(word, (HOST, NONE, BRIDGE)) if word not in (HOST, NONE, BRIDGE) and ":" not in word else ""
    if near:
        raise Refusal(f"{shown(word)} is no mode of a network.", near)
    return word


def pid(value: object) -> str:
    """Take host, service:NAME or container:NAME."""
    word = text(value)
    if word == HOST or _of_container(word, "pid"):
        return word
    what = f"{shown(word)} is no pid namespace; valid: host, service:NAME, container:NAME."
    raise Refusal(what, did_you_mean(word, (HOST,)))


def _of_container(word: str, key: str) -> bool:
    """Return whether *word* names another container; refuse one that names none."""
    kind, colon, name = word.partition(":")
    if not colon:
        return False
    if kind not in OF_CONTAINER:
        hint = did_you_mean(kind, OF_CONTAINER) or f"Write {key}: service:NAME."
        raise Refusal(f"{shown(word)} names no container.", hint)
    if not name:
        raise Refusal(f"{shown(word)} needs a name.", f"Write {key}: {kind}:NAME.")
    return True


def links(value: object) -> tuple[str, ...]:
    """Take `[db, "cache:redis"]`: whom a service links to, without the other names that it gives them."""
    if not isinstance(value, list):
        raise Refusal(f"{shown(value)} is not a list of services.", "Write [db].")
    return tuple(dict.fromkeys(part(item, place).partition(":")[0] for place, item in enumerate(value)))


LISTENS = re.compile(r"(?P<port>[0-9]{1,5})(?:/(?P<proto>[a-z]+))?\Z", re.ASCII)


def listens(value: object) -> tuple[tuple[str, int], ...]:
    """Take `[9100, 53/udp]`: the ports on which a program accepts in its network.

    >>> listens([9100, "53/udp"]), listens(80)
    ((('tcp', 9100), ('udp', 53)), (('tcp', 80),))
    """
    items = value if isinstance(value, list) else [value]
    found = []
    for place, item in enumerate(items):
        match = LISTENS.match(str(item)) if isinstance(item, int | str) and not isinstance(item, bool) else None
        proto = match["proto"] or "tcp" if match else ""
        if not match or not 0 < int(match["port"]) < 65536 or proto not in PROTOCOLS:
            below = (place,) if isinstance(value, list) else ()
            raise Refusal(f"{shown(item)} is not a port.", "Write [9100, 53/udp].", below)
        found.append((proto, int(match["port"])))
    return tuple(dict.fromkeys(found))
