"""docker restart: a stop, then a start, with the words of its own verb. Meanwhile the end removes no container of --rm.

Leaves out that the root file system stays mounted between the two. Source: D daemon/restart.go; engine-1.13 §3.2.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Answered, Do, Go, Join, Label, Return
from sim.engine.procedure import procedure
from sim.engines.docker.dockerd.start import answer, event, record_of, update
from sim.engines.docker.dockerd.stop import ask_own, no_such


def hand_on(g: Goroutine) -> None:
    """Answer with what the other has said."""
    answer(g, g["answer"])


def stop_first(g: Goroutine) -> str | None:
    """Stop the container with the time that the request gives; meanwhile its end does not remove it (--rm)."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "end"
    if service_of(g).auto_remove:
        update(g, replace(record, kept=True), disk=False)
    ask_own(g, "stop", g["request"].data[1])
    return None


def no_longer_kept(g: Goroutine) -> None:
    """Let the next end of a container of --rm remove it again."""
    record = record_of(g)
    if record is not None and record.kept:
        update(g, replace(record, kept=False), disk=True)


def say_restarted(g: Goroutine) -> None:
    """Say `restart`, if the start went well."""
    record = record_of(g)
    if record is not None and record.running:
        event(g, "restart")


RESTART_API = procedure(
    "dockerd.restart_api",
    Do(stop_first, "end"),
    Answered("stop", "not_stopped", "not_stopped"),
    Do(no_longer_kept),
    Go("start", "{c}", "c", "request", into="job", why="api"),
    Join("job"),
    Do(say_restarted),
    Return(),
    Label("not_stopped"),
    Do(no_longer_kept),
    Do(hand_on),
    Label("end"),
)
