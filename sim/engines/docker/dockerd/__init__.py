"""dockerd: its API, the start and the exit of a container, restart policies, networks, its own boot and shutdown.

Split by workflow: `start`, `stop`, `exit`, `network`, `supervise` (containerd's health and connection), `boot`.
"""
