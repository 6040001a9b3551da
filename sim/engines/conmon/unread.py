"""What a search may leave out of conmon and crun, and what it may take first. Source: `sim.engine.unread`."""

from __future__ import annotations

from sim.engine.unread import Unread
from sim.engines.containerd.unread import RUNC

CONMON = Unread(confluent=RUNC, remembered=("conmon",))
