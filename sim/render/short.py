"""Alternatives under short names: of each path its last words, as many as tell the paths apart.

Leaves out values: they stay as they are. Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.views.comparison import Variant


def short_names(variants: Iterable[Variant]) -> dict[str, str]:
    """Return the short name of each alternative by its whole one."""
    variants = list(variants)
    paths = list(dict.fromkeys(it.path for variant in variants for it in variant.changes))
    words = shortened(paths)
    return {it.name: " ".join(f"{words[change.path]}={change.after}" for change in it.changes) for it in variants}


def shortened(paths: Sequence[str]) -> dict[str, str]:
    """Return the fewest last words of each path that no other one ends in.

    >>> shortened(["engine.daemon.live-restore", "services.web.ports", "services.db.ports"])
    {'engine.daemon.live-restore': 'live-restore', 'services.web.ports': 'web.ports', 'services.db.ports': 'db.ports'}
    """
    return {path: _shortest(path, paths) for path in paths}


def _shortest(path: str, paths: Sequence[str]) -> str:
    words = path.split(".")
    tails = (words[-count:] for count in range(1, len(words)))
    alone = (tail for tail in tails if sum(other.split(".")[-len(tail) :] == tail for other in paths) == 1)
    return ".".join(next(alone, words))
