"""daemon.json, the flags of the engine's command line, keys of a unit that mean another one."""

import pytest

from sim.engine.setup import S
from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.facts import EngineEvent
from sim.kernel.events import Execed, RuleAdded, RulesFlushed
from sim.scenario import load, resolved

TEXT = """\
engine: {{design: {design}, {engine}}}
networks: {{front: {{}}, back: {{ipam: {{config: [{{subnet: 10.5.1.0/24}}]}}}}}}
services:
  web: {{image: x, ports: ["80:80", "127.0.0.9:81:81"], networks: [front]}}
  db: {{image: y, init: false, networks: [back]}}
  cron: {{image: z, pid: host}}
"""


def scenario(engine, design="docker-28"):
    return load("f", text=TEXT.format(engine=engine, design=design))


def daemon(keys, design="docker-28"):
    return scenario(f"daemon: {{{keys}}}", design)


def test_a_flag_is_a_key_of_daemon_json():
    line = "/usr/bin/dockerd -H fd:// --live-restore --userland-proxy=false --shutdown-timeout 7 $DOCKER_OPTS"
    given = scenario(f"unit: {{ExecStart: {line}}}").setup
    said = daemon("live-restore: true, userland-proxy: false, shutdown-timeout: 7, hosts: ['fd://']").setup
    assert given == said
    assert given.engine.daemon.live_restore
    assert scenario('unit: {ExecStart: "dockerd -H it\'s"}').setup == scenario("unit: {}").setup


def test_a_key_in_both_places_keeps_a_real_one_from_starting():
    both = "unit: {ExecStart: /usr/bin/dockerd --live-restore}, daemon: {live-restore: true}"
    with pytest.raises(InputError, match=r"live-restore is also a flag of engine\.unit\.ExecStart: the engine refuses"):
        scenario(both)


def test_a_flag_that_the_version_does_not_have_is_refused():
    with pytest.raises(InputError, match=r"docker-1\.13 has no default-address-pools"):
        scenario("unit: {ExecStart: dockerd --default-address-pool base=10.0.0.0/8}", "docker-1.13")


@pytest.mark.parametrize("design", ["podman", "cri-o"])
def test_where_no_daemon_reads_it_nothing_follows_from_it(design):
    said = daemon("init: true, ip: 127.0.0.1, bip: 10.9.0.1/24", design).setup
    assert (said.services, said.networks) == (daemon("", design).setup.services, daemon("", design).setup.networks)


def test_init_holds_for_containers_that_say_nothing_and_have_processes_of_their_own():
    assert [it.init for it in daemon("init: true").setup.services] == [True, False, False]
    assert [it.init for it in daemon("init: false").setup.services] == [False, False, False]


def test_ip_is_the_address_of_ports_that_name_none():
    web = daemon("ip: 192.168.1.5").setup.service("web")
    assert [port.ip for port in web.ports] == ["192.168.1.5", "127.0.0.9"]


def test_bip_and_pools_give_addresses():
    def prefixes(keys):
        return {it.name: it.prefix for it in daemon(keys).setup.networks}

    assert prefixes("bip: 192.168.5.1/24")["bridge"] == "192.168.5."
    pools = "default-address-pools: [{base: 10.5.0.0/23, size: 24}, {base: 10.7.0.0/16, size: 24}]"
    assert prefixes(pools) == {"bridge": "10.5.0.", "front": "10.7.0.", "back": "10.5.1."}
    assert prefixes(f"bip: 192.168.5.1/24, {pools}") == {"bridge": "192.168.5.", "front": "10.5.0.", "back": "10.5.1."}


@pytest.mark.parametrize("keys", ["bip: 10.0.0.1/30", "default-address-pools: [{base: 10.0.0.0/16, size: 28}]"])
def test_small_subnets_are_noted(keys):
    found = daemon(keys)
    assert found.setup == daemon("").setup
    assert [(it.key, it.changes) for it in found.noted] == [(keys.partition(":")[0], "only in the addresses")]


@pytest.mark.parametrize("design", ["docker-1.13", "docker-28-separate"])
def test_without_iptables_a_port_is_reached_by_its_proxy_alone(design):
    """From elsewhere too; nobody runs iptables, and nothing is flushed."""
    text = (
        f"engine: {{design: {design}, daemon: {{iptables: false}}}}\n"
        "services: {web: {image: x, ports: ['80:80']}}\n"
        "steps: [{at: 5s, systemctl: restart docker}, {at: 20s, docker: start web}, {at: 30s, kill: proxy/web:80}]\n"
        "until: 40s\nexpect:\n  - {at: 29s, port: 80, from: remote, open: true}\n"
        "  - {at: 29s, port: 80, from: loopback, open: true}\n  - {at: 35s, port: 80, from: remote, open: false}\n"
    )
    found = run_scenario(load("f", text=text), 1)
    assert [it.text for it in found.verdicts() if not it.holds] == []
    events = [it.event for it in found.trace]
    assert not any(isinstance(it, (RuleAdded, RulesFlushed)) for it in events)
    ran = [it for it in events if isinstance(it, Execed) and it.image.argv[:1] == ("iptables",)]
    assert {it.image.container for it in ran} <= {"web"}
    assert any(isinstance(it, EngineEvent) and it.word == "start" for it in events)


def test_what_was_read_is_written_out():
    pools = "init: true, ip: 127.0.0.1, iptables: false, default-address-pools: [{base: 10.7.0.0/16, size: 24}]"
    first = daemon(pools)
    assert load("f", text=resolved(first)).setup == first.setup


def test_keys_of_a_unit_may_have_another_name():
    keys = "StartLimitIntervalSec: 30s, TimeoutSec: 7s, Restart: always"
    unit = scenario(f"unit: {{{keys}}}").setup.engine.unit
    assert (unit.start_limit_interval, unit.timeout_stop, unit.restart) == (30 * S, 7 * S, "always")
    with pytest.raises(InputError, match=r"engine.unit.StartLimitIntervalSecs: unknown key. Did you mean StartLimit"):
        scenario("unit: {StartLimitIntervalSecs: 3s}")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("bip: x", "engine.daemon.bip: 'x' is not an address with its subnet."),
        ("default-address-pools: [{bas: 1}]", "engine.daemon.default-address-pools[0]: "),
        ("ip: there", "engine.daemon.ip: 'there' is not an IPv4 address."),
        ("iptables: maybe", "engine.daemon.iptables: 'maybe' is not true or false."),
    ],
)
def test_wrong_values_are_refused(keys, said):
    with pytest.raises(InputError) as refused:
        daemon(keys)
    assert said in str(refused.value)
