"""The collector: a script that gathers a host in one file and takes credentials out where it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.cli import main
from sim.intake import scenario_from
from sim.intake.collector import collector
from sim.intake.sources import Source
from sim.scenario import load
from tests.intake import samples
from tests.intake.test_secrets import SECRET, planted

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
TOOLS = ("sh", "awk", "sed", "grep", "cat", "timeout", "printf")


def fake(folder: Path, name: str, cases: dict[str, str]) -> None:
    """Make a command that prints a text for each begin of its words, and notes how it was called."""
    lines = [f'echo "{name} $*" >> "{folder}/calls"', 'case "$*" in']
    for number, (words, text) in enumerate(cases.items()):
        (folder / f"{name}.{number}").write_text(text)
        lines.append(f"{words}) cat '{folder}/{name}.{number}';;")
    script = folder / name
    script.write_text("#!/bin/sh\n" + "\n".join([*lines, "*) exit 1;;", "esac"]) + "\n")
    script.chmod(0o755)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of commands that print what the sample's host prints, with secrets."""
    outputs = planted()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (tmp_path / tool).symlink_to(found)
    fake(tmp_path, "ps", {"-ww\\ -eo*": outputs["ps-eo.txt"]})
    ids = " ".join((samples.WEB, samples.DB, samples.JOB))
    inspect = json.dumps(json.loads(outputs["inspect.json"]), indent=4)
    fake(tmp_path, "docker", {
        "version": "Server:\n Engine:\n  Version:          26.1.5\n",
        "info": outputs["info.txt"],
        "info\\ --format*": json.dumps(samples.INFO),
        "ps\\ -a\\ --no-trunc": outputs["docker-ps.txt"],
        "ps\\ -aq*": ids.replace(" ", "\n"),
        f"inspect\\ {samples.WEB}*": inspect,
        "network\\ ls\\ -q": "d4",
        "network\\ inspect\\ d4": json.dumps(samples.NETWORK, indent=4),
    })  # fmt: skip
    fake(tmp_path, "systemctl", {
        "cat\\ docker": outputs["unit.txt"],
        "show\\ -p*docker": outputs["show.txt"],
    })  # fmt: skip
    return tmp_path


def collected(folder: Path, shell: str) -> subprocess.CompletedProcess[str]:
    """Run the script with the folder's commands alone."""
    env = {"PATH": str(folder), "HOME": str(folder)}
    script = folder / "collect.sh"
    script.write_text(collector())
    return subprocess.run(
        [shutil.which(shell) or shell, str(script)], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_it_gathers_the_host_without_secrets(shell, host):
    """One text; no secret in it; read back it is the host."""
    done = collected(host, shell)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout
    assert "removed here" in done.stderr
    text, summary = scenario_from(texts=[Source("host.txt", done.stdout)])
    setup = load("x.yaml", text).setup
    assert [it.name for it in setup.services] == ["web", "db", "job"]
    assert "docker-26-separate (version 26.1.5" in summary
    assert setup.host.cores == 8
    assert (setup.services[0].restart.name, setup.services[0].ports[0].host) == ("always", 8080)
    assert setup.engine.unit.restart == "no"  # what show says is in force, whatever the file says


def test_it_only_reads(host):
    """No command that changes anything is called."""
    collected(host, SHELLS[0])
    verbs = {tuple(line.split()[:2]) for line in (host / "calls").read_text().splitlines()}
    assert verbs <= {
        ("ps", "-ww"), ("docker", "version"), ("docker", "info"), ("docker", "ps"), ("docker", "inspect"),
        ("docker", "network"), ("systemctl", "cat"), ("systemctl", "show"),
    }  # fmt: skip
    assert ("docker", "inspect") in verbs


def test_a_host_without_an_engine_is_gathered(tmp_path):
    """Where no docker, podman or systemctl is, the table of processes is all."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool) or "/bin/false")
    fake(
        tmp_path,
        "ps",
        {"-o*": "PID   PPID  PGID  SID   TT     STAT COMMAND\n    1     0     1     1 ?      S    /init\n"},
    )
    done = collected(tmp_path, SHELLS[0])
    assert done.returncode == 0
    assert "/init" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_can_read_it(shell, tmp_path, capsys):
    """`sh -n` finds no fault, and `init --collector` prints the script."""
    assert main(["init", "--collector"]) == 0
    script = tmp_path / "collect.sh"
    script.write_text(capsys.readouterr().out)
    assert script.read_text() == collector()
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
