"""Which moments a report has, and that many chains of causes are those that are asked for one by one."""

from itertools import pairwise

import pytest

from sim.engines.cri.shows.rows import sandboxes
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.report import FEWEST, ReportData, report_data
from sim.views.story import Story
from sim.views.timeline import timeline_data
from sim.views.why_chain import chain, chains
from sim.views.why_words import Focus
from tests.cli.conftest import SMALL

EVENTFUL = """\
services:
  web: {image: nginx, ports: ["80:80"], restart: always, healthcheck: {test: [CMD, ok], interval: 5s, timeout: 1s}}
  db: {image: postgres, restart: on-failure, x-payload: {threads: 3}}
steps:
  - {at: 2s, docker: pause db}
  - {at: 4s, docker: unpause db}
  - {at: 6s, docker: kill -s STOP db}
  - {at: 7s, docker: kill -s CONT db}
  - {id: shot, at: 20s, kill: containerd}
  - {at: shot+14s, docker: stop db}
until: shot+40s
"""


def made(text: str, rows: int = 10**9) -> tuple[Run, ReportData]:
    """Return a run and what its report shows."""
    run = run_scenario(load("x.yaml", text) if "\n" in text else load(text))
    return run, report_data(run.trace, timeline_data(run.trace, window=(-5_000_000, 200_000_000)), rows=rows)


PODS = """
engine: {design: %s}
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  db: {image: redis, restart: "no", x-payload: {exits: {code: 3, after: 5s}}}
steps:
  - {at: 1s, docker: kill web}
  - {at: 8s, docker: rm db}
  - {at: 20s, docker: restart web}
until: 50s
"""


def states(story: Story) -> list[object]:
    """Return what the engine's listings say but for the time that passes, and whether it is answered."""
    rows = [(c.name, c.running, c.paused, c.restarting, c.exit_code, c.health) for c in story.containers()]
    pods = (
        [(it.name, it.state, it.attempt) for it in sandboxes(story)]
        if story.world.design.traits.client == "crictl"
        else []
    )
    return [story.off or story.daemon() or story.silence(), rows, pods]


@pytest.mark.parametrize("text", [
    SMALL, EVENTFUL, "t51-reboot#5", "t53-dockerd-stopped#1", "podman-payload-killed", PODS % "containerd-cri",
    PODS % "cri-o",
])  # fmt: skip
def test_every_change_of_a_text_is_a_moment(text: str) -> None:
    """Whenever a record changes what ps, pstree, or the engine's own listings and events print, there is a moment."""
    run, data = made(text)
    moments = {moment.at for moment in data.moments}
    first, last = data.moments[0].at, data.moments[-1].at
    ats = sorted({record.at for record in run.trace if record.at is not None and first <= record.at <= last})
    views = ("ps-axjf", "pstree", f"{run.at().design.traits.client}-events")
    texts = {at: [*(run.show(view, at) for view in views), *states(run.story(at))] for at in ats}
    changed = {at for before, at in pairwise(ats) if texts[before] != texts[at]}
    assert len(changed) > 10
    assert changed <= moments


def test_what_is_left_out_is_short_and_steps_stay() -> None:
    """Of too many moments those stay that last longest; what the report says of the others is true."""
    run = run_scenario(load("document"))
    whole, data = (report_data(run.trace, run.timeline(), rows=rows) for rows in (10**9, 1))
    assert len(data.moments) == FEWEST < len(whole.moments)
    assert data.left_out == len(whole.moments) - FEWEST
    kept = {moment.at for moment in data.moments}
    lasts = {moment.at: later.at - moment.at for moment, later in pairwise(whole.moments)}
    assert data.shorter == max(lasts[at] for at in lasts if at not in kept)
    assert {run.moment(name) for name in ("kill", "end")} <= kept


@pytest.mark.parametrize("name", ["document", "shim-while-containerd-down"])
def test_many_chains_are_those_of_one_each(name: str) -> None:
    """Following many records together, for different people, changes nothing."""
    trace = run_scenario(load(name)).trace
    focuses = [Focus(), *map(Focus.of, trace.setup.services)]
    asked = [(seq, focuses[seq % len(focuses)]) for seq in range(len(trace) - 1, 0, -len(trace) // 25)]
    found = chains(trace, asked)
    assert found == [chain(trace, seq, focus) for seq, focus in asked]
    assert sum(map(len, found)) > 30
