"""One host port out of a range: which one Docker picks, when it is another one, and what clients and views find."""

from __future__ import annotations

import json

import pytest

import sim
from sim.designs import DESIGNS
from sim.errors import InputError
from sim.properties.ports import one_proxy_a_port, port_is_free, ports_outlast_dockerd
from sim.tracefile import lines, read
from sim.views.intervals import intervals, port_gaps

TEXT = """\
host: {{begin: '{begin}'}}
engine: {{design: {design}, daemon: {{live-restore: {live}}}, unit: {{Restart: 'no'}}}}
services:
  web: {{image: nginx, restart: always, ports: ["8080-8083:80"], x-payload: {{ready: 10ms}}}}
{more}
steps: [{steps}]
until: 60s
"""
DOCKER = [name for name, it in DESIGNS.items() if it.traits.engine == "dockerd"]
OTHERS = [name for name in DESIGNS if name not in DOCKER]
FORGETS = [name for name in DOCKER if DESIGNS[name].traits.binds_first]  # its stored mapping is one port alone
SOME = ("docker-1.13", "docker-26", "docker-28")
AGAIN = "{at: 20s, systemctl: start docker}"


def run(design, steps="", *, live="false", more="", begin="steady"):
    text = TEXT.format(design=design, steps=steps, live=live, more=more, begin=begin)
    return sim.run(sim.load("f", text=text), seed=1)


def open_ports(run, at="end", client="remote"):
    return [port for port in range(8080, 8084) if run.finds(port, client, at) == "answered"]


@pytest.mark.parametrize("design", SOME)
def test_the_first_port_is_taken_and_the_next_one_at_each_start(design):
    """The allocator goes on behind the port that it gave last, and comes back to the first one."""
    steps = ", ".join(f"{{at: {at}s, docker: restart -t 0 web}}" for at in (5, 10, 15, 20))
    here = run(design, steps)
    found = [open_ports(here, f"{at}s") for at in (4, 9, 14, 19)]
    assert [*found, open_ports(here)] == [[8080], [8081], [8082], [8083], [8080]]


@pytest.mark.parametrize("design", DOCKER)
def test_a_new_dockerd_that_restores_the_mapping_has_given_its_port_already(design):
    """Up to 27 the stored mapping keeps its range."""
    killed = run(design, "{at: 10s, kill: dockerd}, {at: 11s, kill: payload/web}, " + AGAIN)
    assert open_ports(killed, "9s") == [8080]
    assert open_ports(killed) == ([8080] if design in FORGETS else [8081])


@pytest.mark.parametrize("design", SOME)
def test_a_dockerd_that_ended_by_itself_has_left_no_mapping(design):
    assert open_ports(run(design, "{at: 10s, systemctl: stop docker}, " + AGAIN)) == [8080]


def test_a_range_that_begins_with_the_stored_port_is_another_one():
    """After a second kill it is the range from 8081 on that has given a port, and that from 8080 begins anew."""
    kills = ((10, 12), (40, 42))
    twice = ", ".join(f"{{at: {a}s, kill: dockerd}}, {{at: {b}s, systemctl: start docker}}" for a, b in kills)
    here = run("docker-26", twice)
    assert open_ports(here, "35s") == [8081]
    assert open_ports(here) == [8080]


@pytest.mark.parametrize("design", SOME)
def test_with_live_restore_the_mapping_stays(design):
    here = run(design, "{at: 10s, kill: dockerd}, " + AGAIN, live="true")
    assert open_ports(here) == [8080]


@pytest.mark.parametrize("design", SOME)
def test_containers_of_overlapping_ranges_get_a_port_each_and_a_full_range_refuses(design):
    other = '  {}: {{image: nginx, ports: ["8080-8081:80"], x-payload: {{ready: 10ms}}}}'
    more = "\n".join(other.format(name) for name in ("a", "b"))
    ups = ", ".join(f"{{compose: up -d {name}}}" for name in ("web", "a", "b"))
    here = run(
        design,
        f"{{at: 0s, systemctl: start docker}}, {{at: 20s, systemctl: status docker}}, {ups}",
        more=more,
        begin="off",
    )
    assert open_ports(here) == [8080, 8081]
    assert any("all ports are allocated" in str(record.event) for record in here.trace.records)


@pytest.mark.parametrize("design", SOME)
def test_a_stranger_in_the_range_fails_one_start_up_to_27_and_none_since_28(design):
    """The port is picked without a look at the host; since 28 dockerd binds it itself and tries the next."""
    here = run(
        design, "{at: 5s, host: {take_port: 8081}}, {at: 10s, docker: restart -t 0 web}, {at: 15s, docker: start web}"
    )
    assert open_ports(here, "14s") == ([8082] if design in FORGETS else [])
    assert open_ports(here) == [8082]


def test_docker_ps_and_inspect_say_which_port_is_bound_and_what_was_asked_for():
    here = run("docker-26", "{at: 10s, docker: restart -t 0 web}")
    assert "0.0.0.0:8081->80/tcp, :::8081->80/tcp" in here.show("docker-ps", "end")
    found = json.loads(here.show("docker-inspect", "end", of="web"))[0]
    assert found["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "8080-8083"}]}
    assert {it["HostPort"] for it in found["NetworkSettings"]["Ports"]["80/tcp"]} == {"8081"}


def test_a_trace_keeps_the_range(tmp_path):
    here = run("docker-26", "{at: 10s, docker: restart -t 0 web}")
    with (tmp_path / "trace.jsonl").open("wb") as file:
        file.writelines(lines(here.trace))
    again, _ = read((tmp_path / "trace.jsonl").read_bytes().splitlines(), "trace.jsonl")
    assert again.setup == here.trace.setup
    assert list(again.records) == list(here.trace.records)


def test_a_number_that_was_never_chosen_is_not_dark_and_one_that_was_left_is():
    here = run("docker-26", "{at: 10s, docker: restart -t 0 web}")
    tracks = {it.port: it for it in intervals(here.trace, ("remote",)).ports}
    assert {port for port, it in tracks.items() if it.spare} == {8082, 8083}
    assert [gap[2] for gap in port_gaps(here.trace, ("remote",))["web", 8080, "remote"]] == [False]


@pytest.mark.parametrize("design", SOME)
def test_a_host_that_boots_has_a_stored_port(design):
    assert open_ports(run(design, begin="boot")) == ([8080] if design in FORGETS else [8081])


@pytest.mark.parametrize("design", OTHERS)
def test_an_engine_without_ranges_refuses_one(design):
    with pytest.raises(InputError, match=r"ports 8080-8083:80: .*\. Write one host port, 8080:80\."):
        run(design)


@pytest.mark.parametrize(
    ("rule", "last", "found"),
    [
        (one_proxy_a_port, "kill: proxy/web", ["tcp:0.0.0.0:8080 of web has no proxy that is a child of dockerd"]),
        (port_is_free, "docker: stop web", []),
        (
            ports_outlast_dockerd,
            "kill: dockerd",
            ["port 8080 of web is closed to loopback clients while dockerd is away"],
        ),
    ],
)
def test_what_holds_of_ports_holds_of_the_one_that_is_bound(rule, last, found):
    here = run("docker-26", f"{{at: 10s, docker: restart -t 0 web}}, {{at: 20s, {last}}}")
    assert [*rule(here.trace.at(19_000_000 + here.trace.origin))] == []
    assert [*rule(here.trace.at(here.trace.end))] == found
