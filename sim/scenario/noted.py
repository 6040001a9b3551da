"""Keys that people's files have and the model does not follow: why not, and whether one may change an answer.

One literal table: section -> key -> (why, changes). *changes* is "no", or "only if …" with what must be the case. A key
stands under "no" only if no process, parent, signal, port, number or time can depend on it as long as `x-payload` says
what the program does. Leaves out keys that are read (`schema.py`), which version of an engine has a key (the rooms'
`vocabulary.py`), and values. Source: Compose file reference (v1 to v3.8 and the Compose specification), dockerd's
daemon.json of 1.10 to 29 with the keys of Red Hat's build, systemd.service(5), systemd.exec(5), systemd.kill(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

NO = "no"


class Noted(NamedTuple):
    """Why a key is accepted and not followed, and whether it changes an answer: no, or only if … ."""

    why: str
    changes: str = NO


def _keys(words: str, why: str, changes: str = NO) -> dict[str, Noted]:
    return dict.fromkeys(words.split(), Noted(why, changes))


# -- Compose ---------------------------------------------------------------------------------------

_PROGRAM = "only its program reads it; x-payload says what that does"
_DEVICE = "the model has no devices"
_CORES = "all containers share host.cores"
_SLOWED = "only if its program needs more processor time than it may have: give x-payload.ready its real time"
_RIGHTS = "rights are not modelled"
_DENIED = "only if its program or its start fails for want of the right: say so with x-payload.fails_to_start or exits"
_OOM = "memory runs out when a step says so (oom: NAME)"

_SERVICE: Mapping[str, Noted] = {
    **_keys("annotations attach develop platform pull_policy x-network", "only Compose and other tools read it"),
    **_keys("label_file pull_refresh_after", "only Compose and other tools read it"),
    **_keys("models", "Compose asks a model runner, which is no container"),
    **_keys("build", "an image is built before its container is made"),
    **_keys("configs env_file environment secrets working_dir", _PROGRAM),
    **_keys("stdin_open", "whether its program ends at the end of its input is said by x-payload.exits"),
    **_keys("domainname hostname extra_hosts group_add user", _PROGRAM),
    **_keys("dns dns_opt dns_search", "names of other containers are found by the engine itself, others are not asked"),
    **_keys("expose", "it publishes nothing; containers of one network reach every port"),
    **_keys("external_links", "its containers stand in another file"),
    **_keys("mac_address", "the model has no link layer"),
    **_keys("credential_spec isolation cpu_count cpu_percent", "only engines on Windows read it"),
    **_keys("log_opt", "lines are counted up to the log's driver; size and number of its files are not"),
    **_keys("storage_opt volume_driver volumes_from", "the model has no files of containers; named volumes are listed"),
    **_keys("tmpfs", "the model has no files of containers"),
    **_keys("shm_size sysctls ulimits", _PROGRAM),
    **_keys("cap_add cap_drop privileged read_only security_opt userns_mode", _RIGHTS, _DENIED),
    **_keys("device_cgroup_rules devices", _DEVICE, "only if a device is missing: its start fails then"),
    **_keys("gpus", _DEVICE, "only if the GPU or its runtime is missing: its start fails then"),
    **_keys("blkio_config", "the model has no disk traffic"),
    **_keys("cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset", _CORES, _SLOWED),
    "cgroup": Noted("what it sees of control groups; it has its own with either value"),
    "cgroup_parent": Noted("another folder of control groups", "only if that folder has limits of its own"),
    "ipc": Noted(
        "shared memory is not modelled",
        "only if it joins another container (service:, container:) and is started while that one does not run",
    ),
    "uts": Noted("only its name of the host hangs on it"),
    "runtime": Noted("every container is run as runc does it", "only if it is not runc or one that wraps it"),
    "pids_limit": Noted(
        "the control group that counts processes; a fork above it fails with EAGAIN",
        "only if its program comes near the limit: its forks, exec and health checks fail then",
    ),
    "mem_reservation": Noted("a soft limit: the kernel takes memory back from it first, and kills nobody for it"),
    "mem_swappiness": Noted(_OOM),
    "memswap_limit": Noted(_OOM),
    "oom_kill_disable": Noted(
        "a step oom: NAME kills its program; on control groups v2 the key does nothing",
        "only if the host has control groups v1 and its limit is reached: its program then waits instead",
    ),
    "pre_start": Noted(
        "what Compose runs to its end in containers of their own before it starts this one",
        "only if compose up or start is a step, and what it runs fails or takes long",
    ),
    "post_start": Noted(
        "what Compose runs inside a container after it has started it (Compose 2.30)",
        "only if compose up or start is a step, and what it runs fails or what follows needs it",
    ),
    "pre_stop": Noted(
        "what Compose runs inside a container before it stops it (Compose 2.30); the engine does not know of it",
        "only if compose stop, down or restart is a step: the stop comes after it",
    ),
    "provider": Noted("Compose calls a program of its own in place of a container"),
    "use_api_socket": Noted(
        "the program may give orders to the engine", "only if it does: write them as steps of the file"
    ),
}

_DEPLOY: Mapping[str, Noted] = {
    **_keys("endpoint_mode labels mode placement rollback_config update_config", "only a swarm reads it"),
}
_RESTART: Mapping[str, Noted] = {
    **_keys("delay window", "the engine has pauses of its own between the starts of a policy"),
}
_RESOURCES: Mapping[str, Noted] = {
    **_keys("reservations", "how much is kept free for it; nobody is killed for it"),
}
_LIMITS: Mapping[str, Noted] = {
    **_keys("cpus", _CORES, _SLOWED),
    "pids": _SERVICE["pids_limit"],
}

_NETWORK: Mapping[str, Noted] = {
    **_keys("attachable driver_opts labels x-network", "only Compose and swarms read it"),
    **_keys("enable_ipv4", "containers have IPv4 addresses in the model"),
}
_SUBNET: Mapping[str, Noted] = {
    "gateway": Noted("the bridge's own address; nobody is given it"),
    **_keys("ip_range aux_addresses", "which addresses of the subnet are given out", "only in the addresses"),
}
_IPAM: Mapping[str, Noted] = {**_keys("driver options", "addresses are given out as by the default driver")}
_COMPOSE: Mapping[str, Noted] = {
    **_keys("configs name secrets version volumes", "it makes no process"),
    "models": Noted("Compose asks a model runner, which is no container"),
}

# -- daemon.json -----------------------------------------------------------------------------------

_STARTS_WITH = "which file or folder of the engine it is"
_PULLS = "images are there already; nothing is pulled or built"
_SWARM = "only a swarm reads it"
_RULES = "rules of the packet filter that no container's port hangs on"
_PORTS_CLOSED = "only if another host reaches a container by its own address"

_DAEMON: Mapping[str, Noted] = {
    **_keys("cluster-advertise cluster-store cluster-store-opts swarm-default-advertise-addr", _SWARM),
    **_keys("network-control-plane-mtu node-generic-resources", _SWARM),
    **_keys("add-registry block-registry registry-mirrors insecure-registries disable-legacy-registry", _PULLS),
    **_keys("allow-nondistributable-artifacts max-concurrent-downloads max-concurrent-uploads", _PULLS),
    **_keys("max-download-attempts signature-verification builder http-proxy https-proxy no-proxy proxies", _PULLS),
    **_keys("api-cors-header authorization-plugins hosts group min-api-version", "who may talk to it, and where"),
    **_keys("tls tlscacert tlscert tlskey tlsverify", "who may talk to it"),
    **_keys("debug log-format log-level raw-logs metrics-addr", "how it writes its own log and its figures"),
    **_keys("labels features experimental", "nothing that is modelled stands behind it"),
    **_keys("cdi-spec-dirs containerd-namespace containerd-plugin-namespace data-root exec-root graph", _STARTS_WITH),
    **_keys("pidfile", _STARTS_WITH),
    **_keys("storage-driver storage-opts", "the model has no files of containers"),
    **_keys("log-opts", "lines are counted up to the log's driver; size and number of its files are not"),
    **_keys("default-shm-size default-ulimits dns dns-opts dns-search", _PROGRAM),
    **_keys("host-gateway-ip host-gateway-ips", _PROGRAM),
    **_keys("default-cgroupns-mode", "what containers see of control groups"),
    **_keys("no-new-privileges seccomp-profile selinux-enabled", _RIGHTS, _DENIED),
    **_keys("cgroup-parent", "another folder of control groups", "only if that folder has limits of its own"),
    **_keys("icc", _RULES, "only if a container connects to another one"),
    **_keys("allow-direct-routing bridge-accept-fwmark ip-forward-no-drop", _RULES, _PORTS_CLOSED),
    **_keys("ip-forward", _RULES, "only if nothing else lets the host forward: ports then answer on loopback alone"),
    **_keys("ip-masq", "how containers reach other hosts, which they do not here"),
    **_keys("mtu default-network-opts", "sizes of packets are not modelled"),
    **_keys("bip6 fixed-cidr-v6 default-gateway-v6", "containers have no IPv6 address in the model"),
    **_keys("ipv6", "docker0 has no IPv6 address in the model", "only if clients come to a container's own address"),
    **_keys("default-gateway", "how containers reach other hosts, which they do not here"),
    "bridge": Noted("a bridge of one's own in place of docker0", "only in the addresses"),
    "fixed-cidr": Noted("which addresses of docker0 are given out", "only in the addresses"),
    "containerd": Noted("a containerd that somebody else starts; the design says whether one does"),
    "default-ipc-mode": Noted("shared memory is not modelled"),
    "runtimes": Noted("every container is run as runc does it", "only if a container uses one that is not runc"),
    "default-runtime": Noted("every container is run as runc does it", "only if it is not runc or one that wraps it"),
    "exec-opts": Noted(
        "native.cgroupdriver: which folders the control groups stand in; with systemd each is a scope",
        "only in the names of control groups: with either driver no stop of the engine's unit reaches them",
    ),
    "firewall-backend": Noted("nft is run in place of iptables", "only in the runs of iptables, and in their time"),
    "init-path": Noted("which program stands in for docker-init"),
    "oom-score-adjust": Noted("whom the kernel kills first when the host has no memory left", "only for oom: host"),
    "userland-proxy-path": Noted("which program stands in for docker-proxy"),
    "userns-remap": Noted("users of containers are other users of the host: no process hangs on it"),
}

# -- units of systemd ------------------------------------------------------------------------------

_ORDER = "the design has its own order of units"
_LIMIT = "limits of resources are not modelled"

_UNIT: Mapping[str, Noted] = {
    **_keys("After Before PartOf Requires Wants WantedBy BindsTo Conflicts Also Alias RequiredBy", _ORDER),
    **_keys("Description Documentation Slice StandardError StandardOutput SyslogIdentifier", "words and places"),
    **_keys("Environment EnvironmentFile WorkingDirectory User Group UMask", "only its program reads it"),
    **_keys("MountFlags ProtectSystem ProtectHome PrivateTmp ReadWritePaths", "the model has no files of programs"),
    **_keys("Delegate CPUAccounting MemoryAccounting TasksAccounting IOAccounting", "it counts; it limits nothing"),
    **_keys("GuessMainPID NotifyAccess Type PIDFile", "the design says how its unit tells that it is ready"),
    **_keys("ExecCondition ExecStartPre ExecStartPost ExecStop ExecStopPost", "the design has its own commands",
            "only if the command fails, takes long, or touches what is modelled"),
    "ExecReload": Noted("systemctl reload sends HUP, as the packages' units do", "only if it does something else"),
    "ExecStart": Noted("its flags are read as keys of engine.daemon where it is dockerd; else the design has its own"),
    **_keys("SuccessExitStatus RestartForceExitStatus RestartPreventExitStatus", "codes that count otherwise",
            "only if the unit's main process leaves with one of them"),
    **_keys("KillSignal FinalKillSignal RestartKillSignal", "TERM is sent, then KILL", "only if it is another signal"),
    "SendSIGKILL": Noted("KILL is sent once the time of a stop is over", "only if it is no and the unit hangs"),
    **_keys("LimitCORE LimitNOFILE LimitNPROC LimitMEMLOCK LimitSTACK Nice", _LIMIT),
    "OOMScoreAdjust": Noted("whom the kernel kills first when the host has no memory left", "only for oom: host"),
    **_keys("MemoryLimit MemoryMax MemoryHigh OOMPolicy", _OOM, "only if the unit's own programs reach a limit"),
    "TasksMax": Noted(
        "a limit of tasks in the unit's control group: the engine, its shims and proxies; containers have their own",
        "only if all of these together come near the number; infinity is no limit",
    ),
    "TimeoutStartSec": Noted(
        "a start that takes longer than this is ended; 0 and infinity are no limit",
        "only if the engine takes longer to start, which here it does with many containers or if it is stopped",
    ),
    "TimeoutAbortSec": Noted("how long a core dump may take, which is not modelled"),
    "WatchdogSec": Noted("the engines that are modelled send no keep-alive, so a unit of theirs has none"),
    "RuntimeMaxSec": Noted("a limit of the unit's life", "only if the run lasts as long"),
    **_keys("FailureAction StartLimitAction SuccessAction", "what systemd does with the host when the unit has failed",
            "only if it is not none"),
}  # fmt: skip

NOTED: Mapping[str, Mapping[str, Noted]] = {
    "service": _SERVICE,
    "deploy": _DEPLOY,
    "restart_policy": _RESTART,
    "resources": _RESOURCES,
    "limits": _LIMITS,
    "network": _NETWORK,
    "subnet": _SUBNET,
    "ipam": _IPAM,
    "compose": _COMPOSE,
    "daemon": _DAEMON,
    "unit": _UNIT,
}
"""Section -> key -> why it is not followed, and whether it changes an answer."""
