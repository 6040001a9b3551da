"""The Python interface: what a run, an exploration and a comparison give, and how they show in a notebook."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import sim
from sim.errors import InputError
from sim.experiment.run import Run
from sim.experiment.search import Search
from sim.render.cards import exploration_html
from sim.render.notebook import Picture, Text
from sim.views.frames import COLUMNS, PAIRS

ROOT = Path(__file__).parents[2]
KILLED = """
title: A <b>killed</b> dockerd & "web"
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  job: {image: busybox}
steps: [{id: kill, at: 60s, kill: dockerd}]
expect:
  - {at: kill+1s, port: 80, from: loopback, open: true}
  - {at: end, container: web, status: running}
until: kill+60s
"""
MOMENTS = ("-1h", "kill-1s", "kill+50ms", "kill+900ms", "kill+2s", "end")


@cache
def killed() -> Run:
    return sim.run(KILLED)


@cache
def stopped() -> Search:
    """Explore a stop with one kill anywhere."""
    text = "{services: {web: {image: nginx}}, steps: [{id: stop, docker: stop web}]}"
    return sim.explore(text, "V6", "V7", faults="kill=1")


# -- reading ----------------------------------------------------------------------------------------


def test_a_text_of_one_line_or_more_is_a_scenario_and_a_word_is_a_name(tmp_path: Path) -> None:
    """A line break or a mapping makes a text; a path is a file, whatever its name."""
    (tmp_path / "a: b.yaml").write_text("services: {web: {}}", encoding="utf-8")
    assert [it.name for it in sim.load("services: {web: {}}").setup.services] == ["web"]
    assert sim.load(KILLED).source == "scenario"
    assert sim.load(tmp_path / "a: b.yaml").name == "a: b"
    assert sim.load("document").name == "document"
    with pytest.raises(InputError, match=r"scenario:2:1: .*servces"):
        sim.run("\nservces: {}")


def test_settings_and_seeds_are_those_of_the_command_line() -> None:
    """A run of a text with a setting is the run of the scenario with it; another seed gives another run."""
    run = sim.run(KILLED, "engine.daemon.live-restore=true", seed=3)
    assert run.trace.setup.engine.daemon.live_restore
    assert run.trace.seed == 3
    assert list(sim.run(sim.load(KILLED), "engine.daemon.live-restore=true", seed=3).trace) == list(run.trace)
    assert list(sim.run(KILLED, seed=4).trace) != list(killed().trace)


def test_the_same_again_shares_what_both_have_in_common() -> None:
    """again() repeats a run to the byte; with a setting it is the run that the setting makes, on the same seed."""
    assert list(killed().again().trace) == list(killed().trace)
    changed = killed().again("engine.daemon.live-restore=true")
    assert list(changed.trace) == list(sim.run(KILLED, "engine.daemon.live-restore=true").trace)
    assert changed.scenario.source == killed().scenario.source
    assert changed.scenario.setup == sim.load(KILLED, "engine.daemon.live-restore=true").setup
    assert changed.tree("kill-1s").edges == killed().tree("kill-1s").edges
    assert killed().again(seed=9).trace.seed == 9
    with pytest.raises(InputError, match="live-restor"):
        killed().again("engine.daemon.live-restor=true")


# -- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", COLUMNS)
def test_rows_have_the_columns_that_are_documented(table: str) -> None:
    """Each value is of its column's kind, or unknown."""
    kinds: dict[str, Any] = {"text": str, "number": int, "seconds": float, "figure": float, "truth": bool}
    rows = killed().rows(table)
    assert rows
    for row in rows:
        assert list(row) == [column.name for column in COLUMNS[table]]
        assert all(row[it.name] is None or type(row[it.name]) is kinds[it.kind] for it in COLUMNS[table])


@pytest.mark.parametrize("at", MOMENTS)
def test_processes_that_live_at_a_moment_are_those_of_the_tree(at: str) -> None:
    """Whose fork is past and whose exit is not is who lives, in role, container and name, each time."""
    run = killed()
    second = (run.moment(at) - run.trace.origin) / 1e6
    living = [p for p in run.at(at).host.procs.values() if p.alive]
    found = {
        (row["pid"], row["role"], row["container"], row["comm"])
        for row in run.rows("processes")
        if row["start_s"] <= second and (row["end_s"] is None or row["end_s"] > second)
    }
    # what runs later on in the same process: its last program is told
    assert {pid for pid, *_ in found} == {p.pid for p in living}
    named = {(p.pid, p.image.program, p.image.container, p.image.comm) for p in living if p.image.program != "runc"}
    settled = {it for it in named if not it[3].startswith("runc:[")}
    assert settled <= found


def test_processes_say_how_they_ended_and_who_their_parents_were() -> None:
    """dockerd was killed, web's first shim lost its parent and left with 0, its payload was told to stop."""
    rows = killed().rows("processes", since="kill")
    (dockerd, again) = [row for row in rows if row["role"] == "dockerd"]
    assert (dockerd["signal"], dockerd["exit_code"], dockerd["ppid"]) == ("KILL", None, 1)
    assert dockerd["end_s"] == pytest.approx(0, abs=0.001)
    assert (again["end_s"], again["signal"], again["exit_code"]) == (None, "", None)
    first, second = [row for row in rows if row["role"] == "shim" and row["container"] == "web"]
    assert (first["last_ppid"], first["exit_code"], second["last_ppid"]) == (1, 0, second["ppid"])
    assert first["ppid"] == next(row["pid"] for row in rows if row["role"] == "containerd")


def test_intervals_follow_each_other_and_ports_say_what_reachable_says() -> None:
    """Each lane and each port covers the run without a hole; an open stretch is open in the world, and back."""
    run = killed()
    for table, keys in (("intervals", ("lane",)), ("ports", ("port", "client"))):
        lanes: dict[Any, list[Any]] = {}
        for row in run.rows(table):
            lanes.setdefault(tuple(row[key] for key in keys), []).append(row)
        assert lanes
        for rows in lanes.values():
            assert all(a["end_s"] == b["start_s"] for a, b in pairwise(rows))
            assert rows[-1]["end_s"] == (run.trace.end - run.trace.origin) / 1e6
    rows = run.rows("ports")
    assert {row["open"] for row in rows} == {True, False}
    for row in rows:
        middle = round((row["start_s"] + row["end_s"]) / 2 * 1e6) + run.trace.origin
        assert run.reachable(row["port"], row["client"], middle) is row["open"]


def test_events_are_those_of_docker_events() -> None:
    """As many as `docker events` prints; codes and signals stand in columns of their own."""
    rows = killed().rows("events")
    assert len(rows) == len(killed().show("docker-events").splitlines())
    assert [(row["container"], row["exit_code"]) for row in rows if row["action"] == "die"] == [("web", 0), ("job", 0)]
    stop = sim.run("{services: {web: {}}, steps: [{id: stop, at: 9s, docker: stop web}]}").rows("events", since="stop")
    assert [(row["action"], row["signal"]) for row in stop if row["time_s"] == 0.0] == [("kill", "TERM")]


def test_a_table_that_does_not_exist_is_refused_by_name() -> None:
    """The nearest name is suggested."""
    with pytest.raises(InputError, match="Did you mean 'events'"):
        killed().rows("event")


def test_a_frame_has_types_and_says_what_its_columns_mean() -> None:
    """Whole numbers stay whole where some are unknown; attrs hold the meanings."""
    pytest.importorskip("pandas", reason="the extra 'notebooks' is not installed")
    frame = killed().to_frame("processes", since="kill")
    assert [str(kind) for kind in frame.dtypes[["pid", "exit_code", "start_s"]]] == ["Int64", "Int64", "float64"]
    assert list(frame.attrs) == list(frame.columns)
    assert frame.end_s.isna().sum() == sum(row["end_s"] is None for row in killed().rows("processes"))
    assert len(killed().to_frame()) == len(killed().rows("events"))


def test_without_pandas_a_frame_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The complaint names the extra, and what does without."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'shimulator\[notebooks\]'.*rows\(\)"):
        killed().to_frame("events")


def test_every_column_is_in_the_documentation() -> None:
    """docs/python.md lists the columns of each table with their meanings, and no other."""
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    for table, columns in [*COLUMNS.items(), ("pairs", PAIRS)]:
        section = text.split(f"### `{table}`")[1].split("###")[0]
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", section, re.MULTILINE)
        assert rows == [(column.name, column.kind, column.meaning) for column in columns]


# -- how they show themselves -----------------------------------------------------------------------


def test_text_shows_its_lines_and_is_a_str() -> None:
    """A notebook writes the text itself, where Python writes it in quotes."""
    shown: list[str] = []
    text = killed().show("pstree", "kill-1s")
    text._repr_pretty_(type("Printer", (), {"text": shown.append}), False)
    assert shown == [str(text).rstrip("\n")]
    assert isinstance(text, str)
    assert repr(Text("a\nb")) == r"'a\nb'"


def test_a_run_shows_finding_verdicts_and_what_was_run() -> None:
    """The card has the headline, every expectation with its verdict, seed and profile, and a picture with words."""
    html = killed()._repr_html_()
    for words in ("A killed dockerd: ", "✗ fails", "✓ holds", "seed 1", "latency profile el7-idle", "closed"):
        assert words in html
    assert re.search(r'<img alt="Timeline: A killed dockerd: [^"]+" src="data:image/png;base64,iVBOR', html)
    assert html == killed()._repr_html_()
    assert repr(killed()).startswith('<A <b>killed</b> dockerd & "web" · docker-1.13')


def test_a_card_runs_nothing_and_escapes_what_comes_from_outside() -> None:
    """A title with markup is words; there is no script, no style sheet, no address outside."""
    html = re.sub(r"base64,[\w+/=]+", "", killed()._repr_html_())
    assert "A &lt;b&gt;killed&lt;/b&gt; dockerd &amp; &quot;web&quot;" in html
    assert "<b>" not in html
    assert not re.search(r"<script|<style|javascript:|https?:|\bon\w+=", html)


def test_pictures_are_drawn_with_words_beside_them(tmp_path: Path) -> None:
    """A notebook gets a PNG, its caption as alt text, and both trees as text; a file is written on request."""
    picture = killed().trees("kill-1s", "kill+500ms")
    data, about = picture._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")
    assert about == {"image/png": {"alt": picture.caption}}
    assert picture.caption.startswith("Process trees, kill-1s and kill+500ms: moved to PID 1: 2 shims; gone: dockerd, ")
    assert data["text/plain"].count("nginx") == 2
    found = picture.caption.partition(": ")[2]
    assert picture.save(tmp_path / "tree.svg") == f"15 processes in 2 trees: {found}"
    assert (tmp_path / "tree.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert Picture.png(picture) == Picture.png(killed().trees())


def test_a_killed_proxy_is_a_zombie_now() -> None:
    """Between two trees of the same processes the one that died is told."""
    run = sim.run("{services: {web: {ports: ['80:80']}}, steps: [{id: kill, at: 9s, kill: proxy/web}]}")
    assert run.trees().caption.endswith(": zombies now: 1 proxy")
    assert (
        sim.run("{services: {web: {}}, steps: [{id: hold, at: 9s, stop: dockerd}]}")
        .trees("hold-1s", "hold+1s")
        .caption.endswith(": stopped now: dockerd")
    )


def test_two_runs_are_named_by_what_differs() -> None:
    """One title twice is told apart by the setting that differs, else by the seed."""
    kept = killed().again("engine.daemon.live-restore=true")
    both = killed().plot(kept)
    assert both.caption.startswith("Timeline: With live-restore ")
    lines = both.words.splitlines()
    titles = [place for place, line in enumerate(lines) if re.search("live-restore (false|true):$", line)]
    assert [lines[place + 1] for place in titles] == ["  web: exit 0, new pid", "  web: same pid"]
    assert re.search(r"remote open: dark ≤ [\d.]+ s", both.words)
    assert "live-restore false: kill+9s and " in killed().trees("kill+9s", beside=kept).caption
    assert ", seed 1: end and " in killed().trees("end", beside=killed().again(seed=2)).caption


Asks = Callable[[], object]
REFUSED: dict[str, tuple[Asks, str]] = {
    "too many moments": (lambda: killed().trees("0s", "1s", "2s"), "3 moments of 1 run are too many"),
    "no such moment": (lambda: killed().trees("kil"), "kil"),
    "a window backwards": (lambda: killed().plot(start="kill+2s", stop="kill+1s"), "begin at kill+2s and end at"),
    "no such question": (lambda: killed().why("contaner web"), "Did you mean 'container'"),
    "no such finding": (lambda: stopped().verdict("V8"), "this property was not asked for. It was asked for V6, V7"),
    "no story": (lambda: stopped().story("V6"), "there is no story: HOLDS"),
    "no such property": (lambda: sim.explore("services: {web: {}}", "V99"), "there is no such property"),
    "no such fault": (lambda: sim.explore("services: {web: {}}", "V6", faults="kil=1"), "Did you mean 'kill'"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_with_what_can(case: str) -> None:
    """Each wrong question says what is valid."""
    ask, words = REFUSED[case]
    with pytest.raises(InputError) as refused:
        ask()
    assert words in str(refused.value)


def test_why_and_tell_say_what_the_command_line_says() -> None:
    """The chain of causes ends with the step; the story is the report without trees and expectations."""
    chain = killed().why("container job", "kill+30s").splitlines()
    assert chain[0] == "container job is exited (0)"
    assert chain[-1].startswith("  ← step kill, line 6: kill dockerd")
    assert str(killed().report()).startswith(str(killed().tell()).rstrip("\n"))


# -- explorations and comparisons -------------------------------------------------------------------


@pytest.mark.long
def test_an_exploration_tells_its_stories_and_runs_them() -> None:
    """A violated property has a story, and a run in which it fails."""
    found = stopped()
    assert (found.verdict("V6"), found.verdict("V7")) == ("HOLDS", "VIOLATED")
    assert found.story("V7").startswith("V7 is violated: 1 fault")
    assert [verdict.holds for verdict in found.run("V7").verdicts()] == [False]


@pytest.mark.long
def test_an_exploration_shows_the_same_on_every_machine() -> None:
    """The card has verdicts, counts and the bound, and no time that it took."""
    found = stopped()
    html = found._repr_html_()
    assert "VIOLATED" in html
    assert re.search(r"COMPLETE: [\d,]+ states, [\d,]+ transitions, depth \d+, \d+ ends<", html)
    assert "At most 1 fault (kill 1: a process gets SIGKILL and is gone)" in html
    assert exploration_html(replace(found.found, seconds=9e9, taped=1)) == html
    assert repr(found).startswith("<scenario, every order: V6 HOLDS, V7 VIOLATED; COMPLETE: ")


def test_a_comparison_has_pairs_a_table_and_a_figure() -> None:
    """Each pair's difference is the one figure less the other; the card says what the change means and costs."""
    found = sim.whatif(KILLED, "engine.daemon.live-restore=true", seeds=6, jobs=1)
    rows = found.rows()
    assert {row["seed"] for row in rows} == {1, 2, 3, 4, 5, 6}
    known = [row for row in rows if not math.isnan(row["difference"])]
    assert all(row["difference"] == pytest.approx(row["then"] - row["now"]) for row in known)
    assert {row["metric"] for row in rows if row not in known} == {"memory_once", "start_p50", "start_p99"}
    assert [row["difference"] for row in rows if row["metric"] == "processes_kept"] == [2.0] * 6
    html = found._repr_html_()
    for words in ("What if engine.daemon.live-restore were true?", "6 paired runs", "better", "Price: "):
        assert words in html
    assert found.plot().caption.startswith("Difference by pairs of runs: engine.daemon.live-restore=true keeps ")
    assert found.plot().png().startswith(b"\x89PNG")
    pytest.importorskip("pandas", reason="the extra 'notebooks' is not installed")
    assert len(found.to_frame()) == len(rows)
