"""Questions 11 to 18: starts, ports, units, crashes and shutdown. Source: designs §10."""

from __future__ import annotations

import math
from collections import Counter

from sim.experiment.run import Run
from sim.facts import StepDone
from sim.render.amounts import seconds
from sim.views.intervals import Intervals, Life, outcome
from tests.answers.question import RUN, Answer, Question
from tests.answers.told import Runner, Told, fit, grouped, listed, run_of

STARTS = {"start_p50": "start, median", "start_p99": "start, p99"}
SEEDS = range(1, 6)  # of what is read off single runs


def starts(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 11."""
    numbers = {"1": 1, "8": 8, "16": 16, "32": 32}
    told = runner.told(commands[0], *numbers, "32, 8 cores", "32, docker-1.13", "32, podman")
    slope, _ = fit([(n, told.value(name, "start_p50")) for name, n in numbers.items()])
    gain = told.value("32", "start_p50") / told.value("32, 8 cores", "start_p50")
    scarce = "it is processor time that is short, and no lock" if gain > 3 else "most of it is a lock"
    spread = listed(
        [
            f"{told.value(name, 'start_p99') / told.value(name, 'start_p50'):.1f} times in {name.split(', ')[1]}"
            for name in told.names[-2:]
        ]
    )
    return Answer(
        (
            (
                f"One container starts in {told.say('1', 'start_p50')}; of 32 at once half take more than "
                f"{told.say('32', 'start_p50')} on two cores, {1000 * slope:.0f} ms more for each "
                f"that starts beside it. With four "
                f"times the cores it is {gain:.1f} times less: {scarce}. p99 is {spread} the median: "
                f"those take locks in turn "
                "(the port mapper and containerd's workers, podman's storage and networks)."
            ),
        ),
        (),
        tuple(told.table(STARTS)),
        told.runs,
        (
            "pulls and disks",
            "bridge ports, iptables that grow",
            "the tail of some versions (for-linux#733: 16 % over 10 s)",
        ),
    )


def churn(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 12."""
    told = runner.told(commands[0], "docker-26", "docker-26, removals", "docker-1.13", "docker-1.13, removals")
    said = []
    for design in ("docker-26", "docker-1.13"):
        alone, beside = (told.value(name, "start_p99") for name in (design, f"{design}, removals"))
        said.append(
            (
                design,
                (
                    f"{16 / alone:.1f} starts a second alone, {16 / beside:.1f} beside as many removals "
                    f"({beside / alone:.1f} times as long)"
                ),
            )
        )
    return Answer(
        ("Sixteen starts at once, until the last is done:",),
        grouped(said),
        tuple(told.table(STARTS)),
        told.runs,
        ("removal of large layers, which holds the disk", "a stream without end of creates"),
    )


RANGE = {
    "start_p50": "start",
    "processes": "processes, most",
    "threads": "threads, most",
    "memory_end": "engine's memory",
    "forks": "forks",
}


def port_range(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 13."""
    names = ("1 port", "10 ports", "100 ports", "100, no proxies", "100, docker-1.13")
    told = runner.told(commands[0], *names)
    said = []
    for name, ports in zip(names[2:], (99, 100, 100), strict=True):
        one = told.value("1 port", "memory_end") if name == "100 ports" else None
        more = told.value(name, "memory_end") - (one or 0)
        each = f", {more / ports / 1e6:.1f} MB a port" if one else ""
        said.append(
            f"{name}: {told.say(name, 'start_p50')}, {told.say(name, 'processes')} processes, "
            f"{told.say(name, 'threads')} threads, {told.say(name, 'memory_end')}{each}"
        )
    per_port = 1000 * (told.value("100 ports", "start_p50") - told.value("1 port", "start_p50")) / 99
    return Answer(
        (f"A port adds {per_port:.0f} ms to the start on docker-26. Of a hundred ports:",),
        tuple(said),
        tuple(told.table(RANGE)),
        told.runs,
        (
            (
                "IPv6: twice as many proxies are counted where a version starts one for each family, though no client "
                "is of it"
            ),
            "rules cost the same however many there are",
        ),
    )


CLIENTS = {
    "remote_dark": "remote",
    "host_dark": "host's address",
    "loopback_dark": "loopback",
    "container_dark": "containers",
    "memory_end": "engine's memory",
}


def no_proxy(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 14."""
    told = runner.told(commands[0], "proxies", "no proxies")
    better = [
        CLIENTS[name]
        for name in list(CLIENTS)[:4]
        if told.value("no proxies", name) < 0.1 * told.value("proxies", name)
    ]
    saved = (told.value("proxies", "memory_end") - told.value("no proxies", "memory_end")) / 2
    return Answer(
        (
            (
                f"While dockerd is away, clients of these classes no longer lose their port: {listed(better)} "
                f"({told.say('proxies', 'loopback_dark')} before, {told.say('no proxies', 'loopback_dark')} then). "
                f"{saved / 1e6:.1f} MB are saved a port. Before the fault every class reaches its port in both cases."
            ),
        ),
        (),
        tuple(told.table(CLIENTS)),
        told.runs,
        (
            "an IPv6 client of a container that has IPv4 alone, which only a proxy serves",
            "dummy sockets that reserve the ports; route_localnet as a risk",
        ),
    )


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
    return Answer(
        ("Two minutes after the stop:",),
        grouped(said),
        tuple(table),
        f"seed 1 of each row; {told.runs} of the command, in which containers keep their process alike",
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
    told = runner.told(commands[0], "26", *(f"{v}{lr}" for v in ("1.13", "18.09", "20.10") for lr in ("", " +LR")))
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
        11,
        "How long are starts if many begin at once, and where is the lock?",
        RUN,
        ("shimsim whatif q11-starts",),
        "moby#42096, #29780, #42817, for-linux#733, podman#29163",
        starts,
    ),
    Question(
        12,
        "What rate of creation holds while other containers are removed?",
        RUN,
        ("shimsim whatif q12-churn",),
        "moby#41738, libnetwork#2284, coreos#1654",
        churn,
    ),
    Question(
        13,
        "A range of ports is published: how many proxies, MB, threads and seconds?",
        RUN,
        ("shimsim whatif q13-port-range",),
        "moby#11185, #16284, #34328, #14288, #22614",
        port_range,
    ),
    Question(
        14,
        "What changes if userland-proxy is disabled?",
        RUN,
        ("shimsim whatif q14-no-proxy",),
        "moby#14856, #8356, #46026, docs#17312",
        no_proxy,
    ),
    Question(
        15,
        'After a crash, why is the port "already allocated", and what clears it?',
        RUN,
        ("shimsim run q15-port-taken", "shimsim run q15-port-taken --set engine.design=docker-26-separate"),
        "moby#20486, #25981, #26527, #7856",
        port_taken,
    ),
    Question(
        16,
        "With KillMode process, mixed or control-group, who dies when the unit stops?",
        RUN,
        ("shimsim whatif q16-kill-mode",),
        "containerd#7076, #386, moby#21933, rootlesskit#355, cri-o#2745",
        kill_mode,
    ),
    Question(
        17,
        "dockerd crashes: what becomes of --rm, unless-stopped and deaf containers?",
        RUN,
        ("shimsim whatif q17-crash",),
        "moby#40789, #20744, for-linux#652, moby#43204",
        crash,
    ),
    Question(
        18,
        "At shutdown, does my database get its stop time, and how long does it all take?",
        RUN,
        ("shimsim whatif q18-shutdown",),
        "moby#22471, #32357, #26828",
        shutdown,
    ),
)
