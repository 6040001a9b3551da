"""Networks of containers: several, the host's, none, another container's; pid namespaces that are shared; links.

A row is a scenario with its own `expect:`, run on each design named. Source of the expectations: moby v26.1.5 and
v1.13.1, daemon/container_operations.go, container_operations_unix.go, libnetwork/sandbox.go Less; hosts H1 to H4 [M].
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.engine.records import Container
from sim.engine.setup import HOST, Service
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent
from sim.kernel.events import RulesFlushed
from sim.predicates import believed, dockerd
from sim.scenario import load, resolved

DOCKER = [name for name, design in DESIGNS.items() if not design.engine.lacks_ways]
PODMAN = [name for name, design in DESIGNS.items() if design.engine.lacks_ways == {"container", "pid"}]
LATER = [name for name in DOCKER if DESIGNS[name].traits.die_after_record]  # since 23
HEAD = "engine: {{design: {}}}\nnetworks: {{front: {{}}, back: {{internal: true}}, apart: {{}}}}\n"
QUICK = "x-payload: {on_term: {exit: 0, after: 10ms}}"
VPN = f'services:\n  vpn: {{image: vpn, restart: always, ports: ["8000:8000"], {QUICK}}}\n'
APP = '  app: {image: app, restart: always, network_mode: "service:vpn", x-payload: {listens: [8000]}}\n'
PIDS = '  app: {image: app, restart: always, pid: "container:vpn", x-payload: {on_term: none}}\n'
BOTH = '  app: {image: app, restart: always, network_mode: "service:vpn", pid: "service:vpn"}\n'
STOPPED = "cannot join network of a non running container"


def run(design: str, text: str, seed: int = 1) -> Run:
    """Run a scenario's text on a design."""
    return run_scenario(load("networks.yaml", HEAD.format(design) + text), seed)


def wrong(found: Run) -> list[str]:
    """Return the expectations that do not hold."""
    return [f"{it.label}: {it.text}: {it.detail}" for it in found.verdicts() if not it.holds]


def of(found: Run, name: str) -> Container:
    """Return what the engine believes of a container at the end."""
    record = believed(found.at("end"), name)
    assert record is not None
    return record


def places(found: Run) -> set[str]:
    """Return the places on networks and the addresses that dockerd keeps at the end."""
    world = found.at("end")
    pid = dockerd(world)
    assert pid is not None
    return {key for key in world.memory[pid] if key.startswith(("endpoint/", "address/"))}


def service(text: str, name: str = "web") -> Service:
    """Return a container of a scenario."""
    return load("networks.yaml", HEAD.format("docker-26") + text).setup.service(name)


def connections(found: Run, container: str) -> list[str]:
    """Return what was said of a container's networks."""
    events = (it.event for it in found.trace if isinstance(it.event, EngineEvent) and it.event.kind == "network")
    return [f"{it.action} {dict(it.attributes)['name']}" for it in events if it.container == container]


ROWS: dict[str, str] = {
    "a program on the host's network answers at its own ports, and its published ones are nobody's": """\
services: {web: {image: web, network_mode: host, ports: ["80:80"], x-payload: {listens: [9100, 53/udp]}}}
steps: [{id: stop, at: 5s, docker: stop web}, {id: again, at: 9s, docker: start web}]
until: 20s
expect:
  - {at: 4s, port: 9100, from: remote, finds: answered}
  - {at: 4s, port: 9100, from: loopback, finds: answered}
  - {at: 4s, port: 9100, from: remote6, finds: answered}
  - {at: 4s, process: proxy/web, exists: false}
  - {at: again, port: 9100, from: remote, finds: refused}
  - {at: end, port: 9100, from: remote, finds: answered}
  - {events: [network disconnect, network connect], container: web}
""",
    "a container without a network runs, and says so": """\
services: {web: {image: web, network_mode: none, restart: always}}
steps: [{at: 5s, kill: payload/web}]
until: 20s
expect:
  - {at: end, container: web, status: running, address: none}
  - {events: [network disconnect, network connect], container: web}
""",
    "another one's network cannot be joined while that one does not run": VPN
    + APP
    + """\
steps:
  - {id: stop, at: 5s, docker: stop vpn app}
  - {id: app, at: 20s, docker: start app}
  - {id: vpn, at: 30s, docker: start vpn}
  - {id: then, at: 40s, docker: start app}
expect:
  - {step: app, error: "cannot join network of a non running container"}
  - {step: then, ok: true}
  - {at: app+5s, container: app, status: exited}
  - {at: end, container: app, status: running}
""",
    "a start waits for one of the container whose network it shares, which has begun": VPN
    + APP
    + """\
steps:
  - {id: stop, at: 5s, docker: stop vpn app}
  - {id: vpn, at: 30s, docker: start vpn}
  - {id: app, at: 30001ms, docker: start app}
expect: [{step: app, ok: true}, {at: end, container: all, status: running}]
""",
    "who shares a network that is given up is cut off until it is started again": VPN
    + APP
    + """\
steps:
  - {id: off, at: 10s, docker: restart vpn}
  - {id: again, at: 30s, docker: restart app}
until: 60s
expect:
  - {at: off, port: 8000, from: remote, finds: answered}
  - {at: again, container: app, status: running, restarts: 0}
  - {at: again, port: 8000, from: remote, finds: refused}
  - {at: end, port: 8000, from: remote, finds: answered}
""",
    "who shares a pid namespace ends with its first process, and its policy starts it anew": VPN
    + PIDS
    + """\
steps: [{id: shot, at: 10s, kill: payload/app}, {id: stop, at: 20s, kill: payload/vpn}]
until: 60s
expect:
  - {events: [{die: 137}, {die: 137}], container: app}
  - {at: shot+5s, container: vpn, status: running, pid: same, since: 5s}
  - {at: shot+5s, container: app, status: running, pid: new, since: 5s}
""",
    "an address that is asked for stays, and one that somebody else has is refused": """\
services:
  web: {image: web, networks: {apart: {ipv4_address: 172.20.0.9}}}
  twin: {image: web, networks: {apart: {ipv4_address: 172.20.0.9}}}
  next: {image: web, networks: [apart]}
host: {begin: off}
steps:
  - {id: on, at: 0s, systemctl: start docker}
  - {id: web, at: 10s, compose: up -d web}
  - {id: twin, at: 20s, compose: up -d twin}
  - {id: next, at: 30s, compose: up -d next}
  - {id: again, at: 40s, docker: restart web}
expect:
  - {step: twin, error: "Address already in use"}
  - {at: end, container: web, address: 172.20.0.9}
  - {at: end, container: next, address: 172.20.0.2}
""",
    "a small subnet is full early": """\
networks: {apart: {ipam: {config: [{subnet: 10.5.0.64/29}]}}}
services: {web: {image: web, networks: [apart]}}
steps:
  - {id: a, at: 1s, docker: run -d --name a --network apart x}
  - {id: b, at: 10s, docker: run -d --name b --network apart x}
  - {id: c, at: 20s, docker: run -d --name c --network apart x}
  - {id: d, at: 30s, docker: run -d --name d --network apart x}
  - {id: e, at: 40s, docker: run -d --name e --network apart x}
expect:
  - {at: end, container: web, address: 10.5.0.66}
  - {step: d, ok: true}
  - {step: e, error: "no available IPv4 addresses"}
""",
    "a link needs its container to run": """\
services: {db: {image: db}, web: {image: web, links: ["db:pg"]}}
steps:
  - {id: off, at: 5s, docker: stop db web}
  - {id: web, at: 20s, docker: start web}
  - {id: db, at: 30s, docker: start db}
  - {id: then, at: 40s, docker: start web}
expect:
  - {step: web, error: "Cannot link to a non running container: /db AS /web/db"}
  - {step: then, ok: true}
""",
}


@pytest.mark.parametrize("design", ["docker-1.10", "docker-1.13", "docker-26", "docker-28-separate"])
@pytest.mark.parametrize("name", ROWS)
def test_a_rule_of_networks(name: str, design: str) -> None:
    """Every expectation of the row holds."""
    text = ROWS[name]
    head, text = ("", f"engine: {{design: {design}}}\n{text}") if text.startswith("networks:") else (HEAD, text)
    found = run_scenario(load("networks.yaml", head.format(design) + text))
    assert found.verdicts()
    assert wrong(found) == []


@pytest.mark.parametrize("design", DOCKER)
def test_a_sidecar_stays_down_when_what_it_shares_is_started_again(design: str) -> None:
    """It is killed with the other one; its one start comes while that one is down, and is refused for good."""
    steps = "steps: [{id: off, at: 5s, docker: stop vpn}, {at: 30s, docker: start vpn}]\nuntil: 60s\n"
    found = run(design, VPN + BOTH + steps)
    record = of(found, "app")
    assert (record.status, record.exit_code, record.restart_count) == ("exited", 137, 1)
    assert record.error.startswith(STOPPED)
    assert of(found, "vpn").status == "running"


@pytest.mark.parametrize("design", DOCKER)
def test_a_container_between_two_runs_is_not_joined(design: str) -> None:
    """Whom a policy is about to start is said to run: the words are others."""
    crash = "  vpn: {image: vpn, restart: always, x-payload: {exits: {code: 1, after: 2s}}}\n"
    app = BOTH.replace("restart: always", 'restart: "no"')
    steps = "host: {begin: off}\nsteps:\n  - {at: 0s, systemctl: start docker}\n  - {at: 20s, compose: up -d vpn}\n"
    steps += "  - {at: 21s, compose: up -d app}\n"
    steps += '  - {id: app, at: "die(vpn)#5+500ms", docker: start app}\nuntil: 90s\n'
    found = run(design, "services:\n" + crash + app + steps + 'expect: [{step: app, error: "is restarting, wait"}]\n')
    assert wrong(found) == []


@pytest.mark.parametrize("design", DOCKER)
def test_the_first_network_that_is_not_internal_publishes_the_ports(design: str) -> None:
    """Each network is told apart; the address of the way out is the one that proxies and rules go to."""
    text = 'services: {web: {image: web, ports: ["80:80"], networks: [back, front, apart]}}\n'
    found = run(design, text + "steps: [{at: 5s, docker: restart web}]\nuntil: 30s\n")
    order = ["apart", "front", "back"]
    assert connections(found, "web")[-6:] == [f"{word} {it}" for word in ("disconnect", "connect") for it in order]
    rules = found.at("end").host.rules
    assert {rule.address for rule in rules} == {"172.20.0.2"}
    names = ("endpoint/web", "endpoint/web/front", "endpoint/web/back")
    assert places(found) == {*names, "address/apart/2", "address/front/2", "address/back/2"}


def test_ports_on_an_internal_network_are_not_published() -> None:
    """Nobody on the host listens, neighbours reach it, and the run says that they are ignored."""
    text = 'services: {web: {image: web, ports: ["80:80"], networks: [back]}}\n'
    found = run("docker-26", text)
    assert service(text).ports == ()
    assert service(text).payload.listens == (("tcp", 80),)
    assert "net/tcp:172.19.0.2:80" in found.at("end").host.listeners
    assert any("on an internal network" in it for it in found.scenario.assumptions)


def test_an_address_in_a_port_says_which_family() -> None:
    """Without one it is both where an engine does so, `0.0.0.0` is IPv4, brackets hold IPv6."""
    ports = '["80:80", ":81:81", "0.0.0.0:82:82", "[::1]:83:83", "127.0.0.1::84", "[::]:85:85", {target: 86, '
    ports += 'published: "86"}]'
    host = run("docker-26", f"services: {{web: {{image: web, ports: {ports}}}}}\n").at("end").host
    bound = sorted(it for it in host.listeners if it.startswith("tcp:"))
    assert bound == sorted([
        "tcp:0.0.0.0:80", "tcp::::80", "tcp:0.0.0.0:81", "tcp::::81", "tcp:0.0.0.0:82", "tcp:::1:83",
        "tcp:127.0.0.1:32768", "tcp::::85", "tcp:0.0.0.0:86", "tcp::::86",
    ])  # fmt: skip


IPV6 = "networks: {six: {enable_ipv6: true, ipam: {config: [{subnet: 'fd01::/64'}]}}, front: {}}\n"
KILLED = "steps: [{id: shot, at: 5s, kill: dockerd}]\nuntil: 30s\n"


@pytest.mark.parametrize("design", [name for name in LATER if "separate" in name])
def test_clients_by_ipv6_go_by_ip6tables_where_the_network_has_such_addresses(design: str) -> None:
    """They need no proxy, and are dark for less than a second as a new dockerd begins; none comes by the loopback."""
    engine = "daemon: {live-restore: true, ip6tables: true, userland-proxy: false}"
    text = f"engine: {{design: {design}, {engine}}}\n{IPV6}" + KILLED
    text += 'services: {web: {image: web, ports: ["80:80"], networks: [front, six]}}\n'
    text += "expect:\n"
    text += "  - {at: shot+50ms, port: 80, from: remote6, finds: answered}\n"
    text += "  - {at: end, port: 80, from: remote6, finds: answered}\n"
    text += "  - {at: end, port: 80, from: loopback6, open: false}\n"
    text += "  - {dark: 80, from: remote6, max: 1s, during: [shot, end]}\n"
    found = run_scenario(load("six.yaml", text))
    assert wrong(found) == []
    words = " ".join(sorted(rule.address for rule in found.at("end").host.rules if rule.chain == "ip6:nat/DOCKER"))
    assert words == "fd01::2"
    flushed = [it for it in found.trace if isinstance(it.event, RulesFlushed) and it.event.chain.startswith("ip6:nat")]
    assert len(flushed) == 2  # by either dockerd
    dark = run_scenario(load("six.yaml", text.replace("enable_ipv6: true", "enable_ipv6: false")))
    assert [it for it in wrong(dark) if "remote6" in it]


def test_a_refused_network_is_refused_once() -> None:
    """No container that names it is told that there is none."""
    text = "services: {web: {networks: [odd]}, db: {network_mode: odd}}\nnetworks: {odd: {drivr: x}}\n"
    with pytest.raises(InputError, match="unknown key") as refused:
        load("f", text)
    assert str(refused.value).count("\n") == 0


def test_networks_of_others_are_taken_for_what_they_are() -> None:
    """The engine's own ones are known by their real names; macvlan publishes nothing; other drivers are a bridge's."""
    text = (
        "networks: {h: {external: {name: host}}, m: {driver: macvlan}, o: {driver: overlay, external: true}}\n"
        'services:\n  web: {networks: [h]}\n  db: {networks: [m], ports: ["5:5"]}\n'
        '  job: {networks: [o, m], ports: ["6:6"]}\n'
    )
    scenario = load("f", text)
    web, db, job = scenario.setup.services
    assert (web.network, web.network_mode, db.ports, job.ports, job.network) == (HOST, HOST, (), (), "m")
    assert any("taken as a bridge's" in it for it in scenario.assumptions)


def test_a_resolved_file_says_all_of_it() -> None:
    """Loading it gives an equal setup."""
    head = HEAD.format("docker-26").replace("front: {}", "front: {enable_ipv6: true}")
    text = head + VPN + APP + (
        "  web: {image: web, networks: {front: {ipv4_address: 172.18.0.7}, back: }, "
        'ports: ["0.0.0.0:1:1", "[::1]:2:2"]}\n'
        "  exp: {image: exp, network_mode: host, pid: host, x-payload: {listens: [9100, 53/udp]}}\n"
        "  non: {image: non, network_mode: none}\n  old: {image: old, links: [vpn]}\n"
        '  int: {image: int, networks: [back], ports: ["7:7"]}\n  pid: {image: pid, pid: "container:web"}\n'
    )  # fmt: skip
    scenario = load("f", text)
    again = load("f", resolved(scenario))
    assert again.setup == scenario.setup


@pytest.mark.parametrize("design", PODMAN)
def test_podman_has_the_host_s_network_and_none(design: str) -> None:
    """A program on the host's network answers there while it runs; neither has an address."""
    text = """\
services:
  web: {image: web, network_mode: host, restart: always, x-payload: {listens: [9100], on_term: {exit: 0, after: 1ms}}}
  job: {image: job, network_mode: none, restart: always}
  two: {image: two, networks: [front, apart], ports: ["80:80"]}
  asks: {image: asks, networks: {apart: {ipv4_address: 172.20.0.9}}}
steps:
  - {id: shot, at: 5s, kill: [payload/web, payload/job]}
  - {id: stop, at: 20s, STOP}
until: 40s
expect:
  - {at: shot, port: 9100, from: remote, finds: answered}
  - {at: stop, port: 9100, from: remote, finds: answered}
  - {at: end, port: 9100, from: remote, finds: refused}
  - {at: end, port: 80, from: remote, finds: answered}
  - {at: stop, container: [web, job], address: none}
  - {at: end, container: job, status: running}
  - {at: end, container: asks, address: 172.20.0.9}
"""
    stop = "systemctl: stop web" if "quadlet" in design else "docker: stop web"
    assert wrong(run(design, text.replace("STOP", stop))) == []


@pytest.mark.parametrize("design", [*PODMAN, "containerd-cri"])
def test_what_a_design_lacks_is_refused_by_name(design: str) -> None:
    """Another one's network or pid namespace."""
    with pytest.raises(InputError) as refused:
        run(design, VPN + BOTH)
    for words in ("network_mode container:vpn", "pid container:vpn"):
        assert f"app: {words} is not modelled on {design} yet" in str(refused.value)


@pytest.mark.parametrize("design", LATER)
def test_networks_outlive_the_daemon_with_live_restore(design: str) -> None:
    """A new dockerd knows each place on a network again, and gives it back at the end."""
    text = 'services:\n  web: {image: web, ports: ["80:80"], networks: [front, back]}\n'
    text += "  non: {image: non, network_mode: none}\n"
    steps = "steps: [{at: 5s, kill: dockerd}, {id: stop, at: 60s, docker: stop web}]\nuntil: 90s\n"
    head = HEAD.replace("}}\n", ", daemon: {{live-restore: true}}}}\n", 1)
    found = run_scenario(load("f", head.format(design) + text + steps))
    assert places(found) == {"endpoint/non"}
    assert of(found, "non").status == "running"


def test_after_a_boot_chance_says_whether_a_sidecar_comes_up() -> None:
    """Whoever is started first takes the lock: among a few seeds there are both."""
    text = VPN + APP + "host: {begin: boot}\nuntil: 200s\n"
    ends = {of(run("docker-26", text, seed), "app").status for seed in range(1, 9)}
    assert ends == {"running", "exited"}


def test_a_container_that_needs_another_is_started_behind_it() -> None:
    """The order of the file does not matter, neither before t = 0 nor for compose up."""
    text = "services:\n" + APP + VPN.partition("\n")[2]
    assert of(run("docker-26", text + "until: 5s\n"), "app").status == "running"
    steps = (
        "host: {begin: off}\nsteps: [{at: 0s, systemctl: start docker}, {at: 20s, compose: up -d app}]\nuntil: 60s\n"
    )
    found = run("docker-26", text + steps)
    assert [of(found, name).status for name in ("app", "vpn")] == ["running", "running"]
