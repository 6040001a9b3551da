"""The values of a scenario that somebody assumed, each with other values to try: what programs do, how long ops last.

Those of a profile that are measured, or that a source gives, are left as they are; so is what a file says on purpose
about networks, policies and the engine. A duration that a run never draws is not tried. Source: the marks of
`sim.latency`; the scenario language, `x-payload`; `sim.engine.setup.Unverified`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from sim.drive.follow import driver_of
from sim.durations import Duration, scaled
from sim.engine.setup import OnTerm, S, Service, Setup, Unverified
from sim.latency import profile_of
from sim.render.amounts import seconds
from sim.scenario import Scenario

GUESSED = {"A": "assumed", "K": "a known range, not measured"}  # marks of numbers that nobody has measured
FACTORS = {"0": 0.0, "×½": 0.5, "×2": 2.0}
NOT_AT_ONCE = (1 * S, 10 * S)  # for a program that is said to be ready at once


class Assumed(msgspec.Struct, frozen=True):
    """One value: *key* as a file or profile spells it, in *words*, and the setups with other values by their labels."""

    key: str
    words: str
    value: str
    origin: str
    others: dict[str, Setup]


def assumed_of(scenario: Scenario, seed: int = 1) -> tuple[Assumed, ...]:
    """Return what is assumed; the run with *seed* says which durations are ever drawn."""
    services = (found for it in scenario.setup.services for found in _of_service(scenario, it))
    return (*services, *_of_engine(scenario.setup), *_of_profile(scenario.setup, seed))


# -- programs ---------------------------------------------------------------------------------------


def _of_service(scenario: Scenario, service: Service) -> Iterator[Assumed]:
    said = _said(scenario, service.name)
    payload, key = service.payload, f"services.{scenario.keys.get(service.name, service.name)}.x-payload"

    def with_(field: str, value: object) -> Setup:
        changed = replace(service, payload=replace(payload, **{field: value}))
        others = tuple(changed if it is service else it for it in scenario.setup.services)
        return replace(scenario.setup, services=others)

    if payload.exits is None:
        times = {label: round(payload.ready * factor) for label, factor in FACTORS.items()}
        if not payload.ready:
            times = {seconds(it / S): it for it in NOT_AT_ONCE}
        others = {label: with_("ready", it) for label, it in times.items()}
        value = seconds(payload.ready / S) if payload.ready else "at once"
        yield Assumed(f"{key}.ready", f"{service.name}'s ready time", value, _origin("ready" in said), others)
    if not payload.on:
        yield _of_term(service, f"{key}.on_term", _origin("on_term" in said), lambda it: with_("on_term", it))


def _of_term(service: Service, key: str, origin: str, changed: Callable[[OnTerm], Setup]) -> Assumed:
    now = service.payload.on_term
    if now.kind == "exit":
        value = f"exits {now.code} after {seconds(now.after / S)}"
        others = {
            "0": replace(now, after=0),
            "×2": replace(now, after=now.after * 2),
            "ignored": OnTerm("ignore", 0, 0),
        }
    else:
        value, others = f"does not end ({now.kind})", {"exits 0 after 0.10 s": OnTerm()}
    words = f"what {service.name} does on its stop signal"
    return Assumed(key, words, value, origin, {label: changed(it) for label, it in others.items()})


def _said(scenario: Scenario, name: str) -> frozenset[str]:
    """Return the keys of x-payload that the file says of a container."""
    services = scenario.raw.get("services") or {}
    service = services.get(scenario.keys.get(name, name)) if isinstance(services, dict) else None
    payload = service.get("x-payload") if isinstance(service, dict) else None
    return frozenset(payload) if isinstance(payload, dict) else frozenset()


def _origin(in_file: bool) -> str:
    return "as in the file" if in_file else "assumed"


# -- the engine -------------------------------------------------------------------------------------

UNVERIFIED = {  # times of the engine's that no source gives
    "layer_wait": "how long a busy layer is tried again",
    "last_chance": "how long systemd-shutdown waits between TERM and KILL",
    "journald_timeout_stop": "how long journald may take to stop",
}


def _of_engine(setup: Setup) -> Iterator[Assumed]:
    now: Unverified = setup.engine.unverified
    for field, words in UNVERIFIED.items():
        time = int(getattr(now, field))
        others = {
            label: replace(
                setup, engine=replace(setup.engine, unverified=replace(now, **{field: round(time * factor)}))
            )
            for label, factor in FACTORS.items()
        }
        yield Assumed(f"engine.unverified.{field}", words, seconds(time / S), GUESSED["K"], others)


def _of_profile(setup: Setup, seed: int) -> Iterator[Assumed]:
    profile = profile_of(setup.engine)
    for op in drawn(setup, seed):
        row = profile[op]
        if row.mark[:1] not in GUESSED:
            continue
        rows = {label: profile | {op: times(row, factor)} for label, factor in FACTORS.items()}
        others = {
            label: replace(setup, engine=replace(setup.engine, durations=tuple(it.items())))
            for label, it in rows.items()
        }
        yield Assumed(f"engine.profile.{op}", f"how long {op} takes", _typical(row), GUESSED[row.mark[0]], others)


def times(row: Duration, factor: float) -> Duration:
    """Return a duration so many times as long; its draws stay what they are."""
    scale = None if row.scale is None else scaled(row.scale, factor)
    return replace(row, work=scaled(row.work, factor), wait=scaled(row.wait, factor), scale=scale)


def _typical(row: Duration) -> str:
    return seconds((row.work.at(0.5) + row.wait.at(0.5)) / 1_000) if row.scale is None else f"×{row.scale.at(0.5):g}"


def drawn(setup: Setup, seed: int) -> list[str]:
    """Return the rows of the profile that a run draws from, by name."""
    driver = driver_of(setup, seed)
    driver.run()
    profile = profile_of(setup.engine)
    plans = [plan for plans in driver.prices.plans.values() for plan in plans] + [driver.prices.delivery]
    return sorted({f"{plan.role}/{plan.name}" for plan in plans if plan.drawn} & profile.keys())
