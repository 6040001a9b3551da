"""trace.jsonl: what is written is read back; what is wrong is refused with file, line and column."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from sim.bundled import bundled_names
from sim.cli import main
from sim.errors import InputError
from sim.experiment.run import run, run_scenario
from sim.scenario import load
from sim.tracefile import lines, read
from tests.cli.conftest import SMALL
from tests.drawing import examples


@pytest.fixture(scope="module")
def small():
    """Return the lines of the trace of the small host."""
    return list(lines(run_scenario(load("small.yaml", SMALL)).trace, "A small host"))


@pytest.mark.parametrize("name", bundled_names())
def test_a_trace_is_read_back_equal(name):
    """Records, setup, seed, times, notes and title survive the file."""
    trace = run(name, seed=3).trace
    trace.note = "cut short"
    back, title = read(lines(trace, "a \x1b title"), "t")
    assert back.records == trace.records
    assert back.setup == trace.setup
    assert (back.seed, back.origin, back.end) == (3, trace.origin, trace.end)
    assert (back.skipped, back.note) == (trace.skipped, "cut short")
    assert title == "a \x1b title"
    assert list(lines(back, title)) == list(lines(trace, title))


def refusal(content):
    """Return what is said of a file's lines."""
    with pytest.raises(InputError) as found:
        read(content, "t.jsonl")
    (problem,) = found.value.problems
    return str(problem)


def header(small, **changes):
    """Return the header with some keys changed; None takes one out."""
    value = {**json.loads(small[0]), **changes}
    return json.dumps({key: item for key, item in value.items() if item is not None}).encode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema_version": 2}, "schema_version is 2; this shimulator reads 1"),
        ({"schema_version": None}, "not the header"),
        ({"seed": "x"}, "seed is 'x'; valid: int"),
        ({"seed": True}, "seed is True"),
        ({"end": None}, "the header lacks end"),
        ({"end": 10**40}, "end is"),
        ({"sed": 1}, "the header has no 'sed'"),
        ({"setup": 3}, "setup is not a Setup"),
        ({"setup": {"$": "Setup", "host": {"$": "HostSetup", "epoch": 10**15}}}, "outside the calendar"),
        ({"setup": {"$": "Setup", "engine": {"$": "EngineSetup", "design": "docker-99"}}}, "no run can begin"),
        ({"setup": {"$": "Setpu"}}, "Did you mean 'Setup'?"),
        ({"setup": {"$": "Setup", "host": None}}, "host of Setup is None"),
    ],
)
def test_a_wrong_header_is_refused(changes, said, small):
    """Each key of the header is checked, the version first."""
    text = refusal([header(small, **changes), *small[1:]])
    assert text.startswith("t.jsonl:1:")
    assert said in text


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (b"[0, 0, -1, {", 13, "truncated"),
        (b"[0, 0, -1, }]", 12, "malformed"),
        (b"\xff", 1, ""),
        (b"{}", 1, "a record is [seq, at, cause, event]"),
        (b'[1, 0, -1, {"$": "Reaped", "pid": 1, "by_pid": 1}]', 1, "record 1 stands where 0 belongs"),
        (b'[0, "x", -1, {"$": "Reaped", "pid": 1, "by_pid": 1}]', 1, "whole numbers"),
        (b'[0, 0, 7, {"$": "Reaped", "pid": 1, "by_pid": 1}]', 1, "no earlier record"),
        (b'[0, -5, -1, {"$": "Reaped", "pid": 1, "by_pid": 1}]', 1, "lies before"),
        (b'[0, 0, -1, {"$": "Reapd", "pid": 1, "by_pid": 1}]', 18, "Did you mean 'Reaped'?"),
        (b'[0, 0, -1, {"$": "Reaped", "pdi": 1, "by_pid": 1}]', 28, "Reaped has no field 'pdi'. Valid: pid, by_pid"),
        (b'[0, 0, -1, {"$": "Reaped", "pid": "1", "by_pid": 1}]', 28, "pid of Reaped is '1'; valid: int"),
        (b'[0, 0, -1, {"$": "Reaped", "pid": true, "by_pid": 1}]', 28, "pid of Reaped is True"),
        (b'[0, 0, -1, {"$": "Reaped", "pid": 1}]', 18, "Reaped lacks by_pid"),
        (b'[0, 0, -1, {"$": "Image", "program": "x", "comm": "x", "argv": []}]', 18, "Image is no event. A trace"),
        (b'[0, 0, -1, {"$set": [1]}]', 13, "$set is a list of words"),
        (b'[0, 0, -1, {"$": "BecameReady", "container": "wbe"}]', 46, "there is no container 'wbe'"),
        (b'[0, 0, -1, {"$": "Exited", "pid": 77, "status": 0}]', 1, "Exited cannot follow"),
        (b"[" * 5000, 1, ""),
    ],
)
def test_a_wrong_record_is_refused_with_its_place(line, column, said, small):
    """The line, the column of what is to blame, what is valid."""
    text = refusal([small[0], b"\n", line + b"\n"])
    assert text.startswith(f"t.jsonl:3:{column}: " if said else "t.jsonl:3:")
    assert said in text
    assert "A trace is what shimulator run writes." in text


def test_an_empty_file_is_refused():
    """Nothing is no trace."""
    assert "the file is empty" in refusal([b"\n"])


TEXTS = ["", "\x1b[2J", "web", "dockerd"]
VALUES = st.sampled_from([*TEXTS, -1, 0, 1, 7, 10**17, None, True, [], ["x"], {}, {"$set": ["TERM"]}])
SHOWN = ("ps-axjf", "pstree-p", "docker-ps-a", "docker-events", "ps-auxf")
ASKED = ("container web", "port 80 from loopback", "process shim/web", "process dockerd")
COMMANDS = [["show", "t.jsonl", "--as", view] for view in SHOWN] + [["why", "t.jsonl", fact] for fact in ASKED]
COMMANDS += [["diff", "t.jsonl@1s", "t.jsonl"]]


def holes(value, path=()):
    """Yield the place of every value inside a decoded line."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from holes(item, (*path, key))


def put(value, path, new):
    """Return *value* with *new* at *path*."""
    if not path:
        return new
    twin = dict(value) if isinstance(value, dict) else list(value)
    twin[path[0]] = put(value[path[0]], path[1:], new)
    return twin


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_trace_with_any_value_changed_is_read_or_refused(data, small, folder, capsys):
    """Change one value anywhere: each command answers, or refuses with its place; no fault, no control character."""
    number = data.draw(st.one_of(st.just(0), st.integers(0, len(small) - 1)))
    value = json.loads(small[number])
    place = data.draw(st.sampled_from(sorted(holes(value), key=str)))
    changed = json.dumps(put(value, place, data.draw(VALUES))).encode() + b"\n"
    (folder / "t.jsonl").write_bytes(b"".join([*small[:number], changed, *small[number + 1 :]]))
    status = main(data.draw(st.sampled_from(COMMANDS)))
    said = capsys.readouterr()
    assert status in (0, 1, 2), said.err
    assert not set(said.out + said.err) & CONTROLS
    if status == 2:
        assert said.err


CONTROLS = {chr(code) for code in (*range(10), *range(11, 32), *range(127, 160))}
