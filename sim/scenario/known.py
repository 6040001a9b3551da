"""Words that are known to people but not to the model: accepted without effect, or refused by name.

Literal tables. A key stands under *without effect* only if no process, parent, signal, port, number or time of
the model can depend on it. A key stands under *not modelled yet* if it changes processes and the model has no
rule for it. Source: Compose file reference (v1 to v3.8 and the Compose specification), dockerd's daemon.json of
1.10 to 29 with the keys of Red Hat's build (which of them a version has: `sim.engine.vocabulary`),
systemd.service(5), `docker COMMAND --help` of 1.13.
"""

from __future__ import annotations

from sim import latency
from sim.designs import DESIGNS as ROWS
from sim.designs import roles, stages, versions
from sim.engine.role import CONTAINER, HOST, STEP, SUPERVISOR, Kind

DESIGNS = tuple(dict.fromkeys((*versions(), *ROWS)))
PROFILES = tuple(latency.PROFILES)

SERVICE_WITHOUT_EFFECT = frozenset(
    """annotations attach blkio_config build cap_add cap_drop cgroup_parent configs cpu_count cpu_percent
    cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec develop
    device_cgroup_rules devices dns dns_opt dns_search domainname env_file environment expose external_links
    extra_hosts group_add hostname isolation log_opt mac_address
    platform
    privileged pull_policy read_only runtime secrets security_opt shm_size stdin_open storage_opt sysctls tmpfs ulimits
    user userns_mode volumes_from volume_driver working_dir""".split()
)
SERVICE_NOT_MODELLED = {
    "cgroup": "a cgroup shared with the host",
    "extends": "a service taken from another one; merge keys (<<: *name) are read",
    "gpus": "",
    "ipc": "",
    "mem_reservation": "",
    "mem_swappiness": "",
    "memswap_limit": "out-of-memory kills",
    "oom_kill_disable": "out-of-memory kills",
    "pids_limit": "",
    "post_start": "",
    "pre_stop": "",
    "profiles": "",
    "provider": "",
    "use_api_socket": "",
    "uts": "",
}
PAYLOAD_NOT_MODELLED: dict[str, str] = {}
LOG_DRIVERS = ("journald", "json-file", "none")
LOG_DRIVERS_LATER = ("awslogs", "fluentd", "gcplogs", "gelf", "logentries", "splunk", "syslog")

DAEMON_WITHOUT_EFFECT = frozenset(
    """add-registry allow-nondistributable-artifacts api-cors-header authorization-plugins block-registry
    builder cdi-spec-dirs containerd-namespace containerd-plugin-namespace default-cgroupns-mode host-gateway-ip
    host-gateway-ips http-proxy https-proxy ip-forward-no-drop log-format max-download-attempts min-api-version
    network-control-plane-mtu no-new-privileges no-proxy node-generic-resources proxies
    cgroup-parent cluster-advertise cluster-store cluster-store-opts data-root debug default-shm-size
    default-ulimits disable-legacy-registry dns dns-opts dns-search experimental features graph group hosts
    icc insecure-registries ip-forward ip-masq labels log-level log-opts max-concurrent-downloads
    max-concurrent-uploads metrics-addr mtu registry-mirrors seccomp-profile selinux-enabled
    signature-verification storage-driver storage-opts swarm-default-advertise-addr tls tlscacert tlscert
    tlskey tlsverify""".split()
)
DAEMON_NOT_MODELLED = {
    "allow-direct-routing": "other rules of the packet filter",
    "bip6": "",
    "bridge-accept-fwmark": "other rules of the packet filter",
    "bip": "another address of docker0; networks: {bridge: {ipam: ...}} sets it",
    "bridge": "",
    "containerd": "a containerd that somebody else starts",
    "default-address-pools": "",
    "default-gateway": "",
    "default-gateway-v6": "",
    "default-ipc-mode": "",
    "default-network-opts": "",
    "default-runtime": "",
    "exec-opts": "another cgroup driver",
    "exec-root": "",
    "firewall-backend": "runs of nft in place of iptables",
    "fixed-cidr": "",
    "fixed-cidr-v6": "",
    "init": "docker-init as process 1",
    "init-path": "",
    "ip": "another default address of published ports",
    "iptables": "runs without iptables",
    "ipv6": "",
    "oom-score-adjust": "",
    "pidfile": "",
    "raw-logs": "",
    "runtimes": "",
    "userland-proxy-path": "",
    "userns-remap": "",
}
UNIT_NOT_MODELLED = {
    "ExecReload": "",
    "ExecStart": "other flags of its program",
    "ExecStartPost": "",
    "ExecStartPre": "",
    "ExecStop": "",
    "ExecStopPost": "",
    "FailureAction": "",
    "FinalKillSignal": "",
    "KillSignal": "",
    "MemoryLimit": "",
    "MemoryMax": "",
    "OOMPolicy": "",
    "PIDFile": "",
    "RestartForceExitStatus": "",
    "RestartPreventExitStatus": "",
    "RuntimeMaxSec": "",
    "SendSIGKILL": "",
    "StartLimitAction": "",
    "StartLimitIntervalSec": "write StartLimitInterval, which every systemd reads",
    "SuccessExitStatus": "",
    "TasksMax": "a limit of tasks",
    "TimeoutSec": "write TimeoutStopSec",
    "TimeoutStartSec": "a limit of the start",
    "Type": "",
    "WatchdogSec": "",
}
UNIT_WITHOUT_EFFECT = frozenset(
    """After Before Delegate Description Documentation Environment EnvironmentFile ExecCondition GuessMainPID
    LimitCORE LimitNOFILE LimitNPROC MountFlags NotifyAccess OOMScoreAdjust PartOf Requires Slice
    StandardError StandardOutput TimeoutAbortSec WantedBy Wants WorkingDirectory""".split()
)
NETWORK_WITHOUT_EFFECT = frozenset("attachable driver_opts enable_ipv4 labels x-network".split())

COMPOSE_WITHOUT_EFFECT = frozenset("configs name secrets version volumes".split())
COMPOSE_NOT_MODELLED = {"include": "merge the files with `docker compose config` first", "models": ""}

HOST_LATER: dict[str, str] = {}
ACTIONS = (
    "docker", "compose", "systemctl", "kill", "stop", "cont", "oom", "reboot", "power_loss", "host", "upgrade",
)  # fmt: skip
ACTIONS_LATER: tuple[str, ...] = ()

SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
    "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19,
    "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28,
    "IO": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
STATES = ("R", "S", "D", "T", "Z")  # of ps
PROTOCOLS = ("tcp", "udp")
STATUSES = ("created", "initialized", "running", "paused", "restarting", "stopping", "removing", "exited", "dead")


def named_roles() -> dict[str, str]:
    """Return every role that a file may name, and how: alone, of a container, by the step that made it."""
    found = {way: [name for name, role in roles().items() if role.target == way] for way in (HOST, CONTAINER, STEP)}
    found[CONTAINER] += [SUPERVISOR, *stages()]
    return {name: way for way, names in found.items() for name in names}


def prints(role: str) -> bool:
    """Return whether processes of a role are those whose output is modelled."""
    return role in roles() and roles()[role].kind is Kind.PAYLOAD


def slowed() -> dict[str, tuple[str, ...]]:
    """Return the programs that a step may slow down, each with its verbs that it may slow down alone."""
    return {name: role.verbs for name, role in roles().items() if role.slows}


def not_modelled(key: str, why: str) -> str:
    """Return the sentence that refuses a known key."""
    return f"{key} is not modelled yet ({why})." if why else f"{key} is not modelled yet."
