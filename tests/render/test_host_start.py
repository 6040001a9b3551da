"""What a run's report says of the host's start: how many containers there are, which units start, on every design."""

from __future__ import annotations

import re

import pytest

from sim.designs import DESIGNS
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

HOST = """
host: {begin: %s}
engine: {design: %s}
services:
  web: {image: nginx, restart: always, ports: ["80:80"]}
  db: {image: postgres, x-payload: {children: [{argv: [worker]}, {argv: [writer]}]}}
  job: {image: job, x-payload: {exits: {code: 0, after: 1s}}}
steps: [{id: kill, at: 2s, kill: payload/web}]
until: 5s
"""


def run(design: str, begin: str) -> Run:
    return run_scenario(load("host.yaml", HOST % (begin, design)))


@pytest.mark.parametrize("design", DESIGNS)
def test_the_first_line_counts_containers_alone(design: str) -> None:
    """A kubelet, a pause, or a child of a program is none; one that has ended meanwhile was started as well."""
    found = run(design, "steady")
    first = found.tell().splitlines()[3]
    (count,) = re.findall(r"(?:starts, then|^10 d before t = 0 ) (\d+) containers", first)
    assert int(count) == len(found.scenario.setup.services), first
    assert first in found.page()


@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if it.traits.engine in it.programs])
def test_a_boot_names_the_units_that_start(design: str) -> None:
    """The engine's unit by its own name, and no step that no file has; the page's script says the same."""
    found = run(design, "boot")
    text, page, unit = found.tell(), found.page(), DESIGNS[design].traits.engine_unit
    assert f"the host is on; {unit}.service starts" in text
    assert "step (" not in text
    assert "step (" not in page
    assert ("kubelet.service starts" in text) == ("kubelet" in DESIGNS[design].programs)


@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if "kubelet" in it.programs])
def test_the_cause_of_a_daemon_is_its_own_unit(design: str) -> None:
    """Why is there a kubelet? systemctl started it, not docker."""
    found, traits = run(design, "steady"), DESIGNS[design].traits
    for program, unit in ((traits.engine, traits.engine_unit), ("kubelet", "kubelet")):
        assert f"the host's start: systemctl start {unit}" in found.why(f"process {program}")
