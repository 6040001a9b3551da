"""Invariants of containers, policies and commands: V1 to V7 and V10 to V15, as functions from a world to its faults.

Where an invariant holds there is no fault; each is told in a few words. What is no fault: a start, a stop or an exit
that is under way. So a container counts as running where the engine believes it and the kernel knows it. A process with
a KILL on its way counts as dead. Each function says what else it excuses. Source: engine-1.13 §24.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sim.engine.containers import is_split, runtime_state
from sim.engine.ops import Answered
from sim.engine.program import home_of, is_at_home_under_init
from sim.engine.records import RuntimeState
from sim.engine.role import CONTAINER, HOST, Kind
from sim.engines.host.client import PATIENT, step_of
from sim.engines.host.systemd.unit import state_of
from sim.kernel.records import OUTSIDE, Process
from sim.predicates import (
    believed,
    dockerd,
    doomed,
    is_program,
    living,
    payloads,
    programs,
    said_to_run,
    spelled,
)
from sim.properties.history import STARTED, stopped_mark
from sim.properties.property import mark
from sim.properties.words import a_stop, own_units
from sim.world import World

Faults = Iterator[str]
FIRST = frozenset({Kind.PAYLOAD, Kind.SANDBOX})  # what a holder holds: a container's first process, or a pod's

# -- containers and their processes -----------------------------------------------------------------


def said_as_it_is(world: World) -> Faults:
    """Find containers that are said to run and do not, or the other way round (V1); no dockerd says nothing."""
    if dockerd(world) is None:
        return
    said = {name for name, _ in said_to_run(world)}
    for name in world.services:
        runs = bool(programs(world, name))
        if (name in said) != runs:
            yield f"{name} runs and is said not to" if runs else f"{name} is said to run and does not"


def known(world: World) -> Faults:
    """Find payloads of which the engine would not hear the end (V2): it is deaf to exits of what it does not know.

    One that the runtime has not written down yet, or not any more, comes or goes.
    """
    engine, daemon = world.design.engine, world.design.traits.engine
    for name in world.services:
        if any(_is_kept(world, name, process) for process in payloads(world, name)) and not engine.knows(world, name):
            asked = dockerd(world) is not None and believed(world, name) is not None
            yield f"{name} has a payload and {f'{daemon} does not know' if asked else 'no record says so'}"


def _is_kept(world: World, name: str, process: Process) -> bool:
    state = runtime_state(world, world.services[name].id)
    return is_program(process.image) or (isinstance(state, RuntimeState) and state.pid == process.pid)


def child_of_its_shim(world: World) -> Faults:
    """Find programs that are not below their holder (V3). The runtime may still be there when the program begins."""
    for name in world.services:
        for process in programs(world, name):
            if not _looked_after(world, name, process) and not _is_killed(world, name, process):
                yield f"{spelled(process)} is a child of {_parent(world, process)}"


def one_shim(world: World) -> Faults:
    """Find running containers with no holder or with several (V4). A payload that is about to be killed needs none.

    A holder whose payload has ended and that still cleans up may stand beside the next one.
    """
    said = [name for name, _ in said_to_run(world)]
    roles = world.design.holders
    count = Counter(it.image.container for role in roles if said for it in living(world, role) if not _done(world, it))
    for name in said:
        found = [it for it in programs(world, name) if home_of(world, it.pid) in roles]  # of a version that has holders
        number = count[name]
        if found and number != 1 and (number or not all(_is_killed(world, name, it) for it in found)):
            yield f"{name} has {number} {' or '.join(f'{role}s' for role in roles)}"


def _done(world: World, process: Process) -> bool:
    """Return whether a holder holds nothing more: by the rule of the version that it runs."""
    rule = world.design.of(world, process.pid).programs[process.image.program].is_done
    return rule is not None and rule(world, process.pid)


def holders(world: World) -> list[Process]:
    """Return the living holders of every container."""
    return [holder for role in world.design.holders for holder in living(world, role)]


def shims_have_work(world: World) -> Faults:
    """Find holders without a payload (V4b). Asked at an end: before, one may be on its way to its payload, or out."""
    for holder in holders(world):
        children = (world.host.procs[pid] for pid in world.host.children.get(holder.pid, ()))
        if not any(world.design.roles[child.image.program].kind in FIRST and child.alive for child in children):
            yield f"{spelled(holder)} has no payload"


def shims_are_containerd_s(world: World) -> Faults:
    """Find holders that are no children of the living daemon that they are to be below (V5)."""
    for holder in holders(world):
        home = home_of(world, holder.pid)
        if doomed(holder) or is_at_home_under_init(world, holder.pid):
            continue
        parent = world.host.procs.get(holder.ppid)
        if parent is None or parent.image.program != home or not parent.alive:
            yield f"{spelled(holder)} is a child of {_parent(world, holder)}"


def dies_with_its_shim(world: World) -> Faults:
    """Find programs that have lost who holds them, or the daemon that they are to be below (V6)."""
    for name in world.services:
        for process in programs(world, name):
            if not _looked_after(world, name, process):
                yield f"{spelled(process)} lives and has no {home_of(world, process.pid)}"


def _looked_after(world: World, name: str, process: Process) -> bool:
    parent = world.host.procs.get(process.ppid)
    if parent is None or not parent.alive:
        return False
    role = world.design.roles[parent.image.program]
    starts = role.kind is Kind.ERRAND and role.target == CONTAINER  # runc may still be there when the program begins
    at_home = parent.image.program == home_of(world, process.pid)
    return (at_home or starts) and (parent.image.container == name or role.target == HOST)


def _is_killed(world: World, name: str, process: Process) -> bool:
    """Return whether a payload's end is on its way: by a KILL, its unit, or a process that works and will end it."""
    if doomed(process) or is_split(world, world.services[name]):
        return True
    return any(
        it.runs and not doomed(it) and _cleans_up(world, it, name)
        for program in world.design.programs.values()
        if program.cleans_up is not None
        for it in living(world, program.name)
    )


def _cleans_up(world: World, process: Process, name: str) -> bool:
    """Return whether a process will end what is left of a container: by the rule of the version that it runs."""
    rule = world.design.of(world, process.pid).programs[process.image.program].cleans_up
    return rule is not None and rule(world, name)


def _parent(world: World, process: Process) -> str:
    parent = world.host.procs.get(process.ppid)
    return f"{process.ppid}, which is gone" if parent is None else spelled(parent)


def code_is_the_real_one(world: World) -> Faults:
    """Find containers of which `die` has told a wrong exit code (V7)."""
    return _wrong(world, "V7", "die told an exit code of {} that is not the real one")


def no_command_runs_that_failed(world: World) -> Faults:
    """Find containers of which a command runs that an exec has said to have failed (V7b)."""
    client = world.design.traits.client or "an"
    return _wrong(world, "V7b", f"{client} exec said 126 of a command that runs in {{}}")


def _wrong(world: World, number: str, text: str) -> Faults:
    for name in world.services:
        if world.marks.get(mark(number, "wrong", name)):
            yield text.format(name)


# -- policies and commands --------------------------------------------------------------------------


def always_runs_again(world: World) -> Faults:
    """Find containers with always that do not run again (V10)."""
    return _down_for_good(world, "always")


def unless_stopped_runs_again(world: World) -> Faults:
    """Find containers with unless-stopped that nobody stopped and that do not run again (V11b)."""
    return _down_for_good(world, "unless-stopped")


def _down_for_good(world: World, policy: str) -> Faults:
    """Find containers of a policy that have run, were not ended by people, and do not run.

    Where people have stopped a unit of the engine's, or it has left by itself with 0, nobody is to start them.
    """
    if any(state_of(world, unit).state in ("inactive", "deactivating") for unit in own_units(world.design)):
        return
    for name, service in world.services.items():
        if service.restart.name != policy or not world.design.engine.wanted(world, name):
            continue
        record = believed(world, name)
        ran = record is not None and record.started
        if ran and not world.marks.get(stopped_mark(name), 0) and not programs(world, name):
            yield f"{name} does not run again"


def stays_stopped(world: World) -> Faults:
    """Find containers with unless-stopped that were started though people had stopped them (V11)."""
    return _wrong(world, "V11", "{} was started again, and nobody asked for it")


def stop_stops(world: World) -> Faults:
    """Find containers that ran when a stop succeeded (V12)."""
    return _wrong(world, "V12", f"{{}} ran when {a_stop(world.design)} said that it had stopped it")


def every_command_is_answered(world: World) -> Faults:
    """Find commands that wait for their answer (V13). A step that waits for its moment is no command yet."""
    for number in range(len(world.setup.terminals)):
        frame = world.frames.get((OUTSIDE, f"terminal/{number}"))
        op = world.design.procedures[frame.procedure].ops[frame.op] if frame is not None else None
        if frame is not None and isinstance(op, Answered) and op.name not in PATIENT:
            yield f"step {step_of(world, frame).id} has no answer"


def one_die_a_start(world: World) -> Faults:
    """Find containers with a `start` or a `die` too many (V14)."""
    return _wrong(world, "V14", "{} had two starts without a die between them, or two dies without a start")


def every_end_has_its_die(world: World) -> Faults:
    """Find ended runs of which no `die` was said (V14b). Where a daemon says it, one that does not live cannot."""
    if world.design.traits.engine and dockerd(world) is None:
        return
    for name in world.services:
        if world.marks.get(mark("V14", "runs", name)) == STARTED and not programs(world, name):
            yield f"{name} has ended and no die was said"


def no_exit_is_lost(world: World) -> Faults:
    """Find exits that containerd has told and dockerd has not heard (V15); without a dockerd they wait in the log."""
    for name in world.services if dockerd(world) is not None else ():
        if world.marks.get(mark("V15", "untold", name)):
            design = world.design
            yield f"{design.engine.keeper}'s exit event of {name} never came to {design.traits.engine}"
