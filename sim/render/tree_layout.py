"""Where the boxes of a tree stand: from left to right, one column a generation, as high as it must be and no higher.

Each box stands in the middle of its children; subtrees are pushed together until their contours touch, so that leaves
of one generation stand beside deeper ones of another. Leaves out widths and lines. Source: E. M. Reingold and
J. S. Tilford, "Tidier Drawings of Trees" (1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Contour = list[tuple[float, float]]  # of each generation, counted from the subtree's root: the highest and lowest row
APART = 1.0  # rows between neighbours


def rows(children: Mapping[int, Sequence[int]]) -> dict[int, float]:
    """Return the row of each box, from 0 down; those of no parent stand under -1.

    >>> rows({-1: [0], 0: [1, 4], 1: [2, 3], 2: [], 3: [], 4: []})
    {0: 1.0, 1: 0.5, 2: 0.0, 3: 1.0, 4: 1.5}
    """
    offsets: dict[int, float] = {}  # of each box from its parent
    contours: dict[int, Contour] = {}
    for node in _from_the_leaves(children):
        below = children.get(node, ())
        shifts, outline = _side_by_side([contours.pop(child) for child in below])
        middle = (shifts[0] + shifts[-1]) / 2 if shifts else 0.0
        offsets.update((child, shift - middle) for child, shift in zip(below, shifts, strict=True))
        contours[node] = [(0.0, 0.0), *((low - middle, high - middle) for low, high in outline)]
    place: dict[int, float] = {-1: 0.0}
    for node in reversed(_from_the_leaves(children)):
        for child in children.get(node, ()):
            place[child] = place[node] + offsets[child]
    top = min((row for node, row in place.items() if node >= 0), default=0.0)
    return {node: place[node] - top for node in sorted(place) if node >= 0}


def _from_the_leaves(children: Mapping[int, Sequence[int]]) -> list[int]:
    """Return all boxes and -1, each after its children."""
    order, waiting = [], [-1]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += children.get(node, ())
    return order[::-1]


def _side_by_side(contours: Sequence[Contour]) -> tuple[list[float], Contour]:
    """Push subtrees together: return how far down each one goes, and the outline of them all."""
    shifts: list[float] = []
    outline: Contour = []
    for contour in contours:
        touching = [high + APART - low for (_, high), (low, _) in zip(outline, contour, strict=False)]
        shift = max(touching, default=0.0)
        shifts.append(shift)
        moved = [(low + shift, high + shift) for low, high in contour]
        joined = [(a[0], b[1]) for a, b in zip(outline, moved, strict=False)]
        outline = joined + outline[len(joined) :] + moved[len(joined) :]
    return shifts, outline
