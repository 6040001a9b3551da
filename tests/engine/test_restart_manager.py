"""The restart manager's traps, and what is on disk at each moment.

Source: D restartmanager.go, monitor.go, kill.go, update.go; engine-1.13 §4, §16.9.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.engine import paths
from sim.engine.policies import wants_restart
from sim.engine.records import Container
from sim.engine.setup import MS, Restart
from sim.engines.docker.dockerd.exit import next_backoff
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.trace import Trace

CRASHING = """\
host: {begin: off}
services: {web: {image: nginx, restart: %s, x-payload: {exits: {code: 1, after: 10ms}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d}
"""
WEB = "services: {web: {image: nginx, restart: %s}}\n"

# -- who is restarted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "status", "manual", "count", "again"),
    [
        ("no", 1, False, 0, False),
        ("always", 0, False, 0, True),
        ("always", 0, True, 9, True),  # whatever people did: only a canceled manager stops it
        ("unless-stopped", 1, False, 9, True),
        ("unless-stopped", 1, True, 0, False),
        ("on-failure", 0, False, 0, False),
        ("on-failure", 255, False, 99, True),
        ("on-failure:3", 1, False, 2, True),
        ("on-failure:3", 1, False, 3, False),
    ],
)
def test_a_policy_decides(policy: str, status: int, manual: bool, count: int, again: bool) -> None:
    """ShouldRestart by policy, exit code, manual stop and count."""
    name, _, most = policy.partition(":")
    record = Container("web", Restart(name, int(most or 0)), restart_count=count)
    assert wants_restart(record, status, manual) is again


def test_the_pause_doubles_without_bound_and_a_run_of_ten_seconds_resets_it() -> None:
    """100 ms at first, then doubled; at the 20th attempt in a row it is more than half a day."""
    record = Container("web")
    for attempt in range(20):
        record = Container("web", backoff=next_backoff(record))
        assert record.backoff == 100 * MS * 2**attempt
    assert next_backoff(Container("web", backoff=record.backoff, ran_long=True)) == 100 * MS


# -- traps, each a scenario ------------------------------------------------------------------------

TRAPS: dict[str, str] = {
    "an attempt that fails is final, until dockerd starts again": WEB % "always"
    + """\
steps:
  - {at: 1s, kill: payload/web}
  - {at: die(web), kill: containerd}
  - {id: boot, at: 5m, kill: dockerd}
until: 6m
expect:
  - {at: boot-1s, container: web, status: exited}
  - {at: end, container: web, status: running}
""",
    **{
        f"any signal through the API cancels the policy: {signal}": WEB % "always"
        + f"""\
steps:
  - {{at: 1s, docker: kill -s {signal} web}}
  - {{at: 5s, kill: payload/web}}
until: 60s
expect:
  - {{at: end, container: web, status: exited, exit_code: 137}}
"""
        for signal in ("HUP", "USR1", "WINCH")
    },
    "a signal that another program sends cancels nothing": WEB % "always"
    + """\
steps:
  - {at: 1s, kill: payload/web, signal: HUP}
  - {at: 5s, kill: payload/web}
until: 60s
expect:
  - {at: end, container: web, status: running, pid: new}
""",
    "with STOPSIGNAL only that signal cancels": """\
services: {web: {image: nginx, restart: always, stop_signal: QUIT}}
steps:
  - {at: 1s, docker: kill -s HUP web}
  - {id: shot, at: 5s, kill: payload/web}
  - {id: quit, at: 20s, docker: kill -s QUIT web}
until: 60s
expect:
  - {at: quit-1s, container: web, status: running, restarts: 1}
  - {at: end, container: web, status: exited}
""",
    "STOPSIGNAL, always and docker kill: it runs again and the command waits for ever": """\
services: {web: {image: nginx, restart: always, stop_signal: QUIT}}
steps:
  - {id: kill, at: 1s, docker: kill web}
until: 10m
expect:
  - {step: kill, unanswered: true}
  - {at: end, container: web, status: running, pid: new}
""",
    "unless-stopped: a stop is kept over dockerd's restarts, a shutdown is no stop": """\
services: {web: {image: nginx, restart: unless-stopped}, db: {image: postgres, restart: unless-stopped}}
steps:
  - {at: 1s, docker: stop web}
  - {id: again, at: 10s, systemctl: restart docker}
  - {id: kill, at: 60s, kill: dockerd}
until: 90s
expect:
  - {at: kill-1s, container: web, status: exited}
  - {at: kill-1s, container: db, status: running}
  - {at: end, container: web, status: exited}
  - {at: end, container: db, status: running}
""",
    "always: a manual stop lasts until dockerd's next start": WEB % "always"
    + """\
steps:
  - {at: 1s, docker: stop web}
  - {id: kill, at: 60s, kill: dockerd}
until: 90s
expect:
  - {at: kill-1s, container: web, status: exited}
  - {at: end, container: web, status: running}
""",
    "an attempt that fails keeps the code of the last exit": WEB % "always"
    + """\
steps:
  - {at: 1s, kill: payload/web, signal: TERM}
  - {at: die(web), kill: containerd}
until: 60s
expect:
  - {at: end, container: web, status: exited, exit_code: 0}
  - {events: [{die: 0}, network disconnect, network connect, network disconnect], container: web, exact: true}
""",
    "update does not undo a cancellation": WEB % "unless-stopped"
    + """\
steps:
  - {at: 1s, docker: kill -s HUP web}
  - {at: 2s, docker: update --restart=always web}
  - {at: 5s, kill: payload/web}
until: 60s
expect:
  - {at: end, container: web, status: exited, exit_code: 137}
""",
    "update leaves the pause as it is: the one after 1.6 s is 3.2 s": CRASHING % "always"
    + """\
  - {id: on, at: start(web)#6+5ms, docker: "update --restart=on-failure:99 web"}
until: 60s
expect:
  - {at: on+3s, container: web, status: restarting, restarts: 6}
""",
    "update to no stops a crash loop at the next exit": CRASHING % "always"
    + """\
  - {id: off, at: start(web)#7+5ms, docker: update --restart=no web}
until: 120s
expect:
  - {at: end, container: web, status: exited, exit_code: 1}
""",
    "a paused container that dockerd shuts down: always begins a restart, which ends its wait; then it is canceled": WEB
    % "always"
    + """\
steps:
  - {docker: pause web}
  - {id: down, at: 5s, systemctl: stop docker}
until: 60s
expect:
  - {within: 3s, of: down, process: dockerd, exists: false}
  - {events: [pause, unpause, {die: 0}, network disconnect, stop], container: web, exact: true}
  - {at: end, process: payload/web, exists: false}
""",
    "the fourth signal ends dockerd at once; the second and third do nothing": """\
services: {web: {image: nginx, x-payload: {on_term: none}}}
steps:
  - {id: one, at: 1s, kill: dockerd, signal: TERM}
  - {id: two, at: 2s, kill: dockerd, signal: INT}
  - {id: three, at: 3s, kill: dockerd, signal: TERM}
  - {id: four, at: 4s, kill: dockerd, signal: INT}
until: 60s
expect:
  - {at: four-1ms, process: dockerd, exists: true}
  - {at: four+10ms, process: dockerd, exists: false}
  - {at: four+10ms, process: payload/web, exists: true}
  - {at: end, process: dockerd, exists: false}             # an exit code: not started again
""",
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_the_restart_manager(name: str) -> None:
    """Every expectation of the scenario holds."""
    verdicts = run_scenario(load("row.yaml", TRAPS[name])).verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


def test_the_fourth_signal_is_the_exit_code() -> None:
    """dockerd exits with 128 and the number of the fourth signal; its pid files stay."""
    text = TRAPS["the fourth signal ends dockerd at once; the second and third do nothing"]
    found = run_scenario(load("row.yaml", text))
    assert statuses(found, "dockerd") == [128 + 2]
    assert paths.DOCKER_PID in found.at().host.files


def statuses(found: Run, program: str) -> list[int]:
    """Return how the processes of a program ended."""
    ended, images = [], {}
    for record in found.trace:
        event, kind = record.event, type(record.event).__name__
        if kind == "Execed":
            images[event.pid] = event.image.program
        elif kind == "Exited" and images.get(event.pid) == program:
            ended.append(event.status)
    return ended


# -- what is on disk at each moment (engine-1.13 §16.9) ---------------------------------------------

Check = Callable[[Container], bool]
BEGIN = "host: {begin: off}\n"
MADE = "steps:\n  - {systemctl: start docker}\n"

DISK: dict[str, tuple[str, str, Check]] = {
    "create": (
        BEGIN + WEB % "always" + MADE + "  - {id: now, at: 10s, docker: create --name web nginx}\n", "10.5s",
        lambda it: not it.running and not it.started,
    ),
    "start in progress": (
        BEGIN + WEB % "always" + MADE
        + "  - {at: 10s, docker: create --name web nginx}\n  - {at: 11s, docker: start web}\n"
        + "  - {id: hang, at: Forked(runc/web), stop: runc/web}\n", "30s",
        lambda it: not it.running and not it.started and not it.pid,
    ),
    "started": (
        WEB % "always" + "steps: [{id: now, at: 1s, docker: [stop web, start web]}]\n", "20s",
        lambda it: it.running and it.pid > 0 and it.started and not it.manual,
    ),
    "API signal sent": (
        WEB % "always" + "steps: [{at: 1s, docker: kill -s HUP web}]\n", "5s",
        lambda it: it.running and not it.manual,
    ),
    "exit, policy no": (
        WEB % '"no"' + "steps: [{at: 1s, docker: stop web}]\n", "5s",
        lambda it: not it.running and it.exit_code == 0 and it.manual and it.restart_count == 0 and not it.pid,
    ),
    "exit, will restart": (
        CRASHING % "always", "die(web)#7+1s",
        lambda it: it.running and it.restarting and it.pid == 0 and it.exit_code == 1 and it.restart_count == 7,
    ),
    "restart attempt failed": (
        WEB % "always" + "steps: [{at: 1s, kill: payload/web}, {at: die(web), kill: containerd}]\n", "30s",
        lambda it: it.running and it.restarting and it.error != "",
    ),
    "start failed": (
        CRASHING % "on-failure:2" + "  - {id: down, at: 20s, kill: containerd}\n"
        + "  - {at: down+1ms, docker: start web}\n", "30s",
        lambda it: not it.running and it.exit_code == 1 and it.restart_count == 0 and it.error != "",
    ),
    "stop during backoff": (
        CRASHING % "always" + "  - {id: stop, at: 'die(web)#7+1s', docker: stop web}\n", "stop+1s",
        lambda it: it.running and it.restarting and not it.manual,
    ),
    "pause": (
        WEB % "always" + "steps: [{at: 1s, docker: pause web}]\n", "5s",
        lambda it: it.running and it.paused and it.pid > 0,
    ),
    "unpause": (
        WEB % "always" + "steps: [{at: 1s, docker: [pause web, unpause web]}]\n", "5s",
        lambda it: it.running and not it.paused,
    ),
    "daemon SIGKILL": (
        WEB % "always" + "steps: [{at: 1s, docker: kill -s HUP web}, {at: 2s, kill: dockerd}]\n", "2050ms",
        lambda it: it.running and not it.manual and it.pid > 0,
    ),
    "rm": (
        WEB % "always" + "steps: [{host: {busy_mount: web}}, {at: 1s, docker: rm -f web}]\n", "3s",
        lambda it: it.dead and not it.running,
    ),
}  # fmt: skip


@pytest.mark.parametrize("moment", DISK)
def test_what_is_on_disk_at_each_moment(moment: str) -> None:
    """config.v2.json at each row of §16.9, and beside it what `docker rm` writes before it removes anything."""
    text, when, holds = DISK[moment]
    trace: Trace = run_scenario(load("row.yaml", text + f"until: {when}\n")).trace
    assert not trace.note
    record = trace.at(trace.end).host.files.get(paths.container("web"))
    assert isinstance(record, Container)
    assert holds(record), record
