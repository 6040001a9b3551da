"""What a run's report says, as plain data: heading, the story in lines, trees, verdicts, files.

Source: the trace and the scenario.
"""

from __future__ import annotations

import msgspec

from sim.engine.setup import Microseconds
from sim.trace import LeftOut
from sim.views.fates import Fate
from sim.views.narrate import Line, Unanswered


class VerdictLine(msgspec.Struct, frozen=True):
    """One expectation: whether it holds (None: undetermined), when, what was expected, what was found."""

    holds: bool | None
    label: str
    text: str
    detail: str


class MomentText(msgspec.Struct, frozen=True):
    """A text of a moment: *label* such as `kill-1s`, *view* and the text itself."""

    label: str
    view: str
    text: str
    note: str = ""


class Summary(msgspec.Struct, frozen=True):
    """Everything that the report prints. Times are clock values in µs; *origin* is t = 0.

    *live_restore* is None where the engine has none, *unit* the service of its daemon, "" without one. *at_boot* has
    by step of the host's start the units that it starts, *started* are those that were active before t = 0. *begun*
    counts the containers that were started before t = 0, *left_out* are the rounds that were jumped over there, in
    which *rounds_of* are started. *client* is the command that asks the engine. *containers* is
    what became of them *since* a step, or since t = 0; none where nothing harms any and all are as they were.
    """

    title: str
    source: str
    engine: str
    live_restore: bool | None
    profile: str
    seed: int
    assumptions: tuple[str, ...]
    without_effect: tuple[str, ...]
    origin: Microseconds
    end: Microseconds
    epoch: int
    tz_minutes: int
    wall_clock: bool
    ports: int
    skipped: int
    lines: tuple[Line, ...]
    pictures: tuple[MomentText, ...]
    verdicts: tuple[VerdictLine, ...]
    note: str = ""
    unanswered: tuple[Unanswered, ...] = ()
    not_taken: tuple[Unanswered, ...] = ()
    unit: str = ""
    begun: int = 0
    client: str = ""
    at_boot: dict[str, tuple[str, ...]] = {}
    started: tuple[str, ...] = ()
    left_out: LeftOut | None = None
    rounds_of: tuple[str, ...] = ()
    containers: tuple[Fate, ...] = ()
    since: str = ""

    @property
    def daemon(self) -> str:
        """Say whether the daemon restores live containers, or that there is none."""
        if self.live_restore is None:
            return f"{self.unit}.service" if self.unit else "no daemon"
        return f"live-restore {'on' if self.live_restore else 'off'}"
