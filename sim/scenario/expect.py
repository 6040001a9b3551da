"""Expectations as data: what must hold, where the file says it, and its own words for messages.

Models: containers, processes, ports, dark time, events and trees, at a moment, during an interval or within a time;
properties over the whole run. Leaves out their evaluation (`verdict`), and health (refused by name).
Source: the project's scenario language.
"""

from __future__ import annotations

import msgspec

from sim.engine.setup import Instant, Microseconds, Target
from sim.scenario.units import Range


class At(msgspec.Struct, frozen=True, tag=True):
    """At one moment."""

    at: Instant


class During(msgspec.Struct, frozen=True, tag=True):
    """At every moment from *first* to *last*."""

    first: Instant
    last: Instant


class Within(msgspec.Struct, frozen=True, tag=True):
    """At some moment from *of* to *of* + *limit*."""

    limit: Microseconds
    of: Instant


When = At | During | Within


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file says it and in which words; *when* None is the whole run."""

    when: When | None
    line: int
    text: str


class ContainerExpect(Said, frozen=True, kw_only=True, tag=True):
    """What the engine says of each of *containers*.

    *pid* same or new compares with the pid at *since*; where that is None, with the begin of the interval (`during`),
    the instant after `of` (`within`), or t = 0 (`at`).
    """

    containers: tuple[str, ...]
    status: str | None = None
    exit_code: Range | None = None
    restarts: Range | None = None
    pid: str | None = None
    since: Instant | None = None


class ProcessExpect(Said, frozen=True, kw_only=True, tag=True):
    """What the kernel says of the processes that *target* names. *state* is a letter of ps: R, S, D, T or Z."""

    target: Target
    exists: bool | None = None
    parent: Target | None = None
    state: str | None = None
    count: Range | None = None


class PortExpect(Said, frozen=True, kw_only=True, tag=True):
    """Whether clients of one class reach a published port. *source* is remote, loopback or container."""

    port: int
    source: str
    open: bool


class DarkExpect(Said, frozen=True, kw_only=True, tag=True):
    """The longest time in which a published port cannot be reached. *of* is all, a container or a port."""

    of: str | int
    source: str
    max: Microseconds


class EventsExpect(Said, frozen=True, kw_only=True, tag=True):
    """Words of docker events in order, as (word, container); gaps are allowed unless *exact*."""

    events: tuple[tuple[str, str], ...]
    exact: bool = False


class TreeExpect(Said, frozen=True, kw_only=True, tag=True):
    """A tree equals *lines*. *rows* is how many of them must be equal; None is every one."""

    lines: tuple[str, ...]
    file: str
    root: Target
    view: str
    rows: Range | None = None


class PropertyExpect(Said, frozen=True, kw_only=True, tag=True):
    """A property of the table or of the file holds in the run: by its *kind* in every state, in one, or at the end."""

    name: str
    kind: str
    sentence: str


Expectation = ContainerExpect | ProcessExpect | PortExpect | DarkExpect | EventsExpect | TreeExpect | PropertyExpect
