"""Questions 1 to 10: upgrades, daemons that die or are away, and how they come back. Source: designs §10."""

from __future__ import annotations

import math

from sim.designs import DESIGNS
from sim.experiment.matrix import way_of
from sim.render.amounts import count, seconds
from sim.views.fault_cells import Cell
from tests.answers.question import RUN, SUM, Answer, Question
from tests.answers.told import Runner, Told, are, by_live_restore, cut_off, dark, fit, grouped, listed

FATE = {
    "processes_kept": "keep their process",
    "lost": "lost for good",
    "until_ready": "all ready after",
    "remote_dark": "remote ports dark",
    "loopback_dark": "loopback ports dark",
    "api_dark": "API dark",
}


def upgrade(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 1."""
    rows = [
        f"{version}{lr}"
        for version in ("docker-26", "docker-20.10", "docker-18.09", "docker-1.13")
        for lr in ("", " +LR")
    ]
    told = runner.told(commands[0], *rows, "1.13 to 18.09 +LR")
    said = []
    for name in told.names:
        lost, ports = told.value(name, "lost"), dark(told, name, "remote_dark")
        gone = f", {are(lost)} gone for good" if lost else ""
        said.append((name, f"{told.say(name, 'processes_kept')} keep their process{gone}; ports {ports}"))
    engines = [name for name in ("podman", "podman-quadlet") if name in DESIGNS and not way_of("F12", DESIGNS[name])]
    said += [(name, "no service stands between: nothing that runs is touched") for name in engines]
    return Answer(
        ("Of four containers, one without a policy:",),
        grouped(said),
        tuple(told.table(FATE)),
        told.runs,
        ("an upgrade that changes the format of files on disk", "containerd's own package (question 2)"),
    )


def containerd_upgrade(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 2."""
    told = runner.told(commands[0], "docker-18.09", "docker-20.10", "docker-23", "docker-26")
    said = []
    for name in told.names:
        away, _lost = told.value(name, "api_dark"), told.value(name, "lost")
        back = (
            "dockerd does not come back by itself"
            if math.isinf(away)
            else ("dockerd never goes" if away == 0 else f"dockerd is back after {told.say(name, 'api_dark')}")
        )
        said.append((name, f"{back}, {told.say(name, 'lost')} containers are lost"))
    return Answer(
        ("When containerd's service was stopped and started:",),
        grouped(said),
        tuple(told.table(FATE)),
        told.runs,
        ("the seconds that an unpacking takes between stop and start",),
    )


def containerd_killed(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 3."""
    told = runner.told(
        commands[0], "docker-18.09", "docker-1.13", "docker-20.10", "docker-26", "docker-26 managed", "containerd-cri"
    )
    said = [(name, lost_with(told, name)) for name in told.names]
    return Answer(
        ("What goes with a killed containerd:",),
        grouped(said),
        tuple(told.table(FATE)),
        told.runs,
        ("a containerd that hangs", "who is chosen when memory ends: question 19"),
    )


def lost_with(told: Told, name: str) -> str:
    """Say what is lost: containers, the API, or nothing."""
    if told.value(name, "lost"):
        with_api = f", and the API for {told.say(name, 'api_dark')}" if told.value(name, "api_dark") else ""
        whole = "the whole host: " if with_api and not told.value(name, "processes_kept") else ""
        return f"{whole}{told.say(name, 'lost')} containers{with_api}"
    if told.value(name, "api_dark"):
        return f"the API, for {told.say(name, 'api_dark')}"
    assert told.all_of(name, "processes_kept"), f"{name}: something that ran has ended"
    return "nothing that runs; new starts and execs until it is back"


PORTS = (1, 10, 50, 200)


def ports(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 4."""
    told = runner.told(commands[0], *(f"{n} port{'s' * (n > 1)}" for n in PORTS))
    lines = {
        client: fit([(n, told.value(name, f"{client}_dark")) for n, name in zip(PORTS, told.names, strict=True)])
        for client in ("remote", "loopback")
    }
    slope, base = lines["remote"]
    last = told.names[-1]
    far = listed([f"{seconds(base + slope * n)} for {n}" for n in (850, 1000)])
    return Answer(
        (
            (
                f"With {last} remote clients find them dark for {told.say(last, 'remote_dark')}, loopback clients for "
                f"{told.say(last, 'loopback_dark')}: {slope * 1000:.0f} ms a port on top of "
                f"{max(base, 0) * 1000:.0f} ms, so "
                f"about {far}."
            ),
            (
                "On real hosts it is more: 850 ports took minutes and 1000 took 15 to 20 "
                "(moby#34660, moby#34906), since each "
                f"rule costs 1.7 ms + 0.09 ms for every rule there is (designs §8): {quadratic(1000)} for 1000 ports "
                "of 3 rules each by that formula."
            ),
        ),
        (),
        tuple(told.table({name: FATE[name] for name in ("remote_dark", "loopback_dark", "api_dark")})),
        told.runs,
        ("rules cost the same however many there are", "containers of the same port range share one network"),
    )


def quadratic(ports: int, rules: int = 3) -> str:
    """Return what the fit of designs §8 gives for so many ports, each rule looked for and added."""
    return seconds(sum(0.0017 + 0.00009 * n for n in range(ports * rules)))


CLIENTS = {
    "remote_dark": "remote",
    "host_dark": "the host by its own address",
    "loopback_dark": "loopback",
    "container_dark": "containers by the host's address",
}


def dockerd_down(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 5."""
    told = runner.told(commands[0], "docker-26", "docker-26, no proxies", "docker-1.13")
    said = []
    for name in told.names:
        cut = [words for metric, words in CLIENTS.items() if told.value(name, metric) > 60]
        kept = [words for metric, words in CLIENTS.items() if told.value(name, metric) <= 60]
        said.append(
            (name, "; ".join([cut_off(cut), *([f"{listed(kept)} see {short(told, name)} at most"] if kept else [])]))
        )
    return Answer(
        ("While dockerd is down for two minutes:",),
        grouped(said),
        tuple(told.table(CLIENTS)),
        told.runs,
        ("IPv6", "connections that a proxy carries, which break with it"),
    )


def short(told: Told, name: str) -> str:
    """Return the longest gap of those clients who were not cut off."""
    gaps = [(told.value(name, metric), told.say(name, metric)) for metric in CLIENTS]
    return max(gap for gap in gaps if gap[0] <= 60)[1]


def stdout(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 6."""
    rates = ("1 KB/s", "10 KB/s", "100 KB/s", "1 MB/s")
    told = runner.told(
        commands[0], *rates, *(f"1 KB/s on {name}" for name in ("docker-1.13", "containerd-cri", "cri-o"))
    )
    waits = listed([f"{told.say(name, 'blocked_after')} at {name}" for name in told.names])
    held = told.say(told.names[0], "log_at_risk")
    return Answer(
        (
            (
                f"Until the program waits in write(2): {waits}. {held} stand then between the program "
                f"and its log: pipe, the "
                "shim's copy, fifo."
            ),
        ),
        (),
        tuple(told.table({"blocked_after": "waits after", "log_at_risk": "bytes on their way", "log_lost": "lost"})),
        told.runs,
        ("programs that buffer or drop what they print", "the ring of log mode non-blocking (question 21)"),
    )


def shim_killed(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 7."""
    found = runner.matrix(commands[0])
    cells = [cell for cell in found.cells if not cell.live_restore and cell.words]
    said = grouped([(cell.design, noticed(cell)) for cell in cells])
    unseen = sum(cell.words["view"] == "wrong" for cell in cells)
    heads = ("later", "exit code", "engine says", "a later death", "remote port")
    names = ("end", "exit", "view", "next", "remote")
    table = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    table += [f"| {cell.design} | {' | '.join(cell.words[name] for name in names)} |" for cell in cells]
    return Answer(
        (f"On {unseen} of {len(cells)} engines nobody notices:",),
        said,
        tuple(table),
        f"{found.seeds} runs of each row (seeds 1–{found.seeds})",
        ("a shim that hangs", by_live_restore(found)),
    )


def noticed(cell: Cell) -> str:
    """Say what becomes of a container whose supervisor has died."""
    words = cell.words
    if words["view"] == "wrong":
        lives = "the program runs on" if words["end"] == "same" else "the program is dead"
        acts = "no later death is noticed" if words["next"] == "nothing" else "a later death is noticed"
        return f"nobody notices: {lives}, {acts}, and the engine goes on to say Up"
    again = {"new": "the policy starts it again", "same": "the program runs on", "none": "nothing starts it again"}
    dark_s = seconds(cell.seconds["remote"]) if math.isfinite(cell.seconds["remote"]) else "good"
    return f"noticed: {again[words['end']]}, exit code {words['exit']}, port dark for {dark_s}"


AWAY = ("2 s", "6 s", "10 s", "15 s", "30 s")


def exits_unseen(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 8."""
    told = runner.told(commands[0], *AWAY)
    unseen = listed([f"{told.say(name, 'says_wrong')} after {name}" for name in told.names])
    most = told.value(AWAY[-1], "says_wrong")
    assert DESIGNS["docker-26-separate"].traits.cleans_leaked_shims
    end = "none of those is ever told" if most == told.value(AWAY[0], "running") else f"{count(most)} are never told"
    return Answer(
        (
            (
                f"Of ten containers that die one each half second from the stop on, docker goes on to "
                f"say Up of {unseen} without "
                f"containerd. A containerd of 1.7 ends the shims of what has died before it begins, and {end}; of what "
                f"dies later an exit is lost if its shim comes through before dockerd, which dials containerd on its "
                f"own schedule, listens again. Up to containerd 1.6 shims live on, and try for 15 s."
            ),
        ),
        (),
        tuple(
            told.table(
                {"says_wrong": "Up but dead, for good", "silent_wrong": "wrong answers for, all containers together"}
            )
        ),
        told.runs,
        ("the next docker stop of such a container, which says 0 after its stop timeout (24 and later)",),
    )


def boot(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 9."""
    dead = runner.told(
        commands[0], "18.09, 100 dead", "18.09, none", "19.03, 100 dead", "19.03, none", "26, 100 dead", "26, none"
    )
    live = runner.told(commands[1], "18.09, 40 run", "18.09, one", "26, 40 run", "26, one", "1.13, 40 run", "1.13, one")
    each = {v: per(dead, f"{v}, 100 dead", f"{v}, none", 100) for v in ("18.09", "19.03", "26")}
    runs = {v: per(live, f"{v}, 40 run", f"{v}, one", 39) for v in ("18.09", "26", "1.13")}
    dead_said = listed([f"{1000 * it:.0f} ms in {v}, {seconds(20_000 * it)} for 20,000" for v, it in each.items()])
    live_said = listed([f"{1000 * it:.1f} ms in {v}, {seconds(1000 * it)} for 1000" for v, it in runs.items()])
    return Answer(
        ("What one container adds to a boot (the figures for 20,000 and 1000 are multiplied):",),
        (
            f"one that has ended: {dead_said}",
            f"one that runs on with live-restore beside another, without published ports: {live_said}",
        ),
        (*dead.table({"api_dark": "API dark"}), "", *live.table({"api_dark": "API dark"})),
        dead.runs,
        ("images: 14,000 took 20 minutes and more (moby#45143)", "published ports: question 4", "a slow disk"),
    )


def per(told: Told, many: str, none: str, number: int) -> float:
    """Return what one of *number* adds to the time without the API, in s."""
    return (told.value(many, "api_dark") - told.value(none, "api_dark")) / number


DIAL, LIVE, WORKERS = 100.0, 0.041, 8  # designs §3.5, §9.3 [S][I]; workers: GOMAXPROCS since containerd 2.2


def leftover_shims(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 10."""
    numbers = (1, 10, 100)
    table = [
        "| leftover shims | one after the other (1.5 to 1.7) | in parallel on 8 workers (2.2) | if they still lived |",
        "|---|---|---|---|",
    ]
    for n in numbers:
        table.append(f"| {n} | {seconds(n * DIAL)} | {seconds(math.ceil(n / WORKERS) * DIAL)} | {seconds(n * LIVE)} |")
    many = numbers[1]
    return Answer(
        (
            (
                f"A socket that nobody answers is dialled for up to {DIAL:.0f} s; {many} of them keep "
                f"containerd from serving for "
                f"{seconds(many * DIAL)}, where {many} shims that live cost {seconds(many * LIVE)}."
            ),
        ),
        (),
        tuple(table),
        "arithmetic on designs §3.5 and §9.3 (containerd#11409, #5597, #5699, #12142)",
        (
            "a hard reboot empties /run in the model, so that no socket is left over",
            "containerd that waits for ever (#13848)",
        ),
    )


QUESTIONS = (
    Question(
        1,
        "If I upgrade the engine's package now, which containers stop, and for how long?",
        RUN,
        ("shimulator whatif q01-upgrade",),
        "moby#2658, #9433, metalk8s#481, compose#5865, for-linux#249",
        upgrade,
    ),
    Question(
        2,
        "An unattended job upgrades containerd alone: does dockerd come back by itself?",
        RUN,
        ("shimulator whatif q02-containerd-upgrade",),
        "for-linux#1155, #813, k8s-support#520",
        containerd_upgrade,
    ),
    Question(
        3,
        "containerd is killed: is nothing lost, the API, or the whole host?",
        RUN,
        ("shimulator whatif q03-containerd-killed",),
        "for-linux#678, kubernetes#86420, containerd#3901",
        containerd_killed,
    ),
    Question(
        4,
        "With live-restore and many ports, how long are they dark while dockerd restarts?",
        RUN,
        ("shimulator whatif q04-ports",),
        "moby#34660, #34906, #31647",
        ports,
    ),
    Question(
        5,
        "Which clients break while dockerd is down and the containers live?",
        RUN,
        ("shimulator whatif q05-dockerd-down",),
        "moby#27880, #2658",
        dockerd_down,
    ),
    Question(
        6,
        "How long may dockerd be down before a program waits on its own stdout?",
        RUN,
        ("shimulator whatif q06-stdout",),
        "containerd#9342, moby#23213, fifo#55, kata-runtime#2591",
        stdout,
    ),
    Question(
        7,
        "A shim is killed: is it noticed, does the policy act, or does the container show Up for ever?",
        RUN,
        (
            (
                "shimulator whatif --matrix --faults F5 --seeds 3 --design docker-1.13,docker-18.09-separate,"
                "docker-20.10-separate,docker-23-separate,docker-26-separate,containerd-cri,podman --explain"
            ),
        ),
        "moby#43491, #43156, #34779, #36559",
        shim_killed,
    ),
    Question(
        8,
        "How many exits become invisible if containers die while containerd restarts?",
        RUN,
        ("shimulator whatif q08-exits-unseen",),
        "moby#41227, for-linux#779, moby#38934, containerd#6771",
        exits_unseen,
    ),
    Question(
        9,
        "How long does dockerd boot with a thousand running containers, or 20,000 dead ones?",
        RUN,
        ("shimulator whatif q09-boot", "shimulator whatif q09-running"),
        "moby#30520, #31462, #45143",
        boot,
    ),
    Question(
        10,
        "How long until containerd serves after a hard reboot with shims left over?",
        SUM,
        (),
        "containerd#5597, #5699, #7037, #11409, #12142, #13848",
        leftover_shims,
    ),
)
