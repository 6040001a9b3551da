"""containerd and what it runs, for dockerd and a kubelet: 0.2 with its main loop, later ones, shims v1 and v2, runc."""
