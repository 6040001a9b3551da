"""Which traits the functions of a design's programs, units and engine read: the others say nothing of it.

Models: the functions themselves and those that they call by a name of their module, in the rooms of the engines and in
what the rooms share. A trait that only shared code reads is read by no design. Leaves out what is read by computed
names. Source: the functions' code objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType

from sim.designs.design import Design
from sim.engine.traits import Traits

ROOMS = "sim.engine"  # and what begins so: sim.engines
OF_FILES = "fit"  # what an engine makes of a scenario file, which no program reads


@cache
def reads(design: Design) -> frozenset[str]:
    """Return the names of the traits that are read.

    >>> from sim.designs import DESIGNS
    >>> "last_wait" in reads(DESIGNS["docker-26"]), "last_wait" in reads(DESIGNS["docker-1.13"])
    (True, False)
    """
    found: set[str] = set()
    seen: set[FunctionType] = set()
    waiting = list(_values(design))
    while waiting:
        now = waiting.pop()
        if not isinstance(now, FunctionType) or now in seen or not now.__module__.startswith(ROOMS):
            continue
        seen.add(now)
        names = {name for code in _codes(now.__code__) for name in code.co_names}
        found |= names
        waiting += [now.__globals__[name] for name in names if name in now.__globals__]
        waiting += [cell.cell_contents for cell in now.__closure__ or ()]
    return frozenset(found & set(Traits.__struct_fields__))


def _values(design: Design) -> Iterator[object]:
    for op in (op for table in design.procedures.values() for op in table.ops):
        yield from (getattr(op, name) for name in dir(op) if not name.startswith("__"))
    for part in (*design.units.values(), design.engine):
        yield from (getattr(part, name) for name in part.__struct_fields__ if name != OF_FILES)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)
