"""Keys of the units beside the engine's own: containerd.service of the packages, kubelet.service of a node."""

import pytest

from sim.designs import DESIGNS
from sim.designs.takes import units_in
from sim.drive.timed import run
from sim.errors import InputError
from sim.facts import StepDone
from sim.scenario import instant, load, resolved
from sim.views.moments import Moments
from sim.views.timeline import settings_of

S = 1_000_000
BESIDE = [(name, unit) for name, design in DESIGNS.items() for unit, file in design.units.items() if file.own]
TEXT = """\
engine: {{design: {design}, units: {{{unit}: {{{keys}}}}}}}
services: {{web: {{image: nginx}}}}
steps:
{steps}until: 60s
"""


def loaded(design, unit, keys, *steps):
    """Return a scenario with keys of a unit."""
    lines = "".join(f"  - {step}\n" for step in steps)
    return load("f", text=TEXT.format(design=design, unit=unit, keys=keys, steps=lines or "  []\n"))


def back_after(design, unit, keys):
    """Return after how many seconds the main process of a killed unit is there again, None if it stays away."""
    program = units_in(DESIGNS[design])[unit]
    scenario = loaded(design, unit, keys, f"{{id: shot, at: 1s, kill: {program}}}")
    moments = Moments(run(scenario.setup))
    begin, back = (moments.at(instant(text, scenario)) for text in ("shot", f"Forked({program})"))
    return None if back is None else (back - begin) / S


@pytest.mark.parametrize(("design", "unit"), BESIDE)
def test_the_keys_of_a_unit_beside_the_engines_own_go_by_the_file(design, unit):
    """RestartSec= is waited for, Restart=no leaves it dead, and what is not said is the package's."""
    assert back_after(design, unit, "Restart: always, RestartSec: 7s") >= 7
    assert back_after(design, unit, "Restart: 'no'") is None
    own = DESIGNS[design].units[unit].own
    assert dict(loaded(design, unit, "RestartSec: 7s").setup.engine.units)[unit].restart == own.restart


@pytest.mark.parametrize(
    ("keys", "left"), [("KillMode: process", True), ("KillMode: mixed", False), ("KillMode: control-group", False)]
)
def test_kill_mode_of_containerd_says_whether_shims_outlive_it(keys, left):
    """They are in its control group."""
    scenario = loaded("docker-26-separate", "containerd", keys, "{id: stop, at: 1s, systemctl: stop containerd}")
    trace = run(scenario.setup)
    world = trace.at(trace.end)
    assert any(it.image.program == "shim" and it.alive for it in world.host.procs.values()) == left


def test_a_stop_of_a_deaf_containerd_takes_its_timeout():
    """TimeoutStopSec= of containerd.service, then KILL."""
    steps = ("{id: hold, at: 1s, stop: containerd}", "{id: stop, at: 2s, systemctl: stop containerd}")
    scenario = loaded("docker-26-separate", "containerd", "TimeoutStopSec: 8", *steps)
    done = [it.at for it in run(scenario.setup) if isinstance(it.event, StepDone) and it.event.id == "stop"]
    begun = Moments(run(scenario.setup)).at(instant("stop", scenario))
    assert 8 <= (done[0] - begun) / S < 9


@pytest.mark.parametrize("design", DESIGNS)
def test_a_unit_that_a_design_lacks_is_refused_with_one_that_has_it(design):
    """Its own unit has its keys under engine.unit; of others the message names a design that has one."""
    own = DESIGNS[design].traits.engine_unit
    for unit in sorted({unit for _, unit in BESIDE} - {unit for name, unit in BESIDE if name == design}):
        with pytest.raises(InputError) as refused:
            loaded(design, unit, "Restart: always")
        said = str(refused.value)
        if unit == own and unit in units_in(DESIGNS[design]):
            assert f"{unit}.service is the engine's own unit on {design}. Write engine: {{unit: …}}." in said
        else:
            named = said.partition(" beside its own. ")[2].partition(" has one.")[0]
            assert (named, unit) in BESIDE, said


def test_a_unit_that_is_named_twice_is_refused():
    """With and without its .service it is the same unit; neither mapping may win without a word."""
    text = "engine: {design: docker-26-separate, units: {containerd: {KillMode: mixed}, containerd.service: {}}}"
    with pytest.raises(InputError, match=r"engine.units.containerd.service: this unit is named a second time"):
        load("f", text=text)


def test_the_keys_are_written_back_shown_and_set():
    """The resolved file has them, the timeline names them, --set changes one."""
    scenario = loaded("docker-26-separate", "containerd.service", "KillMode: mixed")
    again = load("f", text=resolved(scenario))
    assert again.setup.engine == scenario.setup.engine
    assert ("containerd.kill-mode", "mixed") in settings_of(scenario.setup)
    path = ["engine.design=docker-26-separate", "engine.units.containerd.KillMode=mixed"]
    assert load("f", text="services: {web: {image: nginx}}", settings=path).setup.engine == scenario.setup.engine
