"""The scenario file as pydantic models: which keys there are and how each value is read.

Keys keep the spelling of Compose, daemon.json and systemd; what is ours in a service begins with `x-`. Keys that are
accepted and not followed are in `noted.py`, those not modelled yet in `known.py`; anything else is refused. Steps and
expectations are checked word by word in `steps.py` and `expect.py`, since they name containers and steps; their models
here are for editors. Source: Compose file reference, dockerd(8), systemd.service(5).
"""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema
from pydantic.json_schema import PydanticJsonSchemaWarning

from sim.engine.paths import STREAMS
from sim.engine.setup import Daemon, EngineSetup, Restart
from sim.scenario import known, network_words, readers, units
from sim.scenario.expression import in_short
from sim.scenario.fields import (
    Address,
    Bool,
    Comm,
    ContainerId,
    Duration,
    FaultKinds,
    FaultNumber,
    Grace,
    Memory,
    OomScoreAdj,
    Pair,
    Pid,
    Pids,
    Ports,
    RestartPolicy,
    Signal,
    Subnet,
    SystemdDuration,
    Text,
    Threads,
    Words,
    kind,
    whole,
)
from sim.scenario.noted import NOTED
from sim.scenario.process_read import ProcessFile
from sim.scenario.schema_deploy import OF_DEPLOY, DeployFile, Number
from sim.scenario.schema_program import ExecFile, PayloadFile, Strict
from sim.scenario.step_word import step_words

Seconds = Annotated[int, *kind(whole(0, 86_400, "a number of seconds"), type="integer", minimum=0)]


# -- host and engine -------------------------------------------------------------------------------


class HostFile(Strict):
    """The machine."""

    cores: Annotated[int, *kind(whole(1, 4096, "a number of cores"), type="integer", minimum=1)] = 2
    uptime: Duration = 10 * 86_400_000_000
    begin: Literal["steady", "boot", "off"] = "steady"
    pid_max: Annotated[int, *kind(whole(301, 4_194_304, "a largest process id"), type="integer", minimum=301)] = 32768
    next_pid: Pid | None = None
    clock: Annotated[Any, *kind(units.wall_clock, type="string", examples=["2020-12-03T09:46:58+08:00"])] = None
    hostname: Text = "host"
    cgroup: Literal["v1", "v2"] | None = None
    subreaper: Comm = Field(
        "", description="a process below which the engine runs and which adopts its orphans, by its name: systemd"
    )
    supervisor: Literal["systemd", "none"] = Field(
        "systemd", description="none: PID 1 only reaps, and nobody starts the engine again"
    )
    processes: tuple[ProcessFile, ...] = Field((), description="the table of processes at t = 0, as ps shows it")


class DaemonFile(Strict):
    """daemon.json."""

    noted = NOTED["daemon"]
    live_restore: Bool = Field(False, alias="live-restore")
    shutdown_timeout: Seconds = Field(15, alias="shutdown-timeout")
    userland_proxy: Bool = Field(True, alias="userland-proxy")
    ip6tables: Bool = False
    log_driver: Annotated[Any, *kind(readers.log_driver, type="string")] = Field(
        Daemon().log_driver, alias="log-driver"
    )
    max_health_check_retries: Annotated[int, *kind(whole(1, 1000, "a number of tries"), type="integer")] = Field(
        3, alias="max-health-check-retries"
    )


UnitRestart = Literal["no", "always", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort"]


class UnitSection(Strict):
    """The [Service] section of a unit. The defaults are those of docker.service of 1.13; each unit has its own."""

    noted = NOTED["unit"]
    restart: UnitRestart = Field("on-abnormal", alias="Restart")
    kill_mode: Literal["process", "control-group", "mixed"] = Field("process", alias="KillMode")
    restart_sec: SystemdDuration = Field(100_000, alias="RestartSec")
    start_limit_burst: Annotated[int, *kind(whole(0, 100_000, "a number of starts"), type="integer")] = Field(
        5, alias="StartLimitBurst"
    )
    start_limit_interval: SystemdDuration = Field(10_000_000, alias="StartLimitInterval")
    timeout_stop: SystemdDuration = Field(90_000_000, alias="TimeoutStopSec")


class UnverifiedFile(Strict):
    """Numbers of the engine that are no setting of it and that nobody has verified: a run may try others."""

    dockerd_threads_before: Threads = 5
    dockerd_threads_after: Threads = 7
    containerd_threads: Threads = 16
    shim_threads_before: Threads = 7
    shim_threads_after: Threads = 2
    runc_threads: Threads = 6
    hook_threads: Threads = 7
    resolver_threads: Threads = 7
    layer_wait: Duration = 5_000_000
    last_chance: Duration = 10_000_000
    journald_timeout_stop: Duration = 90_000_000


PROFILE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": list(known.PROFILES)},
        {"type": "string", "pattern": "[.]ya?ml$", "description": "a file that shimulator calibrate has written"},
        {"type": "object", "required": ["durations"], "properties": {"durations": {"type": "object"}}},
    ]
}


UNITS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "by name the units beside the engine's own, such as containerd or kubelet",
}


class EngineFile(Strict):
    """Which engine, and its settings."""

    design: Annotated[str, Field(json_schema_extra={"enum": list(known.DESIGNS)})] = EngineSetup().design
    daemon: DaemonFile = DaemonFile()
    unit: UnitSection = UnitSection()
    units: Annotated[Any, WithJsonSchema(UNITS_SCHEMA)] = None
    profile: Annotated[Any, WithJsonSchema(PROFILE_SCHEMA)] = EngineSetup().profile
    unverified: UnverifiedFile = UnverifiedFile()


# -- networks and services -------------------------------------------------------------------------


MODES = ("host", "none", "service:vpn", "container:vpn")


class SubnetFile(Strict):
    """One entry of a network's ipam.config."""

    noted = NOTED["subnet"]
    subnet: Subnet | None = None


class IpamFile(Strict):
    """A network's addresses."""

    noted = NOTED["ipam"]
    config: tuple[SubnetFile, ...] = ()


class NetworkFile(Strict):
    """A Compose network."""

    noted = NOTED["network"]
    driver: Text = "bridge"
    internal: Bool = False
    external: Annotated[Any, *kind(network_words.external, type=["boolean", "object"])] = False
    name: Text | None = None
    ipam: IpamFile = IpamFile()


WRITTEN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {stream: {"type": "string", "examples": ["2020-12-14T10:27:00+08:00"]} for stream in STREAMS},
}


class ProxyFile(Strict):
    """docker-proxy of a container."""

    threads: Threads = 6


class PinsFile(Strict):
    """Process ids that were observed for the first start."""

    proxy: Pids = ()
    shim: Pid | None = None
    payload: Pid | None = None
    children: Pids = ()


class BundleFile(Strict):
    """What was observed of a container's bundle folder; without it `ls-bundle` says `?` for the size of config.json."""

    config_size: Annotated[int, *kind(whole(0, 2**40, "a size in bytes"), type="integer", minimum=0)] | None = None
    written: Annotated[Any, *kind(readers.written, **WRITTEN_SCHEMA)] = ()


class ServiceFile(Strict):
    """A Compose service."""

    noted = NOTED["service"]
    later = known.SERVICE_NOT_MODELLED
    image: Text | None = None
    command: Words = None
    entrypoint: Words = None
    ports: Ports = ()
    restart: RestartPolicy = Restart()
    container_name: Text | None = None
    stop_signal: Signal | None = None
    stop_grace_period: Grace = 10_000_000
    mem_limit: Memory | None = None
    oom_score_adj: OomScoreAdj = 0
    networks: Annotated[Any, *kind(network_words.networks, type=["array", "object"])] = ()
    network_mode: Annotated[Any, *kind(network_words.network_mode, type="string", examples=[*MODES])] = None
    net: Annotated[Any, *kind(network_words.network_mode, type="string")] = None
    links: Annotated[Any, *kind(network_words.links, type="array", items={"type": "string"})] = ()
    depends_on: Annotated[Any, *kind(readers.depends_on, type=["array", "object"])] = ()
    deploy: DeployFile = DeployFile()
    scale: Number = 1
    init: Bool = False
    healthcheck: Annotated[Any, *kind(readers.healthcheck, type="object")] = None
    labels: Annotated[Any, *kind(readers.labels, type=["array", "object"])] = ()
    volumes: Annotated[Any, *kind(readers.volumes, type="array", items={"type": ["string", "object"]})] = ()
    logging: Annotated[Any, *kind(readers.logging, type="object")] = None
    log_driver: Annotated[Any, *kind(readers.log_driver, type="string")] = None
    tty: Bool = False
    pid: Annotated[Any, *kind(network_words.pid, type="string", examples=["host", *MODES[2:]])] = None
    x_rm: Bool = Field(False, alias="x-rm", description="docker run --rm: dockerd removes it after its end")
    x_payload: PayloadFile | None = Field(None, alias="x-payload")
    x_exec: dict[str, ExecFile] = Field({}, alias="x-exec", description="commands by their words, or their first word")
    x_proxy: ProxyFile = Field(ProxyFile(), alias="x-proxy")
    x_pids: PinsFile = Field(PinsFile(), alias="x-pids")
    x_bundle: BundleFile = Field(BundleFile(), alias="x-bundle")
    x_address: Address | None = Field(None, alias="x-address")
    x_id: ContainerId | None = Field(None, alias="x-id")


# -- the file, for editors and for its top-level keys ----------------------------------------------


class StepFile(Strict):
    """Something done at an instant; exactly one of the actions."""

    id: str | None = None
    at: str | None = None
    wait: bool = False
    every: str | None = Field(None, description="it is taken again and again, in this period")
    times: int | None = Field(None, description="so often in all")
    until: str | None = Field(None, description="as long as this moment has not come; without it to the run's until")
    docker: str | list[str] | None = None
    compose: str | list[str] | None = None
    systemctl: str | list[str] | None = None
    kill: str | list[str] | None = None
    stop: str | list[str] | None = None
    cont: str | list[str] | None = None
    reboot: bool | None = None
    power_loss: bool | str | None = Field(None, description="true, or how long the power is away")
    oom: str | None = Field(None, description="a container at its mem_limit, or host")
    signal: str | int | None = None
    host: dict[str, Any] | None = None
    upgrade: dict[str, Any] | None = None


class PropertyFile(Strict):
    """A sentence about states in an expression; exactly one of always, sometimes, eventually."""

    name: str | None = None
    always: str | None = Field(None, description=f"in every state; {in_short()}")
    sometimes: str | None = Field(None, description="in at least one state")
    eventually: str | None = Field(None, description="at every end of a run, and somewhere on every cycle")


class FaultsFile(Strict):
    """What the environment may do to an explored host: in all, of each kind, from one moment to another."""

    total: FaultNumber | None = None
    kinds: FaultKinds = ()
    between: Pair | None = None


class WhatifFile(Strict):
    """What `shimulator whatif` compares the file with: each path a value, a list of values, or a range such as 1..4."""

    grid: dict[str, Any] = Field({}, description="every value with every other")
    zip: dict[str, Any] = Field({}, description="first values together, then second ones")
    list_: list[dict[str, Any]] = Field([], alias="list", description="each entry one alternative")
    faults: list[str | dict[str, Any]] = Field([], description="each in the place of the first step that harms")
    window: Pair | None = Field(None, description="[FROM, TO]: what is measured")
    seeds: Annotated[int, *kind(whole(1, 1_000_000, "a number of runs"), type="integer")] | None = None
    precision: Text | None = Field(None, description="run on until every interval is as narrow: 100ms or 5%")
    most: Annotated[int, *kind(whole(1, 1_000_000, "a number of runs"), type="integer")] | None = None


class ExpectFile(Strict):
    """What must hold; exactly one of container, process, file, port, dark, events, step, tree, property."""

    at: str | None = None
    during: list[str] | None = None
    within: str | None = None
    of: str | None = None
    container: str | list[str] | None = None
    except_: list[str] | None = Field(None, alias="except")
    status: str | None = None
    exit_code: int | str | None = None
    restarts: int | str | None = None
    buffered: int | str | None = Field(None, description="bytes between program and log, as 160KiB or 1MB..1.2MB")
    lost: int | str | None = Field(None, description="counted bytes of its output that nobody will read")
    blocked: bool | None = None
    pid: Literal["same", "new"] | None = None
    since: str | None = None
    health: Literal["starting", "healthy", "unhealthy"] | None = None
    oom_killed: bool | None = Field(None, description="its program was killed for lack of memory (State.OOMKilled)")
    stopped_by_hand: bool | None = Field(None, description="HasBeenManuallyStopped of docker, StoppedByUser of podman")
    address: str | None = Field(None, description="the address that IPAM holds for it, or none")
    process: str | None = None
    exists: bool | None = None
    parent: str | None = None
    state: str | None = None
    count: int | str | None = None
    exit_status: int | str | None = Field(None, description="2, 1..127 or a signal: of processes that have ended")
    port: int | None = None
    from_: Literal["remote", "loopback", "container", "host", "dns", "remote6", "loopback6"] | None = Field(
        None, alias="from"
    )
    open: bool | None = None
    finds: Literal["answered", "silent", "closed", "refused", "timeout", "foreign", "unresolved"] | None = Field(
        None, description="what a connect finds"
    )
    dark: str | int | None = None
    max: str | None = None
    file: str | None = None
    events: list[str | dict[str, Any]] | None = Field(
        None, description="[{kill web: 9}, {die web: 137}, {next: start web}]"
    )
    next: bool | None = Field(None, description="no other event of theirs comes between two of the list")
    step: str | None = Field(None, description="the id of a step")
    ok: bool | None = Field(None, description="it ended without an error")
    error: str | None = Field(None, description="a part of the words that its user saw")
    unanswered: bool | None = Field(None, description="its command still waits")
    exact: bool | None = None
    tree: str | None = None
    root: str | None = None
    view: Literal["pstree", "ps-axjf"] | None = None
    rows: int | str | None = None
    property: str | None = Field(None, description="a name of properties:, or of an invariant (V1 to V25)")


class File(Strict):
    """A shimulator scenario."""

    title: str = ""
    extends: str | None = None
    compose: str | list[str] | dict[str, str | list[str]] | None = Field(
        None, description="Compose files, or {files, env_files, profiles, project}"
    )
    images: str | list[str] | None = Field(None, description="files and folders of the library of images; library")
    host: HostFile = HostFile()
    engine: EngineFile = EngineFile()
    networks: dict[str, NetworkFile | None] = {}
    services: dict[str, ServiceFile | None] = {}
    steps: list[StepFile] = []
    until: str | None = None
    properties: list[PropertyFile | str] = []
    faults: FaultsFile = FaultsFile()
    order: list[str] = []
    expect: list[ExpectFile] = []
    whatif: WhatifFile = WhatifFile()
    assumptions: list[str] = []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files; keys without effect are accepted, `x-` keys at the top hold anchors."""
    with warnings.catch_warnings():  # defaults that are records have no form in JSON; they are left out
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        schema = File.model_json_schema(by_alias=True)
    schema["patternProperties"] = {"^x-": {}}
    schema["$defs"]["StepFile"]["properties"] |= {name: word.schema for name, word in step_words().items()}
    schema["$defs"]["EngineFile"]["properties"]["units"]["additionalProperties"] = {"$ref": "#/$defs/UnitSection"}
    for model in (DaemonFile, UnitSection, NetworkFile, SubnetFile, IpamFile, ServiceFile, *OF_DEPLOY):
        properties = schema["$defs"][model.__name__]["properties"]
        for key in sorted(model.noted):
            properties.setdefault(key, {"description": "without effect on processes"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
