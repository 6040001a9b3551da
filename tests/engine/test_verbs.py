"""The verbs of the docker client, each by a small scenario: what it waits for, what it changes, how it exits.

A row is a scenario with its own `expect:`. Source of the expectations: engine-1.13 §2, §3.2, §4, §13, §15, §16.6.
"""

from __future__ import annotations

import pytest

from sim.drive.timed import run
from sim.engine import paths
from sim.engine.exit_codes import exit_code
from sim.engine.setup import Docker, Setup, Systemctl
from sim.experiment.run import run_scenario
from sim.kernel.events import Execed, Forked, Reparented
from sim.kernel.records import OUTSIDE
from sim.scenario import load
from sim.testing import Walk
from sim.testing.setups import plain_service

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
DEAF = "services: {web: {image: nginx, x-payload: {on_term: none}}}\n"
TWO = "services: {web: {image: nginx}, db: {image: postgres}}\n"
SLOW_START = WEB + "steps:\n  - {id: up, at: 1s, docker: run -d --name slow nginx}\n"

ROWS: dict[str, str] = {
    "rename gives another name and takes the old one": WEB
    + """\
steps:
  - {id: name, at: 1s, docker: rename web old}
  - {id: gone, at: 2s, docker: stop web}
  - {id: stop, at: 3s, docker: stop old}
  - {id: boot, at: 9s, kill: dockerd}
  - {id: start, at: 20s, docker: start old}
until: 30s
expect:
  - {step: gone, error: "No such container: web"}
  - {at: stop+1s, container: web, status: exited}
  - {at: end, container: web, status: running}
  - {events: [rename, {kill: 15}, {die: 0}, network disconnect, stop, network connect, start], container: web,
     exact: true}
""",
    "names can be exchanged": TWO
    + """\
steps:
  - {at: 1s, docker: rename web old}
  - {at: 2s, docker: rename db web}
  - {id: stop, at: 3s, docker: stop web}
until: 10s
expect:
  - {at: end, container: db, status: exited}
  - {at: end, container: web, status: running}
""",
    "a name that is taken is refused": TWO
    + """\
steps:
  - {id: name, at: 1s, docker: rename web db}
  - {id: same, at: 2s, docker: rename web web}
expect:
  - {step: name, error: 'The name "/db" is already in use by container'}
  - {step: same, error: "Renaming a container with the same name as its current name"}
""",
    "update swaps the policy of a running container": WEB
    + """\
steps:
  - {id: policy, at: 1s, docker: update --restart=on-failure:2 web}
  - {id: shot, at: 5s, kill: payload/web}
until: 20s
expect:
  - {step: policy, ok: true}
  - {at: end, container: web, status: running, restarts: 1}
  - {events: [update, {die: 137}, network disconnect, network connect, start], container: web, exact: true}
""",
    "update fails while containerd is away, and changes nothing": WEB
    + """\
steps:
  - {id: down, at: 1s, kill: containerd}
  - {id: policy, at: down+100ms, docker: update --restart=always web}
  - {id: shot, at: 60s, kill: payload/web}
until: 70s
expect:
  - {step: policy, error: "grpc: the connection is unavailable"}
  - {at: end, container: web, status: exited, exit_code: 137}
""",
    "wait returns when the container stops, at once if it does not run": DEAF
    + """\
steps:
  - {id: wait, at: 1s, docker: wait web}
  - {id: stop, at: 5s, docker: stop -t 3 web}
  - {id: again, at: 20s, docker: wait web}
until: 30s
expect:
  - {at: stop+2900ms, step: wait, unanswered: true}
  - {within: 3300ms, of: stop, step: wait, ok: true}
  - {within: 10ms, of: again, step: again, ok: true}
""",
    "ps stands still at a container that starts; inspect only at its own": SLOW_START
    + """\
  - {id: hang, at: Forked(runc/slow), stop: runc/slow}
  - {id: ps, at: 10s, docker: ps}
  - {id: inspect, at: 10s, docker: inspect web}
  - {id: this, at: 10s, docker: inspect slow}
  - {id: info, at: 10s, docker: info}
  - {id: version, at: 10s, docker: version}
  - {id: logs, at: 10s, docker: logs web}
  - {id: go, at: 60s, cont: runc/slow}
until: 70s
expect:
  - {at: 59s, step: ps, unanswered: true}
  - {at: 59s, step: this, unanswered: true}
  - {at: 11s, step: inspect, ok: true}
  - {at: 11s, step: info, ok: true}
  - {at: 11s, step: version, ok: true}
  - {at: 11s, step: logs, ok: true}
  - {step: ps, ok: true}
  - {step: this, ok: true}
""",
    "events and logs -f wait": WEB
    + """\
steps:
  - {id: events, at: 1s, docker: events}
  - {id: logs, at: 1s, docker: logs -f web}
  - {id: stop, at: 10s, docker: stop web}
  - {id: down, at: 20s, systemctl: stop docker}
until: 30s
expect:
  - {at: 9s, step: logs, unanswered: true}
  - {within: 1s, of: stop, step: logs, ok: true}
  - {at: 19s, step: events, unanswered: true}
  - {step: events, error: "error during connect: EOF"}
""",
    "run in the foreground says attach, waits, and exits with the container's code": """\
host: {begin: off}
services: {job: {image: job, x-payload: {exits: {code: 3, after: 5s}}}}
steps:
  - {systemctl: start docker}
  - {id: run, at: 10s, docker: run --name job job}
  - {id: next, at: 30s, docker: start -a job}
until: 50s
expect:
  - {at: run+5s, step: run, unanswered: true}
  - {step: run, error: "exit code 3"}
  - {step: run, exit_code: 3}
  - {step: next, exit_code: 3}
  - {events: [create, attach, network connect, start, {die: 3}, network disconnect, attach, network connect, start,
              {die: 3}, network disconnect], container: job, exact: true}
""",
    "a foreground run loses its daemon": """\
services: {web: {image: nginx}}
steps:
  - {id: run, at: 1s, docker: run --name job busybox sleep 100}
  - {at: 10s, kill: dockerd}
until: 60s
expect:
  - {step: run, exit_code: 125}
""",
    "attach waits for the end of a running container; a stopped or paused one is refused": WEB
    + """\
steps:
  - {id: at, at: 1s, docker: attach web}
  - {id: pause, at: 2s, docker: pause web}
  - {id: no, at: 3s, docker: attach web}
  - {id: go, at: 4s, docker: unpause web}
  - {id: kill, at: 5s, docker: kill web}
  - {id: late, at: 9s, docker: attach web}
until: 20s
expect:
  - {at: 4900ms, step: at, unanswered: true}
  - {step: at, exit_code: 137}
  - {step: no, error: "You cannot attach to a paused container, unpause it first"}
  - {step: late, error: "You cannot attach to a stopped container, start it first"}
""",
    "what a failing run exits with": """\
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: taken, at: 1s, docker: "run -d -p 80:80 --name b nginx"}
  - {id: stop, at: 2s, docker: stop nobody}
  - {id: name, at: 3s, docker: "run -d --name web -p 80:80 nginx"}
  - {id: nobody, at: 4s, docker: "create --name nobody nginx"}
until: 20s
expect:
  - {step: taken, exit_code: 125}
  - {step: name, exit_code: 125}
  - {step: stop, exit_code: 1}
  - {step: nobody, exit_code: 0}
""",
    "--rm: dockerd removes the container after its end, after the network": """\
services: {web: {image: nginx}}
steps:
  - {id: run, at: 1s, docker: "run --rm -p 81:81 --name job busybox sleep 5"}
until: 20s
expect:
  - {step: run, ok: true}
  - {at: end, container: job, exists: false}
  - {events: [create, attach, network connect, start, {die: 0}, network disconnect, destroy], container: job,
     exact: true}
""",
    "--rm: a start that fails leaves nothing": WEB
    + """\
steps:
  - {id: run, at: 1s, docker: "run -d --rm -p 80:80 --name job nginx"}
until: 20s
expect:
  - {step: run, error: "port is already allocated"}
  - {at: end, container: job, exists: false}
  - {events: [create, network disconnect, destroy], container: job, exact: true}
""",
    "--rm: what a crash of dockerd leaves behind goes before READY": """\
services: {web: {image: nginx}}
steps:
  - {id: run, at: 1s, docker: "run -d --rm --name job nginx"}
  - {id: kill, at: 10s, kill: dockerd}
until: 30s
expect:
  - {at: ready(docker), container: job, exists: false}
  - {events: [create, network connect, start, {die: 0}, destroy], container: job, exact: true}
""",
    "a named volume is mounted after the network and unmounted after it; a folder of the host says nothing": """\
services: {web: {image: nginx, ports: ["80:80"], volumes: ["data:/data:ro", "/etc:/etc", "other:/other"]}}
steps:
  - {at: 1s, docker: "run -d -v logs:/var/log -v /tmp:/tmp --name x nginx"}
  - {at: 5s, docker: restart web}
  - {id: taken, at: 10s, docker: "run -d -p 80:80 -v late:/late --name y nginx"}
  - {at: 15s, kill: payload/x}
until: 30s
expect:
  - {events: [create, network connect, volume mount, start, {die: 137}, network disconnect, volume unmount],
     container: x, exact: true}
  - {events: [{kill: 15}, {die: 0}, network disconnect, volume unmount, volume unmount, stop, network connect,
              volume mount, volume mount, start, restart], container: web, exact: true}
  - {events: [create, network disconnect, volume unmount], container: y, exact: true}
""",
    "restart -t and kill -s": DEAF
    + """\
steps:
  - {id: restart, at: 1s, docker: restart -t 2 web}
  - {id: usr1, at: 20s, docker: kill -s USR1 web}
until: 30s
expect:
  - {at: restart+1900ms, container: web, status: running, pid: same}
  - {within: 3500ms, of: restart, step: restart, ok: true}
  - {events: [{kill: 15}, {kill: 9}, {die: 137}, network disconnect, stop, network connect, start, restart,
              {kill: 10}], container: web, exact: true}
""",
    "compose pause and unpause": TWO
    + """\
steps:
  - {id: pause, at: 1s, compose: pause}
  - {id: go, at: 5s, compose: unpause db}
until: 10s
expect:
  - {at: go-1s, container: all, status: paused}
  - {at: end, container: db, status: running}
  - {at: end, container: web, status: paused}
""",
    "a deaf dockerd never hears of its pause: the command and all that need the lock wait for ever": """\
engine: {profile: el7-swapping}
services: {web: {image: nginx}, db: {image: postgres}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: again, at: Connected(containerd)+2ms, kill: containerd}
  - {id: pause, at: again+10m, docker: pause web}
  - {id: stop, at: pause+10s, docker: stop web}
  - {id: ps, at: pause+10s, docker: ps}
  - {id: other, at: pause+10s, docker: inspect db}
until: pause+5m
expect:
  - {at: end, process: payload/web, state: D}
  - {at: end, container: web, status: running}
  - {step: pause, unanswered: true}
  - {step: stop, unanswered: true}
  - {step: ps, unanswered: true}
  - {step: other, ok: true}
""",
    "a pause waits for a containerd that stands still": WEB
    + """\
steps:
  - {id: hang, at: 1s, stop: containerd}
  - {id: pause, at: 1s, docker: pause web}
  - {id: go, at: 5s, cont: containerd}
until: 60s
expect:
  - {at: 4900ms, step: pause, unanswered: true}
  - {step: pause, ok: true}
  - {at: end, container: web, status: paused}
""",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_verb_does_what_the_engine_does(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    verdicts = run_scenario(load("row.yaml", ROWS[name])).verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []


def forked(text: str, step: str) -> list[str]:
    """Return the command lines of what was executed after t = 0 in a scenario."""
    trace = run(load("row.yaml", text + f"steps: [{{at: 1s, docker: {step}}}]\nuntil: 10s\n").setup)
    after = [record.event for record in trace if (record.at or 0) > trace.origin]
    assert sum(isinstance(event, Forked) for event in after) == sum(isinstance(event, Execed) for event in after)
    return [" ".join(event.image.argv[-2:]) for event in after if isinstance(event, Execed)]


@pytest.mark.parametrize("verb", ["pause", "stop", "restart", "kill"])
def test_a_command_ends_in_whatever_order_its_steps_come(verb: str) -> None:
    """No order of prompt steps lets a command on a healthy host wait for ever: libcontainerd's lock sees to it."""
    for seed in range(30):
        walk = Walk(Setup((plain_service("web"),)), opened=True)
        walk.do(Docker(verb, "web"))
        walk.wait(3, seed)
        assert (OUTSIDE, f"terminal/{len(walk.world.setup.terminals) - 1}") not in walk.world.frames, seed


def test_info_runs_two_programs_and_other_listings_none() -> None:
    """docker info asks docker-runc and docker-init for their versions; ps, version and inspect fork nothing."""
    versions = [f"/usr/libexec/docker/docker-{name}-current --version" for name in ("runc", "init")]
    assert forked(WEB, "info") == versions
    for step in ("ps -a", "version", "inspect web", "logs web"):
        assert forked(WEB, step) == []


def test_a_container_in_the_host_s_pid_namespace_takes_term_and_leaves_nobody_behind() -> None:
    """--pid=host: no namespace, so a signal without handler is not dropped; orphans go to the shim, and are killed."""
    text = """\
services: {web: {image: nginx, pid: host, x-payload: {on_term: none, children: [{argv: [worker]}]}}}
steps: [{id: stop, at: 1s, docker: stop web}]
until: 10s
expect:
  - {within: 1s, of: stop, container: web, status: exited, exit_code: 143}
"""
    found = run_scenario(load("row.yaml", text))
    assert [verdict.holds for verdict in found.verdicts()] == [True]
    before, after = found.trace.at(found.trace.origin), found.at()
    ours = {it.image.program: it for it in before.host.procs.values() if it.image.container == "web"}
    assert {ours[program].ns for program in ("payload", "child")} == {0}
    ways = [record.event for record in found.trace if isinstance(record.event, Reparented)]
    assert (ours["child"].pid, ours["shim"].pid) in [(event.pid, event.ppid) for event in ways]
    assert not [it for it in after.host.procs.values() if it.image.container == "web"]


def test_a_terminal_is_one_stream() -> None:
    """With -t there is no init-stderr; without it there is."""
    for flag, there in (("", True), ("-t ", False)):
        text = WEB + f"steps: [{{at: 1s, docker: run -d {flag}--name x nginx}}]\nuntil: 10s\n"
        trace = run(load("row.yaml", text).setup)
        world = trace.at(trace.end)
        folder = paths.bundle(world.services["x"].id)
        assert f"{folder}/init-stdout" in world.host.fifos
        assert (f"{folder}/init-stderr" in world.host.fifos) is there


@pytest.mark.parametrize(
    ("command", "error", "code"),
    [
        (Docker("run", "web"), "", 0),
        (Docker("run", "web"), "exit code 3", 3),
        (Docker("exec", "web"), "rpc error (exit code 126)", 126),
        (Docker("run", "web"), 'exec: "x": executable file not found in $PATH', 127),
        (Docker("run", "web"), 'exec: "x": permission denied', 126),
        (Docker("run", "web"), "driver failed programming external connectivity", 125),
        (Docker("start", "web"), "driver failed programming external connectivity", 1),
        (Systemctl("start"), "Job for docker.service failed", 1),
    ],
)
def test_a_command_exits_with_the_code_of_the_real_one(command: object, error: str, code: int) -> None:
    """docker run: 125 is the daemon's error, 126 and 127 the command's, else the container's own."""
    assert exit_code(command, error) == code
