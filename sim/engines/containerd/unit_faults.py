"""How the matrix's faults of containerd.service are written as steps, where containerd is a unit of its own."""

from __future__ import annotations

CONTAINERD_UNIT = {
    "F4": "systemctl restart containerd",
    "F4s": '{"systemctl": ["stop containerd", "start containerd"]}',
}
