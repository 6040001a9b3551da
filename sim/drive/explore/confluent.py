"""Ops that may be taken before everything else, since in whatever order the rest comes the outcome is the same.

An op is confluent if, wherever a goroutine may take it, everything else that may happen there may still happen after it
and leads to the same state as in the other order; or destroys what it did (the death of its process), which comes to
the same as if it had never been taken. A search that takes such an op at once, and keeps no state before it, loses no
end and no state in which something can be seen: an op that writes what a property or a moment reads is left out while
that is asked for. Source: Groote and van de Pol, 2000; Blom and van de Pol, 2002 (prioritised confluent steps).

The table is tried, not only argued: tests take each op and whatever else may happen in both orders, on whole graphs and
on random ways with several faults (tests/drive/confluence.py). An op has no place here if a KILL of its process lets
stand what it did: what it wrote, sent or forked. Nor has one if it reads what another program may still change. No op
has a time limit. Of a process that is stopped for ever by a step, an end is found with its confluent ops taken. It
holds for up to ten starts at a time, the number of containerd's workers.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.designs import Design
from sim.engine.role import Kind, Role
from sim.engine.setup import Docker, Systemctl
from sim.engines.host.journald import PROGRAM as JOURNALD
from sim.engines.host.journald import state_of
from sim.engines.host.systemd.stop import knows
from sim.kernel.records import INIT
from sim.world import Frame, World

OF_EVERY_HOST: frozenset[str] = frozenset({
    # A terminal goes on by itself: nobody looks at it, and nothing kills it.
    "client.terminal:created",
    "client.terminal:failed",
    "client.terminal:finish",
    "client.terminal:lost",
    "client.terminal:more_steps",
    "client.terminal:refused",
    # An answer that has come is taken; or none comes any more, since the peer is dead.
    "client.terminal:answer_create_request",
    "client.terminal:answer_docker_request",
    "client.terminal:answer_systemctl_request",
    # The only reader of a queue takes what came first.
    "init.notify:serve_notify",
    # A goroutine goes by its own variables, or notes what no other takes back.
    "payload.main:more_children",
})  # fmt: skip
"""`procedure:op` of what every host runs; those of an engine's own programs are `Unread.confluent`."""


def confluent(design: Design) -> frozenset[str]:
    """Return the ops (`procedure:op`) of a design that are confluent wherever a goroutine may take them."""
    return OF_EVERY_HOST.union(*(share.confluent for share in design.engine.unread))


def is_tried(design: Design) -> bool:
    """Return whether tests have tried the tables on walks of a design's engine."""
    return any(share.tried for share in design.engine.unread)


def _is_asked_for(world: World, frame: Frame) -> bool:
    """Say whether a step asks a program: a signal that people send themselves races with the death of its process."""
    step = world.setup.terminals[frame.local["terminal"]][frame.local["i"]]
    return isinstance(step.command, Docker | Systemctl)


def _is_forgotten(world: World, frame: Frame) -> bool:
    """Say whether nobody looks for the next zombie: those that somebody keeps the number of are seen until reaped."""
    zombies = world.host.zombies.get(INIT, ())
    program = next((world.host.procs[pid].image.program for pid in zombies), "")
    role: Role | None = world.design.roles.get(program)
    if (role is not None and role.kind is Kind.PAYLOAD) or program == JOURNALD.name:
        return False
    return not any(program in share.remembered for share in world.design.engine.unread)


def _is_no_unit(world: World, frame: Frame) -> bool:
    """Return whether the reaped child is no unit's process, so that PID 1 does nothing about it.

    While it cleans up behind a unit it may run ExecStopPost=, whose process would have another name as long as this
    one's is kept.
    """
    pid = frame.local["reaped_pid"]
    return pid != state_of(world).main_pid and not knows(world, pid) and not world.running(INIT, "init.clean_up")


ONLY_WHERE: dict[str, Callable[[World, Frame], bool]] = {
    "client.terminal:begin": _is_asked_for,
    "init.main:notice": _is_no_unit,
    "init.main:reap_any": _is_forgotten,
}
"""Ops that are confluent where a condition holds."""
