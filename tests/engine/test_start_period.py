"""The start period of a health check: what does not count, until when, how often it is looked, and who has it.

Oracles are moby v17.06.0 daemon/health.go 147-158, v25.0.0 252-273, v28.0.0 35-37.
"""

from __future__ import annotations

import itertools

import pytest

from sim.engine.setup import S
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent
from sim.scenario import load, resolved

HOST = """\
host: {{begin: off}}
engine: {{design: {design}, daemon: {{live-restore: {live}}}}}
services:
  web: {{image: nginx, restart: always, x-payload: {{ready: {ready}}}, healthcheck: {{test: look, {check}}}}}
steps: [{{systemctl: start docker}}, {{at: 10s, compose: up -d web}}{steps}]
until: 80s
expect: [{expect}]
"""


def run(
    check: str, *, design: str = "docker-26", ready: str = "0s", live: str = "false", steps: str = "", expect: str = ""
) -> Run:
    """Run a container with a health check; its expectations must hold."""
    text = HOST.format(check=check, design=design, ready=ready, live=live, steps=steps, expect=expect)
    found = run_scenario(load("f.yaml", text), 1)
    assert [it.text for it in found.verdicts() if not it.holds] == []
    return found


def said(found: Run, word: str) -> list[tuple[float, str]]:
    """Return the events of a kind, each at so many seconds after the container's first start."""
    events = [(it.at or 0, it.event) for it in found.trace if isinstance(it.event, EngineEvent)]
    start = next(at for at, event in events if event.word == "start")
    return [((at - start) / S, event.action) for at, event in events if event.word == word]


def health(found: Run) -> list[tuple[float, str]]:
    """Return when the health changed, to tenths of a second, and to what."""
    return [(round(at, 1), action.partition(": ")[2]) for at, action in said(found, "health_status")]


@pytest.mark.parametrize("design", ["docker-17.06", "docker-20.10", "docker-26", "docker-28-separate"])
def test_failures_within_the_period_do_not_count(design: str) -> None:
    """One failure is enough, four come before the program is ready: healthy is the first word."""
    rest = "timeout: 1s, retries: 1"
    young = run(f"interval: 5s, {rest}, start_period: 40s", ready="22s", design=design)
    assert [word for _, word in health(young)] == ["healthy"]
    old = run(f"interval: 5s, {rest}", ready="22s", design=design)
    assert [word for _, word in health(old)] == ["unhealthy", "healthy"]


def test_after_the_period_failures_count_from_the_first_on() -> None:
    """Probes begin at about 2, 4, 6 and 9 s; those before 5 s do not count, two that do make it unhealthy."""
    found = run("interval: 2s, timeout: 1s, retries: 2, start_period: 5s", ready="1h", design="docker-26")
    ((at, word),) = health(found)
    assert word == "unhealthy"
    starts = [at for at, _ in said(found, "exec_start")]
    assert sum(start < 5 for start in starts) == 2
    assert starts[3] < at < starts[4]


def test_the_first_success_ends_the_period() -> None:
    """The program stands still from 25 s on, long before the period is over: its failures count at once."""
    steps = ", {at: 25s, stop: payload/web}"
    found = run("interval: 5s, timeout: 1s, retries: 2, start_period: 60s", steps=steps)
    assert [word for _, word in health(found)] == ["healthy", "unhealthy"]
    assert health(found)[1][0] < 30


@pytest.mark.parametrize(
    ("design", "said_interval", "gap"),
    [
        ("docker-24", "", 9),
        ("docker-26", "", 9),
        ("docker-28", "", 5),
        ("docker-26", ", start_interval: 2s", 2),
        ("docker-28", ", start_interval: 2s", 2),
    ],
)
def test_in_the_period_it_is_looked_more_often(design: str, said_interval: str, gap: int) -> None:
    """Each probe comes so long after the end of the last one; with its first success or the period's end, 9 s."""
    check = f"interval: 9s, timeout: 1s, start_period: 20s{said_interval}"
    starts = [at for at, _ in said(run(check, design=design, ready="1h"), "exec_start")]
    gaps = [b - a for a, b in itertools.pairwise([0, *starts])]
    young = [it for it, begun in zip(gaps, [0, *starts], strict=False) if begun < 19.8]
    assert all(gap <= it < gap + 0.6 for it in young), gaps
    assert all(9 <= it < 9.6 for it in gaps[len(young) :]), gaps
    starts = [at for at, _ in said(run(check, design=design), "exec_start")]
    assert starts[0] < gap + 0.6
    assert 9 <= starts[1] - starts[0] < 9.6


def test_a_daemon_that_re_attaches_goes_on_with_the_period_of_the_start() -> None:
    """With 20 s of period, restarted after 15 s: the first failure after 20 s counts."""
    steps = ", {at: 25s, systemctl: restart docker}"
    check = "interval: 3s, timeout: 1s, retries: 1, start_period: 20s"
    found = run(check, ready="1h", live="true", steps=steps)
    ((at, word),) = health(found)
    assert word == "unhealthy"
    assert 20 < at < 25  # begun anew it would be 38 s


def test_inspect_counts_no_failure_of_the_period() -> None:
    """FailingStreak is what counts; Log has every result."""
    from sim.views.story import Story

    found = run("interval: 2s, timeout: 1s, retries: 9, start_period: 15s", ready="1h")
    story = Story(found.trace)
    story.to(found.trace.end)
    status, probes = story.health("web") or ("", None)
    assert probes is not None
    assert (status, len(probes.log or ())) == ("unhealthy", 5)
    story = Story(found.trace)
    story.to(found.trace.origin + 20 * S)
    early = story.health("web")
    assert early is not None
    assert (early[0], early[1].streak) == ("starting", 0)
    assert early[1].log


def test_the_keys_are_written_out_in_the_name_of_the_version_that_has_them() -> None:
    """docker-17.05 is a version of the row docker-1.13, which has none."""
    check = "interval: 2s, start_period: 5s"
    text = HOST.format(check=check, design="docker-17.05", ready="0s", live="false", steps="", expect="")
    first = load("f.yaml", text)
    assert first.setup.services[0].healthcheck.start_period == 5 * S  # type: ignore[union-attr]
    again = load("f.yaml", resolved(first))
    assert again.setup.services == first.setup.services


def test_flags_of_docker_run_are_refused_where_the_version_has_none() -> None:
    line = "docker run -d --name web --health-cmd look --health-start-period 5s nginx"
    text = f"engine: {{design: DESIGN}}\nsteps: [{{{line.replace('docker', 'docker:', 1)}}}]\n"
    assert load("f", text.replace("DESIGN", "docker-17.06")).setup.services[0].healthcheck
    with pytest.raises(InputError, match=r"steps\[0\].docker: docker-1.13 has no start_period. docker-17.05 is the"):
        load("f", text.replace("DESIGN", "docker-1.13"))


@pytest.mark.parametrize(("design", "changes"), [("podman", "only if its health"), ("cri-o", "only if its pod has")])
def test_engines_whose_checks_are_not_followed_take_the_file(design: str, changes: str) -> None:
    text = f"engine: {{design: {design}}}\nservices: {{web: {{image: x, healthcheck: {{test: look}}}}}}\n"
    scenario = load("f", text)
    (row,) = [it for it in scenario.noted if it.key == "healthcheck"]
    assert row.changes.startswith(changes)
    assert load("f", resolved(scenario)).setup == scenario.setup
