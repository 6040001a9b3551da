"""What a run's report says of the host's start: how many containers there are, which units start, on every design."""

from __future__ import annotations

import io
import re

import pytest

from sim.designs import DESIGNS
from sim.designs.takes import started_with, units_in
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.render.run_text import span
from sim.scenario import load
from sim.tracefile import lines, read
from sim.views.host_start import units_at_boot, units_started

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


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_the_first_line_counts_containers_alone(design: str) -> None:
    """A kubelet, a pause, or a child of a program is none; one that has ended meanwhile was started as well."""
    found = run(design, "steady")
    first = found.tell().splitlines()[3]
    (count,) = re.findall(r"(?:starts?, then|^10 d before t = 0 ) (\d+) containers", first)
    assert int(count) == len(found.scenario.setup.services), first
    assert first in found.page()


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if it.traits.engine in it.programs])
def test_a_boot_names_the_units_that_start(design: str) -> None:
    """The engine's unit by its own name, and no step that no file has; the page's script says the same."""
    found = run(design, "boot")
    text, page = found.tell(), found.page()
    units = [f"{unit}.service" for unit in started_with(DESIGNS[design], DESIGNS[design].traits.engine_unit)]
    assert f"the host is on; {' and '.join(units)} start{'s' * (len(units) == 1)}\n" in re.sub(" +\n", "\n", text)
    assert "step (" not in text
    assert "step (" not in page
    assert ("kubelet.service starts" in text) == ("kubelet" in DESIGNS[design].programs)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_first_line_names_every_unit_that_starts(design: str) -> None:
    """Those of daemons by their names: containerd's and a kubelet's, too; containers are counted, units or not."""
    first = run(design, "steady").tell().splitlines()[3]
    units = set(units_in(DESIGNS[design]))
    assert set(re.findall(r"([a-z]+)[.]service", first)) == units
    assert ("starts," in first, "start," in first) == (len(units) == 1, len(units) > 1)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_units_of_a_boot_are_those_that_become_active(design: str) -> None:
    """What unit files say is what comes."""
    found = run(design, "steady")
    told = [unit for units in units_at_boot(DESIGNS[design]).values() for unit in units]
    assert tuple(told) == units_started(found.trace, DESIGNS[design])


LOOP = """
engine: {design: %s}
services:
  web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 20s}}}
  db: {image: postgres}
until: 7s
"""
JUMPING = list({it.traits.client: name for name, it in DESIGNS.items()}.values())  # the newest of each engine


@pytest.mark.parametrize("design", JUMPING)
def test_rounds_that_are_jumped_over_are_told(design: str) -> None:
    """The story says how many are left out, for how long, and of which container; it does not say that nothing was."""
    found = run_scenario(load("loop.yaml", LOOP % design))
    left, text = found.trace.left_out, found.tell()
    assert left is not None
    row = next(line for line in text.splitlines() if "left out" in line)
    assert f" ⋯ {span(left.time)}: {left.rounds:,} rounds of web, like those before, are left out ⋯" in row
    assert "nothing changes" not in text
    assert not re.search(r"[+]\d{4,}", text)


@pytest.mark.long
def test_rounds_that_go_on_are_told_to_their_end() -> None:
    """A line of no step says until when alike things went on, and rounds that outlast t = 0 are not told to stop."""
    quick = "host: {uptime: 1h}\n" + LOOP.replace("after: 20s", "after: 300ms").replace("7s", "1s")
    found = run_scenario(load("quick.yaml", quick % "podman"))
    late = [line for line in found.summary(pictures=False).lines if line.at < found.trace.origin < line.until]
    story = found.tell()
    assert len(late) > 3
    for line in late:
        assert f" before t = 0 to t = {(line.until - found.trace.origin) / 1e6:.3f} s {line.text}" in story


def test_what_is_read_back_tells_the_same_rounds() -> None:
    """A trace's header has them, and has no word of them if there are none."""
    found = run_scenario(load("loop.yaml", LOOP % JUMPING[0]))
    written = b"".join(lines(found.trace))
    back, _ = read(io.BytesIO(written), "t")
    assert back.left_out == found.trace.left_out
    assert b'"left_out"' not in next(iter(lines(run(JUMPING[0], "steady").trace)))
    for wrong in (b"[1,2,3]", b'[1,2,3,"4"]', b"[1,2,3,-4]", b"7"):
        changed = re.sub(rb'"left_out":[^]]*]', b'"left_out":' + wrong, written, count=1)
        with pytest.raises(InputError, match=r"left_out is .*; valid: four numbers"):
            read(io.BytesIO(changed), "t")


@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if "kubelet" in it.programs])
def test_the_cause_of_a_daemon_is_its_own_unit(design: str) -> None:
    """Why is there a kubelet? systemctl started it, not docker."""
    found, traits = run(design, "steady"), DESIGNS[design].traits
    for program, unit in ((traits.engine, traits.engine_unit), ("kubelet", "kubelet")):
        assert f"the host's start: systemctl start {unit}" in found.why(f"process {program}")
