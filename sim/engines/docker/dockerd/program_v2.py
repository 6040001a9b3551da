"""dockerd of 18.09 and later: the program of 1.13 with the tables that ask another containerd.

MANAGED starts containerd itself, SEPARATE finds one that systemd has started; each with `unsent` until 19.03.
"""

from __future__ import annotations

from sim.engines.docker.dockerd import managed, program, restore_tasks, signals, tasks, unsent, verbs

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
MANAGED_UNTIL_19_03, SEPARATE_UNTIL_19_03 = (
    it.with_tables(unsent.STOP, unsent.KILL, without=("dockerd.end_unknown",)) for it in (MANAGED, SEPARATE)
)
