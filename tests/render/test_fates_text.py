"""The table of containers: readable for one, twenty and two hundred of them."""

from __future__ import annotations

from sim.render.fates_text import dark_text, fates_text, grouped, names_text
from sim.views.fates import Dark, Fate


def fate(name: str, word: str = "kept", why: str = "held by shim 7", dark: tuple[Dark, ...] = ()) -> Fate:
    """Return a container that fared so."""
    return Fate(name, "always", word, "running", None, 0, dark, why, orphaned=False)


def test_one_container_is_told_with_its_numbers() -> None:
    """A group of one keeps the process numbers of its reason."""
    assert fates_text([fate("web")], "kill").splitlines() == [
        "Containers since kill: 1 of 1 kept",
        "  container  policy  fate  engine says",
        "  web        always  kept  running",
        "      held by shim 7",
    ]


def test_two_hundred_that_fared_alike_are_one_row() -> None:
    """Numbers of processes and names make no difference; a fate does."""
    many = [fate(f"web{n}", why=f"held by shim {n} after docker stop web{n}") for n in range(1, 201)]
    text = fates_text([*many, fate("db", "lost", "gone")], "kill")
    assert "Containers since kill: 200 of 201 kept, 1 of 201 lost" in text
    assert "  web1..web200  always  kept" in text
    assert "held by shim after docker stop NAME" in text
    assert len(text.splitlines()) == 6


def test_groups_stand_in_the_order_of_their_first_ones() -> None:
    """Containers that differ in between do not part a group."""
    groups = grouped([fate("a"), fate("b", "lost"), fate("c")])
    assert [[it.container for it in group] for group in groups] == [["a", "c"], ["b"]]


def test_names_are_cut_short() -> None:
    """Few are named, numbered ones are a range, of others some."""
    assert names_text(["a", "b", "c"]) == "a, b, c"
    assert names_text(["w1", "w2", "w3", "w5"]) == "w1, w2, w3 and 1 more"
    assert names_text([f"c{n}" for n in range(9, 13)]) == "c9..c12"


def test_a_port_that_is_not_back_is_dark_for_good() -> None:
    """One of a group is enough, for its class of clients."""
    rows = [Dark(80, "tcp", "remote", 1.0), Dark(81, "tcp", "remote", None), Dark(80, "tcp", "loopback", 0.5)]
    assert dark_text(rows) == "remote for good, loopback 0.50 s"


def test_a_name_cannot_steer_the_terminal() -> None:
    """What a file's author wrote is printed without control characters."""
    assert "\x1b" not in fates_text([fate("web\x1b[31m", why="\x1b]0;x\x07")], "kill\x1b[0m")
