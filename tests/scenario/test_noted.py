"""Keys that are accepted and not followed: each has its reason, and says whether it changes an answer."""

import pytest

from sim.engines.docker.ladder import VERSIONS
from sim.errors import InputError
from sim.scenario import load, resolved
from sim.scenario.known import SERVICE_NOT_MODELLED
from sim.scenario.noted import NO, NOTED
from sim.scenario.schema import DaemonFile, NetworkFile, ServiceFile, UnitSection

ROWS = [(section, key) for section, rows in NOTED.items() for key in rows]
READ = {"service": ServiceFile, "daemon": DaemonFile, "unit": UnitSection, "network": NetworkFile}
PLACES = {
    "service": "services: {{web: {{image: x, {key}: 7}}}}\n",
    "daemon": "engine: {{design: {design}, daemon: {{{key}: 7}}}}\nservices: {{web: {{image: x}}}}\n",
    "unit": "engine: {{unit: {{{key}: 7}}}}\nservices: {{web: {{image: x}}}}\n",
}


def load_with(section, key):
    """Return a scenario whose file says *key*, on a version of the engine that has it."""
    for design in ("docker-1.13", *VERSIONS):
        try:
            return load("f", text=f"engine: {{design: {design}}}\n" * (section == "service")
                        + PLACES[section].format(key=key, design=design))  # fmt: skip
        except InputError as error:
            if f"has no {key}" not in str(error):
                raise
    pytest.fail(f"no version has {key}")


@pytest.mark.parametrize("section", PLACES)
def test_no_key_of_the_table_refuses_a_file(section):
    """Each is noted with its reason, its place, and in one list alone: without effect, or among what is assumed."""
    for key, noted in NOTED[section].items():
        scenario = load_with(section, key)
        (row,) = [it for it in scenario.noted if it.key == key]
        assert (row.why, row.changes, row.count) == (noted.why, noted.changes, 1)
        assert row.where.startswith("f:")
        told = [any(key in sentence for sentence in it) for it in (scenario.without_effect, scenario.assumptions)]
        assert told == [noted.changes == NO, noted.changes != NO], key


@pytest.mark.parametrize(("section", "key"), ROWS)
def test_a_reason_is_given_and_an_effect_is_no_or_a_condition(section, key):
    noted = NOTED[section][key]
    assert noted.why
    assert not noted.why.endswith(".")
    assert noted.changes == NO or noted.changes.startswith("only ")
    if section in READ:
        assert key not in READ[section].known_keys(), "a key is followed, or it is not"
    assert section != "service" or key not in SERVICE_NOT_MODELLED


def test_what_may_change_the_answer_is_written_out_with_the_scenario():
    """A file that was written out says still what its author's keys may have changed."""
    scenario = load("f", text="services: {web: {image: x, pids_limit: 50}, db: {image: y, pids_limit: 9}}\n")
    (said,) = [it for it in scenario.assumptions if "pids_limit" in it]
    assert said.startswith("services: pids_limit ×2 changes the answer only if its program comes near the limit")
    assert said in load("f", text=resolved(scenario)).assumptions


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("engine: {unit: {TasksMax: infinity}}", "TasksMax"),
        ("engine: {daemon: {init: false}}", "init"),
        ("services: {db: {image: x, pids_limit: -1}}", "pids_limit"),
    ],
)
def test_a_limit_that_is_none_changes_nothing(text, key):
    services = "" if text.startswith("services") else "\nservices: {web: {image: x}}"
    scenario = load("f", text=f"{text}{services}\n")
    assert [(it.key, it.changes) for it in scenario.noted] == [(key, NO)]


def test_a_misspelt_key_is_still_refused():
    with pytest.raises(InputError, match=r"services\.web\.pids_limt: unknown key\. Did you mean pids_limit"):
        load("f", text="services: {web: {image: x, pids_limt: 5}}\n")
