"""What strangers chose never steers the terminal: no control character but newline is printed, whatever the command."""

import json
import unicodedata

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from sim.cli import main
from tests.drawing import examples

CONTROLS = ["\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\u202e", "\r", "\n", "\t", "\x7f", "\u2028", "\u200b"]
EVIL = [*CONTROLS, "é", "日本", "😀"]
TEXT = st.lists(st.sampled_from([*EVIL, "a", "b", " ", "%s", "{}"]), max_size=4).map("".join)
COMM = st.sampled_from(["c\x1b", "\u202ec", "c\r", "c"])
FAIL = "\x1b[31mgone"


def steers(text):
    """Return the characters of *text* that a terminal would obey, newline apart."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def scenario(title, image, word, label, comm):
    """Return a scenario with hostile texts wherever a stranger may choose one."""
    web = {
        "image": f"i{image}",
        "command": [f"x{word}", word],
        "ports": ["80:80"],
        "labels": {f"l{label}": label},
        "x-payload": {"comm": comm, "argv": [f"v{word}", image]},
    }
    return {
        "title": title,
        "services": {"web": web},
        "steps": [{"id": "shot", "at": "60s", "kill": "dockerd"}, {"id": "no", "at": "60.01s", "docker": "stop web"}],
        "until": "70s",
        "expect": [{"at": "end", "container": "web", "status": "exited"}],
    }


RUNS = [
    ["run", "evil.yaml"],
    ["run", "evil.yaml", "--json", "--no-save"],
    ["run", "evil.yaml", "--seeds", "1"],
    ["validate", "evil.yaml"],
    ["whatif", "evil.yaml", "--set", "engine.daemon.live-restore=true", "--seeds", "1", "--no-save"],
    ["run", "evil.yaml", "--remedies", "--no-save"],
    ["why", "evil.yaml", "container web"],
    ["why", "evil.yaml", "why is web not running"],
    ["diff", "evil.yaml@shot-1s", "evil.yaml"],
    ["show", "evil.yaml", "--as", "procfs", "-o", "proc"],
    ["why", "evil.yaml", "port 80 from loopback", "--at", "shot"],
    *(["show", "evil.yaml", "--as", view] for view in (
        "pstree", "pstree-ascii", "pstree-p", "ps-axjf", "ps-ef", "ps-eo", "ps-auxf", "docker-ps-a", "docker-inspect",
        "docker-top", "docker-events", "docker-info", "systemctl-status", "ls-bundle",
        "dot", "mermaid", "graphml", "perfetto",
    )),
]  # fmt: skip


@examples(120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(evil=st.builds(scenario, TEXT, TEXT, TEXT, TEXT, COMM), words=st.sampled_from(RUNS))
def test_no_text_of_a_scenario_steers_the_terminal(evil, words, folder, capsys):
    """Titles, images, argv, labels, names of processes: each command prints them harmless or refuses them harmless."""
    (folder / "evil.yaml").write_text(yaml.safe_dump(evil, allow_unicode=True))
    status = main(words)
    said = capsys.readouterr()
    assert status in (0, 1, 2), said.err
    assert not steers(said.out)
    assert not steers(said.err)


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT, words=st.sampled_from([
    ["show", "evil.json"], ["show", "evil.json", "--as", "ps-ef"], ["show", "evil.json", "--as", "dot"],
    ["show", "evil.json", "--as", "ps-axjf", "--json"],
]))  # fmt: skip
def test_no_text_of_a_table_steers_the_terminal(text, words, folder, capsys):
    """Names and words of processes in a table are printed harmless."""
    init = {"pid": 1, "ppid": 0, "pgid": 1, "sid": 1, "state": "S", "start_ticks": 0, "uid": 0}
    table = {"meta": {"btime": 0, "now": 9}, "procs": [{**init, "comm": text[:9] or "x", "args": [text, text]}]}
    (folder / "evil.json").write_text(json.dumps(table))
    status = main(words)
    said = capsys.readouterr()
    assert status in (0, 2), said.err
    assert not steers(said.out)
    assert not steers(said.err)


@pytest.mark.parametrize(
    "words",
    [
        ["run", FAIL], ["show", "small.yaml", "--at", FAIL], ["show", "small.yaml", "--as", FAIL],
        ["show", "small.yaml", "--root", FAIL], ["why", "small.yaml", FAIL],
        ["diff", FAIL, "small.yaml"], ["diff", "small.yaml", f"small.yaml@{FAIL}"],
        ["why", "small.yaml", f"is {FAIL} up"],
        ["show", "small.yaml", "--as", "procfs", "-o", f"small.yaml/{FAIL}"],
        ["why", "small.yaml", f"container {FAIL}"], ["run", "small.yaml", FAIL],
        ["run", "small.yaml", "--set", FAIL], ["run", "small.yaml", "--set", f"host.cores={FAIL}"],
        [FAIL], ["run", "small.yaml", f"--{FAIL}"], ["run", "small.yaml", "--seed", FAIL],
        ["plot", "small.yaml", "-o", FAIL],
        ["validate", FAIL], ["init", "x.yaml", "--compose", FAIL], ["show", f"{FAIL}.jsonl"], ["show", f"{FAIL}.json"],
    ],
)  # fmt: skip
def test_no_word_of_the_command_line_steers_the_terminal(words, shimulator):
    """A complaint quotes what was given without its control characters."""
    said = shimulator(*words)
    assert said.status == 2
    assert not steers(said.out)
    assert not steers(said.err)


def test_the_name_of_a_file_does_not_steer_the_terminal(shimulator, folder):
    """A scenario whose file name holds an escape sequence runs, and the report names it harmless."""
    (folder / "a\x1b[2Jb.yaml").write_text((folder / "small.yaml").read_text())
    for words in (["run"], ["run", "--no-save"], ["validate"]):
        said = shimulator(words[0], "a\x1b[2Jb.yaml", *words[1:])
        assert said.status == 0
        assert not steers(said.out)
