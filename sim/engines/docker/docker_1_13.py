"""Docker 1.13.1 of CentOS/RHEL 7 (1.13.1-203.git0be3e21.el7): dockerd, containerd, proxies, a shim each."""

from __future__ import annotations

from sim.designs.design import Design
from sim.engine import paths
from sim.engine.traits import Traits, Words
from sim.engines.containerd import boot as containerd
from sim.engines.containerd import exec_shim, hook, runc, shim
from sim.engines.docker import netfilter, proxy, resolver
from sim.engines.docker.dockerd import program as dockerd
from sim.engines.docker.dockerd import top, verbs
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.units import docker
from sim.engines.host import execed
from sim.engines.host.programs import on_host
from sim.engines.host.systemd.program import Systemd

FIRST_WITH_V2 = "docker-20.10 is the first that runs on it."
REFUSED = "You cannot remove a running container {id}. Stop the container before attempting removal or use -f"
TRAITS = Traits(
    words=Words(
        dockerd=(
            "/usr/bin/dockerd-current",
            "--add-runtime",
            "docker-runc=/usr/libexec/docker/docker-runc-current",
            "--default-runtime=docker-runc",
            "--exec-opt",
            "native.cgroupdriver=systemd",
            "--userland-proxy-path=/usr/libexec/docker/docker-proxy-current",
            "--init-path=/usr/libexec/docker/docker-init-current",
            "--seccomp-profile=/etc/docker/seccomp.json",
            "--selinux-enabled",
            "--log-driver=journald",
            "--signature-verification=false",
            "--storage-driver",
            "overlay2",
        ),
        containerd=(
            "/usr/bin/docker-containerd-current",
            "-l",
            "unix:///var/run/docker/libcontainerd/docker-containerd.sock",
            "--metrics-interval=0",
            "--start-timeout",
            "2m",
            "--state-dir",
            "/var/run/docker/libcontainerd/containerd",
            "--shim",
            "docker-containerd-shim",
            "--runtime",
            "docker-runc",
            "--runtime-args",
            "--systemd-cgroup=true",
        ),
        shim=("/usr/bin/docker-containerd-shim-current",),
        runc=(paths.RUNC, "--systemd-cgroup=true"),
        proxy="/usr/libexec/docker/docker-proxy-current",
    ),
    tree="systemd ─ dockerd ─ containerd ─ shim ─ program; proxies under dockerd",
    scope="/system.slice/docker-{id}.scope",
    engine="dockerd",
    engine_unit="docker",
    engine_main="boot",
    socket=paths.DOCKER_SOCK,
    client="docker",
    replica="_",
    containerd_socket=paths.CONTAINERD_SOCK,
    other_package=("containerd", "shim", "runc"),
    live_restore=True,
    thaws_orphans=True,
    one_cgroup=("its hosts have Linux 3.10, and cgroup v2 can freeze since 5.2.", FIRST_WITH_V2),
    ends_late_execs=True,
    listens_first=True,
    drops_torn_state=True,
    restored_exits_after=1_000_000,
    removal_refused=(REFUSED, REFUSED),
    rpc_codes=True,
    discards_kept=True,
    pause_outlives_run=True,
    records=paths.CONTAINERS + "{name}/config.v2.json",
)

DOCKER_1_13 = Design(
    "docker-1.13",
    "1.13.1-203.el7",
    "engine-1.13: the package's own source, 0be3e21",
    on_host(
        dockerd.PROGRAM,
        containerd.PROGRAM,
        shim.PROGRAM,
        runc.RUNC,
        hook.HOOK,
        resolver.PROGRAM,
        netfilter.IPTABLES,
        proxy.PROGRAM,
        systemd=Systemd(docker()),
        beside=(exec_shim.PROGRAM, execed.PROGRAM, top.PS, verbs.VERSION_PROGRAM),
    ),
    TRAITS,
    DOCKER,
)
