"""What an exploration found, as text: verdicts first, then the counts, then the bound, then the stories."""

from __future__ import annotations

import textwrap

from sim.render.coverage_text import coverage_table
from sim.views.exploration import DOES_NOT_APPLY, HOLDS, VIOLATED, Explored, Finding

MARKS = {HOLDS: "✓", VIOLATED: "✗"}
WIDTH = 110


def exploration_text(found: Explored, *, width: int | None = None, written: str = "", stories: int = 1) -> str:
    """Return the report; *stories* violations are told in full, the others are in the files."""
    wide = min(width or WIDTH, WIDTH)
    lines = [f"{found.title}: every order", f"{found.engine} · {found.source}", ""]
    lines += [line for finding in found.findings for line in _verdict(finding, wide)]
    lines += _does_not_apply(found, wide)
    lines += [""] if found.findings else []
    lines += _wrapped(counts(found), wide)
    lines += [line for sentence in found.bound for line in _wrapped(f"Bound: {sentence}", wide)]
    if found.unchecked:
        lines += _wrapped(f"Not checked here, but by run: {'; '.join(found.unchecked)}.", wide)
    if found.assumptions:
        lines += _wrapped(f"Assumed: {'; '.join(found.assumptions)}.", wide)
    told = [finding for finding in found.findings if finding.story]
    for finding in told[:stories]:
        lines += ["", finding.story.rstrip()]
    if len(told) > stories:
        lines += ["", f"Stories of {', '.join(finding.name for finding in told[stories:])}: {written or 'with -o'}"]
    elif written:
        lines += ["", written]
    if found.coverage:
        lines += ["", coverage_table(found.coverage, width=width).rstrip()]
    return "\n".join(lines) + "\n"


def verdicts_text(found: Explored, width: int | None = None) -> str:
    """Return the verdicts that are not HOLDS, one after the other."""
    wide = min(width or WIDTH, WIDTH)
    lines = [line for finding in found.findings if finding.verdict != HOLDS for line in _verdict(finding, wide)]
    lines += _does_not_apply(found, wide)
    return "".join(f"{line}\n" for line in lines)


def _does_not_apply(found: Explored, wide: int) -> list[str]:
    """Return which properties do not apply, by the reason."""
    names: dict[str, list[str]] = {}
    for finding in found.findings:
        if finding.verdict == DOES_NOT_APPLY:
            names.setdefault(finding.why, []).append(finding.name)
    told = "; ".join(f"{', '.join(mine)} ({why})" for why, mine in names.items())
    return _wrapped(f"Does not apply: {told}.", wide) if told else []


def _verdict(finding: Finding, wide: int) -> list[str]:
    """Return the verdict on a property; those that do not apply are told together."""
    if finding.verdict == DOES_NOT_APPLY:
        return []
    mark = MARKS.get(finding.verdict, "?")
    why = f" ({finding.why})" if finding.why else ""
    told = f" [{cost(finding)}]" if finding.story else ""
    text = f"{finding.verdict:<9} {finding.kind:<10} {finding.name}: {finding.sentence}{why}{told}"
    return textwrap.wrap(text, wide, initial_indent=f"{mark} ", subsequent_indent=" " * 24) or [""]


def cost(finding: Finding) -> str:
    """Say how long the story of a violation is, and whether it is the shortest and allowed by the timers."""
    parts = (_count(finding.faults, "fault"), f"{_count(finding.changes, 'change')} of program")
    text = f"{', '.join(parts)}, {_count(finding.steps, 'step')}{'' if finding.least else '; fewer may do'}"
    return text if finding.allowed else f"{text}; only if a timer is later or earlier than its length"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def counts(found: Explored) -> str:
    """Return the counts as a sentence, with the time that it took."""
    rate = found.steps / max(found.seconds, 1e-3)
    processes = "one process" if found.processes == 1 else f"{found.processes} processes"
    took = f"{found.seconds:.1f} s ({rate:,.0f} steps/s, {processes}; {found.taped:,} local steps)"
    return f"{sizes(found)}, {took}."


def sizes(found: Explored) -> str:
    """Return the counts that are the same on every machine."""
    ends = f"{found.ends} {'end' if found.ends == 1 else 'ends'}"
    return f"{found.verdict}: {found.states:,} states, {found.transitions:,} transitions, depth {found.depth}, {ends}"


def _wrapped(text: str, wide: int) -> list[str]:
    return textwrap.wrap(text, wide, subsequent_indent="  ")
