"""Keep what strangers chose (names of processes, images, labels) from steering the terminal that it is printed on.

Models: a filter for one line of text. Leaves out: look-alike letters, which deceive a reader and not a terminal.
Source: Unicode Standard Annex 9 (bidirectional controls), ECMA-48 (control functions).
"""

import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    """Replace each control, bidirectional, invisible, unassigned or broken character, newlines too, by `?`.

    >>> printable("a\\x1b[2Jb\\u202ec\\nd")
    'a?[2Jb?c?d'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if unicodedata.category(letter) in _UNSAFE else letter for letter in text)


def printable_lines(text: str) -> str:
    """Make every line printable and keep the newlines between them.

    >>> printable_lines("a\\tb\\nc\\n")
    'a?b\\nc\\n'
    """
    return "\n".join(map(printable, text.split("\n")))
