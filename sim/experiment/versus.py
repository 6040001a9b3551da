"""A comparison with everything that can be asked of it: the table, the figure, the pairs.

This is what `sim.whatif` returns. Source: the project's Python interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.render.cards import comparison_html
from sim.render.notebook import Picture
from sim.render.whatif_text import whatif_text
from sim.views.comparison import WhatIf
from sim.views.frames import PAIRS, pairs

if TYPE_CHECKING:
    from pandas import DataFrame


class Versus:
    """A scenario as it is against other settings, pair by pair on the same seeds."""

    def __init__(self, found: WhatIf) -> None:
        self.found = found

    def plot(self) -> Picture:
        """Draw the first alternative: each pair a point, the median difference and its interval on top."""
        from sim.render.compare_figure import draw_comparison

        sentences = self.found.variants[0].sentences
        caption = f"Difference by pairs of runs: {sentences[0] if sentences else self.found.variants[0].name}"
        return Picture(lambda: draw_comparison(self.found), caption)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each metric and pair: seed, the figure now and then, and their difference."""
        return pairs(self.found)

    def to_frame(self) -> DataFrame:
        """Return `rows` as a pandas DataFrame; what a column means stands in its `attrs`."""
        from sim.experiment.frame import frame

        return frame(self.rows(), PAIRS)

    def __repr__(self) -> str:
        return whatif_text(self.found).rstrip("\n")

    def _repr_html_(self) -> str:
        return comparison_html(self.found)
