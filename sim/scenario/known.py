"""Words that are known to people but not to the model: refused by name, or words that files choose from.

Literal tables. A key stands under *not modelled yet* if a file cannot be understood without it and the model has no
rule for it; keys that a file may say although the model does not follow them are in `noted.py`. Source: Compose file
reference (v1 to v3.8 and the Compose specification), `docker COMMAND --help` of 1.13.
"""

from __future__ import annotations

from sim import latency
from sim.designs import DESIGNS as ROWS
from sim.designs import roles, stages, versions
from sim.engine.role import CONTAINER, HOST, STEP, SUPERVISOR, Kind

DESIGNS = tuple(dict.fromkeys((*versions(), *ROWS)))
PROFILES = tuple(latency.PROFILES)

SERVICE_NOT_MODELLED = {
    "extends": "a service taken from another one; merge keys (<<: *name) are read",
    "profiles": "",
}
PAYLOAD_NOT_MODELLED: dict[str, str] = {}
LOG_DRIVERS = ("journald", "json-file", "none")
LOG_DRIVERS_LATER = ("awslogs", "fluentd", "gcplogs", "gelf", "local", "logentries", "splunk", "syslog")


HOST_LATER: dict[str, str] = {}
ACTIONS = (
    "docker", "compose", "systemctl", "kill", "stop", "cont", "oom", "reboot", "power_loss", "host", "upgrade",
)  # fmt: skip
ACTIONS_LATER: tuple[str, ...] = ()

SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
    "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19,
    "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28,
    "IO": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
STATES = ("R", "S", "D", "T", "Z")  # of ps
PROTOCOLS = ("tcp", "udp")
STATUSES = ("created", "initialized", "running", "paused", "restarting", "stopping", "removing", "exited", "dead")


def named_roles() -> dict[str, str]:
    """Return every role that a file may name, and how: alone, of a container, by the step that made it."""
    found = {way: [name for name, role in roles().items() if role.target == way] for way in (HOST, CONTAINER, STEP)}
    found[CONTAINER] += [SUPERVISOR, *stages()]
    return {name: way for way, names in found.items() for name in names}


def prints(role: str) -> bool:
    """Return whether processes of a role are those whose output is modelled."""
    return role in roles() and roles()[role].kind is Kind.PAYLOAD


def slowed() -> dict[str, tuple[str, ...]]:
    """Return the programs that a step may slow down, each with its verbs that it may slow down alone."""
    return {name: role.verbs for name, role in roles().items() if role.slows}


def not_modelled(key: str, why: str) -> str:
    """Return the sentence that refuses a known key."""
    return f"{key} is not modelled yet ({why})." if why else f"{key} is not modelled yet."
