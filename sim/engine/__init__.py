"""What the programs of a container host do: dockerd, containerd, shims, runc, proxies, payloads, systemd, clients."""
