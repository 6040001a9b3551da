"""What a Compose file becomes: a scenario that loads, and a list of what it does not follow."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.designs import DESIGNS
from sim.errors import InputError
from sim.experiment.first import with_expectations
from sim.experiment.run import run_scenario
from sim.scenario import init_from_compose, load
from sim.scenario.compose.left import in_rows
from sim.scenario.compose.stack import Asked
from sim.scenario.compose.written import Wanted, imported, newest
from tests.scenario.compose_stacks import taken, text_of

HUNTER = "hunter2"  # planted wherever a value may stand
WORDS = (
    """image command entrypoint ports restart networks network_mode depends_on deploy healthcheck test volumes links
    environment labels build init tty pid extends file service profiles x-payload ready logging driver condition all
    container_name stop_signal stop_grace_period mem_limit always ${X} ${X:-80}:80 80:80 host service:b none replicas
    resources limits memory 512m CMD-SHELL bridge default start_period 10s ulimits provider a b c.yaml secrets"""
).split()  # fmt: skip
SECRETS = f"""\
name: shop
services:
  web:
    image: nginx:1.27
    build: {{context: ., args: {{KEY: {HUNTER}}}, dockerfile_inline: "RUN echo {HUNTER}"}}
    environment: [TOKEN={HUNTER}, PLAIN={HUNTER}, INHERITED]
    labels: {{a.rule: {HUNTER}}}
    annotations: {{b: {HUNTER}}}
    ports: ["8080:80"]
    restart: always
  db:
    image: postgres:16
    command: postgres -c x=1
    environment: {{POSTGRES_PASSWORD: {HUNTER}}}
    env_file: db.env
    user: "999"
    cap_add: [SYS_NICE]
    volumes: ["data:/var/lib/postgresql/data"]
    restart: unless-stopped
volumes: {{data: {{labels: {{c: {HUNTER}}}}}}}
secrets: {{s: {{environment: X}}}}
configs: {{c: {{content: {HUNTER}}}}}
"""


@pytest.mark.parametrize("images", [False, True])
def test_no_value_of_a_credential_s_place_is_written(images, tmp_path):
    """Values of environment, labels, annotations and build arguments: names stay, as comments."""
    text = text_of(tmp_path, {"c.yaml": SECRETS}, images=images)
    assert HUNTER not in text
    assert "# environment: {TOKEN: …, PLAIN: …, INHERITED: null}" in text
    assert "args: {KEY: …}" in text
    assert "# labels: {a.rule: …}" in text
    assert "# env_file: db.env" in text
    load("x.yaml", text)


def test_values_are_kept_on_request(tmp_path):
    """`--keep-values` is explicit."""
    text = text_of(tmp_path, {"c.yaml": SECRETS}, keep_values=True)
    assert f"# environment: [TOKEN={HUNTER}, PLAIN={HUNTER}, INHERITED]" in text
    assert f"labels: {{a.rule: {HUNTER}}}" in text
    assert dict(load("x.yaml", text).setup.services[0].labels) == {"a.rule": HUNTER}


def test_words_of_commands_are_redacted_by_the_caller(tmp_path):
    """The reader of hosts knows what looks like a credential; here its function is only called."""
    file = tmp_path / "c.yaml"
    file.write_text(f"services: {{a: {{image: x, command: [run, --password, {HUNTER}], user: 'pass {HUNTER}'}}}}")
    text, _ = init_from_compose(str(file), redact=lambda text: re.sub(r"(pass\w*\s+)\S+", r"\1…", text))
    assert HUNTER not in text
    assert load("x.yaml", text).setup.services[0].args == ("--password", "…")


def test_what_may_change_an_answer_stays_a_key(tmp_path):
    """So that each run says it; what has no effect is a comment."""
    text = text_of(tmp_path, {"c.yaml": SECRETS})
    scenario = load("x.yaml", text)
    assert "    cap_add: [SYS_NICE]\n" in text
    assert "    # user: '999'\n" in text
    assert any("cap_add" in it for it in scenario.assumptions)
    assert [row.key for row in scenario.noted if row.key == "environment"] == []


def test_a_scenario_stands_alone(tmp_path):
    """It says the same as the stack, whatever becomes of the Compose file."""
    found = taken(tmp_path, {"c.yaml": SECRETS}, images=True)
    text = text_of(tmp_path, {"c.yaml": SECRETS}, images=True)
    (tmp_path / "c.yaml").unlink()
    scenario = load("x.yaml", text)
    names = [(it.name, it.path, it.args, it.payload, it.ports, it.networks) for it in scenario.setup.services]
    again = [(it.name, it.path, it.args, it.payload, it.ports, it.networks) for it in found.scenario.setup.services]
    assert names == again
    assert scenario.setup.engine.design == newest()


LEFT = """\
services:
  a:
    image: x
    networks: {one: {}, gone: {ipv4_address: 10.9.8.7, aliases: [z]}}
    depends_on: [other]
    links: ["gone:alias", "b:c"]
    pid: service:gone
    logging: {driver: loki}
    pre_start: [{image: x}]
    models: [m]
  b: {}
  c: {build: ./here}
  d: null
networks: {one: {driver: overlay}}
"""


def test_a_part_of_a_stack_is_read(tmp_path):
    """A network that nobody declares is there, a service that is not there is not waited for; both are said."""
    found = taken(tmp_path, {"shop/c.yaml": LEFT})
    assert sorted(found.networks) == ["default", "gone", "one"]
    images = {it.name: it.image for it in found.scenario.setup.services}
    assert images == {"a": "x", "b": "shop-b", "c": "shop-c", "d": "shop-d"}
    rows = [(key, names) for key, names, _, _ in in_rows(list(found.left))]
    assert ("networks.gone", "a") in rows
    assert ("depends_on.other", "a") in rows
    assert ("networks.gone.ipv4_address", "a") in rows
    assert ("logging.driver", "a") in rows
    assert ("links.gone", "a") in rows
    assert ("pid.gone", "a") in rows
    assert ("image", "b, d") in rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {web: {image: x, restrt: always}}", "c.yaml:1:28: services.web.restrt: unknown key"),
        ("services: {web: {image: x, restart: alway}}", "'alway' is not a restart policy"),
        ("services: {web: {image: x, ports: ['80:99999']}}", "'99999' is not a port"),
        ("sevices: {}\nservices: {a: {image: x}}", "c.yaml:1:1: sevices: unknown key of a Compose file"),
        ("services: {}", "there are no services"),
        ("# nothing\n", "c.yaml:1:1: there are no services"),
        ("services: {a: {image: x, profiles: [p]}}", "Services of profiles: a"),
        ("services: {a: {image: x}, b: {image: y, container_name: a}}", "two containers have the name 'a'"),
        ("services: 3", "services: '3' is not a mapping"),
    ],
)
def test_what_is_wrong_in_the_file_itself_is_refused(text, said, tmp_path):
    """With its place in the Compose file."""
    with pytest.raises(InputError) as error:
        taken(tmp_path, {"c.yaml": text})
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("ports: ['${P}:80', '81:81']", ""),
        ("ports: ['${P}', '81:81']", ""),
        ("mem_limit: '${M}'", ""),
        ("restart: '${R}'", ""),
        ("stop_grace_period: '${S}s'", "stop_grace_period"),
        ("restart: 'on-${R}'", "restart"),
        ("ports: ['80:80/${T}p']", "ports[0]"),
    ],
)
def test_what_lacks_only_the_value_of_a_variable_is_left_out(service, key, tmp_path):
    """An empty value is none; one that a variable makes wrong is taken out and said."""
    found = taken(tmp_path, {"c.yaml": f"services: {{a: {{image: x, {service}}}}}"})
    left = [it for it in found.left if not it.key.startswith("$")]
    assert [it.key for it in left] == ([key] if key else [])
    assert all("variable" in it.why for it in left)


@pytest.mark.parametrize("value", ["'true'", "'yes'", "on", "'${T:-true}'", "'TRUE'"])
def test_text_may_stand_for_a_truth(value, tmp_path):
    """As Compose casts it after variables were replaced."""
    found = taken(tmp_path, {"c.yaml": f"services: {{a: {{image: x, init: {value}, oom_score_adj: '-5'}}}}"})
    (service,) = found.scenario.setup.services
    assert service.init
    assert service.oom_score_adj == -5


BOUND = """\
services:
  a: {image: x, ports: ["127.0.0.1:80:80"], restart: always}
  b: {image: x, ports: ["81:81"]}
  c: {image: x, restart: always}
"""


QUICK = ("docker-1.13", "podman", newest())


@pytest.mark.parametrize("design", [it if it in QUICK else pytest.param(it, marks=pytest.mark.long) for it in DESIGNS])
def test_the_first_expectations_hold(design, tmp_path):
    """Also where a port is bound to the host's own address, and where nobody starts a container again."""
    file = tmp_path / "c.yaml"
    file.write_text(BOUND)
    text = with_expectations(init_from_compose(str(file), design=design)[0], "x.yaml")
    for seed in (1, 2, 3):
        run = run_scenario(load("x.yaml", text), seed)
        assert [it.text for it in run.verdicts() if not it.holds] == []
        assert run.verdicts()
    assert "{dark: a, from: remote" not in text


def test_the_first_expectations_say_who_comes_back(tmp_path):
    """On an engine whose daemon takes its containers along when it dies."""
    file = tmp_path / "c.yaml"
    file.write_text(BOUND)
    text = with_expectations(init_from_compose(str(file))[0], "x.yaml")
    assert "{dark: a, from: loopback" in text
    assert "container: [a, c], status: running" in text
    assert "container: [b], status: exited" in text


@pytest.mark.parametrize(("design", "left"), [("docker-1.13", ["healthcheck.start_period"]), (newest(), [])])
def test_keys_that_an_engine_does_not_have_are_left_out(design, left, tmp_path):
    """A host with an older engine reads the same file."""
    (tmp_path / "c.yaml").write_text("services: {a: {image: x, healthcheck: {test: y, start_period: 9s}}}")
    found = imported(Wanted(Asked((str(tmp_path / "c.yaml"),)), design))
    assert [it.key for it in found.left] == left


def test_expectations_have_room_for_other_seeds(tmp_path):
    """A limit is the next above what the run shows, by two fifths."""
    file = tmp_path / "c.yaml"
    file.write_text(BOUND)
    text = with_expectations(init_from_compose(str(file))[0], "x.yaml")
    assert "max: 5s" in text
    assert "max: 1s" not in text


def test_a_scenario_may_name_its_files(tmp_path):
    """--link: a file, or several with env files, profiles and a project; it follows their changes."""
    (tmp_path / "a.yaml").write_text("services: {a: {image: 'nginx:${V}', profiles: [p]}, b: {image: x}}")
    (tmp_path / "b.yaml").write_text("services: {b: {restart: always}}")
    (tmp_path / "v.env").write_text("V=1.27")
    files = [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    text, _ = init_from_compose(files, env_files=[str(tmp_path / "v.env")], profiles=["p"], project="shop", link=True)
    assert "compose: {files: [a.yaml, b.yaml], env_files: [v.env], profiles: [p], project: shop}" in text
    assert "images: library" in text
    scenario = load(tmp_path / "s.yaml", text)
    assert [(it.name, it.image, it.restart.name) for it in scenario.setup.services] == [
        ("a", "nginx:1.27", "no"),
        ("b", "x", "always"),
    ]
    assert scenario.setup.services[0].payload.comm == "nginx"
    (tmp_path / "b.yaml").write_text("services: {b: {restart: unless-stopped}}")
    assert load(tmp_path / "s.yaml", text).setup.services[1].restart.name == "unless-stopped"


def test_a_compose_file_may_name_services_of_the_scenario(tmp_path):
    """What the scenario adds is there for the Compose file, too."""
    (tmp_path / "c.yaml").write_text("services: {a: {image: x, links: [b, c]}}")
    text = "compose: c.yaml\nservices: {b: {image: y}}\n"
    scenario = load(tmp_path / "s.yaml", text)
    assert [key for key in ("links.b", "links.c") if any(key in it for it in scenario.assumptions)] == ["links.c"]


def test_a_pasted_text_needs_no_file():
    """*texts* stands for files; what it includes is missing, and said."""
    text, said = init_from_compose("paste", texts={"paste": "include: [x.yaml]\nservices: {a: {image: x}}"})
    assert [it.name for it in load("x.yaml", text).setup.services] == ["a"]
    assert "not followed: include" in said


def test_what_changes_answers_is_said_at_once(tmp_path):
    """In the summary by name, what may change them as a number; all of it at the head of the file, worst first."""
    file = tmp_path / "c.yaml"
    file.write_text("include: [gone.yaml]\nservices: {a: {image: x, cap_add: [NET_ADMIN], environment: {A: 1}}}")
    text, said = init_from_compose(str(file))
    assert "not followed: include: 'gone.yaml' is not here; changes your answer: yes: its services are missing" in said
    assert "1 other thing may change your answer" in said
    head = text[: text.index("title:")]
    assert head.index("include") < head.index("cap_add (a): only if") < head.index("environment (a): no")


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 99999) | st.sampled_from(WORDS) | st.text(max_size=6),
        lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(WORDS), below, max_size=4),
        max_leaves=12,
    )
)
def test_any_service_is_imported_or_refused_with_a_place(service):
    """Whatever stands in a service: a scenario that loads, or problems; never a traceback."""
    text = yaml.safe_dump({"services": {"a": service, "b": {"image": "x"}}}, allow_unicode=True)
    problems, made = [], ""
    try:
        made, _ = init_from_compose("c.yaml", texts={"c.yaml": text})
    except InputError as error:
        problems = error.problems
    assert all(problem.where.startswith("c.yaml") for problem in problems)
    assert problems or load("x.yaml", made)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("compose: {fils: [c.yaml]}", "f:1:11: compose.fils: unknown key. Did you mean files?"),
        ("compose: {profiles: [a]}", "f:1:10: compose: names no file."),
        ("compose: [1]", "f:1:11: compose: takes the name of a file."),
        ("compose: {files: c.yaml, profiles: [1]}", "f:1:37: compose.profiles: takes a name."),
        ("images: 3", "f:1:9: images: takes files and folders"),
        ("images: none.yaml", "none.yaml: no such file"),
    ],
)
def test_wrong_names_of_files_are_refused(text, said):
    """In the scenario that names them."""
    with pytest.raises(InputError) as error:
        load("f", text)
    assert said in str(error.value)
