"""Control groups of the host, v1 or v2: who lets a frozen program die, and what is killed when memory runs out."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.designs.takes import cgroup_of, takes
from sim.drive.explore import Limits
from sim.engine.setup import Docker, HostSetup
from sim.errors import InputError
from sim.experiment.asking import asked_of, sentence
from sim.experiment.exploring import explored
from sim.experiment.run import Run
from sim.facts import EngineEvent
from sim.kernel import events as e
from sim.model import blank
from sim.scenario import load
from sim.scenario.resolved import resolved
from sim.views.exploration import HOLDS, VIOLATED
from tests.ran import failures, ran

VERSIONS = ("v1", "v2")
HOSTS = [(name, it) for name in DESIGNS for it in VERSIONS if not DESIGNS[name].traits.one_cgroup[0]]
HOSTS += [(name, DESIGNS[name].traits.cgroup) for name in DESIGNS if DESIGNS[name].traits.one_cgroup[0]]
PAUSING = [host for host in HOSTS if takes(DESIGNS[host[0]], Docker("pause", "web"))]
IDS = [" ".join(host) for host in PAUSING]

PAUSED = """\
engine: {{design: {design}}}
host: {{cgroup: {cgroup}}}
services: {{web: {{image: nginx, x-payload: {{on_term: none}}}}}}
steps: [{{id: pause, at: 1s, docker: pause web}}, {{id: act, at: 5s, {act}}}]
until: 30s
expect:
  - {{at: act, container: web, status: paused}}
  - {{at: act, process: payload/web, state: {letter}}}
"""


def paused(design: str, cgroup: str, act: str, *expect: str) -> list[str]:
    """Return what does not hold when a paused container is acted upon."""
    return failures(text_of(design, cgroup, act) + "".join(f"  - {line}\n" for line in expect))


def text_of(design: str, cgroup: str, act: str) -> str:
    """Return the scenario in which a paused container is acted upon."""
    return PAUSED.format(design=design, cgroup=cgroup, act=act, letter={"v1": "D", "v2": "S"}[cgroup])


@pytest.mark.parametrize(("design", "cgroup"), PAUSING, ids=IDS)
def test_a_frozen_program_that_is_killed_dies_at_once_with_v2_alone(design: str, cgroup: str) -> None:
    """With v1 the KILL waits for the thaw; with v2 the engine hears of an end as of any other."""
    gone = "{within: 100ms, of: act, process: payload/web, exists: false}"
    stays = "{at: end, process: payload/web, state: D}"
    believed = {"v1": "paused", "v2": "exited"}[cgroup]
    if design == "podman-quadlet":
        believed = "absent"  # its unit has failed, and is cleaned up
    said = "exists: false" if believed == "absent" else f"status: {believed}"
    held = stays if cgroup == "v1" else gone
    assert paused(design, cgroup, "kill: payload/web", held, f"{{at: end, container: web, {said}}}") == []


@pytest.mark.parametrize(
    ("design", "cgroup", "words"),
    [
        ("docker-19.03", "v1", "pause kill unpause die"),  # dockerd thaws what is to die
        ("docker-20.10", "v1", "pause kill unpause die"),
        ("docker-20.10", "v2", "pause kill die"),  # there is nobody left to thaw
        ("docker-26", "v1", "pause kill die"),  # runc 1.1 has thawed it already
        ("docker-26", "v2", "pause kill die"),
        ("podman", "v1", "pause kill"),  # crun thaws nobody
        ("podman", "v2", "pause kill die"),
    ],
)
def test_a_kill_through_the_engine_of_a_paused_container(design: str, cgroup: str, words: str) -> None:
    """Whether it has an effect, and who thaws the container before, is the version's of cgroup, engine and runtime."""
    found = ran(text_of(design, cgroup, "docker: kill web"))
    facts = (it.event for it in found.trace.records if (it.at or 0) > found.trace.origin)
    said = [it.action for it in facts if isinstance(it, EngineEvent) and it.kind == "container"]
    assert [it for it in said if it not in ("start", "cleanup", "remove")] == words.split()
    ok = "{step: act, ok: true}" if "die" in words else "{step: act, error: timed out waiting for file}"
    assert paused(design, cgroup, "docker: kill web", ok) == []


@pytest.mark.parametrize(("design", "cgroup"), PAUSING, ids=IDS)
def test_a_paused_container_is_removed_by_force(design: str, cgroup: str) -> None:
    """Every engine that forces it off thaws it where it has to; dockerd 1.13 and before refuse to kill a paused one."""
    refuses = design.startswith(("docker-1.", "docker-17."))
    exists = str(refuses).lower()
    assert paused(design, cgroup, "docker: rm -f web", f"{{at: end, container: web, exists: {exists}}}") == []


THAWS = {"docker-1.13": True, "docker-19.03": False, "docker-20.10": False, "docker-23": True, "docker-28": True}


@pytest.mark.parametrize(
    ("design", "cgroup", "dies"),
    [
        *[(design, "v1", dies) for design, dies in THAWS.items()],
        *[(design, "v2", True) for design in ("docker-20.10", "docker-23", "docker-28")],
        ("podman", "v1", False),
        ("podman", "v2", False),
    ],
)
def test_the_shim_of_a_paused_container_is_killed(design: str, cgroup: str, dies: bool) -> None:
    """Who cleans up kills the program, which v1 holds unless somebody thaws it: runc since 1.1, RHEL's containerd."""
    state = "state: D" if cgroup == "v1" else "exists: true"
    after = "exists: false" if dies else state
    assert paused(design, cgroup, "kill: supervisor/web", f"{{at: act+15s, process: payload/web, {after}}}") == []


def test_runc_before_1_1_gives_a_frozen_container_up_after_ten_seconds() -> None:
    """`delete --force` looks a hundred times for the end of what cannot end; the engine then believes that it did."""
    said = ("{at: act+9s, container: web, status: paused}", "{at: act+11s, container: web, exit_code: 137}")
    assert paused("docker-19.03", "v1", "kill: supervisor/web", *said) == []


FULL = """\
engine: {{design: {design}}}
host: {{cgroup: {cgroup}}}
services: {{web: {{image: x, mem_limit: 64m, x-payload: {{memory: 32m, children: [{{argv: [worker]}}]}}}}}}
steps: [{{id: oom, at: 5s, {act}}}]
until: 8s
"""


def ends(found: Run) -> list[tuple[str, int]]:
    """Return who of a container's processes ended first, and with which status, from t = 0 on."""
    programs: dict[int, str] = {}
    said = []
    for record in found.trace.records:
        if isinstance(record.event, e.Execed):
            programs[record.event.pid] = record.event.image.program
        elif isinstance(record.event, e.Exited) and (record.at or 0) > found.trace.origin:
            said.append((programs.get(record.event.pid, ""), record.event.status))
    return [(program, status) for program, status in said if program in ("payload", "child")][:2]


@pytest.mark.parametrize("act", ["oom: web", "oom: host"])
@pytest.mark.parametrize(("design", "cgroup"), HOSTS, ids=[" ".join(host) for host in HOSTS])
def test_a_container_is_killed_whole_where_a_kubelet_says_so(design: str, cgroup: str, act: str) -> None:
    """memory.oom.group, which a kubelet sets and cgroup v2 has, kills all of it; else only the child that serves."""
    found = ends(ran(FULL.format(design=design, cgroup=cgroup, act=act)))
    whole = cgroup == "v2" and design.startswith(("containerd-cri", "cri-o"))
    if whole:
        assert sorted(found) == [("child", -9), ("payload", -9)]
    else:
        assert found == [("child", -9), ("payload", 137)]  # a shell leaves with its child


EXPLORED = """\
engine: {{design: podman}}
host: {{cgroup: {cgroup}}}
services: {{web: {{image: nginx}}}}
steps: [{{at: 1s, docker: pause web}}, {{at: 5s, kill: payload/web}}]
properties: [{{name: ends, eventually: "not exists(payload/web)"}}]
"""


@pytest.mark.parametrize(("cgroup", "verdict"), [("v1", VIOLATED), ("v2", HOLDS)])
def test_every_order_of_a_pause_and_a_kill_of_podman_is_searched(cgroup: str, verdict: str) -> None:
    """The explorer knows the host's version: with v1 the program outlives a KILL that comes after the pause."""
    scenario = load("f", text=EXPLORED.format(cgroup=cgroup))
    found = explored(
        scenario, asked_of(scenario, (), lambda name: sentence(scenario, "always", name)), limits=Limits(states=9_000)
    )
    assert [it.verdict for it in found.findings] == [verdict]


# -- the key ----------------------------------------------------------------------------------------

HOST = "engine: {{design: {design}}}\nhost: {{{cgroup}}}\nservices: {{web: {{image: x}}}}\nsteps: [{steps}]\n"
OLD = ("docker-1.", "docker-17.", "docker-18.", "docker-19.")  # on hosts of their time, which had v1


@pytest.mark.parametrize("design", DESIGNS)
def test_a_host_has_the_control_groups_of_its_design_and_time(design: str) -> None:
    """A file that says nothing gets them; they are written out, and a host of Python's own has the same."""
    scenario = load("f", text=HOST.format(design=design, cgroup="", steps=""))
    assert scenario.setup.host.cgroup == cgroup_of([DESIGNS[design]]) == ("v1" if design.startswith(OLD) else "v2")
    assert f"cgroup: {scenario.setup.host.cgroup}\n" in resolved(scenario)
    bare = scenario.setup.__class__(host=HostSetup(), engine=scenario.setup.engine)
    assert blank(bare).host.cgroup == scenario.setup.host.cgroup


@pytest.mark.parametrize("design", DESIGNS)
def test_a_version_that_the_design_does_not_run_with_is_refused(design: str) -> None:
    """The refusal says why, and which one has it; the other version is taken."""
    own, (why, hint) = DESIGNS[design].traits.cgroup, DESIGNS[design].traits.one_cgroup
    assert load("f", text=HOST.format(design=design, cgroup=f"cgroup: {own}", steps="")).setup.host.cgroup == own
    other = HOST.format(design=design, cgroup=f"cgroup: {'v1' if own == 'v2' else 'v2'}", steps="")
    if not why:
        assert load("f", text=other).setup.host.cgroup != own
        return
    with pytest.raises(InputError) as refused:
        load("f", text=other)
    assert str(refused.value) == f"f:2:16: host.cgroup: {design} runs with cgroup {own} alone: {why} {hint}"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("cgroup: v3", "'v3' is not known here; valid: v1, v2."),
        ("cgroup: 2", "'2' is not known here; valid: v1, v2."),
        ("cgroups: v2", "host.cgroups: unknown key. Did you mean cgroup?"),
        ("cgroup: [v1]", "a list is not known here; valid: v1, v2."),
    ],
)
def test_what_is_no_version_is_refused(said: str, what: str) -> None:
    with pytest.raises(InputError) as refused:
        load("f", text=HOST.format(design="docker-26", cgroup=said, steps=""))
    assert what in str(refused.value)


def test_a_host_that_gets_another_version_has_what_both_run_with() -> None:
    """A downgrade to a version without cgroup v2 needs a host with v1, and such a host is the default then."""
    step = "{at: 1s, upgrade: {to: docker-19.03}}"
    assert load("f", text=HOST.format(design="docker-20.10", cgroup="", steps=step)).setup.host.cgroup == "v1"
    with pytest.raises(InputError, match=r"f:2:16: host.cgroup: docker-19.03 runs with cgroup v1 alone"):
        load("f", text=HOST.format(design="docker-20.10", cgroup="cgroup: v2", steps=step))


POWER = """\
services: {web: {image: x, restart: always}}
steps: [{at: 1s, docker: pause web}, {at: 3s, power_loss: true}]
until: 5m
expect: [{at: 2s, process: payload/web, state: D}, {at: end, process: payload/web, state: S}]
"""


def test_a_container_that_was_paused_when_the_power_went_comes_back_running() -> None:
    """The freezer's state is the kernel's, and goes with it."""
    assert failures(POWER) == []
