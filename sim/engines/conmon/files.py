"""Where conmon and crun keep what they tell: exit files, and the files of a container and of its execs on /run.

Source: designs §4.1, §4.2 [S].
"""

from __future__ import annotations

from sim.engine.setup import Service

EXITS = "/run/libpod/exits/"


def exit_file(service: Service) -> str:
    """Return the file in which conmon leaves the exit status."""
    return f"{EXITS}{service.id}"


def run_file(service: Service, name: str) -> str:
    """Return a file in the container's folder on /run: conmon.pid, oom."""
    return f"/run/containers/storage/overlay-containers/{service.id}/userdata/{name}"


def exec_file(service: Service, session: int, name: str) -> str:
    """Return a file of an exec session's folder."""
    return f"/run/libpod/execs/{service.id}/{session}/{name}"
