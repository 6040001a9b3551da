"""Write docs/answers.md: `make answers`; `python -m tests.answers 3 5` shows sections, `--write` replaces them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sim.experiment.executors import cores, opened
from tests.answers.document import QUESTIONS, document, section, written
from tests.answers.told import Runner

FILE = Path(__file__).parent.parent.parent / "docs" / "answers.md"


def main() -> int:
    """Answer every question, and write the document; with numbers print those sections."""
    parser = argparse.ArgumentParser(prog="tests.answers", description="Write docs/answers.md.")
    parser.add_argument("number", nargs="*", type=int, help="print the sections of these questions, write nothing")
    parser.add_argument("--write", action="store_true", help="replace these sections in the document")
    parser.add_argument("--jobs", type=int, help="processes (default: one a core)")
    options = parser.parse_args()
    asked = [question for question in QUESTIONS if not options.number or question.number in options.number]
    sections = {}
    with opened(cores() if options.jobs is None else options.jobs) as lanes:
        runner = Runner(lanes)
        for place, question in enumerate(asked, 1):
            print(f"{place} of {len(asked)}: question {question.number}", file=sys.stderr, flush=True)
            sections[question.number] = section(question, runner)
    if options.number and not options.write:
        print("\n".join(sections.values()))
    else:
        if options.number:
            sections = written(FILE.read_text(encoding="utf-8")) | sections
        FILE.write_text(document(sections), encoding="utf-8")
        print(f"{FILE.name}: {len(sections)} answers", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
