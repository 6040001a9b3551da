"""containerd.service beside the engine's own unit. Source: designs §3.8 [S]; the package's description [K]."""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.setup import Unit
from sim.engines.host.systemd.unit import UnitFile, group
from sim.engines.host.units import unit_beside

CONTAINERD_STATUS = ("containerd container runtime", "https://containerd.io", "/usr/bin/containerd")


def _containerd(g: Goroutine, name: str) -> Spawn:
    """Describe containerd: a session of its own in the unit's control group."""
    found, own = g.world.design.containerd_io(g.world).traits, group(g.world, name)
    words, score = found.words.containerd, found.containerd_score
    return Spawn("containerd", words, new_session=True, cgroup=own, oom_score_adj=score)


def containerd(keys: Unit) -> UnitFile:
    """Return containerd.service beside docker.service."""
    return unit_beside("containerd", "containerd", keys, spawn=_containerd, status=CONTAINERD_STATUS)
