"""A container as a service of the scenario language: its keys, how its program behaves, what led to its state.

Models: what `inspect` says, in Compose's keys; threads, children and the answer to the stop signal as the table of
processes shows them. A container that does not run gets what made it so: its program's own end, a failure to start, or
a step of a person. Leaves out what no output says: how long it takes to be ready, and what a handler does with a
signal. Source: Compose file reference; proc_pid_status(5) for SigCgt; pid_namespaces(7): signals without a handler do
not reach process 1; Go's runtime, signal_unix.go: it catches every signal, whatever the program does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sim.intake.draft import Draft, listed, scalar
from sim.intake.inventory import Inventory
from sim.intake.records import Container, Mapped, Process
from sim.intake.roles import descendants
from sim.scenario.known import SIGNALS
from sim.scenario.units import format_duration

RUNS = ("running", "paused", "restarting")
GO_CATCHES = 0xFFFFFFFD7FC1FEFF  # of every Go program: all signals but KILL, STOP and a few real-time ones
INIT = re.compile(r"(?:\S*/)?(?:docker-init|catatonit|tini(?:-static)?) (?:-\S+ )*-- ")
MOST_CHILDREN = 200
DEEPEST = 20
NANO_PER_MICRO = 1_000
AFTER_ANY_START = 5_000


class Kept:
    """What the writing of services has concluded besides: the steps that people took, and assumptions."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []


def write_service(draft: Draft, host: Inventory, row: Container, kept: Kept) -> None:
    """Write one container."""
    below = tree_of(host)
    draft.add(2, f"{scalar(row.name)}:", state_words(row))
    _identity(draft, row)
    _ports(draft, row)
    _networks(draft, host, row)
    _limits(draft, row)
    _check(draft, row)
    _payload(draft, host, row, below, kept)
    _without_effect(draft, row)


def write_created(row: Container, kept: Kept) -> None:
    """Let a step create a container that was never started: a service of the file would be started."""
    words = ["create", "--name", row.name]
    words += ["--restart", row.restart] if row.restart not in (None, "no") else []
    for port in row.ports:
        words += ["-p", port_words(port)]
    kept.steps.append(f"docker: {scalar(shlex.join([*words, row.image or row.name, *row.argv]))}")


def is_created(row: Container) -> bool:
    """Return whether a container was made and never started, also not in vain."""
    return row.status == "created" and not (row.exit_code or row.error)


def tree_of(host: Inventory) -> dict[int, list[Process]]:
    """Return the children of each process."""
    below: dict[int, list[Process]] = {}
    for row in host.processes:
        below.setdefault(row.ppid or 0, []).append(row)
    return below


def state_words(row: Container) -> str:
    """Return the state as it was found, in a few words."""
    if not row.status:
        return ""
    words = [row.status]
    if row.status in ("exited", "restarting", "dead") and row.exit_code is not None:
        words.append(f"code {row.exit_code}")
    if row.started and row.status in RUNS:
        words.append(f"since {row.started[:19]}")
    if row.restarts:
        words.append(f"restarts {row.restarts}")
    return ", ".join([*words, *([row.health] if row.health else [])])


def _identity(draft: Draft, row: Container) -> None:
    if row.image:
        draft.add(4, f"image: {scalar(row.image)}")
    if row.argv:
        draft.add(4, f"command: {scalar(row.argv)}")
    if row.restart is None:
        draft.add(4, "restart: always", "assumed: no source says the restart policy; inspect does")
    elif row.restart != "no":
        draft.add(4, f"restart: {scalar(row.restart)}")
    if re.fullmatch(r"[0-9a-f]{64}", row.id):
        draft.add(4, f'x-id: "{row.id}"')
    if row.auto_remove:
        draft.add(4, "x-rm: true")
    if row.init:
        draft.add(4, "init: true")
    if row.tty:
        draft.add(4, "tty: true")


def _ports(draft: Draft, row: Container) -> None:
    if row.ports:
        draft.add(4, "ports:")
    for port in row.ports:
        draft.add(6, f"- {scalar(port_words(port))}", others=())


def port_words(port: Mapped) -> str:
    """Return a port as Compose writes it.

    >>> port_words(Mapped(53, "udp", "127.0.0.1", 5353)), port_words(Mapped(80, "tcp", "::1", 80))
    ('127.0.0.1:5353:53/udp', '[::1]:80:80')
    >>> port_words(Mapped(80, host=8080, last=8083))
    '8080-8083:80'
    """
    address = f"[{port.address}]" if ":" in port.address else port.address
    before = f"{address}:" if address else ""
    asked = f"{port.host}-{port.last}" if port.last > port.host else str(port.host)
    outer = f"{before}{asked}:" if port.host else before and f"{before}:"
    return f"{outer}{port.inner}" + ("" if port.proto == "tcp" else f"/{port.proto}")


def _networks(draft: Draft, host: Inventory, row: Container) -> None:
    mode, other = row.network_mode, host.containers
    if mode in ("host", "none"):
        draft.add(4, f"network_mode: {mode}")
        return
    if mode.startswith("container:"):
        draft.add(4, f"network_mode: {scalar(f'container:{_named(mode[10:], other)}')}")
    elif row.networks:
        names = [joined.name for joined in row.networks]
        own = [name for name in names if name != "bridge"]
        if own:
            draft.add(4, f"networks: {scalar(own)}", others=[f"networks: {scalar(own[:1])}"] if len(own) > 1 else ())
        found = [f"x-address: {scalar(joined.address)}" for joined in row.networks if joined.address]
        if found:  # of several networks one has the address that the language asks for
            draft.add(4, found[0], others=found[1:])
    if row.pid_mode == "host":
        draft.add(4, "pid: host")
    elif row.pid_mode.startswith("container:"):
        draft.add(4, f"pid: {scalar(f'container:{_named(row.pid_mode[10:], other)}')}")


def _named(reference: str, containers: Sequence[Container]) -> str:
    """Return the name of a container that is meant by its id or its name."""
    for row in containers:
        if reference == row.name or (len(reference) >= 12 and row.id.startswith(reference)):
            return row.name
    return reference


def _limits(draft: Draft, row: Container) -> None:
    if row.stop_signal and row.stop_signal not in ("SIGTERM", "TERM", "15"):
        draft.add(4, f"stop_signal: {scalar(row.stop_signal)}")
    if row.stop_timeout is not None and row.stop_timeout != 10:
        draft.add(4, f"stop_grace_period: {'-1s' if row.stop_timeout < 0 else f'{row.stop_timeout}s'}")
    if row.memory:
        draft.add(4, f"mem_limit: {row.memory}")
    if row.pids_limit > 0:
        draft.add(4, f"pids_limit: {row.pids_limit}")
    if row.oom_score_adj:
        draft.add(4, f"oom_score_adj: {row.oom_score_adj}")
    if row.log_driver:
        draft.add(4, f"logging: {{driver: {scalar(row.log_driver)}}}")
    if row.volumes:
        draft.add(4, f"volumes: {scalar(row.volumes)}")


def _check(draft: Draft, row: Container) -> None:
    check = row.check
    if check is None or check.test == ("NONE",):
        return
    draft.add(4, "healthcheck:")
    draft.add(6, f"test: {scalar(check.test)}")
    for key, value in (("interval", check.interval), ("timeout", check.timeout), ("start_period", check.start_period),
                       ("start_interval", check.start_interval)):  # fmt: skip
        if value:
            draft.add(6, f"{key}: {format_duration(max(value // NANO_PER_MICRO, 1))}")
    if check.retries:
        draft.add(6, f"retries: {check.retries}")
    if row.health == "unhealthy":
        words = " ".join(check.test[1:]) if check.test[:1] in (("CMD",), ("CMD-SHELL",)) else " ".join(check.test)
        draft.add(
            4, f"x-exec: {{{scalar(words)}: {{exits: {{code: 1, after: 15ms}}}}}}", "it is unhealthy: its test fails"
        )


# -- the program ------------------------------------------------------------------------------------


def _payload(draft: Draft, host: Inventory, row: Container, below: Mapping[int, list[Process]], kept: Kept) -> None:
    keys: list[tuple[str, str]] = []
    first = next((it for it in host.processes if it.pid == host.first.get(row.name)), None)
    if first is not None and row.status not in ("exited", "created", "dead"):
        keys += [*_observed(row, first, below), *_listens(host, row, first, below)]
    keys += _ended(row, kept)
    if keys:
        draft.add(4, "x-payload:")
    for text, note in keys:
        draft.add(6, text, note)


def _observed(row: Container, first: Process, below: Mapping[int, list[Process]]) -> list[tuple[str, str]]:
    """Return what the table of processes shows of a container's program, which docker-init may have started."""
    program, init = first, INIT.match(first.args) is not None
    if init or row.init:
        program = next(iter(below.get(first.pid, ())), first)
    keys: list[tuple[str, str]] = []
    words = program.args.split(" ")
    if program.args and not program.cut and program.args != " ".join(row.argv):
        keys.append((f"argv: {scalar(words)}", "as ps shows it" if row.argv else ""))
    name = (words if program.args else list(row.argv) or [""])[0].rpartition("/")[2][:15]
    if program.comm and program.comm != name:
        keys.append((f"comm: {scalar(program.comm)}", ""))
    if program.threads is not None:
        keys.append((f"threads: {program.threads - 1}", ""))
    children = [_child(child, below, DEEPEST) for child in below.get(program.pid, ())[:MOST_CHILDREN]]
    if children:
        keys.append(("children:", ""))
        keys += [(f"  - {scalar(child)}", "") for child in children]
    return [*keys, *_answers(row, program, inside=not (init or row.init))]


def _listens(
    host: Inventory, row: Container, first: Process, below: Mapping[int, list[Process]]
) -> list[tuple[str, str]]:
    """Return at which ports of the host a container listens that has the host's network."""
    if row.network_mode != "host":
        return []
    pids = {first.pid, *(it.pid for it in descendants(first.pid, below))}
    heard = {(it.proto, it.port): None for it in host.listeners if it.pid in pids}
    words = [port if proto == "tcp" else f"{port}/{proto}" for proto, port in heard]
    return [(f"listens: {scalar(words)}", "as ss shows it")] if words else []


def _child(row: Process, below: Mapping[int, list[Process]], deepest: int) -> dict[str, Any]:
    child: dict[str, Any] = {"argv": row.args.split(" ")} if row.args else {"argv": [row.comm or "?"]}
    name = child["argv"][0].rpartition("/")[2][:15]
    if row.comm and row.comm != name:
        child["comm"] = row.comm
    if row.threads is not None:
        child["threads"] = row.threads - 1
    if deepest and below.get(row.pid):
        child["children"] = [_child(it, below, deepest - 1) for it in below[row.pid][:MOST_CHILDREN]]
    return child


def _answers(row: Container, program: Process, inside: bool) -> list[tuple[str, str]]:
    """Return what a program does with its stop signal, by the masks of its signals."""
    name = row.stop_signal.upper().removeprefix("SIG") or "TERM"
    number = SIGNALS.get(name) or (int(name) if name.isdigit() and len(name) < 3 else 0)
    if program.caught is None or not number:
        return []
    bit = 1 << (number - 1)
    if program.ignored is not None and program.ignored & bit:
        return [("on_term: ignore", f"SigIgn has {name}")]
    if not program.caught & bit:
        first = f"; as process 1 it does not notice {name}" if inside else ""
        return [("on_term: none", f"SigCgt lacks {name}: no handler{first}")]
    if program.caught & GO_CATCHES == GO_CATCHES:
        return [
            ("on_term: {exit: 0, after: 100ms}", f"assumed: Go's runtime catches {name}, whatever the program does")
        ]
    return [("on_term: {exit: 0, after: 100ms}", f"SigCgt has {name}; its code and time are assumed")]


# -- how it came to its state -----------------------------------------------------------------------


def _ended(row: Container, kept: Kept) -> list[tuple[str, str]]:
    """Return what makes a container's program end as it did; a stop by hand becomes a step."""
    code = row.exit_code or 0
    if row.status == "created" and (code or row.error):
        why = "permission denied" if "ermission denied" in row.error or code == 126 else "not found"
        return [(f"fails_to_start: {why}", f"created, code {code}")]
    if row.status == "paused":
        kept.steps.append(f"docker: pause {row.name}")
        return []
    if row.status == "restarting" or (row.status == "running" and row.restarts and row.finished):
        return _crashes(row, code)
    if row.status not in ("exited", "dead"):
        return []
    if _is_started_again(row, code):
        kept.steps.append(f"docker: {'kill' if code == 137 else 'stop'} {row.name}")
        return [_left_at_stop(code)] if code not in (137, 0) else []
    return [(f"exits: {{code: {code}, after: {_lived(row)}}}", "as it ended; after: from its start to its end")]


def _is_started_again(row: Container, code: int) -> bool:
    """Return whether the policy would have started a container again unless somebody had stopped it."""
    name, _, most = (row.restart or "no").partition(":")
    if name in ("always", "unless-stopped"):
        return True
    return name == "on-failure" and code != 0 and (not most or row.restarts < int(most))


def _left_at_stop(code: int) -> tuple[str, str]:
    if code == 143:
        return ("on_term: none", "it ended by TERM")
    return (f"on_term: {{exit: {code}, after: 100ms}}", "as it ended when somebody stopped it")


def _crashes(row: Container, code: int) -> list[tuple[str, str]]:
    if row.status != "restarting":
        return []
    return [
        (f"exits: {{code: {code}, after: {_lived(row)}}}", f"it ends again and again; {row.restarts} restarts so far")
    ]


def _lived(row: Container) -> str:
    begin, end = moment(row.started), moment(row.finished)
    micros = int((end - begin).total_seconds() * 1_000_000) if begin and end else 0
    return format_duration(micros // 1_000 * 1_000 if micros > 1_000 else AFTER_ANY_START)


def moment(text: str) -> datetime | None:
    """Return a date of an engine, which writes nanoseconds; None where it is none."""
    match = re.match(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", text)
    if match is None:
        return None
    zone = "+00:00" if match[3] in (None, "Z") else match[3]
    try:
        return datetime.fromisoformat(match[1].replace(" ", "T") + (match[2] or ".0")[:7].ljust(7, "0") + zone)
    except ValueError:
        return None


def _without_effect(draft: Draft, row: Container) -> None:
    if row.service:
        draft.remark(4, f"service {row.service} of the Compose project {row.project}")
    if row.env:
        draft.remark(4, f"environment, values left out: {listed(map(str, row.env), 40)}")
    if row.labels:
        draft.remark(4, f"labels, values left out: {listed(map(str, row.labels), 40)}")
