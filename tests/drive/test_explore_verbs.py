"""Every order of the other verbs: the explorer finds what the plain one does, and the reduced one every end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sim.drive.explore import COMPLETE, explore
from sim.engine.setup import Docker, Ends, Instant, S, Setup, Step
from tests.drive.lives import AFTER, HASTY, PLAIN, kill, setup_of, with_faults
from tests.drive.plain import Plain

JOB = replace(HASTY, at_begin=False, auto_remove=True, payload=replace(HASTY.payload, exits=Ends(1, 5 * S)))
RUN = Step("up", Instant(), Docker("run", "web", attach=True))


def steps(*verbs: str) -> tuple[Step, ...]:
    """Return a step for each verb, one after the other."""
    return tuple(Step(f"{verb} {place}", AFTER, Docker(verb, "web")) for place, verb in enumerate(verbs))


def said(verb: str, *words: str) -> Step:
    """Return a step whose verb has words besides."""
    return Step(verb, AFTER, Docker(verb, "web", words=words))


CASES: dict[str, Setup] = {
    "pause": setup_of(PLAIN, *steps("pause", "unpause"), begin="steady"),
    "a stop of what is paused": setup_of(PLAIN, *steps("pause", "stop", "unpause"), begin="steady"),
    "a kill that waits for the thaw": setup_of(
        HASTY, *steps("pause"), kill("payload", "shot"), Step("go", AFTER, Docker("unpause", "web")), begin="steady"
    ),
    "pause, and a fault": with_faults(setup_of(HASTY, *steps("pause"), begin="steady")),
    "update and rename": setup_of(PLAIN, said("update", "always", "0"), said("rename", "old"), begin="steady"),
    "what only reads": setup_of(PLAIN, *steps("ps", "inspect", "info", "version", "logs"), begin="steady"),
    "run in the foreground": setup_of(replace(HASTY, at_begin=False), RUN, begin="steady"),
    "run --rm in the foreground": setup_of(JOB, RUN, begin="steady"),
}
STATES = 5_000  # more are too many for the plain explorer within a test


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", CASES)
def test_every_order_of_a_verb_is_found(case: str) -> None:
    """States, transitions, depth and ends are those of an explorer that copies whole worlds."""
    full, reduced = (explore(CASES[case], start="open", reduce=how) for how in (False, True))
    assert (full.verdict, reduced.verdict) == (COMPLETE, COMPLETE)
    assert len(full.ends) == len(reduced.ends)
    if full.states < STATES:
        plain = Plain(CASES[case], "open", limit=STATES)
        found = full.states, full.transitions, full.depth, len(full.ends)
        assert found == (len(plain.keys), plain.transitions, plain.depth, plain.ends)
