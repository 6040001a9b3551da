"""What `sim.testing` draws: everything there is, nothing that the model refuses; a machine finds what breaks a law.

The model's own tables say what there is, so that a verb, a fault or a field that nothing draws is noticed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.designs.takes import lacks
from sim.drive.follow import driver_of
from sim.engine.program import Program
from sim.engine.setup import (
    Command,
    Daemon,
    Docker,
    EditDaemon,
    EngineSetup,
    Journald,
    KillProcess,
    OwnCommand,
    S,
    Service,
    Setup,
    Slow,
    Systemctl,
    Target,
    Tear,
    Unit,
)
from sim.engines.containerd import shim
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.host.systemd.jobs import JOBS
from sim.facts import FrameStarted
from sim.kernel import events as e
from sim.kernel.records import NO_POWER
from sim.kernel.signals import NUMBERS
from sim.properties import ALWAYS, EVENTUALLY, SOMETIMES, mark, stated
from sim.scenario import load
from sim.scenario.commands import MODELLED
from sim.scenario.host_words import DAEMON_KEYS, JOURNALD
from sim.scenario.known import named_roles, slowed
from sim.scenario.systemctl_words import SYSTEMCTL
from sim.testing import LAWS, EngineMachine, Walk, run_machine, scenarios, setups, traces, worlds
from sim.testing.commands import KINDS
from sim.testing.setups import LEFT_OUT, NAMES, TRAITS, fitted, plain_service
from sim.trace import Replay, Trace
from sim.world import World
from tests.drawing import examples

# -- everything there is ----------------------------------------------------------------------------

SERVICES = [plain_service(name) for name in NAMES]
DRAWN: list[Any] = [command for kind in KINDS for choices in KINDS[kind](SERVICES) for command in choices]


def drawn(kind: type, field: str) -> set[Any]:
    """Return the values that a field of a command has in what is drawn."""
    return {getattr(command, field) for command in DRAWN if type(command) is kind}


def fields_of(kind: Any) -> set[str]:
    """Return the names of a part's fields."""
    return set(kind.__struct_fields__)


# what there is in the model -> what is drawn
EVERYTHING = {
    "kinds of commands": (set(get_args(Command)) - {OwnCommand}, {type(command) for command in DRAWN}),
    "verbs of docker": (set(MODELLED), drawn(Docker, "verb")),
    "flags of docker": (fields_of(Docker), {
        field for field in Docker.__struct_fields__ if len(drawn(Docker, field)) > 1
    }),
    "words of systemctl": ({*SYSTEMCTL, "reboot"}, drawn(Systemctl, "verb")),
    "jobs of systemd": (set(JOBS), drawn(Systemctl, "verb") | {"journald"}),
    "jobs of journald": (set(JOURNALD), drawn(Journald, "verb")),
    "roles that a signal may go to": (set(named_roles()), {target.role for target in drawn(KillProcess, "target")}),
    "signals": (set(NUMBERS), drawn(KillProcess, "signal")),
    "keys of daemon.json": (
        {field for field, _ in DAEMON_KEYS.values()}, {key for keys in drawn(EditDaemon, "keys") for key, _ in keys}
    ),
    "slow programs": (set(slowed()), {words.split()[0] for words in drawn(Slow, "program")}),
    "files that are cut off": ({"events.log", "process.json"}, drawn(Tear, "file")),
    **{f"fields of {kind.__name__}": (fields_of(kind), {*TRAITS[kind], *LEFT_OUT[kind]}) for kind in TRAITS},
}  # fmt: skip


@pytest.mark.parametrize("what", EVERYTHING)
def test_everything_there_is_is_drawn(what: str) -> None:
    """The model's table and what is drawn are the same: where this fails, let `sim.testing` draw what is new."""
    there_is, found = EVERYTHING[what]
    assert found == there_is


@pytest.mark.parametrize("kind", TRAITS)
def test_a_trait_differs_from_the_default(kind: Any) -> None:
    """A value that is the plain one would be none."""
    defaults = dict(
        zip(kind.__struct_fields__[-len(kind.__struct_defaults__) :], kind.__struct_defaults__, strict=True)
    )
    plain = plain_service(NAMES[0])
    for field, values in TRAITS[kind].items():
        assert (getattr(plain, field) if kind is Service else defaults[field]) not in values, field
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_setup_that_is_fitted_has_what_a_file_of_that_design_has(design: str) -> None:
    """Keys of the daemon and of the unit, profile and durations are those of the design where nothing was drawn."""
    told = load("it", f"engine: {{design: {design}}}\nservices: {{web: {{image: nginx}}}}\n").setup.engine
    assert fitted(Setup(), design).engine == told
    once_another = fitted(Setup(), "docker-26" if design != "docker-26" else "cri-o")
    assert fitted(once_another, design).engine == told


@pytest.mark.parametrize("design", DESIGNS)
def test_keys_that_were_drawn_stay_where_the_design_has_them(design: str) -> None:
    """One that it lacks is not drawn; a profile of one's own stays."""
    daemon = Daemon(live_restore=True, shutdown_timeout=S, max_health_check_retries=1)
    unit = Unit(start_limit_burst=2)
    engine = fitted(Setup(engine=EngineSetup(daemon=daemon, unit=unit, profile="mine")), design).engine
    own = DESIGNS[design].traits
    has_unit = not lacks(DESIGNS[design], "unit", "StartLimitBurst")
    assert engine.unit == (replace(own.unit, start_limit_burst=2) if has_unit else own.unit)
    assert engine.profile == "mine"
    for key, (field, _) in DAEMON_KEYS.items():
        plain = lacks(DESIGNS[design], "daemon", key)
        assert getattr(engine.daemon, field) == getattr(own.daemon if plain else daemon, field), key


# -- nothing that the model refuses -----------------------------------------------------------------


EITHER = setups() | setups(design="podman") | setups(design="podman-quadlet")


@examples(40)
@given(worlds(EITHER))
def test_every_law_of_every_design_holds_in_a_drawn_world(world: World) -> None:
    """Worlds are reachable."""
    assert [law.said(world) for law in LAWS if not law.holds(world)] == []


def acts(event: Any) -> int | None:
    """Return who does something by an event."""
    if isinstance(event, FrameStarted):
        return event.fid[0] or None
    return event.pid if isinstance(event, e.SignalTaken | e.Exited | e.Execed | e.FifoOpened | e.Listened) else None


@examples(40)
@given(traces(scenarios(EITHER)))
def test_a_drawn_run_ends_and_lets_only_the_living_act(trace: Trace) -> None:
    """Every scenario can be run, and nothing is started, taken, opened or left by who is dead."""
    replay = Replay(trace)
    for record in trace:
        pid = acts(record.event)
        assert pid is None or replay.world.host.alive(pid), record
        replay.step()
    assert trace.records == driver_of(trace.setup, trace.seed).run().records


# -- designs and laws of users' own -----------------------------------------------------------------

ONE = Setup((plain_service("web"),))
UNSHRUNK = (Phase.generate,)
DEAF = Program("shim", shim.PROGRAM.procedures, role=shim.PROGRAM.role)  # it takes every signal, as no real one does
MORTAL = DOCKER_1_13.like("mortal", "shims die of signals", "nobody", DEAF)


def shims_that_took_signals(world: World) -> Iterator[str]:
    """Find that a shim has died of a signal other than KILL."""
    if world.marks.get(mark("shim", "signal")):
        yield "a shim has died of a signal"


def _shim_died(world: World, event: e.Exited) -> list[tuple[str, int]]:
    shim_died = world.host.procs[event.pid].image.program == "shim" and event.status < 0
    return [(mark("shim", "signal"), 1)] if shim_died and event.status not in (-NUMBERS["KILL"], NO_POWER) else []


OUTLIVES = stated("a shim outlives signals", ALWAYS, "A shim dies of no signal but KILL.", shims_that_took_signals,
                  watch=((e.Exited, _shim_died),))  # fmt: skip
RESTS = stated("rests", EVENTUALLY, "Where all has settled a process runs.", lambda world: iter(()))


class Mortal(EngineMachine):
    """A design of somebody's own, and what it ought to keep."""

    design = "mortal"
    hosts = st.just(ONE)
    laws = (*LAWS, OUTLIVES, RESTS)


def test_a_machine_finds_that_a_design_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """A design runs by its own programs, and a law that needs the past is kept with its history."""
    monkeypatch.setitem(DESIGNS, "mortal", MORTAL)
    with pytest.raises(AssertionError, match="a shim outlives signals: a shim has died of a signal"):
        run_machine(Mortal, examples=200, steps=20, phases=UNSHRUNK)
    walk = Walk(replace(ONE, engine=EngineSetup("mortal")), Mortal.laws, opened=True)
    walk.do(KillProcess(Target("shim", "*"), "TERM"))
    walk.settle(1)
    assert not OUTLIVES.holds(walk.world)


def test_a_law_of_another_kind_is_refused() -> None:
    """What is to happen at least once is no law of a single way."""

    class Hopeful(EngineMachine):
        laws = (stated("once", SOMETIMES, "It happens.", lambda world: iter(())),)

    with pytest.raises(AssertionError, match="laws hold always or eventually; once do not"):
        run_machine(Hopeful, examples=1, steps=1, phases=UNSHRUNK)
