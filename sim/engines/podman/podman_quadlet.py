"""podman under systemd: each container a unit that Quadlet has written, conmon its main process."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.setup import S, Unit
from sim.engines.podman import units
from sim.engines.podman.engine import QUADLET_ENGINE
from sim.engines.podman.podman import PODMAN

PODMAN_QUADLET = Design(
    "podman-quadlet",
    "rootful, containers as units",
    "designs §4.2, C3 [S]; podman quadlet.go [S]; systemd.service(5)",
    PODMAN.programs_with(units.WITH_QUADLETS),
    replace(
        PODMAN.traits,
        tree="systemd ─ conmon ─ program, all in the container's unit; each podman command a process of its own",
        split_scope="/system.slice/{name}.service/libpod-payload-{id}",
        one_cgroup=("Quadlet needs cgroup v2 (podman-systemd.unit(5)).", "podman runs on either."),
        unit=Unit(restart="no", kill_mode="mixed", timeout_stop=70 * S),
    ),
    QUADLET_ENGINE,
)
