"""The chain of causes as text: the fact, then each cause with its moment, as `--at` takes it.

Moments count from the step that began the chain, else from t = 0. Of a long chain the nearest and the last causes are
shown. Source: the project's own layout.
"""

from __future__ import annotations

from sim.views.why import Why
from sim.views.why_chain import Link

WIDEST = 76
MOST, LAST = 24, 6  # of a longer chain the nearest causes and the last ones are shown


def why_text(answer: Why, origin: int) -> str:
    """Return the answer in lines; *origin* is the clock's value at t = 0 (µs).

    >>> print(why_text(Why("a is b", (Link(1_500_000, 7, "c"), Link(1_000_000, 5, "step d")), step="d"), 0))
    a is b
      ← c       d+0.500000s
      ← step d  1.000000s
    """
    width = min(WIDEST, max((len(link.text) for link in answer.links), default=0))
    rows = [f"  ← {link.text:<{width}}  {_moment(link, answer, origin)}".rstrip() for link in answer.links]
    if len(rows) > MOST:
        rows[MOST - LAST : -LAST] = [f"  ⋯ {len(rows) - MOST} causes between; --json has them all ⋯"]
    if answer.absent:
        rows.insert(0, f"  ← {answer.absent}")
    if answer.note:
        rows.append(f"  ← {answer.note}")
    return "\n".join([answer.fact, *rows])


def _moment(link: Link, answer: Why, origin: int) -> str:
    last = answer.links[-1]
    if link.at is None:
        return ""
    if answer.step and link is not last and last.at is not None:
        return f"{answer.step}+{(link.at - last.at) / 1e6:.6f}s"
    return f"{(link.at - origin) / 1e6:.6f}s"
