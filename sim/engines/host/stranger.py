"""Strangers on the host, and what they take from an engine: a port, the number of a process that is gone.

A stranger is a child of PID 1 with a session of its own, called after the step that made it. It does nothing, and any
signal that ends a process ends it. A number is given out as if other work on the host had moved the id counter there.
Source: bind(2); engine-1.13 §3.1, §6 steps 1 and 3, §12, §23 T2, T14b, T25, T46.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, Spawn, spawn
from sim.engine.ops import Return
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import TakePid, TakePort, Target
from sim.kernel import syscalls
from sim.kernel.events import IdsSkipped
from sim.kernel.records import INIT, Pid
from sim.world import World


def take_port(g: Goroutine, command: TakePort) -> None:
    """Let a stranger listen at an address, unless somebody does."""
    family, _, place = command.address.partition(":")
    if syscalls.conflicts(g.world.host, command.address):
        g["error"] = f"listen {family} {place}: bind: address already in use"
    else:
        syscalls.listen(g.turn, _begin(g), command.address)


def _begin(g: Goroutine) -> Pid:
    """Start a stranger that is called after the step."""
    step = g.world.setup.terminals[g["terminal"]][g["i"]]
    return spawn(g.turn, INIT, Spawn("stranger", ("stranger", step.id), new_session=True))


def take_pid(g: Goroutine, command: TakePid) -> None:
    """Let a stranger bear a number: the one given, or the one that a file still has for a process."""
    number = command.number if command.target is None else written_down(g.world, command.target)
    if not number:
        g["error"] = f"no file has a number of {command.target}"
    elif number in g.world.host.uses:
        g["error"] = f"{number} is in use"
    else:
        g.emit(IdsSkipped(number - 1))
        _begin(g)


def written_down(world: World, target: Target) -> Pid:
    """Return the number that a file of the engine has for a process; 0 if none has."""
    rule = world.design.engine.written_down.get(target.role)
    return 0 if rule is None else rule(world, target.container)


PROGRAM = Program(
    "stranger", (procedure("stranger.main", Return()),), role=Role(kind=Kind.STRANGER, home="init", target="step")
)
