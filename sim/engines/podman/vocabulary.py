"""Which keys of Compose files podman knows. Source: podman-run(1), --health-start-period [K]."""

from __future__ import annotations

from sim.engine.vocabulary import Key, Vocabulary, only

PODMAN: Vocabulary = {
    "healthcheck": {
        "start_period": Key(modelled=False),
        "start_interval": Key(why_not="its startup checks have an interval of their own (--health-startup-interval)"),
    },
    "unverified": only(),
}
