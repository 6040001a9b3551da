"""Which views a host has, and what a view is asked of: what is refused is told what there is on that host."""

import json
import re

import pytest

import sim
from sim.designs import DESIGNS
from sim.designs.takes import known_units, units_in
from sim.engines.host.systemd.unit import TEMPLATE
from sim.errors import InputError
from sim.experiment.run import Run
from sim.experiment.viewing import all_views, views_of
from tests.cli.test_files import TABLE

FILE = "engine: {{design: {design}}}\nservices: {{web: {{image: nginx}}}}\nuntil: 1s\n"
STATUS = "systemctl-status"


def run_of(design: str) -> Run:
    """Return a host of a design on which one container runs."""
    return sim.run(FILE.format(design=design))


def asked(run: Run, of: str, view: str = STATUS) -> tuple[str, str]:
    """Return what a view prints of something, and what it is refused with."""
    try:
        return str(run.show(view, of=of)), ""
    except InputError as error:
        return "", str(error)


def views_in(text: str) -> set[str]:
    """Return the views that a text names."""
    return set(re.findall(r"[a-z]+(?:-[a-z]+)*", text)) & set(all_views())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("view", ["crictlps", "docker-pss", "podman-infos", "pstre", "nothing"])
def test_a_view_that_nobody_has_is_refused_with_those_of_the_host(design, view, shimulator, folder):
    """The command lists, and takes for near, only views that its run has, and runs nothing before."""
    (folder / "f.yaml").write_text(FILE.format(design=design) + "steps: [{at: 1s, docker: ps}]\n", encoding="utf-8")
    said = shimulator("show", "f.yaml", "--as", view)
    assert (said.status, said.out) == (2, "")
    assert views_in(said.err) == set(views_of(DESIGNS[design]))


@pytest.mark.parametrize("design", DESIGNS)
def test_a_view_of_another_host_is_refused_before_the_run(design, shimulator, folder, monkeypatch):
    """Nobody waits for a run whose view the host has not."""
    (folder / "f.yaml").write_text(FILE.format(design=design), encoding="utf-8")
    monkeypatch.setattr("sim.cli.files.run_scenario", lambda *given: pytest.fail("it was run"))
    for view in sorted({*all_views(), "nothing"} - set(views_of(DESIGNS[design]))):
        assert shimulator("show", "f.yaml", "--as", view).status == 2


def test_a_view_that_nobody_has_is_none_of_a_table_either(shimulator, folder):
    """A table is of no host: what can be shown of one is listed."""
    (folder / "t.json").write_text(json.dumps(TABLE), encoding="utf-8")
    said = shimulator("show", "t.json", "--as", "crictlps")
    assert said.status == 2
    assert "there is no view 'crictlps'" in said.err
    assert "crictl-ps" not in said.err
    assert "pstree" in said.err


@pytest.mark.parametrize("design", [name for name, design in DESIGNS.items() if STATUS in views_of(design)])
def test_the_status_is_asked_of_a_unit(design):
    """Units are named with or without their ending; what is none is refused with those that there are."""
    run, found = run_of(design), DESIGNS[design]
    units = [*units_in(found), *(["web"] if TEMPLATE in found.units else [])]
    for unit in units:
        text, said = asked(run, unit)
        assert text.startswith(f"● {unit}.service"), said
        assert asked(run, f"{unit}.service") == (text, "")
    for name in {*known_units(), "foo", "web"} - set(units):
        for spelt in (name, f"{name}.service"):
            text, said = asked(run, spelt)
            assert text == ""
            assert f"{design} has no unit '{name}.service'" in said
            assert said.endswith(f"It has {', '.join(f'{unit}.service' for unit in units)}."), said


@pytest.mark.parametrize("design", [name for name, design in DESIGNS.items() if TEMPLATE in design.units])
def test_a_container_that_is_no_unit_has_no_status(design):
    """One that a command made is no unit, and without any unit nothing is printed."""
    late = sim.run(FILE.format(design=design) + "steps: [{docker: run -d --name late nginx}]\n")
    assert f"{design} has no unit 'late.service'" in asked(late, "late")[1]
    assert sim.run(f"engine: {{design: {design}}}\nuntil: 1s\n").show(STATUS) == ""


def test_help_says_that_a_unit_can_be_asked_for(shimulator):
    """--of is no container alone."""
    assert "the unit" in re.sub(r"\s+", " ", shimulator("show", "--help").out.rpartition("--of NAME")[2])[:200]
