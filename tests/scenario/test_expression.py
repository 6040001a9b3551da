"""Expressions: what they mean, and what is said of those that are wrong, with the column."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.setup import Target
from sim.engines.host.reach import CLIENTS
from sim.predicates import PREDICATES, Predicate
from sim.scenario.expression import (
    MAX_DEPTH,
    MAX_LENGTH,
    And,
    Atom,
    Implies,
    Not,
    Or,
    answers,
    atoms,
    parse,
    question,
    usage,
)
from sim.scenario.instants import Names
from sim.scenario.units import Range
from sim.scenario.words import Refusal

NAMES = Names(("kill",), {"web": "web-1", "db.main": "db.main", "and": "and"})
PORTS = {80: "web-1", 53: "db.main"}


def read(text):
    return parse(text, NAMES, PORTS)


def shape(expression):
    """Write an expression with all its parentheses."""
    match expression:
        case Atom():
            return expression.text
        case Not():
            return f"not {shape(expression.part)}"
        case Implies():
            return f"({shape(expression.when)} implies {shape(expression.then)})"
        case And():
            return "(" + " and ".join(map(shape, expression.parts)) + ")"
        case Or():
            return "(" + " or ".join(map(shape, expression.parts)) + ")"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("serving", "serving()"),
        ("serving()", "serving()"),
        ("  open( 80 ,remote )  ", "open(80, remote)"),
        ("open(80, remote) or down(dockerd)", "(open(80, remote) or down(dockerd))"),
        ("serving or serving and serving", "(serving() or (serving() and serving()))"),
        ("serving and serving or serving", "((serving() and serving()) or serving())"),
        ("(serving or serving) and serving", "((serving() or serving()) and serving())"),
        ("not serving and serving", "(not serving() and serving())"),
        ("not (serving and serving)", "not (serving() and serving())"),
        ("not not serving", "serving()"),
        ("not not not serving", "not serving()"),
        ("serving implies serving or serving", "(serving() implies (serving() or serving()))"),
        ("serving implies serving implies serving", "(serving() implies (serving() implies serving()))"),
        ("(serving implies serving) implies serving", "((serving() implies serving()) implies serving())"),
        ("serving or serving or serving", "(serving() or serving() or serving())"),
        ("((((serving))))", "serving()"),
        ("running(and) and serving", "(running(and) and serving())"),
        ("up(shim/*)\n  and parent(shim/db.main, init)", "(up(shim/*) and parent(shim/db.main, init))"),
    ],
)  # fmt: skip
def test_what_binds_how(text, expected):
    """not binds closest, then and, or, implies; implies goes to the right."""
    assert shape(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("open(80, remote)", (80, "remote")),
        ("open(53, loopback, udp)", (53, "loopback", "udp")),
        ("up(proxy/web:80)", (Target("proxy", "web-1", 80),)),
        ("parent(shim/*, init)", (Target("shim", "*"), Target("init"))),
        ("count(payload/web, 1..2)", (Target("payload", "web-1"), Range(1, 2))),
        ("running(web)", ("web-1",)),
        ("exit_code(db.main, 137)", ("db.main", Range(137, 137))),
        ("state(dockerd, T)", (Target("dockerd"), "T")),
        ("exists(web)", ("web-1",)),
        ("exists(dockerd)", (Target("dockerd"),)),
        ("exists(proxy/web:80)", (Target("proxy", "web-1", 80),)),
    ],
)
def test_arguments_are_read_as_everywhere_else(text, arguments):
    """Containers get the engine's name, targets and ranges are those of steps and expectations."""
    assert read(text).arguments == arguments


WRONG = [
    ("opne(80, remote)", "column 1: 'opne' is not a predicate. Did you mean open?"),
    ("serving and runing(web)", "column 13: 'runing' is not a predicate. Did you mean running?"),
    ("serving adn serving", "column 9: 'adn' stands where the expression could end. Valid here: and, or, implies."),
    ("alive(dockerd)", f"column 1: 'alive' is not a predicate. Valid: {', '.join(PREDICATES)}."),
    ("open(81, remote)", "column 6: nobody publishes the port '81'. Published: 53 (db.main), 80 (web-1)."),
    ("open(http, remote)", "column 6: nobody publishes the port 'http'. Published: 53 (db.main), 80 (web-1)."),
    (
        "open(80, remot)",
        f"column 10: 'remot' is not a class of clients; valid: {', '.join(CLIENTS)}. Did you mean remote?",
    ),
    ("open(80, remote, icmp)", "column 18: 'icmp' is not a protocol; valid: tcp, udp."),
    ("open(80)", "column 1: open takes open(PORT, CLIENT[, PROTO]). It has 1 here."),
    ("open", "column 1: open has no arguments. Write open(PORT, CLIENT[, PROTO])."),
    ("open()", "column 1: open takes open(PORT, CLIENT[, PROTO]). It has no here."),
    ("serving(web)", "column 1: serving takes serving(). It has 1 here."),
    ("not down(dockrd)", "column 10: 'dockrd' is not a role; valid: init, dockerd, containerd, crio, kubelet, "),
    ("down(shim)", "column 6: 'shim' does not say whose shim. Write shim/NAME, or shim/* for every one."),
    ("down(shim/wbe)", "column 6: there is no container 'wbe'. Did you mean web?"),
    ("exists(wbe)", "column 8: 'wbe' is neither a role nor a container. Did you mean web?"),
    ("exists(dockrd)", "column 8: 'dockrd' is neither a role nor a container. Did you mean dockerd?"),
    ("exists(shim)", "column 8: 'shim' does not say whose shim. Write shim/NAME, or shim/* for every one."),
    ("running(wbe)", "column 9: there is no container 'wbe'. Did you mean web?"),
    ("status(web, runing)", "column 13: 'runing' is not a status; valid: created, initialized, running, paused, "),
    ("state(dockerd, X)", "column 16: 'X' is not a state of ps; valid: R, S, D, T, Z."),
    ("exit_code(web, 9..6)", "column 16: '9..6' is empty. Write 6..9."),
    ("exit_code(web, many)", "column 16: 'many' is not a number or a range. Write it like 3 or 6..9."),
    ("serving and", "column 12: the end stands where a predicate should. Valid:"),
    ("and serving", "column 1: 'and' stands where a predicate should. Valid:"),
    ("serving or or serving", "column 12: 'or' stands where a predicate should. Valid:"),
    ("(serving", "column 9: the end stands where ) could. ( of column 1 is open."),
    ("serving)", "column 8: ')' stands where the expression could end. Valid here:"),
    ("up(dockerd", "column 11: the end stands where , or ) should. Write up(TARGET)."),
    ("up(dockerd shim/web)", "column 12: 'shim/web' stands where , or ) should. Write up(TARGET)."),
    ("up(,)", "column 4: ',' stands where an argument should. Write up(TARGET)."),
    ("open(80, )", "column 10: ')' stands where an argument should. Write open(PORT, CLIENT[, PROTO])."),
    ("up((dockerd))", "column 4: '(' stands where an argument should. Write up(TARGET)."),
    ("serving == true", "column 9: '==' stands where the expression could end. Valid here: and, or, implies."),
    ("__import__('os')", "column 1: '__import__' is not a predicate. Valid:"),
    ("", "'' is not an expression. Write it like open(8080, remote) or down(dockerd)."),
    (True, "true is not an expression."),
    (["serving"], "a list is not an expression."),
    ("(" * 60 + "serving", f"column {MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels."),
    ("serving implies " * 60 + "serving", f"column {16 * MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels."),
    ("serving or " * 200 + "serving", f"an expression has at most {MAX_LENGTH} characters."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[str(text)[:30] for text, _ in WRONG])
def test_a_wrong_expression_is_refused_with_its_column(text, message):
    """The column, the word, what is valid, and the nearest spelling."""
    with pytest.raises(Refusal) as refused:
        read(text)
    said = str(refused.value)
    assert said.startswith(message) if message.endswith("Valid:") else message in said, said


@given(st.text(st.sampled_from("()and or,not implies serving up/x:80 *."), max_size=60) | st.text(max_size=40))
def test_no_text_ends_in_a_traceback(text):
    """Anything is an expression or is refused."""
    with contextlib.suppress(Refusal):
        question(read(text))


def test_truth_is_that_of_logic(monkeypatch):
    """and, or, not and implies give what Python's operators give, for every combination of answers."""
    text = "a and not b or (b implies c) and not (a or c)"
    for values in itertools.product((True, False), repeat=3):
        said = dict(zip("abc", values, strict=True))
        for name, value in said.items():
            row = Predicate((), lambda world, value=value: value, "")
            monkeypatch.setitem(PREDICATES, name, row)
        a, b, c = values
        assert question(read(text))(None) == ((a and not b) or ((not b or c) and not (a or c)))
        expected = ", ".join(f"{name}() is {str(value).lower()}" for name, value in said.items())
        assert answers(read(text), None) == expected
    assert [atom.predicate for atom in atoms(read(text))] == ["a", "b", "b", "c", "a", "c"]


def test_usage_names_each_argument():
    """Arguments that may be left out stand in brackets."""
    assert {usage(name, row) for name, row in PREDICATES.items()} >= {"serving()", "count(TARGET, NUMBERS)"}
