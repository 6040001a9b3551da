"""Write a figure as PNG, SVG or PDF, so that the bytes depend on what is shown and on matplotlib's version alone.

No date, no random id, no reader's own style, no display. Leaves out what is drawn. Source: matplotlib's documentation
of `savefig` (metadata) and of rcParams (svg.hashsalt).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from sim.errors import InputError, Problem
from sim.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Said = TypeVar("Said")
FORMATS = ("png", "svg", "pdf")
DPI = 150
UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None},
}  # fmt: skip


def write(
    path: str | os.PathLike[str] | BinaryIO,
    make: Callable[[], tuple[Figure, Said]],
    format: str | None = None,
    dpi: int = DPI,
) -> Said:
    """Write the figure that *make* draws and return what it says of it; *format* is by default the path's ending.

    A file that is open needs a format. Raises InputError for another format.
    """
    import warnings

    import matplotlib as mpl

    name = os.fspath(path) if isinstance(path, str | os.PathLike) else "a file"
    kind = (format or os.path.splitext(name)[1].lstrip(".") or "png").lower()
    if kind not in FORMATS:
        raise InputError([Problem(name, f"'{kind}' is not a picture format", f"Use {', '.join(FORMATS)}.")])
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # shown as a box; nothing that a user can mend
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "shimulator"
        figure, said = make()
        drawn = BytesIO()
        figure.savefig(drawn, format=kind, dpi=dpi, metadata=UNDATED[kind])
    if isinstance(path, str | os.PathLike):
        write_whole(Path(path), drawn.getvalue())
    else:
        path.write(drawn.getvalue())
    return said


def blank(width: float, height: float) -> Figure:
    """Return an empty figure, inches wide and high, that can measure words whatever the format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def literal(words: str) -> str:
    """Return words as matplotlib is to show them: a dollar sign begins no formula."""
    return words.replace("$", r"\$")
