"""`scale`, `deploy`: containers of one service, its policy, its memory; as Compose v2.40.3 makes them."""

import pytest

from sim.engine.setup import Docker, PortRange, Restart
from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.scenario import load, resolved

WEB = "engine: {{design: {design}}}\nservices: {{web: {{image: x, {keys}}}, db: {{image: y}}}}\n"


def services(keys, design="docker-28"):
    """Return the containers of a service with these keys, and db."""
    return load("f", text=WEB.format(design=design, keys=keys)).setup.services


def names(keys, design="docker-28"):
    return [it.name for it in services(keys, design)]


@pytest.mark.parametrize("keys", ["scale: 3", "deploy: {replicas: 3}", "scale: 3, deploy: {replicas: 3}"])
def test_a_service_is_so_many_containers(keys):
    assert names(keys) == ["web-1", "web-2", "web-3", "db"]
    assert len({it.id for it in services(keys)}) == 4


def test_compose_of_version_1_wrote_an_underscore():
    assert names("scale: 2", "docker-19.03") == ["web_1", "web_2", "db"]
    assert names("scale: 2", "docker-20.10") == ["web-1", "web-2", "db"]


def test_one_container_keeps_the_name_of_the_service_and_none_is_none():
    assert names("scale: 1") == names("deploy: {mode: replicated}") == ["web", "db"]
    assert names("deploy: {replicas: 0}") == ["db"]


def test_a_container_may_be_described_by_itself():
    """Whether it stands before or after its service."""
    one, more = "web-2: {mem_limit: 5m}", "web: {image: x, scale: 2, mem_limit: 9m}"
    for first, second in ((one, more), (more, one)):
        found = load("f", text=f"services: {{{first}, {second}}}\nengine: {{design: docker-28}}\n").setup.services
        assert sorted((it.name, it.image, it.memory) for it in found) == [
            ("web-1", "x", 9 * 2**20),
            ("web-2", "x", 5 * 2**20),
        ]


@pytest.mark.parametrize("form", ["[db]", "{db: {condition: service_started}}"])
def test_others_depend_on_all_of_its_containers_and_a_command_is_for_all(form):
    text = (
        f"engine: {{design: docker-28}}\nhost: {{begin: off}}\nservices: {{web: {{image: x, depends_on: {form}}}, "
        "db: {image: y, scale: 2}, other: {image: z}}\nsteps: [{systemctl: start docker}, {at: 5s, compose: up -d web},"
        " {at: 9s, compose: stop db}]\n"
    )
    terminals = load("f", text=text).setup.terminals
    said = [
        [(it.command.verb, it.command.container) for it in row if isinstance(it.command, Docker)] for row in terminals
    ]
    assert [("run", "db-1"), ("run", "db-2"), ("run", "web")] in said
    assert sorted(pair for row in said for pair in row if pair[0] == "stop") == [("stop", "db-1"), ("stop", "db-2")]


def test_a_fixed_port_is_bound_by_one_alone_and_a_range_by_all():
    """The engine refuses the other start, as it does in reality."""
    text = (
        "engine: {design: docker-28}\nhost: {begin: off}\nservices: {web: {image: x, scale: 2, ports: [PORT]}}\n"
        "steps: [{systemctl: start docker}, {id: up, at: 10s, compose: up -d}]\nuntil: 20s\nexpect: [EXPECT]\n"
    )
    for port, count in (("8080:80", 1), ("8080-8081:80", 2)):
        expect = f"{{at: end, process: payload/*, count: {count}}}"
        scenario = load("f", text=text.replace("PORT", f'"{port}"').replace("EXPECT", expect))
        assert isinstance(scenario.setup.services[0].ports[0], PortRange) == ("-" in port)
        assert [it.detail for it in run_scenario(scenario, 1).verdicts() if not it.holds] == []


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ("deploy: {restart_policy: {condition: any}}", Restart("always")),
        ("deploy: {restart_policy: {condition: none}}, restart: always", Restart("no")),
        ("deploy: {restart_policy: {condition: on-failure, max_attempts: 3, delay: 5s}}", Restart("on-failure", 3)),
        ("deploy: {restart_policy: {condition: any, max_attempts: 3}}", Restart("always")),
        ("deploy: {restart_policy: {delay: 5s}}, restart: always", Restart("no")),
        ("deploy: {}, restart: unless-stopped", Restart("unless-stopped")),
    ],
)
def test_the_policy_of_deploy_goes_before_restart(keys, policy):
    assert services(keys)[0].restart == policy


def test_a_limit_of_deploy_goes_before_mem_limit_and_the_rest_is_noted():
    keys = (
        "mem_limit: 5m, deploy: {resources: {limits: {memory: 9m, pids: 7, cpus: 0.5}, reservations: {memory: 1m}}, "
        "placement: {}, update_config: {}, labels: {a: b}, mode: global}"
    )
    scenario = load("f", text=WEB.format(design="docker-28", keys=keys))
    assert scenario.setup.services[0].memory == 9 * 2**20
    assert [(it.key, it.changes[:4]) for it in scenario.noted] == [
        ("cpus", "only"),
        *((key, "no") for key in ("labels", "mode")),
        ("pids", "only"),
        *((key, "no") for key in ("placement", "reservations", "update_config")),
    ]


def test_replicas_are_written_out_as_containers():
    first = load("f", text=WEB.format(design="docker-28", keys="scale: 2, deploy: {restart_policy: {condition: any}}"))
    assert load("f", text=resolved(first)).setup == first.setup


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("scale: 2, deploy: {replicas: 3}", "f:2:35: services.web.scale: scale and deploy.replicas differ: 2 and 3."),
        ("scale: -1", "services.web.scale: -1 is not a number of containers"),
        ("scale: 2, container_name: a", "services.web.container_name: 2 containers cannot all be called 'a'."),
        ("deploy: {replica: 2}", "services.web.deploy.replica: unknown key. Did you mean replicas?"),
        ("deploy: {restart_policy: {condition: anny}}", "Did you mean any?"),
        ("deploy: {resources: {limits: {memori: 1}}}", "unknown key. Did you mean memory?"),
    ],
)
def test_what_contradicts_itself_or_is_misspelt_is_refused(keys, said):
    with pytest.raises(InputError) as refused:
        load("f", text=WEB.format(design="docker-28", keys=keys))
    assert said in str(refused.value)
