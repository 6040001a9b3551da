"""An engine is taken away: all tests but its own are run in a copy of the project without `sim/engines/ENGINE`.

A test is an engine's own if it names the engine: in its name, in its parameters, in its source, in a scenario that one
of its parameters names; a module is, if it imports from the engine's room. What the tests share (a helper, a table)
may name engines that are not there. In the copy `tests/test_hidden.py` runs `pytest -p tests.hidden --hide podman`.
"""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OWN = {
    "podman": re.compile(r"podman|quadlet|netavark|libpod", re.I),
    "cri": re.compile(r"\bcri\b|cri[-_]o\b|crio|containerd[-_]cri|kubelet|crictl|\bpods?\b", re.I),
}
"""By engine: the words that name it or its designs."""


def copied(to: Path, engine: str) -> Path:
    """Copy what git knows of the project, without an engine's room, and return the copy's folder."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        source, target = ROOT / name, to / name
        if not name.startswith(f"sim/engines/{engine}/") and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return to


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --hide ENGINE."""
    parser.addoption("--hide", choices=tuple(OWN), required=True, help="leave out the tests of this engine")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a module that imports from the engine's room: all of it is the engine's own."""
    room = f"sim.engines.{config.option.hide}"
    is_own = collection_path.suffix == ".py" and room in collection_path.read_text(encoding="utf-8")
    return True if is_own and collection_path.name.startswith("test_") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the engine's own tests."""
    names = OWN[config.option.hide]
    own = [item for item in items if _is_own(item, names)]
    config.hook.pytest_deselected(items=own)
    items[:] = [item for item in items if item not in set(own)]


def _is_own(item: pytest.Item, names: re.Pattern[str]) -> bool:
    function = getattr(item, "function", None)
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    texts = [item.nodeid, *map(repr, parameters), *(inspect.getsource(function) if function else "",)]
    bundled = (
        ROOT / "scenarios" / f"{value}.yaml" for value in parameters if isinstance(value, str) and len(value) < 80
    )
    texts += [path.read_text(encoding="utf-8") for path in bundled if path.is_file()]
    return any(names.search(text) for text in texts)
