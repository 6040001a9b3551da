"""Compose files as Compose reads them: several files, include, extends, profiles, variables."""

import pytest

from sim.scenario.compose.stack import Asked, read_stack
from sim.scenario.compose.variables import Variables, read_env
from sim.scenario.text import Mark, Problems
from tests.scenario.compose_stacks import services, stack

HERE = Mark("f", 1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}${B}", "1"),
        ("${B-x}", ""),
        ("${B:-x}", "x"),
        ("${C-x}", "x"),
        ("${A:-x}", "1"),
        ("${A:+y}", "y"),
        ("${B:+y}", ""),
        ("${B+y}", "y"),
        ("${C+y}", ""),
        ("${A:?must}", "1"),
        ("${C:-a${A}b}", "a1b"),
        ("${C:-{x}}", "{x}"),
        ("$$A $$", "$A $"),
        ("a$(b)", "a$(b)"),
        ("${C:?must be set}", ""),
    ],
)
def test_a_variable_stands_for_its_value(text, expected):
    """Every form of the specification, with A = 1, B empty and C unset."""
    variables = Variables({"A": "1", "B": ""}, Problems())
    assert variables.text(text, HERE) == expected
    assert not variables.problems.found


@pytest.mark.parametrize("text", ["${", "${A", "${1}", "${A b}", "${}"])
def test_what_is_no_variable_is_refused(text):
    """Compose says: invalid interpolation format."""
    variables = Variables({"A": "1"}, Problems())
    variables.text(f"x {text}", HERE)
    ((_, problem),) = variables.problems.found
    assert "is not a variable" in problem.what


ENV = """\
# a comment
A=1
export B=two words # and a comment
C='single $A # not a comment'
D="double ${A}\\n \\"q\\" $B"
E=a#b

F=
LINES="one
two"
G: yaml
INHERITED
H = spaced
I=${MISSING:-default}
"""


def test_an_env_file_is_read_as_compose_does():
    """Comments, quotes, escapes, values that name earlier ones, several lines, CRLF and a byte order mark."""
    expected = {
        "A": "1", "B": "two words", "C": "single $A # not a comment", "D": 'double 1\n "q" two words', "E": "a#b",
        "F": "", "LINES": "one\ntwo", "G": "yaml", "H": "spaced", "I": "default",
    }  # fmt: skip
    for text in (ENV, "\ufeff" + ENV.replace("\n", "\r\n")):
        problems = Problems()
        assert read_env(text, ".env", problems) == expected
        assert not problems.found


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("A='open\nB=1\n", ".env:1:1", "no end"),
        ("A=1\na b\n", ".env:2:1", "not a line"),
        ("  =x\n", ".env:1:3", "not a line"),
    ],
)
def test_a_wrong_env_file_is_refused_where_it_is_wrong(text, where, what):
    """With line and column."""
    problems = Problems()
    read_env(text, ".env", problems)
    assert [(problem.where, what in problem.what) for _, problem in problems.found] == [(where, True)]


def test_variables_come_from_the_file_beside_or_from_env_files(tmp_path):
    """`.env` beside the first file; --env-file in its place, the later over the earlier."""
    files = {
        "c.yaml": "services: {a: {image: 'x:${V}'}}",
        ".env": "V=beside",
        "one.env": "V=one\nW=1",
        "two.env": "V=two${W}",
    }
    assert services(tmp_path, files)["a"]["image"] == "x:beside"
    env = (str(tmp_path / "one.env"), str(tmp_path / "two.env"))
    assert services(tmp_path, files, env_files=env)["a"]["image"] == "x:two1"


def test_a_variable_without_a_value_is_empty_and_noted(tmp_path):
    """With the place of its first use; one that Compose insists on says so."""
    files = {"c.yaml": "services:\n  a:\n    image: x:${V}\n    command: ${W:?set it}\n"}
    found, wrong = stack(tmp_path, files)
    assert wrong == []
    assert found is not None
    assert [(it.key, it.mark.line) for it in found.left] == [("${V}", 3), ("${W}", 4)]
    assert "refuses" in found.left[1].why


def test_a_credential_is_not_taken_from_an_env_file(tmp_path):
    """A name that says what it is stands for an ellipsis, unless values are to be kept."""
    files = {
        "c.yaml": "services: {a: {image: x, command: 'run --with ${DB_PASSWORD} ${HOST}'}}",
        ".env": "DB_PASSWORD=hunter2\nHOST=h",
    }
    assert services(tmp_path, files)["a"]["command"] == "run --with … h"
    assert services(tmp_path, files, keep_values=True)["a"]["command"] == "run --with hunter2 h"


BASE = """\
services:
  web:
    image: one
    command: [a, b]
    entrypoint: /old
    ports: ["80:80", {target: 81, published: 8081}]
    volumes: ["data:/data", "/x:/x"]
    environment: [A=1, B=2]
    labels: {k: v}
    depends_on: [db]
    networks: [front]
    dns: 1.1.1.1
    logging: {driver: json-file, options: {max-size: 1m}}
    healthcheck: {test: [CMD, x], interval: 5s}
    build: ./here
  db: {image: pg}
"""
OVER = """\
services:
  web:
    image: two
    command: c
    ports: ["80:80", "443:443", {target: 81, published: 8081, mode: host}]
    volumes: ["other:/data"]
    environment: {B: 3, C: 4}
    labels: [k=w, l=m]
    depends_on: {cache: {condition: service_healthy}}
    networks: {back: {aliases: [x]}}
    dns: [8.8.8.8]
    logging: {driver: syslog}
    healthcheck: {test: curl x}
    build: {target: prod}
  cache: {image: redis}
"""


def test_a_second_file_is_laid_over_the_first(tmp_path):
    """Each key by its own rule."""
    web = services(tmp_path, {"a.yaml": BASE, "b.yaml": OVER}, "a.yaml", "b.yaml")["web"]
    assert web["image"] == "two"
    assert web["command"] == "c"
    assert web["entrypoint"] == "/old"
    assert web["ports"] == ["80:80", {"target": 81, "published": 8081, "mode": "host"}, "443:443"]
    assert web["volumes"] == ["other:/data", "/x:/x"]
    assert web["environment"] == {"A": "1", "B": 3, "C": 4}
    assert web["labels"] == {"k": "w", "l": "m"}
    assert web["depends_on"] == {"db": {"condition": "service_started"}, "cache": {"condition": "service_healthy"}}
    assert web["networks"] == {"front": None, "back": {"aliases": ["x"]}}
    assert web["dns"] == ["1.1.1.1", "8.8.8.8"]
    assert web["logging"] == {"driver": "syslog"}
    assert web["healthcheck"] == {"test": "curl x", "interval": "5s"}
    assert web["build"] == {"context": "./here", "target": "prod"}


def test_a_tag_takes_away_or_replaces(tmp_path):
    """!reset and !override, in lists, mappings and scalars, also in a file alone."""
    over = """\
services:
  web:
    ports: !override ["443:443"]
    volumes: !reset []
    environment: !override {Z: 1}
    healthcheck: !reset null
    command: !override run
"""
    web = services(tmp_path, {"a.yaml": BASE, "b.yaml": over}, "a.yaml", "b.yaml")["web"]
    assert web["ports"] == ["443:443"]
    assert web["environment"] == {"Z": 1}
    assert web["command"] == "run"
    assert not {"volumes", "healthcheck"} & set(web)
    alone = services(tmp_path, {"c.yaml": "services: {a: {image: x, ports: !reset [], command: !override y}}"})
    assert alone == {"a": {"image": "x", "command": "y"}}


def test_what_cannot_be_laid_over_is_refused(tmp_path):
    """A scalar over a mapping: with the places of both."""
    files = {"a.yaml": "services: {a: {image: x, ulimits: {x: 1}}}", "b.yaml": "services: {a: {ulimits: 3}}"}
    _, wrong = stack(tmp_path, files, "a.yaml", "b.yaml")
    assert len(wrong) == 1
    assert wrong[0].startswith("b.yaml:1:25: services.a.ulimits: this cannot be laid over")


def test_services_of_a_profile_are_started_when_they_are_asked_for(tmp_path):
    """--profile, COMPOSE_PROFILES of the env file, *; what depends on one that is not started loses that."""
    text = """\
services:
  a: {image: x, depends_on: [debug, b]}
  b: {image: x}
  debug: {image: x, profiles: [dev, test]}
  other: {image: x, profiles: other}
"""
    found, _ = stack(tmp_path, {"c.yaml": text})
    assert found is not None
    assert [(it.service, it.key) for it in found.left] == [("debug", "profiles"), ("other", "profiles")]
    plain = services(tmp_path, {"c.yaml": text})
    assert list(plain) == ["a", "b"]
    assert plain["a"]["depends_on"] == ["b"]
    assert list(services(tmp_path, {"c.yaml": text}, profiles=("test",))) == ["a", "b", "debug"]
    assert list(services(tmp_path, {"c.yaml": text}, profiles=("*",))) == ["a", "b", "debug", "other"]
    env = {"c.yaml": text, ".env": "COMPOSE_PROFILES=other,none"}
    assert list(services(tmp_path, env)) == ["a", "b", "other"]


def test_a_service_extends_another_one(tmp_path):
    """Of the same file and of another one, through several steps; its own keys come last."""
    files = {
        "c.yaml": """\
services:
  web: {extends: base, ports: ["80:80"], environment: {B: 2}}
  base: {extends: {file: sub/common.yaml, service: common}, restart: always, environment: [A=1]}
""",
        "sub/common.yaml": "services: {common: {extends: deep, image: x, ports: ['81:81']}, deep: {stop_signal: INT}}",
    }
    plain = services(tmp_path, files)
    assert list(plain) == ["web", "base"]
    assert plain["web"] == {
        "stop_signal": "INT",
        "image": "x",
        "ports": ["81:81", "80:80"],
        "restart": "always",
        "environment": {"A": "1", "B": 2},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: {a: {image: x, extends: b}}", "c.yaml:1:35: extends: there is no service 'b' in "),
        ("services: {a: {extends: b}, b: {extends: a}}", "c.yaml:1:25: extends: a, b extend one another."),
        ("services: {a: {image: x, extends: {file: c.yaml}}}", "c.yaml:1:35: extends: names no service."),
    ],
)
def test_a_wrong_extends_is_refused(text, expected, tmp_path):
    """A circle, a service that is not there, no name."""
    _, wrong = stack(tmp_path, {"c.yaml": text})
    assert any(line.startswith(expected.rstrip(".")) for line in wrong), wrong


def test_files_are_included_with_their_own_variables(tmp_path):
    """A list of names or mappings; the including file is laid over; what is given outside wins."""
    files = {
        "c.yaml": """\
include:
  - sub/one.yaml
  - {path: [two.yaml, three.yaml], env_file: two.env}
services: {a: {image: 'x:${V}'}, one: {restart: always}}
""",
        ".env": "V=outer",
        "sub/one.yaml": "services: {one: {image: 'o:${V}-${W}'}}\nnetworks: {n: {}}",
        "sub/.env": "V=inner\nW=own",
        "two.yaml": "services: {two: {image: 't:${X}'}}",
        "three.yaml": "services: {two: {command: c}}",
        "two.env": "X=2",
    }
    plain = services(tmp_path, files)
    assert plain["one"] == {"image": "o:outer-own", "restart": "always"}
    assert plain["two"] == {"image": "t:2", "command": "c"}
    found, _ = stack(tmp_path, files)
    assert found is not None
    assert found.root.child("networks") is not None


def test_a_file_that_is_not_there_is_noted(tmp_path):
    """A pasted file comes without those that it includes and extends."""
    text = """\
include: [gone.yaml, 'https://example.org/x.git']
services: {a: {image: x, extends: {file: gone.yaml, service: b}}}
"""
    found, wrong = stack(tmp_path, {"c.yaml": text})
    assert wrong == []
    assert found is not None
    assert sorted(it.key for it in found.left) == ["extends", "include", "include"]
    assert all(it.changes.startswith("yes") for it in found.left)


def test_files_that_include_one_another_are_refused(tmp_path):
    """With their names."""
    _, wrong = stack(tmp_path, {"a.yaml": "include: [b.yaml]", "b.yaml": "include: [a.yaml]"})
    assert len(wrong) == 1
    assert "include one another" in wrong[0]


def test_a_project_has_the_name_that_compose_gives_it(tmp_path):
    """Asked for, of an env file, of the file, of its folder."""
    files = {"My_App.d/c.yaml": "services: {a: {image: x}}"}
    for text, env, asked_for, expected in (
        ("", "", "", "my_appd"),
        ("name: it-self\n", "", "", "it-self"),
        ("name: it-self\n", "COMPOSE_PROJECT_NAME=env", "", "env"),
        ("name: it-self\n", "COMPOSE_PROJECT_NAME=env", "Asked", "asked"),
    ):
        folder = tmp_path / (expected + "x")
        named = {name: text + it for name, it in files.items()} | {"My_App.d/.env": env}
        found, _ = stack(folder, named, "My_App.d/c.yaml", project=asked_for)
        assert found is not None
        assert found.project == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services:\n\tweb: {}\n", "c.yaml:2:1: not YAML"),
        ("services: {a: {image: x}", "c.yaml:"),
        ("- a\n", "c.yaml:1:1: is not a Compose file"),
        ("services: {a: {image: \x00}}", "c.yaml:1:23: not YAML"),
    ],
)
def test_what_is_no_compose_file_is_refused_where_it_is_wrong(text, expected, tmp_path):
    """Tabs, a cut file, a list, binary."""
    _, wrong = stack(tmp_path, {"c.yaml": text})
    assert wrong
    assert wrong[0].startswith(expected)


def test_windows_lines_and_a_byte_order_mark_are_read(tmp_path):
    """As text editors there write them."""
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbfservices:\r\n  a:\r\n    image: x\r\n")
    (tmp_path / "d.yaml").write_bytes("services: {a: {image: é}}".encode("latin-1"))
    problems = Problems()
    found = read_stack(Asked((str(tmp_path / "c.yaml"),)), problems)
    assert found is not None
    assert found.root.plain() == {"services": {"a": {"image": "x"}}}
    assert read_stack(Asked((str(tmp_path / "d.yaml"),)), problems) is None
    assert "not text in UTF-8" in problems.found[0][1].what


def test_version_1_has_its_services_at_the_top(tmp_path):
    """And no network of its own."""
    found, _ = stack(tmp_path, {"c.yml": "web: {image: x, links: [db]}\ndb: {image: y}\n"})
    assert found is not None
    assert found.version_1
    assert list(services(tmp_path, {"c.yml": "web: {image: x}\n"})) == ["web"]
