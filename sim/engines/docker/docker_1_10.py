"""Docker 1.10 as its own packages have it: no containerd, no shim; the daemon is the parent of every container."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.program import Program
from sim.engine.role import MB, Rss
from sim.engine.setup import MS, Daemon, Unit
from sim.engine.traits import Words
from sim.engines.docker import proxy, waking
from sim.engines.docker.docker_1_11 import DOCKER_1_11
from sim.engines.docker.dockerd import native, native_boot, tasks
from sim.engines.docker.dockerd.program import API, PROGRAM
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.units import docker, upstream
from sim.engines.host.payload import PROGRAM as PAYLOAD
from sim.engines.host.systemd.program import Systemd

DAEMON = ("/usr/bin/docker", "daemon", "-H", "fd://")
WITHOUT = ("events", "connection", "health", "wait_containerd", "discard")
TABLES = PROGRAM.with_tables(
    *native.TABLES,
    native_boot.api(API),
    tasks.PAUSE,
    without=tuple(f"dockerd.{name}" for name in WITHOUT),
).procedures
DOCKERD = Program("dockerd", TABLES, dict(PROGRAM.handlers), ignored=frozenset({"USR1"}), role=PROGRAM.role)  # not PIPE
DOCKER_1_10 = Design(
    "docker-1.10",
    "1.10",
    "designs §2 [S][K]; all else as docker-1.13",
    DOCKER_1_11.programs_with(
        DOCKERD,
        native.PROGRAM,
        proxy.PROGRAM.with_role(rss=Rss(round(10 * MB), "issue, moby#23166: 1 GB for 100 ports")),
        native.payload(PAYLOAD).with_role(home="dockerd"),
        waking.PROGRAM,
        Systemd(docker(status=upstream(" ".join(DAEMON)))),
        without=("containerd", "shim", "runc", "hook", "exec-shim"),
    ),
    replace(
        DOCKER_1_11.traits,
        words=Words(DAEMON, (), (), (), "docker-proxy"),
        tree="systemd ─ docker daemon ─ program; proxies under the daemon",
        scope="/docker/{id}",
        first_backoff=200 * MS,
        daemon=Daemon(log_driver="json-file"),
        unit=Unit("no", "control-group"),
        engine_score=0,
        runtime_root="/var/run/docker/execdriver/native",
    ),
    replace(DOCKER, errands=("native", "native, iptables")),
)
