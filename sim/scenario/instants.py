"""Instants: the moments that a scenario and its readers can name.

Models: a duration from t = 0 (with - before it), a wall-clock time, a step's id, `word(container)` as `docker events`
says it, `Fact(target)` as the trace says it, `ready(UNIT)`, `ready(container)`, `end`; then `#2` or `#last`, also of a
step that is repeated; then ± a duration. A fault may say `before Fact(target)`. Names are checked here, so that a run
never waits for a misspelt word. Source: the project's scenario language; Docker 1.13 daemon/events.go for the words.
"""

from __future__ import annotations

import re

import msgspec

from sim.designs import DESIGNS, stages
from sim.designs.takes import units_of
from sim.engine.role import HOST, STEP, SUPERVISOR
from sim.engine.setup import EngineSetup, Instant, Target
from sim.model import FACTS, WORDS
from sim.scenario import units
from sim.scenario.check import Report
from sim.scenario.known import named_roles, prints
from sim.scenario.text import Node
from sim.scenario.words import Refusal, did_you_mean, listed, shown

OF_PAYLOADS = ("WriteBlocked", "WriteResumed")
FORMS = "Write a duration, a date and time, a step's id, die(web), Exited(containerd), ready(docker) or end."

CALL = re.compile(r"(?P<name>[A-Za-z_]+)\((?P<target>[^()]*)\)\Z")
OFFSET = re.compile(r"\s*(?P<sign>[+-])\s*(?P<duration>[0-9][0-9a-zµμ. ]*)\Z")
NTH = re.compile(r"#(?P<nth>[1-9][0-9]{0,8}|last)\Z")
STEP_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z_][A-Za-z0-9_]*)*(?:\.[0-9]+)?\Z")


class Names(msgspec.Struct, frozen=True):
    """What may be named: steps, containers (each with the name that the engine gives it), and the clock of t = 0.

    *strangers* are the steps that make a process of somebody else's, *renamed* the names that a step gives. *design* is
    the engine of the host, whose units may be named.
    """

    steps: tuple[str, ...] = ()
    containers: dict[str, str] = {}
    epoch: int = 0
    tz_minutes: int = 0
    strangers: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    design: str = EngineSetup().design

    def called(self, name: str) -> str:
        """Return *name* if the container will only bear it later on, "" if it is its first one."""
        return name if name in self.renamed else ""

    def container(self, name: str) -> str:
        """Return the engine's name of container *name*; raise Refusal if there is none."""
        if name in self.containers:
            return self.containers[name]
        known = sorted(self.containers)
        hint = did_you_mean(name, known) or (
            f"Containers: {listed(known[:12])}." if known else "There are no services."
        )
        raise Refusal(f"there is no container {shown(name)}.", hint)


def parse_instant(value: object, names: Names) -> Instant:
    """Return the moment that *value* names. Raises Refusal."""
    if units.is_zero(value):
        return Instant()
    if not isinstance(value, str):
        return Instant(offset=units.duration(value))
    text = value.strip()
    if text.startswith("before "):
        raise Refusal(f"{shown(text)}: only a fault can go before a fact.", "It stands in at: of a step such as kill:.")
    base, offset = split_offset(text, names)
    base, nth = split_nth(base)
    found = parse_base(base, names)
    if nth != 1 and found.base == "step":
        return Instant("step", nth_step(text, found.name, nth, names), offset=offset)
    if nth != 1 and found.base not in ("word", "fact", "ready"):
        raise Refusal(f"{shown(text)}: # counts words and facts; {shown(base)} is one moment.")
    return msgspec.structs.replace(found, nth=nth, offset=found.offset + offset)


def nth_step(text: str, step: str, nth: int, names: Names) -> str:
    """Return the id of the n-th time (0: the last) that a step is taken which has `every`. Raises Refusal."""
    times = [name for name in names.steps if re.fullmatch(rf"{re.escape(step)}(#[0-9]+)?", name, re.ASCII)]
    if len(times) == 1:
        raise Refusal(f"{shown(text)}: {step} is taken once.", "every: repeats a step.")
    if nth > len(times):
        raise Refusal(f"{shown(text)}: {step} is taken {len(times)} times.", f"Write {times[-1]}.")
    return times[nth - 1]


def parse_before(value: str, names: Names) -> Instant:
    """Return the moment of `before Fact(target)`, at which a fault goes first. Raises Refusal."""
    text = value.strip().removeprefix("before ").strip()
    found = parse_instant(text, names)
    if found.base != "fact":
        hint = f"Write before {listed(f'{fact}(…)' for fact in FACTS[:3])} and the like."
        raise Refusal(f"{shown(text)} is not a fact of the trace.", hint)
    if found.offset or not found.nth:
        what = "is a time, and before goes by order" if found.offset else "is known only at the end"
        raise Refusal(f"{shown(value)}: {shown(text)} {what}.", "Write before Exited(containerd)#2 and the like.")
    return msgspec.structs.replace(found, base="before")


def split_offset(text: str, names: Names) -> tuple[str, int]:
    """Return what stands before `± duration`, and the offset in µs."""
    at = max(text.rfind("+"), text.rfind("-"))
    if at <= 0 or text in names.steps or units.CLOCK.match(text):
        return text, 0
    match = OFFSET.match(text[at:])
    if not match:
        return text, 0
    amount = units.duration(match["duration"].strip())
    return text[:at].rstrip(), amount if match["sign"] == "+" else -amount


def split_nth(text: str) -> tuple[str, int]:
    """Return what stands before `#2` or `#last`, and the number (0 for the last)."""
    before, sign, _ = text.partition("#")
    if not sign:
        return text, 1
    match = NTH.match(text[len(before) :])
    if not match:
        raise Refusal(f"{shown(text)}: {shown(text[len(before) :])} is not a count.", "Write #2 or #last.")
    return before.rstrip(), 0 if match["nth"] == "last" else int(match["nth"])


def parse_base(text: str, names: Names) -> Instant:
    """Return the moment without its offset."""
    if text in names.steps:
        return Instant("step", text)
    if text == "end":
        return Instant("end")
    call = CALL.match(text)
    if call:
        return parse_call(call["name"], call["target"].strip(), names)
    if units.looks_like_clock(text):
        clock = units.wall_clock(text, names.tz_minutes)
        return Instant(offset=clock.micros - names.epoch * 1_000_000)
    if text[:1].isdigit():
        return Instant(offset=units.duration(text))
    if text.startswith("-") and text[1:2].isdigit():
        return Instant(offset=-units.duration(text[1:]))
    known = [*names.steps, "end"]
    raise Refusal(f"{shown(text)} is not an instant: no step has this id.", did_you_mean(text, known) or FORMS)


def parse_call(name: str, target: str, names: Names) -> Instant:
    """Return the moment of `name(target)`."""
    if name == "ready":
        is_unit = target in units_of(DESIGNS[names.design])
        return Instant("ready", "ready", target if is_unit else names.container(target))
    if name in FACTS:
        found = parse_target(target, names)
        if name in OF_PAYLOADS and not prints(found.role):
            raise Refusal(f"{name}({target}): only what a payload prints is modelled.", f"Write {name}(payload/NAME).")
        return Instant("fact", name, str(found))
    if name in WORDS:
        return Instant("word", name, names.container(target))
    kinds = FACTS if name[:1].isupper() else (*WORDS, "ready")
    raise Refusal(
        f"{shown(name)} is not a word of docker events nor a fact about a process.",
        did_you_mean(name, (*WORDS, *FACTS, "ready")) or f"Valid: {listed(kinds)}.",
    )


def parse_target(value: object, names: Names) -> Target:
    """Return the processes that *value* names: `dockerd`, `shim/web`, `proxy/web:80`, `shim/*`. Raises Refusal."""
    if not isinstance(value, str) or not value:
        raise Refusal(f"{shown(value)} is not a target.", "Write it like containerd, shim/web, proxy/web:80 or shim/*.")
    role, slash, rest = value.partition("/")
    roles = named_roles()
    role = {comm: name for name, comm in stages().items()}.get(role, role)
    if role not in roles:
        hint = did_you_mean(role, roles) or hint_role(role, names)
        raise Refusal(f"{shown(role)} is not a role; valid: {listed(roles)}.", hint)
    if roles[role] == HOST:
        if slash:
            raise Refusal(f"{shown(value)}: {role} belongs to no container.", f"Write {role}.")
        return Target(role)
    if roles[role] == STEP:
        return stranger_target(role, value, rest, names)
    if not rest:
        raise Refusal(f"{shown(value)} does not say whose {role}.", f"Write {role}/NAME, or {role}/* for every one.")
    name, colon, port = rest.partition(":")
    if colon and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise Refusal(f"{shown(value)}: {shown(port)} is not a port.")
    return Target(role, name if name == "*" else names.container(name), int(port) if colon else None)


def stranger_target(role: str, value: str, step: str, names: Names) -> Target:
    """Return the strangers that `stranger`, `stranger/*` or `stranger/STEP` names. Raises Refusal."""
    if step in ("", "*", *names.strangers):
        return Target(role, step or "*")
    hint = did_you_mean(step, names.strangers) or (
        f"Write stranger, or one of {listed(f'stranger/{name}' for name in names.strangers)}."
        if names.strangers
        else "host: {take_port: 80} in a step makes one."
    )
    raise Refusal(f"{shown(value)}: no step called {shown(step)} makes a stranger.", hint)


def hint_role(word: str, names: Names) -> str:
    """Return a hint for a container's name that stands where a role should."""
    roles = listed(f"{role}/{word}" for role in (SUPERVISOR, *filter(prints, named_roles())))
    return f"A container has several processes: {roles}." if word in names.containers else ""


def read_until(root: Node, names: Names, report: Report) -> Instant | None:
    """Return when the run ends; None is 60 s after the last step."""
    node = root.child("until")
    if node is None or node.value is None:
        return None
    try:
        found = parse_instant(node.plain(), names)
        if found.base == "end":
            raise Refusal("'end' is what until: says.", "Write a duration or a step's id.")
        if found.base == "origin" and found.offset <= 0:
            raise Refusal(f"{shown(node.plain())} is not after t = 0.")
        return found
    except Refusal as refusal:
        report.problems.add(node.mark, f"until: {refusal.what}", refusal.hint)
        return None
