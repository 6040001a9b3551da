"""The expectations of a first scenario: what one run of it shows today, in rows that a file can have.

Models: candidates of the language itself (a container runs or has exited at the end; its ports are dark to a client for
at most so long), of which those are kept that the run fulfils. Leaves out everything that is not asked of containers and
ports. Source: the run.
"""

from __future__ import annotations

from sim.errors import InputError
from sim.experiment.run import run_scenario
from sim.scenario import load
from sim.scenario.words import shown

LIMITS = {  # limit -> the most that the run may show, so that it holds with other seeds too
    "1s": "700ms",
    "5s": "3500ms",
    "15s": "10s",
    "1m": "42s",
    "2m": "84s",
    "5m": "210s",
}
CLIENTS = ("remote", "loopback")
SPAN = "during: [shot, end]"


def with_expectations(text: str, name: str, seed: int = 1) -> str:
    """Return a scenario's text, which expects nothing yet, with what holds of its step `shot` today.

    Raises InputError if the text is no scenario. A run that comes to no end leaves the text as it is.
    """
    scenario = load(name, text)
    keys = list(scenario.keys.values())
    ported = [scenario.keys[it.name] for it in scenario.setup.services if it.ports and it.name in scenario.keys]
    rows = [f"{{at: end, container: {quoted(key)}, status: {status}}}" for key in keys for status in STATES]
    rows += [dark(key, client, most) for key in ported for client in CLIENTS for most in LIMITS.values()]
    candidates = "\n".join(["expect:", *[f"  - {row}" for row in rows]]) + "\n"
    try:
        verdicts = run_scenario(load(name, text + candidates), seed).verdicts()
    except InputError:
        return text
    holds = {row: verdict.holds for row, verdict in zip(rows, verdicts, strict=True)}
    kept = []
    for status, about in STATES.items():
        those = [key for key in keys if holds[f"{{at: end, container: {quoted(key)}, status: {status}}}"]]
        if those:
            names = "all" if those == keys else f"[{', '.join(map(quoted, those))}]"
            kept.append(f"{{at: end, container: {names}, status: {status}}}{about}")
    for key in ported:
        for client in CLIENTS:
            limit = next((it for it, most in LIMITS.items() if holds[dark(key, client, most)]), None)
            kept += [] if limit is None else [dark(key, client, limit)]
    if not kept:
        return text
    return text + "\n".join(["expect:                                   # as it is today", *[f"  - {it}" for it in kept]]) + "\n"


STATES = {"running": "", "exited": "     # nobody starts them again: see restart:"}


def dark(key: str, client: str, limit: str) -> str:
    """Return the row that a container's ports are closed to a client no longer than *limit*."""
    return f"{{dark: {quoted(key)}, from: {client}, max: {limit}, {SPAN}}}"


def quoted(name: str) -> str:
    """Return a service's name as YAML in a flow mapping; names have letters, digits, `_`, `.` and `-` only."""
    return name if name[:1].isalpha() and name.lower() not in WORDS else shown(name)


WORDS = ("all", "null", "true", "false", "yes", "no", "on", "off", "y", "n")
