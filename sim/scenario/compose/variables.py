"""Variables of Compose files: `${NAME:-word}` in text, and the files that give them values.

Models: `$NAME`, `${NAME}`, `:-`, `-`, `:?`, `?`, `:+`, `+` with words that hold variables themselves, `$$`; env files
with comments, quotes, `export`, several lines in quotes, and values that name earlier ones. A variable without a value
is empty, as for Compose, and noted; so is one that Compose would refuse to go on without (`:?`), since it has a value
on the host that the file is from. Leaves out the environment of the caller: a scenario must mean the same everywhere.
Source: compose-go 2 template/template.go, dotenv/parser.go and godotenv_var_expansion.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sim.scenario.text import Mark, Node, Problems
from sim.scenario.words import shown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RULE = re.compile(r":?[-?+]")
MAX_DEPTH = 20  # of variables in the words of variables


@dataclass
class Variables:
    """Values by name, and what was found wanting: names without a value, places whose text lacks one."""

    values: dict[str, str]
    problems: Problems
    unset: dict[str, Mark] = field(default_factory=dict)
    required: dict[str, str] = field(default_factory=dict)  # by name what the file says of one that must be set
    incomplete: set[Mark] = field(default_factory=set)

    def beside(self, more: dict[str, str]) -> Variables:
        """Return variables with *more* values below these; what is found wanting is noted here too."""
        return replace(self, values={**more, **self.values})

    def node(self, node: Node) -> Node:
        """Return *node* with all its text replaced; text that is only an unset variable becomes no value."""
        if isinstance(node.value, dict):
            return replace(node, value={key: self.node(below) for key, below in node.value.items()})
        if isinstance(node.value, list):
            found = [self.node(below) for below in node.value]
            return replace(node, value=[it for it in found if it.value is not None or it.mark not in self.incomplete])
        if isinstance(node.value, str) and "$" in node.value:
            text = self.text(node.value, node.mark)
            return replace(node, value=None if not text and node.mark in self.incomplete else text)
        return node

    def text(self, text: str, mark: Mark, depth: int = 0) -> str:
        """Return *text* with its variables replaced.

        >>> Variables({"A": "1"}, Problems()).text("$A ${B:-x${A}} ${A:+yes} $$A", Mark("f", 1, 1))
        '1 x1 yes $A'
        """
        parts, at = [], 0
        while (found := text.find("$", at)) >= 0:
            parts.append(text[at:found])
            part, at = self.variable(text, found, mark, depth)
            parts.append(part)
        return "".join(parts) + text[at:]

    def variable(self, text: str, at: int, mark: Mark, depth: int) -> tuple[str, int]:
        """Return what stands for the `$` at *at*, and where the text goes on."""
        if text.startswith("$$", at):
            return "$", at + 2
        name = NAME.match(text, at + 1)
        if name:
            return self.value_of(name.group(), "", "", mark, depth), name.end()
        if not text.startswith("${", at):
            return "$", at + 1
        name, end = NAME.match(text, at + 2), closing(text, at)
        rule = RULE.match(text, name.end()) if name else None
        if name is None or end < 0 or (rule is None and name.end() != end) or depth > MAX_DEPTH:
            what = f"{shown(text[at : at + 40])} is not a variable."
            self.problems.add(mark, what, "Write ${NAME}, ${NAME:-default}, or $$ for a dollar sign.")
            return "", len(text)
        word = text[rule.end() : end] if rule else ""
        return self.value_of(name.group(), rule.group() if rule else "", word, mark, depth), end + 1

    def value_of(self, name: str, rule: str, word: str, mark: Mark, depth: int) -> str:
        """Return the value of one variable by its rule, *word* being what stands behind it."""
        value = self.values.get(name)
        there = bool(value) if rule.startswith(":") else value is not None
        if rule.endswith("+"):
            return self.text(word, mark, depth + 1) if there else ""
        if there and value is not None:
            return value
        if rule.endswith("-"):
            return self.text(word, mark, depth + 1)
        self.unset.setdefault(name, mark)
        if rule.endswith("?"):
            self.required.setdefault(name, word)
        self.incomplete.add(mark)
        return ""


def closing(text: str, at: int) -> int:
    """Return where the `}` of the `${` at *at* stands, -1 if there is none."""
    depth = 0
    for place in range(at + 1, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if not depth:
                return place
    return -1


# -- files of variables ----------------------------------------------------------------------------

KEY = re.compile(r"(?:export[ \t]+)?(?P<key>[\w.\-\[\]]+)[ \t]*(?P<sign>[=:]?)[ \t]*")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "$": "$$", '"': '"', "\\": "\\"}


def read_env(text: str, file: str, problems: Problems, known: dict[str, str] | None = None) -> dict[str, str]:
    """Return the variables of an env file; what is wrong with it goes to *problems*.

    >>> read_env("A=1 # one\\nexport B='$A'\\nC=\\"${A}2\\"\\n", "f", Problems())
    {'A': '1', 'B': '$A', 'C': '12'}
    """
    values: dict[str, str] = {}
    text, at, line = text.removeprefix("\ufeff").replace("\r\n", "\n"), 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        start = at + len(text[at:end]) - len(text[at:end].lstrip())
        mark, at, first = Mark(file, line, start - at + 1), end + 1, line
        line += 1
        if start >= end or text[start] == "#":
            continue
        key = KEY.match(text, start, end)
        if key is None or (not key["sign"] and text[key.end() : end].strip()):
            problems.add(mark, "not a line of an env file.", "Write NAME=value; comments begin with #.")
            continue
        if not key["sign"]:
            continue  # a variable of the caller's environment
        quote = text[key.end() : key.end() + 1]
        if quote in ("'", '"') and quote:
            close = end_of_quoted(text, key.end())
            if close < 0:
                problems.add(mark, f"{key['key']}: the quoted value has no end.", f"Close it with {quote}.")
                continue
            value = text[key.end() + 1 : close]
            at = text.find("\n", close) + 1 or len(text)
            line = first + text.count("\n", start, at)
            value = escaped(value) if quote == '"' else value.replace("\\'", "'")
        else:
            value = text[key.end() : end].partition(" #")[0].rstrip()
        if quote != "'":
            value = Variables({**values, **(known or {})}, Problems()).text(value, mark)
        values[key["key"]] = value
    return values


def end_of_quoted(text: str, at: int) -> int:
    """Return where the quote that opens at *at* closes, -1 if it does not."""
    place = at + 1
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == text[at]:
            return place
        place += 1
    return -1


def escaped(value: str) -> str:
    """Return the value of double quotes with its escapes read."""
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), value, flags=re.DOTALL)
