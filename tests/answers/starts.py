"""Questions 11 to 14: starts, churn, published ports. Source: designs §10."""

from __future__ import annotations

from sim.engines.containerd.tasks import WORKERS
from tests.answers.hosts import kill_settings
from tests.answers.question import RUN, Answer, Question
from tests.answers.told import Runner, Told, fit, grouped, listed, run_of

STARTS = {"start_p50": "start, median", "start_p99": "start, p99"}


def starts(runner: Runner, commands: tuple[str, ...]) -> Answer:
    """Question 11."""
    numbers = {"1": 1, "8": 8, "16": 16, "32": 32}
    told = runner.told(commands[0], *numbers, "32, 8 cores", "32, docker-1.13", "32, podman")
    slope, _ = fit([(n, told.value(name, "start_p50")) for name, n in numbers.items()])
    gain = told.value("32", "start_p50") / told.value("32, 8 cores", "start_p50")
    scarce = "it is processor time that is short, and no lock" if gain > 3 else "most of it is a lock"
    first = f"One container starts in {told.say('1', 'start_p50')}"
    many = (
        f"half take more than {told.say('32', 'start_p50')} on two cores, {1000 * slope:.0f} ms more for each beside it"
    )
    return Answer(
        (f"{first}; of 32 at once {many}. With four times the cores it is {gain:.1f} times less: {scarce}.",),
        tuple(queue(told, name) for name in ("32", "32, docker-1.13", "32, podman")),
        tuple(told.table(STARTS)),
        told.runs,
        (
            "pulls and disks",
            "published ports and rules that grow",
            "the tail of some versions (for-linux#733: 16 % over 10 s)",
        ),
    )


LOCKS = {
    "32": "",
    "32, docker-1.13": f"containerd has {WORKERS} workers",
    "32, podman": "storage and networks have a lock each",
}


def queue(told: Told, name: str) -> str:
    """Say whether starts wait for one another: the last takes much longer than the one in the middle."""
    ratio = told.value(name, "start_p99") / told.value(name, "start_p50")
    why = f" ({LOCKS[name]})" if LOCKS[name] else ""
    waits = f"they wait for one another{why}" if ratio > 1.2 else "they go on side by side"
    design = name.partition(", ")[2] or "docker-26"
    return f"{design}: the last of 32 takes {ratio:.1f} times as long as the median: {waits}"


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
CLASSES = {"remote": "remote", "host's address": "host", "loopback": "loopback", "containers": "container"}
PUBLISHED = (80, 8080)  # the ports of q14-no-proxy


def before(told: Told) -> str:
    """Say which classes of clients reach all ports just before the fault, on both sides (seed 1)."""
    sides = [run_of("q14-no-proxy", settings) for settings in kill_settings(told)]
    shut = {
        name: [
            words
            for words, client in CLASSES.items()
            if not all(run.reachable(port, client, "kill-1s") for port in PUBLISHED)
        ]
        for name, run in zip(told.names, sides, strict=True)
    }
    if not any(shut.values()):
        return "Before the fault every class reaches its port in both cases"
    said = [f"with {name} {listed(classes)} do not reach theirs" for name, classes in shut.items() if classes]
    return f"Before the fault {listed(said)}"


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
                f"{saved / 1e6:.1f} MB are saved a port. {before(told)}."
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


QUESTIONS = (
    Question(
        11,
        "How long are starts if many begin at once, and where is the lock?",
        RUN,
        ("shimulator whatif q11-starts",),
        "moby#42096, #29780, #42817, for-linux#733, podman#29163",
        starts,
    ),
    Question(
        12,
        "What rate of creation holds while other containers are removed?",
        RUN,
        ("shimulator whatif q12-churn",),
        "moby#41738, libnetwork#2284, coreos#1654",
        churn,
    ),
    Question(
        13,
        "A range of ports is published: how many proxies, MB, threads and seconds?",
        RUN,
        ("shimulator whatif q13-port-range",),
        "moby#11185, #16284, #34328, #14288, #22614",
        port_range,
    ),
    Question(
        14,
        "What changes if userland-proxy is disabled?",
        RUN,
        ("shimulator whatif q14-no-proxy",),
        "moby#14856, #8356, #46026, docs#17312",
        no_proxy,
    ),
)
