"""`scale: 3` and `deploy: {replicas: 3}`: the service is so many containers, `web-1` to `web-3`.

Models: the file with a service for each container, before anything else of it is read; what the file says of one of
them under its own name is laid over it. Others that name the service in `depends_on`, `links`, `network_mode` or `pid`
get what Compose makes of it: all of its containers, or the first one. Docker Compose 1 wrote `web_1`, which is what the
versions of Docker have that came before Compose 2 (`Traits.replica`). Leaves out the name of the project before the
service's. A host port that several of them publish is bound by one; the start of the others fails, as in reality.
Source: docker/compose v2.40.3 pkg/compose/convergence.go 256-264, 414-424; compose-go v2.13.0
types/types.go 192-201, loader/validate.go 132-179.
"""

from __future__ import annotations

from dataclasses import replace

from sim.scenario.check import Report, spelt
from sim.scenario.fields import whole
from sim.scenario.layers import merge
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, shown

MOST = 1000
PLACES: tuple[Path, ...] = (("scale",), ("deploy", "replicas"))
FIRST_ONLY = ("network_mode", "pid", "ipc")  # resolveSharedNamespaces: that of the first container
number = whole(0, MOST, "a number of containers")

Replicas = dict[str, tuple[str, ...]]  # key of a service -> keys of its containers


def with_replicas(root: Node, separator: str, report: Report) -> tuple[Node, Replicas]:
    """Return *root* with a service for each container, and which services were made into which."""
    services = root.child("services")
    if services is None or not isinstance(services.value, dict):
        return root, {}
    counts = {key: _count(root, ("services", key), report) for key in services.value}
    made = {key: _names(key, count, separator) for key, count in counts.items() if count != 1}
    if not made:
        return root, {}
    found: dict[str, Node] = {}
    for key, node in services.value.items():
        for name in made.get(key, ()):
            own = services.value.get(name)
            found[name] = node if own is None else merge(node, own)
        if key not in made:
            found.setdefault(key, node)
    for key, node in found.items():
        found[key] = _renamed(node, made)
    assert isinstance(root.value, dict)
    return replace(root, value={**root.value, "services": replace(services, value=found)}), made


def _names(key: str, count: int, separator: str) -> tuple[str, ...]:
    return tuple(f"{key}{separator}{place}" for place in range(1, count + 1))


def _count(root: Node, path: Path, report: Report) -> int:
    """Return of how many containers a service is; what is wrong is noted, and it is one."""
    said = [(place, node) for place in PLACES if (node := root.find((*path, *place))) is not None]
    counts = []
    for place, node in said:
        try:
            counts.append(number(node.plain()))
        except Refusal as refusal:
            report.refuse(root, (*path, *place), refusal)
    if len(set(counts)) > 1:
        what = f"{' and '.join(spelt(place) for place, _ in said)} differ: {counts[0]} and {counts[1]}."
        report.refuse(root, (*path, *said[0][0]), Refusal(what, "Compose takes one number; leave one of them out."))
    count = counts[0] if counts else 1
    if count > 1 and root.find((*path, "container_name")) is not None:
        what = f"{count} containers cannot all be called {shown(root.find((*path, 'container_name')).plain())}."  # type: ignore[union-attr]
        report.refuse(root, (*path, "container_name"), Refusal(what, "Leave the name or the number out."))
        return 1
    return count


def _renamed(service: Node, made: Replicas) -> Node:
    """Return a service that names the containers of others in place of their services."""
    if not isinstance(service.value, dict):
        return service
    value = dict(service.value)
    for key in ("depends_on", "links"):
        if key in value:
            value[key] = _each(value[key], made)
    for key in FIRST_ONLY:
        said = value[key].value if key in value else None
        if isinstance(said, str) and made.get(said.removeprefix("service:")) and said.startswith("service:"):
            value[key] = replace(value[key], value=f"service:{made[said.removeprefix('service:')][0]}")
    return replace(service, value=value)


def _each(node: Node, made: Replicas) -> Node:
    """Return a list or a mapping of services with an entry for each container; `db:alias` is one of `db`."""
    if isinstance(node.value, list):
        entries = [replace(it, value=name) for it in node.value for name in _of(it.value, made)]
        return replace(node, value=entries)
    if isinstance(node.value, dict):
        return replace(node, value={name: it for key, it in node.value.items() for name in _of(key, made)})
    return node


def _of(entry: object, made: Replicas) -> tuple[object, ...]:
    if not isinstance(entry, str):
        return (entry,)
    key, colon, alias = entry.partition(":")
    return tuple(f"{name}{colon}{alias}" for name in made[key]) if key in made else (entry,)
