"""How programs in containers behave: the payload, its children, commands that run beside it, the health check.

Plain frozen data, part of a `Setup`. Times are integer microseconds. Source of the words: Compose's keys, the
scenario's x-payload and x-exec.
"""

from __future__ import annotations

import msgspec

from sim.kernel.signals import Signal

Microseconds = int
MS: Microseconds = 1_000
S: Microseconds = 1_000_000


class OnTerm(msgspec.Struct, frozen=True):
    """What a program does with a signal: `exit` after a time, `reload` (go on), `ignore` it, or `none` (no handler)."""

    kind: str = "exit"
    code: int = 0
    after: Microseconds = 100 * MS


Answers = tuple[tuple[Signal, OnTerm], ...]


class Ends(msgspec.Struct, frozen=True):
    """The payload leaves by itself with *code*, *after* its exec."""

    code: int
    after: Microseconds


class Fails(msgspec.Struct, frozen=True):
    """The payload leaves with *code*, *after* its exec, if `container:port` is closed at that moment."""

    code: int
    after: Microseconds
    container: str
    port: int


class ThreadsEnd(msgspec.Struct, frozen=True):
    """So many threads end *after* the exec of their process, which goes on."""

    count: int
    after: Microseconds


class Child(msgspec.Struct, frozen=True):
    """A process that another one forks and waits for; *every* says how often it forks one more.

    It may have children of its own. *on*, *reaps*, *reaps_after*, *threads_end* and *main_ends* are as a payload's.
    """

    comm: str
    argv: tuple[str, ...]
    threads: int = 0
    exits: Ends | None = None
    every: Microseconds | None = None
    on: Answers = ()
    children: tuple[Child, ...] = ()
    reaps: bool = True
    reaps_after: Microseconds = 0
    threads_end: tuple[ThreadsEnd, ...] = ()
    main_ends: Microseconds | None = None


class Log(msgspec.Struct, frozen=True):
    """What a payload writes to a stream: *rate* bytes a second, *write* bytes in each write(2)."""

    stream: str
    rate: int
    write: int = 4096


class Payload(msgspec.Struct, frozen=True):
    """How a container's program behaves. *threads* are those beside the main one.

    *memory* is what it takes once it is ready, in bytes; 0 is unknown. *fails_to_start* says why runc cannot execute
    it: `not found` or `permission denied`; "" where it can. *log* has one entry a stream. *on_term* answers the stop
    signal, whichever that is, unless *on* does. A child that has ended stays a zombie for *reaps_after*, or for good
    without *reaps*. *main_ends* is when the main thread ends; the process goes on while it has another one. *listens*
    are the ports, each with its protocol, on which it accepts in its network; None: on those that are published.
    """

    comm: str
    argv: tuple[str, ...]
    threads: int = 0
    children: tuple[Child, ...] = ()
    ready: Microseconds = 0
    on_term: OnTerm = OnTerm()
    exits: Ends | None = None
    fails: Fails | None = None
    fails_to_start: str = ""
    reaps: bool = True
    log: tuple[Log, ...] = ()
    memory: int = 0
    on: Answers = ()
    reaps_after: Microseconds = 0
    threads_end: tuple[ThreadsEnd, ...] = ()
    main_ends: Microseconds | None = None
    listens: tuple[tuple[str, int], ...] | None = None


class Exec(msgspec.Struct, frozen=True):
    """What a command does that is run in a container beside its program; *name* is its words or its first word's name.

    *code* None is 0 while the container's program answers, else 1. *missing* says that it cannot be executed. *on_term*
    answers TERM, *on* every other signal.
    """

    name: str
    code: int | None = 0
    after: Microseconds = 100 * MS
    on_term: OnTerm = OnTerm("none", 0, 0)
    children: tuple[Child, ...] = ()
    threads: int = 0
    missing: bool = False
    on: Answers = ()


class Healthcheck(msgspec.Struct, frozen=True):
    """A probe of the container's health; defaults are Docker 1.13.1's (engine-1.13 §20). *argv* is what is run.

    Within *start_period* of the container's start, until one has succeeded, no failure counts, and the probes come
    *start_interval* after one another; 0 is what the engine's version has for it.
    """

    argv: tuple[str, ...]
    interval: Microseconds = 30 * S
    timeout: Microseconds = 30 * S
    retries: int = 3
    start_period: Microseconds = 0
    start_interval: Microseconds = 0
