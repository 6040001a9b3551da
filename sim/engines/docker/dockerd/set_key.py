"""The prestart hook's other end: dockerd moves a container's endpoint into its namespace, and sets up its resolver.

Leaves out hooks of other packages. Source: L sandbox_externalkey_unix.go, resolver_unix.go; engine-1.13 §2 step 14.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.networks import has_resolver
from sim.engine.ops import Do, Label, repeat, run
from sim.engine.procedure import procedure
from sim.engines.docker.dockerd.start import answer
from sim.engines.docker.netfilter import iptables
from sim.engines.host import storage
from sim.engines.host.reach import NETNS
from sim.kernel import syscalls


def move_network(g: Goroutine) -> str | None:
    """Move the endpoints into the container's namespace; the sandbox record lists them from now on.

    The hook of a start that was given up finds no endpoint any more. On another container's network there is nothing to
    move.
    """
    if service_of(g).joins:
        return "moved"
    endpoint = g.recall(f"endpoint/{g['c']}")
    if endpoint is None:
        answer(g, Failure(f"no sandbox for container {service_of(g).id}"))
        return "refused"
    if endpoint.address:
        syscalls.write_file(g.turn, NETNS + g["c"], endpoint.address)
    storage.write(g, paths.SANDBOXES + g["c"], endpoint)
    return None if has_resolver(service_of(g)) else "moved"


def setup_resolver(g: Goroutine) -> Spawn:
    """Start the re-exec that sets up the embedded DNS of a user-defined network."""
    argv = ("setup-resolver", service_of(g).id)
    threads = g.world.setup.engine.unverified.resolver_threads
    return Spawn("resolver", argv, g["c"], comm="exe", local={"count": threads})


def netns_iptables(g: Goroutine) -> Spawn:
    """Run iptables inside the container's namespace."""
    return iptables("-I")


def set_key_done(g: Goroutine) -> None:
    """Answer that the network is set up."""
    answer(g)


SET_KEY = procedure(
    "dockerd.set_key",
    Do(move_network, "moved", "refused"),
    run(setup_resolver),
    repeat(14, run(netns_iptables)),
    Label("moved"),
    Do(set_key_done),
    Label("refused"),
)
