"""The first tree of a host whose table was observed is that table, whatever numbers, times and strangers it has."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.engine.setup import Setup
from sim.render import ps
from sim.scenario.load import load
from sim.testing.laws import indexes, stored_indexes, uses
from sim.views.observed import differences
from tests.observed import first_story, observe, shown

SERVICES = (
    "web: {image: nginx, restart: always, ports: ['8080:80', '53:53/udp']}",
    "db: {image: postgres, restart: unless-stopped, x-payload: {children: [{argv: [wk]}, {argv: [wk]}]}}",
    "job: {image: job, init: true, ports: ['127.0.0.1:9000:90']}",
)
WITHOUT_INIT = ("docker-1.10", "docker-1.11", "docker-1.12")


def setup_of(design: str, random: Random) -> Setup:
    """Return a host of the design with some of the services."""
    services = random.sample(SERVICES, random.randrange(1, 4))
    if design in WITHOUT_INIT:
        services = [it.replace("init: true, ", "") for it in services]
    lines = "".join(f"  {it}\n" for it in services)
    nobody = design != "podman-quadlet" and not random.randrange(3)
    host = f"{{uptime: 20s, clock: 2026-06-15T12:00:00Z, supervisor: {'none' if nobody else 'systemd'}}}"
    daemon = ", daemon: {live-restore: true}" if DESIGNS[design].traits.live_restore and random.randrange(2) else ""
    return load("it", f"host: {host}\nengine: {{design: {design}{daemon}}}\nservices:\n{lines}").setup


def trial(number: int) -> None:
    """Draw a host, observe it, and compare the first tree of the file that says so."""
    random = Random(number)
    setup = setup_of(random.choice(list(DESIGNS)), random)
    table, rows = observe(setup, random)
    story = first_story(replace(setup, host=replace(setup.host, processes=rows)), seed=number)
    found = story.table()
    assert shown(found) == shown(table)
    for view in (ps.ps_axjf, ps.ps_ef, ps.ps_eo, ps.ps_auxf):
        assert view(found) == view(table)
    assert not list(differences(story.world))
    host = story.world.host
    assert uses(host) == host.uses
    assert stored_indexes(host) == indexes(host)


@pytest.mark.parametrize("number", range(30))
def test_the_first_tree_is_the_one_that_was_observed(number: int) -> None:
    """Numbers, parents, groups, sessions, terminals, threads, states, starts and words are those of the table."""
    trial(number)
