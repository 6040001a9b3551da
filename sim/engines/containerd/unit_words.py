"""What containerd.service says of itself. Source: containerd's package [K]."""

from __future__ import annotations

from sim.engine.engine import UnitWords

WORDS = UnitWords("containerd container runtime", "https://containerd.io", "/usr/bin/containerd")
CONTAINERD_WORDS = {"containerd": WORDS}
