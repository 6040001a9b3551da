"""podman's own words: the table of `podman ps` to the blank, statuses and ports as podman 5.4.2 printed them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.engines.podman.shows.text import (
    podman_event,
    podman_inspect,
    podman_ports,
    podman_ps,
    podman_status,
    podman_top,
)
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.rows import ContainerRow, EventRow
from sim.views.table import ProcessRow

LIFE = """
host: {clock: 2026-11-24T08:00:00+08:00}
engine: {design: podman}
services:
  web: {image: nginx, command: [nginx, -g, daemon off;], ports: ["80:80", "81:81", "9000:80", "53:53/udp"],
        restart: always, stop_signal: QUIT, labels: {tier: front}}
  db: {image: postgres, x-payload: {exits: {code: 3, after: 1s}}}
  old: {image: redis}
steps:
  - {id: new, at: 1s, docker: create --name made busybox}
  - {id: pause, at: 2s, docker: pause old}
  - {id: exec, at: 3s, docker: exec web ls}
  - {id: alone, at: 4s, kill: conmon/web}
  - {id: shot, at: 5s, kill: payload/web}
until: 20s
"""


@pytest.fixture(scope="module")
def life() -> Run:
    return run_scenario(load("life.yaml", LIFE))


def test_the_table_is_podmans_down_to_the_blank(life: Run) -> None:
    """The oldest first; ports joined, and shown of what has ended too; what is paused is no running container."""
    assert (
        life.show("podman-ps-a", "pause+1s")
        == """\
CONTAINER ID  IMAGE       COMMAND               CREATED       STATUS                  \
PORTS                                                               NAMES
e2107f789ec5  nginx       nginx -g daemon o...  10 days ago   Up 10 days              \
0.0.0.0:80-81->80-81/tcp, 0.0.0.0:9000->80/tcp, 0.0.0.0:53->53/udp  web
1566469a2f71  postgres    postgres              10 days ago   Exited (3) 10 days ago  \
                                                                    db
67ee49075d01  redis       redis                 10 days ago   Paused                  \
                                                                    old
b04d04c1cfda  busybox     busybox               1 second ago  Created                 \
                                                                    made
"""
    )
    assert [line.split()[-1] for line in life.show("podman-ps", "pause+1s").splitlines()] == ["NAMES", "web"]


def test_no_container_no_row() -> None:
    """The head alone: a column is 12 wide at least."""
    assert podman_ps([], 0.0) == ("CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES\n")


SEEN = {  # as podman 5.4.2 printed it -> the row at second 10
    "Up 5 seconds": {"started": 5.0, "running": True},
    "Paused": {"started": 5.0, "running": True, "paused": True},
    "Exited (137) 5 seconds ago": {"started": 1.0, "finished": 5.0, "exit_code": 137},
    "Exited (-1) Less than a second ago": {"started": 1.0, "finished": 9.5, "exit_code": -1},
    "Exited (0) 292 years ago": {"started": 1.0},  # the host was cut off while it ran
    "Created": {},
}


@pytest.mark.parametrize("status", SEEN)
def test_statuses_are_those_that_were_seen(status: str) -> None:
    """Of a container that runs, is paused, was killed, lost its conmon, ended with the host, or never ran."""
    assert podman_status(ContainerRow("", "", "", 0.0, **SEEN[status]), 10.0) == status  # type: ignore[arg-type]


@pytest.mark.parametrize(("ports", "text"), [
    ([], ""),
    ([(3000, 20002, "0.0.0.0", "tcp")], "0.0.0.0:20002->3000/tcp"),  # seen
    ([(82, 82, "0.0.0.0", "tcp"), (80, 80, "0.0.0.0", "tcp"), (81, 81, "0.0.0.0", "tcp")],
     "0.0.0.0:80-82->80-82/tcp"),
    ([(81, 80, "0.0.0.0", "tcp"), (80, 81, "0.0.0.0", "tcp")], "0.0.0.0:80->81/tcp, 0.0.0.0:81->80/tcp"),
    ([(80, 80, "0.0.0.0", "tcp"), (81, 81, "127.0.0.1", "tcp"), (81, 81, "0.0.0.0", "udp")],
     "0.0.0.0:80->80/tcp, 0.0.0.0:81->81/udp, 127.0.0.1:81->81/tcp"),
])  # fmt: skip
def test_ports_are_joined_where_both_sides_go_on(ports: list[tuple[int, int, str, str]], text: str) -> None:
    """Within one address and one protocol."""
    assert podman_ports(ports) == text


def state(run: Run, at: str, name: str) -> dict[str, Any]:
    (found,) = json.loads(run.show("podman-inspect", at, of=name))
    return dict(found["State"])


def test_inspect_has_podmans_keys(life: Run) -> None:
    """No slash before the name; Running is false while it is paused; the conmon by its number, dead or not."""
    (web,) = json.loads(life.show("podman-inspect", "new", of="web"))
    assert [*web] == [
        "Id", "Created", "Path", "Args", "State", "ImageName", "ConmonPidFile", "Name", "RestartCount",
        "NetworkSettings", "IsInfra", "Config", "HostConfig",
    ]  # fmt: skip
    assert (web["Name"], web["Created"][:19], web["Created"][-6:]) == ("web", "2026-11-14T07:59:58", "+08:00")
    assert web["NetworkSettings"]["Networks"] == {"podman": {"IPAddress": "172.17.0.2"}}
    assert web["NetworkSettings"]["Ports"] == web["HostConfig"]["PortBindings"]
    assert web["Config"] == {"Image": "nginx", "Labels": {"tier": "front"}, "StopSignal": "SIGQUIT", "StopTimeout": 10}
    paused = state(life, "pause+1s", "old")
    assert (paused["Status"], paused["Running"], paused["Paused"], paused["Pid"] > 0) == ("paused", False, True, True)
    conmon = state(life, "alone-1ms", "web")["ConmonPid"]
    assert life.at("alone-1ms").host.procs[conmon].image.program == "conmon"
    ghost = state(life, "end", "web")
    assert (ghost["Status"], ghost["ConmonPid"], conmon in life.at("end").host.procs) == ("running", conmon, False)
    assert "ConmonPid" not in state(life, "end", "db")


def test_a_stop_that_goes_on_is_shown_as_such() -> None:
    """`podman ps` lists it with -a alone; what has stopped is stopped until it is cleaned up, exited to ps."""
    text = "engine: {design: podman}\nservices: {web: {image: nginx, x-payload: {on_term: ignore}}, db: {image: x}}\n"
    steps = "steps: [{id: stop, at: 1s, docker: stop -t 5 web}, {id: dead, at: 2s, kill: payload/db}]\n"
    run = run_scenario(load("stop.yaml", text + steps))
    assert "  Stopping  " in run.show("podman-ps-a", "stop+3s")
    assert [line.split()[-1] for line in run.show("podman-ps", "stop+500ms").splitlines()] == ["NAMES", "db"]
    stopping, stopped = state(run, "stop+3s", "web"), state(run, "dead+15ms", "db")
    assert (stopping["Status"], stopping["Running"], stopping["StoppedByUser"]) == ("stopping", False, True)
    assert (stopped["Status"], stopped["ExitCode"], stopped["Pid"]) == ("stopped", 137, 0)
    assert "Exited (137)" in run.show("podman-ps-a", "dead+15ms")


def test_inspect_is_indented_by_five_and_escapes_no_html() -> None:
    """cmd/podman/utils PrintGenericJSON; a name that is not there is quoted."""
    assert podman_inspect([{"Name": "a<b>", "Args": []}], ["x"]) == (
        '[\n     {\n          "Name": "a<b>",\n          "Args": []\n     }\n]\nError: no such object: "x"\n'
    )


def test_events_are_in_podmans_words(life: Run) -> None:
    """died for die, exec for exec_start; times as Go prints them, in the host's zone; no code."""
    lines = life.show("podman-events").splitlines()
    words = [(line.split()[5], line.rpartition("name=")[2].strip(")")) for line in lines]
    assert words[-5:] == [
        ("died", "db"), ("create", "made"), ("pause", "old"), ("exec", "web, tier=front"),
        ("exec_died", "web, tier=front"),
    ]  # fmt: skip
    first = "e2107f789ec53d75644240c69435c0ab3972a5e8c3221f6618fba4c27efea1f1 (image=nginx, name=web, tier=front)"
    assert lines[0] == f"2026-11-14 07:59:58.715716 +0800 +0800 container create {first}"


def test_top_lists_the_pid_namespace_by_the_numbers_of_the_host(life: Run) -> None:
    """Not of what does not run, nor of a process that is gone while podman believes that it runs."""
    pid = state(life, "new", "web")["Pid"]
    assert life.show("podman-top", "new", of="web") == (
        f"USER        HPID        STATE       COMMAND\nroot        {pid:<10}  S           nginx -g daemon off;\n"
    )
    refused = "Error: top can only be used on running containers\n"
    assert life.show("podman-top", "pause+1s", of="old") == life.show("podman-top", "end", of="db") == refused
    assert life.show("podman-top", "end", of="web") == f"Error: open /proc/{pid}/cgroup: no such file or directory\n"


def test_nothing_steers_the_terminal() -> None:
    """Names, images, words of commands and labels lose what would."""
    evil = "a\x1b[2J\u202e\nb"
    row = ContainerRow("1", evil, evil, 0.0, (evil,), started=0.0, running=True, name=evil)
    process = ProcessRow(1, 0, 1, 1, evil, (evil, evil))
    event = EventRow(0, "container", "start", "1", (("image", evil), ("name", evil), (evil, evil)))
    texts = [podman_ps([row], 1.0), podman_inspect([{evil: evil}], [evil]), podman_event(event, 0)]
    texts += [podman_top([("1", process)]), podman_top(evil)]
    assert all(letter.isprintable() for text in texts for letter in text.replace("\n", ""))
    assert [text.count("\n") for text in texts] == [2, 6, 0, 2, 1]
