"""Check `systemctl status docker` of systemd 219: every state of the unit, and times in words."""

from functools import cache

import pytest

from sim.designs import DESIGNS
from sim.engines.docker.units import DOCKER_STATUS
from sim.experiment.run import Run, run_scenario
from sim.facts import UnitChanged
from sim.kernel.events import Exited, Signalled
from sim.render.systemctl_status import relative, systemctl_status
from sim.scenario import load
from sim.trace import Trace
from sim.views.story import Story
from sim.views.unit_status import UnitStatus, unit_status

DAY, HOUR = 86_400, 3_600
HEAD = "● docker.service - Docker Application Container Engine"
LOADED = "   Loaded: loaded (/usr/lib/systemd/system/docker.service; enabled; vendor preset: disabled)"
DOCS = "     Docs: http://docs.docker.com"
TEXT = """
host: {begin: "off", clock: 2020-12-03T09:46:58+08:00}
services: {web: {image: nginx, ports: ["80:80"], x-payload: {on_term: none}}}
steps:
  - {at: 10s, systemctl: start docker}
  - {at: 15s, compose: up -d web}
  - {id: kill, at: 30s, kill: dockerd}
  - {id: stop, at: 60s, systemctl: stop docker}
until: 90s
"""


@cache
def run(more: str = "") -> Run:
    return run_scenario(load("unit.yaml", TEXT.replace("until: 90s", more + "\nuntil: 90s")))


def lines(found: Run, at: str) -> list[str]:
    return found.show("systemctl-status", at).splitlines()


def active(found: Run, at: str) -> str:
    return lines(found, at)[2].removeprefix("   Active: ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "now"),
        (0, "now"),
        (0.0000015, "2us ago"),
        (0.001, "1ms ago"),
        (0.999, "999ms ago"),
        (1, "1s ago"),
        (59.9, "59s ago"),
        (60, "1min 0s ago"),
        (299, "4min 59s ago"),
        (300, "5min ago"),
        (3599, "59min ago"),
        (HOUR, "1h 0min ago"),
        (6 * HOUR - 1, "5h 59min ago"),
        (6 * HOUR, "6h ago"),
        (25 * HOUR - 1, "24h ago"),
        (25 * HOUR, "1 day 1h ago"),
        (2 * DAY - 1, "1 day 23h ago"),
        (2 * DAY, "2 days ago"),
        (7 * DAY - 1, "6 days ago"),
        (7 * DAY, "1 weeks 0 days ago"),
        (11 * DAY, "1 weeks 4 days ago"),
        (2_629_799, "4 weeks 2 days ago"),
        (2_629_800, "1 months 0 days ago"),
        (31_557_599, "11 months 30 days ago"),
        (31_557_600, "1 years 0 months ago"),
    ],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    """The two largest units, in systemd's own plural."""
    assert relative(seconds) == text


def test_a_unit_that_never_ran() -> None:
    """Neither a time, nor a process, nor a control group."""
    assert lines(run(), "5s") == [HEAD, LOADED, "   Active: inactive (dead)", DOCS]


def test_a_unit_that_runs() -> None:
    """Main process and control group, by pid; payloads are in scopes of their own."""
    found = lines(run(), "30s-1ms")
    main = next(it for it in run().at("30s-1ms").host.procs.values() if it.image.program == "dockerd")
    active = next(line for line in found if "Active" in line)
    assert found[:2] == [HEAD, LOADED]
    assert active.startswith("   Active: active (running) since Thu 2020-12-03 09:47:09 +0800; ")
    assert active.endswith("s ago")
    assert " +0800; 1" in active
    assert found[4] == f" Main PID: {main.pid} (dockerd-current)"
    assert found[6] == "   CGroup: /system.slice/docker.service"
    branches = [(line[11:13], line[13:].split()[1]) for line in found[7:]]
    assert branches == [
        ("├─", "/usr/bin/dockerd-current"),
        ("├─", "/usr/bin/docker-containerd-current"),
        ("├─", "/usr/libexec/docker/docker-proxy-current"),
        ("└─", "/usr/bin/docker-containerd-shim-current"),
    ]
    group = [it for it in run().at("30s-1ms").host.procs.values() if it.cgroup == "/system.slice/docker.service"]
    assert found[5] == f"    Tasks: {sum(1 + len(it.threads) for it in group)}"


def test_a_unit_that_waits_to_be_restarted() -> None:
    """Result and the end of the main process; the shim alone is left in the group (KillMode=process)."""
    found = lines(run(), "kill+50ms")
    assert found[2].startswith("   Active: activating (auto-restart) (Result: signal) since Thu 2020-12-03 09:47:28 ")
    assert found[4].startswith("  Process: ")
    assert found[4].endswith(" $INSECURE_REGISTRY $REGISTRIES (code=killed, signal=KILL)")
    assert found[5].endswith(" (code=killed, signal=KILL)")
    assert found[8].startswith("           └─")
    assert len(found) == 9


def test_a_unit_that_starts_stops_and_has_stopped() -> None:
    """The time of a stop is that at which it was left active, of the end that at which it became inactive."""
    assert lines(run(), "kill+200ms")[2].startswith("   Active: activating (start) since Thu 2020-12-03 09:47:28 +0800")
    slow = run("  - {id: again, at: 65s, systemctl: start docker}")
    assert any("deactivating (stop-sigterm) since Thu" in line for line in lines(slow, "stop+50ms"))
    stopped = lines(run(), "end")
    assert stopped[2].startswith("   Active: inactive (dead) since Thu 2020-12-03 09:4")
    assert stopped[5].endswith(" (code=exited, status=0/SUCCESS)")
    assert len(stopped) == 6


def test_a_unit_that_failed() -> None:
    """A stale pid file that names something alive: exit code 1, no restart, result exit-code; too many starts."""
    kills = "\n".join(f"  - {{at: ready(docker)#{n}+1ms, kill: dockerd}}" for n in range(1, 8))
    limited = run_scenario(
        load(
            "limit.yaml",
            f"""
engine: {{unit: {{StartLimitBurst: 2, StartLimitInterval: 1h}}}}
steps:
  - {{id: kill, at: 30s, kill: dockerd}}
{kills}
until: 90s
""",
        )
    )
    assert lines(limited, "end")[2].startswith("   Active: failed (Result: start-limit) since ")
    unit = UnitStatus("failed", "failed", "exit-code", 0.0, 7, "", ("exited", "1"), (), 0, "docker", file=DOCKER_STATUS)
    assert systemctl_status(unit, 3.0, -210).splitlines() == [
        HEAD,
        LOADED,
        "   Active: failed (Result: exit-code) since Wed 1969-12-31 20:30:00 -0330; 3s ago",
        DOCS,
        f"  Process: 7 ExecStart={DOCKER_STATUS[2]} (code=exited, status=1/FAILURE)",
        " Main PID: 7 (code=exited, status=1/FAILURE)",
    ]


def test_a_stop_that_times_out_leaves_the_unit_failed_as_does_any_unclean_end() -> None:
    """While KILL is on its way the result is timeout; an end by it is `signal`, as seen on el7."""
    text = "engine: {unit: {TimeoutStopSec: 4s}}\n" + TEXT.replace("  - {id: kill, at: 30s, kill: dockerd}\n", "")
    late = run_scenario(load("late.yaml", text))
    assert active(late, "stop+3999ms").startswith("deactivating (stop-sigterm) since Thu 2020-12-03 09:47:58")
    assert active(late, "stop+4001ms").startswith("failed (Result: signal) since Thu 2020-12-03 09:48:02 +")
    shot = run("  - {at: 61s, kill: dockerd}")
    assert active(shot, "end").startswith("failed (Result: signal) since Thu 2020-12-03 09:47:59 +0800; ")
    code = run("\n".join(f"  - {{at: stop+{n}00ms, kill: dockerd, signal: TERM}}" for n in (1, 2, 3)))
    assert active(code, "end").startswith("failed (Result: exit-code) since ")
    assert lines(code, "end")[5].endswith(" (code=exited, status=143)")


def test_a_stop_changes_no_unit_that_is_down() -> None:
    """One that has failed stays so; of one that waits to be restarted the result is still to be read."""
    failed = run("  - {at: 65s, systemctl: stop docker}\n  - {at: 61s, kill: dockerd}")
    assert lines(failed, "end") == lines(run("  - {at: 61s, kill: dockerd}"), "end")
    waits = run("  - {id: halt, at: Exited(dockerd)+50ms, systemctl: stop docker}")
    assert active(waits, "halt+1s").startswith("inactive (dead) (Result: signal) since ")


def test_a_start_beyond_the_limit_fails_a_unit_that_has_failed() -> None:
    """The result is that of the last thing that went wrong, and so is the time."""
    text = """
engine: {unit: {StartLimitBurst: 1, StartLimitInterval: 1h}}
host: {begin: "off"}
steps:
  - {at: 1s, systemctl: start docker}
  - {at: 9s, kill: dockerd, signal: QUIT}
  - {id: up, at: 20s, systemctl: start docker}
until: 30s
"""
    found = run_scenario(load("limit.yaml", text))
    assert active(found, "up-1s").startswith("failed (Result: exit-code) since Wed 2020-01-01 00:00:09 UTC;")
    assert active(found, "end") == "failed (Result: start-limit) since Wed 2020-01-01 00:00:20 UTC; 10s ago"


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ([], "inactive/dead success None 0"),
        ([("activating", 7), ("deactivating", 7)], "deactivating/stop-sigterm success None 7"),
        ([("activating", 7), ("active", 7), ("deactivating", 7)], "deactivating/stop-sigterm success 2 7"),
        ([("activating", 7), ("active", 7), ("deactivating", 7), "KILL"], "deactivating/stop-sigkill timeout 2 7"),
        ([("activating", 7), ("active", 7), ("deactivating", 7), 0, ("inactive", 0)], "inactive/dead success 4 7"),
        ([("activating", 7), 1, ("failed", 0)], "failed/failed exit-code 2 7"),
        ([("activating", 7), ("active", 7), -6, ("auto-restart", 0)], "activating/auto-restart core-dump 3 7"),
        ([("activating", 7), -9, ("auto-restart", 0), ("activating", 8)], "activating/start success 3 8"),
        ([("activating", 7), -9, ("auto-restart", 0), ("failed", 0)], "failed/failed start-limit 3 7"),
        ([("activating", 7), 1, ("failed", 0), ("failed", 0)], "failed/failed start-limit 3 7"),
        (
            [("active", 7), ("deactivating", 7), "KILL", -9, ("deactivating", 0), ("failed", 0)],
            "failed/failed signal 5 7",
        ),
    ],
)
def test_facts_about_the_unit_become_its_status(facts: list[object], shown: str) -> None:
    """A state and main process, an exit status or a KILL from systemd, one a second."""
    trace = Trace(load("x.yaml", 'host: {begin: "off", clock: 1970-01-01T00:00:00Z}').setup)
    for at, fact in enumerate(facts):
        event = (
            Exited(7, fact)
            if isinstance(fact, int)
            else Signalled(7, "KILL", 1)
            if isinstance(fact, str)
            else UnitChanged("docker", *fact)  # type: ignore[misc]
        )
        trace.records.add(at * 1_000_000, -1, event)
    story = Story(trace)
    story.at = 60_000_000
    unit = unit_status(story)
    since = None if unit.since is None else int(unit.since)
    assert f"{unit.active}/{unit.sub} {unit.result} {since} {unit.main}" == shown


@pytest.mark.parametrize(
    ("design", "unit", "says"),
    [
        ("docker-26-separate", "containerd", ("containerd container runtime", "https://containerd.io", "containerd")),
        ("cri-o", "kubelet", ("kubelet: The Kubernetes Node Agent", "https://kubernetes.io/docs/", "kubelet")),
    ],
)
def test_the_status_of_a_unit_beside_the_engine(design: str, unit: str, says: tuple[str, str, str]) -> None:
    """It is asked for by its name, and has a state, a main process and a control group of its own."""
    text = f"engine: {{design: {design}}}\nsteps: [{{id: kill, at: 9s, kill: {unit}}}]\nuntil: 30s\n"
    found = run_scenario(load("of.yaml", text))
    for name in (unit, f"{unit}.service"):
        shown = found.show("systemctl-status", "kill-1s", of=name).splitlines()
        assert shown[0] == f"● {unit}.service - {says[0]}"
        assert shown[2].startswith("   Active: active (running) since ")
        assert shown[3] == f"     Docs: {says[1]}"
        assert shown[4].endswith(f" ({says[2]})")
        assert f"   CGroup: /system.slice/{unit}.service" in shown
    assert "activating (auto-restart) (Result: signal)" in found.show("systemctl-status", "kill+1s", of=unit)


def test_a_unit_that_an_upgrade_brings_is_not_found_before() -> None:
    """What is printed of it then is systemctl's own sentence; it has a status as soon as its file is there."""
    text = (
        "engine: {design: docker-1.13}\nservices: {web: {image: nginx}}\n"
        "steps: [{id: up, at: 5s, upgrade: {to: docker-26-separate}}]\nuntil: 60s\n"
    )
    found = run_scenario(load("of.yaml", text))
    for name in ("containerd", "containerd.service"):
        assert found.show("systemctl-status", "up-1s", of=name) == "Unit containerd.service could not be found.\n"
        assert found.show("systemctl-status", "end", of=name).startswith("● containerd.service - containerd")
    assert found.show("systemctl-status", "up-1s").startswith("● docker.service - Docker")


@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if "docker" in it.units])
def test_the_unit_file_of_docker_is_that_of_the_version(design: str) -> None:
    """Red Hat's package of 1.13 links without TLS and starts a dockerd of its own; Docker's own packages do neither."""
    dockerd, of_red_hat = DESIGNS[design].traits.words.dockerd, design == "docker-1.13"
    description, docs, exec_start = DESIGNS[design].units["docker"].status
    assert description == "Docker Application Container Engine"
    assert docs == f"http{'s' * (not of_red_hat)}://docs.docker.com"
    assert exec_start.startswith(dockerd[0])
    assert exec_start == " ".join(dockerd) or "$" in exec_start
