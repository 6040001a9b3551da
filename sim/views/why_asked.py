"""What a question is about: `why is worker3 not running` asks of a container, `8080 closed from loopback` of a port.

The three forms `container NAME`, `port N from CLIENT` and `process TARGET` stay as they are. In a free one the words
that name something decide: a port's number, a container of the file, a role; what people think that is so is kept, so
that the answer can say that it is not. Leaves out grammar. Source: none; the project's own wording.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sim.errors import nearest

KINDS = ("container", "port", "process")
FILLING = frozenset(
    "why is are was were did does do the a an my it its not no n't isn't doesn't can't cannot and in at to on by "
    "from for after still again any more yet container port process".split()
)
OFF = frozenset(
    "stopped lost dead gone down exited missing closed dark unreachable refused silent killed ended crashed".split()
)
ON = frozenset(
    "running runs run up alive kept started start starts restarted restart restarting open reachable answering "
    "listening back there come came living lives".split()
)
NEGATIONS = frozenset("not no n't isn't doesn't can't cannot never".split())


class Asked(msgspec.Struct, frozen=True):
    """A question in one of the three forms; *holds* is what the asker takes for granted: that it runs, or is open."""

    form: str
    holds: bool | None = None


def asked(question: str, containers: Collection[str], roles: Collection[str], clients: Collection[str]) -> Asked | None:
    """Return the form of a question, None if it names nothing that there may be.

    >>> asked("why is worker3 not running?", ["worker3"], ["shim"], ["remote", "loopback"])
    Asked(form='container worker3', holds=False)
    >>> asked("8080 closed from loopback", ["web"], ["shim"], ["remote", "loopback"])
    Asked(form='port 8080 from loopback', holds=False)
    """
    words = question.strip().rstrip("?!. ").split()
    if words and words[0] in KINDS and len(words) in (2, 4):
        return Asked(" ".join(words))
    if words and words[0].lower() not in FILLING and nearest(words[0], KINDS):  # a kind that is misspelt
        return None
    bare = [word.strip("'\"`,;:()") for word in words]
    return _of(bare, _granted([word.lower() for word in bare]), containers, roles, clients)


def _of(
    words: list[str], holds: bool | None, containers: Collection[str], roles: Collection[str], clients: Collection[str]
) -> Asked | None:
    named = [word for word in words if word in containers]
    if named:
        return Asked(f"container {named[0]}", holds)
    ports = [word for word in words if word.partition("/")[0].isdecimal()]
    if ports:
        client = next((word for word in words if word in clients), next(iter(clients)))
        return Asked(f"port {ports[0]} from {client}", holds)
    processes = [word for word in words if word.partition("/")[0] in roles]
    return Asked(f"process {processes[0]}", holds) if processes else None


def _granted(words: list[str]) -> bool | None:
    """Return what is taken for granted: that something runs or is open, or that it does not."""
    state = next((word in ON for word in words if word in ON | OFF), None)
    denied = any(word in NEGATIONS for word in words)
    return None if state is None else state != denied


def subject_of(question: str) -> str:
    """Return the word that a question is most likely about: the first that is no filling.

    >>> subject_of("why is workr3 not running?")
    'workr3'
    """
    words = (word.strip("?!.,'\"`") for word in question.split())
    return next((word for word in words if word.lower() not in FILLING | ON | OFF), "")


def suggestion(question: str, names: Collection[str]) -> str:
    """Return `Did you mean …?` for the subject of a question, "" if nothing is near."""
    return nearest(subject_of(question), list(names))
