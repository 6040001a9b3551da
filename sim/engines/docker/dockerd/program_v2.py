"""dockerd of 18.09 and later: the program of 1.13 with the tables that ask another containerd.

MANAGED starts containerd itself, SEPARATE finds one that systemd has started.
"""

from __future__ import annotations

from sim.engines.docker.dockerd import managed, program, restore_tasks, signals, tasks, verbs

MANAGED = program.PROGRAM.with_tables(
    managed.BOOT,
    managed.SUPERVISOR,
    managed.WAITER,
    managed.SHUTDOWN,
    restore_tasks.RESTORE,
    tasks.START,
    tasks.EXEC,
    tasks.UPDATE,
    verbs.PS_OF_SNAPSHOT,
    tasks.EVENTS,
    tasks.EXIT,
    tasks.PAUSE,
    tasks.RESTART,
    signals.STOP,
    signals.KILL,
    signals.END_UNKNOWN,
    signals.RESUMED,
    without=("dockerd.health", "dockerd.stop_paused", "dockerd.state_exit_after_output", "dockerd.discard"),
)
SEPARATE = MANAGED.with_tables(
    managed.BOOT_ALONE,
    managed.SHUTDOWN_ALONE,
    without=("dockerd.supervisor", "dockerd.wait_containerd"),
)
