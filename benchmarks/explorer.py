"""How fast the explorer is: states and steps a second on one core and on all, bytes a state, what each symmetry saves.

The case is one container with a published port: docker run, docker stop, and one kill of any process but PID 1 at any
moment from the beginning of run on, systemd's restart of dockerd with all that follows. Each measurement is a process
of its own, so that its memory is its own; on one core processor time counts, on several wall time. A transition is one
application of the model's `step`, as a choice or as a confluent op between two kept states. *Every order* is without
confluent ops first.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from msgspec.structs import replace

from sim.drive.explore import Limits, begin, explore, is_timer
from sim.engine.setup import (
    Docker,
    FaultBudget,
    HostSetup,
    Instant,
    OnTerm,
    Payload,
    Port,
    S,
    Service,
    Setup,
    Step,
    Systemctl,
)  # fmt: skip
from sim.model import enabled, step
from sim.world import World

WEB = Service(
    "web", "web0", "img", "/web", (), Payload("web", ("web",), 2, ready=5 * S, on_term=OnTerm(after=5 * S)),
    (Port(8080, 80),),
)  # fmt: skip
DB = replace(WEB, name="db", id="db00", ports=(Port(8081, 80),))
MINUTES = Limits(states=30_000_000, seconds=1_800.0, megabytes=16_000)


def life(faults: FaultBudget = FaultBudget()) -> Setup:  # noqa: B008
    """Return one container's run and stop, on a host that is off before."""
    up = Step("up", Instant(), Systemctl("start"))
    steps = (up, *(Step(verb, Instant("after"), Docker(verb, "web")) for verb in ("run", "stop")))
    return Setup((WEB,), host=HostSetup(begin="off"), terminals=(steps,), faults=faults)


def two(faults: FaultBudget = FaultBudget()) -> Setup:  # noqa: B008
    """Return two containers that are run and stopped from two terminals."""
    lines = tuple(
        tuple(Step(f"{verb}-{it.name}", Instant("after" if turn else "origin"), Docker(verb, it.name))
              for turn, verb in enumerate(("run", "stop")))
        for it in (WEB, DB)
    )  # fmt: skip
    services = (replace(WEB, at_begin=False), replace(DB, at_begin=False))
    return Setup(services, host=HostSetup(begin="steady"), terminals=lines, faults=faults)


KILL = FaultBudget(total=1, kinds=(("kill", 1),))
CASES: dict[str, tuple[Callable[[], Setup], str]] = {
    "life": (life, "run"),
    "kill": (lambda: life(KILL), "run"),
    "two": (two, "open"),
    "two-kill": (lambda: two(KILL), "open"),
}


def peak_kb() -> int:
    """Return the most memory that this process has had, in KiB: VmHWM, since ru_maxrss keeps the parent's over exec."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def once(case: str, jobs: int, seconds: float, *, full: bool = False, apart: bool = False) -> dict[str, Any]:
    """Explore a case and return what it took; *apart* tells alike containers apart."""
    build, start = CASES[case]
    setup = build()
    if apart:
        setup = replace(setup, services=tuple(replace(s, labels=((s.name, ""),), image=s.name) for s in setup.services))
    before = peak_kb()
    cpu, wall = process_time(), perf_counter()
    found = explore(setup, start=start, jobs=jobs, reduce=not full, limits=replace(MINUTES, seconds=seconds))
    peak = peak_kb()
    return {
        "verdict": found.verdict, "states": found.states, "transitions": found.transitions, "steps": found.steps,
        "depth": found.depth, "ends": len(found.ends), "taped": found.taped, "seconds": process_time() - cpu,
        "wall": perf_counter() - wall, "bytes": (peak - before) * 1024 / found.states,
    }  # fmt: skip


def apart(case: str, jobs: int = 1, seconds: float = 900.0, **options: bool) -> dict[str, Any]:
    """Measure in a process of its own."""
    words = [sys.executable, __file__, "--case", case, "--jobs", str(jobs), "--seconds", str(seconds)]
    words += [f"--{name}" for name, on in options.items() if on]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def numbered(setup: Setup, start: str) -> int:
    """Return how many states there are if processes have the numbers that the counter gives, without faults."""
    world, _ = begin(setup, start)
    met, todo = {_as_numbered(world)}, [world]
    while todo:
        world = todo.pop()
        actions = enabled(world)
        for action in [action for action in actions if not is_timer(world, action)] or actions:
            twin = world.copy()
            step(twin, action)
            key = _as_numbered(twin)
            if key not in met:
                met.add(key)
                todo.append(twin)
    return len(met)


def _as_numbered(world: World) -> bytes:
    host = world.host
    host_tables = (host.procs, host.zombies, host.fifos, host.listeners, host.rules, host.files, host.last_pid)
    own_tables = (world.frames, world.locks, world.queues, world.replies, world.memory, world.marks)
    tables = [sorted(map(repr, table.items())) for table in host_tables[:6]] + [[str(host.last_pid)]]
    tables += [sorted(map(repr, table.items())) for table in own_tables]
    return blake2b(repr(tables).encode(), digest_size=16).digest()


def rows(long: bool) -> list[tuple[str, float, float | None, str]]:
    """Measure; return rows of (what, figure, target or None, at most or at least)."""
    cores = os.cpu_count() or 1
    one, every, shared = apart("kill"), apart("kill", full=True), apart("kill", cores, full=True)
    assert (every["states"], every["transitions"]) == (shared["states"], shared["transitions"]), "counts differ"
    pair, told = apart("two"), apart("two", apart=True)
    found: list[tuple[str, float, float | None, str]] = [
        ("one kill: states", one["states"], None, ""),
        ("one kill: s on one core", one["seconds"], 20, "at most"),
        ("one kill: transitions/s on one core", one["steps"] / one["seconds"], 40_000, "at least"),
        ("one kill, every order: states", every["states"], None, ""),
        ("one kill, every order: s on one core", every["seconds"], None, ""),
        ("one kill, every order: states/s on one core", every["states"] / every["seconds"], None, ""),
        ("one kill, every order: transitions/s on one core", every["steps"] / every["seconds"], 40_000, "at least"),
        (f"one kill, every order: one core over {cores}, wall", every["wall"] / shared["wall"], 1.7, "at least"),
        ("one kill, every order: bytes a state", every["bytes"], 600, "at most"),
        ("confluent ops first: fewer states by", every["states"] / one["states"], None, ""),
        ("alike containers exchanged: fewer by", told["states"] / pair["states"], None, ""),
        ("two containers: s on one core", pair["seconds"], 120, "at most"),
    ]
    named = apart("life", full=True)["states"]
    found.append(("processes named, not numbered: fewer by", numbered(life(), "run") / named, None, ""))
    if long:
        far = apart("two-kill", cores, seconds=600.0)
        found.append((f"two containers, one kill: {far['verdict']}: states", far["states"], None, ""))
    return found


def main() -> None:
    """Measure one case, for a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--apart", action="store_true")
    options = parser.parse_args()
    print(json.dumps(once(options.case, options.jobs, options.seconds, full=options.full, apart=options.apart)))


if __name__ == "__main__":
    main()
