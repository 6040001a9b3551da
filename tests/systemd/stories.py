"""What is told of a real systemd: units of `sleep`, and what is done to them when.

A story's units stand in the order in which they are written; of each only those keys are given that the story is about,
DEFAULTS has the others. A program is one word: PROGRAMS says what it is to a real systemd, `toy` what it is to the
model. Times are in seconds from the story's begin. Source: systemd.unit(5), systemd.service(5), systemd.kill(5).
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

DEFAULTS = {
    "Restart": "no",
    "RestartSec": "1s",
    "KillMode": "control-group",
    "TimeoutStopSec": "1s",
    "StartLimitBurst": "5",
    "StartLimitIntervalSec": "60s",
}
MAIN, CHILD = "sleep 1000", "sleep 2000"  # the words of a main process that stays, and of its child
PROGRAMS = {
    "sleeps": f"/bin/{MAIN}",
    "deaf": f"""/bin/sh -c 'trap "" TERM; exec {MAIN}'""",
    "parent": f"/bin/sh -c '{CHILD} & exec {MAIN}'",
    "deaf-child": f"""/bin/sh -c '(trap "" TERM; exec {CHILD}) & exec {MAIN}'""",
    "deaf-both": f"""/bin/sh -c 'trap "" TERM; {CHILD} & exec {MAIN}'""",
    "sour": f"/bin/sh -c 'trap \"exit 3\" TERM; {CHILD} & wait'",
    "exits-0": "/bin/sh -c 'sleep 0.5; exit 0'",
    "exits-1": "/bin/sh -c 'sleep 0.5; exit 1'",
    "ready": f"/bin/sh -c 'sleep 1; systemd-notify --ready; exec {MAIN}'",
    "silent": f"/bin/{MAIN}",
    "silent-exits-1": "/bin/sh -c 'sleep 0.5; exit 1'",
}
LEAVES = {  # what ExecStopPost= may leave behind, instead of a time for which it sleeps
    "leaves-child": f"/bin/sh -c '{CHILD} &'",
    "leaves-deaf-child": f"""/bin/sh -c 'trap "" TERM; {CHILD} &'""",
}
NOTIFIES = ("ready", "silent", "silent-exits-1")  # Type=notify: up once it says so
RESTARTS = ("no", "on-success", "on-failure", "on-abnormal", "on-abort", "always")
KILL_MODES = ("control-group", "mixed", "process")
S = 1_000_000  # µs
UNITS = {"ms": S // 1000, "s": S}


def span(text: str) -> int:
    """Return a time of systemd in µs.

    >>> span("100ms"), span("60s")
    (100000, 60000000)
    """
    number = text.rstrip("ms")
    return int(number) * UNITS[text[len(number) :]]


class Act(NamedTuple):
    """What somebody does: a verb of systemctl with its options, `kill -9 main`, or `kill -15 main`."""

    at: float
    does: str
    unit: str = "a"


class Told(NamedTuple):
    """A story before it is told: by unit its program and keys, what is done, and when the last look is taken.

    Units are *enabled*, as those of an engine are: a unit that nothing refers to is forgotten once it is inactive.
    """

    name: str
    units: dict[str, dict[str, str]]
    acts: tuple[Act, ...]
    until: float
    enabled: bool = True


def _one(name: str, program: str, *acts: Act, until: float, **keys: str) -> Told:
    return Told(name, {"a": {"program": program, **keys}}, acts, until)


def _tied(name: str, coupling: str, *acts: Act, until: float, restart: str = "no", **keys: str) -> Told:
    """Return a story of a unit b with Restart=*restart*, tied to a unit a, which it comes after; *keys* are a's."""
    units = {
        "a": {"program": "sleeps", **keys},
        "b": {"program": "sleeps", "Restart": restart, coupling: "a.service", "After": "a.service"},
    }
    return Told(name, units, acts, until)


def _without_order(told: Told) -> Told:
    """Let unit b begin and end beside unit a."""
    other = {key: value for key, value in told.units["b"].items() if key != "After"}
    return told._replace(units={**told.units, "b": other})


def _ends() -> list[Told]:
    """Return KillMode= × Restart= at the death of a main process, and Restart= × the way in which it ends."""
    found = []
    for mode, restart in product(KILL_MODES, RESTARTS):
        acts = Act(0, "start"), Act(1, "kill -9 main")
        found.append(_one(f"killed-{mode}-{restart}", "parent", *acts, until=3, KillMode=mode, Restart=restart))
    for restart in RESTARTS:
        acts = Act(0, "start"), Act(1, "kill -15 main")
        found.append(_one(f"sigterm-{restart}", "sleeps", *acts, until=3, Restart=restart))
        for program in ("exits-0", "exits-1"):
            found.append(_one(f"{program}-{restart}", program, Act(0, "start"), until=1.95, Restart=restart))
    for mode in KILL_MODES:
        acts = Act(0, "start"), Act(1, "kill -9 main")
        found.append(_one(f"killed-{mode}-deaf-child", "deaf-child", *acts, until=4, KillMode=mode, Restart="always"))
    return found


def _stops() -> list[Told]:
    """Return KillMode= at a stop, with TimeoutStopSec=."""
    return [
        _one(f"stop-{mode}-{program}", program, Act(0, "start"), Act(1, "stop"), until=4, KillMode=mode)
        for mode, program in product(KILL_MODES, ("parent", "deaf", "deaf-child", "deaf-both"))
    ]


def _limits() -> list[Told]:
    """Return the limit of starts, by hand and by Restart=, and what forgets it."""
    four = (Act(0, "start"), Act(1, "stop"), Act(2, "start"), Act(3, "stop"))
    few = {"StartLimitBurst": "2", "StartLimitIntervalSec": "60s"}
    reset = Act(5, "is-active"), Act(5.5, "reset-failed"), Act(6, "is-active"), Act(6.5, "start")
    loop = {"Restart": "always", "RestartSec": "100ms", "StartLimitBurst": "2"}
    return [
        _one("limit-by-hand", "sleeps", *four, Act(4, "start"), *reset, until=7.5, **few),
        _one("limit-by-hand-disabled", "sleeps", *four, Act(4, "start"), until=5, **few)._replace(enabled=False),
        _one("limit-by-restart-job", "sleeps", *(Act(n, "restart") for n in range(3)), until=3, **few),
        _one(
            "limit-over",
            "sleeps",
            *four,
            Act(6, "start"),
            until=7,
            **few | {"StartLimitIntervalSec": "5s"},
        ),
        _one("limit-none", "exits-1", Act(0, "start"), until=1.65, **loop | {"StartLimitBurst": "0"}),
        _one("limit-by-restart", "exits-1", Act(0, "start"), until=4, **loop),
        _one(
            "limit-by-restart-then-start",
            "exits-1",
            Act(0, "start"),
            Act(4, "start"),
            Act(5, "reset-failed"),
            Act(6, "start"),
            until=6.3,
            **loop,
        ),
        _one("reset-failed-runs", "sleeps", *four[:3], Act(3, "reset-failed"), Act(4, "restart"), until=5, **few),
        _one("reset-failed-down", "sleeps", Act(0, "reset-failed"), until=1),
    ]


def _jobs() -> list[Told]:
    """Return what systemctl asks of a unit that is up, down, or on its way."""
    up = Act(0, "start")
    killed = (up, Act(1, "kill -9 main"))
    slow = {"Restart": "always", "RestartSec": "2s"}
    return [
        _one(
            "start-stop",
            "sleeps",
            up,
            Act(1, "start"),
            Act(2, "is-active"),
            Act(3, "stop"),
            Act(4, "is-active"),
            Act(5, "stop"),
            until=6,
        ),
        _one("restart", "sleeps", Act(0, "restart"), Act(1, "restart"), until=2),
        _one("try-restart", "sleeps", Act(0, "try-restart"), Act(1, "start"), Act(2, "try-restart"), until=3),
        _one("reload", "sleeps", Act(0, "reload"), Act(1, "start"), Act(2, "reload"), until=3, ExecReload="kill -CONT"),
        _one("reload-without", "sleeps", Act(0, "reload"), Act(1, "start"), Act(2, "reload"), until=3),
        _one("kill-all", "parent", up, Act(1, "kill -s KILL"), until=2),
        _one("kill-main", "parent", up, Act(1, "kill --kill-whom=main -s KILL"), until=2, KillMode="process"),
        _one("kill-term", "sleeps", up, Act(1, "kill"), until=3, Restart="always"),
        _one("kill-term-failure", "sleeps", up, Act(1, "kill"), until=2, Restart="on-failure"),
        _one("kill-down", "sleeps", Act(0, "kill"), until=1),
        _one("stop-late", "deaf", up, Act(1, "stop"), until=3, Restart="always"),
        _one("stop-then-start", "deaf", up, Act(1, "stop"), Act(1.5, "start"), until=3),
        _one("stop-then-stop", "deaf", up, Act(1, "stop"), Act(1.5, "stop"), until=3),
        _one("stop-then-restart", "deaf", up, Act(1, "stop"), Act(1.5, "restart"), until=3),
        _one("restart-then-stop", "deaf", up, Act(1, "restart"), Act(1.5, "stop"), until=3),
        _one("stop-then-killed", "deaf", up, Act(1, "stop"), Act(1.5, "kill -9 main"), until=3, Restart="always"),
        _one("stop-sour", "sour", up, Act(1, "stop"), until=3, KillMode="process", Restart="always"),
        _one("restart-sour", "sour", up, Act(1, "restart"), until=3, KillMode="process", Restart="always"),
        _one("restart-then-start", "deaf", up, Act(1, "restart"), Act(1.5, "start"), until=3),
        _one("restart-late", "deaf", up, Act(1, "restart"), until=3, Restart="always"),
        _one("killed-then-start", "sleeps", *killed, Act(2, "start"), until=4, **slow),
        _one("killed-then-stop", "sleeps", *killed, Act(2, "stop"), until=4, **slow),
        _one("killed-then-restart", "sleeps", *killed, Act(2, "restart"), until=4, **slow),
        _one("killed-then-try-restart", "sleeps", *killed, Act(2, "try-restart"), until=4, **slow),
        _one("killed-then-reset", "sleeps", *killed, Act(2, "reset-failed"), until=4, **slow),
        _one("killed-then-reload", "sleeps", *killed, Act(2, "reload"), until=4, ExecReload="kill -CONT", **slow),
        _one("killed-then-is-active", "sleeps", *killed, Act(2, "is-active"), until=4, **slow),
        _one("failed-then-stop", "sleeps", *killed, Act(2, "stop"), Act(3, "is-active"), until=4),
        _one("failed-then-start", "sleeps", *killed, Act(2, "start"), until=3),
        _one("failed-then-restart", "sleeps", *killed, Act(2, "restart"), until=3),
        _one("failed-then-try-restart", "sleeps", *killed, Act(2, "try-restart"), until=3),
        _one("failed-then-reset", "sleeps", *killed, Act(2, "reset-failed"), Act(3, "is-active"), until=4),
    ]


def _notify() -> list[Told]:
    """Return units of Type=notify."""
    up = Act(0, "start")
    return [
        _one("notify-start", "ready", up, Act(0.5, "is-active"), Act(2, "is-active"), until=3),
        _one("notify-start-twice", "ready", up, Act(0.5, "start"), until=2),
        _one("notify-stop", "silent", up, Act(1, "stop"), until=2),
        _one("notify-killed", "silent", up, Act(1, "kill -9 main"), until=2),
        _one("notify-killed-restart", "silent", up, Act(1, "kill -9 main"), until=3, Restart="on-failure"),
        _one("notify-term-restart", "silent", up, Act(1, "kill -15 main"), until=3, Restart="always"),
        _one("notify-term", "silent", up, Act(1, "kill -15 main"), until=2),
        _one("notify-exits", "silent-exits-1", up, until=2),
        _one("notify-reload-ready", "ready", up, Act(0.5, "reload"), until=2, ExecReload="kill -CONT"),
        _one("notify-restart", "silent", up, Act(1, "restart"), Act(2, "stop"), until=3),
        _one("notify-try-restart", "silent", up, Act(1, "try-restart"), Act(2, "stop"), until=3),
        _one(
            "notify-reload", "silent", up, Act(1, "reload"), Act(1.5, "kill -9 main"), until=3, ExecReload="kill -CONT"
        ),
    ]


def _commands() -> list[Told]:
    """Return units with ExecStop= and ExecStopPost=, which sleep for as long as the key says, or leave a child."""
    up, stop, kill = Act(0, "start"), Act(1, "stop"), Act(1, "kill -9 main")
    both = {"ExecStop": "500ms", "ExecStopPost": "500ms"}
    return [
        _one("commands-stop", "sleeps", up, stop, until=3, **both),
        _one("commands-stop-deaf", "deaf", up, stop, until=4, **both),
        _one("commands-stop-late", "sleeps", up, stop, until=4, **both | {"ExecStop": "3s"}),
        _one("commands-post-late", "sleeps", up, stop, until=4, **both | {"ExecStopPost": "3s"}),
        _one("commands-stop-starting", "silent", up, stop, until=3, **both),
        _one("commands-killed", "sleeps", up, kill, until=3, **both),
        _one("commands-killed-restart", "sleeps", up, kill, until=4, Restart="always", **both),
        _one("commands-killed-then-stop", "sleeps", up, kill, Act(1.25, "stop"), until=3, Restart="always", **both),
        _one("commands-exits-0", "exits-0", up, until=2.5, **both),
        _one("commands-exits-1", "exits-1", up, until=2.5, **both),
        *(
            _one(f"commands-{mode}-{word}", "sleeps", up, stop, until=4, KillMode=mode, **both | {"ExecStopPost": word})
            for mode, word in product(KILL_MODES, LEAVES)
        ),
        *(
            _one(f"post-{word}-{mode}-{program}", program, up, act, until=5, KillMode=mode, ExecStopPost="500ms")
            for word, act in (("stop", stop), ("killed", kill))
            for mode, program in product(KILL_MODES, ("parent", "deaf-child"))
        ),
        _one("post-late", "parent", up, stop, until=4, ExecStopPost="3s"),
    ]


def _ties() -> list[Told]:
    """Return what a stop, a restart and a crash of a unit do to one that wants, requires or is bound to it."""
    up, few, found = Act(0, "start", "b"), {"StartLimitBurst": "1"}, []
    for coupling in ("Wants", "Requires", "BindsTo"):
        name = coupling.lower()
        found += [
            _tied(f"{name}-stop", coupling, up, Act(1, "stop"), until=3),
            _tied(f"{name}-stop-other", coupling, up, Act(1, "stop", "b"), until=2),
            _tied(f"{name}-restart", coupling, up, Act(1, "restart"), until=3),
            _tied(f"{name}-try-restart", coupling, up, Act(1, "try-restart"), until=3),
            _tied(f"{name}-restart-other", coupling, up, Act(1, "restart", "b"), until=3),
            _tied(f"{name}-crash", coupling, up, Act(1, "kill -9 main"), until=3),
            _tied(f"{name}-crash-restart", coupling, up, Act(1, "kill -9 main"), until=4, Restart="always"),
            _tied(f"{name}-ends", coupling, up, Act(1, "kill -15 main"), until=3),
            _tied(f"{name}-killed-other", coupling, up, Act(1, "kill -9 main", "b"), until=3),
            _tied(f"{name}-fails", coupling, up, until=2, program="silent-exits-1"),
            _tied(f"{name}-waits", coupling, up, until=3, program="ready"),
            _without_order(_tied(f"{name}-unordered-fails", coupling, up, until=2, program="silent-exits-1")),
            _without_order(_tied(f"{name}-unordered-stop", coupling, up, Act(1, "stop"), until=3)),
            _tied(
                f"{name}-crash-both", coupling, up, Act(1, "kill -9 main"), until=4, restart="always", Restart="always"
            ),
            _tied(f"{name}-stop-both", coupling, up, Act(1, "stop"), until=3, restart="always", Restart="always"),
            _tied(f"{name}-limit", coupling, Act(0, "start"), Act(1, "stop"), Act(2, "start", "b"), until=3, **few),
            _tied(
                f"{name}-limit-failed",
                coupling,
                up,
                Act(1, "kill -9 main", "b"),
                Act(2, "stop"),
                Act(3, "start", "b"),
                until=4,
                **few,
            ),
            _tied(f"{name}-crash-limit", coupling, up, Act(1, "kill -9 main"), until=4, Restart="always", **few),
            _tied(
                f"{name}-start-in-pause",
                coupling,
                up,
                Act(1, "stop", "b"),
                Act(1.5, "kill -9 main"),
                Act(2.5, "start", "b"),
                until=5,
                Restart="always",
                RestartSec="2s",
            ),
            _tied(
                f"{name}-stop-in-pause",
                coupling,
                up,
                Act(1, "kill -9 main"),
                Act(2, "stop"),
                until=4,
                Restart="always",
                RestartSec="2s",
            ),
            _tied(
                f"{name}-restart-in-pause",
                coupling,
                up,
                Act(1, "kill -9 main"),
                Act(2, "restart"),
                until=4,
                Restart="always",
                RestartSec="2s",
            ),
            _tied(f"{name}-waits-then-stop", coupling, up, Act(0.5, "stop", "b"), until=2, program="ready"),
            _tied(f"{name}-waits-then-stop-other", coupling, up, Act(0.5, "stop"), until=2, program="ready"),
            _tied(f"{name}-waits-then-restart", coupling, up, Act(0.5, "restart"), until=3, program="ready"),
            _tied(
                f"{name}-waits-then-killed",
                coupling,
                up,
                Act(0.5, "kill -9 main"),
                Act(2, "stop"),
                until=3,
                program="silent",
                Restart="always",
            ),
            _tied(
                f"{name}-stop-then-start", coupling, up, Act(1, "stop"), Act(1.5, "start", "b"), until=4, program="deaf"
            ),
        ]
    return found


STORIES: tuple[Told, ...] = (*_ends(), *_stops(), *_limits(), *_jobs(), *_notify(), *_commands(), *_ties())
