"""A stack as a scenario can have it: what the model does not follow is left out, with its reason.

Models: the image that `build:` makes (PROJECT-SERVICE), other tools' `x-` keys, text that variables made of numbers and
truths, networks of other drivers, the network `default`. A value that the scenario's reader knows and has no model for
is taken out and said; so is one that is wrong only since a variable has no value. What is wrong in the file itself
stays, and is refused where all of a file is. Containers have the name of their service, or `container_name`: the prefix
and the number that Compose adds (PROJECT-SERVICE-1) would only make names longer. Source: compose-go 2
loader/interpolate.go (what text may stand for), loader/normalize.go (networks), schema/compose-spec.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from sim.scenario.check import spelt
from sim.scenario.compose.left import NO, Left
from sim.scenario.compose.references import CHANGES, IN_ADDRESSES, whole
from sim.scenario.compose.stack import Stack, mapping
from sim.scenario.engines import design_of
from sim.scenario.noted import NOTED
from sim.scenario.schema import NetworkFile, ServiceFile
from sim.scenario.schema_program import Strict
from sim.scenario.text import Node, Path, Problems
from sim.scenario.vocabulary import DEFAULT, refused
from sim.scenario.words import Refusal, did_you_mean

OURS = tuple(key for key in ServiceFile.known_keys() if key.startswith("x-"))
SECTIONS = ("services", "networks")
TRUTHS = {"true": True, "yes": True, "y": True, "on": True, "false": False, "no": False, "n": False, "off": False}
AS_TRUTH = frozenset("init tty stdin_open privileged read_only oom_kill_disable disable required".split())
AS_TRUTH_OF_NETWORK = frozenset("external internal attachable enable_ipv4 enable_ipv6".split())
AS_NUMBER = frozenset("scale replicas oom_score_adj pids_limit retries max_attempts target".split())
TEXTS = frozenset("environment labels annotations command entrypoint build sysctls x-payload x-exec test".split())
MOST = 500  # values that are taken out of one service


@dataclass
class Usable:
    """Takes out of a stack what the model has nothing for; *left* tells what."""

    stack: Stack
    design: str
    problems: Problems
    beside: frozenset[str] = frozenset()  # services that a scenario adds
    left: list[Left] = field(default_factory=list)

    def root(self) -> Node:
        """Return services and networks of the stack."""
        kept: dict[str, Node] = {}
        for key, node in mapping(self.stack.root).items():
            if key in SECTIONS:
                kept[key] = node
            elif key not in NOTED["compose"] and not key.startswith("x-"):
                hint = did_you_mean(key, (*SECTIONS, "include", *NOTED["compose"]))
                self.problems.add(node.key or node.mark, f"{key}: unknown key of a Compose file.", hint)
        for section, prepare in (("services", self.service), ("networks", self.network)):
            said = kept.get(section)
            if said is not None and isinstance(said.value, dict):
                kept[section] = replace(said, value={name: prepare(it, name) for name, it in said.value.items()})
            elif said is not None and said.value is None:
                del kept[section]
        return whole(replace(self.stack.root, value=kept), self.beside, self.left)

    # -- services ----------------------------------------------------------------------------------------------------

    def service(self, service: Node, name: str) -> Node:
        """Return a service without what the model has nothing for."""
        if service.value is None:
            service = replace(service, value={})
        if not isinstance(service.value, dict):
            return service
        kept = {}
        for key, node in service.value.items():
            foreign = key.startswith("x-") and key not in OURS and not did_you_mean(key, OURS)
            if key == "profiles" or foreign:
                continue
            reason = self.reason(key, node)
            if reason is None:
                kept[key] = typed(node, key)
            else:
                self.left.append(Left(node.key or node.mark, name, key, *reason))
        if kept.get("image") is None or kept["image"].value is None:
            made = kept.get("build") or service
            kept["image"] = Node(f"{self.stack.project}-{name}", made.mark, made.key)
            if "build" not in kept and "provider" not in kept:
                self.left.append(
                    Left(service.key or service.mark, name, "image", "the service has neither image nor build")
                )
        if "healthcheck" in kept:
            kept["healthcheck"] = self.checked(kept["healthcheck"], name)
        return self.followed(ServiceFile, replace(service, value=kept), name, CHANGES)

    def checked(self, check: Node, name: str) -> Node:
        """Return a health check without the keys that the engine's version does not have."""
        if not isinstance(check.value, dict):
            return check
        kept = {}
        for key, node in check.value.items():
            refusal = None if node.value is None else refused("healthcheck", key, self.designs())
            if refusal is None:
                kept[key] = node
            else:
                why = refusal.what.removesuffix(".")
                self.left.append(Left(node.key or node.mark, name, f"healthcheck.{key}", why, NO))
        return replace(check, value=kept)

    def reason(self, key: str, node: Node) -> tuple[str, str] | None:
        """Return why a key of a service is left out as a whole, and what hangs on it; None if it is not."""
        if key in ServiceFile.later:
            return ServiceFile.later[key] or "not followed", CHANGES.get(key, "only if something hangs on it")
        if key in NOTED["service"] or key in ServiceFile.known_keys():
            refusal = None if node.value in (None, False) else refused("service", key, self.designs())
            return None if refusal is None else (refusal.what.removesuffix("."), NO)
        return None

    def designs(self) -> Any:
        """Return the design as the vocabulary is asked with it; one that there is not is refused elsewhere."""
        try:
            return ((self.design, design_of(self.design)),)
        except Refusal:
            return ((DEFAULT, design_of(DEFAULT)),)

    # -- networks ----------------------------------------------------------------------------------------------------

    def network(self, network: Node, name: str) -> Node:
        """Return a declared network; whatever of it is not followed, it is there."""
        if not isinstance(network.value, dict):
            return network
        kept = {}
        for key, node in network.value.items():
            if key.startswith("x-"):
                continue
            if key in NetworkFile.later:
                if node.value not in (None, False, "false"):
                    why = NetworkFile.later[key] or "not followed"
                    self.left.append(
                        Left(node.key or node.mark, "", f"networks.{name}.{key}", why, CHANGES["networks"])
                    )
                continue
            if key == "driver" and node.value not in (None, "bridge", "default"):
                why = f"a network of the driver {node.value} is taken for a bridge"
                self.left.append(Left(node.mark, "", f"networks.{name}.driver", why, CHANGES["networks"]))
                continue
            kept[key] = typed(node, key) if key in AS_TRUTH_OF_NETWORK else node
        return self.followed(NetworkFile, replace(network, value=kept), f"networks.{name}", {"ipam": IN_ADDRESSES})

    # -- values ------------------------------------------------------------------------------------------------------

    def followed(self, model: type[Strict], node: Node, name: str, changes: dict[str, str]) -> Node:
        """Return *node* without the values that *model* knows and does not follow, one by one."""
        of_service = model is ServiceFile
        for key, below in list(mapping(node).items()):
            if key not in model.known_keys() or key.startswith("x-") or below.value is None:
                continue
            value: Node | None = below
            for _ in range(MOST):
                fault = None if value is None else self.fault(model, key, value)
                if fault is None or value is None:
                    break
                path, why = fault
                at = place_of(value, path)
                words = spelt((key, *at))
                self.left.append(
                    Left(
                        value.place(at),
                        name if of_service else "",
                        words if of_service else f"{name}.{words}",
                        why,
                        changes.get(key, "only if something hangs on it"),
                    )
                )
                value = taken_out(value, at)
            rest = {**mapping(node), key: value} if value is not None else without(mapping(node), key)
            node = replace(node, value=rest)
        return node

    def fault(self, model: type[Strict], key: str, node: Node) -> tuple[Path, str] | None:
        """Return the place of a value that is not followed, and why; None if there is none, or only what is wrong."""
        for path, refusal in refusals(model, key, node):
            if "not modelled" in refusal.what or "is not a log driver" in refusal.what:
                return path, refusal.what.removesuffix(".")
            if node.place(place_of(node, path)) in self.stack.incomplete:
                return path, f"{refusal.what.removesuffix('.')}: a variable in it has no value"
        return None


def refusals(model: type[Strict], key: str, node: Node) -> Iterator[tuple[Path, Refusal]]:
    """Yield what the reader of *key* refuses in *node*, with the path below it."""
    try:
        model.model_validate({key: node.plain()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            loc, said = tuple(detail["loc"]), detail.get("ctx", {}).get("error")
            if loc[:1] != (key,):
                continue  # what the key needs beside it
            refusal = said if isinstance(said, Refusal) else Refusal(detail["msg"])
            yield (*loc[1:], *refusal.below), refusal


def place_of(node: Node, path: Path) -> Path:
    """Return the part of *path* that there is in *node*."""
    found: Path = ()
    for step in path:
        below = node.child(step)
        if below is None:
            break
        node, found = below, (*found, step)
    return found


def taken_out(node: Node, path: Path) -> Node | None:
    """Return *node* without what stands at *path*; None if nothing is left."""
    if not path:
        return None
    if isinstance(node.value, list):
        items = [taken_out(it, path[1:]) if place == path[0] else it for place, it in enumerate(node.value)]
        left = [it for it in items if it is not None]
        return replace(node, value=left) if left else None
    below = {str(key): taken_out(it, path[1:]) if key == str(path[0]) else it for key, it in mapping(node).items()}
    rest = {key: it for key, it in below.items() if it is not None}
    return replace(node, value=rest) if rest else None


def without(value: dict[str, Node], key: str) -> dict[str, Node]:
    """Return a mapping without *key*."""
    return {name: it for name, it in value.items() if name != key}


def typed(node: Node, key: str) -> Node:
    """Return *node* with numbers and truths where text stands for them, as after a variable was replaced."""
    if key in TEXTS:
        return node
    if isinstance(node.value, dict):
        return replace(node, value={name: typed(it, name) for name, it in node.value.items()})
    if isinstance(node.value, list):
        return replace(node, value=[typed(it, "") for it in node.value])
    if isinstance(node.value, str):
        word = node.value.strip()
        if key in AS_TRUTH | AS_TRUTH_OF_NETWORK and word.lower() in TRUTHS:
            return replace(node, value=TRUTHS[word.lower()])
        if key in AS_NUMBER and word.lstrip("-").isascii() and word.lstrip("-").isdigit() and len(word) < 12:
            return replace(node, value=int(word))
    return node
