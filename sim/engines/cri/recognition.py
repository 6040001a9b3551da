"""How a node of Kubernetes is recognised: by its kubelet, and by the runtime below it.

Models: containerd with its shims in the namespace k8s.io, one a pod; crio with a conmon for each container, whose name
has the container's and the pod's; pause processes. Leaves out cri-dockerd, below which containers are docker's. Source:
containerd pkg/shim [S]; cri-o internal/oci/runtime_oci.go (CreateContainer) [S]; Kubernetes pkg/kubelet [K].
"""

from __future__ import annotations

from sim.designs.recognition import Guess, Recognition, Seen, Sight

CONMON = r"(?:\S*/)?conmon (?=.*crio)(?:\S+ )*?-c (?P<id>[0-9a-f]{12,64})"
SIGHTS = (
    Sight("kubelet", r"(?:\S*/)?kubelet(?:\s|$)"),
    Sight("crio", r"(?:\S*/)?crio(?:\s|$)"),
    Sight("exec-conmon", rf"{CONMON} (?:.* )?-e(?: |\Z)"),
    Sight("conmon", rf"{CONMON}(?:.* -n k8s_(?P<name>[\w.-]+?)_(?P<pod>[\w.-]+?)_)?"),
    Sight("shim", r"(?:\S*/)?containerd-shim(?:-runc-v\d)? (?:\S+ )*?-namespace k8s\.io(?: .*?-id (?P<id>[0-9a-f]+))?"),
    Sight("containerd", r"(?:\S*/)?containerd(?:\s|$)"),
    Sight("pause", r"/pause(?:\s|$)|/usr/bin/pod(?:\s|$)"),
)


def guess(seen: Seen) -> Guess:
    """Return CRI-O where it was seen, else containerd."""
    name = seen.versions.get("RuntimeName", "")
    weight = sum(2 for role in ("kubelet", "crio", "conmon", "shim") if role in seen.parents) + 3 * bool(name)
    crio = "crio" in seen.parents or "conmon" in seen.parents or name.startswith("cri-o")
    kubelet = "a kubelet runs" if "kubelet" in seen.parents else "its containers are pods'"
    if not crio:
        return Guess("containerd-cri", f"{kubelet}, and containerd below it", weight)
    if seen.facts.get("cgroup_driver") == "cgroupfs":
        return Guess("cri-o-cgroupfs", f"{kubelet}, and crio below it with cgroupfs", weight)
    return Guess("cri-o", f"{kubelet}, and crio below it", weight)


RECOGNITION = Recognition(SIGHTS, guess)
