"""A machine of Hypothesis that does anything in any order to a host, and holds laws against it after each step."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sim.engine.setup import Command, Docker, EngineSetup, KillProcess, Setup
from sim.properties import ALWAYS, EVENTUALLY, Property
from sim.testing.commands import KINDS, commands
from sim.testing.laws import LAWS
from sim.testing.setups import fitted, setups
from sim.testing.walk import MOVES, SEEDS, Walk

GO, RING, LIMIT = MOVES["go"], MOVES["let_time_pass"], MOVES["let_limit_pass"]
WELL, FAULT = MOVES["mend"], MOVES["befall"]
OPENED = st.sampled_from((True, True, True, False))


def given_to(*kinds: type) -> st.SearchStrategy[Any]:
    """Return commands of these kinds for the host that the machine has."""
    return st.runner().flatmap(lambda machine: commands(machine.walk.world.setup.services, kinds, machine.design))


class EngineMachine(RuleBasedStateMachine):
    """Anything may happen to a host of *design*: steps in any order, timers, faults, all that people do.

    *laws* are kept: `always` after each rule, `eventually` once all has settled at the end. *hosts* are the setups from
    which it begins, by default those of `setups()`; their design is replaced.
    """

    design: ClassVar[str] = EngineSetup().design
    laws: ClassVar[tuple[Property, ...]] = LAWS
    hosts: ClassVar[st.SearchStrategy[Setup]] = setups()
    walk: Walk

    @initialize(setup=st.runner().flatmap(lambda machine: machine.hosts), opened=OPENED)
    def begin(self, setup: Setup, opened: bool) -> None:
        """Begin with the first step of a host, or when people come."""
        unknown = [law.name for law in self.laws if law.kind not in (ALWAYS, EVENTUALLY)]
        assert not unknown, f"laws hold always or eventually; {', '.join(unknown)} do not"
        self.walk = Walk(fitted(setup, self.design), self.laws, opened=opened)

    @rule(count=GO[0], seed=GO[1])
    def something_happens(self, count: int, seed: int) -> None:
        """Let so many prompt actions happen."""
        self.walk.go(count, seed)

    @rule(number=RING[0])
    def time_passes(self, number: int) -> None:
        """Let a timer ring."""
        self.walk.let_time_pass(number)

    @rule(number=LIMIT[0])
    def somebody_is_too_late(self, number: int) -> None:
        """Let a limit pass."""
        self.walk.let_limit_pass(number)

    @rule(seed=WELL[0])
    def all_goes_well(self, seed: int) -> None:
        """Let somebody see to it that all runs."""
        self.walk.mend(seed)

    @rule(kind=FAULT[0], number=FAULT[1])
    def a_fault_happens(self, kind: str, number: int) -> None:
        """Let a fault befall a process."""
        self.walk.befall(kind, number)

    @rule(command=given_to(Docker), rounds=st.integers(0, 3), seed=SEEDS)
    def somebody_asks_docker(self, command: Docker, rounds: int, seed: int) -> None:
        """Let somebody give a docker command, and wait for a while."""
        self.walk.do(command)
        if rounds:
            self.walk.wait(rounds, seed)

    @rule(command=given_to(KillProcess))
    def somebody_sends_a_signal(self, command: KillProcess) -> None:
        """Let somebody send a signal to processes of a role."""
        self.walk.do(command)

    @rule(command=given_to(*(kind for kind in KINDS if kind not in (Docker, KillProcess))))
    def somebody_comes(self, command: Command) -> None:
        """Let somebody do anything else."""
        self.walk.do(command)

    @precondition(lambda self: hasattr(self, "walk"))
    @invariant()
    def every_law_holds(self) -> None:
        """Ask the laws that hold always."""
        self._ask(ALWAYS)

    def teardown(self) -> None:
        """Let all settle, and ask the laws that hold then."""
        if hasattr(self, "walk"):
            self.walk.settle(1)
            self._ask(ALWAYS)
            self._ask(EVENTUALLY)

    def _ask(self, kind: str) -> None:
        world = self.walk.world
        broken = [f"{law.name}: {law.said(world)}" for law in self.laws if law.kind == kind and not law.holds(world)]
        if broken:
            del self.walk  # it ends here: no teardown
        assert not broken, "; ".join(broken)


def run_machine(machine: type[EngineMachine], examples: int = 100, steps: int = 25, **how: Any) -> None:
    """Run a machine: so many ways, each so many rules long at most; *how* are more settings of Hypothesis.

    Raises AssertionError where a law breaks.
    """
    size: dict[str, Any] = {"max_examples": examples, "stateful_step_count": steps, **how}
    run_state_machine_as_test(machine, settings=settings(deadline=None, report_multiple_bugs=False, **size))
