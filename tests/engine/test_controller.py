"""A dockerd that begins takes its chains away, makes them anew, and maps what was published, or nothing of it."""

from __future__ import annotations

from itertools import groupby

import pytest

import sim
from sim.designs import DESIGNS
from sim.engines.host.reach import DNAT
from sim.errors import InputError
from sim.kernel.events import RuleAdded, RulesFlushed

OF_DOCKER = [name for name, it in DESIGNS.items() if "dockerd" in it.programs]
KEEPING = [name for name in OF_DOCKER if DESIGNS[name].traits.live_restore]
STOPPING = [it for it in KEEPING if DESIGNS[it].traits.restore_stop != "the stop signal alone"]
WEB = '{image: nginx, restart: always, ports: ["443:443", "80:80"], x-payload: {on_term: {exit: 0}}}'
TAKEN = """\
engine: {design: %s, daemon: {live-restore: true, userland-proxy: %s}, unit: {Restart: 'no'}}
services: {web: %s}
steps:
- {at: 5s, kill: dockerd}
- {at: 6s, host: {take_port: 80}}
- {at: 8s, systemctl: start docker}
- {id: down, at: 30s, docker: stop web}
until: 60s
expect:
- {at: 29s, container: web, status: running, pid: same, since: 4s}
- {at: 29s, process: proxy/web, exists: false}
- {at: 59s, step: down, ok: true}
- {at: 59s, container: web, status: exited}
"""


def run(text):
    return sim.run(sim.load("f", text=text), seed=1)


def bound(run, at):
    """Return the ports of the host that somebody listens on."""
    return [it for it in run.at(at).host.listeners if it.startswith(("tcp:", "udp:"))]


@pytest.mark.parametrize("proxies", ["true", "false"])
@pytest.mark.parametrize("design", KEEPING)
def test_a_port_that_was_taken_meanwhile_costs_a_kept_container_all_of_its_ports(design, proxies):
    """The one that was mapped before it is taken back; docker ps lists both, and a stop is nothing special."""
    found = run(TAKEN % (design, proxies, WEB))
    assert [it.detail for it in found.verdicts() if not it.holds] == []
    assert not [rule for rule in found.at("29s").host.rules if rule.chain == DNAT]
    assert bound(found, "29s") == ["tcp:0.0.0.0:80"]
    ports = found.show("docker-ps", "29s")
    assert "443->443/tcp" in ports
    assert "80->80/tcp" in ports


@pytest.mark.parametrize("design", OF_DOCKER)
def test_without_proxies_dockerd_holds_published_ports_itself(design):
    """So that nobody else takes them; clients go by the rules all the same, and a stop frees them."""
    text = (
        f"engine: {{design: {design}, daemon: {{userland-proxy: false}}}}\nservices: {{web: {WEB}}}\n"
        "steps: [{at: 5s, docker: stop web}]\nuntil: 20s\n"
    )
    found = run(text)
    assert bound(found, "4s") == ["tcp:0.0.0.0:443", "tcp:0.0.0.0:80"]
    assert found.reachable(80, "loopback", "4s")
    assert found.reachable(80, "remote", "4s")
    assert bound(found, "19s") == []


@pytest.mark.parametrize("design", STOPPING)
def test_a_new_dockerd_starts_proxies_of_what_it_has_just_stopped(design):
    """Without live-restore clients on the loopback are accepted and closed for a while, before the API answers."""
    found = run(
        f"engine: {{design: {design}, unit: {{Restart: 'no'}}}}\nservices: {{web: {WEB}}}\n"
        "steps: [{at: 5s, kill: dockerd}, {at: 8s, systemctl: start docker}]\nuntil: 30s\n"
    )
    ready = found.moment("ready(docker)")
    moments = range(found.moment("8s"), ready, 5_000)
    words = [word for word, _ in groupby(found.finds(443, "loopback", at) for at in moments)]
    assert words[:3] == ["refused", "closed", "refused"]


def gap(design, daemon="", networks=0):
    """Return for how long a dockerd that returns has clients by DNAT refused, in ms: from the flush to the rule."""
    made = ", ".join(f"n{i}: {{}}" for i in range(networks))
    found = run(
        f"engine: {{design: {design}, daemon: {{live-restore: true{daemon}}}}}\nnetworks: {{{made}}}\n"
        f"services: {{web: {WEB}}}\nsteps: [{{at: 5s, systemctl: restart docker}}]\nuntil: 30s\n"
    )
    at = [(type(it.event), it.at or 0) for it in found.trace.records]
    flushed = max(when for kind, when in at if kind is RulesFlushed)
    return (next(when for kind, when in at if kind is RuleAdded and when > flushed) - flushed) / 1000


@pytest.mark.parametrize("design", KEEPING)
def test_clients_by_dnat_are_refused_while_chains_and_networks_are_made(design):
    """Each network that is not used by anybody costs its own rules, too."""
    assert gap(design, networks=3) > gap(design) + 30


@pytest.mark.parametrize("design", [it for it in KEEPING if len(DESIGNS[it].traits.proxy_addresses) == 2])
def test_chains_of_ipv6_take_as_long_again(design):
    """Since 20.10, if the file says so; 27 and later have them unless it says no."""
    on, off, unsaid = (gap(design, said) for said in (", ip6tables: true", ", ip6tables: false", ""))
    assert on > off + 50
    assert unsaid == (on if design.startswith("docker-28") else off)


def test_ip6tables_is_refused_where_dockerd_has_none():
    with pytest.raises(InputError, match=r"docker-19.03 has no ip6tables. docker-20.10 is the first that has"):
        gap("docker-19.03", ", ip6tables: true")
