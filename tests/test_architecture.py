"""The rules that keep the parts apart, as tables: who may import whom, who prints, how long is long.

A part is a module or package right below sim/. `import` statements are read, not run, wherever they stand, also those
for type checking. What this cannot see: names imported through a string (importlib), a clock or dice passed in, and a
library that opens files itself.
"""

import ast
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# part -> the parts of sim that it may import. Layers point one way:
# cli -> experiment, scenario, render -> drive, views -> model -> engine, designs, ... -> world -> kernel
WORLD = "facts kernel errors"
ENGINE = f"world durations engines {WORLD}"
MODEL = f"engine parts {ENGINE}"
DRIVE = f"model engine parts designs faults latency trace {ENGINE}"
EXPERIMENT = f"predicates properties scenario render views tracefile drive {DRIVE} bundled version"
MAY_IMPORT = {
    "__init__": "scenario experiment version",
    "parts": "",
    "tracefile": f"trace model parts designs {MODEL}",
    "errors": "",
    "version": "",
    "writing": "",
    "durations": "",
    "measured": "durations",
    "bundled": "errors",
    "kernel": "errors",
    "facts": "kernel errors",
    "world": WORLD,
    "engine": ENGINE,
    "engines": f"designs engine {ENGINE}",
    "designs": f"parts {MODEL}",
    "latency": f"measured {MODEL}",
    "faults": MODEL,
    "model": f"designs faults {MODEL}",
    "trace": f"model {MODEL}",
    "drive": DRIVE,
    "views": f"trace model designs faults {MODEL}",
    "render": f"views parts durations errors writing {MODEL}",
    "shows": f"views render engines designs {MODEL}",  # sim/shows, and `shows` in the rooms of engines
    "predicates": MODEL,
    "properties": f"predicates {MODEL}",
    "steps": f"scenario predicates {MODEL}",
    "scenario": f"parts views predicates properties drive {DRIVE} bundled",
    "experiment": EXPERIMENT,
    "intake": f"scenario designs engine parts errors {MODEL}",
    "testing": f"predicates properties views drive {DRIVE}",
    "calibration": f"scenario views drive {DRIVE}",
    "cli": f"calibration experiment intake writing {EXPERIMENT}",  # cli.py, cli_*.py or cli/
    "__main__": "cli errors",
}
ROOM = re.compile(r"sim\.engines\.\w+")
SHOWS = re.compile(r"sim[./]engines[./]\w+[./]shows\b")  # of a room: what its own commands print, of the layer of views
ONLY_IN = {  # library -> part
    "simpy": "drive", "matplotlib": "render", "pydantic": "scenario", "yaml": "scenario", "pandas": "experiment",
    "hypothesis": "testing", "distributed": "experiment",
}  # fmt: skip
LAZY = (
    "distributed",
    "networkx",
    "matplotlib",
    "numpy",
    "pandas",
    "psutil",
    "rich",
    "scipy",
)  # imported where used: start-up
NO_CLOCK_NO_DICE = DRIVE.split()  # the parts below drive/: time and randomness are passed in
CLOCKS_AND_DICE = ("random", "secrets", "time", "uuid")
READS_THE_CLOCK = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
MAY_PRINT_AND_EXIT = ("cli", "__main__")
EXITS = ("exit", "quit", "SystemExit", "sys.exit", "os._exit")
PRINTS_OR_EXITS = ("print", "sys.stdout.write", "sys.stderr.write", *EXITS)
ONLY_WRITER = "sim/writing.py"  # of files
WRITERS = "write_text write_bytes touch copyfile copy2 fdopen mkstemp NamedTemporaryFile TemporaryFile"
WRITES = {  # what writes a file -> the module that may use it
    **dict.fromkeys(WRITERS.split(), ONLY_WRITER),
    "savefig": "sim/render/picture.py",  # into memory
}
MODE = re.compile(r"'[rwaxbt+]+'\Z")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60

# In pieces, so that this file does not match itself.
PACKAGE_INDEX = "|".join(("py" + r"pi\.(org|python)", "python" + "hosted", "registry.np" + "mjs"))
MACHINE_PATH = "|".join("/" + name for name in ("work/", "root/", "opt/wheels", r"home/\w+/", r"Users/\w+/"))
OF_THIS_MACHINE = re.compile(rf"{PACKAGE_INDEX}|(?<![\w.~*$}}])(?:{MACHINE_PATH})")

MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "sim").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES)
def test_a_module_keeps_the_rules(path: str) -> None:
    """A module imports, prints, reads clocks and grows only as far as the tables above allow."""
    found = violations(path, (ROOT / path).read_text(encoding="utf-8"))
    assert not found, "\n" + "\n".join(found)


def test_no_file_names_a_package_index_or_a_path_of_a_machine() -> None:
    """What is in the repository holds on any machine."""
    found = [
        f"{path}:{number} names {match[0]!r}, which is of one machine or one network"
        for path in repository_files()
        for number, line in enumerate((ROOT / path).read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if (match := OF_THIS_MACHINE.search(line))
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source", "message"),
    [
        ("sim/kernel/evolve.py", "from sim.world import World", ":2 imports sim.world, which kernel may not"),
        ("sim/kernel/evolve.py", "from sim import engine", ":2 imports sim.engine, which kernel may not"),
        ("sim/kernel/evolve.py", "from ..world import World", ":2 imports sim.world, which kernel may not"),
        ("sim/kernel/__init__.py", "from .. import trace", ":2 imports sim.trace, which kernel may not"),
        ("sim/model.py", "def f():\n    import sim.cli", ":3 imports sim.cli, which model may not"),
        ("sim/views/a.py", "if TYPE_CHECKING:\n    import sim.drive", ":3 imports sim.drive, which views may not"),
        ("sim/engines/a/b.py", "from sim.engines.a import shows", ":2 imports sim.shows, which engines may not"),
        ("sim/engines/a/b.py", "import sim.engines.a.shows.ps", ":2 imports sim.shows, which engines may not"),
        ("sim/gadget.py", "", ":1 is of part 'gadget', which has no row in MAY_IMPORT"),
        ("sim/views/tree.py", "import simpy.rt", ":2 imports simpy, which only drive may"),
        ("sim/model.py", "from yaml import load", ":2 imports yaml, which only scenario may"),
        ("sim/views/tree.py", "import networkx as nx", ":2 imports networkx when the module is imported"),
        ("sim/views/a.py", "try:\n    import numpy\nfinally: 0", ":3 imports numpy when the module is imported"),
        ("sim/latency.py", "from random import Random", ":2 imports random: time and randomness are passed in"),
        ("sim/engine/a.py", "import datetime\ndatetime.datetime.now()", ":3 calls datetime.datetime.now: time is"),
        ("sim/render/text.py", "print(1)", ":2 uses print, which only cli may"),
        ("sim/scenario/load.py", "import sys\nsys.exit(2)", ":3 uses sys.exit, which only cli may"),
        ("sim/scenario/load.py", "raise SystemExit", ":2 uses SystemExit, which only cli may"),
        ("sim/cli/plot.py", "path.write_text('x')", ":2 uses write_text, which only sim/writing.py may"),
        ("sim/cli/plot.py", "open(path, 'w')", ":2 opens a file to write, which only sim/writing.py may"),
        ("sim/cli/plot.py", "open(path, mode=kind)", ":2 opens a file to write, which only sim/writing.py may"),
        ("sim/cli/plot.py", "path.open('r+b')", ":2 opens a file to write, which only sim/writing.py may"),
        ("sim/cli/plot.py", "gzip.open(path, mode='xt')", ":2 opens a file to write, which only sim/writing.py may"),
        ("sim/cli/plot.py", "os.open(path, os.O_WRONLY)", ":2 opens a file to write, which only sim/writing.py may"),
        ("sim/render/a.py", "figure.savefig(path)", ":2 uses savefig, which only sim/render/picture.py may"),
        ("sim/model.py", "\n" * 400, " has 401 lines; 400 is the most: split it"),
        ("sim/model.py", "def f():\n" + "    1\n" * 60, ":2 f has 61 lines; 60 is the most: split it"),
    ],
)
def test_each_rule_can_be_broken(path: str, source: str, message: str) -> None:
    """Each rule finds a module that breaks it, says where, and finds nothing else."""
    (found,) = violations(path, f'"""Do."""\n{source}')
    assert found.startswith(path + message)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Each module can be read with nothing but what it imports; lazy and type-only imports count as any other."""
    assert circle({path: (ROOT / path).read_text(encoding="utf-8") for path in MODULES}) == []


@pytest.mark.parametrize(
    "back",
    [
        "import sim.a",
        "from sim import a",
        "from sim.a import A",
        "from . import a",
        "from .a import A",
        "def f():\n    from sim.a import A",
        "if TYPE_CHECKING:\n    from sim.a import A",
    ],
)
def test_each_way_to_close_a_circle_is_found(back: str) -> None:
    """A module that is imported by one that it imports is found, also if a third one stands between them."""
    two = {"sim/a.py": "from sim.b import B", "sim/b.py": back}
    assert sorted(set(circle(two))) == ["sim.a", "sim.b"]
    three = {"sim/a.py": "from sim import c", "sim/b.py": back, "sim/c.py": "import sim.b"}
    assert sorted(set(circle(three))) == ["sim.a", "sim.b", "sim.c"]


def test_a_package_and_its_modules_can_make_a_circle() -> None:
    """What stands in `__init__` is the package; who takes a name from there imports it, who takes a module does not."""
    package = {"sim/p/__init__.py": "from sim.p.m import M", "sim/p/n.py": ""}
    assert sorted(set(circle({**package, "sim/p/m.py": "from sim.p import NAME"}))) == ["sim.p", "sim.p.m"]
    assert circle({**package, "sim/p/m.py": "from sim.p import n\nfrom sim.p.n import N"}) == []


def test_every_row_names_a_real_part() -> None:
    """The tables name no part that does not exist, neither as the importer nor as the imported."""
    real = {part_of(path) for path in MODULES}
    named = {*MAY_IMPORT, *" ".join(MAY_IMPORT.values()).split(), *ONLY_IN.values(), *MAY_PRINT_AND_EXIT}
    assert sorted(named - real) == []


def test_a_module_without_a_docstring_is_found() -> None:
    """A module says what it models before anything else."""
    (found,) = violations("sim/model.py", "x = 1")
    assert found.startswith("sim/model.py:1 has no docstring")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("sim/engines/a/shows/b.py", "from sim.engines.a import c\nimport sim.engines.a.shows.d\nimport sim.render"),
        ("sim/cli_run.py", "import sys\nfrom sim.experiment import run\nprint(1)\nsys.exit(0)"),
        ("sim/__main__.py", "from sim.cli import main\nraise SystemExit(main())"),
        ("sim/drive/timed.py", "import simpy\nfrom .explore import explore\nfrom sim.kernel import Pid"),
        ("sim/views/tree.py", "def f():\n    import networkx\nif TYPE_CHECKING:\n    import networkx"),
        ("sim/model.py", "from datetime import timedelta\nfingerprint(1)"),
        ("sim/cli/files.py", "open(path)\nopen(path, 'rb')\npath.open('rb')\nself.open()\nImage.open(full)"),
        ("sim/cli/files.py", "os.open(os.devnull, os.O_WRONLY)"),
        ("sim/writing.py", "path.write_bytes(b'')\npath.open('wb')"),
    ],
)
def test_what_is_allowed_is_not_found(path: str, source: str) -> None:
    """The rules let through what they are meant to let through."""
    assert violations(path, f'"""Do."""\n{source}') == []


@pytest.mark.parametrize("text", ["at https://py" + "pi.org/x", "cd /ro" + "ot/x", "(/ho" + "me/a/x)"])
def test_what_is_of_one_machine_is_found(text: str) -> None:
    """An index and a home folder are found in the middle of a line."""
    assert OF_THIS_MACHINE.search(text)


def violations(path: str, source: str) -> list[str]:
    """Return what the module *source* at *path* does against the rules, one line each, with file and line."""
    tree = ast.parse(source)
    part = part_of(path)
    if part not in MAY_IMPORT:
        return [f"{path}:1 is of part {part!r}, which has no row in MAY_IMPORT"]
    found = [*wrong_imports(path, part, tree), *wrong_calls(part, tree), *wrong_writes(path, tree)]
    found += too_long(source, tree)
    if ast.get_docstring(tree) is None:
        found.append(":1 has no docstring: say what it models and what it leaves out")
    return [path + text for text in found]


def part_of(path: str) -> str:
    if SHOWS.match(path):
        return "shows"
    name = Path(path).parts[1].removesuffix(".py")
    return "cli" if name.startswith("cli_") else name


def wrong_imports(path: str, part: str, tree: ast.Module) -> Iterator[str]:
    at_import = set(run_at_import(tree))
    for node in ast.walk(tree):
        for name in sorted(imported(path, node)):
            library = name.split(".")[0]
            where = f":{getattr(node, 'lineno', 0)} imports"
            if library == "sim":
                other = part_of_module(name)
                if other not in (part, *MAY_IMPORT[part].split()):
                    yield f"{where} sim.{other}, which {part} may not: see MAY_IMPORT"
            elif part != ONLY_IN.get(library, part):
                yield f"{where} {library}, which only {ONLY_IN[library]} may"
            elif library in LAZY and node in at_import:
                yield f"{where} {library} when the module is imported; import it in the function that uses it"
            elif library in CLOCKS_AND_DICE and part in NO_CLOCK_NO_DICE:
                yield f"{where} {library}: time and randomness are passed in below drive"


def wrong_calls(part: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            if name in PRINTS_OR_EXITS and part not in MAY_PRINT_AND_EXIT:
                yield f":{node.lineno} uses {name}, which only cli may"
            if name.endswith(READS_THE_CLOCK) and part in NO_CLOCK_NO_DICE:
                yield f":{node.lineno} calls {name}: time is passed in below drive"


def wrong_writes(path: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node).rpartition(".")[2]
            if path != WRITES.get(name, path):
                yield f":{node.lineno} uses {name}, which only {WRITES[name]} may"
        if isinstance(node, ast.Call) and path != ONLY_WRITER and opens_to_write(node):
            yield f":{node.lineno} opens a file to write, which only {ONLY_WRITER} may"


def opens_to_write(call: ast.Call) -> bool:
    """Return whether *call* opens a file to write; a mode that is not written there is taken for one that does."""
    name, words = ast.unparse(call.func), [ast.unparse(it) for it in call.args]
    if name == "os.open":
        return words[0] != "os.devnull" and not words[1].endswith("O_RDONLY")
    if name.rpartition(".")[2] != "open":
        return False
    modes = [ast.unparse(it.value) for it in call.keywords if it.arg == "mode"]
    modes += words[1:2] if name == "open" else [it for it in words if MODE.match(it)]
    return any(not MODE.match(it) or set(it) & set("wax+") for it in modes)


def too_long(source: str, tree: ast.Module) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > LINES_OF_A_FILE:
        yield f" has {lines} lines; {LINES_OF_A_FILE} is the most: split it"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                yield f":{node.lineno} {node.name} has {lines} lines; {LINES_OF_A_FUNCTION} is the most: split it"


def imported(path: str, node: ast.AST) -> set[str]:
    """Return the dotted names that *node*, if it is an import of the module at *path*, imports from."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    module = base_of(path, node)
    if module == "sim" or ROOM.fullmatch(module):
        return {f"{module}.{alias.name}" for alias in node.names}
    return {module}


def base_of(path: str, node: ast.ImportFrom) -> str:
    """Return the dotted name of the module or package that *node* of the module at *path* takes names from."""
    package = list(Path(path).parent.parts)
    base = package[: len(package) + 1 - node.level] if node.level else []
    return ".".join([*base, node.module] if node.module else base)


def circle(sources: Mapping[str, str]) -> list[str]:
    """Return modules of which each imports the next and the first is the last, [] if there are none.

    *sources* is the text of each module by its path.
    """
    names = {module_of(path): path for path in sources}
    graph = {
        name: {
            other
            for node in ast.walk(ast.parse(sources[path]))
            for other in modules_meant(path, node, names)
            if other != name
        }
        for name, path in names.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def module_of(path: str) -> str:
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


def modules_meant(path: str, node: ast.AST, names: Collection[str]) -> Iterator[str]:
    """Yield which of *names* the module at *path* imports in *node*; `from x import y` means x.y if that is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in names)
    if isinstance(node, ast.ImportFrom):
        base = base_of(path, node)
        meant = (f"{base}.{alias.name}" for alias in node.names)
        yield from {it if it in names else base for it in meant} & set(names)


def part_of_module(name: str) -> str:
    """Return the part that the dotted *name* below sim is of; `sim.__version__` is of the package's own `__init__`."""
    if SHOWS.match(name):
        return "shows"
    part = [*name.split("."), "__init__"][1]
    if part.startswith("cli_"):
        return "cli"
    is_a_part = part in MAY_IMPORT or (ROOT / "sim" / part).is_dir() or (ROOT / "sim" / f"{part}.py").is_file()
    return part if is_a_part else "__init__"


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: not the bodies of functions, nor what is for type checking."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield child
        yield from run_at_import(child)


def repository_files() -> list[str]:
    """Return the files that are in the repository or would be added to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git work tree, so what belongs to it is not known")
    return sorted(path for path in set(listed.stdout.split("\0")) if path and (ROOT / path).is_file())
