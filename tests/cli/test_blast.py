"""shimulator blast and shimulator check, as people call them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from sim.experiment.replicate import Interrupted

HOST = """\
engine: {design: docker-26}
services:
  web:
    image: nginx
    restart: always
    ports: ["80:80"]
    x-payload: {ready: 500ms}
  once: {image: app, restart: "no"}
must:
  - {on: kill payload/web, lose: none, max-dark: 5s}
  - {on: [kill dockerd], lose: none}
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a file in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "host.yaml").write_text(HOST, encoding="utf-8")
    return "host.yaml"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return status, what is said, and what is complained of."""
    status = main(list(words))
    out, err = capsys.readouterr()
    return status, out, err


def test_the_table_has_the_worst_first(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What loses a container stands above what replaces one; what changes nothing is named below."""
    status, out, _ = said(capsys, "blast", host, "--jobs", "1")
    lines = out.splitlines()
    places = {
        word: next(n for n, line in enumerate(lines) if word in line) for word in ("kill dockerd", "kill payload/web")
    }
    assert status == 0
    assert places["kill dockerd"] < places["kill payload/web"]
    assert "live-restore" in lines[3]
    assert any(line.startswith("Nothing is different after") for line in lines)
    assert "never measured" in out
    assert "on, off" not in out


def test_one_act_is_told_as_a_story(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Who dies, what becomes of each container and why, and how often that was right."""
    _, out, _ = said(capsys, "blast", host, "--only", "kill dockerd")
    assert "kill dockerd, live-restore off (as the file has it)" in out
    assert "  once  lost" in out
    assert "policy no starts nothing again" in out
    assert re.search(r"docker-26: \d+ of \d+ measured outcomes", out)


def test_json_has_every_run(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two seeds, two cases."""
    _, out, _ = said(capsys, "blast", host, "--only", "kill dockerd", "--seeds", "2", "--json", "--jobs", "1")
    found = json.loads(out)
    assert [row["live_restore"] for row in found["rows"]] == [False, True]
    assert [run["seed"] for run in found["rows"][0]["runs"]] == [1, 2]
    assert found["rows"][0]["runs"][0]["fates"]["lost"] == 1
    assert found["rows"][0]["runs"][0]["as_before_after_s"] is None


def test_a_figure_and_a_page_are_written(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The page has no script; another ending is refused before anything is run."""
    words = ("blast", host, "--only", "payload/web", "-q", "-o", "x.png", "-o", "x.html")
    assert said(capsys, *words)[0] == 0
    page = Path("x.html").read_text(encoding="utf-8")
    assert Path("x.png").read_bytes().startswith(b"\x89PNG")
    assert "<script" not in page
    assert "kill payload/web" in page
    status, _, err = said(capsys, "blast", host, "-o", "x.doc")
    assert (status, "this is no figure and no page" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--only", "dockerdd"), "Did you mean 'dockerd'?"),
        (("--window", "5"), "--window 5: '5' is not a duration"),
        (("--window", "0s"), "that is no time"),
    ],
)
def test_wrong_words_are_refused(host: str, words: tuple[str, ...], complaint: str, capsys: Any) -> None:
    """With status 2 and what to do."""
    status, _, err = said(capsys, "blast", host, *words)
    assert (status, complaint in err) == (2, True), err


def test_ctrl_c_keeps_what_is_done(host: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """The status is 130, and the acts that are done are told."""
    from sim.experiment import blast

    def cut(work: Any, tasks: Any, *_: Any) -> Any:
        raise Interrupted([work(tasks[0]), *[None] * (len(tasks) - 1)])

    monkeypatch.setattr(blast, "spread", cut)
    status, out, err = said(capsys, "blast", host)
    assert status == 130
    assert "interrupted after 1 of" in out
    assert "interrupted after 1 of" in err


# -- check -----------------------------------------------------------------------------------------


def test_check_holds_the_file_to_what_it_says(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, file and line of the container, and why; what holds is said, too."""
    status, out, _ = said(capsys, "check", host)
    assert status == 1
    assert "✓ kill payload/web: lose none, max-dark 5s" in out
    assert "✗ kill dockerd: lose none" in out
    assert "host.yaml:8: once: lost (none may be)" in out
    assert "policy no starts nothing again" in out


def test_check_takes_limits_of_the_command_line(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They stand in the place of the file's."""
    assert said(capsys, "check", host, "--on", "kill payload/web", "--max-dark", "5s")[0] == 0
    status, out, _ = said(capsys, "check", host, "--on", "kill payload/web", "--max-dark", "1ms", "--replace", "none")
    assert status == 1
    assert "host.yaml:3: web: port 80 is dark from" in out
    assert "web: gets another process (none may)" in out
    status, out, _ = said(capsys, "check", host, "--on", "stop dockerd", "--on", "stall dockerd", "--back-within", "2m")
    assert (status, "all is as before never (at most 120 s)" in out) == (1, True)


def test_annotations_are_githubs(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One command a container, its text escaped."""
    _, out, _ = said(capsys, "check", host, "--github")
    (line,) = out.splitlines()
    assert line.startswith(
        "::error file=host.yaml,line=8,title=shimulator%3A kill dockerd::after kill dockerd: once: lost"
    )
    assert "%0A" in line


def test_junit_counts_failures(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A case an act; a failure names file and line."""
    assert said(capsys, "check", host, "-q", "--junit", "out.xml")[0] == 1
    root = xml.parse("out.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    good, bad = root.iter("testcase")
    assert good.find("failure") is None
    assert (bad.get("file"), bad.get("line")) == ("host.yaml", "8")
    assert "host.yaml:8: once: lost" in (bad.findtext("failure") or "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--on", "reboot"), "there is no limit"),
        (("--lose", "none"), "there is no act"),
        (("--on", "reboot", "--lose", "some"), "--lose: 'some' is no number of containers"),
        (("--on", "nothing", "--lose", "none"), "--on nothing: nothing that may befall this host"),
        (("--on", "reboot", "--max-dark", "5"), "--max-dark: '5' is not a duration"),
    ],
)
def test_what_cannot_be_checked_is_refused(host: str, words: tuple[str, ...], complaint: str, capsys: Any) -> None:
    """With status 2, since nothing was found out."""
    status, _, err = said(capsys, "check", host, *words)
    assert (status, complaint in err) == (2, True), err


def test_a_file_without_must_says_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the command line nor the file asks for anything."""
    status, _, err = said(capsys, "check", "document")
    assert (status, "nothing is said that must hold" in err) == (2, True)
