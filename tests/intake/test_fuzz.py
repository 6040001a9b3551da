"""Whatever is given to init: a scenario that loads, or a message; never a traceback, never for ever."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import InputError
from sim.intake import scenario_from
from sim.intake.sources import Source
from sim.scenario import load
from tests.intake import samples

TREE = """\
systemd(1)-+-dockerd(500)-+-docker-proxy(700)---{docker-proxy}(701)
           |              `-{dockerd}(501)
           |-containerd-shim(720)-+-nginx(740)---nginx(741)
           |                      `-10*[{containerd-shim}]
           `-sshd(800)
"""
UNIT = "# /lib/systemd/system/docker.service\n[Service]\nRestart=always\nKillMode=process\nTasksMax=infinity\n"
SHOW = "Id=docker.service\nMainPID=500\nRestartUSec=2s\nKillMode=process\n"
SS = 'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\ntcp LISTEN 0 4096 0.0.0.0:8080 0.0.0.0:* users:(("docker-proxy",pid=700,fd=4))\n'  # noqa: E501
RULES = "*nat\n:PREROUTING ACCEPT [0:0]\n-A DOCKER ! -i br -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.20.0.2:80\nCOMMIT\n"  # noqa: E501


def in_lines(tree: str) -> str:
    """Return a tree in the other alphabet."""
    for ascii_, drawn in (("-+-", "─┬─"), ("---", "───"), ("|-", "├─"), ("`-", "└─"), ("|", "│")):
        tree = tree.replace(ascii_, drawn)
    return tree


OUTPUTS = {
    **samples.outputs(),
    "ps-ef.txt": samples.ef(),
    "ps-aux.txt": samples.auxf(),
    "paste.txt": samples.paste(),
    "pstree.txt": TREE,
    "pstree-u.txt": in_lines(TREE),
    "unit.txt": UNIT,
    "show.txt": SHOW,
    "ss.txt": SS,
    "rules.txt": RULES,
}
NASTY: tuple[str, ...] = (
    "\0",
    "\r\n",
    "\x1b[31m",
    "…",
    "\ufffd",
    "\u2028",
    "\u202e",
    "-",
    "9" * 20,
    "'",
    '"',
    "\\",
    "{",
    "[",
    "#",
    ": ",
    "\t",
    "a" * 300,
    "%",
    "&",
    "*",
    "|",
)
FUZZ = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def is_answered(*sources: Source, stdin: bytes = b"") -> str:
    """Return the scenario's text, which loads, or "" where a message says what is wrong."""
    try:
        text, summary = scenario_from(["-"] if stdin else [], stdin=stdin, texts=sources)
    except InputError:
        return ""
    load("x.yaml", text)
    assert "\n" not in summary
    return text


@st.composite
def damaged(draw: Any) -> str:
    """Outputs with lines left out, doubled, cut and with what no tool prints in them."""
    names = draw(st.lists(st.sampled_from(sorted(OUTPUTS)), min_size=1, max_size=3, unique=True))
    lines = [line for name in names for line in OUTPUTS[name].split("\n")]
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(len(lines) - 1, 0)))
        how = draw(st.sampled_from(("drop", "double", "cut", "put", "swap", "end")))
        if not lines:
            break
        line = lines[place]
        at = draw(st.integers(0, len(line)))
        if how == "drop":
            del lines[place]
        elif how == "double":
            lines.insert(place, line)
        elif how == "cut":
            lines[place] = line[:at]
        elif how == "put":
            lines[place] = line[:at] + draw(st.sampled_from(NASTY)) + line[at:]
        elif how == "swap":
            lines[place], lines[-1] = lines[-1], line
        else:
            lines = lines[: place + 1]
    return draw(st.sampled_from(("\n", "\r\n"))).join(lines)


@FUZZ
@given(damaged())
def test_damaged_outputs_are_answered(text):
    """Lines cut, lost, doubled, with control characters and huge numbers."""
    is_answered(stdin=text.encode("utf-8", "replace") or b"x")


@FUZZ
@given(st.binary(min_size=1, max_size=2000))
def test_any_bytes_are_answered(content):
    """Also such as begin like an archive."""
    is_answered(stdin=content)
    is_answered(stdin=b"\x1f\x8b" + content)
    is_answered(stdin=gzip.compress(content))


LEAVES: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just({}) | st.just([])


@st.composite
def changed(draw: Any) -> Any:
    """A sample's JSON in which some values are of another kind."""
    value = json.loads(
        json.dumps(draw(st.sampled_from([samples.inspected(), samples.NETWORK, samples.INFO, samples.DAEMON])))
    )
    for _ in range(draw(st.integers(1, 4))):
        at = value
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and draw(st.booleans()):
                at = at[key]
                continue
            at[key] = draw(
                LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(max_size=5), LEAVES, max_size=2)
            )
            break
    return value


@FUZZ
@given(changed())
def test_json_of_other_kinds_is_answered(value):
    """A number where a list is, a list where a name is, anything anywhere."""
    is_answered(Source("x.json", json.dumps(value)), Source("ps.txt", samples.axjf()))


HOSTILE = (
    "all",
    "../../etc/passwd",
    "a b",
    "-rf",
    "x\ny",
    "\u202egpj",
    "é" * 40,
    "#",
    "no",
    "1e5",
    "0x1",
    "{a: b}",
    "'",
    "web\0",
    "a" * 500,
    "…",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_written_so_that_they_can_be_read(name):
    """Of containers, networks, images, hosts and programs."""
    inspected = samples.inspected()
    inspected[0]["Name"] = f"/{name}"
    inspected[1]["Config"]["Image"] = name
    inspected[1]["Path"] = name
    inspected[2]["NetworkSettings"]["Networks"] = {name: {}}
    info = samples.INFO | {"Name": name}
    assert is_answered(Source("a", json.dumps(inspected)), Source("b", json.dumps(info)), Source("c", samples.axjf()))


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_every_beginning_of_an_output_is_answered(name):
    """Cut off anywhere, with the line ends of Windows as well."""
    text = OUTPUTS[name]
    for end in range(0, len(text), max(len(text) // 12, 1)):
        is_answered(Source(name, text[:end].replace("\n", "\r\n")))
        is_answered(Source(name, text[:end]))
