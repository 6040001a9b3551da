"""Docker 18.09: containerd 1.2 is a service, shims v1 are its children; a new dockerd only signals what it finds."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.role import MB, Rss
from sim.engine.setup import MS, S, Unit
from sim.engines.containerd import runc_v2, shim_v2, shims_v1
from sim.engines.containerd.release import SOCKET, containerd_of
from sim.engines.docker import proxy
from sim.engines.docker.docker_1_13 import FIRST_WITH_V2
from sim.engines.docker.dockerd import program_v2
from sim.engines.docker.since_20_10 import TRAITS, UNREACHABLE, managed, separate
from sim.kernel.records import V1

SHIM_V1 = shim_v2.PROGRAM.with_role(home="containerd", rss=Rss(round(5.2 * MB), "issue, containerd#1767: with ttrpc"))
OF_SHIMS_V1 = (shims_v1.PROGRAM, SHIM_V1, runc_v2.PROGRAM, proxy.PROGRAM)
SOURCE = "designs §1.1, §3.9 [S]"
SERVICE = Unit("no", "process", 100 * MS, 5, 10 * S, 90 * S)  # containerd 1.2.0 has no Restart=
TRAITS_18_09 = replace(
    containerd_of("1.2.0", TRAITS),
    replica="_",
    proxy_addresses=("0.0.0.0",),  # v19.03.15 vendor/…/libnetwork/drivers/bridge/port_mapping.go knows no other
    words=replace(TRAITS.words, shim=("/usr/bin/containerd-shim", "-namespace", "moby", "-address", SOCKET)),
    tree="systemd ─ dockerd ─ containerd ─ shim ─ program; proxies under dockerd",
    shim_command_threads=0,
    dead_shim_tells_pid=True,  # shims v1: containerd itself does, runtime/v1/linux/runtime.go cleanupAfterDeadShim
    unreachable=f"all SubConns are in TransientFailure, latest connection error: {UNREACHABLE}",
    publish_tries=1,
    last_wait=None,
    writes_signals=False,
    restore_stop="the stop signal alone",
    load_each=18_000,
    cgroup=V1,
    one_cgroup=("neither dockerd nor its containerd and runc know cgroup v2.", FIRST_WITH_V2),
)
DOCKER_18_09 = managed("docker-18.09", SOURCE, TRAITS_18_09, OF_SHIMS_V1, program_v2.MANAGED_UNTIL_19_03)
DOCKER_18_09_SEPARATE = separate(
    "docker-18.09", SOURCE, TRAITS_18_09, "BindsTo", OF_SHIMS_V1, SERVICE, 0, program_v2.SEPARATE_UNTIL_19_03
)
