"""Published ports, as a scenario file says them and as the engine has bound them.

Source: `docker run --publish`; Compose file reference, "ports".
"""

from __future__ import annotations

import msgspec


class Port(msgspec.Struct, frozen=True):
    """A published port: `ip:host->container/proto` as `docker ps` prints it."""

    host: int
    container: int
    proto: str = "tcp"
    ip: str = "0.0.0.0"

    def singles(self) -> tuple[Port, ...]:
        """Return the ports of the host that may become this one: itself."""
        return (self,)


class PortRange(Port, frozen=True):
    """One host port out of *host* to *last* (`8080-8083:80`); the engine chooses. Of one that is bound *host* is it."""

    last: int = 0

    def singles(self) -> tuple[Port, ...]:
        """Return every port of the range."""
        return tuple(Port(host, self.container, self.proto, self.ip) for host in range(self.host, self.last + 1))


class IPv4Port(Port, frozen=True):
    """A port that is published on every address of IPv4 and on none of IPv6: `0.0.0.0:80:80`."""
