"""The user's program in a container, as its x-payload says: when it is ready, how it takes signals, when it leaves.

It is the first process of its pid namespace, so a signal that it has no handler for is dropped. Its ports answer once
it is ready; if it forks children, the last of them serves. What it prints goes along `sim.engines.host.output`; it is
one thread of work, so that while a write(2) waits it does nothing else by itself: it becomes ready, leaves or fails
once the write has returned. A signal's handler interrupts the write. Leaves out what it computes. Source: engine-1.13
§9, §10; signal(7); the scenario.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.containers import identity, pins, runtime_files, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Reap, ReapAny, Return, Sleep, Wait, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState
from sim.engine.role import Kind, Role
from sim.engine.setup import Answers, S
from sim.engines.host import output, threads
from sim.engines.host.answers import answer_table, handlers_of, ignored_of
from sim.engines.host.children import child_of, reap_tables, wait_for
from sim.engines.host.memory import limit_reached, server
from sim.engines.host.reach import is_open, places_of
from sim.facts import BecameReady, StateChanged, WriteBlocked, WriteResumed
from sim.kernel import fifos, syscalls
from sim.kernel.records import Image, Pid, code_of
from sim.kernel.signals import CATCHABLE
from sim.world import Frame, Key, World


def _runtime_state(world: World, frame: Frame) -> Iterable[Key]:
    files = runtime_files(world, identity(world, frame))
    return (*(("file", path) for path in files), ("proc", frame.fid[0]))


@reading(_runtime_state)
def exec_fifo_open(world: World, frame: Frame) -> bool | str:
    """Return whether `runc start` has opened this instance's exec fifo; or that `runc create` left without making one.

    The second shows as the end of the pipe to the parent: the stage leaves.
    """
    pid = frame.fid[0]
    states = [world.host.files.get(path) for path in runtime_files(world, identity(world, frame))]
    if RuntimeState("running", pid) in states:
        return True
    parent = world.host.procs.get(world.host.procs[pid].ppid)
    given_up = RuntimeState("created", pid) not in states and (parent is None or parent.image.program != "runc")
    return "given_up" if given_up else False


INIT_PATH = "/dev/init"  # docker-init is mounted there
NOT_FORWARDED = frozenset({"CHLD", "FPE", "ILL", "SEGV", "BUS", "ABRT", "TRAP", "SYS", "TTIN", "TTOU"})
FORWARDED = tuple((signal, "forward") for signal in sorted(CATCHABLE - NOT_FORWARDED))


def execute(g: Goroutine) -> str | None:
    """Execve the user's program, or docker-init where the container has that as its first process."""
    service = service_of(g)
    if service.healthcheck is not None and service.healthcheck.start_period:
        g.start("payload.start_period", c=service.name)
    if service.init:
        words = (INIT_PATH, "--", *service.payload.argv)
        syscalls.execve(g.turn, g.pid, Image("payload", "init", words, service.name, FORWARDED))
        g.emit(StateChanged(service.name, "running"))
        return "init"
    run_program(g, "payload")
    return None


def run_program(g: Goroutine, program: str) -> None:
    """Execve the user's program: its handlers, its threads, and what it will do by itself."""
    service = service_of(g)
    behaviour = service.payload
    stop, others = (service.stop_signal or "TERM", behaviour.on_term), behaviour.on
    by_stop = () if stop[0] in dict(others) else (stop,)
    handlers = handlers_of(by_stop, leaves="on_term") + handlers_of(others)
    image = Image(program, behaviour.comm, behaviour.argv, service.name, handlers, ignored_of((*by_stop, *others)))
    syscalls.execve(g.turn, g.pid, image)
    threads.begin(g, program, behaviour)
    if program == "payload":
        g.emit(StateChanged(service.name, "running"))
    g["i"] = 0
    if behaviour.exits is not None:
        g.start("payload.leave_between" if behaviour.log else f"{program}.leave", c=service.name)
    if behaviour.fails is not None:
        g.start(f"{program}.fail", c=service.name)
    wait_for(g, "payload", behaviour)
    for number, how in enumerate(behaviour.children):
        if how.every is not None:
            g.start("payload.fork_again", str(number), c=service.name, number=number)
    for log in behaviour.log:
        pipe = output.pipe_of(g.world, g.pid, service, log.stream)
        if pipe is not None:
            g.start("payload.print", log.stream, c=service.name, stream=log.stream, pipe=pipe, blocked=False)


def more_children(g: Goroutine) -> str | None:
    """Go on with the next child, if there is one."""
    return None if g["i"] < len(service_of(g).payload.children) else "served"


def child(g: Goroutine) -> Spawn:
    """Describe the next child: it stays in the first process's group and session."""
    return next_child(g)


def next_child(g: Goroutine) -> Spawn:
    """Describe the child whose turn it is."""
    how = service_of(g).payload.children[g["i"]]
    g["i"] = g["i"] + 1
    return child_of(g, how)


def every(world: World, frame: Frame) -> int:
    """Return after how long the child is forked anew, in µs."""
    return int(world.services[frame.local["c"]].payload.children[frame.local["number"]].every)


def one_more(g: Goroutine) -> Spawn:
    """Fork the child once more."""
    return child_of(g, service_of(g).payload.children[g["number"]])


def app(g: Goroutine) -> Spawn:
    """Fork the user's program below docker-init."""
    how = service_of(g).payload
    return Spawn("app", how.argv, g["c"], comm=how.comm, local={"c": g["c"]})


def app_pin(world: World, frame: Frame) -> Pid | None:
    """Return the number that was observed for it."""
    return next(iter(pins(world, frame).children), None)


def is_app(g: Goroutine) -> str | None:
    """Tell the program from others that docker-init was given to reap."""
    return None if g["reaped_pid"] == g["app_pid"] else "reap_as_init"


def leave_with_app(g: Goroutine) -> int:
    """Leave with the program's code, or with 128 and its signal."""
    return code_of(g["status"])


def forward(g: Goroutine) -> None:
    """Send the signal on to the program."""
    host = g.world.host
    for pid in host.children.get(g.pid, ()):
        if host.procs[pid].image.program == "app":
            g.kill(pid, g["signal"])


def child_pin(world: World, frame: Frame) -> Pid | None:
    """Return the number that was observed for the next child."""
    index = frame.local["i"]
    return next(iter(pins(world, frame).children[index : index + 1]), None)


def ready_after(world: World, frame: Frame) -> int:
    """Return the time from execve to the first answer, in µs."""
    return int(world.services[frame.local["c"]].payload.ready)


def become_ready(g: Goroutine) -> str | None:
    """Listen on the container's ports, unless its memory has grown beyond its limit by then."""
    if output.stuck(g.world, g.pid):
        return "stuck"
    service = service_of(g)
    if service.memory is not None and service.payload.memory > service.memory:
        limit_reached(g.turn, service.name)
        return None
    for address in places_of(g.world, service.name) or ():
        if not syscalls.conflicts(g.world.host, address):
            syscalls.listen(g.turn, server(g.world, g.pid), address)
    g.emit(BecameReady(service.name))
    return None


def begin_start_period(g: Goroutine) -> None:
    """Let engines see that the container's start period has begun: how old it is, its first process knows."""
    g.remember("start_period", "begun")


def start_period(world: World, frame: Frame) -> int:
    """Return how long the health check of the container counts no failure, in µs."""
    return int(world.services[frame.local["c"]].healthcheck.start_period)


def end_start_period(g: Goroutine) -> None:
    """Let engines see that the start period is over."""
    g.remember("start_period", "over")


def leave_after(world: World, frame: Frame) -> int:
    """Return when it leaves by itself, in µs from execve."""
    return int(world.services[frame.local["c"]].payload.exits.after)


def leave(g: Goroutine) -> int:
    """Leave with the code that the scenario gives."""
    exits = service_of(g).payload.exits
    return exits.code if exits else 0


def fail_after(world: World, frame: Frame) -> int:
    """Return when it looks whether what it needs is there, in µs from execve."""
    return int(world.services[frame.local["c"]].payload.fails.after)


def needs(g: Goroutine) -> str | None:
    """Look whether the port that it needs is open."""
    if output.stuck(g.world, g.pid):
        return "stuck"
    fails = service_of(g).payload.fails
    return "stay" if fails is None or is_open(g.world, fails.container, fails.port) else None


def fail(g: Goroutine) -> int:
    """Leave with the code of a failed start."""
    fails = service_of(g).payload.fails
    return fails.code if fails else 1


def leave_with_child(g: Goroutine) -> int:
    """Leave as a shell does whose command has died of a signal."""
    return int(128 - g["status"])


def term_after(world: World, frame: Frame) -> int:
    """Return how long it takes to leave after its stop signal, in µs."""
    return int(world.services[world.host.procs[frame.fid[0]].image.container].payload.on_term.after)


def leave_on_term(g: Goroutine) -> int:
    """Leave with the code of an orderly stop."""
    service = g.world.services[g.world.host.procs[g.pid].image.container]
    return int(service.payload.on_term.code)


def answers(world: World, pid: Pid) -> Answers:
    """Return what the program does with signals other than its stop signal."""
    found: Answers = world.services[world.host.procs[pid].image.container].payload.on
    return found


# -- printing ---------------------------------------------------------------------------------------


@reading(lambda world, frame: output.way(world, frame).keys())
def held_up(world: World, frame: Frame) -> bool:
    """Return whether what it prints next will stand somewhere: until then nothing of it is counted."""
    return not output.way(world, frame).flows()


@reading(lambda world, frame: output.way(world, frame).keys())
def flows_again(world: World, frame: Frame) -> bool:
    """Return whether what it prints next will stand nowhere."""
    return output.way(world, frame).flows()


def chunk(world: World, frame: Frame) -> int:
    """Return how many bytes it writes before anybody else is to act: what the next stage holds, or a copy's buffer."""
    room = next((room for room in output.way(world, frame).rooms() if room > 0), 0)
    return min(room, output.COPY)


def chunk_time(world: World, frame: Frame) -> int:
    """Return how long it takes to print a chunk, in µs; where no stage holds more, the next write, which waits."""
    log = output.log_of(world, frame.local["c"], frame.local["stream"])
    return -(-(chunk(world, frame) or log.write) * S // log.rate)


def print_chunk(g: Goroutine) -> str | None:
    """Write a chunk into the pipe; a full pipe blocks."""
    pipe = g.world.host.fifos.get(g["pipe"])
    if pipe is None or not pipe.readers:
        return "free"
    if pipe.level == pipe.capacity:
        g["blocked"] = True
        g.emit(WriteBlocked(g["c"], g["stream"], output.standing(g.world, g["c"], g["stream"])))
        return "blocked"
    fifos.write_fifo(g.turn, g.pid, pipe.path, chunk(g.world, g.frame))
    return None


@reading(lambda world, frame: (("fifo", frame.local["pipe"]),))
def write_returns(world: World, frame: Frame) -> bool:
    """Return whether the pipe has room, or nobody reads it any more (EPIPE)."""
    return output.returns(world, frame)


def resume(g: Goroutine) -> None:
    """Go on after a write that had to wait; SIGPIPE, for a pipe that nobody reads, a first process does not heed."""
    g["blocked"] = False
    g.emit(WriteResumed(g["c"], g["stream"]))


@reading(lambda world, frame: [("fifo", it.local["pipe"]) for it in output.printing(world, frame.fid[0])])
def free_to_act(world: World, frame: Frame) -> bool:
    """Return whether no write holds it up."""
    return not output.stuck(world, frame.fid[0])


PRINT = procedure(
    "payload.print",
    Label("free"),
    Wait(held_up),
    Label("more"),
    Wait(flows_again, within=chunk_time, late="write"),
    Goto("free"),
    Label("write"),
    Do(print_chunk, "free", "blocked"),
    Goto("more"),
    Label("blocked"),
    Wait(write_returns),
    Do(resume),
    Goto("free"),
)


def main_table(begin: Wait | None = None) -> Procedure:
    """Return the way of a container's first process from its fork on; *begin* leads to `given_up`, or it goes on."""
    return procedure(
        "payload.main",
        begin or (),
        Do(execute, "init"),
        Label("children"),
        Do(more_children, "served"),
        Fork(child, pin=child_pin),
        Goto("children"),
        Label("served"),
        Sleep("ready", ready_after),
        Label("answer"),
        Do(become_ready, "stuck"),
        Return(),
        (Label("given_up"), Exit(1)) if begin else (),
        Label("stuck"),
        Wait(free_to_act),
        Goto("answer"),
        Label("init"),
        Fork(app, "app_pid", pin=app_pin),
        Label("reap_as_init"),
        ReapAny(),
        Do(is_app, "reap_as_init"),
        Exit(leave_with_app),
    )


def fail_table(program: str) -> Procedure:
    """Return how a payload, or the program below docker-init, fails by itself."""
    return procedure(
        f"{program}.fail",
        Sleep("fails", fail_after),
        Label("look"),
        Do(needs, "stay", "stuck"),
        Exit(fail),
        Label("stay"),
        Return(),
        Label("stuck"),
        Wait(free_to_act),
        Goto("look"),
    )


PROGRAM = Program(
    "payload",
    (
        main_table(Wait(exec_fifo_open, "given_up")),
        *reap_tables("payload"),
        procedure("payload.fork_again", Label("next"), Sleep("every", every), Fork(one_more), Goto("next")),
        procedure("payload.forward", Do(forward)),
        procedure("payload.leave", Sleep("exits", leave_after), Exit(leave)),
        procedure("payload.leave_between", Sleep("exits", leave_after), Wait(free_to_act), Exit(leave)),
        fail_table("payload"),
        procedure(
            "payload.start_period",
            Do(begin_start_period),
            Sleep("start_period", start_period),
            Do(end_start_period),
        ),
        PRINT,
        procedure("payload.wait_child", Reap("child_pid"), Exit(leave_with_child)),
        procedure("payload.on_term", Sleep("on_term", term_after), Exit(leave_on_term)),
        answer_table("payload", answers),
        *threads.thread_tables("payload"),
    ),
    role=Role(kind=Kind.PAYLOAD, order=100, home="shim", target="container"),
)
AT_ONCE = PROGRAM.with_tables(main_table())  # where its parent waits for no exec fifo to be opened
