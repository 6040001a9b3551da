"""Say what is wrong with an input, all of it at once, so that it can be mended in one go.

Models: a refusal of wrong input at the edge of the program (a file, a table, an option). Leaves out: faults in the
model itself, which stop the run with an assertion, and how an error is coloured or which exit status it gets; the
command line decides that.
Source: none; the project's own convention.
"""

import difflib
from collections.abc import Iterable, Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """State one thing that is wrong, where it is, and what to do about it.

    >>> print(Problem("t.json:3:7", "',' is missing", "Put a comma after the value."))
    t.json:3:7: ',' is missing. Put a comma after the value.
    """

    where: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.hint}".rstrip()


class InputError(Exception):
    """Refuse an input and carry every problem found in it, in the order of the input.

    >>> str(InputError([Problem("a:1:1", "x", "Do y."), Problem("a:2:1", "z", "")])).splitlines()
    ['a:1:1: x. Do y.', 'a:2:1: z.']
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def _render_traceback_(self) -> list[str]:
        """Say the problems alone where IPython would show the way to them: the mistake is in the input."""
        return str(self).splitlines()


def nearest(word: str, words: Iterable[str]) -> str:
    """Suggest the known word that is spelt most like *word*, or nothing.

    >>> nearest("pidd", ["pid", "args"])
    "Did you mean 'pid'?"
    >>> nearest("v4", ["V4", "V14"])
    "Did you mean 'V4'?"
    """
    known = sorted(words)
    close = [it for it in known if it.lower() == word.lower()] or difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else ""
