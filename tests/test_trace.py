"""However a trace is kept, it holds the same records: as objects, encoded, or handed on as they come and forgotten."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from functools import cache
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.bundled import bundled_names
from sim.drive.timed import Timed
from sim.engine.setup import Ends, HostSetup, Instant, Payload, Restart, S, Service, Setup
from sim.experiment.run import Run
from sim.facts import BecameReady, Marked
from sim.scenario import Scenario, load
from sim.trace import BLOCK, DECODED, Encoded, Kept, Record, Records, Replay, Trace
from sim.tracefile import ROOM, Writer, lines, read

KEEP: tuple[bool | Literal["encoded"], ...] = (False, True, "encoded")
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 7)


@cache
def scenario(name: str) -> Scenario:
    return load(name)


@cache
def both(name: str) -> tuple[Trace, Trace]:
    """Return the trace of a scenario, kept as objects and encoded."""
    setup = scenario(name).setup
    return Timed(setup, 2).run(), Timed(setup, 2, keep="encoded").run()


def filled(kept: Kept, ats: list[int | None]) -> Kept:
    """Let records be kept, one for each time, each caused by the one before."""
    for number, at in enumerate(ats):
        kept.add(at, number - 1, Marked("tick", number))
    return kept


def restarting(until: int) -> Setup:
    """Return a host whose container leaves after 11 s and is started again, for ever."""
    payload = Payload("nginx", ("nginx",), exits=Ends(1, 11 * S))
    web = Service("web", "ab", "nginx", "nginx", (), payload, restart=Restart("always"))
    return Setup((web,), host=HostSetup(uptime=1 * S), until=Instant(offset=until))


# -- encoded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled_names())
def test_an_encoded_trace_is_the_trace(name: str) -> None:
    """Every fact survives with all of its fields and their types, in order, with its time and its cause."""
    objects, encoded = both(name)
    assert isinstance(encoded.records, Encoded)
    assert encoded.records == objects.records
    assert [(type(r.event), r) for r in encoded] == [(type(r.event), r) for r in objects]
    assert list(lines(encoded)) == list(lines(objects))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kept", [Records, Encoded])
def test_each_record_is_found_by_its_number(kept: type[Kept], size: int) -> None:
    """Also at the edges of blocks, from the end, in slices; beyond them is an error."""
    records = filled(kept(), list(range(size)))
    wanted = [Record(number, number, number - 1, Marked("tick", number)) for number in range(size)]
    assert (len(records), list(records)) == (size, wanted)
    assert [records[number] for number in range(size)] == wanted
    assert [records[number] for number in range(-size, 0)] == wanted
    assert (records[:3], records[-3:], records[BLOCK - 2 : BLOCK + 2 : 2]) == (
        wanted[:3], wanted[-3:], wanted[BLOCK - 2 : BLOCK + 2 : 2],
    )  # fmt: skip
    for number in (size, -size - 1):
        with pytest.raises(IndexError):
            records[number]


def test_jumping_about_in_an_encoded_trace_gives_what_walking_does() -> None:
    """More blocks than stay decoded are asked for in turns."""
    size = (DECODED + 2) * BLOCK + 5
    records = filled(Encoded(), list(range(size)))
    for number in [place % size for place in range(0, 40 * BLOCK, 3 * BLOCK + 1)]:
        assert records[number] == Record(number, number, number - 1, Marked("tick", number))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(-1, 20))
def test_a_moment_is_found_in_both(steps: list[int], at: int) -> None:
    """How many records lie at or before it is the same, with many at one time, in one block or in several."""
    ats = [moment for number, moment in enumerate(steps) for _ in range(1 + number * BLOCK // 3)]
    ats.sort()
    objects, encoded = filled(Records(), list(ats)), filled(Encoded(), list(ats))
    assert objects.upto(at) == encoded.upto(at) == sum(moment <= at for moment in ats)


def test_a_trace_without_times_can_be_kept_in_both() -> None:
    """An explored path has no clock."""
    ats: list[int | None] = [None] * (BLOCK + 2)
    objects, encoded = filled(Records(), ats), filled(Encoded(), ats)
    assert objects == encoded
    assert {record.at for record in encoded} == {None}
    assert objects.upto(0) == encoded.upto(0) == BLOCK + 2


@pytest.mark.parametrize("kept", [Records, Encoded])
def test_a_record_that_is_not_the_next_is_refused(kept: type[Kept]) -> None:
    """A number is a place: nothing may be left out or come twice."""
    records = filled(kept(), [0, 0])
    records.append(Record(2, 5, -1, BecameReady("web")))
    records += [Record(3, 5, 2, BecameReady("web")), Record(4, 5, 2, BecameReady("web"))]
    assert [record.seq for record in records] == [0, 1, 2, 3, 4]
    with pytest.raises(AssertionError, match="record 2 stands where 5 belongs"):
        records.append(Record(2, 5, -1, BecameReady("web")))


def test_traces_that_differ_are_not_equal() -> None:
    """In length, in a time, or in a fact."""
    whole = filled(Encoded(), [1, 2, 3])
    assert whole != filled(Records(), [1, 2])
    assert whole != filled(Records(), [1, 2, 4])
    assert whole != "records"
    other = filled(Records(), [1, 2])
    other.add(3, 1, Marked("tock", 2))
    assert whole != other


def test_views_see_the_same_in_both() -> None:
    """Trees, texts, verdicts, intervals and worlds at any moment do not depend on how the trace is kept."""
    objects, encoded = (Run(scenario("document"), trace) for trace in both("document"))
    assert objects.report() == encoded.report()
    assert objects.show("ps-axjf", at="kill+1s") == encoded.show("ps-axjf", at="kill+1s")
    assert objects.intervals() == encoded.intervals()
    replays = [Replay(run.trace) for run in (objects, encoded)]
    for at in range(0, objects.trace.end, objects.trace.end // 7):
        one, other = (replay.to(at) for replay in replays)
        assert (one.host.procs, one.frames, one.memory) == (other.host.procs, other.frames, other.memory)
    assert replays[0].position == replays[1].position == objects.trace.index(at)


def test_an_encoded_trace_is_small() -> None:
    """A record takes less than a tenth of what it does as objects: a life of 466 records fits into 20 KB twice."""
    trace = Timed(restarting(600 * S), keep="encoded").run()
    assert len(trace) > 10 * BLOCK
    assert len(pickle.dumps(trace.records)) < 20 * len(trace)


# -- streamed ---------------------------------------------------------------------------------------


def test_a_sink_gets_what_would_have_been_kept() -> None:
    """Each record as it comes; whether the run keeps them beside it changes nothing."""
    kept, _ = both("document")
    for keep in KEEP:
        found: list[Record] = []
        trace = Timed(scenario("document").setup, 2, keep=keep, sink=found.append).run()
        assert found == list(kept.records)
        assert trace.records == (kept.records if keep else [])
        assert (trace.origin, trace.end, trace.skipped) == (kept.origin, kept.end, kept.skipped)


def written(setup: Setup, seed: int, title: str = "", note: str | None = None) -> tuple[bytes, Trace]:
    """Return the file that a streamed run leaves, and the trace that is written at its end."""
    file = io.BytesIO()
    writer = Writer(file, setup, seed, title)
    trace = Timed(setup, seed, keep=False, sink=writer.add).run()
    trace.note = trace.note if note is None else note
    writer.end(trace)
    return file.getvalue(), trace


@pytest.mark.parametrize("name", bundled_names())
def test_a_streamed_file_is_the_file_of_a_trace_that_was_kept(name: str) -> None:
    """Line by line the same bytes, except for blanks at the end of the header; it is read back equal."""
    kept, _ = both(name)
    content, _ = written(scenario(name).setup, 2, "a title")
    streamed, wanted = content.splitlines(), b"".join(lines(kept, "a title")).splitlines()
    assert streamed[0].rstrip(b" ") == wanted[0]
    assert streamed[1:] == wanted[1:]
    back, title = read(io.BytesIO(content), "t")
    assert (back.records, title, back.end, back.origin) == (kept.records, "a title", kept.end, kept.origin)


def test_a_run_that_breaks_off_leaves_a_file_that_can_be_read() -> None:
    """What was written before stands there, and no end."""
    setup, file = scenario("document").setup, io.BytesIO()
    Timed(setup, 2, keep=False, sink=Writer(file, setup, 2).add).run(until=20 * S)
    back, _ = read(io.BytesIO(file.getvalue()), "t")
    assert (len(back) > 100, back.end) == (True, 0)


def test_of_a_note_without_room_the_beginning_is_written() -> None:
    """The header's place was left free before anything was known; also what JSON writes longer has room."""
    content, _ = written(restarting(5 * S), 1, note="\x00" * 2 * ROOM)
    back, _ = read(io.BytesIO(content), "t")
    assert back.note == "\x00" * (ROOM // 10)


def test_memory_does_not_grow_with_a_trace_that_is_streamed() -> None:
    """Ten times the records take hardly more: kept as objects they would take some 170 bytes each."""

    def run(until: int) -> tuple[int, int]:
        """Return how many records a run hands on, and the peak of what it takes."""
        count = 0

        def sink(record: Record) -> None:
            nonlocal count
            count += 1

        setup = restarting(until)
        tracemalloc.start()
        Timed(setup, keep=False, sink=sink).run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, peak

    run(100 * S)
    (few, before), (many, after) = run(100 * S), run(1_000 * S)
    assert many > 8 * few
    assert after - before < 10 * (many - few)
