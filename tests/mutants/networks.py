"""Faults in networks: what containers share, which network publishes, families. Source: moby v26.1.5 as cited there."""

from tests.mutants.mutant import Mutant

JOINING, REACH, NETWORKS = (
    "sim/engines/docker/dockerd/joining.py", "sim/engines/host/reach.py", "sim/scenario/networks.py",
)  # fmt: skip
OWN = ("tests/engine/test_networks.py",)

ROWS = (
    Mutant("who does not run is joined", JOINING,
           "elif not record.running:", "elif False:",
           "a container joins the network of one that does not run", OWN),
    Mutant("who waits for its restart is joined", JOINING,
           "elif record.restarting and what != LINK:", "elif False:",
           "a container joins the network of one between two runs", OWN),
    Mutant("a start asks without the lock", JOINING,
           'Lock("container/{other}"),\n        Do(look_at),\n        Unlock("container/{other}"),', "Do(look_at),",
           "a start does not wait for one of the container that it joins", OWN),
    Mutant("a namespace that is given up is reached", REACH,
           "            if place in turn.host.listeners and _is_of", "            if False and _is_of",
           "who shares a network is reached after its owner has another one", OWN),
    Mutant("a pid namespace is never shared", "sim/engine/containers.py",
           "if not service.pid_of:\n        return", "if True:\n        return",
           "a sidecar outlives the container whose pid namespace it shares", OWN),
    Mutant("an internal network publishes", NETWORKS,
           "if on[0].internal or on[0].driver in", "if on[0].driver in",
           "ports on an internal network have proxies", OWN),
    Mutant("internal networks are ways out", NETWORKS,
           'return network.internal or network.driver == "overlay", ', "return False, ",
           "the first network by name publishes, internal or not", OWN),
    Mutant("an address has two owners", "sim/engines/docker/dockerd/network.py",
           "if asked is not None and g.recall(", "if False and g.recall(",
           "ipv4_address is taken from whoever has it", OWN),
    Mutant("0.0.0.0 is both families", "sim/engine/networks.py",
           "return not isinstance(port, IPv4Port)", "return True",
           "a port of every IPv4 address is one of IPv6, too", OWN),
    Mutant("flushed chains of IPv6 stay", "sim/engines/docker/dockerd/controller.py",
           "g.emit(RulesFlushed(SIX + chain))", "pass",
           "clients by IPv6 notice nothing of a new dockerd", OWN),
    Mutant("the first to be started comes up", "sim/engines/docker/dockerd/boot.py",
           'else "boot_turn" if name in joined', 'else "boot_start" if name in joined',
           "after a boot who shares a network always waits for its owner", OWN),
    Mutant("who needs others is started in its turn", "sim/engine/prologue.py",
           "names = (*service.needs, ", "names = (*(), ",
           "a container is started before the one whose network it shares", OWN),
)  # fmt: skip
