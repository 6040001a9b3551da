"""Outputs beside ps and inspect: trees, units, listeners, lists, the trimmed table of a document."""

from __future__ import annotations

import json

import pytest
import yaml

from sim.errors import InputError
from sim.intake import scenario_from
from sim.intake.inventory import inventory_of
from sim.intake.reading import reading_of
from sim.intake.sources import Source
from sim.scenario import load
from tests.intake import samples
from tests.intake.test_fuzz import RULES, SHOW, SS, TREE, UNIT, in_lines

SHIM = "/usr/bin/docker-containerd-shim-current {0} /var/run/docker/libcontainerd/{0} /usr/libexec/docker-runc"
DOCUMENT = f"""\
## The processes of our host

```shell
[root@dev-2 ~]# ps -axjf | grep 15929
    1 15929 15929 /usr/bin/dockerd-current --add-runtime docker-runc=/usr/libexec/docker/docker-runc-current --live-restore
15929 15935 15935  \\_ /usr/bin/docker-containerd-current -l unix:///var/run/docker/libcontainerd/docker-containerd.sock
15935   625   625  |   \\_ {SHIM.format("a1" * 32)}
  625   672   672  |   |   \\_ grafana-server --homepath=/usr/share/grafana
15935   694   694  |   \\_ {SHIM.format("b2" * 32)}
  694   749   749  |       \\_ /usr/bin/cadvisor -logtostderr
15929   598 15929  \\_ /usr/libexec/docker/docker-proxy-current -proto tcp -host-ip 0.0.0.0 -host-port 20002 -container-ip 172.18.0.2 -container-port 3000
15929   674 15929  \\_ /usr/libexec/docker/docker-proxy-current -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.18.0.4 -container-port 8080
```

As the picture shows, each container has a `docker-proxy`.

> ```
> Server:
>  Version:         1.13.1
> ```
"""  # noqa: E501


def read(*texts: str):
    """Return the inventory of texts."""
    return inventory_of(reading_of([Source(f"{n}.txt", text) for n, text in enumerate(texts)]))


@pytest.mark.parametrize("tree", [TREE, in_lines(TREE)], ids=["ascii", "lines"])
def test_a_tree_with_numbers_is_a_table(tree):
    """Parents, names and the number of threads, in both alphabets."""
    rows = {row.pid: row for row in read(tree).processes}
    assert {pid: row.ppid for pid, row in rows.items()} == {
        1: None,
        500: 1,
        700: 500,
        720: 1,
        740: 720,
        741: 740,
        800: 1,
    }
    assert (rows[500].threads, rows[700].threads, rows[720].threads, rows[740].comm) == (2, 2, 11, "nginx")


def test_a_tree_without_numbers_is_said_to_be_of_no_use():
    """Beside a table nothing joins it."""
    tree = "init-+-dockerd---20*[{dockerd}]\n     `-sshd\n"
    notes = [note.text for note in read(tree, samples.axjf()).notes]
    assert "this tree has no process numbers; pstree -p has" in notes


def test_the_trimmed_table_of_a_document_is_read_with_prose_around_it():
    """Three columns, a forest, quoted lines: the design, both containers, their ports by the order of forks."""
    host = read(DOCUMENT)
    assert host.design == "docker-1.13"
    assert [(it.name, it.ports[0].host, it.ports[0].inner) for it in host.containers] == [
        ("grafana-server", 20002, 3000), ("cadvisor", 8080, 8080),
    ]  # fmt: skip
    assert host.targets[598] == "proxy/grafana-server:20002"
    text, _ = scenario_from(texts=[Source("doc.md", DOCUMENT)])
    assert load("x.yaml", text).setup.engine.daemon.live_restore


def test_units_are_read_as_files_and_as_properties():
    """What show says is in force, over what the file says."""
    keys = dict(read(UNIT, SHOW).units["docker"].keys)
    assert keys == {"Restart": "always", "KillMode": "process", "TasksMax": "infinity", "RestartSec": "2s"}
    text, _ = scenario_from(texts=[Source("u", UNIT), Source("s", SHOW), Source("ps", samples.axjf())])
    unit = load("x.yaml", text).setup.engine.unit
    assert (unit.restart, unit.kill_mode, unit.restart_sec) == ("always", "process", 2_000_000)


def test_drop_ins_are_laid_over_the_unit():
    """The last value of a key; an empty one takes it away."""
    more = UNIT + "# /etc/systemd/system/docker.service.d/x.conf\n[Service]\nRestart=\nKillMode=mixed\n"
    assert dict(read(more).units["docker"].keys) == {"KillMode": "mixed", "TasksMax": "infinity"}


def test_listeners_and_rules_are_read():
    """Who holds a port, and where a rule leads."""
    host = read(SS, RULES, samples.axjf())
    assert [(it.proto, it.port, it.pid) for it in host.listeners] == [("tcp", 8080, 700)]
    assert "forwarders that do not listen in ss: 710" in [note.text for note in host.notes]
    lost = read(RULES, samples.DOCKER_PS).notes
    assert [note.text for note in lost if note.kind == "contradiction"] == [
        "published ports that no rule of iptables-save leads anywhere: 8080/tcp of web"
    ]


def test_a_list_of_containers_alone_is_a_host():
    """Names, ports and states of `docker ps -a`; what is not said is assumed and marked."""
    text, _ = scenario_from(texts=[Source("x", samples.DOCKER_PS)])
    services = yaml.safe_load(text)["services"]
    assert services["web"]["ports"] == ["8080:80"]
    assert services["job"]["x-payload"]["exits"]["code"] == 3
    assert "assumed: no source says the restart policy" in text


def test_states_become_steps():
    """Paused, created, and stopped by hand although the policy starts it."""
    inspected = samples.inspected()
    inspected[0]["State"] |= {"Status": "paused", "Paused": True}
    inspected[1]["State"] |= {"Status": "created", "Running": False, "Pid": 0, "StartedAt": "0001-01-01T00:00:00Z"}
    inspected[2]["HostConfig"]["RestartPolicy"] = {"Name": "always"}
    text, _ = scenario_from(texts=[Source("x", json.dumps(inspected))])
    steps = [step["docker"] for step in yaml.safe_load(text)["steps"] if "docker" in step]
    assert "pause web" in steps
    assert "stop job" in steps
    assert [step for step in steps if step.startswith("create --name db --restart always")]


def test_a_compose_file_is_joined_with_what_the_engine_says(tmp_path):
    """Its services on the engine, with the settings and the name of the host."""
    (tmp_path / "compose.yml").write_text("services:\n  web: {image: nginx, restart: always, ports: ['80:80']}\n")
    (tmp_path / "info.json").write_text(json.dumps(samples.INFO))
    text, _ = scenario_from([tmp_path / "compose.yml", tmp_path / "info.json"])
    setup = load("x.yaml", text).setup
    assert (setup.services[0].name, setup.engine.design, setup.host.hostname) == ("web", "docker-26-separate", "shop-1")
    assert setup.engine.daemon.live_restore


def test_a_compose_file_from_a_pipe_is_asked_for_by_name():
    """What it refers to is looked for beside it."""
    with pytest.raises(InputError, match="by its name"):
        scenario_from(["-"], stdin=b"services:\n  web: {image: nginx}\n")
