"""daemon-reload and daemon-reexec: nothing ends, a wait for RestartSec= begins anew, counted starts are forgotten."""

import pytest

import sim
from sim.designs import DESIGNS
from sim.errors import InputError
from sim.facts import StepDone, UnitChanged
from sim.scenario import load

VERBS = ["daemon-reload", "daemon-reexec"]
WAITS = """
services: {web: {image: nginx, restart: always}}
engine: {unit: {Restart: always, RestartSec: 5s}}
steps:
  - {id: kill, at: 60s, kill: dockerd}
  - {id: again, at: kill+3s, systemctl: VERB}
until: kill+30s
"""
LIMIT = """
services: {web: {image: nginx}}
engine: {unit: {Restart: always, RestartSec: 100ms, StartLimitBurst: 3, StartLimitInterval: 1m}}
steps:
  - {id: kill, at: 60s, kill: dockerd, every: 6s, times: 4}
  - {id: again, at: 76s, systemctl: VERB}
until: 100s
"""


def started(text: str) -> list[float]:
    """Return when docker.service was started after t = 60 s, in s from there."""
    run = sim.run(text)
    at = [
        (record.at or 0) - run.trace.origin - 60_000_000
        for record in run.trace
        if type(record.event) is UnitChanged and (record.event.unit, record.event.state) == ("docker", "activating")
    ]
    return [it / 1e6 for it in at if it > 0]


@pytest.mark.parametrize("verb", VERBS)
def test_a_wait_for_restart_sec_begins_anew(verb):
    """Three of five seconds are over: with systemd 219 five more are waited."""
    assert started(WAITS.replace("VERB", "is-active docker")) == [pytest.approx(5.0, abs=0.01)]
    assert started(WAITS.replace("VERB", verb)) == [pytest.approx(8.0, abs=0.01)]


@pytest.mark.parametrize("verb", VERBS)
def test_counted_starts_are_forgotten(verb):
    """The fourth start within a minute is one too many, unless what was counted has been forgotten."""
    assert len(started(LIMIT.replace("VERB", "is-active docker"))) == 3
    assert len(started(LIMIT.replace("VERB", verb))) == 4


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", DESIGNS)
def test_no_process_of_any_design_notices(verb, name):
    """PID 1 reads what it knew: the tree stays, ports answer, and the command ends well."""
    run = sim.run(f"""
services: {{web: {{image: nginx, ports: ["80:80"], restart: always}}}}
engine: {{design: {name}}}
steps: [{{id: again, at: 60s, systemctl: {verb}}}]
until: 70s
expect:
  - {{at: end, port: 80, from: remote, open: true}}
""")
    assert run.tree("again-1s").nodes == run.tree("end").nodes
    assert [record.event.error for record in run.trace if type(record.event) is StepDone][-1:] == [""]
    assert [found.holds for found in run.verdicts()] == [True]


@pytest.mark.parametrize("verb", VERBS)
def test_they_take_no_unit(verb):
    """PID 1 reads the files of all of them."""
    with pytest.raises(InputError, match=f"systemctl {verb} takes no unit"):
        load("x", f"services: {{web: {{image: nginx}}}}\nsteps: [{{at: 1s, systemctl: {verb} docker}}]")
