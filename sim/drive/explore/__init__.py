"""The explorer: every order of events, and every fault within a budget.

space: what everything is called; tape: a world that notes what a step reads and writes; learn: each local step once;
normal: what a state leaves out; clocks: time; confluent: what may be taken first; symmetry: containers that are alike;
walker: how states follow each other; search: breadth first; workers: in several processes; watch: limits; begin,
paths: the way to the first state and back; exploration: what is asked and what was found.
"""

from sim.drive.explore.exploration import Exploration, Goal, SearchFault, explore
from sim.drive.explore.paths import Path, begin, first, is_timer, replay
from sim.drive.explore.watch import COMPLETE, Limits

__all__ = [
    "COMPLETE",
    "Exploration",
    "Goal",
    "Limits",
    "Path",
    "SearchFault",
    "begin",
    "explore",
    "first",
    "is_timer",
    "replay",
]  # fmt: skip
