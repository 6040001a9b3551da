"""No input ends in a traceback: random mutations, hostile names and hostile YAML are refused with a place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.scenario import load, load_all
from sim.scenario.units import Range, duration, format_duration, parse_range

FILE = """\
title: t
host: {cores: 4, uptime: 10d, begin: steady, clock: 2020-12-03T09:46:58+08:00}
engine: {design: docker-1.13, daemon: {live-restore: true, shutdown-timeout: 15}, unit: {Restart: always}}
networks: {front: {driver: bridge, ipam: {config: [{subnet: 172.20.0.0/16}]}}}
services:
  web:
    image: nginx
    command: nginx -g daemon
    ports: ["80:80", {target: 81, published: 81}]
    restart: always
    networks: [front]
    stop_signal: QUIT
    stop_grace_period: 5s
    labels: {version: 1.10}
    x-payload:
      {comm: nginx, threads: 3, ready: 1s, on_term: {exit: 0, after: 1s}, children: [{argv: worker, threads: 1}]}
    x-proxy: {threads: 6}
    x-pids: {proxy: 10, shim: 11, payload: 12}
    x-address: 172.20.0.9
  db: {restart: "no"}
steps:
  - {id: one, at: 1s, docker: stop web}
  - {id: two, at: die(web)+1s, kill: dockerd, signal: TERM, wait: true}
  - {at: 30s, systemctl: restart docker}
until: two+5m
expect:
  - {at: end, container: all, except: [db], status: running, restarts: 0..2, pid: new}
  - {within: 1m, of: two, port: 80, from: remote, open: true}
  - {dark: web, from: loopback, max: 1m, during: [one, end]}
  - {events: [die web, start web], exact: true}
  - {property: V8}
properties: [V3, {name: mine, always: "open(80, remote) or down(dockerd)"}, {eventually: serving}]
faults: {total: 1, kinds: {kill: 1, stall: 0}, between: [one, end]}
order: [open]
assumptions: [none]
"""
KEYS = [match.span(1) for match in re.finditer(r"(?:^|[{,\[ ])\s*([A-Za-z][A-Za-z_-]+):(?= |$)", FILE, re.M)]
NAMED = ("web", "db", "front", "version")  # names that a file chooses: any spelling is a key
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def refused_or_loaded(text):
    """Load *text*; return the problems, each of which has a place."""
    problems = []
    try:
        load_all("f", text=text)
    except InputError as error:
        problems = error.problems
    for problem in problems:
        assert re.match(r"[^\n]+:[1-9][0-9]*:[1-9][0-9]*\Z", problem.where), problem
        assert str(problem).isprintable(), problem
    return problems


@given(st.integers(0, 10**15))
def test_a_duration_is_read_back_as_it_was_written(micros):
    assert duration(format_duration(micros)) == micros


@given(st.integers(0, 10**6), st.none() | st.integers(0, 10**6))
def test_a_range_is_read_back_as_it_was_written(low, more):
    wanted = Range(low, None if more is None else low + more)
    assert parse_range(str(wanted)) == wanted


@given(st.sampled_from(KEYS), st.data())
def test_a_mutated_key_is_refused_with_a_line_and_a_suggestion(span, data):
    start, end = span
    key = FILE[start:end]
    at = data.draw(st.integers(0, len(key) - 1))
    mutated = key[:at] + "q" + key[at + 1 :] if data.draw(st.booleans()) else key[:at] + "q" + key[at:]
    problems = refused_or_loaded(FILE[:start] + mutated + FILE[end:])
    if key in NAMED:
        return
    line = FILE.count("\n", 0, start) + 1
    said = [problem for problem in problems if problem.where.startswith(f"f:{line}:")]
    assert any(problem.hint for problem in said), problems


@given(st.integers(0, len(FILE)), st.integers(0, 8), st.text(max_size=6))
def test_a_mutated_file_never_ends_in_a_traceback(at, cut, put):
    refused_or_loaded(FILE[:at] + put + FILE[at + cut :])


@pytest.mark.long
@given(
    st.sampled_from("host engine networks services steps until properties faults order expect title".split()),
    anything,
)
def test_any_value_anywhere_never_ends_in_a_traceback(key, value):
    import yaml

    refused_or_loaded(yaml.safe_dump({"services": {"web": {}}, key: value}, allow_unicode=True))
    for inner in ("steps", "expect", "properties"):
        keys = dict.fromkeys(("at", "container", "docker", "always", "property"), value)
        refused_or_loaded(yaml.safe_dump({"services": {"web": {}}, inner: [keys]}))
        refused_or_loaded(yaml.safe_dump({"services": {"web": {}}, inner: [value, {"always": value}]}))
    refused_or_loaded(
        yaml.safe_dump({"services": {"web": {key: value, "x-payload": value, "ports": value, "command": value}}})
    )


@pytest.mark.parametrize(
    "name",
    [
        "all",
        "../x",
        "a/b",
        "a b",
        "a\nb",
        "x" * 100_000,
        "",
        "\u202eabc",
        "a:b",
        "(x)",
        "*",
        "-rf",
        "é",
        "null",
        "\x07",
        "$(id)",
    ],
)
def test_hostile_names_are_refused_where_they_stand(name):
    import json

    problems = refused_or_loaded(f"services: {{{json.dumps(name)}: {{image: x}}}}\n")
    assert bool(problems) == (name != "null")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{a: " * 5000,
        "a: &a [*a]",
        "a: &a {<<: *a}",
        "title: \x00",
        "title: \ud800",
        "? {a: b}\n: c",
        "title: !!python/object/apply:os.system [id]",
        "%YAML 9.9\n---\na: b",
        "title: " + "9" * 5000,
        "host: {pid_max: " + "9" * 5000 + "}",
        "<<: 5",
        "&a",
        "*b",
        "\t",
        "--- \n--- \n",
    ],
)
def test_hostile_yaml_never_ends_in_a_traceback(text):
    refused_or_loaded(text)


DEEP = 40_000  # libyaml's own composer overflows the stack long before


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("title: x\nhost: " + "[" * DEEP, "f:2:67"),
        ("title: x\nhost:\n  " + "{a: " * DEEP, "f:3:240"),
        ("- " * DEEP, "f:1:123"),
        ("? " * DEEP, "f:1:123"),
        ("a: &a [*a]", "f:1:4"),
    ],
)
def test_deep_nesting_is_refused_where_it_goes_too_deep(text, where):
    """Before anything recurses, with the limit; also a value that contains itself."""
    (problem,) = refused_or_loaded(text)
    assert (problem.where, problem.what) == (where, "nested deeper than 60 levels")


def test_what_comes_before_too_deep_a_document_is_read():
    """A file's first documents are checked whatever follows."""
    problems = refused_or_loaded("servces: {}\n---\n" + "[" * DEEP)
    assert [problem.where for problem in problems] == ["f:1:1", "f:3:62"]


def test_a_file_that_another_one_names_may_not_be_deep_either(tmp_path):
    """Whatever is YAML goes through one reader: extends, compose and profiles."""
    (tmp_path / "deep.yaml").write_text("[" * DEEP)
    for text in ("extends: deep.yaml", "compose: deep.yaml", "engine: {profile: deep.yaml}"):
        with pytest.raises(InputError) as error:
            load(tmp_path / "s.yaml", text=text)
        assert str(error.value) == f"{tmp_path / 'deep.yaml'}:1:62: nested deeper than 60 levels."


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("host=" + "[" * DEEP, "nested deeper than 60 levels"),
        ("services.web.labels." + "a." * DEEP + "b=1", f"the path has {DEEP + 4} steps; 60 are the most"),
    ],
)
def test_a_setting_may_not_be_deep_either(setting, said):
    """Neither its value nor its path."""
    with pytest.raises(InputError) as error:
        load("f", text="services: {web: {}}", settings=[setting])
    assert [problem.what for problem in error.value.problems] == [said]


@pytest.mark.long
def test_values_that_stand_for_too_many_are_refused_where_they_stand():
    """Aliases of aliases, which PyYAML would hold as one value each."""
    text = "\n".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" if n else "x-0: &a0 [1]" for n in range(12))
    (problem,) = refused_or_loaded(text)
    assert problem.what == "more than 200000 values once its aliases are followed"
    assert problem.where == "f:1:6"


def test_a_label_keeps_the_digits_that_were_written():
    assert load("f", text=FILE).setup.service("web").labels == (("version", "1.10"),)
