"""The expectations of a first scenario: what one run of it shows today, in rows that a file can have.

Models: which containers run at the end and which have exited, and for how long at most the ports of each are dark to
clients elsewhere and on the host, with room for other seeds. Leaves out everything that is not asked of containers and
ports. Source: the run.
"""

from __future__ import annotations

from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.intervals import port_gaps

LIMITS = {"1s": 1, "5s": 5, "15s": 15, "1m": 60, "2m": 120, "5m": 300}
ROOM = 1.4  # the most that a limit has over what the run shows: other seeds draw other times
CLIENTS = ("remote", "loopback")
SPAN = "during: [shot, end]"
STATES = {"running": "", "exited": "     # nobody starts them again: see restart:"}
WORDS = ("all", "null", "true", "false", "yes", "no", "on", "off", "y", "n")


def with_expectations(text: str, name: str, seed: int = 1) -> str:
    """Return a scenario's text, which expects nothing yet, with what holds of its step `shot` today.

    Raises InputError if the text is no scenario. A run that comes to no end leaves the text as it is.
    """
    keys = list(load(name, text).keys.values())
    rows = [status_row([key], state) for key in keys for state in STATES]
    try:
        run = run_scenario(load(name, text + written(rows)), seed)
        holds = dict(zip(rows, (it.holds for it in run.verdicts()), strict=True))
        dark = dark_rows(run)
    except InputError:
        return text
    kept = []
    for state, about in STATES.items():
        those = [key for key in keys if holds[status_row([key], state)]]
        if those:
            kept.append(status_row(those, state, whole=len(those) == len(keys)) + about)
    return text + written([*kept, *dark]) if kept or dark else text


def dark_rows(run: Run) -> list[str]:
    """Return for how long the ports of each container are dark to each client; one that is not back has no row."""
    trace, keys = run.trace, run.scenario.keys
    window = (run.moment("shot") - trace.origin, trace.end - trace.origin)
    longest: dict[tuple[str, str], float] = {}
    for (container, _, client), gaps in port_gaps(trace, CLIENTS, window).items():
        key = (container, client)
        worst = max((end - start if closed else float("inf") for start, end, closed in gaps), default=0)
        longest[key] = max(longest.get(key, 0), worst)
    rows = []
    for (container, client), micros in longest.items():
        limit = next((words for words, most in LIMITS.items() if micros * ROOM <= most * 1_000_000), None)
        if limit is not None and container in keys:
            rows.append(f"{{dark: {quoted(keys[container])}, from: {client}, max: {limit}, {SPAN}}}")
    return rows


def status_row(keys: list[str], state: str, whole: bool = False) -> str:
    """Return the row that containers have this status at the end."""
    names = "all" if whole else f"[{', '.join(map(quoted, keys))}]"
    return f"{{at: end, container: {names}, status: {state}}}"


def written(rows: list[str]) -> str:
    """Return rows as the section of a file."""
    return "\n".join(
        ["expect:                                   # as it is today", *[f"  - {row}" for row in rows], ""]
    )


def quoted(name: str) -> str:
    """Return a service's name as YAML in a flow mapping; names have letters, digits, `_`, `.` and `-` only."""
    return name if name[:1].isalpha() and name.lower() not in WORDS else f"'{name}'"
