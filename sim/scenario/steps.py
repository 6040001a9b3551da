"""Steps: what people do, when, in which terminal.

Models: each step a terminal of its own, a list of commands one terminal. Without `at` a step happens with the
step before it, the first one at t = 0. Those at `before 0s` have happened when t = 0 comes, one after the other: so a
host is found on which somebody has paused a container. Leaves out the actions that the model has no rule for, by name.
Source: the project's scenario language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from msgspec.structs import replace

from sim.engine.prologue import EARLY
from sim.engine.setup import Command, Instant, KillProcess, Step
from sim.scenario import fields
from sim.scenario.check import Report, spelt
from sim.scenario.commands import NewService, docker_words, new_service, parse_docker
from sim.scenario.compose_words import Fleet, parse_compose
from sim.scenario.host_words import host_command, out_of_memory, power_loss, reboot, upgrade_command
from sim.scenario.instants import STEP_ID, Names, parse_before, parse_instant, parse_target
from sim.scenario.known import ACTIONS, ACTIONS_LATER, not_modelled
from sim.scenario.repeats import KEYS, ONCE, Repeated, nth, repeated
from sim.scenario.repeats import with_repeats as with_repeats
from sim.scenario.step_word import step_words
from sim.scenario.systemctl_words import parse_systemctl
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, did_you_mean, listed, shown

BESIDE = ("id", "at", "wait", "signal", *KEYS)  # keys of a step that are no action
FAULT_ACTIONS = ("kill", "stop", "cont", "oom", "power_loss", "host")
BEFORE_ALL = re.compile(r"before\s+0s?")  # in at: what was done to the host before t = 0
SIGNAL_OF = {"kill": "KILL", "stop": "STOP", "cont": "CONT"}

Terminal = tuple[Step, ...]


def entries(root: Node, key: str, report: Report) -> list[tuple[Path, Node]]:
    """Return the entries of a top-level list with their paths."""
    node = root.child(key)
    if node is None or node.value is None:
        return []
    if not isinstance(node.value, list):
        report.problems.add(node.mark, f"{key}: {shown(node.plain())} is not a list.", "Begin each entry with '- '.")
        return []
    return [((key, place), below) for place, below in enumerate(node.value)]


def step_ids(root: Node) -> list[str]:
    """Return the id of each step as far as it can be read; a step without one is called step1, step2, …"""
    steps = root.child("steps")
    ids = []
    for place, node in enumerate(steps.value if steps and isinstance(steps.value, list) else []):
        given = node.child("id")
        ids.append(given.value if given and isinstance(given.value, str) else f"step{place + 1}")
    return ids


def strangers(root: Node) -> tuple[str, ...]:
    """Return the ids of steps that make a process of somebody else's."""
    steps = root.child("steps")
    nodes = steps.value if steps and isinstance(steps.value, list) else []
    found = []
    for id_, node in zip(step_ids(root), nodes, strict=True):
        host = node.child("host")
        words = host.value if host and isinstance(host.value, dict) else {}
        found += [id_] if "take_port" in words or "take_pid" in words else []
    return tuple(found)


def new_services(root: Node) -> list[tuple[Path, NewService]]:
    """Return the containers that `docker run` and `create` lines describe, as far as they can be read."""
    found: list[tuple[Path, NewService]] = []
    steps = root.child("steps")
    for place, node in enumerate(steps.value if steps and isinstance(steps.value, list) else []):
        for path, line in lines_of(node, "docker", ("steps", place)):
            try:
                verb, parsed = docker_words(line)
                if verb in ("run", "create"):
                    found.append((path, new_service(verb, parsed)))
            except Refusal:
                continue  # said when the step itself is read
    return found


def renames(root: Node, aliases: dict[str, str], report: Report) -> dict[str, str]:
    """Return the names that `docker rename` lines give, with the engine's first name of the container that gets them.

    A second container with the name of a renamed one is refused: the model tells containers apart by their first name.
    """
    found: dict[str, str] = {}
    gone: set[str] = set()
    steps = root.child("steps")
    for place, node in enumerate(steps.value if steps and isinstance(steps.value, list) else []):
        for path, line in lines_of(node, "docker", ("steps", place)):
            try:
                verb, parsed = docker_words(line)
                new = new_service(verb, parsed) if verb in ("run", "create") else None
            except Refusal:
                continue  # said when the step itself is read
            if new is not None and new.name in gone:
                what = f"a new container {shown(new.name)} beside the one that was renamed is not modelled yet."
                report.refuse(root, path, Refusal(what, "Give it another --name."))
            if verb == "rename" and len(parsed.rest) == 2:
                old, name = parsed.rest
                gone.add(old)
                known = aliases | found
                if old in known and name not in aliases:
                    found[name] = known[old]
    return found


def lines_of(node: Node, key: str, path: Path) -> list[tuple[Path, object]]:
    """Return the command lines under *key* with their paths: one, or a list of them."""
    below = node.child(key)
    if below is None:
        return []
    if isinstance(below.value, list):
        return [((*path, key, place), line.plain()) for place, line in enumerate(below.value)]
    return [((*path, key), below.plain())]


@dataclass
class StepReader:
    """Reads the steps of one scenario."""

    root: Node
    names: Names
    fleet: Fleet
    report: Report
    terminals: list[Terminal] = field(default_factory=list)

    def read(self) -> tuple[Terminal, ...]:
        """Return all terminals in the order of the file."""
        ids = step_ids(self.root)
        seen: set[str] = set()
        for (path, node), id_ in zip(entries(self.root, "steps", self.report), ids, strict=True):
            before = ids[int(path[1]) - 1] if path[1] else None
            self.check_id(path, node, id_, seen)
            seen.add(id_)
            self.step(path, node, id_, before)
        self.check_circles()
        return tuple(self.terminals)

    def check_id(self, path: Path, node: Node, id_: str, seen: set[str]) -> None:
        """Refuse an id that is used twice or that an instant could not name."""
        given = node.child("id")
        if given is None:
            return
        refusal = None
        if not isinstance(given.value, str) or not STEP_ID.match(given.value) or "." in given.value:
            refusal = Refusal(
                f"{shown(given.plain())} is not an id.", "It begins with a letter; a word after - does too."
            )
        elif id_ in seen:
            refusal = Refusal(f"{shown(id_)} is the id of an earlier step.", "Choose another.")
        elif id_ == "end":
            refusal = Refusal("'end' is the end of the run.", "Choose another.")
        if refusal:
            self.report.refuse(self.root, (*path, "id"), refusal)

    def step(self, path: Path, node: Node, id_: str, before: str | None) -> None:
        """Read one step."""
        if not isinstance(node.value, dict):
            self.report.refuse(
                self.root, path, Refusal(f"{shown(node.plain())} is not a step.", "Write {at: 60s, kill: dockerd}.")
            )
            return
        action = self.action(path, node)
        at = self.instant(path, node, before, action)
        wait, often = self.wait(path, node), self.often(path, at)
        if action is None:
            return
        commands = self.commands(path, node, action)
        for time in range(often.times):
            begin = replace(at, offset=at.offset + time * often.every)
            for number, terminal in enumerate(commands):
                prefix = id_ if number == 0 else f"{id_}.{number + 1}"
                steps = []
                for place, (command, text) in enumerate(terminal):
                    name = nth(prefix if place == 0 else f"{prefix}.{place + 1}", time + 1)
                    when = begin if place == 0 else Instant("after")
                    steps.append(Step(name, when, command, wait, node.mark.line, text))
                self.terminals.append(tuple(steps))

    def often(self, path: Path, at: Instant) -> Repeated:
        """Return how often the step is taken."""
        try:
            found = repeated(self.root, int(path[1]), self.names)
            if found.times > 1 and at.base == EARLY:
                raise Refusal("what comes before t = 0 comes once.", "Leave every out.", ("every",))
            if found.times > 1 and at.base == "before":
                raise Refusal("a fault goes before a fact once.", "Leave every out.", ("every",))
            return found
        except Refusal as refusal:
            self.report.refuse(self.root, path, refusal)
            return ONCE

    def action(self, path: Path, node: Node) -> str | None:
        """Return which action the step has; refuse none, several, unknown ones."""
        assert isinstance(node.value, dict)
        actions = (*ACTIONS, *step_words())
        keys = (*BESIDE, *actions)
        found = [key for key in node.value if key in actions]
        refused = False
        for key, below in node.value.items():
            if key in keys:
                continue
            refused = True
            at = below.key or below.mark
            if key in ACTIONS_LATER:
                self.report.problems.add(
                    at, f"{spelt((*path, key))}: {not_modelled(key, '')}", f"Modelled: {listed(actions)}."
                )
            else:
                hint = did_you_mean(key, (*keys, *ACTIONS_LATER)) or f"Valid: {listed(keys)}."
                self.report.problems.add(at, f"{spelt((*path, key))}: unknown key.", hint)
        if len(found) != 1 and not refused:
            what = f"has {len(found)} actions ({listed(found)})." if found else "does nothing."
            self.report.refuse(self.root, path, Refusal(what, f"Give it one of {listed(actions)}."))
        signal = node.child("signal")
        if signal and found and found != ["kill"]:
            self.report.refuse(
                self.root, (*path, "signal"), Refusal("only kill takes a signal.", "Use kill: with signal:.")
            )
        return found[0] if len(found) == 1 else None

    def instant(self, path: Path, node: Node, before: str | None, action: str | None) -> Instant:
        """Return when the step happens."""
        at = node.child("at")
        if at is None:
            early = before is not None and self.terminals and self.terminals[-1][0].at.base == EARLY
            return Instant(EARLY) if early else Instant("step", before) if before else Instant()
        try:
            text = at.plain()
            if isinstance(text, str) and BEFORE_ALL.fullmatch(text.strip()):
                return self.early()
            faults = (None, *FAULT_ACTIONS, *step_words())
            if isinstance(text, str) and text.strip().startswith("before ") and action in faults:
                return parse_before(text, self.names)
            found = parse_instant(text, self.names)
            if found.base == "origin" and found.offset < 0:
                raise Refusal(f"{shown(at.plain())} is before t = 0.", "host.clock is the wall-clock time of t = 0.")
            if found.base == "end":
                raise Refusal("a step cannot be at the end of the run.", "until: says when it ends.")
            return found
        except Refusal as refusal:
            self.report.refuse(self.root, (*path, "at"), refusal)
            return Instant()

    def early(self) -> Instant:
        """Return the instant of what was done to the host before t = 0. Raises Refusal."""
        begin = self.root.find(("host", "begin"))
        if begin is None or begin.value in (None, "steady"):
            return Instant(EARLY)
        raise Refusal(
            f"nothing comes before t = 0 with begin: {shown(begin.value)}.", "Write begin: steady, or at: 0s."
        )

    def wait(self, path: Path, node: Node) -> bool:
        """Return whether the step is tried again until it can be done."""
        value = node.child("wait")
        try:
            return fields.boolean(value.plain()) if value else False
        except Refusal as refusal:
            self.report.refuse(self.root, (*path, "wait"), refusal)
            return False

    def commands(self, path: Path, node: Node, action: str) -> list[list[tuple[Command, str]]]:
        """Return the commands of each terminal that the step opens, with their text."""
        own: list[tuple[Command, str]] = []
        others: list[list[tuple[Command, str]]] = []
        for below, line in lines_of(node, action, path):
            try:
                groups = self.parse(action, line, node)
            except Refusal as refusal:
                self.report.refuse(self.root, below, refusal)
                continue
            text = text_of(action, line, node)
            if groups:
                own += [(command, text) for command in groups[0]]
                others += [[(command, text) for command in group] for group in groups[1:]]
        if others and len(lines_of(node, action, path)) > 1:
            self.report.refuse(
                self.root,
                path,
                Refusal(
                    "compose commands that open several terminals cannot be listed.", "Give each a step of its own."
                ),
            )
        return [group for group in [own, *others] if group]

    def parse(self, action: str, line: object, node: Node) -> list[list[Command]]:
        """Return the commands of one line. Raises Refusal."""
        if action in step_words():
            return [[step_words()[action].read(line, self.names)]]
        match action:
            case "docker":
                commands = parse_docker(line, self.names)
                for command in commands:
                    self.note_existing(command)
                return [commands]
            case "compose":
                return parse_compose(line, self.names, self.fleet)
            case "systemctl":
                return [parse_systemctl(line, self.names)]
            case "oom":
                return [[out_of_memory(line, self.names)]]
            case "reboot":
                return [[reboot(line)]]
            case "power_loss":
                return [[power_loss(line)]]
            case "host":
                return [[host_command(line, self.names)]]
            case "upgrade":
                return [[upgrade_command(line)]]
        if isinstance(line, dict):
            beside = "; signal: stands beside kill:, as in {kill: shim/web, signal: TERM}" if action == "kill" else ""
            raise Refusal("a mapping is not a target.", f"Write {action}: shim/web{beside}.")
        signal = node.child("signal")
        word = SIGNAL_OF[action]
        if signal and action == "kill":
            try:
                word = fields.signal(signal.plain())
            except Refusal as refusal:
                self.report.problems.add(signal.mark, f"signal: {refusal.what}", refusal.hint)
        target = parse_target(line, self.names)
        return [[KillProcess(target, word)]]

    def note_existing(self, command: Command) -> None:
        """Keep track of which containers exist at this point of the file."""
        verb, container = getattr(command, "verb", ""), getattr(command, "container", "")
        if verb in ("run", "create"):
            self.fleet.existing.add(container)
        elif verb == "rm":
            self.fleet.existing.discard(container)

    def check_circles(self) -> None:
        """Refuse steps that wait for one another: none of them would ever happen."""
        after = {step.id: step.at for terminal in self.terminals for step in terminal[:1]}
        ids = step_ids(self.root)
        for id_ in ids:
            seen, now = [id_], after.get(id_)
            while now is not None and now.base == "step" and now.name not in seen:
                seen.append(now.name)
                now = after.get(now.name.partition(".")[0])
            if now is not None and now.base == "step" and now.name == id_:
                refusal = Refusal(f"{listed([*seen, id_])}: these steps wait for one another.")
                self.report.refuse(self.root, ("steps", ids.index(id_), "at"), refusal)
                return


def spoken(value: object) -> str:
    """Return a value as people write it."""
    if isinstance(value, dict):
        return " ".join(f"{key} {spoken(below)}" for key, below in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(action: str, line: object, node: Node) -> str:
    """Return a step's action on one line, for people."""
    if line is True:
        return action
    if isinstance(line, dict):
        return f"{action} " + " ".join(f"{key} {spoken(below)}" for key, below in line.items())
    signal = node.child("signal")
    word = f" -{signal.plain()}" if signal and action == "kill" else ""
    return f"{action}{word} {' '.join(str(line).split())}"
