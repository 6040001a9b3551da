"""Numbers that were observed (x-pids) are given out in their order, whatever the order of the file."""

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import Timed
from sim.scenario import load

FORKS = [name for name, design in DESIGNS.items() if "proxy" in design.programs]
A = "a: {image: x, ports: ['80:80'], x-pids: {proxy: 2200, shim: 2229, payload: 2273}}"
B = "b: {image: x, ports: ['81:80'], x-pids: {proxy: 2210, shim: 2230, payload: 2279}}"
C = "c: {image: x, ports: ['82:80']}"
D = "d: {image: x, ports: ['83:80'], x-pids: {proxy: 2500, shim: 2550, payload: 2600}}"


def started(design, *services, seed=1):
    """Return the numbers of the programs of each container at t = 0, and the driver."""
    text = "\n  ".join((f"engine: {{design: {design}}}\nhost: {{uptime: 1s}}\nuntil: 1s\nservices:", *services))
    driver = Timed(load("f", text=text).setup, seed)
    driver.run()
    found = {}
    for process in driver.world.host.procs.values():
        if process.image.container and process.alive:
            found.setdefault(process.image.container, {}).setdefault(process.image.program, process.pid)
    return found, driver


@pytest.mark.parametrize("design", FORKS)
def test_containers_that_started_in_parallel_get_the_numbers_that_were_observed(design):
    """The second begins once all smaller numbers are out; a container without numbers keeps its place."""
    for order in ((A, B, C, D), (D, C, B, A), (C, B, D, A)):
        found, driver = started(design, *order)
        assert driver.opened, order
        wanted = {"a": (2200, 2229, 2273), "b": (2210, 2230, 2279), "d": (2500, 2550, 2600)}
        for name, (proxy, shim, payload) in wanted.items():
            mine = found[name]
            assert (mine["proxy"], mine.get("shim", shim), mine["payload"]) == (proxy, shim, payload), (order, name)
        assert {"proxy", "payload"} <= set(found["c"])
        assert not driver.world.host.reserved
