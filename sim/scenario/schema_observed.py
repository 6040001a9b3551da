"""What was observed of a container and a scenario file may say, as pydantic models: `x-pids`, `x-bundle`, `x-proxy`.

Source: the project's own scenario language.
"""

from __future__ import annotations

from typing import Annotated, Any

from sim.engine.paths import STREAMS
from sim.scenario import readers
from sim.scenario.fields import Pid, Pids, Threads, kind, whole
from sim.scenario.schema_program import Strict

WRITTEN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {stream: {"type": "string", "examples": ["2020-12-14T10:27:00+08:00"]} for stream in STREAMS},
}


class ProxyFile(Strict):
    """docker-proxy of a container."""

    threads: Threads = 6


class PinsFile(Strict):
    """Process ids that were observed for the first start."""

    proxy: Pids = ()
    shim: Pid | None = None
    payload: Pid | None = None
    children: Pids = ()


class BundleFile(Strict):
    """What was observed of a container's bundle folder; without it `ls-bundle` says `?` for the size of config.json."""

    config_size: Annotated[int, *kind(whole(0, 2**40, "a size in bytes"), type="integer", minimum=0)] | None = None
    written: Annotated[Any, *kind(readers.written, **WRITTEN_SCHEMA)] = ()
