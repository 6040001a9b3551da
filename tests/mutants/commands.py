"""Faults in what people ask for: exec, health, pause, attached clients, policies, jobs of systemd, words of the host.

Source: engine-1.13 §3.2, §3.3, §3.4, §4, §5, §11; the man pages of systemd.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HEALTH, EXECS, PAUSE, VERBS = (
    f"sim/engines/docker/dockerd/{name}.py" for name in ("health", "execs", "pause", "verbs")
)
EXEC_SHIM, TASKS, ADDED = (
    "sim/engines/containerd/exec_shim.py",
    "sim/engines/containerd/tasks.py",
    "sim/engines/containerd/execs.py",
)
START, STOP, JOBS, POWER, CLIENT, PAYLOAD = (
    f"sim/engines/host/{name}.py"
    for name in ("systemd/start", "systemd/stop", "systemd/jobs", "systemd/power", "client", "payload")
)
SETUP, LOG = "sim/engine/setup.py", "sim/engines/containerd/event_log.py"
IN_HEALTH, IN_EXEC, IN_VERBS = (f"tests/engine/test_{name}.py" for name in ("health", "exec", "verbs"))
IN_INIT, IN_POWER, IN_BOUNDS = (f"tests/engine/test_{name}.py" for name in ("init", "power", "bounds"))
TABLE = ("tests/test_transitions.py", "tests/test_rules.py")

ROWS = (
    # -- health checks (§3.3, §20) ------------------------------------------------------------------------------------
    Mutant("one retry more", HEALTH, "retries = check_of(g.world, g.frame).retries",
           "retries = check_of(g.world, g.frame).retries + 1", "unhealthy comes with the fourth failure", (IN_HEALTH,)),
    Mutant("failures add up", HEALTH, "streak = 0 if good else health.streak + (not excused)",
           "streak = health.streak if good else health.streak + (not excused)",
           "a success does not begin the count anew", (IN_HEALTH,)),
    Mutant("slow probes count nothing", HEALTH, "    _count(g, good=False)\n",
           "    pass\n", "a probe that takes too long is no failure", (IN_HEALTH,)),
    Mutant("probes overlap", HEALTH, '    Do(note_too_long),\n    Wait(probe_over),\n', "    Do(note_too_long),\n",
           "the next probe does not wait for one that was given up", (IN_HEALTH,)),
    Mutant("the paused are probed", PAUSE, '(stop_monitor if kind == "paused" else resume_monitor)(g)',
           "resume_monitor(g)", "a paused container is probed on", (IN_HEALTH,)),
    Mutant("health outlives a restart", HEALTH, '    g.remember(f"health/{g[\'c\']}", Health("starting"))\n',
           '    if g.recall(f"health/{g[\'c\']}") is None:\n'
           '        g.remember(f"health/{g[\'c\']}", Health("starting"))\n',
           "a container that is started again is healthy at once", (IN_HEALTH,)),
    # -- exec (§3.2, §3.3) --------------------------------------------------------------------------------------------
    Mutant("exec status one too low", EXEC_SHIM, "code_of(g[\"status\"])", "code_of(g[\"status\"]) - 1",
           "a killed command counts as 136", (IN_EXEC, IN_HEALTH)),
    Mutant("exec-shims do not wait", EXEC_SHIM,
           "    return not any(host.alive(child) for child in host.children.get(frame.fid[0], ()))", "    return True",
           "an exec-shim leaves though others hold its output", (IN_EXEC,)),
    Mutant("exec-shims adopt nobody", EXEC_SHIM, "    g.emit(SubreaperSet(g.pid))\n", "",
           "an exec'd process belongs to PID 1 once runc exec has left", (IN_EXEC,)),
    Mutant("runc exec outlives its shim", EXEC_SHIM, 'death_signal="KILL", x=g["x"]', 'x=g["x"]',
           "a killed exec-shim leaves runc exec behind", (IN_EXEC,)),
    Mutant("exits do not wait for execs", TASKS, '    elif g.recall(f"execs/{c}"):\n', "    elif False:\n",
           "the container's exit is told before those of its execs (§3.1 step 5)", (IN_EXEC,)),
    Mutant("exec fails with 1", EXECS, "NOT_STARTED = 126", "NOT_STARTED = 1",
           "a command that cannot be started exits with 1", (IN_EXEC, *TABLE)),
    Mutant("exec in a paused container", EXECS, "if record is not None and record.running and record.paused:",
           "if False and record is not None and record.running and record.paused:",
           "docker exec waits for a container that is frozen", (IN_EXEC,)),
    Mutant("AddProcess is not waited for", ADDED, "within=START_TIMEOUT, late", "within=START_TIMEOUT // 100, late",
           "a slow runc exec is given up after 1.2 s", (IN_EXEC,)),
    Mutant("the reader takes no lock", "sim/engines/docker/dockerd/exit.py",
           '    Lock("libcontainerd/{c}"),\n    Do(handle_event),\n    Unlock("libcontainerd/{c}"),\n',
           "    Do(handle_event),\n", "the one reader of events waits for nobody (§15)", (IN_VERBS, IN_BOUNDS)),
    # -- queues and what they hold (§15, §16.4) -----------------------------------------------------------------------
    Mutant("no bound of events", LOG,
           'if subscriber is not None and len(g.world.queue(subscriber, "events")) < EVENT_BUFFER:',
           "if subscriber is not None:", "no event is ever dropped (V15)", (IN_BOUNDS,)),
    Mutant("one event more is kept", LOG, '(*g.recall("log", ())[1 - KEPT_EVENTS :], (number, stamped))',
           '(*g.recall("log", ())[-KEPT_EVENTS:], (number, stamped))', "events.log grows to 501 lines",
           (IN_BOUNDS,)),
    Mutant("a full queue takes one more", "sim/engine/ops/messages.py", "self.queue)) < self.bound",
           "self.queue)) <= self.bound", "a bounded queue holds one message too many",
           ("tests/engine/test_procedure.py",)),
    # -- other verbs (§3.2, §13) --------------------------------------------------------------------------------------
    Mutant("ps takes no lock", VERBS, '    Lock("container/{c}"),\n    Unlock("container/{c}"),\n    Goto("next"),\n',
           '    Goto("next"),\n', "docker ps is not held up by a container that is stuck", (IN_VERBS, IN_BOUNDS)),
    Mutant("pause does not wait", PAUSE, "    Wait(event_came),\n", "",
           "docker pause answers before containerd's event has come", (IN_BOUNDS, IN_VERBS)),
    Mutant("attached clients get 0", CLIENT, 'g["error"] = f"exit code {code}" if code else ""', 'g["error"] = ""',
           "docker run without -d exits with 0 whatever the container does", (IN_VERBS,)),
    Mutant("wait does not wait", VERBS, '    Wait(stopped),\n    Lock("container/{c}"),\n    Do(done),\n',
           '    Lock("container/{c}"),\n    Do(done),\n', "docker wait answers at once", (IN_VERBS,)),
    Mutant("an old name still works", VERBS, 'if record is None or (record.called or message.container) == wanted:',
           "if record is not None:", "a renamed container is found by its old name", (IN_VERBS,)),
    Mutant("update clears the pause", VERBS, "replace(record, policy=Restart(name, int(most)))",
           "replace(record, policy=Restart(name, int(most)), backoff=0)",
           "docker update begins the restart manager's pause anew", ("tests/engine/test_restart_manager.py",)),
    Mutant("a busy layer is waited for", SETUP, "layer_wait: Microseconds = 5 * S", "layer_wait: Microseconds = 50 * S",
           "docker rm tries a busy mount for 50 s (T18)", TABLE),
    Mutant("docker-init forwards nothing", PAYLOAD, "service.name, FORWARDED)", "service.name)",
           "docker stop kills what runs below docker-init", (IN_INIT,)),
    Mutant("docker-init leaves with 0", PAYLOAD, 'return code_of(g["status"])',
           "return 0", "a container with --init always exits with 0", (IN_INIT,)),
    Mutant("nobody hears of oom", "sim/engines/host/memory.py",
           '            start_frame(turn, process.pid, f"{program}.oom", c, {"c": c})\n', "            pass\n",
           "docker events says no oom (T21)", TABLE),
    # -- policies (§4) ------------------------------------------------------------------------------------------------
    Mutant("a long run is longer", "sim/engines/docker/dockerd/exit.py",
           "return traits(world, frame.fid[0]).restart_reset",
           "return 10 * traits(world, frame.fid[0]).restart_reset", "the pause begins anew after a run of 100 s",
           ("tests/engine/test_restart_manager.py", *TABLE)),
    Mutant("the first pause is a second", "sim/engines/docker/dockerd/exit.py", "FIRST_BACKOFF = 100 * MS",
           "FIRST_BACKOFF = 1000 * MS", "a policy waits ten times as long", ("tests/engine/test_restart_manager.py",)),
    # -- systemd (§5) -------------------------------------------------------------------------------------------------
    Mutant("starts are never forgotten", START,
           "    change(g, of(g), starts=max(state_of(g.world, of(g)).starts - 1, 0))\n", "    pass\n",
           "the start limit counts all starts since the boot", TABLE),
    Mutant("a stop leaves the restart", STOP, "    cancel_restart(g, name)\n", "",
           "systemctl stop while systemd waits for RestartSec= stops nothing", TABLE),
    Mutant("anybody says READY", START,
           'if unit.main_pid == message.data and unit.state == "activating":',
           'if unit.state == "activating":', "NotifyAccess= does not matter", TABLE,
           "nobody but the main process sends READY=1 in this model; a dockerd that was replaced is reaped before"),
    Mutant("kill goes to the main process", JOBS,
           '    syscalls.kill_cgroup(g.turn, group(g.world, of(g)), g["request"].data)\n',
           '    g.kill(state_of(g.world, of(g)).main_pid, g["request"].data)\n',
           "systemctl kill spares the shims", TABLE),
    # -- the host (§1.4, §5, §11) -------------------------------------------------------------------------------------
    Mutant("/run outlives the power", POWER, 'TMPFS = ("/run/", "/var/run/")', 'TMPFS = ("/var/run/",)',
           "runc's states are there after a power cut", (IN_POWER,)),
    Mutant("a reboot takes its time", SETUP,
           "last_chance: Microseconds = 10 * S", "last_chance: Microseconds = 100 * S",
           "what ignores TERM holds a reboot up for 100 s", (IN_POWER, *TABLE)),
    Mutant("a full disk takes all", "sim/engines/host/storage.py", "    if not full(g.world):\n", "    if True:\n",
           "an exit is on a full disk, too", ("tests/engine/test_storage.py",)),
    Mutant("a reload takes all keys", "sim/engines/docker/dockerd/settings.py",
           "after = replace(before, live_restore=new.live_restore, shutdown_timeout=new.shutdown_timeout)",
           "after = new", "max-health-check-retries changes without a restart (T56)", TABLE),
    Mutant("a reload ends no boot", "sim/engines/docker/dockerd/settings.py",
           '    if (g.pid, "boot") in g.world.frames:\n        return "untrapped"\n', "",
           "HUP does not end a dockerd that starts", TABLE),
    Mutant("a port that is taken is free", "sim/engines/host/stranger.py",
           "    if syscalls.conflicts(g.world.host, command.address):\n", "    if False:\n",
           "a stranger listens where somebody does", (*TABLE, "tests/scenario/test_host_words.py")),
    Mutant("the dead host obeys", CLIENT,
           "    elif systemd_at(g.world, g.frame) is None and not isinstance(command, LosePower | Slow):\n"
           '        g["error"] = CLOSED  # the power is away\n', "",
           "people start programs on a host without power", ("tests/test_regressions.py",)),
)  # fmt: skip
