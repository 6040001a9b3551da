"""What a search may leave out of containerd, its shims and runc, and which of their ops it may take first.

Source: the tables of this folder; `sim.engine.unread`.
"""

from __future__ import annotations

from sim.engine.unread import Unread

SHIM: dict[str, tuple[str, ...]] = {
    "child_pid": ("reap_child",),
    "status": ("is_payload", "write_exit_status"),
    "reaped_pid": ("is_payload",),
}
RUNC = frozenset({
    "hook.main:answer_set_key",
    # A wait ends whose condition holds for good.
    "runc.create:stage2_cloned",
    # A program starts threads of its own: they die with it, and their numbers are in no file.
    "hook.main:start_hook_threads",
    "runc.delete:start_threads",
    "runc.kill:start_threads",
    "runc.start:start_threads",
})  # fmt: skip
"""What runc and crun have in common with every engine that runs them."""

CONTAINERD = Unread(
    live_at={"shim.main": SHIM},
    dead_at={"containerd.main": {"switch_tasks": ("c", "task", "x", "shim_pid")}},
    defaults={"exited": ()},
    status_is_given=("shim.process",),
    confluent=RUNC
    | {
        # The only reader of a queue takes what came first.
        "containerd.main:switch_tasks",
        "containerd.streams:serve_streams",
        "containerd.worker:next_start",
        # A program starts threads of its own: they die with it, and their numbers are in no file.
        "containerd.main:start_threads",
        # A goroutine goes by its own variables, or notes what no other takes back.
        "shim.main:is_payload",
    },
    remembered=("containerd",),
)
