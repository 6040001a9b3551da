"""A disk that is full leaves what was there as it was, whatever command writes, and no half of a file."""

import errno
import os
import resource
from contextlib import contextmanager

import matplotlib.font_manager  # noqa: F401  # it may write what it keeps of fonts, while there is room
import pytest

from sim.calibration.calibrate import Effort
from sim.cli import calibrate
from sim.writing import try_to_write, write_whole
from tests.cli.test_calibrate import ROWS

ROOM = 64  # bytes
MEASURED = ("measured.csv", "--phase", "start=total_ms")


@contextmanager
def full_disk():
    """Let no file grow beyond ROOM bytes, as on a disk with as much left: the rest of a write fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def everything(folder):
    """Return all files below *folder* with what they hold."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.mostly_long
@pytest.mark.parametrize(
    "words",
    [
        ("plot", "small.yaml", "-o", "good.png"),
        ("plot", "small.yaml", "-o", "good.svg"),
        ("plot", "small.yaml", "--tree", "-o", "good.pdf"),
        ("report", "small.yaml", "-o", "good.html"),
        ("show", "small.yaml", "-o", "good.txt"),
        ("init", "good.yaml", "--force"),
        ("designs", "docker-1.13", "--statecharts", "--program", "shim", "-o", "."),
        ("calibrate", *MEASURED, "-o", "good.yaml"),
        ("calibrate", *MEASURED, "--plot", "good.png"),
        ("run", "small.yaml"),
    ],
)
def test_what_was_there_stays_whole(words, shimulator, folder, monkeypatch):
    """The machine's refusal is said, and nothing has changed."""
    monkeypatch.setattr(calibrate, "EFFORT", Effort(2, 1, 2))
    (folder / "measured.csv").write_text(ROWS)
    for ending in ("png", "svg", "pdf", "html", "txt", "yaml"):
        (folder / f"good.{ending}").write_text("good")
    (folder / "shim.png").write_text("good")
    if words[0] == "run":
        assert shimulator(*words).status == 0
    before = everything(folder)
    with full_disk():
        said = shimulator(*words)
    assert said.status == (2 if words[0] == "plot" else 4)
    assert os.strerror(errno.EFBIG).lower() in said.err.lower()
    assert everything(folder) == before


def test_a_new_file_has_the_rights_of_the_old_one(folder):
    """A file that only its owner may read is not shown to others by being written anew."""
    (folder / "mine").write_text("old")
    (folder / "mine").chmod(0o600)
    write_whole(folder / "mine", "new")
    assert (folder / "mine").read_text() == "new"
    assert (folder / "mine").stat().st_mode & 0o777 == 0o600


def test_what_may_not_be_written_to_is_not_replaced(folder, monkeypatch):
    """Though the folder would allow it."""
    (folder / "theirs").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for write in (lambda path: write_whole(path, "new"), try_to_write):
        with pytest.raises(PermissionError):
            write(folder / "theirs")
    assert (folder / "theirs").read_text() == "old"
