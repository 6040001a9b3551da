"""A host that prints its processes is imported with exactly these: import(render(tree)) is the tree.

The trees are drawn (`tests.observed`): hosts of every design, numbers in any order, daemons younger than containers,
processes of somebody else's. What is printed is all that is read: no inspect tells what a container is called.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.intake import scenario_from
from sim.intake.sources import Source
from sim.render.ps import ps_axjf, ps_ef
from sim.scenario import load
from sim.views.observed import differences
from sim.views.table import Table
from tests.engine.test_observed import setup_of
from tests.observed import at_opening, observe, shown, stat_of


def ps_lstart(table: Table) -> str:
    """Print what `ps -eo pid,ppid,pgid,sid,nlwp,stat,lstart,comm,args` does, of a table whose zone is UTC."""
    lines = ["    PID    PPID    PGID     SID NLWP STAT                  STARTED COMMAND         COMMAND\n"]
    for row in table.by_pid():
        ids = f"{row.pid:7} {row.ppid:7} {row.pgid:7} {row.sid:7} {1 + row.extra_threads:4} {stat_of(row):4}"
        started = datetime.fromtimestamp(table.meta.btime + row.start_ticks // 100, UTC)
        args = " ".join(row.args) or f"[{row.comm15}]{' <defunct>' if row.state == 'Z' else ''}"
        lines.append(f"{ids} {started:%a %b %e %H:%M:%S %Y} {row.comm15:15} {args}\n")
    return "".join(lines)


def trial(number: int) -> None:
    """Draw a host, print its processes, import them, run it, and print them again."""
    random = Random(number)
    design = random.choice(list(DESIGNS))
    table, _ = observe(setup_of(design, random), random)
    texts = [Source("axjf.txt", ps_axjf(table)), Source("eo.txt", ps_lstart(table))]
    text, _ = scenario_from(texts=texts, design=design)
    setup = load("host.yaml", text).setup
    story = at_opening(run(replace(setup, terminals=(), until=None), number))
    assert shown(story.table()) == shown(table)
    assert not list(differences(story.world))
    for view in (ps_axjf, ps_ef, ps_lstart):
        assert view(story.table()) == view(table)


@pytest.mark.parametrize("number", range(30))
def test_the_import_of_what_a_tree_prints_is_that_tree(number: int) -> None:
    """Every row comes back: numbers, parents, groups, sessions, terminals, states, threads, starts and words."""
    trial(number)


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_trees_come_back(hundred: int) -> None:
    """The same of a thousand trees."""
    for number in range(1000 + 100 * hundred, 1100 + 100 * hundred):
        trial(number)
