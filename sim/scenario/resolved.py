"""A scenario written out with every default, so that a run can be repeated from one file.

Models: the file after `extends`, `compose`, settings and defaults; loading it gives an equal Setup except for
the line numbers of steps. Trees that were files become text. Leaves out comments and the keys without effect of
networks. Source: the project's scenario language.
"""

from __future__ import annotations

from typing import Any

import yaml
from msgspec.structs import asdict

from sim.designs import DESIGNS
from sim.designs.takes import lacks
from sim.engine.setup import (
    FOR_EVER,
    Answers,
    Bundle,
    Child,
    EngineSetup,
    Exec,
    Healthcheck,
    HostSetup,
    IPv4Port,
    Network,
    OnTerm,
    Payload,
    Pins,
    Port,
    PortRange,
    Service,
    Unit,
)
from sim.scenario.compile import Scenario
from sim.scenario.dumper import Dumper
from sim.scenario.expect import TreeExpect
from sim.scenario.networks import BRIDGE
from sim.scenario.process_read import process_plain
from sim.scenario.profiles import profile_plain
from sim.scenario.services import STOP_SIGNAL
from sim.scenario.units import format_clock, format_duration


def resolved(scenario: Scenario) -> str:
    """Return the YAML of *scenario* with nothing left to assume."""
    setup = scenario.setup
    late = set(scenario.late)
    document: dict[str, Any] = {
        "title": scenario.title,
        "host": host_of(setup.host),
        "engine": engine_of(setup.engine, spelt_design(scenario)),
        "networks": {net.name: network_of(net) for net in setup.networks if net != BRIDGE},
        "services": {
            scenario.keys[service.name]: service_of(service, scenario)
            for service in setup.services
            if service.name not in late
        },
        "steps": scenario.raw.get("steps"),
        "until": scenario.raw.get("until"),
        "properties": scenario.raw.get("properties"),
        "faults": scenario.raw.get("faults"),
        "order": list(setup.order),
        "expect": expect_of(scenario),
        "whatif": scenario.raw.get("whatif"),
        "assumptions": list(scenario.assumptions),
    }
    kept = {key: value for key, value in document.items() if value not in (None, [], {})}
    return yaml.dump(kept, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def host_of(host: HostSetup) -> dict[str, Any]:
    """Return the host's keys."""
    keys: dict[str, Any] = {
        "cores": host.cores,
        "uptime": format_duration(host.uptime),
        "begin": host.begin,
        "pid_max": host.pid_max,
        "clock": format_clock(host.epoch, host.tz_minutes),
        "hostname": host.hostname,
        "cgroup": host.cgroup,
    }
    if host.subreaper:
        keys["subreaper"] = host.subreaper
    if host.supervisor != HostSetup().supervisor:
        keys["supervisor"] = host.supervisor
    if host.processes:
        keys["processes"] = [process_plain(row, host.tz_minutes) for row in host.processes]
    return keys if host.next_pid is None else {**keys, "next_pid": host.next_pid}


def engine_of(engine: EngineSetup, version: str = "") -> dict[str, Any]:
    """Return the engine's keys as daemon.json and systemd spell them, those that *version* has (the design itself)."""
    daemon, unit = engine.daemon, engine.unit
    design = DESIGNS[engine.design]
    of_daemon = {
        "live-restore": daemon.live_restore,
        "shutdown-timeout": daemon.shutdown_timeout // 1_000_000,
        "userland-proxy": daemon.userland_proxy,
        "ip6tables": daemon.ip6tables,
        "max-health-check-retries": daemon.max_health_check_retries,
        "log-driver": daemon.log_driver,
    }
    sections = {
        section: {key: value for key, value in keys.items() if not lacks(design, section, key, version)}
        for section, keys in (("daemon", of_daemon), ("unit", unit_of(unit)))
    }
    sections["units"] = {name: unit_of(it) for name, it in engine.units}
    return {
        "design": version or engine.design,
        "profile": profile_plain(engine.profile, engine.durations) if engine.durations else engine.profile,
        **{section: keys for section, keys in sections.items() if keys},
        "unverified": {
            name: number if "threads" in name else format_duration(number)
            for name, number in asdict(engine.unverified).items()
            if not lacks(design, "unverified", name, version) or number != getattr(design.traits.unverified, name)
        },
    }


def spelt_design(scenario: Scenario) -> str:
    """Return the design as the file names it: a version may have keys that its row's own name has not."""
    engine = scenario.raw.get("engine")
    said = engine.get("design") if isinstance(engine, dict) else None
    return str(said or scenario.setup.engine.design)


def unit_of(unit: Unit) -> dict[str, Any]:
    """Return the keys of a unit as systemd spells them."""
    return {
        "Restart": unit.restart,
        "KillMode": unit.kill_mode,
        "RestartSec": format_duration(unit.restart_sec),
        "StartLimitBurst": unit.start_limit_burst,
        "StartLimitInterval": format_duration(unit.start_limit_interval),
        "TimeoutStopSec": format_duration(unit.timeout_stop),
    }


def network_of(network: Network) -> dict[str, Any]:
    """Return a network with its subnet; its length is not kept, /16 holds every address of the prefix."""
    bits = 16 if network.prefix.endswith(".0.") else 24
    subnet = network.subnet or f"{network.prefix}0/{bits}"
    keys: dict[str, Any] = {"driver": network.driver, "ipam": {"config": [{"subnet": subnet}]}}
    return {**keys, "internal": True} if network.internal else keys


def service_of(service: Service, scenario: Scenario) -> dict[str, Any]:
    """Return a service with everything said."""
    raw = scenario.raw.get("services", {}).get(scenario.keys[service.name]) or {}
    restart = f"{service.restart.name}:{service.restart.max}" if service.restart.max else service.restart.name
    keys: dict[str, Any] = {
        "image": service.image,
        "container_name": service.name,
        "entrypoint": [service.path],
        "command": list(service.args),
        "ports": [port_of(port) for port in service.ports],
        "restart": restart,
        "stop_signal": service.stop_signal,
        "stop_grace_period": -1 if service.stop_timeout == FOR_EVER else format_duration(service.stop_timeout),
        **networks_of(service, raw),
        "depends_on": raw.get("depends_on"),
        "init": service.init or None,
        "healthcheck": healthcheck_of(service.healthcheck),
        "labels": dict(service.labels),
        "volumes": [f"{it.name}:{it.destination}" + ":ro" * it.read_only for it in service.volumes],
        "mem_limit": service.memory,
        "oom_score_adj": service.oom_score_adj or None,
        "logging": {"driver": service.log_driver},
        "tty": service.tty or None,
        "pid": "host" if service.host_pid else service.pid_of and f"container:{service.pid_of}",
        "x-rm": service.auto_remove or None,
        "x-payload": payload_of(service.payload, service.stop_signal or STOP_SIGNAL),
        "x-exec": {row.name: exec_of(row) for row in service.execs},
        "x-proxy": {"threads": service.proxy_threads},
        "x-pids": pids_of(service.pins),
        "x-bundle": bundle_of(service.bundle, scenario.setup.host.tz_minutes),
        "x-address": service.pins.address,
        "x-id": service.id,
    }
    design = DESIGNS[scenario.setup.engine.design]
    kept = {key: it for key, it in keys.items() if it not in (None, "", [], {})}
    return {key: it for key, it in kept.items() if not lacks(design, "service", key, spelt_design(scenario))}


def networks_of(service: Service, raw: dict[str, Any]) -> dict[str, Any]:
    """Return what it says of networks."""
    links = {"links": raw.get("links")}
    if service.network_mode:
        return {"network_mode": service.network_mode, **links}
    if service.networks == ("bridge",) and not service.fixed:
        return links
    fixed = dict(service.fixed)
    if not fixed:
        return {"networks": list(service.networks), **links}
    return {
        "networks": {it: {"ipv4_address": fixed[it]} if it in fixed else None for it in service.networks},
        **links,
    }


def port_of(port: Port) -> str:
    """Return a port in Compose's short form."""
    ip = f"[{port.ip}]:" if ":" in port.ip else f"{port.ip}:"
    if port.ip == "0.0.0.0" and not isinstance(port, IPv4Port):
        ip = ""
    host = f"{port.host}-{port.last}" if isinstance(port, PortRange) else port.host
    return f"{ip}{host}:{port.container}" + ("" if port.proto == "tcp" else f"/{port.proto}")


def payload_of(payload: Payload, stop: str) -> dict[str, Any]:
    """Return how the program behaves, whose stop signal is *stop*."""
    keys: dict[str, Any] = {
        "comm": payload.comm,
        "argv": list(payload.argv),
        "threads": payload.threads,
        "ready": format_duration(payload.ready),
        "on_term": on_term_of(payload.on_term),
        **common_of(payload),
    }
    if stop in dict(payload.on):
        del keys["on_term"]  # `on` answers the stop signal
    if payload.children:
        keys["children"] = [child_of(child) for child in payload.children]
    if payload.exits:
        keys["exits"] = {"code": payload.exits.code, "after": format_duration(payload.exits.after)}
    if payload.listens is not None:
        keys["listens"] = [f"{number}/{proto}" if proto != "tcp" else number for proto, number in payload.listens]
    if payload.memory:
        keys["memory"] = payload.memory
    if payload.fails_to_start:
        keys["fails_to_start"] = payload.fails_to_start
    fails = payload.fails
    if fails:
        closed = f"closed({fails.container}:{fails.port})"
        keys["fails"] = {"code": fails.code, "after": format_duration(fails.after), "while": closed}
    if payload.log:
        rates = {log.stream: f"{log.rate}B/s" for log in payload.log}
        keys["log"] = {**rates, "write": payload.log[0].write}
    return keys


def healthcheck_of(check: Healthcheck | None) -> dict[str, Any] | None:
    """Return a health check with its times."""
    if check is None:
        return None
    times = {"interval": check.interval, "timeout": check.timeout}
    later = {"start_period": check.start_period, "start_interval": check.start_interval}  # not of every version
    times |= {key: time for key, time in later.items() if time}
    return {
        "test": ["CMD", *check.argv],
        **{key: format_duration(time) for key, time in times.items()},
        "retries": check.retries,
    }


def exec_of(row: Exec) -> dict[str, Any]:
    """Return what a command does that runs beside the program."""
    ends = {"code": row.code, "after": format_duration(row.after)}
    keys: dict[str, Any] = {
        "exits": {key: value for key, value in ends.items() if value is not None},
        "on_term": on_term_of(row.on_term),
        "children": [child_of(child) for child in row.children],
        "threads": row.threads,
        "missing": row.missing,
        "on": on_of(row.on),
    }
    if STOP_SIGNAL in dict(row.on):
        del keys["on_term"]
    return {key: value for key, value in keys.items() if value}


def child_of(child: Child) -> dict[str, Any]:
    """Return a process that another one forks."""
    keys: dict[str, Any] = {"comm": child.comm, "argv": list(child.argv), "threads": child.threads}
    if child.exits:
        keys["exits"] = {"code": child.exits.code, "after": format_duration(child.exits.after)}
    if child.every is not None:
        keys["every"] = format_duration(child.every)
    if child.children:
        keys["children"] = [child_of(below) for below in child.children]
    return keys | common_of(child)


def common_of(program: Payload | Child) -> dict[str, Any]:
    """Return what any program of a container may do, where it is not the default."""
    keys: dict[str, Any] = {"on": on_of(program.on)} if program.on else {}
    if not program.reaps or program.reaps_after:
        keys["reaps"] = format_duration(program.reaps_after) if program.reaps else False
    if program.threads_end:
        keys["threads_end"] = [{"count": it.count, "after": format_duration(it.after)} for it in program.threads_end]
    if program.main_ends is not None:
        keys["main_ends"] = format_duration(program.main_ends)
    return keys


def on_of(answers: Answers) -> dict[str, object]:
    """Return what each signal does."""
    return {signal: "default" if how.kind == "none" else on_term_of(how) for signal, how in answers}


def on_term_of(on_term: OnTerm) -> object:
    """Return what a signal does."""
    if on_term.kind != "exit":
        return on_term.kind
    return {"exit": on_term.code, "after": format_duration(on_term.after)}


def pids_of(pins: Pins) -> dict[str, Any]:
    """Return the pinned numbers."""
    keys = {"proxy": list(pins.proxy), "shim": pins.shim, "payload": pins.payload, "children": list(pins.children)}
    return {key: value for key, value in keys.items() if value not in (None, [])}


def bundle_of(bundle: Bundle, tz_minutes: int) -> dict[str, Any]:
    """Return what was observed of the bundle folder."""
    keys: dict[str, Any] = {} if bundle.config_size is None else {"config_size": bundle.config_size}
    written = {name: format_clock(at, tz_minutes) for name, at in bundle.written}
    return keys | ({"written": written} if written else {})


def expect_of(scenario: Scenario) -> list[Any]:
    """Return the expectations; a tree that was a file becomes text."""
    trees = iter(["\n".join(it.lines) + "\n" for it in scenario.expectations if isinstance(it, TreeExpect)])
    return [
        {**entry, "tree": next(trees)} if isinstance(entry, dict) and "tree" in entry else entry
        for entry in scenario.raw.get("expect") or []
    ]
