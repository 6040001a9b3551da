"""What a program in a container does with each signal, as `on_term` and `on` of the scenario say.

A handler that leaves takes its time and ends the process; one that goes on (`reload`) does nothing that anybody else
could see. An ignored signal is SIG_IGN, which a child inherits through fork(2) and execve(2), where handlers fall back
to the default. The default is the kernel's: the first process of a pid namespace drops the signal, any other one does
what signal(7) says. Leaves out blocked signals, alternate stacks, and CHLD, whose part `reaps` has. Source: signal(7),
"Signal dispositions" and "Execution of signal handlers"; pid_namespaces(7); kernel/signal.c of 3.10, sig_task_ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Exit, Sleep
from sim.engine.procedure import Procedure, procedure
from sim.engine.setup import Answers, OnTerm
from sim.kernel.signals import Signal
from sim.world import Frame, World

GOES_ON = ""  # the name of a handler after which everything is as before
Handlers = tuple[tuple[Signal, str], ...]


def handlers_of(answers: Iterable[tuple[Signal, OnTerm]], leaves: str = "on_signal") -> Handlers:
    """Return the handlers that the answers need; *leaves* is the procedure of one that ends the process."""
    names = {"exit": leaves, "reload": GOES_ON}
    return tuple((signal, names[how.kind]) for signal, how in answers if how.kind in names)


def ignored_of(answers: Iterable[tuple[Signal, OnTerm]]) -> frozenset[Signal]:
    """Return the signals that the answers ignore."""
    return frozenset(signal for signal, how in answers if how.kind == "ignore")


def inherited(ignored: frozenset[Signal], answers: Answers) -> frozenset[Signal]:
    """Return what a child ignores whose parent ignores *ignored* and that gives *answers* of its own.

    >>> sorted(inherited(frozenset({"HUP", "INT"}), (("INT", OnTerm("none")), ("TERM", OnTerm("ignore")))))
    ['HUP', 'TERM']
    """
    return ignored - {signal for signal, _ in answers} | ignored_of(answers)


def answer_table(program: str, given: Callable[[World, int], Answers]) -> Procedure:
    """Return how a program leaves by a signal that *given* has an answer to, by the process's number."""

    def answer(world: World, frame: Frame) -> OnTerm:
        return dict(given(world, frame.fid[0]))[frame.local["signal"]]

    def signal_after(world: World, frame: Frame) -> int:
        return answer(world, frame).after

    def leave_on_signal(g: Goroutine) -> int:
        """Leave with the code that is said for the signal."""
        return answer(g.world, g.frame).code

    return procedure(f"{program}.on_signal", Sleep("on_signal", signal_after), Exit(leave_on_signal))
