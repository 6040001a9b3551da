"""Which keys of files podman knows. Source: podman-run(1), --health-start-period [K]; designs §4.2 [S]."""

from __future__ import annotations

from sim.engine.vocabulary import Key, Vocabulary, noted, only

PODMAN: Vocabulary = {
    "service": {"x-proxy": Key(why_not="netavark publishes ports", noted=True)},
    "value": {"stop_grace_period: -1": Key(why_not="--stop-timeout is never negative; write stop -t -1")},
    "healthcheck": {
        "start_period": Key(),
        "start_interval": Key(why_not="its startup checks have an interval of their own (--health-startup-interval)"),
    },
    "daemon": noted("daemon", "no daemon reads daemon.json"),
    "unit": noted("unit", "each command is a process of its own"),
    "unverified": only(),
}
QUADLET: Vocabulary = {
    **PODMAN,
    "unit": {"Restart": Key(why_not="it is the policy of each container", noted=True)},
}
