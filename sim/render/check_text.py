"""What `shimulator check` found: as text, as JUnit's XML, as annotations of GitHub's.

Models: a test case for each act and limit in JUnit, whose failures name file and line; one `::error` a container.
Leaves out passed cases in annotations. Source: the JUnit schema of Jenkins [K]; GitHub's "Workflow commands" [K].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sim.render.clean import printable, printable_lines
from sim.views.checked import Break, Checked, Held

SCHEMA_VERSION = 1


def check_text(found: Checked) -> str:
    """Return what holds and what does not, worst told in full."""
    holds = sum(it.holds is True for it in found.held)
    lines = [f"{found.title} ({found.design}): {holds} of {len(found.held)} hold", ""]
    for held in found.held:
        sign = {True: "✓", False: "✗", None: "?"}[held.holds]
        lines.append(f"{sign} {held.act}: {held.limits}   ({held.measured})")
        if held.failed:
            lines.append(f"    not run: {held.failed}")
        for it in held.breaks:
            lines.append(f"    {_place(it)}: {_said(it)}")
            if it.why:
                lines.append(f"        {it.why}")
    if found.ended:
        lines += ["", f"{found.ended}."]
    return printable_lines("\n".join(lines) + "\n")


def _place(it: Break) -> str:
    file, line = it.place
    return f"{file}:{line}" if line else file


def _said(it: Break) -> str:
    return f"{it.container}: {it.what}" if it.container else it.what


def workflow_commands(found: Checked) -> str:
    """Return one workflow command for each container that breaks a limit, at its place in the file."""
    return "".join(f"{line}\n" for held in found.held for line in _annotated(held))


def _annotated(held: Held) -> Iterator[str]:
    for it in held.breaks:
        file, line = it.place
        where = f"file={_property(file)}" + (f",line={line}" if line else "")
        said = f"after {held.act}: {_said(it)}" + (f"\n{it.why}" if it.why else "")
        yield f"::error {where},title={_property(f'shimulator: {held.act}')}::{_data(said)}"
    if held.failed:
        yield f"::warning title={_property(f'shimulator: {held.act}')}::{_data(f'not run: {held.failed}')}"


def _data(text: str) -> str:
    """Return text as a workflow command takes it."""
    return "".join(printable(part) for part in text.replace("%", "%25").replace("\n", "%0A").splitlines())


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def junit(found: Checked) -> bytes:
    """Return a test suite with a case for each act and its limits."""
    failures = sum(it.holds is False for it in found.held)
    errors = sum(it.holds is None for it in found.held)
    counts = {"tests": str(len(found.held)), "failures": str(failures), "errors": str(errors)}
    root = Element("testsuites", counts)
    suite = SubElement(root, "testsuite", {"name": printable(f"shimulator check {found.source}"), **counts})
    for held in found.held:
        names = {
            "classname": printable(f"{found.source}.{found.design}"),
            "name": printable(f"{held.act}: {held.limits}"),
        }
        places = [it.place for it in held.breaks if it.place[1]]
        names |= {"file": places[0][0], "line": str(places[0][1])} if places else {}
        case = SubElement(suite, "testcase", names)
        if held.failed:
            SubElement(case, "error", {"message": printable(held.failed)})
        elif held.breaks:
            text = "\n".join(f"{_place(it)}: {_said(it)}{f' -- {it.why}' if it.why else ''}" for it in held.breaks)
            failure = SubElement(case, "failure", {"message": printable(_said(held.breaks[0])), "type": "limit"})
            failure.text = printable_lines(text)
    indent(root)
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def check_json(found: Checked) -> dict[str, Any]:
    """Return the same as one JSON object."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "check",
        "source": found.source,
        "design": found.design,
        "checks": [
            {
                "act": held.act,
                "limits": held.limits,
                "holds": held.holds,
                "measured": held.measured,
                "failed": held.failed,
                "breaks": [
                    {"container": it.container, "file": it.place[0], "line": it.place[1], "what": it.what,
                     "why": it.why, "seed": it.seed}
                    for it in held.breaks
                ],
            }
            for held in found.held
        ],
        "ended": found.ended,
    }  # fmt: skip
