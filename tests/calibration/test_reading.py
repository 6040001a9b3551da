"""What was measured is read, and what is wrong with it is said with its place, all at once."""

from __future__ import annotations

import json

import pytest

from sim.calibration.cells import Terms, Wanted
from sim.calibration.reading import read_all
from sim.errors import InputError

START = (Wanted("start", "total_ms"),)
TIMED = '{"status": "start", "id": "a", "time": %s}\n'
DEEP = "m.csv:2:1: this is no event of docker: it nests too deep, or holds a number too long"
UNTIMED = "m.csv:2:1: this is no event of docker: its time is no unix time"
GOOD = "total_ms\n" + "".join(f"{100 + n}\n" for n in range(6))


def read(text: str, wanted: tuple[Wanted, ...] = START, name: str = "m.csv", **terms):
    """Read one file."""
    return read_all([(name, text, "2026-01-02")], Terms(wanted, **terms))


def test_a_column_is_a_sample():
    """In ms, with the day of the rows, else that of the file; a difference of two columns is one, too."""
    (column,) = read(GOOD).columns
    assert [cell.value for cell in column.cells] == [100, 101, 102, 103, 104, 105]
    assert (column.phase, column.date, column.cells[0].line) == ("start", "2026-01-02", 2)
    text = "a_s,b_s,t0_unix\n" + "".join(f"1.5,2.{n},1795503092.1\n" for n in range(5))
    (column,) = read(text, (Wanted("stop", "b_s-a_s"),)).columns
    assert column.cells[1].value == pytest.approx(600)
    assert column.date == "2026-11-24"


@pytest.mark.parametrize(("spelt", "loads"), [("8", [1, 8]), ("8.0", [1, 8]), ("08.", [1, 8]), ("1.00", [1, 1])])
def test_a_load_may_be_spelt_as_a_spreadsheet_does(spelt, loads):
    """Eight starts at once are not taken for one."""
    text = "total_ms,n\n" + f"5,1\n6,{spelt}\n" * 5
    (column,) = read(text, load="n").columns
    assert [cell.at_once for cell in column.cells[:2]] == loads


@pytest.mark.parametrize(
    ("text", "terms", "said"),
    [
        ("", {}, "m.csv:1:1: the file is empty"),
        ("a;total_ms\n1;2\n", {}, "m.csv:1:1: the columns are not separated by commas"),
        ("a\n1\n", {}, "m.csv:1:1: there is no column 'total_ms'"),
        ("total_m\n1\n", {}, "Did you mean 'total_m'?"),
        ("a,total_ms\n1,5,6\n", {}, "m.csv:2:1: this row has 3 fields, the first line 2"),
        ("a,total_ms\n1,5\n22,abc\n", {}, "m.csv:3:4: total_ms is 'abc', no number"),
        ("a,total_ms\n1,5\n22,-4\n", {}, "m.csv:3:4: total_ms is -4 ms, and no phase takes less than nothing"),
        ("total_ms\n5\n6\n", {}, "m.csv:1:1: total_ms has 2 rows, too few to fit start"),
        ("total_ms,a\n,1\n,2\n", {}, "m.csv:1:1: total_ms has no numbers"),
        ("total_ms\n5\n6s\n5\n5\n5\n", {}, "m.csv:3:1: total_ms has mixed units: 4 in no unit, 1 in s"),
        (
            "total_ms\n" + "0.1\n" * 6 + "110\n" * 6,
            {},
            "m.csv:2:1: total_ms has mixed units: 6 rows about 0.1 ms, 6 about 110 ms",
        ),
        ("total_ms\n5 parsec\n", {}, "m.csv:2:1: 'parsec' is no unit of time"),
        (
            "total_ms,n\n5,1\n5,8.5\n",
            {"load": "n"},
            "m.csv:3:3: n is '8.5', no number of starts at once. Write",
        ),
        ("total_ms,n\n5,abc\n", {"load": "n"}, "m.csv:2:3: n is 'abc', no number of starts at once"),
        ("total_ms,n\n5,0\n", {"load": "n"}, "m.csv:2:3: n is '0', no number of starts at once"),
        ("total_ms,parallelism\n5,\n", {}, "m.csv:2:3: parallelism is '', no number of starts at once"),
        (
            "total_ms,parallelism\n5,1\n",
            {"load": "paralelism"},
            "no column 'paralelism'. Did you mean 'parallelism'?",
        ),
        ("a,total_ms,total_ms\n1,5,6\n", {}, "m.csv:1:12: there are two columns 'total_ms'"),
        ('a,total_ms\n1,5\n"2,5\n3,5\n', {}, "m.csv:3:1: a quote in this row is not closed. Close it"),
        ('"a,total_ms\n1,5\n', {}, "m.csv:1:1: a quote in this row is not closed"),
        ('a,total_ms\n"1"2,5\n', {}, "m.csv:2:1: a field of this row goes on after its closing quote"),
        ('a,total_ms\n1,5\n"2,5\n' + "3,5\n" * 40_000, {}, "m.csv:3:1: a field of this row has more than 131072"),
        (f"a,total_ms\n1,5\n{'x' * 140_000},5\n", {}, "m.csv:3:1: a field of this row has more than 131072"),
        ('a,total_ms\n"1\n2",5\n3,x\n', {}, "m.csv:4:3: total_ms is 'x', no number"),
        ("total_ms\n" + f"{'9' * 400}\n" * 6, {}, "m.csv:2:1: total_ms is inf ms, longer than anything"),
        ("total_ms\n5\n1e200\n", {}, "m.csv:3:1: total_ms is 1e+200 ms, longer than anything"),
        ("total_ms,t0_unix\n5,1\n5,1e300\n", {}, "m.csv:3:3: t0_unix is '1e300', no unix time. Write seconds"),
        ("total_ms,t0_unix\n5,1\n5,nan\n", {}, "m.csv:3:3: t0_unix is 'nan', no unix time. Write seconds"),
        ("[" * 50_000, {}, DEEP.replace(":2:1", ":1:1")),
        ('[{"a":' * 20_000, {}, DEEP.replace(":2:1", ":1:1")),
        ("[1, 2]\n[3, 4]\n", {}, "m.csv:1:1: this is no event of docker: it is no object of JSON"),
        ('[\n{"a": 1}\n]\n', {}, "m.csv:1:2: not JSON: expecting value. Record them with docker events"),
        ("\ufeff" + TIMED % "1e300", {}, UNTIMED.replace(":2:1", ":1:1")),
        ("total_ms\n", {}, "m.csv:1:1: no row stands below the names of the columns"),
        (GOOD, {"where": (("mode", "x"),)}, "m.csv:1:1: there is no column 'mode'"),
        (GOOD, {"where": (("total_ms", "7"),)}, "m.csv:1:1: no row has total_ms=7. There are: 100, 101"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, terms, said):
    """Each mistake has its sentence."""
    with pytest.raises(InputError) as error:
        read(text, **terms)
    assert said in str(error.value)


def test_a_moment_that_cannot_be_is_told_once():
    """However many columns are read of its row."""
    with pytest.raises(InputError) as error:
        read("a_ms,b_ms,t0_unix\n" + "1,1,1e300\n" * 6, (Wanted("start", "a_ms"), Wanted("stop", "b_ms")))
    assert len(error.value.problems) == 6


def test_a_column_needs_a_unit():
    """By its name, by --unit or by each field."""
    text = "total\n" + "5\n" * 6
    wanted = (Wanted("start", "total"),)
    with pytest.raises(InputError, match="the unit of total is not known"):
        read(text, wanted)
    assert read(text, wanted, unit="s").columns[0].cells[0].value == 5000
    assert read(text.replace("5", "5us"), wanted).columns[0].cells[0].value == pytest.approx(0.005)


def test_all_mistakes_of_all_files_are_told_together():
    """Two files, three mistakes, and of one column no more than eight."""
    files = [("a.csv", "total_ms\nx\ny\n", ""), ("b.csv", "total\n1\n", "")]
    with pytest.raises(InputError) as error:
        read_all(files, Terms(START))
    assert [it.where for it in error.value.problems] == ["a.csv:2:1", "a.csv:3:1", "b.csv:1:1"]
    with pytest.raises(InputError) as error:
        read("total_ms\n" + "x\n" * 100)
    assert str(error.value).splitlines()[-1] == "m.csv:9:1: and 93 more like these."


def test_columns_are_known_by_name():
    """Those of the measurements; what the model has no op for is left out with the reason."""
    text = "mode,api_start_s,api_create_s\n" + "noport,0.16,0.005\nport,0.18,0.006\n" * 5
    found = read(text, ())
    assert {it.phase: len(it.cells) for it in found.columns} == {"start": 5, "start-port": 5}
    assert found.left_out[0][0] == "m.csv: api_create_s"
    with pytest.raises(InputError, match="no column is known to be a phase"):
        read("what\n1\n", ())


def event(action: str, container: str, at: float) -> str:
    """Return a line of docker events."""
    it = {"Type": "container", "Action": action, "Actor": {"ID": container}, "timeNano": int(at * 1e9)}
    return json.dumps(it) + "\n"


def test_events_of_one_container_are_phases():
    """create to start, kill to stop; a second signal, another container or a long pause between makes none."""
    text = "".join(
        event("create", f"c{n}", n * 1000) + event("start", f"c{n}", n * 1000 + 0.2)
        + event("kill", f"c{n}", n * 1000 + 5) + event("die", f"c{n}", n * 1000 + 5.1)
        + event("stop", f"c{n}", n * 1000 + 5.3)
        for n in range(6)
    )  # fmt: skip
    text += event("create", "late", 1) + event("start", "late", 500)
    text += event("kill", "deaf", 1) + event("kill", "deaf", 11) + event("stop", "deaf", 11.2)
    found = {it.phase: [round(cell.value) for cell in it.cells] for it in read(text, ()).columns}
    assert found == {"run/events": [200] * 6, "stop/events": [300] * 6}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (event("create", "a", 1) + "{nonsense\n", "m.csv:2:2: not JSON"),
        (event("create", "a", 1) + '{"a": ' * 100_000 + "\n", DEEP),
        (event("create", "a", 1) + TIMED % ("9" * 400), UNTIMED),
        (event("create", "a", 1) + TIMED % ("9" * 5000), DEEP),
        (event("create", "a", 1) + TIMED % "NaN", UNTIMED),
        ('{"Type": "container"}\n', "m.csv:1:1: this is no event of docker"),
        (event("create", "a", 1), "no pair of events in 1 lines says how long something took"),
        (event("create", "a", 5) + event("start", "a", 1), "m.csv:2:1: start comes 4 s before the create"),
        (event("create", "a", 1) + event("start", "a", 2), "create is followed by start 1 times, too few"),
    ],
)
def test_wrong_events_are_refused(text, said):
    """With their lines."""
    with pytest.raises(InputError) as error:
        read(text, ())
    assert said in str(error.value)
