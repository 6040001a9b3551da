"""A file of a host's tools is no scenario: each command says what to type."""

import json
import tarfile

import pytest

PS = "    PID    PPID COMMAND\n      1       0 /sbin/init\n     56       1 /usr/sbin/dockerd\n"
INSPECT = json.dumps([{"Id": "a" * 64, "Name": "/web", "State": {"Status": "running", "Pid": 7}, "Config": {}}])
COMPOSE = "services:\n  web: {image: nginx, restart: always}\n"
VOLUMES = COMPOSE + "volumes: {data: {}}\n"
FILES = {"ps.txt": PS, "inspect.json": INSPECT, "docker-compose.yml": COMPOSE, "stack.yml": VOLUMES}
COMMANDS = (
    ("run", "{}"),
    ("validate", "{}"),
    ("show", "{}"),
    ("plot", "{}", "-o", "x.png"),
    ("report", "{}", "-o", "x.html"),
    ("why", "{}", "port 80"),
    ("whatif", "{}", "--set", "host.cores=3"),
    ("explore", "{}"),
)


@pytest.mark.parametrize("name", [name for name in FILES if name != "stack.yml"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_each_command_says_what_to_type(words, name, shimulator, folder):
    """One line with the command that makes a scenario of the file."""
    (folder / name).write_text(FILES[name])
    said = shimulator(*[word.format(name) for word in words])
    assert said.status == 2, said
    assert f"Type: shimulator init my.yaml {name} && shimulator run my.yaml" in said.err
    assert said.err.count("\n") == 1


def test_a_folder_of_outputs_and_a_pipe_are_told_too(shimulator, folder):
    """A folder, an archive, standard input."""
    (folder / "out").mkdir()
    (folder / "out/ps.txt").write_text(PS)
    said = shimulator("show", "out")
    assert (said.status, "Type: shimulator init my.yaml out &&" in said.err) == (2, True)
    with tarfile.open(folder / "out.tar.gz", "w:gz") as archive:
        archive.add(folder / "out", "out")
    assert "this is an archive, and no scenario. Type: shimulator init" in shimulator("run", "out.tar.gz").err
    said = shimulator("run", "-", stdin=INSPECT.encode())
    assert (said.status, "Type: … | shimulator init my.yaml - &&" in said.err) == (2, True)


def test_what_is_to_be_typed_works(shimulator, folder):
    """The command that is proposed makes a scenario that runs."""
    for number, name in enumerate(FILES):
        (folder / name).write_text(FILES[name])
        assert shimulator("init", f"{number}.yaml", name).status == 0
        assert shimulator("run", f"{number}.yaml", "--no-save", "-q").status == 0


def test_a_wrong_scenario_stays_one(shimulator, folder):
    """What is wrong with a scenario is said, also if it holds services alone."""
    (folder / "mine.yaml").write_text("services: {web: {image: nginx, restrat: always}}\n")
    said = shimulator("run", "mine.yaml")
    assert (said.status, "restrat" in said.err, "Type:" in said.err) == (2, True, False)


def test_inputs_may_stand_behind_an_option(shimulator, folder):
    """As with other commands, where an option stands is no matter."""
    (folder / "web.yaml").write_text("services: {web: {image: nginx}}\n")
    (folder / "compose.yml").write_text("services: {web: {image: nginx}}\n")
    assert shimulator("init", "web.yaml", "--force", "compose.yml").status == 0
    assert "nginx" in (folder / "web.yaml").read_text()
