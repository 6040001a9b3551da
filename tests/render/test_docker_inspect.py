"""Check `docker inspect`: Go's JSON, Go's times, and the State of a container through its life."""

import json
import math
from typing import Any

import pytest

from sim.engines.docker.shows.inspect import docker_inspect
from sim.experiment.run import Run, run_scenario
from sim.render.go_json import go_time
from sim.scenario import load
from sim.views.rows import When

NEVER = "0001-01-01T00:00:00Z"
LIFE = """
host: {begin: "off", clock: 2020-12-03T01:49:00+00:00}
steps:
  - {at: 0s, systemctl: start docker}
  - {id: create, at: 5s, docker: create --name web --restart on-failure:3 -p 80:80 -p 53:53/udp nginx}
  - {id: start, at: 10s, docker: start web}
  - {id: kill, at: 30s, kill: payload/web}
  - {id: stop, at: 40s, docker: stop -t 1 web}
  - {id: rm, at: 50s, docker: rm web}
until: 60s
"""


@pytest.fixture(scope="module")
def life() -> Run:
    return run_scenario(load("life.yaml", LIFE))


def state(run: Run, at: str) -> dict[str, Any]:
    (found,) = json.loads(run.show("docker-inspect", at, of="web"))
    return dict(found["State"])


@pytest.mark.parametrize(
    ("unix", "text"),
    [
        (None, NEVER),
        (0.0, "1970-01-01T00:00:00Z"),
        (1606960140.5, "2020-12-03T01:49:00.5Z"),
        (1606960140.000001, "2020-12-03T01:49:00.000001Z"),
        (1606960140.99999999, "2020-12-03T01:49:01Z"),
        (1.01, "1970-01-01T00:00:01.01Z"),
        (10.0, "1970-01-01T00:00:10Z"),
    ],
)
def test_times_are_written_as_go_writes_them(unix: float | None, text: str) -> None:
    """Digits of a second that are zero at the end are cut, and never is the year 1."""
    assert go_time(unix) == text


def test_a_time_that_is_not_known_is_left_out() -> None:
    """A key without a value would be a lie."""
    assert json.loads(docker_inspect([{"a": When(-math.inf), "b": {"c": [When(0.0)]}}])) == [
        {"b": {"c": ["1970-01-01T00:00:00Z"]}}
    ]


def test_nothing_steers_the_terminal_and_the_value_stays() -> None:
    """Go's escapes and those of control letters change the text, not what it means."""
    value = {"Name": "/\u202e<&>\x1b[2J\n\U000e0001é", "Labels": {"Created": "yesterday"}}
    text = docker_inspect([value])
    assert json.loads(text) == [value]
    assert text.splitlines()[2] == '        "Name": "/\\u202e\\u003c\\u0026\\u003e\\u001b[2J\\n\\udb40\\udc01é",'


def test_the_text_is_gos_down_to_the_blank(life: Run) -> None:
    """A container that was created and never started, letter for letter."""
    service = life.trace.setup.service("web")
    assert (
        life.show("docker-inspect", "create+1s")
        == f"""\
[
    {{
        "Id": "{service.id}",
        "Created": "2020-12-03T01:49:05Z",
        "Path": "nginx",
        "Args": [],
        "State": {{
            "Status": "created",
            "Running": false,
            "Paused": false,
            "Restarting": false,
            "OOMKilled": false,
            "Dead": false,
            "Pid": 0,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": "{NEVER}",
            "FinishedAt": "{NEVER}"
        }},
        "LogPath": "",
        "Name": "/web",
        "RestartCount": 0,
        "HostConfig": {{
            "LogConfig": {{
                "Type": "journald"
            }},
            "NetworkMode": "default",
            "PortBindings": {{
                "53/udp": [
                    {{
                        "HostIp": "",
                        "HostPort": "53"
                    }}
                ],
                "80/tcp": [
                    {{
                        "HostIp": "",
                        "HostPort": "80"
                    }}
                ]
            }},
            "RestartPolicy": {{
                "Name": "on-failure",
                "MaximumRetryCount": 3
            }},
            "AutoRemove": false,
            "OomScoreAdj": 0,
            "PidMode": "",
            "Memory": 0
        }},
        "Config": {{
            "Image": "nginx",
            "Labels": {{}}
        }},
        "NetworkSettings": {{
            "Ports": null,
            "IPAddress": "",
            "Networks": {{
                "bridge": {{
                    "IPAddress": ""
                }}
            }}
        }}
    }}
]
"""
    )


def test_state_goes_with_the_containers_life(life: Run) -> None:
    """Started, killed and started again by its policy, stopped: flags, pid, code and times follow."""
    running = state(life, "start+10s")
    assert (running["Status"], running["ExitCode"], running["FinishedAt"]) == ("running", 0, NEVER)
    assert running["Pid"] in life.at("start+10s").host.procs
    assert json.loads(life.show("docker-inspect", "die(web)+50ms"))[0]["RestartCount"] == 1
    waiting = state(life, "die(web)+50ms")
    flags = (waiting["Status"], waiting["Running"], waiting["Restarting"], waiting["Pid"], waiting["ExitCode"])
    assert flags == ("restarting", True, True, 0, 137)
    assert waiting["StartedAt"] == running["StartedAt"] < waiting["FinishedAt"]
    again = state(life, "stop-1s")
    assert again["Status"] == "running"
    assert waiting["FinishedAt"] == again["FinishedAt"] < again["StartedAt"]
    stopped = state(life, "stop+5s")
    assert (stopped["Status"], stopped["Running"], stopped["Pid"], stopped["ExitCode"]) == ("exited", False, 0, 0)
    assert stopped["StartedAt"] == again["StartedAt"] < stopped["FinishedAt"]


def test_addresses_and_ports_come_and_go_with_the_network(life: Run) -> None:
    """A container that runs has its address and ports; one that waits or has stopped has neither."""
    networks = {
        at: json.loads(life.show("docker-inspect", at))[0]["NetworkSettings"]
        for at in ("start+10s", "die(web)+50ms", "stop+5s")
    }
    assert networks["start+10s"] == {
        "Ports": {
            "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}],
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}],
        },
        "IPAddress": "172.17.0.2",
        "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
    }
    gone = {"Ports": None, "IPAddress": "", "Networks": {"bridge": {"IPAddress": ""}}}
    assert networks["die(web)+50ms"] == networks["stop+5s"] == gone


def test_what_was_removed_is_no_object(life: Run) -> None:
    """The command prints an empty array and its complaint; without a daemon it says so."""
    assert life.show("docker-inspect", "rm+5s", of="web") == "[]\nError: No such object: web\n"
    assert life.show("docker-inspect", "0s").startswith("Cannot connect to the Docker daemon at ")


def test_a_stop_while_it_waits_is_the_time_of_its_end() -> None:
    """SetStopped of a canceled restart moves FinishedAt without a `die`."""
    text = LIFE.replace("kill: payload/web}", "kill: payload/web}\n  - {id: halt, at: die(web)+50ms, docker: stop web}")
    run = run_scenario(load("life.yaml", text))
    before, after = state(run, "halt-1ms"), state(run, "halt+1s")
    assert (before["Status"], after["Status"], after["ExitCode"]) == ("restarting", "exited", 137)
    assert before["FinishedAt"] < after["FinishedAt"]
    assert "Exited (137) Less than a second ago" in run.show("docker-ps-a", "halt+900ms")
