"""The keys under x-payload and x-exec: how programs in containers behave. The rest of the file is in `schema.py`.

Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sim.engine.setup import OnTerm
from sim.scenario import known, readers
from sim.scenario.fields import Bool, Comm, Duration, ExitCode, Memory, Threads, Words, kind


class Strict(BaseModel):
    """A mapping that takes only the keys it names."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)
    harmless: ClassVar[frozenset[str]] = frozenset()
    later: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def known_keys(cls) -> list[str]:
        """Return the keys as they are spelt in files."""
        return [info.alias or name for name, info in cls.model_fields.items()]


class ChildEndsFile(Strict):
    """The child leaves by itself."""

    code: ExitCode = 0
    after: Duration


class ChildFile(Strict):
    """A process that the payload's first process starts."""

    comm: Comm | None = None
    argv: Words
    threads: Threads = 0
    exits: ChildEndsFile | None = None
    every: Duration | None = Field(None, description="one more is forked so often")


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


ON_TERM_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["ignore", "none"]},
        {"type": "object", "properties": {"exit": {"type": "integer"}, "after": {"type": "string"}}},
    ]
}


LOG_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "examples": ["20KB/s"]},
        {
            "type": "object",
            "properties": {"stdout": {"type": "string"}, "stderr": {"type": "string"}, "write": {"type": "integer"}},
        },
    ]
}


class PayloadFile(Strict):
    """How the program in a container behaves; everything that is left out is assumed and listed."""

    later = known.PAYLOAD_NOT_MODELLED
    comm: Comm | None = None
    argv: Words = None
    threads: Threads = 0
    children: tuple[ChildFile, ...] = ()
    reaps: Bool = Field(True, description="whether the first process waits for children that have ended")
    ready: Duration = 0
    on_term: Annotated[Any, *kind(readers.on_term, **ON_TERM_SCHEMA)] = OnTerm()
    exits: EndsFile | None = None
    fails: FailsFile | None = None
    fails_to_start: Literal["not found", "permission denied"] | None = None
    log: Annotated[Any, *kind(readers.log, **LOG_SCHEMA)] = ()
    memory: Memory = 0


class ExecEndsFile(Strict):
    """The command leaves by itself."""

    code: ExitCode | None = None
    after: Duration | None = None


class ExecFile(Strict):
    """What a command does that runs in a container beside its program; everything that is left out is assumed."""

    exits: ExecEndsFile = ExecEndsFile()
    on_term: Annotated[Any, *kind(readers.on_term, **ON_TERM_SCHEMA)] = OnTerm("none", 0, 0)
    children: tuple[ChildFile, ...] = ()
    threads: Threads = 0
    missing: Bool = Field(False, description="it is not there, or cannot be executed")
