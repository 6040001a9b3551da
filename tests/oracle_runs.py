"""The scenarios of the oracles, as text: each the smallest in which its number can be measured."""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from sim.latency import EL7_IDLE, MS, PROFILES, Duration, Fixed
from sim.scenario import Scenario, load

WEB = 'services: {web: {image: nginx, ports: ["80:80"]}}\n'
JAVA = """\
services:
  web:
    image: arthas
    ports: ["80:80"]
    x-payload: {comm: sh, threads: 0, on_term: none, children: [{comm: java, argv: [java], threads: 18}]}
"""
DOWN = WEB + "steps: [{id: down, at: 60s, kill: containerd}]\nuntil: down+5m\n"
SHORT = DOWN.replace("5m", "6s")
HANG = WEB + "steps: [{id: down, at: 60s, stop: containerd}]\nuntil: down+5m\n"
TOLD = WEB.replace("}}", ", x-payload: {on_term: {exit: 143, after: 1ms}}}}")
FIVE = "services: {" + ", ".join(f"s{n}: {{image: nginx}}" for n in range(1, 6)) + "}\n"


@cache
def containerd_ready_after(wait: float, text: str) -> Scenario:
    """Return a scenario in which containerd listens *wait* s after its fork (S of §7.1)."""
    name = f"el7-idle with S = {wait:g} s"
    PROFILES[name] = {**EL7_IDLE, "containerd/listen": Duration(wait=Fixed(wait * MS), mark="C engine-1.13 §7.1")}
    scenario = load("oracle.yaml", text)
    setup = scenario.setup
    return replace(scenario, setup=replace(setup, engine=replace(setup.engine, profile=name)))


LOOP = """\
host: {begin: off}
services: {web: {image: nginx, restart: always, x-payload: {exits: {code: 1, after: 10ms}}}}
steps:
  - {systemctl: start docker}
  - {at: 10s, compose: up -d web}
until: 70s
"""
MANY = "host: {begin: off}\nservices:\n  old: {image: nginx}\n  top: {image: nginx}\n"
MANY += "".join(f"  s{n}: {{image: nginx}}\n" for n in range(25))
MANY += """\
steps:
  - {systemctl: start docker}
  - {at: 5s, compose: up -d old top}
  - {id: all, at: 60s, compose: up -d}
  - {id: hang, at: Forked(runc/s0)+100ms, stop: runc/*}
  - {at: hang+100ms, stop: runc/*, every: 100ms, times: 9}
  - {id: kill, at: hang+1s, docker: kill old}
  - {id: top, at: hang+1s, docker: top top}
  - {at: hang+6s, cont: runc/*}
until: hang+60s
"""
SLOW = """\
services: {web: {image: nginx}, db: {image: postgres}, top: {image: top}, exit: {image: exit}}
steps:
  - {id: exec, at: 1s, docker: exec web sleep 100}
  - {id: hang, at: Forked(runc/web)#1+5ms, stop: runc/web}
  - {id: kill, at: hang+300ms, docker: kill db}
  - {id: ask, at: hang+300ms, docker: top top}
  - {id: shot, at: hang+200ms, kill: payload/exit}
  - {at: hang+4s, cont: runc/web}
until: 20s
"""
LINES = """\
services: {web: {image: nginx, x-payload: {log: {stdout: 20KB/s, write: 100}}}}
steps: [{at: 10s, stop: dockerd}]
until: 30s
"""
BLOCKED = """\
services: {web: {image: nginx, x-payload: {log: 1MB/s}}}
steps:
  - {id: jam, at: 10s, host: {journald: stop}}
  - {id: shot, at: 20s, kill: payload/web}
until: 2m
"""
DEAD = SLOW.replace("{id: kill, at: hang+300ms, docker: kill db}", "{id: top, at: hang+300ms, docker: top db}\n"
                    "  - {at: hang+400ms, kill: payload/db}")  # fmt: skip
AWAY = WEB + "steps: [{id: down, at: 1s, kill: containerd}, {id: it, at: 1.1s, docker: stop web}]\nuntil: 10s\n"
SILENT = """\
steps:
  - {at: 1s, docker: run -d --name web -p 80:80 nginx}
  - {at: Forked(proxy/web), stop: proxy/web}
until: 30s
"""
STANDS = "steps: [{at: 1s, stop: containerd}, {at: 1.1s, systemctl: stop docker}]\nuntil: 30s\n"
PROBED = "services: {web: {image: nginx, healthcheck: {test: curl localhost}}}\nuntil: 100s\n"
BOOT = "host: {begin: off}\nsteps: [{id: down, systemctl: start docker}]\nuntil: 60s\n"
RUNC_CREATE = (
    "--log STATE/init/log.json --log-format json --systemd-cgroup=true create --bundle BUNDLE --console  --pid-file "
    "STATE/init/pid ID"
)
