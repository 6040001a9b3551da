"""dockerd as a program: its procedures, which request starts which, and what it does with signals."""

from __future__ import annotations

from sim.engine.ops import Do, Exit, Serve, Sleep
from sim.engine.procedure import procedure
from sim.engine.program import Program, Reader
from sim.engine.role import MB, Rss
from sim.engines.docker.dockerd.boot import BOOT, BOOT_BEHIND, BOOT_START, BOOT_TURN
from sim.engines.docker.dockerd.controller import TAKE_BACK
from sim.engines.docker.dockerd.execs import EXEC
from sim.engines.docker.dockerd.exit import EVENTS, RESTART, STATE_EXIT, STATE_EXIT_AFTER_OUTPUT, long_run, ran_long
from sim.engines.docker.dockerd.firewall import FIREWALL_RELOADED
from sim.engines.docker.dockerd.health import MONITOR
from sim.engines.docker.dockerd.output import COPY, DISCARD, LOG
from sim.engines.docker.dockerd.pause import PAUSE, STOP_PAUSED
from sim.engines.docker.dockerd.remove import REMOVE
from sim.engines.docker.dockerd.restart import RESTART_API
from sim.engines.docker.dockerd.restore import RESTORE
from sim.engines.docker.dockerd.set_key import SET_KEY
from sim.engines.docker.dockerd.settings import RELOAD
from sim.engines.docker.dockerd.shutdown import SHUTDOWN
from sim.engines.docker.dockerd.start import CREATE, SANDBOX_DESTROY, START
from sim.engines.docker.dockerd.stop import KILL, STOP
from sim.engines.docker.dockerd.supervise import CONNECTION, HEALTH, WAIT_CONTAINERD
from sim.engines.docker.dockerd.top import TOP
from sim.engines.docker.dockerd.verbs import (
    ATTACH,
    INFO,
    INSPECT,
    LOGS,
    PS,
    RENAME,
    UPDATE,
    WAIT,
    WATCH,
    bearer,
    done,
)
from sim.engines.host import daemon

API = {  # kind of request -> procedure that answers it
    "create": "create",
    "start": "start",
    "stop": "stop",
    "kill": "kill",
    "restart": "restart_api",
    "rm": "rm",
    "exec": "exec",
    "top": "top",
    "pause": "pause",
    "unpause": "pause",
    "rename": "rename",
    "update": "update",
    "ps": "ps",
    "inspect": "inspect",
    "info": "info",
    "version": "version",
    "logs": "logs",
    "wait": "wait",
    "events": "watch",
    "attach": "attach",
}

ROLE = daemon.role(
    order=10,
    words="dockerd",
    rss=Rss(round(80.8 * MB), "issue, moby#35910: docker 17.10, 7 shims; 64 to 73 MB in bucketbench's README"),
)
PROGRAM = Program(
    "dockerd",
    (
        BOOT,
        RESTORE,
        BOOT_START,
        BOOT_TURN,
        BOOT_BEHIND,
        SHUTDOWN,
        RELOAD,
        CREATE,
        START,
        SANDBOX_DESTROY,
        TAKE_BACK,
        FIREWALL_RELOADED,
        STOP,
        KILL,
        RESTART_API,
        REMOVE,
        PAUSE,
        STOP_PAUSED,
        RENAME,
        UPDATE,
        PS,
        INSPECT,
        INFO,
        LOGS,
        WAIT,
        WATCH,
        ATTACH,
        SET_KEY,
        STATE_EXIT,
        STATE_EXIT_AFTER_OUTPUT,
        COPY,
        LOG,
        DISCARD,
        RESTART,
        EVENTS,
        EXEC,
        MONITOR,
        TOP,
        CONNECTION,
        HEALTH,
        WAIT_CONTAINERD,
        procedure("dockerd.version", Do(done)),
        procedure("dockerd.api", Serve("api", API, bearer)),
        procedure("dockerd.setkey", Serve("setkey", {"SetKey": "set_key"})),
        procedure("dockerd.quit", Exit(131)),
        procedure("dockerd.uptime", Sleep("uptime", long_run), Do(ran_long)),
    ),
    handlers={"TERM": "shutdown", "INT": "shutdown", "QUIT": "quit", "HUP": "reload"},
    ignored=frozenset({"PIPE", "USR1"}),
    readers=(Reader("events", "events"),),
    role=ROLE,
)
