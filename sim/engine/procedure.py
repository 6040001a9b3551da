"""A program's workflow as a flat table of ops, compiled from nested lists, so that it is a value and no running code.

Construction checks the table: labels exist and stand once, every op is reached. Source: ARCHITECTURE.md, "Programs are
procedures".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.engine.ops import Goto, Jump, Label, Op, Return


class Procedure:
    """A compiled table: `ops`, in which labels and gotos are indexes."""

    def __init__(self, name: str, entries: Iterable[Any]) -> None:
        self.name = name
        self.ops, labels, jumps = _flatten(entries)
        if not self.ops or not self.ops[-1].ends or len(self.ops) in labels.values():
            self.ops.append(Return())
        self.goto = {label: _follow(index, labels, jumps) for label, index in labels.items()}
        _check_labels(self)
        for index, op in enumerate(self.ops):
            op.index, op.goto = index, self.goto
        self._link(labels, jumps)
        _check_reachable(self)

    def _link(self, labels: dict[str, int], jumps: dict[int, str]) -> None:
        self.next = [_follow(index + 1, labels, jumps) for index in range(len(self.ops))]


def procedure(name: str, *entries: Any) -> Procedure:
    """Compile a table; raise ValueError for a label that is missing or doubled, or an op that nothing reaches."""
    return Procedure(name, entries)


def _flatten(entries: Iterable[Any]) -> tuple[list[Op], dict[str, int], dict[int, str]]:
    ops: list[Op] = []
    labels: dict[str, int] = {}
    jumps: dict[int, str] = {}  # op index -> label: a Goto stands before that op

    def walk(items: Iterable[Any]) -> None:
        for entry in items:
            if isinstance(entry, (list, tuple)):
                walk(entry)
            elif isinstance(entry, Label):
                if entry.name in labels:
                    raise ValueError(f"label {entry.name!r} stands twice")
                labels[entry.name] = len(ops)
            elif isinstance(entry, Goto):
                ops.append(Jump(entry.label))
                jumps[len(ops) - 1] = entry.label
            else:
                ops.append(_fresh(entry))

    walk(entries)
    return ops, labels, jumps


def _fresh(op: Op) -> Op:
    """Return a copy of an op, since a spliced list may stand in several tables."""
    twin = object.__new__(type(op))
    twin.__dict__.update(op.__dict__)
    return twin


def _follow(index: int, labels: dict[str, int], jumps: dict[int, str]) -> int:
    for _ in range(len(jumps) + 1):
        if index not in jumps:
            return index
        if jumps[index] not in labels:
            raise ValueError(f"no label {jumps[index]!r}; there are {', '.join(labels)}")
        index = labels[jumps[index]]
    raise ValueError("a goto leads to itself")


def _check_labels(table: Procedure) -> None:
    for op in table.ops:
        for label in op.labels:
            if label not in table.goto:
                raise ValueError(f"{table.name}: {op.name!r} names label {label!r}; there are {', '.join(table.goto)}")


def _check_reachable(table: Procedure) -> None:
    todo, seen = [0], set()
    while todo:
        index = todo.pop()
        if index in seen:
            continue
        seen.add(index)
        op = table.ops[index]
        todo.extend(table.goto[label] for label in op.labels)
        if not op.ends:
            todo.append(table.next[index])
    dead = [op.name for index, op in enumerate(table.ops) if index not in seen and not isinstance(op, (Jump, Return))]
    if dead:
        raise ValueError(f"{table.name}: nothing reaches {', '.join(dead)}")
