"""What shows itself in a notebook: text as it is, and a picture with words for those who do not see it.

A picture is drawn when it is shown or saved. Shown, it is a PNG in the notebook's own format, which every viewer of
notebooks draws, with its caption as alt text and, where pictures are not shown, its words in place of it. Leaves out
scripts and styles. Source: IPython's documentation, "Rich display" (`_repr_pretty_`, `_repr_mimebundle_`).
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sim.render.picture import write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100  # a notebook is kept with its pictures
COLOURS = 64  # of a palette; a third of the bytes of a picture in full colour


class Text(str):
    """Text that a notebook shows line by line, without quotes; anywhere else a `str`."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self).rstrip("\n"))


class Picture:
    """A picture: *caption* says in one sentence what it shows, *words* say more in lines.

    >>> Picture(lambda: (None, "drawn"), "A tree: 3 processes", "a─b")
    A tree: 3 processes
    a─b
    """

    def __init__(self, make: Callable[[], tuple[Figure, Any]], caption: str, words: str = "") -> None:
        self._make, self.caption, self.words = make, caption, words

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.words}".rstrip("\n")

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write x.png, x.svg or x.pdf and say what was drawn. Raises InputError for another ending."""
        return str(write(path, self._make))

    def png(self) -> bytes:
        """Return the picture as a PNG of few colours."""
        from PIL import Image  # matplotlib depends on it

        full, small = BytesIO(), BytesIO()
        write(full, self._make, "png", DPI)
        Image.open(full).convert("RGB").quantize(COLOURS).save(small, "png", optimize=True)
        return small.getvalue()

    def base64(self) -> str:
        """Return the PNG in letters, as notebooks and data: addresses hold it."""
        return b64encode(self.png()).decode("ascii")

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        return {"image/png": self.base64(), "text/plain": repr(self)}, {"image/png": {"alt": self.caption}}
