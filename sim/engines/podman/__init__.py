"""podman: no daemon. Each command is a process of its own; a conmon under PID 1 holds each container."""
