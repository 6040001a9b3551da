"""The transition table of Docker 1.13.1 against the model: one small scenario a row, and what must come of it.

A row is a scenario of a few lines with its own `expect:`, the words that `docker events` says of container web after
t = 0 (`kill15`: with signal 15, `die137`: with exit code 137), and the words that a failing command shows. Numbers are
those of engine-1.13 §23, which is also the source of every expectation; `NOT_MODELLED` lists the rows that have none.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import pytest

from sim.engine import paths
from sim.engine.reach import NETNS
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone, StepTaken
from sim.kernel.events import Exited, Forked
from sim.properties import PROPERTIES
from sim.scenario import load
from sim.trace import Replay

NOT_MODELLED = {
    "T10": "bytes on stdout: no log path, so no exit waits for it",
    "T13": "docker pause",
    "T19": "docker exec",
    "T20": "docker exec",
    "T21": "out-of-memory kills",
    "T22": "out-of-memory kills",
    "T47b": "docker pause",
    "T52": "journald and bytes on stdout",
    "T56": "reload: HUP to dockerd is refused by name",
}

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
ALWAYS = 'services: {web: {image: nginx, ports: ["80:80"], restart: always}}\n'
UNLESS = 'services: {web: {image: nginx, ports: ["80:80"], restart: unless-stopped}}\n'
DEAF = 'services: {web: {image: nginx, ports: ["80:80"], x-payload: {on_term: none}}}\n'  # to TERM
RUN = "steps:\n  - {id: up, at: 1s, docker: run -d --name web -p 80:80 nginx}\n"
OFF = "host: {begin: off}\n"
BOOT = "host: {begin: boot}\n"
KEEP = "engine: {daemon: {live-restore: true}}\n"
CRASHING = """\
host: {begin: off}
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 10ms}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d web}
"""
GOES_DEAF = """\
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: again, at: Connected(containerd)+2ms, kill: containerd}
  - {id: exit, at: again+10m, kill: payload/web}
"""
GONE = """\
  - {at: end, process: shim/web, exists: false}
  - {at: end, process: proxy/web, exists: false}
  - {at: end, port: 80, from: remote, open: false}
"""


class Row(NamedTuple):
    """A row of the table. *errors* are parts of the messages that steps show; *gone* names files that must not be."""

    number: str
    sentence: str
    text: str
    events: str | None = ""
    errors: dict[str, str] = {}
    seeds: tuple[int, ...] = (1,)
    gone: tuple[str, ...] = ()


ROWS = (
    Row("T1", "A start makes proxy, shim and payload, each under its parent, and opens the port.", OFF + WEB + """\
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d web}
until: 20s
expect:
  - {at: end, process: proxy/web, parent: dockerd, count: 1}
  - {at: end, process: shim/web, parent: containerd, count: 1}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, port: 80, from: loopback, open: true}
""", "create connect start"),
    Row("T2", "A port that a stranger holds fails the start: all is rolled back, 128, a lone disconnect.", """\
steps:
  - {id: thief, host: {take_port: 80}}
  - {id: up, at: 1s, docker: run -d --name web -p 80:80 nginx}
  - {at: 10s, kill: stranger/thief}
  - {id: again, at: 11s, docker: start web}
until: 20s
expect:
  - {at: again-2s, container: web, status: created, exit_code: 128}
  - {at: again-2s, process: shim/web, exists: false}
  - {at: again-2s, process: proxy/web, exists: false}
  - {at: again-2s, port: 80, from: remote, open: false}
  - {at: again-2s, port: 80, from: loopback, open: false}
  - {at: again-2s, process: stranger/thief, parent: init, count: 1}
  - {at: end, container: web, status: running}
""", "create disconnect connect start", {
        "up": "driver failed programming external connectivity on endpoint web: Error starting userland proxy: "
              "listen tcp 0.0.0.0:80: bind: address already in use",
        "again": "",
    }),
    Row("T3", "A port that dockerd itself has given away fails the start: 128, a lone disconnect, no process.", """\
services: {other: {image: nginx, ports: ["80:80"]}}
""" + RUN + """\
until: 5s
expect:
  - {at: end, container: web, status: created, exit_code: 128}
  - {at: end, container: other, status: running, pid: same}
  - {at: end, process: shim/web, exists: false}
  - {at: end, process: proxy/web, exists: false}
""", "create disconnect", {"up": "Bind for 0.0.0.0:80 failed: port is already allocated"}),
    Row("T4", "A start without containerd fails with 128 and takes the proxy back.", WEB + """\
steps:
  - {at: 1s, docker: stop web}
  - {id: down, at: 2s, kill: containerd}
  - {id: up, at: down+100ms, docker: start web}
until: down+20s
expect:
  - {at: end, container: web, status: exited, exit_code: 128}
""" + GONE, "kill15 die0 disconnect stop connect disconnect", {"up": "grpc: the connection is unavailable"}),
    Row("T5", "A start without a pid file after two minutes loses its shim, and its runc with it.", RUN + """\
  - {id: hang, at: Forked(runc/web), stop: runc/web}
until: 3m
expect:
  - {at: up+119s, process: shim/web, parent: containerd, count: 1}
  - {at: end, container: web, status: created, exit_code: 128}
  - {at: end, process: runc/web, exists: false}
""" + GONE, "create connect disconnect", {"up": "did not start before the specified timeout"}),
    *(
        Row(f"T6 {why}", "A missing command costs 127, one that cannot be executed 126; no policy tries again.", f"""\
host: {{begin: off}}
services: {{web: {{image: nginx, ports: ["80:80"], restart: always, x-payload: {{fails_to_start: {why}}}}}}}
steps:
  - {{systemctl: start docker}}
  - {{id: up, at: 10s, docker: run -d --name web nginx}}
until: 2m
expect:
  - {{at: Forked(runc/web)+10ms, process: shim/web, parent: containerd}}
  - {{at: end, container: web, status: created, exit_code: {code}}}
  - {{at: end, process: payload/web, exists: false}}
""" + GONE, "create connect disconnect", {
            "up": "oci runtime error: container_linux.go:235: starting container process caused "
                  f'"exec: \\"nginx\\": {words}"',
        })
        for why, code, words in (
            ("not found", 127, "executable file not found in $PATH"),
            ("permission denied", 126, "permission denied"),
        )
    ),
    Row("T7", "A payload that leaves takes shim, proxy and port along; the code is its own.", """\
host: {begin: off}
services: {web: {image: nginx, ports: ["80:80"], x-payload: {exits: {code: 3, after: 5s}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d web}
until: 30s
expect:
  - {at: end, container: web, status: exited, exit_code: 3}
""" + GONE, "create connect start die3 disconnect"),
    Row("T8", "A policy restarts a payload that was killed, with a new proxy, shim and payload.", ALWAYS + """\
steps:
  - {id: shot, at: 1s, kill: payload/web}
until: 10s
expect:
  - {at: die(web)+50ms, container: web, status: restarting, exit_code: 137}
  - {at: end, container: web, status: running, pid: new, restarts: 1}
  - {at: end, process: proxy/web, parent: dockerd, count: 1}
  - {at: end, process: shim/web, parent: containerd, count: 1}
""", "die137 disconnect connect start"),
    Row("T9", "A restart that fails is the last one: a policy gives up while containerd is away.", ALWAYS + """\
steps:
  - {at: 1s, kill: payload/web}
  - {at: die(web), kill: containerd}
until: 60s
expect:
  - {at: end, process: containerd, parent: dockerd, count: 1}
  - {at: end, container: web, status: exited}
""" + GONE, "die137 disconnect connect disconnect"),
    Row("T11", "docker stop: a payload that handles TERM leaves with its own code.", WEB + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
until: 10s
expect:
  - {at: stop+1s, container: web, status: exited, exit_code: 0}
""" + GONE, "kill15 die0 disconnect stop"),
    Row("T12", "docker stop: a first process without a handler for TERM costs ten seconds, then 137.", DEAF + """\
steps:
  - {id: stop, at: 1s, docker: stop web}
until: 20s
expect:
  - {at: stop+9900ms, container: web, status: running, pid: same}
  - {at: stop+11s, container: web, status: exited, exit_code: 137}
""" + GONE, "kill15 kill9 die137 disconnect stop"),
    Row("T14", "A lost exit makes a ghost: docker stop waits 10 s twice, succeeds, and nothing has changed.", WEB + """\
steps:
  - {id: down, at: 1s, kill: containerd}
  - {at: down+100ms, kill: payload/web}
  - {at: Listened(containerd)+1150ms, kill: containerd}
  - {id: stop, at: 60s, docker: stop web}
until: 90s
expect:
  - {at: stop+19s, container: web, status: running}
  - {at: end, container: web, status: running}
  - {at: end, process: payload/web, exists: false}
  - {within: 20100ms, of: stop+19900ms, events: [stop web]}
""", "kill15 kill9 stop", {"stop": ""}, (4, 6, 7)),
    Row("T14b", "A stranger with a ghost's number: dockerd itself kills it after 20 s, then waits for ever.", WEB + """\
steps:
  - {id: down, at: 1s, kill: containerd}
  - {at: down+100ms, kill: payload/web}
  - {at: Listened(containerd)+1150ms, kill: containerd}
  - {id: other, at: 30s, host: {take_pid: payload/web}}
  - {id: stop, at: 60s, docker: stop web}
until: 10m
expect:
  - {at: stop+19s, process: stranger/other, exists: true}
  - {at: stop+21s, process: stranger/other, exists: false}
  - {at: end, container: web, status: running}
""", "kill15 kill9", {"stop": "(never)", "other": ""}, (4, 6, 7)),
    Row("T15", "docker stop during backoff is not on disk: dockerd's next start applies the policy.", CRASHING + """\
  - {id: stop, at: die(web)#6+100ms, docker: stop web}
  - {id: kill, at: stop+10s, kill: dockerd}
until: kill+20s
expect:
  - {at: stop-10ms, container: web, status: restarting}
  - {at: kill-1s, container: web, status: exited}
  - {at: kill+50ms, container: web, status: restarting}         # what the disk says
  - {within: 10s, of: kill, container: web, status: running}
  - events: [stop web, die web, start web]
""", None),
    Row("T16", "docker kill, STOPSIGNAL and always: the policy restarts it and the command never returns.", """\
services: {web: {image: nginx, ports: ["80:80"], restart: always, stop_signal: SIGTERM}}
steps:
  - {id: kill, at: 1s, docker: kill web}
until: 5m
expect:
  - {at: end, container: web, status: running, pid: new}
""", None, {"kill": "(never)"}),
    Row("T17", "docker kill -s HUP cancels the policy: the next exit is final until dockerd's start.", ALWAYS + """\
steps:
  - {id: hup, at: 1s, docker: kill -s HUP web}
  - {id: crash, at: 5s, kill: payload/web}
  - {id: boot, at: 20s, kill: dockerd}
until: 60s
expect:
  - {at: crash-1s, container: web, status: running, pid: same}
  - {at: boot-1s, container: web, status: exited, exit_code: 137}
  - {at: end, container: web, status: running, pid: new}
""", "kill1 die137 disconnect connect start"),
    Row("T17 unless-stopped", "With unless-stopped the exit after a HUP is final for good.", UNLESS + """\
steps:
  - {id: hup, at: 1s, docker: kill -s HUP web}
  - {id: crash, at: 5s, kill: payload/web}
  - {id: boot, at: 20s, kill: dockerd}
until: 60s
expect:
  - {at: crash-1s, container: web, status: running, pid: same}
  - {at: end, container: web, status: exited, exit_code: 137}
""", "kill1 die137 disconnect"),
    Row("T18", "docker rm -f kills, then destroys.", WEB + """\
steps:
  - {at: 1s, docker: rm -f web}
until: 10s
expect:
""" + GONE, "kill9 die137 disconnect destroy", gone=(paths.container("web"),)),
    Row("T23", "A killed proxy stays a zombie: loopback is dark, remote clients see nothing of it.", WEB + """\
steps:
  - {id: shot, at: 1s, kill: proxy/web}
  - {id: stop, at: 60s, docker: stop web}
until: 70s
expect:
  - {at: stop-1s, process: proxy/web, parent: dockerd, state: Z, count: 1}
  - {at: stop-1s, container: web, status: running, pid: same}
  - {at: stop-1s, port: 80, from: remote, open: true}
  - {at: stop-1s, port: 80, from: loopback, open: false}
  - {at: stop-1s, port: 80, from: container, open: false}
""" + GONE, "kill15 die0 disconnect stop"),
    Row("T24", "A proxy that takes TERM is as gone as a killed one.", WEB + """\
steps:
  - {id: shot, at: 1s, kill: proxy/web, signal: TERM}
  - {id: stop, at: 60s, docker: stop web}
until: 70s
expect:
  - {at: stop-1s, process: proxy/web, parent: dockerd, state: Z, count: 1}
  - {at: stop-1s, port: 80, from: remote, open: true}
  - {at: stop-1s, port: 80, from: loopback, open: false}
""" + GONE, "kill15 die0 disconnect stop"),
    Row("T25", "A stranger takes a dead proxy's port: the policy's attempt fails and is the last one.", ALWAYS + """\
steps:
  - {id: shot, at: 1s, kill: proxy/web}
  - {id: thief, at: 2s, host: {take_port: 80}}
  - {id: exit, at: 3s, kill: payload/web}
  - {id: left, at: 20s, kill: stranger/thief}
until: 5m
expect:
  - {at: exit-1ms, container: web, status: running, pid: same}
  - {at: exit-1ms, port: 80, from: remote, open: true}
  - {at: exit-1ms, port: 80, from: loopback, open: false}    # the stranger answers
  - {at: left-1ms, process: stranger/thief, parent: init, count: 1}
  - {at: end, container: web, status: exited, exit_code: 137}
""" + GONE, "die137 disconnect disconnect"),
    Row("T26", "A shim that dies under containerd costs its payload's life within milliseconds.", WEB + """\
steps:
  - {id: shot, at: 1s, kill: shim/web}
until: 10s
expect:
  - {within: 50ms, of: shot, process: payload/web, exists: false}
  - {at: end, container: web, status: exited, exit_code: 137}
""" + GONE, "die137 disconnect"),
    Row("T27", "An orphaned shim that dies is noticed by its fifo: 137 as well.", WEB + """\
steps:
  - {id: down, at: 1s, kill: containerd}
  - {id: shot, at: 60s, kill: shim/web}
until: 70s
expect:
  - {at: shot-1s, process: shim/web, parent: init, count: 1}
  - {within: 1s, of: shot, process: payload/web, exists: false}
  - {at: end, container: web, status: exited, exit_code: 137}
""" + GONE, "die137 disconnect"),
    Row("T28", "A shim killed while containerd is down: the payload lives on under PID 1, then 255.", WEB + """\
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: shot, at: Exited(containerd)+200ms, kill: shim/web}
until: down+30s
expect:
  - {at: shot+100ms, process: payload/web, parent: init}
  - {at: shot+100ms, container: web, status: running}
  - {within: 20s, of: down, container: web, status: exited, exit_code: 255}
""", "die255 disconnect"),
    *(
        Row(f"T29 {signal}", "A shim ignores every signal that can be caught.", WEB + f"""\
steps:
  - {{at: 1s, kill: shim/web, signal: {signal}}}
until: 10s
expect:
  - {{at: end, process: shim/web, parent: containerd, count: 1}}
  - {{at: end, container: web, status: running, pid: same}}
""")
        for signal in ("TERM", "HUP", "INT", "QUIT", "USR1", "SEGV")
    ),
    *(
        Row(f"T30 {signal}", "containerd comes back after 1.0 to 1.6 s; shims stay PID 1's, payloads stay.", WEB + f"""\
steps:
  - {{id: down, at: 60s, kill: containerd, signal: {signal}}}
  - {{id: stop, at: down+20m, docker: stop web}}
  - {{at: stop+1s, docker: start web}}
until: stop+10s
expect:
  - {{at: down+990ms, process: containerd, count: 0}}
  - {{at: down+1600ms, process: containerd, parent: dockerd, count: 1}}
  - {{at: stop-1s, process: containerd, parent: dockerd, count: 1}}
  - {{at: stop-1s, process: shim/web, parent: init, count: 1}}
  - {{at: stop-1s, container: web, status: running, pid: same, since: down-1s}}
  - {{at: end, process: shim/web, parent: containerd, count: 1}}   # a new start is the new containerd's
""", "kill15 die0 disconnect stop connect start", seeds=tuple(range(1, 11)))
        for signal in ("KILL", "TERM")
    ),
    Row("T31", "A containerd that dies while a health check waits for it stays away; what runs goes on.", WEB + """\
steps:
  - {id: hang, at: 60s, stop: containerd}
  - {id: shot, at: hang+2s, kill: containerd}
  - {id: exit, at: shot+30s, kill: payload/web}
until: shot+2m
expect:
  - {at: end, process: containerd, exists: false}
  - {at: exit-1s, process: payload/web, exists: true}
  - {at: end, container: web, status: running}
"""),
    Row("T32", "A hung containerd is killed 9.0 to 9.6 s later: three checks of three seconds.", WEB + """\
steps:
  - {id: hang, at: 60s, stop: containerd}
until: hang+20m
expect:
  - {at: hang+8990ms, process: containerd, state: T, count: 1}
  - {at: hang+9620ms, process: containerd, state: S, count: 1}
  - {at: end, process: containerd, parent: dockerd, count: 1}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, container: web, status: running, pid: same}
"""),
    Row("T33", "A payload that leaves while containerd is down: its shim keeps the true code.", """\
host: {begin: off}
services: {web: {image: nginx, ports: ["80:80"], x-payload: {exits: {code: 3, after: 10s}}}}
steps:
  - {systemctl: start docker}
  - {at: 5s, compose: up -d web}
  - {id: down, at: start(web)+9900ms, kill: containerd}
until: down+60s
expect:
  - {at: down+900ms, process: shim/web, exists: false}
  - {at: down+900ms, container: web, status: running}
  - {at: end, container: web, status: exited, exit_code: 3}
""" + GONE, "create connect start die3 disconnect"),
    Row("T34", "containerd dies again before dockerd has read an exit: a ghost with proxy and address.", WEB + """\
steps:
  - {id: down, at: 1s, kill: containerd}
  - {at: down+100ms, kill: payload/web}
  - {at: Listened(containerd)+1150ms, kill: containerd}
until: 10m
expect:
  - {at: end, container: web, status: running, pid: same}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: proxy/web, parent: dockerd, count: 1}
""", "", seeds=(4, 6, 7)),
    Row("T35", "containerd dies late in a start: 128, and a ghost that makes the next start fail.", RUN + """\
  - {id: down, at: Forked(runc/web)+100ms, kill: containerd}
  - {id: again, at: down+60s, docker: start web}
until: down+70s
expect:
  - {at: again-1s, container: web, status: created, exit_code: 128}
  - {at: again-1s, process: payload/web, exists: true}
  - {at: again-1s, process: proxy/web, exists: false}
  - {at: end, container: web, status: created, exit_code: 128}
""", "create connect disconnect connect disconnect", {
        "up": "grpc: the connection is unavailable", "again": "file exists",
    }),
    Row("T35 early", "containerd dies before the hook has moved the network: the hook fails, so does runc.", RUN + """\
  - {id: down, at: Forked(runc/web)+20ms, kill: containerd}
until: down+60s
expect:
  - {at: end, container: web, status: created, exit_code: 128}
  - {at: end, process: payload/web, exists: false}
""" + GONE, "create connect disconnect", {"up": "grpc: the connection is unavailable"}),
    Row("T36", "containerd dies before the new subscription is sent: dockerd is deaf to all exits.", """\
engine: {profile: el7-swapping}
services: {web: {image: nginx, ports: ["80:80"], restart: always}, db: {image: postgres}}
""" + GOES_DEAF + """\
  - {id: stop, at: exit, docker: stop db}
  - {id: up, at: exit+1m, docker: run -d --name late nginx}
until: exit+2m
expect:
  - {at: exit-1s, process: containerd, parent: dockerd, count: 1}
  - {at: end, container: web, status: running}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: shim/web, exists: false}
  - {at: end, container: db, status: running}
  - {at: end, container: late, status: running}          # everything else works
""", "", {"stop": "", "up": ""}, (1, 2, 3)),
    Row("T36 healed", "A restart of dockerd heals deafness: the exit is read from containerd's log.", """\
engine: {profile: el7-swapping}
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
""" + GOES_DEAF + """\
  - {id: boot, at: exit+1m, systemctl: restart docker}
until: boot+2m
expect:
  - {at: end, container: web, status: running, pid: new}
""", "kill15 kill9 die137 connect start", seeds=(1, 2, 3)),
    Row("T36 boot", "containerd dies before the first subscription is sent: dockerd leaves with 1.", """\
engine: {profile: el7-swapping}
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: boot, at: 1s, kill: dockerd}
  - {at: Connected(containerd)+2ms, kill: containerd}
until: 60s
expect:
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
""", "", seeds=(1, 2, 3)),
    Row("T37", "A cut-off line in events.log is fatal to each new containerd; what runs goes on, its exits unnoticed.",
        ALWAYS + """\
steps:
  - {at: 1s, kill: payload/web}                            # an exit is in the log
  - {id: torn, at: 20s, host: {tear: events.log}}
  - {id: down, at: torn+5s, kill: containerd}
  - {id: exit, at: down+30s, kill: payload/web}
  - {id: up, at: down+40s, docker: run -d --name late nginx}
until: down+3m
expect:
  - {at: down-1s, process: containerd, parent: dockerd, count: 1}
  - {at: exit-1s, process: payload/web, exists: true}
  - {at: end, process: containerd, exists: false}
  - {at: up-1s, container: web, status: running, pid: new}   # nobody has told dockerd
""", None, {"torn": "", "up": "grpc: the connection is unavailable"}),
    Row("T37 empty", "A log without a line has none that can be cut off.", WEB + """\
steps: [{id: torn, at: 1s, host: {tear: events.log}}]
until: 2s
""", "", {"torn": "events.log: nothing to cut off"}),
    Row("V2 torn", "With a torn process.json the next containerd drops the container, which lives on unknown.", """\
services: {web: {image: nginx, ports: ["80:80"]}, late: {image: nginx}}
steps:
  - {at: 1s, docker: rm -f late}
  - {id: torn, at: 10s, host: {tear: web/process.json}}
  - {id: down, at: torn, kill: containerd}
  - {id: boot, at: down+1m, kill: dockerd}
  - {id: late, at: boot+20s, docker: run -d --name late nginx}
  - {id: again, at: late+5s, docker: start web}
until: boot+60s
expect:
  - {at: boot-1s, container: web, status: running, pid: same}
  - {at: late-1s, container: web, status: exited, exit_code: 255}
  - {at: late-1s, process: payload/web, parent: shim/web, count: 1}
  - {at: late-1s, process: shim/web, parent: init, count: 1}
  - {at: end, container: late, status: running}
  - {at: end, container: web, status: exited}
""", None, {"again": "Error response from daemon"}),
    Row("T38", "systemctl stop: payloads, shims, proxies, containerd and both pid files go.", ALWAYS + """\
steps:
  - {id: stop, at: 1s, systemctl: stop docker}
until: 60s
expect:
  - {at: stop+3s, process: dockerd, exists: false}
  - {at: stop+3s, process: containerd, exists: false}
  - {at: end, container: web, status: exited, exit_code: 0}
""" + GONE, "kill15 die0 disconnect stop", gone=(paths.DOCKER_PID, paths.CONTAINERD_PID)),
    Row("T39", "systemctl stop with live-restore: payload and shim stay, under PID 1.", KEEP + ALWAYS + """\
steps:
  - {id: stop, at: 1s, systemctl: stop docker}
until: 60s
expect:
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: containerd, exists: false}
  - {at: end, process: proxy/web, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
  - {at: end, port: 80, from: remote, open: true}
""", gone=(paths.DOCKER_PID, paths.CONTAINERD_PID)),
    Row("T40", "systemctl stop waits ten seconds for a payload without a handler for TERM.", """\
services:
  web: {image: nginx, x-payload: {on_term: none}}
  db: {image: postgres}
steps:
  - {id: stop, at: 1s, systemctl: stop docker}
until: 60s
expect:
  - {at: stop+1s, process: payload/db, exists: false}    # in parallel
  - {at: stop+9900ms, process: payload/web, exists: true}
  - {at: stop+13s, process: dockerd, exists: false}
  - {at: end, container: web, status: exited, exit_code: 137}
""", "kill15 kill9 die137 disconnect stop"),
    Row("T41", "A stop timeout beyond systemd's 90 s: dockerd is killed and stays down.", """\
services: {web: {image: nginx, stop_grace_period: 120s, x-payload: {on_term: none}}}
steps:
  - {id: stop, at: 1s, systemctl: stop docker}
until: 5m
expect:
  - {at: stop+89s, process: dockerd, exists: true}
  - {at: stop+91s, process: dockerd, exists: false}
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
""", "kill15"),
    *(
        Row(f"T42 {signal}", "A dockerd that aborts or faults is started again, as after a kill.", ALWAYS + f"""\
steps:
  - {{id: kill, at: 1s, kill: dockerd, signal: {signal}}}
until: 60s
expect:
  - {{at: kill+50ms, process: containerd, exists: false}}
  - {{at: kill+50ms, process: shim/web, parent: init}}
  - {{at: end, container: web, status: running, pid: new}}
""", "die0 connect start")
        for signal in ("ABRT", "SEGV")
    ),
    Row("T43", "SIGKILL to dockerd takes containerd and proxy along, not shim and payload.", WEB + """\
steps:
  - {id: kill, at: 1s, kill: dockerd}
until: kill+90ms
expect:
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: containerd, exists: false}
  - {at: end, process: proxy/web, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, port: 80, from: loopback, open: false}
"""),
    Row("T44", "A dockerd that leaves with a code is not started again: QUIT ends it with 131.", WEB + """\
steps:
  - {id: quit, at: 1s, kill: dockerd, signal: QUIT}
until: 60s
expect:
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
"""),
    Row("T45", "A pid file whose number lives again, be it as a thread, keeps dockerd down.", """\
host: {begin: off, next_pid: 1000}
""" + WEB + """\
steps:
  - {systemctl: start docker}                       # dockerd is 1000
  - {at: 5s, host: {next_pid: 2000}}
  - {compose: up -d web}
  - {id: kill, at: 60s, kill: dockerd}
  - {at: kill+50ms, host: {next_pid: 996}}          # the next dockerd's own threads: 997 to 1001
until: kill+60s
expect:
  - {within: 500ms, of: Forked(dockerd)#2, process: dockerd, exists: false}
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
""", "create connect start"),
    Row("T46", "containerd's number lives again: dockerd kills the stranger and never gets ready.", WEB + """\
steps:
  - {id: down, at: 1s, kill: containerd}           # shims are of its session: its number stays taken
  - {id: kill, at: 60s, kill: dockerd}
  - {id: other, at: Reaped(containerd)#2, host: {take_pid: containerd}}
  - {id: ask, at: kill+60s, docker: stop web}
until: kill+10m
expect:
  - {at: kill+50ms, process: stranger/other, parent: init, count: 1}
  - {at: kill+5s, process: stranger/other, exists: false}
  - {at: end, process: dockerd, parent: init, count: 1}
  - {at: end, process: containerd, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, process: payload/web, parent: shim/web, count: 1}
""", "", {"ask": "(never)", "other": ""}),
    Row("T47", "Without live-restore a new dockerd stops what it finds: TERM, ten seconds, KILL.", DEAF + """\
steps:
  - {id: kill, at: 1s, kill: dockerd}
until: kill+30s
expect:
  - {at: kill+11s, process: payload/web, exists: true}
  - {at: kill+13s, process: payload/web, exists: false}
  - {at: end, container: web, status: exited, exit_code: 137}
""" + GONE, "die137"),
    Row("T48", "With live-restore a new dockerd re-attaches: new proxy, old payload, `start` again.", KEEP + WEB + """\
steps:
  - {id: kill, at: 1s, kill: dockerd}
until: kill+30s
expect:
  - {at: kill+500ms, process: proxy/web, exists: false}
  - {at: end, container: web, status: running, pid: same}
  - {at: end, process: shim/web, parent: init, count: 1}
  - {at: end, process: proxy/web, parent: dockerd, count: 1}
  - {at: end, port: 80, from: loopback, open: true}
""", "start"),
    Row("T48 taken", "A mapping that a boot cannot restore: the container stays, without proxy.", KEEP + WEB + """\
steps:
  - {id: kill, at: 1s, kill: dockerd}
  - {id: thief, at: Exited(proxy/web), host: {take_port: 80}}
until: kill+30s
expect:
  - {at: end, container: web, status: running, pid: same}
  - {at: end, process: proxy/web, exists: false}
  - {at: end, process: stranger/thief, exists: true}
""", "start", {"thief": ""}),
    Row("T49", "dockerd dies inside a start: the next one leaves a proxy without a container.", RUN + """\
  - {id: kill, at: Forked(shim/web), kill: dockerd}
until: kill+60s
expect:
  - {at: end, container: web, status: created}
  - {at: end, process: payload/web, exists: false}
  - {at: end, process: proxy/web, parent: dockerd, count: 1}
""", "create connect", {"up": "EOF"}),
    Row("T50", "More than five starts within ten seconds: systemd gives up.", WEB + """\
steps:
  - {id: kill, at: 1s, kill: dockerd}
  - {at: Forked(dockerd)#1+50ms, kill: dockerd}
  - {at: Forked(dockerd)#2+50ms, kill: dockerd}
  - {at: Forked(dockerd)#3+50ms, kill: dockerd}
  - {at: Forked(dockerd)#4+50ms, kill: dockerd}
  - {at: Forked(dockerd)#5+50ms, kill: dockerd}
until: 10m
expect:
  - {at: end, process: dockerd, exists: false}
  - {at: end, process: shim/web, parent: init, count: 1}
"""),
    *(
        Row(f"T51 {policy}", "A reboot is `die 255` for what ran; then the policy decides.", BOOT + f"""\
services: {{web: {{image: nginx, ports: ["80:80"], restart: "{policy}"}}}}
until: 60s
expect:
  - {{at: end, container: web, status: {status}}}
""", events)
        for policy, status, events in (
            ("no", "exited", "die255"),
            ("always", "running", "die255 connect start"),
            ("unless-stopped", "running", "die255 connect start"),
            ("on-failure", "running", "die255 connect start"),
        )
    ),
    Row("T53", "A stopped dockerd answers nobody; the exit is handled after CONT.", WEB + """\
steps:
  - {id: hang, at: 1s, stop: dockerd}
  - {at: 5s, kill: payload/web}
  - {id: go, at: 60s, cont: dockerd}
until: 90s
expect:
  - {at: go-1s, process: shim/web, exists: false}
  - {at: go-1s, container: web, status: running}
  - {within: 2s, of: go, container: web, status: exited, exit_code: 137}
""" + GONE, "die137 disconnect"),
    Row("T55", "Numbers wrap from 32767 to 300: the payload's is below its shim's.", OFF + WEB + """\
steps:
  - {systemctl: start docker}
  - {at: 5s, host: {next_pid: 32750}}
  - {compose: up -d web}
until: 20s
expect:
  - {at: end, process: payload/web, parent: shim/web, count: 1}
""", "create connect start"),
)  # fmt: skip

WRONG: dict[str, str] = {}  # number of a row that the model gets wrong -> why; strict


def run(text: str, seed: int = 1) -> Run:
    """Run a scenario's text."""
    return run_scenario(load("row.yaml", text), seed)


def events(found: Run, container: str = "web") -> str:
    """Return the words of `docker events` about a container after t = 0, with signals and exit codes."""
    words = []
    for record in found.trace:
        event = record.event
        if isinstance(event, EngineEvent) and event.container == container and (record.at or 0) > found.trace.origin:
            about = dict(event.attributes)
            words.append(event.action + about.get("signal", about.get("exitCode", "")))
    return " ".join(words)


def times(found: Run, word: str) -> list[float]:
    """Return when an event of web was said, in seconds."""
    said = (record for record in found.trace if isinstance(record.event, EngineEvent) and record.event.action == word)
    return [((record.at or 0) - found.trace.origin) / 1e6 for record in said]


def cases() -> list[object]:
    """Return the rows as parameters, those that the model has wrong marked so."""
    marks = {number: pytest.mark.xfail(strict=True, reason=reason) for number, reason in WRONG.items()}
    return [pytest.param(row, id=row.number, marks=marks.get(row.number, ())) for row in ROWS]


@pytest.mark.parametrize("row", cases())
def test_a_row_of_the_table_comes_out(row: Row) -> None:
    """A row's expectations hold, its events are the engine's, and its commands end as people saw them end."""
    for seed in row.seeds:
        found = run(row.text, seed)
        failed = [f"{verdict.text}: {verdict.detail}" for verdict in found.verdicts() if not verdict.holds]
        assert not failed, f"seed {seed}: {row.sentence}"
        assert row.events is None or events(found) == row.events
        ended = {it.event.id: it.event.error for it in found.trace if isinstance(it.event, StepDone)}
        for step, words in row.errors.items():
            assert words in ended.get(step, "(never)")
            assert words or not ended[step]
        assert not {path for path in row.gone if path in found.at().host.files}


def test_every_row_of_the_table_is_covered_or_listed() -> None:
    """T1 to T56 each have a scenario, or a reason why not; none has both."""
    covered = {row.number.split()[0] for row in ROWS if row.number.startswith("T")} | {"T54"}
    assert {f"T{number}" for number in range(1, 57)} | {"T14b", "T47b"} == covered | set(NOT_MODELLED)
    assert not covered & set(NOT_MODELLED)
    assert set(WRONG) <= {row.number for row in ROWS}


def test_ids_wrap_to_300() -> None:
    """T55: 32767 is followed by 300."""
    (row,) = (row for row in ROWS if row.number == "T55")
    host = run(row.text).at().host
    pids = {process.image.program: process.pid for process in host.procs.values()}
    assert pids["dockerd"] < 300 <= pids["payload"] < 350
    assert 32750 < pids["proxy"] < pids["shim"] < 32768


def test_a_stop_of_a_ghost_takes_twice_ten_seconds() -> None:
    """T14: the signal is not sent to anybody, which is only logged: ten seconds, KILL, ten seconds, success."""
    (row,) = (row for row in ROWS if row.number == "T14")
    for seed in row.seeds:
        found = run(row.text, seed)
        ended = {it.event.id: it.at or 0 for it in found.trace if isinstance(it.event, StepDone)}
        assert ended["stop"] - found.trace.origin == pytest.approx(80_000_000, abs=100_000)


def test_a_torn_log_costs_a_containerd_each_second_and_a_half() -> None:
    """T37: three failed checks, then the next containerd, without end."""
    (row,) = (row for row in ROWS if row.number == "T37")
    found = run(row.text)
    down = next(it.seq for it in found.trace if isinstance(it.event, StepTaken) and it.event.id == "down")
    after = (it for it in found.trace if it.seq > down)
    leaves = [it.at or 0 for it in after if isinstance(it.event, Exited) and it.event.status == 1]
    gaps = [after - before for before, after in pairwise(leaves)]
    assert len(gaps) > 100
    assert all(1_250_000 <= gap <= 1_850_000 for gap in gaps)


def test_a_ghost_s_address_is_given_away() -> None:
    """V21: dockerd frees the address of a payload that nobody knows, and the next container gets it."""
    (row,) = (row for row in ROWS if row.number == "V2 torn")
    world = run(row.text).at()
    addresses = [address for address in world.host.listeners if address.startswith("net/tcp:")]
    assert str(world.host.files[NETNS + "late"]) in addresses[0]
    for name in ("V2", "V21"):
        assert not PROPERTIES[name].holds(world)


def test_backoff_doubles_without_end_and_starts_anew_after_ten_seconds() -> None:
    """T8: pauses of 0.1, 0.2, 0.4 … s after each exit; a run of ten seconds sets the pause back to 0.1 s."""
    found = run(CRASHING + "until: 70s\n")
    dies, connects = times(found, "die"), times(found, "connect")[1:]
    pauses = [again - died for died, again in zip(dies, connects, strict=False)]
    assert len(pauses) >= 9
    assert pauses == pytest.approx([0.25 + 0.1 * 2**n for n in range(len(pauses))], abs=0.2)
    long = run(CRASHING.replace("10ms", "11s") + "until: 70s\n")
    dies, connects = times(long, "die"), times(long, "connect")[1:]
    assert len(connects) >= 4
    assert all(again - died < 0.4 for died, again in zip(dies, connects, strict=False))


def test_on_failure_stops_at_its_maximum_and_at_a_good_exit() -> None:
    """on-failure:3 restarts three times; an exit with 0 ends it at once."""
    counts = {}
    for code in (1, 0):
        text = CRASHING.replace("always", "on-failure:3").replace("code: 1", f"code: {code}")
        counts[code] = Counter(events(run(text + "until: 60s\n")).split())["start"]
    assert counts == {1: 4, 0: 1}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill web", "kill9 die137 disconnect"),
        ("restart web", "kill15 die0 disconnect stop connect start restart"),
        ("stop -t 3 web", "kill15 die0 disconnect stop"),
        ("kill -s TERM web", "kill15 die0 disconnect"),
    ],
)
def test_a_command_says_its_events_in_order(command: str, words: str) -> None:
    """kill, restart and stop say the events of engine-1.13 §3.2."""
    assert events(run(WEB + f"steps: [{{at: 1s, docker: {command}}}]\nuntil: 20s\n")) == words


def test_containerd_starts_ten_at_once_and_queues_ten() -> None:
    """T54: with more starts than ten workers and ten places the main loop stands still, and all come up in the end."""
    names = ", ".join(f"s{number}: {{image: nginx}}" for number in range(30))
    steps = "[{systemctl: start docker}, {at: 5s, compose: up -d}]"
    found = run(f"host: {{begin: off, cores: 64}}\nservices: {{{names}}}\nsteps: {steps}\nuntil: 60s\n")
    replay, most = Replay(found.trace), Counter[str]()
    while replay.step():
        world = replay.world
        pid = world.host.listeners.get(paths.CONTAINERD_SOCK)
        if pid is not None:
            most["workers"] = max(most["workers"], world.running(pid, "containerd.worker"))
            for queue in ("start_tasks", "tasks"):
                most[queue] = max(most[queue], len(world.queue(pid, queue)))
    assert (most["workers"], most["start_tasks"]) == (10, 10)
    assert most["tasks"] >= 5  # nobody takes them
    assert Counter(process.image.program for process in found.at().host.procs.values())["payload"] == 30


def test_systemd_starts_dockerd_five_times_and_no_more() -> None:
    """T50: five new dockerds, then the unit has failed."""
    (row,) = (row for row in ROWS if row.number == "T50")
    found = run(row.text)
    after = [it.event for it in found.trace if (it.at or 0) > found.trace.origin]
    assert sum(isinstance(event, Exited) for event in after) >= 6
    ours = [event for event in after if isinstance(event, Forked) and event.ppid == 1]
    assert len(ours) == 5
