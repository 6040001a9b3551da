"""`whatif:` and the command line's words: values, ranges, grids, zips, and what is refused."""

import pytest

from sim.errors import InputError
from sim.experiment.faulted import fault_setting
from sim.experiment.question import asked_for, precision
from sim.scenario import load
from sim.scenario.asked import dimension, expanded, grid, spelled, zipped
from sim.scenario.text import parse_value
from sim.scenario.words import Refusal

FILE = """
services: {web: {image: nginx}}
steps:
  - {id: look, at: 50s, docker: top web}
  - {id: shot, at: 60s, kill: dockerd, wait: true}
until: shot+30s
whatif:
"""


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("a=1", ("1",)),
        ("a=", ("",)),
        ("a=x,y", ("x", "y")),
        ('a=["80:80","81:81"],[]', ('["80:80","81:81"]', "[]")),
        ('a="1..3"', ('"1..3"',)),
        ("a=-1..1", ("-1", "0", "1")),
        ("a=100ms..300ms..100ms", ("100ms", "200ms", "300ms")),
        ("a=1..2s", ("1s", "2s")),
        ("a=10..30..10", ("10", "20", "30")),
        ("a=b=c", ("b=c",)),
    ],
)
def test_values_of_a_setting(setting, values):
    """Commas part values outside of brackets and quotes; LOW..HIGH..STEP is a range."""
    assert dimension(setting) == ("a", values)


@pytest.mark.parametrize(
    ("text", "message"),
    [("3..1", "holds no value"), ("1..2..0", "holds no value"), ("1s..2ms", "mixes units"), ("1..9999", "the most")],
)
def test_ranges_that_are_none(text, message):
    """A range that is empty, mixed or too long says so."""
    with pytest.raises(Refusal, match=message):
        expanded(text)


def test_a_grid_takes_each_with_each_and_a_zip_in_step():
    """Two and three values are six alternatives; zipped they must be equally many."""
    two, three = ("a", ("1", "2")), ("b", ("x", "y", "z"))
    assert len(grid([two, three])) == 6
    assert grid([two, three])[0] == ("a=1", "b=x")
    with pytest.raises(Refusal, match="a has 2, b has 3"):
        zipped([two, three])
    with pytest.raises(Refusal, match="the most"):
        grid([("a", ("1",) * 40), ("b", ("1",) * 40)])


@pytest.mark.parametrize("value", [True, None, 7, "7", "no", "true", "a: b", [1, "2"], {"a": {"b": None}}, "1.50"])
def test_values_are_spelled_so_that_yaml_reads_them_back(value):
    """What a block says reaches a setting as it was."""
    assert parse_value(spelled(value)) == value


def test_a_block_is_read():
    """Grid, zip and list are alternatives one after the other; faults may be steps."""
    block = """
  grid: {engine.daemon.live-restore: [true, false], host.cores: 1..2}
  zip: {host.cores: [3, 4], engine.unit.RestartSec: [1s, 2s]}
  list: [{host.cores: 8}]
  faults: [containerd, {kill: dockerd, signal: TERM}]
  window: [shot, shot+10s]
  seeds: 7
  precision: 5%
  most: 70
"""
    asked = load("x.yaml", FILE + block).asked
    assert asked.alternatives == (
        ("engine.daemon.live-restore=true", "host.cores=1"),
        ("engine.daemon.live-restore=true", "host.cores=2"),
        ("engine.daemon.live-restore=false", "host.cores=1"),
        ("engine.daemon.live-restore=false", "host.cores=2"),
        ("host.cores=3", "engine.unit.RestartSec=1s"),
        ("host.cores=4", "engine.unit.RestartSec=2s"),
        ("host.cores=8",),
    )
    assert asked.faults == ("containerd", '{"kill": "dockerd", "signal": "TERM"}')
    assert (asked.window, asked.seeds, asked.precision, asked.most) == (("shot", "shot+10s"), 7, "5%", 70)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("  grid: {host.cors: 1}", r"x.yaml:8:21: whatif.grid.host.cors: .*Did you mean cores"),
        ("  grid: {host.cores: 4..1}", "holds no value"),
        ("  window: [shoot, end]", "whatif.window.0.|Did you mean shot"),
        ("  gird: {}", "Did you mean grid"),
        ("  seeds: 0", "a number of runs"),
    ],
)
def test_a_block_that_is_wrong_is_refused_at_its_place(block, message):
    """A misspelt path, a range without values, a moment that is none."""
    with pytest.raises(InputError, match=message):
        load("x.yaml", FILE + block + "\n")


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        ("containerd", {"kill": "containerd"}),
        ("stop dockerd", {"stop": "dockerd"}),
        ("systemctl restart docker", {"systemctl": "restart docker"}),
        ("power_loss", {"power_loss": True}),
        ("{kill: dockerd, signal: TERM}", {"kill": "dockerd", "signal": "TERM"}),
    ],
)
def test_a_fault_takes_the_place_of_the_first_harm(fault, kept):
    """The step keeps its id, moment and wait; what harms nothing stays."""
    scenario = load("x.yaml", FILE)
    changed = load("x.yaml", FILE, [fault_setting(scenario, fault)])
    assert changed.raw["steps"] == [scenario.raw["steps"][0], {"id": "shot", "at": "60s", "wait": True, **kept}]


def test_a_fault_is_added_where_nothing_harms():
    """It comes a minute after t = 0."""
    text = "services: {web: {image: nginx}}\n"
    changed = load("x.yaml", text, [fault_setting(load("x.yaml", text), "dockerd")])
    assert changed.raw["steps"] == [{"id": "fault", "at": "60s", "kill": "dockerd"}]


def test_words_that_are_no_fault_are_refused():
    """The nearest action is named."""
    with pytest.raises(InputError, match="Did you mean systemctl"):
        fault_setting(load("x.yaml", FILE), "systemctrl restart docker")
    with pytest.raises(InputError, match=r"--faults kill .*: nested deeper than 60 levels"):
        fault_setting(load("x.yaml", FILE), "kill " + "[" * 40_000)


def test_the_command_lines_words():
    """--design is a setting; faults are parted at commas outside of braces."""
    asked = asked_for(["host.cores=1,2"], "a,b", "dockerd,{kill: x, signal: TERM}")
    assert [settings[1] for settings in asked.alternatives] == ["engine.design=a", "engine.design=b"] * 2
    assert asked.faults == ("dockerd", "{kill: x, signal: TERM}")
    assert asked_for(["a=1,2", "b=x,y"], None, None, zip_=True).alternatives == (("a=1", "b=x"), ("a=2", "b=y"))
    with pytest.raises(InputError, match="is not a setting"):
        asked_for(["host.cores"], None, None)


@pytest.mark.parametrize("text", ["5", "0%", "x%", "-1s", "nan%", "inf%"])
def test_a_precision_that_is_none_is_refused(text):
    """A width has a unit and is above 0."""
    with pytest.raises(InputError, match="Write 100ms or 5%"):
        precision(text)


def test_a_value_that_is_too_deep_to_be_read_is_quoted():
    """It is text where it was found, and stays text."""
    assert spelled("[" * 62) == f'"{"[" * 62}"'
    assert spelled("[" * 61) == "[" * 61
