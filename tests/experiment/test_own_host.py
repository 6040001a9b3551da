"""The fault matrix of one's own host: its services under each fault, the worst of them counted."""

import json

import pytest

from sim.cli import main
from sim.designs import DESIGNS
from sim.experiment.matrix import FAULTS, Reader, matrix, way_of
from sim.experiment.own_host import own_settings, own_step
from sim.render.matrix_figure import matrix_png
from sim.render.matrix_text import code, matrix_csv, matrix_json, matrix_text
from sim.scenario import load
from sim.scenario.text import parse_value

HOST = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  db: {image: pg, restart: "no"}
  job: {image: batch, restart: always}
steps:
  - {id: restart, at: 30s, systemctl: restart docker}
  - {id: later, at: 60s, kill: dockerd}
expect: [{at: restart+1s, container: web, status: running}]
"""


def reader(text: str) -> Reader:
    return lambda settings: load("x.yaml", text, settings)


@pytest.fixture(scope="module")
def found():
    """The matrix on three engines: podman, cri-o and Docker."""
    designs = [DESIGNS[name] for name in ("docker-26", "podman", "cri-o")]
    return matrix(reader(HOST), designs, ["F1", "F2", "F5", "F6", "F7", "F9c"], jobs=1)


def test_each_design_gets_the_services_of_the_file(found):
    """One file, whose steps are about Docker, on three engines; what became of the three containers is counted."""
    assert (found.own, found.containers, found.rows) == (True, 3, ("docker-26", "docker-26 +LR", "podman", "cri-o"))
    codes = {(cell.row, cell.fault): code(cell) for cell in found.cells}
    assert codes["docker-26", "F2"].startswith("gone 1")  # db has no policy: a restart of dockerd stops it for good
    assert codes["docker-26 +LR", "F1"] == "kept"
    assert codes["docker-26", "F6"] == "kept/p"
    assert codes["podman", "F2"] == codes["podman", "F6"] == codes["docker-26", "F9c"] == "–"
    assert codes["cri-o", "F1"] == "kept"
    assert codes["cri-o", "F7"] == "gone 1"
    assert found.cell("docker-26", "F7").counts == {"same": 0, "new": 2, "none": 1}


def test_it_is_said_in_every_form(found):
    """Text, CSV, JSON and figure, of podman and cri-o, too; the text says that the worst container counts."""
    text = matrix_text(found)
    assert "3 containers" in text
    assert "kept: every container runs on as the same process" in text
    assert "kill -9 of each container's process" in text
    assert "as the container that fares worst does" in matrix_text(found, detail=True)
    told = matrix_json(found)
    json.dumps(told, allow_nan=False)
    assert told["own"] is True
    assert next(cell for cell in told["cells"] if cell["fault"] == "F7")["containers"] == {
        "same": 0,
        "new": 2,
        "none": 1,
    }
    assert "gone 1" in matrix_csv(found)
    assert matrix_png(found).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", DESIGNS)
def test_every_fault_of_every_design_is_written_for_all_containers(name):
    """No step of the matrix names a container of its own host any more, and each is read."""
    for fault in FAULTS:
        step = own_step(way_of(fault, DESIGNS[name]))
        assert "/web" not in step
        assert "/chat" not in step
        if step:
            parse_value(step)
            assert own_settings(load("x.yaml", HOST), step)[-1] == "until=later+5m"


def test_the_command_takes_one_s_own_host(tmp_path, capsys):
    """`whatif HOST --matrix`, here with a profile for all designs."""
    file = tmp_path / "x.yaml"
    file.write_text(HOST)
    words = ["--matrix", "--design", "docker-26", "--faults", "F7", "--jobs", "1", "--no-save"]
    assert main(["whatif", str(file), *words, "--profile", "docker-26-2core"]) == 0
    assert "gone 1" in capsys.readouterr().out
