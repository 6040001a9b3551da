"""What a Compose file says and a scenario does not have: where, why, and whether it changes an answer.

Source: the project's table of keys (`noted.py`) for keys; refusals of the scenario's own readers for values.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.scenario.text import Mark

NO = "no"
YES = "yes"


class Left(NamedTuple):
    """One thing that was left out. *key* is its path below the service, *service* is "" for the file itself."""

    mark: Mark
    service: str
    key: str
    why: str
    changes: str = NO  # or "yes", "yes: …", "only if …"


def in_rows(left: list[Left]) -> list[tuple[str, str, str, str]]:
    """Return (key, services, why, changes), services with the same joined; what changes answers comes first.

    >>> in_rows([Left(Mark("f", n, 1), name, "user", "rights") for n, name in enumerate("ab")])
    [('user', 'a, b', 'rights', 'no')]
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for it in left:
        groups.setdefault((it.key, it.why, it.changes), []).append(it.service)
    rows = [(key, few(names), why, changes) for (key, why, changes), names in groups.items()]
    return sorted(rows, key=lambda row: (rank(row[3]), row[0], row[1]))


def rank(changes: str) -> int:
    """Return 0 for what changes answers, 1 for what may, 2 for what does not."""
    return 0 if changes.startswith(YES) else 2 if changes == NO else 1


def few(names: list[str]) -> str:
    """Return names of services: three of them, and how many more there are."""
    unique = [name for name in dict.fromkeys(names) if name]
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more" if len(unique) > 3 else "")
