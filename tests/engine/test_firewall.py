"""A reload of firewalld and `nft flush ruleset`: what clients find on every engine, and who brings rules back."""

import pytest

import sim
from sim.designs import DESIGNS
from sim.errors import InputError
from sim.experiment.run import Run
from sim.facts import StepDone
from sim.scenario import load

HOST = """
networks: {front: {}}
services:
  web: {image: nginx, ports: ["80:80"], restart: always, networks: [front]}
  db: {image: pg, ports: ["5432:5432"], restart: always}
engine: {design: DESIGN, KEYS}
steps:
  - {id: fault, at: 60s, ACT}
MORE
until: fault+1m
"""
LISTENS = [name for name in DESIGNS if name.startswith("docker-")]
NFT = [name for name in DESIGNS if DESIGNS[name].traits.iptables_nft]
AGAIN = "  - {id: again, at: fault+20s, kill: payload/web}"


def run(design: str, act: str, more: str = "", keys: str = "unit: {}") -> Run:
    said = HOST.replace("DESIGN", design).replace("ACT", act).replace("MORE", more).replace("KEYS", keys)
    return sim.run(said.replace("engine: {design: ", "engine: {design: "))


def found(it: Run, client: str, at: str) -> list[str]:
    return [it.finds(port, client, at) for port in (80, 5432)]


@pytest.mark.parametrize("name", DESIGNS)
def test_firewalld_s_reload_closes_ports_until_somebody_listens_for_it(name):
    """dockerd of every version hears of it and makes its rules again; elsewhere ports stay dark for other hosts."""
    it = run(name, "firewalld: reload")
    assert found(it, "remote", "fault-1s") == ["answered"] * 2
    assert found(it, "remote", "fault+1ms") == ["refused"] * 2
    expected = "answered" if name in LISTENS else "refused"
    assert found(it, "remote", "end") == [expected] * 2
    assert it.tree("fault-1s").nodes == it.tree("end").nodes
    if DESIGNS[name].traits.engine == "dockerd":
        assert found(it, "loopback", "fault+1ms") == ["answered"] * 2  # the proxies go on


@pytest.mark.parametrize("name", ["docker-1.13", "docker-26"])
def test_a_dockerd_that_stands_still_hears_later(name):
    """The signal waits for it; rules come back when it goes on."""
    more = "  - {id: go, at: fault+10s, cont: dockerd}"
    it = run(name, "firewalld: reload", more + "\n  - {id: hold, at: 55s, stop: dockerd}")
    assert found(it, "remote", "go") == ["refused"] * 2
    assert found(it, "remote", "end") == ["answered"] * 2


def test_a_dockerd_that_is_away_hears_nothing_and_makes_all_rules_when_it_is_back():
    """With live-restore the containers run on; their rules come with the next dockerd."""
    more = "  - {id: back, at: fault+20s, systemctl: start docker}\n  - {id: off, at: 50s, systemctl: stop docker}"
    it = run("docker-26", "firewalld: reload", more, "daemon: {live-restore: true}")
    assert found(it, "remote", "back") == ["refused"] * 2
    assert found(it, "remote", "end") == ["answered"] * 2


@pytest.mark.parametrize("name", ["podman", "cri-o", "containerd-cri"])
def test_elsewhere_rules_come_back_with_the_container(name):
    """netavark and CNI make their chains with each network that they set up."""
    more = "  - {id: again, at: fault+20s, docker: restart web}"
    it = run(name, "firewalld: reload", more)
    assert found(it, "remote", "end") == ["answered", "refused"]


@pytest.mark.parametrize("name", NFT)
def test_nft_flush_ruleset_is_found_by_whom_no_proxy_serves(name):
    """With userland proxies all clients come to a socket of the host; without, nobody is answered any more."""
    it = run(name, "nft: flush ruleset")
    proxied = DESIGNS[name].traits.engine == "dockerd"
    for client in ("remote", "loopback", "host"):
        assert [what == "answered" for what in found(it, client, "end")] == [proxied] * 2
    if proxied:
        bare = run(name, "nft: flush ruleset", keys="daemon: {userland-proxy: false}")
        assert "answered" not in found(bare, "remote", "end")


@pytest.mark.parametrize("name", [name for name in NFT if name in LISTENS])
def test_after_nft_flush_ruleset_a_container_with_ports_does_not_start(name):
    """dockerd makes chains when it begins: until then iptables finds none of that name, and a start fails."""
    it = run(name, "nft: flush ruleset", "  - {id: again, at: fault+10s, docker: restart web}")
    done = {record.event.id: record.event.error for record in it.trace if type(record.event) is StepDone}
    assert "No chain/target/match by that name" in done["again"]
    assert "answered" not in found(it, "remote", "end")[:1]
    healed = "  - {id: k, at: fault+10s, kill: payload/web}\n  - {id: new, at: fault+20s, systemctl: restart docker}"
    assert found(run(name, "nft: flush ruleset", healed), "remote", "end") == ["answered"] * 2


def test_a_reload_of_firewalld_brings_dockerd_s_chains_back():
    """Its callbacks make the chains, then every mapping."""
    it = run("docker-26", "nft: flush ruleset", "  - {id: fw, at: fault+10s, firewalld: reload}\n" + AGAIN)
    assert found(it, "remote", "end") == ["answered"] * 2


@pytest.mark.parametrize("name", [name for name in DESIGNS if name not in NFT])
def test_where_iptables_is_not_nft_s_the_step_is_refused(name):
    """nft sees none of the rules there."""
    with pytest.raises(InputError, match="nft sees none of the rules on hosts of"):
        run(name, "nft: flush ruleset")


@pytest.mark.parametrize(("act", "said"), [("nft: flush", "Write nft: flush r"), ("firewalld: 1", "Write firewalld")])
def test_other_words_are_refused(act, said):
    """With what there is."""
    with pytest.raises(InputError, match=said):
        load("x", f"services: {{web: {{image: nginx}}}}\nengine: {{design: docker-26}}\nsteps: [{{at: 1s, {act}}}]")
