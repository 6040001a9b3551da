"""Scenario files: from YAML to a `Setup`, with every fault of the input named by file, line and column.

Models: reading, checking, defaults, assumptions. Leaves out: what happens then. Only this package knows
pydantic and YAML. Source: the project's scenario language (README, `schema.json`).
"""

from sim.scenario.compile import Scenario
from sim.scenario.compose_import import init_from_compose, starter
from sim.scenario.expect import (
    At,
    ContainerExpect,
    DarkExpect,
    During,
    EventsExpect,
    ExitExpect,
    Expectation,
    FileExpect,
    PortExpect,
    ProcessExpect,
    PropertyExpect,
    StepExpect,
    TreeExpect,
    When,
    Within,
    Word,
)
from sim.scenario.load import instant, load, load_all, reload, target
from sim.scenario.property_asked import property_called, property_of
from sim.scenario.property_read import OwnProperty
from sim.scenario.resolved import resolved
from sim.scenario.schema import json_schema
from sim.scenario.settings import set_path
from sim.scenario.words import did_you_mean

__all__ = [
    "At",
    "ContainerExpect",
    "DarkExpect",
    "During",
    "EventsExpect",
    "ExitExpect",
    "Expectation",
    "FileExpect",
    "OwnProperty",
    "PortExpect",
    "ProcessExpect",
    "PropertyExpect",
    "Scenario",
    "StepExpect",
    "TreeExpect",
    "When",
    "Within",
    "Word",
    "did_you_mean",
    "init_from_compose",
    "instant",
    "json_schema",
    "load",
    "load_all",
    "property_called",
    "property_of",
    "reload",
    "resolved",
    "set_path",
    "starter",
    "target",
]
