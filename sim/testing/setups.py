"""Setups and scenarios, drawn: each part is the default one but for a few fields, so that a failure shrinks to those.

TRAITS says what a field may be beside its default; the values are short times and small numbers, and containers that
are in each other's way: two publish one port. LEFT_OUT names the fields that are never drawn, and why. A scenario is a
setup in which people do something at some moments. Source: the setup's own fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from sim.designs import DESIGNS
from sim.designs.takes import had_by
from sim.drive.follow import driver_of
from sim.engine.setup import (
    MS,
    Child,
    Daemon,
    Ends,
    EngineSetup,
    Exec,
    Fails,
    Healthcheck,
    HostSetup,
    Instant,
    Log,
    Microseconds,
    Network,
    Observed,
    OnTerm,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
    ThreadsEnd,
    Unit,
    Volume,
)
from sim.testing.commands import commands
from sim.trace import Trace

T = TypeVar("T")

NAMES = ("web", "db", "job")
NETWORKS = (
    Network("bridge", "172.17.0."),
    Network("site", "172.19.0."),
    Network("inner", "10.9.0.", internal=True, subnet="10.9.0.64/29"),
)
SHELL = Child("nginx", ("nginx",))
CRON = Child("cron", ("cron",), exits=Ends(0, 200 * MS))
WORKER = Child("job", ("job",), 2, Ends(1, 1 * S), on=(("TERM", OnTerm("exit", 4, 100 * MS)),), main_ends=300 * MS)
YOUNG = Healthcheck(("check",), 2 * S, 1 * S, 1, 3 * S, 1 * S)
MIB = 2**20
FOUND = (
    Observed(1, "/sbin/init", 0, 0, 0, threads=1),
    Observed(4000, "-bash", 1, 4000, 4000, "pts/2", "Ss", started=1_577_836_000),
    Observed(3999, "make  all", 4000, 3999, 4000, "pts/2", "Sl+", 3, 1_577_836_700),
)

TRAITS: dict[type, dict[str, tuple[Any, ...]]] = {
    Service: {
        "ports": ((), (Port(8080, 80), Port(8443, 443)), (Port(53, 53, "udp"), Port(8080, 80, ip="127.0.0.1"))),
        "restart": (Restart("always"), Restart("unless-stopped"), Restart("on-failure", 2), Restart("on-failure")),
        "stop_signal": ("INT", "TERM", "KILL"),
        "stop_timeout": (0, 1 * S),
        "network": ("site",),
        "more_networks": (("inner",),),
        "network_mode": ("host", "none", f"container:{NAMES[0]}"),
        "pid_of": (NAMES[0],),
        "links": ((NAMES[0],),),
        "fixed": ((("bridge", "172.17.0.3"),),),
        "volumes": ((Volume("data", "/data"),),),
        "proxy_threads": (5,),
        "at_begin": (False,),
        "log_driver": ("json-file", "none"),
        "execs": ((Exec("sleep", after=5 * S),), (Exec("check", 1), Exec("gone", missing=True))),
        "memory": (64 * MIB,),
        "healthcheck": (Healthcheck(("check",), 1 * S, 1 * S, 2), Healthcheck(("sleep",), 1 * S, 300 * MS, 1), YOUNG),
        "auto_remove": (True,),
        "oom_score_adj": (-500, 1000),
        "tty": (True,),
        "host_pid": (True,),
        "init": (True,),
    },
    Payload: {
        "threads": (2,),
        "children": ((SHELL,), (SHELL, CRON), (replace(CRON, every=1 * S),), (replace(CRON, children=(WORKER,)),)),
        "ready": (300 * MS,),
        "on_term": (OnTerm("none"), OnTerm("ignore"), OnTerm("exit", 3, 2 * S)),
        "exits": (Ends(0, 50 * MS), Ends(1, 50 * MS), Ends(1, 12 * S)),
        "fails": (Fails(1, 300 * MS, NAMES[0], 80),),
        "fails_to_start": ("not found", "permission denied"),
        "on": ((("HUP", OnTerm("reload")), ("TERM", OnTerm("ignore"))), (("INT", OnTerm("exit", 3, 1 * S)),)),
        "reaps": (False,),
        "reaps_after": (1 * S,),
        "threads_end": ((ThreadsEnd(1, 300 * MS),),),
        "main_ends": (500 * MS,),
        "log": ((Log("stdout", 4096),), (Log("stdout", 200_000), Log("stderr", 100, 100))),
        "memory": (32 * MIB, 80 * MIB),
        "listens": ((("tcp", 80), ("tcp", 9100)), ()),
    },
    Daemon: {
        "live_restore": (True,),
        "shutdown_timeout": (1 * S,),
        "max_health_check_retries": (1,),
        "userland_proxy": (False,),
        "log_driver": ("json-file",),
    },
    Unit: {
        "restart": ("always", "no", "on-failure"),
        "kill_mode": ("control-group", "mixed"),
        "restart_sec": (0,),
        "start_limit_burst": (2,),
        "start_limit_interval": (1 * S,),
        "timeout_stop": (5 * S,),
    },
    HostSetup: {
        "begin": ("boot", "off"),
        "cores": (1, 8),
        "next_pid": (32_700, 5_000),
        "subreaper": ("tini",),
        "supervisor": ("none",),
        "processes": (FOUND,),
    },
}
"""By kind of part: what each field may be beside its default."""

LEFT_OUT: dict[type, dict[str, str]] = {
    Service: {
        **dict.fromkeys(("name", "id", "image", "path", "args", "payload"), "drawn, or told by the name"),
        "pins": "numbers that were observed belong to one run",
        **dict.fromkeys(("bundle", "labels"), "shown alone"),
    },
    Payload: dict.fromkeys(("comm", "argv"), "the container's name"),
    Daemon: {"ip6tables": "takes time alone: no network has addresses of IPv6"},
    Unit: {},
    HostSetup: {
        "pid_max": "a host that is out of numbers ends a run with an error",
        "uptime": "10 s: none but views can tell how long nothing happened",
        "cgroup": "the design's, some of which run with one version alone",
        **dict.fromkeys(("epoch", "tz_minutes", "hostname"), "shown alone"),
    },
}


@lru_cache(64)
def varied(plain: T, most: int = 3) -> st.SearchStrategy[T]:
    """Return parts that are *plain* but for at most so many fields, by TRAITS."""
    pairs = [(name, value) for name, values in TRAITS[type(plain)].items() for value in values]
    chosen = st.lists(st.sampled_from(pairs), max_size=most, unique_by=lambda pair: pair[0])
    return chosen.map(lambda fields: replace(plain, **dict(fields)))  # type: ignore[type-var]


def plain_service(name: str) -> Service:
    """Return a container of its own name that publishes a port, without anything unusual.

    >>> plain_service("db").ports
    (Port(host=8081, container=80, proto='tcp', ip='0.0.0.0'),)
    """
    number = NAMES.index(name) if name in NAMES else len(NAMES)
    return Service(name, f"{number + 10:x}" * 64, name, name, (), Payload(name, (name,)), (Port(8080 + number, 80),))


def services(name: str = NAMES[0]) -> st.SearchStrategy[Service]:
    """Return containers of one name: in at most three fields of the container and two of its program unusual."""
    pairs = st.tuples(varied(plain_service(name)), varied(plain_service(name).payload, 2))
    return pairs.map(lambda pair: possible(replace(pair[0], payload=pair[1])))


def possible(service: Service) -> Service:
    """Return what docker makes of options that it does not take together."""
    if service.auto_remove:
        service = replace(service, restart=Restart())
    if service.name in service.needs:
        links = tuple(name for name in service.links if name != service.name)
        mode = "" if service.joins == service.name else service.network_mode
        service = replace(service, network_mode=mode, pid_of="", links=links)
    if service.network_mode:
        own = "" if service.joins else service.network_mode
        service = replace(service, network=own, more_networks=(), links=(), fixed=(), ports=())
    elif service.networks != ("bridge",):
        service = replace(service, links=(), fixed=())
    service = replace(service, host_pid=service.host_pid and not service.pid_of)
    return replace(service, init=service.init and not service.shares_pids)


def on_its_own(service: Service) -> Service:
    """Return a container with one network, of its own, that shares nothing."""
    network = service.network if service.networks and not service.network_mode else "bridge"
    return replace(service, network=network, more_networks=(), network_mode="", pid_of="", links=(), fixed=())


@st.composite
def setups(draw: st.DrawFn, most: int = len(NAMES), design: str = EngineSetup().design) -> Setup:
    """Draw a host with so many containers at most, with nobody who does anything."""
    names = NAMES[: draw(st.integers(1, most))]
    host = draw(varied(HostSetup(uptime=10 * S), 2))
    engine = EngineSetup(daemon=draw(varied(Daemon(), 2)), unit=draw(varied(Unit(), 2)))
    return fitted(Setup(tuple(draw(services(name)) for name in names), NETWORKS, host, engine), design)


def fitted(setup: Setup, design: str) -> Setup:
    """Return a setup with another design: it has what is that design's own, but for what was drawn.

    A key of daemon.json or of the unit that the design lacks goes, and so do namespaces that are shared, where its
    containers share none.

    >>> engine = fitted(Setup(engine=EngineSetup(unit=Unit(restart="no"))), "docker-26").engine
    >>> engine.unit.restart, engine.unit.start_limit_burst, engine.profile, engine.daemon.log_driver
    ('no', 3, 'docker-26-2core', 'json-file')
    """
    before, after = DESIGNS[setup.engine.design], DESIGNS[design]
    was, own, engine = before.traits, after.traits, setup.engine
    alone = after.engine.own_networks
    plain = (engine.profile, engine.durations) == (was.profile, before.engine.durations)
    found = EngineSetup(
        design,
        replace(own.daemon, **had_by(after, "daemon", _drawn(engine.daemon, was.daemon))),
        replace(own.unit, **had_by(after, "unit", _drawn(engine.unit, was.unit))),
        own.profile if plain else engine.profile,
        replace(own.unverified, **_drawn(engine.unverified, was.unverified)),
        after.engine.durations if plain else engine.durations,
    )
    return replace(setup, engine=found, services=tuple(map(on_its_own, setup.services)) if alone else setup.services)


def _drawn(part: Any, own: Any) -> dict[str, Any]:
    """Return the fields in which a part is not as the design's own."""
    return {key: value for key, value in asdict(part).items() if value != getattr(own, key)}


@st.composite
def scenarios(
    draw: st.DrawFn, setups: st.SearchStrategy[Setup] | None = None, most: int = 4, length: Microseconds = 10 * S
) -> Setup:
    """Draw a host on which people give so many commands at most, each at a moment of its own, within *length*."""
    setup = draw(SETUPS if setups is None else setups)
    moments = st.integers(0, length) | st.integers(0, length // S).map(lambda second: second * S)
    given = commands(setup.services, design=setup.engine.design)
    drawn = draw(st.lists(st.tuples(moments, given), max_size=most))
    terminals = tuple(
        (Step(f"s{number}", Instant(offset=at), command),) for number, (at, command) in enumerate(drawn, 1)
    )
    return replace(setup, terminals=terminals, until=Instant(offset=2 * length))


@st.composite
def traces(draw: st.DrawFn, scenarios: st.SearchStrategy[Setup] | None = None) -> Trace:
    """Draw a timed run of a scenario, with its seed."""
    return driver_of(draw(SCENARIOS if scenarios is None else scenarios), draw(st.integers(1, 99))).run()


SETUPS, SCENARIOS = setups(), scenarios()
