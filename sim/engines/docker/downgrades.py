"""Downgrades of Docker that no host can have: a row for each reason. Upgrades are never refused.

All others can be had, among them that of docker-ce from 18.09 to an earlier version: containerd.io stays installed and
containerd.service goes on, unused, beside the containerd that dockerd starts (moby/moby#38185). The order of versions
is that of `sim.engines.docker.ladder`, which knows no versions of other engines: from one engine to another is no
downgrade.
"""

from __future__ import annotations

import msgspec

from sim.designs.design import Design
from sim.engines.docker.ladder import ROWS, SEPARATE


class Downgrade(msgspec.Struct, frozen=True):
    """From *since* or later back to *to* or earlier: why no host can have it, and what to do instead."""

    since: str
    to: str
    why: str
    instead: str
    source: str
    live_restore: bool = False  # it is so with live-restore in daemon.json alone


DOWNGRADES = (
    Downgrade(
        "docker-17.06",
        "docker-1.12",
        "docker-ce obsoletes docker-engine, so that no package manager puts docker-engine in its place: somebody has "
        "to remove docker-ce first",
        "docker-1.13, which stands for 17.03, is the first docker-ce.",
        "docker/docker-ce-packaging rpm/SPECS/docker-ce.spec, Obsoletes: [S]",
    ),
    Downgrade(
        "docker-1.12",
        "docker-1.11",
        "a dockerd before 1.12 does not start with live-restore in daemon.json, which is no directive that it knows",
        "Drop engine.daemon.live-restore; docker-1.12 is the first that has it.",
        "kubernetes-retired/contrib#1964 [I]",
        live_restore=True,
    ),
)
"""Downgrades that no host can have."""


def impossible(before: Design, after: Design, *, live_restore: bool) -> Downgrade | None:
    """Return the row that says why a host cannot go from one version of Docker to another; None if it can.

    A design of one's own has no place among the versions, and nothing is said of it.

    >>> from sim.designs import DESIGNS
    >>> impossible(DESIGNS["docker-26-separate"], DESIGNS["docker-1.11"], live_restore=False).since
    'docker-17.06'
    """
    rows = list(ROWS)
    names = [design.name.removesuffix(SEPARATE) for design in (before, after)]
    if not set(names) <= set(rows):
        return None
    was, becomes = map(rows.index, names)
    for row in DOWNGRADES:
        if becomes <= rows.index(row.to) and rows.index(row.since) <= was and live_restore >= row.live_restore:
            return row
    return None
