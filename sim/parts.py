"""How parts register: engines, faults, views and words of steps, each of them one module.

`sim` imports no part by name. A part is found in three ways, and is the same in each:

- a module in the folder of its kind (`FOLDERS`): a file that is put there is a part, and no other file changes; views
  of an engine's own command stand in its room (`ROOMS`);
- an entry point of an installed distribution, in the group `shimulator.KIND` (`pyproject.toml` of a plug-in:
  `[project.entry-points."shimulator.engines"]`, then `mine = "my_package.my_engine"`);
- `register(kind, module)`, for tests and notebooks; `registered(kind, module)` does so for a `with` block.

Each module has what its kind asks for, under the name that `OFFERS` gives. Modules are imported when their kind is
first asked for, in the order of their names, so that starting the program costs nothing for parts that nobody asks for.
A module that cannot be imported is not skipped: the error says which part it is.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
GROUP = "shimulator"
FOLDERS = {"engines": "sim.engines", "faults": "sim.faults", "steps": "sim.steps", "views": "sim.shows"}
ROOMS = {"views": "shows"}  # a module or package of that name in an engine's room offers parts of the kind, too
OFFERS = {"engines": "FAMILY", "faults": "KINDS", "steps": "WORD", "views": "VIEWS"}

_added: dict[str, list[ModuleType]] = {}
_found: dict[str, tuple[ModuleType, ...]] = {}
_watching: list[Callable[[], None]] = []


def modules(kind: str) -> tuple[ModuleType, ...]:
    """Return the modules that offer a part of a kind: those of its folder, of distributions, and the registered ones.

    >>> "sim.engines.docker" in (module.__name__ for module in modules("engines"))
    True
    """
    if kind not in _found:
        _found[kind] = (*_of_folder(kind), *_of_rooms(kind), *_of_distributions(kind))
    return (*_found[kind], *_added.get(kind, ()))


def _of_folder(kind: str) -> Iterator[ModuleType]:
    folder = import_module(FOLDERS[kind])
    for name in sorted(it.name for it in pkgutil.iter_modules(folder.__path__)):
        module = import_module(f"{folder.__name__}.{name}")
        if hasattr(module, OFFERS[kind]):  # others are what the parts share
            yield module


def _of_rooms(kind: str) -> Iterator[ModuleType]:
    """Yield what engines offer beside their designs: the views of their own commands."""
    if kind not in ROOMS:
        return
    rooms = import_module(FOLDERS["engines"])
    for room in sorted(it.name for it in pkgutil.iter_modules(rooms.__path__) if it.ispkg):
        package = import_module(f"{rooms.__name__}.{room}")
        if any(it.name == ROOMS[kind] for it in pkgutil.iter_modules(package.__path__)):
            yield import_module(f"{package.__name__}.{ROOMS[kind]}")


def _of_distributions(kind: str) -> Iterator[ModuleType]:
    for entry in sorted(entry_points(group=f"{GROUP}.{kind}"), key=lambda it: (it.name, it.value)):
        yield entry.load()


def register(kind: str, module: ModuleType) -> None:
    """Add a part. Raises ValueError for another kind, or if the module does not offer what the kind asks for."""
    if kind not in OFFERS:
        raise ValueError(f"there are no parts of kind {kind!r}; kinds are {', '.join(OFFERS)}")
    if not hasattr(module, OFFERS[kind]):
        raise ValueError(f"{module.__name__} has no {OFFERS[kind]}, which a part of {kind} offers")
    _added.setdefault(kind, []).append(module)
    _tell()


@contextmanager
def registered(kind: str, module: ModuleType) -> Iterator[None]:
    """Add a part for the duration of a `with` block."""
    register(kind, module)
    try:
        yield
    finally:
        _added[kind].remove(module)
        _tell()


Added = tuple[tuple[str, str], ...]  # kind, name of a module


def added() -> Added:
    """Return what was registered here, for a process that is not forked from this one: see `take_over`."""
    return tuple((kind, module.__name__) for kind, modules in _added.items() for module in modules)


def take_over(parts: Added) -> None:
    """Register what another process has registered, unless it is there already. Raises ImportError."""
    for kind, name in parts:
        if name not in (module.__name__ for module in _added.get(kind, ())):
            register(kind, import_module(name))


def when_changed(forget: Callable[[], None]) -> None:
    """Call *forget* whenever a part was added or taken away: whoever has derived a table from parts drops it then."""
    _watching.append(forget)


def _tell() -> None:
    for forget in _watching:
        forget()


class TableOfParts(MutableMapping[str, T], Generic[T]):
    """What parts of a kind offer by name, behind what is there without them; looked for when it is first asked for.

    *offer* is the name of the mapping in each module; a module without it offers nothing. What a test or a notebook
    puts in by hand stays until it is taken out.
    """

    def __init__(self, kind: str, offer: str, first: Mapping[str, T] | None = None) -> None:
        self._kind, self._offer, self._first = kind, offer, first or {}
        self._own: dict[str, T] = {}
        self._rows: dict[str, T] | None = None
        when_changed(self._forget)

    def _forget(self) -> None:
        self._rows = None

    def _all(self) -> dict[str, T]:
        if self._rows is None:
            offered: list[Any] = [getattr(module, self._offer, {}) for module in modules(self._kind)]
            self._rows = dict(self._first)
            for rows in (*offered, self._own):
                self._rows |= rows
        return self._rows

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __setitem__(self, name: str, row: T) -> None:
        self._own[name] = row
        self._forget()

    def __delitem__(self, name: str) -> None:
        del self._own[name]
        self._forget()
