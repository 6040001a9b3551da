"""Packages that are upgraded by their own scripts: when the service stops, whether it is restarted, and which one."""

import pytest

import sim
from sim.designs import DESIGNS
from sim.engine.setup import Install
from sim.errors import InputError
from sim.facts import UnitChanged
from sim.scenario import load

UPGRADE = """
services: {web: {image: nginx, restart: always}}
engine: {design: DESIGN}
steps:
  - {id: up, at: 60s, upgrade: {package: PACKAGE, to: TO, unpack: 8s}}
until: up+40s
"""
STOPPED = UPGRADE.replace("steps:", "steps:\n  - {id: off, at: 10s, systemctl: stop UNIT}")


def states(text: str, unit: str) -> list[tuple[float, str]]:
    """Return when a unit changed its state after the step, in s, and to which."""
    run = sim.run(text)
    found, before = [], ""
    for record in run.trace:
        if type(record.event) is UnitChanged and record.event.unit == unit and record.event.state != before:
            before = record.event.state
            found.append((((record.at or 0) - run.trace.origin) / 1e6 - 60, before))
    return [(round(at, 1), state) for at, state in found if at >= 0]


def text_of(package: str, design: str, to: str = "", text: str = UPGRADE, unit: str = "docker") -> str:
    named = text.replace("PACKAGE", package).replace("DESIGN", design).replace("TO", to or design)
    return named.replace("UNIT", unit)


@pytest.mark.parametrize(
    ("package", "before", "after", "down", "up"),
    [
        ("docker-ce.rpm", "docker-17.06", "docker-18.09", 0, 8),  # the new %pre stops it, %posttrans starts it
        ("docker-ce.rpm", "docker-18.09", "docker-19.03", 8, 0),  # the old %postun restarts it
        ("docker-ce.rpm", "docker-26", "docker-28", 8, 0),
        ("docker-ce.deb", "docker-18.09", "docker-19.03", 0, 8),  # compat 9: prerm and postinst
        ("docker-ce.deb", "docker-19.03", "docker-20.10", 0, 8),  # the old prerm stops it, the new postinst restarts it
        ("docker-ce.deb", "docker-20.10", "docker-26", 8, 0),  # compat 10
    ],
)
def test_old_packages_stop_the_engine_while_they_are_unpacked(package, before, after, down, up):
    """The service goes down *down* s after the step; before it is started again the files take 8 s, or nothing."""
    found = states(text_of(package, before, after), "docker")
    assert [state for _, state in found] == ["deactivating", "inactive", "activating", "active"]
    assert found[0][0] == pytest.approx(down, abs=0.1)
    assert found[2][0] - found[1][0] == pytest.approx(up, abs=0.1)


def test_docker_io_leaves_a_running_engine_alone():
    """Debian's package asks for a start alone: the old dockerd runs on, and no container notices."""
    run = sim.run(text_of("docker.io.deb", "docker-20.10", "docker-28"))
    assert states(text_of("docker.io.deb", "docker-20.10", "docker-28"), "docker") == []
    assert run.tree("up-1s").nodes == run.tree("end").nodes


@pytest.mark.parametrize(
    ("package", "design", "unit", "comes_up"),
    [
        ("docker-ce.deb", "docker-26", "docker", True),
        ("docker-ce.rpm", "docker-26", "docker", False),
        ("docker-ce.rpm", "docker-18.09", "docker", False),
        ("docker-ce.deb", "docker-18.09", "docker", True),
        ("docker.io.deb", "docker-26", "docker", True),
        ("containerd.io.deb", "containerd-cri", "containerd", True),
        ("containerd.io.rpm", "containerd-cri", "containerd", False),
    ],
)
def test_a_deb_starts_what_somebody_has_stopped(package, design, unit, comes_up):
    """deb-systemd-invoke starts an enabled unit; try-restart and a mark of the rpm's own do not."""
    found = states(text_of(package, design, text=STOPPED, unit=unit), unit)
    assert [state for _, state in found] == (["activating", "active"] if comes_up else [])


@pytest.mark.parametrize("package", ["containerd.io.deb", "containerd.io.rpm", "containerd.deb"])
def test_containerd_s_package_restarts_its_unit_alone(package):
    """dockerd, which only wants it since 20.10, goes on; the container keeps its process."""
    text = text_of(package, "docker-26-separate")
    assert [state for _, state in states(text, "containerd")] == ["deactivating", "inactive", "activating", "active"]
    assert states(text, "docker") == []
    run = sim.run(text)
    lasting = {row["role"] for row in run.rows("processes") if row["end_s"] is None and row["start_s"] < 0}
    assert lasting == {"dockerd", "shim", "payload", "init"}


@pytest.mark.parametrize("name", DESIGNS)
def test_each_design_takes_its_packages_and_refuses_others(name):
    """What a design has is read; for what it has not, the message says what there is."""
    design = DESIGNS[name]
    for package in ("docker-ce.deb", "docker-ce.rpm", "docker.io.deb", "containerd.io.deb", "containerd.deb"):
        text = text_of(package, name)
        known = design.engine.packages.get(package)
        if known is not None and not known.lacks(package, design, _number(name)):
            command = next(step.command for terminal in load("x", text).setup.terminals for step in terminal)
            assert command == Install(name, 8_000_000, package)
        else:
            with pytest.raises(InputError, match=r"has no|is known from"):
                load("x", text)


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("-")[1].split(".")) if name.startswith("docker-") else ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{package: docker-ce.dep}", "Did you mean docker-ce.deb"),
        ("{package: docker-ce.deb, pakage: 1}", "Did you mean package"),
        ("{package: docker-ce.deb, to: docker-1.13}", "docker-ce.deb is known from 17.06 on"),
        ("{package: containerd.io.deb}", "has no containerd.service, which containerd.io.deb restarts"),
    ],
)
def test_wrong_packages_are_told_what_is_right(words, said):
    """A misspelt name or key, a unit that is not there."""
    with pytest.raises(InputError, match=said):
        load("x", f"engine: {{design: docker-26}}\nsteps: [{{at: 1s, upgrade: {words}}}]")


def test_it_is_an_upgrade_in_pictures():
    """The timeline counts from it."""
    assert "an upgrade of docker-ce.rpm" in sim.run(text_of("docker-ce.rpm", "docker-26")).timeline().fault
