"""Engines below a kubelet, which asks them for pods: containerd's CRI plugin, and CRI-O."""

from __future__ import annotations

from sim.designs.family import Family

KIN = {"containerd": ("somebody must ask it: dockerd or a kubelet", "containerd-cri")}
FAMILY = Family(
    order=2,
    designs={
        "containerd-cri": f"{__name__}.containerd_cri:CONTAINERD_CRI",
        "cri-o": f"{__name__}.cri_o:CRI_O",
        "cri-o-cgroupfs": f"{__name__}.cri_o:CRI_O_CGROUPFS",
    },
    absent=KIN.get,
    recognition=f"{__name__}.recognition:RECOGNITION",
)
