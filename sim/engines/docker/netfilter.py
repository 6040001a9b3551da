"""iptables: one run checks (-C), appends (-A) or deletes (-D) one rule, under the host's global lock.

Leaves out the other tables, firewalld, and rule counts (a run costs the same however many rules stand). Source:
iptables(8) `--wait`; libnetwork's programChainRule; engine-1.13 §2 step 3, §15.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Exit, Lock
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.kernel import syscalls
from sim.kernel.records import Rule


def iptables(verb: str, rule: Rule | None = None) -> Spawn:
    """Describe a run; without a rule it is one in a container's own namespace, which changes nothing here."""
    if rule is None:
        return Spawn("iptables", ("iptables", "--wait", "-t", "nat", verb), local={"rule": None, "verb": verb})
    table, _, chain = rule.chain.partition("/")
    words = ("iptables", "--wait", "-t", table, verb, chain, "-p", rule.proto, "--dport", str(rule.port))
    return Spawn("iptables", (*words, "--to", f"{rule.address}:{rule.to_port}"), local={"rule": rule, "verb": verb})


def apply(g: Goroutine) -> int:
    """Do what the verb says; -C tells by its status whether the rule stands."""
    rule, verb = g["rule"], g["verb"]
    if rule is None:
        return 0
    standing = rule in g.world.host.rules
    if verb == "-A" and paths.NO_CHAINS in g.world.host.files:
        return 1  # iptables: No chain/target/match by that name.
    if verb == "-A":
        syscalls.add_rule(g.turn, rule)
    elif verb == "-D":
        syscalls.remove_rule(g.turn, rule)
    return 0 if standing or verb == "-A" else 1


IPTABLES = Program(
    "iptables",
    (procedure("iptables.main", Lock("kernel:xtables"), Exit(apply)),),
    role=Role(kind=Kind.ERRAND, target="host", brief=True, slows=True, tries=("*",)),
)
