"""An engine in one file: boxd, a daemon whose children the containers are, so that a restart of it ends them all."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.designs.family import Family
from sim.durations import Duration, Fixed
from sim.engine.engine import Engine
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Serve
from sim.engine.procedure import tables
from sim.engine.program import Program
from sim.engine.setup import Unit
from sim.engine.traits import of_daemon
from sim.engines.host import daemon, payload
from sim.engines.host.programs import on_host
from sim.kernel.records import code_of

VERBS = {verb: verb for verb in ("create", "start", "stop", "kill", "rm", "ps")} | {"exec": "ps"}  # which does nothing


def boot(g: Goroutine) -> None:
    """Nothing that the disk tells of runs any more: start again what ran, if its policy says so."""
    for record in daemon.on_disk(g):
        daemon.keep(g, replace(record, running=False, pid=0))
        if record.running and record.policy.name == "always":
            g.start("boxd.start", record.name, c=record.name)
    daemon.open_for_all(g, "api")


def create(g: Goroutine) -> None:
    daemon.change(g)
    daemon.event(g, "create")
    daemon.succeed(g)


def started(g: Goroutine) -> None:
    daemon.change(g, running=True, started=True, pid=g["child_pid"], manual=False)
    daemon.event(g, "start")
    daemon.succeed(g)


def ended(g: Goroutine) -> str | None:
    """Start it again at once, if its policy says so and nobody has stopped it."""
    record = daemon.change(g, running=False, pid=0, exit_code=code_of(g["status"]))
    daemon.event(g, "die", ("exitCode", str(record.exit_code)))
    return "again" if record.policy.name == "always" and not record.manual else None


def tell(g: Goroutine) -> None:
    """Send the signal of a stop or a kill, and wait for nothing."""
    record = daemon.change(g, manual=True)
    if record.pid:
        g.kill(record.pid, "KILL" if g["request"].kind == "kill" else "TERM")
        daemon.succeed(g)
    else:
        daemon.refuse(g, f"{g['c']} does not run")


START = (Label("again"), Fork(daemon.first_process), Do(started), Reap(), Do(ended, "again"))
TABLES = tables("boxd", main=Do(boot), api=Serve("api", VERBS), create=Do(create), start=START, stop=Do(tell),
                kill=Do(tell), rm=Do(daemon.succeed), ps=Do(daemon.succeed), leave=Exit(0))  # fmt: skip
BOXD = Program("boxd", TABLES, handlers={"TERM": "leave"}, role=daemon.role(order=10))
SCOPE = "/system.slice/boxd.service"
TRAITS = of_daemon("boxd", tree="systemd ─ boxd ─ program", scope=SCOPE, unit=Unit("always", "control-group"))
BOOT = ("boxd/boot", Duration(wait=Fixed(100.0), mark="A: of a toy"))
ENGINE = Engine(starts=("boxd.start",), durations=(BOOT,))
PROGRAMS = on_host(BOXD, payload=payload.AT_ONCE.under("boxd"))
FAMILY = Family(order=9, designs={"boxd": Design("boxd", "a toy", "nobody", PROGRAMS, TRAITS, ENGINE)})
