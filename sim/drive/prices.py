"""What an op costs: its row of the profile, found once, and keyed draws from it.

A draw is a pure function of seed, role, container, action and occurrence, so that two setups share those that they have
in common, whatever else happens between. Source: sim/latency.py.
"""

from __future__ import annotations

from copy import copy

from sim.drive.cores import WHOLE
from sim.engine.ops import Every, Interval, Op
from sim.engine.procedure import Procedure
from sim.latency import Distribution, Duration, Fixed, Profile, draw, microseconds


class Plan:
    """What the driver knows of an op beforehand; *plain* says that it is always ready and has no time limit.

    *free* says that it has no price, *together* and *repeats* whose draw it shares, *busy* how much of a core its work
    keeps busy, in percent. *work* and *wait* are the distributions to draw from, or else the times in µs.
    *drawn* is where `Prices` counts, by container, how often they were drawn: ops of one role and name share it.
    """

    __slots__ = (
        "busy", "drawn", "free", "name", "op", "plain", "price", "procedure", "repeats", "role", "rounds", "ticker",
        "timer", "together", "wait", "work",
    )  # fmt: skip

    def __init__(self, op: Op, role: str, name: str, price: Duration | None, drawn: int, procedure: str = "") -> None:
        self.procedure = procedure
        self.op, self.role, self.name, self.price, self.drawn = op, role, name, price, drawn
        self.timer, self.ticker, self.rounds = op.timer, isinstance(op, Every), isinstance(op, Interval)
        self.free = price is None and not op.timer
        kind = type(op)
        self.plain = kind.ready is Op.ready and kind.reads is Op.reads and op.within is None
        row = Duration() if price is None else price
        self.work, self.wait, self.together = _known(row.work), _known(row.wait), row.together
        self.repeats, self.busy = row.repeats, round(row.cores * WHOLE)


def _known(distribution: Distribution) -> Distribution | int:
    """Return the time itself where nothing is to be drawn."""
    return microseconds(distribution, 0.0) if isinstance(distribution, Fixed) else distribution


class Prices:
    """The profile of a run, and how often each action has been drawn. *plans* is by procedure, then by op.

    *slow* says of a program, or of one of its procedures, how many percent of its time it takes now.
    """

    __slots__ = ("_drawn", "_places", "_profile", "_seed", "delivery", "plans", "slow")

    def __init__(
        self, profile: Profile, seed: int, procedures: dict[str, Procedure], slow: dict[str, int] | None = None
    ) -> None:
        self.slow: dict[str, int] = {} if slow is None else slow
        self._profile, self._seed = profile, seed
        self._drawn: list[dict[str, int]] = []
        self._places: dict[tuple[str, str], int] = {}
        self.plans = {name: self._plans_of(procedure) for name, procedure in procedures.items()}
        self.delivery = self._plan(Op(), "kernel", "deliver")

    def copy(self, slow: dict[str, int]) -> Prices:
        """Return the same prices, as often drawn; plans never change, and are shared."""
        other = copy(self)
        other.slow, other._drawn = slow, [drawn.copy() for drawn in self._drawn]
        return other

    def _plans_of(self, procedure: Procedure) -> list[Plan]:
        role = procedure.name.partition(".")[0]
        return [self._plan(op, role, op.name, procedure.name) for op in procedure.ops]

    def _plan(self, op: Op, role: str, name: str, procedure: str = "") -> Plan:
        place = self._places.setdefault((role, name), len(self._drawn))
        if place == len(self._drawn):
            self._drawn.append({})
        return Plan(op, role, name, self._profile.get(f"{role}/{name}"), place, procedure)

    def sample(self, plan: Plan, container: str) -> tuple[int, int]:
        """Draw a wait and the work after it, in µs."""
        drawn = self._drawn[plan.drawn]
        count = drawn[container] = drawn.get(container, 0) + 1
        work, wait = plan.work, plan.wait
        if plan.together:
            u = draw(self._seed, plan.together, container, "together", 1 + (count - 1) // plan.repeats)
            work = work if isinstance(work, int) else microseconds(work, u)
            wait = wait if isinstance(wait, int) else microseconds(wait, u)
        if not isinstance(work, int):
            work = microseconds(work, draw(self._seed, plan.role, container, plan.name, count, "work"))
        if not isinstance(wait, int):
            wait = microseconds(wait, draw(self._seed, plan.role, container, plan.name, count, "wait"))
        if self.slow:
            percent = self.slow.get(plan.procedure) or self.slow.get(plan.role) or 100
            return wait * percent // 100, work * percent // 100
        return wait, work

    def spread(self, nominal: int, plan: Plan) -> int:
        """Draw a timer's length about its nominal one, in µs."""
        if plan.price is None or plan.price.scale is None:
            return nominal
        drawn = self._drawn[plan.drawn]
        count = drawn[""] = drawn.get("", 0) + 1
        return round(nominal * plan.price.scale.at(draw(self._seed, plan.role, "", plan.name, count)))
