"""The notebooks: each runs from top to bottom, shows what is kept and what its text says, and has a twin in plain text.

The twin (jupytext, percent format) is the one to edit; `make notebooks` runs it and writes the notebook with what it
shows. Skipped where the extra `notebooks` is not installed.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

WHY = "the extra 'notebooks' is not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=WHY)
jupytext = pytest.importorskip("jupytext", reason=WHY)
for name in ("nbclient", "ipykernel", "pandas"):
    pytest.importorskip(name, reason=WHY)

from tests.notebooks import FOLDER, ROOT, TEXTS, executed, shown, surroundings, tidied  # noqa: E402

NOTEBOOKS = tuple(path.with_suffix(".ipynb") for path in TEXTS)
RULES = re.compile(r"^\s*(if|for|while|def|class|try|match|lambda)\b", re.MULTILINE)
LARGEST = 1_000_000  # bytes of a notebook with its pictures
WORDS = "none one two three four five six seven eight nine ten".split()
SHORT = "02-what-a-shim-is-for"  # the one that the quick tests run
MARKS = "S DOC E X R K I C".split()

# What a cell must show, by the last line of it, for the text around it to be true.
SHOWN = {
    "01-the-document": (
        ("host.verdicts()[0].detail", "13 of 13 lines"),
        ("host.verdicts()[1].detail", "20 of 21 lines"),
        ("processes.query(\"container == 'prometheus' and 2915 <= pid <= 2945\")[columns].round(3)", "<td>2945</td>"),
        ('later.show("pstree-p", at="kill-1s", root="shim/prometheus")', "(2929)─┬─prometheus(2946)"),
        ('term.trees("shim-1s", "shim+1s")', "both trees are the same"),
        ('term.trees("payload-1s", "payload+1s")', "gone: 1 shim and 1 payload"),
        ('635 in host.at("kill-1s").host.procs', "False"),
        ('threads.trees("kill-1s", "kill+1s")', "gone: 1 shim, 1 payload and 1 child"),
        ('away.trees("kill-1s", "kill+500ms")', "moved to PID 1: 2 shims; gone: containerd"),
        ('dead.trees("kill-1s", "kill+50ms")', "moved to PID 1: 1 shim; gone: dockerd, containerd and 1 proxy"),
        ('host.at("kill-1s").host.listeners["unix:/var/run/docker/libcontainerd/docker-containerd.sock"]', "15935"),
        ("asked.tell()", "grpc: the connection is unavailable"),
        ('start.trees("run-1s", "Forked(runc/web)+100ms")', "docker-runc-cur─┬─exe"),
        ('away.trees("kill+500ms", "kill+8s")', "new: containerd"),
        ('proxies.trees("end", beside=without)', "only in the first: 1 proxy"),
        ('without.reachable(80, "remote"), without.reachable(80, "loopback")', "(True, True)"),
        ('frozen.trees("thaw-1s", "thaw+5s")', "new: 1 shim and 1 payload"),
        ('ports.trees("run-1s", "run+5s")', "new: 1 shim and 1 payload"),
        ('ports.trees("exec-1s", "exec+5s")', "new: 1 exec-shim and 1 exec"),
        ('payload.trees("kill-1s", "kill+1s")', "gone: 1 shim and 1 payload"),
        ('alone.trees("kill-1ms", "kill+500ms")', "moved to PID 1: 1 payload; gone: 1 shim"),
        ("proxy", "remote clients never dark"),
        ('proxy.trees("kill-1s", "kill+1s")', "zombies now: 1 proxy"),
        ('start.trees("Forked(runc/web)+100ms", "run+4s")', "moved: 1 payload; gone: 2 runcs and 1 hook"),
        ('torn.trees("Forked(shim/web)-1ms", "kill+10ms")', "new: 1 shim and 1 runc"),
        ('torn.trees("kill+10ms", "kill+25s")', "new: dockerd, containerd and 1 proxy"),
        ('torn.show("docker-ps-a")', "Created"),
        ('bundle.show("ls-bundle", at="stop+5s", of="web")', "No such file or directory"),
    ),
    "02-what-a-shim-is-for": (
        ('stays.trees("kill-1s", "kill+50ms")', "moved to PID 1: 1 shim; gone: dockerd and containerd"),
        ('seven.show("docker-ps-a", at="leave+500ms")', "Up 10 days"),
        ("]", "7"),
        ('seven.show("docker-ps-a")', "Exited (7)"),
        ('lost.show("docker-ps-a")', "Exited (255)"),
        ("output", "no process lost"),
        ('halted.trees("kill-1s", "go-1s")', "zombies now: 1 payload"),
        ('halted.show("docker-ps", at="go-1s")', "Up 10 days"),
        ('shim.why("process payload/web")', "SIGKILL to payload/web (49) from containerd"),
        ('command.trees("kill-1s", "kill+1s")', "gone: 1 exec-shim and 1 exec"),
    ),
    "03-daemon-restart": (
        ('off.trees("kill-1s", "kill+500ms")', "moved to PID 1: 6 shims; gone: dockerd, containerd and 6 proxies"),
        ("off.tell()", "arthas takes no notice of TERM"),
        ("off.plot(on)", "With live-restore a killed dockerd costs remote clients"),
        ('off.trees("end", beside=on)', "under PID 1 in the second alone: 6 shims"),
        ('on.why("port 20002 from loopback", at="kill+500ms")', "parent-death signal"),
        ('on.why("port 1080 from remote", at="kill+1600ms")', "chain nat/DOCKER flushed"),
        ('kept.trees("restart-1s", "end")', "moved to PID 1: 3 shims"),
        ("pairs", "better"),
        ("ends", "the container is replaced"),
    ),
    "04-every-moment": (
        ("guess.tell()", "engine: stop: web"),
        ('print(guess.again("steps.1.at=stop+210ms").show("docker-ps-a"))', "Exited (0)"),
        ("stop", "V12 VIOLATED, V7 VIOLATED, V6 HOLDS; COMPLETE"),
        ('stop.story("V12")', "step fault1: kill containerd"),
        ('ghost.show("docker-ps")', "Up 10 days"),
        ('stop.run("V7").tell()', "engine: die 255: web"),
        ("stall", "V12 VIOLATED, V7 HOLDS, V6 HOLDS; COMPLETE"),
        ('stall.run("V12").trees("stop-1s", "end")', "docker-containe───9*[{docker-containe}]"),
        (
            'sim.explore(quiet, "V3", "V5", "V8", "V10", "V16", faults="kill=1")',
            "V3 HOLDS, V5 VIOLATED, V8 VIOLATED, V10 HOLDS, V16 HOLDS; COMPLETE",
        ),
        ("own", "always: open(80, remote) VIOLATED, eventually: open(80, remote) HOLDS; COMPLETE"),
    ),
}


def cells(notebook: Any) -> list[tuple[str, str]]:
    """Return what a notebook says, without numbers and outputs."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@cache
def kept(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def files() -> dict[Path, int]:
    """Return the files beside the notebooks and at the top, with their times of change."""
    found = [path for path in (*ROOT.iterdir(), *FOLDER.rglob("*"), *(ROOT / "runs").rglob("*")) if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in found}


def test_there_are_notebooks_and_each_has_its_twin() -> None:
    """Every notebook has a text, every text a notebook, and each says what it must show."""
    assert sorted(FOLDER.glob("*.ipynb")) == list(NOTEBOOKS)
    assert set(SHOWN) == {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_and_text_say_the_same(path: Path) -> None:
    """jupytext makes of the text the cells of the notebook, and of the notebook the text."""
    text = path.with_suffix(".py")
    assert cells(kept(path)) == cells(jupytext.read(text)), "run: make notebooks"
    assert cells(jupytext.reads(jupytext.writes(kept(path), fmt="py:percent"), fmt="py:percent")) == cells(kept(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_kept_is_small_and_of_no_machine(path: Path) -> None:
    """The file is a valid notebook without counts, errors and complaints; every picture has words for who sees none."""
    nbformat.validate(kept(path))
    assert path.stat().st_size < LARGEST
    assert kept(path).metadata.kernelspec.name == "python3"
    assert [cell.source for cell in code(kept(path)) if cell.execution_count] == []
    outputs = [output for cell in code(kept(path)) for output in cell.outputs]
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures
    assert all(output.metadata["image/png"]["alt"] in output.data["text/plain"] for output in pictures)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_picture_has_its_caption(path: Path) -> None:
    """Behind each cell that shows a picture stands a caption; they are numbered."""
    captions = []
    for cell, after in zip(kept(path).cells, kept(path).cells[1:], strict=False):
        data = [output.get("data", {}) for output in cell.get("outputs", [])]
        if any("image/png" in it or "<img" in it.get("text/html", "") for it in data):
            found = re.match(r"\*Figure (\d+)\. ", after.source)
            assert found, f"no caption behind {cell.source}"
            captions.append(int(found[1]))
    assert captions == list(range(1, len(captions) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_only_call_the_simulator(path: Path) -> None:
    """No cell branches, loops or defines anything: what is worth a name belongs into sim/."""
    sources = [cell.source for cell in code(kept(path))]
    assert [source for source in sources if RULES.search(re.sub(r'""".*?"""', "", source, flags=re.DOTALL))] == []


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=() if path.stem == SHORT else pytest.mark.long) for path in NOTEBOOKS],
)
def test_a_notebook_runs_shows_what_is_kept_and_writes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell runs in this environment's kernel, away from the sources, and the repository is as before.

    What it shows is what is kept, word by word, and what the text around it says.
    """
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    before = files()
    notebook = tidied(executed(path.with_suffix(".py"), tmp_path))
    for found, expected in zip(code(notebook), code(kept(path)), strict=True):
        assert shown(found) == shown(expected), f"{found.source}\nshows something else: read it, then make notebooks"
    for line, words in SHOWN[path.stem]:
        (cell,) = (cell for cell in code(notebook) if cell.source.splitlines()[-1] == line)
        assert words in str(shown(cell)), line
    assert files() == before


def test_every_sentence_of_the_document_is_judged_and_shown() -> None:
    """Each row of the table of verdicts has a section of its number and verdict, with a tree before and after."""
    notebook = kept(FOLDER / "01-the-document.ipynb")
    text = "\n".join(f"```\n{cell.source}\n```" if cell.cell_type == "code" else cell.source for cell in notebook.cells)
    table = re.findall(r"^\| (\d+) \| .* \| (true|imprecise|wrong)\b.* \|$", text, re.MULTILINE)
    sections = re.split(r"^### (\d+)\. .* — (true|imprecise|wrong)\b.*$", text, flags=re.MULTILINE)[1:]
    assert list(zip(sections[::3], sections[1::3], strict=True)) == table
    assert [int(number) for number, _ in table] == list(range(1, len(table) + 1))
    counts = [[verdict for _, verdict in table[:-1]].count(word) for word in ("true", "imprecise", "wrong")]
    words = "Of eighteen sentences {} are true, {} are imprecise and {} are wrong".format(*(WORDS[n] for n in counts))
    assert words in text.replace("\n", " ")
    others = ("15", table[-1][0])  # a sentence about people, which no tree can show, and the listings
    for number, body in zip(sections[::3], sections[2::3], strict=True):
        assert number in others or ".trees(" in body or "Figure 9 shows the tree before and after" in body, number


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_marks_are_those_that_are_explained(path: Path) -> None:
    """A mark in brackets is one that the first cell explains."""
    first, *others = (cell.source for cell in kept(path).cells if cell.cell_type == "markdown")
    used = {mark for text in others for found in re.findall(r"\[([A-Z, ]+)\]", text) for mark in found.split(", ")}
    assert used <= set(MARKS)
    assert {mark for mark in used if f"[{mark}]" not in first} == set()


def test_the_kernel_is_this_python_and_a_wrong_scenario_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook runs in the environment of the tests; a mistake of the input comes without the way to it."""
    for name, value in surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)
    text = tmp_path / "x.py"
    wrong = '# %% tags=["raises-exception"]\nimport sim\nsim.run("servces: {}")\n'
    text.write_text(f"# %%\nimport sys\nsys.executable\n\n{wrong}", encoding="utf-8")
    right, refused = (cell.outputs[0] for cell in code(executed(text, tmp_path)))
    assert Path(right.data["text/plain"].strip("'")).resolve() == Path(sys.executable).resolve()
    assert refused.traceback == ["scenario:1:1: servces: unknown key. Did you mean services?"]
