"""A program's workflow as a flat table of ops, compiled from nested lists, so that it is a value and no running code.

Construction checks the table: labels exist and stand once, every op is reached, locks are released on every way out.
Leaves out: that a lock's name may change between its ops with the variables in it, and which way is taken when.
Source: ARCHITECTURE.md, "Programs are procedures".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.engine.ops import Goto, Jump, Label, Lock, Op, Return, Unlock


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
        _check_ways(self)

    def _link(self, labels: dict[str, int], jumps: dict[int, str]) -> None:
        self.next = [_follow(index + 1, labels, jumps) for index in range(len(self.ops))]


def procedure(name: str, *entries: Any) -> Procedure:
    """Compile a table; raise ValueError for a wrong label, an op that nothing reaches, or a lock out of pair."""
    return Procedure(name, entries)


def tables(program: str, **entries: Any) -> tuple[Procedure, ...]:
    """Compile the tables of a program by their names within it; a table of one entry may be that entry."""
    return tuple(procedure(f"{program}.{name}", found) for name, found in entries.items())


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


def _check_ways(table: Procedure) -> None:
    """Walk every way through the table with the locks held on it, named as the ops name them, in order."""
    todo: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    seen = set()
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        op, held = table.ops[state[0]], _held_after(table, *state)
        todo.extend((table.goto[label], held) for label in op.labels)
        if not op.ends:
            todo.append((table.next[op.index], held))
    reached = {index for index, _ in seen}
    dead = [op.name for op in table.ops if op.index not in reached and not isinstance(op, (Jump, Return))]
    if dead:
        raise ValueError(f"{table.name}: nothing reaches {', '.join(dead)}")


def _held_after(table: Procedure, index: int, held: tuple[str, ...]) -> tuple[str, ...]:
    """Return the locks held after an op; an exit may hold any, since locks die with their process."""
    op = table.ops[index]
    place = f"{table.name}: {op.name!r} (op {index})"
    if isinstance(op, Unlock):
        if op.template not in held:
            raise ValueError(f"{place} releases lock {op.template!r}, which is not held on every way there")
        return tuple(lock for lock in held if lock != op.template)
    if isinstance(op, Lock):
        if op.template in held:
            raise ValueError(f"{place} takes lock {op.template!r}, which is held already on a way there")
        return (*held, op.template)
    if isinstance(op, Return) and held:
        raise ValueError(f"{place} is reached with lock {held[-1]!r} held; release it on every way out")
    return held
