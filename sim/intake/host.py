"""From inputs to a scenario: read, recognise, join, write. Source: the project's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from sim.errors import InputError, Problem
from sim.intake.inventory import Inventory, inventory_of
from sim.intake.live import live_sources
from sim.intake.pieces import is_compose
from sim.intake.reading import reading_of
from sim.intake.records import Reading
from sim.intake.redaction import as_it_is, redacted
from sim.intake.sources import Source, sources
from sim.intake.writer import scenario_text, with_host
from sim.scenario import init_from_compose

KNOWN = (
    "Give what docker inspect, docker ps, docker info, ps -axjf, systemctl cat, … print, or a Compose file; "
    "shimulator init --collector prints a script that gathers it."
)


def scenario_from(
    inputs: Sequence[str | os.PathLike[str]] = (),
    *,
    stdin: bytes = b"",
    texts: Sequence[Source] = (),
    live: bool = False,
    design: str = "",
    keep_values: bool = False,
    name: str = "host.yaml",
    stack: Mapping[str, Any] | None = None,
) -> tuple[str, str]:
    """Return a scenario's text for the host that *inputs* tell of, and what it says of that in one line.

    *inputs* are files, folders, tars and `-` for *stdin*, or *texts*. *design* is taken in the place of what would be
    inferred. *live* reads this host besides. Credentials are left out unless *keep_values*. *name* is the file that
    will hold the text, *stack* what `init_from_compose` is told of Compose files. Raises InputError for inputs that
    cannot be read, are too large, or of which nothing is known.

    >>> said = "  PID  PPID COMMAND\\n    1     0 /sbin/init\\n   56     1 /usr/sbin/dockerd -H unix:///x\\n"
    >>> text, summary = scenario_from(texts=[Source("ps.txt", said)])
    >>> summary.partition(";")[0]
    'docker-28-separate (no version was printed'
    """
    found = (*sources(inputs, stdin), *texts, *(live_sources() if live else ()))
    reading = reading_of(found, keep_values)
    _check(inputs, found, reading)
    host = inventory_of(reading, design)
    if host.compose and not host.containers:
        return of_compose(host, name, design, keep_values, stack or {})
    return scenario_text(host, name)


def are_compose(inputs: Sequence[str | os.PathLike[str]]) -> bool:
    """Return whether every input is a Compose file. Raises InputError for what cannot be read."""
    if "-" in inputs or any(os.path.isdir(it) for it in inputs):
        return False
    return all(source.path and is_compose(source.text) for source in sources(inputs))


def of_compose(host: Inventory, name: str, design: str, keep_values: bool, stack: Mapping[str, Any]) -> tuple[str, str]:
    """Return the scenario of Compose files, with the host and engine that other inputs tell of. Raises InputError."""
    files = [it.path for it in host.compose if it.path]
    if not files:
        hint = "Give the Compose file by its name: what it refers to is looked for beside it."
        raise InputError([Problem(host.compose[0].place, "this Compose file has no folder", hint)])
    told = bool(host.versions or host.processes)
    text, summary = init_from_compose(
        files,
        os.path.dirname(name),
        design=design or (host.design if told else ""),
        keep_values=keep_values,
        redact=as_it_is if keep_values else redacted,
        **stack,
    )
    return with_host(text, host, name), summary


def _check(inputs: Sequence[str | os.PathLike[str]], found: Sequence[Source], reading: Reading) -> None:
    """Refuse inputs of which nothing is known."""
    if reading.facts or any(table.rows for table in reading.tables):
        return
    where = ", ".join(source.name for source in found[:3]) or ", ".join(os.fspath(it) for it in inputs) or "no input"
    whys = {source.why_not for source in found if source.why_not}
    what = (
        " and ".join(sorted(whys)) if whys and len(whys) == len(found) else "nothing here is known as a host's output"
    )
    raise InputError([Problem(where, what, KNOWN)])
