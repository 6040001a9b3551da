"""Which keys of Compose files have a counterpart in a pod. Source: Kubernetes API, Pod v1 [K]."""

from __future__ import annotations

from sim.engine.vocabulary import Key, Vocabulary

_PROBES = Key(why_not="a pod has probes of its kubelet in place of it")
PODS: Vocabulary = {"healthcheck": dict.fromkeys(("start_period", "start_interval"), _PROBES)}
