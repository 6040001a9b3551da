"""`shimulator init`: a first scenario, alone or for a Compose file.

Models: a file that works as it is written and whose comments say what to change. Leaves out guesses about the
programs of an image: what is not known stands there as a comment with the value that is assumed. Source:
Compose file reference; the project's scenario language.
"""

from __future__ import annotations

import os

import yaml

from sim.engine.setup import EngineSetup
from sim.errors import InputError
from sim.scenario.check import Report
from sim.scenario.compile import Compiler, Scenario
from sim.scenario.merge import Loader
from sim.scenario.text import Mark, Node
from sim.scenario.words import counted

STARTER = """\
# What happens to the containers of a host if ...?
# Check it with: shimulator validate FILE; run it with: shimulator run FILE
title: dockerd is killed

host: {cores: 2, uptime: 10d}        # begin: steady (default), boot (t = 0: power on), off; cgroup: v1, v2
engine:
  design: DESIGN
  daemon: {live-restore: false}      # keys of daemon.json; try true

services:                            # Compose's keys; what is ours begins with x-
  web:
    image: nginx
    ports: ["80:80"]
    restart: always
    x-payload: {ready: 500ms, on_term: {exit: 0, after: 100ms}}
  db:
    image: "postgres:9.6"
    ports: ["5432:5432"]
    restart: always
    x-payload: {ready: 4s, on_term: {exit: 0, after: 2s}}   # or: on_term: ignore | none

steps:                               # docker, compose, systemctl (their own words), kill, stop, cont, host
  - {id: shot, at: 60s, kill: dockerd}
until: shot+2m

expect:
  - {at: shot+100ms, process: payload/web, parent: shim/web}
  - {at: end, container: all, status: running}
  - {dark: all, from: remote, max: 1m, during: [shot, end]}
# - {property: V3}                   # in every state: an invariant of the engine (V1 to V25), or one of your own:
# properties:
#   - {name: reachable, always: "open(80, remote) or down(dockerd)"}
"""


def starter() -> str:
    """Return a commented scenario to begin with."""
    return STARTER.replace("DESIGN", EngineSetup().design)


def init_from_compose(path: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> tuple[str, str]:
    """Return a scenario for the Compose file *path*, and what it says of it in one line. Raises InputError.

    The scenario will stand in *folder* (None: beside the Compose file) and names that file from there.
    """
    file = os.fspath(path)
    scenario = compiled(file)
    services, ports = scenario.setup.services, sum(len(service.ports) for service in scenario.setup.services)
    bare = [service.name for service in services if "x-payload" not in raw_service(scenario, service.name)]
    summary = f"{counted(len(services), 'service')}, {counted(ports, 'port')}"
    if bare:
        verb = "has" if len(bare) == 1 else "have"
        summary += f"; {len(bare)} {verb} no x-payload (assumed: ready at once, TERM exits 0 after 100 ms)"
    if scenario.without_effect:
        summary += "; without effect on processes: " + "; ".join(scenario.without_effect)
    return written(from_folder(file, os.path.dirname(file) if folder is None else folder), scenario), summary


def from_folder(file: str, folder: str | os.PathLike[str]) -> str:
    """Return how a scenario in *folder* names *file*: by its path from there, links not followed, as it is read.

    >>> from_folder("c/ok.yml", "sub"), from_folder("sub/ok.yml", ""), from_folder("c/ok.yml", "c")
    ('../c/ok.yml', 'sub/ok.yml', 'ok.yml')
    """
    return os.path.relpath(file, folder or os.curdir)


def raw_service(scenario: Scenario, name: str) -> dict[str, object]:
    """Return what the files say of container *name*."""
    found = scenario.raw["services"][scenario.keys[name]]
    return found if isinstance(found, dict) else {}


def compiled(file: str) -> Scenario:
    """Return the scenario that only names the Compose file."""
    report = Report()
    mark = Mark(file, 1, 1)
    root = Node({"compose": Node(os.path.basename(file), mark, mark)}, mark)
    root = Loader(report, [file]).whole(root)
    services = root.child("services")
    if not report.problems.found and (services is None or not services.value):
        report.problems.add(mark, "there are no services in this file.")
    try:
        return Compiler(root, report).scenario("init", file)
    except InputError as error:
        raise InputError(error.problems) from None


def written(file: str, scenario: Scenario) -> str:
    """Return the text of the file, which names the Compose file as *file*."""
    names = [scenario.keys[service.name] for service in scenario.setup.services]
    lines = [
        f"# Written by shimulator init for {os.path.basename(file)}. Check it with: shimulator validate FILE",
        "title: dockerd is killed",
        "host: {cores: 2, uptime: 10d}             # begin: steady; the cores of your host",
        "engine:",
        f"  design: {EngineSetup().design}",
        "  daemon: {live-restore: false}           # what your daemon.json says",
        f"compose: {quoted(file)}",
        "services:                                 # laid over it; uncomment what you have measured",
    ]
    assumed = "{x-payload: {ready: 0s, on_term: {exit: 0, after: 100ms}}}"
    lines += [f"  # {quoted(name)}: {assumed}" for name in names]
    lines += [
        "steps:",
        "  - {id: shot, at: 60s, kill: dockerd}    # or: systemctl: restart docker; kill: containerd; kill: shim/NAME",
        "until: shot+2m",
        "expect:",
        *expected(scenario),
    ]
    return "\n".join(lines) + "\n"


def expected(scenario: Scenario) -> list[str]:
    """Return what may be expected of the services that a policy starts again; the others stay exited."""
    services = scenario.setup.services
    kept = [service for service in services if service.restart.name in ("always", "unless-stopped")]
    whole = len(kept) == len(services)
    names = "all" if whole else f"[{', '.join(quoted(scenario.keys[service.name]) for service in kept)}]"
    rows = [f"  - {{at: end, container: {names}, status: running}}"] if kept else []
    if not whole:
        rest = ", ".join(scenario.keys[service.name] for service in services if service not in kept)
        rows.append(f"  # without a restart policy that starts them again: {rest}")
    dark = ["all"] if whole else [quoted(scenario.keys[service.name]) for service in kept if service.ports]
    if any(service.ports for service in kept):
        rows += [f"  - {{dark: {name}, from: remote, max: 1m, during: [shot, end]}}" for name in dark]
    return rows or ["  []"]


def quoted(text: str) -> str:
    """Return *text* as a YAML scalar on one line."""
    return (
        yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000).removesuffix("\n...\n").strip()
    )
