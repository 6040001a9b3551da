"""From a service of the file to the container that `docker create` gets, with every default that had to be assumed.

Models: Compose's entrypoint and command, docker's COMMAND, ids, pins, what the payload does. Leaves out: what
an image says (its entrypoint, stop signal and health check are not in the file): the name of the image stands
for its program. Source: Compose file reference; Docker 1.13 container create; kernel comm of 15 bytes
(proc(5)).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sim.engine.containers import names_of
from sim.engine.setup import (
    HOST,
    Bundle,
    Child,
    Docker,
    Ends,
    Exec,
    Fails,
    OnTerm,
    Payload,
    Pins,
    Port,
    Restart,
    Service,
    Step,
    ThreadsEnd,
)
from sim.scenario.check import Report
from sim.scenario.fields import EPHEMERAL, NAME, signal
from sim.scenario.instants import Names
from sim.scenario.readers import CLOSED
from sim.scenario.schema import PinsFile, ServiceFile
from sim.scenario.schema_program import ChildFile, ExecFile, PayloadFile
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, counted, did_you_mean, listed, shown

Terminals = tuple[tuple[Step, ...], ...]
FIRST_EPHEMERAL = 32768  # /proc/sys/net/ipv4/ip_local_port_range
TERM_DEFAULT = OnTerm()
STOP_SIGNAL = "TERM"  # of an image that says no other
SLEEP = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?\Z", re.ASCII)


@dataclass
class Assumed:
    """What was assumed, by sentence, and for whom."""

    whom: dict[str, list[str]] = field(default_factory=dict)

    def note(self, sentence: str, name: str) -> None:
        """Note that *sentence* is assumed for service *name*."""
        self.whom.setdefault(sentence, []).append(name)

    def sentences(self) -> list[str]:
        """Return one sentence a kind of assumption; few services are named, many are counted."""
        return [
            (f"{listed(names)}: " if len(names) <= 3 else f"{counted(len(names), 'service')}: ") + sentence
            for sentence, names in self.whom.items()
        ]


def container_name(key: str, service: object) -> str:
    """Return the name that the engine gives the service: `container_name` or its key."""
    given = service.get("container_name") if isinstance(service, dict) else None
    return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else key


def check_name(name: str, root: Node, path: Path, report: Report) -> bool:
    """Return whether *name* may be a container's; note why not."""
    mark = root.place(path, of_key=True)
    if not NAME.match(name):
        report.problems.add(
            mark,
            f"services: {shown(name)} is not a container's name.",
            "It begins with a letter or digit, then letters, digits, _, . and -, 63 at most.",
        )
    elif name == "all":
        report.problems.add(mark, "services: a container cannot be called all.", "The word means every container.")
    else:
        return True
    return False


def build(name: str, key: str, file: ServiceFile, assumed: Assumed) -> Service:
    """Return the container of one checked service; networks, `fails` and ports without a number are to be filled in."""
    path, args = command_of(name, file, assumed)
    return Service(
        name=name,
        id=file.x_id or hashlib.blake2b(name.encode(), digest_size=32).hexdigest(),
        image=file.image or key,
        path=path,
        args=args,
        payload=payload_of(name, file.x_payload, (path, *args), file.stop_signal or STOP_SIGNAL, assumed),
        ports=file.ports,
        restart=restart_of(name, file, assumed),
        stop_signal=file.stop_signal,
        stop_timeout=file.stop_grace_period,
        proxy_threads=file.x_proxy.threads,
        pins=Pins(file.x_pids.proxy, file.x_pids.shim, file.x_pids.payload, file.x_pids.children, file.x_address),
        bundle=Bundle(file.x_bundle.config_size, file.x_bundle.written),
        labels=file.labels,
        volumes=file.volumes,
        log_driver=file.logging or file.log_driver or "",
        healthcheck=file.healthcheck,
        init=file.init and file.pid is None,  # oci_linux.go: a pid namespace of its own
        execs=tuple(exec_of(words, row) for words, row in file.x_exec.items()),
        memory=file.deploy.resources.limits.memory or file.mem_limit or None,  # create.go 715-721 (setLimits)
        oom_score_adj=file.oom_score_adj,
        auto_remove=file.x_rm,
        tty=file.tty,
        host_pid=file.pid == HOST,
    )


POLICIES = {"none": "no", "any": "always", None: "no"}  # create.go 585-599 (mapRestartPolicyCondition); "" is no policy


def restart_of(name: str, file: ServiceFile, assumed: Assumed) -> Restart:
    """Return the policy: `deploy.restart_policy`, where it is said, goes before `restart`.

    Source: docker/compose v2.40.3 pkg/compose/create.go 558-583. A count with another policy than on-failure is refused
    by the engine (moby v1.13.1 daemon/container.go 268, v25.0.0 api/types/container/hostconfig.go 324); it is left out.
    """
    said = file.deploy.restart_policy
    if said is None:
        return file.restart
    policy = POLICIES.get(said.condition, said.condition)
    if said.condition is None:
        assumed.note("deploy.restart_policy without a condition is no policy, as Compose hands it on", name)
    if said.max_attempts and policy != "on-failure":
        assumed.note(
            "deploy.restart_policy.max_attempts is left out; the engine refuses a count without on-failure", name
        )
    return Restart(str(policy), said.max_attempts if policy == "on-failure" else 0)


def command_of(name: str, file: ServiceFile, assumed: Assumed) -> tuple[str, tuple[str, ...]]:
    """Return path and arguments: entrypoint and command together, or the image's name if both are missing."""
    words = tuple(file.entrypoint or ()) + tuple(file.command or ())
    if words:
        return words[0], words[1:]
    if file.x_payload and file.x_payload.argv:
        return file.x_payload.argv[0], tuple(file.x_payload.argv[1:])
    assumed.note("no command given, the image's name stands for its program", name)
    return (file.image or name).rpartition("/")[2].partition("@")[0].partition(":")[0] or name, ()


def payload_of(name: str, file: PayloadFile | None, words: tuple[str, ...], stop: str, assumed: Assumed) -> Payload:
    """Return how the program behaves, whose stop signal is *stop*; what the file does not say is assumed and noted."""
    if file is None:
        return assumed_payload(name, words, stop, assumed)
    if "ready" not in file.model_fields_set and not file.exits:
        assumed.note("ready at once", name)
    if "reaps" not in file.model_fields_set and any(child.exits for child in file.children):
        assumed.note("the first process reaps its children", name)
    if "on_term" not in file.model_fields_set and stop not in dict(file.on):
        assumed.note(f"{stop} exits 0 after {TERM_DEFAULT.after // 1000} ms", name)
    if file.log:
        assumed.note("a write that waits holds up all else that it does", name)
        assumed.note(f"writes {file.log[0].write} bytes at a time; copies fill their buffer before they wait", name)
    argv = tuple(file.argv or words)
    return Payload(
        comm=file.comm or comm_of(argv),
        argv=argv,
        threads=file.threads,
        children=tuple(child_of(child) for child in file.children),
        ready=file.ready,
        on_term=file.on_term,
        exits=Ends(file.exits.code, file.exits.after) if file.exits else None,
        fails=Fails(file.fails.code, file.fails.after, *file.fails.while_) if file.fails else None,
        fails_to_start=file.fails_to_start or "",
        log=file.log,
        memory=file.memory,
        listens=file.listens,
        **common_of(file),
    )


def common_of(file: PayloadFile | ChildFile) -> dict[str, Any]:
    """Return what any program of a container may do."""
    return {
        "reaps": file.reaps is not False,
        "reaps_after": 0 if isinstance(file.reaps, bool) else file.reaps,
        "on": file.on,
        "threads_end": tuple(ThreadsEnd(end.count, end.after) for end in file.threads_end),
        "main_ends": file.main_ends,
    }


def assumed_payload(name: str, words: tuple[str, ...], stop: str, assumed: Assumed) -> Payload:
    """Return a payload that nobody described. `sleep` is known: it leaves after its time and handles no signal."""
    comm = comm_of(words)
    if comm == "sleep" and len(words) == 2 and SLEEP.match(words[1]):
        assumed.note(f"sleep leaves with 0 after its time and has no handler for {stop}", name)
        return Payload(comm, words, on_term=OnTerm("none", 0, 0), exits=Ends(0, round(float(words[1]) * 1_000_000)))
    assumed.note(f"no x-payload: ready at once, {stop} exits 0 after {TERM_DEFAULT.after // 1000} ms", name)
    return Payload(comm, words)


def exec_of(words: str, file: ExecFile) -> Exec:
    """Return what a command does, its time and code assumed where the file does not say them."""
    ends, default = file.exits, Exec(words)
    return Exec(
        " ".join(words.split()),
        ends.code,
        default.after if ends.after is None else ends.after,
        file.on_term,
        tuple(child_of(child) for child in file.children),
        file.threads,
        file.missing,
        file.on,
    )


def with_execs(services: tuple[Service, ...], terminals: Terminals, assumed: Assumed) -> tuple[Service, ...]:
    """Return *services* with what each probe and each command of a `docker exec` does that no x-exec describes."""
    wanted: dict[str, list[tuple[str, ...]]] = {}
    for command in (step.command for terminal in terminals for step in terminal):
        if isinstance(command, Docker) and command.verb == "exec":
            wanted.setdefault(command.container, []).append(command.words)
    found = []
    for service in services:
        check = service.healthcheck
        if check is not None and not described(service, check.argv):
            row = Exec(names_of(check.argv)[0], None)
            service = msgspec.structs.replace(service, execs=(*service.execs, row))
            answer = f"answers after {row.after // 1000} ms, 0 if the program is ready and runs, else 1"
            assumed.note(f"no x-exec for the health check: {answer}", service.name)
        service = with_codes(service, () if check is None else names_of(check.argv))
        for argv in dict.fromkeys(wanted.get(service.name, ())):
            if not described(service, argv):
                row = assumed_exec(service.name, argv, assumed)
                service = msgspec.structs.replace(service, execs=(*service.execs, row))
        found.append(service)
    return tuple(found)


def with_codes(service: Service, probe: tuple[str, ...]) -> Service:
    """Return *service* with 0 for each code that x-exec does not say, except of what the probe runs."""
    if all(row.code is not None or row.name in probe for row in service.execs):
        return service
    rows = (row if row.name in probe or row.code is not None else with_code(row) for row in service.execs)
    return msgspec.structs.replace(service, execs=tuple(rows))


def with_code(row: Exec) -> Exec:
    """Return a command that leaves with 0."""
    return msgspec.structs.replace(row, code=0)


def described(service: Service, argv: tuple[str, ...]) -> bool:
    """Return whether x-exec describes a command, by its words or by the first of them."""
    return any(row.name in names_of(argv) for row in service.execs)


def assumed_exec(name: str, argv: tuple[str, ...], assumed: Assumed) -> Exec:
    """Return a command that nobody described. `sleep` is known."""
    words, _ = names_of(argv)
    if comm_of(argv) == "sleep" and len(argv) == 2 and SLEEP.match(argv[1]):
        assumed.note("an exec'd sleep leaves with 0 after its time and has no handler for TERM", name)
        return Exec(words, after=round(float(argv[1]) * 1_000_000))
    row = Exec(words)
    assumed.note(f"exec {words}: no x-exec: leaves with 0 after {row.after // 1000} ms, TERM ends it", name)
    return row


def child_of(file: ChildFile) -> Child:
    """Return a process that another one forks."""
    argv = tuple(file.argv)
    return Child(
        file.comm or comm_of(argv),
        argv,
        file.threads,
        exits=Ends(file.exits.code, file.exits.after) if file.exits else None,
        every=file.every,
        children=tuple(child_of(below) for below in file.children),
        **common_of(file),
    )


def comm_of(argv: tuple[str, ...]) -> str:
    """Return the name that the kernel gives a process at execve: the last part of its path, 15 bytes."""
    base = (argv[0] if argv else "").rpartition("/")[2]
    return base.encode()[:15].decode(errors="ignore") or "payload"


# -- what needs all services -----------------------------------------------------------------------


def number_ports(services: list[Service], assumed: Assumed) -> list[Service]:
    """Return *services* with a host port for each that the engine would choose: from 32768 up, in order."""
    numbered, next_port = [], FIRST_EPHEMERAL
    for service in services:
        ports: list[Port] = []
        for port in service.ports:
            if port.host == EPHEMERAL:
                assumed.note(f"port {port.container} gets host port {next_port} at every start", service.name)
                port, next_port = msgspec.structs.replace(port, host=next_port), next_port + 1
            ports.append(port)
        numbered.append(msgspec.structs.replace(service, ports=tuple(ports)))
    return numbered


def check_references(path: Path, names: Names, networks: list[str], root: Node, report: Report) -> None:
    """Check what a service names of others; read off its nodes, so that other faults of it do not hide this one."""
    for below, name in named_in(root, (*path, "networks")):
        if name not in networks:
            hint = did_you_mean(name, networks) or f"Name it under networks:; there are {listed(networks)}."
            report.refuse(root, below, Refusal(f"there is no network {shown(name)}.", hint))
    for below, name in [it for key in ("depends_on", "links") for it in named_in(root, (*path, key))]:
        name = name.partition(":")[0] if "links" in below else name
        if name not in names.containers:
            report.refuse(
                root, below, Refusal(f"there is no service {shown(name)}.", did_you_mean(name, names.containers))
            )
    asked = root.find((*path, "x-payload", "fails", "while"))
    condition = CLOSED.match(asked.value) if asked and isinstance(asked.value, str) else None
    if condition:
        try:
            names.container(condition["container"])
        except Refusal as refusal:
            report.refuse(root, (*path, "x-payload", "fails", "while"), refusal)


def check_pins(pins: PinsFile, path: Path, root: Node, report: Report) -> None:
    """Refuse numbers that do not rise in the order of the forks: proxies, shim, payload, its children."""
    given = {"proxy": pins.proxy, "shim": pins.shim, "payload": pins.payload, "children": pins.children}
    before, largest = "", 0
    for role, value in given.items():
        numbers = value if isinstance(value, tuple) else () if value is None else (value,)
        if numbers and min(numbers) <= largest:
            what = f"{min(numbers)} is not above {before} {largest}, which is forked before it."
            report.refuse(root, (*path, role), Refusal(what, "The numbers rise: proxy, shim, payload, children."))
            return
        before, largest = (role, max(numbers)) if numbers else (before, largest)


def check_answers(file: ServiceFile, path: Path, root: Node, report: Report) -> None:
    """Refuse two answers to one signal: `on_term` and `on` of the program, or of a command beside it."""
    programs: list[tuple[Path, PayloadFile | ExecFile, str, str]] = [
        ((*path, "x-exec", words), row, STOP_SIGNAL, "on_term answers TERM") for words, row in file.x_exec.items()
    ]
    if file.x_payload is not None:
        stop = file.stop_signal or STOP_SIGNAL
        what = f"on_term answers the stop signal, which is {stop} here (stop_signal)"
        programs.append(((*path, "x-payload"), file.x_payload, stop, what))
    for place, program, stop, what in programs:
        if "on_term" in program.model_fields_set and stop in dict(program.on):
            spelt = next(name for _, name in named_in(root, (*place, "on")) if signal(name) == stop)
            report.refuse(root, (*place, "on", spelt), Refusal(f"{what}.", "Leave one of them out.", of_key=True))


def named_in(root: Node, path: Path) -> list[tuple[Path, str]]:
    """Return the names in a list or a mapping of names, with their paths."""
    node = root.find(path)
    if node is not None and isinstance(node.value, dict):
        return [((*path, name), name) for name in node.value]
    if node is not None and isinstance(node.value, list):
        return [((*path, i), below.value) for i, below in enumerate(node.value) if isinstance(below.value, str)]
    return []


def repeated(services: list[Service]) -> list[tuple[str, str]]:
    """Return which names and ids two containers share, as (what, value)."""
    names = Counter(service.name for service in services)
    ids = Counter(service.id for service in services)
    return [("name", name) for name, n in names.items() if n > 1] + [("id", id_) for id_, n in ids.items() if n > 1]
