"""Which phases a calibration knows: what each is on a real host, and which stretch of a run of the model it is.

A phase is a stretch of the probe, a scenario of one container without a port and one with a port that are started,
stopped and so on one by one. Which ops lie in it is not listed anywhere: the model is run and says so. Finer phases
stand first: an op belongs to the first measured phase that it lengthens; those that hold others are then compared.
Between docker events a phase is the difference of two events of one container; they do not tell whether it has ports.
Leaves out `die` to `start` (a policy's pause before a restart is a setting of the engine, not a duration of the host),
`kill` to `die` (how long the container's own program takes), `exec_start` to `exec_die` (likewise), `pause` and
`unpause` (one event each: no difference), and whatever only people decide. Source: README of the measurements,
"Latency"; docker events(1).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from sim.facts import EngineEvent, StepDone, StepTaken
from sim.kernel.events import Execed, Exited
from sim.trace import Record, Trace

Moment = Callable[[Record], bool]


class Known(NamedTuple):
    """One phase: from one moment to another after it, within the step of the probe that *step* names."""

    name: str
    about: str
    step: str
    begin: str
    end: str

    def programs(self) -> tuple[str, ...]:
        """Return the programs whose execve or end the phase is measured by.

        >>> Known("port/proxy", "first proxy to the second", "start-port", "exec proxy", "exec proxy 2").programs()
        ('proxy', 'proxy')
        """
        words = (moment.split() for moment in (self.begin, self.end))
        return tuple(rest[0] for word, *rest in words if word in ("exec", "exit"))


# An op belongs to a phase if the phase gets longer where the op does (`sim.calibration.divide`).
PHASES: tuple[Known, ...] = (
    Known("port/endpoint", "docker start to the first iptables", "start-port", "taken", "exec iptables"),
    Known("port/iptables", "first iptables to the first proxy", "start-port", "exec iptables", "exec proxy"),
    Known("port/proxy", "first proxy to the second", "start-port", "exec proxy", "exec proxy 2"),
    Known("start/prepare", "docker start to the fork of `shim start`", "start", "taken", "exec shim-command"),
    Known("start/shim-command", "`shim start`, from its fork to the shim's", "start", "exec shim-command", "exec shim"),
    Known("start/shim", "fork of the shim to the execve of runc create", "start", "exec shim", "exec runc"),
    Known("start/stage", "execve of runc create to that of its first stage", "start", "exec runc", "exec init"),
    Known("start/create", "runc create, from execve to its end", "start", "exec runc", "exit runc"),
    Known("start/created", "end of runc create to the execve of runc start", "start", "exit runc", "exec runc 2"),
    Known("start/payload", "execve of runc start to that of the program", "start", "exec runc 2", "exec payload"),
    Known("start/answer", "execve of the program to the API's answer", "start", "exec payload", "done"),
    Known("port/bundle", "second proxy to the fork of `shim start`", "start-port", "exec proxy 2", "exec shim-command"),
    Known("start", "docker start of a container without ports, from request to answer", "start", "taken", "done"),
    Known("start-port", "the same with one port", "start-port", "taken", "done"),
    Known("stop", "docker stop of a program that ends at once, from request to answer", "stop", "taken", "done"),
    Known("stop-port", "the same with one port", "stop-port", "taken", "done"),
    Known("remove", "docker rm, from request to answer", "remove", "taken", "done"),
    Known("exec", "docker exec of a program that ends at once", "exec", "taken", "done"),
    Known("pause", "docker pause", "pause", "taken", "done"),
    Known("unpause", "docker unpause", "unpause", "taken", "done"),
    Known("run/events", "events create to start", "run", "event create", "event start"),
    Known("stop/events", "events kill to stop", "stop", "event kill", "event stop"),
    Known("boot", "dockerd's execve to its API, no container to restore", "boot", "exec dockerd", "done"),
)  # fmt: skip
BY_NAME = {phase.name: phase for phase in PHASES}

EVENTS: dict[tuple[str, str], str] = {  # first event, second event -> phase
    ("create", "start"): "run/events",
    ("kill", "stop"): "stop/events",
}

LOADED = {"start": False, "start-port": True}  # phases of which many may go on at once -> with a port
NO_OP = {"create": "the model's create takes no time: no op to fit"}


class Default(NamedTuple):
    """A column, or a difference of two, that means a phase by its name; of rows in which *where* holds."""

    phase: str
    column: str
    where: tuple[str, str] | None = None


PLAIN, PORT = ("mode", "noport"), ("mode", "port")
DEFAULTS: tuple[Default, ...] = (
    Default("start/prepare", "d_shimstart_fork", PLAIN),
    Default("start/shim-command", "d_shim_fork-d_shimstart_fork", PLAIN),
    Default("start/shim", "d_runc_create_exec-d_shim_fork", PLAIN),
    Default("start/stage", "d_runc_init_exec-d_runc_create_exec", PLAIN),
    Default("start/create", "d_runc_create_exit-d_runc_create_exec", PLAIN),
    Default("start/created", "d_runc_start_exec-d_runc_create_exit", PLAIN),
    Default("start/payload", "d_payload_exec-d_runc_start_exec", PLAIN),
    Default("start/answer", "api_start_s-d_payload_exec", PLAIN),
    Default("port/endpoint", "d_iptables_first", PORT),
    Default("port/iptables", "d_proxy_first-d_iptables_first", PORT),
    Default("port/proxy", "d_proxy_last-d_proxy_first", PORT),
    Default("port/bundle", "d_shimstart_fork-d_proxy_last", PORT),
    Default("create", "api_create_s"),
    Default("start", "api_start_s", PLAIN),
    Default("start-port", "api_start_s", PORT),
    Default("stop", "api_stop_s", PLAIN),
    Default("stop-port", "api_stop_s", PORT),
    Default("remove", "api_remove_s", PLAIN),
    Default("start", "docker_run_d_wall_s", PLAIN),
    Default("start-port", "docker_run_d_wall_s", PORT),
    Default("stop", "docker_stop_wall_s", PLAIN),
    Default("stop-port", "docker_stop_wall_s", PORT),
    Default("remove", "docker_rm_wall_s", PLAIN),
    Default("exec", "docker_exec_true_wall_s"),
    Default("boot", "api_ready_s", ("containers", "0")),
)  # fmt: skip
LOAD_COLUMN = "parallelism"
AT_COLUMN = "t0_unix"

PROBE = """\
title: probe
host: {{cores: {cores}}}
engine: {{design: {design}}}
services:
  w: {{image: w, x-payload: {{on_term: {{exit: 0, after: 1ms}}}}, x-exec: {{"true": {{exits: {{after: 1ms}}}}}}}}
  p: {{image: p, ports: ["80:80"], x-payload: {{on_term: {{exit: 0, after: 1ms}}}}}}
steps:
"""
STEPS: tuple[tuple[str, str, str], ...] = (  # id, words, the steps that it is there for
    ("stop", "docker: stop w", "stop start"),
    ("start", "docker: start w", "stop start exec pause unpause remove"),
    ("stop-port", "docker: stop p", "stop-port start-port"),
    ("start-port", "docker: start p", "start-port"),
    ("exec", "docker: exec w true", "exec"),
    ("pause", "docker: pause w", "pause unpause"),
    ("unpause", "docker: unpause w", "pause unpause"),
    ("run", "docker: run -d --name r w", "run"),
    ("off", "docker: stop w", "remove boot"),
    ("remove", "docker: rm w", "remove"),
    ("off-port", "docker: rm -f p", "boot"),
    ("off-run", "docker: rm -f r", "boot run"),
    ("boot", "systemctl: restart docker", "boot"),
)
APART = 10  # s between steps


def probe(design: str, cores: int, wanted: Collection[str]) -> str:
    """Return the probe's text for a design, with the steps that are *wanted* and what they need."""
    lines: list[str] = []
    for name, words, needed in STEPS:
        if set(needed.split()) & set(wanted) and (name != "off-run" or "run" in wanted):
            lines.append(f"  - {{id: {name}, at: {APART * (len(lines) + 1)}s, {words}}}\n")
    return PROBE.format(design=design, cores=cores) + "".join(lines) + f"until: {APART * (len(lines) + 2)}s\n"


# -- moments ----------------------------------------------------------------------------------------


def stretch(trace: Trace, phase: Known) -> tuple[int, int] | None:
    """Return from when to when a phase lasted in a run of the probe, in µs; None if it did not happen."""
    records = iter(trace.records)
    programs: dict[int, str] = {}
    begun = next((it for it in records if isinstance(it.event, StepTaken) and it.event.id == phase.step), None)
    if begun is None:
        return None
    begin = (begun.at or 0) if phase.begin == "taken" else None
    counts = [_count(phase.begin), _count(phase.end)]
    for it in records:
        if isinstance(it.event, StepTaken):
            return None
        names = _names(it, phase.step, programs)
        if begin is None:
            counts[0] -= _word(phase.begin) in names
            if counts[0] == 0:
                begin = it.at or 0
        counts[1] -= _word(phase.end) in names
        if begin is not None and counts[1] <= 0 and _word(phase.end) in names:
            return begin, it.at or 0
    return None


def _count(moment: str) -> int:
    return int(moment[-1]) if moment[-1:].isdigit() else 1


def _word(moment: str) -> str:
    return moment[:-2] if moment[-1:].isdigit() else moment


def _names(it: Record, step: str, programs: dict[int, str]) -> tuple[str, ...]:
    """Return what a record is called as the end of a phase."""
    event = it.event
    if isinstance(event, StepDone):
        return ("done",) if event.id == step else ()
    if isinstance(event, EngineEvent):
        return (f"event {event.action}",)
    if isinstance(event, Execed):
        init = event.image.argv[-1:] == ("init",)  # runc's stages, before they are somebody
        programs[event.pid] = "init" if init else event.image.program
        return (f"exec {programs[event.pid]}",)
    if isinstance(event, Exited):
        return (f"exit {programs.get(event.pid, '')}",)
    return ()
