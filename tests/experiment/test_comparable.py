"""Honest comparisons: times of two designs with a profile each have no interval, those on one profile have."""

import json
import math

import pytest

import sim
from sim.cli import main
from sim.designs import DESIGNS
from sim.experiment.comparable import kind_of, kinds
from sim.experiment.paired import interval_rank
from sim.experiment.whatif import Terms, whatif_each, whatif_of
from sim.latency import PROFILES
from sim.render.cards import comparison_html
from sim.render.compare_figure import headline, moved
from sim.render.whatif_rows import rows_csv, rows_json, rows_text
from sim.render.whatif_text import to_csv, to_json, whatif_text
from sim.scenario import load
from sim.scenario.profiles import OWN, completed
from sim.views.comparison import INCOMPARABLE, WhatIf

HOST = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 3s}}
engine: {design: DESIGN}
steps: [{id: kill, at: 60s, kill: payload/web}]
until: kill+20s
"""
PAIRS = [
    ("docker-1.13", "docker-26", "known ranges / measured"),
    ("docker-26", "containerd-cri", "measured / measured"),
    ("docker-26", "cri-o", "measured / assumed"),
    ("containerd-cri", "cri-o", "measured / assumed"),
]
ALIKE = [("docker-20.10", "docker-28-separate"), ("docker-1.11", "docker-1.13"), ("cri-o", "cri-o-cgroupfs")]


def compared(now: str, then: str, *more: str, seeds: int = 6) -> WhatIf:
    base, settings = HOST.replace("DESIGN", now), (f"engine.design={then}", *more)
    return whatif_each("x.yaml", [settings], seeds, 1, text=base)


@pytest.mark.parametrize(("now", "then", "why"), PAIRS)
def test_times_of_two_profiles_have_no_interval(now, then, why):
    """Both profiles are named, and no time that differs has a change, an interval or a word for better and worse."""
    found = compared(now, then)
    times = [row for row in found.only.rows if row.unit == "s" and row.base.values != row.other.values]
    told = [row for row in times if row.metric == "until_ready"]
    assert told
    assert found.only.incomparable == why
    for row in told:
        assert (row.verdict, row.why, row.change, row.low, row.high) == (INCOMPARABLE, why, None, None, None)
        assert math.isfinite(row.base.median)
        assert math.isfinite(row.other.median)
    assert not [row for row in found.only.rows if row.unit == "s" and None not in (row.low, row.high) and row.rose]
    text = whatif_text(found)
    line = next(line for line in text.splitlines() if line.startswith(" time until all are ready"))
    assert "not comparable" in line
    assert line.endswith(why)
    assert "…" not in line
    for design in (now, then):
        profile = DESIGNS[design].traits.profile
        assert f"{profile} ({kind_of(PROFILES[profile])})" in text


@pytest.mark.parametrize(("now", "then"), ALIKE)
def test_times_of_one_profile_are_compared(now, then):
    """Two designs with the same durations are compared as ever."""
    found = compared(now, then)
    assert found.only.incomparable == ""
    assert INCOMPARABLE not in {row.verdict for row in found.only.rows}
    assert "not comparable" not in whatif_text(found)


def test_what_is_no_time_is_compared_across_profiles():
    """Processes, ports that stay dark and sizes are not a matter of durations."""
    rows = {row.metric: row for row in compared("docker-26", "cri-o").only.rows}
    assert rows["memory"].verdict == "better"
    assert rows["memory"].low is not None
    assert rows["processes_kept"].verdict == "same"


def test_what_is_back_on_one_side_alone_is_an_outcome():
    """A port that one design never opens again is worse, whatever profiles say."""
    text = HOST.replace("DESIGN", "docker-26").replace("kill: payload/web", "firewalld: reload")
    (variant,) = whatif_each("x.yaml", [["engine.design=cri-o"]], 6, 1, text=text).variants
    row = next(row for row in variant.rows if row.metric == "remote_dark")
    assert (variant.incomparable, row.verdict, row.change) == ("measured / assumed", "worse", math.inf)


def test_two_profiles_of_one_design_are_what_was_asked_about():
    """Who sets the profile of the same design wants the difference that it makes."""
    found = whatif_each(
        "x.yaml", [["engine.profile=docker-26-2core"]], 6, 1, text=HOST.replace("DESIGN", "docker-1.13")
    )
    assert found.only.incomparable == ""
    assert next(row for row in found.only.rows if row.metric == "until_ready").verdict == "better"


@pytest.mark.parametrize(("now", "then", "why"), PAIRS)
def test_all_run_on_one_profile_where_it_is_asked_for(now, then, why):
    """With --profile the sides share their durations, have intervals, and say what the profile lacks."""
    terms = Terms(6, 1, profile="docker-26-2core")
    base = load("x.yaml", HOST.replace("DESIGN", now), terms.settings())
    other = load("x.yaml", HOST.replace("DESIGN", now), (*terms.settings(), f"engine.design={then}"))
    found = whatif_of(base, [other], [(f"engine.design={then}",)], terms, always=terms.settings())
    row = next(row for row in found.only.rows if row.metric == "until_ready")
    assert found.only.incomparable == ""
    assert row.low is not None
    assert row.verdict != INCOMPARABLE
    assert "engine.profile=docker-26-2core+own" in found.only.again
    for side in (base, other):
        durations = dict(side.setup.engine.durations)
        if DESIGNS[side.setup.engine.design].traits.profile == "docker-26-2core":
            assert durations == {}
            assert side.setup.engine.profile == "docker-26-2core"
        else:
            assert durations.items() >= PROFILES["docker-26-2core"].items()
            borrowed = len(durations) - len(PROFILES["docker-26-2core"])
            assert f"{borrowed} durations that docker-26-2core lacks are {side.setup.engine.design}'s own" in " ".join(
                found.only.sentences
            )


def test_a_profile_leaves_out_what_its_own_engines_do_at_no_price():
    """An op that an engine of the profile has is in another row of it, so that nothing is counted twice."""
    name, rows = completed(f"docker-26-2core{OWN}", (), DESIGNS["docker-1.13"])
    assert name == "docker-26-2core+own"
    assert "runc/start_threads" not in dict(rows)  # of runc 1.1 too: its phases hold it
    assert "containerd/payload_gone" in dict(rows)  # containerd 0.2 alone has it


def test_every_design_runs_on_every_profile():
    """Whatever a profile lacks, each duration of the design's own that no engine of it has is there."""
    for name, profile in PROFILES.items():
        for design in DESIGNS.values():
            _, rows = completed(f"{name}{OWN}", (), design)
            assert not rows or set(profile) < set(dict(rows))


def test_a_file_s_profile_can_be_completed_too(tmp_path):
    """The name of a file with +own behind it."""
    file = tmp_path / "mine.yaml"
    file.write_text("durations: {payload/execute: {work_ms: 7, mark: M here}}\n")
    found = load("x.yaml", HOST.replace("DESIGN", "podman"), [f"engine.profile={file}+own"]).setup.engine
    assert found.profile == "mine+own"
    assert dict(found.durations)["payload/execute"].mark == "M here"
    assert set(dict(found.durations)) == {*PROFILES["podman-idle"], "payload/execute"}


def test_figures_table_and_programs_say_so_too():
    """The table of several, CSV, JSON, figure, notebook and DataFrame rows."""
    found = compared("docker-26", "cri-o")
    assert "docker-26-2core (measured) | crio-idle (assumed): times are not comparable" in rows_text([found, found])
    (variant,) = to_json(found)["variants"]
    json.dumps(variant, allow_nan=False)
    assert variant["comparable"] is False
    row = next(row for row in variant["rows"] if row["metric"] == "until_ready")
    assert (row["verdict"], row["why"], row["change"]["low"]) == ("incomparable", "measured / assumed", None)
    assert ",,,,0,0,incomparable" in next(line for line in to_csv(found).splitlines() if ",until_ready," in line)
    assert moved(found.only, "s") == []
    assert "times are not comparable: measured / assumed" in headline(found, found.only)
    assert "not comparable" in comparison_html(found)


def test_python_takes_a_profile():
    """`sim.whatif(..., profile=NAME)` runs both sides on it."""
    text = HOST.replace("DESIGN", "docker-26")
    found = sim.whatif(text, "engine.design=cri-o", seeds=6, jobs=1)
    assert found.found.only.incomparable == "measured / assumed"
    assert all(math.isnan(row["difference"]) for row in found.rows() if row["metric"] == "until_ready")
    found = sim.whatif(text, "engine.design=cri-o", seeds=6, jobs=1, profile="docker-26-2core")
    assert found.found.only.incomparable == ""


def test_the_command_takes_a_profile(tmp_path, capsys):
    """`whatif --profile NAME`; an unknown one is refused with the nearest."""
    file = tmp_path / "x.yaml"
    file.write_text(HOST.replace("DESIGN", "docker-26"))
    words = ["whatif", str(file), "--design", "cri-o", "--seeds", "6", "--jobs", "1", "--no-save"]
    assert main([*words, "--profile", "docker-26-2core"]) == 0
    assert "not comparable" not in capsys.readouterr().out
    assert main([*words, "--profile", "docker-26-2cores"]) == 2
    assert "Did you mean docker-26-2core" in capsys.readouterr().err


def test_equally_named_profiles_of_two_designs_are_one():
    """Designs on one profile are comparable, one of them completed or not."""
    text = HOST.replace("DESIGN", "docker-26")
    base = load("x.yaml", text, ["engine.profile=docker-26-2core+own"]).setup.engine
    other = load("x.yaml", text, ["engine.profile=docker-26-2core+own", "engine.design=podman"]).setup.engine
    assert kinds(base, other) == ""
    assert interval_rank(6) == 1  # six pairs have an interval: the tests above would not see one otherwise


# -- slips ------------------------------------------------------------------------------------------


def test_an_alternative_that_is_the_file_is_said_once():
    """No table of zeros: one line, in both forms of the text; it is not run on its own."""
    found = whatif_each("x.yaml", [["host.cores=2"], ["host.cores=4"]], 6, 1, text=HOST.replace("DESIGN", "docker-26"))
    assert [variant.same for variant in found.variants] == [True, False]
    text = whatif_text(found)
    assert text.startswith("host.cores=2: the same as the file.\n\nWhat if host.cores were 4?")
    assert text.count("What if") == 1
    table = rows_text([found])
    assert table.count("the same as the file") == 1
    assert [variant["same_as_file"] for variant in to_json(found)["variants"]] == [True, False]


def test_one_file_has_no_totals():
    """Of one file a total is its row again, in text, CSV and JSON; of two there is one."""
    text = HOST.replace("DESIGN", "docker-26")
    one, other = (whatif_each(name, [["host.cores=1"], ["host.cores=4"]], [1], 1, text=text) for name in ("a", "b"))
    for found, totals in (([one], 0), ([one, other], 2)):
        assert rows_text(found).count("\n all ") == totals
        assert rows_csv(found).count("\ntotal,") == totals
        assert len(rows_json(found)["totals"]) == totals
