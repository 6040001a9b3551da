"""Turn the bytes of names and arguments into what `ps` and `pstree` dare to print, and count its screen cells.

Models: the escaping of procps-ng 4.0.4 in UTF-8 and C locales, that of psmisc 23.7, and the width of characters.
Leaves out: the C library's own tables of printable and wide characters; the Unicode tables of Python stand for them,
so a character that one of the two does not know yet may differ.
Source: facts seen by running procps-ng 4.0.4 and psmisc 23.7; Unicode Standard Annex 11 for widths.
"""

import unicodedata

_UNPRINTABLE = {"Cc", "Cn", "Cs", "Zl", "Zp"}
_NO_WIDTH = {"Mn", "Me", "Cf"}


def is_utf8(locale: str) -> bool:
    """Say whether a locale's text is UTF-8.

    >>> is_utf8("C.UTF-8"), is_utf8("C")
    (True, False)
    """
    return locale.lower().endswith((".utf-8", ".utf8"))


def ps_text(text: str, locale: str) -> str:
    """Escape as ps 4.0.4 does; stray bytes are the surrogates U+DC80 to U+DCFF.

    >>> ps_text("a\\tb\\x9b\\udcff\\u6f22", "C.UTF-8"), ps_text("a\\tb\\u00e9", "C")
    ('a?b???漢', 'a.b??')
    """
    if text.isascii() and text.isprintable():
        return text
    if is_utf8(locale):
        return "".join(map(_utf8_letter, text))
    return "".join(map(_c_letter, text.encode("utf-8", "surrogateescape")))


def _utf8_letter(letter: str) -> str:
    if unicodedata.category(letter) not in _UNPRINTABLE:
        return letter
    return "??" if "\x80" <= letter <= "\x9f" else "?"


def _c_letter(byte: int) -> str:
    if byte >= 0x80:
        return "?"
    return chr(byte) if 0x20 <= byte < 0x7F else "."


def pstree_text(text: str) -> str:
    """Escape as pstree does: three octal digits for all that is not printable ASCII, two backslashes for one.

    >>> pstree_text("caf\\u00e9\\\\")
    'caf\\\\303\\\\251\\\\\\\\'
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_octal, text.encode("utf-8", "surrogateescape")))


def _octal(byte: int) -> str:
    if byte == 0x5C:
        return "\\\\"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def cells(text: str) -> int:
    """Count the screen cells of printable text: two for a wide letter, none for a combining or zero-width one.

    >>> cells("a\\u6f22e\\u0301")
    4
    """
    return len(text) if text.isascii() else sum(map(_letter_cells, text))


def cut(text: str, room: int) -> str:
    """Keep what fits into *room* cells; what follows the last free cell is dropped, without width or not.

    >>> cut("ab\\u6f22", 3), cut("ae\\u0301", 2), cut("abc", 0)
    ('ab', 'ae', '')
    """
    if text.isascii():
        return text[: max(room, 0)]
    used = 0
    for at, letter in enumerate(text):
        size = _letter_cells(letter)
        if used >= room or used + size > room:
            return text[:at]
        used += size
    return text


def _letter_cells(letter: str) -> int:
    if unicodedata.category(letter) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
