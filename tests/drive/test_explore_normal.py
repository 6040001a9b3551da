"""What a state leaves out is not read: plain worlds without it go on as those with it."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.designs import DESIGNS
from sim.drive.explore.normal import Liveness, most, raises, unread
from sim.drive.explore.paths import first
from sim.engine import paths
from sim.engine.setup import FaultBudget, Instant, Restart, Setup
from sim.engine.traits import REDIAL_CAP
from sim.engines.docker.dockerd.supervise import retry_after
from sim.engines.host.client import mark_name
from sim.faults import Fault
from sim.kernel.host import Host
from sim.model import enabled, initial, step
from sim.testing.setups import fitted
from sim.world import Frame, World
from tests.canonical import key
from tests.drawing import examples
from tests.drive.lives import LIFE, PLAIN, UP, docker, setup_of, systemctl
from tests.drive.plain import choices
from tests.test_canonical import STORMS

replaced = msgspec.structs.replace
PLENTY = FaultBudget(3, (("kill", 2), ("stall", 1)))
ALWAYS = replaced(PLAIN, restart=Restart("always"))
PODMAN = (
    fitted(setup_of(ALWAYS, *docker("run", "stop", "start", "rm")), "podman"),
    fitted(setup_of(ALWAYS, *(systemctl(verb, "web") for verb in ("start", "restart", "stop"))), "podman-quadlet"),
)
HOSTS = (*STORMS, *PODMAN)
WALKS: tuple[Setup, ...] = (*HOSTS, *(replaced(setup, faults=PLENTY) for setup in HOSTS))
SELDOM = 0.01


@pytest.fixture(scope="module", autouse=True)
def running() -> Any:
    """Let a plain host be asked which processes run a program, as explored ones are."""

    def of_program(host: Host, program: str) -> list[int]:
        return [process.pid for process in host.procs.values() if process.image.program == program]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Host, "running", of_program, raising=False)
        yield


def cut(world: World, liveness: Liveness) -> World:
    """Return a world without the variables, cells, moments and event numbers that a state leaves out."""
    twin = world.copy()
    for fid, frame in world.frames.items():
        live = liveness.live(frame)
        local = {name: value for name, value in live.local.items() if value != ""}  # no text is read as an empty one
        twin.frames[fid] = replaced(live, local=local)
    unset = liveness.unread.defaults
    for pid, memory in twin.memory.items():
        twin.memory[pid] = {name: it for name, it in memory.items() if name not in unset or it != unset[name]}
    asked = most(world.setup)
    twin.marks = {name: min(count, asked.get(name, count)) for name, count in twin.marks.items()}
    for pid in twin.host.procs:
        twin.queues.setdefault(pid, {})
        twin.memory.setdefault(pid, {})
    liveness.unread.lower(twin)
    return twin


@examples(60)
@given(st.sampled_from(WALKS), st.integers(0, 2**32))
def test_what_a_state_leaves_out_is_not_read(setup: Setup, seed: int) -> None:
    """A world from which it is cut again and again may do the same in each state, and comes to the same states."""
    dice = Random(seed)
    world, _ = initial(setup)
    liveness = Liveness(world.design)
    twin = world.copy()
    for _ in range(400):
        actions = [a for a in choices(world) if dice.random() < SELDOM or not isinstance(a, Fault)]
        if not actions:
            break
        assert sorted(map(str, enabled(twin))) == sorted(map(str, enabled(world)))
        action = dice.choice(actions)
        events = step(world, action)
        step(twin, action)
        if raises(liveness.unread, events) or dice.random() < 0.3:
            twin = cut(twin, liveness)
        if dice.random() < 0.05:
            assert key(cut(twin, liveness)) == key(cut(world, liveness))


def test_the_tables_name_variables_that_there_are() -> None:
    """Each procedure, op and variable of a table is of a design; what is left out is left out somewhere."""
    for design in DESIGNS.values():
        for share in design.engine.unread:
            for table in (share.live_at, share.at_most):
                for procedure, rows in table.items():
                    known = {op.name for it in DESIGNS.values() if procedure in it.procedures
                             for op in it.procedures[procedure].ops}  # fmt: skip
                    for places in rows.values():
                        assert isinstance(places, int) or known.issuperset(places)
                    assert known, procedure


def test_event_numbers_count_from_their_floor() -> None:
    """After each life of a container the numbers are those after the first, though containerd's log is longer."""
    logs = []
    for lives in (1, 2, 3):
        world, _ = initial(setup_of(PLAIN, UP, *docker(*LIFE * lives)))
        liveness = Liveness(world.design)
        while (action := first(world)) is not None:
            step(world, action)
        files = cut(world, liveness).host.files
        logs.append((files.get(paths.EVENT_TS), files.get(paths.EVENTS_LOG)))
        assert len(world.host.files[paths.EVENTS_LOG]) > len(logs[0][1])  # type: ignore[arg-type]
    assert logs[0] == logs[1] == logs[2]


def test_later_retries_wait_as_long() -> None:
    """The number at which attempts are no longer counted is the first from which on the wait is the longest."""
    world, _ = initial(STORMS[0])
    last = unread(world.design).at_most["dockerd.connection"]["attempt"]
    waits = [retry_after(world, Frame((1, ""), "dockerd.connection", 0, {"attempt": n})) for n in range(1, last + 5)]
    assert next(n for n, wait in enumerate(waits, 1) if wait == REDIAL_CAP) == last
    frame = Frame((1, ""), "dockerd.connection", 0, {"attempt": last + 9})
    assert Liveness(world.design).live(frame).local == {"attempt": last}


def test_moments_are_counted_as_far_as_somebody_waits_for_them() -> None:
    """A moment is told apart up to the count that a step or a fault's window asks for."""
    third, once = Instant("word", "die", "web", nth=3), Instant("step", "rm 2")
    setup = replaced(STORMS[0], faults=FaultBudget(1, (), third, once))
    assert (most(setup)[mark_name(third)], most(setup)[mark_name(once)]) == (3, 1)
    assert mark_name(third) not in most(STORMS[0])
