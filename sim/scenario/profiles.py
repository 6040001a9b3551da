"""A profile in a file: how long ops take on a host of one's own, as `shimulator calibrate` or somebody writes it.

`engine: {profile: mine.yaml}` reads it, beside the file that names it; so does `--set engine.profile=mine.yaml`, from
where the command runs. Times are ms: 3 is always 3, [3, 8] is uniform, {lognormal: …} and {quantiles: …} are as
`sim.durations` says. Leaves out profiles that rest on other files. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import isfinite
from pathlib import Path as File
from typing import Annotated, Any

import yaml

from sim.designs import DESIGNS
from sim.durations import Distribution, Duration, Fixed, LogNormal, Quantiles, Row, Uniform
from sim.latency import PROFILES
from sim.scenario.check import Report, check
from sim.scenario.dumper import Dumper
from sim.scenario.fields import kind, whole
from sim.scenario.layers import beside, without
from sim.scenario.schema_program import Strict
from sim.scenario.text import Fraction, Node, Path, read
from sim.scenario.words import Refusal, did_you_mean, listed, shown

PLACE: Path = ("engine", "profile")
SUFFIXES = (".yaml", ".yml")
LONGEST = 1e8  # ms: more than a day
MARKS = "SMKCEA"
HINT = "Write ms: 3, [3, 8], {lognormal: {median: 5, sigma: 0.2, shift: 0}} or {quantiles: {0: 3, 0.5: 5, 1: 9}}."


# -- one duration -----------------------------------------------------------------------------------


def number(value: object, least: float = 0.0) -> float:
    """Take a number of ms. Raises Refusal."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Refusal(f"{shown(value)} is no number of ms.", HINT)
    if not least <= value <= LONGEST:
        raise Refusal(f"{value:g} is no time: from {least:g} to {LONGEST:.0f} ms.")
    return float(value)


def distribution(value: object) -> Distribution:
    """Take a distribution as a file spells it. Raises Refusal."""
    if isinstance(value, list) and len(value) == 2:
        low, high = map(number, value)
        if low > high:
            raise Refusal(f"[{low:g}, {high:g}] ends before it begins.", HINT)
        return Uniform(low, high)
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in READERS and isinstance(inner, dict):
            return READERS[name](inner)
    if isinstance(value, dict | list):
        raise Refusal(f"{shown(value)} is no distribution.", HINT)
    return Fixed(number(value))


def _lognormal(value: dict[str, Any]) -> LogNormal:
    if not {"median", "sigma"} <= value.keys() <= {"median", "sigma", "shift"}:
        raise Refusal("lognormal takes median, sigma and shift.", HINT)
    sigma = number(value["sigma"])
    if sigma > 5:
        raise Refusal(f"sigma {sigma:g} is of logarithms: 0.1 is narrow, 5 the most.", HINT)
    return LogNormal(number(value["median"]), sigma, number(value.get("shift", 0), -LONGEST))


def _quantiles(value: dict[str, Any]) -> Quantiles:
    try:
        points = sorted((float(share), number(at)) for share, at in value.items())
    except ValueError as error:
        raise error if isinstance(error, Refusal) else Refusal("a share is a number from 0 to 1.", HINT) from None
    shares, values = tuple(share for share, _ in points), tuple(at for _, at in points)
    if len(set(shares)) < 2 or (shares[0], shares[-1]) != (0.0, 1.0) or len(set(shares)) < len(shares):
        raise Refusal("quantiles begin with the share 0 and end with 1, each once.", HINT)
    if list(values) != sorted(values):
        raise Refusal("quantiles do not fall.", HINT)
    return Quantiles(shares, values)


READERS: dict[str, Callable[[dict[str, Any]], Distribution]] = {"lognormal": _lognormal, "quantiles": _quantiles}


def mark(value: object) -> str:
    """Take how a number is known. Raises Refusal."""
    if not isinstance(value, str) or value[:1] not in MARKS or value[1:2] not in ("", " "):
        hint = "S source, M measured, K from knowledge, C computed, E observed, A assumed; then where."
        raise Refusal(f"{shown(value)} is no mark.", f"Begin with {hint}")
    return value


def busy(value: object) -> float:
    """Take how many cores the work keeps busy. Raises Refusal."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= 100:
        raise Refusal(f"{shown(value)} is no number of cores: from 0.01 to 100.", "1 is a program without threads.")
    return float(value)


TIME: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2},
        {"type": "object", "properties": {"lognormal": {"type": "object"}, "quantiles": {"type": "object"}}},
    ]
}
Time = Annotated[Any, *kind(distribution, **TIME)]


class DurationFile(Strict):
    """How long one op takes."""

    work_ms: Time = Fixed(0.0)
    wait_ms: Time = Fixed(0.0)
    scale: Time | None = None
    mark: Annotated[str, *kind(mark, type="string", pattern="^[SMKCEA]( |$)")]
    together: str = ""
    repeats: Annotated[int, *kind(whole(1, 10_000, "number of times"), type="integer", minimum=1)] = 1
    cores: Annotated[float, *kind(busy, type="number", minimum=0.01, maximum=100)] = 1.0


class ProfileFile(Strict):
    """The keys beside the durations."""

    profile: str = ""
    base: str = ""
    durations: Any = None
    about: Any = None


# -- a whole profile --------------------------------------------------------------------------------


def with_profile(root: Node, report: Report) -> Node:
    """Return *root* with the profile in the place of its file's name, if it names a file."""
    node = root.find(PLACE)
    engine = root.child("engine")
    if node is None or engine is None or not isinstance(node.value, str) or not node.value.endswith(SUFFIXES):
        return root
    found = _read(node, report)
    assert isinstance(root.value, dict)
    if found is None:  # said already: its name is no second mistake
        return replace(root, value=root.value | {"engine": without(engine, "profile")})
    assert isinstance(engine.value, dict)
    found = replace(found, key=node.key)
    return replace(root, value=root.value | {"engine": replace(engine, value=engine.value | {"profile": found})})


def _read(node: Node, report: Report) -> Node | None:
    """Return what the file holds that *node* names; None after noting why it cannot be read."""
    name = str(node.value)
    file = beside(node.mark.file, name) if node.mark.line else name
    try:
        text = File(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
        hint = f"shimulator calibrate writes one. Bundled profiles: {listed(PROFILES)}."
        report.problems.add(node.mark, f"engine.profile: {file}: {why.lower()}.", hint)
        return None
    before = len(report.problems.found)
    documents = read(text, file, report.problems)
    if documents and isinstance(documents[0].value, dict):
        mapping = dict(documents[0].value)
        mapping.setdefault("profile", Node(File(file).stem, documents[0].mark))
        return replace(documents[0], value=mapping)
    if len(report.problems.found) == before:
        report.problems.add(node.mark, f"engine.profile: {file} holds no profile.", "shimulator calibrate writes one.")
    return None


def read_profile(root: Node, report: Report) -> tuple[str, tuple[Row, ...]]:
    """Return the name and the rows of a profile that stands in the file; what is wrong goes to *report*."""
    head = check(ProfileFile, root, PLACE, report) or ProfileFile()
    if head.base and head.base not in PROFILES:
        refusal = Refusal(f"{shown(head.base)} is not a profile; valid: {listed(PROFILES)}.",
                          did_you_mean(head.base, PROFILES))  # fmt: skip
        report.refuse(root, (*PLACE, "base"), refusal)
    rows = dict(PROFILES.get(head.base, {}))
    place = (*PLACE, "durations")
    node = root.find(place)
    if node is None or not isinstance(node.value, dict) or not node.value:
        report.refuse(root, place, Refusal("a profile has durations.", "Write durations: {dockerd/mount: {…}}."))
        return head.profile, ()
    known = op_names()
    for name in node.value:
        if name not in known:
            mark_ = root.place((*place, name), of_key=True)
            hint = did_you_mean(name, known) or "A row is PROGRAM/OP; shimulator designs --statecharts draws them."
            report.problems.add(mark_, f"engine.profile.durations: no program has the op {shown(name)}.", hint)
            continue
        found = check(DurationFile, root, (*place, name), report)
        if found is not None:
            rows[name] = _duration(found)
    return head.profile, tuple(rows.items())


def _duration(it: DurationFile) -> Duration:
    return Duration(it.work_ms, it.wait_ms, it.scale, it.mark, it.together, it.repeats, it.cores)


def op_names() -> set[str]:
    """Return every `program/op` that some design has."""
    tables = [(name, table) for design in DESIGNS.values() for name, table in design.procedures.items()]
    return {f"{name.partition('.')[0]}/{op.name}" for name, table in tables for op in table.ops} | {"kernel/deliver"}


# -- out --------------------------------------------------------------------------------------------


def profile_plain(name: str, rows: tuple[Row, ...], base: str = "") -> dict[str, Any]:
    """Return a profile as a file spells it."""
    head = {"profile": name, **({"base": base} if base else {})}
    return {**head, "durations": {row: duration_plain(it) for row, it in rows}}


def profile_text(name: str, rows: tuple[Row, ...], about: str) -> str:
    """Return the file of a profile; *about* becomes comments."""
    comment = "".join(f"# {line}\n" for line in about.splitlines())
    plain = profile_plain(name, rows)
    head = {key: it for key, it in plain.items() if key != "durations"}
    text = yaml.dump(head, Dumper=Dumper, sort_keys=False, allow_unicode=True) + "durations:\n"
    for row, it in plain["durations"].items():
        said = yaml.dump(it, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=True)
        text += f"  {row}: {said}"
    return comment + text


def duration_plain(duration: Duration) -> dict[str, Any]:
    """Return one duration as a file spells it."""
    times = {"work_ms": duration.work, "wait_ms": duration.wait, "scale": duration.scale}
    said = {key: distribution_plain(it) for key, it in times.items() if it is not None and it != Fixed(0.0)}
    others: dict[str, Any] = {"cores": _digits(duration.cores), "together": duration.together,
                              "repeats": duration.repeats}  # fmt: skip
    said |= {key: it for key, it in others.items() if it not in (1, "")}
    return {**said, "mark": duration.mark}


def distribution_plain(it: Distribution) -> Any:
    """Return a distribution as a file spells it."""
    match it:
        case Fixed(value=value):
            return _digits(value)
        case Uniform(low=low, high=high):
            return [_digits(low), _digits(high)]
        case LogNormal(median=median, sigma=sigma, shift=shift):
            said = {"median": median, "sigma": sigma, **({"shift": shift} if shift else {})}
            return {"lognormal": {key: _digits(value) for key, value in said.items()}}
        case Quantiles(shares=shares, values=values):
            points = zip(shares, values, strict=True)
            return {"quantiles": {str(_digits(share)): _digits(value) for share, value in points}}


def _digits(value: float) -> int | Fraction:
    """Return a number that is written without an exponent, and read back as it was."""
    return int(value) if value == int(value) else Fraction(format(Decimal(repr(value)), "f"))


def chosen_profile(root: Node, said: object, report: Report) -> tuple[str, tuple[Row, ...]]:
    """Return the profile's name, and its rows if they stand in the file or in one that it names."""
    if isinstance(said, dict):
        return read_profile(root, report)
    if said not in PROFILES:
        what = f"{shown(said)} is not a profile; valid: {listed(PROFILES)}, or a file x.yaml."
        report.refuse(root, PLACE, Refusal(what, did_you_mean(str(said), PROFILES)))
    return str(said), ()
