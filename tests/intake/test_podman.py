"""A host of podman: conmon holds each container, and podman's own words give the version."""

from __future__ import annotations

import json

from sim.intake import scenario_from
from sim.intake.inventory import inventory_of
from sim.intake.reading import reading_of
from sim.intake.sources import Source
from sim.scenario import load
from tests.intake import samples

WEB = "a1" * 32
CONMON = (
    f"/usr/bin/conmon --api-version 1 -c {WEB} -u {WEB} -r /usr/bin/crun -b /var/lib/containers/storage/x/userdata "
    "-p /run/x/pidfile -n web --exit-dir /run/libpod/exits --exit-command /usr/bin/podman"
)
PS = f"""\
    PID    PPID    PGID     SID NLWP COMMAND
      1       0       1       1    1 /usr/lib/systemd/systemd
    700       1     700     700    1 {CONMON}
    720     700     720     720    3 nginx: master process
    730     720     720     720    1 nginx: worker process
"""
INSPECT = [
    {
        "Id": WEB,
        "Name": "web",
        "Path": "nginx",
        "Args": ["-g", "daemon off;"],
        "State": {"Status": "running", "Pid": 720, "ConmonPid": 700, "StartedAt": "2026-12-01T09:15:31.5+01:00"},
        "ImageName": "docker.io/library/nginx:1",
        "HostConfig": {"RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "PortBindings": {}},
        "Config": {"StopSignal": 15, "StopTimeout": 10, "Env": ["A=b"]},
        "NetworkSettings": {"Networks": {"podman": {"IPAddress": "10.88.0.2"}}},
    }
]
PORT = {"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp"}
LISTED = [
    {
        "Id": WEB,
        "Names": ["web"],
        "Image": "nginx:1",
        "State": "running",
        "Pid": 720,
        "Command": ["nginx"],
        "Ports": [PORT],
    }
]
VERSION = "Client:       Podman Engine\nVersion:      5.4.2\nAPI Version:  5.4.2\nOS/Arch:      linux/amd64\n"


def read(*texts: str):
    """Return the inventory of texts."""
    return inventory_of(reading_of([Source(f"{n}.txt", text) for n, text in enumerate(texts)]))


def test_a_host_of_podman_is_recognised():
    """conmon is the holder, its child the program; the version gives the row."""
    host = read(PS, json.dumps(INSPECT), VERSION)
    assert (host.design, dict(host.targets)) == (
        "podman",
        {1: "init", 700: "conmon/web", 720: "payload/web", 730: "payload/web"},
    )
    assert host.why == "version 5.4.2"


def test_a_scenario_of_podman_loads():
    """A stop signal by its number, a policy that is empty, a date with an offset."""
    text, _ = scenario_from(texts=[Source("a", PS), Source("b", json.dumps(INSPECT)), Source("c", VERSION)])
    setup = load("x.yaml", text).setup
    assert setup.engine.design == "podman"
    assert (setup.services[0].name, setup.services[0].restart.name) == ("web", "no")


def test_a_list_of_podman_has_lists():
    """Names, commands and ports of `podman ps --format json` are lists."""
    (row,) = read(json.dumps(LISTED)).containers
    assert (row.name, row.pid, row.argv, row.ports[0].host) == ("web", 720, ("nginx",), 8080)


def test_docker_is_not_podman():
    """The sample of docker is docker's, whatever else runs."""
    assert read(*samples.outputs().values()).design == "docker-26-separate"
