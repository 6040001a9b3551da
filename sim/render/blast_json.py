"""What may befall a host as one JSON object, whose meaning stands in docs/blast.md.

Times are s, null for what never ends. Source: the project's own.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec.structs import asdict

from sim.views.blast import Blast, BlastRow, Harm

SCHEMA_VERSION = 1


def blast_json(found: Blast) -> dict[str, Any]:
    """Return the object: a row for each act and case, the worst first, in it what each run gave."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "blast",
        "title": found.title,
        "source": found.source,
        "design": found.design,
        "profile": found.profile,
        "containers": found.containers,
        "seeds": list(found.seeds),
        "window_s": found.window_s,
        "moment": found.moment,
        "rows": [_row(row) for row in found.rows],
        "assumptions": list(found.assumptions),
        "ended": found.ended,
    }


def _row(row: BlastRow) -> dict[str, Any]:
    return {
        "act": row.act,
        "kind": row.kind,
        "subject": row.subject,
        "step": row.step,
        "live_restore": row.live_restore,
        "as_in_the_file": row.own,
        "same_for": list(row.like),
        "measured": row.measured,
        "failed": row.failed,
        "runs": [_harm(harm) for harm in row.harms if not harm.failed],
    }


def _harm(harm: Harm) -> dict[str, Any]:
    return {
        "seed": harm.seed,
        "died": dict(harm.died),
        "orphaned": dict(harm.orphaned),
        "fates": dict(harm.fates),
        "dark_s": {client: _time(seconds) for client, seconds in harm.dark},
        "engine_dark_s": _time(harm.engine_dark),
        "as_before_after_s": _time(harm.back),
        "exit_codes_lost": harm.codes_lost,
        "log_bytes_at_risk": harm.log_at_risk,
        "log_bytes_lost": harm.log_lost,
        "containers": [{**asdict(it), "dark": [asdict(dark) for dark in it.dark]} for it in harm.touched],
    }


def _time(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds
