"""Faults in what `show` prints of the engine and its unit, and in the rules that those views have brought to light."""

from tests.mutants.mutant import Mutant

STOP, EXECED, EXIT = (
    "sim/engines/host/systemd/stop.py",
    "sim/engines/host/execed.py",
    "sim/engines/docker/dockerd/exit.py",
)
STORY, PROBES, UNIT = "sim/views/story.py", "sim/views/probes.py", "sim/views/unit_status.py"
BELIEFS = "sim/views/beliefs.py"
EXEC, STATUS = ("tests/engine/test_exec.py",), ("tests/render/test_systemctl_status.py",)
HEALTH, NAMES, WALK = ("tests/views/test_probes.py",), ("tests/views/test_story.py",), ("tests/views/test_walk.py",)

ROWS = (
    Mutant("a command begins outside its scope", EXECED,
           "    if process.cgroup == _scope_of(world, frame):\n", "    if True:\n",
           "what it forks is in docker.service's control group", EXEC),
    Mutant("a stage waits for a dead runc", EXECED, ' == "runc" else "given_up"', ' == "runc" else False',
           "the stage of an exec never leaves", EXEC),
    Mutant("a restart counts once it runs", EXIT, 'restart_count=record.restart_count + g["again"],',
           "restart_count=record.restart_count,", "RestartCount is late (T9)", ("tests/test_transitions.py",)),
    Mutant("a stop always ends well", STOP, 'state="failed" if unit.state == "failed" else "inactive", stopping',
           'state="inactive", stopping', "a unit whose stop timed out is inactive", STATUS),
    Mutant("a stop mends a failed unit", STOP, '        if unit.state == "auto-restart":\n', "        if True:\n",
           "systemctl stop makes a failed unit inactive", STATUS),
    Mutant("a number that comes again is the old process", UNIT, ' or event.state == "activating")', ")",
           "after a power cut the unit has the old result (T51)", WALK),
    Mutant("a dockerd that starts answers", BELIEFS, ' and world.running(pid, f"{traits.engine}.api")', "",
           "docker commands are answered before READY", NAMES),
    Mutant("a stopped dockerd answers", BELIEFS, ' and world.host.procs[pid].state != "T" else', " else",
           "docker ps of a stopped dockerd lists containers", NAMES),
    Mutant("nobody is renamed", STORY, "name=record.called or name,", "name=name,",
           "docker ps shows the first name for ever", NAMES),
    Mutant("events keep the old name", STORY, "called.get(event.container) or event.container", "event.container",
           "docker events says the first name for ever", NAMES),
    Mutant("a monitor never ends", STORY, ' else "unhealthy"\n', " else health[0]\n",
           "docker ps says healthy while docker stop waits", HEALTH),
    Mutant("a timeout counts twice", PROBES, " and config.exit_code is None:", ":",
           "the end of a probe that took too long is a result as well", HEALTH),
    Mutant("six results are kept", PROBES, "KEPT = 5", "KEPT = 6", "Log is too long", HEALTH),
    Mutant("what was slept through is known", PROBES, 'world.setup.host.begin == "steady"',
           'world.setup.host.begin == "never"', "Log holds results of ten days ago", HEALTH),
    Mutant("live-restore is the file's", "sim/engines/docker/shows/info.py", "daemon_of(story.world, daemon)",
           "story.trace.setup.engine.daemon", "docker info does not know of a reload",
           ("tests/render/test_docker_top_info.py",)),
)  # fmt: skip
