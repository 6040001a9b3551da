"""Which keys of files an engine knows, and since when.

A key without a row is known to every version that is modelled. Rows of the section `value` are of a key with one value,
`KEY: VALUE`. Source: each engine's own room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from sim.engine.setup import Daemon, Unit, Unverified

VERSION = re.compile(r"(?:[a-z]+-)?([0-9]+(?:[.][0-9]+)*)(?:-[a-z]+)?")
OF_THE_HOST = ("last_chance", "journald_timeout_stop")  # numbers that are no engine's
SECTIONS = ("service", "healthcheck", "daemon", "unit", "unverified", "expect", "value")


def number_of(name: str) -> tuple[int, ...]:
    """Return the version in a design's name, () of one that has none.

    >>> number_of("docker-18.09-separate"), number_of("25"), number_of("podman")
    ((18, 9), (25,), ())
    """
    match = VERSION.fullmatch(name)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def name_of(number: str, like: str) -> str:
    """Return the name of a version, spelt as that of another one is.

    >>> name_of("18.09", like="docker-26-separate")
    'docker-18.09'
    """
    match = VERSION.fullmatch(like)
    return like[: match.start(1)] + number if match else number


class Key(msgspec.Struct, frozen=True):
    """A key of an engine's files: the first and the last version that know it, "" for all before and after.

    *why_not* says why an engine, if no version is named, or all but one build, has none. *noted* is true of a key that
    a file may say although the engine has none: it has no effect, which is noted.
    """

    since: str = ""
    until: str = ""
    why_not: str = ""
    noted: bool = False

    def is_known_to(self, version: tuple[int, ...]) -> bool:
        """Return whether a version has the key; `()` is an engine that is not told apart by versions."""
        first, last = number_of(self.since), number_of(self.until)
        if not version or not (first or last):
            return not self.why_not
        return first <= version and (not last or version[: len(last)] <= last)


Section = Mapping[str, Key]
Vocabulary = Mapping[str, Section]
SPELT = {  # section -> field of a setup -> key of files
    "daemon": {field: field.replace("_", "-") for field in Daemon.__struct_fields__},
    "unit": dict(
        zip(
            Unit.__struct_fields__,
            ("Restart", "KillMode", "RestartSec", "StartLimitBurst", "StartLimitInterval", "TimeoutStopSec"),
            strict=True,
        )
    ),
}
UNREAD = Key(why_not="its programs read no such number")


def only(*numbers: str) -> Section:
    """Return the rows for an engine whose programs read of the unverified numbers *numbers* alone, and the host's own.

    >>> sorted(set(only()) ^ set(only("containerd_threads")))
    ['containerd_threads']
    """
    return dict.fromkeys((it for it in Unverified.__struct_fields__ if it not in (*numbers, *OF_THE_HOST)), UNREAD)


def key_of(section: str, field: str) -> str:
    """Return how files spell a field of a setup.

    >>> key_of("daemon", "live_restore"), key_of("unit", "timeout_stop"), key_of("unverified", "runc_threads")
    ('live-restore', 'TimeoutStopSec', 'runc_threads')
    """
    return SPELT.get(section, {}).get(field, field)


def noted(section: str, why_not: str) -> Section:
    """Return the rows for an engine that has no key of *section*: files may say them, without effect.

    >>> sorted(noted("unit", "there is no unit"))[:2]
    ['KillMode', 'Restart']
    """
    return dict.fromkeys(SPELT[section].values(), Key(why_not=why_not, noted=True))
