"""What a user installs works away from the source tree: the wheel alone holds the package and its scenarios."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import sim
from sim.bundled import bundled, bundled_names, question_names, row_names

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNNABLE = any((ROOT / "sim").glob("cli*")) and (ROOT / "scenarios/document.yaml").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, and return that.

    The dependencies come from the environment of the tests, by a .pth file. Python does not read the .pth files of a
    folder that it got that way, so an editable install there, a link to the source tree, does not count.
    """
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=True)
    python = str(folder / "bin/python")
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-deps", "--no-index", str(wheel), cwd=folder)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def test_the_wheel_holds_the_package_and_the_scenarios_and_nothing_else(wheel: Path) -> None:
    """The wheel holds sim/, with every scenario of scenarios/ and the library of images in it, and its metadata."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"sim", f"shimulator-{sim.__version__}.dist-info"}
    assert {f"sim/scenarios/{path.name}" for path in (ROOT / "scenarios").glob("*.yaml")} <= names
    assert {f"sim/render/page/{path.name}" for path in (ROOT / "sim/render/page").iterdir()} <= names
    assert {f"sim/images/{path.name}" for path in (ROOT / "sim/images").iterdir()} <= names


@pytest.mark.long
def test_an_install_finds_its_own_module_and_scenarios(installed: Path, tmp_path: Path) -> None:
    """Away from the source tree, module and scenarios are those of the install."""
    code = "import sim, sim.bundled as b; print(sim.__file__, *(b.bundled(n) for n in b.bundled_names()), sep='\\n')"
    module, *scenarios = run(str(installed / "bin/python"), "-I", "-c", code, cwd=tmp_path).splitlines()
    packages = Path(module).parent.parent
    assert packages.is_relative_to(installed)
    assert [Path(path) for path in scenarios] == [packages / f"sim/scenarios/{name}.yaml" for name in bundled_names()]


@pytest.mark.mostly_long
@pytest.mark.skipif(not RUNNABLE, reason="there is no sim/cli.py or no scenarios/document.yaml yet")
@pytest.mark.parametrize("command", [("bin/python", "-I", "-m", "sim"), ("bin/shimulator",)], ids=" ".join)
def test_an_install_runs_a_bundled_scenario(installed: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Away from the source tree, a bundled scenario runs by its name and all it expects holds: exit status 0."""
    program, *arguments = command
    run(str(installed / program), *arguments, "run", "document", "--quiet", cwd=tmp_path)


def test_a_source_tree_finds_the_scenarios_beside_the_package() -> None:
    """From a source tree a bundled name is the file that one edits; other names, paths among them, are none."""
    every = sorted(bundled_names() + row_names() + question_names())
    assert every == sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
    assert [bundled(name) for name in bundled_names()] == [ROOT / f"scenarios/{name}.yaml" for name in bundled_names()]
    assert [bundled(name) for name in ("", "no-such", "../scenarios/document", "document.yaml")] == [None] * 4


def test_the_version_is_said_once_and_the_same() -> None:
    """`sim.__version__` is the version of pyproject.toml."""
    assert sim.__version__ == PROJECT["version"]


def test_the_lock_pins_each_dependency_by_hash_and_names_no_place() -> None:
    """requirements.lock has `name==version`, hashes, and no option: no index, no folder, no link."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([a-z0-9-]+)==\S+.*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", lock, re.MULTILINE)
    rest = re.sub(r"(?m)^\s*#.*\n|^[a-z0-9-]+==.*\n|^    --hash=.*\n", "", lock)
    assert rest == "", "these lines of requirements.lock are neither a pin, a hash nor a comment"
    wanted = PROJECT["dependencies"] + [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    names = {re.split(r"[>=\[; ]", line)[0].lower() for line in wanted} - {"shimulator"}
    assert names <= {name for name, _hashes in entries}, "run `make lock`"


def run(*command: str, cwd: Path) -> str:
    """Run *command* in *cwd* and return its stdout; if it fails, show all that it said."""
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
