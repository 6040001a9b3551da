"""docker-containerd 0.2: one main loop, up to ten start workers, a watcher and a waiter for each shim, restore at boot.

Split by workflow: `tasks` (main loop), `start` (workers), `exit` (shims that leave), `boot` (restore).
"""
