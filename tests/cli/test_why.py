"""shimulator why: the fact, and the chain of causes down to the step that began it."""

import re
from itertools import pairwise

import pytest

from tests.cli.conftest import SMALL

STEP = "step shot, line 6: kill dockerd"


@pytest.fixture
def causes(shimulator, stored):
    """Return a function that asks about the stored run: the fact, and the causes without moments and pids."""

    def ask(fact, at="end", file="runs/small"):
        said = shimulator("why", file, fact, "--at", at)
        assert (said.status, said.err) == (0, "")
        first, *links = said.out.splitlines()
        assert all(link.startswith(("  ← ", "  ⋯ ")) for link in links)
        return first, [link[4:].split("  ")[0] for link in links]

    return ask


def without_pids(texts):
    """Take the numbers in brackets out."""
    return [re.sub(r" \(\d+\)", "", text) for text in texts]


def test_a_loopback_port_closes_because_its_proxy_got_the_parent_death_signal(causes):
    """dockerd killed: its proxies leave with it, and that is all that loopback clients had."""
    fact, links = causes("port 80 from loopback", "shot+500ms")
    assert fact == "port 80 is closed from loopback: no proxy listens"
    assert without_pids(links) == [
        "proxy/web exited 0",
        "SIGTERM to proxy/web: parent-death signal",
        "SIGKILL to dockerd",
        STEP,
    ]


def test_a_container_on_the_bridge_loses_the_port_as_loopback_does(causes):
    """Both go through the proxy."""
    assert causes("port 80 from container", "shot+500ms")[1] == causes("port 80 from loopback", "shot+500ms")[1]


def test_a_remote_port_stays_open_over_the_kill(causes):
    """The rule and the payload stand: what opened it lies before t = 0."""
    fact, links = causes("port 80 from remote", "shot+500ms")
    assert fact == "port 80 is open from remote"
    assert "payload/web" in links[0]
    assert "listens at" in links[0]
    assert not any("shot" in link for link in links)


@pytest.mark.parametrize("client", ["remote", "loopback", "container"])
def test_a_port_is_open_before_the_fault_and_at_the_end(client, causes):
    """Before the kill nothing of it is told; at the end the chain leads back to it."""
    before, early = causes(f"port 80 from {client}", "shot-1s")
    after, late = causes(f"port 80 from {client}", "end")
    assert before == after == f"port 80 is open from {client}"
    assert "kill dockerd" not in early[-1]
    assert late[-1].endswith("kill dockerd")


def test_a_shim_gets_another_parent_because_containerd_died(causes):
    """The chain of an orphan: containerd's death, dockerd's death, the step."""
    fact, links = causes("process shim/web", "shot+500ms")
    assert fact.endswith("child of init (1)")
    assert without_pids(links)[:3] == [
        "shim/web got another parent: init",
        "SIGKILL to containerd: parent-death signal",
        "SIGKILL to dockerd",
    ]


@pytest.mark.parametrize(("at", "parent"), [("shot-1s", "containerd"), ("shot+500ms", "init"), ("end", "containerd")])
def test_a_process_is_asked_for_at_any_time(at, parent, causes):
    """The pid and the parent are those of the moment."""
    assert f"child of {parent} (" in causes("process shim/web", at)[0]


def test_a_process_that_has_ended_is_told_with_its_end(causes):
    """The proxy of the moment after the kill."""
    fact, links = causes("process proxy/web:80", "shot+500ms")
    assert fact == "no process proxy/web:80 lives"
    assert without_pids(links)[0] == "proxy/web exited 0"


def test_a_daemon_is_told_without_the_containers(causes):
    """The new dockerd: began, after the old one was killed."""
    _, links = causes("process dockerd")
    assert without_pids(links)[:2] == ["dockerd began", "SIGKILL to dockerd"]


def test_a_container_is_told_with_what_the_engine_believes(causes):
    """Running, with its pid; the chain of the second start holds the first one's end."""
    fact, links = causes("container web")
    assert fact.startswith("container web is running (pid ")
    assert links[0].startswith("engine: web is running")
    assert any("SIGTERM to payload/web" in link for link in links)


def test_a_death_is_told_through_the_payload_the_shim_and_the_daemons(causes):
    """Between the signal and what dockerd believes stands everything that carried the news, and no errand."""
    _, links = causes("container web", "shot+1510ms")
    assert without_pids(links)[:7] == [
        "nobody starts web: no dockerd serves that could start it, and its unit is activating",
        "engine: web is exited",
        "exit web sent to dockerd",
        "ExitTask web sent to containerd",
        "shim/web exited 0",
        "payload/web exited 0",
        "SIGTERM to payload/web from containerd",
    ]


def test_a_moment_before_t_0_can_be_asked_for(shimulator, stored):
    """What --at takes and what is written beside a cause are the same, with a minus before t = 0."""
    import json

    shown = json.loads(shimulator("show", "runs/small", "--at", "-5s", "--json").out)
    assert shown["at_s"] == -5
    line = shimulator("why", "runs/small", "container web", "--at=-5s").out.splitlines()[1]
    moment = line.split()[-1]
    assert moment.startswith("-")
    assert shimulator("show", "runs/small", f"--at={moment}").status == 0


def test_a_belief_that_is_wrong_is_said(causes, folder):
    """With dockerd stopped nobody tells it of a death: it believes in a process that is gone."""
    text = SMALL.split("steps:")[0] + (
        "steps:\n  - {id: hang, at: 60s, stop: dockerd}\n  - {id: shot, at: 61s, kill: payload/web}\nuntil: 62s\n"
    )
    (folder / "belief.yaml").write_text(text)
    assert causes("container web", file="belief.yaml")[0].endswith("as the engine believes; that process has ended")


def test_a_stopped_proxy_closes_its_port(causes, folder):
    """A proxy in state T accepts nobody."""
    text = SMALL.split("steps:")[0] + "steps:\n  - {id: hang, at: 60s, stop: proxy/web}\nuntil: 62s\n"
    (folder / "stopped.yaml").write_text(text)
    fact, links = causes("port 80 from loopback", file="stopped.yaml")
    assert fact == "port 80 is closed from loopback: the proxy is stopped"
    assert without_pids(links)[0] == "proxy/web was stopped by SIGSTOP"
    assert links[-1].startswith("step hang")


def test_a_signal_from_outside_is_no_parent_death_signal(causes):
    """containerd, killed by the step itself, would get the same signal if dockerd died."""
    _, links = causes("container web", file="shim-while-containerd-down")
    assert "SIGKILL to containerd" in without_pids(links)


def test_a_long_chain_is_cut_in_its_middle(causes, shimulator):
    """A container that crash-loops: the nearest causes, how many lie between, the last ones; JSON has all."""
    import json

    _, links = causes("container api", file="reboot-herd")
    assert len(links) == 25
    assert links[0].startswith("engine: api is running")
    assert links[-1] == "the host's start: systemctl start docker"
    whole = json.loads(shimulator("why", "reboot-herd", "container api", "--json").out)["causes"]
    assert f"{len(whole) - 24} causes between" in " ".join(links)


def test_what_was_never_so_is_said(causes, folder):
    """A port that was never open, a process that never began, a container that was never made."""
    text = "host: {begin: off}\n" + SMALL.split("steps:")[0] + "until: 2s\n"
    (folder / "off.yaml").write_text(text)
    for fact, note in (
        ("port 80 from remote", "it was never open up to then"),
        ("port 80 from loopback", "it was never open up to then"),
        ("process shim/web", "none has begun up to then"),
        ("container web", "nobody asked the engine for it yet"),
    ):
        assert causes(fact, file="off.yaml")[1] == [note]


def test_no_link_is_there_that_adds_nothing(causes):
    """iptables that did their work, other containers, and a text twice in a row are followed but not told."""
    for fact in ("container web", "port 80 from remote", "process shim/web"):
        _, links = causes(fact)
        assert not any("iptables" in link or "/db" in link for link in links)
        assert all(link != after for link, after in pairwise(links))
        assert 3 < len(links) < 25


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("container wbe", "Did you mean 'web'? Valid: web, db"),
        ("port 81 from remote", "Valid: 80, 5432"),
        ("port http from remote", "Valid: 80, 5432"),
        ("port 80 from remot", "Did you mean 'remote'? Valid: remote, loopback, container"),
        ("process shimm/web", "Did you mean 'shim'?"),
        ("process shim/wbe", "Did you mean 'web'?"),
        ("process proxy/web:81", "Valid: 80"),
        ("prot 80 from remote", "Did you mean 'port'?"),
        ("why", "Ask for 'container NAME'"),
        ("", "Ask for 'container NAME'"),
    ],
)
def test_an_unknown_fact_gives_what_is_valid(fact, said, shimulator, stored):
    """Status 2, the nearest spelling, the valid words."""
    answer = shimulator("why", "runs/small", fact)
    assert answer.status == 2
    assert said in answer.err


def test_a_moment_of_an_answer_can_be_asked_for(shimulator, stored):
    """The moments beside the causes are what --at takes."""
    line = shimulator("why", "runs/small", "port 80 from loopback", "--at", "shot+500ms").out.splitlines()[1]
    moment = line.split()[-1]
    assert moment.startswith("shot+0.00")
    assert shimulator("show", "runs/small", "--at", moment).status == 0


LOST = """
engine: {design: docker-26}
services: {worker3: {image: busybox, restart: unless-stopped, ports: ["8080:80"]}, db: {image: redis, restart: always}}
steps: [{id: kill, at: 1s, kill: dockerd}]
until: kill+60s
"""


@pytest.fixture
def lost(shimulator, folder):
    """Return a function that asks about a host that has lost a container."""
    (folder / "lost.yaml").write_text(LOST)
    return lambda fact: shimulator("why", "lost.yaml", fact)


def test_why_a_container_does_not_run(lost):
    """What is absent has a reason, too: the rule by which nobody starts it stands before what ended it."""
    said = lost("why is worker3 not running?").out.splitlines()
    assert said[0] == "container worker3 is exited (0)"
    assert said[1].startswith("  ← nobody starts worker3: its end counts as somebody's stop")
    assert "ShouldRestart" in said[1]
    assert said == lost("container worker3").out.splitlines()


def test_why_a_port_is_closed(lost):
    """A port is asked for by its number in any sentence, and its container's absence is told."""
    said = lost("why is 8080 closed from loopback").out.splitlines()
    assert said[0] == "port 8080 is closed from loopback: no proxy listens"
    assert "nobody starts worker3" in said[1]
    assert said == lost("port 8080 from loopback").out.splitlines()


def test_what_is_not_so_is_said_not_to_be_so(lost):
    """Somebody who asks why a container is down that runs is told that it runs, and why."""
    assert lost("why is db dead").out.startswith("that is not so: container db is running")
    assert lost("why does db run").out.startswith("container db is running")


def test_an_unknown_subject_gets_the_nearest_spelling(lost):
    """What nobody knows is refused, with the name that is spelt most like it."""
    said = lost("why is workr3 not running")
    assert said.status == 2
    assert "Did you mean 'worker3'?" in said.err
