"""What-ifs end to end: pairing, words, refusals, and the three forms in which they are shown."""

import csv
import io
import json
import math

import pytest

from sim.errors import InputError
from sim.experiment.changes import found_at
from sim.experiment.metrics import METRICS
from sim.experiment.whatif import whatif, whatif_each
from sim.render.compare_figure import compare_png
from sim.render.whatif_text import to_csv, to_json, whatif_text
from sim.views.comparison import WhatIf
from tests.experiment.hosts import GONE, LIVE_RESTORE, WEB


@pytest.fixture(scope="module")
def restored() -> WhatIf:
    return whatif("x.yaml", [LIVE_RESTORE], 8, 1, text=WEB)


@pytest.fixture(scope="module")
def gone() -> WhatIf:
    return whatif("x.yaml", ["services.web.restart=always"], 8, 1, text=GONE)


@pytest.mark.parametrize("text", [WEB, GONE])
def test_equal_settings_differ_in_nothing(text):
    """Both sides of a pair share all draws, so a setting that is so already gives differences of exactly 0."""
    found = whatif("x.yaml", ["engine.daemon.live-restore=false"], 6, 1, text=text).only
    unknown = {"start_p50", "start_p99"}  # nothing starts
    unknown |= {"log_at_risk", "log_lost", "blocked_after"}  # nothing is printed
    assert set(METRICS) - unknown <= {row.metric for row in found.rows} <= set(METRICS)
    for row in found.rows:
        assert repr(row.base) == repr(row.other)
        assert all(it == 0 or math.isnan(it) for it in row.differences)
        assert row.verdict == "same"
    assert found.sentences == (
        "engine.daemon.live-restore=false changes nothing here: every figure is the same in all 6 pairs of runs.",
    )
    assert found.prices == ()


def test_live_restore_is_better_and_has_a_price(restored):
    """The rows, the sentence and the price say what the setting does."""
    rows = {row.metric: row for row in restored.only.rows}
    assert rows["processes_kept"].verdict == rows["remote_dark"].verdict == "better"
    assert rows["orphan_shims"].verdict == "note"
    assert restored.only.sentences[0].startswith("engine.daemon.live-restore=true keeps the process and cuts")
    assert "loses lines at random" in restored.only.prices[0].text


def test_the_sentences_follow_the_rows(gone):
    """A container that comes back only with the setting is said to be so, without a number for "not back"."""
    assert gone.only.sentences[0].startswith(
        "services.web.restart=always changes the longest remote gap from more than 20s to "
    )
    assert "Not back by the end of the window: 0 of 2 containers instead of 1." in gone.only.sentences


def test_what_was_not_back_is_printed_as_longer_than_the_window(gone):
    """The text has "> 20s" and "back", JSON null with the number of runs, CSV an empty field."""
    line = next(line for line in whatif_text(gone).splitlines() if line.startswith(" remote ports"))
    assert line.split()[4:6] == [">", "20s"]
    assert " back " in line
    row = next(row for row in to_json(gone)["variants"][0]["rows"] if row["metric"] == "remote_dark")
    assert (row["base"]["median"], row["base"]["not_back_runs"]) == (None, 8)
    assert row["base"]["values"] == [None] * 8
    assert row["other"]["not_back_runs"] == 0
    fields = next(row for row in csv.DictReader(io.StringIO(to_csv(gone))) if row["metric"] == "remote_dark")
    assert (fields["base_median"], fields["base_not_back_runs"], fields["change"]) == ("", "8", "")


def test_the_text_says_what_was_asked_and_what_was_run(restored):
    """Question, old value with its origin, seeds, window, worst seed."""
    text = whatif_text(restored, took_s=2.14)
    lines = text.splitlines()
    assert lines[0].startswith("What if engine.daemon.live-restore were true?")
    assert lines[0].endswith("now: false, the default")
    assert lines[1].endswith("8 paired runs, seeds 1–8 · window: kill … kill+30s · 2.1 s")
    assert lines[-1].startswith("Worst run again: shimulator run x.yaml --set engine.daemon.live-restore=true --seed ")
    assert max(map(len, lines)) <= 120


def test_json_has_its_documented_keys(restored):
    """The keys of schema version 1, and nothing that JSON cannot hold."""
    found = to_json(restored)
    json.dumps(found, allow_nan=False)
    assert list(found) == [
        "schema_version", "kind", "title", "source", "design", "profile", "fault", "seeds", "ended", "window",
        "variants", "assumptions",
    ]  # fmt: skip
    (variant,) = found["variants"]
    assert list(variant) == ["name", "changes", "rows", "sentences", "prices", "worst_seed", "again", "containers"]
    assert list(variant["changes"][0]) == ["path", "before", "after", "origin"]
    row = variant["rows"][0]
    assert list(row) == [
        "metric", "label", "unit", "better", "base", "other", "change", "seeds_up", "seeds_down", "verdict",
        "detail",
    ]  # fmt: skip
    assert list(row["base"]) == ["median", "p95", "not_back_runs", "total", "values"]
    assert list(row["change"]) == ["median", "low", "high", "confidence"]


@pytest.mark.long
def test_a_figure_is_the_same_bytes_each_time(restored, gone):
    """Same data, same picture; also where no pair can be drawn."""
    for found in (restored, gone, whatif("x.yaml", ["until=kill+30s"], 6, 1, text=WEB)):
        first = compare_png(found)
        assert first.startswith(b"\x89PNG")
        assert first == compare_png(found)


def test_alternatives_share_the_baseline(restored):
    """Each alternative is compared with the same runs of the file as it is."""
    found = whatif_each("x.yaml", [[LIVE_RESTORE], ["engine.unit.RestartSec=5s"]], 8, 1, text=WEB)
    assert to_json(found)["variants"][0] == to_json(restored)["variants"][0]
    assert [row.base for row in found.variants[0].rows] == [row.base for row in found.variants[1].rows]
    assert "What if engine.unit.RestartSec were 5s?" in whatif_text(found)


def test_few_seeds_are_said_to_be_few():
    """Below six pairs no verdict is given."""
    found = whatif("x.yaml", [LIVE_RESTORE], [7, 3], 1, text=WEB)
    assert {row.verdict for row in found.only.rows} <= {"same", "unclear", "note"}
    text = whatif_text(found)
    assert "2 paired runs are too few for an interval: --seeds 6 or more." in text
    assert "seeds 7, 3" in text


@pytest.mark.parametrize(
    ("settings", "seeds", "message"),
    [
        ([], 8, "--set: nothing is changed"),
        ([LIVE_RESTORE], 0, "--seeds: there is no seed"),
        ([LIVE_RESTORE], [1, 1], "--seeds: a seed is given twice"),
        (["engine.daemon.live-restor=true"], 8, "live-restore"),
        (["engine.daemon.live-restore"], 8, "is not a setting"),
    ],
)
def test_wrong_input_is_refused_before_anything_runs(settings, seeds, message):
    """No setting, no seed, a misspelt path: the message says what to do."""
    with pytest.raises(InputError, match=message):
        whatif("x.yaml", settings, seeds, 1, text=WEB)


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.b.c", 1), ("a.b", {"c": 1}), ("list.1.x", 2), ("list[0]", {"x": 1}), ("list.7", None), ("a.b.c.d", None)],
)
def test_a_path_is_found_in_a_tree(path, value):
    """Names with dots and indices are found; what is not there is None."""
    assert found_at({"a.b": {"c": 1}, "list": [{"x": 1}, {"x": 2}]}, path) == value
