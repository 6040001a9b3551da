"""How a host of podman is recognised: by the conmon of each container, and by the version that podman prints.

Models: conmon as podman starts it, with the container's id and name and the command of its cleanup; that of an exec,
which has `-e`; units that Quadlet wrote, by the label that podman gives their containers. Leaves out podman's own
commands, which are gone before a table shows them. Source: podman libpod/oci_conmon_common.go (getOCIRuntimeArgs,
sharedConmonArgs), pkg/systemd/define/const.go (EnvVariable) [S]; conmon docs/conmon.8.md [S].
"""

from __future__ import annotations

import re

from sim.designs.recognition import Guess, Recognition, Seen, Sight
from sim.engines.podman.ladder import ROWS, VERSIONS, absent

CONMON = r"(?:\S*/)?conmon (?=.*(?:libpod|podman))(?:\S+ )*?"
SIGHTS = (
    Sight(
        "exec-conmon", rf"{CONMON}-c (?P<id>[0-9a-f]{{12,64}}) (?:.* )?(?:-e|--exec-process-spec|--exec-attach)(?: |\Z)"
    ),
    Sight("conmon", rf"{CONMON}-c (?P<id>[0-9a-f]{{12,64}})(?:.* -n (?P<name>[\w.-]+))?"),
)
UNIT_LABEL = "PODMAN_SYSTEMD_UNIT"


def row_of(version: str) -> str:
    """Return the row that is nearest to a version as podman prints it.

    >>> row_of("5.4.2"), row_of("4.3.1"), row_of("9.9")
    ('podman', 'podman-4.9', 'podman-5.6')
    """
    match = re.match(r"v?(\d{1,3}\.\d{1,3})", version)
    name = f"podman-{match[1]}" if match else ""
    gap = absent(name)
    newest = list(ROWS)[-1]
    return VERSIONS.get(name) or (gap[1] if gap else newest)


def guess(seen: Seen) -> Guess:
    """Return the row of the version; Quadlet's where containers bear the label of a unit."""
    version = seen.versions.get("podman version", "")
    weight = 3 * bool(version) + 2 * ("conmon" in seen.parents)
    why = f"version {version}" if version else "no version was printed; this is the newest design"
    labels = seen.facts.get("labels")
    if isinstance(labels, frozenset) and UNIT_LABEL in labels:
        return Guess("podman-quadlet", f"{why}; its containers are units of systemd", weight + 1)
    return Guess(row_of(version), why, weight)


RECOGNITION = Recognition(SIGHTS, guess)
