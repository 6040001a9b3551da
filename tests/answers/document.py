"""The answers as one Markdown document, section by section, in the order of the questions.

Models: what is asked, how it is known, sentences, tables, the command, limits. Leaves out dates and machines: the same
model gives the same bytes. Source: none.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter

from tests.answers import daemons, hosts, pressure, starts
from tests.answers.question import NOT, RUN, SUM, Question
from tests.answers.told import Runner

WIDTH = 120
QUESTIONS: tuple[Question, ...] = (
    *daemons.QUESTIONS,
    *starts.QUESTIONS,
    *hosts.QUESTIONS,
    *pressure.QUESTIONS,
)
HEAD = """\
# Answers

Twenty-five questions that operators ask in issue trackers, answered by the model. `make answers` runs the commands
below and writes this file: every figure is computed. *run*: the model ran it; *sum*: arithmetic on published figures;
*not answered*: a rule is missing, and which. Times are medians; behind them stand the paired difference to the first
row and its 95 % interval. Profiles: docker-26-2core from 18.09 on (one machine, 26.1.5), el7-idle before (known
ranges and assumptions), podman-idle. Hosts are idle, their programs small. Rows have short names: docker-18.09 to
docker-26 (or 18.09, 26) are the designs whose containerd has a unit of its own (docker-26-separate), +LR is
live-restore. Paste a command to see the rest of its figures.
"""


def document(sections: dict[int, str]) -> str:
    """Return the document of all sections."""
    kinds = Counter(question.kind for question in QUESTIONS)
    counted = ", ".join(f"{kinds[kind]} *{kind}*" for kind in (RUN, SUM, NOT) if kinds[kind])
    lines = [HEAD, f"{counted[0].upper()}{counted[1:]}.", ""]
    lines += [f"{question.number}. [{question.asks}](#{anchor(question)}) *{question.kind}*" for question in QUESTIONS]
    return "\n".join([*lines, "", *(sections[question.number] for question in QUESTIONS)])


def written(text: str) -> dict[int, str]:
    """Return the sections of a document that was written."""
    parts = re.split(r"^(?=## Question \d+$)", text, flags=re.MULTILINE)[1:]
    last = len(parts) - 1
    return {int(part.split("\n", 1)[0].split()[-1]): part[: None if n == last else -1] for n, part in enumerate(parts)}


def anchor(question: Question) -> str:
    """Return the anchor that forges give a section's heading."""
    return f"question-{question.number}"


def section(question: Question, runner: Runner) -> str:
    """Return one question's section."""
    answer = question.answer(runner, question.commands)
    lines = [f"## Question {question.number}", "", f"**{question.asks}** *{question.kind}*", ""]
    lines += [*wrapped(" ".join(answer.sentences)), ""]
    lines += [line for point in answer.points for line in wrapped(point, "- ")] + [""] * bool(answer.points)
    if answer.table:
        lines += [*answer.table, ""]
    lines += [f"    {command}" for command in question.commands]
    lines += [""] * bool(question.commands)
    notes = f"Measured: {answer.measured}. Left out: {'; '.join(answer.limits)}. Asked: {question.reports}."
    return "\n".join([*lines, *wrapped(notes), ""])


def wrapped(text: str, bullet: str = "") -> list[str]:
    """Return a paragraph, or a point of a list, in lines."""
    indent = " " * len(bullet)
    return textwrap.wrap(
        text, WIDTH, initial_indent=bullet, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
