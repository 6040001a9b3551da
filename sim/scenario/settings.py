"""What-ifs: `PATH=VALUE` put into a file that has been read, before anything is checked.

Models: paths through mappings and lists (`engine.daemon.live-restore`, `steps.0.at`, `expect[1].max`); values
read as YAML. A path that nothing reads is refused with the nearest one. Leaves out: removing a key (set it to
null), wildcards. Source: the project's scenario language.
"""

from __future__ import annotations

from dataclasses import replace

from sim.scenario.check import nested, spelt
from sim.scenario.schema import File as FileModel
from sim.scenario.schema_program import Strict
from sim.scenario.text import MAX_DEPTH, Key, Mark, Node, Path, moved, parse_value
from sim.scenario.words import Refusal, did_you_mean, listed


def set_path(root: Node, path: str, value: object) -> Node:
    """Return *root* with *value* at *path* (`services.web.restart`, `steps.0.at`). Raises Refusal."""
    steps = steps_of(root, path)
    mark = Mark(f"--set {path}", 0, 0)
    return put(root, steps, moved(parse_value(value) if isinstance(value, str) else value, mark), mark)


def steps_of(root: Node, path: str) -> Path:
    """Return *path* as keys and indices; a name that contains dots is found if it is there."""
    words = path.replace("[", ".").replace("]", "").split(".")
    if len(words) > MAX_DEPTH:
        raise Refusal(f"the path has {len(words)} steps; {MAX_DEPTH} are the most.")
    steps: list[Key] = []
    node: Node | None = root
    while words:
        length = longest(node, words)
        word = ".".join(words[:length])
        words = words[length:]
        key = index(node, word, path) if node and isinstance(node.value, list) else word
        check_key(root, node, tuple(steps), key, path)
        steps.append(key)
        node = node.child(key) if node else None
    return tuple(steps)


def longest(node: Node | None, words: list[str]) -> int:
    """Return how many of *words* make up a key of *node*, at least one."""
    if node and isinstance(node.value, dict):
        for length in range(len(words), 1, -1):
            if ".".join(words[:length]) in node.value:
                return length
    return 1


def index(node: Node, word: str, path: str) -> int:
    """Return *word* as an index of the list *node*."""
    assert isinstance(node.value, list)
    if word.isascii() and word.isdigit() and len(word) < 7 and int(word) < len(node.value):
        return int(word)
    raise Refusal(f"{path}: the list has {len(node.value)} entries, no {word}.", "They count from 0.")


def check_key(root: Node, node: Node | None, steps: Path, key: Key, path: str) -> None:
    """Refuse a key that nothing reads, with the nearest one that is read or is there."""
    if isinstance(key, int):
        return
    if steps in (("services",), ("networks",)):
        there = sorted(node.value) if node and isinstance(node.value, dict) else []
        if key not in there:
            raise Refusal(
                f"{path}: {spelt(steps)} has no {key}.", did_you_mean(key, there) or f"There are: {listed(there)}."
            )
        return
    keys = keys_of(steps)
    if keys is not None and key not in keys:
        raise Refusal(f"{path}: unknown key {key}.", did_you_mean(key, keys) or f"Valid: {listed(sorted(keys))}.")


def keys_of(steps: Path) -> list[str] | None:
    """Return the keys that may stand at *steps*, None if any may."""
    model: type[Strict] | None = FileModel
    for place, step in enumerate(steps):
        if isinstance(step, int):
            continue
        if place == 1 and steps[0] in ("services", "networks"):
            continue
        model = nested_or_named(model, step)
        if model is None:
            return None
    assert model is not None
    return [*model.known_keys(), *model.noted, *model.later]


def nested_or_named(model: type[Strict] | None, step: str) -> type[Strict] | None:
    """Return the model of what stands under *step* in *model*."""
    return nested(model).get(step) if model else None


def put(node: Node | None, steps: Path, value: Node, mark: Mark) -> Node:
    """Return *node* with *value* at *steps*; mappings on the way are made."""
    if not steps:
        return replace(value, key=node.key if node else mark)
    first, rest = steps[0], steps[1:]
    if node is not None and isinstance(node.value, list) and isinstance(first, int):
        entries = list(node.value)
        entries[first] = put(entries[first], rest, value, mark)
        return replace(node, value=entries)
    if node is not None and isinstance(node.value, dict):
        return replace(node, value={**node.value, str(first): put(node.value.get(str(first)), rest, value, mark)})
    if node is not None and node.value is not None:
        raise Refusal(f"{mark.file.removeprefix('--set ')}: nothing can stand below a value.")
    return Node({str(first): put(None, rest, value, mark)}, mark, node.key if node else mark)
