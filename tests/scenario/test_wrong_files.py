"""Wrong input is refused with file, line, column, value, what is valid and the nearest spelling; all faults at once."""

import textwrap
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.scenario import load, load_all

TABLE = Path(__file__).with_name("wrong.txt").read_text(encoding="utf-8").split("\n\n")[1:]
WRONG = [tuple(entry.replace("\\t", "\t").rstrip("\n").split(">>> ")) for entry in TABLE]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message[:60] for _, message in WRONG])
def test_a_wrong_file_is_refused_with_place_and_nearest_spelling(text, message):
    with pytest.raises(InputError) as refused:
        load("f", text=text)
    assert str(refused.value).splitlines() == message.splitlines()


def test_all_faults_of_a_file_are_said_at_once_in_its_order():
    text = textwrap.dedent("""\
        titel: x
        host: {cores: many}
        services:
          web: {restrt: no, ports: [x]}
          db: {iqc: host}
        steps:
          - {at: 5, kill: dockerd}
          - {at: 1s, kill: shim/wbe}
        expect:
          - {at: ned, container: web, status: up}
    """)
    with pytest.raises(InputError) as refused:
        load("f", text=text)
    places = [problem.where for problem in refused.value.problems]
    assert places == ["f:1:1", "f:2:15", "f:4:9", "f:4:29", "f:5:8", "f:7:10", "f:8:20", "f:10:10", "f:10:39"]


def test_faults_of_all_documents_are_said_at_once():
    with pytest.raises(InputError) as refused:
        load_all("f", text="titel: a\n---\ntitle: b\n---\nhots: {}\n")
    assert [problem.where for problem in refused.value.problems] == ["f:1:1", "f:5:1"]


def test_a_file_that_is_not_there_is_refused_with_the_bundled_names():
    with pytest.raises(InputError, match=r"documnt:1:1: no such file or directory. Did you mean document\?"):
        load("documnt")
