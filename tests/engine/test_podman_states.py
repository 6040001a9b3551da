"""podman's own states: what a command does in each, what a killed one leaves, and what is left without conmon.

Rows are what podman 5.4.2 did (crun, cgroup v2), or what libpod's source says of another version. Codes are those with
which its command leaves.
"""

from __future__ import annotations

import pytest

from sim.designs import absent, versions
from sim.engines.podman.state import NO_CODE
from sim.engines.podman.states import COMMANDS as COMMANDS_BY_STATE
from sim.engines.podman.states import CONFIGURED, CREATED, EXITED, PAUSED, REMOVING, RUNNING, STOPPED, STOPPING
from sim.facts import StepDone
from sim.kernel.events import Execed
from tests.ran import failures, ran

NAMED = "engine: {{design: {}}}\n"
HEAD = NAMED.format("podman")
WEB = "services: {web: {image: nginx, ports: ['80:80'], restart: always}}\n"
PLAIN = "services: {web: {image: nginx, ports: ['80:80']}}\n"
DEAF = "services: {web: {image: nginx, ports: ['80:80'], x-payload: {on_term: ignore}}}\n"
SLOW = "services: {web: {image: nginx, ports: ['80:80'], x-payload: {on_term: {exit: 0, after: 1s}}}}\n"

WITHOUT_CONMON: dict[str, str] = {
    "stop: the signal, the whole grace, KILL; the code is lost, the network is not kept": DEAF
    + """\
steps:
  - {id: kill, at: 1s, kill: conmon/web}
  - {id: stop, at: 2s, docker: stop -t 3 web}
  - {id: start, at: 20s, docker: start web}
until: 1m
expect:
  - {at: stop+2900ms, process: payload/web, exists: true}
  - {at: stop+2900ms, container: web, status: stopping}
  - {within: 4s, of: stop, container: web, status: exited, exit_code: -1, address: none}
  - {step: stop, error: "conmon exited prematurely, exit code could not be retrieved: internal libpod error"}
  - {step: stop, exit_code: 125}
  - {at: start-1s, port: 80, from: remote, open: false}
  - {step: start, ok: true}
  - {at: end, container: web, status: running}
""",
    "stop: a program that handles the signal is given its time": SLOW
    + """\
steps: [{id: kill, at: 1s, kill: conmon/web}, {id: stop, at: 2s, docker: stop -t 8 web}]
expect:
  - {at: stop+900ms, process: payload/web, exists: true}
  - {within: 2s, of: stop, container: web, status: exited, exit_code: -1}
""",
    "rm -f: refused the first time, and the container has ended; the second time it goes": PLAIN
    + """\
steps:
  - {id: kill, at: 1s, kill: conmon/web}
  - {id: rm, at: 2s, docker: rm -f web}
  - {id: again, at: 10s, docker: rm -f web}
expect:
  - {step: rm, exit_code: 125}
  - {step: rm, error: as it could not be stopped}
  - {at: again-1s, container: web, status: exited, exit_code: -1}
  - {step: again, ok: true}
  - {at: end, container: web, exists: false}
""",
    "restart: refused, and the container has ended; the second time it runs": PLAIN
    + """\
steps:
  - {id: kill, at: 1s, kill: conmon/web}
  - {id: restart, at: 2s, docker: restart web}
  - {id: again, at: 10s, docker: restart web}
expect:
  - {step: restart, exit_code: 125}
  - {at: again-1s, container: web, status: exited, exit_code: -1}
  - {step: again, ok: true}
  - {at: end, container: web, status: running}
""",
    "wait: it fails at once, and nothing has changed": PLAIN
    + """\
steps: [{id: kill, at: 1s, kill: conmon/web}, {id: wait, at: 2s, docker: wait web}]
expect:
  - {step: wait, error: no such exit code}
  - {step: wait, exit_code: 125}
  - {at: end, container: web, status: running, pid: same, since: kill-1ms}
""",
    "kill: the program dies, and ps goes on to say that it runs": PLAIN
    + """\
steps: [{id: kill, at: 1s, kill: conmon/web}, {id: command, at: 2s, docker: kill web}]
expect:
  - {step: command, ok: true}
  - {at: end, process: payload/web, exists: false}
  - {at: end, container: web, status: running}
""",
    "start: nothing happens, as it runs": PLAIN
    + """\
steps:
  - {id: kill, at: 1s, kill: conmon/web}
  - {id: dead, at: 2s, kill: payload/web}
  - {id: start, at: 3s, docker: start web}
  - {id: rm, at: 5s, docker: rm web}
expect:
  - {step: start, ok: true}
  - {step: rm, exit_code: 2}
  - {at: end, container: web, status: running}
""",
    "run without -d: its command leaves with 127": PLAIN
    + """\
steps: [{id: run, at: 1s, docker: run --name job nginx}, {id: kill, at: 5s, kill: conmon/job}]
expect:
  - {step: run, exit_code: 127}
  - {at: end, container: job, status: running}
""",
}

COMMANDS: dict[str, str] = {
    "a failed start leaves the state created and the code 0": """\
services: {web: {image: nginx, x-payload: {fails_to_start: not found}}}
host: {begin: off}
steps: [{id: up, at: 1s, docker: run -d --name job nginx}, {id: run, at: 2s, compose: up -d}]
expect:
  - {step: run, exit_code: 127}
  - {at: end, container: web, status: created, exit_code: 0}
""",
    "a command that is not executable: 126 of run, 125 of start": """\
services: {web: {image: nginx, x-payload: {fails_to_start: permission denied}}}
host: {begin: off}
steps: [{id: run, at: 1s, compose: up -d}, {id: start, at: 2s, docker: start web}]
expect:
  - {step: run, exit_code: 126}
  - {step: start, exit_code: 125}
  - {step: start, error: unable to start container}
  - {at: end, container: web, status: created, exit_code: 0}
""",
    "a port that is taken: 126; a name that is taken: 125": PLAIN
    + """\
steps:
  - {id: port, at: 1s, docker: run -d --name two -p 80:8080 nginx}
  - {id: name, at: 3s, docker: run -d --name two nginx}
expect:
  - {step: port, exit_code: 126}
  - {at: name-1s, container: two, status: created, exit_code: 0}
  - {step: name, exit_code: 125}
  - {step: name, error: that name is already in use}
""",
    "rm: 2 for one that runs, 1 for one that is not there, 0 by force": PLAIN
    + """\
steps:
  - {id: runs, at: 1s, docker: rm web}
  - {id: force, at: 2s, docker: rm -f web}
  - {id: gone, at: 5s, docker: rm web}
  - {id: forced, at: 6s, docker: rm -f web}
expect:
  - {step: runs, exit_code: 2}
  - {step: force, exit_code: 0}
  - {step: gone, exit_code: 1}
  - {step: forced, exit_code: 0}
""",
    "what an ended container refuses": PLAIN
    + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: exec, at: 5s, docker: exec web ls}
  - {id: pause, at: 6s, docker: pause web}
  - {id: unpause, at: 7s, docker: unpause web}
  - {id: kill, at: 8s, docker: kill web}
  - {id: again, at: 9s, docker: stop web}
  - {id: wait, at: 10s, docker: wait web}
expect:
  - {step: exec, exit_code: 255}
  - {step: pause, error: '"exited" is not running, can''t pause: container state improper'}
  - {step: pause, exit_code: 125}
  - {step: unpause, error: "is not paused, can't unpause: container state improper"}
  - {step: unpause, exit_code: 125}
  - {step: kill, error: "is in state exited: container state improper"}
  - {step: kill, exit_code: 125}
  - {step: again, exit_code: 0}
  - {step: wait, exit_code: 0}
""",
    "what a paused container refuses": PLAIN
    + """\
steps:
  - {id: pause, at: 1s, docker: pause web}
  - {id: again, at: 2s, docker: pause web}
  - {id: exec, at: 3s, docker: exec web ls}
  - {id: stop, at: 4s, docker: stop web}
  - {id: restart, at: 5s, docker: restart web}
  - {id: start, at: 6s, docker: start web}
  - {id: rm, at: 7s, docker: rm web}
  - {id: kill, at: 8s, docker: kill web}
expect:
  - {step: again, error: "is already paused: container state improper"}
  - {step: exec, exit_code: 255}
  - {step: stop, error: "is running or paused, refusing to clean up: container state improper"}
  - {step: stop, exit_code: 125}
  - {step: restart, error: "unable to restart a container in a paused or unknown state: container state improper"}
  - {step: restart, exit_code: 125}
  - {step: start, exit_code: 125}
  - {step: rm, exit_code: 2}
  - {at: kill, container: web, status: paused}
  - {step: kill, ok: true}
  - {at: kill+1s, container: web, status: exited, exit_code: 137}
""",
    "rm -f of a paused container": PLAIN
    + """\
steps: [{id: pause, at: 1s, docker: pause web}, {id: rm, at: 2s, docker: rm -f web}]
expect: [{step: rm, ok: true}, {at: rm+1s, container: web, exists: false}]
""",
    "stop removes what run --rm made, whether or not its cleanup comes first": """\
services:
  web: {image: nginx, x-rm: true}
  job: {image: nginx, x-rm: true}
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: away, at: 9s, kill: conmon/job}
  - {id: alone, at: 10s, docker: stop -t 1 job}
  - {id: again, at: 20s, docker: stop job}
expect:
  - {step: stop, ok: true}
  - {at: stop+500ms, container: web, exists: false}
  - {at: again-1s, container: job, status: exited}
  - {at: end, container: job, exists: false}
""",
    "wait returns with the run that it began in, whatever the policy does": WEB
    + """\
steps:
  - {id: wait, at: 1s, docker: wait web}
  - {id: kill, at: 5s, kill: payload/web}
  - {id: gone, at: 20s, kill: conmon/web}
  - {id: again, at: 21s, docker: wait web}
until: 1m
expect:
  - {step: wait, ok: true}
  - {step: again, ok: true}    # the code of the run before
  - {at: end, container: web, status: running, restarts: 1}
""",
    "a created container: stop does nothing, kill is refused": PLAIN
    + """\
steps:
  - {id: make, at: 1s, docker: create --name job nginx}
  - {id: stop, at: 2s, docker: stop job}
  - {id: kill, at: 3s, docker: kill job}
  - {id: wait, at: 4s, docker: wait job}
  - {id: rm, at: 5s, docker: rm job}
expect:
  - {step: stop, exit_code: 0}
  - {step: kill, error: is in state created}
  - {step: wait, ok: true}
  - {step: rm, exit_code: 0}
""",
    "kill waits until conmon has told the end": PLAIN
    + """\
steps: [{id: kill, at: 1s, docker: kill web}]
expect: [{step: kill, ok: true}, {events: [kill, {die: 137}], container: web, exact: true}]
""",
    "a stop that is killed leaves a container that only a stop, a kill or rm -f ends": DEAF
    + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: dead, at: 2s, kill: podman/web}
  - {id: exec, at: 3s, docker: exec web ls}
  - {id: start, at: 20s, docker: start web}
  - {id: restart, at: 21s, docker: restart web}
  - {id: pause, at: 22s, docker: pause web}
  - {id: rm, at: 23s, docker: rm web}
  - {id: again, at: 24s, docker: stop -t 1 web}
expect:
  - {step: stop, error: Killed}
  - {step: exec, exit_code: 255}
  - {step: start, error: must be in Created or Stopped state to be started}
  - {step: restart, error: paused or unknown state}
  - {step: pause, error: '"stopping" is not running'}
  - {step: rm, error: as it is stopping}
  - {step: rm, exit_code: 2}
  - {at: again, container: web, status: stopping}
  - {at: again, process: payload/web, exists: true}
  - {at: again, port: 80, from: remote, open: true}
  - {step: again, ok: true}
  - {at: end, container: web, status: exited, exit_code: 137}
""",
    "a stop that is killed still counts: the cleanup tells the code, and the policy does not act": WEB
    + """\
steps: [{id: stop, at: 1s, docker: stop web}, {id: dead, at: Signalled(payload/web), kill: podman/web}]
expect:
  - {step: stop, error: Killed}
  - {at: end, container: web, status: exited, exit_code: 0}
  - {at: end, process: conmon/web, exists: false}
""",
    "a start that is killed between init and start leaves it initialized; the next start goes on there": PLAIN
    + """\
steps:
  - {id: run, at: 1s, docker: run -d --name job nginx}
  - {id: dead, at: Forked(runc/job)#2, kill: podman/job}
  - {id: start, at: 5s, docker: start job}
expect:
  - {step: run, error: Killed}
  - {at: start, container: job, status: initialized}
  - {step: start, ok: true}
  - {at: end, container: job, status: running}
  - {at: end, process: conmon/job, count: 1}
""",
    "an rm that is killed leaves it removing, for another rm": PLAIN
    + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {id: rm, at: 5s, docker: rm web}
  - {id: dead, at: rm+50ms, kill: podman/web}
  - {id: start, at: 6s, docker: start web}
  - {id: again, at: 7s, docker: rm web}
expect:
  - {step: rm, error: Killed}
  - {at: again, container: web, status: removing}
  - {step: start, error: must be in Created or Stopped state to be started}
  - {step: again, ok: true}
  - {at: end, container: web, exists: false}
""",
    "USR1 does nothing to conmon": PLAIN
    + """\
steps: [{id: usr, at: 1s, kill: conmon/web, signal: USR1}]
expect: [{at: end, process: conmon/web, exists: true}, {at: end, process: payload/web, parent: conmon/web}]
""",
    "a boot: what ran has exited, what was to be removed is removed by the first command": PLAIN
    + """\
steps:
  - {id: run, at: 1s, docker: run -d --rm --name job nginx}
  - {id: off, at: 10s, power_loss: 10s}
  - {id: ps, at: 5m, docker: ps}
  - {id: wait, at: 6m, docker: wait web}
until: 7m
expect:
  - {at: end, container: web, status: exited, exit_code: 0}
  - {at: end, container: job, exists: false}
  - {events: [create job, start job, destroy job], container: job, exact: true}
  - {step: wait, error: no such exit code}
""",
    "a conmon that stands still: stop fails after its grace and 5 s more, and the record says stopping": PLAIN
    + """\
steps:
  - {id: hold, at: 1s, stop: conmon/web}
  - {id: stop, at: 2s, docker: stop -t 2 web}
  - {id: on, at: 20s, signal: CONT, kill: conmon/web}
expect:
  - {step: stop, error: given PID did not die within timeout}
  - {step: stop, exit_code: 125}
  - {at: on-1s, container: web, status: stopping}
  - {at: end, container: web, status: exited, exit_code: 0}
""",
}


@pytest.mark.parametrize("name", [*WITHOUT_CONMON, *COMMANDS])
def test_podman_does_what_5_4_did(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    assert failures(HEAD + (WITHOUT_CONMON | COMMANDS)[name]) == []


GONE = PLAIN + "steps:\n  - {id: kill, at: 1s, kill: conmon/web}\n"
FOR_GOOD = (
    GONE
    + """\
  - {id: stop, at: 2s, docker: stop web}
  - {id: start, at: 10s, docker: start web}
  - {id: restart, at: 11s, docker: restart web}
  - {id: again, at: 12s, docker: stop web}
  - {id: rm, at: 13s, docker: rm -f web}
expect:
  - {step: stop, ok: true}
  - {at: start, container: web, status: stopping, exit_code: 0, address: none}
  - {at: start, process: payload/web, exists: false}
  - {step: start, error: must be in Created or Stopped state to be started}
  - {step: restart, exit_code: 125}
  - {step: again, ok: true}
  - {at: rm, container: web, status: stopping}
  - {step: rm, ok: true}
  - {at: end, container: web, exists: false}
"""
)
CODE_IS_LOST = (
    GONE
    + """\
  - {id: stop, at: 2s, docker: stop web}
  - {id: start, at: 10s, docker: start web}
expect:
  - {step: stop, exit_code: 125}
  - {at: start, container: web, status: exited, exit_code: -1, address: none}
  - {step: start, ok: true}
"""
)
LEFT_STOPPING = (
    DEAF
    + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
  - {at: 2s, kill: podman/web}
  - {at: 3s, kill: conmon/web}
  - {id: kill, at: 4s, docker: kill web}
"""
)
KILL_STAYS = (
    LEFT_STOPPING
    + """\
expect:
  - {step: kill, ok: true}
  - {at: end, container: web, status: stopping}
  - {at: end, process: payload/web, exists: false}
"""
)
KILL_LOSES_THE_CODE = (
    LEFT_STOPPING
    + """\
expect:
  - {step: kill, error: "conmon exited prematurely"}
  - {step: kill, exit_code: 125}
  - {at: end, container: web, status: exited, exit_code: -1, address: none}
  - {events: [kill, {die: -1}], container: web, exact: true}
"""
)
FIRST_RM_FAILS = GONE + "  - {id: rm, at: 2s, docker: rm -f web}\nexpect: [{step: rm, exit_code: 125}]\n"
FIRST_RM_DOES = (
    GONE
    + """\
  - {id: rm, at: 2s, docker: rm -f web}
expect: [{step: rm, ok: true}, {at: end, container: web, exists: false}, {at: end, process: payload/web, exists: false}]
"""
)
BOOT = (
    PLAIN
    + """\
steps:
  - {id: run, at: 1s, docker: run -d --rm --name job nginx}
  - {id: off, at: 10s, power_loss: 10s}
  - {id: ps, at: 5m, docker: ps}
until: 6m
"""
)
LEFT = BOOT + "expect: [{at: end, container: [web, job], status: created, exit_code: 0}]\n"
REMOVED = BOOT + "expect: [{at: end, container: web, status: exited}, {at: end, container: job, exists: false}]\n"
VERSIONS: list[tuple[str, str, str]] = [
    *((design, "stopping for good", FOR_GOOD) for design in ("podman-4.9", "podman-5.0")),
    *((design, "rm -f ends it", FIRST_RM_DOES) for design in ("podman-4.9", "podman-5.0", "podman-5.6")),
    *((design, "an error, and -1", CODE_IS_LOST) for design in ("podman-5.2", "podman", "podman-5.6")),
    *((design, "kill leaves it stopping", KILL_STAYS) for design in ("podman-4.9", "podman-5.0")),
    *((design, "kill ends it, with -1", KILL_LOSES_THE_CODE) for design in ("podman-5.2", "podman", "podman-5.6")),
    *((design, "rm -f gives up", FIRST_RM_FAILS) for design in ("podman-5.2", "podman")),
    ("podman-4.9", "a boot leaves it created", LEFT),
    *((design, "a boot ends it", REMOVED) for design in ("podman-5.0", "podman-5.2", "podman", "podman-5.6")),
]


@pytest.mark.parametrize(("design", "what", "text"), VERSIONS, ids=[f"{row[0]}: {row[1]}" for row in VERSIONS])
def test_a_version_does_what_its_source_says(design: str, what: str, text: str) -> None:
    """A container whose conmon is dead, and one that ran when the host went down."""
    assert failures(NAMED.format(design) + text) == []


@pytest.mark.parametrize(("design", "waited"), [
    ("podman-4.9", 20), ("podman-5.0", 20), ("podman-5.2", 20), ("podman", 0), ("podman-5.6", 0),
])  # fmt: skip
def test_wait_looks_for_a_code_for_so_long(design: str, waited: int) -> None:
    """Until 5.2 it polls for 20 s once conmon is gone; then it fails."""
    run = ran(NAMED.format(design) + GONE + "  - {id: wait, at: 2s, docker: wait web}\nuntil: 1m\n")
    (done,) = [record for record in run.trace if isinstance(record.event, StepDone) and record.event.id == "wait"]
    assert NO_CODE in done.event.error
    assert 0 <= (done.at or 0) - run.trace.origin - (2 + waited) * 1_000_000 < 100_000


@pytest.mark.parametrize(("design", "made"), [("podman-5.0", 1), ("podman-5.2", 2)])
def test_a_policy_s_restart_makes_the_network_anew_since_5_1(design: str, made: int) -> None:
    """Before, the namespace and its rules stay from one run to the next."""
    run = ran(f"{NAMED.format(design)}host: {{begin: off}}\n{WEB}"
              "steps: [{id: up, at: 1s, compose: up -d}, {id: kill, at: 5s, kill: payload/web}]\n")  # fmt: skip
    events = [record.event for record in run.trace]
    setups = [event for event in events if isinstance(event, Execed) and event.image.argv[1:2] == ("setup",)]
    assert len(setups) == made
    assert run.reachable(80, "remote")


@pytest.mark.parametrize(("name", "row"), [
    ("podman-5.4", "podman"), ("podman-5.8", "podman-5.6"), ("podman-4.6", "podman-4.9"), ("podman-5.1", "podman-5.2"),
])  # fmt: skip
def test_a_version_belongs_to_a_row(name: str, row: str) -> None:
    """A name of a version stands for the row at which an outcome changed last."""
    assert versions()[name] == row


@pytest.mark.parametrize(("name", "nearest"), [
    ("podman-3.4", "podman-4.9"), ("podman-4", "podman-4.9"), ("podman-4.5.1", "podman-4.9"),
    ("podman-6", "podman-5.6"),
])  # fmt: skip
def test_a_version_without_a_row_says_why(name: str, nearest: str) -> None:
    """The ladder begins with 4.6 and ends with 5.8."""
    found = absent(name)
    assert found is not None
    assert (found[0].startswith("the ladder "), found[1]) == (True, nearest)


def test_the_table_of_states_has_every_command_and_state() -> None:
    """Each state allows a command, each command is refused somewhere."""
    states = {state for verb in COMMANDS_BY_STATE.values() for state in verb.legal}
    assert states == {CONFIGURED, CREATED, RUNNING, PAUSED, STOPPING, STOPPED, EXITED, REMOVING}
    assert all(set(verb.legal) < states for verb in COMMANDS_BY_STATE.values())


@pytest.mark.parametrize(("ports", "numbers"), [("", 45), ("-p 80:80", 53), ("-p 80:80 -p 81:81", 61)])
def test_a_run_takes_the_numbers_of_netavark_s_children(ports: str, numbers: int) -> None:
    """From podman to the program 45 with a bridge and 53 with a port: about 40 iptables, one after the other."""
    run = ran(f"{HEAD}services: {{}}\nsteps: [{{at: 1s, docker: run -d {ports} --name job nginx}}]\n")
    forks = [record.event for record in run.trace if isinstance(record.event, Execed)]
    (command,) = [event.pid for event in forks if event.image.argv[1:2] == ("run",)]
    program = next(event.pid for event in forks if event.image.program == "payload")
    assert program - command == numbers


def test_a_network_that_was_not_made_fails_the_start() -> None:
    """What netavark has made by then is taken away again."""
    text = """\
steps:
  - {id: run, at: 1s, docker: run -d --name job nginx}
  - {id: kill, at: Forked(netavark/job), kill: netavark/job}
expect: [{step: run, exit_code: 126}, {at: end, container: job, status: created, address: none}]
"""
    assert failures(HEAD + PLAIN + text) == []
