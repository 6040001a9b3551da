"""The notebooks: each runs from top to bottom, says what its text says, and has a twin in plain text.

A notebook is kept without outputs, so that a change of it can be read; the twin (jupytext, percent format) is the one
to edit, and `jupytext --sync notebooks/*.py` brings the notebook up to date. Skipped where the extra `notebooks` is not
installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

WHY = "the extra 'notebooks' is not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=WHY)
nbclient = pytest.importorskip("nbclient", reason=WHY)
jupytext = pytest.importorskip("jupytext", reason=WHY)
pytest.importorskip("ipykernel", reason=WHY)

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TIMEOUT = 300  # seconds a cell may take; the first one on a new machine builds matplotlib's cache of fonts
RULES = re.compile(r"^\s*(if|for|while|def|class|try|match|lambda)\b", re.MULTILINE)

# What a cell must show, by a line of it, for the text around it to be true.
SHOWN = {
    "01-the-document": (
        ("host.verdicts()[0].detail", "13 of 13 lines"),
        ("host.verdicts()[1].detail", "20 of 21 lines"),
        ('[number in host.at("kill-1s").host.procs for number in (625, 635)]', "[True, False]"),
        ('print(host.show("pstree-p", at="kill-1s", root="proxy/prometheus"))', "docker-proxy-cu(2921)"),
        ('print(host.show("pstree-p", at="kill-1s", root="shim/prometheus"))', "prometheus(2945)"),
        ('print(later.show("pstree-p", at="kill-1s", root="shim/prometheus"))', "(2929)─┬─prometheus(2946)"),
        ('print(host.show("pstree", at="kill+500ms"))', "systemd─┬─docker-containe─┬─grafana-server"),
        ('print(host.show("docker-ps", at="kill+500ms"))', "Cannot connect to the Docker daemon"),
        ('print(kept.show("pstree-p", at="end", root="shim/grafana"))', "docker-containe(625)─┬─grafana-server(672)"),
        ("host.plot(kept)", "image/png"),
        ('print(ports.show("pstree"))', "2*[docker-proxy-cu"),
        ('print(frozen.show("pstree", at="end"))', "busybox"),
        ("proxy.verdicts()", "<defunct>"),
        ('print(payload.show("docker-ps-a"))', "Exited (137)"),
        ('print(shim.show("docker-ps-a"))', "Exited (137)"),
        ('print(alone.show("pstree", at="kill+100ms"))', "└─nginx"),
        ('print(alone.show("docker-ps-a"))', "Exited (255)"),
        ('print(start.show("pstree", at="Forked(runc/web)+100ms"))', "docker-runc-cur"),
        ('print(torn.show("docker-ps-a"))', "Created"),
    ),
}


def cells(notebook: Any) -> list[tuple[str, str]]:
    """Return what a notebook says, without numbers and outputs."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def shown(cell: Any) -> str:
    """Return what a cell that has run shows, as text; of a picture its type."""
    parts = []
    for output in cell.outputs:
        parts += [output.get("text", ""), *output.get("data", {}), output.get("data", {}).get("text/plain", "")]
    return "\n".join(parts)


def files() -> dict[Path, int]:
    """Return the files beside the notebooks and at the top, with their times of change."""
    found = [path for path in (*ROOT.iterdir(), *FOLDER.rglob("*"), *(ROOT / "runs").rglob("*")) if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in found}


def test_there_is_a_notebook_and_each_has_its_twin() -> None:
    """Every notebook has a text, every text a notebook."""
    assert [path.stem for path in NOTEBOOKS] == sorted(path.stem for path in FOLDER.glob("*.py"))
    assert set(SHOWN) == {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_and_text_say_the_same(path: Path) -> None:
    """jupytext makes of the text the cells of the notebook, and of the notebook the text."""
    notebook, text = nbformat.read(path, as_version=4), path.with_suffix(".py")
    assert cells(notebook) == cells(jupytext.read(text)), f"run: jupytext --sync {text.relative_to(ROOT)}"
    assert cells(jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")) == cells(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path: Path) -> None:
    """The file holds no output, no number of execution, and no kernel but python3."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if cell.outputs or cell.execution_count] == []
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_only_call_the_simulator(path: Path) -> None:
    """No cell branches, loops or defines anything: what is worth a name belongs into sim/."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [source for source in code if RULES.search(re.sub(r'""".*?"""', "", source, flags=re.DOTALL))] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_shows_what_it_says_and_writes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell runs in this environment's kernel, away from the sources, and the repository is as before."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")  # python3 is this Python
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    notebook, before = nbformat.read(path, as_version=4), files()
    notebook.cells.append(nbformat.v4.new_code_cell("import sys; sys.executable"))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", resources=resources).execute()
    assert Path(notebook.cells[-1].outputs[0].data["text/plain"].strip("'")).resolve() == Path(sys.executable).resolve()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if any(output.get("name") == "stderr" for output in cell.outputs)] == []
    for line, words in SHOWN[path.stem]:
        (cell,) = (cell for cell in code if line in cell.source.splitlines())
        assert words in shown(cell), line
    assert files() == before
