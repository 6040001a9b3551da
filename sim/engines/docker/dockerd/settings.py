"""dockerd's settings: read from daemon.json when it starts, and some of them again on HUP.

A host on which nobody edits the file has none here: what the scenario says is what every dockerd reads. A reload takes
live-restore and the shutdown timeout over, other keys wait for the next start. Until dockerd serves nobody traps HUP,
which then ends it. Leaves out the keys without effect on processes. Source: D cmd/dockerd/daemon.go
setupConfigReloadTrap, daemon/daemon.go Reload; engine-1.13 §11, §23 T56.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Label, Return
from sim.engine.procedure import procedure
from sim.engine.settings import daemon_of, written
from sim.facts import EngineEvent
from sim.kernel.signals import NUMBERS


def load_settings(g: Goroutine) -> None:
    """Read daemon.json, if it has been edited."""
    if paths.DAEMON_JSON in g.world.host.files:
        g.remember("settings", written(g.world))


def reload(g: Goroutine) -> str | None:
    """Take over what can change while it runs, and say so; a dockerd that does not serve yet ends."""
    if (g.pid, "boot") in g.world.frames:
        return "untrapped"
    new = written(g.world)
    before = daemon_of(g.world, g.pid)
    after = replace(before, live_restore=new.live_restore, shutdown_timeout=new.shutdown_timeout)
    if after != before:
        g.remember("settings", after)
    live_restore = "true" if after.live_restore else "false"
    timeout = str(after.shutdown_timeout // 1_000_000)
    g.emit(EngineEvent("daemon", "reload", "", (("live-restore", live_restore), ("shutdown-timeout", timeout))))
    return None


RELOAD = procedure(
    "dockerd.reload",
    Do(reload, "untrapped"),
    Return(),
    Label("untrapped"),
    Exit(-NUMBERS["HUP"]),
)
