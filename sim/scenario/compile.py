"""From one document to a Scenario: checks each section on its own, so that all faults are found at once.

Models: sections in the order in which they name one another: host, engine, networks, services, steps, until,
properties, expect, faults, order, whatif. Leaves out what happens then. Source: the project's scenario language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.designs.takes import cgroup_of, had_by
from sim.engine.setup import EngineSetup, HostSetup, Network, OutOfMemory, Service, Setup, Step
from sim.scenario import readers
from sim.scenario.asked import Asked, read_asked
from sim.scenario.check import NotedKey, Report, check, clean, spelt
from sim.scenario.compose_words import Fleet
from sim.scenario.design_words import fit
from sim.scenario.engines import design_of
from sim.scenario.expect import Expectation
from sim.scenario.expect_read import read_expectations
from sim.scenario.explored import read_faults, read_order
from sim.scenario.instants import Names, read_until
from sim.scenario.networks import (
    Wiring,
    check_circles,
    named_networks,
    read_networks,
    started_before,
    wired,
    with_names,
)
from sim.scenario.process_read import ProcessFile, read_processes
from sim.scenario.profiles import chosen_profile
from sim.scenario.property_read import Listed, OwnProperty, read_properties, worded
from sim.scenario.replicas import Replicas, with_replicas
from sim.scenario.schema import EngineFile, File, HostFile, ServiceFile
from sim.scenario.schema_program import Strict
from sim.scenario.services import (
    Assumed,
    build,
    check_answers,
    check_name,
    check_pins,
    check_references,
    container_name,
    number_ports,
    repeated,
    with_execs,
)
from sim.scenario.steps import StepReader, entries, new_services, renames, step_ids, strangers, with_repeats
from sim.scenario.text import Node, Path, moved
from sim.scenario.unit_read import read_units
from sim.scenario.vocabulary import releases_of, without_unknown
from sim.scenario.words import Refusal, did_you_mean, listed, shown


class Scenario(msgspec.Struct, frozen=True):
    """One scenario as it was understood.

    *late* names the containers that only a step creates. *keys* leads from the engine's name of a container to its key
    in the file; *raw* is the file with what it rests on, before defaults. *noted* are the keys that are not followed.
    """

    title: str
    name: str
    source: str
    setup: Setup
    expectations: tuple[Expectation, ...]
    assumptions: tuple[str, ...]
    without_effect: tuple[str, ...]
    names: Names
    late: tuple[str, ...]
    keys: dict[str, str]
    raw: dict[str, Any]
    properties: tuple[Listed, ...] = ()
    asked: Asked = Asked()
    noted: tuple[NotedKey, ...] = ()


@dataclass
class Compiler:
    """Reads the sections of one document; problems are collected in *report*."""

    root: Node
    report: Report
    assumed: Assumed = field(default_factory=Assumed)
    keys: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    found: tuple[ProcessFile, ...] = ()  # the host's processes at t = 0
    said: dict[str, frozenset[str]] = field(default_factory=dict)  # container -> which keys are said of it
    replicas: Replicas = field(default_factory=dict)

    def scenario(self, name: str, source: str) -> Scenario:
        """Return the scenario; raise InputError with all problems."""
        self.top_keys()
        self.root = without_unknown(self.root, self.report)
        separator = releases_of(self.root)[0].traits.replica
        self.root, self.replicas = with_replicas(self.root, separator, self.report)
        title = self.text("title") or name
        host, engine = self.host(cgroup_of(releases_of(self.root))), self.engine()
        networks = read_networks(self.root, self.report, self.assumed)
        services, names, depends = self.services(networks, host, engine.design)
        host = replace(host, processes=read_processes(self.root, self.found, host, services, names, self.report))
        services = tuple(self.with_driver(service, engine) for service in services)
        fleet = Fleet(depends, set(depends) if host.begin != "off" else set(), self.replicas)
        terminals = StepReader(self.root, names, fleet, self.report).read()
        services = with_execs(services, terminals, self.assumed)
        engine, services = fit(self.root, engine, services, terminals, self.report, self.said)
        self.check_limits(services, terminals)
        until = read_until(self.root, names, self.report)
        ports = {port.host: service.name for service in services for port in service.published}
        properties = read_properties(self.root, names, ports, self.report)
        own = {it.name: it for it in properties if isinstance(it, OwnProperty)}
        expectations = read_expectations(self.root, names, ports, own, self.report)
        faults, order = read_faults(self.root, names, self.report), read_order(self.root, self.report)
        asked = read_asked(self.root, names, self.report)
        sentences = self.sentences()
        self.report.problems.raise_if_any()
        setup = Setup(services, networks, host, engine, terminals, until, faults, order)
        plain = self.root.plain()
        assert isinstance(plain, dict)
        return Scenario(
            title,
            name,
            source,
            setup,
            worded(expectations, setup),
            sentences,
            self.report.without_effect(),
            names,
            tuple(self.late),
            self.keys,
            plain,
            properties,
            asked,
            self.report.noted(),
        )

    def top_keys(self) -> None:
        """Refuse keys that stand at the top and mean nothing there; `x-` keys hold anchors."""
        assert isinstance(self.root.value, dict)
        valid = File.known_keys()
        ours = [key for key in ServiceFile.known_keys() if key.startswith("x-")]
        for key, node in self.root.value.items():
            at = node.key or node.mark
            if key.startswith("x-") and (key in ours or did_you_mean(key, ours)):
                self.report.problems.add(
                    at, f"{clean(key)}: stands in a service.", f"Write services: {{NAME: {{{did(key, ours)}: …}}}}."
                )
            elif key not in valid and not key.startswith("x-"):
                hint = did_you_mean(key, valid) or f"Valid: {listed(valid)}."
                self.report.problems.add(at, f"{clean(key)}: unknown key.", hint)

    def text(self, key: str) -> str:
        """Return a top-level text, "" if it is missing."""
        node = self.root.child(key)
        if node is None or node.value is None:
            return ""
        if isinstance(node.value, dict | list | bool):
            self.report.problems.add(node.mark, f"{key}: {shown(node.plain())} is not text.")
            return ""
        return str(node.value)

    def sentences(self) -> tuple[str, ...]:
        """Return what is assumed: what the file's author says, then the defaults that were needed."""
        said = []
        for path, node in entries(self.root, "assumptions", self.report):
            if isinstance(node.value, str) and node.value.strip():
                said.append(" ".join(node.value.split()))
            else:
                refusal = Refusal(f"{shown(node.plain())} is not a sentence.", "Quote it if it contains ': '.")
                self.report.refuse(self.root, path, refusal)
        return tuple(dict.fromkeys([*said, *self.report.assumptions, *self.assumed.sentences(), *self.report.doubts()]))

    # -- host, engine, networks --------------------------------------------------------------------------------------

    def host(self, cgroup: str) -> HostSetup:
        """Return the machine; *cgroup* is the version of its control groups where the file says none."""
        file = check(HostFile, self.root, ("host",), self.report)
        if file is None:
            return HostSetup()
        epoch, zone = (file.clock.micros // 1_000_000, file.clock.tz_minutes) if file.clock else (HostSetup().epoch, 0)
        if file.clock and file.clock.micros % 1_000_000:
            self.report.refuse(self.root, ("host", "clock"), Refusal("the clock of t = 0 has whole seconds."))
        if file.next_pid is not None and file.next_pid > file.pid_max:
            what = f"{file.next_pid} is above pid_max {file.pid_max}."
            self.report.refuse(self.root, ("host", "next_pid"), Refusal(what))
        kept = (file.cores, file.pid_max, file.next_pid, file.begin, file.uptime, epoch, zone, file.hostname)
        self.found = file.processes
        return HostSetup(*kept, file.cgroup or cgroup, file.subreaper, file.supervisor)

    def engine(self) -> EngineSetup:
        """Return the design and its settings."""
        file = check(EngineFile, self.root, ("engine",), self.report)
        if file is None:
            return EngineSetup()
        profile, durations = chosen_profile(self.root, file.profile, self.report)
        try:
            design = design_of(file.design)
        except Refusal as refusal:
            self.report.refuse(self.root, ("engine", "design"), refusal)
            return EngineSetup()
        traits, daemon = design.traits, had_by(design, "daemon", _said(file.daemon))
        own = "profile" in _said(file)
        if "shutdown_timeout" in daemon:
            daemon["shutdown_timeout"] *= 1_000_000
        return EngineSetup(
            design.name,
            msgspec.structs.replace(traits.daemon, **daemon),
            msgspec.structs.replace(traits.unit, **had_by(design, "unit", _said(file.unit))),
            profile if own else traits.profile,
            msgspec.structs.replace(traits.unverified, **_said(file.unverified)),
            durations if own else design.engine.durations,
            read_units(self.root, design, self.report),
        )

    def named(self, key: str) -> list[tuple[str, Path]]:
        """Return names and paths of a top-level mapping's entries."""
        node = self.root.child(key)
        if node is None or node.value is None:
            return []
        if not isinstance(node.value, dict):
            self.report.problems.add(
                node.mark, f"{key}: {shown(node.plain())} is not a mapping.", f"Write {key}: {{NAME: …}}."
            )
            return []
        return [(name, (key, name)) for name in node.value]

    # -- services ----------------------------------------------------------------------------------------------------

    def services(
        self, networks: tuple[Network, ...], host: HostSetup, design: str
    ) -> tuple[tuple[Service, ...], Names, dict[str, tuple[str, ...]]]:
        """Return all containers, what can be named, and which services of the file depend on which."""
        files: dict[str, ServiceFile] = {}
        aliases: dict[str, str] = {}
        for key, path in self.named("services"):
            name = container_name(key, self.root.find(path) and plain(self.root.find(path)))
            if not check_name(name, self.root, path, self.report):
                continue
            aliases.update({key: name, **({} if name in aliases else {name: name})})
            file = check(ServiceFile, self.root, path, self.report)
            if file:
                files[key] = file
        wiring = Wiring(networks, self.root, self.report, self.assumed)
        built = {key: self.service(aliases[key], key, ("services", key), file, wiring) for key, file in files.items()}
        late = self.late_services(aliases, networks)
        self.keys = {service.name: key for key, service in built.items()}
        known = {**aliases, **{name: name for name in self.late}}
        renamed = renames(self.root, known, self.report)
        names = Names(
            tuple(step_ids(self.root)),
            {**renamed, **known},
            host.epoch,
            host.tz_minutes,
            strangers(self.root),
            tuple(renamed),
            design,
        )
        for key in aliases:
            check_references(("services", key), names, named_networks(networks, self.root), self.root, self.report)
        built = {key: with_names(service, ("services", key), names, wiring) for key, service in built.items()}
        late = [with_names(service, ("services", service.name), names, wiring) for service in late]
        check_circles([*built.values(), *late], self.keys, wiring)
        for what, value in repeated([*built.values(), *late]):
            mark = self.root.place(("services", self.keys.get(value, "")), of_key=True)
            self.report.problems.add(mark, f"services: two containers have the {what} {shown(value)}.")
        depends = {
            aliases[key]: tuple(
                dict.fromkeys(aliases[it] for it in (*file.depends_on, *started_before(file)) if it in aliases)
            )
            for key, file in files.items()
        }
        services = number_ports([self.with_fails(s, names) for s in [*built.values(), *late]], self.assumed)
        return tuple(services), with_repeats(self.root, names), depends

    def service(self, name: str, key: str, path: Path, file: ServiceFile, wiring: Wiring) -> Service:
        """Return one container; its networks must be known and hold its observed address."""
        if file.init and file.x_payload and file.x_payload.log:
            refusal = Refusal("init with x-payload.log is not modelled yet.", "Leave one of them out.")
            self.report.refuse(self.root, (*path, "init"), refusal)
        check_pins(file.x_pids, (*path, "x-pids"), self.root, self.report)
        check_answers(file, path, self.root, self.report)
        self.said[name] = frozenset(ServiceFile.model_fields[it].alias or it for it in file.model_fields_set)
        return wired(build(name, key, file, self.assumed), file, path, wiring)

    def with_driver(self, service: Service, engine: EngineSetup) -> Service:
        """Return *service* with its log driver: its own, else the daemon's."""
        driver = service.log_driver or engine.daemon.log_driver
        if service.payload.log:
            try:
                readers.driver_of_printing(driver)
            except Refusal as refusal:
                path = ("services", self.keys.get(service.name, service.name), "x-payload", "log")
                self.report.refuse(self.root, path, refusal)
        return msgspec.structs.replace(service, log_driver=driver)

    def with_fails(self, service: Service, names: Names) -> Service:
        """Return *service* with the engine's name of the container that its `fails` asks for."""
        fails = service.payload.fails
        if fails is None or fails.container not in names.containers:
            return service
        fails = msgspec.structs.replace(fails, container=names.containers[fails.container])
        return msgspec.structs.replace(service, payload=msgspec.structs.replace(service.payload, fails=fails))

    def late_services(self, aliases: dict[str, str], networks: tuple[Network, ...]) -> list[Service]:
        """Return the containers that only steps create. A line that names a service runs that service."""
        found: dict[str, Service] = {}
        for path, new in new_services(self.root):
            mark = self.root.place(path)
            if new.name in aliases:
                self.same_image(path, new.name, str(new.service["image"]))
                continue
            if new.name in self.late:
                continue  # run again, after rm
            document = Node({"services": Node({new.name: moved(new.service, mark)}, mark, mark)}, mark)
            inner = Compiler(document, self.report, self.assumed, said=self.said)
            place: Path = ("services", new.name)
            if not check_name(new.name, document, place, self.report):
                continue
            self.late.append(new.name)
            check_references(place, Names(), named_networks(networks, self.root), document, self.report)
            file = check(ServiceFile, document, place, self.report)
            if file:
                wiring = Wiring(networks, document, self.report, self.assumed)
                made = inner.service(new.name, new.name, place, file, wiring)
                found[new.name] = msgspec.structs.replace(made, at_begin=False)
            if not new.named:
                self.assumed.note("has no --name; the engine would invent one", new.name)
        return list(found.values())

    def check_limits(self, services: tuple[Service, ...], terminals: tuple[tuple[Step, ...], ...]) -> None:
        """Refuse a container that is to reach a memory limit and has none."""
        without = {service.name for service in services if service.memory is None}
        commands = {step.id: step.command for terminal in terminals for step in terminal}
        for place, id_ in enumerate(step_ids(self.root)):
            command = commands.get(id_)
            if isinstance(command, OutOfMemory) and command.container in without:
                refusal = Refusal(f"{command.container} has no mem_limit to reach.", "Give it one, or write oom: host.")
                self.report.refuse(self.root, ("steps", place, "oom"), refusal)

    def same_image(self, path: Path, name: str, image: str) -> None:
        """Refuse a `docker run` that says another image than the service it names."""
        node = self.root.find(("services", name))
        given = node.child("image") if node else None
        if given is not None and str(given.value) != image:
            refusal = Refusal(
                f"{name} is a service of this file and has the image {shown(given.value)}.",
                "Use that image, or another --name.",
            )
            self.report.refuse(self.root, path, refusal)


def plain(node: Node | None) -> object:
    """Return *node* without places."""
    return node.plain() if node else None


def did(key: str, ours: list[str]) -> str:
    """Return the key of ours that *key* means."""
    return key if key in ours else did_you_mean(key, ours).removeprefix("Did you mean ").rstrip("?")


def _said(file: Strict) -> dict[str, Any]:
    """Return the keys that a mapping of the file has; for others the design's own values hold."""
    return {key: getattr(file, key) for key in file.model_fields_set}


__all__ = ["Compiler", "Scenario", "spelt"]
