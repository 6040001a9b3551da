"""An engine in one file: boxd, a daemon whose children the containers are, so that a restart of it ends them all."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.designs.design import Design
from sim.designs.family import Family
from sim.durations import Duration, Fixed
from sim.engine.containers import scope_of, service_of
from sim.engine.engine import IN_MEMORY, Engine, daemon_faults, file_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.meaning import Said
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Serve, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import Container
from sim.engine.role import Kind, Role
from sim.engine.setup import Command, Daemon, Docker, Unit
from sim.engine.traits import Traits, Words
from sim.engines.host import client, init, journald, payload, stranger
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.units import engine_unit
from sim.facts import EngineEvent, Message
from sim.kernel import syscalls
from sim.kernel.records import INIT
from sim.world import Frame, Turn, World

SOCKET = "unix:/run/boxd.sock"
VERBS = {verb: verb for verb in ("create", "start", "stop", "kill", "rm", "ps")} | {"exec": "ps"}  # which does nothing


def keep(g: Goroutine, action: str, *told: tuple[str, str], **fields: Any) -> None:
    record = g.recall(IN_MEMORY + g["c"]) or Container(g["c"], service_of(g).restart)
    g.remember(IN_MEMORY + g["c"], replace(record, **fields))
    syscalls.write_file(g.turn, file_of(g.world, g["c"]), replace(record, **fields))
    g.emit(EngineEvent("container", action, g["c"], told))


def boot(g: Goroutine) -> None:
    for name in g.world.services:
        record = g.world.host.files.get(file_of(g.world, name))
        if isinstance(record, Container):
            g.remember(IN_MEMORY + name, replace(record, running=False, pid=0))
            if record.running and record.policy.name == "always":
                g.start("boxd.start", name, c=name, request=Message("start", name))
    syscalls.listen(g.turn, g.pid, SOCKET)
    g.start("boxd.api")
    g.send(INIT, "notify", Message("READY", data=g.pid))


def done(g: Goroutine) -> None:
    g.reply(g["request"].reply, True)


def create(g: Goroutine) -> None:
    keep(g, "create")


def box(g: Goroutine) -> Spawn:
    service = service_of(g)
    return Spawn("payload", ("box",), g["c"], local={"c": g["c"]}, new_session=True, new_ns=True,
                 cgroup=scope_of(g.world, service))  # fmt: skip


def started(g: Goroutine) -> None:
    keep(g, "start", running=True, started=True, pid=g["payload_pid"], manual=False)
    done(g)


def ended(g: Goroutine) -> str | None:
    code = g["status"] if g["status"] >= 0 else 128 - g["status"]
    keep(g, "die", ("exitCode", str(code)), running=False, pid=0, exit_code=code)
    record = g.recall(IN_MEMORY + g["c"])
    return "again" if record.policy.name == "always" and not record.manual else None


def tell(g: Goroutine) -> None:
    pid = (g.recall(IN_MEMORY + g["c"]) or Container(g["c"])).pid
    if pid:
        keep(g, "kill", manual=True)
        g.kill(pid, "KILL" if g["request"].kind == "kill" else "TERM")
    g.reply(g["request"].reply, True if pid else Failure(f"{g['c']} does not run"))


@reading(lambda world, frame: ())
def at_once(world: World, frame: Frame) -> bool:
    return True


def refuses(design: Design, command: Command) -> Said | None:
    if not isinstance(command, Docker) or command.verb in ("run", *VERBS):
        return None
    return Said(f"boxd has no {command.verb}.", f"It has {', '.join(VERBS)}.")


def disk(turn: Turn) -> None:
    for service in turn.world.setup.services:
        record = Container(service.name, service.restart, running=True, started=True)
        syscalls.write_file(turn, file_of(turn.world, service.name), record)


BOXD = Program(
    "boxd",
    (
        procedure("boxd.main", Do(boot)),
        procedure("boxd.api", Serve("api", VERBS)),
        procedure("boxd.create", Do(create), Do(done)),
        procedure("boxd.start", Label("again"), Fork(box, "payload_pid"), Do(started), Reap("payload_pid"),
                  Do(ended, "again")),
        procedure("boxd.stop", Do(tell)),
        procedure("boxd.kill", Do(tell)),
        procedure("boxd.rm", Do(done)),
        procedure("boxd.ps", Do(done)),
        procedure("boxd.leave", Exit(0)),
    ),
    handlers={"TERM": "leave"},
    role=Role(kind=Kind.DAEMON, order=10, home="init", target="host", stalls_as="daemon", slows=True),
)  # fmt: skip
BOX = payload.PROGRAM.with_tables(payload.main_table(Wait(at_once, "given_up"))).under("boxd")
TRAITS = Traits(
    words=Words(dockerd=("/usr/bin/boxd",)), tree="systemd ─ boxd ─ program", engine="boxd", engine_unit="boxd",
    socket=SOCKET, records="/var/lib/boxd/{name}", scope="/system.slice/boxd.service", profile="el7-idle",
    daemon=Daemon(userland_proxy=False), unit=Unit("always", "control-group"),
)  # fmt: skip
ENGINE = Engine(disk=disk, starts=("boxd.start",), faults=daemon_faults, refuses=refuses, durations=(
    ("boxd/boot", Duration(wait=Fixed(100.0), mark="A")), ("boxd/started", Duration(wait=Fixed(50.0), mark="A")),
))  # fmt: skip
PROGRAMS = (Systemd(engine_unit("boxd", "boxd")), journald.PROGRAM, BOXD, BOX, payload.CHILD, init.APP,
            stranger.PROGRAM, client.PROGRAM)  # fmt: skip
FAMILY = Family(order=9, designs={"boxd": Design("boxd", "a toy", "nobody", PROGRAMS, TRAITS, ENGINE)})
