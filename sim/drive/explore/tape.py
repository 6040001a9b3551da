"""A world whose tables are read from a state, and that notes what a step reads and writes.

The model's own functions run on it: they see the tables of `World` and `Host`, and each access goes through the tape.
What was read decides what happens, since steps are pure; so a step that was taped once need not run again in any state
that agrees in those cells. Indexes of the host that only save time are not kept.

Besides cells a step may ask three things of a state as a whole: which cells a table has, which processes run a program,
and which number the next child gets. Their answers count as reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sim.drive.explore.space import KIN, Space, State, ordered
from sim.kernel.host import Host
from sim.kernel.records import Pid
from sim.world import World

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
CELL, LIST, KIND, FRESH = range(4)  # kinds of reads

Read = tuple[int, Any, Any]  # kind, of what, answer


class Tape:
    """What one step reads of *state*, in order, and what it writes."""

    __slots__ = ("erased", "new", "reads", "seen", "space", "state")

    def __init__(self, space: Space, state: State) -> None:
        self.space, self.state = space, state
        self.reads: list[Read] = []
        self.seen: dict[int, Any] = {}
        self.new: dict[int, Any] = {}
        self.erased: set[Pid] = set()

    def read(self, slot: int) -> Any:
        """Return what stands in a cell."""
        if slot in self.new:
            return self.new[slot]
        if slot in self.seen:
            return self.seen[slot]
        if self.erased and self._is_erased(slot):
            return ABSENT
        value = self.state.get(slot)
        self.reads.append((CELL, slot, value))
        found = self.seen[slot] = ABSENT if value is None else self.space.values[value]
        return found

    def write(self, slot: int, value: Any) -> None:
        """Put *value* into a cell; it is read before, so that the change of the digest is known."""
        if slot not in self.new:
            self.read(slot)
        self.new[slot] = value

    def erase(self, pid: Pid) -> None:
        """Empty every cell of a process's own, whatever stands there."""
        self.erased.add(pid)
        for slot in self.space.owned.get(pid, ()):
            self.new.pop(slot, None)
            self.seen.pop(slot, None)  # who looks again finds nothing

    def _is_erased(self, slot: int) -> bool:
        key = self.space.slots[slot][1]
        return type(key) is tuple and key[0] in self.erased

    def listing(self, table: str, owner: Any = None) -> list[Any]:
        """Return the keys of a table, or of a process's part of it, sorted."""
        what = table, owner
        found = cells(self.space, self.state, what)
        self.reads.append((LIST, what, found))
        slots = {slot for slot in found if not (self.erased and self._is_erased(slot))}
        for slot, value in self.new.items():
            place, key = self.space.slots[slot]
            if place == table and (owner is None or key[0] == owner):
                slots.discard(slot) if value is ABSENT else slots.add(slot)
        keys = [self.space.slots[slot][1] for slot in slots]
        return sorted(key[1] for key in keys) if owner is not None else sorted(keys)

    def of_program(self, program: str, container: str | None) -> list[Pid]:
        """Return the processes that run a program (for a container), zombies too, sorted."""
        what = program, container
        found = processes(self.space, self.state, what)
        self.reads.append((KIND, what, found))
        pids = set(found)
        for slot, value in self.new.items():
            table, pid = self.space.slots[slot]
            if table == "procs":
                pids.discard(pid)
                if value is not ABSENT and runs(value, program, container):
                    pids.add(pid)
        return sorted(pids)

    def fresh(self, caller: Pid, role: str) -> Pid:
        """Return the number of the next process of a kind. A step that forks two of a kind mentions the first."""
        count = self.space.unmentioned(self.state, caller, role)
        self.reads.append((FRESH, (caller, role), count))
        taken = {self.space.slots[slot][1] for slot in self.new if self.space.slots[slot][0] == "procs"}
        while self.space.pid(caller, role, count) in taken:
            count += 1
        return self.space.pid(caller, role, count)


def cells(space: Space, state: State, what: tuple[str, Any]) -> tuple[int, ...]:
    """Return the cells of a table that hold something."""
    return tuple(sorted(slot for slot in space.listings.get(what, ()) if slot in state))


def runs(process: Any, program: str, container: str | None) -> bool:
    """Say whether a process runs a program (for a container)."""
    image = process.image
    return bool(image.program == program and container in (None, image.container))


def processes(space: Space, state: State, what: tuple[str, str | None]) -> tuple[Pid, ...]:
    """Return the processes that run a program (for a container)."""
    slots, values = space.slots, space.values
    return tuple(
        sorted(
            slots[slot][1]
            for slot in space.listings.get(("procs", None), ())
            if slot in state and runs(values[state[slot]], *what)
        )
    )


# -- tables -----------------------------------------------------------------------------------------


class CellTable:
    """A table of cells by key; with *owner* it is one process's part of a table."""

    __slots__ = ("name", "owner", "tape")

    def __init__(self, tape: Tape, name: str, owner: Any = None) -> None:
        self.tape, self.name, self.owner = tape, name, owner

    def _slot(self, key: Any) -> int:
        return self.tape.space.slot(self.name, key if self.owner is None else (self.owner, key))

    def get(self, key: Any, default: Any = None) -> Any:
        """Return what stands under *key*."""
        found = self.tape.read(self._slot(key))
        return default if found is ABSENT else found

    def __getitem__(self, key: Any) -> Any:
        found = self.tape.read(self._slot(key))
        if found is ABSENT:
            raise KeyError(key)
        return found

    def __contains__(self, key: Any) -> bool:
        return self.tape.read(self._slot(key)) is not ABSENT

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tape.write(self._slot(key), value)

    def __delitem__(self, key: Any) -> None:
        assert key in self, f"{self.name} has no {key}"
        self.tape.write(self._slot(key), ABSENT)

    def pop(self, key: Any, default: Any = None) -> Any:
        """Empty a cell and return what stood there."""
        found = self.get(key, default)
        if key in self:
            self.tape.write(self._slot(key), ABSENT)
        return found

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tape.listing(self.name, self.owner))

    def keys(self) -> list[Any]:
        """Return the keys."""
        return list(self)

    def items(self) -> list[tuple[Any, Any]]:
        """Return the keys with what stands under them."""
        return [(key, self[key]) for key in self]

    def values(self) -> list[Any]:
        """Return what stands in the table."""
        return [self[key] for key in self]

    def __len__(self) -> int:
        return len(self.keys())

    def __bool__(self) -> bool:
        """Say that it may hold something: nobody should have to look at a whole table to know."""
        return True


class Owned:
    """A table of tables, the outer one by process."""

    __slots__ = ("name", "tape")

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape, self.name = tape, name

    def get(self, owner: Pid, default: Any = None) -> CellTable:
        """Return a process's part, which may be empty."""
        return CellTable(self.tape, self.name, owner)

    __getitem__ = get
    setdefault = get


class Lines:
    """A table in which a cell holds several things at once: children by parent, the rules. It stands for a dict of
    dicts without values; *whole* is a table that is one cell."""

    __slots__ = ("name", "tape")

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape, self.name = tape, name

    def get(self, key: Any, default: Any = None) -> Any:
        """Return what belongs to *key*, or the default if nothing does."""
        line = KeyLine(self.tape, self.name, key)
        return line if line else default

    def __getitem__(self, key: Any) -> KeyLine:
        return KeyLine(self.tape, self.name, key)

    def __setitem__(self, key: Any, value: dict[Any, None]) -> None:
        line = KeyLine(self.tape, self.name, key)
        for item in value:
            line[item] = None

    def __delitem__(self, key: Any) -> None:
        """What is empty has no cell."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tape.listing(self.name))

    def pop(self, key: Any, default: Any = None) -> list[Any]:
        """Take everything that belongs to *key*."""
        line = KeyLine(self.tape, self.name, key)
        found = list(line)
        line.put(())
        return found


class KeyLine:
    """What belongs to one key, in one cell; the order is kept where it says something."""

    __slots__ = ("slot", "tape")

    def __init__(self, tape: Tape, name: str, key: Any) -> None:
        self.tape, self.slot = tape, tape.space.slot(name, key)

    def items_in(self) -> tuple[Any, ...]:
        """Return what is there."""
        found = self.tape.read(self.slot)
        return () if found is ABSENT else found

    def put(self, items: Iterable[Any]) -> None:
        """Put these there."""
        kept = ordered(self.tape.space.slots[self.slot][0], tuple(items))
        self.tape.write(self.slot, kept or ABSENT)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items_in())

    def __contains__(self, item: Any) -> bool:
        return item in self.items_in()

    def __len__(self) -> int:
        return len(self.items_in())

    def __setitem__(self, item: Any, _: None) -> None:
        if item not in self.items_in():
            self.put((*self.items_in(), item))

    def __delitem__(self, item: Any) -> None:
        assert item in self, f"no {item} in {self.items_in()}"
        self.put(other for other in self.items_in() if other != item)

    def pop(self, item: Any, default: Any = None) -> None:
        """Take one away, if it is there."""
        if item in self:
            del self[item]


class Nothing(dict[Any, Any]):
    """An index that only saves time, or that numbers need and names do not."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Keep nothing."""

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Keep nothing."""
        return Nothing()

    def pop(self, key: Any, default: Any = None) -> Any:
        """Give what an index that has it once would."""
        return 1

    def __getitem__(self, key: Any) -> Any:
        return Nothing()

    def __delitem__(self, key: Any) -> None:
        """Keep nothing."""


CELLS_OF_HOST = ("procs", "fifos", "listeners", "files")
LINES_OF_HOST = ("children", "zombies", "members", "grouped", "ends", "ports_of", "bound")
CELLS_OF_WORLD = ("frames", "counts", "replies", "marks")
OWNED_BY_PROCESS = ("memory", "queues", "locks")


class TapedHost(Host):
    """The kernel's tables of a state."""

    __slots__ = ("tape",)

    def __init__(self, tape: Tape, like: Host) -> None:
        self.tape, self.pid_max, self.cgroup = tape, like.pid_max, like.cgroup
        for name in CELLS_OF_HOST:
            setattr(self, name, CellTable(tape, name))
        for name in LINES_OF_HOST:
            setattr(self, name, Lines(tape, name))
        self.rules = KeyLine(tape, "rules", "")  # type: ignore[assignment]
        self.reserved = KeyLine(tape, "reserved", "")  # type: ignore[assignment]
        self.found, self.uses = {}, Nothing()

    last_pid = property(lambda self: 0, lambda self, number: None)
    forks = property(lambda self: 0, lambda self, count: None)

    def fresh_pid(self, caller: Pid, role: str) -> Pid:
        """Return the next number of its kind."""
        return self.tape.fresh(caller, role)

    def fresh_threads(self, pid: Pid, count: int) -> tuple[Pid, ...]:
        """Return numbers that follow the process's own: threads are told apart by it alone."""
        first = pid + 1 + len(self.procs[pid].threads)
        assert first + count <= pid + KIN, f"more than {KIN} threads"
        return tuple(range(first, first + count))

    def owner_of(self, number: Pid) -> Pid | None:
        """Return the process that bears *number* or has a thread that does."""
        if number in self.procs:
            return number
        process = self.procs.get(number - number % KIN)
        return process.pid if process is not None and number in process.threads else None

    def running(self, program: str, container: str | None = None) -> list[Pid]:
        """Return the processes that run a program (for a container), zombies too."""
        return self.tape.of_program(program, container)


class TapedWorld(World):
    """The world of a state."""

    __slots__ = ("tape",)

    def __init__(self, like: World, tape: Tape) -> None:
        self.tape = tape
        self.setup, self.design, self.services = like.setup, like.design, like.services
        self.pinned, self.watch, self.minds_memory = like.pinned, like.watch, like.minds_memory
        self.joined = like.joined
        self.host = TapedHost(tape, like.host)
        for name in CELLS_OF_WORLD:
            setattr(self, name, CellTable(tape, name))
        for name in OWNED_BY_PROCESS:
            setattr(self, name, Owned(tape, name))
        self.frames_of = Nothing()

    def forget(self, pid: Pid) -> None:
        """Let everything go that a process had of its own."""
        self.tape.erase(pid)
