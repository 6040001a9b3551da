"""Which designs there are: those that the engines in `sim.engines` offer, and those that are put in by hand.

`DESIGNS["docker-26"]` imports the programs of that design; its names are known without. A design of one's own is put in
with `DESIGNS["mine"] = Design("mine", ...)`, or registered as a module (`sim.parts`).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import cache

from sim import parts
from sim.designs.design import Design
from sim.designs.family import Family
from sim.engine.role import Role


@cache
def families() -> tuple[Family, ...]:
    """Return the families of engines in the order in which their designs are listed."""
    found: list[Family] = [module.FAMILY for module in parts.modules("engines")]
    return tuple(sorted(found, key=lambda family: family.order))


def _look_anew() -> None:
    """Forget what was gathered from all designs: there are others."""
    roles.cache_clear()
    stages.cache_clear()


class Designs(MutableMapping[str, Design]):
    """Designs by name, imported when they are asked for."""

    def __init__(self) -> None:
        self._own: dict[str, Design] = {}
        self._read: dict[str, Design] = {}

    def __getitem__(self, name: str) -> Design:
        if name in self._own:
            return self._own[name]
        if name not in self._read:
            family = next((it for it in families() if name in it.designs), None)
            if family is None:
                raise KeyError(name)
            self._read[name] = family.design(name)
        return self._read[name]

    def __setitem__(self, name: str, design: Design) -> None:
        self._own[name] = design
        _look_anew()

    def __delitem__(self, name: str) -> None:
        del self._own[name]
        _look_anew()

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys(name for family in families() for name in family.designs)
        yield from (name for name in self._own if not any(name in family.designs for family in families()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._own or any(name in family.designs for family in families())

    def forget(self) -> None:
        """Look for designs anew: a part was added or taken away."""
        families.cache_clear()
        _look_anew()
        self._read = {name: design for name, design in self._read.items() if name in self}


DESIGNS = Designs()


def versions() -> dict[str, str]:
    """Return every other name of a design -> the design's own name."""
    return {name: row for family in families() for name, row in family.versions.items()}


def names_of(design: str) -> list[str]:
    """Return every other name of a design.

    >>> names_of("docker-24")
    ['docker-24', 'docker-24.0']
    """
    return [name for name, row in versions().items() if row == design]


def absent(name: str) -> tuple[str, str] | None:
    """Return why an engine that somebody may look for is not modelled, and the nearest that is; None if unknown."""
    return next((found for family in families() if (found := family.absent(name)) is not None), None)


@cache
def roles() -> dict[str, Role]:
    """Return every role that a design has, by name, in the order of `Role.order`; a role's first design decides.

    >>> from sim.engine.role import Kind
    >>> [name for name, role in roles().items() if role.kind is Kind.HOLDER and not role.brief]
    ['shim', 'conmon']
    """
    found: dict[str, Role] = {}
    for design in DESIGNS.values():
        for name, program in design.programs.items():
            found.setdefault(name, program.role)
    return dict(sorted(found.items(), key=lambda it: (it[1].order, it[0])))


@cache
def stages() -> dict[str, str]:
    """Return the comm of every stage that a design's processes go through on their way into a container, by name."""
    return {stage.name: stage.comm for design in DESIGNS.values() for stage in design.stages.values()}


parts.when_changed(DESIGNS.forget)

__all__ = ["DESIGNS", "Design", "absent", "names_of", "roles", "stages", "versions"]
