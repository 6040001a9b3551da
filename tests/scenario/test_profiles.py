"""A profile in a file is read, kept with the run, and refused with the place of what is wrong."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sim.drive.timed import Timed
from sim.durations import Distribution, Duration, Fixed, LogNormal, Quantiles, Uniform
from sim.errors import InputError
from sim.experiment.changes import changed
from sim.latency import DOCKER_26_2CORE, PROFILES, profile_of
from sim.scenario import load
from sim.scenario.load import reload
from sim.scenario.profiles import distribution, distribution_plain, profile_text
from sim.scenario.resolved import resolved
from sim.tracefile import lines, read

MINE = """\
profile: mine
base: docker-26-2core
about: anything
durations:
  shim/set_up: {work_ms: {lognormal: {median: 20, sigma: 0.2, shift: 1}}, cores: 1.5, mark: M measured here}
  dockerd/mount: {work_ms: 3, wait_ms: [1, 2], mark: S somewhere, together: start, repeats: 2}
  dockerd/retry: {scale: [0.9, 1.1], mark: A}
"""
SCENARIO = "engine: {design: docker-26, profile: mine.yaml}\nservices: {web: {}}\nsteps: [{at: 1s, docker: stop web}]\n"


@pytest.fixture
def mine(tmp_path):
    """Write a profile and a scenario beside it."""
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    (tmp_path / "x.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def test_a_file_is_a_profile(mine):
    """Its rows replace those of its base; it is looked for beside the scenario."""
    engine = load(mine / "x.yaml").setup.engine
    profile = profile_of(engine)
    assert engine.profile == "mine"
    assert profile["shim/set_up"] == Duration(LogNormal(20.0, 0.2, 1.0), mark="M measured here", cores=1.5)
    assert profile["dockerd/mount"] == Duration(
        Fixed(3.0), Uniform(1.0, 2.0), mark="S somewhere", together="start", repeats=2
    )
    assert profile["dockerd/retry"].scale == Uniform(0.9, 1.1)
    assert profile["dockerd/write_bundle"] == DOCKER_26_2CORE["dockerd/write_bundle"]


def test_an_option_names_one_from_where_the_command_runs(mine, monkeypatch):
    """`--set engine.profile=mine.yaml`, and back to a bundled one."""
    monkeypatch.chdir(mine)
    scenario = load("x.yaml", "engine: {design: docker-26}\nservices: {web: {}}\n", ["engine.profile=mine.yaml"])
    assert scenario.setup.engine.profile == "mine"
    assert reload(scenario, ["engine.profile=el7-idle"]).setup.engine.durations == ()


def test_a_run_keeps_its_profile(mine):
    """In the resolved scenario and in the trace: neither needs the file."""
    scenario = load(mine / "x.yaml")
    again = load("x.yaml", resolved(scenario))
    assert again.setup.engine == scenario.setup.engine
    trace = Timed(scenario.setup, 1).run()
    kept, _ = read(lines(trace), "trace.jsonl")
    assert kept.setup == scenario.setup


def test_a_whatif_calls_profiles_by_their_names(mine, monkeypatch):
    """Not by all their rows."""
    monkeypatch.chdir(mine)
    base = load("x.yaml")
    other = load("x.yaml", settings=["engine.profile=docker-26-2core"])
    assert changed(base, other, "engine.profile=docker-26-2core").before == "mine"
    assert changed(other, base, "engine.profile=mine.yaml").after == "mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base: docker-26-2core", "base: docker-26", "mine.yaml:2:7: engine.profile.base: 'docker-26' is not"),
        ("shim/set_up", "shim/setup", "mine.yaml:5:3: engine.profile.durations: no program has the op 'shim/setup'"),
        ("work_ms: 3", "work_ms: -3", "mine.yaml:6:28: engine.profile.durations.dockerd/mount.work_ms: -3 is no time"),
        ("work_ms: 3", "work_ms: x", "'x' is no number of ms"),
        ("work_ms: 3", "work: 3", "work: unknown key. Valid: work_ms, wait_ms"),
        ("[1, 2]", "[2, 1]", "[2, 1] ends before it begins"),
        ("[1, 2]", "[1, 2, 3]", "is no distribution"),
        ("sigma: 0.2,", "", "lognormal takes median, sigma and shift"),
        ("sigma: 0.2", "sigma: 20", "sigma 20 is of logarithms"),
        ("lognormal: {median: 20, sigma: 0.2, shift: 1}", "quantiles: {0: 1, 0.5: 2}", "end with 1, each once"),
        ("lognormal: {median: 20, sigma: 0.2, shift: 1}", "quantiles: {0: 3, 1: 2}", "quantiles do not fall"),
        ("mark: A", "mark: guess", "'guess' is no mark"),
        (", mark: S somewhere", "", "needs mark"),
        ("cores: 1.5", "cores: 0", "'0' is no number of cores"),
        (MINE, "[]", "holds no profile"),
        ("durations:", "duration:", "unknown key. Did you mean durations?"),
        (MINE, "profile: x\n", "a profile has durations"),
        (MINE, "a: [", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(mine, old, new, said):
    """In the profile's own file."""
    assert old in MINE
    (mine / "mine.yaml").write_text(MINE.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(mine / "x.yaml")
    assert said in str(error.value).replace(f"{mine}/", "")


def test_a_file_that_is_not_there_is_refused(mine):
    """With the place of its name, and who writes one."""
    (mine / "mine.yaml").unlink()
    with pytest.raises(InputError, match=r"x.yaml:1:38: engine.profile: .*no such file.*shimulator calibrate"):
        load(mine / "x.yaml")
    with pytest.raises(InputError, match=r"or a file x\.yaml\. Did you mean el7-idle"):
        load("x.yaml", "engine: {profile: el7-idel}")


def test_podman_takes_only_a_profile_of_its_own(mine):
    """One of docker's ops is noted as without effect; one with podman's rows counts."""
    scenario = load("x.yaml", SCENARIO.replace("docker-26", "podman").replace("mine.yaml", str(mine / "mine.yaml")))
    assert scenario.setup.engine.profile == "podman-idle"
    assert scenario.setup.engine.durations == ()
    (mine / "mine.yaml").write_text(MINE.replace("docker-26-2core", "podman-idle"), encoding="utf-8")
    scenario = load("x.yaml", SCENARIO.replace("docker-26", "podman").replace("mine.yaml", str(mine / "mine.yaml")))
    assert scenario.setup.engine.profile == "mine"


MS = st.floats(0, 1e5).map(lambda it: round(it, 4))
QUANTILES = st.lists(MS, min_size=3, max_size=3).map(lambda it: Quantiles((0.0, 0.25, 1.0), tuple(sorted(it))))
DISTRIBUTIONS = st.one_of(
    MS.map(Fixed), st.tuples(MS, MS).map(lambda it: Uniform(min(it), max(it))), QUANTILES,
    st.builds(LogNormal, MS, st.floats(0, 5).map(lambda it: round(it, 5)), st.floats(-50, 50)),
)  # fmt: skip


@given(DISTRIBUTIONS)
def test_a_distribution_is_read_as_it_was_written(it: Distribution) -> None:
    """Whatever its numbers are."""
    assert distribution(distribution_plain(it)) == it


@pytest.mark.parametrize("name", PROFILES)
def test_a_bundled_profile_can_be_written_to_a_file(name: str, tmp_path) -> None:
    """And is read back, row by row; each row is a line."""
    text = profile_text("mine", tuple(PROFILES[name].items()), "words\nmore")
    assert text.startswith("# words\n# more\nprofile: mine\ndurations:\n")
    assert len(text.splitlines()) == 4 + len(PROFILES[name])
    assert yaml.safe_load(text)["profile"] == "mine"
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    design = "podman" if name.startswith("podman") else "docker-26"
    engine = load(tmp_path / "x.yaml", f"engine: {{design: {design}, profile: p.yaml}}").setup.engine
    assert profile_of(engine) == PROFILES[name]


def test_rows_that_belong_together_share_their_draw() -> None:
    """Of one container and occurrence: slow together; an op that repeats has one draw for all."""
    from sim.designs import DESIGNS
    from sim.drive.prices import Prices

    rows = {name: Duration(work=Uniform(0, 100), together="start", repeats=times)
            for name, times in (("dockerd/mount", 1), ("dockerd/write_bundle", 1), ("iptables/apply", 6))}  # fmt: skip
    prices = Prices(rows, 1, DESIGNS["docker-26"].procedures)
    plans = {f"{plan.role}/{plan.name}": plan for plans in prices.plans.values() for plan in plans}
    drawn = {name: [prices.sample(plans[name], "web")[1] for _ in range(12)] for name in rows}
    assert drawn["dockerd/mount"] == drawn["dockerd/write_bundle"]
    assert len(set(drawn["dockerd/mount"])) == 12
    assert drawn["iptables/apply"] == [drawn["dockerd/mount"][0]] * 6 + [drawn["dockerd/mount"][1]] * 6
