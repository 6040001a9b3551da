"""What differs between engines in a word or a number: names of binaries, limits, unit files.

The shared rules ask for these; what differs in its steps is a program of its own. Each field has its meaning and its
source in `MEANINGS`. Source: designs §1.1 (the ladder), engine-1.13 §12, §20.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.paths import RUNC_ROOT
from sim.engine.setup import Daemon, S, Unit, Unverified
from sim.kernel.records import V1, Pid

REDIAL_CAP = 120 * S


class Words(msgspec.Struct, frozen=True):
    """Command lines: of daemons in full, of other programs what comes before the words of a run."""

    dockerd: tuple[str, ...] = ()
    containerd: tuple[str, ...] = ()
    shim: tuple[str, ...] = ()
    runc: tuple[str, ...] = ()
    proxy: str = ""

    def lacks(self, field: str, path: str) -> bool:
        """Return whether no file is called *path* that was to be the program whose words stand in *field*."""
        if not field:
            return False  # a program whose file no version calls otherwise
        words: tuple[str, ...] | str = getattr(self, field)
        return (words if isinstance(words, str) else words[0] if words else None) != path


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What the shared rules read of an engine; each engine says its own, and the numbers are those of 1.13."""

    words: Words = Words()
    unverified: Unverified = Unverified()
    tree: str = ""
    scope: str = "/system.slice/{id}.scope"
    split_scope: str = ""
    conmon_group: str = ""
    shim_command_threads: int = 0
    proxy_addresses: tuple[str, ...] = ("0.0.0.0",)
    first_backoff: int = 100_000
    restart_cap: int | None = None
    restart_reset: int = 10_000_000
    redial_cap: int = REDIAL_CAP
    containerd_socket: str = ""
    other_package: tuple[str, ...] = ()
    last_wait: int | None = None
    waits_for_ever: bool = True
    writes_signals: bool = False
    publish_tries: int = 6
    dead_shim_tells_pid: bool = True
    cleans_leaked_shims: bool = False
    no_task_code: int = 255
    starts_created: bool = True
    die_after_record: bool = False
    unreachable: str = "grpc: the connection is unavailable"
    removal_refused: tuple[str, str] = ("", "")
    pids_refused: str = "cannot join PID of a non running container: {id}"
    containerd_dies_with: str | None = "KILL"
    live_restore: bool = False
    exits_by: str = "pid"
    canceled_by: str = "stop signal"
    restore_asks: str = "any event"
    unknown_exit: int = 255
    removal_wakes: bool = False
    pause_outlives_run: bool = False
    start_forgets_oom: bool = False
    thaws_orphans: bool = False
    kill_thaws: bool = False
    oom_group: bool = False
    cgroup: str = V1
    one_cgroup: tuple[str, str] = ("", "")
    ends_late_execs: bool = False
    listens_first: bool = False
    drops_torn_state: bool = False
    ends_ghosts: bool = False
    restored_exits_after: int = 0
    restore_kill_code: int = 255
    rpc_codes: bool = False
    discards_kept: bool = False
    load_each: int = 0
    binds_first: bool = False
    waits_for_proxies: bool = False
    stream_wait: int = 0
    start_interval: int = 0
    replica: str = "-"
    runtime_root: str = RUNC_ROOT
    restore_stop: str = "TERM, KILL after 10 s, 2 s more"
    daemon: Daemon = Daemon()
    unit: Unit = Unit()
    containerd_unit: Unit | None = None
    coupling: str = ""
    containerd_score: int = -500
    profile: str = "el7-idle"
    client: str = ""
    engine: str = ""
    engine_unit: str = ""
    engine_main: str = "main"
    engine_score: int = -500
    socket: str = ""
    records: str = ""
    iptables_nft: bool = True


def of_daemon(name: str, **fields: Any) -> Traits:
    """Return the traits of an engine that is one daemon: its file, unit, socket and folder are called as it is.

    >>> of_daemon("crio", socket="unix:/run/crio/crio.sock").records
    '/var/lib/crio/{name}'
    """
    called: dict[str, Any] = {"engine": name, "engine_unit": name, "words": Words((f"/usr/bin/{name}",))}
    places = {"socket": f"unix:/run/{name}.sock", "records": f"/var/lib/{name}/{{name}}"}
    return Traits(**{**called, **places, **fields})


MEANINGS: dict[str, tuple[str, str]] = {
    "tree": ("who is whose parent", "designs §1 [S], §3.1 [S]"),
    "words": ("command lines", "designs §1.1: 18.09 drops the docker- prefix [S]"),
    "unverified": ("numbers that are no setting", "engine-1.13 §12; docker-26: memory_threads.csv [M]"),
    "shim_command_threads": ("threads of `shim start`, a process that is tried out among them", "experiment a [M]"),
    "scope": ("the control group of a container", "engine-1.13 §1.1; designs §3.1 [S*], §4.1 [S]"),
    "split_scope": ("the same within its unit, where containers are units", "designs §4.2, C3 [S], name [K]"),
    "conmon_group": ("the control group of a conmon", "designs §4.1 [S]"),
    "proxy_addresses": ("a proxy for each of these addresses of a port that is published on all", "designs §3.1 [S]"),
    "first_backoff": (
        "first pause before a policy starts a container that ran for less than 10 s, in µs",
        "designs §2 [S]; engine-1.13 §4",
    ),
    "restart_reset": ("a run of so many µs lets the pauses begin anew", "engine-1.13 §4 [S]"),
    "restart_cap": ("longest pause before a policy starts a container again, in µs", "designs §1.1: 17.06 [S]"),
    "redial_cap": ("longest pause before containerd is dialled again, in µs", "containerd client.go MaxDelay [K]"),
    "other_package": ("words of programs that another package than the daemon's has", "containerd.io's spec [S]"),
    "containerd_socket": ("where containerd listens", "moby libcontainerd/supervisor/remote_daemon.go; words [K]"),
    "last_wait": ("how long a stop waits after its last KILL, in µs; None: for ever", "designs §3.3 [S]"),
    "waits_for_ever": (
        "a stop with a negative time waits for ever; else its time is over at once",
        "daemon/stop.go at 1.10.3 to 29.0.0: not at 17.06.0 to 18.03.1, which makes a context of it [S]",
    ),
    "writes_signals": (
        "with a signal through the API it is written that somebody has stopped the container",
        "moby v19.03.0 daemon/kill.go 86-91, not v18.09.0 88-90 [S]",
    ),
    "publish_tries": ("how often a shim tries to tell containerd of an exit", "designs §3.6 [S*]; shim v1 [K]"),
    "cleans_leaked_shims": (
        "a containerd that begins ends every shim whose container has no process left, and its exit status is lost",
        "containerd v1.7.0 runtime/v2/shim_load.go 152-170 [S]; 26.1.5 with 1.7.24 [M]",
    ),
    "no_task_code": (
        "the exit code of a container of which containerd has no task when it is asked for the status",
        "moby v23.0.0 libcontainerd/remote/client.go 454-463: 255; v24.0.0 daemon/monitor.go 34-58: 0 [S][M]",
    ),
    "starts_created": (
        "a policy starts at boot what was created and never started",
        "moby v18.09.0 daemon/daemon.go 388 asks for HasBeenStartedBefore, v17.09.0 does not [S]",
    ),
    "die_after_record": (
        "an end is believed once what the container had is given back, and `die` said once the record is written",
        "moby v23.0.0 daemon/monitor.go 84-118; v20.10.0 50-71: `die`, then the network [S][M]",
    ),
    "removal_refused": (
        "what `docker rm` says of a container that runs, and of one that is paused",
        "moby daemon/delete.go cleanupContainer at v1.13.1, v17.04.0, v20.10.0 85-92, v25.0.0 90-97 [S]; 26.1.5 [M]",
    ),
    "pids_refused": (
        "what dockerd says of a container that does not run and whose pid namespace another one is to share",
        "moby daemon/container_operations_unix.go at v1.13.1 82, v17.06.0 73, v26.1.5 92 with oci_linux.go 341 [S]",
    ),
    "unreachable": (
        "what dockerd says of a containerd that it cannot reach",
        "vendored grpc: v18.09.0 picker_wrapper.go, v24.0.0 and v25.0.0 http2_client.go [S]; 26.1.5 [M]",
    ),
    "dead_shim_tells_pid": ("the exit of a container whose shim has died tells its pid", "designs §3.7 [S][I]"),
    "containerd_dies_with": ("what a containerd gets when the dockerd that forked it dies", "designs §1.1: 1.12 [S]"),
    "live_restore": ("there is live-restore", "designs §1.1: 1.12 [S]"),
    "exits_by": ("what an exit is matched by", "designs §1.1: 24.0 [S], §3.7 [S]"),
    "canceled_by": (
        "which signals cancel the policy: any signal, the stop signal (any where none is set), or KILL as well",
        "daemon/kill.go at 1.12.6, 1.13.1 and 17.06.0 [S]",
    ),
    "restore_asks": (
        "which last event of a container a new dockerd goes by: any, one of an exit or the freezer, or a new one",
        "libcontainerd/client_linux.go at 1.11.2, 1.12.6 and 1.13.1 [S]",
    ),
    "unknown_exit": ("the code of an exit that containerd has stored no event of", "the same [S]"),
    "removal_wakes": ("whoever waits for the end of a container is woken by its removal", "state.go: 17.06 [S]"),
    "pause_outlives_run": (
        "a container that its policy starts again still counts as paused if it ended paused: only unpause ends that",
        "container/state.go SetRunning, SetRestarting at 1.12.6, 1.13.1, 17.06.2 [S]",
    ),
    "start_forgets_oom": (
        "a container that runs again was not killed for lack of memory",
        "container/state.go SetRunning at 23.0.0, 24.0.0 [S]",
    ),
    "thaws_orphans": (
        "containerd thaws a container whose shim was killed, and waits no longer than 2 min for the shim's own end",
        "projectatomic/containerd e93fa2e runtime/process.go 262-311; not docker/containerd aa8187d, cfb82a8 [S]",
    ),
    "kill_thaws": (
        "runc's KILL thaws a paused container",
        "runc v1.1.0 libcontainer/container_linux.go 396-403, not v1.0.3 416-423 [S]",
    ),
    "oom_group": (
        "with cgroup v2 the kernel kills all of a container that is out of memory (memory.oom.group)",
        "kubelet since 1.28, unless singleProcessOOMKill says no (1.32): kubernetes#117793, #126096 [I]",
    ),
    "iptables_nft": (
        "iptables of its hosts keeps its rules in nftables, where nft sees them",
        "RHEL 8, Debian 10, Ubuntu 20.10 and later: iptables-nft; Linux 3.10 of el7 has iptables 1.4.21 alone [K]",
    ),
    "cgroup": ("the version of control groups that hosts had in its time", "see `one_cgroup`"),
    "one_cgroup": (
        "why it runs with that version alone, and what to do; empty where it runs with both",
        "Linux 5.2 cgroup-v2.rst; moby v20.10.0 daemon/daemon_unix.go 636-643; podman-systemd.unit(5) [S]",
    ),
    "ends_late_execs": (
        "containerd gives up an exec, and kills its shim, when the deadline of who asked has passed",
        "docker/containerd aa8187d runtime/container.go createCmd 527-535; not 2a5e70c (1.12.6) [S]",
    ),
    "listens_first": (
        "containerd 0.2 opens its socket before it restores",
        "projectatomic/containerd e93fa2e, cfb82a8 (17.06) containerd/main.go; not aa8187d, 2a5e70c (1.12.6) [S]",
    ),
    "drops_torn_state": (
        "containerd 0.2 deletes a state folder that it cannot read or that names no process; else it ends, or keeps it",
        "projectatomic/containerd e93fa2e, cfb82a8 (17.06) supervisor.go restore; not aa8187d, 2a5e70c (1.12.6) [S]",
    ),
    "ends_ghosts": (
        "a containerd that begins kills a container whose bundle dockerd has removed",
        "cfb82a8 (17.06) runtime/container.go Load 197-206; not e93fa2e, aa8187d, 2a5e70c [S]",
    ),
    "restored_exits_after": (
        "after how many µs containerd 0.2 tells the exits that it has found as it began",
        "projectatomic/containerd e93fa2e supervisor.go Start 293-308; not aa8187d, cfb82a8, 2a5e70c [S]",
    ),
    "restore_kill_code": (
        "the exit code of a container whose shim died while containerd was down",
        "process.go updateExitStatusFile: %u, which Go does not know: 255; %d in cfb82a8 (17.06): 137 [S]",
    ),
    "rpc_codes": (
        "containerd's errors have gRPC's number; a call that breaks has other words than one that is not sent",
        "D vendor/google.golang.org/grpc/rpc_util.go [S]",
    ),
    "discards_kept": (
        "with live-restore a new dockerd also reads what containers print to throw it away",
        "D libcontainerd/client_linux.go 506-522; not moby v1.12.6, v1.13.1, v17.06.0 [S]",
    ),
    "load_each": ("what dockerd's boot takes for each container on disk, in µs", "designs §1.1: 19.03 [S*]"),
    "waits_for_proxies": (
        "dockerd waits for each proxy in a thread, so that one that ends by itself is no zombie",
        "moby v24.0.0 libnetwork/portmapper/proxy_linux.go 63-82; v23.0.18 91-95: at the stop alone [S]; 26.1.5 [M]",
    ),
    "stream_wait": (
        "how long a dockerd that has stopped its containers waits for clients that hold a stream, in µs",
        "moby v24.0.0 cmd/dockerd/daemon.go 191-216; v23.0.0 355 closes listeners alone [S]; 26.1.5 [M]",
    ),
    "runtime_root": (
        "where the runtime keeps the states of containers",
        "runc v1.0.0-rc2 main.go 79, containerd-shim/process.go 163; moby v18.09.0 daemon/start_unix.go 49 [S]",
    ),
    "replica": (
        "what stands between a service and the number of its container: that of the Compose of its time",
        "docker/compose v2.40.3 convergence.go 422; compose 1.x container.py name, released until 20.10 [S]",
    ),
    "start_interval": (
        "the time between health checks in a start period where a container says none, in µs; 0: as later on",
        "moby v28.0.0 daemon/health.go 35-37, 255; v25.0.0 254: the interval (the default came with v27.0) [S]",
    ),
    "binds_first": ("dockerd binds a published port itself, before it starts the proxy", "designs §1.1: 28 [S]"),
    "restore_stop": ("how a new dockerd without live-restore stops what it finds", "designs §1.1: 20.10 [S], §3.9 [S]"),
    "daemon": ("daemon.json where a scenario says nothing", "engine-1.13 §20; designs §8 [S]"),
    "unit": ("the engine's unit", "designs §1.1 [S], §1 [S]"),
    "containerd_unit": ("containerd.service; None: dockerd starts containerd", "designs §1.1: 18.09 [S]"),
    "coupling": ("what ties docker.service to containerd.service", "designs §1.1 [S]"),
    "containerd_score": ("oom_score_adj of containerd; a shim v2 has one more", "designs §1, §3.1, §3.9 [S][I]"),
    "client": ("the command with which people at the host ask the engine", "designs §4.2 [S], §5.1 [K]"),
    "engine": ("the daemon that people ask, where there is one", "designs §1 [S]"),
    "engine_unit": ("the unit whose main process that daemon is", "designs §1 [S]"),
    "engine_main": ("the procedure with which it begins", "sim/engines"),
    "engine_score": ("its oom_score_adj", "designs §1: OOM score [S]"),
    "socket": ("where it listens", "engine-1.13 §1.4; designs §4.3, §5.1 [K]"),
    "records": ("where it keeps what it knows of a container", "engine-1.13 §1.4; designs §5.1 [K]"),
    "profile": ("durations where a scenario says nothing", "sim/latency.py"),
}
"""Field -> what it means, and which source says so."""


def unit_keys(world: Any) -> Unit:
    """Return the keys of the engine's unit: the file's own, or those of a version that was installed later."""
    installed = world.design.installed(world)
    keys: Unit = world.setup.engine.unit if installed.name == world.design.name else installed.traits.unit
    return keys


def traits(world: Any, pid: Pid) -> Traits:
    """Return the traits of the engine that *pid* belongs to: that of its own binary, which may be an older one."""
    found: Traits = world.design.of(world, pid).traits
    return found
