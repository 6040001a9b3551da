"""`nft: flush ruleset`: every table of nftables is gone, also those that iptables-nft has made for the engine.

Proxies on the host go on, so that with userland proxies clients are served; the engine's chains are gone with their
rules, which iptables -F would leave. dockerd makes chains when it begins, and when firewalld reloads: until then the
start of a container with published ports fails. netavark and CNI make theirs with each container. Leaves out what the
engine's rules do besides (masquerading of outgoing connections, isolation), and other people's tables. Source: nft(8);
moby v26.1.5 libnetwork/iptables/iptables.go ProgramRule; iptables: "No chain/target/match by that name".
"""

from __future__ import annotations

from typing import Any

from sim.engine.setup import OwnCommand
from sim.engines.host.mishap import forget_chains
from sim.scenario.instants import Names
from sim.scenario.step_word import StepWord
from sim.scenario.words import Refusal, shown

FLUSH = "flush ruleset"


class FlushRuleset(OwnCommand, frozen=True, tag=True):
    """Somebody types `nft flush ruleset`."""

    def act(self, g: Any) -> None:
        """Drop every rule and chain."""
        forget_chains(g)

    def lacks(self, design: Any) -> str:
        """Return why nothing would happen: nft sees nothing of what iptables-legacy has set."""
        if design.traits.iptables_nft:
            return ""
        return f"nft sees none of the rules on hosts of {design.name}: their iptables is not iptables-nft."

    def harms(self) -> bool:
        """Return that published ports may be dark from here on."""
        return True

    def noun(self) -> str:
        """Return the subject of a finding."""
        return "nft flush ruleset"


def read(value: object, names: Names) -> FlushRuleset:
    """Take `flush ruleset`. Raises Refusal."""
    if value != FLUSH:
        raise Refusal(f"{shown(value)} is nothing that nft does here.", f"Write nft: {FLUSH}.")
    return FlushRuleset()


WORD = StepWord("nft", read, FlushRuleset, {"enum": [FLUSH], "description": "every table and chain is gone"})
