"""podman, rootful: no daemon, each command a process; by itself, or under systemd as Quadlet writes its units."""

from __future__ import annotations

from sim.designs.family import Family

KIN = dict.fromkeys(("podman-rootless", "lxc", "systemd-nspawn"), ("another kind of engine", "podman"))
KIN["quadlet"] = ("it is podman under systemd", "podman-quadlet")
FAMILY = Family(
    order=1,
    designs={
        "podman": f"{__name__}.podman:PODMAN",
        "podman-quadlet": f"{__name__}.podman_quadlet:PODMAN_QUADLET",
    },
    absent=KIN.get,
)
