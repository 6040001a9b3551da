"""From pieces to facts: who reads which piece, and what is said of those that nobody reads.

Credentials go here: what a reader has made of a text is passed through `redaction` before anything else sees it, and
sentences about the input name places and kinds, never words of it. Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from sim.intake import engine_words, inspected, lists, pstree, tables, units
from sim.intake.pieces import Piece, pieces
from sim.intake.records import Compose, Container, Fact, Note, Process, Reading, Settings, Table, Unit
from sim.intake.redaction import ELLIPSIS, as_it_is, is_secret_name, redacted, redacted_words
from sim.intake.sources import Source

Facts = Iterable[Fact]
TEXTS: dict[str, tuple[str, Callable[[Piece], Facts]]] = {
    "containers": ("a list of containers", lists.containers_of),
    "bare containers": ("rows of a list of containers", lists.bare_containers_of),
    "crictl ps": ("crictl ps", lists.crictl_containers_of),
    "ss": ("ss", lists.listeners_of),
    "rules": ("iptables-save", lists.rules_of),
    "unit": ("systemctl cat", units.units_of),
    "show": ("systemctl show", units.shown_of),
    "info": ("info or version", lambda piece: (engine_words.words_of(piece),)),
    "compose": ("a Compose file", lambda piece: (Compose(piece.source.path, piece.source.text, piece.place()),)),
}
LISTS: dict[str, tuple[str, Callable[[Piece], Iterable[Process]]]] = {
    "status": ("/proc/PID/status", lists.statuses_of),
}
Objects = tuple[tuple[Callable[[Any], bool], str, Callable[[dict[str, Any], str], Fact]], ...]
OBJECTS: Objects = (
    (inspected.is_container, "inspect", inspected.container_of),
    (inspected.is_network, "network inspect", inspected.network_of),
    (inspected.is_cri, "crictl inspect", inspected.cri_of),
    (engine_words.is_info, "info", engine_words.info_of),
    (engine_words.is_version, "a version", engine_words.version_of),
    (lists.is_listed, "ps in JSON", lists.listed_of),
    (engine_words.is_settings, "daemon.json", engine_words.settings_of),
)
Found = tuple[list[Fact], list[Table], list[Note], list[tuple[str, str]]]


def reading_of(sources: Sequence[Source], keep_values: bool = False) -> Reading:
    """Return all that stands in the sources; credentials are left out unless *keep_values*."""
    facts, tables_, notes, kinds = list[Fact](), list[Table](), list[Note](), list[tuple[str, str]]()
    for source in sources:
        if source.why_not:
            notes.append(Note("ignored", f"{source.why_not}, so nothing was read of it", source.name))
            continue
        found, prose = pieces(source)
        before = len(kinds)
        for piece in found:
            _take(piece, (facts, tables_, notes, kinds))
        if len(kinds) == before and prose:
            notes.append(Note("ignored", f"nothing in its {len(found) + prose} lines is known", source.name))
    clean: Callable[[Any], Any] = as_it_is if keep_values else cleaned
    rows = [replace(table, rows=tuple(clean(row) for row in table.rows)) for table in tables_]
    return Reading(tuple(clean(fact) for fact in facts), tuple(rows), tuple(notes), tuple(kinds))


def _take(piece: Piece, into: Found) -> None:
    facts, found, notes, kinds = into
    if piece.kind == "json":
        _take_json(piece, into)
    elif piece.kind in tables.BARE or piece.kind == "ps table":
        table, wrong = tables.table_of(piece)
        found.append(table)
        kinds.append((piece.place(), "processes"))
        if wrong > 1:
            notes.append(Note("ignored", f"{wrong} of its lines are no rows of the table", piece.place()))
    elif piece.kind == "pstree":
        table_or_tree = pstree.read(piece)
        if table_or_tree is None:
            return
        kinds.append((piece.place(), "pstree"))
        (found if isinstance(table_or_tree, Table) else facts).append(table_or_tree)  # type: ignore[arg-type]
    elif piece.kind in LISTS:
        name, read = LISTS[piece.kind]
        rows = tuple(read(piece))
        if rows:
            found.append(Table(rows, frozenset(), piece.kind, False, piece.place()))
            kinds.append((piece.place(), name))
    elif piece.kind in TEXTS:
        name, take = TEXTS[piece.kind]
        rows_ = list(take(piece))
        facts += rows_
        if rows_:
            kinds.append((piece.place(), name))
    else:
        kinds.append((piece.place(), f"{piece.kind}: not needed"))


def _take_json(piece: Piece, into: Found) -> None:
    facts, _, notes, kinds = into
    known = 0
    for value in piece.value if isinstance(piece.value, list) else [piece.value]:
        for matches, name, read in OBJECTS:
            if matches(value):
                facts.append(read(value, piece.place()))
                kinds.append((piece.place(), name))
                known += 1
                break
        else:
            known += _listed_below(value, piece, into)
    if piece.broken:
        said = f"{known} whole entries of it are taken" if known else "nothing of it is taken"
        notes.append(Note("ignored", f"this JSON is cut off or damaged; {said}", piece.place()))
    elif not known and piece.value not in ([], {}):
        notes.append(Note("ignored", "this JSON is of no kind that is known", piece.place()))


def _listed_below(value: Any, piece: Piece, into: Found) -> int:
    """Take the containers of `crictl ps -o json` and `crictl pods -o json`, which hold a list."""
    rows = value.get("containers") or value.get("items") if isinstance(value, dict) else None
    found = [inspected.cri_of({"status": row}, piece.place()) for row in rows or () if inspected.at(row, "metadata")]
    into[0].extend(found)
    into[3].extend((piece.place(), "crictl ps") for _ in found)
    return len(found)


# -- without credentials ----------------------------------------------------------------------------


def cleaned(fact: Any) -> Any:
    """Return a fact without credentials."""
    match fact:
        case Process():
            return replace(fact, args=redacted(fact.args)) if fact.args else fact
        case Container():
            check = fact.check and replace(fact.check, test=redacted_words(fact.check.test))
            return replace(fact, argv=redacted_words(fact.argv), error=redacted(fact.error), check=check)
        case Unit():
            return replace(fact, keys=tuple((key, redacted(value)) for key, value in fact.keys))
        case Settings():
            return replace(fact, keys=tuple((key, clean_value(key, value)) for key, value in fact.keys))
        case _:
            return fact


def clean_value(key: str, value: Any) -> Any:
    """Return a value of daemon.json; what stands below a name that tells of a credential becomes an ellipsis."""
    if isinstance(value, dict):
        return {name: clean_value(name, below) for name, below in value.items()}
    if isinstance(value, list):
        return [clean_value(key, item) for item in value]
    if isinstance(value, str):
        return ELLIPSIS if is_secret_name(key) else redacted(value)
    return value
