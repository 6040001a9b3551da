"""Before t = 0 rounds are jumped over; what comes after it is what came if they had all been lived through."""

import pytest

from sim.designs import DESIGNS
from sim.drive import prices, rounds
from sim.drive.timed import Timed
from sim.facts import OPENED, EngineEvent, Marked, StateChanged
from sim.kernel.events import Exited
from sim.scenario import load

DAY = 86_400_000_000
CRASHES = "{image: x, restart: always, x-payload: {exits: {code: 1, after: 5ms}}}"
FASTEST = ("docker-17.06", "docker-26", "docker-28-separate", "podman", "containerd-cri", "cri-o")


@pytest.fixture
def impatient(monkeypatch):
    """Let a jump be worth it on a short run, so that it can be compared."""
    monkeypatch.setattr(rounds, "WORTH", 0)
    monkeypatch.setattr(rounds, "FEWEST", 500)


def run(design, services, uptime="10d", more="until: 1s", **options):
    """Return the driver after a run."""
    rows = "\n  ".join(f"{name}: {service}" for name, service in services.items())
    text = f"engine: {{design: {design}}}\nhost: {{uptime: {uptime}}}\nservices:\n  {rows}\n{more}\n"
    driver = Timed(load("f", text=text).setup, 1, **options)
    driver.run()
    return driver


def after_the_begin(driver):
    """Return what happened after t = 0: when, what, to which container or program; without numbers of processes."""
    found, opened = [], False
    for record in driver.trace:
        event = record.event
        opened = opened or (isinstance(event, Marked) and event.name == OPENED)
        if opened:
            more = {EngineEvent: "word", StateChanged: "state", Exited: "status"}.get(type(event))
            found.append((record.at - driver.trace.origin, type(event).__name__, getattr(event, more) if more else ""))
    return found


def words(driver, word):
    """Return when the engine said *word*, in µs before t = 0, and of which container."""
    events = [(record.at, record.event) for record in driver.trace if isinstance(record.event, EngineEvent)]
    return [(at - driver.trace.origin, event.container) for at, event in events if event.word == word]


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_a_host_of_ten_days_with_a_crash_loop_is_soon_up(design):
    """Two containers that crash in their own time."""
    driver = run(design, {"a": CRASHES, "b": CRASHES.replace("5ms", "700ms")})
    assert driver.opened
    assert driver.trace.origin > 10 * DAY
    assert driver.steps < 60_000


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", FASTEST)
def test_after_the_begin_all_is_as_if_every_round_had_been_lived_through(design, impatient, monkeypatch):
    """Durations are always the same here, so that a round is; a dockerd or a conmon is killed after t = 0."""
    monkeypatch.setattr(prices, "draw", lambda *key: 0.5)
    uptime = {"podman": "30s", "containerd-cri": "6h", "cri-o": "12h"}.get(design, "30m")
    victim = "supervisor/a" if design == "podman" else DESIGNS[design].traits.engine
    more = f"steps:\n  - {{at: 5s, kill: {victim}}}\nuntil: 20s"
    jumped = run(design, {"a": CRASHES, "b": "{image: x}"}, uptime, more)
    lived = run(design, {"a": CRASHES, "b": "{image: x}"}, uptime, more, skip_rounds=False)
    assert jumped.jumped
    assert not lived.jumped
    assert len(jumped.trace) < len(lived.trace)
    assert (jumped.trace.origin, jumped.trace.end) == (lived.trace.origin, lived.trace.end)
    assert after_the_begin(jumped) == after_the_begin(lived)


def test_what_comes_once_comes_when_it_would_have():
    """Another container leaves after two days, and one after nine; each is met at its own time."""
    once = {f"c{days}": f"{{image: x, x-payload: {{exits: {{code: 0, after: {days}d}}}}}}" for days in (2, 9)}
    driver = run("docker-26", {"a": CRASHES, **once})
    assert [round(at / DAY, 3) for at, name in words(driver, "die") if name in once] == [-8.0, -1.0]
    assert driver.jumped > 9 * DAY
    left = driver.trace.left_out
    assert left.time == driver.jumped
    assert left.watched < left.since < 2 * DAY
    assert 10_000_000 < left.time / left.rounds < 100_000_000


def test_a_limit_of_restarts_is_met(impatient):
    """Restarts are counted as long as somebody looks at their number."""
    driver = run("podman", {"a": CRASHES.replace("always", "on-failure:60")}, "1d")
    assert len(words(driver, "start")) == 61
    assert not driver.jumped


def test_what_piles_up_is_no_round(impatient):
    """Children that are forked and never leave make a host fuller, so that no day is like the one before."""
    piling = "{image: x, x-payload: {children: [{argv: [sleep], every: 1s%s}]}}"
    assert not run("docker-1.13", {"a": piling % ""}, "1h").jumped
    assert run("docker-1.13", {"a": piling % ", exits: {after: 100ms}"}, "1h").jumped


def test_a_backoff_without_an_end_is_no_round(impatient):
    """Docker 1.13 doubles its pauses for ever: each is new."""
    driver = run("docker-1.13", {"a": CRASHES})
    assert len(words(driver, "start")) in range(20, 30)
    assert not driver.jumped
