"""One file for every design: engine, runtime, holder and upgrade are what each engine has of them, or do nothing."""

import io

import pytest

import sim
from sim.designs import DESIGNS
from sim.engine.role import Kind
from sim.engine.setup import KillProcess, NoneHere, Systemctl, Upgrade
from sim.errors import InputError
from sim.experiment.question import asked_for, questions
from sim.experiment.whatif import Terms, whatif_of
from sim.facts import StepDone
from sim.scenario import load
from sim.tracefile import lines, read
from sim.views.fault import first_harm

TEXT = """
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
engine: {design: DESIGN}
steps:
  - {id: engine, at: 10s, kill: engine}
  - {id: runtime, at: 40s, kill: runtime}
  - {id: holder, at: 70s, kill: holder/web}
  - {id: holders, at: 100s, stop: holder}
  - {id: go, at: 101s, cont: holder}
  - {id: unit, at: 110s, systemctl: restart engine}
  - {id: other, at: 140s, systemctl: is-active runtime}
  - {id: upgrade, at: 150s, upgrade: true}
  - {id: reboot, at: 180s, reboot: true}
until: 181s
"""
WORDS = {"engine", "runtime", "holder", "unit", "other", "upgrade"}


def commands(design: str) -> dict[str, object]:
    setup = load("x.yaml", TEXT.replace("DESIGN", design)).setup
    return {step.id: step.command for terminal in setup.terminals for step in terminal}


@pytest.mark.parametrize("name", DESIGNS)
def test_one_file_runs_on_every_design(name):
    """Each word is a program of the design, of the right kind; what there is none of says so and changes nothing."""
    design, found = DESIGNS[name], commands(name)
    for word in ("engine", "runtime"):
        command = found[word]
        if isinstance(command, NoneHere):
            assert design.traits.engine not in design.programs
        else:
            assert isinstance(command, KillProcess)
            assert design.roles[command.target.role].kind in (Kind.DAEMON, Kind.GUEST)
    assert isinstance(found["holder"], NoneHere) == (not design.holders)
    run = sim.run(TEXT.replace("DESIGN", name))
    done = {record.event.id: record.event.error for record in run.trace if type(record.event) is StepDone}
    for word in WORDS:
        if isinstance(found[word], NoneHere):
            assert done[word] == found[word].why
            assert done[word].startswith(f"{name} has no ")


@pytest.mark.parametrize(
    ("design", "engine", "runtime", "unit", "other", "upgrade"),
    [
        ("docker-1.10", "dockerd", "dockerd", "docker", "docker", Upgrade("docker-1.10", 0)),
        ("docker-1.13", "dockerd", "containerd", "docker", None, Upgrade("docker-1.13", 0)),
        ("docker-26", "dockerd", "containerd", "docker", None, Upgrade("docker-26", 0)),
        ("docker-26-separate", "dockerd", "containerd", "docker", "containerd", Upgrade("docker-26-separate", 0)),
        ("podman", None, None, None, None, None),
        ("podman-quadlet", None, None, None, None, None),
        (
            "containerd-cri",
            "containerd",
            "containerd",
            "containerd",
            "containerd",
            Systemctl("try-restart", "containerd"),
        ),
        ("cri-o", "crio", "crio", "crio", "crio", Systemctl("try-restart", "crio")),
    ],
)
def test_what_the_words_mean(design, engine, runtime, unit, other, upgrade):
    """The daemon that people start, the one that starts holders, their units, and what a package's script does."""
    found = commands(design)

    def said(word):
        command = found[word]
        if isinstance(command, NoneHere):
            return None
        return command.target.role if isinstance(command, KillProcess) else command.unit

    assert [said(word) for word in ("engine", "runtime", "unit", "other")] == [engine, runtime, unit, other]
    assert found["upgrade"] == upgrade or (upgrade is None and isinstance(found["upgrade"], NoneHere))


def test_a_step_about_nothing_is_a_fault_to_pictures_and_kept_in_traces():
    """A window begins with it, and a trace that has it is read again."""
    run = sim.run(TEXT.replace("DESIGN", "podman").replace("kill: holder/web", "kill: holder/web, signal: TERM"))
    again, _ = read(io.BytesIO(b"".join(lines(run.trace))), "trace.jsonl")
    assert again.setup == run.trace.setup
    alone = (
        "services: {web: {image: nginx}}\nengine: {design: podman}\nsteps: [{id: k, at: 9s, kill: engine}]\nuntil: 12s"
    )
    assert first_harm(load("x.yaml", alone).setup).id == "k"


def test_designs_are_compared_under_one_fault():
    """What-if across designs takes the words as faults; without one the designs have no fault in common."""
    text = "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\nuntil: 90s\nengine: {design: docker-26}"
    asked = asked_for([], "podman,cri-o", "engine,runtime,holder/web,upgrade,reboot")
    found = list(questions(lambda settings: load("x.yaml", text, settings), asked, Terms(seeds=2, jobs=1)))
    assert [question.fault for question in found] == ["engine", "runtime", "holder/web", "upgrade", "reboot"]
    one = found[0]
    rows = whatif_of(one.base, one.others, one.alternatives, one.terms, one.fault, one.always).variants
    kept = [next(row for row in variant.rows if row.metric == "processes_kept") for variant in rows]
    assert [(row.base.median, row.other.median) for row in kept] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kill: engine/web", "engine belongs to no container"),
        ("kill: holder/wep", "there is no container 'wep'.*Did you mean web"),
        ("kill: engin", "Did you mean engine"),
        ("upgrade: false", "is not a mapping"),
    ],
)
def test_what_is_wrong_with_them_is_said(line, said):
    """A container behind engine, a name that nobody has, a misspelt word."""
    with pytest.raises(InputError, match=f"(?s){said}"):
        load("x.yaml", f"services: {{web: {{image: nginx}}}}\nsteps: [{{at: 1s, {line}}}]")


def test_elsewhere_a_word_that_means_nothing_is_refused():
    """An expectation about an engine that is not there cannot be met: it is wrong, not skipped."""
    text = (
        "services: {web: {image: nginx}}\nengine: {design: podman}\nexpect: [{at: 1s, process: engine, exists: true}]"
    )
    with pytest.raises(InputError, match="podman has no engine: each command is a process"):
        load("x.yaml", text)
    sim.run(text.replace("podman", "cri-o"))
