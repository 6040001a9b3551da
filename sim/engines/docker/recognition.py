"""How a host of docker is recognised: by the command lines of its processes, and by the version that it prints.

Models: dockerd under each of its names (`docker daemon` of 1.10 and 1.11, `dockerd-current` of Red Hat's build), the
containerd that it starts or that a unit starts, the shims of containerd 0.2, 1.0 to 1.3 and 1.4 and on, docker-proxy.
The nearest design is the row of the version; whether containerd is a service of its own goes by its parent, by
dockerd's `--containerd=`, else by what packages install since 18.09. Source: moby cmd/docker-proxy/main_linux.go,
libcontainerd/remote_unix.go at v1.13.1, libcontainerd/supervisor/remote_daemon.go at v26.1.5; containerd
runtime/v1/shim and runtime/v2/runc [S]; the recorded command lines of 1.13.1 and 26.1.5 [M].
"""

from __future__ import annotations

import re

from sim.designs.recognition import Guess, Recognition, Seen, Sight
from sim.engines.docker.ladder import FIRST_SEPARATE, ROWS, SEPARATE, VERSIONS, absent

NAME = r"(?:\S*/)?"
SIGHTS = (
    Sight("dockerd", rf"{NAME}(?:dockerd(?:-\w+)?|docker(?:-current)? (?:\S+ )*?(?:daemon|-d))(?:\s|$)"),
    Sight("proxy", rf"{NAME}docker-proxy(?:-\w+)? (?:-proto (?P<proto>\w+)(?: -host-ip (?P<ip>\S+)(?: -host-port "
                   r"(?P<port>\d+)(?: -container-ip (?P<to>\S+)(?: -container-port (?P<inner>\d+))?)?)?)?)?"),
    Sight("shim", rf"{NAME}(?:docker-)?containerd-shim(?:-current)? (?P<id>[0-9a-f]{{8,64}})(?:\s|$)"),
    Sight("shim", rf"{NAME}containerd-shim(?:-runc-v\d)? (?:\S+ )*?-namespace moby"
                  r"(?: .*?(?:-id |/moby/)(?P<id>[0-9a-f]+))?"),
    Sight("shim", rf"{NAME}containerd-shim-runc-v\d(?: -\w*)?(?: m?o?b?)?\Z"),  # of a table that is cut off
    Sight("containerd", rf"{NAME}(?:docker-)?containerd(?:-current)?(?:\s|$)"),
)  # fmt: skip
NEWEST = list(ROWS)[-1]
SHIMS = (  # of the command line of a shim: the row whose shims look like this, and what is said
    (r"\S*-current ", "docker-1.13", "shims of Red Hat's build of 1.13"),
    (r"\S*docker-containerd-shim [0-9a-f]", "docker-1.13", "shims of containerd 0.2"),
    (r"\S*containerd-shim -namespace", "docker-19.03", "shims of containerd 1.0 to 1.3"),
)
UNKNOWN = "no version was printed; this is the newest design"


def row_of(version: str) -> str:
    """Return the row that is nearest to a version as docker prints it.

    >>> row_of("26.1.5+dfsg1"), row_of("1.13.1"), row_of("17.12.1-ce"), row_of("99.0"), row_of("0.9.1")
    ('docker-26', 'docker-1.13', 'docker-18.09', 'docker-28', 'docker-1.10')
    """
    match = re.match(r"v?(\d{1,4})(?:\.(\d{1,4}))?", version)
    if match is None:
        return NEWEST
    major, minor = match[1], match[2]
    for name in (f"docker-{major}.{minor}", f"docker-{major}"):
        if name in VERSIONS:
            return VERSIONS[name]
        gap = absent(name)
        if gap:
            return gap[1]
    numbers = (int(major), int(minor or 0))
    known = sorted((_numbers(it), row) for row, names in ROWS.items() for it in names)
    return next((row for number, row in reversed(known) if number <= numbers), known[0][1])


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)


def guess(seen: Seen) -> Guess:
    """Return the row of the version, or of what the shims look like, with containerd where it was seen."""
    version = seen.versions.get("engine", "")
    row, why = (row_of(version), f"version {version}") if version else _by_shims(seen)
    weight = 3 * bool(version) + sum(role in seen.parents for role in ("dockerd", "proxy", "shim"))
    if list(ROWS).index(row) < list(ROWS).index(FIRST_SEPARATE):
        return Guess(row, why, weight)
    separate, reason = _separate(seen)
    return Guess(row + (SEPARATE if separate else ""), f"{why}; {reason}", weight)


def _by_shims(seen: Seen) -> tuple[str, str]:
    for args in seen.args.get("shim", ()):
        for pattern, row, what in SHIMS:
            if re.match(pattern, args):
                return row, what
    return NEWEST, UNKNOWN


def _separate(seen: Seen) -> tuple[bool, str]:
    """Return whether containerd is a service of its own, and why."""
    parents = [role for role in seen.parents.get("containerd", ()) if role]
    if "dockerd" in parents:
        return False, "containerd is a child of dockerd"
    if parents:
        return True, "containerd is no child of dockerd"
    if any("--containerd" in args for args in seen.args.get("dockerd", ())):
        return True, "dockerd was told of a containerd"
    return True, "containerd is taken to be a service, as packages install it"


RECOGNITION = Recognition(SIGHTS, guess)
