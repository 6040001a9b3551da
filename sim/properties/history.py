"""What properties remember of the past: rules that set marks, each for one type of event.

Every rule sees the world before its event. Marks are small: 0, 1, 2, or an exit code until `die` has told it; one that
is 0 may as well be missing. Leaves out what a state shows by itself. Source: engine-1.13 §24; §3.2 and §4 for what
counts as a stop by people.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine import paths
from sim.engine.role import CONTAINER, Kind
from sim.engine.settings import daemon_of
from sim.engine.setup import Docker
from sim.facts import EngineEvent, Message, Received, Sent, StepDone, StepTaken
from sim.kernel import events as e
from sim.kernel.records import code_of
from sim.kernel.signals import NAMES
from sim.predicates import believed, dockerd, is_program, living, programs
from sim.properties.property import Mark, Watch, mark
from sim.properties.words import an_api
from sim.world import World

Marks = Iterable[Mark]
ENDING = frozenset({"KILL", "TERM", "INT", "QUIT"})  # signals that people send to end a container
ASKED, STOPPED = 1, 2


def _said(event: EngineEvent) -> str:
    """Return the word about a container, "" for other events."""
    return event.action if event.kind == "container" else ""


def _changed(world: World, *marks: Mark) -> list[Mark]:
    """Return the marks that are not so already; one that was never set is 0."""
    return [(name, number) for name, number in marks if world.marks.get(name, 0) != number]


def _if(wrong: bool, number: str, container: str = "") -> tuple[Mark, ...]:
    """Return the mark that says that a property was violated, if it was."""
    return ((mark(number, "wrong", container), 1),) if wrong else ()


def _by_people(world: World) -> bool:
    """Return whether an event is what people asked for: what a daemon does while it shuts down is its own doing."""
    if not world.design.traits.engine:
        return True  # each command is a process of its own
    pid = dockerd(world)
    return pid is not None and not world.recall(pid, "shutting_down")


# -- V7: exit codes ---------------------------------------------------------------------------------

UNKNOWN = 0  # codes are kept with 1 added


def code_forgotten(world: World, event: e.Execed) -> Marks:
    """A program begins: it has no exit code yet."""
    return _changed(world, (mark("V7", "code", event.image.container), UNKNOWN)) if is_program(event.image) else ()


def code_left(world: World, event: e.Exited) -> Marks:
    """A program ends: the code is its own, or 128 and the signal."""
    image = world.host.procs[event.pid].image
    if not is_program(image):
        return ()
    code = code_of(event.status)
    return _changed(world, (mark("V7", "code", image.container), code + 1))


def code_told(world: World, event: EngineEvent) -> Marks:
    """`die` tells a code, which may be that of an end that was told before."""
    if _said(event) != "die":
        return ()
    real = world.marks.get(mark("V7", "code", event.container), UNKNOWN)
    wrong = real != int(dict(event.attributes)["exitCode"]) + 1
    return _changed(world, *_if(wrong, "V7", event.container))


CODES: Watch = ((e.Execed, code_forgotten), (e.Exited, code_left), (EngineEvent, code_told))

# -- V7b: the exit code of docker exec --------------------------------------------------------------


def exec_failed(world: World, event: StepDone) -> Marks:
    """A `docker exec` ends with 126, which means that the command has not begun."""
    if not (event.error or "").endswith("(exit code 126)"):  # an explored step without an error has none
        return ()
    for terminal in world.setup.terminals:
        for step in terminal:
            if step.id == event.id and isinstance(step.command, Docker):
                name, words = step.command.container, step.command.words
                execed = (it for role in world.design.of_kind(Kind.EXECED) for it in living(world, role, name))
                runs = any(it.image.argv == words for it in execed)
                return _changed(world, *_if(runs, "V7b", name))
    return ()


EXEC_ANSWERS: Watch = ((StepDone, exec_failed),)

# -- V10, V11: stopped by people --------------------------------------------------------------------


def stopped_mark(container: str) -> str:
    """Return the mark that says whether people have asked for a container's end (1), and whether it came (2)."""
    return mark("V10", "stopped", container)


def stop_noted(world: World, event: EngineEvent) -> Marks:
    """People end a container with an ending signal or a stop; a start makes that undone."""
    word, name = _said(event), event.container
    if not word or world.services[name].restart.name not in ("always", "unless-stopped"):
        return ()
    before = world.marks.get(stopped_mark(name), 0)
    after = before
    if word in ("start", "destroy"):
        after = 0
    elif (word == "die" and (before == ASKED or _is_kept(world, name))) or (word == "stop" and _by_people(world)):
        after = STOPPED
    elif word == "kill" and not before and _by_people(world):
        signal = NAMES[int(dict(event.attributes)["signal"])]
        after = ASKED if signal in ENDING or signal == world.services[name].stop_signal else 0
    return _changed(world, (stopped_mark(name), after))


def _is_kept(world: World, name: str) -> bool:
    """Return whether the record says that people have stopped it, where no daemon says `stop` of each."""
    record = believed(world, name) if an_api(world.design) else None
    return record is not None and record.manual


STOPS: Watch = ((EngineEvent, stop_noted),)


def start_requested(world: World, event: Sent) -> Marks:
    """Somebody asks dockerd for a start."""
    if event.name != "api" or not isinstance(event.message, Message) or event.message.kind not in ("start", "restart"):
        return ()
    return _changed(world, (mark("V11", "asked", event.message.container), 1))


def start_unasked(world: World, event: EngineEvent) -> Marks:
    """A container with unless-stopped that people had stopped begins again, and nobody asked for it."""
    name = event.container
    if _said(event) != "start" or world.services[name].restart.name != "unless-stopped":
        return ()
    asked = mark("V11", "asked", name)
    wrong = world.marks.get(stopped_mark(name), 0) == STOPPED and not world.marks.get(asked, 0)
    return _changed(world, (asked, 0), *_if(wrong, "V11", name))


UNASKED_STARTS: Watch = (*STOPS, (Sent, start_requested), (EngineEvent, start_unasked))

# -- V12: a stop by people --------------------------------------------------------------------------


def stop_requested(world: World, event: Sent) -> Marks:
    """Somebody asks dockerd for a stop."""
    if event.name != "api" or not isinstance(event.message, Message) or event.message.kind != "stop":
        return ()
    return _changed(world, (mark("V12", "asked", event.message.container), 1))


def stop_answered(world: World, event: EngineEvent) -> Marks:
    """The stop succeeds; a start that came meanwhile is somebody else's will."""
    word, name = _said(event), event.container
    asked = mark("V12", "asked", name)
    if word not in ("start", "stop") or not world.marks.get(asked, 0):
        return ()
    return _changed(world, (asked, 0), *_if(word == "stop" and _runs(world, name), "V12", name))


def _runs(world: World, name: str) -> bool:
    record = believed(world, name)
    return (record is not None and record.running) or bool(programs(world, name))


def stop_begun(world: World, event: StepTaken) -> Marks:
    """People stop a container where no daemon of the engine's takes their request: with a command, or by the API."""
    name = _stopped_by(world, event.id)
    return _changed(world, (mark("V12", "asked", name), 1)) if name else ()


def stop_done(world: World, event: StepDone) -> Marks:
    """Such a stop is over, and no event has told so: what its user saw is the answer."""
    name = _stopped_by(world, event.id)
    asked = mark("V12", "asked", name)
    if not name or not world.marks.get(asked, 0):
        return ()
    return _changed(world, (asked, 0), *_if(not event.error and _runs(world, name), "V12", name))


def _stopped_by(world: World, step_id: str) -> str:
    """Return the container that a step stops where that is not a request to a daemon; "" if it does not."""
    if not an_api(world.design):
        return ""
    steps = (step for terminal in world.setup.terminals for step in terminal if step.id == step_id)
    stops = (it.command for it in steps if isinstance(it.command, Docker) and it.command.verb == "stop")
    return next((it.container for it in stops), "")


STOP_ANSWERS: Watch = (
    (Sent, stop_requested),
    (EngineEvent, stop_answered),
    (StepTaken, stop_begun),
    (StepDone, stop_done),
)

# -- V14: start and die -----------------------------------------------------------------------------

STARTED, DIED = 1, 2


def lives_counted(world: World, event: EngineEvent) -> Marks:
    """Note `start` and `die` by turns; the first `die` may be of a run that began before anybody watched."""
    word, name = _said(event), event.container
    if word not in ("start", "die", "destroy"):
        return ()
    place = mark("V14", "runs", name)
    before = world.marks.get(place, 0)
    if word == "destroy":
        return _changed(world, (place, 0))
    after = STARTED if word == "start" else DIED
    return _changed(world, (place, after), *_if(before == after, "V14", name))


LIVES: Watch = ((EngineEvent, lives_counted),)

# -- V15: containerd's events -----------------------------------------------------------------------


EXITS = ("exit", "exec_exit")


def exit_published(world: World, event: e.FileWritten) -> Marks:
    """Containerd has written an exit into its log; one that the log had before is what is left of a torn one."""
    if event.path != paths.EVENTS_LOG or not isinstance(event.value, tuple) or not event.value:
        return ()
    last, before = event.value[-1], world.host.files.get(event.path, ())
    new = last[1].kind in EXITS and last not in (before if isinstance(before, tuple) else ())
    return _changed(world, (mark("V15", "untold", last[1].container), 1)) if new else ()


def exit_taken(world: World, event: Received) -> Marks:
    """Dockerd's reader of events has taken one, whatever it makes of it."""
    if event.name != "events":
        return ()
    return _changed(world, (mark("V15", "untold", world.queue(event.pid, "events")[0].container), 0))


EXIT_EVENTS: Watch = ((e.FileWritten, exit_published), (Received, exit_taken))

# -- V17: who is signalled --------------------------------------------------------------------------


def stranger_signalled(world: World, event: e.Signalled) -> Marks:
    """The engine's living daemon signals what is neither its child nor a container's or a pod's first process."""
    sender, target = world.host.procs.get(event.by_pid), world.host.procs[event.pid]
    daemon = world.design.traits.engine
    if sender is None or sender.image.program != daemon or not sender.alive or target.ppid == sender.pid:
        return ()
    role = world.design.roles[target.image.program]
    begins = role.kind is Kind.ERRAND and role.target == CONTAINER  # the stage of runc that becomes the program
    return _changed(world, *_if(role.kind not in (Kind.PAYLOAD, Kind.SANDBOX) and not begins, "V17"))


SIGNALS: Watch = ((e.Signalled, stranger_signalled),)

# -- V19: what outlives a dockerd -------------------------------------------------------------------


def outlived(world: World, event: e.Exited) -> Marks:
    """A dockerd without live-restore ends while programs run; a program ends."""
    image = world.host.procs[event.pid].image
    if is_program(image):
        return _changed(world, (mark("V19", "old", image.container), 0))
    if image.program != world.design.engine.ends_with or daemon_of(world, event.pid).live_restore:
        return ()
    return _changed(world, *((mark("V19", "old", name), 1) for name in world.services if programs(world, name)))


SURVIVORS: Watch = ((e.Exited, outlived),)
