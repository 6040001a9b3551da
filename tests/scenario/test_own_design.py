"""What a file is refused with, and what it may say, goes by its own design: its units, its versions, its numbers."""

import re
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType

import pytest
import yaml

import sim
from sim.designs import DESIGNS, Design
from sim.designs.takes import known_units, takes, units_in, units_of
from sim.engine.setup import EngineSetup, Unverified, Upgrade
from sim.engines.host.systemd.unit import TEMPLATE
from sim.errors import InputError
from sim.scenario import load
from sim.scenario.resolved import resolved
from sim.views.design_differences import differences

FILE = "engine: {{design: {design}}}\nservices: {{web: {{image: nginx}}}}\nsteps: [{steps}]\n"
UPGRADES = tuple(name for name, design in DESIGNS.items() if takes(design, Upgrade(name, 0)))
OF_CONTAINERS = tuple(name for name, design in DESIGNS.items() if TEMPLATE in design.units)


def refused(design: str, *steps: str) -> str:
    """Return what is said of steps on a host of a design; "" if they mean something."""
    try:
        load("f", text=FILE.format(design=design, steps=", ".join(f"{{{step}}}" for step in steps)))
    except InputError as error:
        return str(error)
    return ""


# -- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("unit", ["nobody", "dokcer", "crioo", "kubelte", ""])
def test_a_unit_that_nobody_has_is_refused_with_those_of_the_design(design: str, unit: str) -> None:
    """Units are listed, and spellings taken for near, only of the design of the file."""
    said = refused(design, f"systemctl: restart {unit}")
    assert said
    others = set(known_units()) - set(units_in(DESIGNS[design])) - {unit}
    assert not others & set(re.findall(r"[a-z-]+", said.replace(design, ""))), said


@pytest.mark.parametrize("design", DESIGNS)
def test_a_unit_that_nobody_has_is_no_matter_of_what_is_modelled(design: str) -> None:
    """It does not exist; the nearest one is given, also of another version, or what the host has, as a sentence."""
    said = refused(design, "systemctl: restart contianerd")
    assert "there is no unit contianerd. " in said
    assert ("Did you mean containerd?" in said) == ("containerd" in units_of(DESIGNS[design]))
    said = refused(design, "systemctl: restart nobody")
    assert "there is no unit nobody. " in said
    assert "not modelled" not in said
    assert not re.search("[:,] *[.]", said), said
    assert said.rstrip().endswith("."), said


@pytest.mark.parametrize("design", DESIGNS)
def test_a_unit_of_another_design_is_refused_with_that_design(design: str) -> None:
    """Who has it is said, and what there is on this host instead."""
    for unit in set(known_units()) - set(units_of(DESIGNS[design])):
        said = refused(design, f"systemctl: restart {unit}")
        owner = re.search(rf"{design} has no {unit}.service[.] ([a-z0-9.-]+) has one[.]", said)
        assert owner, said
        assert unit in units_in(DESIGNS[owner[1]])


@pytest.mark.parametrize("design", OF_CONTAINERS)
def test_a_container_is_the_unit_of_its_name_whatever_units_other_engines_have(design: str) -> None:
    """Where containers are units, one may be called as another engine's unit is."""
    text = FILE.format(design=design, steps="{systemctl: restart web}")
    for unit in known_units():
        assert load("f", text=text.replace("web", unit)).setup.terminals


def test_several_units_and_none_are_refused_in_their_own_words() -> None:
    """It is the number of units that is not modelled, not the units."""
    said = refused("docker-26-separate", "systemctl: restart docker containerd")
    assert "systemctl restart takes one unit here; docker, containerd are 2. Give each a step of its own." in said
    assert "systemctl status needs a unit. docker-26-separate has docker, containerd." in refused(
        "docker-26-separate", "systemctl: status"
    )


@pytest.mark.parametrize("design", DESIGNS)
def test_the_main_process_of_a_container_is_asked_for_where_containers_are_units(design: str) -> None:
    """Elsewhere it is the unit that is missing, not a program of podman's."""
    said = refused(design, "systemctl: kill --kill-who=main web")
    assert bool(said) is (TEMPLATE not in DESIGNS[design].units)
    assert not said or f"{design} has no web.service" in said


@pytest.mark.parametrize("design", [name for name in DESIGNS if set(known_units()) - set(units_of(DESIGNS[name]))])
def test_a_container_is_ready_under_its_name_whatever_units_other_engines_have(design: str) -> None:
    """A container is not taken for another engine's unit, and a unit that the host has not is never ready."""
    unit = next(unit for unit in known_units() if unit not in units_of(DESIGNS[design]))
    steps = "{docker: stop web}, {at: 20s, docker: start web}, {id: up, at: ready(web), kill: payload/web}"
    if TEMPLATE in DESIGNS[design].units:
        steps = steps.replace("docker:", "systemctl:")
    text = FILE.format(design=design, steps=steps).replace("web", unit) + "until: 60s\n"
    run = sim.run(text)
    assert run.trace.origin + 20_000_000 < run.moment("up") == run.moment(f"ready({unit})")
    assert f"there is no container '{unit}'" in refused(design, f"at: ready({unit}), kill: payload/web")


# -- upgrades ---------------------------------------------------------------------------------------


def pairs() -> Iterator[tuple[Design, Design]]:
    """Yield each design with each that no upgrade leads to from it, since it is another engine."""
    for one in DESIGNS.values():
        yield from ((one, other) for other in DESIGNS.values() if (one.name in UPGRADES) != (other.name in UPGRADES))


def test_an_upgrade_is_refused_by_what_the_host_has() -> None:
    """From an engine whose upgrades are not modelled there is none; from Docker none leads to another engine."""
    for one, other in pairs():
        said = refused(one.name, f"upgrade: {{to: {other.name}}}")
        if one.name in UPGRADES:
            assert f"{other.name} is another engine than {one.name}" in said
        else:
            assert f"this is not modelled on {one.name}" in said
            assert said.endswith(". Leave the step out."), said


def test_a_version_of_one_s_own_has_no_place_in_the_order_of_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of it that would make an upgrade from it or to it impossible."""
    monkeypatch.setitem(DESIGNS, "mine", DESIGNS["docker-1.13"].like("mine", "mine", "[K]"))
    assert refused("mine", "upgrade: {to: docker-26}") == refused("docker-26", "upgrade: {to: mine}") == ""


def test_a_step_may_be_about_what_an_upgrade_brings() -> None:
    """Before 1.11 Docker has no shims; a step may name them if the host gets a version that has."""
    kill = "at: 90s, kill: shim/web"
    assert "docker-1.10 has no shim: dockerd does it itself." in refused("docker-1.10", kill)
    assert refused("docker-1.10", "at: 5s, upgrade: {to: docker-1.13}", kill) == ""
    assert "docker-1.10 has no shim" in refused("docker-1.10", "at: 5s, upgrade: {to: docker-1.10}", kill)


# -- numbers ----------------------------------------------------------------------------------------

NUMBERS = Unverified.__struct_fields__


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_a_file_may_set_the_numbers_that_the_programs_read(design: str) -> None:
    """What no function of the design asks for is refused, and is not printed with what was understood."""
    read = numbers_read(DESIGNS[design])
    text = f"engine: {{design: {design}}}\nservices: {{web: {{image: nginx}}}}\n"
    printed = yaml.safe_load(resolved(load("f", text=text)))["engine"]["unverified"]
    assert set(printed) == read
    for number in NUMBERS:
        value = "3s" if number in ("layer_wait", "last_chance", "journald_timeout_stop") else 3
        changed = text.replace("}", f", unverified: {{{number}: {value}}}}}", 1)
        if number in read:
            setup = load("f", text=changed).setup
            assert load("again", text=resolved(load("f", text=changed))).setup.engine == setup.engine
        else:
            with pytest.raises(InputError, match=rf"engine[.]unverified[.]{number}: {design} has no {number}"):
                load("f", text=changed)


def test_a_number_may_be_one_of_the_version_that_an_upgrade_brings() -> None:
    """It is printed, too, so that what is printed is the same scenario."""
    text = "engine: {design: docker-1.10, unverified: {containerd_threads: 3}}\nsteps: [{upgrade: {to: docker-1.13}}]\n"
    scenario = load("f", text=text)
    assert load("again", text=resolved(scenario)).setup.engine == scenario.setup.engine


@pytest.mark.long
def test_designs_do_not_differ_in_numbers_that_one_does_not_read() -> None:
    """A number that the programs do not read is none of the design."""
    for one in DESIGNS.values():
        for row in differences(one, DESIGNS[EngineSetup().design]):
            number = row.what.rpartition(": ")[2]
            if "no setting" in row.what:
                assert (row.one == "none") is (number not in numbers_read(one))


def numbers_read(design: Design) -> set[str]:
    """Return the numbers that the functions of a design's ops read, themselves or through others of the engines."""
    ops = (op for table in design.procedures.values() for op in table.ops)
    values = (getattr(op, name) for op in ops for name in dir(op) if not name.startswith("__"))
    return set().union(*(_reads(value) for value in values if isinstance(value, FunctionType)))


@cache
def _reads(function: FunctionType) -> frozenset[str]:
    found: set[str] = set()
    seen: set[FunctionType] = set()
    waiting: list[object] = [function]
    while waiting:
        now = waiting.pop()
        if not isinstance(now, FunctionType) or now in seen or not now.__module__.startswith("sim.engines"):
            continue
        seen.add(now)
        for code in _codes(now.__code__):
            found |= {name for name in code.co_names if name in NUMBERS and "unverified" in code.co_names}
            waiting += [now.__globals__[name] for name in code.co_names if name in now.__globals__]
        waiting += [cell.cell_contents for cell in now.__closure__ or ()]
    return frozenset(found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)
