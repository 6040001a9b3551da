"""Restart policies: whether one starts a container again. They are docker's, and podman has the same words.

Source: D restartmanager/restartmanager.go ShouldRestart; engine-1.13 §4.
"""

from __future__ import annotations

from sim.engine.records import Container


def wants_restart(record: Container, status: int, manual: bool) -> bool:
    """Return whether the policy restarts (restartmanager.go ShouldRestart); *manual*: the daemon shuts down.

    >>> from sim.engine.setup import Restart
    >>> wants_restart(Container("web", Restart("on-failure", 2), restart_count=2), 1, False)
    False
    """
    policy = record.policy
    if policy.name == "always":
        return True
    if policy.name == "unless-stopped":
        return not manual
    if policy.name == "on-failure":
        return status != 0 and (policy.max == 0 or record.restart_count < policy.max)
    return False
