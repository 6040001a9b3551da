"""From the entries of `expect:` to typed expectations; every word and name is checked, all faults are noted.

Models: one kind of expectation an entry, with the keys of that kind and one of at, during, within. Source:
the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.designs import DESIGNS
from sim.engine.setup import Target
from sim.engines.host.reach import CLIENTS, FOUND
from sim.properties import PROPERTIES
from sim.scenario import fields, units
from sim.scenario.check import Report, spelt
from sim.scenario.expect import (
    At,
    ContainerExpect,
    DarkExpect,
    During,
    EventsExpect,
    ExitExpect,
    Expectation,
    FileExpect,
    PortExpect,
    ProcessExpect,
    PropertyExpect,
    StepExpect,
    TreeExpect,
    When,
    Within,
)
from sim.scenario.expect_events import read_words
from sim.scenario.expect_text import text_of
from sim.scenario.expect_values import exit_status, file_path, tree_text
from sim.scenario.instants import Names, nth_step, parse_instant, parse_target, split_nth
from sim.scenario.known import STATES, STATUSES, prints
from sim.scenario.property_read import OwnProperty, known_names
from sim.scenario.repeats import is_repeat
from sim.scenario.steps import entries
from sim.scenario.text import Node, Path
from sim.scenario.vocabulary import refused
from sim.scenario.words import Refusal, did_you_mean, listed, one_of, shown

T = TypeVar("T")
WHEN = ("at", "during", "within", "of")
STEP_KEYS = ("ok", "error", "unanswered", "exit_code")
CONTAINER_KEYS = (
    "exists", "status", "exit_code", "restarts", "buffered", "lost", "pid", "health", "oom_killed", "stopped_by_hand",
    "address",
)  # fmt: skip
PROCESS_KEYS = ("exists", "parent", "state", "count", "blocked")
KINDS: dict[str, tuple[str, ...]] = {
    "container": ("except", "since", *CONTAINER_KEYS),
    "process": (*PROCESS_KEYS, "exit_status"),
    "file": ("exists",),
    "port": ("from", "open", "finds"),
    "dark": ("from", "max"),
    "events": ("container", "exact", "next"),
    "step": STEP_KEYS,
    "tree": ("root", "view", "rows"),
    "property": (),
}
HEALTHS = ("starting", "healthy", "unhealthy")
VIEWS = ("pstree", "ps-axjf")


def read_expectations(
    root: Node, names: Names, ports: dict[int, str], own: Mapping[str, OwnProperty], report: Report
) -> tuple[Expectation, ...]:
    """Return the expectations that could be read; what is wrong goes to *report*.

    *ports* are the published ones, *own* the file's own properties; the table's get their words later (`worded`).
    """
    found = []
    for path, node in entries(root, "expect", report):
        if not isinstance(node.value, dict):
            report.refuse(
                root,
                path,
                Refusal(
                    f"{shown(node.plain())} is not an expectation.", "Write {at: end, container: all, status: running}."
                ),
            )
            continue
        before = len(report.problems.found)
        expectation = ExpectEntry(root, path, node, node.value, names, ports, own, report).read()
        if expectation and len(report.problems.found) == before:
            found.append(expectation)
    return tuple(found)


@dataclass
class ExpectEntry:
    """One entry of `expect:`."""

    root: Node
    path: Path
    node: Node
    keys: dict[str, Node]
    names: Names
    ports: dict[int, str]
    own: Mapping[str, OwnProperty]
    report: Report

    def read(self) -> Expectation | None:
        """Return the expectation, or None after noting what is wrong."""
        kind = self.kind()
        self.unknown_keys(kind)
        when = self.when()
        if kind is None:
            return None
        said: dict[str, Any] = {"when": when, "line": self.node.mark.line, "text": text_of(self.node)}
        read: Callable[[dict[str, Any]], Expectation | None] = getattr(self, kind)
        return read(said)

    def refuse(self, refusal: Refusal, *below: str | int) -> None:
        """Note what is wrong with this entry or with one of its values."""
        self.report.refuse(self.root, (*self.path, *below), refusal)

    def kind(self) -> str | None:
        """Return what the entry is about."""
        kinds = [key for key in self.keys if key in KINDS and not (key == "container" and "events" in self.keys)]
        if len(kinds) == 1:
            return kinds[0]
        if kinds:
            self.refuse(Refusal(f"is about {len(kinds)} things ({listed(kinds)}).", "Write one entry for each."))
        else:
            self.refuse(Refusal("says nothing about anything.", f"Give it one of {listed(KINDS)}."))
        return None

    def unknown_keys(self, kind: str | None) -> None:
        """Refuse keys that this kind of expectation does not take."""
        when = () if kind == "property" else WHEN  # it is about the whole run
        valid = (*when, *(KINDS if kind is None else (kind, *KINDS[kind])))
        every = {*WHEN, *KINDS, *(key for keys in KINDS.values() for key in keys)}
        for key, node in self.keys.items():
            mark, place = node.key or node.mark, spelt((*self.path, key))
            if key not in every:
                self.report.problems.add(
                    mark, f"{place}: unknown key.", did_you_mean(key, every) or f"Valid: {listed(valid)}."
                )
            elif kind and key not in valid and key not in KINDS:
                hint = f"It takes {listed(valid)}." if len(valid) > 1 else "It is about the whole run."
                self.report.problems.add(mark, f"{place}: {kind} has no {key}.", hint)

    def value(self, key: str, read: Callable[[Any], T], required: bool = False) -> T | None:
        """Return the value of *key*, None if it is missing or wrong; what is wrong is noted."""
        node = self.keys.get(key)
        if node is None or node.value is None:
            if required:
                self.refuse(Refusal(f"needs {key}."))
            return None
        try:
            return read(node.plain())
        except Refusal as refusal:
            self.refuse(refusal, key)
            return None

    def when(self) -> When | None:
        """Return at, during or within; None where the file says nothing."""
        given = [key for key in ("at", "during", "within") if key in self.keys]
        if len(given) > 1:
            self.refuse(Refusal(f"has {listed(given)}.", "Give it one of at, during and within."))
            return None
        if "of" in self.keys and given != ["within"]:
            self.refuse(Refusal("of stands beside within.", "Write {within: 20s, of: INSTANT}."), "of")
        if not given:
            return None
        if given == ["at"]:
            moment = self.value("at", self.instant)
            return None if moment is None else At(moment)
        if given == ["during"]:
            return self.value("during", self.interval)
        limit, of = self.value("within", units.duration), self.value("of", self.instant, required=True)
        return None if limit is None or of is None else Within(limit, of)

    def instant(self, value: object) -> Any:
        return parse_instant(value, self.names)

    def interval(self, value: object) -> During:
        if not isinstance(value, list) or len(value) != 2:
            raise Refusal(f"{shown(value)} is not an interval.", "Write during: [upgrade, end].")
        ends = []
        for place, item in enumerate(value):
            try:
                ends.append(self.instant(item))
            except Refusal as refusal:
                raise Refusal(refusal.what, refusal.hint, (place,)) from None
        return During(*ends)

    def needs_when(self, words: str = "at, during or within") -> None:
        """Note that the entry does not say when."""
        if not any(key in self.keys for key in WHEN):
            self.refuse(Refusal(f"does not say when; it needs {words}."))

    def needs_one(self, kind: str, *keys: str) -> None:
        """Note that the entry says nothing of what it is about."""
        known = {*WHEN, *KINDS, *(key for keys in KINDS.values() for key in keys)}
        if not any(key in self.keys for key in keys) and all(key in known for key in self.keys):
            self.refuse(Refusal(f"says nothing of the {kind}.", f"Give it one of {listed(keys)}."))

    # -- the kinds -------------------------------------------------------------------------------------------------

    def container(self, said: dict[str, Any]) -> Expectation:
        """Read what the engine is to say of containers."""
        self.needs_when()
        self.needs_one("container", *CONTAINER_KEYS)
        if "since" in self.keys and "pid" not in self.keys:
            self.refuse(Refusal("since stands beside pid.", "Write {pid: new, since: INSTANT}."), "since")
        but = self.value("except", self.several) or ()
        chosen = self.value("container", lambda it: self.all_names() if it == "all" else self.several(it)) or ()
        kept = tuple(name for name in chosen if name not in but)
        if chosen and not kept:
            self.refuse(Refusal("leaves no container.", "Take a name out of except."), "except")
        return ContainerExpect(
            containers=kept,
            exists=self.value("exists", fields.boolean),
            status=self.value("status", lambda it: one_of(it, STATUSES, "a status")),
            exit_code=self.value("exit_code", units.code_range),
            restarts=self.value("restarts", units.parse_range),
            buffered=self.value("buffered", units.size_range),
            lost=self.value("lost", units.size_range),
            pid=self.value("pid", lambda it: one_of(it, ("same", "new"), "a word about pids")),
            since=self.value("since", self.instant),
            health=self.value("health", lambda it: one_of(it, HEALTHS, "a health")),
            oom_killed=self.value("oom_killed", fields.boolean),
            stopped_by_hand=self.value("stopped_by_hand", self.mark),
            address=self.value("address", lambda it: it if it == "none" else fields.address(it)),
            **said,
        )

    def mark(self, value: object) -> bool:
        """Return whether a container is to have been stopped by hand; some engines keep no such mark."""
        refusal = refused("expect", "stopped_by_hand", ((self.names.design, DESIGNS[self.names.design]),))
        if refusal is not None:
            raise refusal
        return fields.boolean(value)

    def all_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.names.containers.values()))

    def several(self, value: object) -> tuple[str, ...]:
        """Return one container or a list of them."""
        found = []
        for place, item in enumerate(value if isinstance(value, list) else [value]):
            try:
                found.append(self.names.container(fields.text(item)))
            except Refusal as refusal:
                raise Refusal(refusal.what, refusal.hint, (place,) if isinstance(value, list) else ()) from None
        if not found:
            raise Refusal("names no container.", "Write all or a name.")
        return tuple(found)

    def process(self, said: dict[str, Any]) -> Expectation | None:
        """Read exists, parent, state, count, blocked of processes, or the exit status of those that have ended."""
        if "exit_status" in self.keys:
            return self.ended(said)
        self.needs_when()
        self.needs_one("process", *PROCESS_KEYS, "exit_status")
        target = self.value("process", self.target)
        parent = self.value("parent", self.target)
        blocked = self.value("blocked", fields.boolean)
        exists, count = self.value("exists", fields.boolean), self.value("count", units.parse_range)
        state = self.value("state", lambda it: one_of(it, STATES, "a state of ps"))
        if target is None:
            return None
        if blocked and not prints(target.role):
            self.refuse(Refusal("only what a payload prints is modelled.", "Write process: payload/NAME."), "blocked")
        return ProcessExpect(
            target=target, exists=exists, parent=parent, state=state, count=count, blocked=blocked, **said
        )

    def ended(self, said: dict[str, Any]) -> Expectation | None:
        """Read with what processes have ended."""
        for key in PROCESS_KEYS:
            if key in self.keys:
                what = f"exit_status is about processes that have ended, {key} about those that are there."
                self.refuse(Refusal(what, "Write two entries."), key)
        target, how = self.value("process", self.target), self.value("exit_status", exit_status)
        return (
            None if target is None or how is None else ExitExpect(target=target, status=how[0], signal=how[1], **said)
        )

    def target(self, value: object) -> Target:
        return parse_target(value, self.names)

    def port(self, said: dict[str, Any]) -> Expectation | None:
        """Read whether a port is open, or what is found there."""
        self.needs_when()
        port, source = self.value("port", self.published), self.source()
        finds = self.value("finds", lambda it: one_of(it, FOUND, "what a client finds"))
        is_open = self.value("open", fields.boolean)
        if not {"open", "finds"} & set(self.keys):
            self.refuse(Refusal("needs open or finds."))
        if port is None or source is None or (is_open is None and finds is None):
            return None
        return PortExpect(port=port, source=source, open=is_open, finds=finds, **said)

    def published(self, value: object) -> int:
        """Return a port that some container publishes."""
        if isinstance(value, int) and not isinstance(value, bool) and value in self.ports:
            return value
        known = listed(f"{port} ({name})" for port, name in sorted(self.ports.items())[:12])
        raise Refusal(f"nobody publishes the port {shown(value)}.", f"Published: {known or 'none'}.")

    def source(self) -> str | None:
        return self.value("from", lambda it: one_of(it, CLIENTS, "a class of clients"), required=True)

    def dark(self, said: dict[str, Any]) -> Expectation | None:
        """Read the longest time in which ports are dark."""
        of, source = self.value("dark", self.darkened), self.source()
        most = self.value("max", units.duration, required=True)
        return (
            None if of is None or source is None or most is None else DarkExpect(of=of, source=source, max=most, **said)
        )

    def darkened(self, value: object) -> str | int:
        if isinstance(value, int) and not isinstance(value, bool):
            return self.published(value)
        return "all" if value == "all" else self.names.container(fields.text(value))

    def events(self, said: dict[str, Any]) -> Expectation | None:
        """Read words of docker events, each with its container or all of the one that the entry names."""
        whose = self.value("container", lambda it: self.names.container(fields.text(it)))
        exact, gapless = (bool(self.value(key, fields.boolean)) for key in ("exact", "next"))
        if exact and gapless:
            self.refuse(Refusal("has exact and next; an exact list has no gaps.", "Leave one of them out."), "next")
        events = self.value("events", lambda it: read_words(it, self.names, whose, exact=exact, gapless=gapless))
        if events is None:
            return None
        return EventsExpect(events=events, exact=exact, container=whose or "", **said)

    def step(self, said: dict[str, Any]) -> Expectation | None:
        """Read what becomes of a step."""
        if "during" in self.keys:
            self.refuse(Refusal("a step ends once.", "Write at or within, or neither for the whole run."), "during")
        if sum(key in self.keys for key in STEP_KEYS) > 1:
            self.refuse(Refusal(f"has several of {listed(STEP_KEYS)}.", "Give it one; error: '' is ok: true."))
        self.needs_one("step", *STEP_KEYS)
        step = self.value("step", self.step_id)
        ok, unanswered = self.value("ok", fields.boolean), self.value("unanswered", fields.boolean)
        error, code = self.value("error", fields.text), self.value("exit_code", units.parse_range)
        found: dict[str, Any] = {"ok": ok, "error": error, "unanswered": unanswered, "exit_code": code}
        return None if step is None else StepExpect(step=step, **found, **said)

    def step_id(self, value: object) -> str:
        """Return the id of a step, or of one of the times that a repeated step is taken."""
        steps = self.names.steps
        if isinstance(value, str):
            if value in steps:
                return value
            if "#" in value and value.partition("#")[0] in steps:
                return nth_step(value, *split_nth(value), self.names)
        return one_of(value, [it for it in steps if not is_repeat(it)], "the id of a step")

    def file(self, said: dict[str, Any]) -> Expectation | None:
        """Read whether a file is there."""
        self.needs_when()
        path, exists = self.value("file", file_path), self.value("exists", fields.boolean, required=True)
        return None if path is None or exists is None else FileExpect(path=path, exists=exists, **said)

    def tree(self, said: dict[str, Any]) -> Expectation | None:
        """Read a tree from a file beside the scenario, or from the text itself if it has several lines."""
        self.needs_when("at")
        root = self.value("root", self.target, required=True)
        view = self.value("view", lambda it: one_of(it, VIEWS, "a view"), required=True)
        rows = self.value("rows", units.parse_range)
        tree = self.value("tree", lambda it: tree_text(it, self.keys["tree"].mark.file))
        if tree is None or root is None or view is None:
            return None
        return TreeExpect(lines=tree[1], file=tree[0], root=root, view=view, rows=rows, **said)

    def property(self, said: dict[str, Any]) -> Expectation | None:
        """Read the name of a property."""
        name = self.value("property", self.property_name, required=True)
        if name is None:
            return None
        own = self.own.get(name)
        if own is not None:
            return PropertyExpect(name=name, kind=own.kind, sentence=own.text, **said)
        prop = PROPERTIES[name]
        return PropertyExpect(name=name, kind=prop.kind, sentence=prop.sentence, **said)

    def property_name(self, value: object) -> str:
        """Return the name of a property of the file or of the table."""
        name = str(value) if isinstance(value, str) else ""
        if name in self.own or name in PROPERTIES:
            return name
        hint = did_you_mean(name, (*self.own, *PROPERTIES)) or known_names(self.own)
        raise Refusal(f"there is no property {shown(value)}.", hint)
