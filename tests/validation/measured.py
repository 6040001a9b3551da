"""Rows of `docs/measurements/`: Docker 26.1.5 on two cores, and what the model says with either profile."""

from __future__ import annotations

from functools import partial
from statistics import median

from sim.calibration.fits import quantile
from sim.calibration.phases import BY_NAME
from sim.experiment.rss import rss_of
from sim.experiment.run import Run
from sim.kernel.records import Process
from tests.validation.ask import (
    SEEDS,
    at,
    begins,
    column,
    ends,
    gap,
    middle,
    pause,
    phase,
    rows_of,
    samples,
    took,
)
from tests.validation.row import Part, Row

BUNDLED, FITTED = "docker-26-shares", "docker-26-2core"
FILES = ("sequential_noport.csv", "sequential_port.csv")
ENGINE = "engine: {design: docker-26%s}\n"
NO_UNIT = ', unit: {Restart: "no"}'
TERM_OK = "x-payload: {on_term: {exit: 0, after: 1ms}}"
DEAF = "x-payload: {on_term: none}"


def _phases() -> tuple[Row, ...]:
    rows = []
    for name, values in samples(*FILES).items():
        ordered = sorted(values)
        for share, word in ((0.5, "median"), (0.95, "p95")):
            for profile in (BUNDLED, FITTED):
                rows.append(
                    Row(
                        f"{name}: {BY_NAME[name].about}, {word}",
                        quantile(ordered, share),
                        "ms",
                        f"M {FILES['port' in name]}, n = {len(values)}",
                        "the probe, one step at a time",
                        f"{profile}, 100 seeds",
                        phase(profile, name, share),
                        _why_phase(name, profile),
                        quick=(name, word, profile) == ("remove", "median", BUNDLED),
                    )
                )
    return tuple(rows)


def _why_phase(name: str, profile: str) -> str:
    if profile == FITTED:
        return {
            "start": "not fitted: the sum of its parts",
            "start-port": "not fitted: the sum of its parts; runc create took 4 % longer in that file",
            "port/bundle": "not fitted: a part of start/prepare, and a proxy",
            "start/prepare": "the measured one has two humps, and a median between them",
            "port/endpoint": "40 rows with a long tail: p95 is nearly the largest",
        }.get(name, "")
    return "" if name in ("start", "start-port", "stop", "stop-port", "remove") else "ranges divided by hand"


SEVEN = f"""\
services:
  mt1: {{image: mt, ports: ["20002:3000"], {DEAF}}}
  tok: {{image: tok, ports: ["9100:9100"], {TERM_OK}}}
  ra: {{image: plain, ports: ["9101:80"], restart: always, {DEAF}}}
"""


def _timers() -> tuple[Row, ...]:
    base, one = f"{FITTED}, {SEEDS} seeds", f"{FITTED}, 1 seed"
    killed = ENGINE % "" + SEVEN + "steps: [{id: kill, at: 5s, kill: containerd}]\nuntil: 40s\n"
    lost = killed.replace("steps: [", "steps: [{id: stop, at: 5050ms, docker: stop tok}, ")
    stops = (
        ENGINE % ""
        + SEVEN
        + (
            "steps:\n  - {id: handler, at: 5s, docker: stop -t 2 tok}\n  - {id: none, at: 10s, docker: stop -t 2 mt1}\n"
            "  - {id: killed, at: 20s, docker: kill ra}\nuntil: 40s\n"
        )
    )
    four = "".join(f"  {name}: {{image: p, {DEAF}}}\n" for name in "abcd")
    kills = ", ".join(f"{{at: 5s, kill: payload/{name}}}" for name in "abcd")
    payload = ENGINE % "" + f"services:\n{four}steps: [{kills}]\nuntil: 9s\n"
    loop = ENGINE % "" + (
        "host: {begin: 'off'}\nservices: {al: {image: p, restart: always, x-payload: "
        "{exits: {code: 1, after: 5ms}}}}\nsteps: [{systemctl: start docker}, "
        "{at: 5s, compose: up -d}]\nuntil: 5m\n"
    )
    rows = [
        Row(
            "killed containerd to the next one's execve",
            (10.106, 10.113),
            "s",
            "M experiment e, n = 10",
            "kill: containerd",
            base,
            middle(gap(at(5.0), begins("containerd")), killed),
            quick=True,
        ),
        Row(
            "docker stop 50 ms after containerd was killed",
            12.2,
            "s",
            "M experiment e",
            "docker stop tok",
            base,
            middle(took("stop"), lost),
        ),
        Row(
            "docker stop, program with a handler",
            0.13,
            "s",
            "M experiment b",
            "docker stop -t 2",
            base,
            middle(took("handler"), stops),
        ),
        Row(
            "docker stop -t 2, program without",
            2.14,
            "s",
            "M experiment b",
            "docker stop -t 2",
            base,
            middle(took("none"), stops),
        ),
        Row(
            "docker kill",
            0.14,
            "s",
            "M experiment b",
            "docker kill",
            base,
            middle(took("killed"), stops),
            "docker(1) itself is in it, about 0.02 s",
        ),
        Row(
            "killed program to the end of its shim, first of four",
            (0.041, 0.049),
            "s",
            "M experiment h",
            "four are killed at once",
            base,
            middle(gap(at(5.0), ends("shim")), payload),
        ),
    ]
    measured = (0.30, 0.46, 0.58, 0.88, 1.71, 3.32, 6.51, 12.92, 25.73, 51.35)
    for n, value in enumerate(measured):
        rows.append(
            Row(
                f"restart policy: die to start number {n + 1}",
                value,
                "s",
                "M experiment h, backoff.csv",
                "restart: always, the program ends at once",
                one,
                middle(pause(n), loop, 1),
            )
        )
    return tuple(rows)


def _restarts() -> tuple[Row, ...]:
    rows = []
    seen: dict[tuple[str, str, str, str], None] = {}
    for it in rows_of("daemon_restart.csv"):
        seen[it["containers"], it["published"], it["live_restore"], it["how"]] = None
    for containers, published, live, how in seen:
        where = {"containers": containers, "published": published, "live_restore": live, "how": how}
        what = f"dockerd {'TERM' if how == 'term' else 'KILL'}, {containers} containers"
        what += " with a port" * (published == "1") + ", live-restore" * (live == "1")
        port = "ports: ['%d:80'], " if published == "1" else ""
        services = "".join(
            f"  c{n}: {{image: c, {port and port % (9000 + n)}{TERM_OK}}}\n" for n in range(int(containers))
        )
        text = ENGINE % (
            f", profile: {FITTED}" + NO_UNIT + f", daemon: {{live-restore: {'true' if live == '1' else 'false'}}}"
        )
        text += ("services:\n" + services if services else "") + (
            f"steps:\n  - {{id: gone, at: 5s, kill: dockerd, signal: {'TERM' if how == 'term' else 'KILL'}}}\n"
            "  - {id: up, at: 40s, systemctl: start docker}\nuntil: 70s\n"
        )
        count = len(column("daemon_restart.csv", "down_s", **where))
        source, with_ = f"M daemon_restart.csv, n = {count}", f"{FITTED}, 5 seeds"
        if how == "term":
            rows.append(
                Row(
                    f"{what}: until it is gone",
                    median(column("daemon_restart.csv", "down_s", **where)),
                    "s",
                    source,
                    "kill: dockerd, signal: TERM",
                    with_,
                    middle(gap(at(5.0), ends("dockerd")), text, 5),
                )
            )
        rows.append(
            Row(
                f"{what}: the next one's API",
                median(column("daemon_restart.csv", "api_ready_s", **where)),
                "s",
                source,
                "systemctl: start docker",
                with_,
                middle(took("up"), text, 5),
            )
        )
    return tuple(rows)


# -- numbers and sizes ------------------------------------------------------------------------------


def _living(found: Run, program: str, container: str = "") -> list[Process]:
    procs = found.at(None).host.procs.values()
    here = [it for it in procs if it.alive and it.image.program == program and container in ("", it.image.container)]
    return sorted(here, key=lambda it: it.order)


def _payload_shim(found: Run) -> float:
    return float(median(p.pid - _living(found, "shim", p.image.container)[0].pid for p in _living(found, "payload")))


def _shim_proxy(found: Run) -> float:
    shims = [it for it in _living(found, "shim") if _living(found, "proxy", it.image.container)]
    return float(median(it.pid - _living(found, "proxy", it.image.container)[0].pid for it in shims))


def _threads(program: str, found: Run) -> float:
    return float(median(1 + len(it.threads) for it in _living(found, program)))


FIVE = (
    ENGINE % ""
    + "host: {begin: 'off'}\nservices:\n"
    + "".join(f"  p{n}: {{image: p, ports: ['{80 + n}:80'], {DEAF}}}\n" for n in range(5))
    + "steps: [{systemctl: start docker}, {at: 5s, compose: up -d}]\nuntil: 20s\n"
)


def _numbers() -> tuple[Row, ...]:
    ten = "".join(f"  c{n}: {{image: p, ports: ['{80 + n}:80'], {DEAF}}}\n" for n in range(10))
    five = f"{FITTED}, 5 seeds"
    text = ENGINE % "" + f"services:\n{ten}until: 1s\n"
    kinds = (
        ("dockerd", "dockerd"),
        ("containerd", "containerd"),
        ("shim", "containerd-shim"),
        ("proxy", "docker-proxy"),
    )
    gaps = column("sequential_noport.csv", "docker_shim_payload_pid_gap")
    rows = [
        Row(
            "number of the program less that of its shim, median",
            median(gaps),
            "",
            f"M sequential_noport.csv, n = {len(gaps)}",
            "10 containers, one by one",
            five,
            middle(_payload_shim, text, 5),
        ),
        Row(
            "number of the shim less that of its IPv4 proxy, median",
            (23, 26),
            "",
            "M experiment a",
            "10 containers, one by one",
            five,
            middle(_shim_proxy, text, 5),
        ),
        Row(
            "number of the program less that of its shim, five starts at once, median",
            (58, 127),
            "",
            "M experiment a, checks.json pid.gap.parallel5",
            "5 containers with ports, compose up",
            five,
            middle(_payload_shim, FIVE, 5),
        ),
    ]
    for program, kind in kinds:
        where = {"containers": "10", "published": "1", "kind": kind}
        rows.append(
            Row(
                f"threads of {program}, 10 containers with ports, median",
                median(column("memory_threads.csv", "threads", **where)),
                "",
                "M memory_threads.csv",
                "10 containers",
                five,
                middle(partial(_threads, program), text, 5),
            )
        )
    for program, kind in kinds:
        where = {"containers": "10", "published": "1", "kind": kind}
        rows.append(
            Row(
                f"resident memory of {program}, 10 containers, median",
                median(column("memory_threads.csv", "rss_kb", **where)) * 1024 / 1e6,
                "MB",
                "M memory_threads.csv",
                "the table of sizes",
                "no run",
                partial(_rss, program),
                "the table was made from these rows",
            )
        )
    return tuple(rows)


def _rss(program: str) -> float:
    return rss_of("docker-26")[program].at(10) / 1e6


def _cli() -> tuple[Row, ...]:
    rows = []
    for mode, name in (("noport", "start"), ("port", "start-port")):
        for word, of, what in (
            ("docker_run_d_wall_s", name, "docker run -d"),
            ("docker_stop_wall_s", name.replace("start", "stop"), "docker stop"),
        ):
            values = sorted(it * 1e3 for it in column("cli_run_stop_rm.csv", word, mode=mode))
            rows.append(
                Row(
                    f"{what}, {mode}, median",
                    median(values),
                    "ms",
                    f"M cli_run_stop_rm.csv, n = {len(values)}",
                    f"{of} of the probe",
                    f"{FITTED}, 100 seeds",
                    phase(FITTED, of),
                    "with docker(1) itself, about 20 ms, and a create of 5 ms",
                )
            )
    values = [it * 1e3 for it in column("cli_exec.csv", "docker_exec_true_wall_s")]
    rows.append(
        Row(
            "docker exec true, median",
            median(values),
            "ms",
            f"M cli_exec.csv, n = {len(values)}",
            "exec of the probe",
            f"{FITTED}, 100 seeds",
            phase(FITTED, "exec"),
            "with docker(1) itself, about 20 ms; the ops of exec are those of docker-26-shares",
        )
    )
    return tuple(rows)


PARTS = (
    Part(
        "Phases of a start and a stop, Docker 26.1.5",
        "One at a time on two cores. `docker-26-shares` has ranges that were read off the medians by hand: the shares "
        "by which phases are divided; `docker-26-2core`, the profile of docker-26, is what `shimulator calibrate` "
        "makes of the files with them.",
        _phases(),
    ),
    Part("Timers and faults, Docker 26.1.5", "", _timers()),
    Part(
        "dockerd ends and begins again, Docker 26.1.5",
        "The profile was fitted to the API of the six starts without containers; all others are held out.",
        _restarts(),
    ),
    Part("Numbers, threads, memory, Docker 26.1.5", "", _numbers()),
    Part("docker(1), Docker 26.1.5", "The client is outside of the model: its own time is missing.", _cli()),
)
