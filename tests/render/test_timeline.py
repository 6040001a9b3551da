"""Check the timeline: its finding, its time axis, and that the same data gives the same bytes anywhere."""

import hashlib
import io
import os
import struct
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from sim.drive.timed import run
from sim.engine.setup import S
from sim.errors import InputError
from sim.render.headline import dark_text, duration, headline
from sim.render.picture import write
from sim.render.timeline import Drawn, draw
from sim.render.timeline_arrows import stems
from sim.render.timeline_axis import ticks
from sim.scenario import load
from sim.views.activity import Segment, segments
from sim.views.timeline import timeline_data
from sim.views.timeline_parts import Arrow, Strip, TimelineData

ROOT = Path(__file__).resolve().parents[2]


@cache
def document(live: bool) -> TimelineData:
    """Return the timeline of the document's host, with or without live-restore."""
    name = "document-live-restore.yaml" if live else "document.yaml"
    return timeline_data(run(load(str(ROOT / "scenarios" / name)).setup), f"live-restore {'on' if live else 'off'}")


def timeline(runs: list[TimelineData], path: Path) -> Drawn:
    """Write the timeline of some runs to a file."""
    return write(path, lambda: draw(runs))


def size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG file."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return int(width), int(height)


def test_one_run_says_what_became_of_containers_and_of_remote_clients() -> None:
    """The headline of one run names the fault, the fate of processes and the longest gap."""
    text = headline([document(False)])
    assert text.startswith("A killed dockerd: 6 of 6 containers replaced; remote clients dark up to 1")
    assert headline([document(True)]).startswith("A killed dockerd: no process lost; remote clients dark up to 0.")


def test_two_runs_are_told_apart_by_the_one_setting_that_differs() -> None:
    """The headline of a pair speaks of the better run, whichever stands first, and names what makes it better."""
    text = headline([document(False), document(True)])
    assert text == headline([document(True), document(False)])
    assert text.startswith("With live-restore a killed dockerd costs remote clients 0.")
    assert text.endswith(" s and loses no process")


def test_two_seeds_are_one_sentence() -> None:
    """Of two seeds each figure is said once if it is the same, else with both values; panels bear the seeds."""
    one = document(False)
    strips = tuple(replace(strip, dark=strip.dark + 300_000) for strip in one.strips)
    other = replace(one, seed=2, strips=strips)
    text = headline([one, other])
    assert text.startswith("A killed dockerd, seeds 1 and 2: 6 of 6 containers replaced; remote clients dark up to 13.")
    assert " s or 14." in text
    assert "seeds 1 and 2 alike: 6 of 6" in headline([one, replace(one, seed=2)])
    words = {text.get_text() for text in draw([one, other])[0].texts}
    assert {"live-restore off, seed 1", "live-restore off, seed 2"} <= words


def test_runs_that_differ_in_much_are_told_apart_by_their_place() -> None:
    """Where no one setting tells two runs apart, the headline says which picture it speaks of."""
    one, other = document(False), replace(document(True), settings=())
    assert headline([one, other]).startswith("In the lower run a killed dockerd costs remote clients 0.")
    assert headline([other, one]).startswith("In the upper run a killed dockerd costs remote clients 0.")


def test_two_equal_runs_cost_the_same() -> None:
    """A pair without a difference does not claim one."""
    assert headline([document(True), document(True)]).startswith("A killed dockerd, the same in both runs: no process")


@pytest.mark.parametrize(
    ("strip", "text"),
    [
        (Strip("remote", 1, (), 12_960_001), "dark ≤ 13.0 s"),
        (Strip("remote", 1, (), 12_999_999, 1), "dark > 12.9 s"),
        (Strip("remote", 1, (), 31_001), "dark ≤ 32 ms"),
        (Strip("remote", 1, (), 0), "never dark"),
    ],
)
def test_a_longest_gap_is_rounded_to_the_safe_side(strip: Strip, text: str) -> None:
    """What is said of the longest gap is true of its exact value."""
    assert dark_text(strip) == text


@pytest.mark.parametrize("us", [1, 999, 99_999, 100_001, 99_950_000, 299 * S + 1, 5999 * S, 359_999 * S, 10**12])
def test_a_duration_is_short(us: int) -> None:
    """A time takes at most nine characters, of whatever size."""
    assert len(duration(us)) <= 9


def test_the_burst_after_the_fault_gets_a_scale_of_its_own() -> None:
    """Seconds in which daemons come back and the ten seconds of a stop timeout are both seen."""
    pieces = segments(document(False).instants(), -60 * S, 120 * S)
    assert [piece.start for piece in pieces][1:] == [2 * S]
    assert 20 * S < pieces[-1].end < 30 * S


def test_milliseconds_after_the_fault_get_a_scale_of_their_own_if_asked() -> None:
    """What happens within 1.3 ms, 2 s and 23 s is seen in one picture; shares still add up to 1."""
    moments = [0, 439, 834, 1308, 100_000, 1_430_000, 12_000_000, 23_000_000]
    plain = segments(moments, -60 * S, 120 * S)
    pieces = segments(moments, -60 * S, 120 * S, burst=True)
    assert len(pieces) == len(plain) + 1
    assert 1308 < pieces[0].end <= 5000
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert sum(piece.share for piece in pieces) == pytest.approx(1)
    assert segments([0, 5 * S, 9 * S], -S, 20 * S, burst=True) == segments([0, 5 * S, 9 * S], -S, 20 * S)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [(0, 5000, "0 ms", "5 ms"), (-250_000, 1_500_000, "−0.2", "1.4"), (-3 * S, 15 * S, "−2", "14")],
)
def test_ticks_count_in_the_unit_that_fits(start: int, end: int, first: str, last: str) -> None:
    """A piece of milliseconds counts them; others count seconds."""
    words = [text for _, text in ticks(Segment(start, end, 1.0), 11.0, False)]
    assert (words[0], words[-1]) == (first, last)


def test_coincident_arrows_are_one_line() -> None:
    """Lines of one moment that lie on each other are drawn once, so that dashes stay dashes."""
    three = [(Arrow(7, source, 0, "reparent"), float(source), 0.0) for source in (1, 2, 3)]
    apart = (Arrow(7, 5, 4, "reparent"), 5.0, 4.0)
    assert stems([*three, apart]) == [(7, 0.0, 3.0), (7, 4.0, 5.0)]


def test_quiet_time_is_cut() -> None:
    """Eleven quiet days take no room; shares of the axis add up to 1."""
    pieces = segments([-11 * 86400 * S, 0, 5 * S], -12 * 86400 * S, 60 * S)
    assert [piece.cut > 10 * 86400 * S for piece in pieces] == [False, True]
    assert sum(piece.share for piece in pieces) == pytest.approx(1)


@pytest.mark.mostly_long
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_data_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    """A picture has no date, no random id, and starts as its format does."""
    paths = [tmp_path / f"{name}.{kind}" for name in "ab"]
    for path in paths:
        assert str(timeline([document(False)], path)) == "6 containers, scale changes at 2.0 s"
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    assert len(first) > 10_000


@pytest.mark.long
def test_bytes_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    """Two processes with different hash seeds draw the same pictures, whatever their lanes are."""
    code = (
        "import sys; from sim.experiment.run import run\n"
        "one = run('t08-policy-restarts')\n"
        "[one.plot(by=by).save(sys.argv[1] + by + kind)"
        " for by, kind in (('process', '.svg'), ('container', '.png'), ('role', '.pdf'))]\n"
    )
    digests = set()
    for seed in ("1", "77"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, f"{folder}/"], cwd=ROOT, env=environment, check=True)
        pictures = sorted(folder.iterdir())
        assert len(pictures) == 3
        digests.add(hashlib.sha256(b"".join(picture.read_bytes() for picture in pictures)).hexdigest())
    assert len(digests) == 1


def test_the_figure_grows_with_its_lanes(tmp_path: Path) -> None:
    """A pair is higher than one run, and as wide."""
    timeline([document(False)], tmp_path / "one.png")
    timeline([document(False), document(True)], tmp_path / "two.png")
    one, two = size(tmp_path / "one.png"), size(tmp_path / "two.png")
    assert one[0] == two[0] >= 2000
    assert two[1] > 1.5 * one[1]


def test_what_is_written_says_what_was_run() -> None:
    """Words on the figure: the headline, the panels, lanes, outcomes, and the longest gaps."""
    figure, _ = draw([document(False), document(True)])
    words = {text.get_text() for text in figure.texts}
    assert {"arthas", "exit 137, new pid", "same pid", "remote open", "live-restore on", "live-restore off"} <= words
    assert "docker-1.13 (1.13.1-203.el7) · 6 containers · seed 1 · latency profile el7-idle" in words


def test_words_that_matter_stand_on_bars() -> None:
    """A stop signal in vain is said on the bar, and why ports closed on the strips."""
    figure, _ = draw([document(False), document(True)])
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"SIGTERM ignored: KILL at 10 s", "re-attached"} <= words
    alone, _ = draw([document(True)])
    assert "NAT chains flushed, rebuilt port by port" in {text.get_text() for axes in alone.axes for text in axes.texts}


def test_a_cursor_stands_where_its_moment_does() -> None:
    """The axis that comes with a picture says where the fault was drawn, and which moment stands there."""
    data = document(False)
    figure, drawn = draw([data])
    left = figure.axes[0]
    (pixel, _) = left.transData.transform((0, 0))
    assert drawn.axis.x(0) == pytest.approx(pixel / figure.bbox.width)
    assert drawn.axis.moment(drawn.axis.x(0)) == 0
    assert drawn.axis.x(11 * S) == pytest.approx(figure.axes[1].transData.transform((11 * S, 0))[0] / figure.bbox.width)
    assert data.origin == drawn.axis.origin > 60 * S
    (panel,) = drawn.panels
    assert 1 - panel[0] == pytest.approx(left.get_window_extent().y1 / figure.bbox.height)
    assert 1 - panel[1] == pytest.approx(left.get_window_extent().y0 / figure.bbox.height)


def test_a_timeline_is_svg_text() -> None:
    """A page that embeds the picture gets its text and what it shows; the text is what a file would hold."""
    one, other = io.BytesIO(), io.BytesIO()
    drawn = write(one, lambda: draw([document(False)]), "svg")
    write(other, lambda: draw([document(False)]), "svg")
    assert one.getvalue().startswith(b"<?xml")
    assert one.getvalue() == other.getvalue()
    assert drawn.axis.stretches[0].left < drawn.axis.stretches[0].right < drawn.axis.stretches[1].left


def test_another_format_is_refused(tmp_path: Path) -> None:
    """A format that is not drawn is refused with those that are."""
    with pytest.raises(InputError, match="'gif' is not a picture format"):
        timeline([document(False)], tmp_path / "x.gif")


def test_a_run_without_a_fault_or_a_port_can_be_drawn(tmp_path: Path) -> None:
    """A run in which nothing is done and nothing is published has a timeline, too."""
    text = "services: {web: {image: nginx}}\nuntil: 1m\n"
    data = timeline_data(run(load("x.yaml", text=text).setup))
    timeline([data], tmp_path / "x.png")
    assert headline([data]) == "Nothing was done: no process lost"
