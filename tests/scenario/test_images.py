"""The library of images: which entry an image has, and what it makes of a service."""

import re

import pytest

from sim.errors import InputError
from sim.scenario import load, resolved
from sim.scenario.check import Report
from sim.scenario.compose.images import FOLDER, Library, library
from tests.scenario.compose_stacks import taken

REPORT = Report()
KNOWN = library([], REPORT)


def test_every_entry_is_good():
    """As a file of one's own would be checked."""
    REPORT.problems.raise_if_any()
    assert len(KNOWN.entries) > 50


@pytest.mark.parametrize("entry", KNOWN.entries, ids=lambda it: f"{it.name}:{it.mark.line}")
def test_every_entry_says_where_its_values_come_from(entry):
    """[S] a source that was read, [K] known without, or assumed; a time until it is ready is always one of these."""
    assert entry.file.sources
    for key, source in entry.file.sources.items():
        assert re.match(r"\[S\] https://|\[S\] the same|\[K\] |assumed", source), (key, source)
    if entry.payload.get("ready", "0s") != "0s":
        assert any("ready" in key for key in entry.file.sources)


@pytest.mark.parametrize(
    ("image", "name", "stop"),
    [
        ("postgres", "postgres", "INT"),
        ("docker.io/library/postgres:9.6-alpine", "postgres", "INT"),
        ("registry:5000/team/postgres@sha256:00", "postgres", "INT"),
        ("bitnami/postgresql:16", "postgres", None),
        ("nginx:1.27", "nginx", "QUIT"),
        ("nginx:1.18-alpine", "nginx", "TERM"),
        ("nginx:1.19.5", "nginx", "QUIT"),
        ("php:8.3-fpm-alpine", "php", "QUIT"),
        ("php:8-apache", "php", "WINCH"),
        ("php:8-cli", "php", None),
        ("nextcloud:fpm", "php", "QUIT"),
        ("nextcloud", "php", "WINCH"),
        ("ghcr.io/linuxserver/sonarr:latest", "s6", None),
        ("my/nginx-thing", None, None),
        ("postgres-exporter", None, None),
        ("", None, None),
    ],
)
def test_an_image_is_found_by_its_name_and_tag(image, name, stop):
    """Registries, `library/` and digests do not matter; a number in the tag may."""
    entry = KNOWN.find(image)
    assert (entry.name if entry else None) == name
    assert (entry.file.stop_signal if entry else None) == stop


@pytest.mark.parametrize(
    ("service", "path", "argv", "term"),
    [
        ("image: postgres", "docker-entrypoint.sh", ("postgres",), "exit"),
        ("image: postgres, command: -c fsync=off", "docker-entrypoint.sh", ("postgres", "-c", "fsync=off"), "exit"),
        ("image: postgres, command: postgres -N 9", "docker-entrypoint.sh", ("postgres", "-N", "9"), "exit"),
        ("image: postgres, entrypoint: postgres, command: -N 9", "postgres", ("postgres", "-N", "9"), "exit"),
        ("image: postgres, stop_signal: KILL", "docker-entrypoint.sh", ("postgres",), "none"),
        ("image: redis, command: /etc/r.conf", "docker-entrypoint.sh", ("redis-server", "/etc/r.conf"), "exit"),
        ("image: mongo, command: --replSet a", "docker-entrypoint.sh",
         ("mongod", "--replSet", "a", "--bind_ip_all"), "exit"),
        ("image: nginx", "/docker-entrypoint.sh", ("nginx: master process nginx -g daemon off;",), "exit"),
        ("image: node, command: app.js", "docker-entrypoint.sh", ("node", "app.js"), "none"),
        ("image: python, command: python app.py", "python", ("python", "app.py"), "none"),
        ("image: openjdk, command: java -jar a.jar", "java", ("java", "-jar", "a.jar"), "exit"),
        ("image: prom/prometheus, command: [--x=1]", "/bin/prometheus", ("/bin/prometheus", "--x=1"), "exit"),
        ("image: minio/minio, command: server /data", "/usr/bin/docker-entrypoint.sh",
         ("minio", "server", "/data"), "exit"),
    ],
)  # fmt: skip
def test_a_service_gets_the_program_of_its_image(service, path, argv, term, tmp_path):
    """`docker ps` shows the entrypoint, `ps` what it has executed; arguments go where the entrypoint puts them."""
    found = taken(tmp_path, {"c.yaml": f"services: {{a: {{{service}}}}}"}, images=True)
    (it,) = found.scenario.setup.services
    assert (it.path, it.payload.argv, it.payload.on_term.kind) == (path, argv, term)


def test_another_program_of_a_known_image_gets_nothing(tmp_path):
    """A shell, a dump: the entry does not describe it, and the file says so."""
    found = taken(tmp_path, {"c.yaml": "services: {a: {image: postgres, command: sh -c backup}}"}, images=True)
    (it,) = found.scenario.setup.services
    assert (it.path, it.stop_signal, found.found[0].other) == ("sh", None, "sh")
    assert found.assumptions == ()


def test_what_a_service_says_itself_stays(tmp_path):
    """Its x-payload, its stop signal; the program's answer to that one is taken."""
    text = "services: {a: {image: postgres, x-payload: {ready: 9s}}, b: {image: nginx, stop_signal: SIGHUP}}"
    a, b = taken(tmp_path, {"c.yaml": text}, images=True).scenario.setup.services
    assert (a.payload.ready, a.stop_signal) == (9_000_000, None)
    assert (b.stop_signal, b.payload.on_term.kind) == ("HUP", "reload")


def test_workers_go_by_the_cores_of_the_host():
    """`times: cores`."""
    text = "images: library\nhost: {cores: 3}\nservices: {a: {image: nginx}}\n"
    assert len(load("x.yaml", text).setup.services[0].payload.children) == 3


def test_what_is_assumed_is_said():
    """By a scenario that names the library, for each entry."""
    text = "images: library\nservices: {a: {image: mysql}, b: {image: mysql}}\n"
    assert "a, b: threads, ready, as the library of images has it (mysql)" in load("x.yaml", text).assumptions
    assert not any("library" in it for it in load("x.yaml", "services: {a: {image: mysql}}").assumptions)


OWN = """\
images: [acme/shop, "acme/*-worker"]
programs: [shop]
entrypoint: [/entry]
command: [shop, serve]
x-payload: {ready: 7s, on: {TERM: ignore}}
sources: {ready: measured}
"""


def test_a_scenario_with_images_resolves_to_itself():
    """What the library gave stands in the file that repeats a run."""
    scenario = load(
        "x.yaml", "images: library\nservices: {a: {image: nginx}, b: {image: rabbitmq}, c: {image: php:fpm}}\n"
    )
    again = load("x.yaml", resolved(scenario))
    assert again.setup.services == scenario.setup.services
    assert again.assumptions == scenario.assumptions


def test_people_add_their_own(tmp_path):
    """A file or a folder, looked at in the order in which they are named."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/shop.yaml").write_text(OWN + "---\n" + OWN.replace("acme/shop", "postgres").replace("7s", "8s"))
    (tmp_path / "s.yaml").write_text(
        "images: [mine, library]\nservices: {a: {image: 'acme/shop:2'}, b: {image: postgres}, c: {image: redis}}\n"
    )
    a, b, c = load(tmp_path / "s.yaml").setup.services
    assert (a.payload.ready, a.payload.argv) == (7_000_000, ("shop", "serve"))
    assert b.payload.ready == 8_000_000
    assert c.payload.comm == "redis-server"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("[shop]", "[]"), "m.yaml:2:11: programs: a list is not a list of names"),
        (OWN.replace("stop", "stop").replace("TERM: ignore", "TREM: ignore"), "'TREM' is not a signal"),
        (OWN + "stop_signl: INT\n", "m.yaml:7:1: stop_signl: unknown key. Did you mean stop_signal?"),
        ("services: {}\n", "m.yaml:1:1: an entry of the library of images needs images and programs"),
        ("- 1\n", "m.yaml:1:1: an entry of the library of images needs images and programs"),
        ("a: [\n", "m.yaml:2:1: not YAML"),
    ],
)
def test_a_wrong_entry_is_refused_where_it_is_wrong(text, said, tmp_path):
    """With file, line and column."""
    (tmp_path / "m.yaml").write_text(text)
    (tmp_path / "s.yaml").write_text("images: m.yaml\nservices: {a: {image: x}}\n")
    with pytest.raises(InputError) as error:
        load(tmp_path / "s.yaml")
    assert said in str(error.value)


def test_the_library_is_not_read_unless_it_is_asked_for(monkeypatch):
    """A scenario that does not name it pays nothing for it, and keeps its bytes."""
    monkeypatch.setattr("sim.scenario.compose.images.entries_of", None)
    load("x.yaml", "services: {a: {image: postgres}}")


def test_the_library_stands_beside_the_package():
    """So that a wheel has it."""
    assert FOLDER.parent.name == "sim"
    assert isinstance(KNOWN, Library)
