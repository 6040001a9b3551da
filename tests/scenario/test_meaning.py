"""What a file means on a design: every engine says itself what has no counterpart there, in its own words."""

import re

import pytest
from msgspec.structs import replace

import sim
from sim.designs import DESIGNS, Design
from sim.designs.takes import known_units, takes, units_in, units_of
from sim.engine.engine import PLAIN
from sim.engine.meaning import Fitted, Said
from sim.engine.role import HOST
from sim.engine.setup import Docker, S, TakePid, Target
from sim.engines.host.systemd.unit import TEMPLATE
from sim.errors import InputError
from sim.scenario import load
from sim.scenario.known import named_roles

WEB = "engine: {{design: {design}}}\nservices: {{web: {{image: nginx{keys}}}}}\nsteps: [{{{step}}}]\n"
PODS = [name for name, design in DESIGNS.items() if design.traits.client == "crictl"]


def refused(design: str, step: str) -> str:
    """Return what is said of a step on a host of a design; "" if it means something."""
    try:
        load("f", text=WEB.format(design=design, keys="", step=step))
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("design", DESIGNS)
def test_what_is_not_there_is_refused_with_what_to_write(design: str) -> None:
    """Each role that a file may name is a process of the design, or is refused with a whole sentence and a hint."""
    ways = {role: way for role, way in named_roles().items() if role != "stranger"}
    for role, way in ways.items():
        said = refused(design, f"kill: {role if way == HOST else f'{role}/web'}")
        assert bool(said) is not has(DESIGNS[design], role)
        if said:
            head, _, hint = said.partition(f"{design} has no {role}")
            assert head, said
            assert hint.startswith((". ", ": ")), said
            assert not hint.startswith(": ."), said
            assert hint.partition(". ")[2], said


@pytest.mark.parametrize("design", DESIGNS)
def test_a_hint_names_what_is_there(design: str) -> None:
    """Roles that a hint tells people to write are roles of the design."""
    found = DESIGNS[design]
    missing = [role for role in named_roles() if not has(found, role)]
    hints = [found.engine.instead(found, role).hint for role in missing]
    written = {role for hint in hints for role in re.findall(r"[a-z-]+(?=/NAME)|(?<=Write )[a-z-]+(?=[.])", hint)}
    assert written
    assert [role for role in written if not has(found, role)] == []


def has(design: Design, role: str) -> bool:
    """Return whether a design has processes of a role."""
    return any(it in design.programs for it in design.meant_by(role))


@pytest.mark.parametrize("design", PODS)
@pytest.mark.parametrize(
    ("keys", "step", "name", "timeout"),
    [
        ("", "at: 1s, docker: stop web", "web", 30 * S),
        (", stop_grace_period: 3s", "at: 1s, docker: stop web", "web", 3 * S),
        (", container_name: front, stop_grace_period: 3s", "at: 1s, docker: stop front", "front", 3 * S),
        ("", "docker: run -d --name late --stop-timeout 4 nginx", "late", 4 * S),
    ],
)
def test_a_pod_has_the_grace_period_that_somebody_wrote(design, keys, step, name, timeout):
    """30 s is a pod's where nothing is said, be it by the key of a service, its container's name or a command."""
    scenario = load("f", text=WEB.format(design=design, keys=keys, step=step))
    assert scenario.setup.service(name).stop_timeout == timeout


@pytest.mark.parametrize("design", DESIGNS)
def test_systemctl_is_about_the_units_of_the_design(design: str) -> None:
    """Each unit that some design has is one of this design's, or is refused with those that it has."""
    units = units_of(DESIGNS[design])
    for unit in known_units():
        said = refused(design, f"systemctl: restart {unit}")
        assert bool(said) is (unit not in units)
        if said and TEMPLATE not in DESIGNS[design].units:
            here = ", ".join(units_in(DESIGNS[design]))
            assert f" {design} has {here}." in said if here else "there is no engine to stop." in said


@pytest.mark.parametrize("design", [name for name, design in DESIGNS.items() if design.traits.engine])
def test_the_engine_s_unit_is_ready_under_its_own_name(design: str) -> None:
    """A step waits for docker, crio or containerd, whichever unit the engine is."""
    unit = DESIGNS[design].traits.engine_unit
    steps = f"[{{id: again, at: 2s, systemctl: restart {unit}}}, {{id: up, at: ready({unit}), docker: ps}}]"
    run = sim.run(f"engine: {{design: {design}}}\nsteps: {steps}\nuntil: 30s\n")
    assert run.moment("up") > run.moment("again")


def test_daemon_reload_is_of_no_unit() -> None:
    """It reads every unit file."""
    assert "systemctl daemon-reload takes no unit." in refused("docker-1.13", "systemctl: daemon-reload docker")
    assert refused("docker-1.13", "systemctl: daemon-reload") == ""


@pytest.fixture
def _quiet():
    """Put in a design whose engine knows one verb, writes nothing down and gives every container a minute."""
    old = DESIGNS["docker-1.13"]

    def fit(design, given):
        services = tuple(replace(it, stop_timeout=60 * S) for it in given.services)
        keys = sorted(given.engine_keys)
        return Fitted(given.engine, services, unused=(("engine", " ".join(keys), 1),))

    def refuses(design, command):
        if isinstance(command, Docker) and command.verb != "ps":
            return Said(f"{design.name} only lists.", "Write docker: ps.")
        return None

    quiet = replace(PLAIN, fit=fit, refuses=refuses, instead=lambda design, role: Said(f"{role} is silent", "Listen."))
    DESIGNS["quiet"] = Design("quiet", "a toy", "nowhere", old.programs_with(without=("shim",)), old.traits, quiet)
    yield
    del DESIGNS["quiet"]


@pytest.mark.usefixtures("_quiet")
def test_an_engine_of_ones_own_says_itself_what_a_file_means() -> None:
    """Its words are read, its refusals have their places, and no file of sim knows it."""
    assert refused("quiet", "docker: ps") == ""
    assert "f:3:18: steps[0].docker: quiet only lists. Write docker: ps." in refused("quiet", "docker: stop web")
    assert "quiet has no shim: shim is silent. Listen." in refused("quiet", "kill: shim/web")
    text = "engine: {design: quiet, unit: {KillMode: mixed}}\nservices: {web: {image: nginx}}\n"
    scenario = load("f", text=text)
    assert scenario.setup.service("web").stop_timeout == 60 * S
    assert scenario.without_effect == ("engine: design unit unit.KillMode",)


def test_only_what_a_file_keeps_is_taken_by_its_number() -> None:
    """A stranger gets the number that an engine's own file has for a process, where the engine keeps such files."""
    for name, design in DESIGNS.items():
        for role in ("dockerd", "payload"):
            assert takes(design, TakePid(Target(role, "web"))) is (role in design.engine.written_down), name
        assert set(design.engine.written_down) <= set(named_roles()), name
