"""`shimulator init`: a first scenario, alone or for Compose files.

Models: a file that works as it is written and whose comments say what to change. Source: Compose file reference; the
project's scenario language.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from sim.engine.setup import EngineSetup
from sim.scenario.check import Report
from sim.scenario.compose.images import OWN, library
from sim.scenario.compose.stack import Asked
from sim.scenario.compose.written import Redact, Wanted, imported, linked, summary, written

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


def init_from_compose(
    files: str | os.PathLike[str] | Sequence[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    env_files: Sequence[str] = (),
    profiles: Sequence[str] = (),
    project: str = "",
    texts: Mapping[str, str] | None = None,
    design: str = "",
    images: Sequence[str] = (OWN,),
    keep_values: bool = False,
    redact: Redact = str,
    link: bool = False,
) -> tuple[str, str]:
    """Return a scenario for Compose files, and what it says of them. Raises InputError.

    *texts* has the text of files that do not stand on disk. *images* are files and folders of the library of images,
    none for no library; *redact* takes credentials out of the words of commands. With *link* the scenario, which will
    stand in *folder* (None: beside the first file), names its files in place of what they say.
    """
    names = tuple(files) if isinstance(files, list | tuple) else (os.fspath(files),)  # type: ignore[arg-type]
    report = Report()
    known = library(images, report) if images else None
    report.problems.raise_if_any()
    asked = Asked(names, tuple(env_files), tuple(profiles), project, texts or {}, keep_values)
    found = imported(Wanted(asked, design, known, redact))
    if not link:
        return written(found, names), summary(found)
    beside = os.path.dirname(names[0]) if folder is None else os.fspath(folder)
    return linked(found, asked, beside, images), summary(found)
