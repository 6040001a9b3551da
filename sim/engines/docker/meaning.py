"""What a scenario file means on Docker: whose processes there are none of, and which versions follow on which.

Source: designs §1.1, §4.2; engine-1.13 §1.
"""

from __future__ import annotations

from typing import Any

from sim.engine.meaning import Said, without_words
from sim.engine.setup import Command, EngineSetup
from sim.engines.containerd.runc import STAGES
from sim.engines.docker.downgrades import impossible

SHIM_HOLDS = ("a shim holds a container", "Write shim/NAME, or supervisor/NAME, which is whoever holds a container.")
DOCKERD_DOES = ("dockerd does it itself", "Write dockerd.")
ASKED = ("commands are requests to dockerd", "Write dockerd.")
NETWORKS = ("dockerd makes networks itself", "Write dockerd.")
INSTEAD = {  # role -> why there is none, and what to write
    "conmon": SHIM_HOLDS,
    "exec-conmon": ("a shim holds an exec", "Write exec-shim/NAME."),
    "podman": ASKED,
    "netavark": NETWORKS,
    "cni": NETWORKS,
    "kubelet": ("dockerd itself starts again what has ended", "Write dockerd."),
    "crio": ("dockerd is the engine", "Write dockerd."),
}
SHIM_V2_S = {  # the same where no exec has a shim of its own
    **INSTEAD,
    **dict.fromkeys(
        ("exec-shim", "exec-conmon"), ("the container's shim holds an exec", "Write shim/NAME, or exec/NAME.")
    ),
}
DAEMON_S = {  # the same of a dockerd that is its containers' parent
    **INSTEAD,
    **dict.fromkeys(("containerd", "shim", "supervisor", "runc", "hook"), DOCKERD_DOES),
    "exec-shim": ("an exec is a child of dockerd", "Write exec/NAME."),
    **{stage.name: DOCKERD_DOES for stage in STAGES},
    **dict.fromkeys(("conmon", "exec-conmon", "podman", "netavark"), DOCKERD_DOES),
}


def instead(design: Any, role: str) -> Said:
    """Return why a version of Docker has no processes of a role, and what to write."""
    table = INSTEAD if "exec-shim" in design.programs else SHIM_V2_S if design.holders else DAEMON_S
    return Said(*table[role]) if role in table else without_words(design, role)


def takes_all(design: Any, command: Command) -> Said | None:
    """Return nothing: the words of files are docker's own."""


def upgrades(before: Any, after: Any, setup: EngineSetup) -> Said | None:
    """Return why no host goes back from a version of Docker to an earlier one."""
    row = impossible(before, after, live_restore=setup.daemon.live_restore)
    if row is None:
        return None
    return Said(f"no host goes back from {before.name} to {after.name}: {row.why}.", row.instead)
