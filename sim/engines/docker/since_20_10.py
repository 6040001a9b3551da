"""What the designs from 20.10 on share: their programs, their command lines, and what was measured of 26.1.5.

Thread counts of 26.1.5 stand for the others, too [K].
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine import paths
from sim.engine.program import Program
from sim.engine.role import MB, Kind, Rss
from sim.engine.setup import Daemon, S, Unit
from sim.engine.traits import Traits, Words
from sim.engines.containerd import runc_v2, service, shim_command, shim_v2
from sim.engines.containerd.release import SERVICE, SOCKET, UNVERIFIED, containerd_of
from sim.engines.containerd.units import containerd
from sim.engines.docker import proxy
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.docker.docker_17_06 import REFUSED_BY_STATE
from sim.engines.docker.dockerd import program_v2
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.ladder import SEPARATE
from sim.engines.docker.units import docker, upstream
from sim.engines.host.systemd.program import Systemd
from sim.kernel.records import V2

WORDS = Words(
    dockerd=("/usr/bin/dockerd",),
    containerd=("/usr/bin/containerd", "--config", "/var/run/docker/containerd/containerd.toml"),
    shim=("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-address", SOCKET),
    runc=("runc", "--root", "/var/run/docker/runtime-runc/moby"),
    proxy="/usr/bin/docker-proxy",
)
UNREACHABLE = (
    'connection error: desc = "transport: Error while dialing dial unix {}: connect: connection refused": unavailable'
)
TRAITS = replace(
    DOCKER_1_13.traits,
    iptables_nft=True,
    words=WORDS,
    unverified=UNVERIFIED,
    shim_command_threads=9,
    tree="systemd ─ dockerd ─ containerd; systemd ─ shim ─ program; proxies under dockerd",
    proxy_addresses=("0.0.0.0", "::"),
    restart_cap=60 * S,
    redial_cap=3 * S,
    containerd_socket=paths.MANAGED_SOCK,
    last_wait=2 * S,
    writes_signals=True,
    exits_by="pid",
    canceled_by="stop signal, KILL",
    removal_wakes=True,
    removal_refused=REFUSED_BY_STATE,
    rpc_codes=False,
    thaws_orphans=False,
    cgroup=V2,
    one_cgroup=("", ""),
    discards_kept=False,
    restore_stop="docker stop",
    load_each=3_000,
    starts_created=False,
    unreachable=UNREACHABLE,
    daemon=Daemon(log_driver="json-file"),
    unit=Unit("always", "process", 2 * S, 3, 60 * S, 0),
    profile="docker-26-2core",
    replica="-",
    runtime_root="/var/run/docker/runtime-runc/moby",
)
PROXY = proxy.PROGRAM.with_role(rss=Rss(round(4.5 * MB), "issue, Memoh#946: 4 to 5 MB in 2026; 3.9 MB in 2021"))
OF_SHIMS_V2 = (service.PROGRAM, shim_command.PROGRAM, shim_v2.PROGRAM, runc_v2.PROGRAM, PROXY)


def pair(
    row: str,
    source: str,
    traits: Traits,
    containerd: str,
    coupling: str,
    packaged: str = "",
    rss: Mapping[str, Rss] | None = None,
) -> tuple[Design, Design]:
    """Return a version whose dockerd starts containerd, and the same as packages install it, with a service.

    *containerd* is the version of containerd, *packaged* that of the packages where it is another one; *rss* says what
    its programs were measured to hold.
    """
    apart = containerd_of(packaged or containerd, traits)
    of_both = managed(row, source, containerd_of(containerd, traits)), separate(row, source, apart, coupling)
    first, second = (weighed(design, rss or {}) for design in of_both)
    return first, second


def weighed(design: Design, rss: Mapping[str, Rss]) -> Design:
    """Return a design with what its programs were measured to hold."""
    programs = (design.programs[name].with_role(rss=size) for name, size in rss.items())
    return design.like(design.name, design.title, design.source, *programs) if rss else design


def managed(
    row: str,
    source: str,
    traits: Traits,
    programs: tuple[Program, ...] = OF_SHIMS_V2,
    dockerd: Program = program_v2.MANAGED,
) -> Design:
    """Return a version whose dockerd starts containerd."""
    init = Systemd(docker(status=upstream(" ".join(traits.words.dockerd))))
    mine = DOCKER_1_13.programs_with(init, dockerd, *programs, without=("exec-shim",))
    return Design(row, f"{row.removeprefix('docker-')}, dockerd starts containerd", source, mine, traits, DOCKER)


def as_service(program: Program) -> Program:
    """Return containerd as the main process of a unit of its own; any other program as it is."""
    return program.with_role(kind=Kind.DAEMON, home="init") if program.role.kind is Kind.GUEST else program


def separate(
    row: str,
    source: str,
    traits: Traits,
    coupling: str,
    programs: tuple[Program, ...] = OF_SHIMS_V2,
    unit: Unit = SERVICE,
    score: int = -999,
    dockerd: Program = program_v2.SEPARATE,
) -> Design:
    """Return a version with containerd as a service beside docker.service, tied to it by *coupling*."""
    words = replace(
        traits.words,
        dockerd=("/usr/bin/dockerd", "-H", "fd://", f"--containerd={SOCKET}"),
        containerd=("/usr/bin/containerd",),
    )
    units = Systemd(docker(coupling, upstream(" ".join(words.dockerd))), containerd(unit))
    apart = tuple(as_service(program) for program in programs)
    mine = DOCKER_1_13.programs_with(units, dockerd, *apart, without=("exec-shim",))
    own = replace(
        traits,
        words=words,
        containerd_socket=paths.SERVICE_SOCK,
        tree=traits.tree.replace("dockerd ─ containerd", "dockerd; systemd ─ containerd"),
        containerd_unit=unit,
        coupling=coupling,
        containerd_score=score,
    )
    title = f"{row.removeprefix('docker-')}, containerd.service beside docker.service ({coupling}=)"
    return Design(row + SEPARATE, title, source, mine, own, DOCKER)
