"""The names of everything that explored worlds hold: slots, their values, processes, and 128 bits for each pair.

A state is a table from slots to values, both as numbers. A slot is one cell of a world, such as the memory that a
process has under a key; its value is whatever stands there, in its normal form. Every number is a digest of what it
names, so that workers that never met give the same ones. The digest of a state is the exclusive or of the tokens of its
cells: a step changes those that it writes. Source: Zobrist hashing; a pair of 63-bit names is found by chance once in
10^9 explorations, two states with one digest once in 10^27.

Numbers of processes are names here: one is made of who forked it, for what, and which of that kind it is: the least
that nobody in the world mentions. So states that differ in numbers alone are one state, without looking for it later.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from sim.kernel.records import Pid

ENCODER = msgspec.msgpack.Encoder(order="deterministic")
NAMED = 1 << 62  # what processes are called begins here: no time and no count is so large
KIN = 256  # so many processes of one kind may live under one parent, each with so many threads
KEY_BITS, ZONE_BITS = 128, 32
TOKEN_BITS = KEY_BITS + ZONE_BITS
ZONE = frozenset({"files", "listeners"})  # the tables whose cells say to which part of a search a state belongs
ACTIVE = frozenset({"frames", "procs"})  # whose cells may do something

State = dict[int, int]
Key = tuple[str, Any]


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") >> 1


class Space:
    """What numbers mean. *swaps* rename values where containers can be exchanged: a state then has as many digests."""

    def __init__(self, swaps: tuple[Any, ...] = ()) -> None:
        self.swaps = swaps
        self.slot_ids: dict[Key, int] = {}
        self.slots: dict[int, Key] = {}
        self.values: dict[int, Any] = {}
        self.mentions: dict[int, frozenset[Pid]] = {}
        self.owned: dict[Pid, list[int]] = {}
        self.active: set[int] = set()
        self.listings: dict[Key, list[int]] = {}
        self.kin: dict[Pid, tuple[Pid, str, int]] = {}
        self.news: list[tuple[str, int, Any]] = []
        self._tokens: dict[tuple[int, int], int] = {}

    # -- cells ----------------------------------------------------------------------------------------

    def slot(self, table: str, key: Any) -> int:
        """Return the number of a cell: in a table by process, the key is (pid, name)."""
        name = (table, key)
        number = self.slot_ids.get(name)
        return self._new_slot(name) if number is None else number

    def _new_slot(self, name: Key) -> int:
        number = _number(ENCODER.encode(name))
        assert number not in self.slots, f"two cells have one name: {name} and {self.slots[number]}"
        self._keep_slot(number, name)
        self.news.append(("slot", number, name))
        return number

    def _keep_slot(self, number: int, name: Key) -> None:
        self.slot_ids[name], self.slots[number] = number, name
        table, key = name
        if table in ACTIVE:
            self.active.add(number)
        inner = type(key) is tuple
        self.listings.setdefault((table, None), []).append(number)
        if inner:
            self.listings.setdefault((table, key[0]), []).append(number)
            self.owned.setdefault(key[0], []).append(number)

    def frame_of(self, timer: int) -> int:
        """Return the cell of the goroutine that a timer belongs to."""
        return self.slot("frames", self.slots[timer][1])

    def value(self, table: str, value: Any) -> int:
        """Return the number of what stands in a cell of *table*."""
        data = table.encode() + b"\0" + ENCODER.encode(value)
        number = _number(data)
        if number not in self.values:
            self._keep_value(number, value)
            self.news.append(("value", number, value))
        return number

    def hear(self, news: Iterable[tuple[str, int, Any]]) -> None:
        """Keep what others have found numbers to mean."""
        for kind, number, meaning in news:
            if kind == "slot" and number not in self.slots:
                self._keep_slot(number, meaning)
            elif kind == "value" and number not in self.values:
                self._keep_value(number, meaning)
            elif kind == "pid":
                self.kin[number] = meaning

    def _keep_value(self, number: int, value: Any) -> None:
        self.values[number] = value
        found = frozenset(numbers_in(value))
        if found:
            self.mentions[number] = found

    def token(self, slot: int, value: int) -> int:
        """Return the bits by which a cell with a value counts in the digest of a state."""
        pair = slot, value
        bits = self._tokens.get(pair)
        if bits is None:
            bits = self._tokens[pair] = self._new_token(slot, value)
        return bits

    def _new_token(self, slot: int, value: int) -> int:
        (table, key), content = self.slots[slot], self.values[value]
        bits = _bits(slot, value, table)
        for turn, swap in enumerate(self.swaps, 1):
            twin = _number(ENCODER.encode((table, swap(self, key))))
            other = _number(table.encode() + b"\0" + ENCODER.encode(ordered(table, swap(self, content))))
            bits |= _bits(twin, other, table) << (TOKEN_BITS * turn)
        return bits

    def digest(self, state: State) -> int:
        """Return the digest of a whole state."""
        bits = 0
        for slot, value in state.items():
            bits ^= self.token(slot, value)
        return bits

    # -- processes ------------------------------------------------------------------------------------

    def pid(self, caller: Pid, role: str, count: int) -> Pid:
        """Return the number of the *count*-th process of a kind that *caller* forked."""
        assert count < KIN, f"{count} processes of kind {role!r} under one parent"
        kind = _number(ENCODER.encode((caller, role))) & (NAMED - 1)
        number = NAMED | (kind & ~0xFFFF) | count << 8
        if number not in self.kin:
            self.kin[number] = caller, role, count
            self.news.append(("pid", number, self.kin[number]))
        return number

    def unmentioned(self, state: State, caller: Pid, role: str) -> int:
        """Return which of its kind the next process is: the first that nothing in the state mentions."""
        mentions, values = self.mentions, state.values()
        for count in range(KIN):
            number = self.pid(caller, role, count)
            if not any(value in mentions and number in mentions[value] for value in values):
                return count
        raise AssertionError(f"more than {KIN} processes of kind {role!r} are mentioned")


SETS = frozenset({"children", "members", "grouped", "ends", "ports_of", "bound"})  # values whose order says nothing


def ordered(table: str, value: Any) -> Any:
    """Return a value in the order that its table asks for; of the rules of one port the first wins."""
    if table == "rules":
        return tuple(sorted(value, key=lambda rule: (rule.chain, rule.port, rule.proto)))
    return tuple(sorted(value)) if table in SETS else value


def _bits(slot: int, value: int, table: str) -> int:
    data = slot.to_bytes(8, "big") + value.to_bytes(8, "big")
    bits = int.from_bytes(blake2b(data, digest_size=TOKEN_BITS // 8).digest(), "big")
    return bits if table in ZONE else bits & ((1 << KEY_BITS) - 1)


def numbers_in(value: Any) -> Iterable[Pid]:
    """Yield the numbers of processes that a value mentions."""
    if type(value) is int:
        if value >= NAMED:
            yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from numbers_in(getattr(value, name))
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
