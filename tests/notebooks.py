"""Notebooks from their texts: run each text from top to bottom, and keep what it shows.

`make notebooks` writes notebooks/*.ipynb anew from notebooks/*.py. Outputs are kept, so that a forge shows them; they
hold no date, no count and no time that depends on the machine, and the same text gives the same file, but for pictures,
whose bytes depend on matplotlib's version. Source: nbformat 4.5; jupytext's percent format.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
TEXTS = tuple(sorted(FOLDER.glob("*.py")))
TIMEOUT = 300  # seconds a cell may take; the first one on a new machine builds matplotlib's cache of fonts
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
PICTURE = re.compile(r"(?<=base64,)[\w+/=]+")


def surroundings(folder: Path) -> dict[str, str]:
    """Return what a kernel needs to run these sources in this Python, and to leave nothing behind but in *folder*."""
    own = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR")
    return {
        **{name: str(folder / name.lower()) for name in own},
        "JUPYTER_PREFER_ENV_PATH": "1",  # python3 is this Python
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def executed(text: Path, folder: Path) -> Any:
    """Return the notebook of a text with its outputs; cells run in *folder*, away from the sources."""
    import jupytext
    import nbclient

    notebook = jupytext.read(text)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", resources=resources).execute()
    return notebook


def tidied(notebook: Any) -> Any:
    """Drop from a notebook what differs from run to run or from machine to machine; cells are numbered."""
    notebook.metadata = {"kernelspec": KERNEL, "jupytext": {"formats": "ipynb,py:percent"}}
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number:02}", {}
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.output_type = "display_data"  # it has no count, which a result must have
    return notebook


def joined(outputs: list[Any]) -> list[Any]:
    """Join what a cell prints: in how many pieces it comes is chance."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream" and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def shown(cell: Any) -> list[Any]:
    """Return what a code cell shows, in words: of a picture only that it is there."""
    found: list[Any] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append([output.name, output.text])
        else:
            data = {kind: PICTURE.sub("", "" if kind == "image/png" else it) for kind, it in output.data.items()}
            found.append([data, {kind: dict(about) for kind, about in output.metadata.items()}])
    return found


def main() -> None:
    """Run the texts that are named, or all, and write their notebooks."""
    import nbformat

    parser = argparse.ArgumentParser(description="Run notebooks/*.py and write notebooks/*.ipynb with what they show.")
    parser.add_argument("text", nargs="*", type=Path, default=TEXTS, help="one of notebooks/*.py (default: all)")
    for text in parser.parse_args().text:
        with TemporaryDirectory() as name:
            os.environ.update(surroundings(Path(name)))
            notebook = tidied(executed(text, Path(name)))
        path = text.with_suffix(".ipynb")
        nbformat.write(notebook, path)
        print(f"{path.name}: {len(notebook.cells)} cells, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
