"""Hosts that somebody has: what `docker`, `ps`, `systemctl` and others print, made one scenario.

`scenario_from` reads files, folders, archives and texts, recognises each by its content, joins them into one inventory
and writes a scenario. Credentials never leave it. Source: each reader's own header.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sim.intake.host import are_compose as are_compose
from sim.intake.host import scenario_from as scenario_from

Inputs = Sequence[str | os.PathLike[str]]
