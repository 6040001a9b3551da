"""Compose files: what the engine gets from them.

Models: services and networks of v2, v3 and unversioned files, v1 files (services at the top), the network that
Compose makes for services that name none, `${NAME:-default}` with values from a `.env` file beside. Leaves out,
by name: `include`, `extends`; the environment of the caller, since a scenario must mean the same everywhere.
Source: Compose specification ("Interpolation", "Networks"); Compose file reference, version 1.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path as File

from sim.scenario.check import Report
from sim.scenario.known import COMPOSE_NOT_MODELLED, not_modelled
from sim.scenario.layers import merge, without
from sim.scenario.noted import NOTED, Noted
from sim.scenario.schema import ServiceFile
from sim.scenario.text import Mark, Node, read
from sim.scenario.words import did_you_mean, shown

MARK_OF_VERSION_1 = "version 1"  # a key that no file can be asked for
OURS = tuple(key for key in ServiceFile.known_keys() if key.startswith("x-"))
VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<rule>:?[-?+])(?P<word>[^}]*))?\}|(?P<bare>[A-Za-z_][A-Za-z0-9_]*))"
)


def lay_over_compose(over: Node, text: str, file: str, report: Report) -> Node:
    """Return *over* laid over a Compose file as a second -f file would be."""
    compose = read_compose(text, file, report)
    if compose is None:
        return over
    if compose.child(MARK_OF_VERSION_1):
        return merge(without(compose, MARK_OF_VERSION_1), over)
    return with_default_network(merge(compose, over))


def read_compose(text: str, file: str, report: Report) -> Node | None:
    """Return services and networks of a Compose file as a scenario has them; what is wrong goes to *report*."""
    documents = read(text, file, report.problems)
    if not documents:
        return None
    root = documents[0]
    if not isinstance(root.value, dict):
        report.problems.add(root.mark, f"{file}: is not a Compose file.")
        return None
    root = Interpolation(env_file(file), report).node(root)
    assert isinstance(root.value, dict)
    if is_version_1(root.value):
        root = replace(root, value={"services": root, MARK_OF_VERSION_1: Node(True, root.mark)})
    return services_only(root, report, file)


def is_version_1(top: dict[str, Node]) -> bool:
    """Say whether the services stand at the top, as in version 1."""
    mappings = [node for name, node in top.items() if isinstance(node.value, dict) and not name.startswith("x-")]
    return (
        "services" not in top
        and "version" not in top
        and any("image" in node.value or "build" in node.value for node in mappings if isinstance(node.value, dict))
    )


def services_only(root: Node, report: Report, file: str) -> Node:
    """Return the keys that a scenario reads; note the rest."""
    assert isinstance(root.value, dict)
    kept = {}
    for key, node in root.value.items():
        if key in ("services", "networks", MARK_OF_VERSION_1):
            kept[key] = node
        elif key in COMPOSE_NOT_MODELLED:
            report.problems.add(node.key or node.mark, f"{key}: {not_modelled(key, COMPOSE_NOT_MODELLED[key])}")
        elif key not in NOTED["compose"] and not key.startswith("x-"):
            hint = did_you_mean(key, ("services", "networks", *NOTED["compose"]))
            report.problems.add(node.key or node.mark, f"{key}: unknown key of a Compose file.", hint)
    services = kept.get("services")
    if services and isinstance(services.value, dict):
        prepared = {name: prepare(node, name, file, report) for name, node in services.value.items()}
        kept["services"] = replace(services, value=prepared)
    return replace(root, value=kept)


def prepare(service: Node, name: str, file: str, report: Report) -> Node:
    """Return a service without other tools' `x-` keys, and with the image that `build:` makes."""
    if not isinstance(service.value, dict):
        return service
    kept = {}
    for key, node in service.value.items():
        if key.startswith("x-") and key not in OURS and not did_you_mean(key, OURS):
            report.note("services", key, node.key or node.mark, Noted("it belongs to another tool"))
        else:
            kept[key] = node
    build = kept.get("build")
    if build and "image" not in kept:
        kept["image"] = Node(f"{project(file)}_{name}", build.mark, build.key)
    return replace(service, value=kept)


def project(file: str) -> str:
    """Return the project name that docker-compose takes from the folder of *file*."""
    folder = os.path.basename(os.path.dirname(os.path.abspath(file)))
    return re.sub(r"[^a-z0-9]", "", folder.lower()) or "default"


def with_default_network(root: Node) -> Node:
    """Put services that name no network on the network `default`, as Compose does from version 2 on."""
    assert isinstance(root.value, dict)
    services = root.value.get("services")
    if not services or not isinstance(services.value, dict):
        return root
    joined = {name: join_default(node) for name, node in services.value.items()}
    if all(joined[name] is services.value[name] for name in joined):
        return root
    networks = root.value.get("networks")
    known = networks.value if networks and isinstance(networks.value, dict) else {}
    if "default" not in known:
        default = {"default": Node({}, services.mark, services.key)}
        networks = Node({**default, **known}, services.mark, services.key)
    assert networks is not None
    return replace(root, value={**root.value, "services": replace(services, value=joined), "networks": networks})


def join_default(service: Node) -> Node:
    """Return *service* with `networks: [default]` if it says nothing about networks."""
    value = service.value
    if not isinstance(value, dict) or any(key in value for key in ("networks", "network_mode", "net")):
        return service
    return replace(
        service, value={**value, "networks": Node([Node("default", service.mark)], service.mark, service.key)}
    )


# -- ${NAME:-default} ------------------------------------------------------------------------------


def env_file(file: str) -> dict[str, str]:
    """Return the variables of the `.env` file beside *file*; without one there are none."""
    try:
        lines = (File(file).parent / ".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        return {}
    pairs = (line.strip().partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


class Interpolation:
    """Puts values for variables; a variable without value and default is a problem."""

    def __init__(self, values: dict[str, str], report: Report) -> None:
        self.values = values
        self.report = report

    def node(self, node: Node) -> Node:
        """Return *node* with all its text replaced."""
        if isinstance(node.value, dict):
            return replace(node, value={key: self.node(below) for key, below in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.node(below) for below in node.value])
        if isinstance(node.value, str) and "$" in node.value:
            return replace(node, value=self.text(node.value, node.mark))
        return node

    def text(self, text: str, mark: Mark) -> str:
        """Return *text* with its variables replaced."""
        return VARIABLE.sub(lambda match: self.variable(match, mark), text)

    def variable(self, match: re.Match[str], mark: Mark) -> str:
        """Return the value of one variable by the rules of Compose."""
        if match["escaped"]:
            return "$"
        name, rule, word = match["braced"] or match["bare"], match["rule"] or "", match["word"] or ""
        value = self.values.get(name)
        there = bool(value) if rule.startswith(":") else value is not None
        if rule.endswith("+"):
            return word if there else ""
        if there and value is not None:
            return value
        if rule.endswith("-"):
            return word
        self.report.problems.add(
            mark, f"the variable {shown(name)} has no value.", "Give it one in a .env file beside this file."
        )
        return ""
