"""The experiments on real engines can be read, and no row of theirs that was right becomes wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sim.experiment.act_words import FILE
from tests.truth import acts, right, tell
from tests.truth.judge import Judged, all_judged, beside, everything, judge, load
from tests.truth.kinds import KINDS
from tests.truth.rows import COLUMNS, FOLDER, MARKS, Experiment, Row, read
from tests.validation.ask import ROOT
from tests.validation.page import PAGE

NAMES = sorted(it.name for it in FOLDER.iterdir() if it.is_dir())
ROW = Row("status", "web", "end", "running", "", "", "no", "", "predicted", "x 1", "notes", "mine")
SCENARIO = "services: {web: {image: nginx}}\nsteps: [{id: stop, at: 1s, docker: stop web}]\nuntil: 20s\n"


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_can_be_read(name: str) -> None:
    """Its rows are of known kinds, and its scenario is one."""
    experiment = read(FOLDER / name)
    assert experiment.rows
    assert [row.kind for row in experiment.rows if row.kind not in KINDS] == []
    load(experiment, [])


def test_the_list_of_right_rows_is_about_rows_that_are_there() -> None:
    """Each row once; one that no experiment has any more is taken off with its reason."""
    listed = right.read()
    assert right.gone({row.key for it in everything() for row in it.rows}, listed) == []
    assert len(set(listed.right)) == len(listed.right)
    assert set(listed.right).isdisjoint(listed.off)


@pytest.mark.long
def test_no_row_that_was_right_is_wrong() -> None:
    """A row that is on the list stays right, or is taken off the list with a reason (docs/truth.md)."""
    lost = [
        f"{it.row.key}: seen {it.row.expected}, the model says {it.found}"
        for it in right.lost(all_judged(), right.read())
    ]
    assert lost == []


@pytest.mark.long
def test_the_table_of_acts_is_up_to_date() -> None:
    """What `shimulator blast` says of how often an act was right; `make truth ACCEPT=yes` writes it."""
    assert FILE.read_text(encoding="utf-8") == acts.table()


def test_rows_count_for_the_act_that_is_the_fault() -> None:
    """Those that are right and those that are not; rows that a profile was made from are left out."""
    mine = "services: {web: {image: nginx}}\nsteps: [{id: k, at: 1s, kill: shim/web}, {at: 2s, docker: stop web}]\n"
    listed = right.read().right[0].split(" | ")
    rows = [
        ROW._replace(experiment=listed[0], kind=listed[1], subject=listed[2], moment=listed[3], happened="yes"),
        ROW,
        ROW._replace(mark="fitted"),
    ]
    table = acts.table([Experiment("mine", mine, tuple(rows))])
    assert table.splitlines()[1:] == ["docker-1.13,kill,shim,1,2,1,1"]


@pytest.mark.long
def test_the_page_shows_what_the_model_says_now() -> None:
    """The section of docs/validation.md is what `make validation` writes."""
    assert tell.section(all_judged()) in PAGE.read_text(encoding="utf-8")


# -- how it is judged ----------------------------------------------------------------------------------


def row(kind: str, subject: str, moment: str, expected: str, **cells: str) -> Row:
    """Return a row of an experiment of this file."""
    return ROW._replace(kind=kind, subject=subject, moment=moment, expected=expected, **cells)


def judged(of: Row, scenario: str = "") -> Judged:
    """Judge one row, by one seed."""
    (found,) = judge(Experiment("mine", scenario or HOST, (of,)), (1,))
    return found


CASES = [
    (row("status", "web", "end", "exited"), row("status", "web", "stop-1s", "exited")),
    (row("status", "web", "stop-1s", "running"), row("status", "web", "end", "removed")),
    (row("exit code", "web", "end", "0"), row("exit code", "web", "end", "137")),
    (row("restarts", "web", "end", "0"), row("restarts", "web", "end", "1..3")),
    (row("pid", "web", "stop-1ms since 0s", "same"), row("pid", "web", "stop-1ms since 0s", "new")),
    (row("process", "shim/web", "0s", "yes"), row("process", "shim/web", "end", "yes")),
    (row("count", "proxy/*", "end", "0"), row("count", "proxy/*", "end", "2")),
    (row("parent", "payload/web", "0s", "shim/web"), row("parent", "payload/web", "0s", "init")),
    (row("state", "payload/web", "0s", "S"), row("state", "payload/web", "0s", "Z")),
    (row("kept", "payload/web", "stop-1ms since 0s", "kept"), row("kept", "payload/web", "end since 0s", "kept")),
    (row("group", "payload/web", "0s", "own"), row("group", "payload/web", "0s", "shim")),
    (row("session", "payload/web", "0s", "own"), row("session", "shim/web", "0s", "payload")),
    (row("return code", "stop", "end", "0"), row("return code", "stop", "end", "unanswered")),
    (row("text", "none", "end", "is not running"), row("text", "none", "end", "no such words")),
    (row("port", "80 remote", "0s", "open"), row("port", "80 remote", "end", "open")),
    (row("found", "80 remote6", "0s", "answered"), row("found", "80 loopback", "end", "closed")),
    (row("port end", "80 remote", "0s", "dark"), row("port end", "80 remote", "0s", "answers")),
    (row("events", "web", "stop..stop+5s", "kill TERM, die 0, stop"), row("events", "web", "stop", "die 0, stop")),
    (
        row("net events", "web", "stop", "kill TERM, die 0, network disconnect, stop"),
        row("net events", "web", "stop", "kill TERM, die 0, stop"),
    ),
    (
        row("seconds", "to its end", "stop..Exited(payload/web)", "0.02", tolerance="0..0.3"),
        row("seconds", "to its end", "stop..Exited(payload/web)", "2", tolerance="1..3"),
    ),
    (
        row("command s", "stop", "", "0.1", tolerance="0.001..0.5"),
        row("command s", "stop", "", "2", tolerance="1..3"),
    ),
    (
        row("pid gap", "shim/web..payload/web", "0s", "20", tolerance="1..200"),
        row("pid gap", "shim/web..payload/web", "0s", "-2", tolerance="-5..-1"),
    ),
]
"""A row that is right of each kind, and one that is wrong; T1 and T11 of the sheet."""
HOST = """\
services: {web: {image: nginx, ports: ["80:80"]}}
steps: [{id: stop, at: 1s, docker: stop web}, {id: none, at: 10s, docker: kill web}]
until: 20s
"""


@pytest.mark.parametrize(("good", "bad"), CASES, ids=lambda it: f"{it.kind} {it.expected}")
def test_a_kind_tells_what_is_right_from_what_is_wrong(good: Row, bad: Row) -> None:
    """Each kind that needs no other host has a row that agrees and one that does not."""
    assert judged(good).right is True
    assert judged(bad).right is False


def test_every_kind_is_tried() -> None:
    """But for those that are an entry of expect: with another key."""
    assert sorted({good.kind for good, _ in CASES} | {"health", "lost", "oom killed", "dark s"}) == sorted(KINDS)


def test_a_dark_time_is_the_longest_of_a_port_that_comes_back() -> None:
    """One that stays dark has no length."""
    again = HOST.replace("{id: none, at: 10s, docker: kill web}", "{at: 4s, docker: start web}")
    good = row("dark s", "80 remote", "stop", "3", tolerance="2.8..3.4")
    assert judged(good, again).right is True
    assert judged(good).found == "stays dark"


def test_two_runs_stand_beside_what_was_seen() -> None:
    """A line a row, whether it agrees or not; what cannot be said has none."""
    rows = (
        row("command s", "stop", "", "0.1", tolerance="0.001..0.5"),
        row("status", "web", "end", "running"),
        row("status", "web", "0s", "no such status"),
        row("status", "2 rows: no word", "", "", mark="unsayable"),
    )
    lines = tell.beside(beside(Experiment("mine", HOST, rows))).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["moment", "subject", "seen", "run 1", "run 2", "within", "right"]
    assert [cells[2][1:3], cells[2][5:]] == [["command s: stop", "0.1"], ["0.001..0.5", "yes"]]
    assert 0.001 < float(cells[2][3]) != float(cells[2][4]) < 0.5
    assert cells[3] == ["end", "status: web", "running", "web exited (0)", "web exited (0)", "", "no"]
    assert cells[4][3].startswith("refused: ")
    assert cells[4][-1] == "no"
    assert len(lines) == 5
    ((_, answers),) = beside(Experiment("mine", "nonsense: 1\n", rows[:1]))
    assert [it.found[:8] for it in answers] == ["not run:"] * 2


def test_what_is_refused_is_wrong_and_hides_no_other_row() -> None:
    """A word that the language does not have any more makes its own row wrong; a scenario that is refused, all."""
    rows = (row("status", "web", "end", "exited"), row("status", "web", "0s", "no such status"))
    assert [it.right for it in judge(Experiment("mine", SCENARIO, rows), (1,))] == [True, False]
    assert [it.right for it in judge(Experiment("mine", "nonsense: 1\n", rows), (1,))] == [False, False]


def test_a_row_is_right_if_most_seeds_agree() -> None:
    """Two of three are most, one is not."""
    asked = row("seconds", "to its end", "stop..die(web)", "0", tolerance="0..9")
    first, second, _ = found = sorted(float(by_seeds(asked, seed).found) for seed in (1, 2, 3))
    assert len(set(found)) == 3
    assert by_seeds(asked._replace(tolerance=f"{first}..{second}"), 1, 2, 3).right is True
    assert by_seeds(asked._replace(tolerance=f"{first}..{first}"), 1, 2, 3).right is False


def by_seeds(of: Row, *seeds: int) -> Judged:
    """Judge one row by these seeds."""
    (found,) = judge(Experiment("mine", HOST, (of,)), seeds)
    return found


def test_what_cannot_be_said_is_neither_right_nor_wrong() -> None:
    """It is not asked."""
    unsaid = row("status", "the weather", "", "fine", mark="unsayable", cause="no word")
    assert judged(unsaid).right is None


def test_rows_of_one_cause_count_once() -> None:
    """A cause is right if all of its rows are; rows without one stand for themselves."""
    rows = [(True, "a"), (False, "a"), (True, "b"), (True, ""), (False, "")]
    found = [Judged(ROW._replace(cause=cause, subject=str(n)), ok, "") for n, (ok, cause) in enumerate(rows)]
    assert tell.counts(found) == ("3 of 5, 60.0 %", "none", "2 of 4, 50.0 %")


def test_a_row_leaves_the_list_with_its_reason_alone() -> None:
    """A new row that is wrong breaks nothing; one that was right does."""
    good, bad = Judged(ROW, True, ""), Judged(ROW._replace(subject="db"), False, "exited")
    listed = right.read(right.written(right.Listed((), {}), right.won([good, bad], right.Listed((), {}))))
    assert listed.right == (ROW.key,)
    assert right.lost([good, bad], listed) == []
    assert right.lost([good._replace(right=False)], listed) != []
    off = right.read(f"off {ROW.key} -- measured anew\n")
    assert right.lost([good._replace(right=False)], off) == []
    assert right.won([good], off) == []
    with pytest.raises(ValueError, match="with its reason"):
        right.read(f"off {ROW.key}\n")


WRONG = {
    "mark": ("mark", "guessed"),
    "happened": ("happened", "perhaps"),
    "no engine": ("engine", ""),
    "a tolerance from nowhere": ("tolerance", "1..2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_row_that_says_too_little_is_refused(case: str, tmp_path: Path) -> None:
    """With its file and line."""
    column, cell = WRONG[case]
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    cells = ROW._replace(**{column: cell})[: len(COLUMNS)]
    (tmp_path / "rows.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(cells) + "\n")
    with pytest.raises(ValueError, match=r"rows\.csv:2: "):
        read(tmp_path)


# -- docs/truth.md and docs/record.sh -------------------------------------------------------------------


def test_the_page_that_says_how_to_add_one_is_right(tmp_path: Path) -> None:
    """It has every kind and every column, and its example is read."""
    text = (ROOT / "docs/truth.md").read_text(encoding="utf-8")
    assert tell.table(("kind", "subject", "what it says"), told()) in text
    assert all(f"`{it}`" in text for it in (*COLUMNS, *MARKS))
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    (tmp_path / "rows.csv").write_text(text.split("```csv\n")[1].split("```")[0])
    assert len(read(tmp_path).rows) == 3


def told() -> list[tuple[str, str, str]]:
    """Return the kinds as the page shows them."""
    return [(f"`{name}`", kind.subject, kind.about) for name, kind in KINDS.items()]


def test_the_recorder_asks_and_changes_nothing(tmp_path: Path) -> None:
    """What it calls of engine and host only reads, and all of its files are in its folder."""
    programs, folder = tmp_path / "bin", tmp_path / "recorded"
    programs.mkdir()
    for name in ("docker", "ss", "iptables-save", "systemctl"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called; echo 5f2c\n')
        (programs / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(ROOT / "docs/record.sh"), str(folder), "0"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    called = {line.split()[0] + " " + line.split()[1] for line in (tmp_path / "called").read_text().splitlines()}
    assert called == {
        *("docker version", "docker info", "docker events", "docker ps", "docker inspect"),
        *("ss -ltnup", "iptables-save -t", "systemctl show"),
    }
    assert sorted(it.name for it in tmp_path.iterdir()) == ["bin", "called", "recorded"]
    assert {"host.txt", "events.jsonl", "before", "after"} <= {it.name for it in folder.iterdir()}
    files = {"inspect.json", "ps.txt", "ps-a.txt", "ss.txt", "iptables-nat.txt", "signals.txt", "when.txt"}
    assert {it.name for it in (folder / "after").iterdir()} == files


def test_hosts_are_tried_again_as_they_were_imported() -> None:
    """The host is init's, the act and the rows are the experiment's; moments keep their distance from the act."""
    (found,) = [it for it in everything() if it.name == "imported-H3-kill9-containerd"]
    scenario = load(found, [])
    assert [row.pid for row in scenario.setup.host.processes][:3] == [1, 52, 54]
    assert "kill: containerd" in found.scenario
    given = read(FOLDER / "host-H3-kill9-containerd")
    assert len(found.rows) == len([row for row in given.rows if row.mark == "predicted"])
    first = next(step for terminal in scenario.setup.terminals for step in terminal if "kill" in step.text)
    assert {row.moment for row in found.rows if row.kind == "events"} == {f"{first.at.offset // 1000}ms"}
