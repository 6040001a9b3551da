"""What a connect finds: each class of clients, both families, on every design that publishes ports."""

from __future__ import annotations

import pytest

import sim
from sim.designs import DESIGNS
from sim.engines.host.reach import CLIENTS, FOUND
from sim.errors import InputError

WEB = """\
engine: {design: %s%s}
services: {web: {image: nginx, restart: 'no', ports: ["80:80", "53:53/udp"]}}
steps: [%s]
until: 30s
"""
WITH_PROXIES = [name for name, it in DESIGNS.items() if it.traits.proxy_addresses]
ALIKE = ("remote", "loopback", "container", "host")
SIX = ("remote6", "loopback6")


def run(design, steps="", daemon=""):
    return sim.run(sim.load("f", text=WEB % (design, daemon, steps)), seed=1)


def found(run, at, port=80, clients=(*ALIKE, *SIX)):
    """Return what each class of clients finds."""
    return {client: run.finds(port, client, at) for client in clients}


@pytest.mark.parametrize("design", DESIGNS)
def test_a_running_container_answers_and_ipv6_goes_by_proxies_alone(design):
    """Of Docker's, the one proxy up to 19.03 listens for both families, and a second one since 20.10."""
    here = run(design)
    assert found(here, "end", clients=ALIKE) == dict.fromkeys(ALIKE, "answered")
    six = "answered" if design in WITH_PROXIES else "refused"
    for port in (80, 53):
        assert found(here, "end", port, SIX) == dict.fromkeys(SIX, six)
    answers = here.show("ports", "end").splitlines()
    assert answers[0].split() == ["PORT", "OF", *(client.upper() for client in CLIENTS)]
    assert answers[1].split()[:4] == ["80/tcp", "web", "answered", "answered"]


@pytest.mark.parametrize("design", WITH_PROXIES)
def test_without_proxies_ipv6_finds_nobody_and_the_rest_goes_by_rules(design):
    """Where one socket is for both families dockerd's own accepts, and nobody ever answers."""
    here = run(design, daemon=", daemon: {userland-proxy: false}")
    one = DESIGNS[design].traits.proxy_addresses == ("0.0.0.0",)
    assert found(here, "end", clients=ALIKE) == dict.fromkeys(ALIKE, "answered")
    assert found(here, "end", clients=SIX) == dict.fromkeys(SIX, "silent" if one else "refused")
    assert found(here, "end", 53, SIX) == dict.fromkeys(SIX, "timeout" if one else "refused")
    gone = run(design, "{at: 5s, kill: dockerd}", ", daemon: {userland-proxy: false}")
    assert found(gone, "5001ms", clients=SIX) == dict.fromkeys(SIX, "refused")


@pytest.mark.parametrize("design", DESIGNS)
def test_a_stopped_program_is_silent(design):
    """The kernel accepts in its place, and a proxy waits with its clients."""
    here = run(design, "{at: 5s, kill: payload/web, signal: STOP}")
    clients = (*ALIKE, *SIX) if design in WITH_PROXIES else ALIKE
    assert found(here, "6s", clients=clients) == dict.fromkeys(clients, "silent")
    assert run(design).finds(53, "remote", "end") == "answered"
    assert found(here, "6s", 53, clients) == dict.fromkeys(clients, "timeout")


@pytest.mark.parametrize("design", WITH_PROXIES)
def test_a_proxy_whose_container_is_gone_accepts_and_closes(design):
    """Clients by DNAT are refused by the namespace, which is kept; without dockerd nobody takes either away."""
    here = run(design, "{at: 5s, stop: dockerd}, {at: 6s, kill: payload/web}")
    assert found(here, "8s", clients=("remote", "host")) == {"remote": "refused", "host": "refused"}
    by_proxy = ("loopback", "container", *SIX)
    assert found(here, "8s", clients=by_proxy) == dict.fromkeys(by_proxy, "closed")
    assert here.finds(53, "loopback", "8s") == "timeout"


@pytest.mark.parametrize("design", DESIGNS)
def test_a_stopped_container_refuses(design):
    """Neither rules, proxies nor the engine's sockets are left."""
    here = run(design, "{at: 5s, docker: stop -t 1 web}")
    assert found(here, "end") == dict.fromkeys((*ALIKE, *SIX), "refused")


@pytest.mark.parametrize("design", WITH_PROXIES)
def test_proxies_answer_where_rules_are_gone(design):
    """A connection from elsewhere that no rule takes comes to the host's own socket, and nothing if it is to be
    forwarded and the chain does not accept it."""
    flushed = run(design, "{at: 5s, host: {flush: iptables -t nat}}, {at: 8s, stop: proxy/web}")
    assert found(flushed, "6s") == dict.fromkeys((*ALIKE, *SIX), "answered")
    assert found(flushed, "9s") == dict.fromkeys((*ALIKE, *SIX), "silent")
    assert run(design, "{at: 5s, host: {flush: iptables}}").finds(80, "remote", "6s") == "timeout"


@pytest.mark.parametrize("design", ["docker-1.13", "docker-26", "docker-28"])
def test_a_foreign_process_is_told_from_the_container(design):
    """Its socket is of IPv4 alone."""
    here = run(design, "{at: 5s, docker: stop -t 1 web}, {at: 15s, host: {take_port: 80}}")
    assert found(here, "end") == dict.fromkeys(ALIKE, "foreign") | dict.fromkeys(SIX, "refused")


@pytest.mark.parametrize("design", ["docker-26", "docker-1.13"])
@pytest.mark.parametrize("word", FOUND)
def test_expectations_and_properties_name_what_is_found(design, word):
    """`finds:` beside or without `open:`, and `finds(PORT, CLIENT, WORD)`."""
    text = WEB % (design, "", "{at: 5s, kill: proxy/web}, {at: 9s, docker: stop web}")
    text += f"expect: [{{at: 6s, port: 80, from: loopback, finds: {word}}}, {{property: mine}}]\n"
    text += f"properties: [{{name: mine, sometimes: 'finds(80, loopback6, {word})'}}]\n"
    first, second = sim.run(sim.load("f", text=text), seed=1).verdicts()
    assert first.holds == (word == "refused")
    assert first.detail == "refused"
    assert second.holds == (word in ("answered", "refused"))


BAD = [
    ("{at: 1s, port: 80, from: loopback}", "needs open or finds."),
    ("{at: 1s, port: 80, from: loopback, finds: close}", "'close' is not what a client finds; valid: answered, silent"),
    ("{at: 1s, port: 80, from: loopbck6, open: true}", "Did you mean loopback6?"),
    ("{at: 1s, container: web, finds: refused}", "finds"),
]


@pytest.mark.parametrize(("entry", "said"), BAD)
def test_a_wrong_word_is_refused_with_the_valid_ones(entry, said):
    with pytest.raises(InputError) as caught:
        sim.load("f", text=WEB % ("docker-26", "", "") + f"expect: [{entry}]\n")
    assert said in str(caught.value)
