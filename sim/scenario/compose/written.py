"""The first scenario of a stack, as a file that stands alone: services with what was left out of them as comments.

Models: every key that the model reads, or that may change an answer; the rest as comments, so that the file can be put
beside its Compose files. Values of environment, labels and build arguments are not written, nor are words of commands
that look like credentials: names stay. Leaves out the expectations, which need a run. Source: the scenario language.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from sim.designs import DESIGNS, families
from sim.engine.setup import EngineSetup
from sim.scenario.check import Report
from sim.scenario.compile import Compiler, Scenario
from sim.scenario.compose.images import OWN, Found, Library, sentences, with_images
from sim.scenario.compose.left import NO, YES, Left, in_rows
from sim.scenario.compose.references import with_default_network
from sim.scenario.compose.stack import Asked, mapping, read_stack
from sim.scenario.compose.usable import Usable
from sim.scenario.dumper import Dumper
from sim.scenario.noted import NOTED
from sim.scenario.schema import ServiceFile
from sim.scenario.text import Mark, Node, moved, printable
from sim.scenario.words import counted, listed

Redact = Callable[[str], str]
VALUED = frozenset("environment labels annotations sysctls extra_hosts".split())  # whose values are not written
HIDDEN = "…"
NOTHING = "there are no services in this file."
WIDTH = 116
SLOW = 45_000_000  # µs until the slowest program is ready, from which on a run is given more time


@dataclass(frozen=True)
class Wanted:
    """How a stack is imported: which design, which library of images, what hides credentials in commands."""

    asked: Asked
    design: str = ""
    images: Library | None = None
    redact: Redact = str


@dataclass(frozen=True)
class Imported:
    """A stack as a scenario holds it. *services* and *networks* are plain; *comments* are lines without their #."""

    project: str
    scenario: Scenario
    services: dict[str, dict[str, Any]]
    networks: dict[str, Any]
    comments: dict[str, list[str]]
    left: tuple[Left, ...]
    assumptions: tuple[str, ...]
    found: tuple[Found, ...] = ()


def newest() -> str:
    """Return the design of a new host: the last that is listed of the family of the default one."""
    default = EngineSetup().design
    family = next(it for it in families() if default in (*it.designs, *it.versions))
    return list(family.designs)[-1]


def imported(wanted: Wanted) -> Imported:
    """Return the stack. Raises InputError with what is wrong in its files."""
    report, asked, design = Report(), wanted.asked, wanted.design or newest()
    stack = read_stack(asked, report.problems)
    if stack is None:
        report.problems.add(Mark(asked.files[0], 1, 1), NOTHING)
    report.problems.raise_if_any()
    assert stack is not None
    usable = Usable(stack, design, report.problems)
    root = usable.root()
    root = root if stack.version_1 else with_default_network(root)
    mark = Mark(asked.files[0], 1, 1)
    services = root.child("services")
    if services is None or not services.value:
        off = [it.service for it in stack.left if it.key == "profiles"]
        hint = f"Services of profiles: {listed(off)}; add --profile NAME." if off else ""
        report.problems.add(mark, NOTHING, hint)
        report.problems.raise_if_any()
    found: list[Found] = []
    if wanted.images is not None:
        root, found = with_images(root, wanted.images)
    root = redacted(root, wanted.redact) if not asked.keep_values else root
    root = replace(root, value={**mapping(root), "engine": moved({"design": design}, mark)})
    scenario = Compiler(root, report).scenario("init", asked.files[0])
    nodes = mapping(mapping(root)["services"])
    networks = root.child("networks")
    plain = networks.plain() if networks is not None else {}
    assert isinstance(plain, dict)
    return Imported(
        stack.project,
        scenario,
        {name: kept_of(node, asked.keep_values) for name, node in nodes.items()},
        plain,
        {name: comments_of(node, asked.keep_values, wanted.redact) for name, node in nodes.items()},
        (*stack.left, *usable.left, *noted(nodes)),
        tuple(sentences(found)),
        tuple(found),
    )


def redacted(root: Node, redact: Redact) -> Node:
    """Return *root* without credentials; words of a list are seen together: a flag stands before its value."""
    if isinstance(root.value, dict):
        return replace(root, value={key: redacted(it, redact) for key, it in root.value.items()})
    if isinstance(root.value, list):
        words = [str(it.value) for it in root.value if isinstance(it.value, str)]
        found = redact("\n".join(words)).split("\n")
        if len(words) == len(root.value) == len(found):
            pairs = zip(root.value, found, strict=True)
            return replace(root, value=[replace(it, value=word) for it, word in pairs])
        return replace(root, value=[redacted(it, redact) for it in root.value])
    return replace(root, value=redact(root.value)) if isinstance(root.value, str) else root


def noted(services: Mapping[str, Node]) -> list[Left]:
    """Return the keys of services that are accepted and not followed."""
    found = []
    for name, service in services.items():
        for key, node in mapping(service).items():
            row = NOTED["service"].get(key)
            if row is not None and key not in ServiceFile.known_keys() and node.value not in (None, False, [], {}):
                found.append(Left(node.key or node.mark, name, key, *row))
    return found


def is_written(key: str) -> bool:
    """Return whether a key of a service stands in the scenario as a key: it is read, or may change an answer."""
    row = NOTED["service"].get(key)
    return key not in VALUED and (key in ServiceFile.known_keys() or (row is not None and row.changes != NO))


def kept_of(service: Node, keep_values: bool) -> dict[str, Any]:
    """Return the keys of a service that the scenario has."""
    return {
        key: node.plain()
        for key, node in mapping(service).items()
        if (is_written(key) or (key == "labels" and keep_values)) and node.value not in (None, [], {})
    }


def comments_of(service: Node, keep_values: bool, redact: Redact) -> list[str]:
    """Return the other keys of a service, each on a line."""
    lines = []
    for key, node in mapping(service).items():
        if is_written(key) or node.value in (None, [], {}) or (key == "labels" and keep_values):
            continue
        plain = node.plain()
        if not keep_values:
            plain = names_only(plain) if key in VALUED else without_args(plain) if key == "build" else plain
        lines.append(flow({key: plain}))
    return lines if keep_values else [redact(line) for line in lines]


def names_only(plain: object) -> object:
    """Return a mapping or a list of pairs without its values.

    >>> names_only({"A": 1, "B": None}), names_only(["A=1", "B"])
    ({'A': '…', 'B': None}, {'A': '…', 'B': None})
    """
    if isinstance(plain, list):
        pairs = (str(item).partition("=") for item in plain)
        return {name: HIDDEN if sign else None for name, sign, _ in pairs}
    return (
        {key: None if value is None else HIDDEN for key, value in plain.items()} if isinstance(plain, dict) else HIDDEN
    )


def without_args(plain: object) -> object:
    """Return `build:` without the values of its arguments, and without a Dockerfile of its own."""
    if not isinstance(plain, dict):
        return plain
    found = {key: value for key, value in plain.items() if key != "dockerfile_inline"}
    return {key: names_only(value) if key in ("args", "labels", "secrets") else value for key, value in found.items()}


def flow(plain: object) -> str:
    """Return *plain* as YAML on one line."""
    text = yaml.dump(plain, Dumper=Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return printable(text.removesuffix("\n...\n").strip().removeprefix("{").removesuffix("}"))


# -- the file --------------------------------------------------------------------------------------


def written(it: Imported, files: Sequence[str]) -> str:
    """Return the text of a scenario that stands alone; *files* are what it was made from. It expects nothing yet."""
    lines = [
        *head(it, files),
        *(["assumptions:", *[f"  - {flow(text)}" for text in it.assumptions]] if it.assumptions else []),
        *(block("networks", it.networks, 0) if it.networks else []),
        "services:",
    ]
    known = {found.service: found for found in it.found}
    for name, keys in it.services.items():
        lines += [f"  {flow(name)}:", *(line for key, value in keys.items() for line in block(key, value, 4))]
        lines += about(known[name]) if name in known else []
        lines += [line for text in it.comments[name] for line in comment(text, 4)]
    return "\n".join([*lines, *steps(it)]) + "\n"


def head(it: Imported, files: Sequence[str]) -> list[str]:
    """Return the lines of a file up to its engine."""
    return [
        f"# Written by shimulator init from {listed(os.path.basename(file) for file in files)} (project {it.project}).",
        "# Check it with: shimulator validate FILE; run it with: shimulator run FILE; then: shimulator whatif FILE",
        *table(it.left),
        f"title: {killed(it) or 'the host'} is {'killed' if killed(it) else 'rebooted'}",
        "host: {cores: 2, uptime: 10d}             # the cores of your host",
        "engine:",
        f"  design: {it.scenario.setup.engine.design}",
        "  daemon: {live-restore: false}           # what your daemon.json says",
    ]


def steps(it: Imported) -> list[str]:
    """Return the lines of what happens; a host with slow programs is given more time."""
    slow = max((service.payload.ready for service in it.scenario.setup.services), default=0)
    act = f"kill: {killed(it)}" if killed(it) else "reboot: true"
    return [
        "steps:",
        f"  - {{id: shot, at: 60s, {act}}}    # or: systemctl: restart docker; kill: containerd; kill: shim/NAME",
        f"until: shot+{'2m' if slow < SLOW else '6m'}",
    ]


def killed(it: Imported) -> str:
    """Return the program that is killed: the engine's daemon, "" where the engine has none."""
    return DESIGNS[it.scenario.setup.engine.design].traits.engine


def linked(it: Imported, asked: Asked, folder: str, images: Sequence[str]) -> str:
    """Return the text of a scenario that names its Compose files from *folder*, and so follows their changes."""
    files = {"files": asked.files, "env_files": asked.env_files}
    named: dict[str, Any] = {
        key: [from_folder(name, folder) for name in names] for key, names in files.items() if names
    }
    named |= {"profiles": list(asked.profiles)} if asked.profiles else {}
    named |= {"project": asked.project} if asked.project else {}
    alone = list(named) == ["files"] and len(asked.files) == 1
    places = [place if place == OWN else from_folder(place, folder) for place in images]
    lines = [
        *head(it, asked.files),
        *block("compose", named["files"][0] if alone else named, 0),
        *(block("images", places[0] if len(places) == 1 else places, 0) if places else []),
        "services:                                 # laid over them; uncomment what you have measured",
        *[
            f"  # {flow(name)}: {{x-payload: {{ready: 0s, on_term: {{exit: 0, after: 100ms}}}}}}"
            for name in it.services
        ],
        *steps(it),
    ]
    return "\n".join(lines) + "\n"


def from_folder(file: str, folder: str) -> str:
    """Return how a scenario in *folder* names *file*: by its path from there, links not followed, as it is read.

    >>> from_folder("c/ok.yml", "sub"), from_folder("sub/ok.yml", ""), from_folder("c/ok.yml", "c")
    ('../c/ok.yml', 'sub/ok.yml', 'ok.yml')
    """
    return os.path.relpath(file, folder or os.curdir)


def block(key: str, value: object, indent: int) -> list[str]:
    """Return the lines of one key: what fits stands on one line."""
    one = f"{flow(key)}: {flow_of(value)}"
    if len(one) + indent <= WIDTH:
        return [" " * indent + one]
    if isinstance(value, dict) and value:
        below = [line for name, it in value.items() for line in block(name, it, indent + 2)]
    elif isinstance(value, list) and value:
        below = [" " * (indent + 2) + f"- {flow_of(item)}" for item in value]
    else:
        return [" " * indent + one]
    return [" " * indent + f"{flow(key)}:", *below]


def flow_of(value: object) -> str:
    """Return a value as YAML on one line."""
    text = yaml.dump(value, Dumper=Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n...\n").strip()


def comment(text: str, indent: int) -> list[str]:
    """Return *text* as lines of a comment."""
    start = " " * indent + "# "
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start + "  ", break_on_hyphens=False)


def about(found: Found) -> list[str]:
    """Return where the values come from that the library of images gives a service."""
    entry = found.entry
    if found.other:
        return comment(f"the library of images knows {entry.name}, not {found.other}, which this service runs", 4)
    known = [f"{key}: {source}" for key, source in entry.file.sources.items() if key not in entry.assumed]
    assumed = f"; assumed: {listed(entry.assumed)}" if entry.assumed else ""
    return comment(f"library of images, {entry.name}: {'; '.join(known)}{assumed}", 4)


def table(left: Sequence[Left]) -> list[str]:
    """Return what was not followed as lines of a comment, what changes answers first."""
    rows = in_rows(list(left))
    if not rows:
        return []
    lines = ["#", "# Not followed (changes your answer: no, yes, or only if …):"]
    for key, services, why, changes in rows:
        lines += comment(f"{key}{f' ({services})' if services else ''}: {changes}; {why}", 0)
    return [*lines, "#"]


def summary(it: Imported) -> str:
    """Return what is said of an import in one line."""
    services = it.scenario.setup.services
    ports = sum(len(service.ports) for service in services)
    bare = [name for name, keys in it.services.items() if "x-payload" not in keys]
    text = f"{counted(len(services), 'service')}, {counted(ports, 'port')}"
    known = sum(not found.other for found in it.found)
    if known:
        text += f"; {counted(known, 'image')} known"
    if bare:
        verb = "has" if len(bare) == 1 else "have"
        text += f"; {len(bare)} {verb} no x-payload (assumed: ready at once, TERM exits 0 after 100 ms)"
    rows = in_rows(list(it.left))
    for key, names, why, changes in rows:
        if changes.startswith(YES):
            text += f"\n  not followed: {key}{f' ({names})' if names else ''}: {why}; changes your answer: {changes}"
    doubts = sum(not changes.startswith(YES) and changes != NO for *_, changes in rows)
    if doubts:
        text += f"\n  {counted(doubts, 'other thing')} may change your answer: the head of the file lists them"
    return text


__all__ = ["Imported", "Wanted", "imported", "linked", "newest", "summary", "written"]
