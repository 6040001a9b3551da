"""Which step of a run is the fault that a picture is about, and what it is called.

Leaves out faults that a run chooses by itself. Source: none; the project's own wording.
"""

from __future__ import annotations

from sim.designs import Design
from sim.engine.setup import (
    QUIET_VERBS,
    Command,
    Docker,
    FillDisk,
    FlushRules,
    Journald,
    KillProcess,
    LosePower,
    Microseconds,
    OutOfMemory,
    OwnCommand,
    Setup,
    Step,
    Systemctl,
    Upgrade,
)
from sim.facts import StepTaken
from sim.trace import Trace
from sim.views import interval_parts as v

HARMLESS = ("CONT", "HUP", "USR1", "USR2", "WINCH")
PARTICIPLES = {"KILL": "killed", "STOP": "frozen", "TERM": "terminated"}


def fault_of(run: v.Intervals, step: str | None = None) -> v.Mark | None:
    """Return the first step that harms something: a signal, else the unit's stop or restart, else a container's.

    Raises KeyError if *step* is given and never began.
    """
    if step is not None:
        for mark in run.marks:
            if mark.id == step:
                return mark
        raise KeyError(step)
    found = [mark for mark in run.marks if mark.at >= 0 and harms(mark.command)]
    return min(found, key=lambda mark: (_rank(mark.command), mark.at), default=None)


def first_harm(setup: Setup) -> Step | None:
    """Return the step of a scenario that is such a fault, None if there is none."""
    steps = [step for terminal in setup.terminals for step in terminal if harms(step.command)]
    return min(steps, key=lambda step: _rank(step.command), default=None)


def since_harm(trace: Trace) -> Microseconds:
    """Return when such a step began, in µs from t = 0; 0 if none has."""
    step = first_harm(trace.setup)
    taken = (r.at for r in trace if step and type(r.event) is StepTaken and r.event.id == step.id)
    return (next(taken, None) or trace.origin) - trace.origin


def since_words(trace: Trace) -> str:
    """Return what `since_harm` counts from: the id of the step, else t = 0."""
    step = first_harm(trace.setup)
    taken = step is not None and any(type(r.event) is StepTaken and r.event.id == step.id for r in trace)
    return step.id if step is not None and taken else "t = 0"


def _rank(command: Command) -> int:
    return 0 if isinstance(command, KillProcess | LosePower | OutOfMemory) else 2 if isinstance(command, Docker) else 1


def harms(command: Command) -> bool:
    """Say whether a command may end or freeze a process, or take away what it needs."""
    if isinstance(command, OwnCommand):
        return command.harms()
    if isinstance(command, KillProcess):
        return command.signal not in HARMLESS
    if isinstance(command, Systemctl):
        return command.verb not in QUIET_VERBS
    if isinstance(command, Docker):
        return command.verb in ("stop", "kill", "restart", "rm", "pause")
    if isinstance(command, Journald):
        return command.verb != "start"
    return isinstance(command, Upgrade | LosePower | OutOfMemory | FlushRules) or command == FillDisk()


def noun(command: Command, design: Design) -> str:
    """Return what a step does, as the subject of a sentence.

    >>> from sim.designs import DESIGNS
    >>> noun(Systemctl("restart"), DESIGNS["docker-26"]), noun(Docker("stop", "web"), DESIGNS["docker-26"])
    ('a restart of docker', 'docker stop web')
    """
    if isinstance(command, KillProcess):
        what = PARTICIPLES.get(command.signal, f"{command.signal}-signalled")
        role, container = command.target.role, command.target.container
        if container == "*":
            return f"killing every {role}" if what == "killed" else f"{command.signal} to every {role}"
        return f"a {what} {role}" + (f" of {container}" if container else "")
    if isinstance(command, Systemctl):
        return f"a {command.verb}" + (f" of {command.unit}" if command.unit else "")
    match command:
        case OwnCommand():
            return command.noun()
        case Upgrade():
            return f"an upgrade to {command.to}"
        case Docker():
            return str(design.engine.typed(design, command))
        case LosePower():
            return "a power cut"
        case OutOfMemory():
            return f"memory that runs out {f'for {command.container}' if command.container else 'on the host'}"
        case Journald():
            return f"a {command.verb} of journald"
        case FlushRules():
            return f"a flush of the {command.table} table"
        case FillDisk():
            return "a full disk"
    return "a step"


def command_text(mark: v.Mark) -> str:
    """Return a step as people type it."""
    command = mark.command
    if isinstance(command, KillProcess):
        return f"kill -{'9' if command.signal == 'KILL' else command.signal} {command.target}"
    return mark.text


def subject(run: v.Intervals, fault: v.Mark | None, design: Design) -> str:
    """Name the fault, and say how many more steps there are that harm something, for what follows is theirs too."""
    if fault is None:
        return "a boot" if run.boots else ""
    later = {(mark.at, mark.text) for mark in run.marks if mark.at >= fault.at and harms(mark.command)}
    more = len(later - {(fault.at, fault.text)})
    return noun(fault.command, design) + (f" and {more} more step{'s' * (more != 1)}" if more else "")
