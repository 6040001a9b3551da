"""Which keys of Compose files and daemon.json each version of Docker knows.

Two tables follow its source: a key of daemon.json has a field in daemon/config*.go of the version's tag, a key of a
service one in the API's types that the daemon reads (StopTimeout stood there since 1.12, AutoRemove since 1.11; 1.13 is
the first that reads them). Leaves out keys that Docker Compose refuses by the version of its file. Source: moby,
tags v1.10.0 to docker-v29.0.0, and docs/api/version-history.md [S]; keys of Red Hat's build: D daemon/config.go [S].
"""

from __future__ import annotations

from sim.engine.vocabulary import Key, Vocabulary

RED_HAT_S = Key("1.13", "1.13", why_not="only Red Hat's build of 1.13 has it")
DOCKER: Vocabulary = {
    "service": {
        "annotations": Key("24"),
        "device_cgroup_rules": Key("17.04"),
        "gpus": Key("19.03"),
        "healthcheck": Key("1.12"),
        "init": Key("1.13"),
        "pids_limit": Key("1.11"),
        "runtime": Key("1.12"),
        "stop_grace_period": Key("1.13"),
        "storage_opt": Key("1.12"),
        "sysctls": Key("1.12"),
        "x-rm": Key("1.13"),
    },
    "healthcheck": {
        "start_period": Key("17.05"),
        "start_interval": Key("25"),
    },
    "daemon": {
        "allow-direct-routing": Key("29"),
        "bip6": Key("28"),
        "bridge-accept-fwmark": Key("29"),
        "builder": Key("18.09"),
        "cdi-spec-dirs": Key("25"),
        "cluster-advertise": Key(until="23"),
        "cluster-store": Key(until="23"),
        "cluster-store-opts": Key(until="23"),
        "containerd": Key("1.11"),
        "containerd-namespace": Key("20.10"),
        "containerd-plugin-namespace": Key("20.10"),
        "data-root": Key("17.05"),
        "default-address-pools": Key("18.09"),
        "default-cgroupns-mode": Key("20.10"),
        "default-ipc-mode": Key("17.09"),
        "default-network-opts": Key("24"),
        "default-runtime": Key("1.12"),
        "default-shm-size": Key("17.04"),
        "experimental": Key("1.13"),
        "features": Key("18.09"),
        "firewall-backend": Key("29"),
        "graph": Key(until="23"),
        "host-gateway-ip": Key("20.10"),
        "host-gateway-ips": Key("28"),
        "http-proxy": Key("23"),
        "https-proxy": Key("23"),
        "init": Key("1.13"),
        "init-path": Key("1.13"),
        "ip-forward-no-drop": Key("28"),
        "ip-masq": Key("1.12"),
        "ip6tables": Key("20.10"),
        "live-restore": Key("1.12"),
        "log-format": Key("25"),
        "max-concurrent-downloads": Key("1.12"),
        "max-concurrent-uploads": Key("1.12"),
        "max-download-attempts": Key("20.10"),
        "max-health-check-retries": RED_HAT_S,
        "metrics-addr": Key("1.13"),
        "min-api-version": Key("29"),
        "network-control-plane-mtu": Key("17.09"),
        "no-new-privileges": Key("17.04"),
        "no-proxy": Key("23"),
        "node-generic-resources": Key("17.09"),
        "oom-score-adjust": Key("1.12", "25"),
        "proxies": Key("23"),
        "raw-logs": Key("1.11"),
        "runtimes": Key("1.12"),
        "seccomp-profile": Key("1.13"),
        "shutdown-timeout": Key("1.13"),
        "swarm-default-advertise-addr": Key("1.12"),
        "userland-proxy-path": Key("1.13"),
    },
    "unit": {},
    "value": {"stop_grace_period: -1": Key("1.13")},  # before, no container had a time, api/types/container/config.go
    "unverified": {
        "containerd_threads": Key("1.11"),
        "shim_threads_before": Key("1.11"),
        "shim_threads_after": Key("1.11"),
        "hook_threads": Key("1.11"),
    },
}
"""Section -> key -> who knows it, of dockerd."""
