"""Addresses at which processes listen, as text: `tcp:0.0.0.0:80`, `net/tcp:172.17.0.2:80`, `unix:/run/x.sock`."""

from __future__ import annotations


def split_address(address: str) -> tuple[str, str, str]:
    """Split an address into family, ip and port; a path of `unix:` stands in place of the ip.

    >>> split_address("net/tcp:172.17.0.2:80")
    ('net/tcp', '172.17.0.2', '80')
    """
    family, _, rest = address.partition(":")
    if family == "unix":
        return family, rest, ""
    ip, _, port = rest.rpartition(":")
    return family, ip, port
