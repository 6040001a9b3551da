"""A key is refused by what the design of the file has: not there, not yet, or no longer."""

import pytest
import yaml

from sim.designs import DESIGNS, versions
from sim.engine.vocabulary import number_of
from sim.engines.docker.ladder import VERSIONS
from sim.errors import InputError
from sim.scenario import load, readers
from sim.scenario.noted import NOTED
from sim.scenario.resolved import resolved
from sim.scenario.schema import DaemonFile, ServiceFile, UnverifiedFile
from sim.scenario.vocabulary import refused
from sim.views.timeline import settings_of

SERVICE = "engine: {{design: {design}}}\nservices: {{web: {{{keys}}}}}\n"
DAEMON = "engine: {{design: {design}, daemon: {{{keys}}}}}\nservices: {{web: {{image: x}}}}\n"
CHECK = "healthcheck: {{test: x, {}: 3s}}"
PERIOD, INTERVAL = CHECK.format("start_period"), CHECK.format("start_interval")
SAID = [
    (SERVICE, "docker-1.13", PERIOD, "docker-1.13 has no start_period. docker-17.05 is the first that has."),
    (SERVICE, "docker-24-separate", INTERVAL, "docker-24-separate has no start_interval. docker-25 is the first"),
    (SERVICE, "podman-5.0", INTERVAL, "podman-5.0 has no start_interval: its startup checks have an interval of"),
    (SERVICE, "podman-quadlet", INTERVAL, "podman-quadlet has no start_interval: its startup checks have an interval"),
    (SERVICE, "cri-o-cgroupfs", PERIOD, "cri-o-cgroupfs has no start_period: a pod has probes of its kubelet"),
    (SERVICE, "docker-1.11", "healthcheck: {test: x}", "docker-1.11 has no healthcheck. docker-1.12 is the first"),
    (SERVICE, "docker-1.12", "init: true", "docker-1.12 has no init. docker-1.13 is the first that has."),
    (SERVICE, "docker-1.12", "stop_grace_period: 3s", "docker-1.12 has no stop_grace_period. docker-1.13 is the first"),
    (SERVICE, "docker-1.11", "x-rm: true", "docker-1.11 has no x-rm. docker-1.13 is the first that has."),
    (SERVICE, "cri-o", "oom_score_adj: 5", "cri-o has no oom_score_adj: the kubelet goes by the pod's quality"),
    (SERVICE, "docker-18.09", "gpus: all", "docker-18.09 has no gpus. docker-19.03 is the first that has."),
    (DAEMON, "docker-1.11", "live-restore: true", "docker-1.11 has no live-restore. docker-1.12 is the first"),
    (DAEMON, "docker-1.12", "shutdown-timeout: 3", "docker-1.12 has no shutdown-timeout. docker-1.13 is the first"),
    (DAEMON, "docker-26", "max-health-check-retries: 1", "only Red Hat's build of 1.13 has it."),
    (DAEMON, "docker-24", "cluster-store: x", "docker-24 has no cluster-store. docker-23 is the last that has."),
    (DAEMON, "docker-1.13", "features: {a: true}", "docker-1.13 has no features. docker-18.09 is the first that has."),
    (DAEMON, "docker-19.03", "ip6tables: true", "docker-19.03 has no ip6tables. docker-20.10 is the first that has."),
    (DAEMON, "docker-28", "ip6tables: 3", "engine.daemon.ip6tables: '3' is not true or false."),
]  # fmt: skip


@pytest.mark.parametrize(("file", "design", "keys", "said"), SAID, ids=[f"{row[1]} {row[3]}" for row in SAID])
def test_a_key_is_refused_in_the_name_of_the_design_of_the_file(file, design, keys, said):
    with pytest.raises(InputError) as refused:
        load("f", text=file.format(design=design, keys=keys))
    found = [line for line in str(refused.value).splitlines() if said in line]
    assert len(found) == 1, str(refused.value)


def test_a_key_that_switches_off_what_is_not_there_changes_nothing():
    assert load("f", text=DAEMON.format(design="docker-1.11", keys="live-restore: false, features: null"))


@pytest.mark.parametrize("design", DESIGNS)
def test_a_written_out_scenario_is_read_again_on_every_design(design):
    """The settings that are written out are those that the design has."""
    first = load("f", text=f"engine: {{design: {design}}}\nservices: {{web: {{image: x}}}}\n")
    assert load("f", text=resolved(first)).setup == first.setup


# What a file of docker's may say, and what of it is of no engine that has no such file.
EVERY_KEY = {
    "daemon": "live-restore: true, userland-proxy: true, log-driver: none, shutdown-timeout: 3",
    "unit": "Restart: always, KillMode: mixed, RestartSec: 3s, StartLimitBurst: 2, TimeoutStopSec: 9s",
}


@pytest.mark.parametrize("section", EVERY_KEY)
@pytest.mark.parametrize("design", ["podman", "podman-quadlet", "cri-o", "containerd-cri", "docker-26"])
def test_what_is_printed_of_a_section_is_what_has_an_effect(design, section):
    """A key that the engine does not have is noted, changes nothing, and is neither written out nor told of a run."""
    plain = f"engine: {{design: {design}}}\nservices: {{web: {{image: x}}}}\n"
    said = plain.replace("}", f", {section}: {{{EVERY_KEY[section]}}}}}", 1)
    scenario, without = load("f", text=said), load("f", text=plain)
    printed = yaml.safe_load(resolved(scenario))["engine"].get(section, {})
    given = yaml.safe_load(f"{{{EVERY_KEY[section]}}}")
    effective = {key for key, value in given.items() if printed.get(key) == value}
    has_unit = section == "unit" and design != "podman"
    lost = {"Restart"} if design == "podman-quadlet" and has_unit else set()
    assert effective == (set(given) - lost if has_unit or design == "docker-26" else set())
    assert set(printed) >= effective
    assert (not printed) == (not effective)
    assert load("f", text=resolved(scenario)).setup == scenario.setup
    if not effective:
        assert scenario.setup == without.setup
        assert scenario.without_effect == (f"engine: {section}",)
    told = {name for name, _ in settings_of(scenario.setup)}
    assert ("live-restore" in told) == (design == "docker-26")
    assert ("kill-mode" in told) == (design != "podman")


@pytest.mark.parametrize("design", ["podman", "containerd-cri", "cri-o"])
def test_threads_of_a_proxy_are_noted_where_no_process_forwards(design):
    keys = "image: x, ports: ['80:80'], x-proxy: {threads: 5}"
    assert load("f", text=SERVICE.format(design=design, keys=keys)).without_effect == ("services: x-proxy",)


def test_daemon_json_in_a_step_may_be_of_a_version_that_an_upgrade_brings():
    text = (
        "engine: {design: docker-1.11}\nservices: {web: {image: x}}\nsteps:\n"
        "  - {at: 1s, upgrade: {to: docker-1.13}}\n  - {at: 5s, host: {daemon.json: {live-restore: true}}}\n"
    )
    assert load("f", text=text)
    with pytest.raises(InputError, match=r"steps\[1\].host.daemon.json.live-restore: docker-1.11 has no live-restore"):
        load("f", text=text.replace("to: docker-1.13", "to: docker-1.11"))


@pytest.mark.parametrize("design", DESIGNS.values(), ids=str)
def test_every_row_of_a_vocabulary_is_a_key_of_files_and_names_versions_of_the_ladder(design):
    """Each key is read or accepted; a version that a message names can be chosen."""
    read = {
        "service": {*ServiceFile.known_keys(), *NOTED["service"]},
        "daemon": {*DaemonFile.known_keys(), *NOTED["daemon"]},
        "healthcheck": set(readers.CHECK_KEYS),
        "unit": set(),
        "value": {f"{key}: -1" for key in ServiceFile.known_keys()},
        "unverified": set(UnverifiedFile.known_keys()),
    }
    for section, rows in design.engine.vocabulary.items():
        for key, row in rows.items():
            if not row.why_not:
                assert key in read[section], (section, key)
            assert all(not it or f"docker-{it}" in VERSIONS for it in (row.since, row.until)), (section, key)


NAMES = sorted({*VERSIONS, *versions(), *DESIGNS})
AT = {
    "service": "engine: {{design: {name}}}\nservices: {{web: {{image: x, {key}: 1}}}}\n",
    "healthcheck": "engine: {{design: {name}}}\nservices: {{web: {{image: x, healthcheck: {{test: x, {key}: 1}}}}}}\n",
}
SECTION = "engine: {{{{design: {{name}}, {}: {{{{{{key}}: 1}}}}}}}}\nservices: {{{{web: {{{{image: x}}}}}}}}\n"
AT |= {section: SECTION.format(section) for section in ("daemon", "unit", "unverified")}


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_refused_by_the_versions_that_do_not_have_it_with_one_that_has(name):
    """Each row of the table, on each name of each design: what is said leads to a version that takes the key."""
    number = number_of(name)
    for section, rows in DESIGNS[versions().get(name, name)].engine.vocabulary.items():
        if section in ("value", "expect"):
            continue  # no keys of services or engines: tests/engine/test_grace.py, tests/scenario/wrong.txt
        for key, row in rows.items():
            found = refused(section, key, ((name, DESIGNS[versions().get(name, name)]),))
            if row.is_known_to(number):
                assert found is None, (section, key)
                continue
            if row.noted:
                assert found is None, (section, key)
                continue
            assert found is not None, (section, key)
            assert f"{name} has no {key}" in found.what
            there = found.hint.partition(" ")[0]
            assert row.why_not or row.is_known_to(number_of(there)), (section, key, found.hint)
            assert row.why_not or there in NAMES, (section, key, found.hint)
            whole = refused("service", section, ((name, DESIGNS[versions().get(name, name)]),))
            with pytest.raises(InputError) as said:
                load("f", text=AT[section].format(name=name, key=key))
            assert (f"{key}: {found.what}" if whole is None else whole.what) in str(said.value)


def test_every_name_of_a_version_has_a_number():
    assert all(number_of(name) for name in VERSIONS)
    named = {*VERSIONS, *versions().values()}
    assert {name for name in DESIGNS if number_of(name)} == named & set(DESIGNS) - {"podman"}
