"""systemd on a host without an engine's unit: it reaps, runs journald, and at boot starts nothing of podman's.

podman-restart.service, which would start containers whose policy is always, is not enabled, as packages leave it.
Source: designs §4.2 F8 [S].
"""

from __future__ import annotations

from sim.engine.ops import Do, Sleep
from sim.engine.power import boots, power_back
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.systemd import PROGRAM as SYSTEMD

BOOT = procedure("init.boot", Sleep("power", power_back), Do(boots))
PROGRAM = Program(
    SYSTEMD.name, tuple(BOOT if it.name == BOOT.name else it for it in SYSTEMD.procedures), role=SYSTEMD.role
)
