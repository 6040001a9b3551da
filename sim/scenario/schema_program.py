"""The keys under x-payload and x-exec: how programs in containers behave. The rest of the file is in `schema.py`.

Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.engine.setup import OnTerm
from sim.scenario import known, network_words, readers
from sim.scenario.fields import MAX_THREADS, Bool, Comm, Duration, ExitCode, Memory, Threads, Words, kind, whole
from sim.scenario.noted import Noted
from sim.scenario.words import Refusal


class Strict(BaseModel):
    """A mapping that takes only the keys it names."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)
    noted: ClassVar[Mapping[str, Noted]] = {}
    later: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys as they are spelt in files."""
        return [info.alias or name for name, info in cls.model_fields.items()]


ON_TERM_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": list(readers.ANSWERS)},
        {"type": "string", "pattern": "^exit", "examples": ["exit 3 after 2s"]},
        {"type": "object", "properties": {"exit": {"type": "integer"}, "after": {"type": "string"}}},
    ]
}
OF_STOP = "what it does with its stop signal, stop_signal of the service; `on` says what it does with others"
ON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": ON_TERM_SCHEMA,
    "examples": [{"HUP": "reload", "QUIT": "exit 3 after 2s", "USR1": "ignore"}],
    "description": "what it does with each signal; one that is not named has its default",
}
REAPS_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "boolean"}, {"enum": ["never"]}, {"type": "string", "examples": ["2s"]}],
    "description": "whether it waits for children that have ended, or how long after",
}


class ChildEndsFile(Strict):
    """The child leaves by itself."""

    code: ExitCode = 0
    after: Duration


class ThreadsEndFile(Strict):
    """Threads that end before their process."""

    count: Annotated[int, *kind(whole(1, MAX_THREADS, "a number of threads"), type="integer", minimum=1)]
    after: Duration


class ProgramFile(Strict):
    """What any process of a container may do."""

    threads: Threads = 0
    threads_end: tuple[ThreadsEndFile, ...] = Field((), description="threads that end before their process")
    main_ends: Duration | None = Field(None, description="the main thread ends then, and leaves the others behind")
    on: Annotated[Any, *kind(readers.on, **ON_SCHEMA)] = ()
    reaps: Annotated[Any, *kind(readers.reaps, **REAPS_SCHEMA)] = True

    @model_validator(mode="after")
    def _threads_suffice(self) -> Self:
        """Refuse ends of more threads than there are."""
        left = self.threads
        for place, end in enumerate(self.threads_end):
            if end.count > left:
                what = f"{end.count} of {left} threads cannot end; threads is {self.threads}."
                hint = "threads counts those beside the main one, whose end is main_ends."
                raise Refusal(what, hint, ("threads_end", place, "count"))
            left -= end.count
        if self.main_ends is not None and not self.threads:
            hint = "Write threads: 1 or more, or exits: {code: 0, after: …}."
            raise Refusal("no other thread would be left: the process would leave.", hint, ("main_ends",))
        return self


class ChildFile(ProgramFile):
    """A process that another one starts; it may start some itself."""

    comm: Comm | None = None
    argv: Words
    exits: ChildEndsFile | None = None
    every: Duration | None = Field(None, description="the period in which one more is forked")
    children: tuple[ChildFile, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _has_no_stop_signal(cls, data: Any) -> Any:
        """Refuse an answer to the stop signal, which the engine sends to the first process alone."""
        if isinstance(data, dict) and "on_term" in data:
            what = "the stop signal goes to the container's first process, not to its children."
            raise Refusal(what, "Write on: {TERM: …}.", ("on_term",))
        return data

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        """Refuse a period of 0, in which there would be no end of children."""
        if self.every == 0:
            raise Refusal("the period is 0.", "Write every: 10s.", ("every",))
        return self


class EndsFile(Strict):
    """The payload leaves by itself."""

    code: ExitCode
    after: Duration


class FailsFile(Strict):
    """The payload leaves if another container's port is closed."""

    code: ExitCode
    after: Duration
    while_: Annotated[Any, *kind(readers.closed_port, type="string", examples=["closed(db:5432)"])] = Field(
        alias="while"
    )


LOG_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "examples": ["20KB/s"]},
        {
            "type": "object",
            "properties": {"stdout": {"type": "string"}, "stderr": {"type": "string"}, "write": {"type": "integer"}},
        },
    ]
}


LISTENS_SCHEMA: dict[str, Any] = {
    "type": ["array", "integer", "string"],
    "items": {"type": ["integer", "string"]},
    "examples": [[9100, "53/udp"]],
    "description": "the ports on which it accepts in its network; without the key those that are published",
}


class PayloadFile(ProgramFile):
    """How the program in a container behaves; everything that is left out is assumed and listed."""

    later = known.PAYLOAD_NOT_MODELLED
    comm: Comm | None = None
    argv: Words = None
    children: tuple[ChildFile, ...] = ()
    ready: Duration = 0
    on_term: Annotated[Any, *kind(readers.on_term, description=OF_STOP, **ON_TERM_SCHEMA)] = OnTerm()
    exits: EndsFile | None = None
    fails: FailsFile | None = None
    fails_to_start: Literal["not found", "permission denied"] | None = None
    log: Annotated[Any, *kind(readers.log, **LOG_SCHEMA)] = ()
    memory: Memory = 0
    listens: Annotated[Any, *kind(network_words.listens, **LISTENS_SCHEMA)] = None


class ExecEndsFile(Strict):
    """The command leaves by itself."""

    code: ExitCode | None = None
    after: Duration | None = None


class ExecFile(Strict):
    """What a command does that runs in a container beside its program; everything that is left out is assumed."""

    exits: ExecEndsFile = ExecEndsFile()
    on_term: Annotated[Any, *kind(partial(readers.answer, signal="TERM"), **ON_TERM_SCHEMA)] = OnTerm("none", 0, 0)
    on: Annotated[Any, *kind(readers.on, **ON_SCHEMA)] = ()
    children: tuple[ChildFile, ...] = ()
    threads: Threads = 0
    missing: Bool = Field(False, description="it is not there, or cannot be executed")
