"""Which settings would have helped: each is run, and what is said of it is what came of that run."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.experiment.remedies import better, outcome_of
from sim.experiment.run import Run, run_scenario
from sim.render.remedies_text import remedies_text
from sim.scenario import load
from sim.views.remedies import Outcome
from tests.views.test_fates import ran


def test_live_restore_and_another_policy_help_against_a_killed_dockerd() -> None:
    """Of 26 both are found, the one that keeps processes first, and a policy that is no help is said to be none."""
    found = ran("docker-26", "kill: dockerd").remedies(jobs=1)
    assert found.now.fates == {"lost": 2, "new process": 1}
    by_words = {it.words: it for it in found.helps}
    assert found.helps[0].words == "live-restore: true"
    assert by_words["live-restore: true"].outcome.fates == {"kept": 3}
    assert by_words["restart: always"].containers == ("web", "job")
    assert by_words["restart: always"].outcome.fates == {"new process": 3}
    assert "restart: on-failure" in {it.words for it in found.others}


def test_what_is_said_of_a_remedy_is_what_its_run_gives() -> None:
    """The settings of a remedy, given by hand, lead to the outcome that stands beside it."""
    run = ran("docker-26", "systemctl: restart docker")
    for remedy in run.remedies(jobs=1).helps:
        again = run.again(*remedy.settings).fates()
        assert outcome_of(again) == remedy.outcome


def test_a_program_that_needs_longer_gets_longer() -> None:
    """A stop that ends with KILL after 10 s is a matter of stop_grace_period, and not if TERM is ignored."""

    def stopped(on_term: str) -> Run:
        text = f"services: {{web: {{restart: always, x-payload: {{on_term: {on_term}}}}}}}\n"
        steps = "steps: [{id: kill, at: 1s, docker: restart web}]\nuntil: kill+60s\n"
        return run_scenario(load("x.yaml", f"engine: {{design: docker-26}}\n{text}{steps}"))

    slow = stopped("exit 0 after 20s")
    assert slow.fates()[0].exit_code == 137
    assert "stop_grace_period: 30s" in {it.words for it in slow.remedies(jobs=1).helps}
    assert not stopped("ignore").remedies(jobs=1).helps


def test_where_nothing_is_harmed_nothing_is_tried() -> None:
    """A run in which all is kept and no port is dark has no remedies."""
    found = run_scenario(load("x.yaml", "services: {web: {}}\nuntil: 10s\n")).remedies(jobs=1)
    assert found.helps == found.others == ()
    assert "Nothing that was tried helps" in remedies_text(found)


@pytest.mark.parametrize("design", [it for it in DESIGNS if DESIGNS[it].traits.engine or "quadlet" in it])
def test_every_design_is_asked_only_for_what_it_has(design: str) -> None:
    """Candidates come from the design's own vocabulary: each that is tried can be run."""
    for remedy in ran(design, "kill: payload/job", until="kill+30s").remedies(jobs=1).helps:
        assert "live-restore" not in remedy.words or DESIGNS[design].traits.live_restore


def test_what_is_worse_is_no_remedy() -> None:
    """The first difference decides: whoever loses fewer is better, whatever the dark times are."""
    good, bad = Outcome(2, {"kept": 2}, 0, {"remote": 9.0}), Outcome(2, {"kept": 1, "lost": 1}, 0, {"remote": 1.0})
    assert better(bad, good)
    assert not better(good, bad)
    assert not better(Outcome(1, {"kept": 1}, 0, {"remote": 1.0}), Outcome(1, {"kept": 1}, 0, {"remote": 0.99}))
