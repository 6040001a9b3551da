"""docker-proxy: listens on a published port of the host, says so to dockerd, and closes on INT or TERM.

Leaves out the connections it carries. Nobody restarts it; killed, it stays a zombie until dockerd unmaps the port.
Source: libnetwork cmd/proxy, portmapper/proxy.go at L; engine-1.13 §1.1, §16.8.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.networks import bound
from sim.engine.ops import Do, Exit, Label
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import MB, Kind, Role, Rss
from sim.engine.setup import Port, Service
from sim.engines.host.reach import inner
from sim.kernel import syscalls


def proxy(program: str, service: Service, port: Port, address: str) -> Spawn:
    """Describe the proxy of one published port."""
    words = ("-proto", port.proto, "-host-ip", port.ip, "-host-port", str(port.host))
    argv = (program, *words, "-container-ip", address, "-container-port", str(port.container))
    local = {"address": bound(port), "count": service.proxy_threads}
    return Spawn("proxy", argv, service.name, local=local, death_signal="TERM")


def forwards(argv: tuple[str, ...]) -> tuple[str, int, str]:
    """Return what a proxy's command line says: the protocol and the port of the host, and the container's address."""
    said = dict(zip(argv[1::2], argv[2::2], strict=True))
    proto = said["-proto"]
    return proto, int(said["-host-port"]), inner(proto, said["-container-ip"], int(said["-container-port"]))


def start_threads(g: Goroutine) -> None:
    """Start the runtime's threads (5 or 6, read off the document's lone starts: engine-1.13 §12)."""
    syscalls.start_threads(g.turn, g.pid, g["count"])


def listen(g: Goroutine) -> str | None:
    """Bind the port and tell dockerd through descriptor 3; a port in use ends the proxy with 1."""
    try:
        syscalls.listen(g.turn, g.pid, g["address"])
    except syscalls.SyscallError:
        return "busy"
    return "up"


ROLE = Role(
    words="proxy", kind=Kind.FORWARDER, order=150, home="dockerd", target="container", stalls_as="proxy", slows=True,
    plural="proxies", noun="docker-proxy",
    rss=Rss(round(1.16 * MB), "issue, moby#34328: 116 MB for 100 ports, 17.06"),
)  # fmt: skip
PROGRAM = Program(
    "proxy",
    (
        procedure("proxy.main", Do(start_threads), Do(listen, "busy", "up"), Label("busy"), Exit(1), Label("up")),
        procedure("proxy.close", Exit(0)),
    ),
    handlers={"INT": "close", "TERM": "close"},
    role=ROLE,
)
