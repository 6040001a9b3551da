"""Paths for the tests of counterexamples: a host, then the names of actions, one after the other.

`...` lets the host go on, in the order of `enabled`, until the name after it can happen.
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from sim.drive.explore import Path, begin, is_timer
from sim.drive.follow import find
from sim.engine.setup import FaultBudget, Setup
from sim.faults import Fault
from sim.model import Action, enabled, initial, step
from sim.world import World
from tests.drive.lives import HASTY, setup_of

replaced = msgspec.structs.replace
FEW = 2_000
PLENTY = FaultBudget(9, (("kill", 9), ("stall", 9)))
WEB = replaced(setup_of(HASTY, begin="steady"), faults=PLENTY)
T28 = ("fault kill containerd", "dockerd wait_containerd reap_child", "fault kill shim/web")


def story(setup: Setup, *names: str) -> tuple[Path, World]:
    """Return the path that the names tell from t = 0 on, and the world that it leads to."""
    calm = replaced(setup, faults=FaultBudget())
    actions: list[Action] = list(begin(calm, "open")[1].actions)
    world, _ = initial(setup)
    for before in actions:
        step(world, before)
    waits = False
    action: Action | None
    for name in names:
        if name == "...":
            waits = True
            continue
        for _ in range(FEW):
            action = find(world, name)
            if action is not None or not waits:
                break
            actions.append(_next(world))
            step(world, actions[-1])
        assert action is not None, f"{name!r} cannot happen"
        actions.append(action)
        step(world, action)
        waits = False
    return Path(tuple(actions)), world


def _next(world: World) -> Action:
    actions = [action for action in enabled(world) if not isinstance(action, Fault)]
    return next(action for action in [*(a for a in actions if not is_timer(world, a)), *actions])


def fault_walk(setup: Setup, seed: int) -> Any:
    """Yield the worlds of a random walk from t = 0 on in which a fault may come, each with what is taken next."""
    dice = Random(seed)
    prologue = begin(setup, "open")[1]
    world, _ = initial(replaced(setup, faults=PLENTY))
    for action in prologue.actions:
        step(world, action)
    for _ in range(400):
        actions = [action for action in enabled(world) if dice.random() < 0.02 or not isinstance(action, Fault)]
        if not actions:
            return
        action = dice.choice(actions)
        yield world, action
        step(world, action)


def payload_under_init(world: World) -> bool:
    """V3 violated: a payload's parent is PID 1."""
    return any(p.image.program == "payload" and p.alive and p.ppid == 1 for p in world.host.procs.values())


def proxy_unreaped(world: World) -> bool:
    """V8 violated: a proxy of a running container is a zombie."""
    return any(p.image.program == "proxy" and not p.alive for p in world.host.procs.values())


def shim_gone(world: World) -> bool:
    """V4 violated: a container runs and no shim does."""
    living = {p.image.program for p in world.host.procs.values() if p.alive}
    return "payload" in living and "shim" not in living
