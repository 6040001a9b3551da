"""Expectations as data: what must hold, where the file says it, and its own words for messages.

Models: containers, processes, files, ports, dark time, events, the ends of steps and trees, at a moment, during an
interval or within a time; properties over the whole run. Leaves out their evaluation (`verdict`). Source: the project's
scenario language.
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


class ExpectBase(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file says it and in which words; *when* None is the whole run."""

    when: When | None
    line: int
    text: str


class ContainerExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """What the engine says of each of *containers*, and how many bytes of its output wait or are lost.

    *pid* same or new compares with the pid at *since*; where that is None, with the begin of the interval (`during`),
    the instant after `of` (`within`), or t = 0 (`at`).
    """

    containers: tuple[str, ...]
    exists: bool | None = None
    status: str | None = None
    exit_code: Range | None = None
    restarts: Range | None = None
    buffered: Range | None = None
    lost: Range | None = None
    pid: str | None = None
    since: Instant | None = None
    health: str | None = None
    oom_killed: bool | None = None
    stopped_by_hand: bool | None = None
    address: str | None = None


class ProcessExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """What the kernel says of the processes that *target* names. *state* is a letter of ps: R, S, D, T or Z.

    *blocked* says that they wait in write(2) on their output.
    """

    target: Target
    exists: bool | None = None
    parent: Target | None = None
    state: str | None = None
    count: Range | None = None
    blocked: bool | None = None


class ExitExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """How the processes that *target* names have ended: by a *signal*, or with a *status* as a shell says it.

    A shell says 128 + n of a process that signal n killed. At one moment the last end by then is asked, else every end.
    """

    target: Target
    status: Range | None = None
    signal: str | None = None


class PortExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """Whether clients of one class, *source*, reach a published port, or what they find there. None: not asked."""

    port: int
    source: str
    open: bool | None = None
    finds: str | None = None


class DarkExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """The longest time in which a published port cannot be reached. *of* is all, a container or a port."""

    of: str | int
    source: str
    max: Microseconds


class Word(msgspec.Struct, frozen=True):
    """An event as docker events prints it: what happened to which container ("" is dockerd itself); *value* is its
    signal or exit code. With *next* no other event may come between the one before it in the list and this one."""

    word: str
    container: str
    value: Range | None = None
    next: bool = False

    def __str__(self) -> str:
        return f"{self.word} {self.container}".rstrip() + ("" if self.value is None else f" ({self.value})")


class EventsExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """Words of docker events in order; gaps are allowed unless *exact*, or before a word that is *next*.

    *container* is the one that the whole list is about: then it is exact about its network events too. "" is none.
    """

    events: tuple[Word, ...]
    exact: bool = False
    container: str = ""


class StepExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """What became of a step of the scenario by the end of the time: *ok* without an error, *error* a part of the words
    that its user saw, *exit_code* what its command exits with, *unanswered* that it still waits."""

    step: str
    ok: bool | None = None
    error: str | None = None
    unanswered: bool | None = None
    exit_code: Range | None = None


class FileExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """Whether a file of the engine is there."""

    path: str
    exists: bool


class TreeExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """A tree equals *lines*. *rows* is how many of them must be equal; None is every one."""

    lines: tuple[str, ...]
    file: str
    root: Target
    view: str
    rows: Range | None = None


class PropertyExpect(ExpectBase, frozen=True, kw_only=True, tag=True):
    """A property of the table or of the file holds in the run: by its *kind* in every state, in one, or at the end."""

    name: str
    kind: str
    sentence: str


Expectation = (
    ContainerExpect | ProcessExpect | ExitExpect | FileExpect | PortExpect | DarkExpect | EventsExpect | StepExpect
    | TreeExpect | PropertyExpect
)  # fmt: skip
