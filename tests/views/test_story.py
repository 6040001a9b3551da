"""What a story remembers that no world holds: when things began, ended and were written."""

import json

import pytest

from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.kernel.events import FifoLevel, FifoMade, FileWritten
from sim.kernel.records import Fifo
from sim.scenario import load
from sim.trace import Trace
from sim.views.story import Story


def test_a_write_sets_a_fifos_time_and_a_read_does_not() -> None:
    """A level that rises is a write(2), one that falls a read(2)."""
    trace = Trace(load("x.yaml", "services: {}").setup)
    for at, event in (
        (10, FifoMade(Fifo("/f"))),
        (20, FifoLevel("/f", 1, 100)),
        (30, FifoLevel("/f", 1, 40)),
        (35, FileWritten("/g", 1)),
        (40, FifoLevel("/f", 1, 41)),
        (50, FifoLevel("/f", 1, 0)),
    ):
        trace.records.add(at, -1, event)
    story = Story(trace)
    assert [story.to(at).written["/f"] for at in (10, 20, 30, 40, 50)] == [10, 20, 20, 40, 40]
    assert story.written["/g"] == 35


def test_what_ran_before_the_run_has_no_time_of_start() -> None:
    """After a power cut the disk says that it ran: it is not `created`, and its StartedAt is left out."""
    run = run_scenario(load("b.yaml", "host: {begin: boot}\nservices: {web: {image: w}}\nuntil: ready(docker)+1s"))
    (found,) = json.loads(run.show("docker-inspect"))
    assert (found["State"]["Status"], found["State"]["ExitCode"]) == ("exited", 255)
    assert "StartedAt" not in found["State"]
    assert found["State"]["FinishedAt"] > "2020-01-01T00:00:00"
    assert "Exited (255)" in run.show("docker-ps-a")


RENAMED = """
services: {web: {image: nginx}, db: {image: db}}
steps:
  - {id: first, at: 1s, docker: rename web www}
  - {id: second, at: 2s, docker: rename db web}
  - {id: shot, at: 3s, kill: dockerd}
until: 30s
"""


def test_a_renamed_container_bears_its_new_name_everywhere() -> None:
    """docker ps, inspect and events from the rename on, the daemon's next life included; --of takes either name."""
    run = run_scenario(load("names.yaml", RENAMED))
    ids = {service.name: service.id for service in run.trace.setup.services}

    def of(word: str, at: str) -> tuple[str, str]:
        (found,) = json.loads(run.show("docker-inspect", at, of=word))
        return found["Name"], found["Id"]

    def names(at: str) -> set[str]:
        return {line.split()[-1] for line in run.show("docker-ps-a", at).splitlines()[1:]}

    assert names("first-1ms") == {"web", "db"}
    assert names("second-1ms") == {"www", "db"}
    assert names("shot-1ms") == names("end") == {"www", "web"}
    assert of("web", "first-1ms") == ("/web", ids["web"])
    assert of("www", "second-1ms") == of("web", "second-1ms") == ("/www", ids["web"])  # nobody else bears it yet
    assert of("web", "end") == of("db", "end") == ("/web", ids["db"])
    with pytest.raises(InputError, match="there is no container 'www'"):
        run.show("docker-inspect", "0s", of="www")
    events = [line for line in run.show("docker-events").splitlines() if "rename" in line or " die " in line]
    assert [line.partition("(")[2] for line in events] == [
        "image=nginx, name=www, oldName=/web)",
        "image=db, name=web, oldName=/db)",
        "exitCode=0, image=nginx, name=www)",
        "exitCode=0, image=db, name=web)",
    ]


def test_a_command_that_nobody_answers_says_what_the_client_would_or_that_it_waits() -> None:
    """No socket, or one that nobody listens at; a dockerd that starts or is stopped; a host that is off."""
    run = run_scenario(
        load(
            "silence.yaml",
            """
services: {web: {image: nginx}}
steps:
  - {id: term, at: 1s, kill: dockerd, signal: TERM}
  - {id: up, at: 30s, systemctl: start docker}
  - {id: halt, at: 60s, stop: dockerd}
  - {id: on, at: 70s, cont: dockerd}
  - {id: cut, at: 80s, power_loss: 30s}
until: cut+1m
""",
        )
    )
    nobody = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
    pid = next(pid for pid, process in run.at("halt").host.procs.items() if process.image.program == "dockerd")
    for view in ("docker-ps", "docker-ps-a", "docker-inspect", "docker-info", "docker-top"):
        assert run.show(view, "term+1ms") == nobody  # it shuts down and has closed its socket
        assert run.show(view, "up-1s") == nobody
        assert run.show(view, "up+400ms") == f"(docker waits: dockerd {pid} listens and does not serve yet)\n"
        assert run.show(view, "on-1s") == f"(docker waits: dockerd {pid} is stopped)\n"
        assert run.show(view, "on+1s") != nobody
    for view in ("docker-ps", "ps-ef", "pstree", "systemctl-status", "ls-bundle"):
        assert run.show(view, "cut+10s") == "(the host is off)\n"
    assert " start " in run.show("docker-events", "cut+10s")


def test_a_container_that_is_older_than_the_run_was_created_nobody_knows_when() -> None:
    """docker ps shows a question mark, docker inspect no Created."""
    run = run_scenario(load("b.yaml", "host: {begin: boot}\nservices: {web: {image: w, restart: always}}\nuntil: 60s"))
    assert run.show("docker-ps").splitlines()[1].split()[3:5] == ["?", "Up"]
    assert "Created" not in json.loads(run.show("docker-inspect"))[0]
