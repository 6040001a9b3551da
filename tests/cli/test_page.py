"""shimulator report: where the page goes, what is said, and that the exit status is that of run."""

import pytest

from tests.cli.conftest import FAILING


def test_the_page_is_written_and_its_size_said(shimulator, folder):
    """One file, nothing else; what was expected is said with it."""
    before = set(folder.iterdir())
    said = shimulator("report", "small.yaml", "-o", "x.html")
    assert said.status == 0
    assert said.out.startswith("x.html: ")
    assert said.out.endswith(" MB, 2 of 2 hold; open it in a browser\n")
    assert set(folder.iterdir()) - before == {folder / "x.html"}


def test_a_page_of_what_fails_is_written_and_the_status_is_that_of_run(shimulator, folder):
    """An expectation that fails does not keep the page back."""
    (folder / "failing.yaml").write_text(FAILING)
    said = shimulator("report", "failing.yaml", "-o", "x.html")
    assert said.status == shimulator("run", "failing.yaml", "--no-save").status == 1
    assert "1 of 2 hold" in said.out
    assert "✗ 1 of 2 expectations hold" in (folder / "x.html").read_text(encoding="utf-8")


def test_a_window_is_what_the_page_tells_of(shimulator, folder):
    """--from and --to are those of plot; the first and last moments are theirs."""
    from tests.render.test_report import data_of

    assert shimulator("report", "small.yaml", "-o", "x.html", "--from", "shot-2s", "--to", "shot+3s").status == 0
    moments = data_of((folder / "x.html").read_text(encoding="utf-8"))["moments"]
    assert (moments[0], moments[-1]) == (-2_000_000, 3_000_000)


@pytest.mark.parametrize("words", [["--seed", "2"], ["--set", "engine.daemon.live-restore=true", "--from=50s"]])
def test_the_page_says_how_to_make_it_again(words, shimulator, folder):
    """The command line that stands in a page makes the same bytes."""
    import html
    import re
    import shlex

    shimulator("report", "small.yaml", "-o", "x.html", *words)
    first = (folder / "x.html").read_text(encoding="utf-8")
    (again,) = re.findall(r"<code>(shimulator report .*?)</code>", first)
    (folder / "x.html").unlink()
    shimulator(*shlex.split(html.unescape(again))[1:])
    assert (folder / "x.html").read_text(encoding="utf-8") == first
