"""show --as procfs: a moment as a folder like /proc, which psutil, ps and pstree read as they would the true one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.errors import InputError
from sim.render.procfs import MOST, procfs_files
from sim.views.table import Meta, ProcessRow, Table
from tests.render.oracle import why_not

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def exported(shimulator, folder):
    """Write the folder of a moment, and return it with the table of that moment."""
    said = shimulator("show", "small.yaml", "--at", "shot+500ms", "--as", "procfs", "-o", "proc")
    assert (said.status, said.err) == (0, "")
    return folder / "proc", sim.run(str(folder / "small.yaml")).story("shot+500ms").table()


def test_psutil_reads_every_process(exported, monkeypatch):
    """Numbers, names, arguments, threads, states and times are those of the table."""
    psutil = pytest.importorskip("psutil")
    proc, table = exported
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(proc))
    assert sorted(psutil.pids()) == [row.pid for row in table.by_pid()]
    assert psutil.boot_time() == table.meta.btime
    for row in table.procs:
        found = psutil.Process(row.pid)
        assert (found.ppid(), found.cmdline(), found.num_threads()) == (row.ppid, list(row.args), 1 + row.extra_threads)
        assert found.name().startswith(row.comm15)
        assert len(found.threads()) == 1 + row.extra_threads
        assert found.create_time() == pytest.approx(table.meta.btime + row.start_ticks / 100, abs=1)
    zombies = {it.pid for it in psutil.process_iter() if it.status() == psutil.STATUS_ZOMBIE}
    assert zombies == {row.pid for row in table.procs if row.state == "Z"}


@pytest.mark.long
@pytest.mark.skipif(bool(why_not()), reason=f"the real tools cannot be asked: {why_not()}")
@pytest.mark.parametrize(
    ("command", "view"),
    [("ps -axjfww", "ps-axjf"), ("pstree -l -U -p", "pstree-p"), ("pstree -l -A", "pstree-ascii")],
)
def test_the_real_tools_print_what_the_views_print(command, view, tmp_path):
    """Bound over /proc in a namespace of its own, the folder is what ps and pstree take for the host."""
    script = (
        f"mount -t tmpfs tmpfs {tmp_path} && "
        f"{sys.executable} -m sim show document --at kill-1s --as procfs -o {tmp_path}/proc >&2 && "
        f"mount --bind {tmp_path}/proc /proc && exec unshare --pid --fork {command}"
    )
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(ROOT)}
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == sim.run("document").show(view, "kill-1s")


def test_the_folder_is_whole_or_not_there(shimulator, folder, monkeypatch):
    """What fails half-way leaves nothing, and the old folder as it was; one that is somebody else's stays."""
    assert shimulator("show", "small.yaml", "--at", "shot-1s", "--as", "procfs", "-o", "proc").status == 0
    before = sorted(path.name for path in (folder / "proc").iterdir())
    monkeypatch.setattr("sim.cli.store.write_whole", _full)
    assert shimulator("show", "small.yaml", "--as", "procfs", "-o", "proc").status == 4
    assert sorted(path.name for path in (folder / "proc").iterdir()) == before
    assert not [path for path in folder.iterdir() if path.name.startswith(".proc")]
    (folder / "mine").mkdir()
    (folder / "mine/letter.txt").write_text("dear")
    said = shimulator("show", "small.yaml", "--as", "procfs", "-o", "mine")
    assert said.status == 2
    assert "left alone" in said.err


def _full(path: Path, content: object) -> None:
    raise OSError(28, "No space left on device", str(path))


def test_without_a_folder_it_is_said_what_to_write(shimulator):
    """The view is no text."""
    said = shimulator("show", "small.yaml", "--as", "procfs")
    assert said.status == 2
    assert "-o DIR" in said.err


def test_too_many_threads_are_refused():
    """A folder for each of a hundred million threads would fill the disk."""
    init = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", threads=MOST)
    with pytest.raises(InputError, match="too many for a folder each"):
        procfs_files(Table(Meta(btime=0, now=1), (init,)))
