"""init, validate and designs: the first commands of somebody new."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PLACES = ("one.yaml:2:", "one.yaml:2:", "two.yaml:1:", "two.yaml:2:")
COMPOSE = """\
services:
  api: {image: "api:1", ports: ["8080:80"], restart: always, depends_on: [db]}
  db: {image: postgres, restart: always, environment: {POSTGRES_PASSWORD: x}}
"""


def test_the_starter_runs_at_once(shimulator, folder):
    """`shimulator init my.yaml && shimulator run my.yaml` ends with 0."""
    said = shimulator("init", "my.yaml")
    assert said.status == 0
    assert "next: shimulator run my.yaml" in said.out
    assert shimulator("validate", "my.yaml").status == 0
    assert shimulator("run", "my.yaml").status == 0


def test_a_compose_file_becomes_a_scenario(shimulator, folder):
    """--compose takes the services, says how many, and the result runs."""
    (folder / "docker-compose.yml").write_text(COMPOSE)
    said = shimulator("init", "my.yaml", "--compose", "docker-compose.yml")
    assert said.status == 0
    assert "2 services, 1 port" in said.out
    assert shimulator("run", "my.yaml", "-q").status == 0


def test_several_compose_files_become_one_scenario(shimulator, folder):
    """Laid over one another, with env files, profiles and a design; what it is told runs and holds."""
    (folder / "a.yml").write_text(COMPOSE + "  tool: {image: 'busybox:${TAG}', profiles: [tools], command: sleep 9}\n")
    (folder / "b.yml").write_text('services: {db: {ports: ["127.0.0.1:5432:5432"], restart: "no"}}\n')
    (folder / "v.env").write_text("TAG=1.36\n")
    options = ("-f", "a.yml", "-f", "b.yml", "--env-file", "v.env", "--profile", "tools", "--design", "docker-24")
    said = shimulator("init", "my.yaml", *options)
    assert said.status == 0
    assert "3 services, 2 ports; 1 image known" in said.out
    text = (folder / "my.yaml").read_text()
    assert "busybox:1.36" in text
    assert "design: docker-24" in text
    assert "POSTGRES_PASSWORD: …" in text
    assert shimulator("run", "my.yaml", "-q", "--no-save").status == 0
    bare = shimulator("init", "-", *options, "--images", "none", "--keep-values")
    assert "docker-entrypoint.sh" in text
    assert "docker-entrypoint.sh" not in bare.out
    assert "POSTGRES_PASSWORD: x" in bare.out


def test_a_file_that_exists_is_kept(shimulator, folder):
    """Without --force the file stays as it is; with it, it is replaced."""
    before = (folder / "small.yaml").read_text()
    assert shimulator("init", "small.yaml").status == 2
    assert (folder / "small.yaml").read_text() == before
    assert shimulator("init", "small.yaml", "--force").status == 0
    assert (folder / "small.yaml").read_text() != before


@pytest.mark.parametrize(
    ("scenario", "compose", "named"),
    [
        ("x.yaml", "sub/docker-compose.yml", "sub/docker-compose.yml"),
        ("sub/a.yaml", "c/ok.yml", "../c/ok.yml"),
        ("sub/a.yaml", "sub/ok.yml", "ok.yml"),
        ("link/a.yaml", "c/ok.yml", "../c/ok.yml"),
    ],
)
def test_a_compose_file_is_named_from_the_scenarios_folder(scenario, compose, named, shimulator, folder):
    """Wherever the two stand, the command that init proposes finds the Compose file."""
    for name in ("sub/deep", "c"):
        (folder / name).mkdir(parents=True)
    (folder / "link").symlink_to("sub/deep")
    (folder / compose).write_text(COMPOSE)
    assert shimulator("init", scenario, "--compose", compose, "--link").status == 0
    assert f"\ncompose: {named}\n" in (folder / scenario).read_text()
    assert shimulator("run", scenario, "--no-save").status == 0


def test_init_prints_to_standard_output(shimulator, folder):
    """- is standard output, and what it prints can be run."""
    said = shimulator("init", "-")
    assert said.status == 0
    assert shimulator("run", "-", "--no-save", stdin=said.out.encode()).status == 0
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize("name", ["no/my.yaml", "folder"])
def test_a_place_where_nothing_can_be_written_is_refused(name, shimulator, folder):
    """A missing folder, a folder itself: status 2 with what to do."""
    (folder / "folder").mkdir()
    said = shimulator("init", name, "--force")
    assert said.status == 2
    assert name.split("/")[0] in said.err


def test_validate_says_everything_that_is_wrong_in_all_files(shimulator, folder):
    """Two wrong files and a good one: every fault of both with file, line and column, and what is good."""
    (folder / "one.yaml").write_text("services:\n  web: {imag: nginx, restrt: always}\n")
    (folder / "two.yaml").write_text("hots: {}\nuntil: 3 parsecs\n")
    said = shimulator("validate", "one.yaml", "small.yaml", "two.yaml")
    assert said.status == 2
    assert said.out == "small.yaml: good: 2 containers, 1 step, 2 expectations\n"
    faults = said.err.splitlines()
    for place, word in zip(PLACES, ("imag", "restrt", "hots", "parsecs"), strict=True):
        assert any(line.startswith(place) and word in line for line in faults), (place, word)


def test_validate_takes_standard_input_and_bundled_names(shimulator):
    """- and a name are scenarios here too."""
    assert shimulator("validate", "-", stdin=b"services: {web: {image: nginx}}").status == 0
    assert shimulator("validate", "document").status == 0


def test_each_document_of_a_file_is_named(shimulator, folder):
    """A file with two scenarios gets a line for each."""
    (folder / "two.yaml").write_text("services: {a: {image: x}}\n---\nservices: {b: {image: y}}\n")
    said = shimulator("validate", "two.yaml")
    assert [line.split(": good: ")[0] for line in said.out.splitlines()] == ["two.yaml (two)", "two.yaml (two-2)"]


def test_every_bundled_scenario_is_good(shimulator):
    """What ships is valid."""
    from sim.bundled import bundled_names

    assert shimulator("validate", *bundled_names()).status == 0


def test_the_committed_schema_is_the_current_one(shimulator):
    """schema.json is what `shimulator validate --schema` prints; after a change, write it anew with that."""
    said = shimulator("validate", "--schema")
    assert said.status == 0
    assert said.out == (ROOT / "schema.json").read_text(encoding="utf-8")
    assert json.loads(said.out)["$schema"].startswith("https://json-schema.org/")


def test_designs_are_listed_with_their_sources(shimulator):
    """Each design has a name that a scenario may give, and a source."""
    text = shimulator("designs").out
    assert text.startswith("docker-1.10")
    assert "source: " in text
