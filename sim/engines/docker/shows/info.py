"""What `docker info` prints of the engine and its host, as far as a run knows it.

Models: containers counted by their state (one that waits for its restart is Stopped), versions, drivers, the host. Live
restore and the log driver are those that the dockerd that answers goes by, the other drivers are read off its words.
Leaves out every other line: images, plugins, kernel, memory, registries. Source: docker 1.13.1,
cli/command/system/info.go, daemon/info.go; engine-1.13 §4; moby v20.10.0 daemon/info_unix.go 24, daemon_unix.go 636-643
(with cgroup v2 the driver is systemd).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sim.engine.settings import daemon_of
from sim.kernel.records import V2
from sim.render.clean import printable
from sim.views.story import Story

DEFAULTS = {  # of 1.13.1, where dockerd's words say nothing
    "--storage-driver": "overlay2",
    "native.cgroupdriver": "cgroupfs",
    "--default-runtime": "runc",
    "--init-path": "docker-init",
}


def engine_facts(story: Story) -> list[tuple[str, str]]:
    """Return the lines below the counts, in the command's order."""
    host, daemon, traits = story.trace.setup.host, story.daemon(), story.world.design.traits
    words = story.world.host.procs[daemon].image.argv if daemon else ()
    settings, version = daemon_of(story.world, daemon), story.world.host.cgroup
    driver = "systemd" if version == V2 else option(words, "native.cgroupdriver")
    return [
        ("Server Version", story.world.design.title.partition("-")[0]),
        ("Storage Driver", option(words, "--storage-driver")),
        ("Logging Driver", settings.log_driver),
        ("Cgroup Driver", driver),
        *([] if traits.one_cgroup[0] else [("Cgroup Version", version.removeprefix("v"))]),
        ("Default Runtime", option(words, "--default-runtime")),
        ("Init Binary", option(words, "--init-path")),
        ("CPUs", str(host.cores)),
        ("Name", host.hostname),
        ("Docker Root Dir", "/var/lib/docker"),
        ("Live Restore Enabled", "true" if settings.live_restore else "false"),
    ]


def option(words: tuple[str, ...], name: str) -> str:
    """Return the value of an option, written `--name=value` or as two words.

    >>> option(("dockerd", "--default-runtime=x", "--storage-driver", "zfs"), "--storage-driver")
    'zfs'
    """
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name:
            return following
    return DEFAULTS[name]


def docker_info(states: Iterable[str], facts: Iterable[tuple[str, str]]) -> str:
    """Count *states* (as `docker inspect` says them), then print each fact on its line.

    >>> print(docker_info(["running", "restarting", "paused"], [("Name", "host")]), end="")
    Containers: 3
     Running: 1
     Paused: 1
     Stopped: 1
    Name: host
    """
    count = Counter(states)
    stopped = count.total() - count["running"] - count["paused"]
    lines = [
        ("Containers", str(count.total())),
        (" Running", str(count["running"])),
        (" Paused", str(count["paused"])),
        (" Stopped", str(stopped)),
        *facts,
    ]
    return "".join(f"{key}: {printable(value)}\n" for key, value in lines)
