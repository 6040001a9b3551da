"""Questions 15 to 18: ports, units, crashes and shutdown. Source: designs §10."""

from __future__ import annotations

import math
from collections import Counter

from sim.experiment.run import Run
from sim.facts import StepDone
from sim.render.amounts import seconds
from sim.views.interval_parts import Intervals, Life
from sim.views.intervals import outcome
from tests.answers.question import RUN, Answer, Question
from tests.answers.told import Runner, Told, grouped, listed, run_of

SEEDS = range(1, 6)  # of what is read off single runs


TRIES = {
    "start": "docker start of it",
    "other": "docker run of another container with that port",
    "start-db": "the same once more, after docker rm -f of the first",
    "last": "after systemctl restart docker",
}


def port_taken(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 15."""
    said, table = [], ["| | docker-1.13 | docker-26-separate |", "|---|---|---|"]
    errors = {
        design: step_errors(run_of("q15-port-taken", (f"engine.design={design}",)))
        for design in ("docker-1.13", "docker-26-separate")
    }
    for design, found in errors.items():
        first = next((words for step, words in TRIES.items() if not found.get(step, "never")), "nothing that was tried")
        taken = [words for step, words in TRIES.items() if "already allocated" in found.get(step, "")]
        said.append(
            (design, f'"port is already allocated" is the answer to {listed(taken)}; what first works is {first}')
        )
    for step, words in TRIES.items():
        cells = (reason(found.get(step, "not taken")) for found in errors.values())
        table.append(f"| {words} | {' | '.join(cells)} |")
    return Answer(
        (
            (
                "dockerd is killed between the port's mapping and the network's key; the next one finds "
                "the mapping on disk:"
            ),
        ),
        grouped(said),
        tuple(table),
        "one run of each design (seed 1): the order of events decides, not a duration",
        ("a stranger's process on the port (t25)", "local-kv.db that is damaged"),
    )


def step_errors(run: Run) -> dict[str, str]:
    """Return what each step's user saw, "" for success."""
    return {r.event.id: r.event.error for r in run.trace if isinstance(r.event, StepDone)}


def reason(error: str) -> str:
    """Return the end of an error, which says why."""
    return "ok" if not error else error.rpartition("failed: ")[2].rpartition(": ")[2] or error


KILL_MODES = ("process", "mixed", "control-group")
ROLES = ("containerd", "shim", "proxy", "payload")


def kill_mode(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 16."""
    names = [f"{design}, {mode}" for design in ("1.13", "26") for mode in KILL_MODES]
    told = runner.told(commands[0], *names)
    said, table = [], ["| | containerd | shims | proxies | payloads |", "|---|---|---|---|---|"]
    for name, settings in zip(names, kill_settings(told), strict=True):
        run = run_of("q16-kill-mode", settings)
        before, after = (living(run, at) for at in ("stop-1s", None))
        gone = [role for role in ROLES if before[role] and not after[role]]
        kept = [role for role in ROLES if after[role]]
        said.append((name, f"{listed(gone)} gone, {listed(kept)} left"))
        table.append(f"| {name} | {' | '.join(f'{after[role]} of {before[role]}' for role in ROLES)} |")
    alike = "alike" if len({told.value(name, "processes_kept") for name in names}) == 1 else "not alike"
    return Answer(
        ("Three minutes after the stop:",),
        grouped(said),
        tuple(table),
        f"seed 1 of each row; {told.runs} of the command, in which containers keep their process {alike}",
        ("Delegate= and TasksMax=", "cgroup drivers that put payloads into the unit's own group"),
    )


def kill_settings(told: Told) -> list[tuple[str, ...]]:
    """Return the settings of each side of a comparison."""
    return [(), *(tuple(f"{it.path}={it.after}" for it in variant.changes) for variant in told.found.variants)]


def living(run: Run, at: str | None) -> Counter[str]:
    """Count the processes by program at a moment, the end for None."""
    return Counter(it.image.program for it in run.at(at).host.procs.values() if it.alive)


KINDS = {
    "always": "always",
    "unless-stopped": "unless-stopped",
    "was-stopped": "unless-stopped (stopped by hand before)",
    "policy-no": "no",
    "run-rm": "run --rm",
    "deaf": "always, does not hear TERM",
}
CRASHED = ("docker-1.13", "docker-18.09-separate", "docker-20.10-separate", "docker-26-separate")


def crash(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 17."""
    told = runner.told(commands[0], "26", *(f"{v}{lr}" for v in ("1.13", "18.09", "20.10") for lr in ("", " +LR")))
    table = [
        f"| policy | {' | '.join(f'{design}{lr}' for design in CRASHED for lr in ('', ' +LR'))} |",
        f"|---|{'---|' * 2 * len(CRASHED)}",
    ]
    fates: dict[str, list[str]] = {}
    for name in KINDS:
        fates[name] = [fate_of(name, design, lr) for design in CRASHED for lr in ("false", "true")]
        table.append(f"| {KINDS[name]} | {' | '.join(fates[name])} |")
    columns = [f"{design}{lr}" for design in CRASHED for lr in ("", " +LR")]
    same = [
        words for name, words in KINDS.items() if len(set(fates[name][::2])) == 1 and len(set(fates[name][1::2])) == 1
    ]
    said = [
        f"*{KINDS[name]}*: {'; '.join(grouped(list(zip(columns, fates[name], strict=True))))}"
        for name in KINDS
        if KINDS[name] not in same
    ]
    return Answer(
        (f"By live-restore alone: {listed(same)}. By version, too:",),
        tuple(said),
        tuple(table),
        f"seeds {SEEDS[0]}–{SEEDS[-1]} of each field; {told.runs} of the command",
        ("on-failure", "containers that were created and never started"),
    )


def fate_of(name: str, design: str, live_restore: str) -> str:
    """Say what becomes of a container, over some seeds."""
    settings = (f"engine.design={design}", f"engine.daemon.live-restore={live_restore}")
    found = Counter(fate(run_of("q17-crash", settings, seed), name) for seed in SEEDS)
    return " or ".join(word for word, _ in found.most_common())


def fate(run: Run, name: str) -> str:
    """Say what has become of a container at the end."""
    since = run.moment("kill") - run.trace.origin
    became = outcome(run.intervals(), name, since)
    if became.kept:
        return "lives on"
    if became.after:
        return "new process"
    record = run.story().believed(name)
    if record is None:
        return "removed"
    return f"exited ({record.exit_code})" if became.before else "stays stopped"


def shutdown(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 18."""
    names = (
        "10 s, docker-26",
        "60 s, docker-26",
        "60 s, docker-26 +LR",
        "60 s, docker-1.13",
        "3 m, needs 2 m, docker-1.13",
    )
    told = runner.told(commands[0], *names)
    said, table = (
        [],
        ["| stop_grace_period | the database ends with | after | the engine is back after |", "|---|---|---|---|"],
    )
    for name, settings in zip(names, kill_settings(told), strict=True):
        lives = [(run, db_end(run.intervals())) for run in (run_of("q18-shutdown", settings, seed) for seed in SEEDS)]
        codes = listed(sorted({str(life.code) for _, life in lives}))
        took = sorted(((life.end or 0) - (run.moment("reboot") - run.trace.origin)) / 1e6 for run, life in lives)
        middle = took[len(took) // 2]
        clean = {"0": "it ends by itself", "137": "it is killed"}.get(codes, f"it ends with {codes}, by seed,")
        said.append((name, f"{clean} after {seconds(middle)}, the host is back after {told.say(name, 'api_dark')}"))
        table.append(f"| {name} | {codes} | {seconds(middle)} | {told.cell(name, 'api_dark')} |")
    return Answer(
        ("A database that needs 40 s to stop, by its stop_grace_period:",),
        grouped(said),
        tuple(table),
        f"{told.runs} for the last column, seeds {SEEDS[0]}–{SEEDS[-1]} for the others",
        (
            "other units of the host, firmware",
            (
                "TimeoutSec=0 of later units: here systemd kills dockerd after 90 s "
                "unless the design's unit says otherwise"
            ),
        ),
    )


def db_end(run: Intervals) -> Life:
    """Return the life of the database that the reboot ends."""
    return next(life for life in run.lives if life.container == "db" and (life.end or math.inf) > 60_000_000)


QUESTIONS = (
    Question(
        15,
        'After a crash, why is the port "already allocated", and what clears it?',
        RUN,
        ("shimulator run q15-port-taken", "shimulator run q15-port-taken --set engine.design=docker-26-separate"),
        "moby#20486, #25981, #26527, #7856",
        port_taken,
    ),
    Question(
        16,
        "With KillMode process, mixed or control-group, who dies when the unit stops?",
        RUN,
        ("shimulator whatif q16-kill-mode",),
        "containerd#7076, #386, moby#21933, rootlesskit#355, cri-o#2745",
        kill_mode,
    ),
    Question(
        17,
        "dockerd crashes: what becomes of --rm, unless-stopped and deaf containers?",
        RUN,
        ("shimulator whatif q17-crash",),
        "moby#40789, #20744, for-linux#652, moby#43204",
        crash,
    ),
    Question(
        18,
        "At shutdown, does my database get its stop time, and how long does it all take?",
        RUN,
        ("shimulator whatif q18-shutdown",),
        "moby#22471, #32357, #26828",
        shutdown,
    ),
)
