"""The vocabulary of procedures: what a goroutine can do in one step.

One op is at most one blocking point. Silent ops, which nobody else can see or be hurt by (locks, the start of a
goroutine, the return), are taken together with the op before them.
"""

from sim.engine.ops.children import Fork, Reap, ReapAny, ReapOrphans, run
from sim.engine.ops.flow import (
    Condition,
    Do,
    Entry,
    Every,
    Exit,
    Go,
    Goto,
    Interval,
    Join,
    Jump,
    Label,
    Op,
    Return,
    Sleep,
    Wait,
    reading,
    repeat,
)
from sim.engine.ops.locks import Lock, Unlock
from sim.engine.ops.messages import Answered, Ask, Push, Serve, Switch, call, receive
from sim.engine.ops.pipes import Read, Write

__all__ = [
    "Answered",
    "Ask",
    "Condition",
    "Do",
    "Entry",
    "Every",
    "Exit",
    "Fork",
    "Go",
    "Goto",
    "Interval",
    "Join",
    "Jump",
    "Label",
    "Lock",
    "Op",
    "Push",
    "Read",
    "Reap",
    "ReapAny",
    "ReapOrphans",
    "Return",
    "Serve",
    "Sleep",
    "Switch",
    "Unlock",
    "Wait",
    "Write",
    "call",
    "reading",
    "receive",
    "repeat",
    "run",
]
