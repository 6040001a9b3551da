"""What a setting changes, as the file would spell it: the old value, where it stands, and the new one.

Leaves out what that does. Source: the project's scenario language.
"""

from __future__ import annotations

import json
from typing import Any

from sim.scenario import Scenario
from sim.scenario.resolved import engine_of, host_of, network_of, service_of
from sim.views.comparison import SettingChange


def changed(base: Scenario, other: Scenario, setting: str) -> SettingChange:
    """Say what one `PATH=VALUE` changed, and where the old value stands."""
    path, _, value = setting.partition("=")
    path = path.strip()
    now, then = found_at(described(base), path), found_at(described(other), path)
    if path == "engine.profile":  # one of a file stands there with all its rows
        now, then = base.setup.engine.profile, other.setup.engine.profile
    default = "not set" if now is None else "the default"
    origin = default if found_at(base.raw, path) is None else "as in the file"
    return SettingChange(path, spelled(now), spelled(then) if then is not None else value.strip(), origin)


def described(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario with every default, as the file would spell it."""
    setup = scenario.setup
    return {
        **scenario.raw,
        "title": scenario.title,
        "host": host_of(setup.host),
        "engine": engine_of(setup.engine),
        "networks": {network.name: network_of(network) for network in setup.networks},
        "services": {scenario.keys[s.name]: service_of(s, scenario) for s in setup.services if s.name in scenario.keys},
    }


def found_at(tree: Any, path: str) -> Any:
    """Return what stands at *path*, None if nothing does; a name that contains dots is found if it is there.

    >>> found_at({"a.b": [{"c": 1}]}, "a.b.0.c")
    1
    """
    words = path.replace("[", ".").replace("]", "").split(".")
    while words and isinstance(tree, dict | list):
        if isinstance(tree, list):
            word = words.pop(0)
            tree = tree[int(word)] if word.isascii() and word.isdigit() and int(word) < len(tree) else None
            continue
        length = next((n for n in range(len(words), 0, -1) if ".".join(words[:n]) in tree), 0)
        if not length:
            return None
        tree, words = tree[".".join(words[:length])], words[length:]
    return None if words else tree


def spelled(value: Any) -> str:
    """Return a value as YAML spells it, on one line."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
