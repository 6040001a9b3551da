"""Faults in dockerd: policies, locks, network, supervision, its own boot and shutdown. Source: engine-1.13 §2 to §7."""

from tests.mutants.mutant import Mutant

BOOT, EXIT, START, STOP = (f"sim/engine/dockerd/{name}.py" for name in ("boot", "exit", "start", "stop"))
SUPERVISE, NETWORK, SHUTDOWN = (f"sim/engine/dockerd/{name}.py" for name in ("supervise", "network", "shutdown"))
RESTORE, REMOVE = (f"sim/engine/dockerd/{name}.py" for name in ("restore", "remove"))
TABLE = ("tests/test_transitions.py", "tests/test_rules.py")
LIFE, SIGNALS, MANAGER = (
    (f"tests/engine/test_{name}.py",) for name in ("daemon_life", "stop_kill", "restart_manager")
)

ROWS = (
    # -- policies (§4) ----------------------------------------------------------------------------------------------
    Mutant("backoff is not doubled", EXIT,
           "return record.backoff * 2", "return record.backoff",
           "every attempt comes after 100 ms", TABLE),
    Mutant("backoff is capped", EXIT,
           "return record.backoff * 2", "return min(record.backoff * 2, 10_000 * MS)",
           "attempts of a crash loop come at least every ten seconds", TABLE),
    Mutant("a long run resets nothing", EXIT,
           "if record.ran_long or not record.backoff:", "if not record.backoff:",
           "the pause grows on after a run of ten seconds", TABLE),
    Mutant("HUP cancels no policy", STOP,
           'cancels = service.stop_signal is None or g["signal"] == service.stop_signal',
           'cancels = g["signal"] in (service.stop_signal or "TERM", "KILL")',
           "docker kill -s HUP leaves the policy alone (T17)", TABLE),
    Mutant("STOPSIGNAL does not matter", STOP,
           'cancels = service.stop_signal is None or g["signal"] == service.stop_signal', "cancels = True",
           "docker kill cancels the policy of a container with STOPSIGNAL, too (T16)", TABLE),
    Mutant("a signal is saved at once", STOP,
           "update(g, noted, disk=False)", "update(g, noted, disk=True)",
           "the manual flag is on disk before the exit (§16.9)", TABLE),
    Mutant("unless-stopped ignores stops", EXIT,
           "return not manual", "return True",
           "unless-stopped is always", TABLE),
    Mutant("on-failure counts one more", EXIT,
           "record.restart_count < policy.max)", "record.restart_count <= policy.max)",
           "on-failure:3 restarts four times", TABLE),
    Mutant("a failed attempt is tried again", START,
           '    drop_bundle(g)\n    drop_pins(g, [g["c"]])\n    tell_attached(g, None)\n',
           '    drop_bundle(g)\n    if g["why"] == "policy":\n'
           '        g.remember(f"container/{g[\'c\']}", replace(failed, running=True, restarting=True, pid=0))\n'
           '        g.start("dockerd.restart", g["c"], c=g["c"])\n'
           '    drop_pins(g, [g["c"]])\n    tell_attached(g, None)\n',
           "a restart that fails is not the last one (T9)", TABLE),
    Mutant("stop during backoff is saved", STOP,
           "restarting=not cancels), disk=False)", "restarting=not cancels), disk=True)",
           "docker stop during backoff is written to disk (T15)", TABLE),
    # -- locks, stop, kill (§3.2, §15) --------------------------------------------------------------------------------
    Mutant("a lock is not released", START,
           '    Label("refused"),\n    Unlock("container/{c}"),', '    Label("refused"),',
           "a start that fails keeps the container's lock: construction refuses the procedure", TABLE),
    Mutant("the start lets go of its lock", START,
           '    Lock("libcontainerd/{c}"),\n'
           '    call("tasks", containerd_at, create_container, lost="lost"),\n'
           '    Unlock("libcontainerd/{c}"),\n'
           '    Do(state_running),\n'
           '    Unlock("container/{c}"),\n'
           "    Return(),\n"
           '    Label("lost"),\n',
           '    Unlock("container/{c}"),\n'
           '    Lock("libcontainerd/{c}"),\n'
           '    call("tasks", containerd_at, create_container, lost="lost"),\n'
           '    Unlock("libcontainerd/{c}"),\n'
           '    Lock("container/{c}"),\n'
           '    Do(state_running),\n'
           '    Unlock("container/{c}"),\n'
           "    Return(),\n"
           '    Label("lost"),\n'
           '    Lock("container/{c}"),\n',
           "others get at the container while containerd starts it", TABLE),
    Mutant("kill waits five seconds", STOP,
           "KILL_WAIT = 10 * S", "KILL_WAIT = 5 * S",
           "dockerd kills past containerd after five seconds (T14)", TABLE),
    Mutant("no KILL after the time", STOP,
           '    Do(begin_kill),\n    Goto("signal"),\n', "    Do(begin_kill),\n",
           "docker stop gives up after ten seconds (T12)", TABLE),
    Mutant("rm leaves the record", "sim/engine/dockerd/remove.py",
           '    syscalls.remove_file(g.turn, paths.container(g["c"]))\n', "",
           "a removed container is on disk still", TABLE),
    Mutant("a failed start has no code", START,
           "return before or 128", "return before",
           "a start that fails leaves code 0", TABLE),
    Mutant("a start keeps old restarts", START,
           "replace(record, restart_count=0, backoff=0,", "replace(record, backoff=0,",
           "docker start does not set RestartCount back", TABLE),
    Mutant("an attempt that fails has 128", START,
           'code = record.exit_code if g["why"] == "policy" else failed.exit_code', "code = failed.exit_code",
           "in memory as well: the last exit's own code is lost", MANAGER),
    Mutant("a stop waits ten seconds for containerd", STOP,
           "UNSENT_WAIT = 2 * S", "UNSENT_WAIT = 10 * S",
           "docker stop without containerd fails after ten seconds", SIGNALS),
    Mutant("kill waits for no lock", STOP,
           '    Label("stopped"),\n    Lock("container/{c}"),\n    Label("gone"),\n)',
           '    Lock("container/{c}"),\n    Label("stopped"),\n    Label("gone"),\n)',
           "construction refuses what releases a lock that it does not hold", SIGNALS),
    Mutant("a restarting container gets the signal", STOP,
           "    if not record.restarting:\n        update(g, noted", "    if True:\n        update(g, noted",
           "docker kill during backoff says kill, and the container stays", SIGNALS),
    Mutant("a ghost is removed without a stop", REMOVE,
           "STOP_WAIT = 3 * S", "STOP_WAIT = 1 * S",
           "docker rm -f of a ghost takes two seconds less", SIGNALS),
    Mutant("restart removes what --rm has made", STOP,
           "    if service_of(g).auto_remove:\n", "    if False and service_of(g).auto_remove:\n",
           "docker restart of a container with --rm finds none to start", SIGNALS),
    Mutant("TERM is trapped from the start", SHUTDOWN,
           '    if not g.recall("subscribed"):', '    if False and not g.recall("subscribed"):',
           "a dockerd that waits for containerd leaves in good order", LIFE),
    Mutant("a shutdown does not wait for the boot", SHUTDOWN,
           "    Wait(startup_done),\n", "",
           "TERM during the boot stops what is not started yet", LIFE),
    Mutant("an attempt does not wait for the boot", EXIT,
           "    Wait(startup_done),\n", "",
           "a policy starts a container before the network controller is up", LIFE),
    Mutant("nobody looks after containerd while dockerd stops", SUPERVISE,
           'if g.recall("closing"):', 'if g.recall("shutting_down"):',
           "a containerd that dies meanwhile stays away", LIFE),
    Mutant("a pid file is looked at once", SUPERVISE,
           '    Do(check_containerd_pid, "adopted"),\n', "    Do(containerd_reaped),\n",
           "a stranger with a dead containerd's number is left alone", LIFE),
    Mutant("a stale sandbox stays", START,
           """return None if g.recall(f"endpoint/{g['c']}") is None else "stale\"""", "return None",
           "the proxy that an early exit has left is not stopped by the next start", LIFE),
    # -- network (§2, §6) ---------------------------------------------------------------------------------------------
    Mutant("a failed port stays reserved", NETWORK,
           '        Do(free_port),\n        Label("port_failed"),', '        Label("port_failed"),',
           "a proxy that cannot bind leaves its port reserved", TABLE),
    Mutant("rules are not rolled back", NETWORK,
           '        delete_rules("failed_"),\n', "",
           "a proxy that cannot bind leaves its rules", TABLE),
    Mutant("addresses are not used again", NETWORK,
           "    if endpoint.number < first:", "    if False and endpoint.number < first:",
           "a restarted container gets a new address instead of the lowest free one", TABLE),
    Mutant("proxies are not waited for", NETWORK,
           '        Do(stop_proxy),\n        Reap("proxy_pid"),', "        Do(stop_proxy),",
           "dockerd forgets to reap a proxy", TABLE),
    Mutant("endpoints do not leak", BOOT,
           'return None if paths.SANDBOXES + todo[n] in g.world.host.files else "no_sandbox"', "return None",
           "a crash inside a start leaves no proxy (T49)", TABLE),
    Mutant("proxies outlive dockerd", "sim/engine/proxy.py",
           'local=local, death_signal="TERM")', "local=local)",
           "a proxy gets no signal when dockerd dies", TABLE),
    # -- boot and shutdown (§5, §6) -----------------------------------------------------------------------------------
    Mutant("boot ignores live-restore", RESTORE,
           "    if daemon_of(g.world, g.pid).live_restore:", "    if False and daemon_of(g.world, g.pid).live_restore:",
           "a new dockerd stops what it should re-attach to (T48)", TABLE),
    Mutant("shutdown ignores live-restore", SHUTDOWN,
           "if running and daemon_of(g.world, g.pid).live_restore:",
           "if False and running and daemon_of(g.world, g.pid).live_restore:",
           "systemctl stop ends what it should keep (T39)", TABLE),
    Mutant("left-overs get one second", RESTORE,
           "TERM_WAIT = 10 * S", "TERM_WAIT = 1 * S",
           "what a dead dockerd left is killed after a second (T47)", TABLE),
    Mutant("threads are no stale pids", BOOT,
           "if isinstance(stale, int) and g.world.host.exists(stale):",
           "if isinstance(stale, int) and stale in g.world.host.procs:",
           "a thread that bears the number in docker.pid does not keep dockerd down (T45)", TABLE),
    Mutant("pid files stay", SHUTDOWN,
           "    for path in (paths.CONTAINERD_PID, paths.DOCKER_PID):", "    for path in (paths.CONTAINERD_PID,):",
           "an orderly dockerd leaves docker.pid", TABLE),
    Mutant("the longest stop does not count", SHUTDOWN,
           "return int(max(daemon_of(world, frame.fid[0]).shutdown_timeout, longest))",
           "return int(daemon_of(world, frame.fid[0]).shutdown_timeout)",
           "dockerd waits 15 s for a container that may take 120 s (T41)", TABLE),
    # -- containerd's supervision (§7.1) ------------------------------------------------------------------------------
    Mutant("a good check counts nothing", SUPERVISE,
           '    if g.recall("fail_count", 0):\n        g.remember("fail_count", 0)', "    return",
           "failures add up over good checks (what upstream does)",
           ("tests/test_rules.py::test_a_rule_holds",)),
    Mutant("two failures are enough", SUPERVISE,
           "if count < daemon_of(g.world, g.pid).max_health_check_retries:",
           "if count < daemon_of(g.world, g.pid).max_health_check_retries - 1:",
           "containerd is replaced after two failed checks", TABLE),
    Mutant("no pause after USR1", SUPERVISE,
           '    Sleep("grace", GRACE),\n', "",
           "a hung containerd is killed 100 ms early", TABLE),
    Mutant("gRPC redials twice as slow", SUPERVISE,
           "FIRST_RETRY * 16**tries // 10**tries", "FIRST_RETRY * 2**tries",
           "pauses between dials grow by 2, not by 1.6", TABLE),
    Mutant("gRPC's pause is capped at 2 s", SUPERVISE,
           "RETRY_CAP = 120 * S", "RETRY_CAP = 2 * S",
           "a fix of later builds", TABLE),
    Mutant("supervision outlives T31", SUPERVISE,
           '    if not world.host.alive(frame.local["peer_pid"]):\n        return "closing"',
           '    if not world.host.alive(frame.local["peer_pid"]):\n        return True',
           "a containerd that dies during a check is replaced", TABLE),
    # -- events (§16.4) -----------------------------------------------------------------------------------------------
    Mutant("event.ts stands still", EXIT,
           "    drop_bundle(g)\n    syscalls.write_file(g.turn, paths.EVENT_TS, number)\n", "    drop_bundle(g)\n",
           "a new subscription asks for exits that were handled", TABLE),
)  # fmt: skip
