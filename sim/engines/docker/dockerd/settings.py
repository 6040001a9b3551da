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
from sim.engine.setup import Daemon
from sim.facts import EngineEvent
from sim.kernel.records import Pid
from sim.kernel.signals import NUMBERS
from sim.world import World


def daemon_of(world: World, pid: Pid | None) -> Daemon:
    """Return the settings that a dockerd goes by."""
    given: Daemon = world.setup.engine.daemon
    found = given if pid is None else world.recall(pid, "settings", given)
    assert isinstance(found, Daemon)
    return found


def written(world: World) -> Daemon:
    """Return what daemon.json says."""
    found = world.host.files.get(paths.DAEMON_JSON, world.setup.engine.daemon)
    assert isinstance(found, Daemon)
    return found


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
