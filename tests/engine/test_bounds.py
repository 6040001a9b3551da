"""Locks, queues and address pools that one container can hold or fill, and what the others have of it (§15)."""

from __future__ import annotations

import pytest

from sim.engine import networks, paths
from sim.engines.containerd import event_log
from sim.engines.host.reach import NETNS, reachable
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone
from sim.properties import PROPERTIES
from sim.scenario import load
from sim.scenario.verdict_properties import judge

S = 1_000_000


def run(text: str) -> Run:
    """Run a scenario's text."""
    return run_scenario(load("bounds.yaml", text))


def ended(found: Run) -> dict[str, tuple[float, str]]:
    """Return when each step after t = 0 ended, in seconds, and with what error."""
    done = (it for it in found.trace if isinstance(it.event, StepDone))
    return {it.event.id: (((it.at or 0) - found.trace.origin) / S, it.event.error) for it in done}


def died(found: Run) -> dict[str, float]:
    """Return when each container died, in seconds."""
    said = (it for it in found.trace if isinstance(it.event, EngineEvent) and it.event.action == "die")
    return {it.event.container: ((it.at or 0) - found.trace.origin) / S for it in said}


@pytest.mark.parametrize("command", ["exec db true", "pause db", "start web"])
def test_a_call_on_its_way_holds_what_the_reader_of_all_events_needs(command: str) -> None:
    """As long as containerd has not answered, libcontainerd's lock is held, and an event of the container waits."""
    steps = f"steps: [{{at: 1s, docker: stop web}}, {{at: 2s, stop: containerd}}, {{at: 3s, docker: {command}}}]\n"
    world = run("services: {db: {image: postgres}, web: {image: nginx}}\n" + steps + "until: 6s\n").at()
    (dockerd,) = (pid for pid, process in world.host.procs.items() if process.image.program == "dockerd")
    assert world.lock(dockerd, f"libcontainerd/{command.split()[1]}") is not None


def test_a_full_event_buffer_loses_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    """containerd does not wait for a subscriber: the third exit of a buffer of two is never heard of (V15)."""
    text = """\
services: {a: {image: nginx}, b: {image: nginx}, c: {image: nginx}}
steps:
  - {at: 1s, stop: dockerd}
  - {at: 2s, kill: payload/a}
  - {at: 3s, kill: payload/b}
  - {at: 4s, kill: payload/c}
  - {at: 10s, cont: dockerd}
until: 30s
"""
    assert set(died(run(text))) == {"a", "b", "c"}
    assert event_log.EVENT_BUFFER == 2048
    monkeypatch.setattr(event_log, "EVENT_BUFFER", 2)
    found = run(text)
    assert set(died(found)) == {"a", "b"}
    assert not judge(found.trace, [PROPERTIES["V15"]])["V15"].holds


def test_the_event_log_keeps_so_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What containerd can tell again, in memory and on disk, is the last 500 events (§16.4)."""
    assert event_log.KEPT_EVENTS == 500
    monkeypatch.setattr(event_log, "KEPT_EVENTS", 3)
    steps = "steps: [{at: 1s, kill: payload/web}]\nuntil: 5s\n"
    looping = "services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 10ms}}}}\n"
    log = run(looping + steps).at().host.files[paths.EVENTS_LOG]
    assert isinstance(log, tuple)
    assert len(log) == 3
    assert log[0][0] == log[2][0] - 2 > 1


STUCK = """\
host: {{begin: off}}
networks: {{other: {{}}}}
services:
  a: {{image: nginx, ports: ["80:80"]}}
  b: {{image: nginx, ports: ["81:80"]}}
  c: {{image: nginx, ports: ["82:80"], networks: [other]}}
steps:
  - {{systemctl: start docker}}
  - {{id: a, at: 10s, docker: run -d --name a nginx}}
  - {{id: hang, at: Forked(proxy/a), stop: proxy/a}}
  - {{id: b, at: hang+1s, docker: run -d --name b nginx}}
  - {{id: c, at: hang+1s, docker: run -d --name c nginx}}
  - {{id: go, at: hang+{go}s, cont: proxy/a}}
until: 60s
"""


def test_a_proxy_that_says_nothing_holds_the_port_mapper_of_its_network() -> None:
    """a's proxy is stopped: b waits for the lock, c on another network does not; a gives up after 16 s.

    dockerd sends INT and waits for the proxy's end, so that the lock is free only when the proxy goes on.
    """
    at = ended(run(STUCK.format(go=30)))
    assert at["c"][0] < 13
    assert at["c"][1] == ""
    assert 40 < at["b"][0] < 42
    assert at["b"][1] == ""
    assert at["a"][0] > 40
    assert at["a"][1].endswith("Error starting userland proxy: Timed out proxy starting the userland proxy")


def test_a_proxy_that_says_something_in_time_is_no_failure() -> None:
    """After 10 s nothing has been given up."""
    at = ended(run(STUCK.format(go=10)))
    assert {at[step][1] for step in "abc"} == {""}
    assert 20 < at["a"][0] < at["b"][0] < 22


FULL = """\
host: {begin: off}
networks: {small: {ipam: {config: [{subnet: 10.1.2.0/24}]}}}
services:
  a: {image: nginx, networks: [small]}
  b: {image: nginx, networks: [small]}
  c: {image: nginx, networks: [small]}
steps:
  - {systemctl: start docker}
  - {at: 10s, docker: [run -d --name a nginx, run -d --name b nginx]}
  - {id: full, at: 20s, docker: run -d --name c nginx}
  - {id: free, at: 30s, docker: [stop a, start c]}
until: 50s
"""


def test_a_network_without_a_free_address_refuses_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest free address of a /24 is given; with none left a start fails before anything is made."""
    assert networks.HIGHEST == {2: 65_534, 3: 254}
    monkeypatch.setitem(networks.HIGHEST, 3, 3)
    found = run(FULL)
    assert ended(found)["full"][1].endswith("no available IPv4 addresses on this network's address pools: small")
    assert ended(found)["free.2"][1] == ""
    files = found.at().host.files
    assert [files.get(NETNS + name) for name in "abc"] == [None, "10.1.2.3", "10.1.2.2"]
    said = [it.event for it in found.trace if isinstance(it.event, EngineEvent) and it.event.container == "c"]
    assert [event.action for event in said][:2] == ["create", "connect"]  # nothing of the first start


WEB = """\
networks: {front: {}}
services: {web: {image: nginx, ports: ["80:80"], networks: [front]}, old: {image: nginx, ports: ["81:80"]}}
steps: [STEPS]
until: 10s
"""
EVERYONE = {"remote", "loopback", "container", "host"}


@pytest.mark.parametrize(
    ("steps", "web", "old"),
    [
        ("{at: 1s, docker: start web}", EVERYONE | {"dns"}, EVERYONE),
        ("{at: 1s, kill: proxy/*}", {"remote", "host", "dns"}, {"remote", "host"}),
        ("{at: 1s, host: {flush: iptables}}", EVERYONE - {"remote"} | {"dns"}, EVERYONE - {"remote"}),
        ("{at: 1s, host: {flush: iptables -t nat}}", EVERYONE | {"dns"}, EVERYONE),
        ("{at: 1s, host: {flush: iptables}}, {at: 2s, docker: restart web}", EVERYONE | {"dns"}, EVERYONE - {"remote"}),
        ("{at: 1s, stop: dockerd}", EVERYONE, EVERYONE),
        ("{at: 9950ms, kill: dockerd}", {"remote", "host"}, {"remote", "host"}),
    ],
)
def test_each_class_of_clients_has_a_path_of_its_own(steps: str, web: set[str], old: set[str]) -> None:
    """The table of §16.10: DNAT, the proxy, or dockerd's resolver; docker0 has no names.

    Where no rule takes a connection from elsewhere the host itself does, and there the proxy listens.
    """
    world = run(WEB.replace("STEPS", steps)).at()
    for port, open_to in ((80, web), (81, old)):
        assert {client for client in EVERYONE | {"dns"} if reachable(world, port, client)} == open_to
