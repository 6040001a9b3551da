"""A counterexample as text: what is violated, the story in numbered paragraphs, trees, the way not taken.

Long runs of deeds that nobody else sees are cut to their begin and end. Source: the project's own layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from sim.render.clean import printable, printable_lines
from sim.render.pstree import pstree
from sim.views.counterexample import Counterexample, Paragraph, Sibling
from sim.views.deeds import Deed

WIDTH = 110
KEPT = 2  # of a long run of deeds that nobody else sees so many are told at its begin and at its end


def counterexample_text(found: Counterexample, width: int = WIDTH) -> str:
    """Return the whole story; trees are not cut to *width*."""
    head = f"{found.property} is violated: {_counted(found.faults, 'fault')}, "
    head += f"{_counted(max(0, len(found.paragraphs) - 1), 'context switch', 'es')}, {_counted(found.steps, 'step')}"
    parts = [printable(head) + (f"\n{printable(found.says)}" if found.says else "")]
    parts.append("\n".join([f"    {printable(found.begins)}", *_story(found.paragraphs, width)]))
    for when, table in (("before", found.before), ("after", found.after)):
        parts.append(f"Tree {when} {found.decisive}:\n{printable_lines(pstree(table, width=None)).rstrip()}")
    if found.sibling is not None:
        parts.append("\n".join(wrap(printable(sibling_text(found.sibling)), width)))
    return "\n\n".join(parts) + "\n"


def _counted(count: int, word: str, plural: str = "s") -> str:
    return f"{count} {word}{plural if count != 1 else ''}"


# -- the story --------------------------------------------------------------------------------------


def _story(paragraphs: Sequence[Paragraph], width: int) -> Iterator[str]:
    for paragraph in paragraphs:
        text = printable(paragraph_text(paragraph.actor, paragraph.deeds))
        yield from wrap(text, width, initial_indent=f"{paragraph.number:>3}. ", subsequent_indent="     ")


def paragraph_text(actor: str, deeds: Sequence[Deed]) -> str:
    """Return what one program did: its goroutines in brackets, what they did after them.

    >>> paragraph_text("dockerd", (Deed("start web", "reserve the port"), Deed("start web", "run iptables", times=6)))
    'dockerd (start web): reserve the port; run iptables ×6'
    """
    groups = []
    for goroutine, part in groupby(deeds, key=lambda deed: deed.goroutine):
        told = "; ".join(deed_text(actor, deed) for deed in shortened(tuple(part)))
        groups.append(f"({goroutine}): {told}" if goroutine else f": {told}")
    first, *others = groups or [""]
    return f"{actor}{first if first.startswith(':') else f' {first}'}" + "".join(f". {_alone(it)}" for it in others)


def _alone(group: str) -> str:
    return f"(main){group}" if group.startswith(":") else group


def deed_text(actor: str, deed: Deed) -> str:
    """Return one deed, with who did it if that is not *actor*.

    >>> deed_text("fault", Deed("", "go on after SIGCONT", "shim/web"))
    'shim/web goes on after SIGCONT'
    """
    times = f" ×{deed.times}" if deed.times > 1 else ""
    if deed.subject in ("", actor):
        return deed.text + times
    verb, blank, rest = deed.text.partition(" ")
    return f"{deed.subject} {verb}{'es' if verb.endswith('o') else 's'}{blank}{rest}{times}"


def shortened(deeds: Sequence[Deed]) -> list[Deed]:
    """Cut each long run of deeds that nobody else sees.

    >>> [deed.text for deed in shortened([Deed("", word) for word in "abcdefg"])]
    ['a', 'b', '… 3 more', 'f', 'g']
    """
    found: list[Deed] = []
    for seen, part in groupby(deeds, key=lambda deed: deed.seen):
        run = list(part)
        left_out = len(run) - 2 * KEPT
        if not seen and left_out > 1:
            run[KEPT:-KEPT] = [Deed("", f"… {left_out} more")]
        found += run
    return found


def sibling_text(sibling: Sibling) -> str:
    """Return the way not taken as one sentence."""
    other, taken = _brief(sibling.actor, sibling.deeds), _brief(sibling.instead_actor, sibling.instead)
    return f"Until {sibling.number} it could have gone well: had {other} come before {taken}."


def _brief(actor: str, deeds: Sequence[Deed]) -> str:
    goroutine = f"{deeds[0].goroutine}: " if deeds[0].goroutine else ""
    return f"{actor} ({goroutine}{'; '.join(deed_text(actor, deed) for deed in deeds)})"
