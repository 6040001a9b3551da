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

from sim.engine.journald import state_of
from sim.engine.setup import Docker, Systemctl
from sim.engine.systemd.stop import knows
from sim.kernel.records import INIT
from sim.world import Frame, World

TRIED = ("docker-1.13", "podman", "podman-quadlet")  # designs on whose graphs tests have tried the table

CONFLUENT: frozenset[str] = frozenset({
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
    "dockerd.events:answer_events_since",
    "dockerd.kill:answer_signal_task",
    "dockerd.restore:answer_last_event",
    "dockerd.restore:answer_signal_task",
    "dockerd.restore:answer_state_task",
    "dockerd.stop:answer_signal_task",
    "hook.main:answer_set_key",
    # A wait ends whose condition holds for good; a lock that was waited for is held.
    "dockerd.boot:policies_started",
    "dockerd.boot:restored",
    "dockerd.boot:subscribed",
    "dockerd.connection:peer_gone",
    "dockerd.events:event_or_break",
    "dockerd.events:lock_libcontainerd",
    "dockerd.events:lock_remote",
    "dockerd.health:containerd_gone",
    "dockerd.kill:lock_container",
    "dockerd.restore:lock_remote",
    "dockerd.state_exit:lock_container",
    "dockerd.stop:lock_container",
    "runc.create:stage2_cloned",
    # The only reader of a queue takes what came first.
    "containerd.main:switch_tasks",
    "containerd.streams:serve_streams",
    "containerd.worker:next_start",
    "dockerd.setkey:serve_setkey",
    "init.notify:serve_notify",
    # A program starts threads of its own: they die with it, and their numbers are in no file.
    "containerd.main:start_threads",
    "hook.main:start_hook_threads",
    "proxy.main:start_threads",
    "runc.delete:start_threads",
    "runc.kill:start_threads",
    "runc.start:start_threads",
    # A goroutine goes by its own variables, or notes what no other takes back.
    "containerd.main:serve",
    "dockerd.health:check_good",
    "dockerd.start:no_answer",
    "dockerd.stop:sent",
    "payload.main:more_children",
    "shim.main:is_payload",
})  # fmt: skip
"""`procedure:op`."""


def _is_asked_for(world: World, frame: Frame) -> bool:
    """Say whether a step asks a program: a signal that people send themselves races with the death of its process."""
    step = world.setup.terminals[frame.local["terminal"]][frame.local["i"]]
    return isinstance(step.command, Docker | Systemctl)


def _is_forgotten(world: World, frame: Frame) -> bool:
    """Say whether nobody looks for the next zombie: those that somebody keeps the number of are seen until reaped."""
    zombies = world.host.zombies.get(INIT, ())
    program = next((world.host.procs[pid].image.program for pid in zombies), "")
    kept = ("podman",) if world.design.engine.is_unit is not None else ()  # the main process of a unit that starts
    return program not in ("dockerd", "containerd", "payload", "journald", "conmon", *kept)


def _is_no_unit(world: World, frame: Frame) -> bool:
    """Say whether the reaped child is no unit's main process, so that PID 1 does nothing about it."""
    pid = frame.local["reaped_pid"]
    return pid != state_of(world).main_pid and not knows(world, pid)


ONLY_WHERE: dict[str, Callable[[World, Frame], bool]] = {
    "client.terminal:begin": _is_asked_for,
    "init.main:notice": _is_no_unit,
    "init.main:reap_any": _is_forgotten,
}
"""Ops that are confluent where a condition holds."""
