"""The parser of command lines: what is wrong with one is told with the nearest word, and ends with status 2.

Source: the project's own conventions.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from sim.cli.status import WRONG

MINUS_VALUE = re.compile(r"-[0-9.#]")  # no option but a value: -5s is before t = 0, -#2 the second scenario of stdin


class CommandParser(argparse.ArgumentParser):
    """A parser whose complaints end with status 2 and name the nearest word; options are not abbreviated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self._negative_number_matcher = MINUS_VALUE
        self.commands: dict[str, CommandParser] = {}
        self.late = ""  # the option to which words go that stand behind another option
        self.after: Callable[[], str] | None = None  # what follows the options and is known to parts alone

    def format_help(self) -> str:
        """Return the help."""
        self.epilog = self.epilog if self.after is None else self.after()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print what was wrong with the command line, and exit with 2."""
        said = _with_nearest(self, _with_meaning(self, message))
        self.exit(WRONG, f"{self.prog}: {said}\nTry '{self.prog} --help'.\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        from sim.cli.out import carried

        stream = file or sys.stderr
        if message and stream is not None:
            stream.write(carried(message, stream))
            stream.flush()


def _with_meaning(parser: argparse.ArgumentParser, message: str) -> str:
    """Return the complaint; of an option without its value with the value that it takes."""
    words = message.split()
    if words[:1] != ["argument"] or not message.endswith(": expected one argument"):
        return message
    option = words[1].rstrip(":").split("/")[-1]
    action = parser._option_string_actions[option]
    name = action.metavar or action.dest.upper()
    return f"{option} needs a value, {option}={name}: {action.help}"


def _with_nearest(parser: argparse.ArgumentParser, message: str) -> str:
    if "invalid choice: " not in message and "unrecognized arguments: " not in message:
        return message
    import difflib

    word = (re.findall(r"invalid choice: '([^']*)'", message) or [message.rpartition(": ")[2].split()[0]])[0]
    choices = [str(choice) for action in parser._actions for choice in action.choices or ()]
    known = list(parser._option_string_actions) if word.startswith("-") else choices
    close = difflib.get_close_matches(word.split("=")[0], known, n=1)
    return f"{message}. Did you mean {close[0]}?" if close else message
