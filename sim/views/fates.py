"""What became of each container since a fault: its fate, what its engine says of it, its dark ports, and why.

One pass over the trace gathers all of it (`sim.views.replaying`), so that thousands of runs can be asked. A fate goes
by what the kernel did (which process lives) and by what the engine would say; why it is so is found by following the
causes of the record that made it so (`sim.views.fate_causes`). Leaves out exec'd processes, and what sandboxes do.
Source: the trace; `sim.views.intervals` for ports; `sim.engine.policies` for what a policy starts.
"""

from __future__ import annotations

import re

import msgspec

from sim.designs import roles
from sim.engine.containers import is_unit
from sim.engine.policies import wants_restart
from sim.engine.records import Container
from sim.engine.setup import Microseconds, Service
from sim.engines.host.systemd.unit import unit_of
from sim.kernel.records import NO_POWER, code_of
from sim.trace import Trace
from sim.views import interval_parts as v
from sim.views.beliefs import answering
from sim.views.fate_causes import End, Trail
from sim.views.fate_words import ended, kept, not_started, started
from sim.views.fault import since_harm
from sim.views.intervals import first_starts, gaps_of
from sim.views.replaying import Replaying
from sim.world import World

KEPT, NEW, STOPPED, LOST, STUCK = "kept", "new process", "stopped", "lost", "stuck up"
RESTARTING, REMOVED, AS_BEFORE = "restarting", "removed", "not running"
FATES = {
    KEPT: "its process runs on",
    NEW: "another process runs in its place",
    RESTARTING: "it has no process, and a start is under way or waits for its pause",
    STOPPED: "people stopped it, or it ended by itself with 0, and nobody is to start it",
    LOST: "its process is gone and nobody starts it again",
    STUCK: "its process is gone and the engine says that it is up",
    REMOVED: "it does not exist any more",
    AS_BEFORE: "it had no process when the fault came, and has none",
}
PARENTLESS = frozenset({v.ORPHANED, v.REATTACHED, v.NOBODY, v.UNHELD, v.ADOPTED})


class Dark(msgspec.Struct, frozen=True):
    """For how long a published port was closed to a class of clients since the fault; None: it never came back."""

    port: int
    proto: str
    client: str
    seconds: float | None


class Fate(msgspec.Struct, frozen=True):
    """What became of one container.

    *status* is the engine's own word at the end, "no answer" if it would not answer, "" if it does not know it.
    *exit_code* is what the engine says of the process that ran when the fault came, the kernel's where it says nothing;
    None if that process lives. *restarts* counts the processes that were started since. *why* is one sentence, with the
    source of the rule. *orphaned* says that its process, or who holds it, has lost its parent since.
    """

    container: str
    policy: str
    fate: str
    status: str
    exit_code: int | None
    restarts: int
    dark: tuple[Dark, ...]
    why: str
    orphaned: bool


def fates(
    trace: Trace,
    since: Microseconds | None = None,
    *,
    clients: tuple[str, ...] = v.EVERYONE,
    explain: bool = True,
) -> tuple[Fate, ...]:
    """Return the fate of each container that exists at *since* (clock value; None: the first fault), in file order.

    Without *explain* `why` is "", which saves what following the causes takes.
    """
    trail = Trail(trace)
    walk = Replaying(trace, clients, trail)
    walk.run()
    first = since_harm(trace) if since is None else since - trace.origin
    return fates_of(walk, trail, first, explain=explain)


def fates_of(walk: Replaying, trail: Trail, since: Microseconds, *, explain: bool = True) -> tuple[Fate, ...]:
    """Return the same of a pass that is over, for those who read more off it; *since* is in µs from t = 0."""
    reading = _Reading(walk, trail, since, explain=explain)
    return tuple(fate for it in walk.trace.setup.services if (fate := reading.fate(it)) is not None)


class _Reading:
    """One run that was gone through, and what is read off it for each container. Times are µs from t = 0."""

    def __init__(self, walk: Replaying, trail: Trail, since: Microseconds, *, explain: bool) -> None:
        trace, world, run = walk.trace, walk.world, walk.found
        self.trace, self.run, self.world, self.trail, self.since = trace, run, world, trail, max(since, run.begin)
        self.explain = explain
        self.rm = {it.name: it.auto_remove for it in trace.setup.services}
        self.answers = answering(world) is not None
        self.lives: dict[str, list[v.Life]] = {}
        for life in run.lives:
            self.lives.setdefault(life.container, []).append(life)
        self.began = first_starts(run)
        self.lanes = {lane.name: lane for lane in run.containers}
        self.tracks: dict[str, list[v.PortTrack]] = {}
        for track in run.ports:
            self.tracks.setdefault(track.container, []).append(track)

    def fate(self, service: Service) -> Fate | None:
        """Return the fate of a container, None if there was none at the begin."""
        name, since = service.name, self.since
        lane, lives = self.lanes[name], self.lives.get(name, [])
        before = next((it for it in reversed(lives) if it.start < since and (it.end is None or it.end >= since)), None)
        if before is None and lane.at(since - 1).state == v.ABSENT:
            return None
        record = self.world.design.engine.believed(self.world, name)
        later = [it for it in lives if it.start >= since]
        alive = bool(lives) and lives[-1].end is None
        end = self.trail.end_of(name, since) if self.explain or not alive else None
        fate = self._word(name, before, later, record, alive=alive, end=end)
        return Fate(
            container=name,
            policy=_policy(self.world, service, record),
            fate=fate,
            status=self._status(record),
            exit_code=self._code(name, before, record),
            restarts=len(later),
            dark=() if fate == AS_BEFORE else self._dark(name),
            why=self._why(service, fate, lives, record, end) if self.explain else "",
            orphaned=any(it.held in PARENTLESS and it.end > since for it in lane.intervals),
        )

    def _word(
        self,
        name: str,
        before: v.Life | None,
        later: list[v.Life],
        record: Container | None,
        *,
        alive: bool,
        end: End | None,
    ) -> str:
        if alive:
            return NEW if later else KEPT
        lane = self.lanes[name]
        state = lane.intervals[-1].state
        if state == v.ABSENT or record is None:
            return REMOVED if self.rm.get(name) or (end is not None and end.wanted) else LOST
        if state == v.STARTING or (record.restarting and self.answers) or self._starts_soon(record):
            return RESTARTING
        if before is None and not later:
            return AS_BEFORE
        if record.running and not record.restarting and self.answers:
            return STUCK
        return STOPPED if end is not None and end.wanted else LOST

    def _starts_soon(self, record: Container) -> bool:
        """Return whether the engine is on its way back, and its policy will then start the container."""
        comes = not self.answers and unit_of(self.world).state in ("activating", "auto-restart")
        return comes and wants_restart(record, record.exit_code, record.manual)

    def _status(self, record: Container | None) -> str:
        if record is None:
            return ""
        return record.status if self.answers else "no answer"

    def _code(self, name: str, before: v.Life | None, record: Container | None) -> int | None:
        """Return the code that the engine says of the process that ran when the fault came."""
        if before is None or before.end is None:
            return None
        later = [it.start for it in self.lives[name] if it.start > before.start]
        until = later[0] if later else self.run.end
        told = [it.code for it in self.run.deaths if it.container == name and self.since <= it.at <= until]
        if told:
            return told[0]
        if record is not None and not record.running and not later and self.answers:
            return record.exit_code
        return None if before.code == code_of(NO_POWER) else before.code

    def _dark(self, name: str) -> tuple[Dark, ...]:
        found = []
        for track in self.tracks.get(name, ()):
            gaps = gaps_of(self.run, track, (self.since, self.run.end), self.began.get(name))
            if gaps:
                whole = sum(end - start for start, end, _ in gaps) / 1_000_000
                found.append(Dark(track.port, track.proto, track.client, whole if gaps[-1][2] else None))
        return tuple(found)

    def _why(self, service: Service, fate: str, lives: list[v.Life], record: Container | None, end: End | None) -> str:
        if fate == KEPT:
            return kept(self.world, lives[-1].pid)
        parts = [] if end is None else [ended(self.trace, self.world, end)]
        if fate in (NEW, RESTARTING):
            begun = self.trail.begin_of(service.name, self.since, end)
            parts.append(started(self.trace, self.world, service, _policy(self.world, service, record), begun))
        elif fate == STUCK:
            parts.append("the engine has not been told")
        elif fate != REMOVED:
            parts.append(not_started(self.world, service, record, answers=self.answers))
        return "; ".join(parts)


def _policy(world: World, service: Service, record: Container | None) -> str:
    """Return the policy that decides now, as people write it: of a container that is a unit that of its unit."""
    policy = service.restart if record is None or is_unit(world, service) else record.policy
    return f"{policy.name}:{policy.max}" if policy.max else policy.name


def general(fate: Fate) -> str:
    """Return why it is so without process numbers and without its name.

    >>> general(Fate("web", "no", "kept", "running", None, 0, (), "held by shim 55 after docker stop web", False))
    'held by shim after docker stop NAME'
    """
    whole = re.sub(r" \(pid \d+\)", "", fate.why)
    programs = "|".join(sorted(map(re.escape, roles()), key=len, reverse=True))
    text = re.sub(rf"\b({programs}) \d+\b", r"\1", whole)
    return re.sub(rf"(?<![\w-]){re.escape(fate.container)}(?![\w-])", "NAME", text)
