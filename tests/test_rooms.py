"""Each engine has a room: outside `sim/engines` nothing is known of a concrete engine, by import or by name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import fields

from sim import parts
from sim.designs import DESIGNS, families, roles
from sim.engine.engine import Engine
from sim.engine.role import Role
from sim.engine.setup import EngineSetup
from sim.views.view import RunView, View

ROOT = Path(__file__).resolve().parent.parent
SHARED = ("sim.engines.host",)  # what every host runs, whatever its engine: no concrete engine
UNITS = frozenset({"docker", "containerd", "crio", "kubelet"})
NAMES = frozenset(roles()) | frozenset(DESIGNS) | UNITS
OF_FILES = {  # of sim/scenario
    "commands.py": {
        **dict.fromkeys(("exec", "pause", "ps", "version"), "a verb of docker"),
        "docker": "the command line's own first word",
        "init": "docker run --init, and the key of Compose that it stands for",
    },
    "compile.py": {"init": "a key of Compose"},
    "compose/stack.py": {"version": "a key of Compose"},
    "compose/written.py": {"init": "shimulator init"},
    "compose_words.py": {"pause": "a verb of docker compose"},
    "expression.py": {"client": "an argument of predicates: a class of clients"},
    "host_words.py": {
        "init": "a key of daemon.json",
        "iptables": "iptables -F, as people type it",
        "journald": "a key of host:",
    },
    "noted.py": dict.fromkeys(("containerd",), "a key of daemon.json"),
    "daemon_keys.py": {"init": "a key of daemon.json"},
    "known.py": {
        "docker": "a key of a step",
        "journald": "a log driver",
    },
    "resolved.py": {
        "init": "a key of Compose",
        "iptables": "a key of daemon.json",
        "subreaper": "a key of host:",
        **dict.fromkeys(("proxy", "shim", "payload"), "a key of x-pids"),
    },
    "services.py": {
        "exec": "a verb of docker",
        "payload": "a key of x-pids, and how ps lists a program without a name",
        **dict.fromkeys(("proxy", "shim"), "a key of x-pids"),
    },
    "steps.py": {"docker": "a key of a step"},
}
OTHER_MEANINGS: dict[tuple[str, str], str] = {
    **{(f"sim/scenario/{file}", word): what for file, words in OF_FILES.items() for word, what in words.items()},
    ("sim/kernel/host.py", "subreaper"): "a field of a process",
    ("sim/testing/setups.py", "subreaper"): "a field of the host's setup",
    ("sim/testing/setups.py", "iptables"): "a field of daemon.json",
    ("sim/render/statechart.py", "child"): "the look of ops that are about child processes",
    ("sim/views/fault.py", "pause"): "a verb of docker",
    ("sim/views/fault_cells.py", "exec"): "a verb of docker, whose sessions an aspect is about",
    ("sim/views/frames.py", "client"): "the column of a class of clients",
    ("sim/render/fates_text.py", "client"): "a key of JSON: a class of clients",
    ("sim/cli/__init__.py", "init"): "the subcommand",
    ("sim/cli/trouble.py", "init"): "the subcommand",
    ("sim/cli/__init__.py", "version"): "the option",
    ("sim/render/procfs.py", "version"): "a file of /proc",
    ("sim/render/report.py", "version"): "a place of the page: the version of this program",
    ("sim/views/probes.py", "exec"): "the kind of a daemon's memory that holds a command's state",
    ("sim/calibration/phases.py", "exec"): "a verb of docker, and the moment at which a program is executed",
    ("sim/calibration/phases.py", "init"): "runc's own argument for its stages",
    ("sim/calibration/phases.py", "pause"): "a verb of docker",
    ("sim/experiment/acts.py", "iptables"): "iptables -F, as people type it",
    ("sim/experiment/aspects.py", "exec"): "an aspect of the fault matrix and a step of its file",
    ("sim/experiment/matrix.py", "exec"): "a step of the fault matrix's file",
    ("sim/experiment/own.py", "exec"): "a mode of Python's compile",
    ("sim/predicates.py", "client"): "the kind of an argument: remote, loopback or container",
    (
        "sim/cli/__init__.py",
        "docker-26",
    ): "the default of calibrate: its measurements come with the project",
    ("sim/engine/commands.py", "docker"): "how traces call the engine's unit, whatever its name",
    ("sim/engine/containers.py", "init"): "the folder of a container's first process",
    ("sim/engine/engine.py", "docker"): "how traces call the engine's unit, whatever its name",
    ("sim/engine/paths.py", "init"): "the folder of a container's first process",
    ("sim/engine/setup.py", "docker-1.13"): "the design of a file that names none",
    ("sim/engine/setup.py", "journald"): "a log driver",
    ("sim/engine/traits.py", "client"): "a field of Traits",
    ("sim/kernel/host.py", "init"): "the process that the kernel itself starts",
    ("sim/testing/setups.py", "init"): "a field of Service",
    ("sim/testing/setups.py", "payload"): "a field of Service",
    **{("sim/testing/commands.py", verb): "a verb of docker" for verb in ("exec", "pause", "ps", "version")},
}
"""(file, word) -> what the word means there: a verb of docker, a subcommand, a key of Compose."""

OUTSIDE = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "sim").rglob("*.py")
    if not path.is_relative_to(ROOT / "sim/engines")
)
INSIDE = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "sim/engines").rglob("*.py"))
ENGINES = frozenset(module.__name__ for module in parts.modules("engines"))  # rooms; others are what several run


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each imported module with its line, lazy and type-only imports too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def of_an_engine(module: str) -> bool:
    """Return whether a module stands in the room of a concrete engine."""
    return module.startswith("sim.engines.") and not module.startswith(SHARED)


def of_another_engine(path: str, module: str) -> bool:
    """Return whether a module stands in the room of an engine, and the one at *path* in another room."""
    return room_of(module) in ENGINES and room_of(module) != room_of(path.replace("/", "."))


def client_of(view: View) -> str:
    """Return the command of which a view is, "" if it is of none."""
    return view.client if isinstance(view, RunView) else ""


def room_of(module: str) -> str:
    """Return the package that is the room of a module."""
    return ".".join(module.split(".")[:3])


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each string constant that is the name of a role, a unit or a design, with its line; docstrings are none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_knows_an_engine(path: str) -> None:
    """No import of a concrete engine, and no name of a role, a unit or a design."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = [f"{path}:{line} imports {module}" for line, module in imports(tree) if of_an_engine(module)]
    found += [f"{path}:{line} says {word!r}" for line, word in names(tree) if (path, word) not in OTHER_MEANINGS]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("path", sorted((ROOT / "sim/engines/host").rglob("*.py")), ids=lambda path: path.stem)
def test_what_every_host_runs_imports_no_engine(path: Path) -> None:
    """It stands among the engines' rooms and names its own programs, but no engine's module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [f"{line} imports {module}" for line, module in imports(tree) if of_an_engine(module)] == []


@pytest.mark.parametrize("path", INSIDE)
def test_no_room_imports_another_engine(path: str) -> None:
    """What several engines run or print stands in a room that is no engine's, or in none."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = [f"{path}:{line} imports {module}" for line, module in imports(tree) if of_another_engine(path, module)]
    assert not found, "\n" + "\n".join(found)


def test_what_a_client_prints_stands_in_the_room_of_its_engine() -> None:
    """Its views are offered there, and no module outside is called by its name."""
    of_clients = [(module, view) for module in parts.modules("views") for view in module.VIEWS if client_of(view)]
    assert [view.name for module, view in of_clients if room_of(module.__name__) not in ENGINES] == []
    clients = {client_of(view) for _, view in of_clients}
    assert [path for path in OUTSIDE if clients & set(re.split(r"[/_.]", path))] == []


def test_every_other_meaning_is_used() -> None:
    """A word that is excused stands where the table says."""
    for path, word in OTHER_MEANINGS:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert word in found, f"{path} does not say {word!r} any more"


def test_what_the_tables_forbid_is_found() -> None:
    """The rules see what they are for."""
    tree = ast.parse("def f():\n    from sim.engines.podman import state\n    return 'conmon'")
    assert [module for _, module in imports(tree) if of_an_engine(module)] == ["sim.engines.podman.state"]
    assert list(names(tree)) == [(3, "conmon")]
    assert of_another_engine("sim/engines/cri/shows/rows.py", "sim.engines.podman.state")
    assert not of_another_engine("sim/engines/podman/shows/rows.py", "sim.engines.podman.state")
    assert not of_another_engine("sim/engines/podman/start.py", "sim.engines.conmon.conmon")


@pytest.mark.parametrize("field", [it.name for it in fields(Role) if it.type is bool])
def test_no_boolean_is_of_one_engine_alone(field: str) -> None:
    """What a role only says for one engine would be that engine's name in disguise."""
    said = {design.traits.client for design in DESIGNS.values() for it in design.roles.values() if getattr(it, field)}
    assert len(said) > 1


def test_an_engine_has_no_booleans() -> None:
    """It has tables and functions, so that shared code asks for what is so and not for who it is."""
    assert [it.name for it in fields(Engine) if it.type is bool] == []


# -- flags in disguise ------------------------------------------------------------------------------

HOLDS = {"engine": frozenset(it.name for it in fields(Engine)), "role": frozenset(it.name for it in fields(Role))}
OF_A_SETUP = frozenset(it.name for it in fields(EngineSetup))  # which is called an engine, too: what a file says of one
Asked = tuple[int, str, str]  # line, record, field


@cache
def flags() -> frozenset[tuple[str, str]]:
    """Return what tells one engine from the others by its truth: fields of Engine, those of Role that one room says.

    A role's field is said by a room if a program of its designs has it otherwise than as its default.
    """
    rooms: dict[str, set[int]] = {}
    for family in families():
        for role in (it for name in family.designs for it in DESIGNS[name].roles.values()):
            for field in fields(Role):
                said = field.required or getattr(role, field.name) != field.default
                rooms.setdefault(field.name, set()).update([family.order] if said else [])
    of_roles = {("role", field) for field, found in rooms.items() if len(found) == 1}
    return frozenset(of_roles | {("engine", field) for field in HOLDS["engine"] - OF_A_SETUP})


def held(node: ast.expr, names: dict[str, str]) -> str:
    """Return what an expression holds: "engine", "role", a field of one such as "engine.run", or "" for other things.

    *names* are the variables that hold one.
    """
    match node:
        case ast.Name(name):
            return names.get(name, name if name in HOLDS else "")
        case ast.Attribute(value, field):
            record = held(value, names)
            return f"{record}.{field}" if record in HOLDS else field if field in HOLDS else ""
        case ast.Call(ast.Name("role_of")) | ast.Subscript(ast.Attribute(_, "roles")):
            return "role"
        case ast.NamedExpr(_, value):
            return held(value, names)
    return ""


def variables(tree: ast.AST) -> dict[str, str]:
    """Return the variables that hold an engine, a role, or a field of one."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                pairs = list(zip(targets, values, strict=True))
            case (
                ast.Assign([target], value)
                | ast.NamedExpr(target, value)
                | ast.AnnAssign(target, _, ast.expr() as value)
            ):
                pairs = [(target, value)]
            case _:
                continue
        names |= {it.id: held(value, names) for it, value in pairs if isinstance(it, ast.Name) and held(value, names)}
    return names


def truths(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield each expression that is asked for its truth, or whether it is nothing."""
    for node in ast.walk(tree):
        match node:
            case ast.If() | ast.IfExp() | ast.While() | ast.Assert():
                yield node.test
            case ast.comprehension():
                yield from node.ifs
            case ast.BoolOp():
                yield from node.values
            case ast.UnaryOp(ast.Not(), operand) | ast.Call(ast.Name("bool" | "len"), [operand]):
                yield operand
            case ast.Compare(left, _, [right]) if any(_is_nothing(it) for it in (left, right)):
                yield from (left, right)


def _is_nothing(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value):
            return not value
        case ast.Tuple(found) | ast.List(found):
            return not found
    return False


def asked_for_truth(tree: ast.Module) -> Iterator[Asked]:
    """Yield the fields of an engine or a role that are asked for their truth, function by function."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.Lambda):
            names = variables(function)
            for node in truths(function):
                record, _, field = held(node, names).partition(".")
                if field:
                    yield node.lineno, record, field


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_field_of_an_engine_is_asked_for_its_truth(path: str) -> None:
    """`if engine.x` is a flag, whatever the type of x: shared code calls it, hands it on, or goes by its value."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = {
        f"{path}:{line} asks for {it}.{field}" for line, it, field in asked_for_truth(tree) if (it, field) in flags()
    }
    assert not found, "\n" + "\n".join(sorted(found))


FLAGS = {
    "design.engine.units": "f(1) if world.design.engine.units else 0",
    "a variable": "f(why) if (why := design.engine.units) is not None else 0",
    "an engine in a variable": "[it for it in x if engine.units]",
    "bool": "f(bool(design.engine.units))",
    "a role": "role_of(world, program).units == ''",
    "roles": "not design.roles[name].units",
    "or": "design.engine.units or f()",
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_in_disguise_is_found(flag: str) -> None:
    """However it is asked for."""
    assert [field for _, _, field in asked_for_truth(ast.parse(f"def g():\n    return {FLAGS[flag]}"))] == ["units"]
    pair = "def g():\n    other, rule = step.command, design.engine.units\n    if rule is None:\n        return 0"
    assert list(asked_for_truth(ast.parse(pair))) == [(3, "engine", "units")]


@pytest.mark.parametrize(
    "use", ["design.engine.units(x)", "f(design.engine.units)", "x == design.engine.units", "x.units"]
)
def test_a_field_that_is_gone_by_is_no_flag(use: str) -> None:
    """What is called, handed on or compared with a value is the same code for each engine."""
    assert list(asked_for_truth(ast.parse(f"def g():\n    if {use}:\n        return 1"))) == []


def test_no_example_outside_looks_up_another_engine_than_docker() -> None:
    """An example stands where an engine may be hidden (tests/test_hidden.py): the default's designs alone are there."""
    others = [f'DESIGNS["{name}"]' for name, design in DESIGNS.items() if design.traits.client != "docker"]
    found = [
        (path, line.strip())
        for path in OUTSIDE
        for line in (ROOT / path).read_text(encoding="utf-8").splitlines()
        if ">>>" in line and any(other in line for other in others)
    ]
    assert not found
