"""What would have helped: the run once more under each setting that may change a fate, and by how much it is better.

Candidates come from what the design has (its keys of daemon.json, units and services) and from what has happened:
whatever was lost or replaced may have another policy or live-restore, what was killed more time, what is dark at
127.0.0.1 no proxies. Whether one helps is found by running it, with the same seed, so that both runs share their draws.
Leaves out pairs of settings. Source: the keys of Compose, daemon.json(5), systemd.kill(5), systemd.service(5).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from sim.designs import DESIGNS
from sim.designs.takes import lacks
from sim.drive.follow import driver_of
from sim.engine.setup import FOR_EVER, Microseconds, S, Service
from sim.errors import InputError
from sim.experiment.changes import changed
from sim.experiment.prices import prices
from sim.experiment.replicate import Progress, spread
from sim.scenario import Scenario, reload
from sim.scenario.known import LOG_DRIVERS
from sim.trace import Trace
from sim.views.fates import AS_BEFORE, KEPT, LOST, NEW, RESTARTING, STUCK, Fate, fates
from sim.views.fault import since_harm
from sim.views.remedies import Outcome, Remedies, Remedy

POLICIES = ("always", "unless-stopped", "on-failure")
KILL_MODES = ("process", "mixed", "control-group")
UNIT_RESTARTS = ("on-failure", "always")
GRACES = (30, 120)  # s, where a container's time was too short
KILLED, NO_READER = 137, 141  # the codes of a program that SIGKILL, or SIGPIPE, has ended
SAME = 0.05  # a difference of dark times that is none, as a part


def remedies(scenario: Scenario, trace: Trace, jobs: int | None = None, progress: Progress | None = None) -> Remedies:
    """Return what of the candidates helps in the run of *trace*, the best first, and what does not.

    Candidates whose settings the design refuses are left out.
    """
    now = fates(trace)
    window = trace.end - trace.origin - since_harm(trace)
    found = [
        (remedy, other)
        for remedy in candidates(scenario, now, window)
        if (other := _under(scenario, remedy)) is not None
    ]
    work = partial(_fared, tuple(other for _, other in found), trace.seed)
    after = spread(work, range(len(found)), jobs, progress)
    rated = [
        msgspec.structs.replace(remedy, outcome=outcome_of(then), prices=_prices(scenario, other, remedy))
        for (remedy, other), then in zip(found, after, strict=True)
    ]
    before = outcome_of(now)
    helps = sorted((it for it in rated if better(before, it.outcome)), key=lambda it: harm(it.outcome))
    return Remedies(before, tuple(helps), tuple(it for it in rated if it not in helps))


def _under(scenario: Scenario, remedy: Remedy) -> Scenario | None:
    try:
        return reload(scenario, remedy.settings)
    except InputError:
        return None


def _fared(scenarios: Sequence[Scenario], seed: int, place: int) -> tuple[Fate, ...]:
    return fates(driver_of(scenarios[place].setup, seed).run(), explain=False)


def _prices(scenario: Scenario, other: Scenario, remedy: Remedy) -> tuple[str, ...]:
    changes = [changed(scenario, other, setting) for setting in remedy.settings]
    return tuple(price.text for price in prices(other, changes))


# -- what may help ----------------------------------------------------------------------------------


def candidates(scenario: Scenario, now: Sequence[Fate], window: Microseconds) -> Iterator[Remedy]:
    """Yield the settings that may change what happened, by what the design has.

    Nothing is given more time than the *window* that is looked at: who waits longer would look as if it were kept.
    """
    harmed = [it for it in now if it.fate not in (KEPT, AS_BEFORE)]
    dark = [it for it in now if it.dark]
    if harmed:
        yield from _policies(scenario, [it for it in harmed if it.fate != NEW])
        yield from _daemon_keys(scenario)
        yield from _graces(scenario, [it for it in harmed if it.exit_code == KILLED], window)
        yield from _drivers(scenario, harmed)
    if harmed or dark:
        yield from _units(scenario, now)
    if any(port.client == "loopback" for it in dark for port in it.dark):
        yield from _without_proxies(scenario)


def _policies(scenario: Scenario, lost: Sequence[Fate]) -> Iterator[Remedy]:
    services = _services(scenario)
    for policy in POLICIES:
        names = [it.container for it in lost if it.policy.partition(":")[0] != policy and it.container in services]
        if names:
            settings = tuple(f"services.{scenario.keys[name]}.restart={policy}" for name in names)
            yield Remedy(f"restart: {policy}", settings, tuple(names))


def _daemon_keys(scenario: Scenario) -> Iterator[Remedy]:
    engine = scenario.setup.engine
    design = DESIGNS[engine.design]
    if not lacks(design, "daemon", "live-restore"):
        yield from _one("live-restore: true", "engine.daemon.live-restore=true", differs=not engine.daemon.live_restore)


def _one(words: str, setting: str, *, differs: bool) -> Iterator[Remedy]:
    if differs:
        yield Remedy(words, (setting,))


def _graces(scenario: Scenario, killed: Sequence[Fate], window: Microseconds) -> Iterator[Remedy]:
    """Yield longer times for what was killed; the engine must wait as long for its containers."""
    engine, services = scenario.setup.engine, _services(scenario)
    design = DESIGNS[engine.design]
    if lacks(design, "service", "stop_grace_period"):
        return
    for grace in (it for it in GRACES if it * S < window):
        times = {it.container: services[it.container].stop_timeout for it in killed if it.container in services}
        names = [name for name, time in times.items() if FOR_EVER != time < grace * S]
        if names:
            settings = [f"services.{scenario.keys[name]}.stop_grace_period={grace}s" for name in names]
            yield Remedy(f"stop_grace_period: {grace}s", tuple(settings), tuple(names))


def _drivers(scenario: Scenario, harmed: Sequence[Fate]) -> Iterator[Remedy]:
    """Yield other log drivers for what ended because nobody read what it prints, or waits for that."""
    services = _services(scenario)
    names = [it.container for it in harmed if it.exit_code == NO_READER and it.container in services]
    for driver in LOG_DRIVERS:
        others = [name for name in names if services[name].log_driver != driver]
        if others:
            settings = tuple(f"services.{scenario.keys[name]}.logging.driver={driver}" for name in others)
            yield Remedy(f"logging: {{driver: {driver}}}", settings, tuple(others))


def _units(scenario: Scenario, now: Sequence[Fate]) -> Iterator[Remedy]:
    """Yield other KillMode= for the engine's own unit, and other Restart= where no engine answers in the end."""
    engine = scenario.setup.engine
    design = DESIGNS[engine.design]
    if not design.traits.engine_unit or design.traits.engine not in design.programs:
        return
    if not lacks(design, "unit", "KillMode"):
        for mode in KILL_MODES:
            setting = f"engine.unit.KillMode={mode}"
            yield from _one(f"KillMode={mode}", setting, differs=engine.unit.kill_mode != mode)
    if not lacks(design, "unit", "Restart") and any(it.status == "no answer" for it in now):
        for word in UNIT_RESTARTS:
            yield from _one(f"Restart={word}", f"engine.unit.Restart={word}", differs=engine.unit.restart != word)


def _without_proxies(scenario: Scenario) -> Iterator[Remedy]:
    engine = scenario.setup.engine
    if not lacks(DESIGNS[engine.design], "daemon", "userland-proxy"):
        setting = "engine.daemon.userland-proxy=false"
        yield from _one("userland-proxy: false", setting, differs=engine.daemon.userland_proxy)


def _services(scenario: Scenario) -> dict[str, Service]:
    """Return the services that the file gives, by container: a container of a step alone has no key."""
    return {it.name: it for it in scenario.setup.services if it.name in scenario.keys}


# -- how much it helps ------------------------------------------------------------------------------


def outcome_of(found: Sequence[Fate]) -> Outcome:
    """Return how containers fared, counted: those that ran when the fault came."""
    counted = [it for it in found if it.fate != AS_BEFORE]
    times = [(dark.client, dark.seconds) for it in counted for dark in it.dark]
    longest: dict[str, float] = {}
    for client, seconds in times:
        longest[client] = max(longest.get(client, 0.0), math.inf if seconds is None else seconds)
    return Outcome(
        containers=len(counted),
        fates={word: sum(it.fate == word for it in counted) for word in dict.fromkeys(it.fate for it in counted)},
        killed=sum(it.exit_code == KILLED for it in counted),
        dark=longest,
        for_good=sum(seconds is None for _, seconds in times),
    )


def harm(outcome: Outcome) -> tuple[float, ...]:
    """Return what is compared, the worst first: gone, killed, not kept, ports dark for good, the longest dark time."""
    of = outcome.fates
    gone = outcome.containers - of.get(KEPT, 0) - of.get(NEW, 0)
    return (
        gone, of.get(LOST, 0) + of.get(STUCK, 0) + of.get(RESTARTING, 0), outcome.containers - of.get(KEPT, 0),
        outcome.killed, outcome.for_good, max(outcome.dark.values(), default=0.0), sum(outcome.dark.values()),
    )  # fmt: skip


def better(now: Outcome, then: Outcome) -> bool:
    """Return whether an outcome is better than another one; dark times must differ by a twentieth at least.

    >>> now = Outcome(1, {"lost": 1}, 0, {"remote": math.inf}, 1)
    >>> better(now, Outcome(1, {"new process": 1}, 0, {"remote": 0.5}, 0)), better(now, now)
    (True, False)
    """
    for before, after in zip(harm(now), harm(then), strict=True):
        if before != after and not math.isclose(before, after, rel_tol=SAME):
            return after < before
    return False
