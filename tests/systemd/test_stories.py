"""Check that the model's systemd does with each recorded story what a real one did, but for what is stated."""

from __future__ import annotations

import pytest

from tests.systemd.compare import STATED, differences, folded, golden, stated
from tests.systemd.record import ACTIVE_OF
from tests.systemd.stories import DEFAULTS, NOTIFIES, PROGRAMS, STORIES

ROWS = {row["name"]: row for row in golden()["stories"]}


@pytest.mark.parametrize("own", [True, False], ids=("own", "other"))
@pytest.mark.parametrize("name", ROWS)
def test_a_story_goes_as_with_a_real_systemd(name: str, own: bool):
    """States, their order and times, answers, what is left; a difference that is stated is still there."""
    known, found = stated(name), differences(name, own=own)
    if known is None:
        assert found == ()
    else:
        assert found, f"{known.what}: no longer so; take it out of STATED"


def test_a_reload_of_a_unit_that_starts_goes_as_with_v219():
    """Both jobs are told so; the unit goes on to be up, at the same time as with the later version."""
    start, reload = differences("notify-reload-ready")
    assert start.startswith("start a says 'Job for a.service invalid.' after 0.5,")
    assert reload.startswith("reload a says 'Job for a.service invalid.' after 0.0,")


def test_every_story_is_recorded():
    """The golden rows are of the stories that are told now; those that go another way each time are named."""
    told = {it.name: it for it in STORIES}
    assert len(told) == len(STORIES)
    assert set(ROWS) | set(golden()["unsteady"]) == set(told)
    for name, row in ROWS.items():
        assert row["units"] == {unit: {**DEFAULTS, **keys} for unit, keys in told[name].units.items()}
        assert [(it["at"], it["does"], it["unit"]) for it in row["acts"]] == list(map(tuple, told[name].acts))
    assert (golden()["programs"], golden()["notify"]) == (PROGRAMS, list(NOTIFIES))


def test_every_difference_is_of_a_recorded_story():
    """None is stated twice."""
    names = [name for it in STATED for name in it.stories]
    assert len(names) == len(set(names))
    assert set(names) <= set(ROWS)


def test_recorded_states_belong_to_their_active_states():
    """Active and sub state go by the table of service.c; every sub state is folded."""
    for row in ROWS.values():
        for states in row["seen"].values():
            assert all(ACTIVE_OF[sub] == active for _, active, sub, *_ in states)
            folded(states)
