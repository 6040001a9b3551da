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


NAMED = {  # what goes through a table, a picture or an answer that names engines by themselves
    "tests/drive/test_confluence.py": "its table is made of two engines' ops",
    "tests/drive/test_explore_normal.py": "its hosts are of several engines",
    "tests/views/test_counterexample.py": "its hosts are of several engines",
    "tests/test_answers.py": "docs/answers.md compares engines",
    "tests/test_testing.py": "its worlds are drawn from several engines",
    "tests/experiment/test_fault_matrix.py": "fault_matrix.csv and UNLIKE have rows of each engine",
    "test_each_command_is_of_some_design": "its table has every engine's command",
    "test_the_story_goes_past_loops": "its client is one that has met every engine's answers",
    "test_the_committed_schema_is_the_current_one": "schema.json lists every design",
    "test_the_matrix_of_the_documentation_is_what_its_command_prints": "docs/whatif.md shows several engines",
    "test_the_examples_of_the_page_hold": "docs/calibrate.md asks q11-starts, which compares several engines",
    "test_each_reason_not_to_apply_is_one_design_s_and_not_another_s": "each reason is one engine's",
    "test_json_is_one_documented_object[whatif --matrix]": "it asks for the matrix of podman",
}
"""Beginning or end of a test's id -> why it is about each engine and cannot be asked without one."""


def copied(to: Path, engine: str) -> Path:
    """Copy what git knows of the project, without an engine's room, and return the copy's folder."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        source, target = ROOT / name, to / name
        own = name.startswith(f"sim/engines/{engine}/") or (name.startswith("scenarios/") and _names(source, engine))
        if not own and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return to


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --hide ENGINE."""
    parser.addoption("--hide", choices=tuple(OWN), required=True, help="leave out the tests of this engine")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a module that imports from the engine's room: all of it is the engine's own."""
    room = f"sim.engines.{config.option.hide}"
    is_test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    if not is_test:
        return None
    is_named = collection_path.relative_to(ROOT).as_posix() in NAMED  # before it is imported
    return True if is_named or room in collection_path.read_text(encoding="utf-8") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the engine's own tests."""
    names = OWN[config.option.hide]
    own = [item for item in items if item.nodeid.startswith(tuple(NAMED)) or item.nodeid.endswith(tuple(NAMED))]
    own += [item for item in items if item not in own and _is_own(item, names)]
    config.hook.pytest_deselected(items=own)
    items[:] = [item for item in items if item not in set(own)]


def _names(scenario: Path, engine: str) -> bool:
    return scenario.is_file() and bool(OWN[engine].search(scenario.read_text(encoding="utf-8")))


def _is_own(item: pytest.Item, names: re.Pattern[str]) -> bool:
    function = getattr(item, "function", None)
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    texts = [item.nodeid, *map(repr, parameters), *(inspect.getsource(function) if function else "",)]
    bundled = (
        ROOT / "scenarios" / f"{value}.yaml" for value in parameters if isinstance(value, str) and len(value) < 80
    )
    texts += [path.read_text(encoding="utf-8") for path in bundled if path.is_file()]
    return any(names.search(text) for text in texts)
