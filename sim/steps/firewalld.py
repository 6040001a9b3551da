"""`firewalld: reload`: firewalld flushes all tables, deletes the chains that others have made, and sets its own rules.

Who listens on D-Bus for it makes the engine's rules again (dockerd); of others published ports stay without their rules
until the container is started again. From here on clients elsewhere do not come to a socket of the host itself: no zone
opens a published port. Leaves out zones, and the packets that are dropped while it reloads. Source: firewalld 2745d6f0
fw.py 1205-1232 reload, 1045 flush, ipXtables.py 699-714 build_flush_rules (-F, -X), FlushAllOnReload.
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.setup import OwnCommand
from sim.engines.host.mishap import forget_chains
from sim.kernel import syscalls
from sim.scenario.instants import Names
from sim.scenario.step_word import StepWord
from sim.scenario.words import Refusal, shown

RELOAD = "reload"


class ReloadFirewalld(OwnCommand, frozen=True, tag=True):
    """Somebody types `firewall-cmd --reload`."""

    def act(self, g: Any) -> None:
        """Flush all, set firewalld's rules, and tell on D-Bus."""
        forget_chains(g)
        syscalls.write_file(g.turn, paths.FIREWALLD, True)
        g.world.design.engine.firewall_reloaded(g)

    def harms(self) -> bool:
        """Return that published ports are dark until somebody sets their rules again."""
        return True

    def noun(self) -> str:
        """Return the subject of a finding."""
        return "a reload of firewalld"


def read(value: object, names: Names) -> ReloadFirewalld:
    """Take `reload`. Raises Refusal."""
    if value != RELOAD:
        raise Refusal(f"{shown(value)} is nothing to do with firewalld here.", f"Write firewalld: {RELOAD}.")
    return ReloadFirewalld()


WORD = StepWord("firewalld", read, ReloadFirewalld, {"enum": [RELOAD], "description": "all rules are set anew"})
