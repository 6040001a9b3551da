"""A signal through the API: what it holds, what it says and when, and what its verb does where it cannot be sent.

A row is a scenario with its own `expect:`. Source of the expectations: D daemon/kill.go, stop.go, restart.go,
delete.go; engine-1.13 §3.2, §4, §15, §16.9.
"""

from __future__ import annotations

import pytest

from sim.experiment.run import run_scenario
from sim.scenario import load

WEB = 'services: {web: {image: nginx, ports: ["80:80"], restart: always}, db: {image: postgres}}\n'
DOWN = WEB + "steps:\n  - {id: down, at: 1s, kill: containerd}\n"
HUNG = WEB + "steps:\n  - {id: down, at: 1s, stop: containerd}\n"
LOOP = """\
host: {begin: off}
services: {web: {image: nginx, restart: always%s, x-payload: {exits: {code: 3, after: 10ms}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d}
"""
GHOST = """\
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: down, at: 1s, kill: containerd}
  - {at: down+100ms, kill: payload/web}
  - {at: Listened(containerd)+1ms, stop: dockerd}
  - {at: Listened(containerd)+2s, kill: containerd}
  - {at: Listened(containerd)+2001ms, cont: dockerd}
  - {at: Listened(containerd)#2+1ms, stop: dockerd}
  - {at: Listened(containerd)#2+300ms, kill: containerd}
  - {at: Listened(containerd)#2+301ms, cont: dockerd}
"""

ROWS: dict[str, str] = {
    **{
        f"{verb} without containerd: two seconds, then an error, and nothing is said": DOWN
        + f"""\
  - {{id: it, at: down+100ms, docker: {verb} web}}
until: 60s
expect:
  - {{at: down+2050ms, step: it, unanswered: true}}
  - {{within: 2010ms, of: it, step: it, error: "code = 14 desc = grpc: the connection is unavailable"}}
  - {{at: end, container: web, status: running, pid: same}}
  - {{events: [], container: web, exact: true}}
"""
        for verb in ("stop", "kill", "restart", "rm -f")
    },
    "a signal that is on its way when containerd dies": HUNG
    + """\
  - {id: it, at: down+100ms, docker: kill -s HUP web}
  - {at: down+1s, kill: containerd}
until: 60s
expect:
  - {at: down+999ms, step: it, unanswered: true}
  - {within: 1s, of: it, step: it, error: "rpc error: code = 13 desc = transport is closing"}
""",
    "another signal without containerd is an error at once": DOWN
    + """\
  - {id: it, at: down+100ms, docker: kill -s HUP web}
until: 60s
expect:
  - {within: 10ms, of: it, step: it, error: "Cannot kill container web: Cannot kill container"}
  - {events: [], container: web, exact: true}
""",
    "a signal that could not be sent has canceled the policy all the same": DOWN
    + """\
  - {id: it, at: down+100ms, docker: stop web}
  - {id: shot, at: 60s, kill: payload/web}
until: 90s
expect:
  - {at: shot-1s, container: web, status: running}
  - {at: end, container: web, status: exited, exit_code: 137}
""",
    "a containerd that is back within two seconds gets KILL": DOWN
    + """\
  - {id: it, at: down+1500ms, docker: stop web}
until: 60s
expect:
  - {within: 2500ms, of: it, step: it, ok: true}
  - {events: [{kill: 9}, {die: 137}, network disconnect, stop], container: web, exact: true}
""",
    "a signal on its way holds the container's lock": HUNG
    + """\
  - {id: stop, at: 2s, docker: stop web}
  - {id: ps, at: 3s, docker: ps}
  - {id: this, at: 3s, docker: inspect web}
  - {id: other, at: 3s, docker: inspect db}
  - {id: go, at: 8s, cont: containerd}
until: 20s
expect:
  - {at: 7900ms, step: ps, unanswered: true}
  - {at: 7900ms, step: this, unanswered: true}
  - {within: 10ms, of: other, step: other, ok: true}
  - {within: 10ms, of: go, step: ps, ok: true}
  - {within: 10ms, of: go, step: this, ok: true}
  - {at: 7900ms, container: web, status: running}
  - {events: [{kill: 15}, {die: 0}, network disconnect, stop], container: web, exact: true}
""",
    "kill and wait are answered once the container's network is released": WEB.replace("always", '"no"')
    + """\
steps:
  - {id: wait, at: 1s, docker: wait web}
  - {id: jam, at: 2s, stop: proxy/web}
  - {id: kill, at: 3s, docker: kill web}
  - {id: go, at: 8s, cont: proxy/web}
until: 20s
expect:
  - {at: 7900ms, step: kill, unanswered: true}
  - {at: 7900ms, step: wait, unanswered: true}
  - {within: 200ms, of: go, step: kill, ok: true}
  - {within: 200ms, of: go, step: wait, ok: true}
""",
    "kill during backoff: no signal, no event, and it has stopped": LOOP % ""
    + """\
  - {id: kill, at: 'die(web)#7+1s', docker: kill web}
until: kill+60s
expect:
  - {within: 10ms, of: kill, step: kill, ok: true}
  - {at: kill+10ms, container: web, status: exited, exit_code: 3}
  - {at: end, container: web, status: exited}
""",
    "any signal during backoff ends it, too": LOOP % ""
    + """\
  - {id: hup, at: 'die(web)#7+1s', docker: kill -s HUP web}
until: hup+60s
expect:
  - {within: 10ms, of: hup, step: hup, ok: true}
  - {at: end, container: web, status: exited}
""",
    "with STOPSIGNAL a kill during backoff cancels nothing, and waits for two ends": LOOP % ", stop_signal: QUIT"
    + """\
  - {id: kill, at: 'die(web)#7+1s', docker: kill web}
until: 'die(web)#9+1s'
expect:
  - {at: kill+4s, container: web, status: restarting}
  - {at: 'die(web)#8+5s', step: kill, unanswered: true}
  - {step: kill, ok: true}
  - {events: [{die: 3}, network disconnect, network connect, start, {die: 3}, network disconnect, network connect,
              start, {die: 3}, network disconnect], container: web}
""",
    "with STOPSIGNAL a kill whose policy restarts waits for the next end, and kills nobody else": """\
services: {web: {image: nginx, restart: always, stop_signal: QUIT}}
steps:
  - {id: kill, at: 1s, docker: kill web}
  - {id: shot, at: 60s, kill: payload/web}
until: 70s
expect:
  - {at: shot-1ms, step: kill, unanswered: true}
  - {within: 500ms, of: shot, step: kill, ok: true}
  - {events: [{kill: 9}, {die: 137}, network disconnect, network connect, start, {die: 137}, network disconnect,
              network connect, start], container: web, exact: true}
""",
    "docker wait is over with an end after which the policy restarts": WEB
    + """\
steps:
  - {id: wait, at: 1s, docker: wait web}
  - {id: shot, at: 5s, kill: payload/web}
until: 20s
expect:
  - {at: shot-1ms, step: wait, unanswered: true}
  - {within: 500ms, of: shot, step: wait, ok: true}
  - {at: end, container: web, status: running, restarts: 1}
""",
    "with STOPSIGNAL rm -f refuses the policy's start, which ends the kill's wait": """\
services: {web: {image: nginx, restart: always, stop_signal: QUIT}}
steps:
  - {id: rm, at: 1s, docker: rm -f web}
until: 30s
expect:
  - {within: 500ms, of: rm, step: rm, ok: true}
  - {at: end, container: web, exists: false}
  - {events: [{kill: 9}, {die: 137}, network disconnect, destroy], container: web, exact: true}
""",
    "stop during backoff says `stop` alone; a restart starts it anew": LOOP % ""
    + """\
  - {id: stop, at: 'die(web)#6+1s', docker: stop web}
  - {id: up, at: stop+5s, docker: start web}
  - {id: again, at: 'die(web)#12+1s', docker: restart web}
until: again+100ms
expect:
  - {at: stop+4s, container: web, status: exited}
  - {at: again-1ms, container: web, status: restarting, restarts: 6}
  - {events: [stop web, network connect web, start web, stop web], container: web}
""",
    "rm -f of a restarting container": LOOP % ""
    + """\
  - {id: rm, at: 'die(web)#7+1s', docker: rm -f web}
until: rm+60s
expect:
  - {within: 100ms, of: rm, step: rm, ok: true}
  - {at: end, container: web, exists: false}
""",
    "rm -f of a ghost: a kill, then a stop of three seconds, 23 s in all": GHOST
    + """\
  - {id: rm, at: 60s, docker: rm -f web}
until: 90s
expect:
  - {at: rm+22900ms, step: rm, unanswered: true}
  - {within: 23100ms, of: rm, step: rm, ok: true}
  - {at: end, container: web, exists: false}
  - {events: [{kill: 9}, {kill: 15}, {kill: 9}, stop, destroy], container: web, exact: true}
""",
    "restart keeps a container of --rm; a stop does not": """\
services: {web: {image: nginx}}
steps:
  - {at: 1s, docker: run -d --rm --name job nginx}
  - {id: again, at: 10s, docker: restart job}
  - {id: stop, at: 20s, docker: stop job}
until: 30s
expect:
  - {step: again, ok: true}
  - {at: stop-1s, container: job, status: running, pid: new, since: again-1s}
  - {at: end, container: job, exists: false}
  - {events: [create, network connect, start, {kill: 15}, {die: 0}, network disconnect, stop, network connect, start,
              restart, {kill: 15}, {die: 0}, network disconnect, stop, destroy], container: job}
""",
    "a paused container is not started": WEB
    + """\
steps:
  - {at: 1s, docker: pause web}
  - {id: up, at: 2s, docker: start web}
until: 10s
expect:
  - {step: up, error: "Cannot start a paused container, try unpause instead."}
  - {at: end, container: web, status: paused}
""",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_verb_that_sends_a_signal(name: str) -> None:
    """Every expectation of the row's scenario holds."""
    found = run_scenario(load("row.yaml", ROWS[name]))
    assert not found.trace.note
    verdicts = found.verdicts()
    assert verdicts
    assert [f"{it.label}: {it.text}: {it.detail}" for it in verdicts if not it.holds] == []
