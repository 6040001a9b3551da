"""From nodes to models: every problem gets the place of the key or value that is wrong, and the nearest spelling.

Models: sorting keys into read, accepted but not followed (noted once) and not modelled yet (refused by name), then
pydantic, whose errors are said in our words. Leaves out: names of other things in the file, which `compile.py`
and later readers check.
"""

from __future__ import annotations

import typing
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sim.scenario.known import not_modelled
from sim.scenario.noted import NO, Noted
from sim.scenario.schema_program import Strict
from sim.scenario.text import Mark, Node, Path, Problems
from sim.scenario.words import Refusal, did_you_mean, listed, shown

M = TypeVar("M", bound=Strict)
UNLIMITED: dict[str, tuple[object, ...]] = {  # values that switch a limit off
    "TimeoutStartSec": (0, "0", "0s", "infinity"),
    "TasksMax": ("infinity",),
    "pids_limit": (-1, 0, "-1", "0"),
    "memswap_limit": (-1, "-1"),
    "StartLimitAction": ("none",),
    "FailureAction": ("none",),
    "SuccessAction": ("none",),
}
NOT_THERE = "nothing of this engine reads it"


class NotedKey(NamedTuple):
    """A key that is accepted and not followed: how often it stands in *section*, and first at *where*."""

    section: str
    key: str
    count: int
    where: str  # file:line:column, "" if it is no key of a file
    why: str
    changes: str  # "no", or "only if …"


@dataclass
class Report:
    """What reading a file finds beside values: problems, keys that are not followed, assumptions."""

    problems: Problems = field(default_factory=Problems)
    unused: dict[str, Counter[str]] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    reasons: dict[tuple[str, str], tuple[Mark, Noted]] = field(default_factory=dict)

    def note(self, section: str, key: str, mark: Mark, noted: Noted) -> None:
        """Note that *key* is accepted and not followed, and why; its first place is kept."""
        self.unused.setdefault(section, Counter())[key] += 1
        self.reasons.setdefault((section, key), (mark, noted))

    def noted(self) -> tuple[NotedKey, ...]:
        """Return every key that is accepted and not followed, by section and name."""
        found = []
        for section, keys in sorted(self.unused.items()):
            for key, count in sorted(keys.items()):
                mark, noted = self.reasons.get((section, key), (None, Noted(NOT_THERE)))
                found.append(NotedKey(section, key, count, str(mark or ""), noted.why, noted.changes))
        return tuple(found)

    def without_effect(self) -> tuple[str, ...]:
        """Return one sentence a section: `services: environment ×9, volumes ×3`."""
        sections: dict[str, list[str]] = {}
        for row in self.noted():
            if row.changes == NO:
                sections.setdefault(row.section, []).append(_counted(row))
        return tuple(f"{section}: {listed(keys)}" for section, keys in sections.items())

    def doubts(self) -> tuple[str, ...]:
        """Return one sentence for each key that may change an answer and is not followed."""
        return tuple(
            f"{row.section}: {_counted(row)} changes the answer {row.changes} ({row.why})"
            for row in self.noted()
            if row.changes != NO
        )

    def refuse(self, root: Node, path: Path, refusal: Refusal) -> None:
        """Note *refusal* of the value at *path*."""
        path += refusal.below
        self.problems.add(root.place(path, refusal.of_key), f"{spelt(path)}: {refusal.what}", refusal.hint)


def _counted(row: NotedKey) -> str:
    return f"{row.key} ×{row.count}" if row.count > 1 else row.key


def spelt(path: Path) -> str:
    """Return *path* as `services.web.ports[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{clean(step)}"
    return text


def clean(name: str) -> str:
    """Return *name* for a message; anything that would not print is marked."""
    return name if name.isprintable() and len(name) <= 60 and name else shown(name)


def check(model: type[M], root: Node, path: Path, report: Report) -> M | None:
    """Return the value at *path* as *model*, or None after noting what is wrong with it."""
    node = root.find(path)
    if node is None or node.value is None:
        return model()
    if not isinstance(node.value, dict):
        report.problems.add(node.mark, f"{spelt(path)}: {shown(node.plain())} is not a mapping.", mapping_hint(model))
        return None
    before = len(report.problems.found)
    data = sift(model, root, path, report)
    try:
        checked = model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            add_detail(model, root, path, detail, report.problems)
        return None
    return checked if len(report.problems.found) == before else None


def mapping_hint(model: type[Strict]) -> str:
    """Return which keys *model* takes."""
    keys = model.known_keys()
    return f"It takes {listed(keys[:6])}{' …' if len(keys) > 6 else ''}."


# -- keys that are known but not read --------------------------------------------------------------


def sift(model: type[Strict], root: Node, path: Path, report: Report) -> dict[str, Any]:
    """Return the plain values that *model* reads; note keys that are not followed, refuse those not modelled yet."""
    node = root.find(path)
    assert node is not None
    assert isinstance(node.value, dict)
    inner = nested(model)
    kept: dict[str, Any] = {}
    for key, below in node.value.items():
        if key not in inner and key not in model.known_keys():
            noted = noted_in(model, key, below)
            if noted is not None:
                report.note(section(path), key, below.key or below.mark, noted)
                continue
            if key in model.later:
                what = f"{spelt((*path, key))}: {not_modelled(key, model.later[key])}"
                report.problems.add(below.key or below.mark, what)
                continue
        if below.value is not None:
            kept[key] = plain_below(inner.get(key), root, (*path, key), report)
    return kept


def noted_in(model: type[Strict], key: str, node: Node) -> Noted | None:
    """Return why *key* is not followed, None if it is to be read or refused; what it switches off is off."""
    noted = model.noted.get(key)
    if node.value in (None, False) and (noted is not None or key in model.later):
        return Noted("it is switched off")
    if noted is not None and key in UNLIMITED and node.plain() in UNLIMITED[key]:
        return Noted("it says that there is no limit")
    return noted


def section(path: Path) -> str:
    """Return what keys without effect are grouped by: all services together, anything else by its path."""
    return path[0] if path[0] in ("services", "networks") and isinstance(path[0], str) else spelt(path)


def plain_below(model: type[Strict] | None, root: Node, path: Path, report: Report) -> Any:
    """Return the plain value at *path*, sifted if *model* describes it."""
    node = root.find(path)
    assert node is not None
    if model and isinstance(node.value, dict):
        return sift(model, root, path, report)
    if model and isinstance(node.value, list):
        return [plain_below(model, root, (*path, place), report) for place in range(len(node.value))]
    return node.plain()


def nested(model: type[Strict]) -> dict[str, type[Strict]]:
    """Return the keys of *model* whose values are described by a model of their own."""
    found = {}
    for name, info in model.model_fields.items():
        inner = model_in(info.annotation)
        if inner:
            found[info.alias or name] = inner
    return found


def model_in(annotation: Any) -> type[Strict] | None:
    """Return the model inside `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    for part in typing.get_args(annotation):
        inner = model_in(part)
        if inner:
            return inner
    return None


# -- pydantic's errors in our words ----------------------------------------------------------------


def add_detail(model: type[Strict], root: Node, path: Path, detail: ErrorDetails, problems: Problems) -> None:
    """Note one error of pydantic with its place, its value and a hint."""
    at = (*path, *detail["loc"])
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, Refusal):
        at += error.below
        of_key = error.of_key or (bool(error.below) and error.what == "unknown key.")
        mark = key_or_value(root, at, of_key)
        problems.add(mark, f"{spelt(at)}: {error.what}", error.hint)
        return
    if detail["type"] == "extra_forbidden":
        inner = model_at(model, detail["loc"][:-1])
        keys = inner.known_keys()
        hint = did_you_mean(str(at[-1]), (*keys, *inner.noted)) or f"Valid: {listed(keys)}."
        problems.add(key_or_value(root, at, True), f"{spelt(at)}: unknown key.", hint)
        return
    if detail["type"] == "missing":
        problems.add(root.place(at[:-1], of_key=True), f"{spelt(at[:-1])}: needs {at[-1]}.")
        return
    problems.add(root.place(at), f"{spelt(at)}: {said(detail)}", hint_of(detail))


def key_or_value(root: Node, path: Path, of_key: bool) -> Mark:
    """Return the place of a key or of its value."""
    return root.place(path, of_key=of_key)


def said(detail: ErrorDetails) -> str:
    """Return what is wrong with a value."""
    value = shown(detail["input"])
    match detail["type"]:
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{value} is not a mapping."
        case "list_type" | "tuple_type":
            return f"{value} is not a list."
        case "string_type":
            return f"{value} is not text."
        case "literal_error":
            return f"{value} is not known here; valid: {listed(choices(detail))}."
    return f"{value}: {detail['msg'].lower()}."


def choices(detail: ErrorDetails) -> list[str]:
    """Return the words that pydantic expected."""
    text = str(detail.get("ctx", {}).get("expected", ""))
    return [word.strip().strip("'") for word in text.replace(" or ", ", ").split(",")]


def hint_of(detail: ErrorDetails) -> str:
    """Return the nearest word that was expected."""
    value = detail["input"]
    if detail["type"] != "literal_error" or not isinstance(value, str | bool):
        return ""
    if value is False and "no" in choices(detail):
        return "Write no."
    return did_you_mean(str(value), choices(detail))


def model_at(model: type[Strict], loc: tuple[str | int, ...]) -> type[Strict]:
    """Return the model of the mapping at *loc* below *model*."""
    for step in loc:
        if isinstance(step, str):
            model = nested(model).get(step, model)
    return model
