"""Print what a run knows of `docker info`.

Models: containers counted by their state (one that waits for its restart is Stopped), versions, drivers, the host.
Leaves out every other line: images, plugins, kernel, memory, registries. Source: docker 1.13.1,
cli/command/system/info.go, daemon/info.go; engine-1.13 §4.
"""

from collections import Counter
from collections.abc import Iterable

from sim.render.clean import printable


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
