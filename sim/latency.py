"""How long things take: named profiles of distributions, and keyed draws. The only randomness of the project.

A duration has a part that needs a core (*work*) and a part that does not (*wait*). A draw is a pure function of seed,
role, container, action and occurrence, so two designs share the draws that they have in common, and any run can be
replayed alone. Source of the draws: BLAKE2b as a counter-based generator, inverted distributions; of the numbers: each
row's mark.
"""

from __future__ import annotations

from hashlib import blake2b

from sim.durations import ZERO as ZERO
from sim.durations import Distribution as Distribution
from sim.durations import Duration as Duration
from sim.durations import Fixed as Fixed
from sim.durations import Profile as Profile
from sim.durations import Uniform as Uniform
from sim.engine.setup import EngineSetup
from sim.measured import FITTED

MS = 1_000

K = "K engine-1.13 §20: el7, idle host, not measured"
A = "A assumed: no source gives it"

EL7_IDLE: Profile = {
    # dockerd's own boot: 1 to 2 s without containers, of which 1.0 s is the second attempt to connect (§6 step 3)
    "dockerd/check_pid_file": Duration(wait=Uniform(60, 120), mark=A),
    "dockerd/load_containers": Duration(wait=Uniform(10, 30), mark=A),
    "dockerd/start_controller": Duration(wait=Uniform(5, 15), mark=A),
    # the controller's runs of iptables, of 3 to 10 ms each, but for those for ports: L setup_ip_tables.go, iptables.go
    "dockerd/create_chains": Duration(wait=Uniform(70, 100), mark="C 13 runs after the flush"),
    "dockerd/create_chains_of_ipv6": Duration(wait=Uniform(70, 100), mark="C as for IPv4"),
    "dockerd/set_up_network": Duration(wait=Uniform(80, 115), mark="C 15 runs a network"),
    "dockerd/restore_sandbox": Duration(wait=Uniform(75, 105), mark="C 14 runs in the container's namespace"),
    "dockerd/ready": Duration(wait=Uniform(10, 30), mark=A),
    "dockerd/reattach": Duration(wait=Uniform(5, 20), mark=A),
    # from the power to systemd: firmware, kernel, initramfs
    "init/boots": Duration(wait=Uniform(20_000, 40_000), mark=A),
    # two readers of one fifo after a live restore: which of them gets a chunk is not known (§6 step 5)
    "dockerd/read_output": Duration(wait=Uniform(0.01, 0.1), mark=A),
    "dockerd/discard_output": Duration(wait=Uniform(0.01, 0.1), mark=A),
    "dockerd/discard_too": Duration(wait=Uniform(0.5, 1.5), mark=A),  # what comes after the log has its reader
    "dockerd/retry": Duration(scale=Uniform(0.8, 1.2), mark="S grpc backoff.go: jitter 0.2"),
    # containerd is ready S = 0.05 to 0.3 s after its fork
    "containerd/listen": Duration(wait=Uniform(50, 300), mark=K),
    # start: network and iptables 60 to 150 ms in all, of which 6 runs of 3 to 10 ms
    "dockerd/take_turn": Duration(wait=Uniform(0, 25), mark="A a coin: the time of a mount"),
    "dockerd/mount": Duration(work=Uniform(5, 20), mark=K),
    "dockerd/create_endpoint": Duration(work=Uniform(20, 60), wait=Uniform(15, 35), mark=K),
    "iptables/apply": Duration(work=Uniform(3, 10), mark=K),
    "proxy/listen": Duration(work=Uniform(15, 40), mark=K),
    "dockerd/write_bundle": Duration(work=Uniform(5, 15), mark=K),
    # shim: 15 to 40 ms from its fork to runc, of which a part before it opens its fifos (a shell, then a Go program)
    "shim/exit_fifo_has_reader": Duration(work=Uniform(5, 15), mark=K),
    "shim/set_up": Duration(work=Uniform(10, 25), mark=K),
    # runc create: 80 to 200 ms, of which 30 to 80 in the hook
    "runc/begin_create": Duration(work=Uniform(10, 25), mark=K),
    "runc/start_threads": Duration(work=Uniform(10, 25), mark=K),
    "runc/create_scope": Duration(wait=Uniform(20, 60), mark=K),
    "hook/start_hook_threads": Duration(work=Uniform(15, 40), mark=K),
    "dockerd/move_network": Duration(work=Uniform(15, 40), mark=K),
    "resolver/start_threads": Duration(work=Uniform(15, 40), mark=A),
    "runc/write_pid_file": Duration(work=Uniform(10, 35), mark=K),
    # containerd polls the pid file every 15 ms
    "containerd/pid_file_or_shim_gone": Duration(wait=Uniform(0, 15), mark="S engine-1.13 §2 step 16"),
    # exec: an exec-shim takes what a shim takes; runc exec does what runc create does, without scope and hooks
    "exec-shim/exit_fifo_has_reader": Duration(work=Uniform(5, 15), mark=K),
    "exec-shim/set_up": Duration(work=Uniform(10, 25), mark=K),
    "runc/begin_exec": Duration(work=Uniform(10, 25), mark=K),
    "runc/join_scope": Duration(wait=Uniform(5, 20), mark=A),
    "runc/write_exec_pid": Duration(work=Uniform(10, 35), mark=A),
    "exec/execute": Duration(work=Uniform(1, 5), mark=A),
    "ps/exit": Duration(work=Uniform(5, 20), mark=A),
    # runc start, kill, delete: 20 to 50 ms
    "runc/open_exec_fifo": Duration(work=Uniform(10, 25), mark=K),
    "runc/kill_all": Duration(work=Uniform(10, 25), mark=K),
    "runc/delete": Duration(work=Uniform(10, 25), mark=K),
    "runc/pause": Duration(work=Uniform(10, 25), mark=A),
    "runc/resume": Duration(work=Uniform(10, 25), mark=A),
    # docker rm: removing the layer's directory
    "dockerd/layer_released": Duration(wait=Uniform(10, 50), mark=A),
    "app/execute_app": Duration(work=Uniform(1, 5), mark=A),
    "payload/execute": Duration(work=Uniform(1, 5), mark=A),
    "containerd/payload_gone": Duration(wait=Uniform(0, 5), mark="S engine-1.13 §8: polled every 5 ms"),
    "containerd/orphan_gone": Duration(wait=Uniform(0, 5), mark="S engine-1.13 §8: polled every 5 ms"),
    "containerd/reap_shim": Duration(wait=Fixed(8), mark="E engine-1.13 §21: seen once"),
    # the kernel: a signal takes tenths of a millisecond; an exit and a reap take no time
    "kernel/deliver": Duration(wait=Uniform(0.1, 1.0), mark=A),
    "dockerd/state_exit": Duration(work=Uniform(2, 10), mark=A),
    "dockerd/clean_up": Duration(work=Uniform(10, 30), mark=A),
}

# memory is short: what dockerd does between two pages takes as long as a disk that has much to do
EL7_SWAPPING: Profile = EL7_IDLE | {
    "dockerd/ask_events_since": Duration(wait=Uniform(20, 400), mark=A),
}

M = "M docker-26 on 2 cores: phases of sequential_*.csv, divided among the ops by timeline.txt"

# dockerd's return with live-restore, killed by KILL: when clients were refused, and what its log says; load 1 to 6
H1 = "M hosts H1, kill9_dockerd: flush +1.13 s, rules +1.39 s, API +1.70 s; sum: daemon_restart.csv, 5 running"
H3 = "M hosts H3, kill9_dockerd, ip6tables: 0.48 s from the flush to the rules"

# Docker 26.1.5, containerd 1.7.24, runc 1.1.15; 2 cores, kernel 6.18, overlay2; one machine
DOCKER_26_SHARES: Profile = {
    "dockerd/check_pid_file": Duration(wait=Uniform(35, 50), mark=M),
    "dockerd/load_containers": Duration(wait=Uniform(10, 20), mark=M),
    "dockerd/start_controller": Duration(wait=Uniform(10, 20), mark=H1),
    "dockerd/create_chains": Duration(wait=Uniform(95, 145), mark=H1),
    "dockerd/create_chains_of_ipv6": Duration(wait=Uniform(220, 300), mark=H3),
    "dockerd/set_up_network": Duration(wait=Uniform(15, 25), mark=H1),
    "dockerd/restore_sandbox": Duration(wait=Uniform(15, 25), mark=H1),
    "dockerd/listen_for_hooks": Duration(wait=Uniform(10, 20), mark=H1),
    "dockerd/configure_networking": Duration(wait=Uniform(150, 210), mark="M daemon_restart.csv: 0 running against 5"),
    "dockerd/ready": Duration(wait=Uniform(5, 15), mark=M),
    "dockerd/keep": Duration(wait=Uniform(5, 15), mark=A),
    "init/boots": Duration(wait=Uniform(20_000, 40_000), mark=A),
    "dockerd/retry": Duration(scale=Uniform(0.8, 1.2), mark="S grpc backoff.go: jitter 0.2"),
    "dockerd/read_output": Duration(wait=Uniform(0.01, 0.1), mark=A),
    "containerd/start_threads": Duration(wait=Uniform(65, 95), mark=M),
    "runc/list_processes": Duration(work=Uniform(4, 6), mark="M 5 to 100 running: 4 to 6 ms a shim"),
    # start: 21 ms to `shim start` without a port; with one 5 ms to the first iptables
    "dockerd/take_turn": Duration(wait=Uniform(0, 4), mark="A a coin: the time of a mount"),
    "dockerd/mount": Duration(work=Uniform(1.2, 2.8), mark=M),
    "dockerd/create_endpoint": Duration(work=Uniform(1.5, 4.3), mark=M),
    "iptables/apply": Duration(work=Uniform(0.9, 1.9), mark=M),
    "proxy/listen": Duration(work=Uniform(2.5, 5.5), mark=M),
    "dockerd/write_bundle": Duration(work=Uniform(5, 14), mark="M the 16 ms; its share with 8 at once"),
    "containerd/must_be_new": Duration(work=Uniform(3, 10), mark="M as above"),
    "shim-command/start_command_threads": Duration(work=Uniform(6.5, 9.5), mark=M),
    "shim/set_up": Duration(work=Uniform(7.5, 10.5), mark=M),
    # runc create 104 ms: the first stage after 6, the others after 24, the hook after 32. It takes 55 to 66 and is
    # dockerd's own binary: how its begin and the move divide that was fitted to the phases of 8 starts at once
    "runc/begin_create": Duration(work=Uniform(5, 7), mark=M),
    "runc/create_scope": Duration(wait=Uniform(14, 20), mark="M stages 2 and 3 after 23 ms, after 35 with 5 at once"),
    "runc/stage2_cloned": Duration(work=Uniform(5, 10), mark=M),
    "hook/start_hook_threads": Duration(work=Uniform(30, 46), mark="M the 60 ms above; parallel.csv, 8 at once"),
    "dockerd/move_network": Duration(work=Uniform(12, 22), mark="M as above"),
    "resolver/start_threads": Duration(work=Uniform(8, 14), mark=A),
    "runc/write_pid_file": Duration(work=Uniform(13, 23), mark=M),
    "containerd/task_created": Duration(work=Uniform(5, 8), mark=M),
    "runc/open_exec_fifo": Duration(work=Uniform(3.5, 5.5), mark=M),
    "payload/execute": Duration(work=Uniform(1.2, 2.2), mark=M),
    "app/execute_app": Duration(work=Uniform(1.2, 2.2), mark=A),
    "shim/payload_started": Duration(work=Uniform(1.5, 4), mark=M),
    # stop 78 ms, 121 ms with a port; experiments d and h show the order
    "runc/send_signal": Duration(work=Uniform(6, 12), mark=M),
    "shim/process_exited": Duration(work=Uniform(6, 12), mark=M),
    "runc/delete": Duration(work=Uniform(6, 12), mark=M),
    "runc/kill_rest": Duration(work=Uniform(3, 8), mark=M),
    "runc/kill_all": Duration(work=Uniform(3, 8), mark=A),
    "containerd/task_deleted": Duration(work=Uniform(1, 3), mark=M),
    "dockerd/stop_proxy": Duration(wait=Uniform(12, 22), mark=M),
    "dockerd/leave_network": Duration(work=Uniform(30, 46), mark=M),
    "dockerd/keep_exit": Duration(work=Uniform(6, 14), mark=M),
    "dockerd/write_exit": Duration(wait=Uniform(1, 3), mark="M experiments d and H: `stop` 1 to 3 ms before `die`"),
    "dockerd/layer_released": Duration(wait=Uniform(3, 6), mark=M),
    # exec 70 ms
    "runc/begin_exec": Duration(work=Uniform(20, 28), mark=M),
    "runc/join_scope": Duration(wait=Uniform(5, 10), mark=M),
    "runc/write_exec_pid": Duration(work=Uniform(6, 12), mark=M),
    "exec/execute": Duration(work=Uniform(1, 2), mark=M),
    "ps/exit": Duration(work=Uniform(5, 20), mark=A),
    "runc/pause": Duration(work=Uniform(3, 6), mark=M),
    "runc/resume": Duration(work=Uniform(3, 6), mark=M),
    "kernel/deliver": Duration(wait=Uniform(0.05, 0.5), mark=A),
}

# what shimulator calibrate makes of the measurements, whose phases are divided by the shares of the ranges above
DOCKER_26_2CORE: Profile = DOCKER_26_SHARES | FITTED

SPLIT = "A split of 0.2 s for a start, of which 0.12 s behind locks: designs §9.2 [I]"
NETAVARK = "A split of what a port adds to podman run: 54 ms of core time, 0.12 s in all [M podman 5.4.2, loaded]"
PODMAN_IDLE: Profile = {
    "podman/begin": Duration(work=Uniform(20, 40), mark=SPLIT),
    "podman/create": Duration(work=Uniform(10, 20), mark=SPLIT),
    "podman/mount": Duration(work=Uniform(5, 10), mark=SPLIT),
    "netavark/set_up": Duration(work=Uniform(30, 50), wait=Uniform(50, 80), mark=NETAVARK),
    "netavark/forward": Duration(work=Uniform(8, 16), mark=NETAVARK),
    "netavark/tear_down": Duration(work=Uniform(12, 24), wait=Uniform(10, 25), mark="M 18 ms of core time; wait: A"),
    "conmon/set_up": Duration(work=Uniform(1, 4), mark=SPLIT),
    "runc/create_scope": Duration(wait=Uniform(5, 15), mark=SPLIT),
    "runc/write_status": Duration(work=Uniform(3, 10), mark="A of crun's 17 ms for a whole run: designs §9.2 [D]"),
    "runc/open_exec_fifo": Duration(work=Uniform(2, 6), mark="A as above"),
    "podman/started": Duration(wait=Uniform(5, 20), mark=SPLIT),
    "runc/signal_init": Duration(work=Uniform(2, 6), mark=A),
    "runc/delete_all": Duration(work=Uniform(2, 6), mark=A),
    "runc/pause": Duration(work=Uniform(2, 6), mark=A),
    "runc/resume": Duration(work=Uniform(2, 6), mark=A),
    "runc/write_exec_pid": Duration(work=Uniform(3, 10), mark=A),
    "podman/process_gone": Duration(wait=Uniform(0, 10), mark="S libpod waitPidStop: polled every 10 ms"),
    "podman/not_running": Duration(wait=Uniform(0, 250), mark="K podman wait --interval 250ms"),
    "podman/remove": Duration(wait=Uniform(10, 50), mark=A),
    "podman/cleaned": Duration(wait=Uniform(2, 10), mark=A),
    **{name: EL7_IDLE[name] for name in ("init/boots", "payload/execute", "app/execute_app", "exec/execute")},
    "kernel/deliver": EL7_IDLE["kernel/deliver"],
}

POD = "A split of 250 ms for create and start by containerd alone, without network: moby#21737 [I]"
KUBELET: Profile = {
    "cni/make": Duration(work=Uniform(10, 20), wait=Uniform(60, 110), mark="A a new network namespace: designs §9.2"),
    "cni/forward": Duration(work=Uniform(5, 15), mark=A),
    "cni/close": Duration(work=Uniform(5, 15), mark=A),
    "cni/unmake": Duration(work=Uniform(5, 15), wait=Uniform(10, 25), mark=A),
    "kubelet/begin": Duration(work=Uniform(300, 600), mark=A),
    "kubelet/decide": Duration(work=Uniform(2, 8), mark=A),
    "kubelet/report": Duration(wait=Uniform(5, 20), mark=A),
}
CRI_IDLE: Profile = {
    **{name: row for name, row in DOCKER_26_SHARES.items() if not name.startswith(("dockerd/", "containerd/must_"))},
    **KUBELET,
    "containerd/task_loaded": Duration(
        wait=Fixed(15.5), mark="K containerd#12142: 41 ms a pod, which has two tasks, with runc ps in it"
    ),
    "pause/execute_pause": Duration(work=Uniform(1, 2), mark=A),
    "containerd/begin_sandbox": Duration(work=Uniform(2, 6), mark=POD),
    "containerd/begin_container": Duration(wait=Uniform(10, 30), mark=POD),
    "containerd/read_output": Duration(wait=Uniform(0.01, 0.1), mark=A),
}
CRIO_IDLE: Profile = {
    **{name: row for name, row in PODMAN_IDLE.items() if not name.startswith(("podman/", "netavark/"))},
    **KUBELET,
    "crio/begin": Duration(work=Uniform(100, 300), mark=A),
    "crio/begin_sandbox": Duration(work=Uniform(2, 6), mark=A),
    "crio/begin_container": Duration(wait=Uniform(10, 30), mark=A),
    "crio/process_gone": Duration(wait=Uniform(0, 100), mark="S designs §4.3: a liveness tick of 100 ms"),
}

PROFILES: dict[str, Profile] = {
    "el7-idle": EL7_IDLE,
    "el7-swapping": EL7_SWAPPING,
    "docker-26-2core": DOCKER_26_2CORE,
    "docker-26-shares": DOCKER_26_SHARES,
    "podman-idle": PODMAN_IDLE,
    "cri-idle": CRI_IDLE,
    "crio-idle": CRIO_IDLE,
}


def profile_of(engine: EngineSetup) -> Profile:
    """Return the durations of an engine: its own, which a file has brought, else those of the profile it names."""
    return dict(engine.durations) or PROFILES[engine.profile]


_SCALE = 1.0 / (1 << 53)


def draw(seed: int, role: str, container: str, action: str, occurrence: int, part: str = "") -> float:
    """Return a number in [0, 1) that depends on the words alone.

    >>> draw(1, "shim", "web", "set_up", 1) == draw(1, "shim", "web", "set_up", 1)
    True
    """
    words = f"{seed}\0{role}\0{container}\0{action}\0{occurrence}\0{part}"
    return (int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big") >> 11) * _SCALE


def microseconds(distribution: Distribution, u: float) -> int:
    """Return the value at *u* as whole µs (the last digit of a float may differ between C libraries)."""
    return round(distribution.at(u) * MS)
