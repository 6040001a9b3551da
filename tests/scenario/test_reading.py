"""What a right file means: YAML's words, Compose's keys, instants, commands, defaults, layers, what-ifs."""

from pathlib import Path

import pytest

from sim.engine.setup import Docker, Instant, KillProcess, Port, PortRange, Restart, SetNextPid, Systemctl, Target
from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.facts import UnitChanged
from sim.scenario import (
    ContainerExpect,
    TreeExpect,
    init_from_compose,
    instant,
    json_schema,
    load,
    load_all,
    resolved,
    starter,
)
from sim.scenario.text import Problems, read
from tests.rows import SCENARIOS as ROWS

S = 1_000_000
SCENARIOS = Path(__file__).parents[2] / "scenarios"
COMPOSE = """\
version: "3"
x-common: &common {restart: always, logging: {driver: none}}
services:
  db: {<<: *common, image: "postgres:9.6", ports: ["5432:5432"], environment: {A: b}}
  java: {<<: *common, image: "java:${TAG:-8}", ports: ["8080:8080"], depends_on: [db], volumes: ["a:/b"]}
volumes: {a: {}}
"""


def commands(text, services="services: {web: {}, db: {}, api: {}}"):
    """Return the commands of all terminals of a scenario with *text* as its steps."""
    setup = load("f", text=f"{services}\nsteps:\n{text}").setup
    return [[step.command for step in terminal] for terminal in setup.terminals]


def setup_without_lines(scenario):
    """Return a setup whose steps do not say in which line they stand."""
    import msgspec

    terminals = tuple(
        tuple(msgspec.structs.replace(step, line=0) for step in terminal) for terminal in scenario.setup.terminals
    )
    return msgspec.structs.replace(scenario.setup, terminals=terminals)


def test_yaml_words_stay_words():
    text = "[no, on, yes, 22:22, 8443:43, 2020-12-03, 0123, 1e5, 0x1f, 1_000, .5, ~x]"
    assert read(text, "f", Problems())[0].plain() == text[1:-1].split(", ")
    assert read("[80, -1, 1.50, true, null, ~]", "f", Problems())[0].plain() == [80, -1, 1.5, True, None, None]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_upgrade_comes_out_as_it_says(seed):
    found = run_scenario(load("web-17"), seed)
    assert len(found.scenario.setup.services) == 13  # twelve and the probe
    assert [f"{it.text}: {it.detail}" for it in found.verdicts() if not it.holds] == []
    assert found.moment("ready(docker)+1s") == found.moment("probe") > found.moment("upgrade+9s")
    leaves = [it.at - found.trace.origin for it in found.trace if isinstance(it.event, UnitChanged) and it.at]
    assert any(68 * S <= at <= 68 * S + 100_000 for at in leaves)  # unpacked, then restarted


def test_a_compose_file_lies_under_the_scenario(tmp_path):
    (tmp_path / "docker-compose.yml").write_text(COMPOSE)
    text = (
        (SCENARIOS / "web-17.yaml")
        .read_text()
        .replace(", log: 20KB/s", "")
        .replace("upgrade: {to: docker-1.13, unpack: 8s}", "systemctl: restart docker")
    )
    scenario = load(tmp_path / "web17.yaml", text=text)
    db, java, probe = scenario.setup.services
    assert (db.image, db.restart, db.network, db.payload.ready) == ("postgres:9.6", Restart("always"), "default", 4 * S)
    assert (java.image, java.payload.on_term.kind) == ("java:8", "ignore")
    assert (probe.name, probe.args, probe.network, probe.payload.exits.after) == ("probe", ("60",), "bridge", 60 * S)
    assert scenario.late == ("probe",)
    assert scenario.without_effect == ("services: environment",)
    assert scenario.expectations[0].containers == ("db", "java")


@pytest.mark.parametrize("row", ROWS)
def test_rows_resolve_to_themselves(row):
    scenario = ROWS[row]
    again = load(SCENARIOS / "again.yaml", text=resolved(scenario))
    assert setup_without_lines(again) == setup_without_lines(scenario)
    assert len(again.expectations) == len(scenario.expectations)


BUNDLED = ("document", "document-live-restore", "reboot-herd", "shim-while-containerd-down", "web-17")


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_scenarios_load_and_resolve_to_themselves(name):
    scenario = load(name)
    again = load(SCENARIOS / "again.yaml", text=resolved(scenario))
    assert setup_without_lines(again) == setup_without_lines(scenario)
    assert again.assumptions == scenario.assumptions
    assert len(again.expectations) == len(scenario.expectations)


def test_the_document_s_numbers_stand_in_its_scenario():
    scenario = load("document")
    setup = scenario.setup
    assert setup.host.epoch == 1_606_960_018
    assert len(setup.service("arthas").image) == 47
    assert setup.service("arthas").pins.children == (1010,)
    assert [service.payload.threads for service in setup.services] == [10, 13, 0, 8, 7, 7]
    assert instant("2020-12-14 09:41:00", scenario) == setup.terminals[-1][0].at
    trees = [it for it in scenario.expectations if isinstance(it, TreeExpect)]
    assert [len(tree.lines) for tree in trees] == [13, 21]


def test_live_restore_extends_the_document():
    plain, live = load("document"), load("document-live-restore")
    assert live.setup.engine.daemon.live_restore
    assert not plain.setup.engine.daemon.live_restore
    assert live.setup.services == plain.setup.services
    assert [it.pid for it in live.expectations if isinstance(it, ContainerExpect)] == ["same"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Instant()),
        ("90s", Instant(offset=90 * S)),
        ("2020-01-01 00:01:00", Instant(offset=60 * S)),
        ("2020-01-01T08:01:00+08:00+1s", Instant(offset=61 * S)),
        ("down", Instant("step", "down")),
        ("shot-at-web - 500ms", Instant("step", "shot-at-web", offset=-500_000)),
        ("die(web)#2+1m30s", Instant("word", "die", "web", 2, 90 * S)),
        ("Exited(containerd)#last", Instant("fact", "Exited", "containerd", 0)),
        ("Forked(shim/web)", Instant("fact", "Forked", "shim/web")),
        ("ready(docker)+1s", Instant("ready", "ready", "docker", 1, S)),
        ("end-1s", Instant("end", offset=-S)),
    ],
)
def test_instants(text, expected):
    steps = "steps: [{id: down, kill: dockerd}, {id: shot-at-web, kill: shim/web}]"
    assert instant(text, load("f", text=f"services: {{web: {{}}}}\n{steps}")) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("docker: stop -t 5 web db", [[Docker("stop", "web", None, 5 * S), Docker("stop", "db", None, 5 * S)]]),
        ("docker: docker kill --signal=SIGHUP web", [[Docker("kill", "web", "HUP")]]),
        ("docker: [stop web, start web]", [[Docker("stop", "web"), Docker("start", "web")]]),
        ("docker: rm -fv web", [[Docker("rm", "web", force=True)]]),
        ("docker: run -dp 90:80 --name x nginx", [[Docker("run", "x")]]),
        ("docker: run nginx", [[Docker("run", "nginx_1", attach=True)]]),
        ("compose: restart", [[Docker("restart", "web")], [Docker("restart", "db")], [Docker("restart", "api")]]),
        ("compose: up -d db", [[Docker("start", "db")]]),
        ("compose: down api", [[Docker("stop", "api"), Docker("rm", "api")]]),
        ("systemctl: kill -s USR1 docker.service", [[Systemctl("kill", "docker", "USR1")]]),
        ("{kill: 'shim/*', signal: 15}", [[KillProcess(Target("shim", "*"), "TERM")]]),
        ("stop: proxy/web:80", [[KillProcess(Target("proxy", "web", 80), "STOP")]]),
        ("host: {next_pid: 2915}", [[SetNextPid(2915)]]),
    ],
)
def test_command_words(step, expected):
    assert commands(f"  - {step}\n") == expected


def test_compose_up_respects_depends_on_and_runs_what_does_not_exist():
    services = "host: {begin: off}\nservices: {api: {depends_on: [db]}, db: {}, web: {}}"
    found = commands("  - compose: up -d\n  - compose: stop\n", services)
    assert found[:2] == [[Docker("run", "db"), Docker("run", "api")], [Docker("run", "web")]]
    assert found[2:] == [[Docker("stop", "api"), Docker("stop", "db")], [Docker("stop", "web")]]


def test_ports_in_all_of_compose_s_forms():
    ports = '[80, "8080:80", "127.0.0.1:53:53/udp", "8000-8001:80-81", {target: 443, published: 8443, protocol: tcp}]'
    web = load("f", text=f"services: {{web: {{ports: {ports}}}}}").setup.service("web")
    udp = Port(53, 53, "udp", "127.0.0.1")
    assert web.ports == (Port(32768, 80), Port(8080, 80), udp, Port(8000, 80), Port(8001, 81), Port(8443, 443))


def test_one_port_out_of_a_range_in_both_forms_and_back():
    ports = '["8080-8083:80", {target: 53, published: 5300-5301, protocol: udp, host_ip: 127.0.0.1}]'
    scenario = load("f", text=f"services: {{web: {{ports: {ports}}}}}")
    ranges = (PortRange(8080, 80, last=8083), PortRange(5300, 53, "udp", "127.0.0.1", 5301))
    assert scenario.setup.service("web").ports == ranges
    assert load("again", text=resolved(scenario)).setup.service("web").ports == ranges
    text = "services: {web: {ports: ['8080-8083:80']}}\nexpect: [{at: end, port: %s, from: remote, open: true}]"
    assert load("f", text=text % 8083).expectations
    with pytest.raises(InputError, match=r"nobody publishes the port .8084.\. Published: 8080 \(web\), 8081 \(web\)"):
        load("f", text=text % 8084)


def test_defaults_are_listed_as_assumptions():
    text = "services:\n" + "".join(f"  s{n}: {{command: serve --port 80}}\n" for n in range(9))
    scenario = load("f", text=text)
    assert scenario.assumptions == ("9 services: no x-payload: ready at once, TERM exits 0 after 100 ms",)
    service = scenario.setup.service("s0")
    assert (service.path, service.args, service.payload.comm, service.image) == (
        "serve",
        ("--port", "80"),
        "serve",
        "s0",
    )
    assert len(service.id) == 64


def test_a_container_is_named_by_key_or_by_container_name():
    text = "services: {web: {container_name: web-1}}\nsteps: [{kill: payload/web}, {docker: stop web-1}]"
    terminals = load("f", text=text).setup.terminals
    assert terminals[0][0].command == KillProcess(Target("payload", "web-1"))
    assert terminals[1][0].command == Docker("stop", "web-1")


def test_settings_change_the_file_before_it_is_checked():
    scenario = load("document", settings=["engine.daemon.live-restore=true", "services.e3w.restart=on-failure:3"])
    assert scenario.setup.engine.daemon.live_restore
    assert scenario.setup.service("e3w").restart == Restart("on-failure", 3)
    for wrong, hint in [
        ("engine.deamon.live-restore=true", "daemon"),
        ("services.e3v.restart=no", "e3w"),
        ("services.e3w.restart=alway", "always"),
    ]:
        with pytest.raises(InputError, match=rf"^--set .*Did you mean {hint}\?$"):
            load("document", settings=[wrong])
    for wrong in ("", "=", "a", "steps.99.at=1s", "host.cores.x=1", "steps=1", "=1", "services=3"):
        with pytest.raises(InputError):
            load("document", settings=[wrong])


def test_several_documents_are_several_scenarios():
    text = "title: a\n---\ntitle: b\nservices: {web: {}}\n"
    assert [scenario.title for scenario in load_all("f.yaml", text=text)] == ["a", "b"]
    assert [scenario.name for scenario in load_all("f.yaml", text=text)] == ["f", "f-2"]
    assert [load(f"f.yaml#{number}", text=text).title for number in (1, 2)] == ["a", "b"]
    assert [(it.name, it.source) for it in load_all("f.yaml#2", text=text)] == [("f-2", "f.yaml#2")]
    for name, what in (("f.yaml", "2 scenarios"), ("f.yaml#3", "there is no #3")):
        with pytest.raises(InputError, match=rf"{what}. Give one: f.yaml#1 \('a'\), f.yaml#2 \('b'\)"):
            load(name, text=text)


def test_a_file_whose_name_holds_a_hash_is_that_file(tmp_path):
    (tmp_path / "a.yaml#2").write_text("title: x\nservices: {web: {image: nginx}}\n")
    assert load(tmp_path / "a.yaml#2").title == "x"


def test_a_start_without_a_limit_is_what_is_modelled():
    for value in ("0", "infinity", "0s"):
        text = f"services: {{web: {{image: x}}}}\nengine: {{unit: {{TimeoutStartSec: {value}}}}}\n"
        assert load("f", text=text).without_effect == ("engine.unit: TimeoutStartSec",)


def test_init_writes_a_scenario_that_loads(tmp_path):
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE)
    text, summary = init_from_compose(str(file), images=())
    assert summary.startswith(
        "2 services, 2 ports; 2 have no x-payload (assumed: ready at once, TERM exits 0 after 100 ms)"
    )
    scenario = load(tmp_path / "web17.yaml", text=text)
    assert [service.name for service in scenario.setup.services] == ["db", "java"]
    assert scenario.assumptions
    assert load("my.yaml", text=starter()).expectations


def test_the_schema_for_editors_accepts_the_bundled_scenarios():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    validator = jsonschema.validators.validator_for(schema)(schema)
    for file in sorted(SCENARIOS.glob("*.yaml")):
        validator.validate(read(file.read_text(), str(file), Problems())[0].plain())
