"""The host's indexes are only shortcuts, and a copy shares nothing that can change."""

from __future__ import annotations

from hypothesis import given, settings

from sim.testing.laws import indexes, stored_indexes, uses
from tests.kernel.strategies import Bench, Call, calls, history, make, plain, small_host


@settings(max_examples=80)
@given(calls(max_size=50))
def test_every_index_equals_a_recount_from_the_records(sequence: list[Call]) -> None:
    """Families, zombies, members, control groups, ends, ports and bound addresses follow from the records."""
    for done in history(sequence):
        assert stored_indexes(done.after) == indexes(done.after)


@settings(max_examples=60)
@given(calls(), calls())
def test_a_copy_can_change_without_the_original(first: list[Call], second: list[Call]) -> None:
    """Calls on a copy leave the original as it was, and the same calls on the original do the same."""
    bench = Bench(small_host())
    for call in first:
        make(bench, call)
    before, twin = plain(bench.host), Bench(bench.host.copy())
    assert plain(twin.host) == before
    for call in second:
        make(twin, call)
    assert plain(bench.host) == before
    mark = len(bench.events)
    for call in second:
        make(bench, call)
    assert bench.since(mark) == twin.events
    assert plain(bench.host) == plain(twin.host)


@settings(max_examples=50)
@given(calls(max_size=50))
def test_a_host_is_its_events(sequence: list[Call]) -> None:
    """The events alone, applied to a first host, make the same host again."""
    bench = Bench(small_host())
    for call in sequence:
        make(bench, call)
    twin = Bench(small_host())
    for event in bench.events:
        twin.emit(event)
    assert plain(twin.host) == plain(bench.host)
    assert twin.host.uses == uses(twin.host)
