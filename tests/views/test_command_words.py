"""Commands are told in the words of the host's own engine: in headlines, stories, causes and spans."""

import pytest

import sim
from sim.designs import DESIGNS
from sim.engine.setup import Command, Docker, Instant, Step, Systemctl
from sim.facts import StepTaken
from sim.render.headline import headline
from sim.views.command_words import command_words
from sim.views.spans import spans
from sim.views.why_words import Focus, told

FILE = "engine: {{design: {design}}}\nservices: {{web: {{image: nginx}}}}\nsteps: [{steps}]\nuntil: 30s\n"
CLIENTS = {design.traits.client for design in DESIGNS.values()}
KUBECTL = {"run": "apply -f web.yaml", "stop": "delete pod web", "restart": "replace --force -f web.yaml"}


def words(design: str, command: Command) -> str:
    """Return the words of a command that no file says."""
    return command_words(Step("s", Instant(), command), DESIGNS[design])


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("verb", ["run", "stop", "restart", "exec"])
def test_a_command_that_no_file_says_is_one_of_the_host(design: str, verb: str) -> None:
    """Docker's own words are typed where there is a docker; a pod is applied and deleted."""
    client = DESIGNS[design].traits.client
    pods = client == "crictl" and verb in KUBECTL
    assert words(design, Docker(verb, "web")) == f"kubectl {KUBECTL[verb]}" if pods else f"{client} {verb} web"


@pytest.mark.parametrize("design", [name for name, design in DESIGNS.items() if design.traits.engine_unit])
def test_the_engine_s_unit_is_called_by_its_name(design: str) -> None:
    """The host's start is that of the unit that the engine is; other commands of systemd have no unit."""
    own = DESIGNS[design].traits.engine_unit
    assert words(design, DESIGNS[design].engine.start[0].command) == f"systemctl start {own}"
    assert words(design, Systemctl("daemon-reload")) == "systemctl daemon-reload"
    assert words(design, Systemctl("stop", own)) == f"systemctl stop {own}"


@pytest.mark.parametrize("design", DESIGNS)
def test_no_other_engine_s_command_is_told(design: str) -> None:
    """What was done before t = 0 stands in spans as people do it there."""
    run = sim.run(FILE.format(design=design, steps="{at: 9s, kill: payload/web}"))
    found = {span.name for span in spans(run.trace).spans}
    others = tuple(f"{client} " for client in CLIENTS - {DESIGNS[design].traits.client})
    assert [name for name in found if name.startswith(others)] == []
    assert {command_words(step, DESIGNS[design]) for step in run.at("0s").setup.terminals[0]} <= found


@pytest.mark.parametrize("design", DESIGNS)
def test_a_headline_spells_a_command_as_it_is_typed(design: str) -> None:
    """A command keeps its small letter, any other subject begins the sentence."""
    run = sim.run(FILE.format(design=design, steps="{at: 9s, docker: stop web}"))
    assert headline([run.timeline()]).startswith(words(design, Docker("stop", "web")) + ": ")
    run = sim.run(FILE.format(design=design, steps="{at: 9s, kill: payload/web}"))
    assert headline([run.timeline()]).startswith("A killed payload of web: ")


@pytest.mark.parametrize("design", DESIGNS)
def test_a_cause_before_t_0_is_what_was_done_there(design: str) -> None:
    """What people did for the host's start is told as they typed it there."""
    run = sim.run(FILE.format(design=design, steps="{at: 9s, kill: payload/web}"))
    for step in run.at("0s").setup.terminals[0]:
        said = told(run.at("0s"), StepTaken(step.id), Focus("web"))
        assert said == f"the host's start: {command_words(step, DESIGNS[design])}"
