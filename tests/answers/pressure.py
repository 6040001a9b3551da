"""Questions 19 to 25: memory, logs, loops, health checks, conmon, density. Source: designs §10."""

from __future__ import annotations

import math
from collections import Counter

from sim.designs import DESIGNS
from sim.experiment.run import Run
from sim.facts import StepTaken
from sim.kernel.events import Exited
from sim.render.amounts import seconds, size
from tests.answers.daemons import noticed
from tests.answers.hosts import SEEDS, kill_settings
from tests.answers.question import RUN, Answer, Question
from tests.answers.told import Runner, Told, grouped, listed, run_of

GROUP_TASKS, NUMBERS = 512, 32_468  # TasksMax, once the default [K]; pid_max 32768 without the first 300 [K]
OOMS = ("first", "second", "third", "fourth")


def memory(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 19."""
    names = ("docker-26", "docker-18.09", "docker-1.13")
    told = runner.told(commands[0], *names)
    said, table = [], ["| | 1st | 2nd | 3rd | 4th | API dark | containers lost |", "|---|---|---|---|---|---|---|"]
    for name, settings in zip(names, kill_settings(told), strict=True):
        found = Counter(tuple(victims(run_of("q19-memory", settings, seed))) for seed in SEEDS)
        order = found.most_common()[0][0]
        away = told.say(name, "api_dark")
        said.append((name, f"{', then '.join(order)}; the API is dark for {away}"))
        table.append(f"| {name} | {' | '.join(order)} | {away} | {told.say(name, 'lost')} |")
    return Answer(
        ("Killed one after the other:",),
        grouped(said),
        tuple(table),
        f"{told.runs}; the order is that of most of seeds {SEEDS[0]}–{SEEDS[-1]}",
        ("userspace OOM daemons, which kill whole groups and leave shims (talos#13622)", "growth of memory over time"),
    )


def victims(run: Run) -> list[str]:
    """Return whom each lack of memory has killed: the first that ends after it."""
    found, world, waiting = [], run.trace.first_world(), False
    from sim.world import evolve

    for record in run.trace:
        if isinstance(record.event, StepTaken) and record.event.id in OOMS:
            waiting = True
        if waiting and isinstance(record.event, Exited):
            image = world.host.procs[record.event.pid].image
            found.append(image.container or image.program)
            waiting = False
        evolve(world, record.event)
    return [name if name else "?" for name in found] + ["–"] * (len(OOMS) - len(found))


JOURNAL = {
    "processes_kept": "keeps its process",
    "lost": "lost for good",
    "api_dark": "API dark",
    "blocked_after": "waits for its log after",
    "log_lost": "lost",
}


def journald(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 20."""
    told = runner.told(
        commands[0], "docker-26", "docker-1.13", "docker-1.11", "docker-1.10", "docker-26, stopped for good"
    )
    said = []
    for name in told.names:
        dies = f"the engine dies; {back(told, name)}" if told.value(name, "api_dark") else "the engine stays"
        waits = told.value(name, "blocked_after")
        log = (
            "no program waits"
            if math.isinf(waits)
            else f"a program of 100 KB/s waits after {told.say(name, 'blocked_after')}"
        )
        said.append((name, f"{dies}, {log}, {told.say(name, 'log_lost')} of the container's log are lost"))
    return Answer(
        ("A container prints 100 KB/s while journald goes; a client asks the engine 30, 60 and 150 s later:",),
        grouped(said),
        tuple(told.table(JOURNAL)),
        told.runs,
        (
            "what is printed while nobody reads it at all (docker-1.10 without its daemon) is not counted",
            "dockerd's own lines, which systemd 219 loses until dockerd restarts (moby#36464)",
        ),
    )


def back(told: Told, name: str) -> str:
    """Say for how long an engine that died was away, and what became of the container."""
    away = told.value(name, "api_dark")
    api = "no client brings its API back" if math.isinf(away) else f"its API is back after {told.say(name, 'api_dark')}"
    if told.value(name, "processes_kept"):
        return f"{api}, and the container lives on"
    lost = "is lost for good" if told.value(name, "lost") else "is killed and started anew"
    return f"{api}, and the container {lost}"


RATES = {"1 KB/s": 1_000, "10 KB/s": 10_000, "100 KB/s": 100_000, "1 MB/s": 1_000_000}
RING = 1_000_000  # bytes of log mode non-blocking by default (designs §8 [S])


def log_sink(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 21."""
    told = runner.told(commands[0], *RATES, "100 KB/s, json-file")
    waits = listed([f"{told.say(name, 'blocked_after')} at {name}" for name in told.names])
    rings = listed([f"{seconds(RING / rate)} at {name}" for name, rate in RATES.items()])
    hour = size(100_000 * 600.0)
    return Answer(
        (
            (
                f"Until the program stands still: {waits}. A ring of {size(float(RING))} (mode "
                f"non-blocking) would hold {rings} and "
                f"drop what comes after; for ten minutes at 100 KB/s it would take {hour}."
            ),
        ),
        (),
        tuple(told.table({"blocked_after": "waits after", "log_at_risk": "bytes on their way", "log_lost": "lost"})),
        told.runs,
        (
            "the ring itself is not modelled: its figures are size divided by rate",
            "sinks that block a container's start",
        ),
    )


def crash_loop(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 22."""
    loop = runner.told(commands[0], "docker-1.13", "docker-17.06", "docker-26", "podman")
    herd = runner.told(commands[1], "1.13, 2 cores", "1.13, 8 cores", "26, 2 cores", "26, 8 cores")
    said = []
    for name in loop.names:
        late = loop.value(name, "until_ready") - 600
        back = f"serves {seconds(late)} after its database does" if 0 < late < 600 else "serves with its database"
        said.append((name, f"{loop.say(name, 'restarts')} restarts, {loop.say(name, 'forks')} forks, {back}"))
    all_up = listed([f"{herd.say(name, 'until_ready')} on {name}" for name in herd.names])
    return Answer(
        (f"Twenty containers serve after a reboot after {all_up}. A program that fails for ten minutes:",),
        grouped(said),
        (
            *loop.table({"restarts": "restarts", "forks": "forks", "until_ready": "ready for good after"}),
            "",
            *herd.table({"until_ready": "all ready after", "start_p50": "start, median", "start_p99": "start, p99"}),
        ),
        loop.runs,
        ("processor time that the programs themselves take while they start",),
    )


CHECKS = {"forks": "forks in ten minutes", "processes": "processes, most", "threads": "threads, most"}
CPU_EACH = 0.13  # CPU-s of dockerd and containerd for an exec (designs §8, coolify#10444 [I*])


def health(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 23."""
    every = {"30 s": 30, "10 s": 10, "2 min": 120}
    told = runner.told(commands[0], *every, "none", "30 s, docker-1.13")
    forks = {name: told.value(name, "forks") - told.value("none", "forks") for name in every}
    said = tuple(
        f"every {name}: {forks[name] / 10:.0f} forks a minute, {100 * CPU_EACH * 10 / s:.0f} % of a core"
        for name, s in every.items()
    )
    wrap = NUMBERS / (forks["10 s"] / 600) / 3600
    price = f"Processor time is {CPU_EACH} s an exec (coolify#10444) times the rate"
    wraps = (
        f"the numbers of a host with pid_max 32768 go round in {wrap:.1f} h by processes alone, threads make it sooner"
    )
    return Answer(
        (f"Ten containers, each checked; at 10 s {wraps}. {price}:",),
        said,
        tuple(told.table(CHECKS)),
        told.runs,
        ("processor time is multiplied, not run", "what the check itself costs"),
    )


def conmon(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 24."""
    found = runner.matrix(commands[0])
    cells = [cell for cell in found.cells if cell.words]
    heads = {
        "end": "the container",
        "exit": "exit code",
        "view": "the engine says",
        "next": "after its next death",
        "log": "what it prints",
        "remote": "port",
    }
    table = [f"| | {' | '.join(heads.values())} |", f"|---|{'---|' * len(heads)}"]
    table += [f"| {cell.design} | {' | '.join(cell.words[name] for name in heads)} |" for cell in cells]
    said = grouped(
        [(cell.design, f"{noticed(cell)}; its exit code is {exit_words(cell.words['exit'])}") for cell in cells]
    )
    return Answer(
        ("After kill -9 of conmon:",),
        said,
        tuple(table),
        f"{found.seeds} runs of each row (seeds 1–{found.seeds})",
        ("rootless podman", "conmon-rs"),
    )


def exit_words(word: str) -> str:
    """Say what is known of an exit code."""
    return {"exact": "recorded", "lost": "lost", "wrong": "recorded wrongly", "never": "never recorded"}.get(
        word, "not asked"
    )


DENSITY = {"memory_end": "engine's memory", "processes": "processes", "threads": "threads"}


def density(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 25."""
    engines = ("docker-1.13", "docker-18.09", "docker-26", "podman", "containerd-cri", "cri-o")
    told = runner.told(commands[0], *(f"{name}, {n}" for name in engines for n in ("20", "none")))
    worlds = [tasks(run_of("q25-density", settings)) for settings in kill_settings(told)]
    table = [
        "| | MB each | processes each | threads each | in 1 GB | in 512 tasks | full first | in pid_max 32768 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    fits: dict[str, int] = {}
    for name, full, none in zip(engines, worlds[::2], worlds[1::2], strict=True):

        def each(metric: str, name: str = name) -> float:
            empty = told.value(f"{name}, none", metric)
            return (told.value(f"{name}, 20", metric) - (0.0 if math.isnan(empty) else empty)) / 20

        memory_each, processes, threads = (each(metric) for metric in DENSITY)
        fits[name] = math.floor(1e9 / memory_each)
        unit, number = first_full(full, none)
        table.append(
            f"| {name} | {memory_each / 1e6:.1f} | {processes:.0f} | {threads:.0f} | {fits[name]} | "
            f"{number} | {unit} | {math.floor((NUMBERS - told.value(f'{name}, none', 'threads')) / threads)} |"
        )
    order = sorted(fits, key=lambda name: -fits[name])
    said = listed([f"{fits[name]} on {name}" for name in order])
    return Answer(
        (
            (
                f"In 1 GB, by what the engine holds for each idle container with one published port: "
                f"{said}. The program's own "
                "memory comes on top."
            ),
        ),
        (),
        (*table, "", *told.table(DENSITY)),
        f"{told.runs}; control groups: seed 1",
        (
            (
                "memory is processes times published sizes, which `shimulator whatif --explain` lists: crio, kubelet "
                "and pause have none here"
            ),
            (
                "TasksMax is not enforced: the column divides what the engine leaves of 512 by the tasks that a "
                "container adds to a control group; – where no unit grows, since each container has groups of its own"
            ),
        ),
    )


def tasks(run: Run) -> Counter[str]:
    """Count the tasks (processes and their threads) in each control group at the end of a run."""
    found: Counter[str] = Counter()
    for process in run.at(None).host.procs.values():
        if process.alive:
            found[process.cgroup] += 1 + len(process.threads)
    return found


def first_full(full: Counter[str], none: Counter[str], containers: int = 20) -> tuple[str, str]:
    """Return the unit that first reaches TasksMax=512, and with how many containers; "–" where no unit grows.

    *none* are the tasks by control group without a container: what the engine itself has, and which groups are its own.

    >>> first_full(Counter(a=12, b=262, own=1), Counter(a=12, b=22))
    ('b', '40')
    >>> first_full(Counter(a=12, own=1), Counter(a=12))
    ('–', '–')
    """
    room = {
        group: math.floor((GROUP_TASKS - none[group]) * containers / (full[group] - none[group]))
        for group in none
        if full[group] > none[group]
    }
    if not room:
        return "–", "–"
    first = min(room, key=lambda group: (room[group], group))
    return first.rpartition("/")[2], str(room[first])


CONMON = ",".join(name for name in ("podman", "podman-quadlet", "cri-o") if name in DESIGNS)
QUESTIONS = (
    Question(
        19,
        "Under memory pressure, who dies first, and what goes with it?",
        RUN,
        ("shimulator whatif q19-memory",),
        "containerd#3380, for-linux#1062, talos#13622, for-linux#890",
        memory,
    ),
    Question(
        20,
        "journald restarts: does the engine die, are logs lost?",
        RUN,
        ("shimulator whatif q20-journald",),
        "moby#19728, #36464, #39272, coreos#334",
        journald,
    ),
    Question(
        21,
        "The log's sink is out of reach: when does it block, what would a buffer hold?",
        RUN,
        ("shimulator whatif q21-log-sink",),
        "moby#22502, #33803, #43690, #45953",
        log_sink,
    ),
    Question(
        22,
        "A crash loop, or a herd after a reboot: how many restarts, what would backoff save?",
        RUN,
        ("shimulator whatif q22-crash-loop", "shimulator whatif q22-herd"),
        "moby#30503, kubernetes#3312, compose#5422, overdeck#257",
        crash_loop,
    ),
    Question(
        23,
        "What do health checks cost?",
        RUN,
        ("shimulator whatif q23-health",),
        "moby#39102, #39388, kubernetes#82440, coolify#10444",
        health,
    ),
    Question(
        24,
        "conmon is killed: does the container run, is the exit code lost, does it restart?",
        RUN,
        (f"shimulator whatif --matrix --faults F5 --seeds 3 --design {CONMON} --explain",),
        "podman#14937, #12699, cri-o#6295, #3022",
        conmon,
    ),
    Question(
        25,
        "How many containers fit into a GB, TasksMax, pid_max?",
        RUN,
        ("shimulator whatif q25-density",),
        "moby#21737, containerd#2020, #7878, moby#20096, for-linux#343",
        density,
    ),
)
