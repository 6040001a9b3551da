"""Expressions over named predicates: `open(8080, remote) or down(dockerd)`; read into plain data, then made a question.

Models: `not`, then `and`, then `or`, then `implies` (to the right), parentheses, and the predicates of `sim.predicates`
with the arguments that their rows name. Nothing is ever evaluated as code. Leaves out arithmetic, variables and time.
A column counts from 1 in the expression. Source: the project's scenario language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from sim.engine.role import HOST
from sim.engine.setup import Target
from sim.engines.host.reach import CLIENTS, FOUND
from sim.predicates import PREDICATES, Predicate
from sim.scenario import units
from sim.scenario.instants import Names, parse_target
from sim.scenario.known import PROTOCOLS, STATES, STATUSES, named_roles
from sim.scenario.words import Refusal, did_you_mean, listed, one_of, shown
from sim.world import World

MAX_LENGTH = 2_000
MAX_DEPTH = 50
KEYWORDS = ("and", "or", "not", "implies")
TOKEN = re.compile(r"\s*(?:(?P<mark>[(),])|(?P<word>[^\s(),]+))")
EXAMPLE = "Write it like open(8080, remote) or down(dockerd)."


class Atom(msgspec.Struct, frozen=True, tag=True):
    """One predicate with its arguments, and the words it was written in."""

    predicate: str
    arguments: tuple[Any, ...]
    text: str


class Not(msgspec.Struct, frozen=True, tag=True):
    """Holds where its part does not."""

    part: Expression


class And(msgspec.Struct, frozen=True, tag=True):
    """Holds where all parts do."""

    parts: tuple[Expression, ...]


class Or(msgspec.Struct, frozen=True, tag=True):
    """Holds where one part does."""

    parts: tuple[Expression, ...]


class Implies(msgspec.Struct, frozen=True, tag=True):
    """Holds where the first part does not, or the second does."""

    when: Expression
    then: Expression


Expression = Atom | Not | And | Or | Implies


def parse(value: object, names: Names, ports: Mapping[int, str]) -> Expression:
    """Return the expression that *value* is. *ports* are the published ones, with their containers. Raises Refusal."""
    if not isinstance(value, str) or not value.strip():
        raise Refusal(f"{shown(value)} is not an expression.", EXAMPLE)
    if len(value) > MAX_LENGTH:
        raise Refusal(f"an expression has at most {MAX_LENGTH} characters.", "Make several properties of it.")
    return Parser(value, names, ports).whole()


# -- from an expression to a question ---------------------------------------------------------------


def question(expression: Expression) -> Callable[[World], bool]:
    """Return the function that says whether the expression holds in a world."""
    match expression:
        case Atom():
            asks, arguments = PREDICATES[expression.predicate].asks, expression.arguments
            return lambda world: asks(world, *arguments)
        case Not():
            inner = question(expression.part)
            return lambda world: not inner(world)
        case And():
            parts = [question(part) for part in expression.parts]
            return lambda world: all(part(world) for part in parts)
        case Or():
            parts = [question(part) for part in expression.parts]
            return lambda world: any(part(world) for part in parts)
        case Implies():
            when, then = question(expression.when), question(expression.then)
            return lambda world: not when(world) or then(world)


def atoms(expression: Expression) -> Iterator[Atom]:
    """Yield the predicates of an expression in the order of its text."""
    match expression:
        case Atom():
            yield expression
        case Not():
            yield from atoms(expression.part)
        case Implies():
            yield from atoms(expression.when)
            yield from atoms(expression.then)
        case _:
            for part in expression.parts:
                yield from atoms(part)


def answers(expression: Expression, world: World) -> str:
    """Say which predicates of an expression hold in a world and which do not."""
    said = {atom.text: question(atom)(world) for atom in atoms(expression)}
    return ", ".join(f"{text} is {'true' if holds else 'false'}" for text, holds in said.items())


# -- from text to an expression ---------------------------------------------------------------------


class Token(msgspec.Struct, frozen=True):
    """A word or one of ( ) , with the column where it begins; the end is an empty word."""

    text: str
    column: int


class Parser:
    """Reads one expression by recursive descent: each method takes what its name says from the tokens on."""

    def __init__(self, text: str, names: Names, ports: Mapping[int, str]) -> None:
        self.text, self.names, self.ports = text, names, ports
        self.tokens = [
            Token(found["mark"] or found["word"], found.start("mark" if found["mark"] else "word") + 1)
            for found in TOKEN.finditer(text)
        ]
        self.tokens.append(Token("", len(text.rstrip()) + 1))
        self.at = self.depth = 0

    def whole(self) -> Expression:
        """Take everything."""
        found = self.implication()
        if self.now.text:
            self.refuse(f"{self.shown()} stands where the expression could end.", f"Valid here: {listed(JOINING)}.")
        return found

    @property
    def now(self) -> Token:
        """Return the next token."""
        return self.tokens[self.at]

    def took(self, text: str) -> bool:
        """Take the next token if it is *text*."""
        if self.now.text != text:
            return False
        self.at += 1
        return True

    def refuse(self, what: str, hint: str = "", at: Token | None = None) -> NoReturn:
        """Raise Refusal for the next token, or for another one."""
        raise Refusal(f"column {(at or self.now).column}: {what}", hint)

    def shown(self) -> str:
        """Write the next token for a message."""
        return shown(self.now.text) if self.now.text else "the end"

    def implication(self) -> Expression:
        """Take `a implies b`; `a implies b implies c` is `a implies (b implies c)`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH} levels.")
        when = self.disjunction()
        found = Implies(when, self.implication()) if self.took("implies") else when
        self.depth -= 1
        return found

    def disjunction(self) -> Expression:
        """Take `a or b or c`."""
        parts = [self.conjunction()]
        while self.took("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Expression:
        """Take `a and b and c`."""
        parts = [self.negation()]
        while self.took("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self) -> Expression:
        """Take `not a`, `(a)` or a predicate."""
        count = 0
        while self.took("not"):
            count += 1
        found = self.parenthesis() if self.now.text == "(" else self.predicate()
        return Not(found) if count % 2 else found

    def parenthesis(self) -> Expression:
        """Take `(a)`."""
        opening = self.now
        self.took("(")
        found = self.implication()
        if not self.took(")"):
            self.refuse(f"{self.shown()} stands where ) could.", f"( of column {opening.column} is open.")
        return found

    def predicate(self) -> Atom:
        """Take a name and its arguments."""
        name = self.now
        if name.text in ("", ")", ",", *KEYWORDS):
            self.refuse(f"{self.shown()} stands where a predicate should.", f"Valid: {listed(PREDICATES)}.")
        row = PREDICATES.get(name.text)
        if row is None:
            hint = did_you_mean(name.text, (*PREDICATES, *KEYWORDS)) or f"Valid: {listed(PREDICATES)}."
            self.refuse(f"{self.shown()} is not a predicate.", hint)
        self.at += 1
        given = self.arguments(name, row)
        least = sum(not kind.endswith("?") for kind in row.takes)
        if not least <= len(given) <= len(row.takes):
            self.refuse(f"{name.text} takes {usage(name.text, row)}.", f"It has {len(given) or 'no'} here.", name)
        values = tuple(self.value(kind.rstrip("?"), token) for kind, token in zip(row.takes, given, strict=False))
        return Atom(name.text, values, f"{name.text}({listed(token.text for token in given)})")

    def arguments(self, name: Token, row: Predicate) -> list[Token]:
        """Take `(a, b)`; a predicate without arguments may stand without parentheses."""
        if not self.took("("):
            if row.takes:
                self.refuse(f"{name.text} has no arguments.", f"Write {usage(name.text, row)}.", name)
            return []
        found: list[Token] = []
        while not self.took(")"):
            if found and not self.took(","):
                self.refuse(f"{self.shown()} stands where , or ) should.", f"Write {usage(name.text, row)}.")
            if self.now.text in ("", "(", ")", ","):
                self.refuse(f"{self.shown()} stands where an argument should.", f"Write {usage(name.text, row)}.")
            found.append(self.now)
            self.at += 1
        return found

    def value(self, kind: str, token: Token) -> Any:
        """Return what an argument means."""
        try:
            return READERS[kind](token.text, self.names, self.ports)
        except Refusal as refusal:
            self.refuse(refusal.what, refusal.hint, token)


JOINING = ("and", "or", "implies")


def usage(name: str, row: Predicate) -> str:
    """Write how a predicate is called.

    >>> usage("open", PREDICATES["open"])
    'open(PORT, CLIENT[, PROTO])'
    """
    words = [f"[, {kind[:-1].upper()}]" if kind.endswith("?") else f", {kind.upper()}" for kind in row.takes]
    return f"{name}({''.join(words).removeprefix(', ')})"


def in_short() -> str:
    """Return what an expression may be, on one line."""
    calls = listed(usage(name, row) if row.takes else name for name, row in PREDICATES.items())
    return f"predicates joined by not, and, or, implies, with parentheses: {calls}"


# -- arguments --------------------------------------------------------------------------------------


def _port(text: str, names: Names, ports: Mapping[int, str]) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) in ports:
        return int(text)
    known = listed(f"{port} ({name})" for port, name in sorted(ports.items())[:12])
    raise Refusal(f"nobody publishes the port {shown(text)}.", f"Published: {known or 'none'}.")


def _target_or_container(text: str, names: Names, ports: Mapping[int, str]) -> Target | str:
    """Return processes where a role is said, else the container of that name."""
    roles = named_roles()
    if text in names.containers and roles.get(text) != HOST:
        return names.container(text)
    if "/" in text or text in roles:
        return parse_target(text, names)
    known = listed(sorted(names.containers)[:12]) or "none"
    hint = did_you_mean(text, (*names.containers, *roles)) or f"Containers: {known}."
    raise Refusal(f"{shown(text)} is neither a role nor a container.", hint)


READERS: dict[str, Callable[[str, Names, Mapping[int, str]], Any]] = {
    "port": _port,
    "client": lambda text, names, ports: one_of(text, CLIENTS, "a class of clients"),
    "proto": lambda text, names, ports: one_of(text, PROTOCOLS, "a protocol"),
    "found": lambda text, names, ports: one_of(text, FOUND, "what a client finds"),
    "target": lambda text, names, ports: parse_target(text, names),
    "target|container": _target_or_container,
    "container": lambda text, names, ports: names.container(text),
    "status": lambda text, names, ports: one_of(text, STATUSES, "a status"),
    "state": lambda text, names, ports: one_of(text, STATES, "a state of ps"),
    "numbers": lambda text, names, ports: units.parse_range(text),
    "bytes": lambda text, names, ports: units.size_range(text),
}
