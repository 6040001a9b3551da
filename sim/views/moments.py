"""Say when the moments came that a scenario and its readers name: an `Instant` and a trace give a clock value.

A moment that never came is None. Occurrences count from t = 0: what the steady prologue does before the terminals open
is no occurrence, so that `ready(docker)` of a host that is up is dockerd's next start. The rules that say which event
is which moment are the model's own (`sim.model.watcher`), so that an instant of `expect:` and one of `at:` are the
same. Source: the project's scenario language, "Instants".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.engine.setup import Instant, Microseconds
from sim.engines.host.client import mark_name
from sim.facts import Marked, StepDone
from sim.model import OPENED, watcher
from sim.trace import Replay, Trace
from sim.world import World

KNOWN_WITHOUT_REPLAY = ("origin", "end")


class Moments:
    """Resolve instants against a trace: those given at first cost one look through it together, later ones theirs."""

    def __init__(self, trace: Trace, instants: Iterable[Instant] = ()) -> None:
        self.trace = trace
        self.times: dict[str, list[Microseconds]] = {}
        self._look_up(instants)

    def at(self, instant: Instant) -> Microseconds | None:
        """Return the clock value of *instant*, which may lie outside the run; None if its moment never came."""
        base = self.base(instant)
        return None if base is None else base + instant.offset

    def base(self, instant: Instant) -> Microseconds | None:
        """Return the clock value that the offset of *instant* counts from; None if it never came."""
        if instant.base == "origin":
            return self.trace.origin
        if instant.base == "end":
            return self.trace.end
        if mark_name(instant) not in self.times:
            self._look_up((instant,))
        times = self.times[mark_name(instant)]
        place = instant.nth - 1  # nth 0 is the last one, place -1
        return times[place] if -1 <= place < len(times) and times else None

    def _look_up(self, instants: Iterable[Instant]) -> None:
        """Find every occurrence of the moments of *instants* in one replay."""
        wanted = {mark_name(it): it for it in instants if it.base not in KNOWN_WITHOUT_REPLAY}
        wanted = {name: it for name, it in wanted.items() if name not in self.times}
        self.times |= {name: [] for name in wanted}
        rules = _rules(wanted, self.trace.setup.engine.design)
        if rules:
            self._scan(rules, replayed=any(it.base == "fact" for it in wanted.values()))

    def _scan(self, rules: dict[type, list[Any]], *, replayed: bool) -> None:
        """Note the time of each occurrence once the terminals have opened.

        Only facts about processes ask the world who they are of; without one the trace need not be *replayed*.
        """
        replay = Replay(self.trace)
        opened = self.trace.setup.host.begin != "steady"
        for record in self.trace:
            event = record.event
            opened = opened or (isinstance(event, Marked) and event.name == OPENED)
            for rule in rules.get(type(event), ()) if opened else ():
                for name in rule(replay.world, event):
                    self.times[name].append(record.at or 0)
            if replayed:
                replay.step()


def _rules(wanted: dict[str, Instant], design: str) -> dict[type, list[Any]]:
    """Return, for each type of event, the rules that say of which moments it is an occurrence."""
    rules: dict[type, list[Any]] = {}
    for name, instant in wanted.items():
        made = _after(name, instant) if instant.base == "after" else watcher(name, instant, design)
        if made is not None:
            rules.setdefault(made[0], []).append(made[1])
    return rules


def _after(name: str, instant: Instant) -> tuple[type, Any]:
    """Return the rule of `after`: the step that it names has ended; one without a name only its terminal knows."""

    def ended(world: World, event: StepDone) -> tuple[str, ...]:
        return (name,) if event.id == instant.name else ()

    return StepDone, ended


def spelled(instant: Instant) -> str:
    """Write an instant without its offset as a scenario says it; t = 0 is `0s`.

    >>> spelled(Instant("word", "die", "web", nth=0)), spelled(Instant("step", "kill", offset=5)), spelled(Instant())
    ('die(web)#last', 'kill', '0s')
    """
    count = {1: "", 0: "#last"}.get(instant.nth, f"#{instant.nth}")
    match instant.base:
        case "origin":
            return "0s"
        case "end":
            return "end"
        case "step":
            return instant.name
        case "after":
            return f"after {instant.name}".rstrip()
        case "ready":
            return f"ready({instant.target}){count}"
    return f"{instant.name}({instant.target}){count}"
