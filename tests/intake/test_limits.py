"""What is too large is refused with the limit, and what is merely large is read in time that grows with it."""

from __future__ import annotations

import json
import time

import pytest

from sim.errors import InputError
from sim.intake import scenario_from
from sim.intake import sources as sources_module
from sim.intake.sources import Source
from tests.intake import samples


def test_a_hundred_million_threads_are_refused():
    """With the place, the limit and the process, before any of them is made."""
    rows = [(*row[:6], 10**8 if row[0] == 620 else row[6], *row[7:]) for row in samples.ROWS]
    with pytest.raises(InputError, match=r"x:9: these are 100,000,072 threads; a host has 4,194,304 .* Process 620"):
        scenario_from(texts=[Source("x", samples.eo(rows))])


def test_of_a_very_long_table_foreign_rows_are_left_out():
    """The engine's and the containers' stay, and it is said."""
    more = "".join(f"      1 {pid} {pid} {pid} ?  -1 Ss  0   0:00 worker\n" for pid in range(2000, 11_000))
    text, _ = scenario_from(texts=[Source("x", samples.axjf() + more)])
    assert "9,002 foreign processes are left out: a scenario holds 8,000 at most" in text
    assert "is: payload/nginx" in text


def test_more_processes_of_containers_are_refused():
    """With the limit."""
    more = "".join(f"    620 {pid} {pid} {pid} ?  -1 Ss  0   0:00 worker\n" for pid in range(2000, 11_000))
    with pytest.raises(InputError, match="9,011 processes of containers; a scenario holds 8,000 at most"):
        scenario_from(texts=[Source("x", samples.axjf() + more)])


def test_files_have_a_largest_size(tmp_path, monkeypatch):
    """Of one, of all together, and of what an archive holds."""
    monkeypatch.setattr(sources_module, "LARGEST_FILE", 1_000_000)
    monkeypatch.setattr(sources_module, "LARGEST_SUM", 3_000_000)
    for number in range(5):
        (tmp_path / f"{number}.txt").write_bytes(b"x\n" * 400_000)
    with pytest.raises(InputError, match="more than 3 MB together"):
        scenario_from([tmp_path])
    (tmp_path / "big").write_bytes(b"x" * 1_000_001)
    with pytest.raises(InputError, match="larger than 1 MB"):
        scenario_from([tmp_path / "big"])


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "x" * 1_000_000, "a---" * 50_000 + "b", '[{"a":\n' * 50_000]
)
def test_nothing_takes_for_ever(text):
    """Deep nesting, one endless line, a tree without an end."""
    began = time.process_time()
    with pytest.raises(InputError):
        scenario_from(texts=[Source("x", text)])
    assert time.process_time() - began < 5


@pytest.mark.long
def test_fifty_megabytes_of_json_are_read():
    """One container in it, and much else."""
    inspected = samples.inspected()
    inspected[0]["Junk"] = ["x" * 1000] * 50_000
    text, _ = scenario_from(texts=[Source("x", json.dumps(inspected))])
    assert "  web:" in text


@pytest.mark.long
def test_a_million_lines_of_prose_are_passed_over():
    """A log that somebody gave by mistake, with the one table that it holds."""
    text, _ = scenario_from(texts=[Source("x", "hello, this is a log\n" * 1_000_000 + samples.axjf())])
    assert "is: payload/nginx" in text


def test_what_is_empty_or_no_text_is_said(tmp_path):
    """Each with its reason; beside something that is known it is a note."""
    for name, content, why in (
        ("a", b"", "it is empty"),
        ("b", b"\0\1\2" * 99, "it is no text"),
        ("c", b"hello", "nothing here"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=why):
            scenario_from([tmp_path / name])
    with pytest.raises(InputError, match="no such file"):
        scenario_from([tmp_path / "none"])
    (tmp_path / "ps").write_text(samples.axjf())
    text, _ = scenario_from([tmp_path])
    assert "it is empty, so nothing was read of it" in text


def test_a_truncated_archive_is_said(tmp_path):
    """A gzip that is cut off."""
    import gzip

    (tmp_path / "x.gz").write_bytes(gzip.compress(samples.axjf().encode() * 50)[:100])
    with pytest.raises(InputError, match="cut off or damaged"):
        scenario_from([tmp_path / "x.gz"])


def test_other_encodings_are_read():
    """UTF-16 with a mark, UTF-8 with a mark, Windows line ends, colours."""
    text = samples.axjf()
    whole = scenario_from(texts=[Source("stdin", text)])[0]
    for content in (text.encode("utf-16"), text.encode("utf-8-sig"), text.replace("\n", "\r\n").encode()):
        assert scenario_from(["-"], stdin=content)[0] == whole
    assert scenario_from(["-"], stdin=text.replace("nginx:", "\x1b[31mnginx:\x1b[0m").encode())[0] == whole
