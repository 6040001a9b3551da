"""What an op costs: its row of the profile, found once, and keyed draws from it.

A draw is a pure function of seed, role, container, action and occurrence, so that two setups share those that they have in
common, whatever else happens between. Source: sim/latency.py.
"""

from __future__ import annotations

from typing import Any

from sim.engine.ops import Every, Op, Reap, ReapAny
from sim.engine.procedure import Procedure
from sim.latency import Distribution, Duration, Fixed, Profile, draw, microseconds
from sim.world import Frame


class Plan:
    """What the driver knows of an op beforehand; *plain* says that it is always ready and has no time limit."""

    __slots__ = ("op", "plain", "price", "role", "ticker", "timer")

    def __init__(self, op: Op, role: str, price: Duration | None) -> None:
        self.op, self.role, self.price = op, role, price
        self.timer, self.ticker = op.timer, isinstance(op, Every)
        kind = type(op)
        self.plain = kind.ready is Op.ready and kind.reads is Op.reads and op.within is None


class Prices:
    """The profile of a run, and how often each action has been drawn."""

    __slots__ = ("_drawn", "_plans", "_procedures", "_profile", "_seed", "work")

    def __init__(self, profile: Profile, seed: int, procedures: dict[str, Procedure]) -> None:
        self._profile, self._seed, self._procedures = profile, seed, procedures
        self._plans: dict[str, list[Plan]] = {}
        self._drawn: dict[tuple[str, str, str], int] = {}
        self.work = 0

    def plan(self, frame: Frame) -> Plan:
        """Return what is known of the op at which a goroutine stands."""
        plans = self._plans.get(frame.procedure)
        if plans is None:
            plans = self._plans[frame.procedure] = self._plans_of(self._procedures[frame.procedure])
        return plans[frame.op]

    def _plans_of(self, procedure: Procedure) -> list[Plan]:
        role = procedure.name.partition(".")[0]
        return [Plan(op, role, self._price_of(op, role)) for op in procedure.ops]

    def _price_of(self, op: Op, role: str) -> Duration | None:
        price = self._profile.get(f"{role}/{op.name}")
        if price is None and isinstance(op, (Reap, ReapAny)):
            return self._profile.get("kernel/reap")
        return price

    def wait(self, role: str, container: Any, action: str, price: Duration) -> int:
        """Draw a wait in µs; the work drawn with it is left in `work`."""
        key = (role, str(container), action)
        count = self._drawn[key] = self._drawn.get(key, 0) + 1
        self.work = self._draw(price.work, key, count, "work")
        return self._draw(price.wait, key, count, "wait")

    def _draw(self, distribution: Distribution, key: tuple[str, str, str], count: int, part: str) -> int:
        if type(distribution) is Fixed:
            return microseconds(distribution, 0.0)
        return microseconds(distribution, draw(self._seed, *key, count, part))

    def delivery(self, signal: str) -> int:
        """Draw how long a signal takes to arrive, in µs."""
        price = self._profile.get("kernel/deliver")
        self.work = 0
        return 0 if price is None else self.wait("kernel", signal, "deliver", price)

    def spread(self, nominal: int, plan: Plan) -> int:
        """Draw a timer's length about its nominal one, in µs."""
        price = plan.price
        if price is None or price.scale is None:
            return nominal
        key = (plan.role, "", plan.op.name)
        count = self._drawn[key] = self._drawn.get(key, 0) + 1
        return round(nominal * price.scale.at(draw(self._seed, *key, count)))
