"""crictl's own words on a kubelet's host: containers and pods to the blank, with their attempts, from the runtime."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.engines.cri.attempts import Attempt, Sandboxes
from sim.engines.cri.pods import Sandbox
from sim.engines.cri.shows.rows import PodContainerRow, SandboxRow
from sim.engines.cri.shows.text import crictl_inspect, crictl_pods, crictl_ps
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

LIFE = """
host: {clock: 2026-11-24T08:00:00+08:00}
engine: {design: containerd-cri}
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  db: {image: postgres, restart: "no", x-payload: {exits: {code: 3, after: 1s}}}
steps:
  - {id: kill, at: 1s, kill: payload/web}
  - {id: pause, at: 10s, kill: pause/web}
  - {id: down, at: 20s, kill: containerd}
until: 22s
"""


@pytest.fixture(scope="module")
def life() -> Run:
    return run_scenario(load("life.yaml", LIFE))


def test_the_tables_are_crictls_down_to_the_blank(life: Run) -> None:
    """13 digits of an id, the newest first; a container's attempt counts its starts, a pod's its sandboxes."""
    assert (
        life.show("crictl-ps-a", "pause+4s")
        == """\
CONTAINER           IMAGE               CREATED             STATE               NAME                \
ATTEMPT             POD ID              POD
e2107f789ec53       nginx               3 seconds ago       Running             web                 \
2                   1def8087613ac       web
1566469a2f716       postgres            10 days ago         Exited              db                  \
0                   ea99b965d08e9       db
"""
    )
    assert (
        life.show("crictl-pods", "pause+4s")
        == """\
POD ID              CREATED             STATE               NAME                NAMESPACE           \
ATTEMPT             RUNTIME
1def8087613ac       3 seconds ago       Ready               web                 default             \
1                   (default)
ea99b965d08e9       10 days ago         Ready               db                  default             \
0                   (default)
"""
    )
    assert life.show("crictl-ps", "pause+4s").count("\n") == 2


def test_no_container_no_row() -> None:
    """The heads alone."""
    assert crictl_ps([], 0.0).split("   ")[0] == "CONTAINER"
    assert crictl_pods([], 0.0).split() == ["POD", "ID", *"CREATED STATE NAME NAMESPACE ATTEMPT RUNTIME".split()]


def states(run: Run, view: str, at: str) -> list[str]:
    """Return the states that a table shows, by the first letter of their column."""
    head, *lines = run.show(view, at).splitlines()
    return [line[head.index("STATE") :].split()[0] for line in lines]


def test_a_dead_pause_leaves_its_pod_not_ready(life: Run) -> None:
    """As containerd sees it, before the kubelet has made another sandbox."""
    seen = {tuple(states(life, "crictl-pods", f"pause+{ms}ms")) for ms in range(0, 3000, 50)}
    assert ("Ready", "NotReady") in seen or ("NotReady", "Ready") in seen


def test_a_runtime_that_is_down_answers_nobody(life: Run) -> None:
    """Nothing is read from a disk: crictl asks who listens at the runtime's socket."""
    for view in ("crictl-ps", "crictl-ps-a", "crictl-pods", "crictl-inspect"):
        assert "make sure you are running as root and the endpoint has been started\n" in life.show(view, "end")
    assert "STOPPED" in life.show("crictl-events", "end")


def test_a_stopped_runtime_lets_crictl_wait() -> None:
    """It is crictl that waits, not docker."""
    text = LIFE.replace("{id: kill, at: 1s, kill: payload/web}", "{id: kill, at: 1s, stop: containerd}")
    run = run_scenario(load("stopped.yaml", text))
    assert run.show("crictl-ps", "kill+1s").startswith("(crictl waits: containerd ")


def status(run: Run, at: str, name: str) -> dict[str, Any]:
    return dict(json.loads(run.show("crictl-inspect", at, of=name))["status"])


def test_inspect_has_the_keys_of_a_status(life: Run) -> None:
    """In the order of the message; times in the host's zone; never is the year 1."""
    web = json.loads(life.show("crictl-inspect", "kill-1ms", of="web"))
    assert [*web["status"]] == [
        "id", "metadata", "state", "createdAt", "startedAt", "finishedAt", "exitCode", "image", "reason", "message",
        "labels",
    ]  # fmt: skip
    assert (web["status"]["state"], web["status"]["finishedAt"]) == ("CONTAINER_RUNNING", "0001-01-01T00:00:00Z")
    assert life.at("kill-1ms").host.procs[web["info"]["pid"]].image.program == "payload"
    assert web["info"]["sandboxID"].startswith("1def8087613ac")
    assert (status(life, "kill", "db")["exitCode"], status(life, "kill", "db")["reason"]) == (3, "Error")
    assert status(life, "pause+4s", "web")["metadata"] == {"attempt": 2, "name": "web"}


def test_a_code_of_255_is_an_error_or_nobody_knows_it() -> None:
    """255 may be a program's own, or stand for a code that was lost while containerd was down."""
    own = run_scenario(load("255.yaml", LIFE.replace("code: 3", "code: 255")))
    assert status(own, "kill", "db")["reason"] == "Error"
    away = "steps: [{at: 5s, kill: containerd}, {at: 6s, kill: payload/web}, {at: 7s, systemctl: stop kubelet}]\n"
    text = f"engine: {{design: containerd-cri}}\nservices: {{web: {{image: nginx}}}}\n{away}until: 15s\n"
    lost = status(run_scenario(load("lost.yaml", text)), "end", "web")
    assert (lost["exitCode"], lost["reason"]) == (255, "Unknown")


def test_cri_o_does_not_say_what_255_means() -> None:
    """Its record does not tell a program's own code from one that stands for a code that is lost."""
    text = "engine: {design: cri-o}\nservices: {db: {image: p, x-payload: {exits: {code: 255, after: 1s}}}}\n"
    run = run_scenario(load("255.yaml", text))
    assert status(run, "end", "db")["exitCode"] == 255
    assert "reason" not in status(run, "end", "db")


def test_inspect_of_what_is_not_there_is_an_error() -> None:
    """One line for each name."""
    assert crictl_inspect([], ["x"]) == (
        'getting the status of the container "x": rpc error: code = NotFound desc = '
        'an error occurred when try to find container "x": not found\n'
    )


def test_events_are_the_runtimes_of_containers(life: Run) -> None:
    """One line each, in nanoseconds."""
    lines = [line.split() for line in life.show("crictl-events").splitlines()]
    assert [kind.split("_")[1] for _, kind, it in lines if it.startswith("e2107f789ec5")] == [
        "CREATED", "STARTED", "STOPPED", "CREATED", "STARTED", "STOPPED", "CREATED", "STARTED",
    ]  # fmt: skip
    assert all(at.isdecimal() and len(at) == 19 for at, _, _ in lines)


def test_attempts_count_sandboxes_that_were_ready() -> None:
    """One that could not be made is tried again under its number; another pod of the name begins with 0."""
    found, made = Sandboxes(), Sandbox("web", 1)
    ready = Sandbox("web", 1, ready=True, address="10.0.0.2")
    ended = Sandbox("web", 1, address="10.0.0.2")
    steps = [(made, 0), (made, 0), (ready, 0), (ended, 0), (made, 1), (ready, 1), (Sandbox("web", 2), 0)]
    for at, (record, number) in enumerate(steps):
        found.note(record, at)
        assert (found.of("web").number, found.of("web").uid) == (number, record.uid), at
    assert found.of("web") == Attempt(2, 0, 6)


def test_a_sandbox_of_the_disk_began_before_the_run() -> None:
    """What a power cut has left is listed without a time."""
    found = Sandboxes()
    found.note(Sandbox("web", 1, ready=True), 5)
    assert found.of("web").created is None


def test_nothing_steers_the_terminal() -> None:
    """Names and images lose what would."""
    evil = "a\x1b[2J\u202e\nb"
    containers = crictl_ps([PodContainerRow("1", evil, 0.0, "Running", evil, 0, "2", evil)], 1.0)
    pods = crictl_pods([SandboxRow("2", 0.0, "Ready", evil, evil, 0)], 1.0)
    texts = [containers, pods, crictl_inspect([{evil: evil}], [evil])]
    assert all(letter.isprintable() for text in texts for letter in text.replace("\n", ""))
    assert [text.count("\n") for text in texts] == [2, 2, 4]
