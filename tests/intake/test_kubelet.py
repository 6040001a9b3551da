"""A node of Kubernetes: a shim a pod with containerd, a conmon a container with crio."""

from __future__ import annotations

import json

from sim.intake import scenario_from
from sim.intake.inventory import inventory_of
from sim.intake.reading import reading_of
from sim.intake.sources import Source
from sim.scenario import load

WEB, POD = "a1" * 32, "b2" * 32
HEAD = "    PID    PPID    PGID     SID NLWP COMMAND\n      1       0       1       1    1 /usr/lib/systemd/systemd\n"
KUBELET = "    500       1     500     500   18 /usr/bin/kubelet --config=/var/lib/kubelet/config.yaml\n"
CONTAINERD = f"""{HEAD}{KUBELET}    400       1     400     400   12 /usr/bin/containerd
    700       1     700     400   11 /usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {POD} -address /run/c.sock
    710     700     710     710    1 /pause
    720     700     720     720    3 nginx: master process
"""
CRIO = f"""{HEAD}{KUBELET}    400       1     400     400   12 /usr/bin/crio
    700       1     700     700    2 /usr/bin/conmon -b /run/u -c {WEB} --exit-dir /var/run/crio/exits -n k8s_web_shop-1_default_uid_0 -s
    720     700     720     720    3 nginx: master process
"""  # noqa: E501
CONTAINER = {
    "status": {
        "id": WEB, "metadata": {"name": "web", "attempt": 2}, "state": "CONTAINER_RUNNING", "exitCode": 0,
        "startedAt": "2026-12-01T09:15:31.5Z", "image": {"image": "nginx:1"},
        "labels": {"io.kubernetes.pod.name": "shop-1", "io.kubernetes.container.name": "web"},
    },
    "info": {"pid": 720, "runtimeSpec": {"process": {"args": ["nginx"], "env": ["A=b"]}}},
}  # fmt: skip
SANDBOX = {
    "status": {
        "id": POD, "metadata": {"name": "shop-1", "namespace": "default"}, "state": "SANDBOX_READY",
        "network": {"ip": "10.0.0.3"}, "labels": {},
    },
    "info": {"pid": 710},
}  # fmt: skip


def read(*texts: str):
    """Return the inventory of texts."""
    return inventory_of(reading_of([Source(f"{n}.txt", text) for n, text in enumerate(texts)]))


def test_a_shim_is_that_of_its_pod():
    """With crictl's inspect the program is known by its number, and the sandbox gives the shim."""
    host = read(CONTAINERD, json.dumps(CONTAINER), json.dumps(SANDBOX))
    assert (host.design, dict(host.targets)) == (
        "containerd-cri",
        {1: "init", 400: "containerd", 500: "kubelet", 700: "shim/web", 710: "pause/web", 720: "payload/web"},
    )


def test_a_table_alone_tells_the_pod():
    """Without crictl the pod's program is the child that is no pause."""
    assert read(CONTAINERD).targets[720] == "payload/nginx"


def test_conmon_of_crio_bears_the_containers_name():
    """Its -n has the container's name and the pod's."""
    host = read(CRIO)
    assert (host.design, host.targets[700], host.targets[720]) == ("cri-o", "conmon/web", "payload/web")


def test_the_scenarios_load():
    """Of crictl's JSON and a table, for both runtimes."""
    for table, design in ((CONTAINERD, "containerd-cri"), (CRIO, "cri-o")):
        text, _ = scenario_from(texts=[Source("a", table), Source("b", json.dumps(CONTAINER))])
        setup = load("x.yaml", text).setup
        assert (setup.engine.design, setup.services[0].name) == (design, "web")


def test_crictls_list_gives_names():
    """The table of `crictl ps`."""
    table = (
        "CONTAINER           IMAGE               CREATED             STATE               NAME                ATTEMPT"
        "             POD ID              POD\n"
        f"{WEB[:13]}       nginx               3 hours ago         Running             web                 0       "
        f"            {POD[:13]}       shop-1\n"
    )
    (row,) = read(table).containers
    assert (row.name, row.status, row.pod) == ("web", "running", "shop-1")
