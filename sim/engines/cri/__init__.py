"""Kubernetes on one host: a kubelet asks a runtime (containerd's CRI plugin, CRI-O) for pods of one container each."""
