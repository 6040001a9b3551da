"""One Compose file laid over another: what each key does with two values.

Models: mappings by key; lists that add up, each entry once by what it is about (a volume by its target, a port by
itself, a variable by its name); what is replaced as a whole (`command`, `entrypoint`, a check's `test`); `logging`,
whose options are of one driver; `!reset`, which takes away, and `!override`, which replaces. Leaves out rules for keys
that make no process beyond that. Source: compose-go 2 override/merge.go, override/uncity.go, loader/reset.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.scenario.text import Node, Path, Problems

RESET, OVERRIDE = "!reset", "!override"
TAGS = frozenset((RESET, OVERRIDE))

REPLACED = frozenset(("command", "entrypoint", "healthcheck.test", "ulimits.*"))
PAIRS = frozenset("annotations labels environment sysctls extra_hosts build.args build.labels deploy.labels".split())
NAMED = frozenset(("depends_on", "networks", "models"))
ENTRIES = frozenset("dns dns_opt dns_search env_file label_file tmpfs".split())  # one alone needs no list
STARTED = {"depends_on": {"condition": "service_started"}}


def laid_over(under: Node, over: Node, problems: Problems, path: Path = ()) -> Node:
    """Return *over* laid over *under*, both whole files; places stay with the values that are kept."""
    if over.tag == OVERRIDE or over.tag == RESET:
        return over
    rule = rule_of(path)
    if rule in REPLACED:
        return over
    if over.value is None:
        return under
    for words, form in ((PAIRS, pairs), (NAMED, named), (ENTRIES, entries)):
        if rule in words:
            under, over = form(under, rule), form(over, rule)
    if rule == "build":
        under, over = built(under), built(over)
    if rule == "logging" and not same_driver(under, over):
        return over
    if isinstance(under.value, dict) and isinstance(over.value, dict):
        both = dict(under.value)
        for key, node in over.value.items():
            both[key] = laid_over(both[key], node, problems, (*path, key)) if key in both else node
        return Node(both, over.mark, over.key)
    if isinstance(under.value, list) and isinstance(over.value, list):
        return Node(once([*under.value, *over.value], rule), over.mark, over.key)
    if isinstance(under.value, dict | list) and under.value:
        what = f"{'.'.join(map(str, path))}: this cannot be laid over what stands at {under.mark}."
        problems.add(over.mark, what, "Write it in the same form, or !override before it.")
    return over


def settled(node: Node) -> Node:
    """Return *node* without what `!reset` takes away, and each entry of a list once."""
    return _settled(node, ())


def _settled(node: Node, path: Path) -> Node:
    if isinstance(node.value, dict):
        kept = {key: _settled(it, (*path, key)) for key, it in node.value.items() if it.tag != RESET}
        return replace(node, value=kept, tag="")
    if isinstance(node.value, list):
        items = [_settled(it, (*path, place)) for place, it in enumerate(node.value) if it.tag != RESET]
        return replace(node, value=once(items, rule_of(path)), tag="")
    return replace(node, tag="") if node.tag else node


def rule_of(path: Path) -> str:
    """Return by which name the rules know a place of a service: `healthcheck.test`; "" elsewhere."""
    if len(path) < 3 or path[0] != "services":
        return ""
    words = [str(step) for step in path[2:]]
    return "ulimits.*" if words[0] == "ulimits" and len(words) == 2 else ".".join(words)


# -- forms of one key ------------------------------------------------------------------------------


def pairs(node: Node, rule: str) -> Node:
    """Return `[A=1, B]` as a mapping."""
    if not isinstance(node.value, list):
        return node
    found: dict[str, Node] = {}
    for item in node.value:
        name, sign, value = str(item.value).partition("=")
        if rule == "extra_hosts" and not sign:
            name, sign, value = name.partition(":")
        found[name] = replace(item, value=value if sign else None, key=item.mark)
    return replace(node, value=found)


def named(node: Node, rule: str) -> Node:
    """Return `[a, b]` as a mapping."""
    if not isinstance(node.value, list):
        return node
    options = {key: Node(value, node.mark, node.mark) for key, value in STARTED.get(rule, {}).items()}
    return replace(
        node, value={str(it.value): replace(it, value=dict(options) or None, key=it.mark) for it in node.value}
    )


def entries(node: Node, rule: str) -> Node:
    """Return one entry as a list."""
    return node if isinstance(node.value, list) else replace(node, value=[node])


def built(node: Node) -> Node:
    """Return `build: FOLDER` as a mapping."""
    return node if isinstance(node.value, dict) else replace(node, value={"context": node})


def same_driver(under: Node, over: Node) -> bool:
    """Return whether two logs go to one driver, as far as both say."""
    one, other = under.child("driver"), over.child("driver")
    return one is None or other is None or one.value == other.value


# -- lists -----------------------------------------------------------------------------------------


def once(items: list[Node], rule: str) -> list[Node]:
    """Return *items* with the last of those that are about the same thing, at the place of the first."""
    about = ABOUT.get(rule)
    if about is None:
        return items
    found: dict[str, Node] = {}
    for item in items:
        found[about(item)] = item
    return list(found.values())


def by_text(item: Node) -> str:
    """Return an entry as it is written."""
    return repr(item.plain())


def by_name(item: Node) -> str:
    """Return the name of `NAME=value`."""
    return str(item.plain()).partition("=")[0]


def by_port(item: Node) -> str:
    """Return a port of the long form by what it publishes, one of the short form as it is written."""
    if not isinstance(item.value, dict):
        return str(item.value)
    said = item.plain()
    assert isinstance(said, dict)
    host, proto = said.get("host_ip", "0.0.0.0"), said.get("protocol", "tcp")
    return f"{host}:{said.get('published')}:{said.get('target')}/{proto}"


def by_target(item: Node) -> str:
    """Return where a volume or device is mounted."""
    if isinstance(item.value, dict):
        target = item.child("target") or item.child("source")
        return str(target.value) if target else by_text(item)
    parts = str(item.value).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


ABOUT: dict[str, Callable[[Node], str]] = {
    **dict.fromkeys("ports".split(), by_port),
    **dict.fromkeys("volumes devices configs secrets".split(), by_target),
    **dict.fromkeys("cap_add cap_drop dns dns_opt dns_search tmpfs links profiles expose".split(), by_name),
    "env_file": by_text,
}
