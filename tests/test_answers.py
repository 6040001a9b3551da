"""docs/answers.md: every question is in it, every command can be pasted, and its figures are the model's of today.

The quick tests compute a few sections anew; `pytest -m long` all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import cast

import pytest

from sim.bundled import question_names
from sim.cli.matrix import reader_of
from sim.cli.whatif import asked_questions
from sim.experiment.changes import changed
from sim.experiment.executors import opened, serial
from sim.experiment.matrix import asked_cells, designs_asked, faults_asked
from sim.scenario import load
from sim.views.comparison import Variant, WhatIf
from sim.views.fault_cells import Cell, Matrix
from tests.answers.__main__ import FILE
from tests.answers.document import QUESTIONS, document, section
from tests.answers.document import written as document_sections
from tests.answers.labels import misfits
from tests.answers.question import NOT, RUN, SUM, Question
from tests.answers.told import Runner, Told, by_live_restore, grouped, listed, read

TEXT = FILE.read_text(encoding="utf-8")
SECTIONS = document_sections(TEXT)
QUICK = (3, 5, 10, 24)  # sections that take moments
LEAST_RUN = 15


def written(number: int) -> str:
    """Return a section as the document has it."""
    return SECTIONS[number].rstrip("\n")


def test_all_25_questions_are_answered_or_say_what_is_missing() -> None:
    """In order, each once, with the way in which it is known; most are run."""
    assert [question.number for question in QUESTIONS] == list(range(1, 26))
    assert re.findall(r"^## Question (\d+)$", TEXT, re.MULTILINE) == [str(n) for n in range(1, 26)]
    kinds = Counter(question.kind for question in QUESTIONS)
    assert set(kinds) <= {RUN, SUM, NOT}
    assert kinds[RUN] >= LEAST_RUN
    for question in QUESTIONS:
        assert f"**{question.asks}** *{question.kind}*" in written(question.number)
        assert "Left out: " in written(question.number)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: str(it.number))
def test_each_command_can_be_pasted(question: Question) -> None:
    """It stands in the document, the command line reads it, and so it does the scenario with all that it changes."""
    assert bool(question.commands) == (question.kind == RUN)
    for command in question.commands:
        assert f"    {command}\n" in written(question.number)
        options = read(command)
        if options.command == "run":
            assert load(options.file[0], settings=tuple(options.settings)).setup.services
        elif options.matrix:
            assert asked_cells(reader_of(options), designs_asked(options.design), faults_asked(options.faults))
        else:
            (asked,) = asked_questions(options)
            assert asked.others
            assert not [side.name for side in (asked.base, *asked.others) if not side.setup.services]


def test_a_document_is_taken_apart_and_put_together_again() -> None:
    """So that some sections can be written anew."""
    assert document(SECTIONS) == TEXT


def test_each_scenario_of_the_answers_is_asked_for() -> None:
    """None lies about."""
    words = {word for question in QUESTIONS for command in question.commands for word in command.split()}
    assert [name for name in question_names() if name not in words] == []


@pytest.mark.mostly_long
@pytest.mark.parametrize("number", QUICK)
def test_a_section_is_what_the_model_says_today(number: int) -> None:
    """The same sentences, tables and figures. If not: `make answers`, and read the difference."""
    with serial() as lanes:
        assert section(QUESTIONS[number - 1], Runner(lanes)).rstrip("\n") == written(number)


class Unrun(Runner):
    """Makes the comparisons without running them: what was changed, and no figures; ends after the last command."""

    def __init__(self, commands: tuple[str, ...], *, turned: bool = False) -> None:
        self.left, self.turned, self.fits = list(commands), turned, True

    def told(self, command: str, *names: str) -> Told:
        """Check the names of one comparison."""
        (asked,) = asked_questions(read(command))
        pairs = list(zip(asked.others, asked.alternatives, strict=True))
        sides = [tuple(changed(asked.base, other, it) for it in settings) for other, settings in pairs]
        base = asked.base
        found = WhatIf(
            base.title, base.source, base.name, base.setup.engine.design, "", (), "", 0.0,
            tuple(Variant("", it, (), (), (), 1, "") for it in (sides[::-1] if self.turned else sides)), (), "",
        )  # fmt: skip
        self.fits = self.fits and not misfits(found, names)
        self.left.remove(command)
        if not self.left:
            raise StopIteration
        return Told(found, names) if not self.turned else cast("Told", None)


COMPARED = [it for it in QUESTIONS if any("--matrix" not in word and " whatif " in word for word in it.commands)]


@pytest.mark.mostly_long
@pytest.mark.parametrize("question", COMPARED, ids=lambda it: str(it.number))
def test_each_name_of_a_row_fits_its_side(question: Question) -> None:
    """As the scenario has them; in another order they do not."""
    for turned in (False, True):
        runner = Unrun(question.commands, turned=turned)
        with pytest.raises(StopIteration):
            question.answer(runner, question.commands)
        many = len(asked_questions(read(question.commands[0]))[0].others) > 1
        assert runner.fits == (not turned or not many)


@pytest.mark.long
def test_the_whole_document_is_what_the_model_says_today() -> None:
    """Every byte."""
    with opened() as lanes:
        runner = Runner(lanes)
        assert document({it.number: section(it, runner) for it in QUESTIONS}) == TEXT


def test_words_are_put_together_from_parts() -> None:
    """Lists and groups read as sentences."""
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert grouped([("a", "x"), ("b", "y"), ("c", "x")]) == ("a and c: x", "b: y")


@pytest.mark.parametrize(
    ("live", "said"),
    [
        ([], "live-restore"),
        ([("a", True, "new")], "live-restore, which changes nothing here"),
        ([("a", True, "none")], "live-restore, with which a differ"),
    ],
)
def test_what_live_restore_changes_is_looked_up(live: list[tuple[str, bool, str]], said: str) -> None:
    """The words of both rows of a design are compared; one without the other is not."""
    rows = [("a", False, "new"), ("b", None, "same"), *live]
    cells = tuple(Cell(design, lr, "F5", words={"end": end}) for design, lr, end in rows)
    assert by_live_restore(Matrix("", "", (), cells, 1, 0.0)) == said
