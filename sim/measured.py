"""What `shimulator calibrate` made of the measurements: the fitted rows of docker-26-2core; the others are in latency.

Docker 26.1.5, containerd 1.7.24, runc 1.1.15; 2 cores, kernel 6.18, overlay2; one machine. `make validation` writes it;
docs/validation.md has the command, the errors, and what was not fitted to. Source: each row's mark.
"""

from sim.durations import Duration, LogNormal, Profile, Quantiles

FITTED: Profile = {
    "dockerd/check_pid_file": Duration(
        wait=LogNormal(151.058, 0.01813, -101.7964),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.102",
        together="boot",
    ),
    "dockerd/load_containers": Duration(
        wait=LogNormal(53.3146, 0.01813, -35.9281),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.0359",
        together="boot",
    ),
    "dockerd/start_controller": Duration(
        wait=LogNormal(53.3146, 0.01813, -35.9281),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.0359",
        together="boot",
    ),
    "dockerd/create_chains": Duration(
        wait=LogNormal(426.5166, 0.01813, -287.4252),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.287",
        together="boot",
    ),
    "dockerd/set_up_network": Duration(
        wait=LogNormal(71.0861, 0.01813, -47.9042),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.0479",
        together="boot",
    ),
    "dockerd/listen_for_hooks": Duration(
        wait=LogNormal(53.3146, 0.01813, -35.9281),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.0359",
        together="boot",
    ),
    "dockerd/configure_networking": Duration(
        wait=LogNormal(639.7749, 0.01813, -431.1377),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.431",
        together="boot",
    ),
    "dockerd/ready": Duration(
        wait=LogNormal(35.5431, 0.01813, -23.9521),
        mark="M daemon_restart.csv: api_ready_s, n = 6, 2026-11-24: boot, share 0.024",
        together="boot",
    ),
    "dockerd/mount": Duration(
        work=LogNormal(0.293, 1.31312, 1.6585),
        mark=(
            "M sequential_port.csv: d_iptables_first, n = 40, 2026-11-24: port/endpoint, share 0.408; cores: "
            "parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="port/endpoint",
        cores=1.87,
    ),
    "dockerd/create_endpoint": Duration(
        work=LogNormal(0.4249, 1.31312, 2.4048),
        mark=(
            "M sequential_port.csv: d_iptables_first, n = 40, 2026-11-24: port/endpoint, share 0.592; cores: "
            "parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="port/endpoint",
        cores=1.87,
    ),
    "iptables/apply": Duration(
        work=Quantiles(
            (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
            (1.276, 1.2825, 1.3085, 1.3155, 1.3472, 1.3843, 1.4901, 1.7911, 1.9854, 2.3217, 2.4426),
        ),
        mark=(
            "M sequential_port.csv: d_proxy_first-d_iptables_first, n = 40, 2026-11-24: port/iptables, share "
            "1; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="port/iptables",
        repeats=6,
        cores=1.87,
    ),
    "proxy/listen": Duration(
        work=LogNormal(0.3125, 0.72374, 2.1579),
        mark=(
            "M sequential_port.csv: d_proxy_last-d_proxy_first, n = 40, 2026-11-24: port/proxy, share 1; "
            "cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="port/proxy",
        cores=1.87,
    ),
    "dockerd/write_bundle": Duration(
        work=Quantiles(
            (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
            (4.9161, 4.9664, 5.1579, 5.2632, 5.6681, 8.7451, 12.7433, 15.6343, 17.0573, 21.7622, 22.4158),
        ),
        mark=(
            "M sequential_noport.csv: d_shimstart_fork, n = 100, 2026-11-24: start/prepare, share 0.594; "
            "cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/prepare",
        cores=1.87,
    ),
    "containerd/must_be_new": Duration(
        work=Quantiles(
            (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
            (3.3637, 3.3981, 3.5291, 3.6011, 3.8782, 5.9835, 8.7191, 10.6972, 11.6708, 14.8899, 15.3371),
        ),
        mark=(
            "M sequential_noport.csv: d_shimstart_fork, n = 100, 2026-11-24: start/prepare, share 0.406; "
            "cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/prepare",
        cores=1.87,
    ),
    "shim-command/start_command_threads": Duration(
        work=LogNormal(1.2195, 0.52792, 6.6737),
        mark=(
            "M sequential_noport.csv: d_shim_fork-d_shimstart_fork, n = 100, 2026-11-24: start/shim-command, "
            "share 1; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/shim-command",
        cores=1.87,
    ),
    "shim/set_up": Duration(
        work=Quantiles(
            (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
            (7.5537, 7.5933, 8.0827, 8.2997, 8.6287, 8.8637, 9.7312, 11.0367, 11.6007, 14.111, 14.8337),
        ),
        mark=(
            "M sequential_noport.csv: d_runc_create_exec-d_shim_fork, n = 100, 2026-11-24: start/shim, share "
            "1; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/shim",
        cores=1.87,
    ),
    "runc/begin_create": Duration(
        work=LogNormal(1.3266, 0.56698, 4.9773),
        mark=(
            "M sequential_noport.csv: d_runc_init_exec-d_runc_create_exec, n = 100, 2026-11-24: start/stage, "
            "share 1; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/stage",
        cores=1.87,
    ),
    "runc/create_scope": Duration(
        wait=LogNormal(17.9568, 0.07488, -1.0199),
        mark=(
            "M sequential_noport.csv: d_runc_create_exit-d_runc_create_exec, n = 100, 2026-11-24: "
            "start/create, share 0.174; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/create",
        cores=1.87,
    ),
    "runc/stage2_cloned": Duration(
        work=LogNormal(7.9221, 0.07488, -0.4499),
        mark=(
            "M sequential_noport.csv: d_runc_create_exit-d_runc_create_exec, n = 100, 2026-11-24: "
            "start/create, share 0.0769; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/create",
        cores=1.87,
    ),
    "hook/start_hook_threads": Duration(
        work=LogNormal(40.1388, 0.07488, -2.2797),
        mark=(
            "M sequential_noport.csv: d_runc_create_exit-d_runc_create_exec, n = 100, 2026-11-24: "
            "start/create, share 0.39; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/create",
        cores=1.87,
    ),
    "dockerd/move_network": Duration(
        work=LogNormal(17.9568, 0.07488, -1.0199),
        mark=(
            "M sequential_noport.csv: d_runc_create_exit-d_runc_create_exec, n = 100, 2026-11-24: "
            "start/create, share 0.174; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/create",
        cores=1.87,
    ),
    "runc/write_pid_file": Duration(
        work=LogNormal(19.0131, 0.07488, -1.0798),
        mark=(
            "M sequential_noport.csv: d_runc_create_exit-d_runc_create_exec, n = 100, 2026-11-24: "
            "start/create, share 0.185; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/create",
        cores=1.87,
    ),
    "containerd/task_created": Duration(
        work=LogNormal(1.993, 0.55866, 4.3198),
        mark=(
            "M sequential_noport.csv: d_runc_start_exec-d_runc_create_exit, n = 100, 2026-11-24: "
            "start/created, share 1; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/created",
        cores=1.87,
    ),
    "runc/open_exec_fifo": Duration(
        work=LogNormal(0.7695, 0.68654, 2.8599),
        mark=(
            "M sequential_noport.csv: d_payload_exec-d_runc_start_exec, n = 100, 2026-11-24: start/payload, "
            "share 0.726; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/payload",
        cores=1.87,
    ),
    "payload/execute": Duration(
        work=LogNormal(0.2907, 0.68654, 1.0804),
        mark=(
            "M sequential_noport.csv: d_payload_exec-d_runc_start_exec, n = 100, 2026-11-24: start/payload, "
            "share 0.274; cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/payload",
        cores=1.87,
    ),
    "shim/payload_started": Duration(
        work=LogNormal(2.8341, 0.33353, 1.4144),
        mark=(
            "M sequential_noport.csv: api_start_s-d_payload_exec, n = 100, 2026-11-24: start/answer, share 1;"
            " cores: parallel.csv, 8 at once, 7.41 starts/s on 2 cores"
        ),
        together="start/answer",
        cores=1.87,
    ),
    "runc/send_signal": Duration(
        work=LogNormal(9.1697, 0.09952, -0.5034),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.117",
        together="stop",
    ),
    "shim/process_exited": Duration(
        work=LogNormal(9.1697, 0.09952, -0.5034),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.117",
        together="stop",
    ),
    "runc/delete": Duration(
        work=LogNormal(9.1697, 0.09952, -0.5034),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.117",
        together="stop",
    ),
    "containerd/task_deleted": Duration(
        work=LogNormal(2.0377, 0.09952, -0.1119),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.026",
        together="stop",
    ),
    "dockerd/stop_proxy": Duration(
        wait=LogNormal(48.314, 0.08494, -32.2436),
        mark="M sequential_port.csv: api_stop_s, n = 40, 2026-11-24: stop-port, share 1",
        together="stop-port",
        repeats=2,
    ),
    "dockerd/leave_network": Duration(
        work=LogNormal(38.7164, 0.09952, -2.1256),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.494",
        together="stop",
    ),
    "dockerd/keep_exit": Duration(
        work=LogNormal(10.1885, 0.09952, -0.5594),
        mark="M sequential_noport.csv: api_stop_s, n = 100, 2026-11-24: stop, share 0.13",
        together="stop",
    ),
    "dockerd/layer_released": Duration(
        wait=LogNormal(2.1536, 0.41734, 2.861),
        mark="M sequential_noport.csv: api_remove_s, n = 100, 2026-11-24: remove, share 1",
        together="remove",
    ),
}
