"""What people ask an exploration for, read from words: properties, and what may go wrong when.

Models: names of the table, names of the file's own properties, sentences (`always: open(80, remote)`), counts of
faults (`kill=1,stall=1`), anchors. Leaves out the search. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.engine.setup import FaultBudget, Instant
from sim.errors import InputError, Problem, nearest
from sim.faults import FAULTS
from sim.properties import KINDS, PROPERTIES, Property
from sim.scenario import OwnProperty, Scenario, instant, property_of
from sim.scenario.expression import parse
from sim.scenario.to_explore import for_explorer
from sim.scenario.words import Refusal

# -- properties -------------------------------------------------------------------------------------


def asked_of(scenario: Scenario, names: Iterable[str], read: Callable[[str], Property]) -> tuple[Property, ...]:
    """Return the properties that are asked for by name (`all`: the whole table), or those that the scenario lists."""
    own = {prop.name: prop for prop in for_explorer(scenario)[0]}
    found: dict[str, Property] = {} if names else dict(own)
    for name in names:
        if name == "all":
            found |= PROPERTIES | own
        else:
            prop = own.get(name) or PROPERTIES.get(name) or read(name)
            found[prop.name] = prop
    return tuple(found.values())


def property_named(scenario: Scenario, text: str) -> Property:
    """Read a property that is no name of the table: a sentence of one's own. Raises InputError."""
    kind, _, words = text.partition(":")
    if kind.strip() in KINDS and words.strip():
        return sentence(scenario, kind.strip(), words.strip())
    hint = f"{nearest(text, PROPERTIES)} Valid: all, {', '.join(PROPERTIES)}, or 'always: open(8080, remote)'.".strip()
    raise InputError([Problem(f"--property {text}", "there is no such property", hint)])


def sentence(scenario: Scenario, kind: str, text: str) -> Property:
    """Return a property that is no row of the table: `always`, `sometimes` or `eventually` an expression.

    Raises InputError, with the place in *text* that is wrong.
    """
    ports = {port.host: service.name for service in scenario.setup.services for port in service.published}
    try:
        expression = parse(text, scenario.names, ports)
    except Refusal as refusal:
        raise InputError([Problem(f"'{kind}: {text[:200]}'", refusal.what.removesuffix("."), refusal.hint)]) from None
    return property_of(OwnProperty(f"{kind}: {text}", kind, text, expression))


# -- faults -----------------------------------------------------------------------------------------


def budget(scenario: Scenario, faults: str | None, between: Sequence[str] | None) -> FaultBudget:
    """Read a budget: how many faults, and between which two anchors; what is None is the scenario's own.

    Raises InputError.
    """
    own = scenario.setup.faults
    total, kinds = (own.total, own.kinds) if faults is None else counts(faults)
    after, before = own.after, own.before
    if between is not None:
        after, before = (anchor(scenario, text) for text in between)
    return FaultBudget(total, kinds, after, before)


def counts(text: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Read `2`, or `kill=1,stall=1`: as many in all as of all kinds together. Raises InputError.

    >>> counts("kill=1,stall=1")
    (2, (('kill', 1), ('stall', 1)))
    """
    if text.isascii() and text.isdigit() and len(text) < 4:
        return int(text), ()
    kinds = []
    valid = [name for name, row in FAULTS.items() if not row.free]
    for part in text.split(","):
        name, _, most = part.partition("=")
        if name not in valid:
            hint = f"Valid: {', '.join(valid)}. {nearest(name, valid)}".strip()
            raise InputError([Problem(f"--faults {text}", f"{name!r} is no kind of fault", hint)])
        if not (most.isascii() and most.isdigit() and len(most) < 4):
            raise InputError([Problem(f"--faults {text}", f"{most!r} is no count", "Give --faults kill=1,stall=1")])
        kinds.append((name, int(most)))
    return sum(most for _, most in kinds), tuple(kinds)


def anchor(scenario: Scenario, text: str) -> Instant:
    """Read a moment that an exploration knows: it has no clock. Raises InputError."""
    at = instant(text, scenario)
    if at.base in ("origin", "end", "after") or at.offset:
        hint = "Give a step's id, start(web), die(web), Exited(containerd) or ready(docker), without a time."
        raise InputError([Problem(f"--between {text}", "times are dropped when orders are explored", hint)])
    return at
