"""Which keys of files have a counterpart in a pod. Source: Kubernetes API, Pod v1 [K]."""

from __future__ import annotations

from sim.engine.vocabulary import Key, Vocabulary, noted, only

_PROBES = Key(why_not="a pod has probes of its kubelet in place of it")
_HEALTHCHECK = dict.fromkeys(("start_period", "start_interval"), _PROBES)
PODS: Vocabulary = {
    "service": {
        "oom_score_adj": Key(why_not="the kubelet goes by the pod's quality of service"),
        "x-proxy": Key(why_not="CNI plugins publish ports", noted=True),
    },
    "value": {"stop_grace_period: -1": Key(why_not="a pod's terminationGracePeriodSeconds is not negative")},
    "healthcheck": _HEALTHCHECK,
    "daemon": noted("daemon", "no daemon reads daemon.json"),
    "unverified": only(),
    "expect": {"stopped_by_hand": Key(why_not="whether a container is wanted is its pod's, and no record has a mark")},
}
WITH_CONTAINERD: Vocabulary = {
    **PODS,
    "unverified": only("containerd_threads", "shim_threads_before", "shim_threads_after", "runc_threads"),
}
